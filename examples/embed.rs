//! Embeds the library: a program is parsed, checked, compiled and trained on the digits.
//!
//!     cargo run --release --example embed

use std::error::Error;
use std::sync::atomic::AtomicBool;

use candle_core::Device;
use snapc::backend::Network;
use snapc::diagnostic::{Source, render};
use snapc::train::{Event, Trainer, TrainingConfiguration};
use snapc::{data, graph, syntax, types};

const PROGRAM: &str = "
net small : [1, 8, 8] -> [10] =
    conv(3, 16) bn relu
    conv(3, 32, stride: 2) bn relu
    gap dense(10)
";

fn main() -> Result<(), Box<dyn Error>> {
    let source = Source::new("small.snap", PROGRAM);
    let parsed = syntax::parse(&source);
    let checked = types::check(&parsed.file);
    let problems = [parsed.diagnostics, checked.diagnostics].concat();
    if !problems.is_empty() {
        return Err(render::render(&problems, &[source], false).into());
    }
    let net = checked.program.named("small").ok_or("no net `small`")?;
    let graph = graph::build(&checked.program, net).map_err(|problem| problem.message)?;
    let network = Network::compile(&graph, &Device::Cpu, 0)?;

    let digits = data::digits::load()?;
    let configuration = TrainingConfiguration {
        epochs: 5,
        ..TrainingConfiguration::default()
    };
    let trainer = Trainer::new(&network, &digits, configuration)?;
    let outcome = trainer.run(&AtomicBool::new(false), &mut |event: Event| {
        if let Event::Epoch { record, .. } = event {
            println!("epoch {}: loss {:.3}", record.epoch, record.train_loss);
        }
    })?;
    if let Some(summary) = outcome.finished() {
        println!("test {}", summary.test.text());
    }
    Ok(())
}

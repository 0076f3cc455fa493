//! From the text of a program to its first step of training, stage by stage.
//!
//!     cargo bench --bench first_step
//!
//! The best of several turns counts. The last stage before the step gives the parameters their first values, whose time
//! grows with their number and not with the program; it is left out of the sum.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::{DType, Device, Tensor};
use candle_nn::loss::cross_entropy;
use snapc::backend::{Mode, Model, Network};
use snapc::diagnostic::{Source, SourceId};
use snapc::{graph, plan, syntax, types};

/// A file, a net in it, the examples of a batch, and the turns.
const NETS: [(&str, &str, usize, usize); 2] = [
    ("examples/digits.snap", "digits", 32, 20),
    ("examples/zoo/resnet.snap", "resnet50", 1, 3),
];

const STAGES: [&str; 5] = [
    "text to types",
    "types to graph",
    "graph to plan",
    "first values",
    "first step",
];

/// The stages that are not counted: first values and the step itself.
const COUNTED: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    for (file, net, batch, turns) in NETS {
        let mut best = [Duration::MAX; STAGES.len()];
        for _ in 0..turns {
            let times = turn(file, net, batch)?;
            for (best, time) in best.iter_mut().zip(times) {
                *best = time.min(*best);
            }
        }
        println!("{net}, the best of {turns} turns");
        for (stage, time) in STAGES.iter().zip(best) {
            println!("{stage:>16} {:>9.3} ms", milliseconds(time));
        }
        let sum = best[..COUNTED].iter().sum();
        println!("{:>16} {:>9.3} ms", "text to plan", milliseconds(sum));
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    1e3 * time.as_secs_f64()
}

/// What each stage takes.
fn turn(file: &str, net: &str, batch: usize) -> Result<[Duration; STAGES.len()], Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&path)?;
    let mut times = [Duration::ZERO; STAGES.len()];
    let mut started = Instant::now();
    let mut stage = |place: usize| {
        times[place] = started.elapsed();
        started = Instant::now();
    };

    let mut read = |path: &str| std::fs::read(path).map_err(|error| error.to_string());
    let source = Source {
        id: SourceId(0),
        ..Source::new(path.display().to_string(), text)
    };
    let files = syntax::parse_files(source, &mut read);
    let checked = types::check_files(&files);
    if let Some(problem) = files.diagnostics.iter().chain(&checked.diagnostics).next() {
        return Err(problem.message.clone().into());
    }
    stage(0);
    let net = checked.program.named(net).ok_or("the net is not there")?;
    let graph = graph::build(&checked.program, net).map_err(|problem| problem.message)?;
    stage(1);
    let plan = plan::plan(&graph)?;
    stage(2);
    let network = Network::from_plan(plan, &Device::Cpu, 0, DType::F32)?;
    stage(3);
    let shape = [&[batch], network.input_shape()].concat();
    let inputs = Tensor::zeros(shape, DType::F32, &Device::Cpu)?;
    let labels = Tensor::zeros(batch, DType::U32, &Device::Cpu)?;
    let logits = network.forward(&inputs, Mode::Train { step: 0 })?;
    cross_entropy(&logits, &labels)?.backward()?;
    stage(4);
    Ok(times)
}

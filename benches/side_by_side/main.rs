//! Times a net as snapc compiles it: one side of `side_by_side.py`.
//!
//!     cargo bench --bench side_by_side -- train|checkpointed|infer|candle FILE BATCH STEPS [DEVICE [f32|bf16]]
//!
//! `checkpointed` trains with activation checkpointing of blocks. `candle` trains the module of candle-nn that `snapc emit rust` writes for the file, which lies in `candle/`.
//!
//! The net is the last of the file. Prints a line of JSON: the seconds from the text to the compiled network, those of
//! every step (of training: forward, loss, backward, AdamW; of inference: forward), and the largest resident memory in
//! bytes before and after.

use std::error::Error;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Instant;

use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;
use candle_nn::loss::cross_entropy;
use snapc::backend::{Computation, Mode, Model, Network, Precision, device};
use snapc::diagnostic::{Source, SourceId};
use snapc::graph::{self, Graph};
use snapc::plan::{Pass, Passes};
use snapc::train::{Optimizer, OptimizerConfiguration, StepSettings};
use snapc::types::Kind;
use snapc::{syntax, types};

/// A forward pass of training.
type Forward = Box<dyn Fn(&Tensor) -> candle_core::Result<Tensor>>;

/// Declares the modules that are emitted, and a function that makes the one for a file.
macro_rules! modules {
    ($($module:ident $net:ident;)*) => {
        mod candle {
            $(
                #[rustfmt::skip]
                #[allow(clippy::all, dead_code)]
                pub mod $module;
            )*
        }

        /// The forward pass of the module for a file, with these variables.
        fn written_with_candle(file: &str, variables: VarBuilder) -> Result<Forward, Box<dyn Error>> {
            let stem = Path::new(file).file_stem().and_then(OsStr::to_str);
            match stem {
                $(Some(stringify!($module)) => {
                    let net = candle::$module::$net::new(variables)?;
                    Ok(Box::new(move |inputs| net.forward_t(inputs, true)))
                })*
                _ => Err(format!("there is no module for {file}").into()),
            }
        }
    };
}

modules! {
    digits Digits;
    resnet20 Resnet20;
    mobilenet_v2 MobilenetV232;
    i3posnet I3posnet48x92;
    darts Darts16;
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().filter(|it| it != "--bench").collect();
    let [_, mode, file, batch, steps, place @ ..] = arguments.as_slice() else {
        return Err(
            "usage: side_by_side train|checkpointed|infer|candle FILE BATCH STEPS [DEVICE [f32|bf16]]"
                .into(),
        );
    };
    let computation = Computation {
        device: device(place.first().map_or("cpu", String::as_str))?,
        precision: match place.get(1).map(String::as_str) {
            None | Some("f32") => Precision::Full,
            Some("bf16") => Precision::Mixed,
            Some(other) => return Err(format!("there is no precision `{other}`").into()),
        },
    };
    let (batch, steps): (usize, usize) = (batch.parse()?, steps.parse()?);
    let before = peak();
    let started = Instant::now();
    let passes = match mode.as_str() {
        "checkpointed" => Passes::default().with(Pass::CheckpointBlocks),
        _ => Passes::default(),
    };
    let network = computation.compile(&build(file)?, passes, 0)?;
    let compiled = started.elapsed().as_secs_f64();
    let steps = match mode.as_str() {
        "train" | "checkpointed" => {
            let forward = |inputs: &Tensor, step| network.forward(inputs, Mode::Train { step });
            train(&network, forward, batch, steps)?
        }
        "candle" => {
            let variables =
                VarBuilder::from_varmap(network.var_map(), DType::F32, network.device());
            let forward = written_with_candle(file, variables)?;
            train(&network, |inputs, _| forward(inputs), batch, steps)?
        }
        "infer" => infer(&network, batch, steps)?,
        other => return Err(format!("there is no mode `{other}`").into()),
    };
    let result = serde_json::json!({
        "compile": compiled, "steps": steps, "before": before, "peak": peak(),
        "input": network.input_shape(), "classes": network.output_shape(),
    });
    println!("{result}");
    Ok(())
}

/// The graph of the last net of a file.
fn build(path: &str) -> Result<Graph, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    let mut read = |path: &str| std::fs::read(path).map_err(|error| error.to_string());
    let source = Source {
        id: SourceId(0),
        ..Source::new(path, text)
    };
    let files = syntax::parse_files(source, &mut read);
    let checked = types::check_files(&files);
    if let Some(problem) = files.diagnostics.iter().chain(&checked.diagnostics).next() {
        return Err(problem.message.clone().into());
    }
    let (net, _) = (checked.program.of_kind(Kind::Net).last()).ok_or("the file has no net")?;
    graph::build(&checked.program, net).map_err(|problem| problem.message.into())
}

/// A batch of random inputs.
fn random_batch(network: &Network, size: usize) -> candle_core::Result<Tensor> {
    let shape = [&[size], network.input_shape()].concat();
    Tensor::rand(-1f32, 1f32, shape, network.device())
}

/// The seconds of every run without gradients.
fn infer(network: &Network, batch: usize, steps: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let inputs = [random_batch(network, batch)?];
    let frozen = network.freeze()?;
    let mut seconds = Vec::with_capacity(steps);
    for _ in 0..steps {
        let started = Instant::now();
        std::hint::black_box(frozen.forward(&inputs)?);
        network.device().synchronize()?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    Ok(seconds)
}

/// The seconds of every step of training: the forward pass is given the number of the step.
fn train(
    network: &Network,
    forward: impl Fn(&Tensor, u64) -> candle_core::Result<Tensor>,
    batch: usize,
    steps: usize,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let classes = network.output_shape()[0];
    let inputs = random_batch(network, batch)?;
    let labels: Vec<u32> = (0..batch).map(|index| (index % classes) as u32).collect();
    let labels = Tensor::new(labels, network.device())?;
    let rule = OptimizerConfiguration::adam_w();
    let mut optimizer = Optimizer::new(network.trainable(), rule, 0.01, true).expect("memory");
    let settings = StepSettings {
        learning_rate: 1e-3,
        momentum: None,
        gradient_clip: None,
    };
    let mut seconds = Vec::with_capacity(steps);
    for step in 0..steps as u64 {
        let started = Instant::now();
        let logits = forward(&inputs, step)?;
        let loss = cross_entropy(&logits, &labels)?;
        optimizer.step(&loss.backward()?, settings)?;
        network.device().synchronize()?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    Ok(seconds)
}

/// The largest resident memory so far, where the system tells it.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

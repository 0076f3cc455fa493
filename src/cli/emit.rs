//! `snapc emit`

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Tensor};
use clap::ValueEnum;

use super::load;
use super::output::{Failure, Output, count};
use super::train::compile;
use crate::backend::{Network, WeightsError};
use crate::emit;
use crate::files;
use crate::graph;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  snapc emit torch examples/digits.snap --weights snapc-train-digits/best.safetensors\n  snapc emit onnx examples/zoo/resnet.snap:resnet18 --output resnet18.onnx"
)]
pub(super) struct Options {
    /// What is written
    #[arg(value_enum)]
    target: Target,

    /// The file with the net; its name may follow
    #[arg(value_name = "FILE[:NET]")]
    file: String,

    /// The net, where the file has several
    #[arg(long)]
    net: Option<String>,

    /// The file to write; `NET.py`, `NET.onnx` or `NET.rs` if not given
    #[arg(long, short)]
    output: Option<PathBuf>,

    /// The weights, a file that `snapc train` wrote; first values if not given
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,

    /// What the first values follow from
    #[arg(long, default_value_t = 0, conflicts_with = "weights", value_parser = super::training::whole::<u64>)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// A PyTorch module, and its weights beside it
    Torch,
    /// An ONNX model with the weights in it
    Onnx,
    /// A source file for candle-nn, and its weights beside it
    Rust,
}

impl Target {
    fn extension(self) -> &'static str {
        match self {
            Target::Torch => "py",
            Target::Onnx => "onnx",
            Target::Rust => "rs",
        }
    }
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let (file, net) = load::named(&options.file, options.net.as_deref());
    if let (Some(behind), Some(given)) = (&net, &options.net)
        && behind != given
    {
        return Err(Failure::Usage(format!(
            "two nets are named, `{behind}` behind the file and `{given}` by `--net`; name one"
        )));
    }
    let loaded = load::load(&file)?;
    let id = load::choose_net(&loaded, net.as_deref())?;
    let graph = graph::build(&loaded.checked.program, id)
        .map_err(|diagnostic| loaded.failure(*diagnostic))?;
    let network = compile(&graph, options.seed)?;
    if let Some(weights) = &options.weights {
        network.load_weights(weights).map_err(unfit)?;
    }
    let name = format!("{}.{}", graph.name, options.target.extension());
    let path = options.output.clone().unwrap_or_else(|| name.into());
    let weights = path.with_extension("safetensors");
    let is_apart = options.target != Target::Onnx;
    if is_apart && weights == path {
        let message = format!("`{}` is where the weights go", path.display());
        return Err(Failure::Usage(message));
    }
    refuse_existing(&path)?;
    if is_apart {
        refuse_existing(&weights)?;
    }
    let content = match options.target {
        Target::Torch => emit::torch(&graph).map(String::into_bytes),
        Target::Onnx => emit::onnx(&graph, &numbers(&network).map_err(runtime)?),
        Target::Rust => emit::candle(&graph).map(String::into_bytes),
    };
    let content = content.map_err(runtime)?;
    match &options.weights {
        // A copy, since the file may say more, such as how inputs are normalised.
        Some(given) if is_apart => write(&weights, &std::fs::read(given).map_err(runtime)?)?,
        None if is_apart => network.save_weights(&weights).map_err(runtime)?,
        _ => {}
    }
    write(&path, &content)?;
    match (output.is_json(), is_apart) {
        (true, true) => output.json(&serde_json::json!({ "file": path, "weights": weights })),
        (true, false) => output.json(&serde_json::json!({ "file": path })),
        (false, true) => {
            output.line(&format!(
                "wrote {} and {}",
                path.display(),
                weights.display()
            ));
        }
        (false, false) => output.line(&format!("wrote {}", path.display())),
    }
    Ok(())
}

/// Weights that can't be used. Those of another net may differ in hundreds of tensors: the first few
/// tell enough.
fn unfit(error: WeightsError) -> Failure {
    const TOLD: usize = 5;
    let mut more = 0;
    let error = match error {
        WeightsError::Read { .. } => return Failure::Usage(error.to_string()),
        WeightsError::Misfit {
            origin,
            net,
            mut misfits,
        } => {
            more = misfits.len().saturating_sub(TOLD);
            misfits.truncate(TOLD);
            WeightsError::Misfit {
                origin,
                net,
                misfits,
            }
        }
        other => other,
    };
    let mut message = error.to_string();
    if more > 0 {
        message.push_str(&format!("; not shown: {}", count(more, "more tensor")));
    }
    Failure::Runtime(message)
}

fn runtime(error: impl std::fmt::Display) -> Failure {
    Failure::Runtime(error.to_string())
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    files::write(path, content)
        .map_err(|error| Failure::Runtime(format!("can't write `{}`: {error}", path.display())))
}

fn refuse_existing(path: &Path) -> Result<(), Failure> {
    match path.exists() {
        true => Err(Failure::Usage(format!(
            "`{}` exists already; choose another name with `--output`",
            path.display()
        ))),
        false => Ok(()),
    }
}

/// All parameters and state by name.
fn numbers(network: &Network) -> candle_core::Result<HashMap<String, Vec<f32>>> {
    let numbers = |(name, tensor): (String, Tensor)| {
        let numbers = tensor.flatten_all()?.to_dtype(DType::F32)?;
        Ok((name, numbers.to_vec1::<f32>()?))
    };
    network.tensors()?.into_iter().map(numbers).collect()
}

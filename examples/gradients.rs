//! Runs a net forward and backward and writes what it gives: the other side of benches/oracle/emit.py.
//!
//!     cargo run --release --example gradients -- FILE NET WEIGHTS INPUTS OUTPUTS
//!
//! `WEIGHTS` is a file as `snapc emit` and `snapc train` write it. `INPUTS` has the tensors `input.I`,
//! with the batch first, and `loss.O`: the loss is the sum of the outputs, each times these. `OUTPUTS`
//! gets, for an evaluation and for a step of training, `MODE.output.O`, `MODE.gradient.input.I` and
//! `MODE.gradient.PARAMETER`, and `train.state.NAME` with the running statistics after it, all in
//! double precision. Dropout and drop path set nothing to zero, since their random numbers are nobody
//! else's.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor, Var, safetensors};
use snapc::backend::{Mode, Model, Network};
use snapc::diagnostic::{Source, render};
use snapc::graph::{self, Graph, NodeKind};
use snapc::operations::{Operation, Real};
use snapc::{syntax, types};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, net, weights, inputs, outputs] = arguments.as_slice() else {
        return Err("give FILE NET WEIGHTS INPUTS OUTPUTS".into());
    };
    let graph = certain(graph_of(file, net)?);
    let network = Network::compile_with_dtype(&graph, &Device::Cpu, 0, DType::F64)?;
    network.load_weights(Path::new(weights))?;
    let given = safetensors::load(inputs, &Device::Cpu)?;
    let mut results = HashMap::new();
    record(&network, &given, "evaluate", Mode::Evaluate, &mut results)?;
    record(
        &network,
        &given,
        "train",
        Mode::Train { step: 0 },
        &mut results,
    )?;
    for (name, variable) in network.state() {
        results.insert(format!("train.state.{name}"), variable.as_detached_tensor());
    }
    safetensors::save(&results, outputs)?;
    Ok(())
}

fn graph_of(file: &str, net: &str) -> Result<Graph, Box<dyn Error>> {
    let source = Source::new(file, fs::read_to_string(file)?);
    let mut read = |path: &str| fs::read(path).map_err(|error| error.to_string());
    let files = syntax::parse_files(source, &mut read);
    let checked = types::check_files(&files);
    if checked.has_errors() {
        return Err(render::render(&checked.diagnostics, &files.sources, false).into());
    }
    let id = checked.program.named(net).ok_or("there is no such net")?;
    Ok(graph::build(&checked.program, id).map_err(|problem| problem.message)?)
}

/// The net without chance.
fn certain(mut graph: Graph) -> Graph {
    for node in &mut graph.nodes {
        if let NodeKind::Operation(Operation::Dropout { rate } | Operation::DropPath { rate }) =
            &mut node.kind
        {
            *rate = Real::new(0.0);
        }
    }
    graph
}

fn record(
    network: &Network,
    given: &HashMap<String, Tensor>,
    name: &str,
    mode: Mode,
    results: &mut HashMap<String, Tensor>,
) -> Result<(), Box<dyn Error>> {
    let numbered = |kind: &str, number: usize| {
        let tensor = given.get(&format!("{kind}.{number}"));
        let tensor = tensor.ok_or(format!("`{kind}.{number}` is not among the inputs"))?;
        Ok::<_, Box<dyn Error>>(tensor.to_dtype(network.dtype())?)
    };
    let mut inputs = Vec::new();
    for number in 0..network.plan().inputs.len() {
        inputs.push(Var::from_tensor(&numbered("input", number)?)?);
    }
    let tensors: Vec<Tensor> = inputs
        .iter()
        .map(|input| input.as_tensor().clone())
        .collect();
    let outputs = network.forward_all(&tensors, mode)?;
    let mut loss = Tensor::zeros((), network.dtype(), network.device())?;
    for (number, output) in outputs.iter().enumerate() {
        loss = (loss + (output * numbered("loss", number)?)?.sum_all()?)?;
        results.insert(format!("{name}.output.{number}"), output.detach());
    }
    let gradients = loss.backward()?;
    let mut keep = |key: String, variable: &Var| {
        if let Some(gradient) = gradients.get(variable.as_tensor()) {
            results.insert(format!("{name}.gradient.{key}"), gradient.clone());
        }
    };
    for (number, input) in inputs.iter().enumerate() {
        keep(format!("input.{number}"), input);
    }
    for (path, variable) in network.trainable() {
        keep(path, &variable);
    }
    Ok(())
}

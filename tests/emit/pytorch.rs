//! Networks against the PyTorch modules that are emitted for them: `tests/fixtures/emit` has what these
//! computed. `python benches/oracle/emit.py --fixtures` makes the files.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor, Var, safetensors};
use snapc::backend::{Mode, Model, Network};
use snapc::graph::{Graph, NodeKind};
use snapc::operations::{Operation, Real};

use super::{LAYERS, graphs};

const TOLERANCE: f64 = 1e-4;

/// The net without chance.
pub fn certain(mut graph: Graph) -> Graph {
    for node in &mut graph.nodes {
        if let NodeKind::Operation(Operation::Dropout { rate } | Operation::DropPath { rate }) =
            &mut node.kind
        {
            *rate = Real::new(0.0);
        }
    }
    graph
}

pub fn fixture(name: &str) -> HashMap<String, Tensor> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join(format!("tests/fixtures/emit/{name}.safetensors"));
    safetensors::load(path, &Device::Cpu).expect("the fixture")
}

/// The tensors whose names start so, by the rest of their names.
pub fn part(fixture: &HashMap<String, Tensor>, prefix: &str) -> HashMap<String, Tensor> {
    let named = fixture.iter().filter_map(|(name, tensor)| {
        let name = name.strip_prefix(prefix)?;
        Some((name.to_owned(), tensor.clone()))
    });
    named.collect()
}

pub fn numbered(tensors: &HashMap<String, Tensor>) -> Vec<Tensor> {
    let tensors = (0..).map_while(|number: usize| tensors.get(&number.to_string()).cloned());
    tensors.collect()
}

pub fn assert_close(what: &str, given: &Tensor, expected: &Tensor) {
    let numbers = |tensor: &Tensor| {
        let flat = tensor.flatten_all().expect("numbers");
        flat.to_vec1::<f32>().expect("numbers")
    };
    let (given, expected) = (numbers(given), numbers(expected));
    assert_eq!(given.len(), expected.len(), "{what}");
    let largest = expected
        .iter()
        .fold(1.0, |most: f64, it| most.max(f64::from(it.abs())));
    for (given, expected) in given.iter().zip(&expected) {
        let error = f64::from((given - expected).abs());
        assert!(
            error <= TOLERANCE * largest,
            "{what}: {given} for {expected}"
        );
    }
}

#[test]
fn networks_compute_what_their_pytorch_modules_do() {
    for graph in graphs(LAYERS) {
        let name = graph.name.clone();
        let fixture = fixture(&name);
        let network = Network::compile(&certain(graph), &Device::Cpu, 0).expect("a network");
        let weights = part(&fixture, "weights.");
        network.load_tensors(&weights).expect("the weights fit");
        for (prefix, mode) in [
            ("evaluate", Mode::Evaluate),
            ("train", Mode::Train { step: 0 }),
        ] {
            let inputs = numbered(&part(&fixture, "input."));
            let inputs = inputs
                .iter()
                .map(|it| Var::from_tensor(it).expect("a variable"));
            let inputs: Vec<Var> = inputs.collect();
            let tensors: Vec<Tensor> = inputs.iter().map(|it| it.as_tensor().clone()).collect();
            let outputs = network.forward_all(&tensors, mode).expect("it runs");
            let losses = numbered(&part(&fixture, "loss."));
            let expected = numbered(&part(&fixture, &format!("{prefix}.output.")));
            assert_eq!(
                (outputs.len(), losses.len()),
                (expected.len(), expected.len())
            );
            let mut loss = Tensor::new(0f32, &Device::Cpu).expect("a number");
            for ((output, weights), expected) in outputs.iter().zip(&losses).zip(&expected) {
                assert_close(&format!("{name} {prefix}"), output, expected);
                let sum = (output * weights).and_then(|it| it.sum_all());
                loss = sum.and_then(|sum| loss + sum).expect("a loss");
            }
            let gradients = loss.backward().expect("gradients");
            let expected = part(&fixture, &format!("{prefix}.gradient."));
            let places = (0..).map(|place: usize| format!("input.{place}"));
            let variables = places.zip(inputs).chain(network.trainable());
            for (path, variable) in variables {
                // What has no gradient in PyTorch is not in the fixture.
                if let Some(expected) = expected.get(&path) {
                    let given = gradients.get(variable.as_tensor()).expect("a gradient");
                    assert_close(&format!("{name} {prefix} {path}"), given, expected);
                }
            }
        }
        let expected = part(&fixture, "train.state.");
        for (path, variable) in network.state() {
            assert_close(
                &format!("{name} {path}"),
                variable.as_tensor(),
                &expected[&path],
            );
        }
    }
}

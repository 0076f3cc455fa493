//! Gradients against central finite differences, in double precision.

use candle_core::{DType, Device, Tensor, Var};
use snapc::backend::{Mode, Model, Network};
use snapc::graph::Graph;

use super::build::{numbers, values};

/// Compiles a graph in double precision, with parameters moved from their first values, so that no
/// gradient is zero by symmetry.
pub fn network(graph: &Graph, seed: u64) -> Network {
    let network =
        Network::compile_with_dtype(graph, &Device::Cpu, seed, DType::F64).expect("it compiles");
    for (place, (name, variable)) in
        (1..).zip(network.trainable().into_iter().chain(network.state()))
    {
        let noise = numbers(variable.dims(), seed * 1000 + place);
        let moved = if name.ends_with("running_var") {
            (noise.abs().unwrap() + 0.5).unwrap()
        } else {
            (variable.as_tensor() + (noise * 0.5).unwrap()).unwrap()
        };
        variable.set(&moved).unwrap();
    }
    network
}

/// A random weighted sum of all outputs: a loss that every output acts on.
fn loss(network: &Network, inputs: &[Tensor], mode: Mode) -> Tensor {
    // Running statistics change in training; here they must not.
    let before: Vec<(Var, Tensor)> = network
        .state()
        .into_iter()
        .map(|(_, variable)| {
            let value = variable.as_tensor().copy().unwrap();
            (variable, value)
        })
        .collect();
    let outputs = network.forward_all(inputs, mode).expect("it runs");
    for (variable, value) in before {
        variable.set(&value).unwrap();
    }
    let mut loss = Tensor::zeros((), DType::F64, &Device::Cpu).unwrap();
    for (seed, output) in (77..).zip(&outputs) {
        let weights = numbers(output.dims(), seed);
        loss = (loss + (output * weights).unwrap().sum_all().unwrap()).unwrap();
    }
    loss
}

/// Compares the gradients of inputs and parameters with finite differences.
pub fn check(graph: &Graph, inputs: &[Tensor], mode: Mode, seed: u64) {
    let network = network(graph, seed);
    let inputs: Vec<Var> = inputs
        .iter()
        .map(|input| Var::from_tensor(input).unwrap())
        .collect();
    let tensors: Vec<Tensor> = inputs
        .iter()
        .map(|input| input.as_tensor().clone())
        .collect();
    let gradients = loss(&network, &tensors, mode)
        .backward()
        .expect("a gradient");

    let named = inputs
        .iter()
        .enumerate()
        .map(|(place, input)| (format!("input {place}"), input.clone()));
    for (name, variable) in named.chain(network.trainable()) {
        let gradient = gradients
            .get(variable.as_tensor())
            .unwrap_or_else(|| panic!("no gradient for {name}"));
        assert_eq!(gradient.dims(), variable.dims(), "{name}");
        let analytic = values(gradient);
        let at = values(variable.as_tensor());
        // All of a few numbers, some of many.
        let step = at.len().div_ceil(24);
        for place in (0..at.len()).step_by(step) {
            let shifted = |distance: f64| {
                let mut moved = at.clone();
                moved[place] += distance;
                let moved = Tensor::from_vec(moved, variable.dims(), &Device::Cpu).unwrap();
                variable.set(&moved).unwrap();
                values(&loss(&network, &tensors, mode))[0]
            };
            let distance = 1e-6;
            let numeric = (shifted(distance) - shifted(-distance)) / (2.0 * distance);
            let error = (numeric - analytic[place]).abs();
            let scale = 1.0 + numeric.abs();
            assert!(
                error < 2e-6 * scale,
                "{name}[{place}]: {} by the network, {numeric} by differences; {graph:#?}",
                analytic[place]
            );
        }
        let back = Tensor::from_vec(at, variable.dims(), &Device::Cpu).unwrap();
        variable.set(&back).unwrap();
    }
}

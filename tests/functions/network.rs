//! What a network computes, weights and all, in terms that do not depend on how its program is
//! written.

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{DType, Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::backend::{Mode, Model, Network};
use snapc::graph::{Graph, Laws, Node, NodeKind, canonicalise};
use snapc::plan::Plan;

/// A tensor of a layer: the number of the layer in the canonical form, and its own in the layer.
pub type Name = (u64, u64);

/// Tensors by their names in the canonical form.
pub type Tensors = BTreeMap<Name, Vec<f32>>;

/// What a network does with one batch.
pub struct Trial {
    /// The weights that it is born with.
    pub weights: Tensors,
    /// What it gives in training and then, with the running statistics that this leaves, in
    /// evaluation.
    pub outputs: Vec<Vec<f32>>,
    /// The running statistics after training.
    pub state: Tensors,
    /// The gradients in training and in evaluation.
    pub gradients: [Tensors; 2],
    /// The gradients of layers that the canonical form does not have.
    pub gradients_of_nothing: Vec<Vec<f32>>,
    /// Whether every value and weight has one user, so that no gradient is a sum.
    pub is_tree: bool,
}

/// From which numbers a trial starts.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    /// Whether inputs have zeros of both signs, and numbers that are large.
    pub are_special: bool,
    /// Whether weights are moved from those that the network is born with, of which many are 0 or 1.
    pub are_moved: bool,
}

impl Trial {
    /// Compiles a program and runs it.
    pub fn new(graph: &Graph, numbers: Numbers) -> Self {
        let network = compile(graph);
        let form = canonicalise(graph, Laws::Real).graph;
        let mut names = BTreeMap::new();
        for declaration in &network.plan().parameters {
            let layer = form.nodes.get(declaration.layer as usize);
            // The place of a layer that the form does not have is behind, or that of a zero.
            if layer.is_some_and(has_weights) {
                let name = (declaration.layer, declaration.tensor);
                names.insert(declaration.name.clone(), name);
            }
        }
        let named = |tensors: Vec<(String, Tensor)>| -> Tensors {
            let tensors = tensors.into_iter();
            tensors
                .filter_map(|(name, tensor)| Some((*names.get(&name)?, values(&tensor))))
                .collect()
        };
        let weights = named(network.tensors().unwrap());
        if numbers.are_moved {
            move_from_birth(&network, |name| {
                names.get(name).map_or(0, |name| 10 + 10 * name.0 + name.1)
            });
        }
        let inputs = inputs(&network, numbers.are_special);
        let mut outputs = Vec::new();
        let mut gradients_of_nothing = Vec::new();
        let gradients = [Mode::Train { step: 3 }, Mode::Evaluate].map(|mode| {
            let pass = pass(&network, &inputs, mode);
            outputs.extend(pass.outputs);
            let nothing = pass
                .gradients
                .iter()
                .filter(|(name, _)| !names.contains_key(name));
            gradients_of_nothing.extend(nothing.map(|(_, gradient)| values(gradient)));
            named(pass.gradients)
        });
        let state = network.state().into_iter();
        let state = state.map(|(name, state)| (name, state.as_detached_tensor()));
        Self {
            weights,
            outputs,
            state: named(state.collect()),
            gradients,
            gradients_of_nothing,
            is_tree: is_tree(network.plan()),
        }
    }
}

/// The network of a program, from the seed of all these tests.
pub fn compile(graph: &Graph) -> Network {
    Network::compile(graph, &Device::Cpu, 5).expect("it compiles")
}

/// Changes all weights by small numbers that follow from a seed for each.
pub fn move_from_birth(network: &Network, seed: impl Fn(&str) -> u64) {
    for (name, variable) in network.trainable() {
        let noise = drawn(variable.dims(), seed(&name), false);
        let moved = (variable.as_tensor() + (noise * 0.5).unwrap()).unwrap();
        variable.set(&moved).unwrap();
    }
}

/// A batch of three for every input.
pub fn inputs(network: &Network, are_special: bool) -> Vec<Tensor> {
    let shapes = (0..).zip(&network.plan().inputs);
    shapes
        .map(|(seed, shape)| drawn(&[&[3], shape.as_slice()].concat(), seed, are_special))
        .collect()
}

fn drawn(shape: &[usize], seed: u64, are_special: bool) -> Tensor {
    const SPECIAL: [f32; 6] = [0.0, -0.0, 0.0, -0.0, 6.0, 7.0];
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let count = shape.iter().product();
    let mut number = || match are_special && random.random_bool(0.3) {
        true => SPECIAL[random.random_range(0..SPECIAL.len())],
        false => random.random_range(-1.0..1.0),
    };
    let values: Vec<f32> = (0..count).map(|_| number()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// One run forwards and backwards.
pub struct Pass {
    pub outputs: Vec<Vec<f32>>,
    /// The gradients of a weighted sum of all that is given, by the names in the program.
    pub gradients: Vec<(String, Tensor)>,
}

/// Runs a network forwards and backwards.
pub fn pass(network: &Network, inputs: &[Tensor], mode: Mode) -> Pass {
    let outputs = network.forward_all(inputs, mode).expect("it runs");
    let mut loss = Tensor::zeros((), DType::F32, &Device::Cpu).unwrap();
    for (seed, output) in (70..).zip(&outputs) {
        let weights = drawn(output.dims(), seed, false);
        loss = (loss + (output * weights).unwrap().sum_all().unwrap()).unwrap();
    }
    let mut gradients = Vec::new();
    if !network.trainable().is_empty() {
        let store = loss.backward().expect("gradients");
        for (name, variable) in network.trainable() {
            let gradient = store.get(&variable).expect("a gradient for every weight");
            gradients.push((name, gradient.clone()));
        }
    }
    Pass {
        outputs: outputs.iter().map(values).collect(),
        gradients,
    }
}

/// The numbers of a tensor.
pub fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn has_weights(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Operation(operation) => !operation.parameters().is_empty(),
        NodeKind::Input(_) => false,
    }
}

fn is_tree(plan: &Plan) -> bool {
    let mut read = BTreeSet::new();
    let operands = plan.steps.iter().flat_map(|step| &step.inputs);
    let mut values = operands
        .chain(&plan.outputs)
        .filter(|value| value.0 >= plan.inputs.len());
    let mut owned = BTreeSet::new();
    let mut weights = plan.steps.iter().flat_map(|step| step.all_parameters());
    values.all(|value| read.insert(*value)) && weights.all(|place| owned.insert(place))
}

//! The order of channels: the other program computes the same with its weights in another order.

use std::collections::{BTreeMap, HashMap};

use candle_core::{Device, Tensor};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use snapc::backend::Mode;
use snapc::graph::{Graph, Node, NodeId};
use snapc::operations::{Class, Dimension, Operation};

use crate::comparison::assert_close;
use crate::draft::Draft;
use crate::network::{compile, inputs, move_from_birth, pass, values};
use crate::rewriting::{any, nodes, operation};

/// Where each channel of a value comes from; none if all are where they were.
type Order = Option<Vec<usize>>;

/// Two programs, and by the name of a tensor along which axis, and in which order, the second needs
/// what the first has.
pub struct Pair {
    pub left: Graph,
    pub right: Graph,
    arrangement: BTreeMap<String, (usize, Vec<usize>)>,
}

/// Puts the parts of a concatenation in another order, if the layers that read it can make up for
/// it.
pub fn in_other_order(graph: &Graph, random: &mut ChaCha8Rng) -> Option<Pair> {
    let mut draft = Draft::new(graph);
    let is_join =
        |operation: &Operation| matches!(operation, Operation::Concatenate { arity } if *arity > 1);
    let mut join = any(&nodes(graph, |_, operation| is_join(operation)), random)?;
    if random.random() {
        // One of its readers alone gets it in another order.
        let reader = any(&draft.uses_of(join), random)?;
        join = draft.copy(join);
        draft.redirect(reader, join);
    }
    let path = draft.graph().node(join).path.clone();
    let left = draft.finish();
    let mut right = left.clone();
    let place = right.nodes.iter().position(|node| node.path == path)?;
    let parts = &mut right.nodes[place].inputs;
    for last in (1..parts.len()).rev() {
        parts.swap(last, random.random_range(0..=last));
    }
    let arrangement = Arranging::new(&left, &right).arranged()?;
    Some(Pair {
        left,
        right,
        arrangement,
    })
}

impl Pair {
    /// Compares what both compute, the second with the weights of the first in its order. Masks of
    /// dropout are drawn anew in each, so that programs with dropout are only evaluated.
    pub fn check(&self, told: &dyn Fn() -> String) {
        let [left, right] = [&self.left, &self.right].map(compile);
        move_from_birth(&left, |name| name.bytes().map(u64::from).sum());
        let arranged = self.arranged(left.tensors().unwrap());
        right.load_tensors(&arranged).expect("they fit");
        let inputs = inputs(&left, false);
        let mut modes = vec![Mode::Evaluate];
        if !has_randomness(&self.left) {
            modes.push(Mode::Train { step: 0 });
        }
        for mode in modes {
            let [one, other] = [&left, &right].map(|network| pass(network, &inputs, mode));
            assert_eq!(one.outputs.len(), other.outputs.len());
            for (left, right) in one.outputs.iter().zip(&other.outputs) {
                assert_close(left, right, 1e-5, told);
            }
            self.compare(one.gradients, other.gradients, 1e-4, told);
        }
        let states = [left, right].map(|network| network.tensors().unwrap());
        let [one, other] = states;
        self.compare(one, other, 1e-5, told);
    }

    fn arranged(&self, tensors: Vec<(String, Tensor)>) -> HashMap<String, Tensor> {
        let arranged = tensors.into_iter().map(|(name, tensor)| {
            let Some((axis, order)) = self.arrangement.get(&name) else {
                return (name, tensor);
            };
            let order: Vec<u32> = order.iter().map(|channel| *channel as u32).collect();
            let order = Tensor::new(order, &Device::Cpu).unwrap();
            (name, tensor.index_select(&order, *axis).unwrap())
        });
        arranged.collect()
    }

    fn compare(
        &self,
        left: Vec<(String, Tensor)>,
        right: Vec<(String, Tensor)>,
        tolerance: f32,
        told: &dyn Fn() -> String,
    ) {
        let left = self.arranged(left);
        assert_eq!(left.len(), right.len());
        for (name, right) in right {
            assert_close(&values(&left[&name]), &values(&right), tolerance, told);
        }
    }
}

fn has_randomness(graph: &Graph) -> bool {
    !nodes(graph, |_, operation| operation.class() == Class::Random).is_empty()
}

/// Follows the order of channels through a program.
struct Arranging<'a> {
    left: &'a Graph,
    right: &'a Graph,
    orders: Vec<Order>,
    arrangement: BTreeMap<String, (usize, Vec<usize>)>,
}

impl<'a> Arranging<'a> {
    fn new(left: &'a Graph, right: &'a Graph) -> Self {
        Self {
            left,
            right,
            orders: Vec::new(),
            arrangement: BTreeMap::new(),
        }
    }

    /// The order of each tensor; nothing where that of channels counts.
    fn arranged(mut self) -> Option<BTreeMap<String, (usize, Vec<usize>)>> {
        for place in 0..self.right.nodes.len() {
            let order = self.order(place)?;
            self.orders.push(order.filter(|order| !order.is_sorted()));
        }
        let are_in_order = |output: &NodeId| self.orders[output.0 as usize].is_none();
        let is_arranged = self.right.outputs.iter().all(are_in_order);
        (is_arranged && !self.arrangement.is_empty()).then_some(self.arrangement)
    }

    fn order(&mut self, place: usize) -> Option<Order> {
        let node = &self.right.nodes[place];
        let Some(operation) = operation(node) else {
            return Some(None);
        };
        if let Operation::Concatenate { .. } = operation {
            return Some(Some(self.joined(place)));
        }
        let read = node.inputs.iter();
        let mut orders = read.filter_map(|id| self.orders[id.0 as usize].clone());
        let Some(order) = orders.next() else {
            return Some(None);
        };
        match operation {
            _ if node.weights.is_some() => None,
            Operation::Convolution { groups, .. } if *groups == Dimension::ONE => {
                self.arrange(node, &["weight"], 1, &order);
                Some(None)
            }
            Operation::Dense { .. } => {
                self.arrange(node, &["weight"], 1, &order);
                Some(None)
            }
            Operation::Convolution { .. } | Operation::BatchNorm { .. } => {
                let tensors = operation.parameters();
                let names: Vec<&str> = tensors.iter().map(|tensor| tensor.name).collect();
                self.arrange(node, &names, 0, &order);
                Some(Some(order))
            }
            Operation::Activation(_)
            | Operation::Pool { .. }
            | Operation::GlobalPool(_)
            | Operation::Upsample { .. }
            | Operation::InstanceNorm { .. }
            | Operation::Dropout { .. }
            | Operation::DropPath { .. } => Some(Some(order)),
            Operation::Flatten => {
                let pixels = self.channels(node) / order.len();
                let of_channel = |channel: usize| channel * pixels..(channel + 1) * pixels;
                Some(Some(order.into_iter().flat_map(of_channel).collect()))
            }
            _ => None,
        }
    }

    fn arrange(&mut self, node: &Node, tensors: &[&str], axis: usize, order: &[usize]) {
        for tensor in tensors {
            let name = format!("{}.{tensor}", node.path);
            self.arrangement.insert(name, (axis, order.to_vec()));
        }
    }

    fn joined(&self, place: usize) -> Vec<usize> {
        let mut starts: HashMap<NodeId, Vec<usize>> = HashMap::new();
        let mut start = 0;
        for part in &self.left.nodes[place].inputs {
            starts.entry(*part).or_default().push(start);
            start += self.channels(self.left.node(*part));
        }
        let parts = self.right.nodes[place].inputs.iter();
        parts
            .flat_map(|part| {
                let count = self.channels(self.right.node(*part));
                let order = self.orders[part.0 as usize].clone();
                let order = order.unwrap_or_else(|| (0..count).collect());
                let starts = starts.get_mut(part).expect("both have the same parts");
                let start = starts.pop().expect("as often");
                order.into_iter().map(move |channel| start + channel)
            })
            .collect()
    }

    fn channels(&self, node: &Node) -> usize {
        node.shape.sizes().expect("sizes are known")[0]
    }
}

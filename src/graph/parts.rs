//! The parts of a program: its layers, and what each reads and is read by.
//!
//! These are the labels of Weisfeiler and Lehman's refinement over the layers of a program, before it
//! and after each of its first two rounds (Shervashidze et al., JMLR 2011), which tell well what a
//! network is worth (Ru et al., ICLR 2021). A layer is an operation with the activations and norms around
//! it, as in `relu conv(3) bn`, or one without parameters; sums are no parts, what they add up is read by
//! whoever reads them.

use std::hash::{Hash, Hasher};

use xxhash_rust::xxh3::Xxh3;

use super::{Canonical, Graph, NodeId, NodeKind};
use crate::operations::{Class, Operation};

/// How often a label counts, before the refinement and after each of its rounds. After two rounds a layer is told
/// by what is up to two layers away, which in a block of a few layers is nearly all of it: few programs share
/// such a part, so it says less of others and counts half.
const COUNTS: [usize; 3] = [2, 2, 1];

/// The parts of a program, as hashes in no order, each as often as it occurs and [counts](COUNTS). Equal
/// programs have equal parts.
pub fn parts(canonical: &Canonical) -> Vec<u64> {
    let layers = Layers::of(&canonical.graph);
    let mut labels = layers.labels.clone();
    let mut parts = Vec::with_capacity(labels.len() * COUNTS.iter().sum::<usize>());
    for (round, count) in COUNTS.into_iter().enumerate() {
        if round > 0 {
            labels = layers.refine(round as u8, &labels);
        }
        (0..count).for_each(|_| parts.extend(&labels));
    }
    parts
}

/// The layers of a program, its inputs and outputs among them.
#[derive(Default)]
struct Layers {
    labels: Vec<u64>,
    /// Where each of them is in a row of operations.
    rows: Vec<Row>,
    /// What each reads, a layer as often as it is read.
    reads: Vec<Vec<usize>>,
    readers: Vec<Vec<usize>>,
}

/// How many terms of a sum are told apart: nested sums may have more than memory has room for.
const MOST_TERMS: usize = 64;

impl Layers {
    fn of(graph: &Graph) -> Self {
        let mut layers = Self::default();
        let uses = uses(graph);
        // For each node the layers that make up its value: several for a sum.
        let mut terms: Vec<Vec<usize>> = Vec::with_capacity(graph.nodes.len());
        for node in &graph.nodes {
            let operands = node.inputs.iter().flat_map(|id| &terms[id.0 as usize]);
            let operands: Vec<usize> = operands.copied().take(MOST_TERMS).collect();
            let value = match &node.kind {
                NodeKind::Operation(Operation::Add { .. }) => operands,
                NodeKind::Operation(operation) => match in_a_row(graph, &node.inputs, &uses) {
                    true => vec![layers.go_on(operands[0], operation)],
                    false => vec![layers.begin(Row::default(), operation, operands)],
                },
                NodeKind::Input(number) => vec![layers.push(hash(number), Vec::new())],
            };
            terms.push(value);
        }
        for id in &graph.outputs {
            layers.push(hash("output"), terms[id.0 as usize].clone());
        }
        layers
    }

    /// The labels after one more round: each with those of what the layer reads and is read by.
    fn refine(&self, round: u8, labels: &[u64]) -> Vec<u64> {
        let sorted = |others: &[usize]| {
            let mut labels: Vec<u64> = others.iter().map(|&other| labels[other]).collect();
            labels.sort_unstable();
            labels
        };
        let around = labels.iter().zip(self.reads.iter().zip(&self.readers));
        around
            .map(|(label, (reads, readers))| hash(&(round, label, sorted(reads), sorted(readers))))
            .collect()
    }

    fn push(&mut self, label: u64, reads: Vec<usize>) -> usize {
        let layer = self.labels.len();
        for read in &reads {
            self.readers[*read].push(layer);
        }
        self.labels.push(label);
        self.rows.push(Row::default());
        self.reads.push(reads);
        self.readers.push(Vec::new());
        layer
    }

    /// Begins a layer in a row, with an operation.
    fn begin(&mut self, row: Row, operation: &Operation, reads: Vec<usize>) -> usize {
        let layer = self.push(hash(operation), reads);
        self.rows[layer] = row.with(Role::of(operation));
        layer
    }

    /// Goes on with an operation that alone reads a layer: in the same layer, or in the next of the row.
    fn go_on(&mut self, layer: usize, operation: &Operation) -> usize {
        let (row, role) = (self.rows[layer], Role::of(operation));
        if row.ends_before(role) {
            return self.begin(row.next(), operation, vec![layer]);
        }
        self.labels[layer] = hash(&(self.labels[layer], operation));
        self.rows[layer] = row.with(role);
        layer
    }
}

/// What an operation is to its layer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// What a layer is named for: a convolution.
    Body,
    Norm,
    Activation,
    /// A layer by itself: a pooling.
    Alone,
}

impl Role {
    fn of(operation: &Operation) -> Self {
        match operation {
            Operation::BatchNorm { .. }
            | Operation::LayerNorm { .. }
            | Operation::RmsNorm { .. }
            | Operation::GroupNorm { .. }
            | Operation::InstanceNorm { .. } => Role::Norm,
            Operation::Activation(_) | Operation::ParametricRelu { .. } => Role::Activation,
            _ => match operation.class() {
                Class::Parameters | Class::State => Role::Body,
                Class::Pure | Class::Random => Role::Alone,
            },
        }
    }
}

/// A row of layers, each read by the next alone. All of them begin as the first does: in
/// `relu conv(3) bn relu conv(3) bn` with an activation, in `conv(3) bn relu conv(3) bn relu` with a
/// convolution. So a layer is the same part, whatever stands before it in its row.
#[derive(Clone, Copy, Default)]
struct Row {
    /// Whether the layer has its body.
    has_body: bool,
    /// Whether norms or activations come before the body.
    norm_first: bool,
    activation_first: bool,
    /// Whether the row ends with this layer: what comes next begins another one.
    is_over: bool,
}

impl Row {
    fn with(self, role: Role) -> Self {
        Self {
            has_body: self.has_body || role == Role::Body,
            norm_first: self.norm_first || role == Role::Norm && !self.has_body,
            activation_first: self.activation_first || role == Role::Activation && !self.has_body,
            is_over: role == Role::Alone,
        }
    }

    /// Whether the next operation begins a new layer.
    fn ends_before(self, role: Role) -> bool {
        let begins_anew = match role {
            Role::Body => true,
            Role::Norm => self.norm_first,
            Role::Activation => self.activation_first,
            Role::Alone => false,
        };
        self.is_over || role == Role::Alone || self.has_body && begins_anew
    }

    /// The row in its next layer.
    fn next(self) -> Self {
        match self.is_over {
            true => Self::default(),
            false => Self {
                has_body: false,
                ..self
            },
        }
    }
}

/// How often each node is read.
fn uses(graph: &Graph) -> Vec<usize> {
    let mut uses = vec![0; graph.nodes.len()];
    let inputs = graph.nodes.iter().flat_map(|node| &node.inputs);
    for id in inputs.chain(&graph.outputs) {
        uses[id.0 as usize] += 1;
    }
    uses
}

/// Whether what reads `inputs` goes on with a layer that nobody else reads.
fn in_a_row(graph: &Graph, inputs: &[NodeId], uses: &[usize]) -> bool {
    let [only] = inputs else { return false };
    let before = graph.node(*only);
    let is_layer = match &before.kind {
        NodeKind::Operation(Operation::Add { .. }) | NodeKind::Input(_) => false,
        NodeKind::Operation(_) => before.inputs.len() == 1,
    };
    is_layer && uses[only.0 as usize] == 1
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = Xxh3::new();
    value.hash(&mut hasher);
    hasher.finish()
}

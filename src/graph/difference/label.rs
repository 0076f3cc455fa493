//! When two operations count as one.

use std::mem::{Discriminant, discriminant};

use super::side::Numbers;
use crate::graph::{Node, NodeKind, operation_word};
use crate::operations::{Dimension, Operation, Variable};

/// What an operation is, by number. Two are the same if they are written alike or if their
/// attributes are equal, those left out that follow from what is read: a wider convolution is one
/// change, and the layers behind it, which are wider for that, are none.
///
/// Over operands of equal shapes, operations that are the same in either way are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// What sort of operation it is: a convolution, an activation.
    pub(super) sort: Option<Discriminant<Operation>>,
    /// The word without its arguments.
    pub(super) name: u32,
    /// The word with its arguments, those left out that are the default for what is read.
    pub(super) written: u32,
    /// The operation without what follows from its operands.
    settled: u32,
}

impl Label {
    /// Whether both are one operation.
    pub(super) fn is_same(self, other: Label) -> bool {
        self.written == other.written || self.settled == other.settled
    }
}

/// Gives labels the same numbers in both programs.
#[derive(Default)]
pub(super) struct Labels {
    names: Numbers<String>,
    written: Numbers<String>,
    settled: Numbers<NodeKind>,
}

impl Labels {
    /// The label of a node. The variables of both programs must have the same numbers.
    pub(super) fn label(&mut self, node: &Node) -> Label {
        let number = |variable: Variable| format!("d{}", variable.0);
        let written = match &node.kind {
            NodeKind::Input(number) => format!("input {number}"),
            NodeKind::Operation(operation) => word(operation, node.shape.rank(), &number),
        };
        let sort = match &node.kind {
            NodeKind::Input(_) => None,
            NodeKind::Operation(operation) => Some(discriminant(operation)),
        };
        let name = written.split('(').next().unwrap_or_default();
        let settled = match &node.kind {
            NodeKind::Input(number) => NodeKind::Input(*number),
            NodeKind::Operation(operation) => NodeKind::Operation(without_derived(operation)),
        };
        Label {
            sort,
            name: self.names.number(name.to_string()),
            written: self.written.number(written),
            settled: self.settled.number(settled),
        }
    }
}

/// The word of an operation; that of a merge does not say of how many.
pub(super) fn word(
    operation: &Operation,
    rank: usize,
    name: &dyn Fn(Variable) -> String,
) -> String {
    let pair = match operation {
        Operation::Add { .. } => Operation::Add { arity: 2 },
        Operation::Multiply { .. } => Operation::Multiply { arity: 2 },
        Operation::Concatenate { .. } => Operation::Concatenate { arity: 2 },
        _ => return operation_word(operation, rank, name),
    };
    operation_word(&pair, rank, name)
}

/// The operation with one in place of every attribute that follows from what it reads.
fn without_derived(operation: &Operation) -> Operation {
    let mut settled = operation.clone();
    let mut derived: Vec<&mut Dimension> = Vec::new();
    match &mut settled {
        Operation::Convolution { input, .. } | Operation::Dense { input, .. } => {
            derived.push(input);
        }
        Operation::TransposedConvolution(attributes) => derived.push(&mut attributes.input),
        Operation::BatchNorm { channels, .. }
        | Operation::GroupNorm { channels, .. }
        | Operation::ParametricRelu { channels }
        | Operation::WindowAttention { channels, .. } => derived.push(channels),
        Operation::LayerNorm { features, .. }
        | Operation::RmsNorm { features, .. }
        | Operation::LayerScale { features, .. } => derived.push(features),
        Operation::Attention { width, .. }
        | Operation::MaskedAttention { width, .. }
        | Operation::ClassToken { width } => derived.push(width),
        Operation::CrossAttention { width, context, .. } => derived.extend([width, context]),
        Operation::Positions { tokens, width } => derived.extend([tokens, width]),
        Operation::Add { arity }
        | Operation::Multiply { arity }
        | Operation::Concatenate { arity } => *arity = 0,
        // What the others have is written, not derived.
        _ => {}
    }
    for dimension in derived {
        *dimension = Dimension::ONE;
    }
    settled
}

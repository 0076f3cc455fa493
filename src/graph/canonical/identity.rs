//! Operations that are their operand, and those of which no law makes anything.

use crate::graph::Laws;
use crate::graph::dataflow::Dataflow;
use crate::operations::{Activation, Dimension, Operation, Pooling};

/// Which laws may make something of an operation, apart from that of sharing and those of zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// None, whatever it reads.
    Plain,
    /// That of rectifiers.
    Rectifier,
    /// Others.
    Special,
}

impl Treatment {
    pub(super) fn of(operation: &Operation) -> Self {
        match operation {
            Operation::Activation(Activation::Relu | Activation::Relu6) => Treatment::Rectifier,
            Operation::Add { .. }
            | Operation::Multiply { .. }
            | Operation::Concatenate { .. }
            | Operation::Upsample { .. }
            | Operation::Dropout { .. }
            | Operation::Activation(_)
            | Operation::Zeros { .. }
            | Operation::Flatten
            | Operation::Slice { .. } => Treatment::Special,
            // One that would be an identity with other attributes is looked at each time.
            Operation::Pool { kernel, .. } if kernel.iter().all(|size| *size == Dimension::ONE) => {
                Treatment::Special
            }
            _ => Treatment::Plain,
        }
    }
}

/// Whether a node is its (first) operand.
pub(super) fn is_identity(
    graph: &impl Dataflow,
    number: u32,
    operation: &Operation,
    laws: Laws,
) -> bool {
    let all = |pair: &[Dimension; 2], value: i64| {
        pair.iter().all(|size| *size == Dimension::Constant(value))
    };
    match operation {
        Operation::Add { arity }
        | Operation::Multiply { arity }
        | Operation::Concatenate { arity } => *arity == 1,
        Operation::Upsample { factor } => *factor == Dimension::ONE,
        Operation::Dropout { rate } => rate.value() == 0.0,
        Operation::Activation(Activation::LeakyRelu { slope }) => slope.value() == 1.0,
        Operation::Pool {
            kind,
            kernel,
            stride,
            padding,
            ..
        } => {
            (*kind == Pooling::Maximum || laws != Laws::Exact)
                && all(kernel, 1)
                && all(stride, 1)
                && all(padding, 0)
        }
        Operation::Flatten => graph.at(graph.operands(number)[0].0).shape.rank() == 1,
        Operation::Slice { start, size } => {
            let read = &graph.at(graph.operands(number)[0].0).shape;
            *start == Dimension::Constant(0) && read.0.first() == Some(size)
        }
        _ => false,
    }
}

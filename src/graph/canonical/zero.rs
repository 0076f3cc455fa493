//! What is zero whatever the inputs are.
//!
//! Search spaces have an operation that gives nothing, `zero`. What depends on it alone may be
//! nothing as well.

use super::reduce::{Edge, Kind, Reduction};
use crate::graph::dataflow::Dataflow;
use crate::graph::{Laws, NodeId, NodeKind};
use crate::operations::{Activation, Operation};

/// The word `zero`.
pub(super) const OPERATION: Operation = Operation::Activation(Activation::Zero);

impl Reduction {
    /// Whether an operation that reads a zero gives zero.
    pub(super) fn gives_zero(
        &self,
        operation: &Operation,
        operands: &[NodeId],
        laws: Laws,
    ) -> bool {
        match self.read(operands).all(|vertex| vertex.is_zero) {
            true => of_zeros(operation, laws),
            false => of_some_zeros(operation, laws),
        }
    }

    /// The vertex of a node that is zero, if that is another than the node's own: zeros of the shape
    /// of an input are made from it, and `zero` of zeros is what it reads.
    pub(super) fn known_zero(
        &mut self,
        graph: &impl Dataflow,
        number: u32,
        reads_zero: bool,
    ) -> Option<u32> {
        let node = graph.at(number);
        let mut inputs = 0..graph.inputs() as u32;
        let Some(input) = inputs.find(|input| graph.at(*input).shape == node.shape) else {
            let is_word = node.kind == NodeKind::Operation(OPERATION);
            let read = graph.operands(number)[0];
            return (is_word && reads_zero).then(|| self.vertex_of[read.0 as usize]);
        };
        self.has_zeros = true;
        let start = self.edges.len();
        let vertex = self.vertex_of[input as usize];
        self.edges.push(Edge { vertex, key: 0 });
        let label = self.write_label(|writer| writer.operation(&OPERATION, true));
        let mut vertex = self.vertex(number, Kind::Zero, label, start, start + 1);
        vertex.size = 1;
        vertex.is_zero = true;
        Some(self.share(graph, vertex))
    }
}

/// Whether an operation of which one operand is zero gives zero. Not under `exact`, where infinity
/// times zero is no number.
fn of_some_zeros(operation: &Operation, laws: Laws) -> bool {
    let is_product = matches!(operation, Operation::Multiply { .. } | Operation::Scale);
    is_product && laws != Laws::Exact
}

/// Whether an operation gives zero if all that it reads is zero.
fn of_zeros(operation: &Operation, laws: Laws) -> bool {
    let is_real = laws != Laws::Exact;
    match operation {
        Operation::Activation(activation) => of_zero(*activation, is_real),
        Operation::Pool { .. }
        | Operation::GlobalPool(_)
        | Operation::AdaptivePool { .. }
        | Operation::Upsample { .. }
        | Operation::Bilinear { .. }
        | Operation::Pad { .. }
        | Operation::Crop { .. }
        | Operation::Slice { .. }
        | Operation::PixelShuffle { .. }
        | Operation::PixelUnshuffle { .. }
        | Operation::ChannelShuffle { .. }
        | Operation::Flatten
        | Operation::Tokens
        | Operation::Token { .. }
        | Operation::TokenMean
        | Operation::Transpose
        | Operation::Image { .. }
        | Operation::Dropout { .. }
        | Operation::DropPath { .. }
        | Operation::Add { .. }
        | Operation::Multiply { .. }
        | Operation::Scale
        | Operation::Concatenate { .. } => true,
        // A negative weight makes -0 of 0.
        Operation::Convolution { bias, .. } | Operation::Dense { bias, .. } => is_real && !bias,
        Operation::TransposedConvolution(attributes) => is_real && !attributes.bias,
        Operation::LayerScale { .. } | Operation::ParametricRelu { .. } => is_real,
        _ => false,
    }
}

fn of_zero(activation: Activation, is_real: bool) -> bool {
    match activation {
        Activation::Relu
        | Activation::Relu6
        | Activation::Gelu
        | Activation::GeluTanh
        | Activation::Silu
        | Activation::Tanh
        | Activation::HardSwish
        | Activation::Mish
        | Activation::Zero => true,
        // A negative factor makes -0 of 0.
        Activation::LeakyRelu { slope: factor } | Activation::Elu { alpha: factor } => {
            is_real || factor.value() >= 0.0
        }
        Activation::Sigmoid | Activation::HardSigmoid | Activation::Softplus => false,
    }
}

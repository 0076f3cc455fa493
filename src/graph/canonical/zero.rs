//! What is zero whatever the inputs are.
//!
//! Search spaces have an operation that gives nothing, `zero`. What depends on it alone may be
//! nothing as well.

use super::label::LabelWriter;
use super::reduce::{Kind, Reduction};
use super::variables::Variables;
use crate::graph::dataflow::Dataflow;
use crate::graph::{Laws, Node, NodeId, NodeKind};
use crate::operations::{Activation, Operation, Shape};

impl Reduction {
    /// Whether an operation, which may read zeros, gives zero.
    pub(super) fn is_zero(
        &self,
        operation: &Operation,
        operands: &[NodeId],
        reads_zero: bool,
        laws: Laws,
    ) -> bool {
        if !reads_zero {
            return operation.is_zero();
        }
        match self.read(operands).all(|vertex| vertex.kind == Kind::Zero) {
            true => of_zeros(operation, laws),
            false => operation.is_zero() || of_some_zeros(operation, laws),
        }
    }

    /// The vertex of zeros. All of one shape are one, whatever node they stand for.
    pub(super) fn zeros(&mut self, graph: &impl Dataflow, node: u32, shape: &Shape) -> u32 {
        let start = self.edges.len();
        let write = |writer: &mut LabelWriter<'_, '_>| writer.zeros(shape);
        let label = self.write_label(write);
        if label.symbolic {
            let mut variables = Variables::new();
            for size in &shape.0 {
                size.for_each_variable(&mut |variable| variables.push(variable));
            }
            self.push_variables(variables, &write);
        }
        let mut vertex = self.vertex(node, Kind::Zero, label, start, start);
        // Inputs come first.
        vertex.level = 1;
        let last = self.push(vertex);
        self.zeros.insert(last, shape.clone());
        let vertex = self.share_last(graph);
        if vertex != last {
            self.zeros.remove(&last);
        }
        vertex
    }

    /// The vertex of zeros of these shapes behind one another along the first axis.
    pub(super) fn joined_zeros(
        &mut self,
        graph: &impl Dataflow,
        node: u32,
        vertices: &[u32],
    ) -> Option<u32> {
        if let [vertex] = vertices {
            return Some(*vertex);
        }
        let mut shapes = vertices.iter().map(|vertex| self.zeros.get(vertex));
        let mut joined = shapes.next()??.clone();
        for shape in shapes {
            let (size, other) = joined.0.first_mut().zip(shape?.0.first())?;
            *size = &*size + other;
        }
        Some(self.zeros(graph, node, &joined))
    }
}

/// Makes a node zeros of a shape. They read an input for the number of examples: the first of their
/// shape, or the first of all.
pub(super) fn make_zeros(node: &mut Node, shape: &Shape, inputs: &[Node]) {
    let alike = inputs.iter().position(|input| input.shape == *shape);
    let operation = match alike {
        Some(_) => Operation::Activation(Activation::Zero),
        None => Operation::Zeros {
            shape: shape.clone(),
        },
    };
    node.kind = NodeKind::Operation(operation);
    node.inputs = [NodeId(alike.unwrap_or(0) as u32)].into_iter().collect();
    node.shape = shape.clone();
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
        | Operation::Zeros { .. }
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

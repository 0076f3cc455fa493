//! What is zero whatever the inputs are.
//!
//! Search spaces have an operation that gives nothing, `zero`. What depends on it alone may be
//! nothing as well.

use crate::graph::Laws;
use crate::operations::{Activation, Operation};

/// The word `zero`.
pub(super) const OPERATION: Operation = Operation::Activation(Activation::Zero);

/// Whether an operation of which one operand is zero gives zero. Not under `exact`, where infinity
/// times zero is no number.
pub(super) fn of_some_zeros(operation: &Operation, laws: Laws) -> bool {
    let is_product = matches!(operation, Operation::Multiply { .. } | Operation::Scale);
    is_product && laws != Laws::Exact
}

/// Whether an operation gives zero if all that it reads is zero.
pub(super) fn of_zeros(operation: &Operation, laws: Laws) -> bool {
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

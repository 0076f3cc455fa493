//! Activations of tensors.

use candle_core::{Result, Tensor};

use super::{hard_sigmoid, softplus};
use crate::operations::Activation;

/// The function of every element.
pub(super) fn activate(activation: Activation, x: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        return crate::backend::cuda::activate(x, activation);
    }
    match activation {
        Activation::Relu => relu(x),
        Activation::Relu6 => {
            let six = (x.zeros_like()? + 6.0)?;
            x.ge(6.0)?.where_cond(&six, &relu(x)?)
        }
        Activation::LeakyRelu { slope } => candle_nn::ops::leaky_relu(x, slope.value()),
        Activation::Elu { alpha } => x.elu(alpha.value()),
        Activation::Gelu => x.gelu_erf(),
        Activation::GeluTanh => x.gelu(),
        Activation::Mish => x * softplus(x)?.tanh()?,
        Activation::Softplus => softplus(x),
        Activation::Zero => x.zeros_like(),
        Activation::Silu => x.silu(),
        Activation::Sigmoid => candle_nn::ops::sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::HardSwish => x * hard_sigmoid(x)?,
        Activation::HardSigmoid => hard_sigmoid(x),
    }
}

/// `max(x, 0)`, of which the gradient at zero is zero. What is not a number stays so: candle's own `relu` makes
/// zeros of it, and a run that has gone wrong would go on.
fn relu(x: &Tensor) -> Result<Tensor> {
    x.le(0.0)?.where_cond(&x.zeros_like()?, x)
}

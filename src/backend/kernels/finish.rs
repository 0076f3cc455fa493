//! What is done to the sums of a convolution while they are in registers.

use super::batch_norm::Affine;
use super::float::Float;
use super::rectifier::{Rectifier, relu, relu6};
use super::vector::Vector;

/// What is done to a sum, in this order.
#[derive(Clone, Copy, Default)]
pub(super) struct Finish<T> {
    /// What is added.
    pub(super) bias: Option<T>,
    /// A norm with known statistics.
    pub(super) affine: Option<Affine<T>>,
    /// An activation.
    pub(super) rectifier: Rectifier,
}

impl<T: Float> Finish<T> {
    /// What it makes of these numbers.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there.
    #[inline(always)]
    pub(super) unsafe fn apply<V: Vector<Number = T>>(&self, mut sum: V) -> V {
        // SAFETY: the caller has the instructions.
        unsafe {
            if let Some(bias) = self.bias {
                sum = sum.map(|value| value + bias);
            }
            if let Some((scale, shift)) = self.affine {
                sum = sum.map(|value| value * scale + shift);
            }
            match self.rectifier {
                Rectifier::Identity => sum,
                Rectifier::Relu => sum.map(relu),
                Rectifier::Relu6 => sum.map(relu6),
            }
        }
    }
}

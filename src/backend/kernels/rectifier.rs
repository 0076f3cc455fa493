//! Activations that are computed in the same pass as what is before them.

use super::parallel::{Parallel, ParallelSlice};

use super::element_wise::{PIECE, zip};
use super::float::Float;
use crate::backend::numbers::Numbers;
use crate::operations::Activation;

/// What is done to a number as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::backend) enum Rectifier {
    /// Nothing.
    #[default]
    Identity,
    /// [`Activation::Relu`]
    Relu,
    /// [`Activation::Relu6`]
    Relu6,
}

impl Rectifier {
    /// The one for an activation; none if it is no rectifier.
    pub(in crate::backend) fn of(activation: Activation) -> Option<Self> {
        match activation {
            Activation::Relu => Some(Rectifier::Relu),
            Activation::Relu6 => Some(Rectifier::Relu6),
            _ => None,
        }
    }
}

/// `max(x, 0)`. What is not a number stays so.
#[inline(always)]
pub(super) fn relu<T: Float>(x: T) -> T {
    if x <= T::ZERO { T::ZERO } else { x }
}

/// `min(max(x, 0), 6)`. Adding zero makes a negative zero positive, as [`relu`] does: law 6 of the
/// canonical form takes one for the other bit by bit.
#[inline(always)]
pub(super) fn relu6<T: Float>(x: T) -> T {
    x.within(0.0, 6.0) + T::ZERO
}

/// The gradient of the argument of [`relu`], or of its value, which is above zero where the argument is.
#[inline(always)]
pub(super) fn relu_gradient<T: Float>(x: T, gradient: T) -> T {
    if x > T::ZERO { gradient } else { T::ZERO }
}

/// The gradient of the argument of [`relu6`], from the argument or the value.
#[inline(always)]
pub(super) fn relu6_gradient<T: Float>(x: T, gradient: T) -> T {
    let below = if x < T::of(6.0) { gradient } else { T::ZERO };
    if x > T::ZERO { below } else { T::ZERO }
}

vectorised! {
    fn change_piece[T: Float, F: Fn(T) -> T + Copy](values: &mut [T], function: F) {
        for value in values {
            *value = function(*value);
        }
    }
}

/// Rectifies numbers where they lie, on the calling thread.
pub(super) fn rectify_here<T: Float>(rectifier: Rectifier, values: &mut [T]) {
    match rectifier {
        Rectifier::Identity => {}
        Rectifier::Relu => change_piece(values, relu),
        Rectifier::Relu6 => change_piece(values, relu6),
    }
}

vectorised! {
    fn add_piece[T: Float, F: Fn(T) -> T + Copy](values: &mut [T], addend: &[T], function: F) {
        for (value, addend) in values.iter_mut().zip(addend) {
            *value = function(*value + *addend);
        }
    }
}

/// Adds to numbers and rectifies them, where they lie, on the calling thread.
pub(super) fn add_here<T: Float>(rectifier: Rectifier, values: &mut [T], addend: &[T]) {
    match rectifier {
        Rectifier::Identity => add_piece(values, addend, |value| value),
        Rectifier::Relu => add_piece(values, addend, relu),
        Rectifier::Relu6 => add_piece(values, addend, relu6),
    }
}

/// Rectifies numbers where they lie.
pub(in crate::backend) fn rectify<T: Float>(rectifier: Rectifier, values: &mut [T]) {
    if rectifier != Rectifier::Identity {
        let pieces = values.par_chunks_mut(PIECE);
        pieces.for_each(|piece| rectify_here(rectifier, piece));
    }
}

/// The rectified sums of pairs of elements.
pub(in crate::backend) fn sum<T: Float>(
    rectifier: Rectifier,
    left: &[T],
    right: &[T],
) -> Numbers<T> {
    match rectifier {
        Rectifier::Identity => zip(left, right, |left, right| left + right),
        Rectifier::Relu => zip(left, right, |left, right| relu(left + right)),
        Rectifier::Relu6 => zip(left, right, |left, right| relu6(left + right)),
    }
}

/// The gradient of what was rectified, from the rectified values and their gradient; none if it is
/// the same.
pub(in crate::backend) fn gradient<T: Float>(
    rectifier: Rectifier,
    rectified: &[T],
    gradient: &[T],
) -> Option<Numbers<T>> {
    match rectifier {
        Rectifier::Identity => None,
        Rectifier::Relu => Some(zip(rectified, gradient, relu_gradient)),
        Rectifier::Relu6 => Some(zip(rectified, gradient, relu6_gradient)),
    }
}

//! Element-wise functions and their derivatives.

use super::element_wise::{map, zip};
use super::float::Float;
use super::rectifier::{relu, relu_gradient, relu6, relu6_gradient};
use crate::backend::numbers::Numbers;
use crate::operations::Activation;

/// `1 / (1 + exp(-x))`
#[inline(always)]
fn sigmoid<T: Float>(x: T) -> T {
    T::ONE / (T::ONE + Float::exp(-x))
}

/// The cumulative distribution of the standard normal distribution.
#[inline(always)]
fn normal_distribution<T: Float>(x: T) -> T {
    T::of(0.5) * (T::ONE + Float::erf(x * T::of(std::f64::consts::FRAC_1_SQRT_2)))
}

/// The density of the standard normal distribution.
#[inline(always)]
fn normal_density<T: Float>(x: T) -> T {
    let scale = T::of(0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2);
    scale * Float::exp(-x * x * T::of(0.5))
}

/// The tangent in the approximation of the normal distribution, and the derivative of its argument.
#[inline(always)]
fn gelu_tangent<T: Float>(x: T) -> (T, T) {
    let scale = T::of((2.0 / std::f64::consts::PI).sqrt());
    let cubic = T::of(0.044715);
    let tangent = Float::tanh(scale * (x + cubic * x * x * x));
    (tangent, scale * (T::ONE + T::of(3.0) * cubic * x * x))
}

/// `ln(1 + exp(x))`, by the larger of `x` and zero, so that nothing overflows.
#[inline(always)]
fn softplus<T: Float>(x: T) -> T {
    let positive = x > T::ZERO;
    let small = Float::exp(select(positive, -x, x));
    select(positive, x, T::ZERO) + Float::ln_1p(small)
}

/// `tanh(ln(1 + exp(x)))`: with `n = exp(x) * (exp(x) + 2)` it is `n / (n + 2)`, and one from 20 up.
#[inline(always)]
fn softplus_tangent<T: Float>(x: T) -> T {
    let bound = T::of(20.0);
    let power = Float::exp(select(x > bound, bound, x));
    let n = power * (power + T::of(2.0));
    n / (n + T::of(2.0))
}

/// The first where `condition` holds. With both computed, it is a selection without a branch.
#[inline(always)]
fn select<T>(condition: bool, first: T, second: T) -> T {
    if condition { first } else { second }
}

/// The function of every element. What is not a number stays so.
pub(in crate::backend) fn forward<T: Float>(activation: Activation, input: &[T]) -> Numbers<T> {
    let (zero, one) = (T::ZERO, T::ONE);
    match activation {
        Activation::Relu => map(input, relu),
        Activation::Relu6 => map(input, relu6),
        Activation::LeakyRelu { slope } => {
            let slope = T::of(slope.value());
            map(input, |x| select(x > zero, x, slope * x))
        }
        Activation::Elu { alpha } => {
            let alpha = T::of(alpha.value());
            map(input, |x| {
                select(x > zero, x, alpha * (Float::exp(x) - one))
            })
        }
        Activation::Gelu => map(input, |x| x * normal_distribution(x)),
        Activation::Silu => map(input, |x| x * sigmoid(x)),
        Activation::Sigmoid => map(input, sigmoid),
        Activation::Tanh => map(input, |x| Float::tanh(x)),
        Activation::HardSwish => map(input, |x| x * hard_sigmoid(x)),
        Activation::HardSigmoid => map(input, hard_sigmoid),
        Activation::GeluTanh => map(input, |x| T::of(0.5) * x * (one + gelu_tangent(x).0)),
        Activation::Mish => map(input, |x| x * softplus_tangent(x)),
        Activation::Softplus => map(input, softplus),
        Activation::Zero => map(input, |_| zero),
    }
}

#[inline(always)]
fn hard_sigmoid<T: Float>(x: T) -> T {
    (x + T::of(3.0)).within(0.0, 6.0) * T::of(1.0 / 6.0)
}

/// The gradient of the input, from the input and the gradient of the output. At a kink it is that
/// of PyTorch.
pub(in crate::backend) fn backward<T: Float>(
    activation: Activation,
    input: &[T],
    gradient: &[T],
) -> Numbers<T> {
    let (zero, one) = (T::ZERO, T::ONE);
    let three = T::of(3.0);
    match activation {
        Activation::Relu => zip(input, gradient, relu_gradient),
        Activation::Relu6 => zip(input, gradient, relu6_gradient),
        Activation::LeakyRelu { slope } => {
            let slope = T::of(slope.value());
            zip(input, gradient, |x, g| select(x > zero, g, slope * g))
        }
        Activation::Elu { alpha } => {
            let alpha = T::of(alpha.value());
            zip(input, gradient, |x, g| {
                select(x > zero, g, g * alpha * Float::exp(x))
            })
        }
        Activation::Gelu => zip(input, gradient, |x, g| {
            g * (normal_distribution(x) + x * normal_density(x))
        }),
        Activation::Silu => zip(input, gradient, |x, g| {
            let y = sigmoid(x);
            g * y * (one + x * (one - y))
        }),
        Activation::Sigmoid => zip(input, gradient, |x, g| {
            let y = sigmoid(x);
            g * y * (one - y)
        }),
        Activation::Tanh => zip(input, gradient, |x, g| {
            let y = Float::tanh(x);
            g * (one - y * y)
        }),
        Activation::HardSwish => zip(input, gradient, |x, g| {
            let between = g * (x * T::of(1.0 / 3.0) + T::of(0.5));
            select(x < -three, zero, select(x <= three, between, g))
        }),
        Activation::HardSigmoid => zip(input, gradient, |x, g| {
            let between = g * T::of(1.0 / 6.0);
            select(x > -three, select(x < three, between, zero), zero)
        }),
        Activation::GeluTanh => zip(input, gradient, |x, g| {
            let (tangent, inner) = gelu_tangent(x);
            g * T::of(0.5) * (one + tangent + x * (one - tangent * tangent) * inner)
        }),
        Activation::Mish => zip(input, gradient, |x, g| {
            let tangent = softplus_tangent(x);
            g * (tangent + x * sigmoid(x) * (one - tangent * tangent))
        }),
        Activation::Softplus => zip(input, gradient, |x, g| g * sigmoid(x)),
        Activation::Zero => zip(input, gradient, |_, _| zero),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_a_number_stays_so() {
        let all = [
            Activation::Relu,
            Activation::Relu6,
            Activation::Gelu,
            Activation::Silu,
            Activation::Sigmoid,
            Activation::Tanh,
            Activation::HardSwish,
            Activation::HardSigmoid,
            Activation::GeluTanh,
            Activation::Mish,
            Activation::Softplus,
        ];
        for activation in all {
            let output = forward(activation, &[f32::NAN, 1.0]);
            assert!(
                output[0].is_nan() && output[1].is_finite(),
                "{activation:?}"
            );
        }
    }

    #[test]
    fn far_from_zero_nothing_overflows() {
        for activation in [Activation::GeluTanh, Activation::Mish, Activation::Softplus] {
            let output = forward(activation, &[-1e4_f32, 1e4]);
            assert!(output[0].abs() < 1e-6, "{activation:?}: {output:?}");
            assert_eq!(output[1], 1e4, "{activation:?}");
            let gradient = backward(activation, &[-1e4_f32, 1e4], &[1.0, 1.0]);
            assert!(gradient[0].abs() < 1e-6, "{activation:?}: {gradient:?}");
            assert_eq!(gradient[1], 1.0, "{activation:?}");
        }
    }
}

//! The arithmetic of one step of the recurrent unit, for one sequence; see [`Gru`](super::gru::Gru).

use crate::backend::kernels::vectorise::vectorised;

vectorised! {
    /// One step: the state is replaced by the next. The first three quarters of `gates` come as the input and
    /// leave as the gates; the last leaves as `h W_n`. `product` is `h W`.
    pub(super) fn step[](state: &mut [f32], gates: &mut [f32], product: &[f32]) {
        let hidden = state.len();
        let (r, rest) = gates.split_at_mut(hidden);
        let (z, rest) = rest.split_at_mut(hidden);
        let (n, saved) = rest.split_at_mut(hidden);
        let (a_r, a_z, a_n) = thirds(product, hidden);
        for j in 0..hidden {
            r[j] = sigmoid(r[j] + a_r[j]);
        }
        for j in 0..hidden {
            z[j] = sigmoid(z[j] + a_z[j]);
        }
        for j in 0..hidden {
            n[j] = tanh(n[j] + r[j] * a_n[j]);
        }
        for j in 0..hidden {
            state[j] = (1.0 - z[j]) * n[j] + z[j] * state[j];
        }
        saved.copy_from_slice(a_n);
    }
}

vectorised! {
    /// One step backward: `carry` holds the gradient of the new state and is left with the part for the old state
    /// that does not go through the product; `input` and `product` are filled with the gradients of the input and
    /// of `h W`. `gates` are as [`step`] left them, and `before` is the old state.
    pub(super) fn step_backward[](
        carry: &mut [f32],
        input: &mut [f32],
        product: &mut [f32],
        gates: &[f32],
        before: &[f32],
    ) {
        let hidden = carry.len();
        let (r, z, n) = thirds(gates, hidden);
        let saved = &gates[3 * hidden..][..hidden];
        let (x_r, rest) = input.split_at_mut(hidden);
        let (x_z, x_n) = rest.split_at_mut(hidden);
        let (x_z, x_n, before) = (&mut x_z[..hidden], &mut x_n[..hidden], &before[..hidden]);
        for j in 0..hidden {
            x_z[j] = carry[j] * (before[j] - n[j]) * z[j] * (1.0 - z[j]);
            x_n[j] = carry[j] * (1.0 - z[j]) * (1.0 - n[j] * n[j]);
            x_r[j] = x_n[j] * saved[j] * r[j] * (1.0 - r[j]);
            carry[j] *= z[j];
        }
        product.copy_from_slice(input);
        for (gradient, r) in product[2 * hidden..].iter_mut().zip(r) {
            *gradient *= r;
        }
    }
}

#[inline(always)]
fn thirds(values: &[f32], hidden: usize) -> (&[f32], &[f32], &[f32]) {
    (
        &values[..hidden],
        &values[hidden..][..hidden],
        &values[2 * hidden..][..hidden],
    )
}

/// `exp` without a branch or a call, so that loops over it become vector code: the argument is split
/// into a whole power of two and a rest within half of ln 2, the rest goes through the polynomial of
/// Cephes' `expf` (Moshier 1992). Relative error below 3e-7; the argument is held within the range of
/// `f32`.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to a whole number, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const EXPONENT: u32 = f32::MANTISSA_DIGITS - 1;
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let whole = rounded - ROUND;
    // ln 2 in two parts, the first of which multiplies small whole numbers without error.
    let rest = (x - whole * 0.693_359_4) + whole * 2.121_944_4e-4;
    let polynomial = 1.987_569_1e-4;
    let polynomial = polynomial * rest + 1.398_199_9e-3;
    let polynomial = polynomial * rest + 8.333_452e-3;
    let polynomial = polynomial * rest + 4.166_579_6e-2;
    let polynomial = polynomial * rest + 0.166_666_65;
    let polynomial = polynomial * rest + 0.5;
    let fraction = polynomial * rest * rest + rest + 1.0;
    let power = f32::from_bits((rounded.to_bits() << EXPONENT).wrapping_add(1.0f32.to_bits()));
    fraction * power
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0 / (1.0 + exp(-2.0 * x)) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_exponential_is_close() {
        for step in -8700..8800 {
            let x = step as f32 / 100.0;
            let exact = f64::from(x).exp();
            assert!(
                ((f64::from(exp(x)) - exact) / exact).abs() < 3e-7,
                "exp({x})"
            );
        }
        assert_eq!(sigmoid(f32::INFINITY), 1.0);
        assert!(sigmoid(-1000.0) < 1e-30);
        assert!((tanh(0.5) - 0.5f32.tanh()).abs() < 1e-6);
    }
}

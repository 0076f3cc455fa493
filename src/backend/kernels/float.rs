//! The numbers kernels compute with.

use bytemuck::Pod;
use candle_core::WithDType;

use super::scratch::Shelf;
use super::vector::Vector;
use crate::backend::memory::{Pool, SMALL};

/// `f32` or `f64`. The functions of `f32` are written so that the compiler can vectorise loops over
/// them; those of `f64` are the exact ones, for checks.
pub(in crate::backend) trait Float:
    WithDType
    + Pod
    + std::ops::Neg<Output = Self>
    + std::ops::AddAssign
    + std::ops::MulAssign
    + std::iter::Sum
    + Default
{
    /// Vectors of it under AVX-512.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Vector<Number = Self>;
    /// Vectors of it under AVX2.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Vector<Number = Self>;

    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// Minus infinity.
    const LOWEST: Self;

    /// The buffers of this type that wait to be used again.
    fn pool() -> &'static Pool<Self>;
    /// The memory of kernels that waits for the next layer.
    fn shelf() -> &'static Shelf<Self>;
    /// The nearest number of this type.
    fn of(value: f64) -> Self;
    /// Whether it is not a number.
    fn is_nan(self) -> bool;
    /// The square root.
    fn sqrt(self) -> Self;
    /// `e` to this power.
    fn exp(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// The logarithm of one more than it, for numbers from zero to one.
    fn ln_1p(self) -> Self;
    /// The smaller and the larger bound where it lies beyond them; NaN stays NaN.
    fn within(self, low: f64, high: f64) -> Self;
}

impl Float for f64 {
    #[cfg(target_arch = "x86_64")]
    type Avx512 = super::vector::Double8;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = super::vector::Double4;

    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    const LOWEST: f64 = f64::NEG_INFINITY;

    fn pool() -> &'static Pool<Self> {
        static POOL: Pool<f64> = Pool::new(SMALL);
        &POOL
    }

    fn shelf() -> &'static Shelf<Self> {
        static SHELF: Shelf<f64> = Shelf::new();
        &SHELF
    }

    #[inline(always)]
    fn of(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn is_nan(self) -> bool {
        f64::is_nan(self)
    }

    #[inline(always)]
    fn sqrt(self) -> f64 {
        f64::sqrt(self)
    }

    #[inline(always)]
    fn exp(self) -> f64 {
        f64::exp(self)
    }

    #[inline(always)]
    fn tanh(self) -> f64 {
        f64::tanh(self)
    }

    #[inline(always)]
    fn erf(self) -> f64 {
        candle_core::cpu::erf::erf_f64(self)
    }

    #[inline(always)]
    fn ln_1p(self) -> f64 {
        f64::ln_1p(self)
    }

    #[inline(always)]
    fn within(self, low: f64, high: f64) -> f64 {
        self.clamp(low, high)
    }
}

/// The polynomial with these coefficients, the highest power first.
#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut value = coefficients[0];
    for coefficient in &coefficients[1..] {
        value = value * x + coefficient;
    }
    value
}

impl Float for f32 {
    #[cfg(target_arch = "x86_64")]
    type Avx512 = super::vector::Single16;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = super::vector::Single8;

    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    const LOWEST: f32 = f32::NEG_INFINITY;

    fn pool() -> &'static Pool<Self> {
        static POOL: Pool<f32> = Pool::new(SMALL);
        &POOL
    }

    fn shelf() -> &'static Shelf<Self> {
        static SHELF: Shelf<f32> = Shelf::new();
        &SHELF
    }

    #[inline(always)]
    fn of(value: f64) -> f32 {
        value as f32
    }

    #[inline(always)]
    fn is_nan(self) -> bool {
        f32::is_nan(self)
    }

    #[inline(always)]
    fn sqrt(self) -> f32 {
        f32::sqrt(self)
    }

    /// Cephes' `expf` (S. Moshier): reduction by powers of two, then a polynomial of degree five.
    /// Beyond the range of normal numbers it stays at the bound.
    #[inline(always)]
    fn exp(self) -> f32 {
        // Adding it moves the integer part into the lowest bits of the mantissa.
        const SHIFT: f32 = 12_582_912.0;
        let x = self.clamp(-87.3, 88.3);
        let shifted = x * std::f32::consts::LOG2_E + SHIFT;
        let power = shifted - SHIFT;
        // ln 2 in two parts, so that the product with a small integer is exact.
        let rest = (x - power * 0.693_359_4) - power * -2.121_944_4e-4;
        let fraction = polynomial(
            rest,
            [
                1.987_569_1e-4,
                1.398_199_9e-3,
                8.333_452e-3,
                4.166_579_6e-2,
                1.666_666_5e-1,
                0.5,
            ],
        );
        let value = fraction * rest * rest + rest + 1.0;
        let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
        value * scale
    }

    /// The rational approximation of Eigen (`generic_fast_tanh_float`).
    #[inline(always)]
    fn tanh(self) -> f32 {
        let x = self.clamp(-7.905_311, 7.905_311);
        let square = x * x;
        let numerator = polynomial(
            square,
            [
                -2.760_768_5e-16,
                2.000_188e-13,
                -8.604_672e-11,
                5.122_297_1e-8,
                1.485_722_4e-5,
                6.372_619_3e-4,
                4.893_524_6e-3,
            ],
        );
        let denominator = polynomial(
            square,
            [1.198_258_4e-6, 1.185_347e-4, 2.268_434_6e-3, 4.893_525e-3],
        );
        x * numerator / denominator
    }

    /// The rational approximation of Eigen (`generic_fast_erf_float`).
    #[inline(always)]
    fn erf(self) -> f32 {
        let x = self.clamp(-4.0, 4.0);
        let square = x * x;
        let numerator = polynomial(
            square,
            [
                -2.726_142_3e-10,
                2.770_681_4e-8,
                -2.101_024e-6,
                -5.692_506_4e-5,
                -7.349_906_3e-4,
                -2.954_6e-3,
                -1.609_603_3e-2,
            ],
        );
        let denominator = polynomial(
            square,
            [
                -1.456_607_2e-5,
                -2.133_740_6e-4,
                -1.682_827e-3,
                -7.373_329_3e-3,
                -1.426_473_9e-2,
            ],
        );
        x * numerator / denominator
    }

    /// The series of the inverse hyperbolic tangent, since `ln(1 + x) = 2 artanh(x / (2 + x))`, whose
    /// argument is at most a third: seven terms leave less than one part in 10^8.
    #[inline(always)]
    fn ln_1p(self) -> f32 {
        let ratio = self / (2.0 + self);
        let square = ratio * ratio;
        let series = polynomial(
            square,
            [
                1.0 / 13.0,
                1.0 / 11.0,
                1.0 / 9.0,
                1.0 / 7.0,
                0.2,
                1.0 / 3.0,
                1.0,
            ],
        );
        2.0 * ratio * series
    }

    #[inline(always)]
    fn within(self, low: f64, high: f64) -> f32 {
        self.clamp(low as f32, high as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::Float;

    #[test]
    fn single_precision_functions_agree_with_double_precision() {
        for step in -40_000..=40_000 {
            let x = step as f32 * 5e-4;
            let exact = f64::from(x);
            let close = |value: f32, exact: f64, tolerance: f64| {
                let error = (f64::from(value) - exact).abs();
                assert!(error <= tolerance * exact.abs(), "{x}: {value} for {exact}");
            };
            close(Float::exp(x), exact.exp(), 3e-7);
            close(Float::tanh(x), exact.tanh(), 5e-7);
            close(Float::erf(x), candle_core::cpu::erf::erf_f64(exact), 5e-7);
            if (0.0..=1.0).contains(&x) {
                close(Float::ln_1p(x), exact.ln_1p(), 4e-7);
            }
        }
    }

    #[test]
    fn functions_keep_not_a_number() {
        assert!(Float::exp(f32::NAN).is_nan());
        assert!(Float::tanh(f32::NAN).is_nan());
        assert!(Float::erf(f32::NAN).is_nan());
        assert!(Float::ln_1p(f32::NAN).is_nan());
        assert!(f32::NAN.within(0.0, 1.0).is_nan());
    }

    #[test]
    fn extremes_stay_finite_or_vanish() {
        assert!(Float::exp(1000f32).is_finite());
        assert!(Float::exp(-1000f32) < 1e-37);
        assert_eq!(Float::tanh(1e30f32), 1.0);
        assert!((Float::erf(-1e30f32) + 1.0).abs() < 1e-6);
    }
}

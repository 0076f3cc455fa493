//! The transforms between pixels and products, along one axis and along both.
//!
//! They take the polynomials whose coefficients are pixels at the points 0, 3/4, -3/4, 3/2, -3/2 and infinity. The
//! usual points (0, 1, -1, 2, -2) need fewer multiplications but lose twice as much to rounding; of these, all
//! constants are exact.

use super::super::float::Float;
use super::super::vector::Vector;
use super::{INPUT, KERNEL, OUTPUT};

/// The smaller point and its powers.
const A: f64 = 0.75;
const A2: f64 = A * A;
const A3: f64 = A2 * A;
/// The larger point and its powers.
const B: f64 = 1.5;
const B2: f64 = B * B;
const B3: f64 = B2 * B;

/// Derivatives of `x (x^2 - A^2) (x^2 - B^2)` at the points 0, `A` and `B`.
const AT_ZERO: f64 = A2 * B2;
const AT_A: f64 = 2.0 * A2 * (A2 - B2);
const AT_B: f64 = 2.0 * B2 * (B2 - A2);

/// A linear map of vectors, lane by lane.
pub(super) trait Transform<const FROM: usize, const TO: usize> {
    /// Applies it along one axis.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there, as for all functions of this module.
    unsafe fn apply<V: Vector>(from: [V; FROM]) -> [V; TO];

    /// Applies it to the columns of a tile, then to its rows.
    ///
    /// # Safety
    ///
    /// See [`Transform::apply`].
    #[inline(always)]
    unsafe fn apply_both<V: Vector>(tile: [[V; FROM]; FROM]) -> [[V; TO]; TO] {
        // SAFETY: the caller's instructions are there.
        unsafe {
            let mut columns = [[V::zero(); TO]; FROM];
            for (x, target) in columns.iter_mut().enumerate() {
                let mut column = [V::zero(); FROM];
                for (to, row) in column.iter_mut().zip(&tile) {
                    *to = row[x];
                }
                *target = Self::apply(column);
            }
            let mut rows = [[V::zero(); TO]; TO];
            for (y, target) in rows.iter_mut().enumerate() {
                let mut row = [V::zero(); FROM];
                for (to, column) in row.iter_mut().zip(&columns) {
                    *to = column[y];
                }
                *target = Self::apply(row);
            }
            rows
        }
    }
}

/// A vector of one number.
#[inline(always)]
unsafe fn all<V: Vector>(value: f64) -> V {
    // SAFETY: the caller's instructions are there.
    unsafe { V::splat(V::Number::of(value)) }
}

/// `factor * value + addend`
#[inline(always)]
unsafe fn add<V: Vector>(factor: f64, value: V, addend: V) -> V {
    // SAFETY: the caller's instructions are there.
    unsafe { all::<V>(factor).multiply_add(value, addend) }
}

/// `factor * value`
#[inline(always)]
unsafe fn times<V: Vector>(factor: f64, value: V) -> V {
    // SAFETY: the caller's instructions are there.
    unsafe { add(factor, value, V::zero()) }
}

/// Pixels to what is multiplied: `B^T d`.
pub(super) struct Input;

impl Transform<INPUT, INPUT> for Input {
    #[inline(always)]
    unsafe fn apply<V: Vector>(d: [V; INPUT]) -> [V; INPUT] {
        // SAFETY: the caller's instructions are there.
        unsafe {
            let even_a = add(-B2, d[2], d[4]);
            let odd_a = add(-B2, d[1], d[3]);
            let even_b = add(-A2, d[2], d[4]);
            let odd_b = add(-A2, d[1], d[3]);
            [
                add(A2 * B2, d[0], add(-(A2 + B2), d[2], d[4])),
                add(A, odd_a, even_a),
                add(-A, odd_a, even_a),
                add(B, odd_b, even_b),
                add(-B, odd_b, even_b),
                add(A2 * B2, d[1], add(-(A2 + B2), d[3], d[5])),
            ]
        }
    }
}

/// A kernel to what is multiplied: `G g`.
pub(super) struct Kernel;

impl Transform<KERNEL, INPUT> for Kernel {
    #[inline(always)]
    unsafe fn apply<V: Vector>(g: [V; KERNEL]) -> [V; INPUT] {
        // SAFETY: the caller's instructions are there.
        unsafe {
            let even_a = add(A2 / AT_A, g[2], times(1.0 / AT_A, g[0]));
            let even_b = add(B2 / AT_B, g[2], times(1.0 / AT_B, g[0]));
            [
                times(1.0 / AT_ZERO, g[0]),
                add(A / AT_A, g[1], even_a),
                add(-A / AT_A, g[1], even_a),
                add(B / AT_B, g[1], even_b),
                add(-B / AT_B, g[1], even_b),
                g[2],
            ]
        }
    }
}

/// Products to pixels: `A^T m`.
pub(super) struct Output;

impl Transform<INPUT, OUTPUT> for Output {
    #[inline(always)]
    unsafe fn apply<V: Vector>(m: [V; INPUT]) -> [V; OUTPUT] {
        // SAFETY: the caller's instructions are there.
        unsafe {
            let even_a = add(1.0, m[2], m[1]);
            let odd_a = add(-1.0, m[2], m[1]);
            let even_b = add(1.0, m[4], m[3]);
            let odd_b = add(-1.0, m[4], m[3]);
            [
                add(1.0, even_a, add(1.0, even_b, m[0])),
                add(A, odd_a, times(B, odd_b)),
                add(A2, even_a, times(B2, even_b)),
                add(A3, odd_a, add(B3, odd_b, m[5])),
            ]
        }
    }
}

/// The gradient of pixels to that of products, the transpose of [`to_output`]: `A y`.
pub(super) struct OutputGradient;

impl Transform<OUTPUT, INPUT> for OutputGradient {
    #[inline(always)]
    unsafe fn apply<V: Vector>(y: [V; OUTPUT]) -> [V; INPUT] {
        // SAFETY: the caller's instructions are there.
        unsafe {
            let even_a = add(A2, y[2], y[0]);
            let odd_a = add(A2, y[3], y[1]);
            let even_b = add(B2, y[2], y[0]);
            let odd_b = add(B2, y[3], y[1]);
            [
                y[0],
                add(A, odd_a, even_a),
                add(-A, odd_a, even_a),
                add(B, odd_b, even_b),
                add(-B, odd_b, even_b),
                y[3],
            ]
        }
    }
}

/// The gradient of a transformed kernel to that of the kernel, the transpose of [`of_kernel`]: `G^T u`.
pub(super) struct KernelGradient;

impl Transform<INPUT, KERNEL> for KernelGradient {
    #[inline(always)]
    unsafe fn apply<V: Vector>(u: [V; INPUT]) -> [V; KERNEL] {
        // SAFETY: the caller's instructions are there.
        unsafe {
            let even_a = add(1.0, u[2], u[1]);
            let odd_a = add(-1.0, u[2], u[1]);
            let even_b = add(1.0, u[4], u[3]);
            let odd_b = add(-1.0, u[4], u[3]);
            [
                add(
                    1.0 / AT_A,
                    even_a,
                    add(1.0 / AT_B, even_b, times(1.0 / AT_ZERO, u[0])),
                ),
                add(A / AT_A, odd_a, times(B / AT_B, odd_b)),
                add(A2 / AT_A, even_a, add(B2 / AT_B, even_b, u[5])),
            ]
        }
    }
}

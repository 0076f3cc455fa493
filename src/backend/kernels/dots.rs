//! Dot products with the rows of a matrix that lie somewhere in a slice.

use super::float::Float;
use super::shifted::Shifted;
use super::vector::{Portable, Vector};
use super::vectorise::{Instructions, instructions};

/// `target[m][k] += left[m] . S[k]`: the products of all pairs of rows, on the calling thread. Row
/// `m` of the left matrix is `left[m * stride..][..length]`; the target is stored row by row,
/// without gaps.
///
/// # Panics
///
/// If a row does not fit into its slice.
pub(in crate::backend) fn add_dots<T: Float>(
    left: &[T],
    stride: usize,
    right: Shifted<T>,
    target: &mut [T],
) {
    // SAFETY: these instructions are there.
    unsafe { add_dots_on(instructions(), left, stride, right, target) }
}

/// # Safety
///
/// The instructions must be there.
pub(super) unsafe fn add_dots_on<T: Float>(
    instructions: Instructions,
    left: &[T],
    stride: usize,
    right: Shifted<T>,
    target: &mut [T],
) {
    right.check();
    let inner = right.offsets.len();
    if inner == 0 || target.is_empty() {
        return;
    }
    assert_eq!(target.len() % inner, 0);
    assert!((target.len() / inner - 1) * stride + right.length <= left.len());

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
    unsafe fn avx512<T: Float>(l: &[T], stride: usize, r: Shifted<T>, t: &mut [T]) {
        // SAFETY: the instructions are there; `add_dots_on` checked the sizes.
        unsafe { add_dots_with::<T::Avx512>(l, stride, r, t) }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2<T: Float>(l: &[T], stride: usize, r: Shifted<T>, t: &mut [T]) {
        // SAFETY: the instructions are there; `add_dots_on` checked the sizes.
        unsafe { add_dots_with::<T::Avx2>(l, stride, r, t) }
    }

    // SAFETY: the caller's instructions are there and the sizes are checked above.
    unsafe {
        match instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512(left, stride, right, target),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2(left, stride, right, target),
            Instructions::Baseline => add_dots_with::<Portable<T>>(left, stride, right, target),
        }
    }
}

/// # Safety
///
/// The instructions of `V` must be there, and the sizes checked as in [`add_dots`].
#[inline(always)]
unsafe fn add_dots_with<V: Vector>(
    left: &[V::Number],
    stride: usize,
    right: Shifted<V::Number>,
    target: &mut [V::Number],
) {
    let inner = right.offsets.len();
    let rows = target.len() / inner;
    // Rows of the left matrix outermost: they stay in the nearest cache, and so does the channel
    // that the taps of a kernel share.
    let mut row = 0;
    while row < rows {
        let height = if rows - row >= 4 { 4 } else { 1 };
        let mut k = 0;
        while k < inner {
            let width = match inner - k {
                6.. if V::MANY_REGISTERS => 6,
                3.. => 3,
                _ => 1,
            };
            let offsets = &right.offsets[k..k + width];
            // SAFETY: the rows and columns are within the matrices, by the loops' bounds.
            unsafe {
                let left = left.as_ptr().add(row * stride);
                let source = right.source.as_ptr();
                let target = target.as_mut_ptr().add(row * inner + k);
                let length = right.length;
                match (height, width) {
                    (4, 6) => dots::<V, 4, 6>(left, stride, source, offsets, length, target, inner),
                    (4, 3) => dots::<V, 4, 3>(left, stride, source, offsets, length, target, inner),
                    (4, _) => dots::<V, 4, 1>(left, stride, source, offsets, length, target, inner),
                    (_, 6) => dots::<V, 1, 6>(left, stride, source, offsets, length, target, inner),
                    (_, 3) => dots::<V, 1, 3>(left, stride, source, offsets, length, target, inner),
                    _ => dots::<V, 1, 1>(left, stride, source, offsets, length, target, inner),
                }
            }
            k += width;
        }
        row += height;
    }
}

/// The products of `M` rows with `K` rows.
///
/// # Safety
///
/// As for [`add_dots_with`].
#[inline(always)]
unsafe fn dots<V: Vector, const M: usize, const K: usize>(
    left: *const V::Number,
    stride: usize,
    source: *const V::Number,
    offsets: &[usize],
    length: usize,
    target: *mut V::Number,
    target_stride: usize,
) {
    // SAFETY: every load is within `length` of the caller's rows.
    unsafe {
        let mut sums = [[V::zero(); K]; M];
        let mut rows = [source; K];
        for (row, offset) in rows.iter_mut().zip(offsets) {
            *row = source.add(*offset);
        }
        let mut column = 0;
        while column + V::LANES <= length {
            let mut values = [V::zero(); M];
            for (m, value) in values.iter_mut().enumerate() {
                *value = V::load(left.add(m * stride + column));
            }
            for (k, row) in rows.iter().enumerate() {
                let other = V::load(row.add(column));
                for (sums, value) in sums.iter_mut().zip(values) {
                    sums[k] = value.multiply_add(other, sums[k]);
                }
            }
            column += V::LANES;
        }
        if column < length {
            let count = length - column;
            for (m, sums) in sums.iter_mut().enumerate() {
                let value = V::load_first(left.add(m * stride + column), count);
                for (sum, row) in sums.iter_mut().zip(rows) {
                    *sum = value.multiply_add(V::load_first(row.add(column), count), *sum);
                }
            }
        }
        for (m, sums) in sums.iter().enumerate() {
            for (k, sum) in sums.iter().enumerate() {
                *target.add(m * target_stride + k) += sum.sum();
            }
        }
    }
}

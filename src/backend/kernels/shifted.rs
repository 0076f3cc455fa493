//! Products with a matrix whose rows are places in one slice, given by their offsets.
//!
//! Row `k` of the matrix `S` is `source[offsets[k]..][..length]`. With the offsets of the taps of a
//! kernel, a convolution is such a product, without a copy of its image for each tap.

use std::ops::Range;

use super::parallel::{Parallel, ParallelSlice};

use super::columns::{Product, SideBySide, panels_at_once};
use super::finish::Epilogue;
use super::float::Float;
use super::shared::Shared;
use super::vector::{Portable, Vector};
use super::vectorise::{Instructions, instructions};
use crate::backend::threads::share;

/// A matrix of which each row lies somewhere in a slice.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Shifted<'a, T> {
    /// Where the rows lie.
    pub(in crate::backend) source: &'a [T],
    /// Where each row begins.
    pub(in crate::backend) offsets: &'a [usize],
    /// The length of every row.
    pub(in crate::backend) length: usize,
}

impl<T> Shifted<'_, T> {
    /// Sees to it that every row lies within the source.
    pub(super) fn check(&self) {
        let last = self.offsets.iter().copied().max().unwrap_or(0);
        assert!(
            last.checked_add(self.length)
                .is_some_and(|end| end <= self.source.len()),
            "a row lies beyond the source"
        );
    }
}

/// A matrix in the order in which [`product`] reads it.
pub(in crate::backend) struct Packed<T> {
    rows: usize,
    inner: usize,
    /// The most rows that are computed at once.
    block: usize,
    data: Vec<T>,
}

/// Some rows of a packed matrix, one behind the other.
#[derive(Clone, Copy)]
pub(in crate::backend) struct PackedRows<'a, T> {
    pub(super) rows: usize,
    pub(super) inner: usize,
    /// The most that are packed together.
    pub(super) block: usize,
    pub(super) data: &'a [T],
}

impl<T> PackedRows<'_, T> {
    /// Sees to it that there is a product with these rows.
    pub(super) fn check(&self, right: Shifted<T>) {
        right.check();
        assert_eq!(self.inner, right.offsets.len());
        assert_eq!(self.data.len(), self.rows * self.inner);
    }
}

/// Vectors of columns for which the rows of a product are computed in turn.
pub(super) const STRIP: usize = 12;

/// The least numbers that are packed by one piece of parallel work.
const LEAST_PACKED: usize = 1 << 15;

/// The most rows that are computed at once: as many as there are registers for.
fn largest_block(instructions: Instructions) -> usize {
    match instructions {
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512 => 8,
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2 => 6,
        Instructions::Baseline => 4,
    }
}

/// The rows computed next when so many are left.
pub(super) fn next_block(left: usize, largest: usize) -> usize {
    match left {
        8.. if largest >= 8 => 8,
        6.. if largest == 6 => 6,
        4.. => 4,
        2.. => 2,
        _ => 1,
    }
}

impl<T: Float> Packed<T> {
    /// Packs the matrix with these elements.
    pub(in crate::backend) fn new(
        rows: usize,
        inner: usize,
        element: impl Fn(usize, usize) -> T + Sync,
    ) -> Self {
        Self::in_blocks(largest_block(instructions()), rows, inner, element)
    }

    fn in_blocks(
        block: usize,
        rows: usize,
        inner: usize,
        element: impl Fn(usize, usize) -> T + Sync,
    ) -> Self {
        let mut data = vec![T::ZERO; rows * inner];
        let size = (block * inner).max(1);
        let pieces = data.par_chunks_mut(size).enumerate();
        pieces
            .with_min_len(LEAST_PACKED.div_ceil(size))
            .for_each(|(piece, data)| {
                let (mut first, mut data) = (piece * block, data);
                let end = first + data.len() / inner;
                while first < end {
                    let height = next_block(end - first, block);
                    let (these, others) = data.split_at_mut(height * inner);
                    for (column, target) in these.chunks_exact_mut(height).enumerate() {
                        for (row, target) in target.iter_mut().enumerate() {
                            *target = element(first + row, column);
                        }
                    }
                    (first, data) = (first + height, others);
                }
            });
        Packed {
            rows,
            inner,
            block,
            data,
        }
    }

    /// The most rows that are packed together.
    pub(in crate::backend) fn block(&self) -> usize {
        self.block
    }

    /// All rows.
    pub(in crate::backend) fn all(&self) -> PackedRows<'_, T> {
        self.rows(0..self.rows)
    }

    /// Some of the rows.
    ///
    /// # Panics
    ///
    /// If the first is no multiple of [`Packed::block`], or if the last is not there.
    pub(in crate::backend) fn rows(&self, rows: Range<usize>) -> PackedRows<'_, T> {
        assert!(rows.start.is_multiple_of(self.block));
        PackedRows {
            rows: rows.len(),
            inner: self.inner,
            block: self.block,
            data: &self.data[rows.start * self.inner..rows.end * self.inner],
        }
    }
}

/// `target = left * S`, row by row with the given distance between the rows of the target, on the
/// calling thread.
///
/// # Panics
///
/// If a row does not fit into its slice.
pub(in crate::backend) fn product<T: Float>(
    left: PackedRows<T>,
    right: Shifted<T>,
    target: &mut [T],
    stride: usize,
) {
    finished_product(left, right, target, stride, Epilogue::default());
}

/// [`product`] whose rows are finished before they are written.
///
/// # Panics
///
/// If a row does not fit into its slice.
pub(super) fn finished_product<T: Float>(
    left: PackedRows<T>,
    right: Shifted<T>,
    target: &mut [T],
    stride: usize,
    epilogue: Epilogue<T>,
) {
    // SAFETY: these instructions are there.
    unsafe { product_on(instructions(), left, right, target, stride, epilogue) }
}

/// [`finished_product`] in pieces of so many columns, on all threads.
///
/// # Panics
///
/// If a row does not fit into its slice.
pub(super) fn shared_product<T: Float>(
    left: PackedRows<T>,
    right: Shifted<T>,
    columns: usize,
    target: &mut [T],
    stride: usize,
    epilogue: Epilogue<T>,
) {
    check(left, right, target, stride);
    let target = Shared::new(target);
    share(right.length.div_ceil(columns), |piece| {
        let start = piece * columns;
        let columns = start..right.length.min(start + columns);
        // SAFETY: these instructions are there, the sizes are checked, and pieces have columns of their own.
        unsafe {
            columns_on(
                instructions(),
                left,
                right,
                columns,
                target,
                stride,
                epilogue,
            )
        }
    });
}

/// Sees to it that a product fits into its target, with so much between the rows.
fn check<T: Float>(left: PackedRows<T>, right: Shifted<T>, target: &[T], stride: usize) {
    left.check(right);
    if let (Some(last), 1..) = (left.rows.checked_sub(1), right.length) {
        assert!(last * stride + right.length <= target.len());
    }
}

/// # Safety
///
/// The instructions must be there.
unsafe fn product_on<T: Float>(
    instructions: Instructions,
    left: PackedRows<T>,
    right: Shifted<T>,
    target: &mut [T],
    stride: usize,
    epilogue: Epilogue<T>,
) {
    check(left, right, target, stride);
    let (columns, target) = (0..right.length, Shared::new(target));
    // SAFETY: the caller's instructions are there and the sizes are checked.
    unsafe { columns_on(instructions, left, right, columns, target, stride, epilogue) }
}

/// Some columns of a product.
///
/// # Safety
///
/// The instructions must be there, the sizes checked by [`check`], and the columns among those of the product. No other
/// thread writes them.
unsafe fn columns_on<T: Float>(
    instructions: Instructions,
    left: PackedRows<T>,
    right: Shifted<T>,
    columns: Range<usize>,
    target: Shared<T>,
    stride: usize,
    epilogue: Epilogue<T>,
) {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
    unsafe fn avx512<T: Float>(
        l: PackedRows<T>,
        r: Shifted<T>,
        c: Range<usize>,
        t: Shared<T>,
        stride: usize,
        epilogue: Epilogue<T>,
    ) {
        // SAFETY: the instructions are there; the caller has checked the sizes.
        unsafe { product_with::<T::Avx512>(l, r, c, t, stride, epilogue) }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2<T: Float>(
        l: PackedRows<T>,
        r: Shifted<T>,
        c: Range<usize>,
        t: Shared<T>,
        stride: usize,
        epilogue: Epilogue<T>,
    ) {
        // SAFETY: the instructions are there; the caller has checked the sizes.
        unsafe { product_with::<T::Avx2>(l, r, c, t, stride, epilogue) }
    }

    // SAFETY: the caller's instructions are there and the sizes are checked.
    unsafe {
        match instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512(left, right, columns, target, stride, epilogue),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2(left, right, columns, target, stride, epilogue),
            Instructions::Baseline => {
                product_with::<Portable<T>>(left, right, columns, target, stride, epilogue)
            }
        }
    }
}

/// # Safety
///
/// As for [`columns_on`]; the instructions of `V` must be there.
#[inline(always)]
unsafe fn product_with<V: Vector>(
    left: PackedRows<V::Number>,
    right: Shifted<V::Number>,
    columns: Range<usize>,
    target: Shared<V::Number>,
    stride: usize,
    epilogue: Epilogue<V::Number>,
) {
    let panels = panels_at_once::<V>(left);
    if panels > 0 {
        // SAFETY: the caller's sizes.
        unsafe {
            let product = Product {
                left,
                offsets: right.offsets,
                source: right.source.as_ptr().add(columns.start),
                target: target.start().add(columns.start),
                stride,
                epilogue,
            };
            return product.compute::<V>(panels, &SideBySide(columns.len()));
        }
    }
    // Columns outermost: the part of the source that they need stays in the cache over all rows.
    let strip = STRIP * V::LANES;
    let mut column = columns.start;
    while column < columns.end {
        let width = strip.min(columns.end - column);
        let mut row = 0;
        while row < left.rows {
            let height = next_block(left.rows - row, left.block);
            // SAFETY: the rows and columns are within the matrices, by the loops' bounds.
            unsafe {
                let packed = left.data.as_ptr().add(row * left.inner);
                let source = right.source.as_ptr().add(column);
                let target = target.start().add(row * stride + column);
                let epilogue = epilogue.of_channels(row..row + height);
                macro_rules! rows {
                    ($rows:literal, $vectors:literal) => {
                        rows::<V, $rows, $vectors>(
                            packed,
                            right.offsets,
                            source,
                            target,
                            stride,
                            width,
                            epilogue,
                        )
                    };
                }
                match height {
                    8 => rows!(8, 3),
                    6 => rows!(6, 2),
                    4 if V::MANY_REGISTERS => rows!(4, 4),
                    4 => rows!(4, 2),
                    2 => rows!(2, 4),
                    _ => rows!(1, 8),
                }
            }
            row += height;
        }
        column += width;
    }
}

/// Whether `N` of so many vectors that are left are computed at once. Of four, two and two rather than three and one,
/// whose sums would wait for one another.
#[inline(always)]
pub(super) fn takes_all<const N: usize>(left: usize) -> bool {
    left >= N && !(N == 3 && left == 4)
}

/// `M` rows of a product, `N` vectors of columns at once and then fewer: sums of few vectors would wait for
/// one another.
///
/// # Safety
///
/// As for [`product_with`].
#[inline(always)]
unsafe fn rows<V: Vector, const M: usize, const N: usize>(
    packed: *const V::Number,
    offsets: &[usize],
    source: *const V::Number,
    target: *mut V::Number,
    stride: usize,
    width: usize,
    epilogue: Epilogue<V::Number>,
) {
    let mut column = 0;
    // SAFETY: every load and store is within `width` columns of the caller's rows.
    unsafe {
        macro_rules! next {
            ($vectors:tt) => {
                block::<V, M, $vectors>(
                    packed,
                    offsets,
                    source.add(column),
                    target.add(column),
                    stride,
                    epilogue,
                );
                column += $vectors * V::LANES;
            };
        }
        while takes_all::<N>((width - column) / V::LANES) {
            next!(N);
        }
        if N > 4 && column + 4 * V::LANES <= width {
            next!(4);
        }
        while N > 2 && column + 2 * V::LANES <= width {
            next!(2);
        }
        while column < width {
            let count = V::LANES.min(width - column);
            let mut sums = [[V::zero(); 1]; M];
            for (k, offset) in offsets.iter().enumerate() {
                let value = V::load_first(source.add(offset + column), count);
                for (m, [sum]) in sums.iter_mut().enumerate() {
                    let weight = V::splat(*packed.add(k * M + m));
                    *sum = weight.multiply_add(value, *sum);
                }
            }
            epilogue.write_first(sums, target.add(column), stride, count);
            column += count;
        }
    }
}

/// `M` rows and `N` vectors of columns of a product.
///
/// # Safety
///
/// As for [`product_with`].
#[inline(always)]
unsafe fn block<V: Vector, const M: usize, const N: usize>(
    packed: *const V::Number,
    offsets: &[usize],
    source: *const V::Number,
    target: *mut V::Number,
    stride: usize,
    epilogue: Epilogue<V::Number>,
) {
    // SAFETY: the caller's rows have so many columns.
    unsafe {
        let mut sums = [[V::zero(); N]; M];
        for (k, offset) in offsets.iter().enumerate() {
            let row = source.add(*offset);
            let mut values = [V::zero(); N];
            for (n, value) in values.iter_mut().enumerate() {
                *value = V::load(row.add(n * V::LANES));
            }
            for (m, sums) in sums.iter_mut().enumerate() {
                let weight = V::splat(*packed.add(k * M + m));
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = weight.multiply_add(value, *sum);
                }
            }
        }
        epilogue.write(sums, target, stride);
    }
}

#[cfg(test)]
mod tests;

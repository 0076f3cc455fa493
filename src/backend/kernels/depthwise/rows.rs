//! Rows that read the same rows of the image together.

use super::{Plane, Way};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::sliding::Span;
use crate::backend::kernels::vector::Vector;

/// The way for kernels of `K x K` and a stride of one, whose taps are as far apart along both axes.
#[derive(Clone, Copy)]
pub(super) struct Rows<const K: usize>;

/// The rows that are computed at once. With two vectors of columns that is sums enough that none waits for the one before it,
/// and few enough for 16 registers.
const ROWS: usize = 4;

impl<const K: usize> Way for Rows<K> {
    #[inline(always)]
    unsafe fn strip<V: Vector, const N: usize, const RELU: bool>(
        self,
        plane: &mut Plane<V::Number, RELU>,
        column: usize,
    ) {
        let spans = plane.spans_from::<V>(column).as_chunks::<K>().0;
        let weights = plane.weight.as_chunks::<K>().0.as_chunks::<K>().0;
        // Copies, which stay in registers.
        let (Some(spans), Some(weights)) = (spans.first_chunk::<N>(), weights.first().copied())
        else {
            return;
        };
        let strip = Strip {
            column,
            weights,
            spans: *spans,
        };
        // SAFETY: the caller's columns.
        unsafe {
            match strip.is_inner(V::LANES) {
                true => plane.blocks::<V, N, K, true>(&strip),
                false => plane.blocks::<V, N, K, false>(&strip),
            }
        }
    }
}

/// Some vectors of columns, and what their rows are computed with.
struct Strip<T, const N: usize, const K: usize> {
    /// The first column.
    column: usize,
    weights: [[T; K]; K],
    spans: [[Span; K]; N],
}

impl<T, const N: usize, const K: usize> Strip<T, N, K> {
    /// Whether a tap may find padding where all others find pixels: one on the left for the first vector, one on the right
    /// for the last.
    #[inline(always)]
    const fn reaches_out(n: usize, tap: usize) -> bool {
        (n == 0 && tap < K / 2) || (n + 1 == N && tap > K / 2)
    }

    /// Whether all taps but those find pixels in all lanes. Others take no mask then.
    #[inline(always)]
    fn is_inner(&self, lanes: usize) -> bool {
        let finds_all = |n: usize, tap: usize| self.spans[n][tap] == (0, lanes);
        (0..N).all(|n| (0..K).all(|tap| Self::reaches_out(n, tap) || finds_all(n, tap)))
    }
}

impl<T: Float, const RELU: bool> Plane<'_, T, RELU> {
    /// All rows of a strip.
    ///
    /// # Safety
    ///
    /// As for [`Way::strip`]; `INNER` must be [`Strip::is_inner`].
    #[inline(always)]
    unsafe fn blocks<V: Vector<Number = T>, const N: usize, const K: usize, const INNER: bool>(
        &mut self,
        strip: &Strip<T, N, K>,
    ) {
        let (step, height) = (self.windows.dilation[0], self.windows.output[0]);
        // Rows that are `step` apart read the same rows.
        for first in (0..height).take(step) {
            let mut row = first;
            // SAFETY: the caller's strip, and rows of the output.
            unsafe {
                while V::IS_WRITTEN_OUT && row + (ROWS - 1) * step < height {
                    self.block::<V, N, K, INNER, ROWS>(strip, row);
                    row += ROWS * step;
                }
                while row < height {
                    self.block::<V, N, K, INNER, 1>(strip, row);
                    row += step;
                }
            }
        }
    }

    /// `R` rows of a strip, from this one on.
    ///
    /// # Safety
    ///
    /// As for [`Plane::blocks`]; the rows must be there.
    #[inline(always)]
    unsafe fn block<
        V: Vector<Number = T>,
        const N: usize,
        const K: usize,
        const INNER: bool,
        const R: usize,
    >(
        &mut self,
        strip: &Strip<T, N, K>,
        first: usize,
    ) {
        const { assert!(R + K - 1 <= 8) }
        let step = self.windows.dilation[0];
        // SAFETY: the caller's strip and rows; of a row of the image, no more than its pixels are read.
        unsafe {
            let mut sums = [[V::zero(); N]; R];
            // Written out: only with numbers that are known do all sums stay in registers.
            macro_rules! read_rows {
            ($($row:literal)*) => {
                $(if $row < R + K - 1
                    && let Some(source) = self.windows.row(self.image, first + $row * step, 0)
                {
                    for tap in 0..K {
                        let source = source.wrapping_add(strip.column + tap * step);
                        let mut values = [V::zero(); N];
                        for (n, value) in values.iter_mut().enumerate() {
                            let source = source.wrapping_add(n * V::LANES);
                            let (start, end) = strip.spans[n][tap];
                            let pixels = match INNER && !Strip::<T, N, K>::reaches_out(n, tap) {
                                true => V::load(source),
                                false => V::load_between(source, start, end),
                            };
                            *value = Self::read(pixels);
                        }
                        for (r, sums) in sums.iter_mut().enumerate() {
                            if r <= $row && $row - r < K {
                                let weight = V::splat(strip.weights[$row - r][tap]);
                                for (sum, value) in sums.iter_mut().zip(values) {
                                    *sum = weight.multiply_add(value, *sum);
                                }
                            }
                        }
                    }
                })*
            };
        }
            read_rows!(0 1 2 3 4 5 6 7);
            self.store(first, step, strip.column, sums);
        }
    }
}

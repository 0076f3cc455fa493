//! Each row of an output and each tap for itself, for any kernel.

use super::{Plane, Way};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::sliding::Span;
use crate::backend::kernels::vector::Vector;

/// The way for any kernel.
#[derive(Clone, Copy)]
pub(super) struct Taps;

impl Way for Taps {
    #[inline(always)]
    unsafe fn strip<V: Vector, const N: usize, const RELU: bool>(
        self,
        plane: &mut Plane<V::Number, RELU>,
        column: usize,
    ) {
        let spans = plane.spans_from::<V>(column);
        // SAFETY: the caller's columns.
        unsafe {
            match (plane.windows.kernel[1], spans.first_chunk::<3>().copied()) {
                // A copy, which stays in registers.
                (3, Some(spans)) if N == 1 => plane.strip_by_taps::<V, N>(column, &spans),
                (width, _) => plane.strip_by_taps::<V, N>(column, &spans[..N * width]),
            }
        }
    }
}

impl<T: Float, const RELU: bool> Plane<'_, T, RELU> {
    /// A strip for any kernel.
    ///
    /// # Safety
    ///
    /// As for [`Way::strip`].
    #[inline(always)]
    unsafe fn strip_by_taps<V: Vector<Number = T>, const N: usize>(
        &mut self,
        column: usize,
        spans: &[Span],
    ) {
        for row in 0..self.windows.output[0] {
            // SAFETY: the caller's columns; of a row of the image, no more than its pixels are read.
            unsafe {
                let mut sums = [V::zero(); N];
                let width = spans.len() / N;
                for (tap, weights) in self.weight.chunks_exact(width).enumerate() {
                    let Some(source) = self.windows.row(self.image, row, tap) else {
                        continue;
                    };
                    for (tap, weight) in weights.iter().enumerate() {
                        for (n, sum) in sums.iter_mut().enumerate() {
                            let span = spans[n * width + tap];
                            let column = column + n * V::LANES;
                            let value: V = self.windows.load(source, column, tap, span);
                            let value = Self::read(value);
                            *sum = V::splat(*weight).multiply_add(value, *sum);
                        }
                    }
                }
                self.store(row, 1, column, [sums]);
            }
        }
    }
}

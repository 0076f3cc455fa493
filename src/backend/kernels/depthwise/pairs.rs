//! Windows over every second column: what two taps side by side find is read together.

use super::{Plane, Way};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::vector::Vector;

/// The way for kernels that are `K` wide, of taps side by side, and a stride of two along the rows.
#[derive(Clone, Copy)]
pub(super) struct Pairs<const K: usize>;

impl<const K: usize> Way for Pairs<K> {
    #[inline(always)]
    unsafe fn strip<V: Vector, const N: usize, const RELU: bool>(
        self,
        plane: &mut Plane<V::Number, RELU>,
        column: usize,
    ) {
        let place = |n: usize, tap: usize| 2 * (column + n * V::LANES) + tap;
        for row in 0..plane.windows.output[0] {
            // SAFETY: the caller's columns; of a row of the image, no more than its pixels are read.
            unsafe {
                let mut sums = [V::zero(); N];
                for (tap, weights) in plane.weight.as_chunks::<K>().0.iter().enumerate() {
                    let Some(source) = plane.windows.row(plane.image, row, tap) else {
                        continue;
                    };
                    for tap in (0..K - 1).step_by(2) {
                        for (n, sum) in sums.iter_mut().enumerate() {
                            let [even, odd] = plane.load_pairs::<V>(source, place(n, tap));
                            *sum = V::splat(weights[tap]).multiply_add(even, *sum);
                            *sum = V::splat(weights[tap + 1]).multiply_add(odd, *sum);
                        }
                    }
                    // As the second of a pair, so that no pixel behind what it finds is read.
                    let tap = K - 1;
                    for (n, sum) in sums.iter_mut().enumerate() {
                        let [_, odd] = plane.load_pairs::<V>(source, place(n, tap - 1));
                        *sum = V::splat(weights[tap]).multiply_add(odd, *sum);
                    }
                }
                for sum in &mut sums {
                    *sum = sum.in_order();
                }
                plane.store(row, 1, column, [sums]);
            }
        }
    }
}

impl<T: Float, const RELU: bool> Plane<'_, T, RELU> {
    /// What two taps side by side find of a row with its padding, the first from this place on; see [`Vector::pairs`].
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there, and the row must be of [`Sliding::row`].
    #[inline(always)]
    unsafe fn load_pairs<V: Vector<Number = T>>(&self, row: *const T, place: usize) -> [V; 2] {
        let (padding, width) = (self.windows.padding[1], self.windows.image[1]);
        let half = |place: usize| {
            let first = padding.saturating_sub(place).min(V::LANES);
            let end = (padding + width).saturating_sub(place).min(V::LANES);
            // SAFETY: the lanes between are pixels of the row.
            unsafe { V::load_between(row.wrapping_add(place), first, end.max(first)) }
        };
        // SAFETY: the caller has the instructions.
        unsafe {
            let pairs = V::pairs(half(place), half(place + V::LANES));
            pairs.map(|pixels| Self::read(pixels))
        }
    }
}

//! Sums of outer products: the gradient of the weights of a convolution.
//!
//! For every pixel of the output, the numbers that the taps find there, times the gradients of all output
//! channels. With the gradients of a pixel side by side, a product is a vector times a number, and no sum
//! goes across a vector.

use super::float::Float;
use super::shifted::Shifted;
use super::vector::{Portable, Vector};
use super::vectorise::{Instructions, instructions, lanes};
use crate::backend::numbers::Numbers;

/// How the channels of a pixel lie: in panels of `2 * lanes`, the last one of `lanes` if that is enough.
/// What a panel has too many means nothing.
#[derive(Clone, Copy)]
pub(super) struct Panels {
    channels: usize,
    lanes: usize,
}

impl Panels {
    /// For so many channels of `T` on this processor.
    pub(super) fn new<T: Float>(channels: usize) -> Self {
        Panels {
            channels,
            lanes: lanes::<T>(instructions()),
        }
    }

    /// The width of all panels.
    pub(super) fn width(&self) -> usize {
        self.channels.next_multiple_of(self.lanes)
    }

    /// The first channel of every panel, and its width.
    fn panels(self) -> impl Iterator<Item = (usize, usize)> {
        let widest = 2 * self.lanes;
        let starts = (0..self.width()).step_by(widest);
        starts.map(move |first| (first, widest.min(self.width() - first)))
    }

    /// Lays out an image `[channels, pixels]`; `target` is as long as all panels are wide, times all pixels of the tile.
    pub(super) fn lay_out<T: Float>(&self, part: Part, image: &[T], target: &mut [T]) {
        for (first, width) in self.panels() {
            let panel = &mut target[first * part.all..][..width * part.all];
            let panel = &mut panel[width * part.first..][..width * part.count];
            let channels = width.min(self.channels - first);
            let image = &image[first * part.count..][..channels * part.count];
            turn(image, part.count, panel, width);
        }
    }

    /// The sums `[channels, inner]` of what [`add_outer_products`] has added up.
    pub(super) fn sums<T: Float>(&self, inner: usize, target: &[T]) -> Numbers<T> {
        let mut sums = Numbers::filled(T::ZERO, self.channels * inner);
        for (first, width) in self.panels() {
            let panel = &target[first * inner..][..width * inner];
            let channels = sums[first * inner..].chunks_exact_mut(inner).take(width);
            for (channel, sums) in channels.enumerate() {
                let column = panel[channel..].iter().step_by(width);
                sums.iter_mut()
                    .zip(column)
                    .for_each(|(to, from)| *to = *from);
            }
        }
        sums
    }
}

/// Some of the pixels of a tile.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// The first.
    pub(super) first: usize,
    /// How many.
    pub(super) count: usize,
    /// How many the tile has.
    pub(super) all: usize,
}

vectorised! {
    /// Rows of `length` numbers as the columns of rows of `width`.
    fn turn[T: Float](source: &[T], length: usize, target: &mut [T], width: usize) {
        // Few columns at a time, so that what is written stays in the cache.
        const COLUMNS: usize = 16;
        for start in (0..length).step_by(COLUMNS) {
            let count = COLUMNS.min(length - start);
            let target = &mut target[start * width..][..count * width];
            for (row, source) in source.chunks_exact(length).enumerate() {
                let source = &source[start..][..count];
                for (column, value) in source.iter().enumerate() {
                    target[column * width + row] = *value;
                }
            }
        }
    }
}

/// Adds to the sum of each row `k` of `left` and each channel the products over all pixels: pixel `p` of the
/// row is `left.source[left.offsets[k] + positions[p]]`. `right` is laid out by [`Panels::lay_out`], and
/// `target` is as long as all panels are wide, times the rows. On the calling thread.
///
/// # Panics
///
/// If a position lies beyond [`Shifted::length`], or if a slice is too short.
pub(super) fn add_outer_products<T: Float>(
    left: Shifted<T>,
    positions: &[usize],
    panels: Panels,
    right: &[T],
    target: &mut [T],
) {
    left.check();
    assert!(positions.iter().all(|position| *position < left.length));
    assert!(right.len() >= panels.width() * positions.len());
    assert!(target.len() >= panels.width() * left.offsets.len());
    assert_eq!(panels.lanes, lanes::<T>(instructions()));
    for (first, width) in panels.panels() {
        let panel = &right[first * positions.len()..][..width * positions.len()];
        let sums = &mut target[first * left.offsets.len()..][..width * left.offsets.len()];
        // SAFETY: these instructions are there, and the sizes are checked above.
        unsafe { add_panel(left, positions, panel, width, sums) }
    }
}

/// # Safety
///
/// All positions must lie within the rows of `left`; `right` must have `width` numbers for each position and
/// `target` as many for each row; `width` must be one or two times the lanes of the processor's vectors.
unsafe fn add_panel<T: Float>(
    left: Shifted<T>,
    positions: &[usize],
    right: &[T],
    width: usize,
    target: &mut [T],
) {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
    unsafe fn avx512<T: Float>(l: Shifted<T>, p: &[usize], r: &[T], w: usize, t: &mut [T]) {
        // SAFETY: the instructions are there; the caller answers for the sizes.
        unsafe { add_panel_with::<T::Avx512>(l, p, r, w, t) }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2<T: Float>(l: Shifted<T>, p: &[usize], r: &[T], w: usize, t: &mut [T]) {
        // SAFETY: the instructions are there; the caller answers for the sizes.
        unsafe { add_panel_with::<T::Avx2>(l, p, r, w, t) }
    }

    // SAFETY: the instructions are there; the caller answers for the sizes.
    unsafe {
        match instructions() {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512(left, positions, right, width, target),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2(left, positions, right, width, target),
            Instructions::Baseline => {
                add_panel_with::<Portable<T>>(left, positions, right, width, target);
            }
        }
    }
}

/// # Safety
///
/// The instructions of `V` must be there; see [`add_panel`].
#[inline(always)]
unsafe fn add_panel_with<V: Vector>(
    left: Shifted<V::Number>,
    positions: &[usize],
    right: &[V::Number],
    width: usize,
    target: &mut [V::Number],
) {
    let mut k = 0;
    while k < left.offsets.len() {
        let rest = left.offsets.len() - k;
        let target = &mut target[k * width..];
        // SAFETY: the caller's sizes, and `k` plus the rows of a block is at most all rows.
        unsafe {
            k += match (rest, width == 2 * V::LANES) {
                (8.., true) if V::MANY_REGISTERS => {
                    block::<V, 8, 2>(left, k, positions, right, target)
                }
                (6.., true) if !V::MANY_REGISTERS => {
                    block::<V, 6, 2>(left, k, positions, right, target)
                }
                (8.., false) => block::<V, 8, 1>(left, k, positions, right, target),
                (4.., true) => block::<V, 4, 2>(left, k, positions, right, target),
                (4.., false) => block::<V, 4, 1>(left, k, positions, right, target),
                (_, true) => block::<V, 1, 2>(left, k, positions, right, target),
                (_, false) => block::<V, 1, 1>(left, k, positions, right, target),
            };
        }
    }
}

/// Adds the products of `K` rows from `first` on with a panel of `N` vectors. Gives `K`.
///
/// # Safety
///
/// As for [`add_panel_with`]; the rows must be there.
#[inline(always)]
unsafe fn block<V: Vector, const K: usize, const N: usize>(
    left: Shifted<V::Number>,
    first: usize,
    positions: &[usize],
    right: &[V::Number],
    target: &mut [V::Number],
) -> usize {
    let width = N * V::LANES;
    // SAFETY: every load and store is within the caller's slices.
    unsafe {
        let mut rows = [left.source.as_ptr(); K];
        for (row, offset) in rows.iter_mut().zip(&left.offsets[first..first + K]) {
            *row = row.add(*offset);
        }
        let mut sums = [[V::zero(); N]; K];
        for (pixel, position) in positions.iter().enumerate() {
            let mut values = [V::zero(); N];
            for (n, value) in values.iter_mut().enumerate() {
                *value = V::load(right.as_ptr().add(pixel * width + n * V::LANES));
            }
            for (sums, row) in sums.iter_mut().zip(rows) {
                let factor = V::splat(*row.add(*position));
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = factor.multiply_add(value, *sum);
                }
            }
        }
        let one = V::splat(V::Number::ONE);
        for (k, sums) in sums.iter().enumerate() {
            for (n, sum) in sums.iter().enumerate() {
                let place = target.as_mut_ptr().add(k * width + n * V::LANES);
                one.multiply_add(*sum, V::load(place)).store(place);
            }
        }
    }
    K
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers<T: Float>(count: usize, salt: usize) -> Vec<T> {
        let number = |index: usize| T::of(((index * 37 + salt * 11) % 23) as f64 - 11.0);
        (0..count).map(number).collect()
    }

    /// Small whole numbers, so that every order of addition gives the same sum.
    fn agree<T: Float>() {
        for channels in [1, 7, 16, 24, 32, 45, 64] {
            for rows in [1, 4, 7, 8, 13] {
                for pixels in [1, 5, 33] {
                    let source: Vec<T> = numbers(400, 1);
                    let offsets: Vec<usize> = (0..rows).map(|k| k * 19 % 240).collect();
                    let positions: Vec<usize> = (0..pixels).map(|p| p * 7 % 150).collect();
                    let left = Shifted {
                        source: &source,
                        offsets: &offsets,
                        length: 150,
                    };
                    let image: Vec<T> = numbers(channels * pixels, 2);
                    let panels = Panels::new::<T>(channels);
                    let mut right = vec![T::ZERO; panels.width() * pixels];
                    let all = Part {
                        first: 0,
                        count: pixels,
                        all: pixels,
                    };
                    panels.lay_out(all, &image, &mut right);
                    let mut target = vec![T::ZERO; panels.width() * rows];
                    for _ in 0..2 {
                        add_outer_products(left, &positions, panels, &right, &mut target);
                    }
                    let sums = panels.sums(rows, &target);
                    for channel in 0..channels {
                        for k in 0..rows {
                            let products = positions.iter().enumerate().map(|(pixel, position)| {
                                source[offsets[k] + position] * image[channel * pixels + pixel]
                            });
                            let sum: T = products.sum();
                            assert!(sums[channel * rows + k] == sum + sum);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn sums_agree_with_their_definition() {
        agree::<f32>();
        agree::<f64>();
    }

    #[test]
    #[should_panic(expected = "position < left.length")]
    fn a_position_beyond_a_row_is_refused() {
        let left = Shifted {
            source: &[0f32; 8],
            offsets: &[0],
            length: 5,
        };
        let panels = Panels::new::<f32>(1);
        let width = panels.width();
        add_outer_products(left, &[5], panels, &vec![0.0; width], &mut vec![0.0; width]);
    }
}

//! Bilinear enlargement by a whole factor, and its gradient.

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// A place between two neighbours: what the first and the second count.
#[derive(Clone, Copy, Debug)]
struct Between<T> {
    first: usize,
    second: usize,
    weights: [T; 2],
}

/// For every place along an enlarged axis of `size`, the neighbours it lies between. The centre of
/// place `i` lies at `(i + 1/2) / factor - 1/2`; before the first centre and behind the last, the
/// nearest counts alone.
fn places<T: Float>(size: usize, factor: usize) -> Vec<Between<T>> {
    let place = |place: usize| {
        // In units of half a place of the enlarged axis, so that it is exact.
        let twice = (2 * place + 1).saturating_sub(factor);
        let first = (twice / (2 * factor)).min(size - 1);
        let fraction = (twice - first * 2 * factor) as f64 / (2 * factor) as f64;
        Between {
            first,
            second: (first + 1).min(size - 1),
            weights: [T::of(1.0 - fraction), T::of(fraction)],
        }
    };
    (0..size * factor).map(place).collect()
}

vectorised! {
    /// Two rows, weighted.
    fn mix[T: Float](first: &[T], second: &[T], weights: [T; 2], target: &mut [T]) {
        for ((target, first), second) in target.iter_mut().zip(first).zip(second) {
            *target = *first * weights[0] + *second * weights[1];
        }
    }
}

vectorised! {
    /// Adds a row, weighted.
    fn add_scaled[T: Float](row: &[T], weight: T, target: &mut [T]) {
        for (target, value) in target.iter_mut().zip(row) {
            *target += *value * weight;
        }
    }
}

/// The enlarged images.
pub(in crate::backend) fn forward<T: Float>(
    [height, width]: [usize; 2],
    factor: usize,
    input: &[T],
) -> Numbers<T> {
    let (rows, columns) = (places::<T>(height, factor), places::<T>(width, factor));
    let (pixels, wide) = (height * width, width * factor);
    let mut output = memory::zeros(input.len() * factor * factor);
    output
        .par_chunks_mut(pixels * factor * factor)
        .zip(input.par_chunks(pixels))
        .with_min_len(4)
        .for_each_init(
            || vec![T::ZERO; width],
            |mixed, (output, input)| {
                for (target, row) in output.chunks_exact_mut(wide).zip(&rows) {
                    let [first, second] = [row.first, row.second].map(|row| &input[row * width..]);
                    mix(first, second, row.weights, mixed);
                    for (target, column) in target.iter_mut().zip(&columns) {
                        *target = mixed[column.first] * column.weights[0]
                            + mixed[column.second] * column.weights[1];
                    }
                }
            },
        );
    output
}

/// The gradient of the input.
pub(in crate::backend) fn backward<T: Float>(
    [height, width]: [usize; 2],
    factor: usize,
    gradient: &[T],
) -> Numbers<T> {
    let (rows, columns) = (places::<T>(height, factor), places::<T>(width, factor));
    let (pixels, wide) = (height * width, width * factor);
    let mut target = memory::zeros(gradient.len() / (factor * factor));
    target
        .par_chunks_mut(pixels)
        .zip(gradient.par_chunks(pixels * factor * factor))
        .with_min_len(4)
        .for_each_init(
            || vec![T::ZERO; width],
            |mixed, (target, gradient)| {
                for (gradient, row) in gradient.chunks_exact(wide).zip(&rows) {
                    mixed.fill(T::ZERO);
                    for (gradient, column) in gradient.iter().zip(&columns) {
                        mixed[column.first] += *gradient * column.weights[0];
                        mixed[column.second] += *gradient * column.weights[1];
                    }
                    for (row, weight) in [row.first, row.second].into_iter().zip(row.weights) {
                        add_scaled(mixed, weight, &mut target[row * width..][..width]);
                    }
                }
            },
        );
    target
}

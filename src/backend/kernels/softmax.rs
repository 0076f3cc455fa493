//! Softmax over rows, and its gradient.

use super::parallel::{Parallel, ParallelSlice};

use super::element_wise::PIECE;
use super::float::Float;
use crate::backend::numbers::Numbers;

vectorised! {
    /// Replaces a row by its softmax.
    pub(in crate::backend) fn softmax_row[T: Float](row: &mut [T]) {
        let largest = row.iter().fold(T::LOWEST, |largest, value| {
            if *value > largest { *value } else { largest }
        });
        for value in row.iter_mut() {
            *value = Float::exp(*value - largest);
        }
        let scale = T::ONE / super::reduce::sum(row);
        row.iter_mut().for_each(|value| *value *= scale);
    }
}

vectorised! {
    /// Replaces the gradient of the softmax by that of what it was taken of.
    pub(in crate::backend) fn softmax_gradient_row[T: Float](softmax: &[T], gradient: &mut [T]) {
        let mean = super::reduce::dot(softmax, gradient);
        for (gradient, softmax) in gradient.iter_mut().zip(softmax) {
            *gradient = *softmax * (*gradient - mean);
        }
    }
}

fn rows_in_piece(length: usize) -> usize {
    (PIECE / length).max(1) * length
}

/// The softmax of every row of this length.
pub(in crate::backend) fn forward<T: Float>(length: usize, input: &[T]) -> Numbers<T> {
    let mut output: Numbers<T> = input.iter().copied().collect();
    output
        .par_chunks_mut(rows_in_piece(length))
        .for_each(|rows| rows.chunks_exact_mut(length).for_each(softmax_row));
    output
}

/// The gradient of what the softmax was taken of.
pub(in crate::backend) fn backward<T: Float>(
    length: usize,
    output: &[T],
    gradient: &[T],
) -> Numbers<T> {
    let mut target: Numbers<T> = gradient.iter().copied().collect();
    target
        .par_chunks_mut(rows_in_piece(length))
        .zip(output.par_chunks(rows_in_piece(length)))
        .for_each(|(target, output)| {
            let rows = target.chunks_exact_mut(length);
            for (target, output) in rows.zip(output.chunks_exact(length)) {
                softmax_gradient_row(output, target);
            }
        });
    target
}

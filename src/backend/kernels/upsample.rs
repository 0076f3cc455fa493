//! Nearest-neighbour up-sampling by a whole factor, and its gradient.

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// Every row of `width` numbers repeated, each number repeated. `height` rows make an image.
pub(in crate::backend) fn forward<T: Float>(
    [height, width]: [usize; 2],
    factor: usize,
    input: &[T],
) -> Numbers<T> {
    let mut output = memory::zeros(input.len() * factor * factor);
    let large = width * factor;
    output
        .par_chunks_mut(height * factor * large)
        .zip(input.par_chunks(height * width))
        .for_each(|(output, input)| {
            let bands = output.chunks_exact_mut(factor * large);
            for (band, row) in bands.zip(input.chunks_exact(width)) {
                let (first, others) = band.split_at_mut(large);
                for (target, value) in first.chunks_exact_mut(factor).zip(row) {
                    target.fill(*value);
                }
                others
                    .chunks_exact_mut(large)
                    .for_each(|row| row.copy_from_slice(first));
            }
        });
    output
}

/// The gradient of the input: the sum over the copies of each number.
pub(in crate::backend) fn backward<T: Float>(
    [height, width]: [usize; 2],
    factor: usize,
    gradient: &[T],
) -> Numbers<T> {
    let mut target = memory::zeros(gradient.len() / (factor * factor));
    let large = width * factor;
    target
        .par_chunks_mut(height * width)
        .zip(gradient.par_chunks(height * factor * large))
        .for_each(|(target, gradient)| {
            let bands = gradient.chunks_exact(factor * large);
            for (row, band) in target.chunks_exact_mut(width).zip(bands) {
                for gradient in band.chunks_exact(large) {
                    for (target, copies) in row.iter_mut().zip(gradient.chunks_exact(factor)) {
                        for copy in copies {
                            *target += *copy;
                        }
                    }
                }
            }
        });
    target
}

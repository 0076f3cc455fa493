//! Every channel times a number, and the gradients.
//!
//! Tensors are `[n, channels, positions]`. The numbers are one for each channel, or one for each
//! channel of each example.

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use super::reduce;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// Sizes of the axes behind the first.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct Geometry {
    /// The second axis.
    pub(in crate::backend) channels: usize,
    /// All others.
    pub(in crate::backend) positions: usize,
}

impl Geometry {
    fn example(&self) -> usize {
        self.channels * self.positions
    }

    /// The numbers for an example.
    fn factors<'a, T>(&self, factors: &'a [T], example: usize) -> &'a [T] {
        let start = match factors.len() == self.channels {
            true => 0,
            false => example * self.channels,
        };
        &factors[start..][..self.channels]
    }
}

vectorised! {
    fn scale_example[T: Float](positions: usize, input: &[T], factors: &[T], output: &mut [T]) {
        if positions == 1 {
            for ((output, input), factor) in output.iter_mut().zip(input).zip(factors) {
                *output = *input * *factor;
            }
            return;
        }
        let rows = output
            .chunks_exact_mut(positions)
            .zip(input.chunks_exact(positions));
        for ((output, input), factor) in rows.zip(factors) {
            for (output, input) in output.iter_mut().zip(input) {
                *output = *input * *factor;
            }
        }
    }
}

/// The input times the numbers; also the gradient of the input, from that of the output.
pub(in crate::backend) fn forward<T: Float>(
    geometry: &Geometry,
    input: &[T],
    factors: &[T],
) -> Numbers<T> {
    let mut output = memory::zeros(input.len());
    output
        .par_chunks_mut(geometry.example())
        .zip(input.par_chunks(geometry.example()))
        .enumerate()
        .for_each(|(place, (output, input))| {
            let factors = geometry.factors(factors, place);
            scale_example(geometry.positions, input, factors, output);
        });
    output
}

/// The gradient of the number of each channel of each example.
pub(in crate::backend) fn factor_gradient<T: Float>(
    geometry: &Geometry,
    input: &[T],
    gradient: &[T],
) -> Numbers<T> {
    if geometry.positions == 1 {
        return super::element_wise::zip(input, gradient, |input, gradient| input * gradient);
    }
    let mut output = memory::zeros(input.len() / geometry.positions);
    output
        .par_chunks_mut(geometry.channels)
        .zip(input.par_chunks(geometry.example()))
        .zip(gradient.par_chunks(geometry.example()))
        .for_each(|((output, input), gradient)| {
            let rows = input
                .chunks_exact(geometry.positions)
                .zip(gradient.chunks_exact(geometry.positions));
            for (output, (input, gradient)) in output.iter_mut().zip(rows) {
                *output = reduce::dot(input, gradient);
            }
        });
    output
}

//! A rectifier with a trainable slope for each channel (He et al., 2015), and its gradients.
//!
//! Tensors are `[n, channels, positions]`.

use super::parallel::{Parallel, ParallelSlice};

use super::channel_scale::Geometry;
use super::dense::sum_of_rows;
use super::element_wise;
use super::float::Float;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// The negative part of every element, zero for the others. What is not a number stays so.
fn negative_part<T: Float>(input: &[T]) -> Numbers<T> {
    element_wise::map(input, |x| if x > T::ZERO { T::ZERO } else { x })
}

vectorised! {
    /// `values` where the input is positive, the slope of the channel times them elsewhere.
    fn bend_example[T: Float](
        positions: usize, input: &[T], values: &[T], slopes: &[T], output: &mut [T],
    ) {
        if positions == 1 {
            let elements = output.iter_mut().zip(input).zip(values).zip(slopes);
            for (((output, input), value), slope) in elements {
                let bent = *slope * *value;
                *output = if *input > T::ZERO { *value } else { bent };
            }
            return;
        }
        let rows = output
            .chunks_exact_mut(positions)
            .zip(input.chunks_exact(positions))
            .zip(values.chunks_exact(positions));
        for (((output, input), values), slope) in rows.zip(slopes) {
            for ((output, input), value) in output.iter_mut().zip(input).zip(values) {
                let bent = *slope * *value;
                *output = if *input > T::ZERO { *value } else { bent };
            }
        }
    }
}

fn bend<T: Float>(geometry: &Geometry, input: &[T], values: &[T], slopes: &[T]) -> Numbers<T> {
    let example = geometry.channels * geometry.positions;
    let mut output = memory::zeros(input.len());
    output
        .par_chunks_mut(example)
        .zip(input.par_chunks(example))
        .zip(values.par_chunks(example))
        .for_each(|((output, input), values)| {
            bend_example(geometry.positions, input, values, slopes, output);
        });
    output
}

/// The input where positive, its slope times it elsewhere.
pub(in crate::backend) fn forward<T: Float>(
    geometry: &Geometry,
    input: &[T],
    slopes: &[T],
) -> Numbers<T> {
    bend(geometry, input, input, slopes)
}

/// The gradients of the input and of the slopes.
pub(in crate::backend) fn backward<T: Float>(
    geometry: &Geometry,
    input: &[T],
    slopes: &[T],
    gradient: &[T],
) -> (Numbers<T>, Numbers<T>) {
    let negative = negative_part(input);
    let products = super::channel_scale::factor_gradient(geometry, &negative, gradient);
    (
        bend(geometry, input, gradient, slopes),
        sum_of_rows(geometry.channels, &products),
    )
}

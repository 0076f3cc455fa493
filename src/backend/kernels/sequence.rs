//! What is done to the positions of sequences `[n, tokens, width]`.

use rayon::prelude::*;

use super::float::Float;

/// Every example plus one addend of its size.
pub(in crate::backend) fn add_to_each<T: Float>(input: &[T], addend: &[T]) -> Vec<T> {
    let mut output = input.to_vec();
    output.par_chunks_mut(addend.len()).for_each(|output| {
        for (output, addend) in output.iter_mut().zip(addend) {
            *output += *addend;
        }
    });
    output
}

/// The mean of all positions of each example.
pub(in crate::backend) fn mean<T: Float>([tokens, width]: [usize; 2], input: &[T]) -> Vec<T> {
    let share = T::of(1.0 / tokens as f64);
    let mut output = vec![T::ZERO; input.len() / tokens];
    output
        .par_chunks_mut(width)
        .zip(input.par_chunks(tokens * width))
        .for_each(|(output, input)| {
            for row in input.chunks_exact(width) {
                for (output, input) in output.iter_mut().zip(row) {
                    *output += *input;
                }
            }
            output.iter_mut().for_each(|output| *output *= share);
        });
    output
}

/// The gradient of what a mean was taken of.
pub(in crate::backend) fn mean_gradient<T: Float>(
    [tokens, width]: [usize; 2],
    gradient: &[T],
) -> Vec<T> {
    let share = T::of(1.0 / tokens as f64);
    let mut target = vec![T::ZERO; gradient.len() * tokens];
    target
        .par_chunks_mut(tokens * width)
        .zip(gradient.par_chunks(width))
        .for_each(|(target, gradient)| {
            for row in target.chunks_exact_mut(width) {
                for (target, gradient) in row.iter_mut().zip(gradient) {
                    *target = *gradient * share;
                }
            }
        });
    target
}

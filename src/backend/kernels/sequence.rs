//! What is done to the positions of sequences `[n, tokens, width]`.

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// Side of the blocks in which matrices are transposed, so that both are read and written in runs.
const BLOCK: usize = 16;

/// The transposed matrix of each example, `[n, rows, columns]`.
pub(in crate::backend) fn transpose<T: Float>(
    [rows, columns]: [usize; 2],
    input: &[T],
) -> Numbers<T> {
    let mut output = memory::zeros(input.len());
    output
        .par_chunks_mut(rows * columns)
        .zip(input.par_chunks(rows * columns))
        .for_each(|(output, input)| {
            for top in (0..rows).step_by(BLOCK) {
                let bottom = rows.min(top + BLOCK);
                for (column, output) in output.chunks_exact_mut(rows).enumerate() {
                    for row in top..bottom {
                        output[row] = input[row * columns + column];
                    }
                }
            }
        });
    output
}

/// Every example plus one addend of its size.
pub(in crate::backend) fn add_to_each<T: Float>(input: &[T], addend: &[T]) -> Numbers<T> {
    let mut output: Numbers<T> = input.iter().copied().collect();
    output.par_chunks_mut(addend.len()).for_each(|output| {
        for (output, addend) in output.iter_mut().zip(addend) {
            *output += *addend;
        }
    });
    output
}

/// The mean of all positions of each example.
pub(in crate::backend) fn mean<T: Float>([tokens, width]: [usize; 2], input: &[T]) -> Numbers<T> {
    let share = T::of(1.0 / tokens as f64);
    let mut output = Numbers::filled(T::ZERO, input.len() / tokens);
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
) -> Numbers<T> {
    let share = T::of(1.0 / tokens as f64);
    let mut target = memory::zeros(gradient.len() * tokens);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_of_any_size_are_transposed() {
        for [rows, columns] in [[1, 5], [3, 2], [16, 17], [40, 33]] {
            let numbers: Vec<f64> = (0..2 * rows * columns).map(|place| place as f64).collect();
            let transposed = transpose([rows, columns], &numbers);
            for (example, input) in numbers.chunks(rows * columns).enumerate() {
                for row in 0..rows {
                    for column in 0..columns {
                        let place = (example * columns + column) * rows + row;
                        assert_eq!(transposed[place], input[row * columns + column]);
                    }
                }
            }
            assert_eq!(*transpose([columns, rows], &transposed), *numbers);
        }
    }
}

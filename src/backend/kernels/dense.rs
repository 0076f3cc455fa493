//! A linear map of rows of features, and its gradients.

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use super::matrix::{Matrix, multiply};
use super::reduce;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// Rows of the result computed by one piece of parallel work.
const ROWS: usize = 32;

/// So many rows or less are not shared among threads; their products are.
const FEW_ROWS: usize = 4;

/// The least outputs computed by one piece of parallel work where rows are few.
const OUTPUTS: usize = 8;

/// The least multiply-adds of such a piece.
const LEAST_WORK: usize = 1 << 18;

/// What the backward pass gives.
pub(in crate::backend) struct Gradients<T> {
    /// For the rows, where asked for.
    pub(in crate::backend) input: Option<Numbers<T>>,
    /// For the weights.
    pub(in crate::backend) weight: Numbers<T>,
    /// For the bias.
    pub(in crate::backend) bias: Numbers<T>,
}

/// Rows of `features` numbers times the transposed weights `[outputs, features]`, plus the bias.
pub(in crate::backend) fn forward<T: Float>(
    features: usize,
    outputs: usize,
    input: &[T],
    weight: &[T],
    bias: Option<&[T]>,
) -> Numbers<T> {
    let rows = input.len() / features;
    let mut output = match rows {
        ..=FEW_ROWS => few_rows(features, rows, input, weight),
        _ => many_rows(features, outputs, input, weight),
    };
    if let Some(bias) = bias {
        output.par_chunks_mut(ROWS * outputs).for_each(|rows| {
            for row in rows.chunks_exact_mut(outputs) {
                row.iter_mut().zip(bias).for_each(|(y, bias)| *y += *bias);
            }
        });
    }
    output
}

fn many_rows<T: Float>(features: usize, outputs: usize, input: &[T], weight: &[T]) -> Numbers<T> {
    let mut output = memory::zeros(input.len() / features * outputs);
    output
        .par_chunks_mut(ROWS * outputs)
        .zip(input.par_chunks(ROWS * features))
        .for_each(|(output, input)| {
            multiply(
                [input.len() / features, features, outputs],
                Matrix::rows(input, features),
                Matrix::rows(weight, features).transposed(),
                T::ONE,
                output,
                outputs,
            );
        });
    output
}

/// The same sums where rows are too few to share among threads: each takes some of the weights. The
/// product is transposed, and in the end turned.
fn few_rows<T: Float>(features: usize, rows: usize, input: &[T], weight: &[T]) -> Numbers<T> {
    let outputs = weight.len() / features;
    let mut turned = memory::zeros(rows * outputs);
    let piece = OUTPUTS.max(LEAST_WORK / (features * rows).max(1));
    turned
        .par_chunks_mut(piece * rows.max(1))
        .zip(weight.par_chunks(piece * features))
        .for_each(|(target, weight)| {
            multiply(
                [weight.len() / features, features, rows],
                Matrix::rows(weight, features),
                Matrix::rows(input, features).transposed(),
                T::ONE,
                target,
                rows,
            );
        });
    if rows == 1 {
        return turned;
    }
    let mut output = memory::buffer(rows * outputs);
    for (row, target) in output.chunks_exact_mut(outputs).enumerate() {
        let column = turned[row..].iter().step_by(rows);
        target
            .iter_mut()
            .zip(column)
            .for_each(|(to, from)| *to = *from);
    }
    output
}

/// The gradients, from that of the output. That of the input is computed only if asked for.
pub(in crate::backend) fn backward<T: Float>(
    features: usize,
    outputs: usize,
    input: &[T],
    weight: &[T],
    gradient: &[T],
    with_input: bool,
) -> Gradients<T> {
    let rows = input.len() / features;
    let input_gradient = with_input.then(|| {
        let mut target = memory::zeros(input.len());
        target
            .par_chunks_mut(ROWS * features)
            .zip(gradient.par_chunks(ROWS * outputs))
            .for_each(|(target, gradient)| {
                multiply(
                    [gradient.len() / outputs, outputs, features],
                    Matrix::rows(gradient, outputs),
                    Matrix::rows(weight, features),
                    T::ONE,
                    target,
                    features,
                );
            });
        target
    });
    let mut weight_gradient = memory::zeros(weight.len());
    weight_gradient
        .par_chunks_mut(ROWS * features)
        .enumerate()
        .for_each(|(piece, target)| {
            if rows == 0 {
                return;
            }
            multiply(
                [target.len() / features, rows, features],
                Matrix::rows(&gradient[piece * ROWS..], outputs).transposed(),
                Matrix::rows(input, features),
                T::ONE,
                target,
                features,
            );
        });
    Gradients {
        input: input_gradient,
        weight: weight_gradient,
        bias: sum_of_rows(outputs, gradient),
    }
}

/// The sum of all rows of this length.
pub(in crate::backend) fn sum_of_rows<T: Float>(length: usize, rows: &[T]) -> Numbers<T> {
    let piece = reduce::images_in_piece(rows.len() / length, length) * length;
    let parts = rows.par_chunks(piece).map_all(|rows| {
        let mut sum = Numbers::filled(T::ZERO, length);
        for row in rows.chunks_exact(length) {
            sum.iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += *value);
        }
        sum
    });
    reduce::add_in_order(parts).unwrap_or_else(|| Numbers::filled(T::ZERO, length))
}

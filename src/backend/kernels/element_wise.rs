//! Element by element, over any number of elements, in parallel.

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use super::pieces::for_each_piece;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// Elements in one piece of parallel work.
pub(in crate::backend) const PIECE: usize = 1 << 14;

vectorised! {
    fn map_piece[T: Float, F: Fn(T) -> T + Copy](input: &[T], output: &mut [T], function: F) {
        for (output, input) in output.iter_mut().zip(input) {
            *output = function(*input);
        }
    }
}

vectorised! {
    fn zip_piece[T: Float, F: Fn(T, T) -> T + Copy](
        left: &[T], right: &[T], output: &mut [T], function: F,
    ) {
        for ((output, left), right) in output.iter_mut().zip(left).zip(right) {
            *output = function(*left, *right);
        }
    }
}

vectorised! {
    fn add_piece[T: Float](target: &mut [T], addend: &[T]) {
        for (target, addend) in target.iter_mut().zip(addend) {
            *target += *addend;
        }
    }
}

/// The function of every element.
pub(in crate::backend) fn map<T: Float>(
    input: &[T],
    function: impl Fn(T) -> T + Copy + Sync,
) -> Numbers<T> {
    let mut output = memory::buffer(input.len());
    for_each_piece(&mut output, PIECE, |piece, output| {
        let input = &input[piece * PIECE..][..output.len()];
        map_piece(input, output, function);
    });
    output
}

/// The function of every pair of elements.
pub(in crate::backend) fn zip<T: Float>(
    left: &[T],
    right: &[T],
    function: impl Fn(T, T) -> T + Copy + Sync,
) -> Numbers<T> {
    let mut output = memory::buffer(left.len());
    for_each_piece(&mut output, PIECE, |piece, output| {
        let [left, right] = [left, right].map(|it| &it[piece * PIECE..][..output.len()]);
        zip_piece(left, right, output, function);
    });
    output
}

/// Adds to every element of the target.
pub(in crate::backend) fn add_to<T: Float>(target: &mut [T], addend: &[T]) {
    target
        .par_chunks_mut(PIECE)
        .zip(addend.par_chunks(PIECE))
        .for_each(|(target, addend)| add_piece(target, addend));
}

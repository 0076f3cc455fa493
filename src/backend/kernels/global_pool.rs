//! The largest value or the mean of every channel, and their gradients.

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use super::reduce;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// The mean of every row of this length.
pub(in crate::backend) fn average<T: Float>(length: usize, input: &[T]) -> Numbers<T> {
    let scale = T::of(1.0 / length as f64);
    let rows = input.par_chunks(length).with_min_len(64);
    rows.map_all(|row| reduce::sum(row) * scale).into()
}

/// The gradient of the rows, from that of their means.
pub(in crate::backend) fn average_gradient<T: Float>(length: usize, gradient: &[T]) -> Numbers<T> {
    let scale = T::of(1.0 / length as f64);
    let mut target = memory::zeros(gradient.len() * length);
    target
        .par_chunks_mut(length)
        .with_min_len(64)
        .zip(gradient)
        .for_each(|(row, gradient)| row.fill(*gradient * scale));
    target
}

/// The largest value of every row of this length, and where it is first found. What is not a number
/// is larger than all.
pub(in crate::backend) fn maximum<T: Float>(length: usize, input: &[T]) -> (Numbers<T>, Vec<u32>) {
    let (values, places): (Vec<T>, Vec<u32>) = input
        .par_chunks(length)
        .with_min_len(64)
        .map_all(|row| {
            let mut best = (row[0], 0);
            for (value, place) in row.iter().zip(0..) {
                if *value > best.0 || value.is_nan() {
                    best = (*value, place);
                }
            }
            best
        })
        .into_iter()
        .unzip();
    (values.into(), places)
}

/// The gradient of the rows, from that of their largest values.
pub(in crate::backend) fn maximum_gradient<T: Float>(
    length: usize,
    places: &[u32],
    gradient: &[T],
) -> Numbers<T> {
    let mut target = memory::zeros(gradient.len() * length);
    target
        .par_chunks_mut(length)
        .with_min_len(64)
        .zip(gradient)
        .zip(places)
        .for_each(|((row, gradient), place)| row[*place as usize] = *gradient);
    target
}

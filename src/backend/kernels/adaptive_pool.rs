//! Pooling to a given size, and its gradient: windows that divide the image as evenly as can be.

use std::ops::Range;

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// Adaptive pooling of images of one size.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct Geometry {
    /// Height and width of an image.
    pub(in crate::backend) image: [usize; 2],
    /// Height and width of the output.
    pub(in crate::backend) output: [usize; 2],
}

impl Geometry {
    fn pixels(&self) -> usize {
        self.image[0] * self.image[1]
    }

    fn windows(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// The pixels of every window along an axis.
    fn ranges(&self, axis: usize) -> Vec<Range<usize>> {
        let (from, to) = (self.image[axis], self.output[axis]);
        (0..to)
            .map(|window| window * from / to..((window + 1) * from).div_ceil(to))
            .collect()
    }
}

/// What all images of a batch share: the windows along height and width.
struct Windows {
    rows: Vec<Range<usize>>,
    columns: Vec<Range<usize>>,
}

impl Windows {
    fn of(geometry: &Geometry) -> Self {
        Windows {
            rows: geometry.ranges(0),
            columns: geometry.ranges(1),
        }
    }

    /// The windows in order, each with its rows and columns.
    fn iter(&self) -> impl Iterator<Item = (&Range<usize>, &Range<usize>)> {
        let of_row = |rows| self.columns.iter().map(move |columns| (rows, columns));
        self.rows.iter().flat_map(of_row)
    }
}

/// One over the number of pixels of a window.
fn share<T: Float>(rows: &Range<usize>, columns: &Range<usize>) -> T {
    T::of(1.0 / (rows.len() as f64 * columns.len() as f64))
}

/// The mean of every window.
pub(in crate::backend) fn average<T: Float>(geometry: &Geometry, input: &[T]) -> Numbers<T> {
    let windows = Windows::of(geometry);
    let width = geometry.image[1];
    let mut output = memory::zeros(input.len() / geometry.pixels() * geometry.windows());
    output
        .par_chunks_mut(geometry.windows())
        .zip(input.par_chunks(geometry.pixels()))
        .with_min_len(8)
        .for_each(|(output, input)| {
            for (mean, (rows, columns)) in output.iter_mut().zip(windows.iter()) {
                for row in rows.clone() {
                    let row = &input[row * width..][columns.clone()];
                    row.iter().for_each(|value| *mean += *value);
                }
                *mean *= share(rows, columns);
            }
        });
    output
}

/// The gradient of the input of [`average`].
pub(in crate::backend) fn average_gradient<T: Float>(
    geometry: &Geometry,
    gradient: &[T],
) -> Numbers<T> {
    let windows = Windows::of(geometry);
    let width = geometry.image[1];
    let mut target = memory::zeros(gradient.len() / geometry.windows() * geometry.pixels());
    target
        .par_chunks_mut(geometry.pixels())
        .zip(gradient.par_chunks(geometry.windows()))
        .with_min_len(8)
        .for_each(|(target, gradient)| {
            for (gradient, (rows, columns)) in gradient.iter().zip(windows.iter()) {
                let share = *gradient * share(rows, columns);
                for row in rows.clone() {
                    let row = &mut target[row * width..][columns.clone()];
                    row.iter_mut().for_each(|value| *value += share);
                }
            }
        });
    target
}

/// The largest value of every window and where in its image it is first found. What is not a number
/// is larger than all.
pub(in crate::backend) fn maximum<T: Float>(
    geometry: &Geometry,
    input: &[T],
) -> (Numbers<T>, Vec<u32>) {
    let windows = Windows::of(geometry);
    let width = geometry.image[1];
    let values = input.len() / geometry.pixels() * geometry.windows();
    let mut output = Numbers::filled(T::LOWEST, values);
    let mut places = vec![0; output.len()];
    output
        .par_chunks_mut(geometry.windows())
        .zip(places.par_chunks_mut(geometry.windows()))
        .zip(input.par_chunks(geometry.pixels()))
        .with_min_len(8)
        .for_each(|((output, places), input)| {
            let targets = output.iter_mut().zip(places);
            for ((best, place), (rows, columns)) in targets.zip(windows.iter()) {
                *place = (rows.start * width + columns.start) as u32;
                for at in rows
                    .clone()
                    .flat_map(|row| columns.clone().map(move |column| row * width + column))
                {
                    if input[at] > *best || input[at].is_nan() {
                        (*best, *place) = (input[at], at as u32);
                    }
                }
            }
        });
    (output, places)
}

/// The gradient of the input of [`maximum`].
pub(in crate::backend) fn maximum_gradient<T: Float>(
    geometry: &Geometry,
    places: &[u32],
    gradient: &[T],
) -> Numbers<T> {
    let mut target = memory::zeros(gradient.len() / geometry.windows() * geometry.pixels());
    target
        .par_chunks_mut(geometry.pixels())
        .zip(places.par_chunks(geometry.windows()))
        .zip(gradient.par_chunks(geometry.windows()))
        .with_min_len(8)
        .for_each(|((target, places), gradient)| {
            for (place, gradient) in places.iter().zip(gradient) {
                target[*place as usize] += *gradient;
            }
        });
    target
}

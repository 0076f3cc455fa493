//! Images cut into windows for attention (Liu et al., 2021), and the relative positions in a window.

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use crate::backend::memory;
use crate::backend::numbers::Numbers;
use crate::plan::WindowAttention;

/// What is added to the score of a pair that was not adjacent before the image was rolled, as in the
/// program of the authors.
const APART: f64 = -100.0;

/// How an image is cut.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct Geometry {
    /// The attributes of the layer.
    pub(in crate::backend) attributes: WindowAttention,
    /// Height and width.
    pub(in crate::backend) image: [usize; 2],
}

impl Geometry {
    /// Positions of a window.
    pub(in crate::backend) fn tokens(&self) -> usize {
        self.attributes.window * self.attributes.window
    }

    /// Windows of an image.
    pub(in crate::backend) fn windows(&self) -> usize {
        self.image[0] * self.image[1] / self.tokens()
    }

    /// The shift along an axis.
    fn shift(&self, axis: usize) -> usize {
        self.attributes.shifts(self.image)[axis]
    }

    /// Calls `visit` with the place in the rolled image of each position of each window.
    fn for_each_position(&self, mut visit: impl FnMut([usize; 2])) {
        let window = self.attributes.window;
        for top in (0..self.image[0]).step_by(window) {
            for left in (0..self.image[1]).step_by(window) {
                for y in top..top + window {
                    for x in left..left + window {
                        visit([y, x]);
                    }
                }
            }
        }
    }

    /// For each position of each window the place in the image.
    fn places(&self) -> Vec<usize> {
        let [height, width] = self.image;
        let mut places = Vec::with_capacity(height * width);
        self.for_each_position(|[y, x]| {
            let y = (y + self.shift(0)) % height;
            places.push(y * width + (x + self.shift(1)) % width);
        });
        places
    }

    /// Images `[n, channels, h, w]` as the positions of their windows,
    /// `[n, windows, tokens, channels]`.
    pub(in crate::backend) fn cut<T: Float>(&self, input: &[T]) -> Numbers<T> {
        let (places, channels) = (self.places(), self.attributes.channels);
        let mut output = memory::zeros(input.len());
        output
            .par_chunks_mut(places.len() * channels)
            .zip(input.par_chunks(places.len() * channels))
            .for_each(|(output, input)| {
                for (position, place) in output.chunks_exact_mut(channels).zip(&places) {
                    let image = input[*place..].iter().step_by(places.len());
                    position
                        .iter_mut()
                        .zip(image)
                        .for_each(|(to, from)| *to = *from);
                }
            });
        output
    }

    /// Undoes [`Self::cut`]; also its gradient, as that is this one's.
    pub(in crate::backend) fn join<T: Float>(&self, input: &[T]) -> Numbers<T> {
        let (places, channels) = (self.places(), self.attributes.channels);
        let mut output = memory::zeros(input.len());
        output
            .par_chunks_mut(places.len() * channels)
            .zip(input.par_chunks(places.len() * channels))
            .for_each(|(output, input)| {
                for (position, place) in input.chunks_exact(channels).zip(&places) {
                    let image = output[*place..].iter_mut().step_by(places.len());
                    image.zip(position).for_each(|(to, from)| *to = *from);
                }
            });
        output
    }

    /// What is added to the scores of each window, `[windows, tokens, tokens]`; nothing where no
    /// window holds what was apart. Rolling brings the first rows and columns behind the last, which
    /// only the last windows meet.
    pub(in crate::backend) fn masks<T: Float>(&self) -> Option<Numbers<T>> {
        if self.shift(0) == 0 && self.shift(1) == 0 {
            return None;
        }
        let came_from_front = |axis: usize, place: usize| {
            self.shift(axis) > 0 && place >= self.image[axis] - self.shift(axis)
        };
        let mut regions = Vec::new();
        self.for_each_position(|[y, x]| {
            regions.push([came_from_front(0, y), came_from_front(1, x)]);
        });
        let mut masks = Vec::with_capacity(regions.len() * self.tokens());
        for window in regions.chunks_exact(self.tokens()) {
            for position in window {
                let others = window.iter().map(|other| match other == position {
                    true => T::ZERO,
                    false => T::of(APART),
                });
                masks.extend(others);
            }
        }
        Some(Numbers::from(masks))
    }

    /// For each pair of positions of a window the row of the table of relative positions.
    fn relative_positions(&self) -> Vec<usize> {
        let window = self.attributes.window;
        let reach = 2 * window - 1;
        let row = |from: usize, to: usize| {
            let distance = |from: usize, to: usize| from + window - 1 - to;
            distance(from / window, to / window) * reach + distance(from % window, to % window)
        };
        (0..self.tokens())
            .flat_map(|from| (0..self.tokens()).map(move |to| row(from, to)))
            .collect()
    }

    /// What the table `[(2 * window - 1)^2, heads]` adds to the scores, `[heads, tokens, tokens]`.
    pub(in crate::backend) fn biases<T: Float>(&self, table: &[T]) -> Numbers<T> {
        let (rows, heads) = (self.relative_positions(), self.attributes.heads);
        (0..heads)
            .flat_map(|head| rows.iter().map(move |row| table[row * heads + head]))
            .collect()
    }

    /// The gradient of the table, from that of what it adds to the scores.
    pub(in crate::backend) fn table_gradient<T: Float>(&self, biases: &[T]) -> Numbers<T> {
        let (rows, heads) = (self.relative_positions(), self.attributes.heads);
        let reach = 2 * self.attributes.window - 1;
        let mut table = Numbers::filled(T::ZERO, reach * reach * heads);
        for (head, biases) in biases.chunks_exact(rows.len()).enumerate() {
            for (row, bias) in rows.iter().zip(biases) {
                table[row * heads + head] += *bias;
            }
        }
        table
    }
}

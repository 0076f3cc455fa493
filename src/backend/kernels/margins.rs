//! Margins around images: padding with zeros or with the image itself, cropping, and their gradients.

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use super::pieces::for_each_piece;
use crate::backend::memory;
use crate::backend::numbers::Numbers;
use crate::operations::Filling;

/// The images in a piece of parallel work.
const IMAGES: usize = 8;

/// Images and the same images with margins around them.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct Geometry {
    /// Height and width without margins.
    pub(in crate::backend) image: [usize; 2],
    /// Rows above and columns on the left.
    pub(in crate::backend) before: [usize; 2],
    /// Rows below and columns on the right.
    pub(in crate::backend) after: [usize; 2],
}

impl Geometry {
    /// Height and width with margins.
    pub(in crate::backend) fn padded(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.before[axis] + self.image[axis] + self.after[axis])
    }

    fn pixels(&self) -> usize {
        self.image[0] * self.image[1]
    }

    fn padded_pixels(&self) -> usize {
        self.padded().iter().product()
    }

    /// The place in the image that a place of the padded image shows along an axis; none for zeros.
    fn source(&self, axis: usize, filling: Filling, place: usize) -> Option<usize> {
        let (size, before) = (self.image[axis], self.before[axis]);
        if (before..before + size).contains(&place) {
            return Some(place - before);
        }
        let is_before = place < before;
        match filling {
            Filling::Zero => None,
            Filling::Replicate if is_before => Some(0),
            Filling::Replicate => Some(size - 1),
            Filling::Reflect if is_before => Some(before - place),
            Filling::Reflect => Some(2 * (size - 1) - (place - before)),
            Filling::Circular if is_before => Some(size - (before - place)),
            Filling::Circular => Some(place - before - size),
        }
    }

    fn sources(&self, axis: usize, filling: Filling) -> Vec<Option<usize>> {
        let places = 0..self.padded()[axis];
        places
            .map(|place| self.source(axis, filling, place))
            .collect()
    }

    /// The columns of the margins that show one of the image, with that.
    fn columns(&self, filling: Filling) -> Vec<(usize, usize)> {
        let [start, end] = [self.before[1], self.before[1] + self.image[1]];
        let shown = self.sources(1, filling).into_iter().enumerate();
        shown
            .filter(|(place, _)| !(start..end).contains(place))
            .filter_map(|(place, source)| Some((place, source?)))
            .collect()
    }
}

/// The images with margins.
pub(in crate::backend) fn pad<T: Float>(
    geometry: &Geometry,
    filling: Filling,
    input: &[T],
) -> Numbers<T> {
    let ([_, width], [_, wide]) = (geometry.image, geometry.padded());
    let (rows, columns) = (geometry.sources(0, filling), geometry.columns(filling));
    let inside = geometry.before[1]..geometry.before[1] + width;
    let images = input.len() / geometry.pixels();
    let mut output = memory::zeros(images * geometry.padded_pixels());
    output
        .par_chunks_mut(geometry.padded_pixels())
        .zip(input.par_chunks(geometry.pixels()))
        .with_min_len(IMAGES)
        .for_each(|(output, input)| {
            for (target, source) in output.chunks_exact_mut(wide).zip(&rows) {
                let Some(source) = source else { continue };
                let source = &input[source * width..][..width];
                target[inside.clone()].copy_from_slice(source);
                for (place, shown) in &columns {
                    target[*place] = source[*shown];
                }
            }
        });
    output
}

/// The images without their margins.
pub(in crate::backend) fn crop<T: Float>(geometry: &Geometry, input: &[T]) -> Numbers<T> {
    let ([_, width], [_, wide]) = (geometry.image, geometry.padded());
    let images = input.len() / geometry.padded_pixels();
    let mut output = memory::buffer(images * geometry.pixels());
    let [pixels, padded] = [geometry.pixels(), geometry.padded_pixels()];
    for_each_piece(&mut output, IMAGES * pixels, |piece, output| {
        let images = input[piece * IMAGES * padded..].chunks_exact(padded);
        for (output, input) in output.chunks_exact_mut(pixels).zip(images) {
            let rows = input.chunks_exact(wide).skip(geometry.before[0]);
            for (target, source) in output.chunks_exact_mut(width).zip(rows) {
                target.copy_from_slice(&source[geometry.before[1]..][..width]);
            }
        }
    });
    output
}

/// The gradient of the input of [`pad`]: every pixel gets the sum over the places that show it.
pub(in crate::backend) fn pad_gradient<T: Float>(
    geometry: &Geometry,
    filling: Filling,
    gradient: &[T],
) -> Numbers<T> {
    let ([_, width], [_, wide]) = (geometry.image, geometry.padded());
    let (rows, columns) = (geometry.sources(0, filling), geometry.columns(filling));
    let inside = geometry.before[1]..geometry.before[1] + width;
    let images = gradient.len() / geometry.padded_pixels();
    let mut target = memory::zeros(images * geometry.pixels());
    target
        .par_chunks_mut(geometry.pixels())
        .zip(gradient.par_chunks(geometry.padded_pixels()))
        .with_min_len(IMAGES)
        .for_each(|(target, gradient)| {
            for (gradient, source) in gradient.chunks_exact(wide).zip(&rows) {
                let Some(source) = source else { continue };
                let target = &mut target[source * width..][..width];
                for (target, gradient) in target.iter_mut().zip(&gradient[inside.clone()]) {
                    *target += *gradient;
                }
                for (place, shown) in &columns {
                    target[*shown] += gradient[*place];
                }
            }
        });
    target
}

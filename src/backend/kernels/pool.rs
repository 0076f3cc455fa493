//! Maximum and average pooling with overlap, stride and padding, and their gradients.

use rayon::prelude::*;

use super::float::Float;
use crate::plan::Pool;

/// Pooling of images of one size. Every window holds at least one pixel.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct Geometry {
    /// The attributes.
    pub(in crate::backend) pool: Pool,
    /// Height and width of an image.
    pub(in crate::backend) image: [usize; 2],
    /// Height and width of the output.
    pub(in crate::backend) output: [usize; 2],
}

/// The windows that have a pixel under one tap along an axis: the first window, how many, and the
/// pixel of the first.
#[derive(Clone, Copy)]
struct Span {
    first: usize,
    count: usize,
    pixel: usize,
}

impl Geometry {
    fn pixels(&self) -> usize {
        self.image[0] * self.image[1]
    }

    fn windows(&self) -> usize {
        self.output[0] * self.output[1]
    }

    fn span(&self, axis: usize, tap: usize) -> Span {
        let (stride, padding) = (self.pool.stride[axis], self.pool.padding[axis]);
        let first = padding.saturating_sub(tap).div_ceil(stride);
        let end = match (self.image[axis] + padding).checked_sub(tap + 1) {
            Some(last) => (last / stride + 1).min(self.output[axis]),
            None => 0,
        };
        Span {
            first,
            count: end.saturating_sub(first),
            pixel: (first * stride + tap).saturating_sub(padding),
        }
    }

    /// Calls `visit` for every tap and row of windows with the range of windows in the output, the
    /// first pixel under the tap and the distance to the next.
    #[inline(always)]
    fn for_each_run(&self, mut visit: impl FnMut(std::ops::Range<usize>, usize, usize)) {
        let [height, width] = self.pool.kernel;
        for tap_row in 0..height {
            let rows = self.span(0, tap_row);
            for tap in 0..width {
                let columns = self.span(1, tap);
                if columns.count == 0 {
                    continue;
                }
                for row in 0..rows.count {
                    let start = (rows.first + row) * self.output[1] + columns.first;
                    let pixel_row = rows.pixel + row * self.pool.stride[0];
                    let pixel = pixel_row * self.image[1] + columns.pixel;
                    visit(start..start + columns.count, pixel, self.pool.stride[1]);
                }
            }
        }
    }

    /// One over the number of pixels in every window.
    fn weights<T: Float>(&self) -> Vec<T> {
        let mut counts = vec![0.0; self.windows()];
        self.for_each_run(|windows, _, _| {
            counts[windows].iter_mut().for_each(|count| *count += 1.0);
        });
        counts
            .into_iter()
            .map(|count: f64| T::of(1.0 / count))
            .collect()
    }
}

vectorised! {
    fn maximum_plane[T: Float](
        geometry: &Geometry, input: &[T], output: &mut [T], places: &mut [u32],
    ) {
        output.fill(T::LOWEST);
        geometry.for_each_run(|windows, pixel, stride| {
            let outputs = output[windows.clone()].iter_mut().zip(&mut places[windows]);
            let consider = |(number, (best, place)): (usize, (&mut T, &mut u32)), value: T| {
                // Also where the value is not a number, which then stays.
                let better = value > *best || value.is_nan();
                *best = if better { value } else { *best };
                let here = (pixel + number * stride) as u32;
                *place = if better { here } else { *place };
            };
            match stride {
                1 => outputs
                    .enumerate()
                    .zip(&input[pixel..])
                    .for_each(|(output, value)| consider(output, *value)),
                stride => outputs
                    .enumerate()
                    .zip(input[pixel..].iter().step_by(stride))
                    .for_each(|(output, value)| consider(output, *value)),
            }
        });
    }
}

vectorised! {
    fn average_plane[T: Float](
        geometry: &Geometry, weights: &[T], input: &[T], output: &mut [T],
    ) {
        geometry.for_each_run(|windows, pixel, stride| {
            let outputs = output[windows].iter_mut();
            match stride {
                1 => outputs
                    .zip(&input[pixel..])
                    .for_each(|(sum, value)| *sum += *value),
                stride => outputs
                    .zip(input[pixel..].iter().step_by(stride))
                    .for_each(|(sum, value)| *sum += *value),
            }
        });
        output
            .iter_mut()
            .zip(weights)
            .for_each(|(sum, weight)| *sum *= *weight);
    }
}

vectorised! {
    fn average_gradient_plane[T: Float](
        geometry: &Geometry, weights: &[T], gradient: &[T], target: &mut [T],
    ) {
        geometry.for_each_run(|windows, pixel, stride| {
            let shares = gradient[windows.clone()].iter().zip(&weights[windows]);
            match stride {
                1 => shares
                    .zip(&mut target[pixel..])
                    .for_each(|((gradient, weight), target)| *target += *gradient * *weight),
                stride => shares
                    .zip(target[pixel..].iter_mut().step_by(stride))
                    .for_each(|((gradient, weight), target)| *target += *gradient * *weight),
            }
        });
    }
}

/// The largest value in every window and where in its image it is first found. What is not a
/// number is larger than all.
pub(in crate::backend) fn maximum<T: Float>(
    geometry: &Geometry,
    input: &[T],
) -> (Vec<T>, Vec<u32>) {
    let images = input.len() / geometry.pixels();
    let mut output = vec![T::ZERO; images * geometry.windows()];
    let mut places = vec![0; output.len()];
    output
        .par_chunks_mut(geometry.windows())
        .zip(places.par_chunks_mut(geometry.windows()))
        .zip(input.par_chunks(geometry.pixels()))
        .with_min_len(8)
        .for_each(|((output, places), input)| maximum_plane(geometry, input, output, places));
    (output, places)
}

/// The gradient of the input of [`maximum`].
pub(in crate::backend) fn maximum_gradient<T: Float>(
    geometry: &Geometry,
    places: &[u32],
    gradient: &[T],
) -> Vec<T> {
    let images = gradient.len() / geometry.windows();
    let mut target = vec![T::ZERO; images * geometry.pixels()];
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

/// The mean of the pixels in every window.
pub(in crate::backend) fn average<T: Float>(geometry: &Geometry, input: &[T]) -> Vec<T> {
    let weights = geometry.weights();
    let images = input.len() / geometry.pixels();
    let mut output = vec![T::ZERO; images * geometry.windows()];
    output
        .par_chunks_mut(geometry.windows())
        .zip(input.par_chunks(geometry.pixels()))
        .with_min_len(8)
        .for_each(|(output, input)| average_plane(geometry, &weights, input, output));
    output
}

/// The gradient of the input of [`average`].
pub(in crate::backend) fn average_gradient<T: Float>(
    geometry: &Geometry,
    gradient: &[T],
) -> Vec<T> {
    let weights = geometry.weights();
    let images = gradient.len() / geometry.windows();
    let mut target = vec![T::ZERO; images * geometry.pixels()];
    target
        .par_chunks_mut(geometry.pixels())
        .zip(gradient.par_chunks(geometry.windows()))
        .with_min_len(8)
        .for_each(|(target, gradient)| {
            average_gradient_plane(geometry, &weights, gradient, target);
        });
    target
}

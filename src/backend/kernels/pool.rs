//! Maximum and average pooling with overlap, stride and padding, and their gradients. The last window
//! may hang over the padding.

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use super::sliding::Sliding;
use crate::backend::memory;
use crate::backend::numbers::Numbers;
use crate::plan::Pool;

mod fold;

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

/// Windows side by side and the pixels that one tap finds under them.
struct Run {
    /// The first window.
    first: usize,
    /// The window behind the last.
    end: usize,
    /// The pixel under the first.
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

    /// The spans of the taps along an axis under which there are pixels. A window may be far larger
    /// than the image.
    fn spans(&self, axis: usize) -> Vec<Span> {
        let (stride, padding) = (self.pool.stride[axis], self.pool.padding[axis]);
        let first = padding.saturating_sub((self.output[axis] - 1) * stride);
        let end = self.pool.kernel[axis].min(self.image[axis] + padding);
        let spans = (first..end).map(|tap| self.span(axis, tap));
        spans.filter(|span| span.count > 0).collect()
    }

    /// The runs of all taps, in their order.
    fn runs(&self) -> Vec<Run> {
        let [rows, columns] = [self.spans(0), self.spans(1)];
        let mut runs = Vec::new();
        for rows in &rows {
            for columns in &columns {
                runs.extend((0..rows.count).map(|row| {
                    let window = (rows.first + row) * self.output[1] + columns.first;
                    let pixel_row = rows.pixel + row * self.pool.stride[0];
                    Run {
                        first: window,
                        end: window + columns.count,
                        pixel: pixel_row * self.image[1] + columns.pixel,
                    }
                }));
            }
        }
        runs
    }

    /// Whether a window is so large that its taps are many beside the pixels of an image.
    fn has_many_taps(&self) -> bool {
        const MOST: usize = 64;
        let [height, width] = self.pool.kernel;
        height.saturating_mul(width) > MOST
    }

    fn windows_of_taps(&self) -> Sliding {
        Sliding::of_pool(&self.pool, self.image, self.output)
    }

    /// The distance between the pixels of a run.
    fn step(&self) -> usize {
        self.pool.stride[1]
    }

    /// How many pixels that count a window covers along an axis: those of the image, and those of
    /// the padding if they count, but never what hangs over it.
    fn covered(&self, axis: usize) -> Vec<usize> {
        let Pool {
            kernel,
            stride,
            padding,
            count_padding,
            ..
        } = self.pool;
        let (size, padding) = (self.image[axis], padding[axis]);
        let (first, end) = match count_padding {
            true => (0, size + 2 * padding),
            false => (padding, size + padding),
        };
        let windows = 0..self.output[axis];
        windows
            .map(|window| window * stride[axis])
            .map(|start| (start + kernel[axis]).min(end) - start.max(first))
            .collect()
    }

    /// One over the number of pixels that count in every window.
    fn weights<T: Float>(&self) -> Numbers<T> {
        let [rows, columns] = [self.covered(0), self.covered(1)];
        let of_row = |row: usize| {
            let counts = columns
                .iter()
                .map(move |column| row as f64 * *column as f64);
            counts.map(|count| T::of(1.0 / count))
        };
        rows.into_iter().flat_map(of_row).collect()
    }
}

/// Takes the values under one tap into the maxima of windows side by side.
#[inline(always)]
fn consider<T: Float>(values: &[T], first: u32, step: u32, best: &mut [T], places: &mut [u32]) {
    let count = best.len();
    let (values, places) = (&values[..count], &mut places[..count]);
    for window in 0..count {
        let value = values[window];
        // What is not a number stays, for nothing is larger.
        let better = (value > best[window]) | value.is_nan();
        best[window] = if better { value } else { best[window] };
        let here = first.wrapping_add((window as u32).wrapping_mul(step));
        places[window] = if better { here } else { places[window] };
    }
}

/// The values under one tap, side by side: as they are, or copied into the buffer.
#[inline(always)]
fn side_by_side<'a, T: Float>(values: &'a [T], step: usize, buffer: &'a mut [T]) -> &'a [T] {
    if step == 1 {
        return values;
    }
    let values = &values[..(buffer.len() - 1) * step + 1];
    for (place, target) in buffer.iter_mut().enumerate() {
        *target = values[place * step];
    }
    buffer
}

/// Adds the values under one tap to the sums of windows side by side.
#[inline(always)]
fn gather<T: Float>(values: &[T], sums: &mut [T]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += *value;
    }
}

/// Adds the shares of windows side by side to the values under one tap.
#[inline(always)]
fn scatter<T: Float>(shares: &[T], step: usize, values: &mut [T]) {
    if step == 1 {
        for (value, share) in values.iter_mut().zip(shares) {
            *value += *share;
        }
        return;
    }
    let values = &mut values[..(shares.len() - 1) * step + 1];
    for (place, share) in shares.iter().enumerate() {
        values[place * step] += *share;
    }
}

vectorised! {
    fn maximum_plane[T: Float](
        runs: &[Run], step: usize, input: &[T], output: &mut [T], places: &mut [u32],
        buffer: &mut [T],
    ) {
        output.fill(T::LOWEST);
        for run in runs {
            let best = &mut output[run.first..run.end];
            let places = &mut places[run.first..run.end];
            let values = side_by_side(&input[run.pixel..], step, &mut buffer[..best.len()]);
            consider(values, run.pixel as u32, step as u32, best, places);
        }
    }
}

vectorised! {
    fn average_plane[T: Float](
        runs: &[Run], step: usize, weights: &[T], input: &[T], output: &mut [T],
        buffer: &mut [T],
    ) {
        for run in runs {
            let sums = &mut output[run.first..run.end];
            gather(side_by_side(&input[run.pixel..], step, &mut buffer[..sums.len()]), sums);
        }
        for (sum, weight) in output.iter_mut().zip(weights) {
            *sum *= *weight;
        }
    }
}

vectorised! {
    fn average_gradient_plane[T: Float](
        runs: &[Run], step: usize, shares: &[T], target: &mut [T],
    ) {
        for run in runs {
            scatter(&shares[run.first..run.end], step, &mut target[run.pixel..]);
        }
    }
}

/// The largest value in every window and where in its image it is first found. What is not a
/// number is larger than all.
pub(in crate::backend) fn maximum<T: Float>(
    geometry: &Geometry,
    input: &[T],
) -> (Numbers<T>, Vec<u32>) {
    let images = input.len() / geometry.pixels();
    let mut output = memory::buffer(images * geometry.windows());
    let mut places = vec![0; output.len()];
    let runs = geometry.runs();
    output
        .par_chunks_mut(geometry.windows())
        .zip(places.par_chunks_mut(geometry.windows()))
        .zip(input.par_chunks(geometry.pixels()))
        .with_min_len(8)
        .for_each_init(
            || vec![T::ZERO; geometry.output[1]],
            |buffer, ((output, places), input)| {
                maximum_plane(&runs, geometry.step(), input, output, places, buffer);
            },
        );
    (output, places)
}

/// The largest values alone, which take a fraction of the time.
pub(in crate::backend) fn maximum_alone<T: Float>(geometry: &Geometry, input: &[T]) -> Numbers<T> {
    if geometry.has_many_taps() {
        return maximum(geometry, input).0;
    }
    // What is not a number stays, for nothing is larger.
    let larger = |best: T, value: T| match (value > best) | value.is_nan() {
        true => value,
        false => best,
    };
    fold::forward(&geometry.windows_of_taps(), input, T::LOWEST, larger, None)
}

/// The gradient of the input of [`maximum`].
pub(in crate::backend) fn maximum_gradient<T: Float>(
    geometry: &Geometry,
    places: &[u32],
    gradient: &[T],
) -> Numbers<T> {
    let images = gradient.len() / geometry.windows();
    let mut target = memory::zeros(images * geometry.pixels());
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
pub(in crate::backend) fn average<T: Float>(geometry: &Geometry, input: &[T]) -> Numbers<T> {
    let weights = geometry.weights();
    if geometry.has_many_taps() {
        return average_of_many(geometry, &weights, input);
    }
    let windows = geometry.windows_of_taps();
    fold::forward(
        &windows,
        input,
        T::ZERO,
        |sum, value| sum + value,
        Some(&weights),
    )
}

/// The same, by runs of windows that have a pixel under a tap.
fn average_of_many<T: Float>(geometry: &Geometry, weights: &[T], input: &[T]) -> Numbers<T> {
    let runs = geometry.runs();
    let images = input.len() / geometry.pixels();
    let mut output = memory::zeros(images * geometry.windows());
    output
        .par_chunks_mut(geometry.windows())
        .zip(input.par_chunks(geometry.pixels()))
        .with_min_len(8)
        .for_each_init(
            || vec![T::ZERO; geometry.output[1]],
            |buffer, (output, input)| {
                average_plane(&runs, geometry.step(), weights, input, output, buffer);
            },
        );
    output
}

/// The gradient of the input of [`average`].
pub(in crate::backend) fn average_gradient<T: Float>(
    geometry: &Geometry,
    gradient: &[T],
) -> Numbers<T> {
    let runs = geometry.runs();
    let weights = geometry.weights();
    let images = gradient.len() / geometry.windows();
    let mut target = memory::zeros(images * geometry.pixels());
    target
        .par_chunks_mut(geometry.pixels())
        .zip(gradient.par_chunks(geometry.windows()))
        .with_min_len(8)
        .for_each_init(
            || vec![T::ZERO; geometry.windows()],
            |shares, (target, gradient)| {
                let parts = shares.iter_mut().zip(gradient).zip(&weights);
                parts.for_each(|((share, gradient), weight)| *share = *gradient * *weight);
                average_gradient_plane(&runs, geometry.step(), shares, target);
            },
        );
    target
}

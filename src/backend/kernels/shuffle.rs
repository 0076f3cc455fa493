//! Channels traded for pixels and back, and channels in another order.

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// From `factor * factor` channels of images of this height and width to one of an image larger by
/// the factor: channel `i * factor + j` gives the pixels at `(i, j)` modulo the factor. The inverse
/// of [`pixels_to_channels`], and its gradient.
pub(in crate::backend) fn channels_to_pixels<T: Float>(
    [height, width]: [usize; 2],
    factor: usize,
    input: &[T],
) -> Numbers<T> {
    let (pixels, wide) = (height * width, width * factor);
    let size = pixels * factor * factor;
    let mut output = memory::zeros(input.len());
    output
        .par_chunks_mut(size)
        .zip(input.par_chunks(size))
        .with_min_len(4)
        .for_each(|(output, input)| {
            for (number, target) in output.chunks_exact_mut(wide).enumerate() {
                let (row, i) = (number / factor, number % factor);
                for j in 0..factor {
                    let source = &input[(i * factor + j) * pixels + row * width..][..width];
                    let places = target[j..].iter_mut().step_by(factor);
                    places
                        .zip(source)
                        .for_each(|(target, value)| *target = *value);
                }
            }
        });
    output
}

/// From one channel of an image to `factor * factor` channels of images of this height and width,
/// smaller by the factor. The inverse of [`channels_to_pixels`], and its gradient.
pub(in crate::backend) fn pixels_to_channels<T: Float>(
    [height, width]: [usize; 2],
    factor: usize,
    input: &[T],
) -> Numbers<T> {
    let (pixels, wide) = (height * width, width * factor);
    let size = pixels * factor * factor;
    let mut output = memory::zeros(input.len());
    output
        .par_chunks_mut(size)
        .zip(input.par_chunks(size))
        .with_min_len(4)
        .for_each(|(output, input)| {
            for (number, source) in input.chunks_exact(wide).enumerate() {
                let (row, i) = (number / factor, number % factor);
                for j in 0..factor {
                    let target = &mut output[(i * factor + j) * pixels + row * width..][..width];
                    let values = source[j..].iter().step_by(factor);
                    target
                        .iter_mut()
                        .zip(values)
                        .for_each(|(target, value)| *target = *value);
                }
            }
        });
    output
}

/// The channels of every image, each of `pixels` numbers, in another order: the first of each group
/// of channels side by side, then the second of each, and so on. With the number of channels in a
/// group for `groups` it is its own inverse, and so its gradient.
pub(in crate::backend) fn channels<T: Float>(
    channels: usize,
    groups: usize,
    pixels: usize,
    input: &[T],
) -> Numbers<T> {
    let in_group = channels / groups;
    let mut output = memory::zeros(input.len());
    output
        .par_chunks_mut(channels * pixels)
        .zip(input.par_chunks(channels * pixels))
        .for_each(|(output, input)| {
            for (number, target) in output.chunks_exact_mut(pixels).enumerate() {
                let source = number % groups * in_group + number / groups;
                target.copy_from_slice(&input[source * pixels..][..pixels]);
            }
        });
    output
}

//! The output of a convolution.
//!
//! A batch is cut into tiles of images. Where there are few of them, what a tile gives is cut into pieces
//! of channels too. An output is computed alike in either case: no cut goes through a sum.

use std::ops::Range;

use rayon::prelude::*;

use super::{Direct, Epilogue, Filter, Geometry, Shifts};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::pieces::units_in_piece;
use crate::backend::kernels::pixels::product_of_pixels;
use crate::backend::kernels::rectifier::{self, relu};
use crate::backend::kernels::scratch::{Scratch, Scratches};
use crate::backend::kernels::shifted::{Packed, Shifted, finished_product, shared_product};
use crate::backend::kernels::winograd::{self, Transformed};
use crate::backend::kernels::{depthwise, element_wise};
use crate::backend::memory::{self, Buffer};

/// So many tiles keep all threads busy.
const ENOUGH_TILES: usize = 8;

/// The least channels in a piece: as many as are computed at once.
const LEAST_CHANNELS: usize = 8;

/// The least pixels in a piece: several vectors.
const LEAST_PIXELS: usize = 64;

/// The output.
pub(in crate::backend) fn forward<T: Float>(
    geometry: &Geometry,
    input: &[T],
    filter: &Filter<T>,
    epilogue: Epilogue<T>,
) -> Vec<T> {
    match filter {
        Filter::Depthwise(weight) => {
            depthwise::forward::<T, false>(geometry, input, weight, epilogue)
        }
        Filter::Direct(filter) => {
            let mut output = memory::buffer(geometry.batch * geometry.output_size());
            direct(geometry, input, filter, epilogue, &mut output);
            output
        }
        Filter::Winograd(filter) => with_winograd(geometry, input, filter, epilogue),
    }
}

/// The output for the input's `relu`.
pub(in crate::backend) fn forward_of_rectified<T: Float>(
    geometry: &Geometry,
    input: &[T],
    filter: &Filter<T>,
    epilogue: Epilogue<T>,
) -> Vec<T> {
    match filter {
        Filter::Depthwise(weight) => {
            depthwise::forward::<T, true>(geometry, input, weight, epilogue)
        }
        Filter::Direct(_) | Filter::Winograd(_) => {
            let rectified = Buffer::new(element_wise::map(input, relu));
            forward(geometry, &rectified, filter, epilogue)
        }
    }
}

/// The output, and `addend`, of its size, added to it before the activation: in the same memory.
pub(in crate::backend) fn forward_onto<T: Float>(
    geometry: &Geometry,
    input: &[T],
    filter: &Filter<T>,
    epilogue: Epilogue<T>,
    mut addend: Vec<T>,
) -> Vec<T> {
    if let Filter::Direct(filter) = filter {
        direct(geometry, input, filter, epilogue.adding(), &mut addend);
        return addend;
    }
    let (rectifier, bare) = epilogue.split();
    let convolved = Buffer::new(forward(geometry, input, filter, bare));
    rectifier::sum(rectifier, &convolved, &Buffer::new(addend))
}

/// By Winograd's algorithm.
fn with_winograd<T: Float>(
    geometry: &Geometry,
    input: &[T],
    filter: &Transformed<T>,
    epilogue: Epilogue<T>,
) -> Vec<T> {
    let mut output = memory::buffer(geometry.batch * geometry.output_size());
    let finish = |first: usize, pixels: usize, output: &mut [T]| {
        let channels = (output.len() / pixels).min(geometry.convolution.output);
        let epilogue = epilogue.of_channels(first..first + channels);
        epilogue.apply(pixels, output);
    };
    let (tiling, scratches) = (geometry.tiling(), Scratches::new());
    winograd::forward(&tiling, filter, &scratches, input, &mut output, finish);
    output
}

/// By products with shifted rows.
fn direct<T: Float>(
    geometry: &Geometry,
    input: &[T],
    filter: &Direct<T>,
    epilogue: Epilogue<T>,
    output: &mut [T],
) {
    let shifts = filter.shifts(geometry);
    let layout = &shifts.layout;
    let pass = Pass {
        geometry,
        shifts: &shifts,
        filters: &filter.groups,
        epilogue,
        scratches: Scratches::new(),
    };
    let tiles = geometry.batch.div_ceil(layout.images);
    let pieces = output.par_chunks_mut(layout.images * geometry.output_size());
    let pieces = pieces.zip(input.par_chunks(layout.images * geometry.input_size()));
    if tiles < ENOUGH_TILES && layout.images == 1 {
        pieces.for_each(|(output, input)| pass.image(input, output));
    } else {
        pieces.for_each(|(output, input)| pass.tile(input, output));
    }
}

/// What all pieces of a forward pass share.
struct Pass<'a, T: Float> {
    geometry: &'a Geometry,
    shifts: &'a Shifts,
    filters: &'a [Packed<T>],
    epilogue: Epilogue<'a, T>,
    scratches: Scratches<T>,
}

impl<T: Float> Pass<'_, T> {
    /// The least channels that a piece of an image can have.
    fn unit(&self) -> usize {
        match self.geometry.convolution.groups {
            1 => LEAST_CHANNELS,
            _ => self.geometry.group_output(),
        }
    }

    /// The output channels in a piece of one image.
    fn channels_in_piece(&self) -> usize {
        let (channels, unit) = (self.geometry.convolution.output, self.unit());
        let work = unit * self.shifts.offsets.len() * self.geometry.output_pixels();
        unit * units_in_piece(channels.div_ceil(unit), work)
    }

    /// Whether an image is rather cut into pieces of pixels: where pieces of channels leave a thread without work.
    fn is_cut_by_pixels(&self) -> bool {
        let units = self.geometry.convolution.output.div_ceil(self.unit());
        self.geometry.convolution.groups == 1
            && self.shifts.layout.output_is_plain()
            && !units.is_multiple_of(rayon::current_num_threads())
    }

    /// The images of one tile, on the calling thread.
    fn tile(&self, input: &[T], output: &mut [T]) {
        let mut scratch = self.scratches.take();
        let size = self.geometry.group_output() * self.geometry.output_pixels();
        for group in 0..self.geometry.convolution.groups {
            let place = group * size..(group + 1) * size;
            let image = self.geometry.output_size();
            self.group(group, input, &mut scratch, output, image, place);
        }
        self.scratches.give(scratch);
    }

    /// One image, in pieces of channels or of pixels.
    fn image(&self, input: &[T], output: &mut [T]) {
        let channels = self.channels_in_piece();
        let pieces = output.par_chunks_mut(channels * self.geometry.output_pixels());
        if self.geometry.convolution.groups > 1 {
            let pieces = pieces.enumerate();
            return pieces.for_each(|(piece, output)| self.groups(piece * channels, input, output));
        }
        let mut scratch = self.scratches.take();
        let all = 0..self.geometry.convolution.input;
        let padded = (self.geometry).lay_out(&self.shifts.layout, all, input, &mut scratch.padded);
        if self.is_cut_by_pixels() {
            self.pixels_of_image(padded, output);
        } else {
            pieces.enumerate().for_each(|(piece, output)| {
                let mut scratch = self.scratches.take();
                let rows = self.channels_of(piece * channels, output);
                let size = output.len();
                self.product(rows, padded, &mut scratch.runs, output, size, 0..size);
                self.scratches.give(scratch);
            });
        }
        self.scratches.give(scratch);
    }

    /// One image, in pieces of pixels.
    fn pixels_of_image(&self, source: &[T], output: &mut [T]) {
        let right = Shifted {
            source,
            offsets: &self.shifts.offsets,
            length: self.shifts.layout.run_of(1),
        };
        let work = LEAST_PIXELS * self.shifts.offsets.len() * self.geometry.convolution.output;
        let units = right.length.div_ceil(LEAST_PIXELS);
        let columns = LEAST_PIXELS * units_in_piece(units, work);
        let filter = self.filters[0].all();
        let stride = self.geometry.output_pixels();
        shared_product(filter, right, columns, output, stride, self.epilogue);
    }

    /// The channels from `first` on that a piece of an image has.
    fn channels_of(&self, first: usize, output: &[T]) -> Range<usize> {
        first..first + output.len() / self.geometry.output_pixels()
    }

    /// A piece of an image that is whole groups.
    fn groups(&self, first: usize, input: &[T], output: &mut [T]) {
        let (rows, pixels) = (self.geometry.group_output(), self.geometry.output_pixels());
        let mut scratch = self.scratches.take();
        for (group, output) in (first / rows..).zip(output.chunks_exact_mut(rows * pixels)) {
            let size = output.len();
            self.group(group, input, &mut scratch, output, size, 0..size);
        }
        self.scratches.give(scratch);
    }

    /// One group, whose input is laid out where it stays in the nearest cache; see [`Pass::product`].
    fn group(
        &self,
        group: usize,
        input: &[T],
        scratch: &mut Scratch<T>,
        output: &mut [T],
        image: usize,
        place: Range<usize>,
    ) {
        let Scratch { padded, runs, .. } = scratch;
        let taken = self.geometry.group_input();
        let channels = group * taken..(group + 1) * taken;
        let padded = self
            .geometry
            .lay_out(&self.shifts.layout, channels, input, padded);
        let given = self.geometry.group_output();
        let channels = group * given..(group + 1) * given;
        self.product(channels, padded, runs, output, image, place);
    }

    /// Some channels of one group, of images whose outputs are so many numbers apart; `place` is where the
    /// channels lie within each.
    fn product(
        &self,
        channels: Range<usize>,
        source: &[T],
        runs: &mut Vec<T>,
        output: &mut [T],
        image: usize,
        place: Range<usize>,
    ) {
        let (layout, pixels) = (&self.shifts.layout, self.geometry.output_pixels());
        let (group, first) = (
            channels.start / self.geometry.group_output(),
            channels.start % self.geometry.group_output(),
        );
        let filter = self.filters[group].rows(first..first + channels.len());
        let epilogue = self.epilogue.of_channels(channels);
        let right = Shifted {
            source,
            offsets: &self.shifts.offsets,
            length: layout.run_of(output.len() / image),
        };
        if layout.output_is_plain() {
            return finished_product(filter, right, &mut output[place], pixels, epilogue);
        }
        if let Some(wanted) = &self.shifts.pixels {
            for (index, image) in output.chunks_exact_mut(image).enumerate() {
                let right = Shifted {
                    source: &source[layout.image_start(index)..],
                    length: layout.run_of(1),
                    ..right
                };
                product_of_pixels(
                    filter,
                    right,
                    wanted,
                    &mut image[place.clone()],
                    pixels,
                    epilogue,
                );
            }
            return;
        }
        runs.resize(place.len() / pixels * layout.area(), T::ZERO);
        if epilogue.adds() {
            for (index, image) in output.chunks_exact(image).enumerate() {
                let channels = image[place.clone()].chunks_exact(pixels);
                for (added, runs) in channels.zip(runs.chunks_exact_mut(layout.area())) {
                    layout.spread(index, added, runs);
                }
            }
        }
        finished_product(filter, right, runs, layout.area(), epilogue);
        for (index, image) in output.chunks_exact_mut(image).enumerate() {
            let channels = image[place.clone()].chunks_exact_mut(pixels);
            for (target, runs) in channels.zip(runs.chunks_exact(layout.area())) {
                layout.gather(index, runs, target);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::kernels::rectifier::Rectifier;
    use crate::plan::Convolution;

    fn numbers(count: usize, salt: usize) -> Vec<f32> {
        let number = |index: usize| ((index * 37 + salt * 11) % 23) as f32 / 7.0 - 1.5;
        (0..count).map(number).collect()
    }

    /// Products of images as they are, with a stride and in groups, planes, and what takes fewer multiplications.
    #[test]
    fn an_output_added_to_numbers_is_their_sum_before_the_activation() {
        for (kernel, stride, groups) in [(1, 1, 1), (1, 2, 1), (1, 1, 4), (3, 1, 16), (3, 1, 1)] {
            let convolution = Convolution {
                input: 16,
                output: 16,
                kernel: [kernel; 2],
                stride: [stride; 2],
                padding: [kernel / 2; 2],
                dilation: [1, 1],
                groups,
                bias: true,
            };
            for image in [[4, 6], [9, 16]] {
                let geometry = Geometry {
                    convolution,
                    image,
                    output: convolution.output_size(image).expect("windows"),
                    batch: 3,
                };
                let input = numbers(3 * geometry.input_size(), 1);
                let weight = numbers(16 * 16 / groups * geometry.taps(), 2);
                let (bias, addend) = (numbers(16, 3), numbers(3 * geometry.output_size(), 4));
                let filter = Filter::new(&convolution, &weight);
                let with = |rectifier: Rectifier| Epilogue::new(Some(&bias), None, rectifier);
                let bare = forward(&geometry, &input, &filter, with(Rectifier::Identity));
                let expected: Vec<f32> =
                    bare.iter().zip(&addend).map(|(a, b)| relu(a + b)).collect();
                let epilogue = with(Rectifier::Relu);
                let given = forward_onto(&geometry, &input, &filter, epilogue, addend);
                assert_eq!(given, expected, "{geometry:?}");
            }
        }
    }
}

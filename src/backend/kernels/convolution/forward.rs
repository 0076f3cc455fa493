//! The output of a convolution.
//!
//! A batch is cut into tiles of images. Where there are few of them, what a tile gives is cut into pieces
//! of channels too. An output is computed alike in either case: no cut goes through a sum.

use std::ops::Range;

use super::{Direct, Epilogue, Filter, Geometry, Shifts};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::pieces::{for_each_piece, units_in_piece};
use crate::backend::kernels::pixels::product_of_pixels;
use crate::backend::kernels::rectifier::relu;
use crate::backend::kernels::scratch::{Scratch, Scratches};
use crate::backend::kernels::shifted::{Packed, Shifted, finished_product, shared_product};
use crate::backend::kernels::winograd::{self, Transformed};
use crate::backend::kernels::{depthwise, element_wise};
use crate::backend::memory::{self, Buffer};
use crate::backend::numbers::Numbers;

/// So many tiles keep all threads busy.
const ENOUGH_TILES: usize = 8;

/// The least pixels in a piece: several vectors.
const LEAST_PIXELS: usize = 64;

/// The output, for the images as they are or, if `rectified`, for their `relu`. An addend, of the size of the output, is
/// added to it before the activation, mostly in the memory of the addend.
pub(in crate::backend) fn forward<T: Float>(
    geometry: &Geometry,
    input: &[T],
    rectified: bool,
    filter: &Filter<T>,
    epilogue: Epilogue<T>,
    addend: Option<Numbers<T>>,
) -> Numbers<T> {
    if rectified && !matches!(filter, Filter::Depthwise(_)) {
        let input = Buffer::new(element_wise::map(input, relu));
        return forward(geometry, &input, false, filter, epilogue, addend);
    }
    match filter {
        Filter::Winograd(filter) => {
            let addend = addend.map(Buffer::new);
            with_winograd(geometry, input, filter, epilogue, addend.as_deref())
        }
        Filter::Depthwise(weight) => {
            let (mut output, epilogue) = written_to(geometry, epilogue, addend);
            let forward = match rectified {
                true => depthwise::forward::<T, true>,
                false => depthwise::forward::<T, false>,
            };
            forward(geometry, input, weight, epilogue, &mut output);
            output
        }
        Filter::Direct(filter) => {
            let (mut output, epilogue) = written_to(geometry, epilogue, addend);
            direct(geometry, input, filter, epilogue, &mut output);
            output
        }
    }
}

/// The memory of the output, which is that of what is added to it, and the epilogue that adds it.
fn written_to<'a, T: Float>(
    geometry: &Geometry,
    epilogue: Epilogue<'a, T>,
    addend: Option<Numbers<T>>,
) -> (Numbers<T>, Epilogue<'a, T>) {
    let size = geometry.batch * geometry.output_size();
    match addend {
        Some(addend) => (addend, epilogue.adding()),
        None => (memory::buffer(size), epilogue),
    }
}

/// By Winograd's algorithm.
fn with_winograd<T: Float>(
    geometry: &Geometry,
    input: &[T],
    filter: &Transformed<T>,
    epilogue: Epilogue<T>,
    addend: Option<&[T]>,
) -> Numbers<T> {
    let mut output = memory::buffer(geometry.batch * geometry.output_size());
    let finish = |first: usize, pixels: usize, start: usize, output: &mut [T]| {
        let channels = (output.len() / pixels).min(geometry.convolution.output);
        let epilogue = epilogue.of_channels(first..first + channels);
        let addend = addend.map(|addend| &addend[start..][..output.len()]);
        epilogue.apply(pixels, output, addend);
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
    let [read, written] = [geometry.input_size(), geometry.output_size()];
    let [read, written] = [read, written].map(|size| layout.images * size);
    let are_shared = tiles < ENOUGH_TILES && layout.images == 1;
    if are_shared && tiles == 1 {
        // In the hands of this thread, the pieces of the image can go to the others.
        return pass.image(input, output);
    }
    for_each_piece(output, written, |piece, output| {
        let start = piece * read;
        let input = &input[start..input.len().min(start + read)];
        match are_shared {
            true => pass.image(input, output),
            false => pass.tile(input, output),
        }
    });
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
    /// The least channels that a piece of an image can have: as many as are computed at once, or a group.
    fn unit(&self) -> usize {
        match self.geometry.convolution.groups {
            1 => self.filters[0].block(),
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

    /// Does some work with memory for it, which takes none where images are read and written as they lie.
    fn with_scratch(&self, work: impl FnOnce(&mut Scratch<T>)) {
        let layout = &self.shifts.layout;
        if layout.is_plain() && layout.output_is_plain() {
            return work(&mut Scratch::default());
        }
        let mut scratch = self.scratches.take();
        work(&mut scratch);
        self.scratches.give(scratch);
    }

    /// The images of one tile, on the calling thread.
    fn tile(&self, input: &[T], output: &mut [T]) {
        let size = self.geometry.group_output() * self.geometry.output_pixels();
        self.with_scratch(|scratch| {
            for group in 0..self.geometry.convolution.groups {
                let place = group * size..(group + 1) * size;
                let image = self.geometry.output_size();
                self.group(group, input, scratch, output, image, place);
            }
        });
    }

    /// One image, in pieces of channels or of pixels.
    fn image(&self, input: &[T], output: &mut [T]) {
        let (channels, pixels) = (self.channels_in_piece(), self.geometry.output_pixels());
        if self.geometry.convolution.groups > 1 {
            return for_each_piece(output, channels * pixels, |piece, output| {
                self.groups(piece * channels, input, output);
            });
        }
        let all = 0..self.geometry.convolution.input;
        self.with_scratch(|Scratch { padded, .. }| {
            let padded = (self.geometry).lay_out(&self.shifts.layout, all, input, padded);
            if self.is_cut_by_pixels() {
                return self.pixels_of_image(padded, output);
            }
            for_each_piece(output, channels * pixels, |piece, output| {
                let rows = self.channels_of(piece * channels, output);
                let size = output.len();
                self.with_scratch(|Scratch { runs, .. }| {
                    self.product(rows, padded, runs, output, size, 0..size);
                });
            });
        });
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
        self.with_scratch(|scratch| {
            for (group, output) in (first / rows..).zip(output.chunks_exact_mut(rows * pixels)) {
                let size = output.len();
                self.group(group, input, scratch, output, size, 0..size);
            }
        });
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
        runs: &mut Numbers<T>,
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
                let given =
                    |epilogue, addend| forward(&geometry, &input, false, &filter, epilogue, addend);
                let bare = given(with(Rectifier::Identity), None);
                let expected: Vec<f32> =
                    bare.iter().zip(&addend).map(|(a, b)| relu(a + b)).collect();
                let given = given(with(Rectifier::Relu), Some(addend.into()));
                assert_eq!(*given, *expected, "{geometry:?}");
            }
        }
    }
}

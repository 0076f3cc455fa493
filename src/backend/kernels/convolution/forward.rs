//! The output of a convolution.
//!
//! A batch is cut into tiles of images. Where there are few of them, what a tile gives is cut into pieces
//! of channels too. An output is computed alike in either case: no cut goes through a sum.

use std::ops::Range;

use rayon::prelude::*;

use super::{Epilogue, Filter, Geometry};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::padded::Layout;
use crate::backend::kernels::scratch::{Scratch, Scratches};
use crate::backend::kernels::shifted::{PackedRows, Shifted, product};
use crate::backend::memory;

/// So many tiles keep all threads busy.
const ENOUGH_TILES: usize = 8;

/// The least channels in a piece: as many as are computed at once.
const LEAST_CHANNELS: usize = 8;

/// The least multiply-adds of a piece: fewer take less time than another thread to begin.
const LEAST_WORK: usize = 1 << 19;

/// The output.
pub(in crate::backend) fn forward<T: Float>(
    geometry: &Geometry,
    input: &[T],
    filter: &Filter<T>,
    epilogue: Epilogue<T>,
) -> Vec<T> {
    let layout = geometry.layout();
    let pass = Pass {
        geometry,
        offsets: geometry.offsets(&layout),
        layout: &layout,
        filter,
        epilogue,
        scratches: Scratches::new(),
    };
    let mut output = memory::buffer(geometry.batch * geometry.output_size());
    let tiles = geometry.batch.div_ceil(layout.images);
    let pieces = output.par_chunks_mut(layout.images * geometry.output_size());
    let pieces = pieces.zip(input.par_chunks(layout.images * geometry.input_size()));
    match pass.channels_in_piece() {
        Some(channels) if tiles < ENOUGH_TILES && layout.images == 1 => {
            pieces.for_each(|(output, input)| pass.image(channels, input, output));
        }
        _ => pieces.for_each(|(output, input)| pass.tile(input, output)),
    }
    output
}

/// What all pieces of a forward pass share.
struct Pass<'a, T: Float> {
    geometry: &'a Geometry,
    layout: &'a Layout,
    offsets: Vec<usize>,
    filter: &'a Filter<T>,
    epilogue: Epilogue<'a, T>,
    scratches: Scratches<T>,
}

impl<T: Float> Pass<'_, T> {
    /// The output channels in a piece of one image; none if the image is too little to be cut.
    fn channels_in_piece(&self) -> Option<usize> {
        let channels = self.geometry.convolution.output;
        let unit = match self.geometry.convolution.groups {
            1 => LEAST_CHANNELS,
            _ => self.geometry.group_output(),
        };
        let work = unit * self.offsets.len() * self.geometry.output_pixels();
        let piece = unit * LEAST_WORK.div_ceil(work.max(1));
        (piece < channels).then_some(piece)
    }

    /// The images of one tile, on the calling thread.
    fn tile(&self, input: &[T], output: &mut [T]) {
        let mut scratch = self.scratches.take();
        let Scratch { padded, runs, .. } = &mut scratch;
        let channels = 0..self.geometry.convolution.input;
        let padded = self.geometry.lay_out(self.layout, channels, input, padded);
        let size = self.geometry.group_output() * self.geometry.output_pixels();
        for (group, filter) in self.filter.groups.iter().enumerate() {
            let source = &padded[self.group_start(group)..];
            let place = group * size..(group + 1) * size;
            let image = self.geometry.output_size();
            self.product(filter.all(), source, runs, output, image, place);
        }
        self.epilogue.apply(self.geometry.output_pixels(), output);
        self.scratches.give(scratch);
    }

    /// Where the input of a group begins in what is laid out.
    fn group_start(&self, group: usize) -> usize {
        group * self.geometry.group_input() * self.layout.channel
    }

    /// One image, in pieces of so many channels.
    fn image(&self, channels: usize, input: &[T], output: &mut [T]) {
        let pieces = output.par_chunks_mut(channels * self.geometry.output_pixels());
        if self.geometry.convolution.groups > 1 {
            let pieces = pieces.enumerate();
            return pieces.for_each(|(piece, output)| self.groups(piece * channels, input, output));
        }
        let mut scratch = self.scratches.take();
        let all = 0..self.geometry.convolution.input;
        let padded = (self.geometry).lay_out(self.layout, all, input, &mut scratch.padded);
        pieces.enumerate().for_each(|(piece, output)| {
            let mut scratch = self.scratches.take();
            let rows = self.channels_of(piece * channels, output);
            let filter = self.filter.groups[0].rows(rows.clone());
            let size = output.len();
            self.product(filter, padded, &mut scratch.runs, output, size, 0..size);
            let epilogue = self.epilogue.of_channels(rows);
            epilogue.apply(self.geometry.output_pixels(), output);
            self.scratches.give(scratch);
        });
        self.scratches.give(scratch);
    }

    /// The channels from `first` on that a piece of an image has.
    fn channels_of(&self, first: usize, output: &[T]) -> Range<usize> {
        first..first + output.len() / self.geometry.output_pixels()
    }

    /// A piece of an image that is whole groups, whose input it lays out by itself.
    fn groups(&self, first: usize, input: &[T], output: &mut [T]) {
        let (rows, taken) = (self.geometry.group_output(), self.geometry.group_input());
        let channels = self.channels_of(first, output);
        let groups = channels.start / rows..channels.end / rows;
        let mut scratch = self.scratches.take();
        let Scratch { padded, runs, .. } = &mut scratch;
        let read = groups.start * taken..groups.end * taken;
        let padded = self.geometry.lay_out(self.layout, read, input, padded);
        let size = rows * self.geometry.output_pixels();
        let filters = self.filter.groups[groups].iter().enumerate();
        for ((place, filter), output) in filters.zip(output.chunks_exact_mut(size)) {
            let source = &padded[self.group_start(place)..];
            self.product(filter.all(), source, runs, output, size, 0..size);
        }
        let epilogue = self.epilogue.of_channels(channels);
        epilogue.apply(self.geometry.output_pixels(), output);
        self.scratches.give(scratch);
    }

    /// Some channels of one group, of images whose outputs are so many numbers apart; `place` is where
    /// the channels lie within each.
    fn product(
        &self,
        filter: PackedRows<T>,
        source: &[T],
        runs: &mut Vec<T>,
        output: &mut [T],
        image: usize,
        place: Range<usize>,
    ) {
        let (layout, pixels) = (self.layout, self.geometry.output_pixels());
        let right = Shifted {
            source,
            offsets: &self.offsets,
            length: layout.run_of(output.len() / image),
        };
        if layout.output_is_plain() {
            return product(filter, right, &mut output[place], pixels);
        }
        runs.resize(place.len() / pixels * layout.area(), T::ZERO);
        product(filter, right, runs, layout.area());
        for (index, image) in output.chunks_exact_mut(image).enumerate() {
            let channels = image[place.clone()].chunks_exact_mut(pixels);
            for (target, runs) in channels.zip(runs.chunks_exact(layout.area())) {
                layout.gather(index, runs, target);
            }
        }
    }
}

//! The output of a convolution, and the gradient of its input.

use std::marker::PhantomData;

use super::super::parallel::{Parallel, ParallelSlice};

use super::super::float::Float;
use super::super::pieces::for_each_piece;
use super::super::scratch::{Matrices, Scratches};
use super::super::shared::Shared;
use super::super::vectorise::{self, lanes};
use super::filter::Transformed;
use super::products::{Multiply, PANEL};
use super::tiles::{Block, Give, Take, Tiling};
use super::{PLACES, transforms};
use crate::backend::numbers::Numbers;
use crate::backend::threads::share;

/// The tiles that are computed together, roughly: their matrices stay in the cache of a core, and the transformed
/// kernels are read once for all of them.
const TILES: usize = 32;

/// The least multiply-adds of an image for which threads share it.
const LEAST_SHARED: usize = 1 << 18;

/// The images that are computed together, and the rows of tiles of each.
pub(super) fn block_of(tiling: &Tiling, batch: usize) -> (usize, usize) {
    let [rows, columns] = tiling.tiles;
    let images = (TILES / (rows * columns)).clamp(1, batch.max(1));
    // As many blocks as are needed, of about the same size.
    let blocks = rows.div_ceil((TILES / columns).clamp(1, rows));
    (images, rows.div_ceil(blocks))
}

/// The rows of tiles of an image, so many at a time.
pub(super) fn blocks(tiling: &Tiling, images: usize, rows: usize) -> impl Iterator<Item = Block> {
    let all = tiling.tiles[0];
    let starts = (0..all).step_by(rows);
    starts.map(move |start| Block {
        images,
        rows: start..all.min(start + rows),
    })
}

/// Convolves images with transformed kernels. `finish` is called for every piece of the output when it is complete,
/// with its first channel, how many numbers of a channel it has, and where it begins in the output: whole images, some
/// channels of one, or rows of a channel.
pub(in crate::backend::kernels) fn forward<T: Float>(
    tiling: &Tiling,
    filter: &Transformed<T>,
    scratches: &Scratches<T>,
    input: &[T],
    output: &mut [T],
    finish: impl Fn(usize, usize, usize, &mut [T]) + Sync,
) {
    let pass = Pass::new(tiling, filter, scratches);
    let [input_size, output_size] = pass.sizes();
    let batch = input.len() / input_size;
    let threads = rayon::current_num_threads();
    let (images, rows) = block_of(tiling, batch.div_ceil(threads));
    let work = PLACES * tiling.tiles[0] * tiling.tiles[1] * filter.taken * filter.given;
    if batch < threads && work >= LEAST_SHARED {
        let images = output.chunks_exact_mut(output_size);
        let has_panels = filter.given / pass.lanes >= threads * PANEL;
        let images = images.zip(input.chunks_exact(input_size)).enumerate();
        for (image, (output, input)) in images {
            let finish = |first: usize, pixels: usize, start: usize, output: &mut [T]| {
                finish(first, pixels, image * output_size + start, output);
            };
            match has_panels {
                true => pass.shared_by_panels(rows, input, output, &finish),
                false => pass.shared_by_rows(rows, input, output, &finish),
            }
        }
        return;
    }
    let pieces = output.par_chunks_mut(images * output_size);
    let pieces = pieces.zip(input.par_chunks(images * input_size));
    pieces.enumerate().for_each(|(piece, (output, input))| {
        pass.piece(rows, input, output);
        let start = piece * images * output_size;
        finish(0, tiling.output_pixels(), start, output);
    });
}

/// What all pieces share.
pub(super) struct Pass<'a, T: Float> {
    tiling: &'a Tiling,
    filter: &'a Transformed<T>,
    scratches: &'a Scratches<T>,
    lanes: usize,
}

impl<'a, T: Float> Pass<'a, T> {
    pub(super) fn new(
        tiling: &'a Tiling,
        filter: &'a Transformed<T>,
        scratches: &'a Scratches<T>,
    ) -> Self {
        Pass {
            tiling,
            filter,
            scratches,
            lanes: lanes::<T>(filter.instructions),
        }
    }

    /// The numbers of an image that is read, and of one that is written.
    fn sizes(&self) -> [usize; 2] {
        let Tiling { image, output, .. } = self.tiling;
        [
            self.filter.taken * image[0] * image[1],
            self.filter.given * output[0] * output[1],
        ]
    }

    /// Some images, on the calling thread, so many rows of tiles at a time.
    pub(super) fn piece(&self, rows: usize, input: &[T], output: &mut [T]) {
        let images = input.len() / self.sizes()[0];
        let mut scratch = self.scratches.take();
        let output = Shared::new(output);
        for block in blocks(self.tiling, images, rows) {
            self.block(&block, &mut scratch.winograd, input, output);
        }
        self.scratches.give(scratch);
    }

    /// A block of rows of tiles. No other thread writes them.
    fn block(&self, block: &Block, memory: &mut Matrices<T>, input: &[T], output: Shared<T>) {
        let group = PLACES * block.pitch(self.tiling) * self.lanes;
        let groups = self.filter.taken / self.lanes;
        memory.tiles.resize(groups * group, T::ZERO);
        for (index, target) in memory.tiles.chunks_exact_mut(group).enumerate() {
            self.take(block, index, input, &mut memory.strip, target);
        }
        let groups = self.filter.given / self.lanes;
        for first in (0..groups).step_by(PANEL) {
            let panel = [first, PANEL.min(groups - first)];
            let channel = first * self.lanes;
            let products = &mut memory.products;
            self.give(block, panel, &memory.tiles, products, output, channel);
        }
    }

    /// One image, of which each thread computes rows.
    fn shared_by_rows(
        &self,
        rows: usize,
        input: &[T],
        output: &mut [T],
        finish: &(impl Fn(usize, usize, usize, &mut [T]) + Sync),
    ) {
        let threads = rayon::current_num_threads();
        let rows = rows.min(self.tiling.tiles[0].div_ceil(threads));
        let blocks: Vec<Block> = blocks(self.tiling, 1, rows).collect();
        let output = Shared::new(output);
        share(blocks.len(), |piece| {
            let block = &blocks[piece];
            let mut scratch = self.scratches.take();
            self.block(block, &mut scratch.winograd, input, output);
            self.scratches.give(scratch);
            let rows = self.tiling.pixels_of(block);
            for channel in 0..self.filter.given {
                let start = channel * self.tiling.output_pixels() + rows.start;
                // SAFETY: no other thread has these rows of the image, and this one is done with them.
                finish(channel, rows.len(), start, unsafe {
                    output.part(start..start + rows.len())
                });
            }
        });
    }

    /// One image, of which each thread computes channels.
    fn shared_by_panels(
        &self,
        rows: usize,
        input: &[T],
        output: &mut [T],
        finish: &(impl Fn(usize, usize, usize, &mut [T]) + Sync),
    ) {
        let mut scratch = self.scratches.take();
        let tiles = &mut scratch.winograd.tiles;
        let panel = PANEL * self.lanes * self.tiling.output[0] * self.tiling.output[1];
        for block in blocks(self.tiling, 1, rows) {
            let group = PLACES * block.pitch(self.tiling) * self.lanes;
            tiles.resize(self.filter.taken / self.lanes * group, T::ZERO);
            for_each_piece(tiles, group, |index, target| {
                let mut scratch = self.scratches.take();
                self.take(&block, index, input, &mut scratch.winograd.strip, target);
                self.scratches.give(scratch);
            });
            for_each_piece(output, panel, |index, output| {
                let mut scratch = self.scratches.take();
                let first = index * PANEL;
                let count = PANEL.min(self.filter.given / self.lanes - first);
                let products = &mut scratch.winograd.products;
                let output = Shared::new(output);
                self.give(&block, [first, count], tiles, products, output, 0);
                self.scratches.give(scratch);
            });
        }
        let pixels = self.tiling.output_pixels();
        for_each_piece(output, panel, |index, output| {
            finish(index * PANEL * self.lanes, pixels, index * panel, output);
        });
        self.scratches.give(scratch);
    }

    /// Transforms the tiles of a group of channels.
    fn take(
        &self,
        block: &Block,
        group: usize,
        images: &[T],
        strip: &mut Numbers<T>,
        target: &mut [T],
    ) {
        let kernel = Take {
            transform: PhantomData::<transforms::Input>,
            tiling: self.tiling,
            block,
            images,
            channel: group * self.lanes,
            strip,
            target,
        };
        vectorise::run(self.filter.instructions, kernel);
    }

    /// Computes some groups of channels of the output, and writes them from `channel` on.
    fn give(
        &self,
        block: &Block,
        [first, count]: [usize; 2],
        tiles: &[T],
        products: &mut Numbers<T>,
        images: Shared<T>,
        channel: usize,
    ) {
        let pitch = block.pitch(self.tiling);
        let group = PLACES * pitch * self.lanes;
        products.resize(count * group, T::ZERO);
        let kernel = Multiply {
            tiles,
            kernels: self.filter.groups(first, count),
            target: products,
            count: block.count(self.tiling),
            pitch,
            taken: self.filter.taken,
        };
        vectorise::run(self.filter.instructions, kernel);
        for (index, products) in products.chunks_exact(group).enumerate() {
            let kernel = Give {
                tiling: self.tiling,
                block,
                products,
                images,
                channel: channel + index * self.lanes,
            };
            vectorise::run(self.filter.instructions, kernel);
        }
    }
}

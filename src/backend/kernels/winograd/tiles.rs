//! Between images and the matrices that are multiplied.

use std::marker::PhantomData;
use std::ops::Range;

use super::super::float::Float;
use super::super::shared::Shared;
use super::super::vector::{MOST_LANES, Vector};
use super::super::vectorise::Kernel;
use super::transforms::{Output, Transform};
use super::{INPUT, OUTPUT, PLACES};
use crate::backend::numbers::Numbers;

/// How images are cut into tiles, and what the tiles read.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::kernels) struct Tiling {
    /// Height and width of what is read.
    pub(super) image: [usize; 2],
    /// Zeros around it.
    pub(super) padding: [usize; 2],
    /// Height and width of what is written.
    pub(super) output: [usize; 2],
    /// Tiles along height and width.
    pub(super) tiles: [usize; 2],
}

impl Tiling {
    /// For images of this height and width.
    pub(in crate::backend::kernels) fn new(
        image: [usize; 2],
        padding: [usize; 2],
        output: [usize; 2],
    ) -> Self {
        Tiling {
            image,
            padding,
            output,
            tiles: output.map(|size| size.div_ceil(OUTPUT)),
        }
    }

    pub(super) fn image_pixels(&self) -> usize {
        self.image[0] * self.image[1]
    }

    pub(super) fn output_pixels(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// The pixels of an output that a block of rows has.
    pub(super) fn pixels_of(&self, block: &Block) -> Range<usize> {
        let [height, width] = self.output;
        let row = |tiles: usize| (tiles * OUTPUT).min(height) * width;
        row(block.rows.start)..row(block.rows.end)
    }
}

/// Some rows of tiles of each of some images.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// How many images.
    pub(super) images: usize,
    /// Which rows of tiles.
    pub(super) rows: Range<usize>,
}

impl Block {
    /// Its tiles.
    pub(super) fn count(&self, tiling: &Tiling) -> usize {
        self.images * self.rows.len() * tiling.tiles[1]
    }

    /// The rows of its matrices. The number is odd: matrices that are a power of two apart would all lie in the same few
    /// lines of the cache.
    pub(super) fn pitch(&self, tiling: &Tiling) -> usize {
        self.count(tiling) | 1
    }
}

/// Transforms the tiles of a group of channels, of `WINDOW` pixels in height and width each.
pub(super) struct Take<'a, T, M, const WINDOW: usize> {
    pub(super) transform: PhantomData<M>,
    pub(super) tiling: &'a Tiling,
    pub(super) block: &'a Block,
    /// The images of the block, one behind the other.
    pub(super) images: &'a [T],
    /// The first channel of the group.
    pub(super) channel: usize,
    /// Memory for the rows of pixels of a block.
    pub(super) strip: &'a mut Numbers<T>,
    /// The matrices of the group.
    pub(super) target: &'a mut [T],
}

impl<T: Float, M: Transform<WINDOW, INPUT>, const WINDOW: usize> Kernel<T>
    for Take<'_, T, M, WINDOW>
{
    #[inline(always)]
    unsafe fn run<V: Vector<Number = T>>(self) {
        let Tiling { tiles, .. } = *self.tiling;
        let pixels = self.tiling.image_pixels();
        let size = self.images.len() / self.block.images;
        let pitch = self.block.pitch(self.tiling);
        assert!((self.channel + V::LANES) * pixels <= size);
        assert_eq!(self.target.len(), PLACES * pitch * V::LANES);
        let width = (tiles[1] - 1) * OUTPUT + WINDOW;
        let height = (self.block.rows.len() - 1) * OUTPUT + WINDOW;
        self.strip.resize(height * width * V::LANES, T::ZERO);
        let mut tile = 0;
        for source in self.images.chunks_exact(size) {
            let source = &source[self.channel * pixels..][..V::LANES * pixels];
            let first = self.block.rows.start * OUTPUT;
            // SAFETY: the instructions are there. The strip has so many rows of pixels, and the target so many tiles.
            unsafe {
                fill::<V>(self.tiling, first, source, self.strip, width);
                for row in 0..self.block.rows.len() {
                    for column in 0..tiles[1] {
                        let place = (row * width + column) * OUTPUT * V::LANES;
                        let pixels = self.strip.as_ptr().add(place);
                        let mut window = [[V::zero(); WINDOW]; WINDOW];
                        for (y, line) in window.iter_mut().enumerate() {
                            for (x, pixel) in line.iter_mut().enumerate() {
                                *pixel = V::load(pixels.add((y * width + x) * V::LANES));
                            }
                        }
                        let target = self.target.as_mut_ptr().add(tile * V::LANES);
                        let transformed = M::apply_both(window);
                        for (y, line) in transformed.iter().enumerate() {
                            for (x, value) in line.iter().enumerate() {
                                let place = (y * INPUT + x) * pitch * V::LANES;
                                value.store(target.add(place));
                            }
                        }
                        tile += 1;
                    }
                }
            }
        }
    }
}

/// Fills a strip with rows of the padded image, from `first` on: the channels of a pixel side by side.
///
/// # Safety
///
/// The instructions of `V` must be there. The source has as many channels as a vector lanes; the strip is as wide as the padded image, or wider.
#[inline(always)]
unsafe fn fill<V: Vector>(
    tiling: &Tiling,
    first: usize,
    source: &[V::Number],
    strip: &mut [V::Number],
    width: usize,
) {
    let ([rows, columns], [top, left]) = (tiling.image, tiling.padding);
    let right = (left + columns).min(width);
    for (row, strip) in strip.chunks_exact_mut(width * V::LANES).enumerate() {
        let Some(y) = (first + row).checked_sub(top).filter(|y| *y < rows) else {
            strip.fill(V::Number::ZERO);
            continue;
        };
        strip[..left * V::LANES].fill(V::Number::ZERO);
        strip[right * V::LANES..].fill(V::Number::ZERO);
        if columns < OUTPUT {
            for x in 0..columns {
                let pixel = &mut strip[(left + x) * V::LANES..][..V::LANES];
                for (channel, value) in pixel.iter_mut().enumerate() {
                    *value = source[(channel * rows + y) * columns + x];
                }
            }
            continue;
        }
        let mut x = 0;
        while x < columns {
            // The last pixels once more, if four are no longer left.
            x = x.min(columns - OUTPUT);
            // SAFETY: the pixels lie within a row of every channel and, moved by the padding, within the strip.
            unsafe {
                let pixels = source.as_ptr().add(y * columns + x);
                let quads = V::load_quads(pixels, rows * columns);
                for (j, pixel) in quads.into_iter().enumerate() {
                    let place = (left + x + j) * V::LANES;
                    pixel.store(strip.as_mut_ptr().add(place));
                }
            }
            x += OUTPUT;
        }
    }
}

/// Transforms the products of a group of channels to pixels.
pub(super) struct Give<'a, T> {
    pub(super) tiling: &'a Tiling,
    pub(super) block: &'a Block,
    /// The matrices of the group.
    pub(super) products: &'a [T],
    /// The images of the block, one behind the other. No other thread writes these rows of these channels.
    pub(super) images: Shared<'a, T>,
    /// The first channel of the group.
    pub(super) channel: usize,
}

impl<T: Float> Kernel<T> for Give<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Vector<Number = T>>(self) {
        let [height, width] = self.tiling.output;
        let pixels = self.tiling.output_pixels();
        let size = self.images.len() / self.block.images;
        let pitch = self.block.pitch(self.tiling);
        assert!((self.channel + V::LANES) * pixels <= size);
        assert_eq!(self.products.len(), PLACES * pitch * V::LANES);
        assert!(self.block.rows.end <= self.tiling.tiles[0]);
        let mut tile = 0;
        for image in 0..self.block.images {
            let place = image * size + self.channel * pixels;
            for top in self.block.rows.clone().map(|row| row * OUTPUT) {
                for left in (0..width).step_by(OUTPUT) {
                    // SAFETY: the instructions are there; the products have so many tiles, and the pixels that are
                    // written lie within the image.
                    unsafe {
                        let source = self.products.as_ptr().add(tile * V::LANES);
                        let mut products = [[V::zero(); INPUT]; INPUT];
                        for (y, line) in products.iter_mut().enumerate() {
                            for (x, product) in line.iter_mut().enumerate() {
                                let place = (y * INPUT + x) * pitch * V::LANES;
                                *product = V::load(source.add(place));
                            }
                        }
                        let rows = Output::apply_both(products);
                        for (y, row) in rows.into_iter().take(height - top).enumerate() {
                            let place = place + (top + y) * width + left;
                            let target = self.images.start().add(place);
                            match width - left {
                                OUTPUT.. => V::store_quads(row, target, pixels),
                                count => store_part(row, target, pixels, count),
                            }
                        }
                    }
                    tile += 1;
                }
            }
        }
    }
}

/// Writes the first `count` pixels of each channel.
///
/// # Safety
///
/// The instructions of `V` must be there, and the pixels within the target.
#[inline(always)]
unsafe fn store_part<V: Vector>(
    row: [V; OUTPUT],
    target: *mut V::Number,
    stride: usize,
    count: usize,
) {
    let mut quads = [V::Number::ZERO; OUTPUT * MOST_LANES];
    // SAFETY: there is room for four numbers of the most lanes, and in the target for `count` of every lane.
    unsafe {
        V::store_quads(row, quads.as_mut_ptr(), OUTPUT);
        for (lane, quad) in quads.chunks_exact(OUTPUT).take(V::LANES).enumerate() {
            for (j, value) in quad.iter().take(count).enumerate() {
                *target.add(lane * stride + j) = *value;
            }
        }
    }
}

//! Images laid out so that every tap of a convolution reads one run of memory.
//!
//! The images of a tile lie behind one another, in rows of `row` numbers, with the zeros of the
//! padding between them: what hangs over the right edge of a row is the left padding of the next,
//! and what hangs over the bottom is the top padding of the next image. Output pixel `(y, x)` of
//! image `b` is then number `(b * rows + y) * row + x` of a run, and the tap `(i, j)` reads the run
//! that begins at its offset. For a stride of `s`, the pixels are first split by their coordinates
//! modulo `s` (phases), so that the taps of a phase read side by side again.

use super::float::Float;
use super::pixels::Pixels;
use crate::plan::Convolution;

/// How the images of one convolution are laid out.
#[derive(Clone, Debug)]
pub(in crate::backend) struct Layout {
    /// Images in a full tile.
    pub(in crate::backend) images: usize,
    /// The length of a run for a full tile.
    pub(in crate::backend) run: usize,
    /// Numbers for one channel of a full tile.
    pub(in crate::backend) channel: usize,
    /// The largest offset of a tap within its phase.
    pub(in crate::backend) reach: usize,
    /// The offset of each tap within a channel, row by row of the kernel.
    pub(in crate::backend) taps: Vec<usize>,
    /// The phases that a tap reads.
    pub(in crate::backend) phases: Vec<Phase>,
    image: [usize; 2],
    output: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    row: usize,
    rows: usize,
    phase: usize,
}

/// The pixels whose coordinates in the padded image are `origin` modulo the stride.
#[derive(Clone, Debug)]
pub(in crate::backend) struct Phase {
    origin: [usize; 2],
    /// Its taps: the number in the kernel and the offset within the phase.
    pub(in crate::backend) taps: Vec<(usize, usize)>,
}

/// Copies a row. Rows are often so short that a call of the general copy costs more than the copy.
#[inline(always)]
fn copy<T: Copy>(source: &[T], target: &mut [T]) {
    const PIECE: usize = 16;
    let target = &mut target[..source.len()];
    let mut sources = source.chunks_exact(PIECE);
    let mut targets = target.chunks_exact_mut(PIECE);
    for (source, target) in (&mut sources).zip(&mut targets) {
        target.copy_from_slice(source);
    }
    let (mut source, mut target) = (sources.remainder(), targets.into_remainder());
    for size in [8, 4, 2, 1] {
        if source.len() >= size {
            target[..size].copy_from_slice(&source[..size]);
            (source, target) = (&source[size..], &mut target[size..]);
        }
    }
}

/// Copies every number that is `stride` from the one before.
#[inline(always)]
fn pick<T: Copy>(source: &[T], stride: usize, target: &mut [T]) {
    let Some((last, others)) = target.split_last_mut() else {
        return;
    };
    *last = source[others.len() * stride];
    // A stride that is known takes vector instructions.
    match stride {
        2 => {
            let pairs = source.chunks_exact(2);
            others
                .iter_mut()
                .zip(pairs)
                .for_each(|(to, from)| *to = from[0]);
        }
        _ => {
            let parts = source.chunks_exact(stride);
            others
                .iter_mut()
                .zip(parts)
                .for_each(|(to, from)| *to = from[0]);
        }
    }
}

/// Rows within a slice: where the first begins, and the distance from one to the next.
#[derive(Clone, Copy)]
struct Rows {
    start: usize,
    pitch: usize,
}

vectorised! {
    /// Copies so many rows, of which every `stride`th number is taken.
    fn copy_rows[T: Float](
        source: &[T], from: Rows, stride: usize, target: &mut [T], to: Rows, rows: usize,
        length: usize,
    ) {
        for row in 0..rows {
            let source = &source[from.start + row * from.pitch..];
            let target = &mut target[to.start + row * to.pitch..][..length];
            match stride {
                1 => copy(&source[..length], target),
                _ => pick(source, stride, target),
            }
        }
    }
}

/// The numbers that one run should have at least, for the vector instructions to pay.
const LEAST_RUN: usize = 512;

/// The numbers that one image should have at least to be read where it is, rather than copied to
/// lie behind others.
const LEAST_PLAIN_RUN: usize = 48;

impl Layout {
    /// The layout for a batch of images of this height and width. The window must fit.
    pub(in crate::backend) fn new(
        convolution: &Convolution,
        image: [usize; 2],
        output: [usize; 2],
        batch: usize,
    ) -> Self {
        let Convolution {
            kernel,
            stride,
            padding,
            dilation,
            ..
        } = *convolution;
        let extent = |axis: usize| {
            let shared = (image[axis] + padding[axis]).div_ceil(stride[axis]);
            shared.max(output[axis])
        };
        let [rows, row] = [extent(0), extent(1)];
        // Images that need no padding are read where they are.
        let plain = padding == [0, 0] && stride == [1, 1] && rows * row >= LEAST_PLAIN_RUN;
        let images = match plain {
            true => 1,
            false => (LEAST_RUN / (rows * row)).clamp(1, batch.max(1)),
        };
        let run = ((images - 1) * rows + output[0] - 1) * row + output[1];

        let mut phases: Vec<Phase> = Vec::new();
        let mut reach = 0;
        let mut places = Vec::new();
        for tap in 0..kernel[0] * kernel[1] {
            let at = [tap / kernel[1] * dilation[0], tap % kernel[1] * dilation[1]];
            let origin = [at[0] % stride[0], at[1] % stride[1]];
            let offset = at[0] / stride[0] * row + at[1] / stride[1];
            reach = reach.max(offset);
            let known = phases.iter().position(|phase| phase.origin == origin);
            let place = known.unwrap_or_else(|| {
                let taps = Vec::new();
                phases.push(Phase { origin, taps });
                phases.len() - 1
            });
            phases[place].taps.push((tap, offset));
            places.push((place, offset));
        }
        let phase = (images * rows * row).max(reach + run);
        Layout {
            images,
            run,
            channel: phases.len() * phase,
            reach,
            taps: places
                .into_iter()
                .map(|(place, offset)| place * phase + offset)
                .collect(),
            phases,
            image,
            output,
            stride,
            padding,
            row,
            rows,
            phase,
        }
    }

    /// Whether one image as it is has this layout.
    pub(in crate::backend) fn is_plain(&self) -> bool {
        self.images == 1
            && self.padding == [0, 0]
            && self.stride == [1, 1]
            && [self.rows, self.row] == self.image
    }

    /// Whether the runs of one image are the output as it is.
    pub(in crate::backend) fn output_is_plain(&self) -> bool {
        self.images == 1 && [self.rows, self.row] == self.output
    }

    /// The length of a run for a tile of this many images.
    pub(in crate::backend) fn run_of(&self, images: usize) -> usize {
        self.run - (self.images - images) * self.rows * self.row
    }

    /// Where the output pixels of a full tile lie in its run, image by image.
    pub(in crate::backend) fn positions(&self) -> Vec<usize> {
        let [height, width] = self.output;
        let rows =
            (0..self.images).flat_map(|image| (0..height).map(move |y| image * self.rows + y));
        rows.flat_map(|row| (0..width).map(move |x| row * self.row + x))
            .collect()
    }

    /// The output pixels of one image in a run that begins with it; none where vectors don't fit.
    pub(in crate::backend) fn output_pixels<T: Float>(&self) -> Option<Pixels> {
        Pixels::new::<T>(0, self.row, self.output)
    }

    /// Where the run of an image begins within that of its tile.
    pub(in crate::backend) fn image_start(&self, index: usize) -> usize {
        index * self.rows * self.row
    }

    /// The numbers of one phase of all images, and of one channel of all outputs.
    pub(in crate::backend) fn area(&self) -> usize {
        self.images * self.rows * self.row
    }

    /// The pixels of a phase along an axis, as a range of image coordinates and the first place.
    #[inline(always)]
    fn axis(&self, phase: &Phase, axis: usize) -> (usize, usize) {
        let stride = self.stride[axis];
        let first =
            (phase.origin[axis] + stride * self.padding[axis] - self.padding[axis]) % stride;
        (first, (first + self.padding[axis]) / stride)
    }

    /// The rows of an image that have pixels of a phase: where they are in the image and in the phase of
    /// image `index`, from the first pixel of the phase on, how many, and the pixels in each.
    #[inline(always)]
    fn rows(&self, phase: &Phase, index: usize) -> (Rows, Rows, usize, usize) {
        let (first_row, place_row) = self.axis(phase, 0);
        let (first, place) = self.axis(phase, 1);
        let [height, width] = self.image;
        let in_image = Rows {
            start: first_row * width + first,
            pitch: self.stride[0] * width,
        };
        let in_phase = Rows {
            start: (index * self.rows + place_row) * self.row + place,
            pitch: self.row,
        };
        let count = height.saturating_sub(first_row).div_ceil(self.stride[0]);
        let pixels = width.saturating_sub(first).div_ceil(self.stride[1]);
        let count = if pixels == 0 { 0 } else { count };
        (in_image, in_phase, count, pixels)
    }

    /// Writes one channel of image `index` of a tile. What is padding must be zero already.
    pub(in crate::backend) fn pad<T: Float>(&self, index: usize, image: &[T], channel: &mut [T]) {
        for (phase, target) in self.phases.iter().zip(channel.chunks_mut(self.phase)) {
            let (from, to, count, pixels) = self.rows(phase, index);
            copy_rows(image, from, self.stride[1], target, to, count, pixels);
        }
    }

    /// Reads one channel of image `index` of a tile, one phase of it; the inverse of
    /// [`Layout::pad`] for the pixels of that phase.
    pub(in crate::backend) fn unpad<T: Float>(
        &self,
        phase: &Phase,
        index: usize,
        source: &[T],
        image: &mut [T],
    ) {
        let (to, from, count, pixels) = self.rows(phase, index);
        let stride = self.stride[1];
        if stride == 1 {
            return copy_rows(source, from, 1, image, to, count, pixels);
        }
        for row in 0..count {
            let source = &source[from.start + row * from.pitch..][..pixels];
            let target = image[to.start + row * to.pitch..]
                .iter_mut()
                .step_by(stride);
            target.zip(source).for_each(|(to, from)| *to = *from);
        }
    }

    /// Writes one channel of the output of image `index` into runs. What lies between must be zero
    /// already.
    pub(in crate::backend) fn spread<T: Float>(&self, index: usize, output: &[T], runs: &mut [T]) {
        let (in_output, in_runs, [rows, length]) = self.output_rows(index);
        copy_rows(output, in_output, 1, runs, in_runs, rows, length);
    }

    /// Reads one channel of the output of image `index` from runs.
    pub(in crate::backend) fn gather<T: Float>(&self, index: usize, runs: &[T], output: &mut [T]) {
        let (in_output, in_runs, [rows, length]) = self.output_rows(index);
        copy_rows(runs, in_runs, 1, output, in_output, rows, length);
    }

    /// The rows of the output of image `index`: where they are in the output and in runs, how many, and
    /// how long.
    fn output_rows(&self, index: usize) -> (Rows, Rows, [usize; 2]) {
        let in_output = Rows {
            start: 0,
            pitch: self.output[1],
        };
        let in_runs = Rows {
            start: index * self.rows * self.row,
            pitch: self.row,
        };
        (in_output, in_runs, self.output)
    }
}

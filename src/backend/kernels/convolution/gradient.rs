//! The gradients of a convolution, and the transposed convolution, which is one of them.

use super::super::parallel::{Parallel, ParallelSlice};

use super::Geometry;
use crate::backend::kernels::dots::add_dots;
use crate::backend::kernels::finish::add_bias;
use crate::backend::kernels::float::Float;
use crate::backend::kernels::outer::{Panels, Part, add_outer_products};
use crate::backend::kernels::padded::Layout;
use crate::backend::kernels::reduce;
use crate::backend::kernels::scratch::{Scratch, Scratches};
use crate::backend::kernels::shifted::{Packed, Shifted, product};
use crate::backend::kernels::winograd::{self, Transformed};
use crate::backend::memory;
use crate::backend::numbers::Numbers;
use crate::plan::Convolution;

/// What the backward pass gives.
pub(in crate::backend) struct Gradients<T> {
    /// For the images, where asked for.
    pub(in crate::backend) input: Option<Numbers<T>>,
    /// For the weights.
    pub(in crate::backend) weight: Numbers<T>,
    /// For the bias, where there is one.
    pub(in crate::backend) bias: Option<Numbers<T>>,
}

/// The gradients, from that of the output. That of the input is computed only if asked for.
pub(in crate::backend) fn backward<T: Float>(
    geometry: &Geometry,
    input: &[T],
    weight: &[T],
    gradient: &[T],
    with_input: bool,
) -> Gradients<T> {
    if winograd::applies(&geometry.convolution) {
        return with_winograd(geometry, input, weight, gradient, with_input);
    }
    let backward = Backward::new(geometry, weight, with_input);
    let pieces = Pieces {
        geometry,
        input,
        gradient,
        least: backward.layout.images,
    };
    pieces.gradients(
        with_input,
        |input, gradient, target| backward.piece(input, gradient, target),
        |sums| match backward.panels {
            Some(panels) => panels.sums(backward.offsets.len(), &sums),
            None => sums,
        },
    )
}

/// The gradients by Winograd's algorithm.
fn with_winograd<T: Float>(
    geometry: &Geometry,
    input: &[T],
    weight: &[T],
    gradient: &[T],
    with_input: bool,
) -> Gradients<T> {
    let scratches = Scratches::new();
    let filter = with_input.then(|| Transformed::backward(&geometry.convolution, weight));
    let (image, output) = (geometry.image, geometry.output);
    let backward =
        winograd::Backward::new(&geometry.convolution, image, output, filter, &scratches);
    let pieces = Pieces {
        geometry,
        input,
        gradient,
        least: backward.images_at_once(geometry.batch),
    };
    pieces.gradients(
        with_input,
        |input, gradient, target| backward.piece(input, gradient, target),
        |sums| sums,
    )
}

/// A batch whose gradients are computed in pieces of several images.
struct Pieces<'a, T> {
    geometry: &'a Geometry,
    input: &'a [T],
    gradient: &'a [T],
    /// The number of images in a piece is a multiple of this.
    least: usize,
}

impl<T: Float> Pieces<'_, T> {
    /// The gradients. `piece` gives sums for the weights of some images from their input and the gradient of
    /// their output, and writes the gradient of their input; `finish` makes gradients of the sums.
    fn gradients(
        &self,
        with_input: bool,
        piece: impl Fn(&[T], &[T], Option<&mut [T]>) -> Numbers<T> + Sync,
        finish: impl FnOnce(Numbers<T>) -> Numbers<T>,
    ) -> Gradients<T> {
        let geometry = self.geometry;
        let Convolution { output, bias, .. } = geometry.convolution;
        let weights = output * geometry.group_input() * geometry.taps();
        let images = reduce::images_in_piece(geometry.batch, weights).next_multiple_of(self.least);
        let input_piece = images * geometry.input_size();
        let output_piece = images * geometry.output_size();

        let mut input_gradient = with_input.then(|| input_gradient_buffer(geometry));
        let mut targets: Vec<Option<&mut [T]>> = match &mut input_gradient {
            Some(target) => target.chunks_mut(input_piece).map(Some).collect(),
            None => self.input.chunks(input_piece).map(|_| None).collect(),
        };
        let (sums, biases): (_, Vec<_>) = targets
            .par_iter_mut()
            .zip(self.input.par_chunks(input_piece))
            .zip(self.gradient.par_chunks(output_piece))
            .map_all(|((target, input), gradient)| {
                let sums = piece(input, gradient, target.take());
                (sums, bias.then(|| self.bias(gradient)))
            })
            .into_iter()
            .unzip();
        let biases = biases.into_iter().flatten().collect();
        let zeros = |length: usize| Numbers::filled(T::ZERO, length);
        Gradients {
            input: input_gradient,
            weight: reduce::add_in_order(sums).map_or_else(|| zeros(weights), finish),
            bias: bias.then(|| reduce::add_in_order(biases).unwrap_or_else(|| zeros(output))),
        }
    }

    /// The gradient of the bias for some images.
    fn bias(&self, gradient: &[T]) -> Numbers<T> {
        let channels = self.geometry.convolution.output;
        let mut bias = Numbers::filled(T::ZERO, channels);
        let gradients = gradient.chunks_exact(self.geometry.output_pixels());
        for (channel, gradient) in gradients.enumerate() {
            bias[channel % channels] += reduce::sum(gradient);
        }
        bias
    }
}

/// The gradient of the images alone, from that of the output: the transpose of [`forward`]. A bias
/// is added to each of their channels.
pub(in crate::backend) fn transposed<T: Float>(
    geometry: &Geometry,
    weight: &[T],
    bias: Option<&[T]>,
    gradient: &[T],
) -> Numbers<T> {
    let pixels = geometry.image[0] * geometry.image[1];
    let backward = Backward::new(geometry, weight, true);
    let images = backward.layout.images;
    let mut target = input_gradient_buffer(geometry);
    target
        .par_chunks_mut(images * geometry.input_size())
        .zip(gradient.par_chunks(images * geometry.output_size()))
        .for_each(|(target, gradient)| {
            let mut scratch = backward.scratches.take();
            let Scratch { spread, runs, .. } = &mut scratch;
            let spread = backward.spread(gradient, spread);
            let rows = geometry.group_output();
            let stride = backward.layout.reach + backward.layout.area();
            for group in 0..geometry.convolution.groups {
                backward.input_gradient(group, &spread[group * rows * stride..], runs, target);
            }
            backward.scratches.give(scratch);
            if let Some(bias) = bias {
                add_bias(pixels, bias, target);
            }
        });
    target
}

/// Memory for the gradient of the input. With a stride there may be pixels that nothing reads.
fn input_gradient_buffer<T: Float>(geometry: &Geometry) -> Numbers<T> {
    let length = geometry.batch * geometry.input_size();
    match geometry.convolution.stride {
        [1, 1] => memory::buffer(length),
        _ => memory::zeros(length),
    }
}

/// What the backward pass of all tiles shares.
struct Backward<'a, T: Float> {
    geometry: &'a Geometry,
    layout: Layout,
    offsets: Vec<usize>,
    /// For every group and phase the weights that lead to its pixels; none where the gradient of
    /// the input is not wanted.
    transposed: Vec<Vec<Packed<T>>>,
    /// For every phase the shifted rows of one group's gradient.
    gradient_offsets: Vec<Vec<usize>>,
    /// How the gradients of the outputs of one pixel lie side by side; none where they are so few that the
    /// weights' gradients are sums over pixels instead.
    panels: Option<Panels>,
    /// Where the pixels of a full tile lie in its run.
    positions: Vec<usize>,
    scratches: Scratches<T>,
}

/// With fewer output channels, or rows that are shifted, vectors of channels do not pay.
const LEAST_ROWS: usize = 8;

impl<'a, T: Float> Backward<'a, T> {
    fn new(geometry: &'a Geometry, weight: &[T], with_input: bool) -> Self {
        let layout = geometry.layout();
        let (taps, rows) = (geometry.taps(), geometry.group_output());
        let channels = geometry.group_input();
        let transpose = |weight: &[T]| {
            let phases = layout.phases.iter().map(|phase| {
                let count = phase.taps.len();
                Packed::new(channels, rows * count, |channel, column| {
                    let (row, (tap, _)) = (column / count, phase.taps[column % count]);
                    weight[(row * channels + channel) * taps + tap]
                })
            });
            phases.collect()
        };
        let transposed = match with_input {
            true => weight
                .chunks_exact(rows * channels * taps)
                .map(transpose)
                .collect(),
            false => Vec::new(),
        };
        let stride = layout.reach + layout.area();
        let gradient_offsets = layout
            .phases
            .iter()
            .map(|phase| {
                let starts = (0..rows).map(|row| row * stride + layout.reach);
                starts
                    .flat_map(|start| phase.taps.iter().map(move |(_, offset)| start - offset))
                    .collect()
            })
            .collect();
        let offsets = geometry.offsets(&layout);
        let is_wide = geometry.convolution.groups == 1 && rows.min(offsets.len()) >= LEAST_ROWS;
        Backward {
            geometry,
            panels: is_wide.then(|| Panels::new::<T>(rows)),
            positions: layout.positions(),
            offsets,
            layout,
            transposed,
            gradient_offsets,
            scratches: Scratches::new(),
        }
    }

    /// Sums for the gradient of the weights for some images; writes that of the input.
    fn piece(&self, input: &[T], gradient: &[T], mut target: Option<&mut [T]>) -> Numbers<T> {
        let geometry = self.geometry;
        let Convolution { output, groups, .. } = geometry.convolution;
        let width = self.panels.map_or(output, |panels| panels.width());
        let mut weight = Numbers::filled(T::ZERO, width * self.offsets.len());
        let mut scratch = self.scratches.take();
        let input_tile = self.layout.images * geometry.input_size();
        let tiles = input
            .chunks(input_tile)
            .zip(gradient.chunks(self.layout.images * geometry.output_size()));
        for (number, (input, gradient)) in tiles.enumerate() {
            let Scratch {
                padded,
                spread,
                runs,
                turned,
                ..
            } = &mut scratch;
            let spread = self.spread(gradient, spread);
            for (group, weight) in
                (0..groups).zip(weight.chunks_exact_mut(width / groups * self.offsets.len()))
            {
                let stride = self.layout.reach + self.layout.area();
                let spread = &spread[group * geometry.group_output() * stride..];
                let taken = geometry.group_input();
                let channels = group * taken..(group + 1) * taken;
                let shifted = Shifted {
                    source: geometry.lay_out(&self.layout, channels, input, padded),
                    offsets: &self.offsets,
                    length: self.layout.run_of(input.len() / geometry.input_size()),
                };
                match self.panels {
                    Some(panels) => self.add_outer(panels, shifted, gradient, turned, weight),
                    None => add_dots(&spread[self.layout.reach..], stride, shifted, weight),
                }
                if let Some(target) = &mut target {
                    let start = number * input_tile;
                    let target = &mut target[start..start + input.len()];
                    self.input_gradient(group, spread, runs, target);
                }
            }
        }
        self.scratches.give(scratch);
        weight
    }

    /// Adds the gradient of the weights for the images of a tile.
    fn add_outer(
        &self,
        panels: Panels,
        shifted: Shifted<T>,
        gradient: &[T],
        turned: &mut Numbers<T>,
        weight: &mut [T],
    ) {
        let pixels = self.geometry.output_pixels();
        let all = gradient.len() / self.geometry.output_size() * pixels;
        turned.resize(panels.width() * all, T::ZERO);
        for (index, image) in gradient
            .chunks_exact(self.geometry.output_size())
            .enumerate()
        {
            let (first, count) = (index * pixels, pixels);
            panels.lay_out(Part { first, count, all }, image, turned);
        }
        add_outer_products(shifted, &self.positions[..all], panels, turned, weight);
    }

    /// The gradient of the output as runs, with zeros between, before and behind.
    fn spread<'b>(&self, gradient: &'b [T], buffer: &'b mut Numbers<T>) -> &'b [T] {
        let layout = &self.layout;
        if layout.output_is_plain() && layout.reach == 0 {
            return gradient;
        }
        let geometry = self.geometry;
        let stride = layout.reach + layout.area();
        let pixels = geometry.output[0] * geometry.output[1];
        buffer.resize(geometry.convolution.output * stride, T::ZERO);
        for (index, image) in gradient.chunks_exact(geometry.output_size()).enumerate() {
            let channels = image.chunks_exact(pixels);
            for (source, target) in channels.zip(buffer.chunks_exact_mut(stride)) {
                layout.spread(index, source, &mut target[layout.reach..]);
            }
        }
        buffer
    }

    /// Writes the gradient of the input of one group of the images of a tile.
    fn input_gradient(&self, group: usize, spread: &[T], runs: &mut Numbers<T>, target: &mut [T]) {
        let (geometry, layout) = (self.geometry, &self.layout);
        let pixels = geometry.image[0] * geometry.image[1];
        let rows = geometry.group_input();
        let channels = group * rows * pixels..(group + 1) * rows * pixels;
        let phases = layout.phases.iter().zip(&self.transposed[group]);
        for ((phase, packed), offsets) in phases.zip(&self.gradient_offsets) {
            let right = Shifted {
                source: spread,
                offsets,
                length: layout.area(),
            };
            if layout.is_plain() {
                product(packed.all(), right, &mut target[channels.clone()], pixels);
                continue;
            }
            runs.resize(rows * layout.area(), T::ZERO);
            product(packed.all(), right, runs, layout.area());
            for (index, image) in target.chunks_exact_mut(geometry.input_size()).enumerate() {
                let channels = image[channels.clone()].chunks_exact_mut(pixels);
                for (target, runs) in channels.zip(runs.chunks_exact(layout.area())) {
                    layout.unpad(phase, index, runs, target);
                }
            }
        }
    }
}

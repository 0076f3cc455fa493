//! Convolution and its gradients, of every stride, padding, dilation and number of groups.
//!
//! All three are products with the shifted rows of a padded image ([`super::padded`],
//! [`super::shifted`]): the output is the weights times the shifted image; the gradient of the
//! weights is the gradient of the output times the shifted image; the gradient of the image is the
//! weights, transposed, times the shifted gradient of the output. Most convolutions of 3x3 take fewer
//! multiplications ([`super::winograd`]).

mod forward;
mod gradient;

use std::ops::Range;

use super::batch_norm::{self, Affine};
use super::depthwise;
use super::finish::Finish;
use super::float::Float;
use super::padded::Layout;
use super::rectifier::{self, Rectifier};
use super::shifted::Packed;
use super::winograd::{self, Tiling, Transformed};
use crate::plan::Convolution;

pub(in crate::backend) use forward::{forward, forward_of_rectified};
pub(in crate::backend) use gradient::{backward, transposed};

/// A convolution of a batch of images of one size.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct Geometry {
    /// The attributes.
    pub(in crate::backend) convolution: Convolution,
    /// Height and width of an image.
    pub(in crate::backend) image: [usize; 2],
    /// Height and width of the output.
    pub(in crate::backend) output: [usize; 2],
    /// The number of images.
    pub(in crate::backend) batch: usize,
}

impl Geometry {
    pub(super) fn input_pixels(&self) -> usize {
        self.image[0] * self.image[1]
    }

    pub(super) fn output_pixels(&self) -> usize {
        self.output[0] * self.output[1]
    }

    fn input_size(&self) -> usize {
        self.convolution.input * self.input_pixels()
    }

    pub(super) fn output_size(&self) -> usize {
        self.convolution.output * self.output_pixels()
    }

    pub(super) fn taps(&self) -> usize {
        self.convolution.kernel[0] * self.convolution.kernel[1]
    }

    /// Channels taken by one group.
    fn group_input(&self) -> usize {
        self.convolution.input / self.convolution.groups
    }

    /// Channels given by one group.
    fn group_output(&self) -> usize {
        self.convolution.output / self.convolution.groups
    }

    fn tiling(&self) -> Tiling {
        Tiling::new(self.image, self.convolution.padding, self.output)
    }

    fn layout(&self) -> Layout {
        Layout::new(&self.convolution, self.image, self.output, self.batch)
    }

    /// The shifted rows of one group's input: all taps of the first channel, then of the next.
    fn offsets(&self, layout: &Layout) -> Vec<usize> {
        (0..self.group_input())
            .flat_map(|channel| {
                let start = channel * layout.channel;
                layout.taps.iter().map(move |tap| start + tap)
            })
            .collect()
    }

    /// Some channels of the input of a tile, laid out; `buffer` keeps its zeros from one tile to the
    /// next.
    fn lay_out<'a, T: Float>(
        &self,
        layout: &Layout,
        channels: Range<usize>,
        images: &'a [T],
        buffer: &'a mut Vec<T>,
    ) -> &'a [T] {
        let pixels = self.input_pixels();
        if layout.is_plain() {
            return &images[channels.start * pixels..];
        }
        buffer.resize(channels.len() * layout.channel, T::ZERO);
        for (index, image) in images.chunks_exact(self.input_size()).enumerate() {
            let channels = image[channels.start * pixels..].chunks_exact(pixels);
            for (source, target) in channels.zip(buffer.chunks_exact_mut(layout.channel)) {
                layout.pad(index, source, target);
            }
        }
        buffer
    }
}

/// The weights of a convolution in the order in which the forward pass reads them.
pub(in crate::backend) enum Filter<T> {
    /// The weights of each group.
    Direct(Vec<Packed<T>>),
    /// The weights as they are; see [`depthwise`].
    Depthwise(Vec<T>),
    /// Transformed weights; see [`winograd`].
    Winograd(Transformed<T>),
}

impl<T: Float> Filter<T> {
    /// Weights `[output, input / groups, height, width]`.
    pub(in crate::backend) fn new(convolution: &Convolution, weight: &[T]) -> Self {
        if winograd::applies(convolution) {
            return Filter::Winograd(Transformed::forward(convolution, weight));
        }
        if depthwise::applies(convolution) {
            return Filter::Depthwise(weight.to_vec());
        }
        let rows = convolution.output / convolution.groups;
        let inner = weight.len() / convolution.output;
        let groups = weight.chunks_exact(rows * inner);
        let pack =
            |weight: &[T]| Packed::new(rows, inner, |row, column| weight[row * inner + column]);
        Filter::Direct(groups.map(pack).collect())
    }
}

/// What is done to the output of a tile while it is in the cache, in this order.
#[derive(Clone, Copy, Default)]
pub(in crate::backend) struct Epilogue<'a, T> {
    /// What is added to each channel.
    pub(in crate::backend) bias: Option<&'a [T]>,
    /// A norm with known statistics.
    pub(in crate::backend) affine: Option<&'a [Affine<T>]>,
    /// An activation.
    pub(in crate::backend) rectifier: Rectifier,
}

impl<T: Float> Epilogue<'_, T> {
    /// That of some of the channels.
    fn of_channels(&self, channels: Range<usize>) -> Self {
        Epilogue {
            bias: self.bias.map(|bias| &bias[channels.clone()]),
            affine: self.affine.map(|affine| &affine[channels]),
            rectifier: self.rectifier,
        }
    }

    /// That of one channel.
    pub(super) fn of_channel(&self, channel: usize) -> Finish<T> {
        Finish {
            bias: self.bias.map(|bias| bias[channel]),
            affine: self.affine.map(|affine| affine[channel]),
            rectifier: self.rectifier,
        }
    }

    fn apply(&self, pixels: usize, output: &mut [T]) {
        if let Some(bias) = self.bias {
            add_bias(pixels, bias, output);
        }
        match self.affine {
            Some(affine) => batch_norm::forward_here(pixels, affine, self.rectifier, output),
            None => rectifier::rectify_here(self.rectifier, output),
        }
    }
}

/// Adds a bias to each channel, of so many pixels, of images.
fn add_bias<T: Float>(pixels: usize, bias: &[T], output: &mut [T]) {
    for (channel, bias) in output.chunks_exact_mut(pixels).zip(bias.iter().cycle()) {
        channel.iter_mut().for_each(|value| *value += *bias);
    }
}

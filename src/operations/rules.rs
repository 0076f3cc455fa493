//! Shape rules of the layers: the operation that a word becomes on a shape, and what it gives.
//!
//! A rule is called with shapes whose numbers of axes fit ([`super::Rule::Layer`],
//! [`super::Rule::Pair`]).

pub(super) mod sequence;

pub(super) mod image;

use smallvec::SmallVec;

use super::dimension::Dimension;
use super::operation::{Operation, Pooling};
use super::shape::{Reason, Shape};
use super::table::{Arguments, Requirements};

fn axis(shape: &Shape, index: usize) -> Dimension {
    shape.0.get(index).cloned().unwrap_or(Dimension::ONE)
}

fn last(shape: &Shape) -> Dimension {
    shape.0.last().cloned().unwrap_or(Dimension::ONE)
}

/// A window that slides over height and width.
struct Window {
    kernel: [Dimension; 2],
    stride: [Dimension; 2],
    padding: [Dimension; 2],
    dilation: [Dimension; 2],
    /// How far the last tap lies behind the first.
    reach: [Dimension; 2],
    /// Whether the last window may hang over the padding.
    ceil: bool,
}

/// How far the last tap of a kernel lies behind the first.
fn reach(kernel: &Dimension, dilation: &Dimension) -> Dimension {
    &(kernel - &Dimension::ONE) * dilation
}

/// Padding that keeps the size for odd kernels at stride 1.
fn half(reach: &Dimension) -> Dimension {
    reach.floor_divide(&Dimension::Constant(2))
}

impl Window {
    /// Reads kernel, stride and padding, and the dilation where the word has one.
    fn read(
        arguments: &Arguments,
        stride: usize,
        padding: usize,
        dilation: Option<usize>,
    ) -> Window {
        let one = |_| Dimension::ONE;
        let kernel = arguments.per_axis_or(0, one);
        let dilation = match dilation {
            Some(index) => arguments.per_axis_or(index, one),
            None => [Dimension::ONE, Dimension::ONE],
        };
        let reach = [0, 1].map(|index| reach(&kernel[index], &dilation[index]));
        Window {
            stride: arguments.per_axis_or(stride, one),
            kernel,
            padding: arguments.per_axis_or(padding, |index| half(&reach[index])),
            dilation,
            reach,
            ceil: false,
        }
    }

    /// `[channels, h', w']` after sliding over `shape`; over `[c, l]`, which is one row,
    /// `[channels, l']`.
    fn slide(&self, shape: &Shape, channels: Dimension, requirements: &mut Requirements) -> Shape {
        let mut sizes = Shape(SmallVec::new());
        sizes.0.push(channels);
        let without_height = 3_usize.saturating_sub(shape.rank());
        for (place, size) in shape.0.iter().enumerate().skip(1) {
            let index = place - 1 + without_height;
            // What is known is put together first: it is nearly always all but the size.
            let padding = &self.padding[index] + &self.padding[index];
            let change = &padding - &self.reach[index];
            // Every size is at least one, so a window that needs no more room always fits.
            let always_fits = !self.ceil && change.constant().is_some_and(|change| change >= 0);
            if always_fits && self.stride[index] == Dimension::ONE {
                sizes.0.push(size + &change);
                continue;
            }
            let mut room = size + &(&change - &Dimension::ONE);
            if self.ceil {
                room = self.room_rounded_up(index, room, requirements);
            }
            if !always_fits {
                requirements.at_least(&room, 0, Reason::WindowFits { axis: place });
            }
            let steps = room.floor_divide(&self.stride[index]);
            sizes.0.push(&steps + &Dimension::ONE);
        }
        // A dilated window may reach over padding that is far larger than image and result.
        if self.dilation.iter().any(|taps| *taps != Dimension::ONE) {
            let mut padded = shape.clone();
            for (place, size) in padded.0.iter_mut().enumerate().skip(1) {
                let padding = &self.padding[place - 1 + without_height];
                *size = &*size + &(padding + padding);
            }
            requirements.fits(&padded.0);
        }
        sizes
    }
}

pub(super) fn convolution(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let input = axis(shape, 0);
    let output = arguments.number_or(1, || input.clone());
    let groups = arguments.number_or(5, || Dimension::ONE);
    let window = Window::read(arguments, 2, 3, Some(4));
    convolve(
        window,
        [input, output],
        groups,
        arguments.flag(6),
        shape,
        requirements,
    )
}

pub(super) fn depthwise_convolution(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let channels = axis(shape, 0);
    let window = Window::read(arguments, 1, 2, Some(3));
    convolve(
        window,
        [channels.clone(), channels.clone()],
        channels,
        arguments.flag(4),
        shape,
        requirements,
    )
}

#[inline]
fn convolve(
    window: Window,
    [input, output]: [Dimension; 2],
    groups: Dimension,
    bias: bool,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    requirements.divides(&groups, &input, Reason::GroupsDivideInput);
    requirements.divides(&groups, &output, Reason::GroupsDivideOutput);
    let result = window.slide(shape, output.clone(), requirements);
    let [height, width] = &window.kernel;
    requirements.fits([&input.floor_divide(&groups), &output, height, width]);
    let operation = Operation::Convolution {
        input,
        output,
        kernel: window.kernel,
        stride: window.stride,
        padding: window.padding,
        dilation: window.dilation,
        groups,
        bias,
    };
    (operation, result)
}

pub(super) fn dense(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let input = last(shape);
    let output = arguments.number_or(0, || input.clone());
    requirements.fits([&input, &output]);
    let mut result = shape.clone();
    if let Some(size) = result.0.last_mut() {
        *size = output.clone();
    }
    let operation = Operation::Dense {
        input,
        output,
        bias: arguments.flag(1),
    };
    (operation, result)
}

pub(super) fn batch_norm(
    arguments: &Arguments,
    shape: &Shape,
    _: &mut Requirements,
) -> (Operation, Shape) {
    let operation = Operation::BatchNorm {
        channels: axis(shape, 0),
        epsilon: arguments.real(0),
        momentum: arguments.real(1),
    };
    (operation, shape.clone())
}

/// The size of the axis whose numbers are the features of a position: the channels of an image, the
/// last axis of all else.
fn features(shape: &Shape) -> Dimension {
    match shape.rank() {
        3 => axis(shape, 0),
        _ => last(shape),
    }
}

pub(super) fn layer_norm(
    arguments: &Arguments,
    shape: &Shape,
    _: &mut Requirements,
) -> (Operation, Shape) {
    let operation = Operation::LayerNorm {
        features: features(shape),
        epsilon: arguments.real(0),
    };
    (operation, shape.clone())
}

pub(super) fn global_pool(kind: Pooling, shape: &Shape) -> (Operation, Shape) {
    let result = [axis(shape, 0)].into_iter().collect();
    (Operation::GlobalPool(kind), result)
}

pub(super) fn upsample(
    arguments: &Arguments,
    shape: &Shape,
    _: &mut Requirements,
) -> (Operation, Shape) {
    let factor = arguments.number_or(0, || Dimension::Constant(2));
    let result = [
        axis(shape, 0),
        &axis(shape, 1) * &factor,
        &axis(shape, 2) * &factor,
    ];
    (Operation::Upsample { factor }, result.into_iter().collect())
}

pub(super) fn flatten(shape: &Shape) -> (Operation, Shape) {
    (Operation::Flatten, [shape.elements()].into_iter().collect())
}

pub(super) fn tokens(shape: &Shape) -> (Operation, Shape) {
    let positions = &axis(shape, 1) * &axis(shape, 2);
    let result = [positions, axis(shape, 0)].into_iter().collect();
    (Operation::Tokens, result)
}

//! Shape rules of the words for images and signals beyond the plain convolution.

use super::*;
use crate::operations::operation::{Filling, TransposedConvolution};

const fn constant(value: i64) -> Dimension {
    Dimension::Constant(value)
}

impl Window {
    /// A window over `[c, l]`: one that is a row high, over the image `[c, 1, l]`.
    fn read_row(
        arguments: &Arguments,
        stride: usize,
        padding: usize,
        dilation: Option<usize>,
    ) -> Window {
        let one = || Dimension::ONE;
        let kernel = arguments.number_or(0, one);
        let dilation = dilation.map_or(Dimension::ONE, |index| arguments.number_or(index, one));
        let reach = reach(&kernel, &dilation);
        let padding = arguments.number_or(padding, || half(&reach));
        Window {
            kernel: [Dimension::ONE, kernel],
            stride: [Dimension::ONE, arguments.number_or(stride, one)],
            padding: [constant(0), padding],
            dilation: [Dimension::ONE, dilation],
            reach: [constant(0), reach],
            ceil: false,
        }
    }

    /// How far the last window may begin behind the first, where windows may hang over the padding;
    /// `room` is how far where they may not. The number of windows is `room / stride` rounded up,
    /// plus one, but no window may begin behind the image: the last begins at most
    /// `size + padding - 1` behind the first. Both are bounds on a multiple of the stride, so the
    /// smaller one counts.
    pub(super) fn room_rounded_up(
        &self,
        index: usize,
        room: Dimension,
        requirements: &mut Requirements,
    ) -> Dimension {
        let rounded_up = &(&room + &self.stride[index]) - &Dimension::ONE;
        let within_image = &(&room + &self.reach[index]) - &self.padding[index];
        // The size of the image cancels out: known arguments decide.
        match (&within_image - &rounded_up).constant() {
            Some(difference) if difference < 0 => within_image,
            Some(_) => rounded_up,
            None => {
                requirements.leave_open();
                rounded_up
            }
        }
    }
}

pub(in crate::operations) fn convolution_of_signals(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let input = axis(shape, 0);
    let output = arguments.number_or(1, || input.clone());
    let groups = arguments.number_or(5, || Dimension::ONE);
    let window = Window::read_row(arguments, 2, 3, Some(4));
    let bias = arguments.flag(6);
    convolve(window, [input, output], groups, bias, shape, requirements)
}

pub(in crate::operations) fn depthwise_convolution_of_signals(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let channels = axis(shape, 0);
    let window = Window::read_row(arguments, 1, 2, Some(3));
    let both = [channels.clone(), channels.clone()];
    let bias = arguments.flag(4);
    convolve(window, both, channels, bias, shape, requirements)
}

/// What a transposed convolution does along height and width.
struct Transposed {
    kernel: [Dimension; 2],
    stride: [Dimension; 2],
    padding: [Dimension; 2],
    output_padding: [Dimension; 2],
    dilation: [Dimension; 2],
}

/// Padding with which a transposed convolution multiplies the size by the stride, if what the
/// window covers and the stride differ by an even number.
fn half_difference(kernel: &Dimension, stride: &Dimension, dilation: &Dimension) -> Dimension {
    (&(&reach(kernel, dilation) + &Dimension::ONE) - stride).floor_divide(&constant(2))
}

impl Transposed {
    /// The size along an axis, and what it would be if nothing were cut off.
    fn size(&self, index: usize, size: &Dimension) -> (Dimension, Dimension) {
        let reach = reach(&self.kernel[index], &self.dilation[index]);
        let spread = &(size - &Dimension::ONE) * &self.stride[index];
        let whole = &(&(&spread + &reach) + &self.output_padding[index]) + &Dimension::ONE;
        let cut_off = &self.padding[index] * &constant(2);
        (&whole - &cut_off, whole)
    }

    fn require(&self, index: usize, requirements: &mut Requirements) {
        let parameter = "pad";
        requirements.at_least(&self.padding[index], 0, Reason::Argument { parameter });
        let added = &self.output_padding[index];
        if *added == constant(0) {
            return;
        }
        let (stride, dilation) = (&self.stride[index], &self.dilation[index]);
        match (stride - dilation).constant() {
            None => requirements.leave_open(),
            Some(difference) => {
                let larger = if difference < 0 { dilation } else { stride };
                let most = larger - &Dimension::ONE;
                requirements.at_most(added, &most, Reason::OutputPadding);
            }
        }
    }

    fn apply(
        self,
        [input, output]: [Dimension; 2],
        groups: Dimension,
        bias: bool,
        shape: &Shape,
        requirements: &mut Requirements,
    ) -> (Operation, Shape) {
        requirements.divides(&groups, &input, Reason::GroupsDivideInput);
        requirements.divides(&groups, &output, Reason::GroupsDivideOutput);
        let mut result = Shape([output.clone()].into_iter().collect());
        let mut whole = output.clone();
        let without_height = 3_usize.saturating_sub(shape.rank());
        for index in without_height..2 {
            self.require(index, requirements);
            let (size, uncut) = self.size(index, &axis(shape, index + 1 - without_height));
            requirements.at_least(&size, 1, Reason::Positive);
            result.0.push(size);
            whole = &whole * &uncut;
        }
        // What is cut off is computed first.
        requirements.fits([&whole]);
        let [height, width] = &self.kernel;
        requirements.fits([&output.floor_divide(&groups), &input, height, width]);
        let attributes = TransposedConvolution {
            input,
            output,
            kernel: self.kernel,
            stride: self.stride,
            padding: self.padding,
            output_padding: self.output_padding,
            dilation: self.dilation,
            groups,
            bias,
        };
        let operation = Operation::TransposedConvolution(Box::new(attributes));
        (operation, result)
    }
}

pub(in crate::operations) fn transposed_convolution(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let one = |_| Dimension::ONE;
    let input = axis(shape, 0);
    let output = arguments.number_or(1, || input.clone());
    let kernel = arguments.per_axis_or(0, one);
    let stride = arguments.per_axis_or(2, one);
    let dilation = arguments.per_axis_or(5, one);
    let padding = arguments.per_axis_or(3, |index| {
        half_difference(&kernel[index], &stride[index], &dilation[index])
    });
    let transposed = Transposed {
        kernel,
        stride,
        padding,
        output_padding: arguments.per_axis_or(4, |_| constant(0)),
        dilation,
    };
    let groups = arguments.number_or(6, || Dimension::ONE);
    let bias = arguments.flag(7);
    transposed.apply([input, output], groups, bias, shape, requirements)
}

pub(in crate::operations) fn transposed_convolution_of_signals(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let one = || Dimension::ONE;
    let input = axis(shape, 0);
    let output = arguments.number_or(1, || input.clone());
    let kernel = arguments.number_or(0, one);
    let stride = arguments.number_or(2, one);
    let dilation = arguments.number_or(5, one);
    let padding = arguments.number_or(3, || half_difference(&kernel, &stride, &dilation));
    let output_padding = arguments.number_or(4, || constant(0));
    let transposed = Transposed {
        kernel: [Dimension::ONE, kernel],
        stride: [Dimension::ONE, stride],
        padding: [constant(0), padding],
        output_padding: [constant(0), output_padding],
        dilation: [Dimension::ONE, dilation],
    };
    let groups = arguments.number_or(6, one);
    let bias = arguments.flag(7);
    transposed.apply([input, output], groups, bias, shape, requirements)
}

/// `maxpool` and `avgpool`, and their forms for signals.
pub(in crate::operations) fn pool(
    kind: Pooling,
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let mut window = match shape.rank() {
        2 => Window::read_row(arguments, 1, 2, None),
        _ => Window::read(arguments, 1, 2, None),
    };
    window.ceil = arguments.flag(3);
    for index in 0..2 {
        let half = window.kernel[index].floor_divide(&constant(2));
        requirements.at_most(&window.padding[index], &half, Reason::PaddingWithinWindow);
    }
    let result = window.slide(shape, axis(shape, 0), requirements);
    let operation = Operation::Pool {
        kind,
        kernel: window.kernel,
        stride: window.stride,
        padding: window.padding,
        ceil: window.ceil,
        count_padding: arguments.flag(4),
    };
    (operation, result)
}

pub(in crate::operations) fn adaptive_pool(
    kind: Pooling,
    arguments: &Arguments,
    shape: &Shape,
) -> (Operation, Shape) {
    let size = arguments.per_axis_or(0, |_| Dimension::ONE);
    let [height, width] = size.clone();
    let result = [axis(shape, 0), height, width].into_iter().collect();
    (Operation::AdaptivePool { kind, size }, result)
}

/// The margins of an image: what `before` and `after` say.
fn margins(arguments: &Arguments) -> [[Dimension; 2]; 2] {
    let before = arguments.per_axis_or(0, |_| constant(0));
    let after = arguments.per_axis_or(1, |index| before[index].clone());
    [before, after]
}

pub(in crate::operations) fn pad(
    filling: Filling,
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let [before, after] = margins(arguments);
    let mut result = Shape([axis(shape, 0)].into_iter().collect());
    for index in 0..2 {
        let size = axis(shape, index + 1);
        let most = match filling {
            Filling::Zero | Filling::Replicate => None,
            Filling::Reflect => Some(&size - &Dimension::ONE),
            Filling::Circular => Some(size.clone()),
        };
        if let Some(most) = most {
            let reason = Reason::PaddingWithinImage { axis: index + 1 };
            requirements.at_most(&before[index], &most, reason);
            requirements.at_most(&after[index], &most, reason);
        }
        result.0.push(&(&before[index] + &size) + &after[index]);
    }
    let operation = Operation::Pad {
        filling,
        before,
        after,
    };
    (operation, result)
}

pub(in crate::operations) fn crop(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let [before, after] = margins(arguments);
    let mut result = Shape([axis(shape, 0)].into_iter().collect());
    for index in 0..2 {
        let size = &(&axis(shape, index + 1) - &before[index]) - &after[index];
        requirements.at_least(&size, 1, Reason::Positive);
        result.0.push(size);
    }
    (Operation::Crop { before, after }, result)
}

/// The factor of a word that enlarges or shrinks images.
fn factor(arguments: &Arguments) -> Dimension {
    arguments.number_or(0, || constant(2))
}

pub(in crate::operations) fn bilinear(
    arguments: &Arguments,
    shape: &Shape,
    _: &mut Requirements,
) -> (Operation, Shape) {
    let factor = factor(arguments);
    let [height, width] = [1, 2].map(|index| &axis(shape, index) * &factor);
    let result = [axis(shape, 0), height, width].into_iter().collect();
    (Operation::Bilinear { factor }, result)
}

pub(in crate::operations) fn pixel_shuffle(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let factor = factor(arguments);
    let square = &factor * &factor;
    let channels = axis(shape, 0);
    requirements.divides(&square, &channels, Reason::EqualParts { axis: 0 });
    let [height, width] = [1, 2].map(|index| &axis(shape, index) * &factor);
    let result = [channels.floor_divide(&square), height, width];
    let operation = Operation::PixelShuffle { factor };
    (operation, result.into_iter().collect())
}

pub(in crate::operations) fn pixel_unshuffle(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let factor = factor(arguments);
    let [height, width] = [1, 2].map(|index| {
        let size = axis(shape, index);
        requirements.divides(&factor, &size, Reason::EqualParts { axis: index });
        size.floor_divide(&factor)
    });
    let channels = &(&axis(shape, 0) * &factor) * &factor;
    let result = [channels, height, width].into_iter().collect();
    (Operation::PixelUnshuffle { factor }, result)
}

pub(in crate::operations) fn channel_shuffle(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let groups = arguments.number_or(0, || Dimension::ONE);
    let channels = axis(shape, 0);
    requirements.divides(&groups, &channels, Reason::EqualParts { axis: 0 });
    (Operation::ChannelShuffle { groups }, shape.clone())
}

/// `size` from `start` on along the first axis of `shape`.
fn cut(start: Dimension, size: Dimension, shape: &Shape) -> (Operation, Shape) {
    let mut result = shape.clone();
    if let Some(first) = result.0.first_mut() {
        *first = size.clone();
    }
    (Operation::Slice { start, size }, result)
}

pub(in crate::operations) fn slice(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let start = arguments.number_or(0, || constant(0));
    let size = arguments.number_or(1, || Dimension::ONE);
    requirements.at_most(&(&start + &size), &axis(shape, 0), Reason::SliceWithin);
    cut(start, size, shape)
}

pub(in crate::operations) fn split(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> Vec<(Operation, Shape)> {
    let count = arguments.number_or(0, || constant(2));
    let whole = axis(shape, 0);
    requirements.divides(&count, &whole, Reason::EqualParts { axis: 0 });
    let size = whole.floor_divide(&count);
    (0..count.constant().unwrap_or(0))
        .map(|number| cut(&constant(number) * &size, size.clone(), shape))
        .collect()
}

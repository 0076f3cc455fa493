//! Shape rules of the layers: the operation that a word becomes on a shape, and what it gives.
//!
//! A rule is called with a shape whose number of axes fits ([`super::Rule::Layer`]).

use super::dimension::Dimension;
use super::operation::{Operation, Pooling};
use super::shape::{MAXIMUM_ELEMENTS, Reason, Shape};
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
}

/// Padding that keeps the size for odd kernels at stride 1.
fn half(kernel: &Dimension, dilation: &Dimension) -> Dimension {
    let reach = dilation * &(kernel - &Dimension::ONE);
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
        let padding =
            arguments.per_axis_or(padding, |index| half(&kernel[index], &dilation[index]));
        Window {
            stride: arguments.per_axis_or(stride, one),
            kernel,
            padding,
            dilation,
        }
    }

    /// `[channels, h', w']` after sliding over `shape`.
    fn slide(&self, shape: &Shape, channels: Dimension, requirements: &mut Requirements) -> Shape {
        let mut sizes = Shape([channels].into_iter().collect());
        for index in 0..2 {
            // What is known is put together first: it is nearly always all but the size.
            let padding = &self.padding[index] * &Dimension::Constant(2);
            let reach = &self.dilation[index] * &(&self.kernel[index] - &Dimension::ONE);
            let change = &(&padding - &reach) - &Dimension::ONE;
            let room = &axis(shape, index + 1) + &change;
            requirements.at_least(&room, 0, Reason::WindowFits { axis: index + 1 });
            let steps = room.floor_divide(&self.stride[index]);
            sizes.0.push(&steps + &Dimension::ONE);
        }
        sizes
    }
}

/// Requires that the weights of a layer can be counted.
fn limit_weights(weights: Dimension, requirements: &mut Requirements) {
    requirements.at_most(
        &weights,
        &Dimension::Constant(MAXIMUM_ELEMENTS - 1),
        Reason::Size,
    );
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
    let weights = Dimension::product([&input.floor_divide(&groups), &output, height, width]);
    limit_weights(weights, requirements);
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
    limit_weights(&input * &output, requirements);
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

pub(super) fn attention(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let width = last(shape);
    let heads = arguments.number_or(0, || Dimension::ONE);
    requirements.divides(&heads, &width, Reason::HeadsDivideWidth);
    limit_weights(&(&width * &width) * &Dimension::Constant(3), requirements);
    let tokens = axis(shape, 0);
    limit_weights(&(&tokens * &tokens) * &heads, requirements);
    (Operation::Attention { width, heads }, shape.clone())
}

pub(super) fn batch_norm(_: &Arguments, shape: &Shape, _: &mut Requirements) -> (Operation, Shape) {
    let channels = axis(shape, 0);
    (Operation::BatchNorm { channels }, shape.clone())
}

pub(super) fn layer_norm(_: &Arguments, shape: &Shape, _: &mut Requirements) -> (Operation, Shape) {
    let features = match shape.rank() {
        3 => axis(shape, 0),
        _ => last(shape),
    };
    (Operation::LayerNorm { features }, shape.clone())
}

pub(super) fn pool(
    kind: Pooling,
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let window = Window::read(arguments, 1, 2, None);
    for index in 0..2 {
        let half = window.kernel[index].floor_divide(&Dimension::Constant(2));
        requirements.at_most(&window.padding[index], &half, Reason::PaddingWithinWindow);
    }
    let result = window.slide(shape, axis(shape, 0), requirements);
    let operation = Operation::Pool {
        kind,
        kernel: window.kernel,
        stride: window.stride,
        padding: window.padding,
    };
    (operation, result)
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

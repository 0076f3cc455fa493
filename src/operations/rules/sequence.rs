//! Shape rules of norms, attention and what works on sequences.

use super::{axis, features, last};
use crate::operations::dimension::Dimension;
use crate::operations::operation::Operation;
use crate::operations::shape::{Reason, Shape};
use crate::operations::table::{Argument, Arguments, Requirements};

fn number(arguments: &Arguments, index: usize) -> Dimension {
    arguments.number_or(index, || Dimension::ONE)
}

/// Requires that attention has heads of one width and that its weights and scores can be counted.
fn limit_attention(
    [queries, keys]: [&Dimension; 2],
    [width, context]: [&Dimension; 2],
    heads: &Dimension,
    requirements: &mut Requirements,
) {
    requirements.divides(heads, width, Reason::HeadsDivideWidth);
    requirements.fits([width, width, &Dimension::Constant(3)]);
    requirements.fits([width, context]);
    requirements.fits([queries, keys, heads]);
}

pub(crate) fn attention(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let (tokens, width, heads) = (axis(shape, 0), last(shape), number(arguments, 0));
    limit_attention([&tokens; 2], [&width; 2], &heads, requirements);
    let operation = Operation::Attention {
        width,
        heads,
        causal: arguments.flag(1),
        bias: arguments.flag(2),
    };
    (operation, shape.clone())
}

pub(crate) fn masked_attention(
    arguments: &Arguments,
    [shape, mask]: [&Shape; 2],
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let (tokens, width, heads) = (axis(shape, 0), last(shape), number(arguments, 0));
    requirements.equal(&axis(mask, 0), &tokens, Reason::MaskForEachToken);
    limit_attention([&tokens; 2], [&width; 2], &heads, requirements);
    let operation = Operation::MaskedAttention { width, heads };
    (operation, shape.clone())
}

pub(crate) fn cross_attention(
    arguments: &Arguments,
    [shape, other]: [&Shape; 2],
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let (width, context, heads) = (last(shape), last(other), number(arguments, 0));
    let counts = [&axis(shape, 0), &axis(other, 0)];
    limit_attention(counts, [&width, &context], &heads, requirements);
    // Queries, keys and values of an example lie behind one another.
    requirements.fits([counts[1], &width, &Dimension::Constant(2)]);
    let operation = Operation::CrossAttention {
        width,
        context,
        heads,
        bias: arguments.flag(1),
    };
    (operation, shape.clone())
}

pub(crate) fn window_attention(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let channels = axis(shape, 0);
    let [heads, window] = [number(arguments, 0), number(arguments, 1)];
    let shift = arguments.number_or(2, || Dimension::Constant(0));
    for index in [1, 2] {
        let reason = Reason::WindowsDivideImage { axis: index };
        requirements.divides(&window, &axis(shape, index), reason);
    }
    let largest = &window - &Dimension::ONE;
    requirements.at_most(&shift, &largest, Reason::ShiftWithinWindow);
    let positions = &axis(shape, 1) * &axis(shape, 2);
    let area = &window * &window;
    limit_attention([&positions, &area], [&channels; 2], &heads, requirements);
    requirements.fits([&area, &Dimension::Constant(4), &heads]);
    let operation = Operation::WindowAttention {
        channels,
        heads,
        window,
        shift,
    };
    (operation, shape.clone())
}

pub(crate) fn rms_norm(
    arguments: &Arguments,
    shape: &Shape,
    _: &mut Requirements,
) -> (Operation, Shape) {
    let operation = Operation::RmsNorm {
        features: features(shape),
        epsilon: arguments.real(0),
    };
    (operation, shape.clone())
}

pub(crate) fn group_norm(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let (channels, groups) = (axis(shape, 0), number(arguments, 0));
    requirements.divides(&groups, &channels, Reason::GroupsDivideInput);
    let operation = Operation::GroupNorm {
        channels,
        groups,
        epsilon: arguments.real(1),
    };
    (operation, shape.clone())
}

pub(crate) fn instance_norm(
    arguments: &Arguments,
    shape: &Shape,
    _: &mut Requirements,
) -> (Operation, Shape) {
    let epsilon = arguments.real(0);
    (Operation::InstanceNorm { epsilon }, shape.clone())
}

pub(crate) fn parametric_relu(shape: &Shape) -> (Operation, Shape) {
    let channels = axis(shape, 0);
    (Operation::ParametricRelu { channels }, shape.clone())
}

pub(crate) fn layer_scale(
    arguments: &Arguments,
    shape: &Shape,
    _: &mut Requirements,
) -> (Operation, Shape) {
    let operation = Operation::LayerScale {
        features: features(shape),
        initial: arguments.real(0),
    };
    (operation, shape.clone())
}

pub(crate) fn scale(
    _: &Arguments,
    [shape, factors]: [&Shape; 2],
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let (channels, numbers) = (axis(shape, 0), axis(factors, 0));
    requirements.equal(&numbers, &channels, Reason::NumberForEachChannel);
    (Operation::Scale, shape.clone())
}

pub(crate) fn embedding(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let [count, width] = [number(arguments, 0), number(arguments, 1)];
    requirements.fits([&count, &width]);
    let result = [axis(shape, 0), width.clone()].into_iter().collect();
    (Operation::Embedding { count, width }, result)
}

pub(crate) fn positions(shape: &Shape) -> (Operation, Shape) {
    let (tokens, width) = (axis(shape, 0), last(shape));
    (Operation::Positions { tokens, width }, shape.clone())
}

pub(crate) fn class_token(shape: &Shape) -> (Operation, Shape) {
    let width = last(shape);
    let tokens = &axis(shape, 0) + &Dimension::ONE;
    let result = [tokens, width.clone()].into_iter().collect();
    (Operation::ClassToken { width }, result)
}

pub(crate) fn token(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let place = arguments.number_or(0, || Dimension::Constant(0));
    let latest = &axis(shape, 0) - &Dimension::ONE;
    requirements.at_most(&place, &latest, Reason::TokenExists);
    let result = [last(shape)].into_iter().collect();
    (Operation::Token { place }, result)
}

pub(crate) fn token_mean(shape: &Shape) -> (Operation, Shape) {
    (Operation::TokenMean, [last(shape)].into_iter().collect())
}

pub(crate) fn transpose(shape: &Shape) -> (Operation, Shape) {
    let result = [last(shape), axis(shape, 0)].into_iter().collect();
    (Operation::Transpose, result)
}

/// The axes are those that are given.
pub(crate) fn zeros(arguments: &Arguments) -> (Operation, Shape) {
    let given = arguments
        .given
        .iter()
        .filter_map(|argument| match argument {
            Argument::Number(size) => Some(size.clone()),
            _ => None,
        });
    let shape: Shape = given.collect();
    let operation = Operation::Zeros {
        shape: shape.clone(),
    };
    (operation, shape)
}

pub(crate) fn image(
    arguments: &Arguments,
    shape: &Shape,
    requirements: &mut Requirements,
) -> (Operation, Shape) {
    let size = [number(arguments, 0), number(arguments, 1)];
    let [height, width] = size.clone();
    let positions = &height * &width;
    requirements.equal(&axis(shape, 0), &positions, Reason::ImageHasAllTokens);
    let result = [last(shape), height, width].into_iter().collect();
    (Operation::Image { size }, result)
}

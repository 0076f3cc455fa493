//! From operations to layers: every size becomes a number.

use super::PlanError;
use super::layer::Layer;
use super::windows::{Convolution, Pool, TransposedConvolution, WindowAttention};
use crate::operations::{self, Dimension, Operation};

/// Fixes the sizes of an operation.
pub(super) fn lower(
    operation: &Operation,
    size: &dyn Fn(&Dimension) -> Result<usize, PlanError>,
) -> Result<Layer, PlanError> {
    let pair = |[height, width]: &[Dimension; 2]| Ok([size(height)?, size(width)?]);
    Ok(match operation {
        Operation::Convolution {
            input,
            output,
            kernel,
            stride,
            padding,
            dilation,
            groups,
            bias,
        } => Layer::Convolution(Convolution {
            input: size(input)?,
            output: size(output)?,
            kernel: pair(kernel)?,
            stride: pair(stride)?,
            padding: pair(padding)?,
            dilation: pair(dilation)?,
            groups: size(groups)?,
            bias: *bias,
        }),
        Operation::Dense {
            input,
            output,
            bias,
        } => Layer::Dense {
            input: size(input)?,
            output: size(output)?,
            bias: *bias,
        },
        Operation::BatchNorm {
            channels,
            epsilon,
            momentum,
        } => Layer::BatchNorm {
            channels: size(channels)?,
            epsilon: epsilon.value(),
            momentum: momentum.value(),
        },
        Operation::LayerNorm { features, epsilon } => Layer::LayerNorm {
            features: size(features)?,
            epsilon: epsilon.value(),
        },
        Operation::Activation(activation) => Layer::Activation(*activation),
        Operation::Softmax => Layer::Softmax,
        Operation::Pool {
            kind,
            kernel,
            stride,
            padding,
            ceil,
            count_padding,
        } => Layer::Pool(Pool {
            kind: *kind,
            kernel: pair(kernel)?,
            stride: pair(stride)?,
            padding: pair(padding)?,
            ceil: *ceil,
            count_padding: *count_padding,
        }),
        Operation::GlobalPool(kind) => Layer::GlobalPool(*kind),
        Operation::Upsample { factor } => Layer::Upsample {
            factor: size(factor)?,
        },
        Operation::Dropout { rate } => Layer::Dropout { rate: rate.value() },
        Operation::Flatten => Layer::Flatten,
        Operation::Tokens => Layer::Tokens,
        Operation::Attention {
            width,
            heads,
            causal,
            bias,
        } => Layer::Attention {
            width: size(width)?,
            heads: size(heads)?,
            causal: *causal,
            bias: *bias,
        },
        Operation::RmsNorm { features, epsilon } => Layer::RmsNorm {
            features: size(features)?,
            epsilon: epsilon.value(),
        },
        Operation::GroupNorm {
            channels,
            groups,
            epsilon,
        } => Layer::GroupNorm {
            channels: size(channels)?,
            groups: size(groups)?,
            epsilon: epsilon.value(),
        },
        Operation::InstanceNorm { epsilon } => Layer::InstanceNorm {
            epsilon: epsilon.value(),
        },
        Operation::ParametricRelu { channels } => Layer::ParametricRelu {
            channels: size(channels)?,
        },
        Operation::LayerScale { features, .. } => Layer::LayerScale {
            features: size(features)?,
        },
        Operation::DropPath { rate } => Layer::DropPath { rate: rate.value() },
        Operation::Scale => Layer::Scale,
        Operation::CrossAttention {
            width,
            context,
            heads,
            bias,
        } => Layer::CrossAttention {
            width: size(width)?,
            context: size(context)?,
            heads: size(heads)?,
            bias: *bias,
        },
        Operation::MaskedAttention { width, heads } => Layer::MaskedAttention {
            width: size(width)?,
            heads: size(heads)?,
        },
        Operation::WindowAttention {
            channels,
            heads,
            window,
            shift,
        } => Layer::WindowAttention(WindowAttention {
            channels: size(channels)?,
            heads: size(heads)?,
            window: size(window)?,
            shift: size(shift)?,
        }),
        Operation::Embedding { count, width } => Layer::Embedding {
            count: size(count)?,
            width: size(width)?,
        },
        Operation::Positions { tokens, width } => Layer::Positions {
            tokens: size(tokens)?,
            width: size(width)?,
        },
        Operation::ClassToken { width } => Layer::ClassToken {
            width: size(width)?,
        },
        Operation::Token { place } => Layer::Token {
            place: size(place)?,
        },
        Operation::TokenMean => Layer::TokenMean,
        Operation::Transpose => Layer::Transpose,
        Operation::Image { size: image } => Layer::Image { size: pair(image)? },
        Operation::Zeros { shape } => Layer::Zero {
            shape: shape.0.iter().map(size).collect::<Result<_, _>>()?,
        },
        Operation::Add { .. } => Layer::Add,
        Operation::Multiply { .. } => Layer::Multiply,
        Operation::Concatenate { .. } => Layer::Concatenate,
        Operation::TransposedConvolution(attributes) => {
            let operations::TransposedConvolution {
                input,
                output,
                kernel,
                stride,
                padding,
                output_padding,
                dilation,
                groups,
                bias,
            } = &**attributes;
            Layer::TransposedConvolution(TransposedConvolution {
                convolution: Convolution {
                    input: size(output)?,
                    output: size(input)?,
                    kernel: pair(kernel)?,
                    stride: pair(stride)?,
                    padding: pair(padding)?,
                    dilation: pair(dilation)?,
                    groups: size(groups)?,
                    bias: *bias,
                },
                output_padding: pair(output_padding)?,
            })
        }
        Operation::AdaptivePool { kind, size: given } => Layer::AdaptivePool {
            kind: *kind,
            size: pair(given)?,
        },
        Operation::Pad {
            filling,
            before,
            after,
        } => Layer::Pad {
            filling: *filling,
            before: pair(before)?,
            after: pair(after)?,
        },
        Operation::Crop { before, after } => Layer::Crop {
            before: pair(before)?,
            after: pair(after)?,
        },
        Operation::Bilinear { factor } => Layer::Bilinear {
            factor: size(factor)?,
        },
        Operation::PixelShuffle { factor } => Layer::PixelShuffle {
            factor: size(factor)?,
        },
        Operation::PixelUnshuffle { factor } => Layer::PixelUnshuffle {
            factor: size(factor)?,
        },
        Operation::ChannelShuffle { groups } => Layer::ChannelShuffle {
            groups: size(groups)?,
        },
        Operation::Slice {
            start,
            size: length,
        } => Layer::Slice {
            start: size(start)?,
            size: size(length)?,
        },
    })
}

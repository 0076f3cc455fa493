//! Layers: operations whose every size is a number, and the shapes they give.

use super::windows::{Convolution, Pool, TransposedConvolution, WindowAttention};
use crate::operations::{Activation, Filling, Pooling};

/// An [`Operation`](crate::operations::Operation) with every size known. See there for what each computes.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// See [`Operation::Convolution`](crate::operations::Operation::Convolution).
    Convolution(Convolution),
    /// See [`Operation::Dense`](crate::operations::Operation::Dense).
    Dense {
        /// Features taken.
        input: usize,
        /// Features given.
        output: usize,
        /// Whether a bias is added.
        bias: bool,
    },
    /// See [`Operation::BatchNorm`](crate::operations::Operation::BatchNorm).
    BatchNorm {
        /// Size of the first axis.
        channels: usize,
        /// What is added to a variance.
        epsilon: f64,
        /// The share of a batch in the new running statistics.
        momentum: f64,
    },
    /// See [`Operation::LayerNorm`](crate::operations::Operation::LayerNorm).
    LayerNorm {
        /// Size of the normalised axis.
        features: usize,
        /// What is added to a variance.
        epsilon: f64,
    },
    /// See [`Operation::Activation`](crate::operations::Operation::Activation).
    Activation(Activation),
    /// Zeros, whatever it reads.
    Zero {
        /// Their shape.
        shape: Vec<usize>,
    },
    /// See [`Operation::Softmax`](crate::operations::Operation::Softmax).
    Softmax,
    /// See [`Operation::Pool`](crate::operations::Operation::Pool).
    Pool(Pool),
    /// See [`Operation::GlobalPool`](crate::operations::Operation::GlobalPool).
    GlobalPool(Pooling),
    /// See [`Operation::Upsample`](crate::operations::Operation::Upsample).
    Upsample {
        /// How often each value is repeated along both axes.
        factor: usize,
    },
    /// See [`Operation::Dropout`](crate::operations::Operation::Dropout).
    Dropout {
        /// The probability of zero.
        rate: f64,
    },
    /// See [`Operation::Flatten`](crate::operations::Operation::Flatten).
    Flatten,
    /// See [`Operation::Tokens`](crate::operations::Operation::Tokens).
    Tokens,
    /// See [`Operation::Attention`](crate::operations::Operation::Attention).
    Attention {
        /// Features of a token.
        width: usize,
        /// The number of heads.
        heads: usize,
        /// Whether a position sees none behind it.
        causal: bool,
        /// Whether the projections have biases.
        bias: bool,
    },
    /// See [`Operation::RmsNorm`](crate::operations::Operation::RmsNorm).
    RmsNorm {
        /// Size of the normalised axis.
        features: usize,
        /// What is added to a mean square.
        epsilon: f64,
    },
    /// See [`Operation::GroupNorm`](crate::operations::Operation::GroupNorm).
    GroupNorm {
        /// Size of the first axis.
        channels: usize,
        /// The number of groups.
        groups: usize,
        /// What is added to a variance.
        epsilon: f64,
    },
    /// See [`Operation::InstanceNorm`](crate::operations::Operation::InstanceNorm).
    InstanceNorm {
        /// What is added to a variance.
        epsilon: f64,
    },
    /// See [`Operation::ParametricRelu`](crate::operations::Operation::ParametricRelu).
    ParametricRelu {
        /// Size of the first axis.
        channels: usize,
    },
    /// See [`Operation::LayerScale`](crate::operations::Operation::LayerScale).
    LayerScale {
        /// The number of features.
        features: usize,
    },
    /// See [`Operation::DropPath`](crate::operations::Operation::DropPath).
    DropPath {
        /// The probability of zero.
        rate: f64,
    },
    /// See [`Operation::Scale`](crate::operations::Operation::Scale).
    Scale,
    /// See [`Operation::CrossAttention`](crate::operations::Operation::CrossAttention).
    CrossAttention {
        /// Features of a token that asks.
        width: usize,
        /// Features of a token that is asked.
        context: usize,
        /// The number of heads.
        heads: usize,
        /// Whether the projections have biases.
        bias: bool,
    },
    /// See [`Operation::MaskedAttention`](crate::operations::Operation::MaskedAttention).
    MaskedAttention {
        /// Features of a token.
        width: usize,
        /// The number of heads.
        heads: usize,
    },
    /// See [`Operation::WindowAttention`](crate::operations::Operation::WindowAttention).
    WindowAttention(WindowAttention),
    /// See [`Operation::Embedding`](crate::operations::Operation::Embedding).
    Embedding {
        /// How many rows the table has.
        count: usize,
        /// The length of a row.
        width: usize,
    },
    /// See [`Operation::Positions`](crate::operations::Operation::Positions).
    Positions {
        /// How many there are.
        tokens: usize,
        /// Features of each.
        width: usize,
    },
    /// See [`Operation::ClassToken`](crate::operations::Operation::ClassToken).
    ClassToken {
        /// Features of a token.
        width: usize,
    },
    /// See [`Operation::Token`](crate::operations::Operation::Token).
    Token {
        /// Which, counted from 0.
        place: usize,
    },
    /// See [`Operation::TokenMean`](crate::operations::Operation::TokenMean).
    TokenMean,
    /// See [`Operation::Transpose`](crate::operations::Operation::Transpose).
    Transpose,
    /// See [`Operation::Image`](crate::operations::Operation::Image).
    Image {
        /// Height and width.
        size: [usize; 2],
    },
    /// See [`Operation::Add`](crate::operations::Operation::Add).
    Add,
    /// See [`Operation::Multiply`](crate::operations::Operation::Multiply).
    Multiply,
    /// See [`Operation::Concatenate`](crate::operations::Operation::Concatenate).
    Concatenate,
    /// See [`Operation::TransposedConvolution`](crate::operations::Operation::TransposedConvolution).
    TransposedConvolution(TransposedConvolution),
    /// See [`Operation::AdaptivePool`](crate::operations::Operation::AdaptivePool).
    AdaptivePool {
        /// Maximum or average.
        kind: Pooling,
        /// Height and width of what is given.
        size: [usize; 2],
    },
    /// See [`Operation::Pad`](crate::operations::Operation::Pad).
    Pad {
        /// What the margins are filled with.
        filling: Filling,
        /// Rows above and columns on the left.
        before: [usize; 2],
        /// Rows below and columns on the right.
        after: [usize; 2],
    },
    /// See [`Operation::Crop`](crate::operations::Operation::Crop).
    Crop {
        /// Rows removed above and columns on the left.
        before: [usize; 2],
        /// Rows removed below and columns on the right.
        after: [usize; 2],
    },
    /// See [`Operation::Bilinear`](crate::operations::Operation::Bilinear).
    Bilinear {
        /// How many times larger the image becomes along both axes.
        factor: usize,
    },
    /// See [`Operation::PixelShuffle`](crate::operations::Operation::PixelShuffle).
    PixelShuffle {
        /// How many times larger the image becomes along both axes.
        factor: usize,
    },
    /// See [`Operation::PixelUnshuffle`](crate::operations::Operation::PixelUnshuffle).
    PixelUnshuffle {
        /// How many times smaller the image becomes along both axes.
        factor: usize,
    },
    /// See [`Operation::ChannelShuffle`](crate::operations::Operation::ChannelShuffle).
    ChannelShuffle {
        /// The number of groups.
        groups: usize,
    },
    /// See [`Operation::Slice`](crate::operations::Operation::Slice).
    Slice {
        /// The first that is kept.
        start: usize,
        /// How many are kept.
        size: usize,
    },
}

/// Height and width of an image or of a signal, which is one row; none where it is neither.
fn image_size(shape: &[usize]) -> Option<[usize; 2]> {
    match shape {
        [_, height, width] => Some([*height, *width]),
        [_, length] => Some([1, *length]),
        _ => None,
    }
}

/// The shape of an image or, if that is what `input` is, a signal of this size after a window of
/// this kernel; none for a signal if kernel or result are higher than its one row.
fn like(
    input: &[usize],
    kernel: [usize; 2],
    channels: usize,
    [height, width]: [usize; 2],
) -> Option<Vec<usize>> {
    match input.len() {
        2 => (height == 1 && kernel[0] == 1).then(|| vec![channels, width]),
        _ => Some(vec![channels, height, width]),
    }
}

impl Layer {
    /// The shape it gives for these shapes, or what is wrong with them.
    pub(super) fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
        let merges = matches!(self, Layer::Add | Layer::Multiply | Layer::Concatenate);
        let pairs = matches!(
            self,
            Layer::Scale | Layer::CrossAttention { .. } | Layer::MaskedAttention { .. }
        );
        let input = match inputs {
            [] => return Err("it reads nothing".to_owned()),
            [_, _] if pairs => return self.output_shape_of_pair(inputs),
            _ if pairs => return Err(format!("it reads {} tensors", inputs.len())),
            [_, _, ..] if !merges => return Err(format!("it reads {} tensors", inputs.len())),
            [input, ..] => *input,
        };
        let mismatch = || format!("it does not fit the shapes {inputs:?}");
        match (self, input) {
            (Layer::Convolution(convolution), [channels, ..]) => {
                let Convolution { groups, output, .. } = *convolution;
                let grouped = groups > 0 && channels % groups == 0 && output % groups == 0;
                if *channels != convolution.input || !grouped {
                    return Err(mismatch());
                }
                image_size(input)
                    .and_then(|image| convolution.output_size(image))
                    .and_then(|size| like(input, convolution.kernel, output, size))
                    .ok_or_else(mismatch)
            }
            (Layer::Dense { input, output, .. }, [rest @ .., features])
                if features == input && rest.len() < 2 =>
            {
                Ok(rest.iter().chain([output]).copied().collect())
            }
            (
                Layer::BatchNorm { channels, .. } | Layer::ParametricRelu { channels },
                [first, ..],
            ) if first == channels => Ok(input.to_vec()),
            (
                Layer::LayerNorm { features, .. }
                | Layer::RmsNorm { features, .. }
                | Layer::LayerScale { features },
                [features_of_all, _, _] | [features_of_all] | [_, features_of_all],
            ) if features_of_all == features => Ok(input.to_vec()),
            (
                Layer::GroupNorm {
                    channels, groups, ..
                },
                [first, _, ..],
            ) if first == channels && *groups > 0 && channels % groups == 0 => Ok(input.to_vec()),
            (Layer::InstanceNorm { .. }, [_, _, ..]) => Ok(input.to_vec()),
            (Layer::Softmax, [_, ..]) => Ok(input.to_vec()),
            (Layer::Activation(_), _) => Ok(input.to_vec()),
            (Layer::Zero { shape }, _) => Ok(shape.clone()),
            (Layer::Dropout { rate } | Layer::DropPath { rate }, _)
                if (0.0..1.0).contains(rate) =>
            {
                Ok(input.to_vec())
            }
            (Layer::Pool(pool), [channels, ..]) => {
                let half_window = |axis: usize| pool.padding[axis] * 2 <= pool.kernel[axis];
                image_size(input)
                    .filter(|_| half_window(0) && half_window(1))
                    .and_then(|image| pool.output_size(image))
                    .and_then(|size| like(input, pool.kernel, *channels, size))
                    .ok_or_else(mismatch)
            }
            (Layer::GlobalPool(_), [channels, rest @ ..])
                if !rest.is_empty() && !rest.contains(&0) =>
            {
                Ok(vec![*channels])
            }
            (Layer::Upsample { factor }, [channels, height, width]) => Ok(vec![
                *channels,
                height.saturating_mul(*factor),
                width.saturating_mul(*factor),
            ]),
            (Layer::Flatten, _) => Ok(vec![input.iter().product()]),
            (Layer::Tokens, [channels, height, width]) => Ok(vec![height * width, *channels]),
            (Layer::Attention { width, heads, .. }, [_, features])
                if features == width && splits(*width, *heads) =>
            {
                Ok(input.to_vec())
            }
            (Layer::WindowAttention(attributes), [channels, height, width]) => {
                let WindowAttention { window, shift, .. } = *attributes;
                let fits = *channels == attributes.channels
                    && splits(*channels, attributes.heads)
                    && splits(*height, window)
                    && splits(*width, window)
                    && shift < window;
                fits.then(|| input.to_vec()).ok_or_else(mismatch)
            }
            (Layer::Embedding { width, .. }, [tokens]) => Ok(vec![*tokens, *width]),
            (Layer::Positions { tokens, width }, [count, features])
                if count == tokens && features == width =>
            {
                Ok(input.to_vec())
            }
            (Layer::ClassToken { width }, [tokens, features]) if features == width => {
                Ok(vec![tokens + 1, *width])
            }
            (Layer::Token { place }, [tokens, features]) if place < tokens => Ok(vec![*features]),
            (Layer::TokenMean, [tokens, features]) if *tokens > 0 => Ok(vec![*features]),
            (Layer::Transpose, [first, second]) => Ok(vec![*second, *first]),
            (
                Layer::Image {
                    size: [height, width],
                },
                [tokens, features],
            ) if height.checked_mul(*width) == Some(*tokens) => {
                Ok(vec![*features, *height, *width])
            }
            (Layer::Add | Layer::Multiply, _) if inputs.iter().all(|other| *other == input) => {
                Ok(input.to_vec())
            }
            (Layer::Concatenate, [_, rest @ ..]) => {
                let mut channels = 0;
                for other in inputs {
                    match other {
                        [first, others @ ..] if others == rest => channels += first,
                        _ => return Err(mismatch()),
                    }
                }
                Ok([&[channels], rest].concat())
            }
            (
                Layer::TransposedConvolution(_)
                | Layer::AdaptivePool { .. }
                | Layer::Pad { .. }
                | Layer::Crop { .. }
                | Layer::Bilinear { .. }
                | Layer::PixelShuffle { .. }
                | Layer::PixelUnshuffle { .. }
                | Layer::ChannelShuffle { .. }
                | Layer::Slice { .. },
                _,
            ) => self.image_output_shape(input).ok_or_else(mismatch),
            _ => Err(mismatch()),
        }
    }

    /// The same for layers that take two tensors of different kinds.
    fn output_shape_of_pair(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
        let mismatch = || format!("it does not fit the shapes {inputs:?}");
        let [input, other] = inputs else {
            return Err(mismatch());
        };
        let fits = match (self, *input, *other) {
            (Layer::Scale, [channels, _, ..], [numbers]) => channels == numbers,
            (
                Layer::CrossAttention {
                    width,
                    context,
                    heads,
                    ..
                },
                [_, features],
                [_, others],
            ) => features == width && others == context && splits(*width, *heads),
            (Layer::MaskedAttention { width, heads }, [tokens, features], [masks]) => {
                features == width && tokens == masks && splits(*width, *heads)
            }
            _ => false,
        };
        fits.then(|| input.to_vec()).ok_or_else(mismatch)
    }

    /// The shape that a layer for images gives; none where it does not fit.
    fn image_output_shape(&self, input: &[usize]) -> Option<Vec<usize>> {
        match (self, input) {
            (Layer::TransposedConvolution(transposed), [channels, ..]) => {
                let Convolution {
                    input: output,
                    output: taken,
                    groups,
                    ..
                } = transposed.convolution;
                let grouped = groups > 0 && channels % groups == 0 && output % groups == 0;
                if *channels != taken || !grouped || !transposed.adds_little() {
                    return None;
                }
                let size = transposed.output_size(image_size(input)?)?;
                like(input, transposed.convolution.kernel, output, size)
            }
            (
                Layer::AdaptivePool {
                    size: [height, width],
                    ..
                },
                [channels, _, _],
            ) => Some(vec![*channels, *height, *width]),
            (
                Layer::Pad {
                    filling,
                    before,
                    after,
                },
                [channels, height, width],
            ) => {
                let axis = |axis: usize, size: usize| {
                    let most = match filling {
                        Filling::Zero | Filling::Replicate => usize::MAX,
                        Filling::Reflect => size.checked_sub(1)?,
                        Filling::Circular => size,
                    };
                    let fits = before[axis] <= most && after[axis] <= most;
                    let padded = before[axis].checked_add(size)?.checked_add(after[axis])?;
                    fits.then_some(padded)
                };
                Some(vec![*channels, axis(0, *height)?, axis(1, *width)?])
            }
            (Layer::Crop { before, after }, [channels, height, width]) => {
                let axis = |axis: usize, size: usize| {
                    let rest = size.checked_sub(before[axis])?.checked_sub(after[axis])?;
                    (rest > 0).then_some(rest)
                };
                Some(vec![*channels, axis(0, *height)?, axis(1, *width)?])
            }
            (Layer::Bilinear { factor }, [channels, height, width]) => Some(vec![
                *channels,
                height.checked_mul(*factor)?,
                width.checked_mul(*factor)?,
            ]),
            (Layer::PixelShuffle { factor }, [channels, height, width]) => {
                let square = factor.checked_mul(*factor).filter(|square| *square > 0)?;
                (channels % square == 0)
                    .then(|| vec![channels / square, height * factor, width * factor])
            }
            (Layer::PixelUnshuffle { factor }, [channels, height, width]) => {
                let fits = *factor > 0 && height % factor == 0 && width % factor == 0;
                fits.then(|| vec![channels * factor * factor, height / factor, width / factor])
            }
            (Layer::ChannelShuffle { groups }, [channels, _, _]) => {
                (*groups > 0 && channels % groups == 0).then(|| input.to_vec())
            }
            (Layer::Slice { start, size }, [channels, rest @ ..]) => {
                let end = start.checked_add(*size)?;
                (end <= *channels).then(|| [&[*size], rest].concat())
            }
            _ => None,
        }
    }
}

/// Whether a size is a multiple of a number of parts.
fn splits(size: usize, parts: usize) -> bool {
    parts > 0 && size.is_multiple_of(parts)
}

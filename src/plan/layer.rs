//! Layers: operations whose every size is a number, and the shapes they give.

use super::PlanError;
use crate::operations::{self, Activation, Dimension, Filling, Operation, Pooling};

/// An [`Operation`] with every size known. See there for what each computes.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// See [`Operation::Convolution`].
    Convolution(Convolution),
    /// See [`Operation::Dense`].
    Dense {
        /// Features taken.
        input: usize,
        /// Features given.
        output: usize,
        /// Whether a bias is added.
        bias: bool,
    },
    /// See [`Operation::BatchNorm`].
    BatchNorm {
        /// Size of the first axis.
        channels: usize,
        /// What is added to a variance.
        epsilon: f64,
        /// The share of a batch in the new running statistics.
        momentum: f64,
    },
    /// See [`Operation::LayerNorm`].
    LayerNorm {
        /// Size of the normalised axis.
        features: usize,
        /// What is added to a variance.
        epsilon: f64,
    },
    /// See [`Operation::Activation`].
    Activation(Activation),
    /// Zeros, whatever it reads.
    Zero {
        /// Their shape.
        shape: Vec<usize>,
    },
    /// See [`Operation::Softmax`].
    Softmax,
    /// See [`Operation::Pool`].
    Pool(Pool),
    /// See [`Operation::GlobalPool`].
    GlobalPool(Pooling),
    /// See [`Operation::Upsample`].
    Upsample {
        /// How often each value is repeated along both axes.
        factor: usize,
    },
    /// See [`Operation::Dropout`].
    Dropout {
        /// The probability of zero.
        rate: f64,
    },
    /// See [`Operation::Flatten`].
    Flatten,
    /// See [`Operation::Tokens`].
    Tokens,
    /// See [`Operation::Attention`].
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
    /// See [`Operation::RmsNorm`].
    RmsNorm {
        /// Size of the normalised axis.
        features: usize,
        /// What is added to a mean square.
        epsilon: f64,
    },
    /// See [`Operation::GroupNorm`].
    GroupNorm {
        /// Size of the first axis.
        channels: usize,
        /// The number of groups.
        groups: usize,
        /// What is added to a variance.
        epsilon: f64,
    },
    /// See [`Operation::InstanceNorm`].
    InstanceNorm {
        /// What is added to a variance.
        epsilon: f64,
    },
    /// See [`Operation::ParametricRelu`].
    ParametricRelu {
        /// Size of the first axis.
        channels: usize,
    },
    /// See [`Operation::LayerScale`].
    LayerScale {
        /// The number of features.
        features: usize,
    },
    /// See [`Operation::DropPath`].
    DropPath {
        /// The probability of zero.
        rate: f64,
    },
    /// See [`Operation::Scale`].
    Scale,
    /// See [`Operation::CrossAttention`].
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
    /// See [`Operation::MaskedAttention`].
    MaskedAttention {
        /// Features of a token.
        width: usize,
        /// The number of heads.
        heads: usize,
    },
    /// See [`Operation::WindowAttention`].
    WindowAttention(WindowAttention),
    /// See [`Operation::Embedding`].
    Embedding {
        /// How many rows the table has.
        count: usize,
        /// The length of a row.
        width: usize,
    },
    /// See [`Operation::Positions`].
    Positions {
        /// How many there are.
        tokens: usize,
        /// Features of each.
        width: usize,
    },
    /// See [`Operation::ClassToken`].
    ClassToken {
        /// Features of a token.
        width: usize,
    },
    /// See [`Operation::Token`].
    Token {
        /// Which, counted from 0.
        place: usize,
    },
    /// See [`Operation::TokenMean`].
    TokenMean,
    /// See [`Operation::Transpose`].
    Transpose,
    /// See [`Operation::Image`].
    Image {
        /// Height and width.
        size: [usize; 2],
    },
    /// See [`Operation::Add`].
    Add,
    /// See [`Operation::Multiply`].
    Multiply,
    /// See [`Operation::Concatenate`].
    Concatenate,
    /// See [`Operation::TransposedConvolution`].
    TransposedConvolution(TransposedConvolution),
    /// See [`Operation::AdaptivePool`].
    AdaptivePool {
        /// Maximum or average.
        kind: Pooling,
        /// Height and width of what is given.
        size: [usize; 2],
    },
    /// See [`Operation::Pad`].
    Pad {
        /// What the margins are filled with.
        filling: Filling,
        /// Rows above and columns on the left.
        before: [usize; 2],
        /// Rows below and columns on the right.
        after: [usize; 2],
    },
    /// See [`Operation::Crop`].
    Crop {
        /// Rows removed above and columns on the left.
        before: [usize; 2],
        /// Rows removed below and columns on the right.
        after: [usize; 2],
    },
    /// See [`Operation::Bilinear`].
    Bilinear {
        /// How many times larger the image becomes along both axes.
        factor: usize,
    },
    /// See [`Operation::PixelShuffle`].
    PixelShuffle {
        /// How many times larger the image becomes along both axes.
        factor: usize,
    },
    /// See [`Operation::PixelUnshuffle`].
    PixelUnshuffle {
        /// How many times smaller the image becomes along both axes.
        factor: usize,
    },
    /// See [`Operation::ChannelShuffle`].
    ChannelShuffle {
        /// The number of groups.
        groups: usize,
    },
    /// See [`Operation::Slice`].
    Slice {
        /// The first that is kept.
        start: usize,
        /// How many are kept.
        size: usize,
    },
}

/// The attributes of a convolution; see [`Operation::Convolution`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Channels taken.
    pub input: usize,
    /// Channels given.
    pub output: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Step along height and width.
    pub stride: [usize; 2],
    /// Zeros added on each side of height and width.
    pub padding: [usize; 2],
    /// Distance between the taps of the kernel.
    pub dilation: [usize; 2],
    /// Independent groups of channels.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
}

/// The attributes of a sliding window; see [`Operation::Pool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Maximum or average.
    pub kind: Pooling,
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Step along height and width.
    pub stride: [usize; 2],
    /// Padding on each side of height and width.
    pub padding: [usize; 2],
    /// Whether the last window may hang over the padding.
    pub ceil: bool,
    /// Whether an average counts padding as zeros.
    pub count_padding: bool,
}

/// The attributes of a transposed convolution; see [`Operation::TransposedConvolution`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransposedConvolution {
    /// The convolution from what is given to what is taken, of which it is the transpose.
    pub convolution: Convolution,
    /// Rows and columns added at the bottom and on the right.
    pub output_padding: [usize; 2],
}

/// The attributes of windowed attention; see [`Operation::WindowAttention`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowAttention {
    /// Channels of the image.
    pub channels: usize,
    /// The number of heads.
    pub heads: usize,
    /// Height and width of a window.
    pub window: usize,
    /// How far the image is rolled before it is cut.
    pub shift: usize,
}

impl WindowAttention {
    /// How far an image of this height and width is rolled along each axis: not at all where one
    /// window covers it.
    pub fn shifts(&self, image: [usize; 2]) -> [usize; 2] {
        image.map(|size| if size > self.window { self.shift } else { 0 })
    }
}

/// The number of places a window has along an axis, if it has any.
fn places(
    size: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
) -> Option<usize> {
    let window = kernel
        .checked_sub(1)?
        .checked_mul(dilation)?
        .checked_add(1)?;
    let padded = padding.checked_mul(2)?.checked_add(size)?;
    padded
        .checked_sub(window)?
        .checked_div(stride)?
        .checked_add(1)
}

impl Convolution {
    /// Height and width of what it gives for an image of this height and width; none where the
    /// window does not fit.
    pub fn output_size(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let axis = |axis: usize| {
            places(
                image[axis],
                self.kernel[axis],
                self.stride[axis],
                self.padding[axis],
                self.dilation[axis],
            )
        };
        Some([axis(0)?, axis(1)?])
    }

    /// Whether candle's own convolution has it, with its gradients. That has one stride, one padding and one
    /// dilation for both axes, and takes for granted that as much of a padded image is left behind the last
    /// window along one axis as along the other.
    pub fn is_of_candle(&self, image: [usize; 2]) -> bool {
        let is_even = |sizes: [usize; 2]| sizes[0] == sizes[1];
        let left = |axis: usize| {
            let reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            (image[axis] + 2 * self.padding[axis]).saturating_sub(reach) % self.stride[axis]
        };
        is_even(self.stride)
            && is_even(self.padding)
            && is_even(self.dilation)
            && is_even([left(0), left(1)])
    }
}

impl Pool {
    /// Height and width of what it gives for an image of this height and width; none where the
    /// window does not fit.
    pub fn output_size(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let axis = |axis: usize| {
            let [kernel, stride, padding] =
                [self.kernel, self.stride, self.padding].map(|it| it[axis]);
            if !self.ceil {
                return places(image[axis], kernel, stride, padding, 1);
            }
            let begins = padding.checked_add(image[axis])?.checked_sub(1)?;
            let reaches = begins
                .checked_add(padding)?
                .checked_add(stride)?
                .checked_sub(kernel)?;
            begins.min(reaches).checked_div(stride)?.checked_add(1)
        };
        Some([axis(0)?, axis(1)?])
    }

    /// The rows and columns behind an image of this height and width that the last windows of what it
    /// gives reach.
    pub fn margin_behind(&self, image: [usize; 2], given: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| {
            let reach = given[axis].saturating_sub(1) * self.stride[axis] + self.kernel[axis];
            reach.saturating_sub(image[axis] + self.padding[axis])
        })
    }

    /// Of the margins before and behind an image what an average counts as zeros.
    pub fn counted_margins(&self, behind: [usize; 2]) -> [[usize; 2]; 2] {
        match self.count_padding {
            true => [
                self.padding,
                [0, 1].map(|axis| self.padding[axis].min(behind[axis])),
            ],
            false => [[0, 0]; 2],
        }
    }
}

impl TransposedConvolution {
    /// Height and width of what it gives for an image of this height and width; none where nothing
    /// is left.
    pub fn output_size(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let Convolution {
            kernel,
            stride,
            padding,
            dilation,
            ..
        } = self.convolution;
        let axis = |axis: usize| {
            let spread = image[axis].checked_sub(1)?.checked_mul(stride[axis])?;
            let reach = kernel[axis].checked_sub(1)?.checked_mul(dilation[axis])?;
            let added = self.output_padding[axis].checked_add(1)?;
            let whole = spread.checked_add(reach)?.checked_add(added)?;
            let size = whole.checked_sub(padding[axis].checked_mul(2)?)?;
            (size > 0).then_some(size)
        };
        Some([axis(0)?, axis(1)?])
    }

    /// Whether what is added at the bottom and on the right is less than the stride or dilation.
    fn adds_little(&self) -> bool {
        let Convolution {
            stride, dilation, ..
        } = self.convolution;
        (0..2).all(|axis| self.output_padding[axis] < stride[axis].max(dilation[axis]))
    }
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

//! Layers: operations whose every size is a number, and the shapes they give.

use super::PlanError;
use crate::operations::{Activation, Dimension, Operation, Pooling};

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
    },
    /// See [`Operation::LayerNorm`].
    LayerNorm {
        /// Size of the normalised axis.
        features: usize,
    },
    /// See [`Operation::Activation`].
    Activation(Activation),
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
    },
    /// See [`Operation::Add`].
    Add,
    /// See [`Operation::Multiply`].
    Multiply,
    /// See [`Operation::Concatenate`].
    Concatenate,
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
}

impl Pool {
    /// Height and width of what it gives for an image of this height and width; none where the
    /// window does not fit.
    pub fn output_size(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let axis = |axis: usize| {
            places(
                image[axis],
                self.kernel[axis],
                self.stride[axis],
                self.padding[axis],
                1,
            )
        };
        Some([axis(0)?, axis(1)?])
    }
}

impl Layer {
    /// The shape it gives for these shapes, or what is wrong with them.
    pub(super) fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
        let merges = matches!(self, Layer::Add | Layer::Multiply | Layer::Concatenate);
        let input = match inputs {
            [] => return Err("it reads nothing".to_owned()),
            [_, _, ..] if !merges => return Err(format!("it reads {} tensors", inputs.len())),
            [input, ..] => *input,
        };
        let mismatch = || format!("it does not fit the shapes {inputs:?}");
        match (self, input) {
            (Layer::Convolution(convolution), [channels, height, width]) => {
                let Convolution { groups, output, .. } = *convolution;
                let grouped = groups > 0 && channels % groups == 0 && output % groups == 0;
                if *channels != convolution.input || !grouped {
                    return Err(mismatch());
                }
                let [height, width] = convolution
                    .output_size([*height, *width])
                    .ok_or_else(mismatch)?;
                Ok(vec![output, height, width])
            }
            (Layer::Dense { input, output, .. }, [rest @ .., features])
                if features == input && rest.len() < 2 =>
            {
                Ok(rest.iter().chain([output]).copied().collect())
            }
            (Layer::BatchNorm { channels }, [first, ..]) if first == channels => Ok(input.to_vec()),
            (Layer::LayerNorm { features }, [first, _, _]) if first == features => {
                Ok(input.to_vec())
            }
            (Layer::LayerNorm { features }, [last] | [_, last]) if last == features => {
                Ok(input.to_vec())
            }
            (Layer::Softmax, [_, ..]) => Ok(input.to_vec()),
            (Layer::Activation(_), _) => Ok(input.to_vec()),
            (Layer::Dropout { rate }, _) if (0.0..1.0).contains(rate) => Ok(input.to_vec()),
            (Layer::Pool(pool), [channels, height, width]) => {
                let half_window = |axis: usize| pool.padding[axis] * 2 <= pool.kernel[axis];
                let [height, width] = pool
                    .output_size([*height, *width])
                    .filter(|_| half_window(0) && half_window(1))
                    .ok_or_else(mismatch)?;
                Ok(vec![*channels, height, width])
            }
            (Layer::GlobalPool(_), [channels, rest @ ..])
                if !rest.is_empty() && !rest.contains(&0) =>
            {
                Ok(vec![*channels])
            }
            (Layer::Upsample { factor }, [channels, height, width]) => {
                Ok(vec![*channels, height * factor, width * factor])
            }
            (Layer::Flatten, _) => Ok(vec![input.iter().product()]),
            (Layer::Tokens, [channels, height, width]) => Ok(vec![height * width, *channels]),
            (Layer::Attention { width, heads }, [_, features])
                if features == width && *heads > 0 && width % heads == 0 =>
            {
                Ok(input.to_vec())
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
            _ => Err(mismatch()),
        }
    }
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
        Operation::BatchNorm { channels } => Layer::BatchNorm {
            channels: size(channels)?,
        },
        Operation::LayerNorm { features } => Layer::LayerNorm {
            features: size(features)?,
        },
        Operation::Activation(activation) => Layer::Activation(*activation),
        Operation::Softmax => Layer::Softmax,
        Operation::Pool {
            kind,
            kernel,
            stride,
            padding,
        } => Layer::Pool(Pool {
            kind: *kind,
            kernel: pair(kernel)?,
            stride: pair(stride)?,
            padding: pair(padding)?,
        }),
        Operation::GlobalPool(kind) => Layer::GlobalPool(*kind),
        Operation::Upsample { factor } => Layer::Upsample {
            factor: size(factor)?,
        },
        Operation::Dropout { rate } => Layer::Dropout { rate: rate.value() },
        Operation::Flatten => Layer::Flatten,
        Operation::Tokens => Layer::Tokens,
        Operation::Attention { width, heads } => Layer::Attention {
            width: size(width)?,
            heads: size(heads)?,
        },
        Operation::Add { .. } => Layer::Add,
        Operation::Multiply { .. } => Layer::Multiply,
        Operation::Concatenate { .. } => Layer::Concatenate,
    })
}

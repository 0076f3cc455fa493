//! Operations: the layers and merges that a program computes, with everything about them settled.

mod sequence;

use super::dimension::{Dimension, Variable};
use super::shape::Shape;

/// What a program does to tensors, elaborated: every attribute is there, and in a net every
/// dimension is a constant. Stack moves are no operations; they vanish in the dataflow graph.
///
/// Shapes are without the batch axis. Tensors are row-major with the batch first: `[n, c, h, w]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// `[c, h, w] -> [out, h', w']`, cross-correlation. The size along an axis is
    /// `(size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1`.
    /// Weights `[out, input / groups, kernel...]`, bias `[out]`. A signal `[c, l]` is taken for the
    /// image `[c, 1, l]`; the kernel then has height 1.
    Convolution {
        /// Channels taken.
        input: Dimension,
        /// Channels given.
        output: Dimension,
        /// Height and width of the kernel.
        kernel: [Dimension; 2],
        /// Step along height and width.
        stride: [Dimension; 2],
        /// Zeros added on each side of height and width.
        padding: [Dimension; 2],
        /// Distance between the taps of the kernel.
        dilation: [Dimension; 2],
        /// Independent groups of channels.
        groups: Dimension,
        /// Whether a bias is added.
        bias: bool,
    },
    /// `[d] -> [out]` or `[t, d] -> [t, out]`. Weight `[out, input]`, bias `[out]`.
    Dense {
        /// Features taken.
        input: Dimension,
        /// Features given.
        output: Dimension,
        /// Whether a bias is added.
        bias: bool,
    },
    /// Batch normalisation over the first axis (Ioffe and Szegedy, 2015), with weight, bias,
    /// running mean and running variance `[channels]`. The running variance is the unbiased one, as
    /// in PyTorch.
    BatchNorm {
        /// Size of the first axis.
        channels: Dimension,
        /// What is added to a variance before its root is taken.
        epsilon: Real,
        /// The share of a batch's statistics in the new running ones.
        momentum: Real,
    },
    /// Layer normalisation (Ba et al., 2016) over the features of each position: the channels of
    /// `[c, h, w]`, the last axis of `[t, d]` and `[d]`. Weight and bias `[features]`.
    LayerNorm {
        /// Size of the normalised axis.
        features: Dimension,
        /// What is added to a variance before its root is taken.
        epsilon: Real,
    },
    /// An element-wise function.
    Activation(Activation),
    /// Softmax over the last axis.
    Softmax,
    /// A sliding window over `[c, h, w]`, or over `[c, l]`, which is taken for `[c, 1, l]`; sizes as
    /// for a convolution. Maximum ignores padding; the average is over what lies inside the image.
    Pool {
        /// Maximum or average.
        kind: Pooling,
        /// Height and width of the window.
        kernel: [Dimension; 2],
        /// Step along height and width.
        stride: [Dimension; 2],
        /// Padding on each side of height and width.
        padding: [Dimension; 2],
        /// Whether the number of windows is rounded up, so that the last one may hang over the
        /// padding. It must begin in the image or in the padding before it.
        ceil: bool,
        /// Whether an average counts padding as zeros; what hangs over it never counts.
        count_padding: bool,
    },
    /// `[c, h, w] -> [c]` over all positions.
    GlobalPool(Pooling),
    /// `[c, h, w] -> [c, factor * h, factor * w]`, each value repeated (nearest neighbour).
    Upsample {
        /// How often each value is repeated along both axes.
        factor: Dimension,
    },
    /// Sets elements to zero with probability `rate` and scales the rest by `1 / (1 - rate)` while
    /// training (Srivastava et al., 2014); identity otherwise.
    Dropout {
        /// The probability, in `0..1`.
        rate: Real,
    },
    /// Any shape to `[d]`.
    Flatten,
    /// `[c, h, w] -> [h * w, c]`, row by row.
    Tokens,
    /// Multi-head self-attention on `[t, d]` (Vaswani et al., 2017): query, key and value from one
    /// projection with weight `[3 * d, d]` and bias `[3 * d]`, scaled by `(d / heads)^-1/2`, then an
    /// output projection with weight `[d, d]` and bias `[d]`.
    Attention {
        /// `d`.
        width: Dimension,
        /// The number of heads.
        heads: Dimension,
        /// Whether a position sees none behind it.
        causal: bool,
        /// Whether the projections have biases.
        bias: bool,
    },
    /// Division by the root mean square of the features of each position (Zhang and Sennrich,
    /// 2019), which are those of [`Operation::LayerNorm`]. Weight `[features]`.
    RmsNorm {
        /// Size of the normalised axis.
        features: Dimension,
        /// What is added to the mean square before its root is taken.
        epsilon: Real,
    },
    /// Normalisation of groups of channels of `[c, h, w]` or `[c, l]` over all positions (Wu and
    /// He, 2018). Weight and bias `[channels]`.
    GroupNorm {
        /// Size of the first axis.
        channels: Dimension,
        /// The number of groups.
        groups: Dimension,
        /// What is added to a variance before its root is taken.
        epsilon: Real,
    },
    /// Normalisation of each channel of `[c, h, w]` or `[c, l]` over its positions (Ulyanov et al.,
    /// 2016), without weights.
    InstanceNorm {
        /// What is added to a variance before its root is taken.
        epsilon: Real,
    },
    /// `x` where positive, `weight * x` elsewhere (He et al., 2015), with a weight for each channel,
    /// the first axis.
    ParametricRelu {
        /// Size of the first axis.
        channels: Dimension,
    },
    /// Multiplies each feature by a trainable number (Touvron et al., 2021). The features are those
    /// of [`Operation::LayerNorm`]. Weight `[features]`.
    LayerScale {
        /// The number of features.
        features: Dimension,
        /// The first value of all weights.
        initial: Real,
    },
    /// Stochastic depth (Huang et al., 2016): sets whole examples to zero with probability `rate`
    /// and scales the others by `1 / (1 - rate)` while training; identity otherwise.
    DropPath {
        /// The probability, in `0..1`.
        rate: Real,
    },
    /// `[c, ..s] [c] -> [c, ..s]`: multiplies each channel by its number (Hu et al., 2018).
    Scale,
    /// Multi-head attention of `[t, d]` to `[s, e]`: queries of the first, keys and values of the
    /// second, otherwise as [`Operation::Attention`]. Weights `[d, d]`, `[d, e]` and `[d, e]`, bias
    /// `[3 * d]`, then the output projection.
    CrossAttention {
        /// `d`.
        width: Dimension,
        /// `e`.
        context: Dimension,
        /// The number of heads.
        heads: Dimension,
        /// Whether the projections have biases.
        bias: bool,
    },
    /// [`Operation::Attention`] of `[t, d]` with a mask `[t]`: no position sees those whose mask is
    /// zero, and where there are no others, nothing.
    MaskedAttention {
        /// `d`.
        width: Dimension,
        /// The number of heads.
        heads: Dimension,
    },
    /// Windowed self-attention of `[c, h, w]` with relative positions (Liu et al., 2021, Swin
    /// Transformer). Weight `[3 * c, c]` and bias of queries, keys and values, weight and bias of
    /// the output, and a table `[(2 * window - 1)^2, heads]`.
    WindowAttention {
        /// `c`.
        channels: Dimension,
        /// The number of heads.
        heads: Dimension,
        /// Height and width of a window.
        window: Dimension,
        /// How far the image is rolled up and to the left before it is cut into windows.
        shift: Dimension,
    },
    /// `[t] -> [t, width]`: the row of the table that each number names. Weight `[count, width]`.
    Embedding {
        /// How many rows the table has.
        count: Dimension,
        /// The length of a row.
        width: Dimension,
    },
    /// Adds a trainable tensor to `[t, d]`. Weight `[t, d]`.
    Positions {
        /// `t`.
        tokens: Dimension,
        /// `d`.
        width: Dimension,
    },
    /// `[t, d] -> [t + 1, d]`: puts a trainable vector in front. Weight `[d]`.
    ClassToken {
        /// `d`.
        width: Dimension,
    },
    /// `[t, d] -> [d]`: one position.
    Token {
        /// Which, counted from 0.
        place: Dimension,
    },
    /// `[t, d] -> [d]`: the mean of all positions.
    TokenMean,
    /// `[a, b] -> [b, a]`
    Transpose,
    /// `[h * w, d] -> [d, h, w]`, the inverse of [`Operation::Tokens`].
    Image {
        /// `h` and `w`.
        size: [Dimension; 2],
    },
    /// Zeros in a shape of their own, whatever is given.
    Zeros {
        /// Their shape.
        shape: Shape,
    },
    /// The element-wise sum of `arity` tensors of one shape.
    Add {
        /// How many.
        arity: usize,
    },
    /// The element-wise product of `arity` tensors of one shape.
    Multiply {
        /// How many.
        arity: usize,
    },
    /// `arity` tensors behind one another along the first axis, the deepest on the stack first.
    Concatenate {
        /// How many.
        arity: usize,
    },
    /// `[c, h, w] -> [out, h', w']`: the transpose of the linear map that a convolution with these
    /// attributes from `out` to `c` channels is (Zeiler et al., 2010). The size along an axis is
    /// `(size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1`.
    /// Weights `[input, out / groups, kernel...]`, bias `[out]`. `[c, l]` as for a convolution.
    TransposedConvolution(Box<TransposedConvolution>),
    /// `[c, h, w] -> [c, size...]`. Along each axis, window `i` reaches from `i * from // to` to
    /// `(i + 1) * from / to` rounded up, for sizes `from` and `to`; windows may overlap.
    AdaptivePool {
        /// Maximum or average.
        kind: Pooling,
        /// Height and width of what is given.
        size: [Dimension; 2],
    },
    /// `[c, h, w] -> [c, before + h + after, before + w + after]`.
    Pad {
        /// What the margins are filled with.
        filling: Filling,
        /// Rows above and columns on the left.
        before: [Dimension; 2],
        /// Rows below and columns on the right.
        after: [Dimension; 2],
    },
    /// `[c, h, w] -> [c, h - before - after, w - before - after]`.
    Crop {
        /// Rows removed above and columns on the left.
        before: [Dimension; 2],
        /// Rows removed below and columns on the right.
        after: [Dimension; 2],
    },
    /// `[c, h, w] -> [c, factor * h, factor * w]`, bilinear: the centre of output pixel `i` lies at
    /// `(i + 1/2) / factor - 1/2` in the image; what lies beyond the centre of an outermost pixel
    /// has its value.
    Bilinear {
        /// How many times larger the image becomes along both axes.
        factor: Dimension,
    },
    /// `[c * factor^2, h, w] -> [c, factor * h, factor * w]` (Shi et al., 2016): channel
    /// `(c * factor + i) * factor + j` gives the pixels at `(i, j)` modulo the factor.
    PixelShuffle {
        /// How many times larger the image becomes along both axes.
        factor: Dimension,
    },
    /// The inverse of [`Operation::PixelShuffle`].
    PixelUnshuffle {
        /// How many times smaller the image becomes along both axes.
        factor: Dimension,
    },
    /// `[c, h, w] -> [c, h, w]` (Zhang et al., 2018): the first channels of all groups, then the
    /// second of all, and so on.
    ChannelShuffle {
        /// The number of groups, each of channels side by side.
        groups: Dimension,
    },
    /// `[c, ..s] -> [size, ..s]`: part of the first axis.
    Slice {
        /// The first that is kept.
        start: Dimension,
        /// How many are kept.
        size: Dimension,
    },
}

/// The attributes of a transposed convolution; see [`Operation::TransposedConvolution`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransposedConvolution {
    /// Channels taken.
    pub input: Dimension,
    /// Channels given.
    pub output: Dimension,
    /// Height and width of the kernel.
    pub kernel: [Dimension; 2],
    /// How far apart the pixels of the input are laid in the output.
    pub stride: [Dimension; 2],
    /// What is cut off on each side of height and width.
    pub padding: [Dimension; 2],
    /// Rows and columns added at the bottom and on the right.
    pub output_padding: [Dimension; 2],
    /// Distance between the taps of the kernel.
    pub dilation: [Dimension; 2],
    /// Independent groups of channels.
    pub groups: Dimension,
    /// Whether a bias is added.
    pub bias: bool,
}

/// An element-wise function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Activation {
    /// `max(x, 0)`
    Relu,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `x` where positive, `slope * x` elsewhere.
    LeakyRelu {
        /// The slope for negative values.
        slope: Real,
    },
    /// `x` where positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2016).
    Elu {
        /// The scale for negative values.
        alpha: Real,
    },
    /// `x * Phi(x)` with the exact normal distribution (Hendrycks and Gimpel, 2016).
    Gelu,
    /// `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2` (Hendrycks and Gimpel, 2016)
    GeluTanh,
    /// `x * tanh(ln(1 + exp(x)))` (Misra, 2020)
    Mish,
    /// `ln(1 + exp(x))`
    Softplus,
    /// `0`, whatever is given: what spaces with an empty operation need.
    Zero,
    /// `x * sigmoid(x)`
    Silu,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// `tanh(x)`
    Tanh,
    /// `x * relu6(x + 3) / 6` (Howard et al., 2019)
    HardSwish,
    /// `relu6(x + 3) / 6`
    HardSigmoid,
}

/// How a window is reduced to one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pooling {
    /// The largest value.
    Maximum,
    /// The mean.
    Average,
}

/// What the margins of a padded image are filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Filling {
    /// Zeros.
    Zero,
    /// The image, mirrored at its outermost pixels, which are not repeated.
    Reflect,
    /// The nearest pixel of the image.
    Replicate,
    /// The image, as if it were repeated.
    Circular,
}

/// A finite number that can be compared and hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Real(u64);

impl Real {
    /// Wraps a number; anything not finite becomes zero, and minus zero becomes zero.
    pub fn new(value: f64) -> Self {
        let value = if value.is_finite() && value != 0.0 {
            value
        } else {
            0.0
        };
        Real(value.to_bits())
    }

    /// The number.
    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// What the canonical form may do with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A function of its inputs; equal nodes over equal inputs are one node.
    Pure,
    /// Has trainable parameters, every occurrence its own unless it is written that they are shared.
    Parameters,
    /// Has parameters and state that training updates.
    State,
    /// Draws random numbers while training.
    Random,
}

/// A tensor that belongs to a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterTensor {
    /// Its name within the layer: `weight`, `bias`, `running_mean`.
    pub name: &'static str,
    /// Its shape.
    pub shape: Shape,
    /// Its first values.
    pub initial: Initial,
    /// Whether training changes it by gradient; running statistics are not trainable.
    pub trainable: bool,
}

/// The first values of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Initial {
    /// All zero.
    Zero,
    /// All one.
    One,
    /// All this number.
    Constant(Real),
    /// Normal around zero with this standard deviation.
    Normal(Real),
    /// Normal with variance `2 / fan_in` (He et al., 2015, equation 10).
    HeNormal {
        /// Inputs that contribute to one output.
        fan_in: Dimension,
    },
    /// Uniform in `±sqrt(3 / fan_in)`: variance `1 / fan_in` (LeCun et al., 1998, section 4.6).
    LeCunUniform {
        /// Inputs that contribute to one output.
        fan_in: Dimension,
    },
}

impl Operation {
    /// Batch normalisation with epsilon 1e-5 and momentum 0.1.
    pub fn batch_norm(channels: Dimension) -> Self {
        Operation::BatchNorm {
            channels,
            epsilon: Real::new(1e-5),
            momentum: Real::new(0.1),
        }
    }

    /// Layer normalisation with epsilon 1e-5.
    pub fn layer_norm(features: Dimension) -> Self {
        Operation::LayerNorm {
            features,
            epsilon: Real::new(1e-5),
        }
    }

    /// Self-attention between all positions, with biases.
    pub fn attention(width: Dimension, heads: Dimension) -> Self {
        Operation::Attention {
            width,
            heads,
            causal: false,
            bias: true,
        }
    }

    /// What the canonical form may do with it.
    pub fn class(&self) -> Class {
        match self {
            Operation::Convolution { .. }
            | Operation::TransposedConvolution(_)
            | Operation::Dense { .. }
            | Operation::LayerNorm { .. }
            | Operation::Attention { .. }
            | Operation::RmsNorm { .. }
            | Operation::GroupNorm { .. }
            | Operation::ParametricRelu { .. }
            | Operation::LayerScale { .. }
            | Operation::CrossAttention { .. }
            | Operation::MaskedAttention { .. }
            | Operation::WindowAttention { .. }
            | Operation::Embedding { .. }
            | Operation::Positions { .. }
            | Operation::ClassToken { .. } => Class::Parameters,
            Operation::BatchNorm { .. } => Class::State,
            Operation::Dropout { .. } | Operation::DropPath { .. } => Class::Random,
            Operation::Activation(_)
            | Operation::Softmax
            | Operation::Pool { .. }
            | Operation::GlobalPool(_)
            | Operation::Upsample { .. }
            | Operation::Flatten
            | Operation::Tokens
            | Operation::InstanceNorm { .. }
            | Operation::Scale
            | Operation::Token { .. }
            | Operation::TokenMean
            | Operation::Transpose
            | Operation::Image { .. }
            | Operation::Zeros { .. }
            | Operation::Add { .. }
            | Operation::Multiply { .. }
            | Operation::Concatenate { .. } => Class::Pure,
            Operation::AdaptivePool { .. }
            | Operation::Pad { .. }
            | Operation::Crop { .. }
            | Operation::Bilinear { .. }
            | Operation::PixelShuffle { .. }
            | Operation::PixelUnshuffle { .. }
            | Operation::ChannelShuffle { .. }
            | Operation::Slice { .. } => Class::Pure,
        }
    }

    /// How many tensors it takes.
    pub fn arity(&self) -> usize {
        match self {
            Operation::Add { arity }
            | Operation::Multiply { arity }
            | Operation::Concatenate { arity } => *arity,
            Operation::Scale
            | Operation::CrossAttention { .. }
            | Operation::MaskedAttention { .. } => 2,
            _ => 1,
        }
    }

    /// Whether it gives zeros whatever it takes.
    pub fn is_zero(&self) -> bool {
        matches!(
            self,
            Operation::Activation(Activation::Zero) | Operation::Zeros { .. }
        )
    }

    /// Whether the order of its inputs makes no difference.
    pub fn is_commutative(&self) -> bool {
        matches!(self, Operation::Add { .. } | Operation::Multiply { .. })
    }

    /// Its tensors, in the order they are stored.
    pub fn parameters(&self) -> Vec<ParameterTensor> {
        let shape = |sizes: &[&Dimension]| sizes.iter().map(|&size| size.clone()).collect();
        let trainable = |name, shape, initial| ParameterTensor {
            name,
            shape,
            initial,
            trainable: true,
        };
        let state = |name, shape, initial| ParameterTensor {
            trainable: false,
            ..trainable(name, shape, initial)
        };
        match self {
            Operation::Convolution {
                input,
                output,
                kernel: [height, width],
                groups,
                bias,
                ..
            } => {
                let group = input.floor_divide(groups);
                let fan_in = &(&group * height) * width;
                let weight = shape(&[output, &group, height, width]);
                let mut tensors = vec![trainable("weight", weight, Initial::HeNormal { fan_in })];
                if *bias {
                    tensors.push(trainable("bias", shape(&[output]), Initial::Zero));
                }
                tensors
            }
            Operation::TransposedConvolution(attributes) => {
                let TransposedConvolution {
                    input,
                    output,
                    kernel: [height, width],
                    stride,
                    groups,
                    bias,
                    ..
                } = &**attributes;
                let group = output.floor_divide(groups);
                // So many taps at most meet in one pixel of the output, along each axis.
                let meeting = [(height, &stride[0]), (width, &stride[1])].map(|(size, stride)| {
                    (&(size + stride) - &Dimension::ONE).floor_divide(stride)
                });
                let fan_in = &(&input.floor_divide(groups) * &meeting[0]) * &meeting[1];
                let weight = shape(&[input, &group, height, width]);
                let mut tensors = vec![trainable("weight", weight, Initial::HeNormal { fan_in })];
                if *bias {
                    tensors.push(trainable("bias", shape(&[output]), Initial::Zero));
                }
                tensors
            }
            Operation::Dense {
                input,
                output,
                bias,
            } => {
                let fan_in = input.clone();
                let weight = shape(&[output, input]);
                let mut tensors = vec![trainable(
                    "weight",
                    weight,
                    Initial::LeCunUniform { fan_in },
                )];
                if *bias {
                    tensors.push(trainable("bias", shape(&[output]), Initial::Zero));
                }
                tensors
            }
            Operation::BatchNorm { channels, .. } => vec![
                trainable("weight", shape(&[channels]), Initial::One),
                trainable("bias", shape(&[channels]), Initial::Zero),
                state("running_mean", shape(&[channels]), Initial::Zero),
                state("running_var", shape(&[channels]), Initial::One),
            ],
            Operation::LayerNorm { features, .. } => vec![
                trainable("weight", shape(&[features]), Initial::One),
                trainable("bias", shape(&[features]), Initial::Zero),
            ],
            _ => sequence::parameters(self),
        }
    }

    /// The number of trainable parameters.
    pub fn parameter_count(&self) -> Dimension {
        self.parameters()
            .iter()
            .filter(|tensor| tensor.trainable)
            .fold(Dimension::Constant(0), |sum, tensor| {
                &sum + &tensor.shape.elements()
            })
    }

    /// The multiply-adds of one forward pass of one example: those of matrix products and
    /// convolutions, as is usual in the literature; element-wise work is not counted. `inputs` are
    /// the shapes of the tensors taken, `output` is the shape of the one given.
    pub fn multiply_adds(&self, inputs: &[Shape], output: &Shape) -> Dimension {
        match self {
            Operation::Convolution {
                input: channels,
                kernel: [height, width],
                groups,
                ..
            } => {
                let taps = &(&channels.floor_divide(groups) * height) * width;
                &output.elements() * &taps
            }
            Operation::TransposedConvolution(attributes) => {
                let [height, width] = &attributes.kernel;
                let channels = attributes.output.floor_divide(&attributes.groups);
                let taps = &(&channels * height) * width;
                &inputs.first().map_or(Dimension::ONE, Shape::elements) * &taps
            }
            Operation::Dense { input: width, .. } => &output.elements() * width,
            _ => sequence::multiply_adds(self, inputs),
        }
    }

    /// Replaces variables in its attributes; see [`Dimension::substitute`].
    pub fn substitute(&self, value: &dyn Fn(Variable) -> Option<Dimension>) -> Operation {
        let mut operation = self.clone();
        operation.for_each_dimension_mut(&mut |dimension| *dimension = dimension.substitute(value));
        operation
    }

    /// Calls `visit` for each of its dimensions, in the order they are declared.
    pub fn for_each_dimension_mut(&mut self, visit: &mut impl FnMut(&mut Dimension)) {
        match self {
            Operation::Convolution {
                input,
                output,
                kernel,
                stride,
                padding,
                dilation,
                groups,
                bias: _,
            } => {
                visit(input);
                visit(output);
                let pairs = [kernel, stride, padding, dilation];
                pairs.into_iter().flatten().for_each(&mut *visit);
                visit(groups);
            }
            Operation::Dense { input, output, .. } => {
                visit(input);
                visit(output);
            }
            Operation::BatchNorm { channels, .. } => visit(channels),
            Operation::LayerNorm { features, .. } => visit(features),
            Operation::Pool {
                kernel,
                stride,
                padding,
                ..
            } => [kernel, stride, padding]
                .into_iter()
                .flatten()
                .for_each(&mut *visit),
            Operation::Upsample { factor } => visit(factor),
            Operation::Attention { width, heads, .. }
            | Operation::MaskedAttention { width, heads } => {
                visit(width);
                visit(heads);
            }
            Operation::RmsNorm { features, .. } | Operation::LayerScale { features, .. } => {
                visit(features);
            }
            Operation::GroupNorm {
                channels, groups, ..
            } => {
                visit(channels);
                visit(groups);
            }
            Operation::ParametricRelu { channels } => visit(channels),
            Operation::CrossAttention {
                width,
                context,
                heads,
                bias: _,
            } => [width, context, heads].into_iter().for_each(visit),
            Operation::WindowAttention {
                channels,
                heads,
                window,
                shift,
            } => [channels, heads, window, shift].into_iter().for_each(visit),
            Operation::Embedding { count, width } => {
                visit(count);
                visit(width);
            }
            Operation::Positions { tokens, width } => {
                visit(tokens);
                visit(width);
            }
            Operation::ClassToken { width } => visit(width),
            Operation::Token { place } => visit(place),
            Operation::Image { size } => size.iter_mut().for_each(visit),
            Operation::Zeros { shape } => shape.0.iter_mut().for_each(visit),
            Operation::TransposedConvolution(attributes) => {
                let TransposedConvolution {
                    input,
                    output,
                    kernel,
                    stride,
                    padding,
                    output_padding,
                    dilation,
                    groups,
                    bias: _,
                } = &mut **attributes;
                visit(input);
                visit(output);
                let pairs = [kernel, stride, padding, output_padding, dilation];
                pairs.into_iter().flatten().for_each(&mut *visit);
                visit(groups);
            }
            Operation::AdaptivePool { size, .. } => size.iter_mut().for_each(visit),
            Operation::Pad { before, after, .. } | Operation::Crop { before, after } => {
                [before, after].into_iter().flatten().for_each(visit);
            }
            Operation::Bilinear { factor }
            | Operation::PixelShuffle { factor }
            | Operation::PixelUnshuffle { factor } => visit(factor),
            Operation::ChannelShuffle { groups } => visit(groups),
            Operation::Slice { start, size } => {
                visit(start);
                visit(size);
            }
            Operation::Activation(_)
            | Operation::Softmax
            | Operation::GlobalPool(_)
            | Operation::Dropout { .. }
            | Operation::Flatten
            | Operation::Tokens
            | Operation::InstanceNorm { .. }
            | Operation::DropPath { .. }
            | Operation::Scale
            | Operation::TokenMean
            | Operation::Transpose
            | Operation::Add { .. }
            | Operation::Multiply { .. }
            | Operation::Concatenate { .. } => {}
        }
    }
}

//! Each layer in the words of candle-nn: the field that holds it, if it has one, and what it computes.

use crate::operations::{Activation, Filling, Pooling};
use crate::plan::{Convolution, Layer, Pool, TransposedConvolution, WindowAttention};

/// A field of the struct.
#[derive(Clone, PartialEq)]
pub(super) struct Field {
    /// Its type.
    pub(super) kind: &'static str,
    /// What makes it of `vb`, which is that of its path. It may use `?`.
    pub(super) made: String,
}

/// A layer with the shapes of what it reads and gives, without the batch axis.
#[derive(Clone, Copy)]
pub(super) struct Applied<'a> {
    pub(super) layer: &'a Layer,
    /// The shape of its first input.
    pub(super) shape: &'a [usize],
    pub(super) given: &'a [usize],
}

fn field(kind: &'static str, made: String) -> Option<Field> {
    Some(Field { kind, made })
}

fn bias(channels: usize, bias: bool) -> String {
    match bias {
        true => format!("Some(vb.get({channels}, \"bias\")?)"),
        false => "None".to_owned(),
    }
}

impl Applied<'_> {
    fn is_image(self) -> bool {
        self.shape.len() == 3
    }

    fn size(self, axis: usize) -> usize {
        self.shape.get(axis).copied().unwrap_or(1)
    }

    /// The axis of the features, counted with the batch.
    fn axis_of_features(self) -> usize {
        if self.is_image() { 1 } else { self.shape.len() }
    }

    /// The field that holds its parameters; nothing if it has none.
    pub(super) fn field(self) -> Option<Field> {
        match self.layer {
            Layer::Convolution(attributes) => self.convolution(attributes),
            Layer::TransposedConvolution(attributes) => transposed_convolution(attributes),
            Layer::Dense {
                input,
                output,
                bias: true,
            } => field(
                "Linear",
                format!("candle_nn::linear({input}, {output}, vb)?"),
            ),
            Layer::Dense { input, output, .. } => {
                let made = format!("candle_nn::linear_no_bias({input}, {output}, vb)?");
                field("Linear", made)
            }
            Layer::BatchNorm {
                channels,
                epsilon,
                momentum,
            } => {
                let rest = "..Default::default()";
                let made = format!(
                    "candle_nn::batch_norm({channels}, \
                     BatchNormConfig {{ eps: {epsilon:?}, momentum: {momentum:?}, {rest} }}, vb)?"
                );
                field("BatchNorm", made)
            }
            Layer::LayerNorm { features, epsilon } => {
                let axis = self.axis_of_features();
                field(
                    "Norm",
                    format!("Norm::layer({features}, {axis}, {epsilon:?}, vb)?"),
                )
            }
            Layer::RmsNorm { features, epsilon } => {
                let axis = self.axis_of_features();
                let made = format!("Norm::root_mean_square({features}, {axis}, {epsilon:?}, vb)?");
                field("Norm", made)
            }
            Layer::GroupNorm {
                channels,
                groups,
                epsilon,
            } => {
                let made = format!("candle_nn::group_norm({groups}, {channels}, {epsilon:?}, vb)?");
                field("GroupNorm", made)
            }
            Layer::ParametricRelu { channels } => {
                field("PReLU", format!("candle_nn::prelu(Some({channels}), vb)?"))
            }
            Layer::LayerScale { features } if self.is_image() => {
                let made = format!("vb.get({features}, \"weight\")?.reshape(({features}, 1, 1))?");
                field("Tensor", made)
            }
            Layer::LayerScale { features: width } | Layer::ClassToken { width } => {
                field("Tensor", format!("vb.get({width}, \"weight\")?"))
            }
            Layer::Positions { tokens, width } => field(
                "Tensor",
                format!("vb.get(({tokens}, {width}), \"weight\")?"),
            ),
            Layer::Embedding { count, width } => field(
                "Embedding",
                format!("candle_nn::embedding({count}, {width}, vb)?"),
            ),
            Layer::Attention {
                width, heads, bias, ..
            } => field(
                "Attention",
                format!("Attention::new({width}, {heads}, {bias}, vb)?"),
            ),
            Layer::MaskedAttention { width, heads } => field(
                "Attention",
                format!("Attention::new({width}, {heads}, true, vb)?"),
            ),
            Layer::CrossAttention {
                width,
                context,
                heads,
                bias,
            } => {
                let made = format!("CrossAttention::new({width}, {context}, {heads}, {bias}, vb)?");
                field("CrossAttention", made)
            }
            Layer::WindowAttention(attributes) => {
                let WindowAttention {
                    channels,
                    heads,
                    window,
                    ..
                } = attributes;
                let shifts = attributes.shifts([self.size(1), self.size(2)]);
                let made =
                    format!("WindowAttention::new({channels}, {heads}, {window}, {shifts:?}, vb)?");
                field("WindowAttention", made)
            }
            Layer::Activation(_)
            | Layer::Zero { .. }
            | Layer::Softmax
            | Layer::Pool(_)
            | Layer::GlobalPool(_)
            | Layer::Upsample { .. }
            | Layer::Dropout { .. }
            | Layer::Flatten
            | Layer::Tokens
            | Layer::InstanceNorm { .. }
            | Layer::DropPath { .. }
            | Layer::Scale
            | Layer::Token { .. }
            | Layer::TokenMean
            | Layer::Transpose
            | Layer::Image { .. }
            | Layer::Add
            | Layer::Multiply
            | Layer::Concatenate
            | Layer::AdaptivePool { .. }
            | Layer::Pad { .. }
            | Layer::Crop { .. }
            | Layer::Bilinear { .. }
            | Layer::PixelShuffle { .. }
            | Layer::PixelUnshuffle { .. }
            | Layer::ChannelShuffle { .. }
            | Layer::Slice { .. } => None,
        }
    }

    fn convolution(self, attributes: &Convolution) -> Option<Field> {
        let Convolution {
            input,
            output,
            kernel: [height, width],
            stride,
            padding,
            dilation,
            groups,
            bias: with_bias,
        } = *attributes;
        let image = [self.size(1), self.size(2)];
        let each = input / groups.max(1);
        let bias = bias(output, with_bias);
        let weight = format!("vb.get(({output}, {each}, {height}, {width}), \"weight\")?");
        if self.is_image() && attributes.is_of_candle(image) {
            let made = format!(
                "Conv2d::new({weight}, {bias}, Conv2dConfig {{ stride: {}, padding: {}, \
                 dilation: {}, groups: {groups}, ..Default::default() }})",
                stride[1], padding[1], dilation[1]
            );
            return field("Conv2d", made);
        }
        let made = format!(
            "Convolution {{ weight: {weight}, bias: {bias}, stride: {stride:?}, \
             padding: {padding:?}, dilation: {dilation:?}, groups: {groups} }}"
        );
        field("Convolution", made)
    }

    /// What it computes of these variables; `own` is its field, if it has one. It ends in a value.
    pub(super) fn expression(self, inputs: &[String], own: &str) -> String {
        let x = inputs.first().map_or("x", String::as_str);
        let y = inputs.get(1).map_or("x", String::as_str);
        let all: Vec<String> = inputs.iter().map(|input| format!("&{input}")).collect();
        match self.layer {
            // A signal is an image of one row; candle's own convolution of signals has no right
            // gradient where it is strided and dilated.
            Layer::Convolution(_) | Layer::TransposedConvolution(_) if !self.is_image() => {
                format!("{own}.forward(&{x}.unsqueeze(2)?)?.squeeze(2)?")
            }
            Layer::Convolution(_)
            | Layer::TransposedConvolution(_)
            | Layer::Dense { .. }
            | Layer::LayerNorm { .. }
            | Layer::RmsNorm { .. }
            | Layer::GroupNorm { .. }
            | Layer::ParametricRelu { .. }
            | Layer::CrossAttention { .. }
            | Layer::WindowAttention(_) => format!("{own}.forward({})?", all.join(", ")),
            Layer::BatchNorm { .. } => format!("{own}.forward_t(&{x}, train)?"),
            Layer::LayerScale { .. } => format!("{x}.broadcast_mul(&{own})?"),
            Layer::Positions { .. } => format!("{x}.broadcast_add(&{own})?"),
            Layer::ClassToken { .. } => format!("put_before(&{x}, &{own})?"),
            Layer::Embedding { .. } => {
                format!("{own}.forward(&{x}.round()?.to_dtype(DType::U32)?)?")
            }
            Layer::Attention { causal: false, .. } => format!("{own}.forward(&{x}, None)?"),
            Layer::Attention { .. } => format!("{own}.forward(&{x}, Some(&causal(&{x})?))?"),
            Layer::MaskedAttention { .. } => {
                format!("{own}.forward(&{x}, Some(&unmasked(&{y})?))?")
            }
            Layer::Activation(activation) => expression_of(*activation, x),
            Layer::Zero { shape } => {
                let shape: Vec<String> = shape.iter().map(|size| format!(", {size}")).collect();
                let shape = format!("&[{x}.dim(0)?{}]", shape.concat());
                format!("Tensor::zeros({shape}, {x}.dtype(), {x}.device())?")
            }
            Layer::Softmax => format!("candle_nn::ops::softmax(&{x}, D::Minus1)?"),
            Layer::Pool(pool) => self.pool(pool, x),
            Layer::GlobalPool(Pooling::Average) => format!("{x}.flatten_from(2)?.mean(2)?"),
            Layer::GlobalPool(Pooling::Maximum) => {
                format!("largest(&{x}.flatten_from(2)?, 2)?.squeeze(2)?")
            }
            Layer::Upsample { factor } => format!("upsample(&{x}, {factor})?"),
            Layer::Bilinear { factor } => format!("bilinear(&{x}, {factor})?"),
            Layer::Dropout { rate } => {
                format!(
                    "if train {{ candle_nn::ops::dropout(&{x}, {rate:?})? }} else {{ {x}.clone() }}"
                )
            }
            Layer::DropPath { rate } => {
                format!("if train {{ drop_path(&{x}, {rate:?})? }} else {{ {x}.clone() }}")
            }
            Layer::Flatten => format!("{x}.flatten_from(1)?"),
            Layer::Tokens => format!("{x}.flatten_from(2)?.transpose(1, 2)?.contiguous()?"),
            Layer::Transpose => format!("{x}.transpose(1, 2)?.contiguous()?"),
            Layer::Image { .. } => {
                format!("{x}.transpose(1, 2)?.reshape(((), {}))?", sizes(self.given))
            }
            Layer::InstanceNorm { epsilon } => format!("instance_norm(&{x}, {epsilon:?})?"),
            Layer::Scale => {
                let ones = ", 1".repeat(self.shape.len().saturating_sub(1));
                format!(
                    "{x}.broadcast_mul(&{y}.reshape(((), {}{ones}))?)?",
                    self.size(0)
                )
            }
            Layer::Token { place } => format!("{x}.narrow(1, {place}, 1)?.squeeze(1)?"),
            Layer::TokenMean => format!("{x}.mean(1)?"),
            Layer::Add => folded(&all, "+"),
            Layer::Multiply => folded(&all, "*"),
            Layer::Concatenate => format!("Tensor::cat(&[{}], 1)?", all.join(", ")),
            Layer::AdaptivePool { kind, size } => {
                let reduce = match kind {
                    Pooling::Maximum => "largest(x, axis)",
                    Pooling::Average => "x.mean_keepdim(axis)",
                };
                format!("adaptive_pool(&{x}, {size:?}, |x, axis| {reduce})?")
            }
            Layer::Pad {
                filling,
                before,
                after,
            } => {
                let function = match filling {
                    Filling::Zero => "pad_zeros",
                    Filling::Reflect => "reflect_pad",
                    Filling::Replicate => "replicate_pad",
                    Filling::Circular => "circular_pad",
                };
                format!("{function}(&{x}, {before:?}, {after:?})?")
            }
            Layer::Crop {
                before: [top, left],
                ..
            } => match self.given {
                [_, height, width] => {
                    format!("{x}.narrow(2, {top}, {height})?.narrow(3, {left}, {width})?")
                }
                _ => x.to_owned(),
            },
            Layer::PixelShuffle { factor } => {
                format!("candle_nn::ops::pixel_shuffle(&{x}, {factor})?")
            }
            Layer::PixelUnshuffle { factor } => {
                format!("candle_nn::ops::pixel_unshuffle(&{x}, {factor})?")
            }
            Layer::ChannelShuffle { groups } => format!("channel_shuffle(&{x}, {groups})?"),
            Layer::Slice { start, size } => {
                format!("{x}.narrow(1, {start}, {size})?.contiguous()?")
            }
        }
    }

    fn pool(self, pool: &Pool, x: &str) -> String {
        let (from, to) = match (self.shape, self.given) {
            ([_, height, width], [_, rows, columns]) => ([*height, *width], [*rows, *columns]),
            _ => (
                [1, self.size(1)],
                [1, self.given.get(1).copied().unwrap_or(1)],
            ),
        };
        let after = pool.margin_behind(from, to);
        let (kernel, stride, before) = (pool.kernel, pool.stride, pool.padding);
        let window = format!(
            "&Window {{ kernel: {kernel:?}, stride: {stride:?}, before: {before:?}, after: {after:?} }}"
        );
        let image = match self.is_image() {
            true => format!("&{x}"),
            false => format!("&{x}.unsqueeze(2)?"),
        };
        let call = match pool.kind {
            Pooling::Maximum => format!("max_pool({image}, {window})?"),
            Pooling::Average => {
                let counted = pool.counted_margins(after);
                format!("average_pool({image}, {window}, {counted:?})?")
            }
        };
        match self.is_image() {
            true => call,
            false => format!("{call}.squeeze(2)?"),
        }
    }
}

fn sizes(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    sizes.join(", ")
}

/// `((x + y)? + z)?`
fn folded(all: &[String], sign: &str) -> String {
    let [first, rest @ ..] = all else {
        return String::new();
    };
    rest.iter().fold(first.clone(), |sum, input| {
        format!("({sum} {sign} {input})?")
    })
}

fn transposed_convolution(attributes: &TransposedConvolution) -> Option<Field> {
    // The attributes are those of the convolution of which it is the transpose.
    let Convolution {
        input: output,
        output: input,
        kernel: [height, width],
        stride,
        padding,
        dilation,
        groups,
        bias: with_bias,
    } = attributes.convolution;
    let weight = format!(
        "vb.get(({input}, {}, {height}, {width}), \"weight\")?",
        output / groups.max(1)
    );
    let made = format!(
        "TransposedConvolution {{ weight: {weight}, bias: {}, stride: {stride:?}, \
         padding: {padding:?}, output_padding: {:?}, dilation: {dilation:?}, groups: {groups} }}",
        bias(output, with_bias),
        attributes.output_padding,
    );
    field("TransposedConvolution", made)
}

fn expression_of(activation: Activation, x: &str) -> String {
    match activation {
        Activation::Relu => format!("{x}.relu()?"),
        Activation::Relu6 => format!("{x}.clamp(0.0, 6.0)?"),
        Activation::LeakyRelu { slope } => {
            format!("candle_nn::ops::leaky_relu(&{x}, {:?})?", slope.value())
        }
        Activation::Elu { alpha } => format!("{x}.elu({:?})?", alpha.value()),
        Activation::Gelu => format!("{x}.gelu_erf()?"),
        Activation::GeluTanh => format!("{x}.gelu()?"),
        Activation::Mish => format!("(&{x} * softplus(&{x})?.tanh()?)?"),
        Activation::Softplus => format!("softplus(&{x})?"),
        Activation::Zero => format!("{x}.zeros_like()?"),
        Activation::Silu => format!("{x}.silu()?"),
        Activation::Sigmoid => format!("candle_nn::ops::sigmoid(&{x})?"),
        Activation::Tanh => format!("{x}.tanh()?"),
        Activation::HardSwish => format!("(&{x} * hard_sigmoid(&{x})?)?"),
        Activation::HardSigmoid => format!("hard_sigmoid(&{x})?"),
    }
}

//! Each layer in the words of PyTorch: what makes its module, if it has one, and what it computes.

use crate::operations::{Activation, Filling, Pooling};
use crate::plan::{Convolution, Layer, Pool, TransposedConvolution, WindowAttention};

/// A layer with the shapes of what it reads, without the batch axis.
#[derive(Clone, Copy)]
pub(super) struct Applied<'a> {
    pub(super) layer: &'a Layer,
    /// The shape of its first input.
    pub(super) shape: &'a [usize],
}

/// The arguments of a call: those that must be there, and those that differ from the default.
struct Arguments(Vec<String>);

impl Arguments {
    fn of(required: &[usize]) -> Arguments {
        Arguments(required.iter().map(usize::to_string).collect())
    }

    fn with(mut self, argument: impl Into<String>) -> Arguments {
        self.0.push(argument.into());
        self
    }

    /// A named argument, unless it has its default.
    fn unless<T: PartialEq>(self, default: T, name: &str, value: T, text: String) -> Arguments {
        match value == default {
            true => self,
            false => self.with(format!("{name}={text}")),
        }
    }

    fn number(self, name: &str, value: f64, default: f64) -> Arguments {
        self.unless(default, name, value, format!("{value:?}"))
    }

    fn flag(self, name: &str, value: bool, default: bool) -> Arguments {
        self.unless(default, name, value, python_bool(value))
    }

    fn call(self, function: &str) -> String {
        format!("{function}({})", self.0.join(", "))
    }
}

fn python_bool(value: bool) -> String {
    if value { "True" } else { "False" }.to_owned()
}

impl Applied<'_> {
    /// Whether it reads a signal `[c, l]`, or anything else without a height.
    fn is_line(self) -> bool {
        self.shape.len() < 3
    }

    /// `1d` or `2d`, as PyTorch calls what works on signals and on images.
    fn kind(self) -> &'static str {
        if self.is_line() { "1d" } else { "2d" }
    }

    /// Sizes along the axes it has: one number where they are the same.
    fn sizes(self, [height, width]: [usize; 2]) -> String {
        match self.is_line() || height == width {
            true => width.to_string(),
            false => format!("({height}, {width})"),
        }
    }

    /// An argument with sizes along axes, unless they have their default.
    fn sized(
        self,
        arguments: Arguments,
        name: &str,
        sizes: [usize; 2],
        default: usize,
    ) -> Arguments {
        let text = self.sizes(sizes);
        let is_default = text == default.to_string();
        arguments.unless(true, name, is_default, text)
    }

    fn convolution(self, attributes: &Convolution) -> Arguments {
        let Convolution {
            input,
            output,
            kernel,
            stride,
            padding,
            dilation,
            groups,
            bias,
        } = *attributes;
        let arguments = Arguments::of(&[input, output]).with(self.sizes(kernel));
        let arguments = self.sized(arguments, "stride", stride, 1);
        let arguments = self.sized(arguments, "padding", padding, 0);
        self.sized(arguments, "dilation", dilation, 1)
            .unless(1, "groups", groups, groups.to_string())
            .flag("bias", bias, true)
    }

    fn transposed_convolution(self, attributes: &TransposedConvolution) -> Arguments {
        // The attributes are those of the convolution of which it is the transpose.
        let transpose = Convolution {
            input: attributes.convolution.output,
            output: attributes.convolution.input,
            ..attributes.convolution
        };
        let arguments = self.convolution(&transpose);
        self.sized(arguments, "output_padding", attributes.output_padding, 0)
    }

    fn norm(self, epsilon: f64, sizes: &[usize], function: &str) -> String {
        let arguments = Arguments::of(sizes).number("eps", epsilon, 1e-5);
        arguments.call(function)
    }

    /// What makes its module; nothing if it is a function alone.
    pub(super) fn module(self) -> Option<String> {
        let is_image = self.shape.len() == 3;
        Some(match self.layer {
            Layer::Convolution(attributes) => {
                let function = format!("nn.Conv{}", self.kind());
                self.convolution(attributes).call(&function)
            }
            Layer::TransposedConvolution(attributes) => {
                let function = format!("nn.ConvTranspose{}", self.kind());
                self.transposed_convolution(attributes).call(&function)
            }
            Layer::Dense {
                input,
                output,
                bias,
            } => Arguments::of(&[*input, *output])
                .flag("bias", *bias, true)
                .call("nn.Linear"),
            Layer::BatchNorm {
                channels,
                epsilon,
                momentum,
            } => Arguments::of(&[*channels])
                .number("eps", *epsilon, 1e-5)
                .number("momentum", *momentum, 0.1)
                .call(&format!("nn.BatchNorm{}", self.kind())),
            Layer::LayerNorm { features, epsilon } => {
                let function = if is_image {
                    "ChannelNorm"
                } else {
                    "nn.LayerNorm"
                };
                self.norm(*epsilon, &[*features], function)
            }
            Layer::RmsNorm { features, epsilon } => {
                let function = if is_image {
                    "ChannelRMSNorm"
                } else {
                    "nn.RMSNorm"
                };
                // By default it is that of the type of numbers.
                let arguments = Arguments::of(&[*features]).with(format!("eps={epsilon:?}"));
                arguments.call(function)
            }
            Layer::GroupNorm {
                channels,
                groups,
                epsilon,
            } => self.norm(*epsilon, &[*groups, *channels], "nn.GroupNorm"),
            Layer::ParametricRelu { channels } => Arguments::of(&[*channels]).call("nn.PReLU"),
            Layer::LayerScale { features } => {
                let function = if is_image {
                    "ChannelScale"
                } else {
                    "LayerScale"
                };
                Arguments::of(&[*features]).call(function)
            }
            Layer::Attention {
                width,
                heads,
                causal,
                bias,
            } => Arguments::of(&[*width, *heads])
                .flag("causal", *causal, false)
                .flag("bias", *bias, true)
                .call("Attention"),
            Layer::MaskedAttention { width, heads } => {
                Arguments::of(&[*width, *heads]).call("Attention")
            }
            Layer::CrossAttention {
                width,
                context,
                heads,
                bias,
            } => Arguments::of(&[*width, *context, *heads])
                .flag("bias", *bias, true)
                .call("CrossAttention"),
            Layer::WindowAttention(attributes) => self.window_attention(attributes),
            Layer::Embedding { count, width } => {
                Arguments::of(&[*count, *width]).call("nn.Embedding")
            }
            Layer::Positions { tokens, width } => {
                Arguments::of(&[*tokens, *width]).call("Positions")
            }
            Layer::ClassToken { width } => Arguments::of(&[*width]).call("ClassToken"),
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
            | Layer::Slice { .. } => return None,
        })
    }

    fn window_attention(self, attributes: &WindowAttention) -> String {
        let WindowAttention {
            channels,
            heads,
            window,
            ..
        } = *attributes;
        let size = |axis: usize| self.shape.get(axis).copied().unwrap_or(0);
        let [down, right] = attributes.shifts([size(1), size(2)]);
        Arguments::of(&[channels, heads, window])
            .unless((0, 0), "shift", (down, right), format!("({down}, {right})"))
            .call("WindowAttention")
    }

    /// What it computes of these variables; `module` is how its module is reached, if it has one.
    pub(super) fn expression(self, inputs: &[String], module: &str) -> String {
        let all = inputs.join(", ");
        let x = inputs.first().map_or("x", String::as_str);
        match self.layer {
            Layer::Activation(activation) => expression_of(activation, x),
            Layer::Zero { shape } => {
                let sizes: Vec<String> = shape.iter().map(|size| format!(", {size}")).collect();
                format!("{x}.new_zeros(len({x}){})", sizes.concat())
            }
            Layer::Softmax => format!("F.softmax({x}, dim=-1)"),
            Layer::Pool(pool) => self.pool(pool, x),
            Layer::GlobalPool(Pooling::Average) => match self.shape.len() {
                2 => format!("{x}.mean(dim=2)"),
                _ => format!("{x}.mean(dim=(2, 3))"),
            },
            Layer::GlobalPool(Pooling::Maximum) => {
                format!("F.adaptive_max_pool{}({x}, 1).flatten(1)", self.kind())
            }
            Layer::Upsample { factor } => {
                format!("F.interpolate({x}, scale_factor={factor}, mode=\"nearest\")")
            }
            Layer::Bilinear { factor } => {
                let mode = "mode=\"bilinear\", align_corners=False";
                format!("F.interpolate({x}, scale_factor={factor}, {mode})")
            }
            Layer::Dropout { rate } => format!("F.dropout({x}, {rate:?}, self.training)"),
            Layer::DropPath { rate } => format!("drop_path({x}, {rate:?}, self.training)"),
            Layer::Flatten => format!("{x}.flatten(1)"),
            Layer::Tokens => format!("{x}.flatten(2).transpose(1, 2)"),
            Layer::Image {
                size: [height, width],
            } => format!("{x}.transpose(1, 2).unflatten(2, ({height}, {width}))"),
            Layer::InstanceNorm { epsilon } => {
                // Groups of one channel; PyTorch's own refuses images of one pixel.
                let channels = self.shape.first().copied().unwrap_or(1);
                let arguments = Arguments(vec![x.to_owned(), channels.to_string()]);
                arguments.number("eps", *epsilon, 1e-5).call("F.group_norm")
            }
            Layer::Scale => {
                let axes = ", None".repeat(self.shape.len().saturating_sub(1));
                let numbers = inputs.get(1).map_or("x", String::as_str);
                format!("{x} * {numbers}[:, :{axes}]")
            }
            Layer::Token { place } => format!("{x}[:, {place}]"),
            Layer::TokenMean => format!("{x}.mean(dim=1)"),
            Layer::Transpose => format!("{x}.transpose(1, 2)"),
            Layer::Add => inputs.join(" + "),
            Layer::Multiply => inputs.join(" * "),
            Layer::Concatenate => format!("torch.cat([{all}], dim=1)"),
            Layer::AdaptivePool { kind, size } => {
                let kind = name_of(*kind);
                format!("F.adaptive_{kind}_pool2d({x}, {})", self.sizes(*size))
            }
            Layer::Pad {
                filling,
                before,
                after,
            } => pad(*filling, *before, *after, x),
            Layer::Crop { before, after } => {
                let axis = |axis: usize| {
                    let size = self.shape.get(axis + 1).copied().unwrap_or(0);
                    let end = size.saturating_sub(after[axis]);
                    format!("{}:{end}", before[axis])
                };
                format!("{x}[:, :, {}, {}]", axis(0), axis(1))
            }
            Layer::PixelShuffle { factor } => format!("F.pixel_shuffle({x}, {factor})"),
            Layer::PixelUnshuffle { factor } => format!("F.pixel_unshuffle({x}, {factor})"),
            Layer::ChannelShuffle { groups } => format!("channel_shuffle({x}, {groups})"),
            Layer::Slice { start, size } => format!("{x}[:, {start}:{}]", start + size),
            Layer::Convolution(_)
            | Layer::TransposedConvolution(_)
            | Layer::Dense { .. }
            | Layer::BatchNorm { .. }
            | Layer::LayerNorm { .. }
            | Layer::RmsNorm { .. }
            | Layer::GroupNorm { .. }
            | Layer::ParametricRelu { .. }
            | Layer::LayerScale { .. }
            | Layer::Attention { .. }
            | Layer::MaskedAttention { .. }
            | Layer::CrossAttention { .. }
            | Layer::WindowAttention(_)
            | Layer::Positions { .. }
            | Layer::ClassToken { .. } => format!("{module}({all})"),
            // Numbers of tokens come in the type of all other numbers.
            Layer::Embedding { .. } => format!("{module}({all}.round().long())"),
        }
    }

    fn pool(self, pool: &Pool, x: &str) -> String {
        let arguments = Arguments(vec![x.to_owned(), self.sizes(pool.kernel)]);
        // By default the step is the size of the window.
        let stride = self.sizes(pool.stride);
        let arguments = arguments.unless(self.sizes(pool.kernel), "stride", stride.clone(), stride);
        let arguments =
            self.sized(arguments, "padding", pool.padding, 0)
                .flag("ceil_mode", pool.ceil, false);
        // Without padding there is nothing to count.
        let counts = pool.count_padding || pool.padding == [0, 0];
        let arguments = match pool.kind {
            Pooling::Average => arguments.flag("count_include_pad", counts, true),
            Pooling::Maximum => arguments,
        };
        let function = format!("F.{}_pool{}", name_of(pool.kind), self.kind());
        arguments.call(&function)
    }
}

fn name_of(kind: Pooling) -> &'static str {
    match kind {
        Pooling::Maximum => "max",
        Pooling::Average => "avg",
    }
}

fn pad(filling: Filling, [top, left]: [usize; 2], [bottom, right]: [usize; 2], x: &str) -> String {
    let margins = format!("({left}, {right}, {top}, {bottom})");
    match filling {
        Filling::Zero => format!("F.pad({x}, {margins})"),
        Filling::Reflect => format!("F.pad({x}, {margins}, mode=\"reflect\")"),
        Filling::Replicate => format!("F.pad({x}, {margins}, mode=\"replicate\")"),
        Filling::Circular => format!("F.pad({x}, {margins}, mode=\"circular\")"),
    }
}

fn expression_of(activation: &Activation, x: &str) -> String {
    match activation {
        Activation::Relu => format!("F.relu({x})"),
        Activation::Relu6 => format!("F.relu6({x})"),
        Activation::LeakyRelu { slope } => format!("F.leaky_relu({x}, {:?})", slope.value()),
        Activation::Elu { alpha } => format!("F.elu({x}, {:?})", alpha.value()),
        Activation::Gelu => format!("F.gelu({x})"),
        Activation::GeluTanh => format!("F.gelu({x}, approximate=\"tanh\")"),
        Activation::Mish => format!("F.mish({x})"),
        Activation::Softplus => format!("F.softplus({x})"),
        Activation::Zero => format!("torch.zeros_like({x})"),
        Activation::Silu => format!("F.silu({x})"),
        Activation::Sigmoid => format!("torch.sigmoid({x})"),
        Activation::Tanh => format!("torch.tanh({x})"),
        Activation::HardSwish => format!("F.hardswish({x})"),
        Activation::HardSigmoid => format!("F.hardsigmoid({x})"),
    }
}

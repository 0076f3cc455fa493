//! The words of a printed program.

use std::collections::{BTreeMap, BTreeSet};

use super::schedule::Step;
use crate::graph::{Graph, Node, NodeKind, WeightsId};
use crate::operations::{
    Activation, Dimension, Filling, Operation, Pooling, Real, TransposedConvolution, Variable,
};

/// Names of variables.
#[derive(Default)]
pub(super) struct Names {
    names: BTreeMap<Variable, String>,
    taken: BTreeSet<String>,
    parameters: Vec<String>,
}

impl Names {
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The name of a variable.
    pub(super) fn name(&self, variable: Variable) -> String {
        self.names.get(&variable).cloned().unwrap_or_default()
    }

    /// The names that are parameters, in the order they were given.
    pub(super) fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// Names a variable that is the size of an axis, unless it has a name.
    pub(super) fn axis(&mut self, variable: Variable, base: &str) {
        if !self.names.contains_key(&variable) {
            self.insert(variable, base);
        }
    }

    /// Names a variable that is a parameter, unless it has a name.
    pub(super) fn parameter(&mut self, variable: Variable) {
        if !self.names.contains_key(&variable) {
            self.insert(variable, "n");
            self.parameters.push(self.name(variable));
        }
    }

    fn insert(&mut self, variable: Variable, base: &str) {
        let mut name = base.to_string();
        for number in 2.. {
            if self.taken.insert(name.clone()) {
                break;
            }
            name = format!("{base}{number}");
        }
        self.names.insert(variable, name);
    }
}

/// The word for a step.
pub(super) fn step_word(graph: &Graph, names: &Names, step: Step) -> String {
    match step {
        Step::Pick(0) => "dup".to_string(),
        Step::Pick(1) => "over".to_string(),
        Step::Pick(depth) => format!("pick({depth})"),
        Step::Roll(1) => "swap".to_string(),
        Step::Roll(2) => "rot".to_string(),
        Step::Roll(depth) => format!("roll({depth})"),
        Step::Tuck => "tuck".to_string(),
        Step::Nip => "nip".to_string(),
        Step::Drop => "drop".to_string(),
        Step::Apply(id) => applied_word(names, graph.node(id)),
    }
}

fn applied_word(names: &Names, node: &Node) -> String {
    let NodeKind::Operation(operation) = &node.kind else {
        return String::new();
    };
    let rank = node.shape.rank();
    let word = operation_word(operation, rank, &|variable| names.name(variable));
    match node.weights {
        Some(weights) => format!("{word}@{}", weights_name(weights)),
        None => word,
    }
}

/// A name for shared weights: a letter, then letters with numbers from 2.
fn weights_name(weights: WeightsId) -> String {
    let letter = char::from(b'a' + (weights.0 % 26) as u8);
    match weights.0 / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{}", round + 1),
    }
}

/// A word with its arguments.
struct Word<'a> {
    name: &'a dyn Fn(Variable) -> String,
    text: String,
    arguments: Vec<String>,
    /// Whether it works on `[c, l]` and takes one number where a word for images takes a pair.
    is_for_signals: bool,
}

impl<'a> Word<'a> {
    fn new(text: &str, name: &'a dyn Fn(Variable) -> String) -> Self {
        Self {
            name,
            text: text.to_string(),
            arguments: Vec::new(),
            is_for_signals: false,
        }
    }

    /// The word for signals, if that is what the operation gives.
    fn of_rank(mut self, rank: usize) -> Self {
        if rank == 2 {
            self.text.push_str("1d");
            self.is_for_signals = true;
        }
        self
    }

    fn value(&self, dimension: &Dimension) -> String {
        dimension.display(self.name).to_string()
    }

    fn pair_value(&self, pair: &[Dimension; 2]) -> String {
        let [height, width] = pair;
        if height == width || self.is_for_signals {
            self.value(width)
        } else {
            format!("[{}, {}]", self.value(height), self.value(width))
        }
    }

    fn number(mut self, dimension: &Dimension) -> Self {
        self.arguments.push(self.value(dimension));
        self
    }

    fn pair(mut self, pair: &[Dimension; 2]) -> Self {
        self.arguments.push(self.pair_value(pair));
        self
    }

    /// A positional number, unless it is the default.
    fn optional(self, dimension: &Dimension, default: &Dimension) -> Self {
        if dimension == default {
            self
        } else {
            self.number(dimension)
        }
    }

    /// A named pair, unless it is the default.
    fn named_pair(mut self, name: &str, pair: &[Dimension; 2], default: &[Dimension; 2]) -> Self {
        if pair != default {
            let value = self.pair_value(pair);
            self.arguments.push(format!("{name}: {value}"));
        }
        self
    }

    /// What is put around an image or cut off it.
    fn margins(self, before: &[Dimension; 2], after: &[Dimension; 2]) -> Self {
        let word = self.pair(before);
        match before == after {
            true => word,
            false => word.pair(after),
        }
    }

    fn named(mut self, name: &str, value: String, is_default: bool) -> Self {
        if !is_default {
            self.arguments.push(format!("{name}: {value}"));
        }
        self
    }

    fn real(self, real: Real, default: f64) -> Self {
        if real == Real::new(default) {
            self
        } else {
            self.required_real(real)
        }
    }

    fn required_real(mut self, real: Real) -> Self {
        self.arguments.push(format!("{:?}", real.value()));
        self
    }

    /// A named number, unless it is the default.
    fn named_real(self, name: &str, real: Real, default: f64) -> Self {
        let text = format!("{:?}", real.value());
        self.named(name, text, real == Real::new(default))
    }

    fn arity(mut self, arity: usize) -> Self {
        if arity != 2 {
            self.arguments.push(arity.to_string());
        }
        self
    }

    fn finish(self) -> String {
        if self.arguments.is_empty() {
            self.text
        } else {
            format!("{}({})", self.text, self.arguments.join(", "))
        }
    }
}

/// An operation as the word that stands for it, with its arguments: `conv(3, 32, stride: 2)`.
/// `rank` is the number of axes that it gives, which tells images and signals apart; `name` names the
/// dimension variables.
pub fn operation_word(
    operation: &Operation,
    rank: usize,
    name: &dyn Fn(Variable) -> String,
) -> String {
    let ones = [Dimension::ONE, Dimension::ONE];
    let word = |text| Word::new(text, name);
    let word = match operation {
        Operation::Convolution {
            input,
            output,
            kernel,
            stride,
            padding,
            dilation,
            groups,
            bias,
        } => {
            let is_depthwise = groups == input && output == input && *groups != Dimension::ONE;
            let kernel_word = if is_depthwise {
                word("dwconv").of_rank(rank).pair(kernel)
            } else {
                let word = word("conv").of_rank(rank).pair(kernel);
                word.optional(output, input)
            };
            let groups_text = kernel_word.value(groups);
            let is_default = is_depthwise || *groups == Dimension::ONE;
            kernel_word
                .named_pair("stride", stride, &ones)
                .named_pair("pad", padding, &half(kernel, dilation))
                .named_pair("dilation", dilation, &ones)
                .named("groups", groups_text, is_default)
                .named("bias", bias.to_string(), !bias)
        }
        Operation::Dense { output, bias, .. } => {
            word("dense")
                .number(output)
                .named("bias", bias.to_string(), *bias)
        }
        Operation::BatchNorm {
            epsilon, momentum, ..
        } => word("bn")
            .named_real("epsilon", *epsilon, 1e-5)
            .named_real("momentum", *momentum, 0.1),
        Operation::LayerNorm { epsilon, .. } => word("ln").named_real("epsilon", *epsilon, 1e-5),
        Operation::Activation(activation) => match activation {
            Activation::Relu => word("relu"),
            Activation::Relu6 => word("relu6"),
            Activation::LeakyRelu { slope } => word("leaky_relu").real(*slope, 0.01),
            Activation::Elu { alpha } => word("elu").real(*alpha, 1.0),
            Activation::Gelu => word("gelu"),
            Activation::Silu => word("silu"),
            Activation::Sigmoid => word("sigmoid"),
            Activation::Tanh => word("tanh"),
            Activation::HardSwish => word("hardswish"),
            Activation::HardSigmoid => word("hardsigmoid"),
            Activation::GeluTanh => word("gelu_tanh"),
            Activation::Mish => word("mish"),
            Activation::Softplus => word("softplus"),
            Activation::Zero => word("zero"),
        },
        Operation::Softmax => word("softmax"),
        Operation::Pool {
            kind,
            kernel,
            stride,
            padding,
            ceil,
            count_padding,
        } => {
            let text = match kind {
                Pooling::Maximum => "maxpool",
                Pooling::Average => "avgpool",
            };
            word(text)
                .of_rank(rank)
                .pair(kernel)
                .named_pair("stride", stride, &ones)
                .named_pair("pad", padding, &half(kernel, &ones))
                .named("ceil", ceil.to_string(), !ceil)
                .named("count_padding", count_padding.to_string(), !count_padding)
        }
        Operation::GlobalPool(Pooling::Average) => word("gap"),
        Operation::GlobalPool(Pooling::Maximum) => word("gmp"),
        Operation::Upsample { factor } => word("upsample").number(factor),
        Operation::Dropout { rate } => word("dropout").real(*rate, 0.5),
        Operation::Flatten => word("flatten"),
        Operation::Tokens => word("tokens"),
        Operation::Attention {
            heads,
            causal,
            bias,
            ..
        } => word("attention")
            .number(heads)
            .named("causal", causal.to_string(), !causal)
            .named("bias", bias.to_string(), *bias),
        Operation::RmsNorm { epsilon, .. } => word("rmsnorm").named_real("epsilon", *epsilon, 1e-6),
        Operation::GroupNorm {
            groups, epsilon, ..
        } => word("groupnorm")
            .number(groups)
            .named_real("epsilon", *epsilon, 1e-5),
        Operation::InstanceNorm { epsilon } => {
            word("instancenorm").named_real("epsilon", *epsilon, 1e-5)
        }
        Operation::ParametricRelu { .. } => word("prelu"),
        Operation::LayerScale { initial, .. } => word("layer_scale").real(*initial, 1e-6),
        Operation::DropPath { rate } => word("drop_path").required_real(*rate),
        Operation::Scale => word("scale"),
        Operation::CrossAttention { heads, bias, .. } => word("cross_attention")
            .number(heads)
            .named("bias", bias.to_string(), *bias),
        Operation::MaskedAttention { heads, .. } => word("masked_attention").number(heads),
        Operation::WindowAttention {
            heads,
            window,
            shift,
            ..
        } => {
            let word = word("window_attention").number(heads).number(window);
            let value = word.value(shift);
            word.named("shift", value, *shift == Dimension::Constant(0))
        }
        Operation::Embedding { count, width } => word("embedding").number(count).number(width),
        Operation::Positions { .. } => word("positions"),
        Operation::ClassToken { .. } => word("class_token"),
        Operation::Token { place } => word("token").number(place),
        Operation::TokenMean => word("token_mean"),
        Operation::Transpose => word("transpose"),
        Operation::Image {
            size: [height, width],
        } => word("image").number(height).number(width),
        Operation::Zeros { shape } => shape.0.iter().fold(word("zeros"), Word::number),
        Operation::Add { arity } => word("add").arity(*arity),
        Operation::Multiply { arity } => word("mul").arity(*arity),
        Operation::Concatenate { arity } => word("cat").arity(*arity),
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
                bias,
            } = &**attributes;
            let none = [Dimension::Constant(0), Dimension::Constant(0)];
            let word = word("upconv").of_rank(rank).pair(kernel);
            let groups_text = word.value(groups);
            word.optional(output, input)
                .named_pair("stride", stride, &ones)
                .named_pair("pad", padding, &half_difference(kernel, stride, dilation))
                .named_pair("output_pad", output_padding, &none)
                .named_pair("dilation", dilation, &ones)
                .named("groups", groups_text, *groups == Dimension::ONE)
                .named("bias", bias.to_string(), !bias)
        }
        Operation::AdaptivePool { kind, size } => {
            let text = match kind {
                Pooling::Maximum => "adaptive_maxpool",
                Pooling::Average => "adaptive_avgpool",
            };
            word(text).pair(size)
        }
        Operation::Pad {
            filling,
            before,
            after,
        } => {
            let text = match filling {
                Filling::Zero => "pad",
                Filling::Reflect => "reflect_pad",
                Filling::Replicate => "replicate_pad",
                Filling::Circular => "circular_pad",
            };
            word(text).margins(before, after)
        }
        Operation::Crop { before, after } => word("crop").margins(before, after),
        Operation::Bilinear { factor } => word("bilinear").number(factor),
        Operation::PixelShuffle { factor } => word("pixel_shuffle").number(factor),
        Operation::PixelUnshuffle { factor } => word("pixel_unshuffle").number(factor),
        Operation::ChannelShuffle { groups } => word("channel_shuffle").number(groups),
        Operation::Slice { start, size } => word("slice").number(start).number(size),
    };
    word.finish()
}

/// The padding of a window that is not told any: half of what it covers, rounded down.
fn half(kernel: &[Dimension; 2], dilation: &[Dimension; 2]) -> [Dimension; 2] {
    [0, 1].map(|axis| {
        let covered = &dilation[axis] * &(&kernel[axis] - &Dimension::ONE);
        covered.floor_divide(&Dimension::Constant(2))
    })
}

/// The padding of a transposed convolution that is not told any: half of what the window covers
/// beyond the stride, rounded down.
fn half_difference(
    kernel: &[Dimension; 2],
    stride: &[Dimension; 2],
    dilation: &[Dimension; 2],
) -> [Dimension; 2] {
    [0, 1].map(|axis| {
        let reach = &dilation[axis] * &(&kernel[axis] - &Dimension::ONE);
        let beyond = &(&reach + &Dimension::ONE) - &stride[axis];
        beyond.floor_divide(&Dimension::Constant(2))
    })
}

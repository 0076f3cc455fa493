//! What is written on a node, and what sort of node it is.

use crate::graph::path::parts;
use crate::graph::{Graph, Node, NodeKind};
use crate::operations::{
    Activation, Dimension, Filling, Operation, Pooling, Shape, TransposedConvolution,
};

/// The sort of a node, which gives it its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Convolutions of every sort.
    Convolution,
    /// Dense layers and attention.
    Dense,
    /// Normalisations.
    Norm,
    /// Element-wise functions and softmax.
    Activation,
    /// Sliding and global pooling.
    Pooling,
    /// What joins several tensors: `add`, `mul`, `cat`.
    Merge,
    /// Inputs and outputs of the graph.
    Terminal,
    /// Everything else: reshapes, up-sampling, dropout.
    Other,
    /// A block, drawn as one box.
    Block,
}

impl Kind {
    /// Every kind, in the order of their declaration.
    pub const ALL: [Kind; 9] = [
        Kind::Convolution,
        Kind::Dense,
        Kind::Norm,
        Kind::Activation,
        Kind::Pooling,
        Kind::Merge,
        Kind::Terminal,
        Kind::Other,
        Kind::Block,
    ];

    /// Its name, for style classes.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Convolution => "convolution",
            Kind::Dense => "dense",
            Kind::Norm => "norm",
            Kind::Activation => "activation",
            Kind::Pooling => "pooling",
            Kind::Merge => "merge",
            Kind::Terminal => "terminal",
            Kind::Other => "other",
            Kind::Block => "block",
        }
    }

    /// The colours of its box: inside and outline. The text on it is [`Kind::ink`].
    pub(super) fn colours(self) -> (&'static str, &'static str) {
        match self {
            Kind::Convolution => ("#d6e6fa", "#3c72b4"),
            Kind::Dense => ("#e4dbf8", "#6c51b5"),
            Kind::Norm => ("#fcf0cf", "#b98a1d"),
            Kind::Activation => ("#d9f0de", "#3f8f55"),
            Kind::Pooling => ("#fbdcd3", "#bf5a3f"),
            Kind::Merge => ("#ffffff", "#39424e"),
            Kind::Terminal => ("#39424e", "#39424e"),
            Kind::Other => ("#e9ebef", "#737c8a"),
            Kind::Block => ("#d5efef", "#2b7f86"),
        }
    }

    /// The colour of text on its box.
    pub(super) fn ink(self) -> &'static str {
        match self {
            Kind::Terminal => "#ffffff",
            _ => "#1c232d",
        }
    }
}

/// What is written on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// A few words: `conv 3×3, 32 /2`.
    pub text: String,
    /// The sort of node.
    pub kind: Kind,
}

/// The label of a node of a graph. Only what differs from the usual is written: a stride of one, the padding
/// that keeps the size and a single group are not.
pub fn label(graph: &Graph, node: &Node) -> Label {
    let operation = match &node.kind {
        NodeKind::Input(number) => {
            return Label {
                text: format!("input {number}"),
                kind: Kind::Terminal,
            };
        }
        NodeKind::Operation(operation) => operation,
    };
    let is_signal = node.shape.rank() == 2;
    let window = |pair: &[Dimension; 2]| match is_signal {
        true => size(graph, &pair[1]),
        false => window(graph, pair),
    };
    let form = if is_signal { "1d" } else { "" };
    let (text, kind) = match operation {
        Operation::Convolution {
            input,
            output,
            kernel,
            stride,
            dilation,
            groups,
            ..
        } => {
            let grouped = *groups != Dimension::ONE;
            let depthwise = grouped && groups == input;
            let text = [
                format!("{}{form} ", if depthwise { "dwconv" } else { "conv" }),
                window(kernel),
                when(!depthwise || output != input, || {
                    format!(", {}", size(graph, output))
                }),
                stride_text(graph, &along(stride, is_signal)),
                dilation_text(graph, &along(dilation, is_signal)),
                when(grouped && !depthwise, || {
                    format!(", groups {}", size(graph, groups))
                }),
            ];
            (text.concat(), Kind::Convolution)
        }
        Operation::Dense { output, .. } => (format!("dense {}", size(graph, output)), Kind::Dense),
        Operation::Attention { heads, causal, .. } => {
            let heads = size(graph, heads);
            let causal = if *causal { "causal " } else { "" };
            (format!("{causal}attention, heads {heads}"), Kind::Dense)
        }
        Operation::CrossAttention { heads, .. } => {
            let heads = size(graph, heads);
            (format!("cross attention, heads {heads}"), Kind::Dense)
        }
        Operation::MaskedAttention { heads, .. } => {
            let heads = size(graph, heads);
            (format!("masked attention, heads {heads}"), Kind::Dense)
        }
        Operation::WindowAttention {
            heads,
            window,
            shift,
            ..
        } => {
            let [heads, window, distance] = [heads, window, shift].map(|one| size(graph, one));
            let shift = when(*shift != Dimension::Constant(0), || {
                format!(", shift {distance}")
            });
            let text = format!("window attention {window}×{window}, heads {heads}{shift}");
            (text, Kind::Dense)
        }
        Operation::Embedding { count, width } => {
            let [count, width] = [count, width].map(|one| size(graph, one));
            (format!("embedding {count}×{width}"), Kind::Dense)
        }
        Operation::RmsNorm { .. } => ("rmsnorm".into(), Kind::Norm),
        Operation::GroupNorm { groups, .. } => {
            let groups = size(graph, groups);
            (format!("groupnorm, groups {groups}"), Kind::Norm)
        }
        Operation::InstanceNorm { .. } => ("instancenorm".into(), Kind::Norm),
        Operation::ParametricRelu { .. } => ("prelu".into(), Kind::Activation),
        Operation::LayerScale { .. } => ("layer_scale".into(), Kind::Other),
        Operation::DropPath { rate } => (format!("drop_path {}", rate.value()), Kind::Other),
        Operation::Scale => ("scale".into(), Kind::Merge),
        Operation::Positions { .. } => ("positions".into(), Kind::Other),
        Operation::ClassToken { .. } => ("class_token".into(), Kind::Other),
        Operation::Token { place } => (format!("token {}", size(graph, place)), Kind::Other),
        Operation::TokenMean => ("token_mean".into(), Kind::Pooling),
        Operation::Transpose => ("transpose".into(), Kind::Other),
        Operation::Image {
            size: [height, width],
        } => {
            let [height, width] = [height, width].map(|one| size(graph, one));
            (format!("image {height}×{width}"), Kind::Other)
        }
        Operation::BatchNorm { .. } => ("bn".into(), Kind::Norm),
        Operation::LayerNorm { .. } => ("ln".into(), Kind::Norm),
        Operation::Activation(activation) => (activation_name(*activation), Kind::Activation),
        Operation::Zeros { .. } => ("zeros".into(), Kind::Activation),
        Operation::Softmax => ("softmax".into(), Kind::Activation),
        Operation::Pool {
            kind,
            kernel,
            stride,
            ..
        } => {
            let name = match kind {
                Pooling::Maximum => "maxpool",
                Pooling::Average => "avgpool",
            };
            let stride = stride_text(graph, &along(stride, is_signal));
            let text = format!("{name}{form} {}{stride}", window(kernel));
            (text, Kind::Pooling)
        }
        Operation::GlobalPool(Pooling::Maximum) => ("gmp".into(), Kind::Pooling),
        Operation::GlobalPool(Pooling::Average) => ("gap".into(), Kind::Pooling),
        Operation::Upsample { factor } => {
            let factor = size(graph, factor);
            (format!("upsample ×{factor}"), Kind::Other)
        }
        Operation::Dropout { rate } => (format!("dropout {}", rate.value()), Kind::Other),
        Operation::Flatten => ("flatten".into(), Kind::Other),
        Operation::Tokens => ("tokens".into(), Kind::Other),
        Operation::Add { .. } => ("add".into(), Kind::Merge),
        Operation::Multiply { .. } => ("mul".into(), Kind::Merge),
        Operation::Concatenate { .. } => ("cat".into(), Kind::Merge),
        Operation::TransposedConvolution(attributes) => {
            let TransposedConvolution {
                output,
                kernel,
                stride,
                dilation,
                groups,
                ..
            } = &**attributes;
            let text = [
                format!("upconv{form} {}, {}", window(kernel), size(graph, output)),
                multiple_text(graph, &along(stride, is_signal)),
                dilation_text(graph, &along(dilation, is_signal)),
                when(*groups != Dimension::ONE, || {
                    format!(", groups {}", size(graph, groups))
                }),
            ];
            (text.concat(), Kind::Convolution)
        }
        Operation::AdaptivePool { kind, size } => {
            let name = match kind {
                Pooling::Maximum => "maxpool",
                Pooling::Average => "avgpool",
            };
            (format!("{name} to {}", window(size)), Kind::Pooling)
        }
        Operation::Pad {
            filling,
            before,
            after,
        } => {
            let name = match filling {
                Filling::Zero => "pad",
                Filling::Reflect => "reflect",
                Filling::Replicate => "replicate",
                Filling::Circular => "circular",
            };
            let margins = margins_text(graph, before, after);
            (format!("{name} {margins}"), Kind::Other)
        }
        Operation::Crop { before, after } => {
            let margins = margins_text(graph, before, after);
            (format!("crop {margins}"), Kind::Other)
        }
        Operation::Bilinear { factor } => {
            let factor = size(graph, factor);
            (format!("bilinear ×{factor}"), Kind::Other)
        }
        Operation::PixelShuffle { factor } => {
            let factor = size(graph, factor);
            (format!("pixel_shuffle ×{factor}"), Kind::Other)
        }
        Operation::PixelUnshuffle { factor } => {
            let factor = size(graph, factor);
            (format!("pixel_unshuffle /{factor}"), Kind::Other)
        }
        Operation::ChannelShuffle { groups } => {
            let groups = size(graph, groups);
            (format!("channel_shuffle {groups}"), Kind::Other)
        }
        Operation::Slice {
            start,
            size: length,
        } => {
            let name = |variable| graph.variable_name(variable);
            let end = (start + length).display(&name).to_string();
            (format!("slice {}..{end}", size(graph, start)), Kind::Other)
        }
    };
    Label { text, kind }
}

/// What is written behind the label of a layer that shares its weights: their name, ` @a`.
pub fn weights_mark(node: &Node) -> String {
    let Some(weights) = node.weights else {
        return String::new();
    };
    let parts = parts(&node.path);
    let name = parts.iter().rfind(|part| !part.is_numbered);
    match name {
        Some(part) if !part.name.is_empty() => format!(" @{}", part.name),
        _ => format!(" @{}", weights.0),
    }
}

/// A shape as papers write it: `32×8×8`.
pub fn shape_text(graph: &Graph, shape: &Shape) -> String {
    let sizes: Vec<String> = shape.0.iter().map(|one| size(graph, one)).collect();
    sizes.join("×")
}

/// A dimension, in parentheses unless it is a number or a name.
fn size(graph: &Graph, dimension: &Dimension) -> String {
    let name = |variable| graph.variable_name(variable);
    let text = dimension.display(&name).to_string();
    match text.contains(' ') {
        true => format!("({text})"),
        false => text,
    }
}

fn when(condition: bool, text: impl FnOnce() -> String) -> String {
    if condition { text() } else { String::new() }
}

fn window(graph: &Graph, kernel: &[Dimension; 2]) -> String {
    let [height, width] = kernel.each_ref().map(|one| size(graph, one));
    format!("{height}×{width}")
}

/// What is said of height and width: the same of both for a signal, which has no height.
fn along(pair: &[Dimension; 2], is_signal: bool) -> [Dimension; 2] {
    let [height, width] = pair;
    let height = if is_signal { width } else { height };
    [height.clone(), width.clone()]
}

/// The margins of a padded or cropped image: `1`, `1×2` or `0×0 1×1`.
fn margins_text(graph: &Graph, before: &[Dimension; 2], after: &[Dimension; 2]) -> String {
    let one = |pair: &[Dimension; 2]| match pair {
        [height, width] if height == width => size(graph, height),
        _ => window(graph, pair),
    };
    match before == after {
        true => one(before),
        false => format!("{} {}", one(before), one(after)),
    }
}

fn multiple_text(graph: &Graph, stride: &[Dimension; 2]) -> String {
    match stride {
        [Dimension::ONE, Dimension::ONE] => String::new(),
        [height, width] if height == width => format!(" ×{}", size(graph, height)),
        _ => format!(" ×({})", window(graph, stride)),
    }
}

fn stride_text(graph: &Graph, stride: &[Dimension; 2]) -> String {
    match stride {
        [Dimension::ONE, Dimension::ONE] => String::new(),
        [height, width] if height == width => format!(" /{}", size(graph, height)),
        _ => format!(" /{}", window(graph, stride)),
    }
}

fn dilation_text(graph: &Graph, dilation: &[Dimension; 2]) -> String {
    match dilation {
        [Dimension::ONE, Dimension::ONE] => String::new(),
        [height, width] if height == width => format!(", dilation {}", size(graph, height)),
        _ => format!(", dilation {}", window(graph, dilation)),
    }
}

fn activation_name(activation: Activation) -> String {
    match activation {
        Activation::Relu => "relu".into(),
        Activation::Relu6 => "relu6".into(),
        Activation::LeakyRelu { slope } => format!("leaky_relu {}", slope.value()),
        Activation::Elu { alpha } => format!("elu {}", alpha.value()),
        Activation::Gelu => "gelu".into(),
        Activation::Silu => "silu".into(),
        Activation::Sigmoid => "sigmoid".into(),
        Activation::Tanh => "tanh".into(),
        Activation::HardSwish => "hard_swish".into(),
        Activation::HardSigmoid => "hard_sigmoid".into(),
        Activation::GeluTanh => "gelu_tanh".into(),
        Activation::Mish => "mish".into(),
        Activation::Softplus => "softplus".into(),
        Activation::Zero => "zero".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Variable;

    fn pair(height: i64, width: i64) -> [Dimension; 2] {
        [height, width].map(Dimension::Constant)
    }

    fn graph(variables: &[&str]) -> Graph {
        Graph {
            name: String::new(),
            inputs: 0,
            nodes: Vec::new(),
            outputs: Vec::new(),
            variables: variables.iter().map(ToString::to_string).collect(),
        }
    }

    fn text(operation: Operation) -> String {
        text_of_rank(operation, 3)
    }

    fn text_of_rank(operation: Operation, rank: usize) -> String {
        let node = Node {
            kind: NodeKind::Operation(operation),
            inputs: Default::default(),
            shape: Shape::constant(&vec![1; rank]),
            path: Default::default(),
            span: Default::default(),
            weights: None,
        };
        label(&graph(&[]), &node).text
    }

    fn convolution(output: i64, kernel: [i64; 2], stride: i64, groups: i64) -> Operation {
        Operation::Convolution {
            input: Dimension::Constant(32),
            output: Dimension::Constant(output),
            kernel: pair(kernel[0], kernel[1]),
            stride: pair(stride, stride),
            padding: pair(0, 0),
            dilation: pair(1, 1),
            groups: Dimension::Constant(groups),
            bias: false,
        }
    }

    #[test]
    fn convolutions_say_what_is_unusual() {
        assert_eq!(text(convolution(64, [3, 3], 1, 1)), "conv 3×3, 64");
        assert_eq!(text(convolution(64, [1, 7], 2, 1)), "conv 1×7, 64 /2");
        assert_eq!(text(convolution(32, [3, 3], 2, 32)), "dwconv 3×3 /2");
        assert_eq!(text(convolution(64, [3, 3], 1, 32)), "dwconv 3×3, 64");
        assert_eq!(
            text(convolution(64, [3, 3], 1, 4)),
            "conv 3×3, 64, groups 4"
        );
    }

    #[test]
    fn attention_says_what_it_sees() {
        let attention = |causal| Operation::Attention {
            width: 8.into(),
            heads: 2.into(),
            causal,
            bias: true,
        };
        assert_eq!(text(attention(false)), "attention, heads 2");
        assert_eq!(text(attention(true)), "causal attention, heads 2");
        let window = |shift: i64| Operation::WindowAttention {
            channels: 8.into(),
            heads: 2.into(),
            window: 7.into(),
            shift: shift.into(),
        };
        assert_eq!(text(window(0)), "window attention 7×7, heads 2");
        assert_eq!(text(window(3)), "window attention 7×7, heads 2, shift 3");
    }

    #[test]
    fn signals_have_no_height() {
        let convolution = convolution(64, [1, 7], 2, 1);
        assert_eq!(text_of_rank(convolution, 2), "conv1d 7, 64 /2");
        let upconv = TransposedConvolution {
            input: Dimension::Constant(32),
            output: Dimension::Constant(8),
            kernel: pair(1, 4),
            stride: pair(1, 2),
            padding: pair(0, 1),
            output_padding: pair(0, 0),
            dilation: pair(1, 1),
            groups: Dimension::ONE,
            bias: false,
        };
        let upconv = Operation::TransposedConvolution(Box::new(upconv));
        assert_eq!(text_of_rank(upconv.clone(), 2), "upconv1d 4, 8 ×2");
        assert_eq!(text(upconv), "upconv 1×4, 8 ×(1×2)");
    }

    #[test]
    fn margins_and_parts_are_told() {
        let pad = |before, after| Operation::Pad {
            filling: Filling::Reflect,
            before,
            after,
        };
        assert_eq!(text(pad(pair(1, 1), pair(1, 1))), "reflect 1");
        assert_eq!(text(pad(pair(1, 2), pair(0, 0))), "reflect 1×2 0");
        let slice = Operation::Slice {
            start: Dimension::Constant(4),
            size: Dimension::Constant(8),
        };
        assert_eq!(text(slice), "slice 4..12");
    }

    #[test]
    fn symbolic_sizes_use_the_names_given() {
        let variable = |number| Dimension::variable(Variable(number));
        let half = variable(0).floor_divide(&Dimension::Constant(2));
        let shape: Shape = [half, variable(1)].into_iter().collect();
        assert_eq!(shape_text(&graph(&["c"]), &shape), "(c // 2)×d1");
    }
}

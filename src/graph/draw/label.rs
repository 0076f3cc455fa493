//! What is written on a node, and what sort of node it is.

use crate::graph::path::parts;
use crate::graph::{Graph, Node, NodeKind};
use crate::operations::{Activation, Dimension, Operation, Pooling, Shape};

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
}

impl Kind {
    /// Every kind, in the order of their declaration.
    pub const ALL: [Kind; 8] = [
        Kind::Convolution,
        Kind::Dense,
        Kind::Norm,
        Kind::Activation,
        Kind::Pooling,
        Kind::Merge,
        Kind::Terminal,
        Kind::Other,
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
pub fn label(graph: &Graph, node: &NodeKind) -> Label {
    let operation = match node {
        NodeKind::Input(number) => {
            return Label {
                text: format!("input {number}"),
                kind: Kind::Terminal,
            };
        }
        NodeKind::Operation(operation) => operation,
    };
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
                if depthwise { "dwconv " } else { "conv " }.into(),
                window(graph, kernel),
                when(!depthwise || output != input, || {
                    format!(", {}", size(graph, output))
                }),
                stride_text(graph, stride),
                dilation_text(graph, dilation),
                when(grouped && !depthwise, || {
                    format!(", groups {}", size(graph, groups))
                }),
            ];
            (text.concat(), Kind::Convolution)
        }
        Operation::Dense { output, .. } => (format!("dense {}", size(graph, output)), Kind::Dense),
        Operation::Attention { heads, .. } => {
            let heads = size(graph, heads);
            (format!("attention, heads {heads}"), Kind::Dense)
        }
        Operation::BatchNorm { .. } => ("bn".into(), Kind::Norm),
        Operation::LayerNorm { .. } => ("ln".into(), Kind::Norm),
        Operation::Activation(activation) => (activation_name(*activation), Kind::Activation),
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
            let window = window(graph, kernel);
            let text = format!("{name} {window}{}", stride_text(graph, stride));
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
        label(&graph(&[]), &NodeKind::Operation(operation)).text
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
    fn symbolic_sizes_use_the_names_given() {
        let variable = |number| Dimension::variable(Variable(number));
        let half = variable(0).floor_divide(&Dimension::Constant(2));
        let shape: Shape = [half, variable(1)].into_iter().collect();
        assert_eq!(shape_text(&graph(&["c"]), &shape), "(c // 2)×d1");
    }
}

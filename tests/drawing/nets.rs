//! Graphs to draw, built directly.

use std::collections::BTreeMap;

use snapc::diagnostic::Span;
use snapc::graph::{Graph, Node, NodeId, NodeKind};
use snapc::operations::{Activation, Dimension, Operation, Pooling, Shape};

/// Builds graphs as the compiler would: every word numbered among those of its name around it.
pub struct Builder {
    graph: Graph,
    /// The instances around what comes next, outermost first.
    pub path: Vec<String>,
    counts: BTreeMap<String, usize>,
}

impl Builder {
    pub fn new(name: &str) -> Self {
        Builder {
            graph: Graph {
                name: name.into(),
                inputs: 0,
                nodes: Vec::new(),
                outputs: Vec::new(),
                variables: Vec::new(),
            },
            path: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    fn numbered(&mut self, word: &str) -> String {
        let name = [self.path.join("."), word.to_string()].join(".");
        let name = name.trim_start_matches('.').to_string();
        let count = self.counts.entry(name.clone()).or_default();
        *count += 1;
        format!("{name}.{}", *count - 1)
    }

    fn push(&mut self, kind: NodeKind, inputs: &[NodeId], sizes: &[i64], path: String) -> NodeId {
        self.graph.nodes.push(Node {
            kind,
            inputs: inputs.iter().copied().collect(),
            shape: Shape::constant(sizes),
            path: path.into(),
            weights: None,
            span: Span::default(),
        });
        NodeId(self.graph.nodes.len() as u32 - 1)
    }

    pub fn input(&mut self, sizes: &[i64]) -> NodeId {
        self.graph.inputs += 1;
        let kind = NodeKind::Input(self.graph.inputs - 1);
        self.push(kind, &[], sizes, String::new())
    }

    pub fn sizes(&self, id: NodeId) -> Vec<i64> {
        let sizes = self.graph.node(id).shape.sizes().unwrap_or_default();
        sizes.into_iter().map(|size| size as i64).collect()
    }

    pub fn apply(
        &mut self,
        word: &str,
        operation: Operation,
        inputs: &[NodeId],
        sizes: &[i64],
    ) -> NodeId {
        let path = self.numbered(word);
        self.push(NodeKind::Operation(operation), inputs, sizes, path)
    }

    /// Everything made within `body` belongs to an instance of this block.
    pub fn block<T>(&mut self, name: &str, body: impl FnOnce(&mut Self) -> T) -> T {
        let path = self.numbered(name);
        let outer = std::mem::replace(&mut self.path, vec![path]);
        let value = body(self);
        self.path = outer;
        value
    }

    pub fn convolution(&mut self, x: NodeId, kernel: i64, channels: i64, stride: i64) -> NodeId {
        self.grouped(x, kernel, channels, stride, 1)
    }

    pub fn grouped(
        &mut self,
        x: NodeId,
        kernel: i64,
        channels: i64,
        stride: i64,
        groups: i64,
    ) -> NodeId {
        let sizes = self.sizes(x);
        let operation = Operation::Convolution {
            input: sizes[0].into(),
            output: channels.into(),
            kernel: [kernel, kernel].map(Dimension::Constant),
            stride: [stride, stride].map(Dimension::Constant),
            padding: [kernel / 2, kernel / 2].map(Dimension::Constant),
            dilation: [1, 1].map(Dimension::Constant),
            groups: groups.into(),
            bias: false,
        };
        let reduced = |size: i64| (size - 1) / stride + 1;
        let sizes = [channels, reduced(sizes[1]), reduced(sizes[2])];
        self.apply("conv", operation, &[x], &sizes)
    }

    pub fn norm(&mut self, x: NodeId) -> NodeId {
        let sizes = self.sizes(x);
        let channels = sizes[0].into();
        self.apply("bn", Operation::batch_norm(channels), &[x], &sizes)
    }

    pub fn layer_norm(&mut self, x: NodeId) -> NodeId {
        let sizes = self.sizes(x);
        let features = sizes[sizes.len() - 1].into();
        self.apply("ln", Operation::layer_norm(features), &[x], &sizes)
    }

    pub fn activation(&mut self, word: &str, activation: Activation, x: NodeId) -> NodeId {
        let sizes = self.sizes(x);
        self.apply(word, Operation::Activation(activation), &[x], &sizes)
    }

    pub fn relu(&mut self, x: NodeId) -> NodeId {
        self.activation("relu", Activation::Relu, x)
    }

    /// `conv(kernel, channels, stride: stride) bn relu`
    pub fn layer(&mut self, x: NodeId, kernel: i64, channels: i64, stride: i64) -> NodeId {
        let x = self.convolution(x, kernel, channels, stride);
        let x = self.norm(x);
        self.relu(x)
    }

    pub fn pool(&mut self, kind: Pooling, x: NodeId, kernel: i64, stride: i64) -> NodeId {
        let sizes = self.sizes(x);
        let operation = Operation::Pool {
            kind,
            kernel: [kernel, kernel].map(Dimension::Constant),
            stride: [stride, stride].map(Dimension::Constant),
            padding: [kernel / 2, kernel / 2].map(Dimension::Constant),
            ceil: false,
            count_padding: false,
        };
        let reduced = |size: i64| (size - 1) / stride + 1;
        let sizes = [sizes[0], reduced(sizes[1]), reduced(sizes[2])];
        let word = match kind {
            Pooling::Maximum => "maxpool",
            Pooling::Average => "avgpool",
        };
        self.apply(word, operation, &[x], &sizes)
    }

    pub fn global_pool(&mut self, x: NodeId) -> NodeId {
        let channels = self.sizes(x)[0];
        let operation = Operation::GlobalPool(Pooling::Average);
        self.apply("gap", operation, &[x], &[channels])
    }

    pub fn dense(&mut self, x: NodeId, features: i64) -> NodeId {
        let mut sizes = self.sizes(x);
        let last = sizes.len() - 1;
        let operation = Operation::Dense {
            input: sizes[last].into(),
            output: features.into(),
            bias: true,
        };
        sizes[last] = features;
        self.apply("dense", operation, &[x], &sizes)
    }

    pub fn add(&mut self, values: &[NodeId]) -> NodeId {
        let sizes = self.sizes(values[0]);
        let arity = values.len();
        self.apply("add", Operation::Add { arity }, values, &sizes)
    }

    pub fn multiply(&mut self, values: &[NodeId]) -> NodeId {
        let sizes = self.sizes(values[0]);
        let arity = values.len();
        self.apply("mul", Operation::Multiply { arity }, values, &sizes)
    }

    pub fn concatenate(&mut self, values: &[NodeId]) -> NodeId {
        let mut sizes = self.sizes(values[0]);
        sizes[0] = values.iter().map(|&value| self.sizes(value)[0]).sum();
        let arity = values.len();
        self.apply("cat", Operation::Concatenate { arity }, values, &sizes)
    }

    pub fn upsample(&mut self, x: NodeId) -> NodeId {
        let sizes = self.sizes(x);
        let factor = Dimension::Constant(2);
        let sizes = [sizes[0], sizes[1] * 2, sizes[2] * 2];
        self.apply("upsample", Operation::Upsample { factor }, &[x], &sizes)
    }

    pub fn finish(mut self, outputs: &[NodeId]) -> Graph {
        self.graph.outputs = outputs.to_vec();
        self.graph
    }
}

/// `block basic = dup conv(3) bn relu conv(3) bn add relu`, with a projection where it is needed.
fn basic(builder: &mut Builder, x: NodeId, channels: i64, stride: i64) -> NodeId {
    builder.block("basic", |builder| {
        let y = builder.layer(x, 3, channels, stride);
        let y = builder.convolution(y, 3, channels, 1);
        let y = builder.norm(y);
        let shortcut = match stride {
            1 => x,
            _ => {
                let shortcut = builder.convolution(x, 1, channels, stride);
                builder.norm(shortcut)
            }
        };
        let sum = builder.add(&[shortcut, y]);
        builder.relu(sum)
    })
}

pub fn chain() -> Graph {
    let mut builder = Builder::new("plain");
    let x = builder.input(&[1, 8, 8]);
    let x = builder.layer(x, 3, 16, 1);
    let x = builder.layer(x, 3, 32, 2);
    let x = builder.global_pool(x);
    let x = builder.dense(x, 10);
    builder.finish(&[x])
}

/// The net of the design document.
pub fn digits() -> Graph {
    let mut builder = Builder::new("digits");
    let x = builder.input(&[1, 8, 8]);
    let mut x = builder.layer(x, 3, 16, 1);
    for _ in 0..2 {
        x = basic(&mut builder, x, 16, 1);
    }
    x = builder.layer(x, 3, 32, 2);
    for _ in 0..3 {
        x = basic(&mut builder, x, 32, 1);
    }
    let x = builder.global_pool(x);
    let x = builder.dense(x, 10);
    builder.finish(&[x])
}

pub fn residual() -> Graph {
    let mut builder = Builder::new("residual");
    let x = builder.input(&[16, 8, 8]);
    let x = basic(&mut builder, x, 16, 1);
    let x = basic(&mut builder, x, 32, 2);
    builder.finish(&[x])
}

/// Two inception modules (Szegedy et al., 2015) between convolutions.
pub fn inception() -> Graph {
    let mut builder = Builder::new("inception");
    let x = builder.input(&[3, 32, 32]);
    let mut x = builder.layer(x, 3, 64, 2);
    for _ in 0..2 {
        x = builder.block("inception", |builder| {
            let first = builder.layer(x, 1, 32, 1);
            let second = builder.layer(x, 1, 16, 1);
            let second = builder.layer(second, 3, 32, 1);
            let third = builder.layer(x, 1, 16, 1);
            let third = builder.layer(third, 5, 32, 1);
            let fourth = builder.pool(Pooling::Maximum, x, 3, 1);
            let fourth = builder.layer(fourth, 1, 32, 1);
            builder.concatenate(&[first, second, third, fourth])
        });
    }
    let x = builder.global_pool(x);
    let x = builder.dense(x, 10);
    builder.finish(&[x])
}

/// A dense block (Huang et al., 2017): every layer reads all before it.
pub fn dense() -> Graph {
    let mut builder = Builder::new("dense");
    let x = builder.input(&[16, 8, 8]);
    let x = builder.block("dense", |builder| {
        let mut values = vec![x];
        for _ in 0..4 {
            let y = builder.concatenate(&values);
            let y = builder.norm(y);
            let y = builder.relu(y);
            values.push(builder.convolution(y, 3, 12, 1));
        }
        builder.concatenate(&values)
    });
    builder.finish(&[x])
}

/// A U-Net (Ronneberger et al., 2015) with blocks for its steps.
pub fn unet() -> Graph {
    let mut builder = Builder::new("unet");
    let mut x = builder.input(&[1, 64, 64]);
    let mut skips = Vec::new();
    for channels in [16, 32, 64] {
        x = builder.block("double", |builder| {
            let x = builder.layer(x, 3, channels, 1);
            builder.layer(x, 3, channels, 1)
        });
        skips.push(x);
        x = builder.pool(Pooling::Maximum, x, 2, 2);
    }
    x = builder.block("double", |builder| {
        let x = builder.layer(x, 3, 128, 1);
        builder.layer(x, 3, 128, 1)
    });
    for channels in [64, 32, 16] {
        let skip = skips.pop().unwrap();
        x = builder.block("up", |builder| {
            let x = builder.upsample(x);
            let x = builder.convolution(x, 1, channels, 1);
            let x = builder.concatenate(&[skip, x]);
            builder.block("double", |builder| {
                let x = builder.layer(x, 3, channels, 1);
                builder.layer(x, 3, channels, 1)
            })
        });
    }
    let x = builder.convolution(x, 1, 2, 1);
    builder.finish(&[x])
}

/// Inverted residuals with squeeze and excitation, as in EfficientNet.
pub fn efficient() -> Graph {
    let mut builder = Builder::new("efficient");
    let x = builder.input(&[3, 32, 32]);
    let mut x = builder.layer(x, 3, 16, 2);
    for _ in 0..2 {
        x = builder.block("mbconv", |builder| {
            let y = builder.convolution(x, 1, 64, 1);
            let y = builder.norm(y);
            let y = builder.activation("silu", Activation::Silu, y);
            let y = builder.grouped(y, 3, 64, 1, 64);
            let y = builder.norm(y);
            let y = builder.activation("silu", Activation::Silu, y);
            let y = builder.block("squeeze_excite", |builder| {
                let s = builder.global_pool(y);
                let s = builder.dense(s, 4);
                let s = builder.activation("silu", Activation::Silu, s);
                let s = builder.dense(s, 64);
                let s = builder.activation("sigmoid", Activation::Sigmoid, s);
                builder.multiply(&[y, s])
            });
            let y = builder.convolution(y, 1, 16, 1);
            let y = builder.norm(y);
            builder.add(&[x, y])
        });
    }
    let x = builder.global_pool(x);
    let x = builder.dense(x, 10);
    builder.finish(&[x])
}

/// The encoder of a vision transformer (Dosovitskiy et al., 2021).
pub fn transformer() -> Graph {
    let mut builder = Builder::new("vit");
    let x = builder.input(&[3, 32, 32]);
    let x = builder.convolution(x, 4, 64, 4);
    let mut x = builder.apply("tokens", Operation::Tokens, &[x], &[64, 64]);
    for _ in 0..6 {
        x = builder.block("encoder", |builder| {
            let y = builder.layer_norm(x);
            let operation = Operation::attention(64.into(), 4.into());
            let y = builder.apply("attention", operation, &[y], &[64, 64]);
            let x = builder.add(&[x, y]);
            let y = builder.layer_norm(x);
            let y = builder.dense(y, 256);
            let y = builder.activation("gelu", Activation::Gelu, y);
            let y = builder.dense(y, 64);
            builder.add(&[x, y])
        });
    }
    let x = builder.layer_norm(x);
    let x = builder.dense(x, 10);
    builder.finish(&[x])
}

/// Two inputs, two outputs, a value used twice by one node, and names that need care.
pub fn odd() -> Graph {
    let mut builder = Builder::new("odd <net> & \"friends\"");
    let left = builder.input(&[8, 8, 8]);
    let right = builder.input(&[8, 8, 8]);
    let twice = builder.add(&[left, left]);
    let sum = builder.block("a<b>&\"c\"", |builder| {
        let y = builder.convolution(right, 3, 8, 1);
        let y = builder.multiply(&[y, twice]);
        builder.relu(y)
    });
    builder.finish(&[sum, left])
}

/// A cell with branches that cross, as a search finds them.
pub fn cell() -> Graph {
    let mut builder = Builder::new("cell");
    let x = builder.input(&[16, 16, 16]);
    let y = builder.input(&[16, 16, 16]);
    let a = builder.layer(x, 3, 16, 1);
    let b = builder.pool(Pooling::Average, x, 3, 1);
    let c = builder.layer(y, 5, 16, 1);
    let first = builder.add(&[a, c]);
    let d = builder.layer(first, 3, 16, 1);
    let second = builder.add(&[b, d]);
    let e = builder.pool(Pooling::Maximum, y, 3, 1);
    let third = builder.add(&[first, e]);
    let x = builder.concatenate(&[first, second, third, x]);
    builder.finish(&[x])
}

/// About 200 nodes, nothing alike.
pub fn large() -> Graph {
    let mut builder = Builder::new("large");
    let x = builder.input(&[3, 64, 64]);
    let mut x = builder.layer(x, 3, 16, 1);
    for stage in 0..5 {
        x = basic(&mut builder, x, 16 << stage, if stage == 0 { 1 } else { 2 });
        for step in 0..4 {
            x = builder.block("mixed", |builder| {
                let left = builder.layer(x, 3, 16 + step, 1);
                let right = builder.layer(x, 5, 16 + step, 1);
                let both = builder.concatenate(&[left, right]);
                builder.layer(both, 1, 16 << stage, 1)
            });
        }
    }
    builder.finish(&[x])
}

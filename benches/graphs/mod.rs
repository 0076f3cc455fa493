//! Graphs to measure the canonical form with.

use snapc::diagnostic::Span;
use snapc::graph::{Graph, Node, NodeId, NodeKind};
use snapc::operations::{Activation, Dimension, Operation, Shape};

pub struct Builder(Graph);

impl Builder {
    pub fn new() -> Self {
        let mut builder = Builder(Graph {
            name: "bench".to_string(),
            inputs: 1,
            nodes: Vec::new(),
            outputs: Vec::new(),
            variables: Vec::new(),
        });
        builder.push(NodeKind::Input(0), &[]);
        builder
    }

    fn push(&mut self, kind: NodeKind, inputs: &[NodeId]) -> NodeId {
        self.0.nodes.push(Node {
            kind,
            inputs: inputs.iter().copied().collect(),
            shape: Shape::constant(&[16, 8, 8]),
            path: Default::default(),
            weights: None,
            span: Span::default(),
        });
        NodeId(self.0.nodes.len() as u32 - 1)
    }

    pub fn conv(&mut self, kernel: i64, from: NodeId) -> NodeId {
        let both = |value| [Dimension::Constant(value), Dimension::Constant(value)];
        let operation = Operation::Convolution {
            input: Dimension::Constant(16),
            output: Dimension::Constant(16),
            kernel: both(kernel),
            stride: both(1),
            padding: both(kernel / 2),
            dilation: both(1),
            groups: Dimension::ONE,
            bias: false,
        };
        self.push(NodeKind::Operation(operation), &[from])
    }

    fn norm(&mut self, from: NodeId) -> NodeId {
        let channels = Dimension::Constant(16);
        self.push(
            NodeKind::Operation(Operation::batch_norm(channels)),
            &[from],
        )
    }

    fn relu(&mut self, from: NodeId) -> NodeId {
        let relu = Operation::Activation(Activation::Relu);
        self.push(NodeKind::Operation(relu), &[from])
    }

    pub fn add(&mut self, inputs: &[NodeId]) -> NodeId {
        let arity = inputs.len();
        self.push(NodeKind::Operation(Operation::Add { arity }), inputs)
    }

    pub fn finish(mut self, output: NodeId) -> Graph {
        self.0.outputs = vec![output];
        self.0
    }
}

/// A residual net of about this many nodes: `dup conv bn relu conv bn add relu`, repeated.
pub fn residual(nodes: usize) -> Graph {
    let mut builder = Builder::new();
    let mut value = NodeId(0);
    for _ in 0..nodes / 7 {
        let mut branch = builder.conv(3, value);
        branch = builder.norm(branch);
        branch = builder.relu(branch);
        branch = builder.conv(3, branch);
        branch = builder.norm(branch);
        branch = builder.add(&[value, branch]);
        value = builder.relu(branch);
    }
    for _ in 0..nodes % 7 {
        value = builder.conv(1, value);
    }
    builder.finish(value)
}

/// Sums into sums: the widest that `real` makes of a program of this size.
pub fn preactivated(nodes: usize) -> Graph {
    let mut builder = Builder::new();
    let mut value = NodeId(0);
    for _ in 0..nodes / 3 {
        let branch = builder.norm(value);
        let branch = builder.conv(3, branch);
        value = builder.add(&[value, branch]);
    }
    builder.finish(value)
}

/// Convolutions in a cycle: between every two neighbours one of their sum. Colours tell nothing.
pub fn cycle(length: usize) -> Graph {
    let mut builder = Builder::new();
    let points: Vec<NodeId> = (0..length).map(|_| builder.conv(3, NodeId(0))).collect();
    let lines: Vec<NodeId> = (0..length)
        .map(|index| {
            let sum = builder.add(&[points[index], points[(index + 1) % length]]);
            builder.conv(1, sum)
        })
        .collect();
    let sum = builder.add(&lines);
    builder.finish(sum)
}

//! Graphs for tests: built node by node, read from the words of a body, drawn at random.

pub mod edit;
pub mod isomorphism;
pub mod oracle;
pub mod programs;
pub mod random;
pub mod stack;

use snapc::diagnostic::Span;
use snapc::graph::{Graph, Node, NodeId, NodeKind, WeightsId};
use snapc::operations::{Activation, Dimension, Operation, Pooling, Real, Shape, Variable};

/// Builds a graph node by node; shapes follow from the operations.
#[derive(Clone)]
pub struct Builder {
    pub graph: Graph,
}

pub fn constant(value: i64) -> Dimension {
    Dimension::Constant(value)
}

pub fn variable(number: u32) -> Dimension {
    Dimension::variable(Variable(number))
}

impl Builder {
    pub fn new() -> Self {
        let graph = Graph {
            name: "test".to_string(),
            inputs: 0,
            nodes: Vec::new(),
            outputs: Vec::new(),
            variables: Vec::new(),
        };
        Self { graph }
    }

    /// A graph with one input of shape `[4, 6, 6]`.
    pub fn image() -> (Self, NodeId) {
        let mut builder = Self::new();
        let input = builder.input(Shape::constant(&[4, 6, 6]));
        (builder, input)
    }

    pub fn input(&mut self, shape: Shape) -> NodeId {
        let number = self.graph.inputs;
        self.graph.inputs += 1;
        self.push(NodeKind::Input(number), &[], shape)
    }

    fn push(&mut self, kind: NodeKind, inputs: &[NodeId], shape: Shape) -> NodeId {
        let number = self.graph.nodes.len() as u32;
        self.graph.nodes.push(Node {
            kind,
            inputs: inputs.iter().copied().collect(),
            shape,
            path: format!("node.{number}").into(),
            weights: None,
            span: Span::default(),
        });
        NodeId(number)
    }

    pub fn apply(&mut self, operation: Operation, inputs: &[NodeId]) -> NodeId {
        let shapes: Vec<&Shape> = inputs
            .iter()
            .map(|id| &self.graph.node(*id).shape)
            .collect();
        let shape = output_shape(&operation, &shapes);
        self.push(NodeKind::Operation(operation), inputs, shape)
    }

    pub fn channels(&self, id: NodeId) -> Dimension {
        self.graph.node(id).shape.0[0].clone()
    }

    pub fn convolution(&mut self, kernel: i64, output: Dimension, from: NodeId) -> NodeId {
        let same = |value| [constant(value), constant(value)];
        let operation = Operation::Convolution {
            input: self.channels(from),
            output,
            kernel: same(kernel),
            stride: same(1),
            padding: same((kernel - 1) / 2),
            dilation: same(1),
            groups: constant(1),
            bias: false,
        };
        self.apply(operation, &[from])
    }

    pub fn conv(&mut self, kernel: i64, from: NodeId) -> NodeId {
        self.convolution(kernel, self.channels(from), from)
    }

    pub fn activation(&mut self, activation: Activation, from: NodeId) -> NodeId {
        self.apply(Operation::Activation(activation), &[from])
    }

    pub fn relu(&mut self, from: NodeId) -> NodeId {
        self.activation(Activation::Relu, from)
    }

    pub fn gelu(&mut self, from: NodeId) -> NodeId {
        self.activation(Activation::Gelu, from)
    }

    pub fn pool(&mut self, kind: Pooling, kernel: i64, from: NodeId) -> NodeId {
        let same = |value| [constant(value), constant(value)];
        let operation = Operation::Pool {
            kind,
            kernel: same(kernel),
            stride: same(1),
            padding: same((kernel - 1) / 2),
            ceil: false,
            count_padding: false,
        };
        self.apply(operation, &[from])
    }

    pub fn dropout(&mut self, rate: f64, from: NodeId) -> NodeId {
        let rate = Real::new(rate);
        self.apply(Operation::Dropout { rate }, &[from])
    }

    pub fn norm(&mut self, from: NodeId) -> NodeId {
        let channels = self.channels(from);
        self.apply(Operation::batch_norm(channels), &[from])
    }

    pub fn add(&mut self, inputs: &[NodeId]) -> NodeId {
        let arity = inputs.len();
        self.apply(Operation::Add { arity }, inputs)
    }

    pub fn multiply(&mut self, inputs: &[NodeId]) -> NodeId {
        let arity = inputs.len();
        self.apply(Operation::Multiply { arity }, inputs)
    }

    pub fn concatenate(&mut self, inputs: &[NodeId]) -> NodeId {
        let arity = inputs.len();
        self.apply(Operation::Concatenate { arity }, inputs)
    }

    /// Lets layers share their weights.
    pub fn share(&mut self, layers: &[NodeId]) {
        let weights = Some(WeightsId(layers[0].0));
        for layer in layers {
            self.graph.nodes[layer.0 as usize].weights = weights;
        }
    }

    pub fn finish(mut self, outputs: &[NodeId]) -> Graph {
        self.graph.outputs = outputs.to_vec();
        self.graph
    }
}

fn output_shape(operation: &Operation, inputs: &[&Shape]) -> Shape {
    let first = inputs[0];
    let windowed = |channels: &Dimension,
                    kernel: &[Dimension; 2],
                    stride: &[Dimension; 2],
                    padding: &[Dimension; 2],
                    dilation: &[Dimension; 2]| {
        let axis = |axis: usize| {
            let covered = &dilation[axis] * &(&kernel[axis] - &Dimension::ONE);
            let padded = &first.0[axis + 1] + &(&padding[axis] * &constant(2));
            let steps = &(&padded - &covered) - &Dimension::ONE;
            &steps.floor_divide(&stride[axis]) + &Dimension::ONE
        };
        [channels.clone(), axis(0), axis(1)].into_iter().collect()
    };
    match operation {
        Operation::Convolution {
            output,
            kernel,
            stride,
            padding,
            dilation,
            ..
        } => windowed(output, kernel, stride, padding, dilation),
        Operation::Pool {
            kernel,
            stride,
            padding,
            ..
        } => {
            let ones = [Dimension::ONE, Dimension::ONE];
            windowed(&first.0[0], kernel, stride, padding, &ones)
        }
        Operation::Dense { output, .. } => {
            let mut shape = first.clone();
            *shape.0.last_mut().unwrap() = output.clone();
            shape
        }
        Operation::GlobalPool(_) => Shape(first.0.iter().take(1).cloned().collect()),
        Operation::Upsample { factor } => {
            let scaled = |(axis, size): (usize, &Dimension)| match axis {
                0 => size.clone(),
                _ => size * factor,
            };
            first.0.iter().enumerate().map(scaled).collect()
        }
        Operation::Flatten => std::iter::once(first.elements()).collect(),
        Operation::Tokens => [&first.0[1] * &first.0[2], first.0[0].clone()]
            .into_iter()
            .collect(),
        Operation::Embedding { width, .. } => {
            [first.0[0].clone(), width.clone()].into_iter().collect()
        }
        Operation::ClassToken { width } => [&first.0[0] + &Dimension::ONE, width.clone()]
            .into_iter()
            .collect(),
        Operation::Token { .. } | Operation::TokenMean => first.0[1..].iter().cloned().collect(),
        Operation::Transpose => first.0.iter().rev().cloned().collect(),
        Operation::Image {
            size: [height, width],
        } => [first.0[1].clone(), height.clone(), width.clone()]
            .into_iter()
            .collect(),
        Operation::Zeros { shape } => shape.clone(),
        Operation::Concatenate { .. } => {
            let mut shape = first.clone();
            for other in &inputs[1..] {
                shape.0[0] = &shape.0[0] + &other.0[0];
            }
            shape
        }
        _ => first.clone(),
    }
}

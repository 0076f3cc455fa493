//! Graphs and tensors for tests.

use candle_core::{DType, Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::graph::{Graph, Node, NodeId, NodeKind};
use snapc::operations::{Dimension, Operation, Shape};

/// A graph that grows node by node.
pub struct Builder {
    graph: Graph,
}

impl Builder {
    /// A graph that takes these shapes.
    pub fn new(inputs: &[&[i64]]) -> Self {
        let nodes = inputs.iter().enumerate().map(|(place, shape)| Node {
            kind: NodeKind::Input(place),
            inputs: Default::default(),
            shape: Shape::constant(shape),
            path: Default::default(),
            weights: None,
            span: Default::default(),
        });
        Builder {
            graph: Graph {
                name: "test".to_owned(),
                inputs: inputs.len(),
                nodes: nodes.collect(),
                outputs: Vec::new(),
                variables: Vec::new(),
            },
        }
    }

    /// Adds an operation that gives this shape.
    pub fn add(&mut self, operation: Operation, inputs: &[u32], shape: &[i64]) -> u32 {
        let id = self.graph.nodes.len() as u32;
        self.graph.nodes.push(Node {
            kind: NodeKind::Operation(operation),
            inputs: inputs.iter().copied().map(NodeId).collect(),
            shape: Shape::constant(shape),
            path: format!("layer.{id}").into(),
            weights: None,
            span: Default::default(),
        });
        id
    }

    /// The shape of a node.
    pub fn shape(&self, node: u32) -> Vec<i64> {
        sizes(&self.graph.node(NodeId(node)).shape)
    }

    /// The graph that gives these nodes.
    pub fn finish(mut self, outputs: &[u32]) -> Graph {
        self.graph.outputs = outputs.iter().copied().map(NodeId).collect();
        self.graph
    }
}

/// The shapes that a graph takes, without the batch axis.
pub fn input_shapes(graph: &Graph) -> Vec<Vec<i64>> {
    let nodes = &graph.nodes[..graph.inputs];
    nodes.iter().map(|node| sizes(&node.shape)).collect()
}

fn sizes(shape: &Shape) -> Vec<i64> {
    shape.0.iter().filter_map(Dimension::constant).collect()
}

/// The operation of a graph of one operation, and the shape it gives.
pub fn single_operation(graph: &Graph) -> (Operation, Vec<i64>) {
    let node = graph.nodes.last().expect("a node");
    match &node.kind {
        NodeKind::Operation(operation) => (operation.clone(), sizes(&node.shape)),
        NodeKind::Input(_) => panic!("the graph computes nothing"),
    }
}

/// A pair of dimensions.
pub fn pair(sizes: [i64; 2]) -> [Dimension; 2] {
    sizes.map(Dimension::Constant)
}

/// Random numbers between -1 and 1 that stay away from zero and from each other's neighbours, so
/// that finite differences cross no kink.
pub fn numbers(shape: &[usize], seed: u64) -> Tensor {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let count: usize = shape.iter().product();
    let values: Vec<f64> = (0..count)
        .map(|_| random.random::<f64>() * 2.0 - 1.0)
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// The numbers of a tensor.
pub fn values(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor.flatten_all().unwrap().to_dtype(DType::F64).unwrap();
    flat.to_vec1().unwrap()
}

/// A batch of `n` for a shape without the batch axis.
pub fn batched(n: usize, shape: &[i64]) -> Vec<usize> {
    let sizes = shape.iter().map(|size| *size as usize);
    std::iter::once(n).chain(sizes).collect()
}

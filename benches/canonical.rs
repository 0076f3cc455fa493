//! What the canonical form costs: `cargo bench --no-default-features --bench canonical`.

use divan::Bencher;
use divan::counter::ItemsCount;
use snapc::diagnostic::Span;
use snapc::graph::{Canonicaliser, Graph, Laws, Node, NodeId, NodeKind, canonical_text};
use snapc::operations::{Activation, Dimension, Operation, Shape};

fn main() {
    divan::main();
}

struct Builder(Graph);

impl Builder {
    fn new() -> Self {
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
            path: String::new(),
            weights: None,
            span: Span::default(),
        });
        NodeId(self.0.nodes.len() as u32 - 1)
    }

    fn conv(&mut self, kernel: i64, from: NodeId) -> NodeId {
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

    fn add(&mut self, inputs: &[NodeId]) -> NodeId {
        let arity = inputs.len();
        self.push(NodeKind::Operation(Operation::Add { arity }), inputs)
    }

    fn finish(mut self, output: NodeId) -> Graph {
        self.0.outputs = vec![output];
        self.0
    }
}

/// A residual net of about this many nodes: `dup conv bn relu conv bn add relu`, repeated.
fn residual(nodes: usize) -> Graph {
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
fn preactivated(nodes: usize) -> Graph {
    let mut builder = Builder::new();
    let mut value = NodeId(0);
    for _ in 0..nodes / 3 {
        let branch = builder.norm(value);
        let branch = builder.conv(3, branch);
        value = builder.add(&[value, branch]);
    }
    builder.finish(value)
}

/// 32 branches of 32 convolutions each, all alike.
fn twins() -> Graph {
    let mut builder = Builder::new();
    let branches: Vec<NodeId> = (0..32)
        .map(|_| {
            let convs: Vec<NodeId> = (0..32).map(|_| builder.conv(3, NodeId(0))).collect();
            let sum = builder.add(&convs);
            builder.conv(3, sum)
        })
        .collect();
    let sum = builder.add(&branches);
    builder.finish(sum)
}

/// Convolutions in a cycle: between every two neighbours one of their sum. Colours tell nothing.
fn cycle(length: usize) -> Graph {
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

fn key(bencher: Bencher<'_, '_>, graph: &Graph) {
    let mut canonicaliser = Canonicaliser::new();
    bencher
        .counter(ItemsCount::new(graph.nodes.len()))
        .bench_local(|| canonicaliser.key(divan::black_box(graph), Laws::Real));
}

#[divan::bench]
fn key_of_50_distinct_nodes(bencher: Bencher<'_, '_>) {
    key(bencher, &residual(50));
}

#[divan::bench(args = [10, 30, 100, 300, 1000, 10_000])]
fn key_by_nodes(bencher: Bencher<'_, '_>, nodes: usize) {
    key(bencher, &residual(nodes));
}

#[divan::bench(args = [10, 30, 100, 300, 1000])]
fn key_of_sums_in_sums(bencher: Bencher<'_, '_>, nodes: usize) {
    key(bencher, &preactivated(nodes));
}

#[divan::bench]
fn key_of_32_twins_nested_twice(bencher: Bencher<'_, '_>) {
    key(bencher, &twins());
}

#[divan::bench(args = [4, 32, 256])]
fn key_of_a_cycle(bencher: Bencher<'_, '_>, length: usize) {
    key(bencher, &cycle(length));
}

#[divan::bench]
fn form_of_50_distinct_nodes(bencher: Bencher<'_, '_>) {
    let graph = residual(50);
    let mut canonicaliser = Canonicaliser::new();
    bencher.bench_local(|| canonicaliser.canonicalise(divan::black_box(&graph), Laws::Real));
}

#[divan::bench]
fn text_of_50_distinct_nodes(bencher: Bencher<'_, '_>) {
    let form = Canonicaliser::new().canonicalise(&residual(50), Laws::Real);
    bencher.bench_local(|| canonical_text(divan::black_box(&form)));
}

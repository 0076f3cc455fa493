//! Graphs drawn at random, and copies of graphs that differ in nothing that counts.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use snapc::graph::{Graph, Node, NodeId, NodeKind, WeightsId};
use snapc::operations::{Activation, Dimension, Operation, ParameterTensor, Pooling, Shape};

use super::{Builder, constant};

/// A graph of up to `size` operations of all classes on one or two inputs, with many chances for
/// laws.
pub fn graph(random: &mut ChaCha8Rng, size: usize) -> Graph {
    let mut builder = Builder::new();
    for _ in 0..random.random_range(1..=2) {
        builder.input(Shape::constant(&[4, 6, 6]));
    }
    for _ in 0..random.random_range(1..=size) {
        let from = any(&builder, random);
        let others = like(&builder, from);
        let arity = *[1, 2, 2, 2, 3, 4].get(random.random_range(0..6)).unwrap();
        let mut operands = vec![from];
        for _ in 1..arity {
            operands.push(others[random.random_range(0..others.len())]);
        }
        match random.random_range(0..17) {
            0..=2 => builder.conv(3, from),
            3 => builder.conv(1, from),
            4 => builder.norm(from),
            5 => builder.dropout([0.0, 0.5][random.random_range(0..2)], from),
            6 => builder.relu(from),
            7 => builder.activation(Activation::Relu6, from),
            8 => builder.gelu(from),
            9 => builder.pool(Pooling::Maximum, [1, 3][random.random_range(0..2)], from),
            10 => builder.pool(Pooling::Average, [1, 3][random.random_range(0..2)], from),
            11 => builder.multiply(&operands),
            12 if others.len() < 12 => builder.concatenate(&operands),
            13 => builder.activation(Activation::Zero, from),
            _ => builder.add(&operands),
        };
    }
    let outputs: Vec<NodeId> = (0..random.random_range(1..=2))
        .map(|_| any(&builder, random))
        .collect();
    builder.finish(&outputs)
}

/// A value, the later the likelier.
fn any(builder: &Builder, random: &mut ChaCha8Rng) -> NodeId {
    let count = builder.graph.nodes.len() as u32;
    let draw = |random: &mut ChaCha8Rng| random.random_range(0..count);
    NodeId(draw(random).max(draw(random)))
}

fn like(builder: &Builder, id: NodeId) -> Vec<NodeId> {
    let shape = &builder.graph.node(id).shape;
    let same = builder
        .graph
        .iter()
        .filter(|(_, node)| node.shape == *shape);
    same.map(|(id, _)| id).collect()
}

/// A graph that colours do not tell much about: convolutions of the input, then a convolution of
/// the sum of each of a number of pairs of them, `edges`, all of which go into one sum.
pub fn from_edges(vertices: usize, edges: &[(usize, usize)]) -> Graph {
    let (mut builder, input) = Builder::image();
    let points: Vec<NodeId> = (0..vertices).map(|_| builder.conv(3, input)).collect();
    let lines: Vec<NodeId> = edges
        .iter()
        .map(|(left, right)| {
            let sum = builder.add(&[points[*left], points[*right]]);
            builder.conv(1, sum)
        })
        .collect();
    let sum = builder.add(&lines);
    builder.finish(&[sum])
}

/// The same program in another order of execution, with operands exchanged where the law of
/// commutativity allows.
pub fn shuffled(graph: &Graph, random: &mut ChaCha8Rng) -> Graph {
    let count = graph.nodes.len();
    let mut place = vec![None; count];
    let mut nodes = graph.nodes[..graph.inputs].to_vec();
    for (id, place) in (0..).zip(&mut place[..graph.inputs]) {
        *place = Some(NodeId(id));
    }
    while nodes.len() < count {
        let ready: Vec<usize> = (0..count)
            .filter(|index| {
                let inputs = &graph.nodes[*index].inputs;
                let is_ready = inputs.iter().all(|id| place[id.0 as usize].is_some());
                place[*index].is_none() && is_ready
            })
            .collect();
        let index = ready[random.random_range(0..ready.len())];
        let mut node = graph.nodes[index].clone();
        for id in &mut node.inputs {
            *id = place[id.0 as usize].unwrap();
        }
        if let NodeKind::Operation(operation) = &node.kind
            && operation.is_commutative()
            && operation.arity() == 2
            && random.random()
        {
            node.inputs.reverse();
        }
        place[index] = Some(NodeId(nodes.len() as u32));
        nodes.push(node);
    }
    let outputs = graph.outputs.iter();
    Graph {
        name: graph.name.clone(),
        inputs: graph.inputs,
        nodes,
        outputs: outputs.map(|id| place[id.0 as usize].unwrap()).collect(),
        variables: graph.variables.clone(),
    }
}

/// A program of up to `size` operations and a shuffled copy, which mostly is not quite the same.
/// Every fourth program is one that colours tell little about, every third has shared weights.
pub fn pair(random: &mut ChaCha8Rng, size: usize) -> [Graph; 2] {
    let mut left = match random.random_ratio(1, 4) {
        true => wired(random, size),
        false => graph(random, size),
    };
    if random.random_ratio(1, 3) {
        left = with_sharing(&left, random);
    }
    let copy = shuffled(&left, random);
    let right = match random.random_range(0..4) {
        0 => copy,
        1 => with_other_weights(&copy, random),
        _ => mutated(&mutated(&copy, random), random),
    };
    [left, right]
}

/// [`from_edges`] with as many vertices as edges, `size` operations at most.
fn wired(random: &mut ChaCha8Rng, size: usize) -> Graph {
    let vertices = random.random_range(2..=(size - 1) / 3);
    let mut end = || random.random_range(0..vertices);
    let edges: Vec<(usize, usize)> = (0..vertices).map(|_| (end(), end())).collect();
    from_edges(vertices, &edges)
}

/// The same program with weights shared, at random, among layers that have the same tensors. Before
/// that, what leaves shapes as they are becomes a convolution more often than not.
pub fn with_sharing(graph: &Graph, random: &mut ChaCha8Rng) -> Graph {
    let mut shared = graph.clone();
    for node in &mut shared.nodes {
        let is_function = matches!(
            node.kind,
            NodeKind::Operation(Operation::Activation(_) | Operation::Pool { .. })
        );
        if is_function && random.random_bool(0.8) {
            let channels = node.shape.0[0].clone();
            node.kind = NodeKind::Operation(convolution(channels, random));
        }
    }
    for index in 0..shared.nodes.len() {
        if random.random_bool(0.7) {
            shared.nodes[index].weights = any_weights(&shared, index, random);
        }
    }
    shared.number_weights();
    shared
}

/// A convolution that keeps the shape, with weights of one shape however far apart they reach.
pub(super) fn convolution(channels: Dimension, random: &mut ChaCha8Rng) -> Operation {
    let reach = constant(if random.random_bool(0.2) { 2 } else { 1 });
    let pair = |value: Dimension| [value.clone(), value];
    Operation::Convolution {
        input: channels.clone(),
        output: channels,
        kernel: pair(constant(3)),
        stride: pair(constant(1)),
        padding: pair(reach.clone()),
        dilation: pair(reach),
        groups: constant(1),
        bias: false,
    }
}

pub(super) fn tensors(node: &Node) -> Vec<ParameterTensor> {
    match &node.kind {
        NodeKind::Operation(operation) => operation.parameters(),
        NodeKind::Input(_) => Vec::new(),
    }
}

/// One of two names for weights with the tensors of a layer.
fn any_weights(graph: &Graph, index: usize, random: &mut ChaCha8Rng) -> Option<WeightsId> {
    let own = tensors(&graph.nodes[index]);
    let first = graph.nodes.iter().position(|node| tensors(node) == own)?;
    let number = 2 * first as u32 + random.random_range(0..2);
    (!own.is_empty()).then_some(WeightsId(number))
}

/// The same program up to the weights of one layer.
pub fn with_other_weights(graph: &Graph, random: &mut ChaCha8Rng) -> Graph {
    let mut mutated = graph.clone();
    let index = random.random_range(graph.inputs..graph.nodes.len());
    let own = tensors(&graph.nodes[index]);
    let others: Vec<&Node> = graph
        .nodes
        .iter()
        .filter(|node| tensors(node) == own)
        .collect();
    if !own.is_empty() {
        let other = others[random.random_range(0..others.len())];
        mutated.nodes[index].weights = other.weights.or(Some(WeightsId(u32::MAX)));
    }
    mutated.number_weights();
    mutated
}

/// The same program up to one thing: an operation has another kernel or kind, an operand is
/// another value of the same shape, or an output is.
pub fn mutated(graph: &Graph, random: &mut ChaCha8Rng) -> Graph {
    let mut mutated = graph.clone();
    let index = random.random_range(graph.inputs..graph.nodes.len());
    let node = &mut mutated.nodes[index];
    match &mut node.kind {
        NodeKind::Operation(Operation::Activation(activation)) => *activation = Activation::Tanh,
        _ => {
            let slot = random.random_range(0..node.inputs.len());
            let shape = &graph.node(node.inputs[slot]).shape;
            let others: Vec<NodeId> = graph
                .iter()
                .take(index)
                .filter(|(_, other)| other.shape == *shape)
                .map(|(id, _)| id)
                .collect();
            node.inputs[slot] = others[random.random_range(0..others.len())];
        }
    }
    mutated
}

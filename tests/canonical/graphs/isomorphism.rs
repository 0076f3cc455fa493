//! Equality of programs decided by petgraph: laws are applied in the simplest way, then two graphs
//! are compared.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::is_isomorphic_matching;
use petgraph::graph::DiGraph;
use snapc::graph::{Graph, Laws, NodeKind, WeightsId};
use snapc::operations::{Activation, Class, Dimension, Operation, Pooling, Shape};

/// What is left of a program under laws, as petgraph compares it: vertices by what they are, edges
/// by the positions of an operand, or by how often it occurs where the order does not count.
pub type Encoded = DiGraph<String, String>;

/// Whether two programs are equal under `laws`.
pub fn are_isomorphic(left: &Graph, right: &Graph, laws: Laws) -> bool {
    are_same(&encoded(left, laws), &encoded(right, laws))
}

/// Whether two encoded programs are isomorphic.
pub fn are_same(left: &Encoded, right: &Encoded) -> bool {
    is_isomorphic_matching(left, right, |a, b| a == b, |a, b| a == b)
}

/// What isomorphic programs have in common: the labels of all edges with those of their ends.
pub fn invariant(encoded: &Encoded) -> Vec<[String; 3]> {
    let edges = encoded.edge_indices();
    let labels = edges.filter_map(|edge| {
        let (from, to) = encoded.edge_endpoints(edge)?;
        Some([&encoded[from], &encoded[edge], &encoded[to]].map(String::clone))
    });
    let mut labels: Vec<_> = labels.collect();
    labels.sort_unstable();
    labels
}

/// Reduces a program and leaves out what no output needs.
pub fn encoded(graph: &Graph, laws: Laws) -> Encoded {
    let (vertices, places) = reduced(graph, laws);
    let outputs: Vec<usize> = graph
        .outputs
        .iter()
        .map(|id| places[id.0 as usize])
        .collect();
    let mut encoded = Encoded::new();
    let live = live(&vertices, &outputs);
    let mut nodes = BTreeMap::new();
    let mut weights: BTreeMap<WeightsId, Vec<_>> = BTreeMap::new();
    // Operands come before those who read them.
    for vertex in live {
        let node = encoded.add_node(vertices[vertex].label.clone());
        for (operand, label) in vertices[vertex].operands.labelled() {
            encoded.add_edge(nodes[&operand], node, label);
        }
        if let Some(shared) = vertices[vertex].weights {
            weights.entry(shared).or_default().push(node);
        }
        nodes.insert(vertex, node);
    }
    for layers in weights.into_values().filter(|layers| layers.len() > 1) {
        let tie = encoded.add_node("weights".to_string());
        for layer in layers {
            encoded.add_edge(tie, layer, "weights".to_string());
        }
    }
    for (position, output) in outputs.iter().enumerate() {
        let node = encoded.add_node(format!("output {position}"));
        encoded.add_edge(nodes[output], node, "output".to_string());
    }
    encoded
}

/// A value that no law makes another one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Vertex {
    label: String,
    operands: Operands,
    /// The node that it is, unless it is a function of its operands and its shared weights.
    layer: Option<usize>,
    weights: Option<WeightsId>,
}

/// The vertices that a vertex reads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Operands {
    Ordered(Vec<usize>),
    Multiset(BTreeMap<usize, u64>),
}

impl Operands {
    /// Each operand once, with what its edge says.
    fn labelled(&self) -> Vec<(usize, String)> {
        match self {
            Operands::Ordered(operands) => {
                let mut positions: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
                for (position, operand) in operands.iter().enumerate() {
                    positions.entry(*operand).or_default().push(position);
                }
                let labelled = positions.into_iter();
                labelled
                    .map(|(operand, positions)| (operand, format!("at {positions:?}")))
                    .collect()
            }
            Operands::Multiset(times) => {
                let labelled = times.iter();
                labelled
                    .map(|(operand, times)| (*operand, format!("{times} times")))
                    .collect()
            }
        }
    }
}

fn live(vertices: &[Vertex], outputs: &[usize]) -> BTreeSet<usize> {
    let mut live = BTreeSet::new();
    let mut pending = outputs.to_vec();
    while let Some(vertex) = pending.pop() {
        if live.insert(vertex) {
            let operands = vertices[vertex].operands.labelled();
            pending.extend(operands.into_iter().map(|(operand, _)| operand));
        }
    }
    live
}

/// The vertices of a program, and which of them each node became.
fn reduced(graph: &Graph, laws: Laws) -> (Vec<Vertex>, Vec<usize>) {
    let mut vertices: Vec<Vertex> = Vec::new();
    let mut known: BTreeMap<Vertex, usize> = BTreeMap::new();
    let mut places: Vec<usize> = Vec::new();
    let mut zeros: BTreeMap<usize, Shape> = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let mut operands: Vec<usize> = node.inputs.iter().map(|id| places[id.0 as usize]).collect();
        let is_zero = gives_zero(&node.kind, &operands, &zeros, laws);
        if laws == Laws::Real && is_sum(&node.kind) && !is_zero {
            operands.retain(|operand| !zeros.contains_key(operand));
        }
        let mut vertex = Vertex {
            label: format!("{:?}", node.kind),
            operands: Operands::Ordered(operands.clone()),
            layer: None,
            weights: None,
        };
        if is_zero {
            vertex = of_zeros(&node.shape);
        } else if let NodeKind::Operation(operation) = &node.kind {
            let is_single = is_sum(&node.kind) && operands.len() == 1;
            if is_identity(operation, laws) || is_single {
                places.push(operands[0]);
                continue;
            }
            let class = operation.class();
            let has_weights = matches!(class, Class::Parameters | Class::State);
            vertex.weights = node.weights.filter(|_| has_weights);
            let is_function =
                class == Class::Pure || class == Class::Parameters && vertex.weights.is_some();
            vertex.layer = (!is_function).then_some(index);
            if let Operation::Concatenate { .. } = operation {
                let channels = operands
                    .iter()
                    .flat_map(|operand| match zeros.get(operand) {
                        Some(shape) => channels_of_zeros(shape, &mut vertices, &mut known),
                        None => vec![*operand],
                    });
                vertex.operands = Operands::Ordered(channels.collect());
            }
            apply_laws(&mut vertex, operation, &vertices, laws);
        }
        let place = *known.entry(vertex.clone()).or_insert(vertices.len());
        if place == vertices.len() {
            vertices.push(vertex);
        }
        places.push(place);
        if is_zero {
            zeros.insert(place, node.shape.clone());
        }
    }
    (vertices, places)
}

fn of_zeros(shape: &Shape) -> Vertex {
    Vertex {
        label: format!("zeros {shape:?}"),
        operands: Operands::Ordered(Vec::new()),
        layer: None,
        weights: None,
    }
}

/// Zeros as so many channels of zeros, so that it does not matter in which parts they are joined.
fn channels_of_zeros(
    shape: &Shape,
    vertices: &mut Vec<Vertex>,
    known: &mut BTreeMap<Vertex, usize>,
) -> Vec<usize> {
    let mut channel = shape.clone();
    channel.0[0] = Dimension::ONE;
    let vertex = of_zeros(&channel);
    let place = *known.entry(vertex.clone()).or_insert(vertices.len());
    if place == vertices.len() {
        vertices.push(vertex);
    }
    let count = shape.0[0].constant().expect("sizes are known");
    vec![place; count as usize]
}

fn is_sum(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::Operation(Operation::Add { .. }))
}

/// Laws 11 and 13 of the words that [`super::random`] draws: whether a value is zero, given which
/// vertices are.
fn gives_zero(
    kind: &NodeKind,
    operands: &[usize],
    zeros: &BTreeMap<usize, Shape>,
    laws: Laws,
) -> bool {
    let count = operands
        .iter()
        .filter(|operand| zeros.contains_key(operand))
        .count();
    let (any, all) = (count > 0, count == operands.len());
    match kind {
        NodeKind::Input(_) => false,
        NodeKind::Operation(Operation::Multiply { .. }) if laws == Laws::Real => any,
        NodeKind::Operation(Operation::Convolution { .. }) => laws == Laws::Real && all,
        NodeKind::Operation(Operation::BatchNorm { .. }) => false,
        NodeKind::Operation(operation) => all || operation.is_zero(),
    }
}

/// Law 3 of the words that [`super::random`] draws, and law 10.
fn is_identity(operation: &Operation, laws: Laws) -> bool {
    match operation {
        Operation::Add { arity }
        | Operation::Multiply { arity }
        | Operation::Concatenate { arity } => *arity == 1,
        Operation::Dropout { rate } => rate.value() == 0.0,
        Operation::Pool { kind, kernel, .. } => {
            let keeps_zeros = *kind == Pooling::Maximum;
            kernel[0].constant() == Some(1) && (keeps_zeros || laws == Laws::Real)
        }
        _ => false,
    }
}

/// Laws 4 and 6 to 9 on a vertex whose operands are reduced.
fn apply_laws(vertex: &mut Vertex, operation: &Operation, vertices: &[Vertex], laws: Laws) {
    let Operands::Ordered(operands) = &vertex.operands else {
        return;
    };
    match operation {
        Operation::Activation(Activation::Relu | Activation::Relu6) => {
            let rectifier = |activation| {
                let operation = Operation::Activation(activation);
                format!("{:?}", NodeKind::Operation(operation))
            };
            let inner = &vertices[operands[0]];
            if inner.label == rectifier(Activation::Relu6) {
                *vertex = inner.clone();
            } else if inner.label == rectifier(Activation::Relu) {
                vertex.operands = inner.operands.clone();
            }
        }
        Operation::Concatenate { .. } => {
            let mut flat = Vec::new();
            for operand in operands {
                match &vertices[*operand] {
                    Vertex {
                        label,
                        operands: Operands::Ordered(parts),
                        ..
                    } if label == "cat" => flat.extend(parts),
                    _ => flat.push(*operand),
                }
            }
            vertex.label = "cat".to_string();
            vertex.operands = Operands::Ordered(flat);
        }
        Operation::Add { arity } | Operation::Multiply { arity }
            if laws == Laws::Real || *arity == 2 =>
        {
            let is_sum = matches!(operation, Operation::Add { .. });
            let name = if is_sum { "sum" } else { "product" };
            let mut times = BTreeMap::new();
            for operand in operands {
                match &vertices[*operand] {
                    Vertex {
                        label,
                        operands: Operands::Multiset(terms),
                        ..
                    } if label == name && laws == Laws::Real => {
                        for (term, count) in terms {
                            *times.entry(*term).or_default() += count;
                        }
                    }
                    _ => *times.entry(*operand).or_default() += 1,
                }
            }
            vertex.label = name.to_string();
            vertex.operands = Operands::Multiset(times);
        }
        _ => {}
    }
}

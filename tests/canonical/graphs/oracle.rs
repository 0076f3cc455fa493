//! Equality of programs decided slowly, in other ways than the library's.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::is_isomorphic_matching;
use petgraph::graph::DiGraph;
use snapc::graph::{Graph, Laws, NodeId, NodeKind};
use snapc::operations::{Activation, Class, Operation, Pooling};

/// Whether two graphs are isomorphic, laws aside but for operands that commute.
pub fn are_isomorphic(left: &Graph, right: &Graph, laws: Laws) -> bool {
    let (left, right) = (encoded(left, laws), encoded(right, laws));
    is_isomorphic_matching(&left, &right, |a, b| a == b, |a, b| a == b)
}

/// Nodes by what they are, with one edge for each pair of nodes, labelled with the positions of
/// the operand, or with how often it occurs if the order does not count.
fn encoded(graph: &Graph, laws: Laws) -> DiGraph<String, String> {
    let mut encoded = DiGraph::new();
    let nodes: Vec<_> = graph
        .nodes
        .iter()
        .map(|node| encoded.add_node(format!("{:?}", node.kind)))
        .collect();
    for (id, node) in graph.iter() {
        let mut positions: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
        for (position, input) in node.inputs.iter().enumerate() {
            positions.entry(*input).or_default().push(position);
        }
        let commutes = matches!(&node.kind, NodeKind::Operation(operation)
            if operation.is_commutative() && (laws == Laws::Real || operation.arity() == 2));
        for (input, positions) in positions {
            let label = if commutes {
                format!("{} times", positions.len())
            } else {
                format!("{positions:?}")
            };
            encoded.add_edge(nodes[input.0 as usize], nodes[id.0 as usize], label);
        }
    }
    for (position, output) in graph.outputs.iter().enumerate() {
        let node = encoded.add_node(format!("output {position}"));
        encoded.add_edge(nodes[output.0 as usize], node, String::new());
    }
    encoded
}

/// What a value is: a term over inputs and the layers that are not pure, which go by number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Term {
    Input(usize),
    Layer(usize),
    Apply(String, Vec<Term>),
    Multiset(String, BTreeMap<Term, u64>),
}

/// Whether two programs are equal under `laws`: whether there is a numbering of the layers of one
/// that makes all its terms equal to those of the other.
pub fn are_equal(left: &Graph, right: &Graph, laws: Laws) -> bool {
    let layers = live_layers(left, laws);
    let others = live_layers(right, laws);
    if layers.len() != others.len() || left.inputs != right.inputs {
        return false;
    }
    let numbers: Vec<usize> = (0..layers.len()).collect();
    let expected = described(left, &layers, &numbers, laws);
    let mut numbers = Vec::new();
    any_numbering(left, right, &layers, &others, &mut numbers, &|numbers| {
        described(right, &others, numbers, laws) == expected
    })
}

fn any_numbering(
    left: &Graph,
    right: &Graph,
    layers: &[usize],
    others: &[usize],
    numbers: &mut Vec<usize>,
    holds: &dyn Fn(&[usize]) -> bool,
) -> bool {
    if numbers.len() == others.len() {
        return holds(numbers);
    }
    let kind = &right.nodes[others[numbers.len()]].kind;
    for (number, layer) in layers.iter().enumerate() {
        if numbers.contains(&number) || left.nodes[*layer].kind != *kind {
            continue;
        }
        numbers.push(number);
        if any_numbering(left, right, layers, others, numbers, holds) {
            return true;
        }
        numbers.pop();
    }
    false
}

/// The outputs and, by number, the operands of the layers.
fn described(
    graph: &Graph,
    layers: &[usize],
    numbers: &[usize],
    laws: Laws,
) -> (Vec<Term>, BTreeMap<usize, Term>) {
    let numbers: BTreeMap<usize, usize> = layers.iter().copied().zip(numbers.to_vec()).collect();
    let terms = terms(graph, &numbers, laws);
    let outputs = graph.outputs.iter().map(|id| terms[id.0 as usize].clone());
    let operands = numbers.iter().map(|(layer, number)| {
        let operand = graph.nodes[*layer].inputs[0];
        (*number, terms[operand.0 as usize].clone())
    });
    (outputs.collect(), operands.collect())
}

/// The layers that outputs need.
fn live_layers(graph: &Graph, laws: Laws) -> Vec<usize> {
    let numbers = (0..graph.nodes.len()).map(|index| (index, index)).collect();
    let terms = terms(graph, &numbers, laws);
    let mut live = BTreeSet::new();
    let mut pending: Vec<&Term> = graph
        .outputs
        .iter()
        .map(|id| &terms[id.0 as usize])
        .collect();
    while let Some(term) = pending.pop() {
        match term {
            Term::Input(_) => {}
            Term::Layer(index) => {
                if live.insert(*index) {
                    let operand = graph.nodes[*index].inputs[0];
                    pending.push(&terms[operand.0 as usize]);
                }
            }
            Term::Apply(_, operands) => pending.extend(operands),
            Term::Multiset(_, operands) => pending.extend(operands.keys()),
        }
    }
    live.into_iter().collect()
}

fn terms(graph: &Graph, numbers: &BTreeMap<usize, usize>, laws: Laws) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let operands = node.inputs.iter().map(|id| terms[id.0 as usize].clone());
        let term = match &node.kind {
            NodeKind::Input(number) => Term::Input(*number),
            NodeKind::Operation(operation) => {
                let number = numbers.get(&index).copied().unwrap_or(usize::MAX);
                normal_form(operation, operands.collect(), number, laws)
            }
        };
        terms.push(term);
    }
    terms
}

fn normal_form(operation: &Operation, mut operands: Vec<Term>, number: usize, laws: Laws) -> Term {
    let name = format!("{operation:?}");
    let real = laws == Laws::Real;
    match operation {
        Operation::Dropout { rate } if rate.value() == 0.0 => operands.remove(0),
        _ if operation.class() != Class::Pure => Term::Layer(number),
        Operation::Pool { kind, kernel, .. }
            if kernel[0].constant() == Some(1) && (real || *kind == Pooling::Maximum) =>
        {
            operands.remove(0)
        }
        Operation::Add { arity: 1 }
        | Operation::Multiply { arity: 1 }
        | Operation::Concatenate { arity: 1 } => operands.remove(0),
        Operation::Activation(Activation::Relu | Activation::Relu6) => {
            let relu = format!("{:?}", Operation::Activation(Activation::Relu));
            let relu6 = format!("{:?}", Operation::Activation(Activation::Relu6));
            let operand = operands.remove(0);
            match operand {
                Term::Apply(inner, operands) if inner == relu => Term::Apply(name, operands),
                Term::Apply(inner, operands) if inner == relu6 => Term::Apply(inner, operands),
                operand => Term::Apply(name, vec![operand]),
            }
        }
        Operation::Concatenate { .. } => {
            let name = "cat".to_string();
            let flat = operands.into_iter().flat_map(|operand| match operand {
                Term::Apply(inner, parts) if inner == name => parts,
                other => vec![other],
            });
            Term::Apply(name.clone(), flat.collect())
        }
        Operation::Add { arity } | Operation::Multiply { arity } if real || *arity == 2 => {
            let name = name.split(' ').next().unwrap_or_default().to_string();
            let mut multiset = BTreeMap::new();
            for operand in operands {
                match operand {
                    Term::Multiset(inner, terms) if real && inner == name => {
                        for (term, times) in terms {
                            *multiset.entry(term).or_default() += times;
                        }
                    }
                    other => *multiset.entry(other).or_default() += 1,
                }
            }
            Term::Multiset(name, multiset)
        }
        _ => Term::Apply(name, operands),
    }
}

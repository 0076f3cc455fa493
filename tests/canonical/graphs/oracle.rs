//! Equality of programs decided slowly, in other ways than the library's.

use std::collections::{BTreeMap, BTreeSet};

use snapc::graph::{Graph, Laws, NodeKind};
use snapc::operations::{Activation, Class, Dimension, Operation, Pooling, Shape};

/// What is told apart by name alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    /// Weights that layers may share.
    Shared(u32),
    /// The weights of this node.
    Own(usize),
    /// This node, which has state or draws random numbers.
    Layer(usize),
}

/// Names by number; those without one are not needed.
type Numbers = BTreeMap<Name, usize>;

/// What a value is: a term over inputs, layers with state or randomness, and functions with weights.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Term {
    Input(usize),
    Zeros(Shape),
    Layer(usize),
    Apply(String, Vec<Term>),
    Weighted(usize, String, Vec<Term>),
    Multiset(String, BTreeMap<Term, u64>),
}

fn weights(graph: &Graph, index: usize) -> Name {
    match graph.nodes[index].weights {
        Some(weights) => Name::Shared(weights.0),
        None => Name::Own(index),
    }
}

/// Whether two programs are equal under `laws`: whether there is a one to one renaming of weights
/// and layers of one that makes all its terms equal to those of the other.
pub fn are_equal(left: &Graph, right: &Graph, laws: Laws) -> bool {
    let names = live_names(left, laws);
    let others = live_names(right, laws);
    if names.len() != others.len() || left.inputs != right.inputs {
        return false;
    }
    let kinds = [(left, &names), (right, &others)].map(|(graph, names)| {
        names
            .iter()
            .map(|name| kind(graph, *name))
            .collect::<Vec<_>>()
    });
    let numbers: Vec<usize> = (0..names.len()).collect();
    let expected = described(left, &names, &numbers, laws);
    any_numbering(&kinds, &mut Vec::new(), &|numbers| {
        described(right, &others, numbers, laws) == expected
    })
}

/// What a name is for, as far as that says anything whatever is needed.
fn kind(graph: &Graph, name: Name) -> String {
    match name {
        Name::Layer(index) => format!("layer {:?}", graph.nodes[index].kind),
        Name::Own(_) | Name::Shared(_) => {
            let users = (0..graph.nodes.len()).filter(|index| weights(graph, *index) == name);
            let mut parameters = users.filter_map(|index| match &graph.nodes[index].kind {
                NodeKind::Operation(operation) => Some(format!("{:?}", operation.parameters())),
                NodeKind::Input(_) => None,
            });
            parameters.next().unwrap_or_default()
        }
    }
}

fn any_numbering(
    kinds: &[Vec<String>; 2],
    numbers: &mut Vec<usize>,
    holds: &dyn Fn(&[usize]) -> bool,
) -> bool {
    let [kinds_left, kinds_right] = kinds;
    if numbers.len() == kinds_right.len() {
        return holds(numbers);
    }
    for (number, kind) in kinds_left.iter().enumerate() {
        if numbers.contains(&number) || *kind != kinds_right[numbers.len()] {
            continue;
        }
        numbers.push(number);
        if any_numbering(kinds, numbers, holds) {
            return true;
        }
        numbers.pop();
    }
    false
}

/// The outputs and, for layers by number, the operand and the number of the weights, if any.
type Description = (Vec<Term>, BTreeMap<usize, (Term, Option<usize>)>);

fn described(graph: &Graph, names: &[Name], numbers: &[usize], laws: Laws) -> Description {
    let numbers: Numbers = names.iter().copied().zip(numbers.to_vec()).collect();
    let terms = terms(graph, &numbers, laws);
    let outputs = graph.outputs.iter().map(|id| terms[id.0 as usize].clone());
    let layers = numbers.iter().filter_map(|(name, number)| match name {
        Name::Layer(index) => {
            let operand = terms[graph.nodes[*index].inputs[0].0 as usize].clone();
            let weights = numbers.get(&weights(graph, *index)).copied();
            Some((*number, (operand, weights)))
        }
        Name::Own(_) | Name::Shared(_) => None,
    });
    (outputs.collect(), layers.collect())
}

/// The names that outputs need.
fn live_names(graph: &Graph, laws: Laws) -> Vec<Name> {
    let all: Vec<Name> = (0..graph.nodes.len())
        .flat_map(|index| [weights(graph, index), Name::Layer(index)])
        .collect();
    let numbers: Numbers = all.iter().copied().zip(0..).collect();
    let named = |number: &usize| {
        *numbers
            .iter()
            .find(|(_, other)| *other == number)
            .unwrap()
            .0
    };
    let terms = terms(graph, &numbers, laws);
    let mut live = BTreeSet::new();
    let outputs = graph.outputs.iter();
    let mut pending: Vec<&Term> = outputs.map(|id| &terms[id.0 as usize]).collect();
    while let Some(term) = pending.pop() {
        match term {
            Term::Input(_) | Term::Zeros(_) => {}
            Term::Layer(number) => {
                let Name::Layer(index) = named(number) else {
                    continue;
                };
                if live.insert(Name::Layer(index)) {
                    let node = &graph.nodes[index];
                    pending.push(&terms[node.inputs[0].0 as usize]);
                    if let NodeKind::Operation(Operation::BatchNorm { .. }) = node.kind {
                        live.insert(weights(graph, index));
                    }
                }
            }
            Term::Weighted(number, _, operands) => {
                live.insert(named(number));
                pending.extend(operands);
            }
            Term::Apply(_, operands) => pending.extend(operands),
            Term::Multiset(_, operands) => pending.extend(operands.keys()),
        }
    }
    live.into_iter().collect()
}

fn terms(graph: &Graph, numbers: &Numbers, laws: Laws) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    let mut zero: Vec<bool> = Vec::new();
    let number = |name| numbers.get(&name).copied().unwrap_or(usize::MAX);
    for (index, node) in graph.nodes.iter().enumerate() {
        let operation = match &node.kind {
            NodeKind::Input(number) => {
                terms.push(Term::Input(*number));
                zero.push(false);
                continue;
            }
            NodeKind::Operation(operation) => operation,
        };
        let read: Vec<usize> = node.inputs.iter().map(|id| id.0 as usize).collect();
        let zeros = read.iter().filter(|read| zero[**read]).count();
        let is_zero = gives_zero(operation, zeros, laws);
        let is_sum = matches!(operation, Operation::Add { .. }) && laws == Laws::Real;
        let operands = read
            .iter()
            .filter(|read| !(is_sum && !is_zero && zero[**read]));
        let mut operands: Vec<Term> = operands.map(|read| terms[*read].clone()).collect();
        let is_dropout_of_nothing =
            matches!(operation, Operation::Dropout { rate } if rate.value() == 0.0);
        let term = if is_zero {
            Term::Zeros(node.shape.clone())
        } else if is_dropout_of_nothing || is_sum && operands.len() == 1 {
            operands.remove(0)
        } else {
            match operation.class() {
                Class::Pure => normal_form(operation, operands, laws),
                Class::Parameters => Term::Weighted(
                    number(weights(graph, index)),
                    format!("{operation:?}"),
                    operands,
                ),
                Class::State | Class::Random => Term::Layer(number(Name::Layer(index))),
            }
        };
        terms.push(term);
        zero.push(is_zero);
    }
    terms
}

/// Whether an operation of which so many operands are zero is zero; of the operations that random
/// graphs have.
fn gives_zero(operation: &Operation, zeros: usize, laws: Laws) -> bool {
    let all = zeros == operation.arity();
    match operation {
        Operation::Multiply { .. } if laws == Laws::Real => zeros > 0,
        Operation::Convolution { bias, .. } => all && laws == Laws::Real && !bias,
        Operation::BatchNorm { .. } => false,
        _ => all || operation.is_zero(),
    }
}

/// Zeros as so many channels of zeros, so that it does not matter in which parts they are joined.
fn channels_of_zeros(shape: &Shape) -> Vec<Term> {
    let mut channel = shape.clone();
    channel.0[0] = Dimension::ONE;
    let count = shape.0[0].constant().expect("sizes are known");
    vec![Term::Zeros(channel); count as usize]
}

fn normal_form(operation: &Operation, mut operands: Vec<Term>, laws: Laws) -> Term {
    let name = format!("{operation:?}");
    let real = laws == Laws::Real;
    match operation {
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
                Term::Zeros(shape) => channels_of_zeros(&shape),
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

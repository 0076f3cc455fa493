//! What each law makes of a program.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use snapc::graph::{Graph, Node, NodeId, NodeKind};
use snapc::operations::{Activation, Class, Dimension, Operation, Pooling, Real, Shape};

use crate::draft::{Draft, Use};
use crate::graphs::constant;
use crate::programs::{self, Growth};
use crate::spelling;

/// Applies the law with this number at a random place, where there is one. It is applied so that
/// something is added, split or moved; since pairs are compared, that stands for the way back too.
pub fn rewritten(law: u8, graph: &Graph, random: &mut ChaCha8Rng) -> Option<Graph> {
    let draft = Draft::new(graph);
    match law {
        1 => Some(spelling::respelled(graph, random)),
        2 => Some(with_dead_code(draft, random)),
        3 => with_identity(draft, random),
        4 => swapped(draft, random),
        5 => split(draft, random),
        6 => rectified_again(draft, random),
        7 => nested(draft, random),
        8 => regrouped(draft, random, |operands| Operation::Add { arity: operands }),
        9 => regrouped(draft, random, |operands| Operation::Multiply {
            arity: operands,
        }),
        10 => averaged(draft, random),
        11 => with_other_zero(draft, random),
        12 => with_zero_term(draft, random),
        13 => with_layer_of_nothing(draft, random),
        _ => panic!("law {law} has no rewriting yet: add it here"),
    }
}

pub fn any<T: Clone>(choices: &[T], random: &mut ChaCha8Rng) -> Option<T> {
    (!choices.is_empty()).then(|| choices[random.random_range(0..choices.len())].clone())
}

pub fn operation(node: &Node) -> Option<&Operation> {
    match &node.kind {
        NodeKind::Operation(operation) => Some(operation),
        NodeKind::Input(_) => None,
    }
}

/// The nodes whose operation fits.
pub fn nodes(graph: &Graph, fits: impl Fn(&Node, &Operation) -> bool) -> Vec<NodeId> {
    let fits = |node: &Node| operation(node).is_some_and(|operation| fits(node, operation));
    let nodes = graph.iter().filter(|(_, node)| fits(node));
    nodes.map(|(id, _)| id).collect()
}

fn pool_of_one(kind: Pooling) -> Operation {
    let same = |value| [constant(value), constant(value)];
    Operation::Pool {
        kind,
        kernel: same(1),
        stride: same(1),
        padding: same(0),
        ceil: false,
        count_padding: false,
    }
}

fn with_dead_code(mut draft: Draft, random: &mut ChaCha8Rng) -> Graph {
    let live = draft.graph().nodes.len();
    let layers = random.random_range(1..=4);
    let open = (0..live as u32).map(NodeId).collect();
    let mut growth = Growth {
        builder: &mut draft.builder,
        random,
        open,
        is_tree: false,
        zeros: 0.0,
    };
    for _ in 0..layers {
        growth.layer();
    }
    let mut graph = draft.builder.graph;
    programs::share(&mut graph, live, random);
    graph
}

fn with_identity(mut draft: Draft, random: &mut ChaCha8Rng) -> Option<Graph> {
    let place = any(&draft.uses(), random)?;
    let mut identities = vec![
        Operation::Add { arity: 1 },
        Operation::Multiply { arity: 1 },
        Operation::Concatenate { arity: 1 },
        Operation::Dropout {
            rate: Real::new(0.0),
        },
        Operation::Activation(Activation::LeakyRelu {
            slope: Real::new(1.0),
        }),
    ];
    let shape = &draft.graph().node(draft.read_at(place)).shape;
    identities.push(Operation::Slice {
        start: constant(0),
        size: shape.0[0].clone(),
    });
    match shape.rank() {
        1 => identities.push(Operation::Flatten),
        _ => identities.extend([
            Operation::Upsample {
                factor: constant(1),
            },
            pool_of_one(Pooling::Maximum),
        ]),
    }
    draft.insert(place, any(&identities, random)?);
    Some(draft.finish())
}

fn swapped(mut draft: Draft, random: &mut ChaCha8Rng) -> Option<Graph> {
    let pairs = nodes(draft.graph(), |node, operation| {
        operation.is_commutative() && operation.arity() == 2 && node.inputs[0] != node.inputs[1]
    });
    let pair = any(&pairs, random)?;
    draft.builder.graph.nodes[pair.0 as usize].inputs.reverse();
    Some(draft.finish())
}

/// Computes twice what several layers read.
fn split(mut draft: Draft, random: &mut ChaCha8Rng) -> Option<Graph> {
    let mut functions = nodes(draft.graph(), |_, operation| {
        matches!(operation.class(), Class::Pure | Class::Parameters)
    });
    functions.retain(|id| draft.uses_of(*id).len() > 1);
    let function = any(&functions, random)?;
    let uses = draft.uses_of(function);
    let copy = draft.copy(function);
    let kept = random.random_range(1..uses.len());
    for place in &uses[kept..] {
        draft.redirect(*place, copy);
    }
    Some(draft.finish())
}

fn rectified_again(mut draft: Draft, random: &mut ChaCha8Rng) -> Option<Graph> {
    const RECTIFIERS: [Activation; 2] = [Activation::Relu, Activation::Relu6];
    let is_rectifier = |operation: &Operation| {
        RECTIFIERS
            .iter()
            .any(|rectifier| *operation == Operation::Activation(*rectifier))
    };
    let rectifiers = nodes(draft.graph(), |_, operation| is_rectifier(operation));
    let rectifier = any(&rectifiers, random)?;
    let is_tight = draft.graph().node(rectifier).kind
        == NodeKind::Operation(Operation::Activation(Activation::Relu6));
    // What is added is not tighter than what is there.
    let added = RECTIFIERS[if is_tight {
        random.random_range(0..2)
    } else {
        0
    }];
    let place = match random.random() {
        true => Use::Operand(rectifier.0 as usize, 0),
        false => any(&draft.uses_of(rectifier), random)?,
    };
    draft.insert(place, Operation::Activation(added));
    Some(draft.finish())
}

/// Makes a concatenation of its own of some parts side by side.
fn nested(mut draft: Draft, random: &mut ChaCha8Rng) -> Option<Graph> {
    let long = nodes(
        draft.graph(),
        |_, operation| matches!(operation, Operation::Concatenate { arity } if *arity > 2),
    );
    let outer = any(&long, random)?;
    let mut parts: Vec<NodeId> = draft.graph().node(outer).inputs.to_vec();
    let count = random.random_range(2..parts.len());
    let start = random.random_range(0..=parts.len() - count);
    let inner = draft.builder.concatenate(&parts[start..start + count]);
    parts.splice(start..start + count, [inner]);
    set(
        &mut draft,
        outer,
        Operation::Concatenate { arity: parts.len() },
        &parts,
    );
    Some(draft.finish())
}

fn set(draft: &mut Draft, id: NodeId, operation: Operation, operands: &[NodeId]) {
    let node = &mut draft.builder.graph.nodes[id.0 as usize];
    node.kind = NodeKind::Operation(operation);
    node.inputs = operands.iter().copied().collect();
}

/// Adds or multiplies what a sum or product is made of in another order and nesting.
fn regrouped(
    mut draft: Draft,
    random: &mut ChaCha8Rng,
    merge: impl Fn(usize) -> Operation,
) -> Option<Graph> {
    let is_merge = |operation: &Operation| *operation == merge(operation.arity());
    let merges = nodes(draft.graph(), |_, operation| is_merge(operation));
    let outer = any(&merges, random)?;
    let mut terms = vec![outer];
    while let Some(place) = terms.iter().position(|term| {
        let node = draft.graph().node(*term);
        operation(node).is_some_and(is_merge)
    }) {
        let inner = draft.graph().node(terms.swap_remove(place)).inputs.clone();
        terms.extend(inner);
    }
    if terms.len() < 3 {
        return None;
    }
    while terms.len() > 1 {
        let count = random.random_range(2..=terms.len().min(4));
        let group: Vec<NodeId> = (0..count)
            .map(|_| terms.swap_remove(random.random_range(0..terms.len())))
            .collect();
        terms.push(draft.builder.apply(merge(count), &group));
    }
    for place in draft.uses_of(outer) {
        draft.redirect(place, terms[0]);
    }
    Some(draft.finish())
}

fn averaged(mut draft: Draft, random: &mut ChaCha8Rng) -> Option<Graph> {
    let mut images = draft.uses();
    images.retain(|place| draft.graph().node(draft.read_at(*place)).shape.rank() == 3);
    draft.insert(any(&images, random)?, pool_of_one(Pooling::Average));
    Some(draft.finish())
}

fn zeros(graph: &Graph) -> Vec<NodeId> {
    nodes(graph, |_, operation| operation.is_zero())
}

/// The nodes, of this shape or of any, that do not depend on another.
fn independent(draft: &Draft, other: NodeId, shape: Option<&Shape>) -> Vec<NodeId> {
    let nodes = draft.graph().iter();
    let fits = |(id, node): &(NodeId, &Node)| {
        shape.is_none_or(|shape| node.shape == *shape) && !draft.depends_on(*id, other)
    };
    nodes.filter(fits).map(|(id, _)| id).collect()
}

/// Makes a zero of something else, or does to it what leaves it zero.
fn with_other_zero(mut draft: Draft, random: &mut ChaCha8Rng) -> Option<Graph> {
    let zero = any(&zeros(draft.graph()), random)?;
    let shape = draft.graph().node(zero).shape.clone();
    let place = any(&draft.uses_of(zero), random)?;
    match random.random_range(0..5) {
        0 => {
            let other = any(&independent(&draft, zero, Some(&shape)), random)?;
            draft.redirect(Use::Operand(zero.0 as usize, 0), other);
        }
        1 => {
            let merges: [fn(usize) -> Operation; 2] = [
                |arity| Operation::Add { arity },
                |arity| Operation::Multiply { arity },
            ];
            let merge = any(&merges, random)?;
            let node = draft.builder.apply(merge(2), &[zero, zero]);
            draft.redirect(place, node);
        }
        2 => {
            let other = any(&independent(&draft, zero, None), random)?;
            let node = draft.builder.apply(Operation::Zeros { shape }, &[other]);
            draft.redirect(place, node);
        }
        3 if shape.rank() == 3 => {
            let [height, width] = [&shape.0[1], &shape.0[2]].map(Dimension::clone);
            draft.insert(place, Operation::Tokens);
            draft.insert(
                place,
                Operation::Image {
                    size: [height, width],
                },
            );
        }
        _ => draft.insert(place, any(&keeping_zero(shape.rank()), random)?),
    }
    Some(draft.finish())
}

/// Operations that keep zeros and their shape.
fn keeping_zero(rank: usize) -> Vec<Operation> {
    let factor = Real::new(0.25);
    let activations = [
        Activation::Relu,
        Activation::Relu6,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::Tanh,
        Activation::HardSwish,
        Activation::Mish,
        Activation::Zero,
        Activation::LeakyRelu { slope: factor },
        Activation::Elu { alpha: factor },
    ];
    let mut keeping: Vec<Operation> = activations.map(Operation::Activation).to_vec();
    keeping.extend([
        Operation::Dropout { rate: factor },
        Operation::DropPath { rate: factor },
    ]);
    if rank == 3 {
        keeping.extend([Pooling::Maximum, Pooling::Average].map(|kind| {
            let same = |value| [constant(value), constant(value)];
            Operation::Pool {
                kind,
                kernel: same(3),
                stride: same(1),
                padding: same(1),
                ceil: false,
                count_padding: false,
            }
        }));
    }
    keeping
}

/// Adds a zero to a value that is none.
fn with_zero_term(mut draft: Draft, random: &mut ChaCha8Rng) -> Option<Graph> {
    let zeros = zeros(draft.graph());
    let mut places = draft.uses();
    places.retain(|place| {
        let value = draft.read_at(*place);
        !zeros.iter().any(|zero| draft.depends_on(value, *zero))
    });
    let place = any(&places, random)?;
    let term = draft.read_at(place);
    let zero = draft.builder.activation(Activation::Zero, term);
    let terms = match random.random() {
        true => [term, zero],
        false => [zero, term],
    };
    let sum = draft.builder.add(&terms);
    draft.redirect(place, sum);
    Some(draft.finish())
}

/// Lets a layer that gives nothing for nothing, or a product, read a zero.
fn with_layer_of_nothing(mut draft: Draft, random: &mut ChaCha8Rng) -> Option<Graph> {
    let zero = any(&zeros(draft.graph()), random)?;
    let place = any(&draft.uses_of(zero), random)?;
    let shape = draft.graph().node(zero).shape.clone();
    let channels = draft.builder.channels(zero);
    let node = match (random.random_range(0..4), shape.rank()) {
        (0, _) => {
            let other = any(&independent(&draft, zero, Some(&shape)), random)?;
            draft.builder.multiply(&[zero, other])
        }
        (1, _) => draft
            .builder
            .apply(Operation::ParametricRelu { channels }, &[zero]),
        (2, _) => {
            let scale = Operation::LayerScale {
                features: channels,
                initial: Real::new(0.5),
            };
            draft.builder.apply(scale, &[zero])
        }
        (_, 3) => draft.builder.conv(3, zero),
        _ => draft
            .builder
            .apply(programs::dense(&channels, &channels), &[zero]),
    };
    draft.redirect(place, node);
    Some(draft.finish())
}

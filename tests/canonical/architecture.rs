//! Where the order of channels counts, and where not.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::graph::{Graph, Laws, NodeId, canonicalise};
use snapc::operations::{Activation, Operation, Pooling};

use crate::graphs::{Builder, constant, random};
use crate::{are_equal, check_form};

/// A program that makes something of the concatenation of two convolutions, in both orders.
fn both_orders(then: &dyn Fn(&mut Builder, NodeId) -> Vec<NodeId>) -> (Graph, Graph) {
    let [left, right] = [[0, 1], [1, 0]].map(|order| {
        let (mut builder, input) = Builder::image();
        let parts = [1, 3].map(|kernel| builder.conv(kernel, input));
        let joined = builder.concatenate(&order.map(|index| parts[index]));
        let outputs = then(&mut builder, joined);
        builder.finish(&outputs)
    });
    (left, right)
}

fn depthwise(builder: &mut Builder, from: NodeId) -> NodeId {
    let channels = builder.channels(from);
    grouped(builder, channels.constant().unwrap(), from)
}

fn grouped(builder: &mut Builder, groups: i64, from: NodeId) -> NodeId {
    let channels = builder.channels(from);
    let same = |value| [constant(value), constant(value)];
    let operation = Operation::Convolution {
        input: channels.clone(),
        output: channels,
        kernel: same(3),
        stride: same(1),
        padding: same(1),
        dilation: same(1),
        groups: constant(groups),
        bias: false,
    };
    builder.apply(operation, &[from])
}

fn dense(builder: &mut Builder, from: NodeId) -> NodeId {
    let input = builder.graph.node(from).shape.0.last().unwrap().clone();
    let output = constant(10);
    let operation = Operation::Dense {
        input,
        output,
        bias: true,
    };
    builder.apply(operation, &[from])
}

/// Pairs that are equal because the order of channels does not count.
pub fn equal() -> Vec<(Graph, Graph)> {
    vec![
        both_orders(&|builder, joined| vec![builder.conv(3, joined)]),
        both_orders(&|builder, joined| {
            let norm = builder.norm(joined);
            let relu = builder.relu(norm);
            let each = depthwise(builder, relu);
            let pool = builder.pool(Pooling::Maximum, 3, each);
            let dropped = builder.dropout(0.5, pool);
            vec![builder.convolution(1, constant(3), dropped)]
        }),
        both_orders(&|builder, joined| {
            let flat = builder.apply(Operation::GlobalPool(Pooling::Average), &[joined]);
            vec![dense(builder, flat)]
        }),
        both_orders(&|builder, joined| {
            let flat = builder.apply(Operation::Flatten, &[joined]);
            vec![dense(builder, flat)]
        }),
        // Each of several layers makes up for it.
        both_orders(&|builder, joined| {
            let relu = builder.relu(joined);
            [1, 3, 3].map(|kernel| builder.conv(kernel, relu)).to_vec()
        }),
        // A concatenation in another.
        both_orders(&|builder, joined| {
            let relu = builder.relu(joined);
            let other = builder.conv(5, relu);
            let outer = builder.concatenate(&[relu, other]);
            vec![builder.conv(3, outer)]
        }),
    ]
}

#[test]
fn what_needs_the_order_of_channels_keeps_it() {
    let pairs = [
        both_orders(&|_, joined| vec![joined]),
        both_orders(&|builder, joined| vec![builder.relu(joined)]),
        // The other summand would have to be in another order too.
        both_orders(&|builder, joined| {
            let doubled = builder.conv(3, joined);
            let sum = builder.add(&[joined, doubled]);
            vec![builder.conv(1, sum)]
        }),
        both_orders(&|builder, joined| vec![grouped(builder, 2, joined)]),
        both_orders(&|builder, joined| {
            let channels = builder.channels(joined);
            let norm = builder.apply(Operation::layer_norm(channels), &[joined]);
            vec![builder.conv(3, norm)]
        }),
        // Both layers would have to permute the weights that they share.
        both_orders(&|builder, joined| {
            let first = builder.conv(3, joined);
            let second = builder.conv(3, first);
            builder.share(&[first, second]);
            vec![second]
        }),
        // A norm has one set of weights for all who need it.
        both_orders(&|builder, joined| {
            let norm = builder.norm(joined);
            vec![norm, builder.conv(3, norm)]
        }),
        // Softmax goes along the last axis, tokens exchange the axes.
        both_orders(&|builder, joined| {
            let tokens = builder.apply(Operation::Tokens, &[joined]);
            vec![dense(builder, tokens)]
        }),
    ];
    for (left, right) in &pairs {
        assert!(!are_equal(left, right, Laws::Architecture), "{left:?}");
        check_form(left, Laws::Architecture);
        check_form(right, Laws::Architecture);
    }
}

#[test]
fn each_use_is_looked_at_by_itself() {
    // The output needs the order; the convolution beside it does not.
    let uses = |joins: [[usize; 2]; 2]| {
        let (mut builder, input) = Builder::image();
        let parts = [1, 3].map(|kernel| builder.conv(kernel, input));
        let [shown, read] = joins.map(|order| {
            let joined = builder.concatenate(&order.map(|index| parts[index]));
            builder.activation(Activation::Gelu, joined)
        });
        let conv = builder.conv(3, read);
        builder.finish(&[shown, conv])
    };
    let same = uses([[0, 1], [0, 1]]);
    let other = uses([[0, 1], [1, 0]]);
    assert!(are_equal(&same, &other, Laws::Architecture));
    assert!(!are_equal(&same, &other, Laws::Real));
    let shown = uses([[1, 0], [1, 0]]);
    assert!(!are_equal(&same, &shown, Laws::Architecture));
    for graph in [same, other, shown] {
        check_form(&graph, Laws::Architecture);
    }
}

#[test]
fn without_concatenation_it_is_the_real_form() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    for _ in 0..500 {
        let graph = random::graph(&mut random, 10);
        let is_joined = |graph: &Graph| {
            let nodes = graph.nodes.iter();
            nodes
                .map(|node| format!("{:?}", node.kind))
                .any(|kind| kind.contains("Concatenate"))
        };
        if is_joined(&graph) {
            continue;
        }
        let bytes = |laws: Laws| {
            let certificate = canonicalise(&graph, laws).certificate;
            certificate.bytes()[laws.version().len()..].to_vec()
        };
        assert_eq!(bytes(Laws::Real), bytes(Laws::Architecture));
    }
}

#[test]
fn parts_may_change_places_where_all_uses_treat_channels_alike() {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let mut real = 0;
    for _ in 0..1000 {
        let (left, right) = two_orders(&mut random);
        check_form(&left, Laws::Architecture);
        assert!(are_equal(&left, &right, Laws::Architecture), "{left:?}");
        real += usize::from(are_equal(&left, &right, Laws::Real));
    }
    assert!(real < 700, "{real} of 1000 are equal without it");
}

/// A random program whose concatenations all lead to layers that mix channels, and the same with the
/// parts of each in another order.
fn two_orders(random: &mut ChaCha8Rng) -> (Graph, Graph) {
    let (mut left, input) = Builder::image();
    let mut right = left.clone();
    let mut values = vec![input];
    for _ in 0..random.random_range(2..8) {
        let count = random.random_range(1..4);
        let parts: Vec<NodeId> = (0..count)
            .map(|_| values[random.random_range(0..values.len())])
            .collect();
        let mut moved = parts.clone();
        for place in (1..moved.len()).rev() {
            moved.swap(place, random.random_range(0..=place));
        }
        let way = random.random_range(0..5);
        let ends = [(&mut left, parts), (&mut right, moved)].map(|(builder, parts)| {
            let joined = builder.concatenate(&parts);
            let between = match way {
                0 => builder.norm(joined),
                1 => builder.relu(joined),
                2 => depthwise(builder, joined),
                3 => builder.pool(Pooling::Average, 3, joined),
                _ => joined,
            };
            let between = builder.concatenate(&[between]);
            builder.convolution(3, constant(4), between)
        });
        assert_eq!(ends[0], ends[1], "both are built alike");
        values.push(ends[0]);
    }
    let outputs = [values[values.len() - 1]];
    (left.finish(&outputs), right.finish(&outputs))
}

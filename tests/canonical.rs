//! The canonical form: what it makes equal, what it keeps apart, and how it prints.

mod graphs;

use std::collections::HashSet;

use graphs::random::{from_edges, graph, mutated, shuffled};
use graphs::{Builder, constant, oracle, stack, variable};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::graph::{
    Canonicaliser, Graph, LAWS, Laws, NodeId, NodeKind, canonical_text, canonicalise,
};
use snapc::operations::{Activation, Operation, Pooling, Real, Shape};

const BOTH: [Laws; 2] = [Laws::Exact, Laws::Real];

fn are_equal(left: &Graph, right: &Graph, laws: Laws) -> bool {
    let (left, right) = (canonicalise(left, laws), canonicalise(right, laws));
    assert_eq!(left.certificate == right.certificate, left.key == right.key);
    left.certificate == right.certificate
}

/// Checks everything that holds of the form of a single graph.
fn check_form(graph: &Graph, laws: Laws) {
    let canonical = canonicalise(graph, laws);
    let again = canonicalise(&canonical.graph, laws);
    assert_eq!(
        again.certificate, canonical.certificate,
        "not a normal form"
    );
    assert_eq!(Canonicaliser::new().key(graph, laws), canonical.key);

    let mut layers = HashSet::new();
    for (node, index) in graph.nodes.iter().zip(&canonical.index) {
        let Some(index) = index else { continue };
        let form = canonical.graph.node(NodeId(*index));
        assert_eq!(form.shape.rank(), node.shape.rank());
        let is_known = node.shape.sizes().is_some();
        assert!(!is_known || form.shape == node.shape);
        if let NodeKind::Operation(operation) = &node.kind
            && !operation.parameters().is_empty()
        {
            assert!(!is_known || form.kind == node.kind);
            assert!(layers.insert(index), "two layers became one");
        }
    }

    let text = canonical_text(&canonical);
    let read = canonicalise(&stack::run(&text), laws);
    assert_eq!(read.certificate, canonical.certificate, "{text}");
    assert_eq!(canonical_text(&read), text);
}

fn check_forms(graph: &Graph) {
    for laws in BOTH {
        check_form(graph, laws);
    }
}

/// Pairs that are equal by the law with this number.
fn equal_by(law: u8) -> Vec<(Graph, Graph)> {
    let (builder, input) = Builder::image();
    let identity = || builder.clone().finish(&[input]);
    let of = |build: &dyn Fn(&mut Builder) -> NodeId| {
        let mut builder = builder.clone();
        let output = build(&mut builder);
        builder.finish(&[output])
    };
    match law {
        1 => {
            let mut left = builder.clone();
            let [a, b] = [1, 3].map(|kernel| left.conv(kernel, input));
            let mut right = builder.clone();
            let [d, c] = [3, 1].map(|kernel| right.conv(kernel, input));
            vec![(left.finish(&[a, b]), right.finish(&[c, d]))]
        }
        2 => vec![(
            of(&|builder| {
                let conv = builder.conv(3, input);
                builder.norm(conv);
                builder.relu(input)
            }),
            of(&|builder| builder.relu(input)),
        )],
        3 => {
            let upsample = Operation::Upsample {
                factor: constant(1),
            };
            let slope = Real::new(1.0);
            let mut flat = Builder::new();
            let vector = flat.input(Shape::constant(&[10]));
            let unchanged = flat.clone().finish(&[vector]);
            let flattened = flat.apply(Operation::Flatten, &[vector]);
            vec![
                (of(&|builder| builder.add(&[input])), identity()),
                (of(&|builder| builder.multiply(&[input])), identity()),
                (of(&|builder| builder.concatenate(&[input])), identity()),
                (
                    of(&|builder| builder.apply(upsample.clone(), &[input])),
                    identity(),
                ),
                (
                    of(&|builder| builder.pool(Pooling::Maximum, 1, input)),
                    identity(),
                ),
                (of(&|builder| builder.dropout(0.0, input)), identity()),
                (
                    of(&|builder| builder.activation(Activation::LeakyRelu { slope }, input)),
                    identity(),
                ),
                (flat.finish(&[flattened]), unchanged),
            ]
        }
        4 => {
            let swapped = |merge: fn(&mut Builder, &[NodeId]) -> NodeId| {
                [false, true].map(|swap| {
                    of(&|builder| {
                        let conv = builder.conv(3, input);
                        let operands = if swap { [conv, input] } else { [input, conv] };
                        merge(builder, &operands)
                    })
                })
            };
            [swapped(Builder::add), swapped(Builder::multiply)]
                .map(|[left, right]| (left, right))
                .to_vec()
        }
        5 => vec![(
            of(&|builder| {
                let [a, b] = [builder.gelu(input), builder.gelu(input)];
                builder.add(&[a, b])
            }),
            of(&|builder| {
                let once = builder.gelu(input);
                builder.add(&[once, once])
            }),
        )],
        6 => {
            let chain = |activations: &[Activation]| {
                of(&|builder| {
                    activations.iter().fold(input, |from, activation| {
                        builder.activation(*activation, from)
                    })
                })
            };
            use Activation::{Relu, Relu6};
            vec![
                (chain(&[Relu, Relu]), chain(&[Relu])),
                (chain(&[Relu6, Relu6]), chain(&[Relu6])),
                (chain(&[Relu, Relu6]), chain(&[Relu6])),
                (chain(&[Relu6, Relu]), chain(&[Relu6])),
                (chain(&[Relu, Relu6, Relu, Relu]), chain(&[Relu6])),
            ]
        }
        7 => {
            let parts = |builder: &mut Builder| [1, 3, 5].map(|kernel| builder.conv(kernel, input));
            let flat = of(&|builder| {
                let parts = parts(builder);
                builder.concatenate(&parts)
            });
            let nested = |left: bool| {
                of(&|builder| {
                    let [a, b, c] = parts(builder);
                    if left {
                        let inner = builder.concatenate(&[a, b]);
                        builder.concatenate(&[inner, c])
                    } else {
                        let inner = builder.concatenate(&[b, c]);
                        builder.concatenate(&[a, inner])
                    }
                })
            };
            vec![(nested(true), flat.clone()), (nested(false), flat)]
        }
        8 | 9 => {
            let merge = if law == 8 {
                Builder::add
            } else {
                Builder::multiply
            };
            let sum = |nesting: usize| {
                let mut builder = builder.clone();
                let [a, b, c] = [1, 3, 5].map(|kernel| builder.conv(kernel, input));
                let inner = merge(&mut builder, &[a, b]);
                // The inner sum is an output too and must not hide what the outer one is.
                let outer = match nesting {
                    0 => merge(&mut builder, &[inner, c]),
                    1 => merge(&mut builder, &[c, a, b]),
                    _ => {
                        let other = merge(&mut builder, &[b, c]);
                        merge(&mut builder, &[other, a])
                    }
                };
                builder.finish(&[outer, inner])
            };
            vec![(sum(0), sum(1)), (sum(0), sum(2))]
        }
        10 => vec![(
            of(&|builder| builder.pool(Pooling::Average, 1, input)),
            identity(),
        )],
        _ => Vec::new(),
    }
}

#[test]
fn every_law_makes_equal_what_it_says() {
    for law in &LAWS {
        let pairs = equal_by(law.number);
        assert!(!pairs.is_empty(), "no example of `{}`", law.name);
        for (left, right) in pairs {
            for laws in BOTH {
                let holds = laws.laws().any(|other| other == law);
                assert_eq!(are_equal(&left, &right, laws), holds, "{}", law.name);
                check_form(&left, laws);
                check_form(&right, laws);
            }
        }
    }
}

#[test]
fn what_no_law_says_stays_apart() {
    let (builder, input) = Builder::image();
    let of = |build: &dyn Fn(&mut Builder) -> NodeId| {
        let mut builder = builder.clone();
        let output = build(&mut builder);
        builder.finish(&[output])
    };
    let pairs = [
        // Two layers with weights, state or randomness over one input are two.
        (
            of(&|builder| {
                let [a, b] = [builder.conv(3, input), builder.conv(3, input)];
                builder.add(&[a, b])
            }),
            of(&|builder| {
                let shared = builder.conv(3, input);
                builder.add(&[shared, shared])
            }),
        ),
        (
            of(&|builder| {
                let [a, b] = [builder.dropout(0.5, input), builder.dropout(0.5, input)];
                builder.add(&[a, b])
            }),
            of(&|builder| {
                let shared = builder.dropout(0.5, input);
                builder.add(&[shared, shared])
            }),
        ),
        (
            of(&|builder| {
                let once = builder.norm(input);
                builder.norm(once)
            }),
            of(&|builder| builder.norm(input)),
        ),
        // Multiplicity counts.
        (of(&|builder| builder.add(&[input, input])), of(&|_| input)),
        (
            of(&|builder| builder.add(&[input, input])),
            of(&|builder| builder.add(&[input, input, input])),
        ),
        // A sum is no product, and one in the other is no larger one.
        (
            of(&|builder| builder.add(&[input, input])),
            of(&|builder| builder.multiply(&[input, input])),
        ),
        (
            of(&|builder| {
                let squared = builder.multiply(&[input, input]);
                builder.add(&[squared, input])
            }),
            of(&|builder| builder.add(&[input, input, input])),
        ),
        // Concatenation has an order.
        (
            of(&|builder| {
                let conv = builder.conv(3, input);
                builder.concatenate(&[input, conv])
            }),
            of(&|builder| {
                let conv = builder.conv(3, input);
                builder.concatenate(&[conv, input])
            }),
        ),
        (
            of(&|builder| builder.pool(Pooling::Maximum, 3, input)),
            of(&|builder| builder.pool(Pooling::Average, 3, input)),
        ),
    ];
    for laws in BOTH {
        for (left, right) in &pairs {
            assert!(!are_equal(left, right, laws));
            check_form(left, laws);
            check_form(right, laws);
        }
    }
}

#[test]
fn exact_keeps_the_order_of_three() {
    let sum = |order: [usize; 3]| {
        let (mut builder, input) = Builder::image();
        let parts = [1, 3, 5].map(|kernel| builder.conv(kernel, input));
        let sum = builder.add(&order.map(|index| parts[index]));
        builder.finish(&[sum])
    };
    assert!(!are_equal(&sum([0, 1, 2]), &sum([1, 0, 2]), Laws::Exact));
    assert!(are_equal(&sum([0, 1, 2]), &sum([1, 0, 2]), Laws::Real));
}

#[test]
fn inputs_and_outputs_are_the_interface() {
    let two = |order: [usize; 2]| {
        let mut builder = Builder::new();
        let inputs = [(); 2].map(|()| builder.input(Shape::constant(&[4, 6, 6])));
        builder.finish(&order.map(|index| inputs[index]))
    };
    let one = {
        let (builder, input) = Builder::image();
        builder.finish(&[input, input])
    };
    let graphs = [two([0, 1]), two([1, 0]), two([0, 0]), two([1, 1]), one];
    for laws in BOTH {
        let keys: HashSet<_> = graphs
            .iter()
            .map(|graph| canonicalise(graph, laws).key)
            .collect();
        assert_eq!(keys.len(), graphs.len());
        graphs.iter().for_each(|graph| check_form(graph, laws));
    }
}

#[test]
fn random_programs_agree_with_terms_compared_under_all_numberings() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut equal = 0;
    for _ in 0..4000 {
        let left = graph(&mut random, 9);
        let right = mutated(&shuffled(&left, &mut random), &mut random);
        for laws in BOTH {
            let expected = oracle::are_equal(&left, &right, laws);
            equal += usize::from(expected);
            assert_eq!(
                are_equal(&left, &right, laws),
                expected,
                "{left:?} {right:?}"
            );
        }
    }
    assert!((1000..7000).contains(&equal), "{equal} of 8000");
}

#[test]
fn the_order_of_execution_does_not_matter() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut canonicaliser = Canonicaliser::new();
    for size in (0..2000).map(|round| 3 + round % 40) {
        let graph = graph(&mut random, size);
        let other = shuffled(&graph, &mut random);
        for laws in BOTH {
            let left = canonicaliser.canonicalise(&graph, laws);
            let right = canonicaliser.canonicalise(&other, laws);
            assert_eq!(left.certificate, right.certificate);
            assert_eq!(canonical_text(&left), canonical_text(&right));
        }
    }
}

#[test]
fn random_programs_print_as_themselves() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for size in (0..1500).map(|round| 3 + round % 30) {
        let graph = graph(&mut random, size);
        for laws in BOTH {
            check_form(&graph, laws);
        }
    }
}

#[test]
fn normal_forms_agree_with_an_isomorphism_test() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut equal = 0;
    for _ in 0..4000 {
        let left = graph(&mut random, 14);
        let right = mutated(&shuffled(&left, &mut random), &mut random);
        let laws = Laws::Exact;
        let forms = [left, right].map(|graph| canonicalise(&graph, laws));
        let expected = oracle::are_isomorphic(&forms[0].graph, &forms[1].graph, laws);
        equal += usize::from(expected);
        assert_eq!(forms[0].certificate == forms[1].certificate, expected);
    }
    assert!((500..3500).contains(&equal), "{equal} of 4000");
}

#[test]
fn graphs_that_colours_tell_little_about_agree_with_an_isomorphism_test() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut equal = 0;
    for round in 0..4000 {
        // As many edges as vertices, every vertex with two, gives unions of cycles.
        let vertices = 4 + round % 4;
        let draw = |random: &mut ChaCha8Rng| -> Vec<(usize, usize)> {
            if round % 2 == 0 {
                let mut cycle: Vec<usize> = (0..vertices).collect();
                for index in 0..vertices {
                    cycle.swap(index, random.random_range(0..vertices));
                }
                (0..vertices).map(|index| (index, cycle[index])).collect()
            } else {
                let end = |random: &mut ChaCha8Rng| random.random_range(0..vertices);
                (0..vertices).map(|_| (end(random), end(random))).collect()
            }
        };
        let left = from_edges(vertices, &draw(&mut random));
        let right = from_edges(vertices, &draw(&mut random));
        let laws = BOTH[usize::from(round % 3 == 0)];
        let forms = [&left, &right].map(|graph| canonicalise(graph, laws));
        let expected = oracle::are_isomorphic(&forms[0].graph, &forms[1].graph, laws);
        equal += usize::from(expected);
        assert_eq!(forms[0].certificate == forms[1].certificate, expected);
        let copy = canonicalise(&shuffled(&left, &mut random), Laws::Real);
        assert_eq!(copy.key, canonicalise(&left, Laws::Real).key);
    }
    assert!(equal > 100, "{equal} of 4000");
}

/// Checks that a graph equals copies of it under other numberings of its vertices, and that it
/// differs from another.
fn check_edges(vertices: usize, edges: &[(usize, usize)], other: &[(usize, usize)]) {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let key = canonicalise(&from_edges(vertices, edges), Laws::Real).key;
    for _ in 0..5 {
        let mut numbers: Vec<usize> = (0..vertices).collect();
        let mut edges = edges.to_vec();
        for index in (1..vertices).rev() {
            numbers.swap(index, random.random_range(0..=index));
        }
        for index in (1..edges.len()).rev() {
            edges.swap(index, random.random_range(0..=index));
        }
        for (left, right) in &mut edges {
            (*left, *right) = (numbers[*right], numbers[*left]);
        }
        assert_eq!(
            canonicalise(&from_edges(vertices, &edges), Laws::Real).key,
            key
        );
    }
    assert_ne!(
        canonicalise(&from_edges(vertices, other), Laws::Real).key,
        key
    );
}

/// The two graphs on which the hash of NAS-Bench-101 (Ying et al., 2019) collides: four operations,
/// then four two-input operations wired as one cycle of eight or as two cycles of four.
#[test]
fn one_cycle_of_eight_is_not_two_cycles_of_four() {
    let eight = [(0, 1), (1, 2), (2, 3), (3, 0)];
    let twice_four = [(0, 1), (0, 1), (2, 3), (2, 3)];
    check_edges(4, &eight, &twice_four);
    for edges in [eight, twice_four] {
        check_forms(&from_edges(4, &edges));
    }
}

fn cycle(first: usize, length: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..length).map(move |index| (first + index, first + (index + 1) % length))
}

#[test]
fn long_cycles_are_told_apart() {
    let one: Vec<_> = cycle(0, 300).collect();
    let two: Vec<_> = cycle(0, 150).chain(cycle(150, 150)).collect();
    check_edges(300, &one, &two);
    check_edges(300, &two, &one);
}

/// Graphs in which all vertices look alike to colours, and of which many do even after some are
/// chosen.
#[test]
fn regular_graphs_are_told_apart() {
    // The rook's graph and the Shrikhande graph: both strongly regular (16, 6, 2, 2).
    let place = |row: usize, column: usize| 4 * (row % 4) + column % 4;
    let cells = || (0..16).map(|index| (index / 4, index % 4));
    let rook: Vec<_> = cells()
        .flat_map(|(row, column)| {
            let along = (column + 1..4).map(move |other| (row, other));
            let across = (row + 1..4).map(move |other| (other, column));
            along
                .chain(across)
                .map(move |(other_row, other)| (place(row, column), place(other_row, other)))
        })
        .collect();
    let shrikhande: Vec<_> = cells()
        .flat_map(|(row, column)| {
            [(0, 1), (1, 0), (1, 1)]
                .map(|(down, right)| (place(row, column), place(row + down, column + right)))
        })
        .collect();
    check_edges(16, &rook, &shrikhande);
    check_edges(16, &shrikhande, &rook);

    // Hypercubes of dimension five, one with two parallel edges exchanged.
    let cube: Vec<_> = (0..32_usize)
        .flat_map(|vertex| (0..5).map(move |bit| (vertex, vertex ^ (1 << bit))))
        .filter(|(left, right)| left < right)
        .collect();
    let mut twisted = cube.clone();
    for edge in &mut twisted {
        *edge = match *edge {
            (0, 1) => (0, 3),
            (2, 3) => (1, 2),
            other => other,
        };
    }
    check_edges(32, &cube, &twisted);

    // Complete graphs, with and without a perfect matching.
    let complete: Vec<_> = (0..24)
        .flat_map(|left| (left + 1..24).map(move |right| (left, right)))
        .collect();
    let party: Vec<_> = complete
        .iter()
        .copied()
        .filter(|(left, right)| left / 2 != right / 2)
        .collect();
    check_edges(24, &complete, &party);
    check_edges(24, &party, &complete);
}

/// Branches in a sum of branches in a sum.
fn nested_twins(outer: usize, inner: usize, odd: bool) -> Graph {
    let (mut builder, input) = Builder::image();
    let branches: Vec<NodeId> = (0..outer)
        .map(|branch| {
            let convs: Vec<NodeId> = (0..inner)
                .map(|index| {
                    let is_odd = odd && branch == 7 && index == 9;
                    builder.conv(if is_odd { 1 } else { 3 }, input)
                })
                .collect();
            let sum = builder.add(&convs);
            builder.conv(3, sum)
        })
        .collect();
    let sum = builder.add(&branches);
    builder.finish(&[sum])
}

#[test]
fn twins_do_not_cost_a_factorial() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let twins = nested_twins(32, 32, false);
    let odd = nested_twins(32, 32, true);
    for laws in BOTH {
        assert!(!are_equal(&twins, &odd, laws));
        check_form(&twins, laws);
        check_form(&odd, laws);
    }
    for graph in [twins, odd] {
        assert!(are_equal(
            &graph,
            &shuffled(&graph, &mut random),
            Laws::Real
        ));
    }
}

/// Every sum is of all convolutions but one: tied in pairs, and connected.
#[test]
fn all_but_one_does_not_cost_a_factorial() {
    let all_but = |missing: &dyn Fn(usize) -> usize| {
        let (mut builder, input) = Builder::image();
        let convs: Vec<NodeId> = (0..40).map(|_| builder.conv(3, input)).collect();
        let sums: Vec<NodeId> = (0..40)
            .map(|index| {
                let mut terms = convs.clone();
                terms.remove(missing(index));
                let sum = builder.add(&terms);
                builder.conv(1, sum)
            })
            .collect();
        let sum = builder.add(&sums);
        builder.finish(&[sum])
    };
    let straight = all_but(&|index| index);
    let rotated = all_but(&|index| (index + 17) % 40);
    let doubled = all_but(&|index| index.max(1));
    assert!(are_equal(&straight, &rotated, Laws::Real));
    assert!(!are_equal(&straight, &doubled, Laws::Real));
}

#[test]
fn programs_that_double_stay_small() {
    for (count, laws) in [(60, Laws::Real), (200, Laws::Real), (200, Laws::Exact)] {
        for merge in [Builder::add, Builder::multiply] {
            let (mut builder, input) = Builder::image();
            let output = (0..count).fold(input, |from, _| merge(&mut builder, &[from, from]));
            let graph = builder.finish(&[output]);
            check_form(&graph, laws);
            assert!(canonicalise(&graph, laws).graph.nodes.len() <= count + 1);
        }
    }
    let (mut builder, input) = Builder::image();
    let output = (0..30).fold(input, |from, _| builder.concatenate(&[from, from]));
    let graph = builder.finish(&[output]);
    check_forms(&graph);
}

/// The words of a body on one line.
fn body(graph: &Graph) -> String {
    let text = canonical_text(&canonicalise(graph, Laws::Real));
    let (_, body) = text.split_once(" =\n").unwrap();
    body.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn well_known_blocks_print_as_people_write_them() {
    let (mut builder, input) = Builder::image();
    let residual = {
        let [mut value, input] = [input, input];
        for index in 0..2 {
            value = builder.conv(3, value);
            value = builder.norm(value);
            if index == 0 {
                value = builder.relu(value);
            }
        }
        let sum = builder.add(&[value, input]);
        let output = builder.relu(sum);
        builder.finish(&[output])
    };
    insta::assert_snapshot!(body(&residual), @"dup conv(3) bn relu conv(3) bn add relu");

    let (mut builder, input) = Builder::image();
    let inception = {
        let mut branches: Vec<NodeId> = [1, 3, 5]
            .map(|kernel| builder.convolution(kernel, constant(8), input))
            .to_vec();
        branches.push(builder.pool(Pooling::Maximum, 3, input));
        let output = builder.concatenate(&branches);
        builder.finish(&[output])
    };
    insta::assert_snapshot!(body(&inception), @"dup conv(1, 8) over conv(3, 8) pick(2) conv(5, 8) roll(3) maxpool(3) cat(4)");

    let (mut builder, input) = Builder::image();
    let dense = {
        let mut value = input;
        for _ in 0..4 {
            let layer = builder.convolution(3, constant(2), value);
            value = builder.concatenate(&[value, layer]);
        }
        builder.finish(&[value])
    };
    insta::assert_snapshot!(body(&dense), @"dup conv(3, 2) cat dup conv(3, 2) cat dup conv(3, 2) cat dup conv(3, 2) cat");

    let (mut builder, input) = Builder::image();
    let preactivation = {
        let mut value = input;
        for _ in 0..4 {
            let layer = builder.norm(value);
            let layer = builder.conv(3, layer);
            value = builder.add(&[layer, value]);
        }
        builder.finish(&[value])
    };
    insta::assert_snapshot!(body(&preactivation), @"dup bn conv(3) add dup bn conv(3) add dup bn conv(3) add dup bn conv(3) add");
}

#[test]
fn every_word_prints_with_what_is_not_default() {
    let pair = |height: i64, width: i64| [constant(height), constant(width)];
    let convolution = |output, kernel, padding, groups, bias| Operation::Convolution {
        input: constant(4),
        output: constant(output),
        kernel,
        stride: pair(1, 2),
        padding,
        dilation: pair(2, 2),
        groups: constant(groups),
        bias,
    };
    let operations = [
        convolution(4, pair(1, 7), pair(0, 6), 1, false),
        convolution(8, pair(3, 3), pair(0, 1), 2, true),
        convolution(4, pair(3, 3), pair(2, 2), 4, true),
        Operation::LayerNorm {
            features: constant(4),
        },
        Operation::Dropout {
            rate: Real::new(0.25),
        },
        Operation::Dropout {
            rate: Real::new(0.5),
        },
        Operation::Softmax,
        Operation::Upsample {
            factor: constant(2),
        },
        Operation::GlobalPool(Pooling::Average),
        Operation::GlobalPool(Pooling::Maximum),
        Operation::Flatten,
        Operation::Tokens,
        Operation::Pool {
            kind: Pooling::Average,
            kernel: pair(2, 2),
            stride: pair(2, 2),
            padding: pair(0, 0),
        },
        Operation::Pool {
            kind: Pooling::Maximum,
            kernel: pair(3, 2),
            stride: pair(1, 1),
            padding: pair(0, 1),
        },
        Operation::Activation(Activation::LeakyRelu {
            slope: Real::new(0.01),
        }),
        Operation::Activation(Activation::LeakyRelu {
            slope: Real::new(0.2),
        }),
        Operation::Activation(Activation::Elu {
            alpha: Real::new(2.0),
        }),
        Operation::Activation(Activation::Elu {
            alpha: Real::new(1.0),
        }),
        Operation::Activation(Activation::Silu),
        Operation::Activation(Activation::Sigmoid),
        Operation::Activation(Activation::HardSwish),
        Operation::Activation(Activation::HardSigmoid),
    ];
    let mut words = Vec::new();
    for operation in operations {
        let (mut builder, input) = Builder::image();
        let output = builder.apply(operation, &[input]);
        let graph = builder.finish(&[output]);
        check_forms(&graph);
        words.push(body(&graph));
    }
    let mut builder = Builder::new();
    let tokens = builder.input(Shape::constant(&[36, 8]));
    let attended = builder.apply(
        Operation::Attention {
            width: constant(8),
            heads: constant(2),
        },
        &[tokens],
    );
    let dense = builder.apply(
        Operation::Dense {
            input: constant(8),
            output: constant(3),
            bias: false,
        },
        &[attended],
    );
    let graph = builder.finish(&[dense]);
    check_form(&graph, Laws::Real);
    words.push(body(&graph));
    insta::assert_snapshot!(words.join("\n"), @r"
    conv([1, 7], stride: [1, 2], dilation: 2)
    conv(3, 8, stride: [1, 2], pad: [0, 1], dilation: 2, groups: 2, bias: true)
    dwconv(3, stride: [1, 2], dilation: 2, bias: true)
    ln
    dropout(0.25)
    dropout
    softmax
    upsample(2)
    gap
    gmp
    flatten
    tokens
    avgpool(2, stride: 2)
    maxpool([3, 2], pad: [0, 1])
    leaky_relu
    leaky_relu(0.2)
    elu(2.0)
    elu
    silu
    sigmoid
    hardswish
    hardsigmoid
    attention(2) dense(3, bias: false)
    ");
}

/// `[c, h, w]` with the variables numbered from `first`, in this order or backwards.
fn symbolic_image(builder: &mut Builder, variables: [u32; 3]) -> NodeId {
    builder.input(variables.map(variable).into_iter().collect())
}

#[test]
fn variables_are_renamed() {
    let block = |[c, h, w, inner]: [u32; 4]| {
        let mut builder = Builder::new();
        let input = symbolic_image(&mut builder, [c, h, w]);
        let narrow = builder.convolution(1, variable(inner), input);
        let quarter = variable(c).floor_divide(&constant(4));
        let other = builder.convolution(1, quarter, input);
        let [narrow, other] = [narrow, other].map(|id| builder.convolution(3, variable(c), id));
        let sum = builder.add(&[narrow, other, input]);
        builder.finish(&[sum])
    };
    let graph = block([0, 1, 2, 3]);
    assert!(are_equal(&graph, &block([9, 2, 7, 4]), Laws::Real));
    assert!(!are_equal(&graph, &block([0, 1, 2, 1]), Laws::Real));
    check_forms(&graph);
    let text = canonical_text(&canonicalise(&block([9, 2, 7, 4]), Laws::Real));
    insta::assert_snapshot!(text, @r"
    block test(n) : [c, h, w] -> [c, h, w] =
        dup conv(1, c // 4) conv(3, c) over conv(1, n) conv(3, c) add(3)
    ");
}

#[test]
fn variables_that_nothing_tells_apart_are_renamed_too() {
    // Two branches, each as wide inside as a parameter says.
    let block = |widths: [u32; 4], ends: [i64; 4]| {
        let mut builder = Builder::new();
        let input = symbolic_image(&mut builder, [0, 1, 2]);
        let branches = [0, 1, 2, 3].map(|branch| {
            let width = variable(3 + widths[branch]);
            let inside = builder.convolution(1, width, input);
            builder.convolution(ends[branch], variable(0), inside)
        });
        let sum = builder.add(&branches);
        builder.finish(&[sum])
    };
    let graph = block([0, 0, 1, 1], [3, 3, 3, 3]);
    for widths in [[0, 1, 0, 1], [1, 0, 0, 1], [4, 2, 2, 4]] {
        assert!(are_equal(&graph, &block(widths, [3, 3, 3, 3]), Laws::Real));
    }
    for widths in [[0, 0, 0, 1], [0, 1, 2, 2], [0, 1, 2, 3], [0, 0, 0, 0]] {
        assert!(!are_equal(&graph, &block(widths, [3, 3, 3, 3]), Laws::Real));
    }
    let pairs = block([0, 0, 1, 1], [1, 3, 1, 3]);
    let crossed = block([0, 1, 1, 0], [1, 3, 1, 3]);
    assert!(are_equal(&pairs, &crossed, Laws::Real));
    let parted = block([0, 1, 0, 1], [1, 3, 1, 3]);
    assert!(!are_equal(&pairs, &parted, Laws::Real));
    check_form(&graph, Laws::Real);
    check_form(&parted, Laws::Real);
}

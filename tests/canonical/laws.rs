//! What each law makes equal, and what no law does.

use std::collections::HashSet;

use snapc::graph::{Graph, LAWS, Laws, NodeId, canonicalise};
use snapc::operations::{Activation, Operation, Pooling, Real, Shape};

use crate::graphs::{Builder, constant};
use crate::{ALL, are_equal, check_form, check_forms};

/// The first channels.
fn slice(channels: i64) -> Operation {
    Operation::Slice {
        start: constant(0),
        size: constant(channels),
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
                (of(&|builder| builder.apply(slice(4), &[input])), identity()),
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
        11 => {
            let zero = of(&|builder| builder.activation(Activation::Zero, input));
            let of_zero = |build: &dyn Fn(&mut Builder, NodeId) -> NodeId| {
                of(&|builder| {
                    let zero = builder.activation(Activation::Zero, input);
                    build(builder, zero)
                })
            };
            vec![
                (of_zero(&|builder, zero| builder.relu(zero)), zero.clone()),
                (
                    of_zero(&|builder, zero| builder.dropout(0.5, zero)),
                    zero.clone(),
                ),
                (
                    of_zero(&|builder, zero| builder.pool(Pooling::Average, 3, zero)),
                    zero.clone(),
                ),
                (
                    of_zero(&|builder, zero| builder.add(&[zero, zero])),
                    zero.clone(),
                ),
                (
                    of(&|builder| {
                        let conv = builder.conv(3, input);
                        builder.activation(Activation::Zero, conv)
                    }),
                    zero.clone(),
                ),
                (
                    of(&|builder| {
                        let shape = builder.graph.node(input).shape.clone();
                        let wide = builder.convolution(3, constant(8), input);
                        builder.apply(Operation::Zeros { shape }, &[wide])
                    }),
                    zero,
                ),
                // Zeros beside one another.
                (
                    of(&|builder| {
                        let zero = builder.activation(Activation::Zero, input);
                        builder.concatenate(&[zero, zero, input, zero])
                    }),
                    of(&|builder| {
                        let zero = builder.activation(Activation::Zero, input);
                        let zeros = builder.concatenate(&[zero, zero]);
                        let last = builder.concatenate(&[input, zero]);
                        builder.concatenate(&[zeros, last])
                    }),
                ),
                // Zeros of another shape than the input's.
                (
                    of(&|builder| {
                        let wide = builder.convolution(3, constant(8), input);
                        builder.activation(Activation::Zero, wide)
                    }),
                    of(&|builder| {
                        let wide = builder.convolution(5, constant(8), input);
                        let zero = builder.activation(Activation::Zero, wide);
                        builder.relu(zero)
                    }),
                ),
            ]
        }
        12 => vec![
            (
                of(&|builder| {
                    let zero = builder.activation(Activation::Zero, input);
                    let conv = builder.conv(3, input);
                    builder.add(&[conv, zero])
                }),
                of(&|builder| builder.conv(3, input)),
            ),
            (
                // Zeros of another shape than the input's.
                of(&|builder| {
                    let wide = builder.convolution(3, constant(8), input);
                    let zero = builder.activation(Activation::Zero, wide);
                    builder.add(&[wide, zero, wide])
                }),
                of(&|builder| {
                    let wide = builder.convolution(3, constant(8), input);
                    builder.add(&[wide, wide])
                }),
            ),
        ],
        13 => {
            let zero = of(&|builder| builder.activation(Activation::Zero, input));
            vec![
                (
                    of(&|builder| {
                        let zero = builder.activation(Activation::Zero, input);
                        builder.conv(3, zero)
                    }),
                    zero.clone(),
                ),
                (
                    of(&|builder| {
                        let zero = builder.activation(Activation::Zero, input);
                        let conv = builder.conv(3, input);
                        builder.multiply(&[conv, zero])
                    }),
                    zero,
                ),
            ]
        }
        14 => crate::architecture::equal(),
        _ => Vec::new(),
    }
}

#[test]
fn every_law_makes_equal_what_it_says() {
    for law in &LAWS {
        let pairs = equal_by(law.number);
        assert!(!pairs.is_empty(), "no example of `{}`", law.name);
        for (left, right) in pairs {
            for laws in ALL {
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
        // What a norm makes of nothing is learned.
        (
            of(&|builder| {
                let zero = builder.activation(Activation::Zero, input);
                builder.norm(zero)
            }),
            of(&|builder| builder.activation(Activation::Zero, input)),
        ),
        (
            of(&|builder| {
                let zero = builder.activation(Activation::Zero, input);
                builder.activation(Activation::Sigmoid, zero)
            }),
            of(&|builder| builder.activation(Activation::Zero, input)),
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
    for laws in ALL {
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
    for laws in ALL {
        let keys: HashSet<_> = graphs
            .iter()
            .map(|graph| canonicalise(graph, laws).key)
            .collect();
        assert_eq!(keys.len(), graphs.len());
        graphs.iter().for_each(|graph| check_form(graph, laws));
    }
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
    let output = (0..20).fold(input, |from, _| builder.concatenate(&[from, from]));
    let graph = builder.finish(&[output]);
    check_forms(&graph);
}

#[test]
fn long_merges_stay_small() {
    let layers = 1300;
    for merge in [Builder::add, Builder::concatenate] {
        let (mut builder, input) = Builder::image();
        let output = (0..layers).fold(input, |value, _| {
            let layer = builder.convolution(3, builder.channels(input), value);
            let layer = builder.norm(layer);
            merge(&mut builder, &[value, layer])
        });
        let graph = builder.finish(&[output]);
        check_forms(&graph);
        let form = canonicalise(&graph, Laws::Real).graph;
        let operands: usize = form.nodes.iter().map(|node| node.inputs.len()).sum();
        assert!(operands < 8 * layers, "{operands}");
    }
}

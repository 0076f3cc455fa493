//! Weights that layers share are part of the structure.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use snapc::graph::{Canonicaliser, Graph, Laws, NodeId, WeightsId, canonical_text, canonicalise};
use snapc::operations::Shape;

use crate::graphs::random::{
    from_edges, graph, mutated, shuffled, with_other_weights, with_sharing,
};
use crate::graphs::{Builder, isomorphism, oracle};
use crate::{ALL, BOTH, are_equal, check_form, check_forms, compiled};

/// The graph of a net over images, by way of the whole front end.
fn image(body: &str) -> Graph {
    compiled(&format!("net n : [4, 6, 6] -> [4, 6, 6] = {body}\n"))
}

fn assert_equal(left: &str, right: &str) {
    for laws in ALL {
        assert!(
            are_equal(&image(left), &image(right), laws),
            "{left} and {right}"
        );
    }
    check_forms(&image(left));
    check_forms(&image(right));
}

fn assert_different(programs: &[&str]) {
    for laws in ALL {
        for (index, left) in programs.iter().enumerate() {
            for right in &programs[..index] {
                assert!(
                    !are_equal(&image(left), &image(right), laws),
                    "{left} and {right}"
                );
            }
        }
    }
    programs
        .iter()
        .for_each(|program| check_forms(&image(program)));
}

#[test]
fn who_shares_with_whom_counts() {
    assert_different(&[
        "conv(3) conv(3) conv(3) conv(3)",
        "conv(3)@a conv(3)@a conv(3) conv(3)",
        "conv(3)@a conv(3)@a conv(3)@b conv(3)@b",
        "conv(3)@a conv(3)@b conv(3)@a conv(3)@b",
        "conv(3)@a conv(3)@b conv(3)@b conv(3)@a",
        "conv(3)@a conv(3)@a conv(3)@a conv(3)",
        "conv(3)@a conv(3)@a conv(3)@a conv(3)@a",
    ]);
    assert_different(&["bn relu bn", "bn@a relu bn@a"]);
    // The tensors are the same, what is done with them is not.
    assert_different(&[
        "conv(3)@a conv(3, dilation: 2)@a",
        "conv(3, dilation: 2)@a conv(3)@a",
        "conv(3) conv(3, dilation: 2)",
        "conv(3)@a conv(3)@a",
    ]);
}

#[test]
fn names_of_weights_do_not_count() {
    assert_equal(
        "conv(3)@a conv(3)@b conv(3)@a conv(3)@b",
        "conv(3)@second conv(3)@first conv(3)@second conv(3)@first",
    );
    assert_equal("conv(3)@a", "conv(3)");
    assert_equal(
        "{ conv(3) bn }@a relu { conv(3) bn }@a relu",
        "{ conv(3)@c bn@n relu } * 2",
    );
}

#[test]
fn one_layer_with_the_same_weights_is_one_function() {
    assert_equal("dup conv(3)@a swap conv(3)@a add", "conv(3) dup add");
    assert_equal(
        "dup conv(3)@a swap conv(3)@a mul conv(3)@a",
        "conv(3)@a dup mul conv(3)@a",
    );
    assert_equal(
        "dup conv(3)@a relu swap conv(3)@a relu add",
        "conv(3) relu dup add",
    );
    // What is equal only by other laws too.
    assert_equal(
        "dup dup add conv(3)@a swap dup add conv(3)@a add",
        "dup add conv(3) dup add",
    );
    assert_different(&[
        "dup conv(3)@a swap conv(3)@a add",
        "dup conv(3) swap conv(3) add",
    ]);
    // State and chance never merge.
    assert_different(&["dup bn@a swap bn@a add", "bn dup add", "dup bn swap bn add"]);
    assert_different(&["dup dropout@a swap dropout@a add", "dropout dup add"]);
}

#[test]
fn weights_are_shared_by_what_is_needed() {
    assert_equal("dup conv(3)@a drop conv(3)@a", "conv(3)");
    assert_equal("conv(3)@a dup conv(3)@a drop conv(3)@b", "conv(3) conv(3)");
    assert_equal("dup bn@a drop bn@a", "bn");
}

/// A layer on each of the vertices and edges of a cycle, or cycles, of weights: an edge is a sum
/// of two layers of the input. Nothing but the sharing tells the layers apart.
fn ring(lengths: &[usize]) -> Graph {
    let (mut builder, input) = Builder::image();
    let mut sums = Vec::new();
    for length in lengths {
        let layers: Vec<[NodeId; 2]> = (0..*length)
            .map(|_| {
                let first = builder.conv(3, input);
                let first = builder.norm(first);
                let second = builder.conv(3, input);
                let second = builder.norm(second);
                sums.push(builder.add(&[first, second]));
                [first, second]
            })
            .collect();
        for (index, [_, second]) in layers.iter().enumerate() {
            let [first, _] = layers[(index + 1) % length];
            builder.share(&[*second, first]);
        }
    }
    let gates: Vec<NodeId> = sums.iter().map(|sum| builder.gelu(*sum)).collect();
    let output = builder.add(&gates);
    builder.finish(&[output])
}

#[test]
fn rings_of_shared_weights_are_told_apart() {
    let mut random = ChaCha8Rng::seed_from_u64(31);
    for (one, two) in [([8], [4, 4]), ([120], [60, 60])] {
        let (one, two) = (ring(&one), ring(&two));
        assert!(!are_equal(&one, &two, Laws::Real));
        for graph in [one, two] {
            assert!(are_equal(
                &graph,
                &shuffled(&graph, &mut random),
                Laws::Real
            ));
            check_form(&graph, Laws::Real);
        }
    }
}

#[test]
fn symmetric_graphs_with_shared_weights_agree_with_an_isomorphism_test() {
    let mut random = ChaCha8Rng::seed_from_u64(32);
    let mut equal = 0;
    for _ in 0..3000 {
        let edges = [(0, 1), (1, 2), (2, 3), (3, 0)];
        let left = with_sharing(&from_edges(4, &edges), &mut random);
        let right = with_other_weights(&shuffled(&left, &mut random), &mut random);
        let expected = isomorphism::are_isomorphic(&left, &right, Laws::Real);
        equal += usize::from(expected);
        assert_eq!(are_equal(&left, &right, Laws::Real), expected);
    }
    assert!((300..2700).contains(&equal), "{equal} of 3000");
}

#[test]
fn random_programs_with_shared_weights_agree_with_terms_compared_under_all_renamings() {
    let mut random = ChaCha8Rng::seed_from_u64(33);
    let (mut equal, mut sharing) = (0, 0);
    for round in 0..4000 {
        let left = with_sharing(&graph(&mut random, 9), &mut random);
        let copy = shuffled(&left, &mut random);
        let copy = with_other_weights(&copy, &mut random);
        let right = match round % 3 {
            0 => with_other_weights(&copy, &mut random),
            _ => mutated(&copy, &mut random),
        };
        for laws in BOTH {
            let expected = oracle::are_equal(&left, &right, laws);
            equal += usize::from(expected);
            assert_eq!(
                are_equal(&left, &right, laws),
                expected,
                "{left:?} {right:?}"
            );
        }
        sharing += usize::from(canonicalise(&left, Laws::Real).graph.shares_weights());
    }
    assert!((1000..7000).contains(&equal), "{equal} of 8000");
    assert!(sharing > 400, "{sharing} of 4000");
}

#[test]
fn random_programs_with_shared_weights_print_as_themselves() {
    let mut random = ChaCha8Rng::seed_from_u64(34);
    let mut canonicaliser = Canonicaliser::new();
    for size in (0..1500).map(|round| 3 + round % 30) {
        let graph = with_sharing(&graph(&mut random, size), &mut random);
        let other = shuffled(&graph, &mut random);
        for laws in ALL {
            check_form(&graph, laws);
            let left = canonicaliser.canonicalise(&graph, laws);
            let right = canonicaliser.canonicalise(&other, laws);
            assert_eq!(left.certificate, right.certificate);
            assert_eq!(canonical_text(&left), canonical_text(&right));
        }
    }
}

#[test]
fn sharing_prints_with_letters() {
    let text = |graph: &Graph| canonical_text(&canonicalise(graph, Laws::Real));
    let graph = image("{ conv(3) bn relu }@all * 3 conv(3)@last relu conv(3)@last");
    insta::assert_snapshot!(text(&graph), @r"
    net n : [4, 6, 6] -> [4, 6, 6] =
        conv(3)@a bn@b { relu conv(3)@a bn@b } * 2 { relu conv(3)@c } * 2
    ");
    let (mut builder, input) = Builder::image();
    let mut value = input;
    for _ in 0..30 {
        let [first, second] = [builder.conv(1, value), builder.conv(3, value)];
        value = builder.add(&[first, second]);
        let [third, fourth] = [builder.conv(1, value), builder.conv(3, value)];
        builder.share(&[first, third]);
        builder.share(&[second, fourth]);
        value = builder.add(&[third, fourth]);
    }
    let many = builder.finish(&[value]);
    check_form(&many, Laws::Real);
    assert!(text(&many).contains("conv(3)@z") && text(&many).contains("@a2 "));
}

#[test]
fn kinds_of_layers_that_share_print_so() {
    let graph = compiled(
        "net n : [5] -> [5, 11] = embedding(11, 4)@tokens gelu dense(11, bias: false)@tokens\n",
    );
    let apart = compiled("net n : [5] -> [5, 11] = embedding(11, 4) gelu dense(11, bias: false)\n");
    assert!(!are_equal(&graph, &apart, Laws::Real));
    check_forms(&graph);
    insta::assert_snapshot!(canonical_text(&canonicalise(&graph, Laws::Real)), @r"
    net n : [5] -> [5, 11] =
        embedding(11, 4)@a gelu dense(11, bias: false)@a
    ");
}

#[test]
fn blocks_with_open_sizes_share_too() {
    let graph = compiled("block b : [c, h, w] -> [c, h, w] = conv(3)@x relu conv(3)@x\n");
    check_forms(&graph);
    insta::assert_snapshot!(canonical_text(&canonicalise(&graph, Laws::Real)), @r"
    block b : [c, h, w] -> [c, h, w] =
        conv(3)@a relu conv(3)@a
    ");
}

/// So certificates of programs without sharing are what they were before there was any.
#[test]
fn certificates_say_who_shares_behind_everything_else() {
    let mut builder = Builder::new();
    let input = builder.input(Shape::constant(&[4, 6, 6]));
    let first = builder.conv(3, input);
    let second = builder.conv(3, first);
    let apart = builder.clone().finish(&[second]);
    builder.share(&[first, second]);
    let shared = builder.finish(&[second]);
    let [apart, shared] = [apart, shared].map(|graph| canonicalise(&graph, Laws::Real).certificate);
    // One set of two layers: the first value after the input and the second.
    let expected = [apart.bytes(), &[1, 2, 1, 2]].concat();
    assert_eq!(shared.bytes(), expected);
}

#[test]
fn a_set_of_one_layer_is_none() {
    let (mut builder, input) = Builder::image();
    let layer = builder.conv(3, input);
    builder.share(&[layer]);
    let mut graph = builder.finish(&[layer]);
    assert_eq!(graph.node(layer).weights, Some(WeightsId(1)));
    graph.number_weights();
    assert_eq!(graph.node(layer).weights, None);
}

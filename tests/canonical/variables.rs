//! Blocks standing alone, whose sizes are variables.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::graph::{Graph, Laws, NodeId, NodeKind, canonical_text, canonicalise};
use snapc::operations::{Activation, Variable};

use crate::graphs::{Builder, constant, variable};
use crate::{are_equal, check_form, check_forms};

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

#[test]
fn zeros_have_sizes_with_variables() {
    // Zeros whose channels are p * q + r, of one layer and of two, and a layer of p channels.
    let block = |[p, q, r]: [u32; 3], kernel: i64, parts: usize| {
        let mut builder = Builder::new();
        let input = symbolic_image(&mut builder, [0, 1, 2]);
        let [p, q, r] = [p, q, r].map(variable);
        let product = &p * &q;
        let widths = match parts {
            1 => vec![&product + &r],
            _ => vec![product, r],
        };
        let zeros = widths.into_iter().map(|width| {
            let wide = builder.convolution(kernel, width, input);
            builder.activation(Activation::Zero, wide)
        });
        let zeros: Vec<NodeId> = zeros.collect();
        let layer = builder.convolution(3, p, input);
        let joined = builder.concatenate(&zeros);
        let all = builder.concatenate(&[layer, joined]);
        builder.finish(&[joined, all])
    };
    let graph = block([3, 4, 5], 1, 1);
    check_forms(&graph);
    for equal in [block([3, 4, 5], 5, 2), block([7, 3, 4], 3, 1)] {
        assert!(are_equal(&graph, &equal, Laws::Exact));
    }
    // Not `p` but `r` is the channels of the layer.
    let mut other = block([3, 4, 5], 1, 1);
    let swapped = |old| match old {
        Variable(3) => Some(variable(5)),
        Variable(5) => Some(variable(3)),
        _ => None,
    };
    let layer = &mut other.nodes[3];
    assert_eq!(layer.shape.0[0], variable(3));
    layer.shape = layer.shape.substitute(&swapped);
    layer.kind = match &layer.kind {
        NodeKind::Operation(operation) => NodeKind::Operation(operation.substitute(&swapped)),
        NodeKind::Input(_) => panic!("the layer comes after the zero"),
    };
    assert!(!are_equal(&graph, &other, Laws::Real));
    let text = canonical_text(&canonicalise(&graph, Laws::Real));
    insta::assert_snapshot!(text, @r"
    block test(n, n2, n3) : [c, h, w] -> [n + n2 * n3, h, w] [n + n2 * n3 + n3, h, w] =
        dup zeros(n + n2 * n3, h, w) swap conv(3, n3) over cat
    ");
}

/// A block of two layers whose sizes are these polynomials in three parameters: for each term the
/// coefficient and the power of each parameter.
fn sized(polynomials: &[Vec<(i64, [u32; 3])>; 2], names: [u32; 3]) -> Graph {
    let mut builder = Builder::new();
    let input = symbolic_image(&mut builder, [0, 1, 2]);
    let outputs = polynomials.each_ref().map(|terms| {
        let sum = terms.iter().map(|(coefficient, powers)| {
            let factors = names
                .iter()
                .zip(powers)
                .flat_map(|(name, power)| std::iter::repeat_n(variable(3 + name), *power as usize));
            factors.fold(constant(*coefficient), |product, factor| &product * &factor)
        });
        let size = sum.fold(constant(0), |sum, term| &sum + &term);
        builder.convolution(3, &size + &constant(1), input)
    });
    builder.finish(&outputs)
}

const RENAMINGS: [[u32; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

#[test]
fn labels_of_three_variables_are_equal_up_to_renaming_and_no_further() {
    let mut random = ChaCha8Rng::seed_from_u64(40);
    let mut equal = 0;
    for _ in 0..400 {
        let mut polynomial = || -> Vec<(i64, [u32; 3])> {
            (0..random.random_range(1..4))
                .map(|_| {
                    let powers = [(); 3].map(|()| random.random_range(0..3));
                    (random.random_range(1..3), powers)
                })
                .collect()
        };
        let polynomials = [polynomial(), polynomial()];
        let graph = sized(&polynomials, [0, 1, 2]);
        for names in RENAMINGS {
            assert!(are_equal(&graph, &sized(&polynomials, names), Laws::Real));
        }
        // The same with the parameters of the second layer renamed: equal if some renaming of both
        // makes it so, which is tried out on the graphs themselves.
        let moved = |terms: &Vec<(i64, [u32; 3])>, names: [u32; 3]| {
            let rename = |(coefficient, powers): &(i64, [u32; 3])| {
                (*coefficient, names.map(|name| powers[name as usize]))
            };
            terms.iter().map(rename).collect::<Vec<_>>()
        };
        let twisted = [polynomials[0].clone(), moved(&polynomials[1], [1, 2, 0])];
        let other = sized(&twisted, [0, 1, 2]);
        let expected = RENAMINGS
            .iter()
            .any(|names| sized(&polynomials, *names).nodes == other.nodes);
        equal += usize::from(expected);
        assert_eq!(
            are_equal(&graph, &other, Laws::Real),
            expected,
            "{twisted:?}"
        );
    }
    assert!((20..380).contains(&equal), "{equal} of 400");
}

#[test]
fn variables_in_a_circle_are_renamed() {
    // a b^2 + b c^2 + c a^2: each of the three is mentioned alike, but not each order of them.
    let circle = vec![(1, [1, 2, 0]), (1, [0, 1, 2]), (1, [2, 0, 1])];
    let back = vec![(1, [2, 1, 0]), (1, [0, 2, 1]), (1, [1, 0, 2])];
    let same = sized(&[circle.clone(), circle.clone()], [0, 1, 2]);
    let opposite = sized(&[circle.clone(), back], [0, 1, 2]);
    for names in RENAMINGS {
        let renamed = sized(&[circle.clone(), circle.clone()], names);
        assert!(are_equal(&same, &renamed, Laws::Real));
        assert!(!are_equal(&opposite, &renamed, Laws::Real));
    }
    check_forms(&same);
    check_forms(&opposite);
}

#[test]
fn quotients_of_three_variables_are_equal_up_to_renaming_and_no_further() {
    let block = |[a, b, c]: [u32; 3], [d, e, f]: [u32; 3]| {
        let mut builder = Builder::new();
        let input = symbolic_image(&mut builder, [0, 1, 2]);
        let size = |[a, b, c]: [u32; 3]| {
            let sum = &variable(a) + &(&variable(b) * &variable(b));
            &sum.floor_divide(&variable(c)) + &constant(1)
        };
        let outputs =
            [size([a, b, c]), size([d, e, f])].map(|size| builder.convolution(3, size, input));
        builder.finish(&outputs)
    };
    let graph = block([3, 4, 5], [4, 5, 3]);
    assert!(are_equal(&graph, &block([5, 3, 4], [3, 4, 5]), Laws::Real));
    assert!(are_equal(&graph, &block([7, 9, 8], [9, 8, 7]), Laws::Real));
    assert!(!are_equal(&graph, &block([3, 4, 5], [5, 3, 4]), Laws::Real));
    assert!(!are_equal(&graph, &block([3, 4, 5], [3, 4, 5]), Laws::Real));
    check_forms(&graph);
}

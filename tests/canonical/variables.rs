//! Blocks standing alone, whose sizes are variables.

use snapc::graph::{Laws, NodeId, canonical_text, canonicalise};

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

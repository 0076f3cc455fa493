//! Pairs of equal programs that take some care to compute alike.

use snapc::graph::Laws;

use crate::comparison::{check_outputs, smallest_set};
use crate::spelling::compiled;

/// Checks pairs of bodies of nets over an image that are equal under some laws.
fn check(laws: Laws, pairs: &[[&str; 2]]) {
    for pair in pairs {
        let [left, right] = pair.map(|body| {
            let channels = if body.ends_with("cat") { 6 } else { 3 };
            compiled(&format!(
                "net n : [3, 4, 5] -> [{channels}, 4, 5] = {body}\n"
            ))
        });
        assert_eq!(smallest_set(&left, &right), Some(laws), "{pair:?}");
        check_outputs(laws, &left, &right);
    }
}

#[test]
fn layers_that_look_alike_stay_in_their_order_in_sums_of_three() {
    let pairs = [
        [
            "let x x conv(3) let a x conv(3) let b x conv(3) let c a b c add(3)",
            "let x x conv(3) let c x conv(3) let a x conv(3) let b a b c add(3)",
        ],
        [
            "let x x dropout(0.5) let a x dropout(0.5) let b x dropout(0.5) let c a b c mul(3)",
            "let x x dropout(0.5) let b x dropout(0.5) let c x dropout(0.5) let a a b c mul(3)",
        ],
    ];
    check(Laws::Exact, &pairs);
}

#[test]
fn layers_that_multiply_nothing_are_born_alike() {
    check(
        Laws::Exact,
        &[[
            "dup conv(3) over zero mul swap conv(1) cat",
            "dup relu relu drop dup conv(1) swap dup zero swap conv(3) mul swap cat",
        ]],
    );
}

#[test]
fn what_only_a_zero_is_made_of_updates_no_statistics() {
    let pairs = [["dup bn@a swap tanh bn@a zero cat", "dup bn swap zero cat"]];
    check(Laws::Exact, &pairs);
    let pairs = [
        [
            "dup bn@a swap dup tanh bn@a swap zero mul cat",
            "dup bn swap zero cat",
        ],
        [
            "dup bn@a swap tanh bn@a zero conv(3) cat",
            "dup bn swap zero cat",
        ],
        ["dup bn@a swap tanh bn@a zero add", "bn"],
    ];
    check(Laws::Real, &pairs);
}

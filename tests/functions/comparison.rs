//! Whether two programs are equal, and compute the same.

use snapc::graph::{Canonicaliser, Graph, Laws};

use crate::network::{Numbers, Tensors, Trial};
use crate::spelling::text;

/// All sets of laws, the smallest first.
const SETS: [Laws; 3] = [Laws::Exact, Laws::Real, Laws::Architecture];

/// The smallest set of laws that makes two programs equal. The larger ones must do so too.
pub fn smallest_set(left: &Graph, right: &Graph) -> Option<Laws> {
    let mut canonicaliser = Canonicaliser::new();
    let are_equal = SETS.map(|laws| {
        let keys = [left, right].map(|graph| canonicaliser.key(graph, laws));
        keys[0] == keys[1]
    });
    assert!(
        are_equal.is_sorted(),
        "{are_equal:?}: {}",
        texts(left, right)
    );
    let smallest = are_equal.iter().position(|are_equal| *are_equal)?;
    Some(SETS[smallest])
}

/// Two programs as text.
pub fn texts(left: &Graph, right: &Graph) -> String {
    format!("{} and {}", text(left), text(right))
}

/// Checks that two programs that are equal under these laws compute the same: bit by bit under
/// `exact`, else with a tolerance. Gradients may be summed in another order; where none is a sum they
/// are compared bit by bit as well, and that is what is given back.
pub fn check_outputs(laws: Laws, left: &Graph, right: &Graph) -> bool {
    let is_exact = laws == Laws::Exact;
    let mut is_tree = is_exact;
    for (are_moved, are_special) in [(false, false), (true, false), (true, true)] {
        if are_special && !is_exact {
            // Where sums are rounded in another way, what lies at a corner may leave it.
            continue;
        }
        let numbers = Numbers {
            are_special,
            are_moved,
        };
        let trials = [left, right].map(|graph| Trial::new(graph, numbers));
        is_tree &= trials.iter().all(|trial| trial.is_tree);
        let told = || format!("{numbers:?}, {}", texts(left, right));
        compare(is_exact, &trials, &told);
        if is_tree {
            assert_eq!(trials[0].gradients, trials[1].gradients, "{}", told());
        } else if !are_special {
            // Norms of inputs that are mostly equal make much of little.
            for (left, right) in trials[0].gradients.iter().zip(&trials[1].gradients) {
                assert_all_close(left, right, 1e-4, &told);
            }
        }
    }
    is_tree
}

/// Compares everything but gradients.
fn compare(is_exact: bool, [left, right]: &[Trial; 2], told: &dyn Fn() -> String) {
    assert_eq!(left.weights, right.weights, "first weights: {}", told());
    assert_eq!(left.outputs.len(), right.outputs.len());
    for (left, right) in left.outputs.iter().zip(&right.outputs) {
        match is_exact {
            true => assert_eq!(bits(left), bits(right), "outputs: {}", told()),
            false => assert_close(left, right, 1e-5, told),
        }
    }
    match is_exact {
        true => assert_eq!(left.state, right.state, "running statistics: {}", told()),
        false => assert_all_close(&left.state, &right.state, 1e-5, told),
    }
    let nothing = left.gradients_of_nothing.iter();
    for gradient in nothing.chain(&right.gradients_of_nothing) {
        assert!(gradient.iter().all(|value| *value == 0.0), "{}", told());
    }
}

/// Numbers bit by bit; two that are no numbers count as one.
fn bits(values: &[f32]) -> Vec<u32> {
    let bits = |value: &f32| if value.is_nan() { f32::NAN } else { *value }.to_bits();
    values.iter().map(bits).collect()
}

fn assert_all_close(left: &Tensors, right: &Tensors, tolerance: f32, told: &dyn Fn() -> String) {
    assert!(left.keys().eq(right.keys()), "{}", told());
    for (left, right) in left.values().zip(right.values()) {
        assert_close(left, right, tolerance, told);
    }
}

/// Compares numbers, in terms of the largest of them.
pub fn assert_close(left: &[f32], right: &[f32], tolerance: f32, told: &dyn Fn() -> String) {
    assert_eq!(left.len(), right.len());
    let largest = |scale: f32, value: &f32| scale.max(value.abs());
    let scale = left.iter().fold(1.0, largest);
    for (left, right) in left.iter().zip(right) {
        let is_close = (left - right).abs() <= tolerance * scale;
        let is_same = left == right || left.is_nan() && right.is_nan();
        assert!(
            is_close || is_same,
            "{left}, {right} of {scale}: {}",
            told()
        );
    }
}

//! Every law, one by one: programs that it makes equal, and what their networks compute.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::graph::{Canonicaliser, Graph, LAWS, Law, Laws};

use crate::network::{Numbers, Tensors, Trial};
use crate::programs;
use crate::rewriting::rewritten;
use crate::spelling::text;

/// All sets of laws, the smallest first.
const SETS: [Laws; 3] = [Laws::Exact, Laws::Real, Laws::Architecture];

/// The pairs of programs for each law.
const PAIRS: usize = 50;

/// Pairs of programs that a law makes equal, and no law of a smaller set.
fn pairs(law: &Law) -> Vec<(Graph, Graph)> {
    let mut random = ChaCha8Rng::seed_from_u64(law.number.into());
    let zeros = if law.number > 10 { 0.2 } else { 0.02 };
    let mut pairs = Vec::new();
    for _ in 0..20 * PAIRS {
        if pairs.len() == PAIRS {
            break;
        }
        let left = programs::draw(&mut random, zeros);
        let mut right = left.clone();
        for _ in 0..random.random_range(1..=3) {
            right = rewritten(law.number, &right, &mut random).unwrap_or(right);
        }
        let is_news = SETS
            .iter()
            .all(|laws| *laws >= law.first || !are_equal(&left, &right, *laws));
        if left != right && is_news {
            pairs.push((left, right));
        }
    }
    assert_eq!(pairs.len(), PAIRS, "law {} is hard to apply", law.number);
    pairs
}

fn are_equal(left: &Graph, right: &Graph, laws: Laws) -> bool {
    let mut canonicaliser = Canonicaliser::new();
    canonicaliser.key(left, laws) == canonicaliser.key(right, laws)
}

/// Checks a law that says that two programs compute the same.
fn check(number: u8) {
    let law = LAWS.iter().find(|law| law.number == number).expect("a law");
    let mut trees = 0;
    for (pair, (left, right)) in pairs(law).iter().enumerate() {
        let texts = || format!("pair {pair}, {} and {}", text(left), text(right));
        for laws in SETS.iter().filter(|laws| **laws >= law.first) {
            assert!(are_equal(left, right, *laws), "{laws}, {}", texts());
        }
        for are_moved in [false, true] {
            let numbers = Numbers {
                // Where sums are rounded in another way, what lies at a corner may leave it.
                are_special: law.first == Laws::Exact && pair % 2 == 0,
                are_moved,
            };
            let trials = [left, right].map(|graph| Trial::new(graph, numbers));
            compare(law, &trials, &|| format!("{numbers:?}, {}", texts()));
            trees += usize::from(trials.iter().all(|trial| trial.is_tree));
        }
    }
    // A value that is computed once for several layers is in no tree.
    assert!(trees > 10 || number == 5, "{trees} trees");
}

/// Compares what two equal programs compute.
fn compare(law: &Law, [left, right]: &[Trial; 2], told: &dyn Fn() -> String) {
    let is_exact = law.first == Laws::Exact;
    assert_eq!(left.weights, right.weights, "first weights: {}", told());
    assert_eq!(left.outputs.len(), right.outputs.len());
    for (left, right) in left.outputs.iter().zip(&right.outputs) {
        match is_exact {
            true => assert_eq!(bits(left), bits(right), "outputs: {}", told()),
            false => assert_close(left, right, 1e-5, told),
        }
    }
    let states = [&left.state, &right.state];
    match is_exact {
        true => assert_eq!(left.state, right.state, "running statistics: {}", told()),
        false => assert_all_close(states, 1e-5, told),
    }
    for (one, other) in left.gradients.iter().zip(&right.gradients) {
        match is_exact && left.is_tree && right.is_tree {
            true => assert_eq!(one, other, "gradients: {}", told()),
            false => assert_all_close([one, other], 1e-4, told),
        }
    }
    for gradient in left
        .gradients_of_nothing
        .iter()
        .chain(&right.gradients_of_nothing)
    {
        assert!(gradient.iter().all(|value| *value == 0.0), "{}", told());
    }
}

/// Numbers bit by bit; two that are no numbers count as one.
fn bits(values: &[f32]) -> Vec<u32> {
    let bits = |value: &f32| if value.is_nan() { f32::NAN } else { *value }.to_bits();
    values.iter().map(bits).collect()
}

fn assert_all_close([left, right]: [&Tensors; 2], tolerance: f32, told: &dyn Fn() -> String) {
    assert!(left.keys().eq(right.keys()), "{}", told());
    for (left, right) in left.values().zip(right.values()) {
        assert_close(left, right, tolerance, told);
    }
}

/// Compares numbers, in terms of the largest of them.
fn assert_close(left: &[f32], right: &[f32], tolerance: f32, told: &dyn Fn() -> String) {
    assert_eq!(left.len(), right.len());
    let scale = left
        .iter()
        .fold(1.0, |scale: f32, value| scale.max(value.abs()));
    for (left, right) in left.iter().zip(right) {
        let distance = (left - right).abs();
        assert!(
            distance <= tolerance * scale,
            "{left}, {right} of {scale}: {}",
            told()
        );
    }
}

/// A test for each law, by its name and number.
macro_rules! laws {
    ($($name:ident $number:literal)*) => {
        $(
            #[test]
            fn $name() {
                check($number);
            }
        )*

        #[test]
        fn every_law_is_tested() {
            let tested = [$(($number, stringify!($name))),*];
            let laws = LAWS.map(|law| (law.number, law.name.replace(' ', "_")));
            let laws = laws.iter().map(|(number, name)| (*number, name.as_str()));
            assert!(laws.clone().eq(tested), "{:?}", laws.collect::<Vec<_>>());
        }
    };
}

laws! {
    dataflow 1
    dead_code 2
    identities 3
    commutativity 4
    sharing 5
    rectifiers 6
    nested_concatenation 7
    sums 8
    products 9
    average_of_one 10
    zeros 11
    zero_terms 12
    layers_of_nothing 13
    order_of_channels 14
}

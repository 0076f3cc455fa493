//! Every law, one by one: random programs that it makes equal, and what their networks compute.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::graph::{Graph, LAWS, Law, Laws};

use crate::channels::in_other_order;
use crate::comparison::{check_outputs, smallest_set, texts};
use crate::programs;
use crate::rewriting::rewritten;

/// The pairs of programs for each law.
const PAIRS: usize = 300;

/// Draws until there are enough of something that some programs have.
fn draw<T>(law: &Law, mut made: impl FnMut(Graph, &mut ChaCha8Rng) -> Option<T>) -> Vec<T> {
    let mut random = ChaCha8Rng::seed_from_u64(law.number.into());
    // Few programs are about nothing.
    let zeros = match law.name {
        "zeros" | "layers of nothing" => 0.2,
        _ => 0.02,
    };
    let mut attempts = (0..50 * PAIRS).filter_map(|_| {
        let graph = programs::draw(&mut random, zeros);
        made(graph, &mut random)
    });
    let drawn: Vec<T> = attempts.by_ref().take(PAIRS).collect();
    assert_eq!(drawn.len(), PAIRS, "`{}` is hard to apply", law.name);
    drawn
}

/// Whether a law was needed to make two programs equal: no smaller set of laws does. That it does so is
/// checked.
fn is_needed(law: &Law, left: &Graph, right: &Graph) -> bool {
    let smallest = smallest_set(left, right);
    let are_equal = smallest.is_some_and(|smallest| smallest <= law.first);
    assert!(are_equal, "`{}`: {}", law.name, texts(left, right));
    smallest == Some(law.first)
}

/// Checks a law that says that two programs compute the same from equal weights.
fn check_function(law: &Law) {
    let pairs = draw(law, |left, random| {
        let mut right = left.clone();
        for _ in 0..random.random_range(1..=3) {
            right = rewritten(law.number, &right, random).unwrap_or(right);
        }
        (left != right && is_needed(law, &left, &right)).then_some((left, right))
    });
    let pairs = pairs.iter();
    let trees = pairs.filter(|(left, right)| check_outputs(law.first, left, right));
    // What is computed once for several layers is in no tree.
    let has_trees = law.first == Laws::Exact && law.name != "sharing";
    assert_eq!(trees.count() > PAIRS / 10, has_trees);
}

/// Checks a law that says that two programs compute the same from weights in another order.
fn check_architecture(law: &Law) {
    let pairs = draw(law, |graph, random| {
        let pair = in_other_order(&graph, random)?;
        is_needed(law, &pair.left, &pair.right).then_some(pair)
    });
    for pair in pairs {
        pair.check(&|| texts(&pair.left, &pair.right));
    }
}

/// A test for each law, by its number and name.
macro_rules! laws {
    ($($number:literal $name:ident $check:ident)*) => {
        $(
            #[test]
            fn $name() {
                let law = LAWS.iter().find(|law| law.number == $number);
                $check(law.expect("a law with this number"));
            }
        )*

        #[test]
        fn every_law_is_tested() {
            let tested = [$(($number, stringify!($name).replace('_', " "))),*];
            let laws = LAWS.map(|law| (law.number, law.name.to_string()));
            assert_eq!(laws.as_slice(), tested, "add a law to the list below, and what it makes of a program");
        }
    };
}

laws! {
    1 dataflow check_function
    2 dead_code check_function
    3 identities check_function
    4 commutativity check_function
    5 sharing check_function
    6 rectifiers check_function
    7 nested_concatenation check_function
    8 sums check_function
    9 products check_function
    10 average_of_one check_function
    11 zeros check_function
    12 zero_terms check_function
    13 layers_of_nothing check_function
    14 order_of_channels check_architecture
}

//! Programs drawn at random, compared in other ways too.

use std::collections::HashMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::graph::{Canonicaliser, Key, Laws, canonical_text, canonicalise};

use crate::graphs::isomorphism::{self, Encoded};
use crate::graphs::oracle;
use crate::graphs::programs::{Program, programs};
use crate::graphs::random::{from_edges, graph, mutated, pair, shuffled};
use crate::{ALL, BOTH, are_equal, check_form};

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
        for laws in ALL {
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
        for laws in ALL {
            check_form(&graph, laws);
        }
    }
}

/// The classes of networkx are compared in the same way in `benches/oracle`, for longer programs.
#[test]
fn all_short_programs_agree_with_an_isomorphism_test() {
    let programs: Vec<Program> = programs(4).collect();
    for laws in BOTH {
        let mut canonicaliser = Canonicaliser::new();
        let mut class_of_key: HashMap<Key, usize> = HashMap::new();
        let mut classes: Vec<(&str, Encoded)> = Vec::new();
        let mut alike: HashMap<Vec<[String; 3]>, Vec<usize>> = HashMap::new();
        for Program { text, graph } in &programs {
            let encoded = isomorphism::encoded(graph, laws);
            let alike = alike.entry(isomorphism::invariant(&encoded)).or_default();
            let same = |class: &&usize| isomorphism::are_same(&classes[**class].1, &encoded);
            let class = alike.iter().find(same).copied().unwrap_or(classes.len());
            if class == classes.len() {
                classes.push((text, encoded));
                alike.push(class);
            }
            let key = canonicaliser.key(graph, laws);
            let keyed = *class_of_key.entry(key).or_insert(class);
            let (found, expected) = (classes[keyed].0, classes[class].0);
            assert_eq!(keyed, class, "{text} is {expected}, by its key {found}");
        }
        assert_eq!(class_of_key.len(), classes.len(), "a class has two keys");
        assert!((1000..programs.len()).contains(&classes.len()));
    }
}

#[test]
fn random_programs_agree_with_an_isomorphism_test() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut equal = 0;
    for _ in 0..4000 {
        let [left, right] = pair(&mut random, 14);
        for laws in BOTH {
            let expected = isomorphism::are_isomorphic(&left, &right, laws);
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
        let expected = isomorphism::are_isomorphic(&left, &right, laws);
        equal += usize::from(expected);
        assert_eq!(are_equal(&left, &right, laws), expected);
        let copy = canonicalise(&shuffled(&left, &mut random), Laws::Real);
        assert_eq!(copy.key, canonicalise(&left, Laws::Real).key);
    }
    assert!(equal > 100, "{equal} of 4000");
}

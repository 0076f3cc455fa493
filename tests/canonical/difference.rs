//! What differs between programs.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use snapc::graph::{Canonical, canonicalise, difference};
use std::collections::BTreeMap;
use std::collections::HashSet;

use crate::BOTH;
use crate::graphs::random::{Edit, edited, graph, shuffled, with_sharing};

#[test]
fn measure() {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let mut counts: BTreeMap<(Edit, usize), usize> = BTreeMap::new();
    let mut shown = 0;
    for round in 0..400000 {
        let mut left = graph(&mut random, 3 + round % 20);
        if round % 3 == 0 {
            left = with_sharing(&left, &mut random);
        }
        let laws = BOTH[round % 2];
        let left = canonicalise(&left, laws);
        let edit = Edit::ALL[round % 8];
        let Some(right) = edited(&left.graph, edit, &mut random) else {
            continue;
        };
        let plain = right.clone();
        let right = canonicalise(&shuffled(&right, &mut random), laws);
        let found = difference(&left, &right);
        assert_eq!(found.is_empty(), left.key == right.key);
        let is_plain = left.key != right.key
            && !has_parts(&left)
            && !has_parts(&right)
            && crate::graphs::oracle::are_isomorphic(&plain, &right.graph, laws);
        if !is_plain {
            continue;
        }
        *counts.entry((edit, found.changes.len())).or_default() += 1;
        if found.changes.len() > 1 && shown < 12 {
            shown += 1;
            println!(
                "{edit:?} {}\n{}\n{}\n{:?}",
                laws,
                snapc::graph::canonical_text(&left),
                snapc::graph::canonical_text(&right),
                found
            );
        }
    }
    for (key, count) in counts {
        println!("{key:?} {count}");
    }
}

fn has_parts(canonical: &Canonical) -> bool {
    let values: HashSet<u32> = canonical.index.iter().flatten().copied().collect();
    values.len() < canonical.graph.nodes.len()
}

fn operands_of(graph: &snapc::graph::Graph) -> usize {
    graph.nodes.iter().map(|node| node.inputs.len()).sum()
}

#[test]
fn measure_many() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for (size, edits) in [
        (10, 2),
        (20, 2),
        (40, 1),
        (40, 2),
        (40, 3),
        (40, 5),
        (120, 1),
        (120, 4),
    ] {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        let start = std::time::Instant::now();
        for round in 0..400 {
            let left = canonicalise(&graph(&mut random, size), BOTH[round % 2]);
            let laws = BOTH[round % 2];
            let mut right = left.graph.clone();
            let mut made = 0;
            let mut tries = 0;
            while made < edits && tries < 40 {
                tries += 1;
                let edit = Edit::ALL[rand::RngExt::random_range(&mut random, 0..7)];
                let Some(next) = edited(&right, edit, &mut random) else {
                    continue;
                };
                let form = canonicalise(&next, laws);
                if has_parts(&form)
                    || !crate::graphs::oracle::are_isomorphic(&next, &form.graph, laws)
                {
                    continue;
                }
                right = next;
                made += 1;
            }
            let right = canonicalise(&shuffled(&right, &mut random), laws);
            let found = difference(&left, &right);
            *counts.entry(found.changes.len()).or_default() += 1;
        }
        println!("{size} {edits} {counts:?} {:?}", start.elapsed() / 400);
    }
}

//! What differs between programs.

use std::collections::BTreeMap;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use snapc::graph::{canonicalise, difference};

use crate::BOTH;
use crate::graphs::random::{Edit, edited, graph, shuffled, with_sharing};

#[test]
fn measure() {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let mut counts: BTreeMap<(Edit, usize), usize> = BTreeMap::new();
    let mut shown = 0;
    for round in 0..30000 {
        let mut left = graph(&mut random, 3 + round % 20);
        if round % 3 == 0 { left = with_sharing(&left, &mut random); }
        let laws = BOTH[round % 2];
        let left = canonicalise(&left, laws);
        let edit = Edit::ALL[round % 8];
        let Some(right) = edited(&left.graph, edit, &mut random) else { continue };
        let count = right.nodes.len();
        let right = canonicalise(&shuffled(&right, &mut random), laws);
        let found = difference(&left, &right);
        assert_eq!(found.is_empty(), left.key == right.key);
        let is_plain = right.graph.nodes.len() == count && left.key != right.key;
        if !is_plain { continue }
        *counts.entry((edit, found.changes.len())).or_default() += 1;
        if found.changes.len() > 1 && shown < 5 {
            shown += 1;
            println!("{edit:?} {}\n{}\n{}\n{:?}", laws, snapc::graph::canonical_text(&left), snapc::graph::canonical_text(&right), found);
        }
    }
    for (key, count) in counts { println!("{key:?} {count}"); }
}

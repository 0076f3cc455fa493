//! Finds which values of two programs to take for one another, so that little differs.
//!
//! From the outputs, both programs are followed downwards at once, where the distances lead. What
//! that leaves is matched if it computes the same or is used for the same. Then the matching is
//! mended: where something differs, one pair after the other is taken for granted and all is matched
//! anew; what makes the difference smaller stays.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::compare::{Matching, changes};
use super::distance::{Cost, Distances, NEVER, Step};
use super::side::{Side, Value};
use super::{Change, NodeId};

/// So many values are looked at in all the attempts to mend a matching.
const MOST_WORK: usize = 200_000;

/// The changes of the best matching that is found.
pub(super) fn fewest_changes(left: &Side<'_>, right: &Side<'_>) -> Vec<Change> {
    let search = Search::new(left, right);
    let mut attempt = Attempt::default();
    let mut best = search.changes(&attempt);
    let size = left.values.len() + right.values.len();
    let mut attempts = MOST_WORK / size.max(1);
    let fewest = fewest(left, right);
    'mending: while best.len() > fewest && attempts > 0 {
        for pair in search.candidates(&best) {
            if attempts == 0 {
                break;
            }
            attempts -= 1;
            let next = attempt.with(pair);
            let changes = search.changes(&next);
            if changes.len() < best.len() {
                (attempt, best) = (next, changes);
                continue 'mending;
            }
        }
        break;
    }
    best
}

/// So many changes there are at least: one, since the programs differ, and one for each operation
/// that has no counterpart of its name.
fn fewest(left: &Side<'_>, right: &Side<'_>) -> usize {
    let mut surplus: FxHashMap<u32, i64> = FxHashMap::default();
    for value in &left.values {
        *surplus.entry(value.label.name).or_default() += 1;
    }
    for value in &right.values {
        *surplus.entry(value.label.name).or_default() -= 1;
    }
    let sum = |sign: i64| surplus.values().map(|it| (sign * it).max(0)).sum::<i64>();
    sum(1).max(sum(-1)).max(1) as usize
}

/// Pairs that are taken for granted.
#[derive(Clone, Default)]
struct Attempt {
    pairs: Vec<(usize, usize)>,
}

impl Attempt {
    fn with(&self, pair: (usize, usize)) -> Attempt {
        let mut pairs = self.pairs.clone();
        pairs.retain(|(left, right)| *left != pair.0 && *right != pair.1);
        pairs.push(pair);
        Attempt { pairs }
    }
}

struct Search<'a, 's> {
    left: &'a Side<'s>,
    right: &'a Side<'s>,
    distances: Distances<'a, 's>,
    /// Right values by what they compute and by what they are used for.
    by_term: FxHashMap<u32, Vec<usize>>,
    by_context: FxHashMap<u32, Vec<usize>>,
}

impl<'a, 's> Search<'a, 's> {
    fn new(left: &'a Side<'s>, right: &'a Side<'s>) -> Self {
        let mut by_term: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
        let mut by_context: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
        for (index, value) in right.values.iter().enumerate() {
            by_term.entry(value.term).or_default().push(index);
            by_context.entry(value.context).or_default().push(index);
        }
        Search {
            left,
            right,
            distances: Distances::new(left, right),
            by_term,
            by_context,
        }
    }

    fn changes(&self, attempt: &Attempt) -> Vec<Change> {
        changes(self.left, self.right, &self.matching(attempt))
    }

    /// Pairs that may mend what differs: values that changes are about with others that are the same
    /// operation, those first of which both are.
    fn candidates(&self, changes: &[Change]) -> Vec<(usize, usize)> {
        let mut mentioned = [self.left, self.right].map(|side| Mentioned {
            side,
            is_mentioned: vec![false; side.values.len()],
            is_alone: vec![false; side.values.len()],
        });
        let [one, other] = &mut mentioned;
        for change in changes {
            match change {
                Change::Input(_) => {}
                Change::OnlyLeft(node) => one.alone(*node),
                Change::OnlyRight(node) => other.alone(*node),
                Change::Operation { left, right } | Change::Operands { left, right, .. } => {
                    one.node(*left);
                    other.node(*right);
                }
                Change::Weights { left, right } => {
                    one.sharing(*left);
                    other.sharing(*right);
                }
                Change::Output { left, right } => {
                    one.output(*left);
                    other.output(*right);
                }
            }
        }
        let mut candidates = Vec::new();
        for (left, value) in self.left.values.iter().enumerate() {
            for (right, other) in self.right.values.iter().enumerate() {
                let count = mentioned[0].count(left) + mentioned[1].count(right);
                let is_left_over = mentioned[0].is_alone[left] && mentioned[1].is_alone[right];
                let is_same = count > 0 && value.input.is_none() && value.is_same(other);
                if is_same || is_left_over {
                    let distance = self.distances.between(left, right);
                    candidates.push((Reverse(count), distance, left, right));
                }
            }
        }
        candidates.sort_unstable();
        let pairs = candidates.into_iter();
        pairs.map(|(_, _, left, right)| (left, right)).collect()
    }

    fn matching(&self, attempt: &Attempt) -> Matching {
        let mut walk = Walk {
            search: self,
            matching: Matching::of_inputs(self.left, self.right),
            pending: BinaryHeap::new(),
        };
        for (left, right) in &attempt.pairs {
            if walk.matching.is_free(*left, *right) {
                walk.matching.insert(*left, *right);
            }
        }
        for (left, right) in &attempt.pairs {
            walk.push_operands(*left, *right);
        }
        let outputs = self.left.outputs.iter().zip(&self.right.outputs);
        for (left, right) in outputs {
            walk.push(*left, *right);
        }
        walk.finish();
        walk.match_rest(&self.by_term, |value| value.term);
        walk.match_rest(&self.by_context, |value| value.context);
        walk.matching
    }
}

/// Follows both programs downwards.
struct Walk<'w, 'a, 's> {
    search: &'w Search<'a, 's>,
    matching: Matching,
    /// Values that may be taken for one another, the closest first.
    pending: BinaryHeap<Reverse<(Cost, usize, usize)>>,
}

impl Walk<'_, '_, '_> {
    fn push(&mut self, left: usize, right: usize) {
        let distance = self.search.distances.between(left, right);
        let is_close = distance < NEVER && distance <= self.search.distances.another(left, right);
        if is_close && self.matching.is_free(left, right) {
            self.pending.push(Reverse((distance, left, right)));
        }
    }

    fn push_operands(&mut self, left: usize, right: usize) {
        let search = self.search;
        let [one, other] = [&search.left.values[left], &search.right.values[right]];
        for (i, j) in search.distances.pairs(left, right, Some(&self.matching)) {
            self.push(one.reads[i], other.reads[j]);
        }
    }

    fn finish(&mut self) {
        while let Some(Reverse((_, left, right))) = self.pending.pop() {
            if !self.matching.is_free(left, right) {
                continue;
            }
            match self.search.distances.best(left, right) {
                (_, Step::Match) => {
                    self.matching.insert(left, right);
                    self.push_operands(left, right);
                }
                (_, Step::PassLeft(operand)) => self.push(operand, right),
                (_, Step::PassRight(operand)) => self.push(left, operand),
            }
        }
    }

    /// Matches values that have no counterpart yet with those that are alike in `key`.
    fn match_rest(&mut self, alike: &FxHashMap<u32, Vec<usize>>, key: impl Fn(&Value) -> u32) {
        for left in (0..self.search.left.values.len()).rev() {
            let value = &self.search.left.values[left];
            if self.matching.right[left].is_some() {
                continue;
            }
            let alike = alike.get(&key(value)).map_or(&[][..], Vec::as_slice);
            let free = alike.iter().copied().filter(|right| {
                let other = &self.search.right.values[*right];
                self.matching.left[*right].is_none() && value.is_same(other)
            });
            let closest = free.min_by_key(|right| {
                let other = &self.search.right.values[*right];
                other.context != value.context
            });
            if let Some(right) = closest {
                self.matching.insert(left, right);
                self.push_operands(left, right);
                self.finish();
            }
        }
    }
}

/// The values of a program that changes are about.
struct Mentioned<'a, 's> {
    side: &'a Side<'s>,
    is_mentioned: Vec<bool>,
    /// Those that have no counterpart.
    is_alone: Vec<bool>,
}

impl Mentioned<'_, '_> {
    fn count(&self, value: usize) -> usize {
        usize::from(self.is_mentioned[value])
    }

    fn value(&mut self, value: usize) {
        self.is_mentioned[value] = true;
        for term in &self.side.values[value].operands {
            self.is_mentioned[term.value] = true;
        }
    }

    fn node(&mut self, node: NodeId) {
        if let Some(value) = self.side.value_of(node) {
            self.value(value);
        }
    }

    fn alone(&mut self, node: NodeId) {
        self.node(node);
        if let Some(value) = self.side.value_of(node) {
            self.is_alone[value] = true;
        }
    }

    /// All layers that share the parameters of this one.
    fn sharing(&mut self, node: NodeId) {
        let side = self.side;
        let weights = side.value_of(node).and_then(|it| side.values[it].weights);
        for value in 0..side.values.len() {
            if weights.is_some() && side.values[value].weights == weights {
                self.value(value);
            }
        }
    }

    fn output(&mut self, place: Option<usize>) {
        if let Some(place) = place {
            self.value(self.side.outputs[place]);
        }
    }
}

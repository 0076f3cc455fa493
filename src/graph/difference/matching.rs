//! Finds which values of two programs to take for one another, so that little differs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::compare::Matching;
use super::distance::{Cost, Distances, NEVER, Step};
use super::side::Value;

/// A matching that takes the `given` pairs of values for one another, as far as it may, and is led by
/// the distances otherwise.
///
/// From the outputs and from the given pairs, both programs are followed downwards at once. What
/// that leaves is matched if it computes the same, or if it is used for the same.
pub(super) fn matching(distances: &Distances<'_, '_>, given: &[(usize, usize)]) -> Matching {
    let (left, right) = (distances.left, distances.right);
    let mut walk = Walk {
        distances,
        matching: Matching::of_inputs(left, right),
        pending: BinaryHeap::new(),
    };
    for (one, other) in given {
        if walk.matching.is_free(*one, *other) {
            walk.matching.insert(*one, *other);
        }
    }
    for (one, other) in given {
        walk.push_operands(*one, *other);
    }
    let is_paired = left.outputs.len() == right.outputs.len();
    for (place, one) in left.outputs.iter().enumerate() {
        let others = match is_paired {
            true => &right.outputs[place..=place],
            false => right.outputs.as_slice(),
        };
        for other in others {
            walk.push(*one, *other);
        }
    }
    walk.follow();
    walk.match_rest(|value| (value.term, value.context));
    walk.match_rest(|value| (value.term, 0));
    walk.match_rest(|value| (value.label.written, value.context));
    walk.matching
}

/// Follows both programs downwards.
struct Walk<'w, 'a, 's> {
    distances: &'w Distances<'a, 's>,
    matching: Matching,
    /// Values that may be taken for one another, the closest first.
    pending: BinaryHeap<Reverse<(Cost, usize, usize)>>,
}

impl Walk<'_, '_, '_> {
    fn push(&mut self, left: usize, right: usize) {
        let distance = self.distances.between(left, right);
        let is_close = distance < NEVER && distance <= self.distances.another(left, right);
        if is_close && self.matching.is_free(left, right) {
            self.pending.push(Reverse((distance, left, right)));
        }
    }

    fn push_operands(&mut self, left: usize, right: usize) {
        let distances = self.distances;
        let [one, other] = [&distances.left.values[left], &distances.right.values[right]];
        for (i, j) in distances.pairs(left, right, Some(&self.matching)) {
            self.push(one.reads[i], other.reads[j]);
        }
    }

    fn follow(&mut self) {
        while let Some(Reverse((_, left, right))) = self.pending.pop() {
            if !self.matching.is_free(left, right) {
                continue;
            }
            match self.distances.best(left, right) {
                (_, Step::Match) => {
                    self.matching.insert(left, right);
                    self.push_operands(left, right);
                }
                (_, Step::PassLeft(operand)) => self.push(operand, right),
                (_, Step::PassRight(operand)) => self.push(left, operand),
            }
        }
    }

    /// Matches values without counterpart that have the same key, and follows the programs from
    /// there.
    fn match_rest(&mut self, key: impl Fn(&Value) -> (u32, u32)) {
        let distances = self.distances;
        let mut free: FxHashMap<(u32, u32), Vec<usize>> = FxHashMap::default();
        for (right, value) in distances.right.values.iter().enumerate() {
            if self.matching.left[right].is_none() {
                free.entry(key(value)).or_default().push(right);
            }
        }
        for (left, value) in distances.left.values.iter().enumerate().rev() {
            if self.matching.right[left].is_some() {
                continue;
            }
            let Some(alike) = free.get_mut(&key(value)) else {
                continue;
            };
            // Some have got a counterpart on the way.
            let right = std::iter::from_fn(|| alike.pop());
            let mut right = right.filter(|right| self.matching.left[*right].is_none());
            if let Some(right) = right.next() {
                self.matching.insert(left, right);
                self.push_operands(left, right);
                self.follow();
            }
        }
    }
}

//! Which operands of two values belong together.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::compare::Matching;
use super::distance::{Cost, Distances};
use crate::graph::canonical::Order;

/// Operands are compared each with each if there are at most so many pairs of them.
const MOST_PAIRS: usize = 1024;

/// Places of operands on both sides.
pub(super) type Pairs = Vec<(usize, usize)>;

impl Distances<'_, '_> {
    /// The places of operands that belong together: those at the same place, parts in a row so that
    /// they stay in order, and where the order does not count, the closest. `matching` has those
    /// that are taken for one another already.
    pub(super) fn pairs(&self, left: usize, right: usize, matching: Option<&Matching>) -> Pairs {
        let [one, other] = [&self.left.values[left], &self.right.values[right]];
        match (one.order, other.order) {
            (Order::Places, Order::Places) if one.reads.len() == other.reads.len() => {
                (0..one.reads.len()).map(|place| (place, place)).collect()
            }
            (Order::Row, Order::Row) => self.in_a_row(&one.reads, &other.reads),
            _ => self.closest(&one.reads, &other.reads, matching),
        }
    }

    /// An alignment: equal parts at both ends, and between them one of least cost.
    fn in_a_row(&self, these: &[usize], those: &[usize]) -> Pairs {
        let is_equal = |(one, other): &(&usize, &usize)| {
            self.left.values[**one].term == self.right.values[**other].term
        };
        let start = these.iter().zip(those).take_while(is_equal).count();
        let (these, those) = (&these[start..], &those[start..]);
        let backwards = these.iter().rev().zip(those.iter().rev());
        let end = backwards.take_while(is_equal).count();
        let (left, right) = (these.len() - end, those.len() - end);
        let middle = match left * right <= MOST_PAIRS {
            true => self.aligned(&these[..left], &those[..right]),
            false => (0..left.min(right)).map(|place| (place, place)).collect(),
        };
        let first = (0..start).map(|place| (place, place));
        let middle = middle.into_iter().map(|(i, j)| (start + i, start + j));
        let last = (0..end).map(|place| (start + left + place, start + right + place));
        first.chain(middle).chain(last).collect()
    }

    /// An alignment of least cost, where parts may be left out.
    fn aligned(&self, these: &[usize], those: &[usize]) -> Pairs {
        // The costs of aligning what follows from a place on, by the places on both sides.
        let mut costs = vec![vec![0; those.len() + 1]; these.len() + 1];
        let ways = |i: usize, j: usize, costs: &[Vec<Cost>]| {
            let one = these
                .get(i)
                .map(|it| self.losses_left.dropping(*it) + costs[i + 1][j]);
            let other = those
                .get(j)
                .map(|it| self.losses_right.dropping(*it) + costs[i][j + 1]);
            let pair = these.get(i).zip(those.get(j));
            let both = pair.map(|(one, other)| self.operand(*one, *other) + costs[i + 1][j + 1]);
            [both, one, other].map(|cost| cost.unwrap_or(Cost::MAX))
        };
        for i in (0..=these.len()).rev() {
            for j in (0..=those.len()).rev() {
                let least = ways(i, j, &costs).into_iter().min();
                costs[i][j] = least.filter(|cost| *cost < Cost::MAX).unwrap_or(0);
            }
        }
        let mut pairs = Vec::new();
        let (mut i, mut j) = (0, 0);
        while i < these.len() && j < those.len() {
            let [both, one, _] = ways(i, j, &costs);
            if both == costs[i][j] {
                pairs.push((i, j));
                (i, j) = (i + 1, j + 1);
            } else if one == costs[i][j] {
                i += 1;
            } else {
                j += 1;
            }
        }
        pairs
    }

    /// Pairs of the least cost, without those that are taken for one another already.
    fn closest(&self, these: &[usize], those: &[usize], matching: Option<&Matching>) -> Pairs {
        let mut pairing = Pairing {
            left: (0..these.len()).collect(),
            right: (0..those.len()).collect(),
            pairs: Vec::new(),
        };
        if let Some(matching) = matching {
            pairing
                .left
                .retain(|place| !is_known(matching.right[these[*place]], those));
            pairing
                .right
                .retain(|place| !is_known(matching.left[those[*place]], these));
        }
        if pairing.left.len() * pairing.right.len() <= MOST_PAIRS {
            pairing.by_cost(|i, j| self.operand(these[i], those[j]));
            return pairing.pairs;
        }
        let one = |place: usize| &self.left.values[these[place]];
        let other = |place: usize| &self.right.values[those[place]];
        pairing.join(
            |place| (one(place).term, one(place).context),
            |place| (other(place).term, other(place).context),
        );
        pairing.join(|place| one(place).term, |place| other(place).term);
        pairing.as_they_come();
        pairing.pairs
    }
}

/// Whether a value has a counterpart among the operands of the other side.
fn is_known(counterpart: Option<usize>, others: &[usize]) -> bool {
    counterpart.is_some_and(|counterpart| others.contains(&counterpart))
}

/// Places that are not paired yet, and those that are.
struct Pairing {
    left: Vec<usize>,
    right: Vec<usize>,
    pairs: Pairs,
}

impl Pairing {
    /// Pairs places with equal keys.
    fn join<K: Ord>(&mut self, left: impl Fn(usize) -> K, right: impl Fn(usize) -> K) {
        let mut waiting: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        for place in self.right.iter().rev() {
            waiting.entry(right(*place)).or_default().push(*place);
        }
        let pairs = &mut self.pairs;
        self.left.retain(|place| {
            let other = waiting.get_mut(&left(*place)).and_then(Vec::pop);
            pairs.extend(other.map(|other| (*place, other)));
            other.is_none()
        });
        self.right = waiting.into_values().flatten().collect();
        self.right.sort_unstable();
    }

    /// Pairs those of the least cost first, then exchanges partners where that costs less.
    fn by_cost(&mut self, cost: impl Fn(usize, usize) -> Cost) {
        let mut candidates = Vec::new();
        for i in &self.left {
            candidates.extend(self.right.iter().map(|j| (cost(*i, *j), *i, *j)));
        }
        candidates.sort_unstable();
        let mut pairs = Pairs::new();
        let mut taken = (FxHashSet::default(), FxHashSet::default());
        for (_, i, j) in candidates {
            if !taken.0.contains(&i) && !taken.1.contains(&j) {
                taken.0.insert(i);
                taken.1.insert(j);
                pairs.push((i, j));
            }
        }
        for one in 0..pairs.len() {
            for other in one + 1..pairs.len() {
                let ((i, j), (k, l)) = (pairs[one], pairs[other]);
                if cost(i, l) + cost(k, j) < cost(i, j) + cost(k, l) {
                    (pairs[one], pairs[other]) = ((i, l), (k, j));
                }
            }
        }
        self.pairs.append(&mut pairs);
    }

    /// Pairs those that are left as they come.
    fn as_they_come(&mut self) {
        let rest = self.left.drain(..).zip(self.right.drain(..));
        self.pairs.extend(rest);
    }
}

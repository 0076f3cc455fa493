//! Which operands of two values belong together.

use std::collections::BTreeMap;

use super::compare::Matching;
use super::distance::Distances;
use super::side::{Order, Term};

/// Operands are compared each with each if there are at most so many pairs of them.
const MOST_PAIRS: usize = 1024;

/// Places of operands on both sides.
pub(super) type Pairs = Vec<(usize, usize)>;

impl Distances<'_, '_> {
    /// The places of operands that belong together: those at the same place, parts in a row so that
    /// they stay in order, and where the order does not count, the closest of those that
    /// `matching`, if there is one, leaves free.
    pub(super) fn pairs(&self, left: usize, right: usize, matching: Option<&Matching>) -> Pairs {
        let [one, other] = [&self.left.values[left], &self.right.values[right]];
        let (these, those) = (one.operands.as_slice(), other.operands.as_slice());
        match (one.order, other.order) {
            (Order::Places, Order::Places) if these.len() == those.len() => {
                (0..these.len()).map(|place| (place, place)).collect()
            }
            (Order::Row, Order::Row) => self.parts_in_order(these, those),
            _ => self.closest(these, those, matching),
        }
    }

    /// An alignment: equal parts at both ends, and between them one of least cost.
    fn parts_in_order(&self, these: &[Term], those: &[Term]) -> Pairs {
        let is_equal = |(one, other): &(&Term, &Term)| {
            self.left.values[one.value].term == self.right.values[other.value].term
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
    fn aligned(&self, these: &[Term], those: &[Term]) -> Pairs {
        // The costs of aligning what follows from a place on, by the places on both sides.
        let width = those.len() + 1;
        let mut costs = vec![u32::MAX; (these.len() + 1) * width];
        let mut pairs = Vec::new();
        let steps = |i: usize, j: usize, costs: &[u32]| {
            let both = (i < these.len() && j < those.len()).then(|| {
                let distance = self.operand(these[i].value, those[j].value);
                distance.saturating_add(costs[(i + 1) * width + j + 1])
            });
            let one = (i < these.len()).then(|| {
                let lost = self.without_left(these[i].value);
                lost.saturating_add(costs[(i + 1) * width + j])
            });
            let other = (j < those.len()).then(|| {
                let gained = self.without_right(those[j].value);
                gained.saturating_add(costs[i * width + j + 1])
            });
            [both, one, other].map(|cost| cost.unwrap_or(u32::MAX))
        };
        for i in (0..=these.len()).rev() {
            for j in (0..=those.len()).rev() {
                let least = steps(i, j, &costs).into_iter().min().unwrap_or(0);
                let is_end = i == these.len() && j == those.len();
                costs[i * width + j] = if is_end { 0 } else { least };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < these.len() && j < those.len() {
            let least = costs[i * width + j];
            let [both, one, _] = steps(i, j, &costs);
            if both == least {
                pairs.push((i, j));
                (i, j) = (i + 1, j + 1);
            } else if one == least {
                i += 1;
            } else {
                j += 1;
            }
        }
        pairs
    }

    /// Pairs those that compute the same for the same use, then the closest.
    fn closest(&self, these: &[Term], those: &[Term], matching: Option<&Matching>) -> Pairs {
        let [left, right] = [&self.left.values, &self.right.values];
        let mut pairing = Pairing {
            left: (0..these.len()).collect(),
            right: (0..those.len()).collect(),
            pairs: Vec::new(),
        };
        if let Some(matching) = matching {
            // Counterparts need no pairing.
            let counterpart = |place: usize| matching.right[these[place].value];
            let known: Vec<usize> = pairing
                .left
                .iter()
                .filter_map(|it| counterpart(*it))
                .collect();
            let is_known = |place: usize| known.contains(&those[place].value);
            let read: Vec<usize> = those.iter().map(|term| term.value).collect();
            pairing.right.retain(|place| !is_known(*place));
            pairing
                .left
                .retain(|place| counterpart(*place).is_none_or(|it| !read.contains(&it)));
        }
        let one = |place: usize| &left[these[place].value];
        let other = |place: usize| &right[those[place].value];
        pairing.join(
            |place| (one(place).term, one(place).context),
            |place| (other(place).term, other(place).context),
        );
        if pairing.left.len() * pairing.right.len() <= MOST_PAIRS {
            pairing.by_cost(|i, j| {
                let distance = self.operand(these[i].value, those[j].value);
                let is_other_use = one(i).context != other(j).context;
                2 * distance + u32::from(is_other_use)
            });
        } else {
            pairing.join(|place| one(place).term, |place| other(place).term);
            pairing.in_order();
        }
        pairing.pairs
    }
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

    /// Pairs those of the least cost first, then exchanges what lessens the sum of the costs.
    fn by_cost(&mut self, cost: impl Fn(usize, usize) -> u32) {
        let mut candidates = Vec::new();
        for i in &self.left {
            candidates.extend(self.right.iter().map(|j| (cost(*i, *j), *i, *j)));
        }
        candidates.sort_unstable();
        let first = self.pairs.len();
        for (_, i, j) in candidates {
            if self.left.contains(&i) && self.right.contains(&j) {
                self.left.retain(|place| *place != i);
                self.right.retain(|place| *place != j);
                self.pairs.push((i, j));
            }
        }
        let pairs = &mut self.pairs[first..];
        for one in 0..pairs.len() {
            for other in one + 1..pairs.len() {
                let ((i, j), (k, l)) = (pairs[one], pairs[other]);
                if cost(i, l) + cost(k, j) < cost(i, j) + cost(k, l) {
                    (pairs[one], pairs[other]) = ((i, l), (k, j));
                }
            }
        }
    }

    /// Pairs those that are left as they come.
    fn in_order(&mut self) {
        let rest = self.left.drain(..).zip(self.right.drain(..));
        self.pairs.extend(rest);
    }
}

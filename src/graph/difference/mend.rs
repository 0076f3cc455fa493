//! Makes differences smaller: where something differs, one pair of values after the other is taken for
//! granted, and all is matched anew. What helps stays.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::compare::changes;
use super::distance::Distances;
use super::matching::matching;
use super::side::Side;
use super::{Change, NodeId};

/// So much work goes into all attempts together: about one for each pair of operands that is looked
/// at.
const MOST_WORK: usize = 200_000;

/// Pairs are tried if there are at most so many of all values with all values: in larger programs
/// there is no time to try but a few.
const MOST_PAIRS: usize = 4_000_000;

/// The changes of the best matching that is found.
pub(super) fn fewest_changes(left: &Side<'_>, right: &Side<'_>) -> Vec<Change> {
    let distances = Distances::new(left, right);
    let attempt = |given: &[(usize, usize)]| changes(left, right, &matching(&distances, given));
    let mut given = Vec::new();
    let mut best = attempt(&given);
    let fewest = fewest(left, right);
    let mut attempts = match left.values.len() * right.values.len() <= MOST_PAIRS {
        true => MOST_WORK / (work(left) + work(right)).max(1),
        false => 0,
    };
    'mending: while best.len() > fewest && attempts > 0 {
        for pair in candidates(&distances, &best).into_iter().take(attempts) {
            attempts -= 1;
            let next = with(&given, pair);
            let changes = attempt(&next);
            if changes.len() < best.len() {
                (given, best) = (next, changes);
                continue 'mending;
            }
        }
        break;
    }
    best
}

/// The work of an attempt.
fn work(side: &Side<'_>) -> usize {
    let pairs = side.values.iter().map(|value| 1 + value.reads.len().pow(2));
    pairs.sum()
}

/// Pairs with one more; it takes the place of those that it contradicts.
fn with(pairs: &[(usize, usize)], pair: (usize, usize)) -> Vec<(usize, usize)> {
    let agrees = |(left, right): &(usize, usize)| *left != pair.0 && *right != pair.1;
    let rest = pairs.iter().copied().filter(agrees);
    rest.chain([pair]).collect()
}

/// So many changes there are at least: one, since the programs differ, and one for each value that
/// has no counterpart of its name.
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

/// Pairs that may help: values that changes are about with others that are the same operation, and
/// what is only on the left with what is only on the right. Those come first of which both are
/// mentioned, and of these the closest.
fn candidates(distances: &Distances<'_, '_>, changes: &[Change]) -> Vec<(usize, usize)> {
    let mut left = Mentioned::new(distances.left);
    let mut right = Mentioned::new(distances.right);
    for change in changes {
        left.left(change);
        right.right(change);
    }
    let mut candidates = Vec::new();
    for (i, one) in distances.left.values.iter().enumerate() {
        for (j, other) in distances.right.values.iter().enumerate() {
            let count = usize::from(left.values[i]) + usize::from(right.values[j]);
            let is_same = count > 0 && one.input.is_none() && one.is_same(other);
            if is_same || (left.alone[i] && right.alone[j]) {
                candidates.push((Reverse(count), distances.between(i, j), i, j));
            }
        }
    }
    candidates.sort_unstable();
    let pairs = candidates.into_iter();
    pairs.map(|(_, _, i, j)| (i, j)).collect()
}

/// The values of a program that changes are about.
struct Mentioned<'a, 's> {
    side: &'a Side<'s>,
    /// Those themselves, and what they read.
    values: Vec<bool>,
    /// Those that have no counterpart.
    alone: Vec<bool>,
}

impl<'a, 's> Mentioned<'a, 's> {
    fn new(side: &'a Side<'s>) -> Self {
        Mentioned {
            side,
            values: vec![false; side.values.len()],
            alone: vec![false; side.values.len()],
        }
    }

    /// A change, if this is the left program.
    fn left(&mut self, change: &Change) {
        match change {
            Change::OnlyLeft(node) => self.alone(*node),
            Change::Operation { left, .. } | Change::Operands { left, .. } => self.node(*left),
            Change::Weights { left, .. } => self.sharing(*left),
            Change::Output { left, .. } => self.output(*left),
            Change::OnlyRight(_) | Change::Input(_) => {}
        }
    }

    /// A change, if this is the right program.
    fn right(&mut self, change: &Change) {
        match change {
            Change::OnlyRight(node) => self.alone(*node),
            Change::Operation { right, .. } | Change::Operands { right, .. } => self.node(*right),
            Change::Weights { right, .. } => self.sharing(*right),
            Change::Output { right, .. } => self.output(*right),
            Change::OnlyLeft(_) | Change::Input(_) => {}
        }
    }

    fn value(&mut self, value: usize) {
        self.values[value] = true;
        for term in &self.side.values[value].operands {
            self.values[term.value] = true;
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
            self.alone[value] = true;
        }
    }

    /// All layers that share the parameters of this one.
    fn sharing(&mut self, node: NodeId) {
        let side = self.side;
        let weights = side.value_of(node).and_then(|it| side.values[it].weights);
        for (index, value) in side.values.iter().enumerate() {
            if weights.is_some() && value.weights == weights {
                self.value(index);
            }
        }
    }

    fn output(&mut self, place: Option<usize>) {
        if let Some(place) = place {
            self.value(self.side.outputs[place]);
        }
    }
}

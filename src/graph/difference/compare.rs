//! What differs between two programs if certain values are taken for one another.
//!
//! Values without a counterpart are only in one program. Whoever reads such a value agrees with its
//! counterpart if that reads what the value was made of: an operation that is put between two others
//! is one change, not two.

use std::cmp::{Ordering, Reverse};

use rustc_hash::{FxHashMap, FxHashSet};

use super::Change;
use super::side::{Side, Term, Value};
use crate::graph::canonical::Order;

/// So many of the values behind a value without counterpart are looked at.
const MOST_BEHIND: usize = 64;

/// Which values are taken for one another: at most one for each, and none for an input but the
/// input with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matching {
    /// The right value of every left one.
    pub(super) right: Vec<Option<usize>>,
    /// The left value of every right one.
    pub(super) left: Vec<Option<usize>>,
}

impl Matching {
    /// Only inputs have counterparts.
    pub(super) fn of_inputs(left: &Side<'_>, right: &Side<'_>) -> Self {
        let mut matching = Matching {
            right: vec![None; left.values.len()],
            left: vec![None; right.values.len()],
        };
        let common = left.graph.inputs.min(right.graph.inputs);
        for input in 0..common {
            matching.insert(input, input);
        }
        matching
    }

    /// Whether neither value has a counterpart.
    pub(super) fn is_free(&self, left: usize, right: usize) -> bool {
        self.right[left].is_none() && self.left[right].is_none()
    }

    pub(super) fn insert(&mut self, left: usize, right: usize) {
        self.right[left] = Some(right);
        self.left[right] = Some(left);
    }
}

/// All that differs, in canonical order.
pub(super) fn changes(left: &Side<'_>, right: &Side<'_>, matching: &Matching) -> Vec<Change> {
    let comparison = Comparison::new(left, right, matching);
    let mut changes = comparison.inputs();
    let mut placed = comparison.operations();
    placed.extend(comparison.weights());
    placed.sort_by_key(|(place, _)| *place);
    changes.extend(placed.into_iter().map(|(_, change)| change));
    changes.extend(comparison.outputs());
    changes
}

/// A place in the order in which changes are told: that of a left value, then those behind it that
/// are only on the right.
type Place = (usize, usize);

struct Comparison<'a, 's> {
    left: &'a Side<'s>,
    right: &'a Side<'s>,
    matching: &'a Matching,
    /// For values without counterpart, the left values (those with counterparts) they are made of.
    behind_left: Vec<Vec<usize>>,
    behind_right: Vec<Vec<usize>>,
}

impl<'a, 's> Comparison<'a, 's> {
    fn new(left: &'a Side<'s>, right: &'a Side<'s>, matching: &'a Matching) -> Self {
        let itself = |value: usize| matching.right[value].map(|_| value);
        Comparison {
            left,
            right,
            matching,
            behind_left: behind(left, &itself),
            behind_right: behind(right, &|value| matching.left[value]),
        }
    }

    fn inputs(&self) -> Vec<Change> {
        let graphs = [self.left.graph, self.right.graph];
        let shapes = |input: usize| {
            graphs.map(|graph| {
                let inputs = &graph.nodes[..graph.inputs];
                inputs.get(input).map(|node| &node.shape)
            })
        };
        let most = graphs.map(|graph| graph.inputs).into_iter().max();
        (0..most.unwrap_or(0))
            .filter(|input| {
                let [left, right] = shapes(*input);
                left != right
            })
            .map(Change::Input)
            .collect()
    }

    fn operations(&self) -> Vec<(Place, Change)> {
        let mut changes = Vec::new();
        for (index, value) in self.left.values.iter().enumerate() {
            if value.input.is_some() {
                continue;
            }
            let place = (index, 0);
            let Some(counterpart) = self.matching.right[index] else {
                changes.push((place, Change::OnlyLeft(value.node)));
                continue;
            };
            let other = &self.right.values[counterpart];
            let (left, right) = (value.node, other.node);
            if !value.is_same(other) {
                changes.push((place, Change::Operation { left, right }));
            }
            if !self.reads_the_same(value, other) {
                changes.push((place, self.operands_change(value, other)));
            }
        }
        for (index, value) in self.right.values.iter().enumerate() {
            if value.input.is_none() && self.matching.left[index].is_none() {
                let last = self.behind_right[index].last().copied();
                let place = (last.unwrap_or(0), index + 1);
                changes.push((place, Change::OnlyRight(value.node)));
            }
        }
        changes
    }

    fn operands_change(&self, one: &Value, other: &Value) -> Change {
        let counterpart = |left: usize| self.matching.right[left];
        let back = |right: usize| self.matching.left[right];
        let mut left_reads = unmatched(one, other, &counterpart);
        let mut right_reads = unmatched(other, one, &back);
        if one.order == Order::Places && other.order == Order::Places {
            // Where places count, the same values may be read in another order.
            let pairs = one.operands.iter().zip(&other.operands);
            let differs = pairs.filter(|(one, other)| !self.agree(one.value, other.value));
            (left_reads, right_reads) =
                differs.map(|(one, other)| (one.value, other.value)).unzip();
        }
        let node = |side: &Side<'_>, values: Vec<usize>| {
            let nodes = values.into_iter().map(|value| side.values[value].node);
            nodes.collect()
        };
        Change::Operands {
            left: one.node,
            right: other.node,
            left_reads: node(self.left, left_reads),
            right_reads: node(self.right, right_reads),
        }
    }

    /// Whether two counterparts read the same.
    fn reads_the_same(&self, one: &Value, other: &Value) -> bool {
        match (one.order, other.order) {
            (Order::Places, Order::Places) if one.operands.len() == other.operands.len() => {
                let mut pairs = one.operands.iter().zip(&other.operands);
                pairs.all(|(one, other)| self.agree(one.value, other.value))
            }
            (Order::Row, Order::Row) => {
                self.rows_agree(&one.operands, &other.operands)
                    || self.rows_agree(one.flat(), other.flat())
            }
            _ => {
                self.terms_agree(&one.operands, &other.operands)
                    || self.terms_agree(one.flat(), other.flat())
            }
        }
    }

    /// Whether two values are counterparts, or would be without what is only in one program.
    fn agree(&self, one: usize, other: usize) -> bool {
        match (self.matching.right[one], self.matching.left[other]) {
            (Some(right), Some(_)) => right == other,
            _ => {
                let behind = &self.behind_left[one];
                behind
                    .iter()
                    .any(|it| self.behind_right[other].binary_search(it).is_ok())
            }
        }
    }

    /// Whether parts in a row agree without those that are only in one program, or with those in
    /// place of what they are made of.
    fn rows_agree(&self, these: &[Term], those: &[Term]) -> bool {
        let has_left = |term: &&Term| self.matching.right[term.value].is_some();
        let has_right = |term: &&Term| self.matching.left[term.value].is_some();
        let agree = |(one, other): (&Term, &Term)| self.agree(one.value, other.value);
        let left: Vec<&Term> = these.iter().filter(has_left).collect();
        let right: Vec<&Term> = those.iter().filter(has_right).collect();
        let without = left.len() == right.len()
            && left
                .iter()
                .zip(&right)
                .all(|(one, other)| agree((one, other)));
        without || (these.len() == those.len() && these.iter().zip(those).all(agree))
    }

    /// Whether terms agree in any order: those that have counterparts on both sides as often, or
    /// else something is read that is only in one program and made of them.
    fn terms_agree(&self, these: &[Term], those: &[Term]) -> bool {
        let mut times: FxHashMap<usize, (u64, u64)> = FxHashMap::default();
        // What stands behind those that are only in one program, as left values.
        let mut behind_left: FxHashSet<usize> = FxHashSet::default();
        let mut behind_right: FxHashSet<usize> = FxHashSet::default();
        for term in these {
            match self.matching.right[term.value] {
                Some(_) => times.entry(term.value).or_default().0 += term.times,
                None => behind_left.extend(&self.behind_left[term.value]),
            }
        }
        for term in those {
            match self.matching.left[term.value] {
                Some(left) => times.entry(left).or_default().1 += term.times,
                None => behind_right.extend(&self.behind_right[term.value]),
            }
        }
        times
            .iter()
            .all(|(value, (left, right))| match left.cmp(right) {
                Ordering::Equal => true,
                Ordering::Greater => behind_right.contains(value),
                Ordering::Less => behind_left.contains(value),
            })
    }

    /// Layers that share their parameters with others than their counterparts do.
    fn weights(&self) -> Vec<(Place, Change)> {
        if !self.left.graph.shares_weights() && !self.right.graph.shares_weights() {
            return Vec::new();
        }
        let pairs = self.matching.right.iter().enumerate();
        let layers = pairs.filter_map(|(one, other)| {
            let other = (*other)?;
            let layers = [&self.left.values[one], &self.right.values[other]];
            let sets = (layers[0].weights?, layers[1].weights?);
            layers[0].is_same(layers[1]).then_some((one, other, sets))
        });
        let layers: Vec<_> = layers.collect();
        let mut common: FxHashMap<(usize, usize), usize> = FxHashMap::default();
        let mut sizes: [FxHashMap<usize, usize>; 2] = Default::default();
        for (_, _, sets) in &layers {
            *common.entry(*sets).or_default() += 1;
            *sizes[0].entry(sets.0).or_default() += 1;
            *sizes[1].entry(sets.1).or_default() += 1;
        }
        // Parameters with the most layers in common, and then the fewest others, are taken for one
        // another.
        let mut common: Vec<((usize, usize), usize)> = common.into_iter().collect();
        common.sort_unstable_by_key(|((left, right), count)| {
            let size = sizes[0][left] + sizes[1][right];
            (Reverse(*count), size, *left, *right)
        });
        let mut counterpart: FxHashMap<usize, usize> = FxHashMap::default();
        let mut is_taken: FxHashMap<usize, usize> = FxHashMap::default();
        for ((left, right), _) in common {
            if !counterpart.contains_key(&left) && !is_taken.contains_key(&right) {
                counterpart.insert(left, right);
                is_taken.insert(right, left);
            }
        }
        let differs = layers
            .iter()
            .filter(|(_, _, (left, right))| counterpart.get(left) != Some(right));
        differs
            .map(|(one, other, _)| {
                let (left, right) = (self.left.values[*one].node, self.right.values[*other].node);
                ((*one, 0), Change::Weights { left, right })
            })
            .collect()
    }

    /// Outputs that differ: those at the same place, or, if there are more of them in one program,
    /// those that are left when as many as possible agree.
    fn outputs(&self) -> Vec<Change> {
        let (these, those) = (&self.left.outputs, &self.right.outputs);
        if these.len() == those.len() {
            let pairs = these.iter().zip(those).enumerate();
            let differs = pairs.filter(|(_, (one, other))| !self.agree(**one, **other));
            let change = |place| Change::Output {
                left: Some(place),
                right: Some(place),
            };
            return differs.map(|(place, _)| change(place)).collect();
        }
        // How many can agree from a place on, by the places on both sides.
        let width = those.len() + 1;
        let mut most = vec![0; (these.len() + 1) * width];
        for i in (0..these.len()).rev() {
            for j in (0..those.len()).rev() {
                let skipping = most[(i + 1) * width + j].max(most[i * width + j + 1]);
                most[i * width + j] = match self.agree(these[i], those[j]) {
                    true => skipping.max(most[(i + 1) * width + j + 1] + 1),
                    false => skipping,
                };
            }
        }
        let mut changes = Vec::new();
        let (mut i, mut j) = (0, 0);
        while i < these.len() || j < those.len() {
            let now = most[i * width + j];
            let is_left_skipped = i < these.len() && most[(i + 1) * width + j] == now;
            if is_left_skipped {
                changes.push(Change::Output {
                    left: Some(i),
                    right: None,
                });
                i += 1;
            } else if j < those.len() && most[i * width + j + 1] == now {
                changes.push(Change::Output {
                    left: None,
                    right: Some(j),
                });
                j += 1;
            } else {
                (i, j) = (i + 1, j + 1);
            }
        }
        changes
    }
}

/// What `value` reads that has a counterpart which `other` reads less often.
fn unmatched(
    value: &Value,
    other: &Value,
    counterpart: &dyn Fn(usize) -> Option<usize>,
) -> Vec<usize> {
    let mut rest: FxHashMap<usize, u64> = FxHashMap::default();
    for term in &other.operands {
        *rest.entry(term.value).or_default() += term.times;
    }
    let mut unmatched = Vec::new();
    for term in &value.operands {
        if let Some(counterpart) = counterpart(term.value) {
            let rest = rest.entry(counterpart).or_default();
            if *rest < term.times {
                unmatched.push(term.value);
            }
            *rest = rest.saturating_sub(term.times);
        }
    }
    unmatched
}

/// The values with counterparts that each value without is made of, as left values and sorted; for
/// a value with a counterpart, that one.
fn behind(side: &Side<'_>, counterpart: &dyn Fn(usize) -> Option<usize>) -> Vec<Vec<usize>> {
    let mut behind: Vec<Vec<usize>> = Vec::with_capacity(side.values.len());
    for (index, value) in side.values.iter().enumerate() {
        let mut found = Vec::new();
        match counterpart(index) {
            Some(left) => found.push(left),
            None => {
                for term in &value.operands {
                    found.extend_from_slice(&behind[term.value]);
                }
                found.sort_unstable();
                found.dedup();
                found.truncate(MOST_BEHIND);
            }
        }
        behind.push(found);
    }
    behind
}

//! An estimate of how far apart any two values are, which leads the search for a matching.
//!
//! It is the edit distance between terms by dynamic programming, as for trees: two operations are
//! taken for one another, or one of them is passed over in favour of one of its operands. Along a
//! chain it is exact. What two branches share would be counted in both, and that again with every
//! fork below; so of several operands, the farthest apart counts.

use super::losses::Losses;
use super::side::Side;

/// What changes cost. Whole changes are far above what only tells ways with as many changes apart.
pub(super) type Cost = u64;

/// What one change costs.
pub(super) const CHANGE: Cost = 4 << 32;

/// What it costs to take an operation for one of another sort.
const OTHER_SORT: Cost = 5 << 32;

/// What it costs to read another value.
const OTHER_VALUE: Cost = 6 << 32;

/// What it costs to take a value for one that is used for something else.
const OTHER_USE: Cost = 1;

/// The distance of what can't be made the same, and of what was not looked at.
pub(super) const NEVER: Cost = Cost::MAX / 4;

/// So many pairs of operands are looked at, at most. Where there are more, only values at about the
/// same place in both programs are compared.
const MOST_PAIRS: usize = 4_000_000;

/// What to do about two values, for the least cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Take them for one another.
    Match,
    /// Go on with this operand of the left one.
    PassLeft(usize),
    /// Go on with this operand of the right one.
    PassRight(usize),
}

/// Distances between the values of two programs.
pub(super) struct Distances<'a, 's> {
    pub(super) left: &'a Side<'s>,
    pub(super) right: &'a Side<'s>,
    pub(super) losses_left: Losses,
    pub(super) losses_right: Losses,
    /// A row for each left value, with so many right ones from the row's start on.
    table: Vec<Cost>,
    width: usize,
}

/// How many right values each left one is compared with.
fn width(left: &Side<'_>, right: &Side<'_>) -> usize {
    let columns = right.values.len();
    let [operands, others] = [left, right].map(|side| {
        let reads = side.values.iter().map(|value| value.reads.len().max(1));
        reads.sum::<usize>()
    });
    match operands.saturating_mul(others) {
        pairs if pairs > MOST_PAIRS => (columns * MOST_PAIRS / pairs).max(1),
        _ => columns,
    }
}

impl<'a, 's> Distances<'a, 's> {
    pub(super) fn new(left: &'a Side<'s>, right: &'a Side<'s>) -> Self {
        let (rows, columns) = (left.values.len(), right.values.len());
        let width = width(left, right);
        let mut distances = Distances {
            left,
            right,
            losses_left: Losses::new(left, right),
            losses_right: Losses::new(right, left),
            table: vec![NEVER; rows * width],
            width,
        };
        for row in 0..rows {
            let start = distances.start(row);
            for column in start..columns.min(start + width) {
                let (distance, _) = distances.best(row, column);
                distances.table[row * width + column - start] = distance;
            }
        }
        distances
    }

    /// The first right value that a left one is compared with.
    fn start(&self, row: usize) -> usize {
        let (rows, columns) = (self.left.values.len(), self.right.values.len());
        let middle = row * columns / rows.max(1);
        let last = columns.saturating_sub(self.width);
        middle.saturating_sub(self.width / 2).min(last)
    }

    /// How far apart two values are; [`NEVER`] if there is no way from one to the other.
    pub(super) fn between(&self, left: usize, right: usize) -> Cost {
        let place = right.checked_sub(self.start(left));
        let place = place.filter(|place| *place < self.width);
        place.map_or(NEVER, |place| self.table[left * self.width + place])
    }

    /// The distance between two values, and the first step on the way.
    pub(super) fn best(&self, left: usize, right: usize) -> (Cost, Step) {
        let [one, other] = [&self.left.values[left], &self.right.values[right]];
        let mut best = (self.matched(left, right), Step::Match);
        let mut consider = |cost: Cost, step: Step| {
            if cost < best.0 {
                best = (cost, step);
            }
        };
        for term in &one.operands {
            let lost = self.losses_left.passing(left, term.value);
            let cost = lost + self.between(term.value, right);
            consider(cost, Step::PassLeft(term.value));
        }
        for term in &other.operands {
            let gained = self.losses_right.passing(right, term.value);
            let cost = gained + self.between(left, term.value);
            consider(cost, Step::PassRight(term.value));
        }
        (best.0.min(NEVER), best.1)
    }

    /// The cost of taking two values for one another.
    fn matched(&self, left: usize, right: usize) -> Cost {
        let [one, other] = [&self.left.values[left], &self.right.values[right]];
        match (one.input, other.input) {
            (None, None) => {}
            (one, other) if one == other => return 0,
            _ => return NEVER,
        }
        let change = match one.is_same(other) {
            true if one.is_shared == other.is_shared => 0,
            false if one.label.sort != other.label.sort => OTHER_SORT,
            _ => CHANGE,
        };
        let other_use = match one.context == other.context {
            true => 0,
            false => OTHER_USE,
        };
        change + other_use + self.operands(left, right)
    }

    /// How far apart the operands of two values are.
    fn operands(&self, left: usize, right: usize) -> Cost {
        let [one, other] = [&self.left.values[left], &self.right.values[right]];
        if let ([one], [other]) = (one.reads.as_slice(), other.reads.as_slice()) {
            return self.operand(*one, *other);
        }
        let mut farthest = 0;
        let mut is_left_paired = vec![false; one.reads.len()];
        let mut is_right_paired = vec![false; other.reads.len()];
        for (i, j) in self.pairs(left, right, None) {
            farthest = farthest.max(self.operand(one.reads[i], other.reads[j]));
            is_left_paired[i] = true;
            is_right_paired[j] = true;
        }
        let lost = self.losses_left.unpaired(&one.reads, &is_left_paired);
        let gained = self.losses_right.unpaired(&other.reads, &is_right_paired);
        (farthest + lost + gained).min(NEVER)
    }

    /// How far apart two operands are: what they compute, or, if that is less, one change for
    /// reading another value.
    pub(super) fn operand(&self, left: usize, right: usize) -> Cost {
        self.between(left, right).min(self.another(left, right))
    }

    /// The cost of reading another value, with what that leaves unused.
    pub(super) fn another(&self, left: usize, right: usize) -> Cost {
        let lost = self.losses_left.unknown(left);
        OTHER_VALUE + lost.max(self.losses_right.unknown(right))
    }
}

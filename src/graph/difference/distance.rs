//! An estimate of how far apart any two values are, which leads the search for a matching.
//!
//! It is the edit distance between terms by dynamic programming, as for trees: two operations are
//! taken for one another, or one of them is passed over in favour of one of its operands. Along a
//! chain it is exact. What two branches share would be counted in both, and their costs multiply
//! with every fork below one another; so of several operands, the farthest apart counts.

use rustc_hash::FxHashSet;

use super::side::Side;

/// What one change costs. Costs are small numbers so that of two ways with as many changes, the one
/// with likelier ones is taken.
pub(super) const CHANGE: u32 = 4;

/// What it costs to take an operation for one with another name.
const OTHER_NAME: u32 = 5;

/// The distance of what can't be made the same, and of what was not looked at.
pub(super) const NEVER: u32 = u32::MAX / 4;

/// Distances of so many pairs are computed at most; where there are more pairs, of those at about
/// the same place in both programs.
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
    losses: [Losses; 2],
    /// A row for each left value, with as many right ones from the row's start on.
    table: Vec<u32>,
    width: usize,
}

/// What is lost of a program where a value is not used any more.
struct Losses {
    /// The cost of what only this value is for: itself, what only that is for, and so on.
    exclusive: Vec<u32>,
    /// The sum of that over the operands.
    operands: Vec<u32>,
    /// The cost of what the other program does not compute, along the longest way down.
    unknown: Vec<u32>,
}

impl Losses {
    fn new(side: &Side<'_>, other: &Side<'_>) -> Self {
        let known: FxHashSet<u32> = other.values.iter().map(|value| value.term).collect();
        let count = side.values.len();
        let mut losses = Losses {
            exclusive: Vec::with_capacity(count),
            operands: Vec::with_capacity(count),
            unknown: Vec::with_capacity(count),
        };
        for value in &side.values {
            let operands = value.operands.iter().map(|term| term.value);
            let exclusive = operands.clone().map(|operand| losses.exclusive[operand]);
            let exclusive = exclusive.fold(0, u32::saturating_add).min(NEVER);
            let is_exclusive = value.readers.len() == 1 && !value.is_output;
            let unknown = operands.map(|operand| losses.unknown[operand]).max();
            losses.operands.push(exclusive);
            losses
                .exclusive
                .push(match is_exclusive && value.input.is_none() {
                    true => (CHANGE + exclusive).min(NEVER),
                    false => 0,
                });
            losses.unknown.push(match known.contains(&value.term) {
                true => 0,
                false => (CHANGE + unknown.unwrap_or(0)).min(NEVER),
            });
        }
        losses
    }

    /// What is lost where `value` is passed over in favour of an operand.
    fn passing(&self, value: usize, operand: usize) -> u32 {
        CHANGE + self.operands[value] - self.exclusive[operand].min(self.operands[value])
    }

    /// What is lost where `operand` is not read any more.
    fn dropping(&self, operand: usize) -> u32 {
        self.exclusive[operand].max(CHANGE + self.unknown[operand])
    }
}

impl<'a, 's> Distances<'a, 's> {
    pub(super) fn new(left: &'a Side<'s>, right: &'a Side<'s>) -> Self {
        let (rows, columns) = (left.values.len(), right.values.len());
        let width = (MOST_PAIRS / rows.max(1)).clamp(1, columns.max(1));
        let mut distances = Distances {
            left,
            right,
            losses: [Losses::new(left, right), Losses::new(right, left)],
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
    pub(super) fn between(&self, left: usize, right: usize) -> u32 {
        let place = right.checked_sub(self.start(left));
        let place = place.filter(|place| *place < self.width);
        place.map_or(NEVER, |place| self.table[left * self.width + place])
    }

    /// The distance between two values, and the first step on the way.
    pub(super) fn best(&self, left: usize, right: usize) -> (u32, Step) {
        let [one, other] = [&self.left.values[left], &self.right.values[right]];
        if one.term == other.term {
            return (0, Step::Match);
        }
        let mut best = match (one.input, other.input) {
            (None, None) => {
                let change = match one.is_same(other) {
                    true if one.is_shared == other.is_shared => 0,
                    false if one.label.name != other.label.name => OTHER_NAME,
                    _ => CHANGE,
                };
                (change + self.operands(left, right), Step::Match)
            }
            _ => (NEVER, Step::Match),
        };
        let mut consider = |cost: u32, step: Step| {
            if cost < best.0 {
                best = (cost, step);
            }
        };
        for term in &one.operands {
            let rest = self.losses[0].passing(left, term.value);
            let cost = rest + self.between(term.value, right);
            consider(cost, Step::PassLeft(term.value));
        }
        for term in &other.operands {
            let rest = self.losses[1].passing(right, term.value);
            let cost = rest + self.between(left, term.value);
            consider(cost, Step::PassRight(term.value));
        }
        (best.0.min(NEVER), best.1)
    }

    /// How far apart two operands are: what they compute, or, if that is less, one change for
    /// reading another value and what that leaves unused.
    pub(super) fn operand(&self, left: usize, right: usize) -> u32 {
        self.between(left, right).min(self.other(left, right))
    }

    /// The cost of reading another value.
    pub(super) fn other(&self, left: usize, right: usize) -> u32 {
        OTHER_NAME + self.losses[0].unknown[left].max(self.losses[1].unknown[right])
    }

    /// The cost of leaving an operand of the left value out.
    pub(super) fn without_left(&self, operand: usize) -> u32 {
        self.losses[0].dropping(operand)
    }

    /// The cost of leaving an operand of the right value out.
    pub(super) fn without_right(&self, operand: usize) -> u32 {
        self.losses[1].dropping(operand)
    }

    /// How far apart the operands of two values are.
    fn operands(&self, left: usize, right: usize) -> u32 {
        let [one, other] = [&self.left.values[left], &self.right.values[right]];
        if let ([one], [other]) = (one.operands.as_slice(), other.operands.as_slice()) {
            return self.operand(one.value, other.value);
        }
        let mut apart = 0;
        let mut is_left_alone = [
            vec![true; one.operands.len()],
            vec![true; other.operands.len()],
        ];
        for (i, j) in self.pairs(left, right, None) {
            let distance = self.operand(one.operands[i].value, other.operands[j].value);
            apart = apart.max(distance);
            is_left_alone[0][i] = false;
            is_left_alone[1][j] = false;
        }
        for ((value, losses), is_left_alone) in
            [one, other].iter().zip(&self.losses).zip(&is_left_alone)
        {
            let alone = value.operands.iter().zip(is_left_alone);
            let alone = alone.filter(|(_, is_left_alone)| **is_left_alone);
            apart += alone
                .map(|(term, _)| losses.dropping(term.value))
                .sum::<u32>();
        }
        apart.min(NEVER)
    }
}

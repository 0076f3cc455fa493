//! What is lost of a program where a value is not used any more.

use rustc_hash::FxHashSet;

use super::distance::{CHANGE, Cost, NEVER};
use super::side::Side;

/// What each value of a program is worth.
pub(super) struct Losses {
    /// The cost of what is there only for this value: itself, what is there only for that, and so
    /// on; nothing if others read it too.
    exclusive: Vec<Cost>,
    /// The sum of that over the operands.
    operands: Vec<Cost>,
    /// The cost of what the other program does not compute, along the longest way down.
    unknown: Vec<Cost>,
}

impl Losses {
    /// The losses of `side` against `other`.
    pub(super) fn new(side: &Side<'_>, other: &Side<'_>) -> Self {
        let known: FxHashSet<u32> = other.values.iter().map(|value| value.term).collect();
        let count = side.values.len();
        let mut losses = Losses {
            exclusive: Vec::with_capacity(count),
            operands: Vec::with_capacity(count),
            unknown: Vec::with_capacity(count),
        };
        for value in &side.values {
            let mut exclusive = 0;
            let mut unknown = 0;
            for term in &value.operands {
                exclusive = NEVER.min(exclusive + losses.exclusive[term.value]);
                unknown = unknown.max(losses.unknown[term.value]);
            }
            let is_exclusive =
                value.readers.len() == 1 && !value.is_output && value.input.is_none();
            losses.operands.push(exclusive);
            losses.exclusive.push(match is_exclusive {
                true => NEVER.min(CHANGE + exclusive),
                false => 0,
            });
            losses.unknown.push(match known.contains(&value.term) {
                true => 0,
                false => CHANGE + unknown,
            });
        }
        losses
    }

    /// What is lost where `value` is passed over in favour of an operand.
    pub(super) fn passing(&self, value: usize, operand: usize) -> Cost {
        CHANGE + self.operands[value].saturating_sub(self.exclusive[operand])
    }

    /// What is lost where `operand` is not read any more.
    pub(super) fn dropping(&self, operand: usize) -> Cost {
        self.exclusive[operand].max(CHANGE + self.unknown[operand])
    }

    /// What of a value the other program does not compute.
    pub(super) fn unknown(&self, value: usize) -> Cost {
        self.unknown[value]
    }

    /// What is lost with the operands that have no partner. One that has a partner elsewhere is read
    /// less often, which is one change.
    pub(super) fn unpaired(&self, reads: &[usize], is_paired: &[bool]) -> Cost {
        let places = || reads.iter().zip(is_paired);
        if is_paired.iter().all(|is_paired| *is_paired) {
            return 0;
        }
        let paired = places().filter(|(_, is_paired)| **is_paired);
        let paired: FxHashSet<usize> = paired.map(|(value, _)| *value).collect();
        let unpaired = places().filter(|(_, is_paired)| !**is_paired);
        let cost = |value: usize| match paired.contains(&value) {
            true => CHANGE,
            false => self.dropping(value),
        };
        unpaired.map(|(value, _)| cost(*value)).sum()
    }
}

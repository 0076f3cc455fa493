//! Every distinct program up to a length.
//!
//! Programs are grown symbol by symbol, shortest first. Two beginnings with equal certificates, with
//! all that is on the stack as outputs, go on alike whatever follows, so that only the first of each
//! class is grown; and a beginning from which no end can be reached in the symbols that are left is
//! dropped. What is looked at is thus the number of classes times that of symbols, not the number
//! of strings.

use std::ops::ControlFlow;

use super::MAXIMUM_FILLING;
use super::automaton::StateId;
use super::patterns::Patterns;
use crate::graph::{ClassId, Classes, Key, Laws};

/// A program that is equal to no shorter one and to none before it in the order of the alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Its symbols.
    pub opcodes: &'a [u8],
    /// Its key.
    pub key: Key,
}

/// How many programs there are of one length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LengthCount {
    /// The length, in symbols.
    pub length: usize,
    /// The valid strings of this length; stays at the largest number if there are more.
    pub strings: u64,
    /// Those of them that are equal to no shorter one, each class counted once.
    pub distinct: u64,
    /// How many beginnings were looked at.
    pub looked_at: u64,
}

/// Grows programs length by length; see the module.
///
/// Memory grows with the number of distinct beginnings.
pub struct Enumeration<'p> {
    patterns: &'p mut Patterns,
    longest: usize,
    laws: Laws,
    classes: Classes,
    /// The first beginning of each class that was new at this length.
    beginnings: Vec<Vec<u8>>,
    /// How many strings of this length lead to each state.
    states: Vec<(StateId, u64)>,
    length: usize,
    /// Whether a program that does nothing was found.
    found_nothing: bool,
    was_stopped: bool,
}

impl<'p> Enumeration<'p> {
    /// The distinct valid programs of one symbol up to `longest` symbols.
    pub fn new(patterns: &'p mut Patterns, longest: usize, laws: Laws) -> Self {
        let mut classes = Classes::default();
        patterns.read(&[]);
        classes.insert(patterns.certificate(laws));
        Enumeration {
            patterns,
            longest: longest.min(MAXIMUM_FILLING as usize),
            laws,
            classes,
            beginnings: vec![Vec::new()],
            states: vec![(0, 1)],
            length: 0,
            found_nothing: false,
            was_stopped: false,
        }
    }

    /// Calls `visit` for every distinct valid program of the next length, in the order of the
    /// alphabet, and counts. `None` when all lengths are done. If `visit` breaks, the rest is left
    /// out and the count is of what was done.
    ///
    /// # Panics
    ///
    /// If there are 2^32 distinct beginnings.
    pub fn next_length(
        &mut self,
        visit: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Option<LengthCount> {
        if self.length == self.longest || self.was_stopped {
            return None;
        }
        self.length += 1;
        let remaining = self.longest - self.length;
        self.states = strings_by_state(self.patterns, &self.states, remaining);
        let mut count = LengthCount {
            length: self.length,
            strings: valid_strings(self.patterns, &self.states),
            ..LengthCount::default()
        };
        let mut opcodes = Vec::new();
        for beginning in std::mem::take(&mut self.beginnings) {
            for symbol in 0..self.patterns.symbols().len() as u8 {
                opcodes.clone_from(&beginning);
                opcodes.push(symbol);
                if self.look_at(&opcodes, &mut count, visit).is_break() {
                    self.was_stopped = true;
                    return Some(count);
                }
            }
        }
        Some(count)
    }

    /// Whether it ended because `visit` broke.
    pub fn was_stopped(&self) -> bool {
        self.was_stopped
    }

    fn look_at(
        &mut self,
        opcodes: &[u8],
        count: &mut LengthCount,
        visit: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let remaining = self.longest - opcodes.len();
        let Ok(state) = self.patterns.walk(opcodes) else {
            return ControlFlow::Continue(());
        };
        if !self.patterns.can_finish(state, remaining) {
            return ControlFlow::Continue(());
        }
        count.looked_at += 1;
        let certificate = self.patterns.certificate(self.laws);
        let (class, is_new) = self.classes.insert(certificate);
        if is_new {
            self.beginnings.push(opcodes.to_vec());
        }
        let is_nothing = class == ClassId(0) && !self.found_nothing;
        if !(is_new || is_nothing) || !self.patterns.accepts(state) {
            return ControlFlow::Continue(());
        }
        self.found_nothing |= is_nothing;
        count.distinct += 1;
        let key = self.classes.key(class);
        visit(Found { opcodes, key })
    }
}

/// From how many strings lead to each state to how many do that are one symbol longer, as far as
/// they can still be ended.
fn strings_by_state(
    patterns: &mut Patterns,
    states: &[(StateId, u64)],
    remaining: usize,
) -> Vec<(StateId, u64)> {
    let mut longer: Vec<(StateId, u64)> = Vec::new();
    for &(state, strings) in states {
        for symbol in 0..patterns.symbols().len() as u8 {
            if let Some(next) = patterns.next(state, symbol)
                && patterns.can_finish(next, remaining)
            {
                longer.push((next, strings));
            }
        }
    }
    longer.sort_unstable();
    let of_one_state = longer.chunk_by(|left, right| left.0 == right.0);
    of_one_state
        .map(|all| {
            let strings = all.iter().map(|(_, strings)| *strings);
            (all[0].0, strings.fold(0, u64::saturating_add))
        })
        .collect()
}

fn valid_strings(patterns: &mut Patterns, states: &[(StateId, u64)]) -> u64 {
    let valid = states.iter().filter(|(state, _)| patterns.accepts(*state));
    valid.fold(0, |sum, (_, strings)| sum.saturating_add(*strings))
}

//! The path of the layer being expanded, which names its parameters.

use std::fmt::Write;

use compact_str::CompactString;
use rustc_hash::FxHashMap;

/// How often each name has been met in a body.
pub(super) type Counts = FxHashMap<CompactString, usize>;

/// The path of the layer being expanded.
#[derive(Default)]
pub(super) struct Path {
    /// Somebody records it, or names of weights need it.
    is_wanted: bool,
    /// The path: `basic.0.conv.1`.
    pub text: String,
    /// The names met in the bodies around, the innermost last; beyond [`Path::depth`] memory that
    /// can be used again.
    counts: Vec<Counts>,
    depth: usize,
    /// The path of the word that is entered next, if its weights have a name.
    pub next: Option<String>,
    /// How many named weights are around.
    pub named: usize,
}

/// What to go back to when a word is left.
pub(super) enum Entered {
    Length(usize),
    Text(String),
}

/// Memory for more names than this is given back, so that one large body does not make every later
/// one clear as much.
const KEPT_CAPACITY: usize = 256;

impl Path {
    pub fn new(is_wanted: bool) -> Self {
        Self {
            is_wanted,
            ..Self::default()
        }
    }

    /// Enters a word: one of its name among those in the body.
    pub fn enter(&mut self, name: &str) -> Entered {
        if let Some(next) = self.next.take() {
            return Entered::Text(std::mem::replace(&mut self.text, next));
        }
        let length = self.text.len();
        if !self.is_wanted {
            return Entered::Length(length);
        }
        let number = self.number(name);
        if !self.text.is_empty() {
            self.text.push('.');
        }
        self.text.push_str(name);
        self.text.push('.');
        match u8::try_from(number) {
            Ok(digit @ 0..10) => self.text.push(char::from(b'0' + digit)),
            // Writing to a string can't fail.
            _ => drop(write!(self.text, "{number}")),
        }
        Entered::Length(length)
    }

    /// How many of this name there were in the body before.
    fn number(&mut self, name: &str) -> usize {
        let Some(counts) = self.counts[..self.depth].last_mut() else {
            return 0;
        };
        match counts.get_mut(name) {
            Some(count) => {
                *count += 1;
                *count - 1
            }
            None => {
                counts.insert(name.into(), 1);
                0
            }
        }
    }

    /// Leaves the word that was entered last.
    pub fn leave(&mut self, entered: Entered) {
        match entered {
            Entered::Length(length) => self.text.truncate(length),
            Entered::Text(text) => self.text = text,
        }
    }

    /// Enters a body, whose names are counted on their own.
    pub fn enter_body(&mut self) {
        if !self.is_wanted {
            return;
        }
        if self.depth == self.counts.len() {
            self.counts.push(Counts::default());
        }
        self.depth += 1;
    }

    /// Leaves the body that was entered last.
    pub fn leave_body(&mut self) {
        if !self.is_wanted {
            return;
        }
        self.depth -= 1;
        let counts = &mut self.counts[self.depth];
        match counts.capacity() > KEPT_CAPACITY {
            true => *counts = Counts::default(),
            false => counts.clear(),
        }
    }

    /// The names met so far in the innermost body.
    pub fn counted(&self) -> Counts {
        let counts = self.counts[..self.depth].last();
        counts.cloned().unwrap_or_default()
    }

    /// Begins inside a body in which these names have been met.
    pub fn begin_within(&mut self, text: &str, named: usize, counts: Counts) {
        text.clone_into(&mut self.text);
        self.named = named;
        self.counts = vec![counts];
        self.depth = 1;
    }
}

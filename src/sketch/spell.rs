//! From a graph back to a pattern: the shortest that writes it.
//!
//! Patterns are grown symbol by symbol, as in an [`Enumeration`](super::Enumeration), and only the
//! first of each class of equal beginnings is grown further. Here the goal is known. A beginning that
//! computes what the goal has no use for is dropped, and the one that is grown next is the one whose
//! length, with the symbols that are still needed at least, is smallest (the search A*). So the first
//! pattern that is found is a shortest one, and of equally short ones the first in the order of the
//! alphabet.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::patterns::Patterns;
use super::prices::Prices;
use crate::graph::{Canonicaliser, ClassId, Classes, Graph, Inventory, Laws};

/// How much [`spell`] looks at before it gives up: some seconds of work. Each beginning of a pattern
/// counts as many as it has values and the program has; so of a program of 100 values, 100,000
/// beginnings are looked at and more.
pub const MOST_VALUES: usize = 20_000_000;

/// The shortest pattern that writes the program `target`, and of equally short ones the first in the
/// order of the alphabet. Its certificate under `laws` is that of `target`, so equal programs give
/// one pattern. A program that leaves the stack as it is gives the empty pattern.
///
/// Gives `None` if there is no such pattern, or if none was found by looking at [`MOST_VALUES`] values.
/// Patterns that compute something only to drop it are not tried. And a shorter pattern may be missed
/// if a symbol does more in one place than in another.
///
/// The variables in the shapes of the inputs need not have the names that they have in the
/// signature of `patterns`, but the shapes must be the same.
///
/// # Panics
///
/// If `target` is no graph; see [`Canonicaliser::canonicalise`].
pub fn spell(patterns: &mut Patterns, target: &Graph, laws: Laws) -> Option<Vec<u8>> {
    let mut search = Search::new(patterns, target, laws);
    search.look_at(Vec::new());
    while search.looked_at < MOST_VALUES {
        let beginning = search.next()?;
        if beginning.class == TARGET {
            return Some(beginning.opcodes);
        }
        search.grow(&beginning.opcodes);
    }
    None
}

/// The class of the program that is to be written.
const TARGET: ClassId = ClassId(0);

struct Search<'p> {
    patterns: &'p mut Patterns,
    laws: Laws,
    prices: Prices,
    target: Inventory,
    classes: Classes,
    /// For each class the best beginning that was met.
    best: Vec<Option<Vec<u8>>>,
    /// Beginnings to be grown. Those that were replaced by better ones are still there.
    open: BinaryHeap<Reverse<Beginning>>,
    /// How many values were looked at.
    looked_at: usize,
}

/// A beginning of a pattern. The smallest comes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Beginning {
    /// How long a pattern that begins so is at least.
    bound: usize,
    opcodes: Vec<u8>,
    class: ClassId,
}

impl<'p> Search<'p> {
    fn new(patterns: &'p mut Patterns, target: &Graph, laws: Laws) -> Self {
        let mut canonicaliser = Canonicaliser::new();
        let canonical = canonicaliser.canonicalise(target, laws);
        let mut classes = Classes::default();
        classes.insert(canonical.certificate.bytes());
        Search {
            prices: Prices::learn(patterns),
            target: canonicaliser.inventory(&canonical.graph, laws),
            classes,
            best: vec![None],
            open: BinaryHeap::new(),
            looked_at: 0,
            patterns,
            laws,
        }
    }

    /// The most promising beginning.
    fn next(&mut self) -> Option<Beginning> {
        loop {
            let Reverse(beginning) = self.open.pop()?;
            let best = &self.best[beginning.class.0 as usize];
            if best.as_ref() == Some(&beginning.opcodes) {
                return Some(beginning);
            }
        }
    }

    fn grow(&mut self, beginning: &[u8]) {
        for symbol in 0..self.patterns.symbols().len() as u8 {
            let mut opcodes = beginning.to_vec();
            opcodes.push(symbol);
            self.look_at(opcodes);
        }
    }

    /// Keeps a beginning if it type-checks, can become the target, and is the best of its class.
    fn look_at(&mut self, opcodes: Vec<u8>) {
        let Ok(state) = self.patterns.walk(&opcodes) else {
            return;
        };
        let inventory = self.patterns.inventory(self.laws);
        self.looked_at += inventory.len() + self.target.len();
        let Prices { may_discard, .. } = self.prices;
        let price = |work| self.prices.of(work);
        let Some(missing) = self.target.missing(&inventory, may_discard, price) else {
            return;
        };
        let (class, is_new) = self.classes.insert(self.patterns.certificate(self.laws));
        if class == TARGET && !self.patterns.accepts(state) {
            return;
        }
        if is_new {
            self.best.push(None);
        }
        let best = &mut self.best[class.0 as usize];
        let is_better = |best: &Vec<u8>| (opcodes.len(), &opcodes) < (best.len(), best);
        if best.as_ref().is_none_or(is_better) {
            *best = Some(opcodes.clone());
            self.open.push(Reverse(Beginning {
                bound: opcodes.len() + Prices::symbols(missing),
                opcodes,
                class,
            }));
        }
    }
}

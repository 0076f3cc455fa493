//! What the symbols of an alphabet can do, and so what each piece of work costs at least.

use std::mem::discriminant;

use rustc_hash::{FxHashMap, FxHashSet};

use super::patterns::Patterns;
use crate::graph::{Graph, Node, NodeKind, Work};

/// Prices of work, in parts of a symbol. What a symbol does costs at most one symbol, so that what
/// a pattern does costs at most its length.
pub(super) struct Prices {
    prices: FxHashMap<Work, u64>,
    /// Whether a symbol may get rid of a value.
    pub(super) may_discard: bool,
}

/// The price of a symbol.
const SYMBOL: u64 = 1 << 20;

/// Symbols are tried at so many places until each has type-checked somewhere.
const MOST_STEPS: usize = 4_000;

impl Prices {
    /// Tries the symbols on the stacks that patterns lead to, those of few symbols first. A symbol
    /// that never type-checks is taken to be of no use, and all others to do wherever they stand
    /// what they do where they were first met.
    pub(super) fn learn(patterns: &mut Patterns) -> Self {
        let symbols = patterns.symbols().len() as u8;
        let mut prices = Prices {
            prices: FxHashMap::default(),
            may_discard: false,
        };
        let mut unknown: FxHashSet<u8> = (0..symbols).collect();
        let mut states = vec![0];
        let mut seen: FxHashSet<_> = states.iter().copied().collect();
        let (mut next, mut steps) = (0, 0);
        while let Some(&state) = states.get(next)
            && !unknown.is_empty()
            && steps < MOST_STEPS
        {
            next += 1;
            for symbol in 0..symbols {
                steps += 1;
                let Some((state, work)) = patterns.work(state, symbol) else {
                    continue;
                };
                if unknown.remove(&symbol) {
                    prices.add(work);
                }
                if seen.insert(state) {
                    states.push(state);
                }
            }
        }
        prices
    }

    /// Learns what a symbol does. Its price is divided evenly among its pieces of work; each kind of
    /// work costs what it costs where it is cheapest.
    fn add(&mut self, symbol: &Graph) {
        let work = work_of(symbol);
        let pieces = work.len() as u64;
        for piece in work {
            let price = self.prices.entry(piece).or_insert(SYMBOL);
            *price = (*price).min(SYMBOL / pieces);
        }
        self.may_discard |= discards(symbol);
    }

    /// What a piece of work costs; nothing if no symbol does it.
    pub(super) fn of(&self, work: Work) -> Option<u64> {
        self.prices.get(&work).copied()
    }

    /// How many symbols work of this price takes at least.
    pub(super) fn symbols(price: u64) -> usize {
        price.div_ceil(SYMBOL) as usize
    }
}

/// How often each node is read or left.
fn uses(graph: &Graph) -> Vec<usize> {
    let mut uses = vec![0; graph.nodes.len()];
    let read = graph.nodes.iter().flat_map(|node| &node.inputs);
    for id in read.chain(&graph.outputs) {
        uses[id.0 as usize] += 1;
    }
    uses
}

fn work_of(graph: &Graph) -> Vec<Work> {
    let operations = graph.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Operation(operation) => Some(Work::Operation(discriminant(operation))),
        NodeKind::Input(_) => None,
    });
    let copies = uses(graph).iter().map(|uses| uses.saturating_sub(1)).sum();
    operations
        .chain(std::iter::repeat_n(Work::Copy, copies))
        .collect()
}

/// Whether something is not used. Zeros are made of a value without using it.
fn discards(graph: &Graph) -> bool {
    let is_zero = |node: &Node| match &node.kind {
        NodeKind::Operation(operation) => operation.is_zero(),
        NodeKind::Input(_) => false,
    };
    uses(graph).contains(&0) || graph.nodes.iter().any(is_zero)
}

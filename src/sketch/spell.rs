//! spell

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::mem::discriminant;

use rustc_hash::FxHashMap;

use super::patterns::Patterns;
use crate::graph::{Canonicaliser, ClassId, Classes, Graph, Inventory, Laws, Need, NodeKind};
use crate::operations::{Activation, Operation};

pub const MOST: usize = 100_000;

const UNIT: u64 = 1 << 20;

#[derive(Default)]
struct Costs {
    prices: FxHashMap<crate::graph::OperationKind, u64>,
    copy: u64,
    discards: bool,
}

fn learn(patterns: &mut Patterns) -> Costs {
    let mut works: Vec<FxHashMap<Option<crate::graph::OperationKind>, u64>> =
        vec![FxHashMap::default(); patterns.symbols().len()];
    let mut costs = Costs { copy: UNIT, ..Costs::default() };
    let mut states = vec![0];
    let mut next = 0;
    while next < states.len() && next < 100 {
        let state = states[next];
        next += 1;
        for symbol in 0..patterns.symbols().len() as u8 {
            let Some((to, graph)) = patterns.work(state, symbol) else { continue };
            let mut work: FxHashMap<_, u64> = FxHashMap::default();
            let mut uses = vec![0_u64; graph.nodes.len()];
            for id in graph.nodes.iter().flat_map(|node| &node.inputs).chain(&graph.outputs) {
                uses[id.0 as usize] += 1;
            }
            for node in &graph.nodes {
                if let NodeKind::Operation(operation) = &node.kind {
                    *work.entry(Some(discriminant(operation))).or_default() += 1;
                    costs.discards |= *operation == Operation::Activation(Activation::Zero);
                }
            }
            costs.discards |= uses.contains(&0);
            let copies: u64 = uses.iter().map(|uses| uses.saturating_sub(1)).sum();
            if copies > 0 {
                work.insert(None, copies);
            }
            for (kind, count) in work {
                let known = works[symbol as usize].entry(kind).or_default();
                *known = count.max(*known);
            }
            if !states.contains(&to) {
                states.push(to);
            }
        }
    }
    for work in &works {
        let total: u64 = work.values().sum();
        for kind in work.keys() {
            match kind {
                None => costs.copy = costs.copy.min(UNIT / total),
                Some(kind) => {
                    let price = costs.prices.entry(*kind).or_insert(UNIT);
                    *price = (*price).min(UNIT / total);
                }
            }
        }
    }
    costs
}

pub fn spell(patterns: &mut Patterns, target: &Graph, laws: Laws) -> Option<Vec<u8>> {
    spell_within(patterns, target, laws, MOST).0
}

pub fn spell_within(
    patterns: &mut Patterns,
    target: &Graph,
    laws: Laws,
    most: usize,
) -> (Option<Vec<u8>>, usize) {
    let mut canonicaliser = Canonicaliser::new();
    let canonical = canonicaliser.canonicalise(target, laws);
    let whole = canonicaliser.inventory(&canonical.graph, laws);
    let costs = learn(patterns);
    let price = |need: Need| match need {
        Need::Copy => costs.copy,
        Need::Operation(kind) => costs.prices.get(&kind).copied().unwrap_or(UNIT),
    };
    let mut classes = Classes::default();
    classes.insert(canonical.certificate.bytes());
    let mut best: Vec<Option<Vec<u8>>> = vec![None];
    let mut open: BinaryHeap<Reverse<(usize, Vec<u8>, ClassId)>> = BinaryHeap::new();
    let mut looked = 0;
    let mut first = true;
    let mut current: Vec<u8> = Vec::new();
    loop {
        for symbol in 0..patterns.symbols().len() as u8 {
            let mut opcodes = current.clone();
            if !first {
                opcodes.push(symbol);
            } else if symbol > 0 {
                break;
            }
            let Ok(state) = patterns.walk(&opcodes) else { continue };
            looked += 1;
            if looked > most {
                return (None, looked);
            }
            let inventory = patterns.inventory(laws);
            let Some(missing) = whole.missing(&inventory, costs.discards, laws, price) else {
                continue;
            };
            let (class, is_new) = classes.insert(patterns.certificate(laws));
            if class.0 == 0 && !patterns.accepts(state) {
                continue;
            }
            if is_new {
                best.push(None);
            }
            let known = &mut best[class.0 as usize];
            let is_better = known.as_ref().is_none_or(|known| (opcodes.len(), &opcodes) < (known.len(), known));
            if is_better {
                *known = Some(opcodes.clone());
                let bound = opcodes.len() + missing.div_ceil(UNIT) as usize;
                open.push(Reverse((bound, opcodes, class)));
            }
        }
        first = false;
        loop {
            let Some(Reverse((_, opcodes, class))) = open.pop() else { return (None, looked) };
            if best[class.0 as usize].as_ref() != Some(&opcodes) {
                continue;
            }
            if class.0 == 0 {
                return (Some(opcodes), looked);
            }
            current = opcodes;
            break;
        }
    }
}

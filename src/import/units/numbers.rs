//! Numbers for the states of a cell that was found in a graph.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::graph::NodeId;
use crate::import::cell::{Cell, Edge, Merge, Operation, Unit};

/// A unit whose states have no numbers yet.
#[derive(Clone)]
pub(super) struct FoundUnit {
    /// The place of the first joined state that needs it.
    pub needed_by: usize,
    /// The value that it computes. Where several units lead to one value, the last computes it.
    pub value: NodeId,
    pub edges: [FoundEdge; 2],
    pub merge: Merge,
}

/// An edge whose state has no number yet.
#[derive(Clone, Copy)]
pub(super) struct FoundEdge {
    pub operation: Operation,
    /// The state that it reads; none for the unit found just before.
    pub state: Option<NodeId>,
    /// Whether it has no weights.
    pub is_pure: bool,
}

/// A cell whose states have no numbers yet.
pub(super) struct FoundCell {
    /// States 0 and 1, where they are used.
    pub inputs: [Option<NodeId>; 2],
    pub units: Vec<FoundUnit>,
    /// The states that are joined to the output.
    pub joined: Vec<NodeId>,
}

impl FoundCell {
    /// Makes units that are joined several times as many units. A graph has what needs no weights
    /// only once, however often a cell has it.
    pub fn repeat_units(&mut self) {
        let mut known = FxHashSet::default();
        let is_pure = |unit: &&FoundUnit| {
            let mut edges = unit.edges.iter();
            edges.all(|edge| edge.is_pure && edge.state.is_some())
        };
        for (place, value) in self.joined.iter_mut().enumerate() {
            if known.insert(*value) {
                continue;
            }
            let mut units = self.units.iter().filter(|unit| unit.value == *value);
            if let (Some(unit), None) = (units.next().filter(is_pure), units.next()) {
                let unit = unit.clone();
                // A number that no value has: it is behind all that the unit reads.
                *value = NodeId(u32::MAX - place as u32);
                self.units.push(FoundUnit {
                    needed_by: place,
                    value: *value,
                    ..unit
                });
            }
        }
    }

    /// The cell. What the first joined state needs comes first, so that the joined states are in
    /// order if any numbers put them in order.
    pub fn numbered(mut self) -> Cell {
        self.units.sort_by_key(|unit| (unit.needed_by, unit.value));
        let inputs = (0..).zip(self.inputs);
        let inputs = inputs.filter_map(|(number, value)| Some((value?, number)));
        let units = (2..).zip(&self.units);
        let units = units.map(|(number, unit)| (unit.value, number));
        let numbers: FxHashMap<NodeId, usize> = inputs.chain(units).collect();
        let number = |value: &NodeId| numbers.get(value).copied().unwrap_or_default();
        let mut units = Vec::new();
        for (before, unit) in (1..).zip(&self.units) {
            let mut edges = unit.edges.map(|edge| Edge {
                operation: edge.operation,
                state: edge.state.as_ref().map_or(before, number),
            });
            if unit.merge == Merge::Add {
                let is_empty = |edge: &Edge| edge.operation == Operation::Nothing;
                edges.sort_by_key(|edge| (is_empty(edge), edge.state, edge.operation));
            }
            let merge = unit.merge;
            units.push(Unit { edges, merge });
        }
        if units.is_empty() {
            units.push(Unit::EMPTY);
        }
        let outputs = self.joined.iter().map(number).collect();
        Cell { units, outputs }
    }
}

//! Cells of units in graphs: the way back from what `cell` writes.
//!
//! What units read, and what is joined to the output, are the states of a cell. They are found from
//! the output back. A value that is an operation on a state and that one unit alone reads is an edge
//! of this unit. One that several read is a state: written into each of them, its layers would be
//! several layers.

use rustc_hash::FxHashMap;

use crate::graph::{Graph, Laws, NodeId};
use crate::operations::{Dimension, Operation as Layer};

use super::cell::{Cell, Edge, Merge, Notation, Operation, Unit};
use super::genotype::MAXIMUM_UNITS;
use super::network::{BLOCKS, BRING_WORDS};
use super::recognise::{Misfit, Pattern, Values};

/// The laws that graphs are compared by: sums of two are the same in either order, but what is added
/// first still shows.
const LAWS: Laws = Laws::Exact;

/// An operation as a graph.
struct Candidate {
    operation: Operation,
    halves: bool,
    pattern: Pattern,
}

/// A unit, as long as its states have no numbers.
struct Found {
    /// The place of the first joined state that needs it.
    needed_by: usize,
    /// The value that it computes, or that what is made of it computes.
    value: NodeId,
    edges: [(Operation, State); 2],
    merge: Merge,
}

/// What an edge reads.
#[derive(Clone, Copy)]
enum State {
    /// The state that is this value.
    Value(NodeId),
    /// The unit found before.
    Previous,
    /// Whichever: nothing is made of it.
    Any,
}

struct Recogniser {
    values: Values,
    notation: Notation,
    is_reduction: bool,
    /// The larger ones first.
    candidates: Vec<Candidate>,
    /// States 0 and 1, where there is a value that is one.
    brought: [Option<NodeId>; 2],
    /// The channels of the cell, once a layer has told them.
    channels: Option<Dimension>,
    /// For each value that is a state, the place of the first joined state that needs it.
    needed_by: Vec<Option<usize>>,
    found: Vec<Found>,
}

/// The cell that a block is: it takes the outputs of the two cells before it, and leaves the last of
/// these and its own.
///
/// # Errors
///
/// What does not fit, if it is none.
pub(super) fn recognise(
    block: &Graph,
    notation: Notation,
    is_reduction: bool,
) -> Result<Cell, Misfit> {
    let mut recogniser = Recogniser::new(block, notation, is_reduction);
    let output = recogniser.output()?;
    recogniser.find_brought()?;
    let joined = recogniser.join(output)?;
    for value in recogniser.values.all().rev() {
        if let Some(needed_by) = recogniser.needed_by[value.0 as usize] {
            recogniser.state(value, needed_by)?;
        }
    }
    recogniser.cell(&joined)
}

impl Recogniser {
    fn new(block: &Graph, notation: Notation, is_reduction: bool) -> Self {
        let values = Values::new(block, LAWS);
        Recogniser {
            needed_by: vec![None; values.all().count()],
            values,
            notation,
            is_reduction,
            candidates: candidates(notation, is_reduction),
            brought: [None; 2],
            channels: None,
            found: Vec::new(),
        }
    }

    /// The block's own output.
    fn output(&self) -> Result<NodeId, Misfit> {
        let outputs = self.values.outputs();
        match (self.values.inputs(), outputs) {
            (2, [last, own]) if self.values.input(*last) == Some(1) => Ok(*own),
            _ => Err(Misfit::whole(
                "a cell takes two tensors, and leaves the upper one and its own output",
            )),
        }
    }

    /// Finds the values that are the inputs brought to the channels of the cell.
    fn find_brought(&mut self) -> Result<(), Misfit> {
        let inputs = self.values.all().take(2).collect::<Vec<NodeId>>();
        let [older, newer] = inputs[..] else {
            return Ok(());
        };
        let height = |input: NodeId| self.values.sizes(input).get(1);
        let [equal, larger] = BRING_WORDS;
        let words = match height(older) == height(newer) {
            true => [equal, equal],
            false => [larger, equal],
        };
        for (place, (input, words)) in [older, newer].into_iter().zip(words).enumerate() {
            let Some(pattern) = Pattern::new(&BLOCKS.concat(), words, LAWS) else {
                continue;
            };
            for value in self.values.all() {
                if self.values.undo(&pattern, value) != Some(input) {
                    continue;
                }
                if self.brought[place].is_some() {
                    let reason = "brings an input to the channels of the cell a second time";
                    return self.values.misfit(value, reason);
                }
                self.brought[place] = Some(value);
                self.compare_channels(value)?;
            }
        }
        Ok(())
    }

    /// The states that are joined to the output. Edges of no other unit that stand side by side are
    /// one unit where units may concatenate.
    fn join(&mut self, output: NodeId) -> Result<Vec<NodeId>, Misfit> {
        let parts = self.parts(&[output]);
        let mut joined = Vec::new();
        let mut rest = parts.as_slice();
        while let Some((&part, behind)) = rest.split_first() {
            let place = joined.len();
            match behind.first() {
                Some(&next) if self.is_loose(part) && self.is_loose(next) => {
                    let value = part.max(next);
                    self.concatenation(value, &[part, next], place)?;
                    joined.push(value);
                    rest = &behind[1..];
                }
                _ => {
                    self.need(part, place);
                    joined.push(part);
                    rest = behind;
                }
            }
        }
        Ok(joined)
    }

    /// Whether a joined value may be an edge of a unit that concatenates.
    fn is_loose(&self, part: NodeId) -> bool {
        self.notation == Notation::NasNet && self.values.uses(part) == 1 && self.is_edge(part)
    }

    /// The values that are concatenated, where concatenations that nothing else reads are taken
    /// apart.
    fn parts(&self, values: &[NodeId]) -> Vec<NodeId> {
        let mut parts = Vec::new();
        let mut open: Vec<NodeId> = values.iter().rev().copied().collect();
        while let Some(value) = open.pop() {
            let is_inner = self.values.uses(value) == 1;
            match self.values.operation(value) {
                Some(Layer::Concatenate { .. }) if is_inner => {
                    open.extend(self.values.operands(value).iter().rev());
                }
                _ => parts.push(value),
            }
        }
        parts
    }

    fn need(&mut self, value: NodeId, place: usize) {
        let needed_by = &mut self.needed_by[value.0 as usize];
        *needed_by = Some(needed_by.map_or(place, |other| other.min(place)));
    }

    /// Finds the unit that a state is.
    fn state(&mut self, value: NodeId, needed_by: usize) -> Result<(), Misfit> {
        if self.is_brought(value) {
            return Ok(());
        }
        let operands: Vec<NodeId> = self.values.operands(value).to_vec();
        match (self.values.operation(value), operands.as_slice()) {
            (None, _) => {
                let reason = "an input is read before `relu conv(1, n) bn` has brought it to the channels of the cell";
                self.values.misfit(value, reason)
            }
            (Some(Layer::Add { .. }), &[first, second]) => {
                let edges = [self.edge(first, needed_by)?, self.edge(second, needed_by)?];
                self.push(value, needed_by, edges, Merge::Add);
                Ok(())
            }
            (Some(Layer::Add { arity }), _) => {
                let reason = format!("adds {arity} tensors; a unit adds two");
                self.values.misfit(value, reason)
            }
            (Some(Layer::Concatenate { .. }), _) => match self.notation {
                Notation::Darts => {
                    let reason = "joins states inside of the cell; only its end does so";
                    self.values.misfit(value, reason)
                }
                Notation::NasNet => {
                    let parts = self.parts(&operands);
                    self.concatenation(value, &parts, needed_by)
                }
            },
            _ => match self.candidate(value) {
                None => self
                    .values
                    .misfit(value, "ends what is no operation of the space"),
                Some((place, read)) => {
                    let edge = self.through(place, value, read, needed_by)?;
                    let nothing = (Operation::Nothing, State::Any);
                    self.push(value, needed_by, [edge, nothing], Merge::Add);
                    Ok(())
                }
            },
        }
    }

    /// Finds the units that concatenate these parts: the first two, and each of the others with all
    /// before it.
    fn concatenation(
        &mut self,
        value: NodeId,
        parts: &[NodeId],
        needed_by: usize,
    ) -> Result<(), Misfit> {
        let mut edges = Vec::new();
        for part in parts {
            edges.push(self.edge(*part, needed_by)?);
        }
        let mut edges = edges.into_iter();
        let Some(mut before) = edges.next() else {
            return Ok(());
        };
        for edge in edges {
            self.push(value, needed_by, [before, edge], Merge::Concatenate);
            before = (Operation::Skip, State::Previous);
        }
        Ok(())
    }

    fn push(
        &mut self,
        value: NodeId,
        needed_by: usize,
        edges: [(Operation, State); 2],
        merge: Merge,
    ) {
        self.found.push(Found {
            needed_by,
            value,
            edges,
            merge,
        });
    }

    /// The edge of a unit that gives this value.
    fn edge(&mut self, value: NodeId, needed_by: usize) -> Result<(Operation, State), Misfit> {
        match self.candidate(value) {
            Some((place, read)) if self.is_edge(value) => {
                self.through(place, value, read, needed_by)
            }
            _ => {
                self.compare_sizes(value, value, false)?;
                self.need(value, needed_by);
                Ok((Operation::Skip, State::Value(value)))
            }
        }
    }

    /// Whether a value is an operation on a state and no state itself.
    fn is_edge(&self, value: NodeId) -> bool {
        let is_alone = |(place, _): (usize, NodeId)| {
            self.values.uses(value) == 1 || self.candidates[place].pattern.is_pure()
        };
        !self.is_brought(value) && self.candidate(value).is_some_and(is_alone)
    }

    /// The edge that is this candidate on the state `read`.
    fn through(
        &mut self,
        place: usize,
        value: NodeId,
        read: NodeId,
        needed_by: usize,
    ) -> Result<(Operation, State), Misfit> {
        let candidate = &self.candidates[place];
        let (operation, halves) = (candidate.operation, candidate.halves);
        if candidate.pattern.has_channels() {
            self.compare_channels(value)?;
        }
        self.compare_sizes(value, read, halves)?;
        self.need(read, needed_by);
        Ok((operation, State::Value(read)))
    }

    /// The operation that gives a value: the place of the candidate, and what it reads.
    fn candidate(&self, value: NodeId) -> Option<(usize, NodeId)> {
        let mut candidates = self.candidates.iter().enumerate();
        candidates.find_map(|(place, candidate)| {
            let read = self.values.undo(&candidate.pattern, value)?;
            Some((place, read))
        })
    }

    fn is_brought(&self, value: NodeId) -> bool {
        self.brought.contains(&Some(value))
    }

    /// Layers have the channels of the cell.
    fn compare_channels(&mut self, value: NodeId) -> Result<(), Misfit> {
        let channels = self.values.sizes(value).first().cloned();
        match &self.channels {
            Some(known) if channels.as_ref() != Some(known) => {
                let reason = "has other channels than the rest of the cell";
                self.values.misfit(value, reason)
            }
            _ => {
                self.channels = channels;
                Ok(())
            }
        }
    }

    /// In a reduction cell, what reads an input makes it half as large, and nothing else does.
    fn compare_sizes(&self, value: NodeId, read: NodeId, halves: bool) -> Result<(), Misfit> {
        if !self.is_reduction || self.is_brought(read) == halves {
            return Ok(());
        }
        let reason = match halves {
            true => "makes a state half as large that is no input of the cell",
            false => "does not make an input half as large, as a reduction cell does",
        };
        self.values.misfit(value, reason)
    }

    /// Numbers the states: first what the first of the joined states needs. So these are in order
    /// if any numbering puts them in order.
    fn cell(mut self, joined: &[NodeId]) -> Result<Cell, Misfit> {
        self.found.sort_by_key(|unit| (unit.needed_by, unit.value));
        if self.found.len() > MAXIMUM_UNITS {
            let count = self.found.len();
            let reason = format!("it has {count} units; a cell has at most {MAXIMUM_UNITS}");
            return Err(Misfit::whole(reason));
        }
        let inputs = (0..).zip(self.brought);
        let inputs = inputs.filter_map(|(number, value)| Some((value?, number)));
        let units = (2..).zip(&self.found);
        let units = units.map(|(number, unit)| (unit.value, number));
        let numbers: FxHashMap<NodeId, usize> = inputs.chain(units).collect();
        let number = |state: State, unit: usize| match state {
            State::Value(value) => numbers.get(&value).copied().unwrap_or_default(),
            State::Previous => unit + 1,
            State::Any => 0,
        };
        let mut units: Vec<Unit> = (self.found.iter().enumerate())
            .map(|(place, unit)| {
                let mut edges = unit.edges.map(|(operation, state)| Edge {
                    operation,
                    state: number(state, place),
                });
                if unit.merge == Merge::Add {
                    let is_empty = |edge: &Edge| edge.operation == Operation::Nothing;
                    edges.sort_by_key(|edge| (is_empty(edge), edge.state, edge.operation));
                }
                let merge = unit.merge;
                Unit { edges, merge }
            })
            .collect();
        let outputs = joined.iter().map(|value| number(State::Value(*value), 0));
        let outputs = outputs.collect();
        if units.is_empty() {
            let nothing = Edge {
                operation: Operation::Nothing,
                state: 0,
            };
            units.push(Unit {
                edges: [nothing; 2],
                merge: Merge::Add,
            });
        }
        Ok(Cell { units, outputs })
    }
}

/// The graphs of the operations, the larger ones first: `avgpool(1, stride: 2) zero` also ends like
/// `zero`.
fn candidates(notation: Notation, is_reduction: bool) -> Vec<Candidate> {
    let blocks = BLOCKS.concat();
    let mut candidates = Vec::new();
    for halves in [false, true]
        .into_iter()
        .take(1 + usize::from(is_reduction))
    {
        for (_, operation) in notation.operations() {
            let words = operation.words(halves);
            if words.is_empty() {
                continue;
            }
            let pattern = Pattern::new(&blocks, &words, LAWS);
            candidates.extend(pattern.map(|pattern| Candidate {
                operation,
                halves,
                pattern,
            }));
        }
    }
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.pattern.size()));
    candidates
}

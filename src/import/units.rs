//! Cells of units in graphs: the way back from what `cell` writes.
//!
//! What units read, and what is joined to the output, are the states of a cell. They are found from
//! the output back. A value that is an operation on a state and that one unit alone reads is an edge
//! of this unit. One that several read is a state: written into each of them, its layers would be
//! several layers.

mod numbers;

use crate::graph::{Graph, Laws, NodeId};
use crate::operations::{Dimension, Operation as Layer};

use super::cell::{Cell, Merge, Notation, Operation};
use super::genotype::MAXIMUM_UNITS;
use super::network::{BLOCKS, BRING_WORDS};
use super::recognise::{Misfit, Pattern, Values};
use numbers::{FoundCell, FoundEdge, FoundUnit};

/// The laws that graphs are compared by: sums of two are the same in either order, but what is added
/// first still shows.
const LAWS: Laws = Laws::Exact;

/// An operation as a graph.
struct Candidate {
    operation: Operation,
    halves: bool,
    pattern: Pattern,
}

struct Recogniser {
    values: Values,
    notation: Notation,
    is_reduction: bool,
    /// The larger ones first.
    candidates: Vec<Candidate>,
    /// The channels of the cell, once a layer has told them.
    channels: Option<Dimension>,
    /// For each value that is a state, the place of the first joined state that needs it.
    needed_by: Vec<Option<usize>>,
    cell: FoundCell,
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
    recogniser.find_inputs()?;
    recogniser.join(output)?;
    for value in recogniser.values.all().rev() {
        if let Some(needed_by) = recogniser.needed_by[value.0 as usize] {
            recogniser.state(value, needed_by)?;
        }
    }
    let mut cell = recogniser.cell;
    let count = cell.units.len();
    if count > MAXIMUM_UNITS {
        let reason = format!("has {count} units; a cell has at most {MAXIMUM_UNITS}");
        return Err(Misfit::whole(reason));
    }
    cell.repeat_units();
    Ok(cell.numbered())
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
            channels: None,
            cell: FoundCell {
                inputs: [None; 2],
                units: Vec::new(),
                joined: Vec::new(),
            },
        }
    }

    /// The block's own output.
    fn output(&self) -> Result<NodeId, Misfit> {
        match *self.values.outputs() {
            [last, own] if self.values.inputs() == 2 && self.values.input(last) == Some(1) => {
                Ok(own)
            }
            _ => Err(Misfit::whole(
                "does not take two tensors and leave the upper one and its own output",
            )),
        }
    }

    /// Finds the values that are the inputs, brought to the channels of the cell.
    fn find_inputs(&mut self) -> Result<(), Misfit> {
        let inputs: Vec<NodeId> = self.values.all().take(2).collect();
        let height = |input: NodeId| self.values.sizes(input).get(1);
        let is_larger =
            inputs.first().map(|older| height(*older)) != inputs.last().map(|newer| height(*newer));
        let [equal, larger] = BRING_WORDS;
        let words = [if is_larger { larger } else { equal }, equal];
        for (place, (input, words)) in inputs.into_iter().zip(words).enumerate() {
            let Some(pattern) = Pattern::new(&BLOCKS.concat(), words, LAWS) else {
                continue;
            };
            for value in self.values.all() {
                if self.values.undo(&pattern, value) != Some(input) {
                    continue;
                }
                if self.cell.inputs[place].replace(value).is_some() {
                    let reason = "brings an input to the channels of the cell a second time";
                    return self.values.misfit(value, reason);
                }
                self.compare_channels(value)?;
            }
        }
        Ok(())
    }

    /// Finds the states that are joined to the output. Where units may concatenate, two edges side by
    /// side are one.
    fn join(&mut self, output: NodeId) -> Result<(), Misfit> {
        let parts = self.parts(&[output]);
        let mut rest = parts.as_slice();
        while let Some((&part, behind)) = rest.split_first() {
            let place = self.cell.joined.len();
            let next = behind.first().copied();
            let next = next.filter(|next| self.is_loose(part) && self.is_loose(*next));
            let Some(next) = next else {
                self.need(part, place);
                self.cell.joined.push(part);
                rest = behind;
                continue;
            };
            // The later of the two stands for both: it is behind what they read.
            let value = part.max(next);
            self.concatenation(value, &[part, next], place)?;
            self.cell.joined.push(value);
            rest = &behind[1..];
        }
        Ok(())
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
                Some(layer) if layer.is_zero() => {
                    let times = self.states_of_zeros(value).unwrap_or(1);
                    parts.extend(std::iter::repeat_n(value, times));
                }
                _ => parts.push(value),
            }
        }
        parts
    }

    /// How many states of zeros beside one another a value is, which is one value in the graph.
    /// Nothing if they are not of the size of states.
    fn states_of_zeros(&self, value: NodeId) -> Option<usize> {
        let newer = NodeId(1);
        let fits = |(whole, size): (&Dimension, &Dimension)| {
            let half = (whole + &Dimension::ONE).floor_divide(&Dimension::Constant(2));
            *size
                == if self.is_reduction {
                    half
                } else {
                    whole.clone()
                }
        };
        let sizes = self
            .values
            .sizes(newer)
            .iter()
            .zip(self.values.sizes(value));
        let all = self.values.channels(value)?;
        let own = self.channels.as_ref()?.constant()?;
        let is_whole = sizes.skip(1).all(fits) && all % own == 0;
        is_whole.then(|| usize::try_from(all / own).ok()).flatten()
    }

    /// A value is a state, which the joined state at this place needs.
    fn need(&mut self, value: NodeId, place: usize) {
        let needed_by = &mut self.needed_by[value.0 as usize];
        *needed_by = Some(needed_by.map_or(place, |other| other.min(place)));
    }

    /// Finds the unit that a state is.
    fn state(&mut self, value: NodeId, needed_by: usize) -> Result<(), Misfit> {
        if self.is_input(value) {
            return Ok(());
        }
        let Some(layer) = self.values.operation(value) else {
            let reason =
                "is read before `relu conv(1, n) bn` brings it to the channels of the cell";
            return self.values.misfit(value, reason);
        };
        let operands = self.values.operands(value).to_vec();
        match (layer, operands.as_slice()) {
            (Layer::Add { .. }, &[first, second]) => {
                let first = self.edge(first, value, needed_by)?;
                let second = self.edge(second, value, needed_by)?;
                self.push(value, needed_by, [first, second], Merge::Add);
                Ok(())
            }
            (Layer::Add { arity }, _) => {
                let reason = format!("adds {arity} tensors; a unit adds two");
                self.values.misfit(value, reason)
            }
            (Layer::Concatenate { .. }, _) if self.notation == Notation::NasNet => {
                let parts = self.parts(&operands);
                self.concatenation(value, &parts, needed_by)
            }
            (Layer::Concatenate { .. }, _) => {
                let reason = "joins states within the cell; only its end does so";
                self.values.misfit(value, reason)
            }
            (layer, _) if layer.is_zero() => {
                let nothing = self.nothing(value)?;
                self.push(value, needed_by, [nothing; 2], Merge::Add);
                Ok(())
            }
            _ => {
                let Some((place, read)) = self.candidate(value) else {
                    let reason = "no operation of the space ends here";
                    return self.values.misfit(value, reason);
                };
                let edge = self.through(place, value, read, needed_by)?;
                let nothing = FoundEdge {
                    operation: Operation::Nothing,
                    is_pure: true,
                    ..edge
                };
                self.push(value, needed_by, [edge, nothing], Merge::Add);
                Ok(())
            }
        }
    }

    /// Finds the units that concatenate these parts: the first two, then what there is and the next.
    fn concatenation(
        &mut self,
        value: NodeId,
        parts: &[NodeId],
        needed_by: usize,
    ) -> Result<(), Misfit> {
        let mut before: Option<FoundEdge> = None;
        for part in parts {
            let edge = self.edge(*part, value, needed_by)?;
            let Some(joined) = before else {
                before = Some(edge);
                continue;
            };
            self.push(value, needed_by, [joined, edge], Merge::Concatenate);
            before = Some(FoundEdge {
                operation: Operation::Skip,
                state: None,
                is_pure: true,
            });
        }
        Ok(())
    }

    fn push(&mut self, value: NodeId, needed_by: usize, edges: [FoundEdge; 2], merge: Merge) {
        self.cell.units.push(FoundUnit {
            needed_by,
            value,
            edges,
            merge,
        });
    }

    /// The edge that gives `value` to the unit that computes `unit`.
    fn edge(&mut self, value: NodeId, unit: NodeId, needed_by: usize) -> Result<FoundEdge, Misfit> {
        if self.is_zero(value) {
            return self.nothing(value);
        }
        match self.candidate(value) {
            Some((place, read)) if self.is_edge(value) => {
                self.through(place, value, read, needed_by)
            }
            _ => {
                self.compare_sizes(unit, value, false)?;
                self.need(value, needed_by);
                Ok(FoundEdge {
                    operation: Operation::Skip,
                    state: Some(value),
                    is_pure: true,
                })
            }
        }
    }

    fn is_zero(&self, value: NodeId) -> bool {
        let layer = self.values.operation(value);
        layer.is_some_and(Layer::is_zero)
    }

    /// The edge that gives zeros. They do not tell of which state they are: it is taken to be the
    /// first.
    fn nothing(&self, value: NodeId) -> Result<FoundEdge, Misfit> {
        if self.states_of_zeros(value).is_none() {
            return self
                .values
                .misfit(value, "gives zeros of another size than the states");
        }
        Ok(FoundEdge {
            operation: Operation::Nothing,
            state: Some(self.cell.inputs[0].unwrap_or(NodeId(0))),
            is_pure: true,
        })
    }

    /// Whether a value is an operation on a state and no state itself.
    fn is_edge(&self, value: NodeId) -> bool {
        if self.is_zero(value) {
            return true;
        }
        let is_alone = |(place, _): (usize, NodeId)| {
            self.values.uses(value) == 1 || self.candidates[place].pattern.is_pure()
        };
        !self.is_input(value) && self.candidate(value).is_some_and(is_alone)
    }

    /// The edge that is the candidate at `place` on the state `read`, and gives `value`.
    fn through(
        &mut self,
        place: usize,
        value: NodeId,
        read: NodeId,
        needed_by: usize,
    ) -> Result<FoundEdge, Misfit> {
        let candidate = &self.candidates[place];
        let edge = FoundEdge {
            operation: candidate.operation,
            state: Some(read),
            is_pure: candidate.pattern.is_pure(),
        };
        self.compare_sizes(value, read, candidate.halves)?;
        if candidate.pattern.has_channels() {
            self.compare_channels(value)?;
        }
        self.need(read, needed_by);
        Ok(edge)
    }

    /// The operation that gives a value: the place of the candidate, and what it reads.
    fn candidate(&self, value: NodeId) -> Option<(usize, NodeId)> {
        let mut candidates = self.candidates.iter().enumerate();
        candidates.find_map(|(place, candidate)| {
            let read = self.values.undo(&candidate.pattern, value)?;
            Some((place, read))
        })
    }

    fn is_input(&self, value: NodeId) -> bool {
        self.cell.inputs.contains(&Some(value))
    }

    /// Layers have the channels of the cell.
    fn compare_channels(&mut self, value: NodeId) -> Result<(), Misfit> {
        let channels = self.values.sizes(value).first();
        match &self.channels {
            Some(known) if channels != Some(known) => {
                let reason = "has other channels than the rest of the cell";
                self.values.misfit(value, reason)
            }
            _ => {
                self.channels = channels.cloned();
                Ok(())
            }
        }
    }

    /// In a reduction cell, what reads an input makes it half as large, and nothing else does.
    /// `reader` is the value that is computed from `read`.
    fn compare_sizes(&self, reader: NodeId, read: NodeId, halves: bool) -> Result<(), Misfit> {
        if !self.is_reduction || self.is_input(read) == halves {
            return Ok(());
        }
        let reason = match halves {
            true => "makes a state half as large that is no input of the cell",
            false => "reads an input without making it half as large, as a reduction cell does",
        };
        self.values.misfit(reader, reason)
    }
}

/// The graphs of the operations, the larger ones first: `avgpool(1, stride: 2) zero` also ends like
/// `zero`.
fn candidates(notation: Notation, is_reduction: bool) -> Vec<Candidate> {
    let blocks = BLOCKS.concat();
    let strides: &[bool] = if is_reduction {
        &[false, true]
    } else {
        &[false]
    };
    let mut candidates = Vec::new();
    for &halves in strides {
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

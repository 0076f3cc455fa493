//! Cells of NAS-Bench-101 in graphs: the way back from what `bench101` writes.
//!
//! Vertices are found from the output back; what they add is followed to its terms, however it is
//! nested. A pool that the graph computes once may be several vertices: where a sum or the end has
//! it several times, or where its place at the end is behind vertices that read it. A convolution may
//! not, since two vertices have weights of their own.

use rustc_hash::FxHashSet;

use crate::graph::{Graph, Laws, NodeId};
use crate::operations::{Dimension, Operation as Layer};

use super::bench101::{Cell, LAYER, MAXIMUM_VERTICES, Operation, PROJECTION};
use super::recognise::{Misfit, Pattern, Values};

/// The laws that graphs are compared by: sums are the same in whatever order and nesting.
const LAWS: Laws = Laws::Real;

/// A vertex, as long as those it reads have no numbers.
struct Found {
    /// Its place at the end, or else that of the first vertex there that needs it.
    needed_by: usize,
    /// The value that it computes.
    value: NodeId,
    /// Which of the vertices that compute the value.
    copy: usize,
    operation: Operation,
    /// The sum that it reads.
    sum: NodeId,
    /// Whether it reads the input.
    is_projected: bool,
    /// Whether it has weights, or its projection.
    has_weights: bool,
    /// Whether the end joins it.
    is_part: bool,
    /// The vertices it reads: their values, and which of those that compute these.
    sources: Vec<(NodeId, usize)>,
}

/// What is known of a value before it is found out which vertices it is.
#[derive(Clone, Default)]
struct Demand {
    /// For each of the vertices that sums read, the first place at the end that needs it.
    readers: Vec<usize>,
    /// Its places at the end.
    parts: Vec<usize>,
}

/// What a sum adds.
struct Terms {
    /// The projection of the input.
    projection: Option<NodeId>,
    /// All others.
    others: Vec<NodeId>,
}

struct Recogniser {
    values: Values,
    projection: Option<Pattern>,
    candidates: Vec<(Operation, Pattern)>,
    demands: Vec<Demand>,
    /// The projections that vertices have.
    projections: FxHashSet<NodeId>,
    found: Vec<Found>,
}

/// The cell that a block with one input and one output is.
///
/// # Errors
///
/// What does not fit, if it is none.
pub(super) fn recognise(block: &Graph) -> Result<Cell, Misfit> {
    let mut recogniser = Recogniser::new(block);
    let (1, &[output]) = (block.inputs, recogniser.values.outputs()) else {
        return Err(Misfit::whole("a cell takes one tensor and leaves one"));
    };
    let is_projected = recogniser.end(output)?;
    for value in recogniser.values.all().rev() {
        let demand = std::mem::take(&mut recogniser.demands[value.0 as usize]);
        recogniser.vertices(value, &demand)?;
    }
    recogniser.cell(output, is_projected)
}

impl Recogniser {
    fn new(block: &Graph) -> Self {
        let values = Values::new(block, LAWS);
        let pattern = |operation: Operation| Pattern::new(LAYER, &operation.words("n"), LAWS);
        let candidates = Operation::WITHIN.into_iter();
        Recogniser {
            demands: vec![Demand::default(); values.all().count()],
            values,
            projection: pattern(PROJECTION),
            candidates: candidates
                .filter_map(|operation| Some((operation, pattern(operation)?)))
                .collect(),
            projections: FxHashSet::default(),
            found: Vec::new(),
        }
    }

    /// Finds what the end joins; gives whether it adds the input.
    fn end(&mut self, output: NodeId) -> Result<bool, Misfit> {
        let terms = self.terms(output)?;
        let parts = match terms.others.as_slice() {
            [] => Vec::new(),
            &[joined] => self.flat(joined, |layer| matches!(layer, Layer::Concatenate { .. }))?,
            _ => {
                let reason = "adds more than the joined vertices and the input";
                return self.values.misfit(output, reason);
            }
        };
        for (place, part) in parts.into_iter().enumerate() {
            self.demands[part.0 as usize].parts.push(place);
        }
        Ok(terms.projection.is_some())
    }

    /// Finds the vertices that compute a value.
    fn vertices(&mut self, value: NodeId, demand: &Demand) -> Result<(), Misfit> {
        let copies = copies(demand);
        let Some(first) = copies.iter().map(|(needed_by, _)| *needed_by).min() else {
            return Ok(());
        };
        let Some((operation, sum)) = self.candidate(value) else {
            let reason = "no operation of the space ends here";
            return self.values.misfit(value, reason);
        };
        if self.values.input(sum).is_some() {
            let reason = "reads the input itself; a vertex reads it through `conv(1, c) bn relu`";
            return self.values.misfit(value, reason);
        }
        let terms = self.terms(sum)?;
        let has_weights = operation != Operation::MaximumPool || terms.projection.is_some();
        if copies.len() > 1 && has_weights {
            let reason = match (demand.readers.as_slice(), demand.parts.as_slice()) {
                ([_], [_]) => "is joined behind what is computed from it",
                _ => "is used twice where two vertices would have to stand",
            };
            return self.values.misfit(value, reason);
        }
        let sources = self.sources(&terms.others, first);
        for (copy, (needed_by, is_part)) in copies.into_iter().enumerate() {
            self.found.push(Found {
                needed_by,
                value,
                copy,
                operation,
                sum,
                is_projected: terms.projection.is_some(),
                has_weights,
                is_part,
                sources: sources.clone(),
            });
        }
        Ok(())
    }

    /// The vertices that compute these terms, which are needed first by the vertex at this place of
    /// the end. A value that occurs several times is several of them.
    fn sources(&mut self, terms: &[NodeId], needed_by: usize) -> Vec<(NodeId, usize)> {
        let mut sources = Vec::new();
        for term in terms {
            let copy = sources.iter().filter(|(other, _)| other == term).count();
            let readers = &mut self.demands[term.0 as usize].readers;
            match readers.get_mut(copy) {
                Some(first) => *first = needed_by.min(*first),
                None => readers.push(needed_by),
            }
            sources.push((*term, copy));
        }
        sources
    }

    /// The terms of a sum. No other sum may have its projection.
    fn terms(&mut self, sum: NodeId) -> Result<Terms, Misfit> {
        let mut terms = Terms {
            projection: None,
            others: Vec::new(),
        };
        for term in self.flat(sum, |layer| matches!(layer, Layer::Add { .. }))? {
            let term = self.uncut(term);
            if !self.is_projection(term) {
                terms.others.push(term);
            } else if terms.projection.replace(term).is_some() || !self.projections.insert(term) {
                let reason =
                    "adds the input twice, or to two vertices, which have projections of their own";
                return self.values.misfit(term, reason);
            }
        }
        Ok(terms)
    }

    /// What a value merges, where merges of merges are taken apart.
    fn flat(&self, value: NodeId, is_merge: fn(&Layer) -> bool) -> Result<Vec<NodeId>, Misfit> {
        let (mut parts, mut open) = (Vec::new(), vec![value]);
        while let Some(next) = open.pop() {
            match self.values.operation(next).is_some_and(is_merge) {
                true => open.extend(self.values.operands(next).iter().rev()),
                false => parts.push(next),
            }
            if parts.len() + open.len() > MAXIMUM_VERTICES {
                let reason = format!("merges more than {MAXIMUM_VERTICES} tensors");
                return self.values.misfit(value, reason);
            }
        }
        Ok(parts)
    }

    /// What a value is the first channels of.
    fn uncut(&self, mut value: NodeId) -> NodeId {
        while let Some(Layer::Slice { start, .. }) = self.values.operation(value)
            && *start == Dimension::Constant(0)
            && let Some(whole) = self.values.operands(value).first()
        {
            value = *whole;
        }
        value
    }

    fn is_projection(&self, value: NodeId) -> bool {
        let projection = self.projection.as_ref();
        let read = projection.and_then(|projection| self.values.undo(projection, value));
        read.is_some_and(|read| self.values.input(read).is_some())
    }

    /// The operation that gives a value, and what it reads.
    fn candidate(&self, value: NodeId) -> Option<(Operation, NodeId)> {
        self.candidates.iter().find_map(|(operation, pattern)| {
            let read = self.values.undo(pattern, value)?;
            Some((*operation, read))
        })
    }

    /// Numbers the vertices: first what the first vertex at the end needs. So those at the end are in
    /// their order there.
    fn cell(mut self, output: NodeId, is_projected: bool) -> Result<Cell, Misfit> {
        let last = self.found.len() + 1;
        if last >= MAXIMUM_VERTICES {
            let reason = format!("it has more than {MAXIMUM_VERTICES} vertices");
            return Err(Misfit::whole(reason));
        }
        self.found
            .sort_by_key(|vertex| (vertex.needed_by, vertex.value, vertex.copy));
        let number = |source: &(NodeId, usize)| {
            let mut found = self.found.iter();
            let place = found.position(|vertex| (vertex.value, vertex.copy) == *source);
            place.map(|place| place + 1)
        };
        let mut readers = vec![Vec::new(); last + 1];
        for (place, vertex) in (1..).zip(&self.found) {
            if vertex.is_projected {
                readers[0].push(place);
            }
            for source in vertex.sources.iter().filter_map(number) {
                readers[source].push(place);
            }
            if vertex.is_part {
                readers[place].push(last);
            }
        }
        if is_projected {
            readers[0].push(last);
        }
        let within = self.found.iter().map(|vertex| vertex.operation);
        let ends = [[Operation::Input], [Operation::Output]];
        let [first, end] = ends;
        let operations = first.into_iter().chain(within).chain(end).collect();
        let cell = Cell {
            readers,
            operations,
        };
        self.compare_channels(&cell, output)?;
        Ok(cell)
    }

    /// The vertices, and the sums that they read, have the channels of the benchmark. A pool may give
    /// more, which nothing reads then.
    fn compare_channels(&self, cell: &Cell, output: NodeId) -> Result<(), Misfit> {
        let channels = |value: NodeId| self.values.channels(value).unwrap_or_default();
        for (vertex, expected) in self.found.iter().zip(cell.channels(channels(output))) {
            let may_have_more = !vertex.has_weights && !vertex.is_part;
            for value in [vertex.sum, vertex.value] {
                let found = channels(value);
                if found < expected || (found > expected && !may_have_more) {
                    let reason = format!("has {found} channels, where a vertex has {expected}");
                    return self.values.misfit(value, reason);
                }
            }
        }
        Ok(())
    }
}

/// The vertices that a value has to be: for each, the place at the end that needs it first, and
/// whether it stands at the end itself. Those that sums read come first.
fn copies(demand: &Demand) -> Vec<(usize, bool)> {
    let readers = demand.readers.iter();
    let mut copies: Vec<(usize, bool)> = readers.map(|needed_by| (*needed_by, false)).collect();
    // The first copies have the most readers, and are needed first.
    for place in demand.parts.iter().rev() {
        let mut read = copies.iter_mut().rev();
        match read.find(|(needed_by, is_part)| !is_part && needed_by >= place) {
            Some(copy) => *copy = (*place, true),
            None => copies.push((*place, true)),
        }
    }
    copies
}

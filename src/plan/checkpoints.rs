//! Which steps are computed again for the gradients instead of keeping their values.
//!
//! Activation checkpointing (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016):
//! training keeps what a segment of steps reads, and none of the values within. Going back, the segment
//! is run again.

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::{Plan, Value};
use crate::graph::path_parts;

/// Makes a segment of each use of a block: of the uses at that depth of the program which takes the
/// least memory in training.
pub(super) fn checkpoint_blocks(plan: &mut Plan) {
    let deepest = plan.steps.iter().map(|step| depth(&step.path)).max();
    let choices = (1..=deepest.unwrap_or(0)).map(|depth| uses_of_blocks(plan, depth));
    let choices: Vec<Vec<Range<usize>>> = choices.collect();
    let mut best = (plan.memory(1).training_values, Vec::new());
    for segments in choices {
        plan.segments = segments;
        let takes = plan.memory(1).training_values;
        if takes < best.0 {
            best = (takes, std::mem::take(&mut plan.segments));
        }
    }
    plan.segments = best.1;
}

/// In how many blocks a layer stands.
fn depth(path: &str) -> usize {
    path_parts(path).len().saturating_sub(1)
}

/// The steps of each use of a block at this depth, where they stand together. Steps that are in fewer
/// blocks belong to none.
fn uses_of_blocks(plan: &Plan, depth: usize) -> Vec<Range<usize>> {
    let mut segments = Vec::new();
    let mut start = 0;
    let uses = |place: usize| use_of_block(&plan.steps[place].path, depth);
    for place in 1..=plan.steps.len() {
        let is_end = place == plan.steps.len() || uses(place) != uses(start);
        if is_end && uses(start).is_some() {
            segments.push(start..place);
        }
        if is_end {
            start = place;
        }
    }
    segments
}

/// The path of the block at this depth that a layer stands in: `stage.1.basic.0` of
/// `stage.1.basic.0.conv.2` at 2.
fn use_of_block(path: &str, depth: usize) -> Option<&str> {
    let parts = path_parts(path);
    let (_, blocks) = parts.split_last()?;
    let block = blocks.get(depth - 1)?;
    path.get(..block.end)
}

impl Plan {
    /// All steps in order, as ranges: each with whether it is a segment, of which training keeps only
    /// what it reads.
    pub fn stretches(&self) -> Vec<(Range<usize>, bool)> {
        let mut stretches = Vec::new();
        let mut start = 0;
        for segment in &self.segments {
            stretches.push((start..segment.start, false));
            stretches.push((segment.clone(), true));
            start = segment.end;
        }
        stretches.push((start..self.steps.len(), false));
        stretches.retain(|(steps, _)| !steps.is_empty());
        stretches
    }

    /// The values that steps in this range read and others give, each once.
    pub fn read_by(&self, steps: &Range<usize>) -> Vec<Value> {
        let steps = &self.steps[steps.clone()];
        let given: FxHashSet<Value> = steps.iter().map(|step| step.output).collect();
        let read = steps.iter().flat_map(|step| step.inputs.iter().copied());
        let mut read: Vec<Value> = read.filter(|value| !given.contains(value)).collect();
        read.sort_unstable();
        read.dedup();
        read
    }
}

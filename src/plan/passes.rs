//! Passes over a plan, in the order they run. A pass keeps what the net computes.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::checkpoints::checkpoint_blocks;
use super::fusion::{fuse, with_activation, with_norm};
use super::inference::{fuse_relus, fuse_sums, merge_equals, rectify_parts, with_last_norm};
use super::{Layer, Plan, Step, Value};

/// A pass that may be left out. What a net computes does not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pass {
    /// In an inference, the `relu` of a concatenation becomes those of its parts, which may be fused with what gives
    /// them.
    RectifyParts,
    /// In an inference, what several steps compute alike is computed once.
    MergeEquals,
    /// A batch norm that alone reads a convolution becomes part of its step. An evaluation then scales
    /// and shifts what the convolution gives before it is written, or while it is in the cache.
    FuseNorms,
    /// A `relu` or `relu6` that alone reads a convolution, dense layer, batch norm or sum becomes part
    /// of its step: it takes no pass over memory of its own, and what it reads is not kept.
    FuseActivations,
    /// In an inference, a batch norm that alone reads a rectified convolution becomes part of its step.
    FuseLastNorms,
    /// In an inference, a sum of two becomes part of the step of a convolution that it alone reads. What most convolutions
    /// give is added to the other where that lies, if nothing else reads it.
    FuseSums,
    /// In an inference, a `relu` that depthwise convolutions alone read, and that is not fused with what is before it,
    /// becomes part of their steps: they rectify pixels as they read them.
    FuseRelus,
    /// Activation checkpointing (Chen et al., 2016): of the values within a block, training keeps none
    /// for the gradients; they are computed again from what the block reads. It takes time for memory,
    /// so it only runs if it is asked for.
    CheckpointBlocks,
}

/// What a plan is executed for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Training, and evaluations of what is being trained.
    Training,
    /// Evaluations alone, with parameters that no longer change.
    Inference,
}

impl Pass {
    /// All passes that may be left out, in the order they run.
    pub const ALL: [Pass; 8] = [
        Pass::RectifyParts,
        Pass::MergeEquals,
        Pass::FuseNorms,
        Pass::FuseActivations,
        Pass::FuseLastNorms,
        Pass::FuseSums,
        Pass::FuseRelus,
        Pass::CheckpointBlocks,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Pass::RectifyParts => "rectify-parts",
            Pass::MergeEquals => "merge-equals",
            Pass::FuseNorms => "fuse-norms",
            Pass::FuseActivations => "fuse-activations",
            Pass::FuseLastNorms => "fuse-last-norms",
            Pass::FuseSums => "fuse-sums",
            Pass::FuseRelus => "fuse-relus",
            Pass::CheckpointBlocks => "checkpoint-blocks",
        }
    }

    fn serves(self, purpose: Purpose) -> bool {
        match self {
            Pass::FuseNorms | Pass::FuseActivations => true,
            Pass::RectifyParts
            | Pass::MergeEquals
            | Pass::FuseLastNorms
            | Pass::FuseSums
            | Pass::FuseRelus => purpose == Purpose::Inference,
            Pass::CheckpointBlocks => purpose == Purpose::Training,
        }
    }

    fn run(self, plan: &mut Plan) {
        match self {
            Pass::RectifyParts => rectify_parts(plan),
            Pass::MergeEquals => merge_equals(plan),
            Pass::FuseNorms => fuse(plan, with_norm),
            Pass::FuseActivations => fuse(plan, with_activation),
            Pass::FuseLastNorms => fuse(plan, with_last_norm),
            Pass::FuseSums => fuse_sums(plan),
            Pass::FuseRelus => fuse_relus(plan),
            Pass::CheckpointBlocks => checkpoint_blocks(plan),
        }
    }
}

/// A choice among the passes of [`Pass::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Pass>", into = "Vec<Pass>")]
pub struct Passes([bool; Pass::ALL.len()]);

impl Passes {
    /// None of them.
    pub fn none() -> Self {
        Passes([false; Pass::ALL.len()])
    }

    /// These and the one given.
    pub fn with(self, pass: Pass) -> Self {
        self.set(pass, true)
    }

    /// These without the one given.
    pub fn without(self, pass: Pass) -> Self {
        self.set(pass, false)
    }

    fn set(mut self, pass: Pass, is_chosen: bool) -> Self {
        for (chosen, other) in self.0.iter_mut().zip(Pass::ALL) {
            if other == pass {
                *chosen = is_chosen;
            }
        }
        self
    }

    /// Those that are chosen, in the order they run.
    pub fn iter(self) -> impl Iterator<Item = Pass> {
        let all = Pass::ALL.into_iter().zip(self.0);
        all.filter(|(_, chosen)| *chosen).map(|(pass, _)| pass)
    }
}

/// Those that make a net faster.
impl Default for Passes {
    fn default() -> Self {
        Passes([true; Pass::ALL.len()]).without(Pass::CheckpointBlocks)
    }
}

impl From<Vec<Pass>> for Passes {
    fn from(passes: Vec<Pass>) -> Self {
        passes.into_iter().fold(Passes::none(), Passes::with)
    }
}

impl From<Passes> for Vec<Pass> {
    fn from(passes: Passes) -> Self {
        passes.iter().collect()
    }
}

/// Runs passes over a plan as it was lowered; `zeros` tells which values are zero whatever the inputs
/// are. What is not in [`Pass::ALL`] always runs: equal programs would not train alike without.
pub(super) fn run(plan: &mut Plan, zeros: &[bool], passes: Passes) {
    make_zeros_of_nothing(plan, zeros);
    remove_dead_steps(plan);
    order_updates(plan);
    number_values(plan);
    mark_last_uses(plan);
    run_for(Purpose::Training, plan, passes);
}

/// Runs those of the passes over a plan that serve a purpose.
fn run_for(purpose: Purpose, plan: &mut Plan, passes: Passes) {
    for pass in passes.iter().filter(|pass| pass.serves(purpose)) {
        pass.run(plan);
        number_values(plan);
        mark_last_uses(plan);
    }
    plan.passes = passes;
}

impl Plan {
    /// The plan for evaluations alone, whose parameters no longer change: with the passes that it was made with, and
    /// those of them that serve only for this.
    pub fn for_inference(&self) -> Plan {
        let mut plan = self.clone();
        plan.segments.clear();
        run_for(Purpose::Inference, &mut plan, self.passes);
        plan
    }
}

/// Gives zeros without computing what they are made of. That is no more than the canonical form
/// does, where it is gone; a norm among it would update running statistics that it may share.
fn make_zeros_of_nothing(plan: &mut Plan, zeros: &[bool]) {
    for step in &mut plan.steps {
        if zeros.get(step.output.0) == Some(&true) {
            let shape = plan.values[step.output.0].clone();
            step.layer = Layer::Zero { shape };
            step.words = "zero".to_owned();
            // For the number of examples.
            step.inputs = vec![Value(0)];
            step.parameters = 0..0;
        }
    }
}

/// Removes steps that no output needs, with their parameters, and numbers the parameters anew.
fn remove_dead_steps(plan: &mut Plan) {
    let mut alive = vec![false; plan.values.len()];
    alive[..plan.inputs.len()].fill(true);
    for output in &plan.outputs {
        alive[output.0] = true;
    }
    for step in plan.steps.iter().rev() {
        if alive[step.output.0] {
            step.inputs.iter().for_each(|input| alive[input.0] = true);
        }
    }
    plan.steps.retain(|step| alive[step.output.0]);
    let mut parameters = Vec::new();
    // Where the parameters of steps went: those that share them go by the first.
    let mut moved: HashMap<Range<usize>, Range<usize>> = HashMap::new();
    for step in &mut plan.steps {
        let range = step.parameters.clone();
        let place = moved.entry(range.clone()).or_insert_with(|| {
            let first = parameters.len();
            parameters.extend_from_slice(&plan.parameters[range]);
            first..parameters.len()
        });
        step.parameters = place.clone();
    }
    plan.parameters = parameters;
}

/// Numbers the values anew: the inputs, then what steps give, in their order.
fn number_values(plan: &mut Plan) {
    let inputs = (0..plan.inputs.len()).map(Value);
    let order: Vec<Value> = inputs
        .chain(plan.steps.iter().map(|it| it.output))
        .collect();
    let shape = |value: &Value| plan.values[value.0].clone();
    let values = order.iter().map(shape).collect();
    let places: HashMap<Value, Value> = order.into_iter().zip((0..).map(Value)).collect();
    let renumber = |value: &mut Value| *value = places[value];
    for step in &mut plan.steps {
        step.inputs.iter_mut().for_each(renumber);
        renumber(&mut step.output);
    }
    plan.outputs.iter_mut().for_each(renumber);
    plan.values = values;
}

/// Puts steps that update the same running statistics in the order of their numbers, since the result
/// depends on it: equal programs update them in the same order. Other steps move no more than they
/// must.
fn order_updates(plan: &mut Plan) {
    let mut updates: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, step) in plan.steps.iter().enumerate() {
        let mut parameters = plan.parameters[step.parameters.clone()].iter();
        if parameters.any(|parameter| !parameter.trainable) {
            let users = updates.entry(step.parameters.start).or_default();
            users.push(place);
        }
    }
    let mut earlier: Vec<Option<usize>> = vec![None; plan.steps.len()];
    let mut is_ordered = true;
    for users in updates.values_mut() {
        users.sort_by_key(|place| plan.steps[*place].number);
        is_ordered &= users.is_sorted();
        for pair in users.windows(2) {
            earlier[pair[1]] = Some(pair[0]);
        }
    }
    if is_ordered {
        return;
    }
    // Depth first, each step behind what it reads and the update before it.
    let mut maker = vec![None; plan.values.len()];
    for (place, step) in plan.steps.iter().enumerate() {
        maker[step.output.0] = Some(place);
    }
    let needs = |place: usize| {
        let inputs = plan.steps[place].inputs.iter();
        let read = inputs.filter_map(|input| maker[input.0]);
        let mut needs: Vec<usize> = read.chain(earlier[place]).collect();
        needs.sort_unstable_by(|left, right| right.cmp(left));
        needs
    };
    let mut state = vec![Visit::Ahead; plan.steps.len()];
    let mut order = Vec::with_capacity(plan.steps.len());
    for first in 0..plan.steps.len() {
        let mut pending = vec![first];
        while let Some(place) = pending.last().copied() {
            match state[place] {
                Visit::Ahead => {
                    state[place] = Visit::Within;
                    for need in needs(place) {
                        match state[need] {
                            Visit::Ahead => pending.push(need),
                            // Only numbers that are not those of the canonical form contradict
                            // what is read; then the order of the program stays.
                            Visit::Within => return,
                            Visit::Done => {}
                        }
                    }
                }
                Visit::Within => {
                    state[place] = Visit::Done;
                    order.push(place);
                    pending.pop();
                }
                Visit::Done => {
                    pending.pop();
                }
            }
        }
    }
    let mut steps: Vec<Option<Step>> = plan.steps.drain(..).map(Some).collect();
    plan.steps = order
        .iter()
        .filter_map(|place| steps[*place].take())
        .collect();
}

/// How far a search has come with a step.
#[derive(Clone, Copy)]
enum Visit {
    Ahead,
    Within,
    Done,
}

/// Notes with each step the values that nothing reads after it.
fn mark_last_uses(plan: &mut Plan) {
    let mut needed = vec![false; plan.values.len()];
    for output in &plan.outputs {
        needed[output.0] = true;
    }
    for step in plan.steps.iter_mut().rev() {
        step.last_uses.clear();
        for input in &step.inputs {
            if !needed[input.0] {
                needed[input.0] = true;
                step.last_uses.push(*input);
            }
        }
    }
}

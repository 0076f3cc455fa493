//! Passes over a plan, in the order they run. A pass keeps what the net computes.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::checkpoints::checkpoint_blocks;
use super::{FusedNorm, Layer, Plan, Step, Value};
use crate::operations::Activation;

/// A pass that may be left out. What a net computes does not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pass {
    /// A batch norm that alone reads a convolution becomes part of its step. An evaluation then scales
    /// and shifts what the convolution gives before it is written, or while it is in the cache.
    FuseNorms,
    /// A `relu` or `relu6` that alone reads a convolution, dense layer, batch norm or sum becomes part
    /// of its step: it takes no pass over memory of its own, and what it reads is not kept.
    FuseActivations,
    /// Activation checkpointing (Chen et al., 2016): of the values within a block, training keeps none
    /// for the gradients; they are computed again from what the block reads. It takes time for memory,
    /// so it only runs if it is asked for.
    CheckpointBlocks,
}

impl Pass {
    /// All passes that may be left out, in the order they run.
    pub const ALL: [Pass; 3] = [
        Pass::FuseNorms,
        Pass::FuseActivations,
        Pass::CheckpointBlocks,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Pass::FuseNorms => "fuse-norms",
            Pass::FuseActivations => "fuse-activations",
            Pass::CheckpointBlocks => "checkpoint-blocks",
        }
    }

    fn run(self, plan: &mut Plan) {
        match self {
            Pass::FuseNorms => fuse(plan, with_norm),
            Pass::FuseActivations => fuse(plan, with_activation),
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
        Passes::from(vec![Pass::FuseNorms, Pass::FuseActivations])
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
    for pass in passes.iter() {
        pass.run(plan);
        number_values(plan);
        mark_last_uses(plan);
    }
}

/// Fuses steps with the step whose output they alone read, where `fused` makes one of the two. It
/// stands in the place of the second, so that updates keep their order.
fn fuse(plan: &mut Plan, fused: fn(&Step, &Step) -> Option<Step>) {
    let mut readers = vec![0; plan.values.len()];
    let read = plan.steps.iter().flat_map(|step| &step.inputs);
    for value in read.chain(&plan.outputs) {
        readers[value.0] += 1;
    }
    let mut written: Vec<Option<usize>> = vec![None; plan.values.len()];
    let mut steps: Vec<Option<Step>> = Vec::with_capacity(plan.steps.len());
    for step in plan.steps.drain(..) {
        let before = match step.inputs.as_slice() {
            [input] if readers[input.0] == 1 => written[input.0],
            _ => None,
        };
        let both = before.and_then(|place| fused(steps[place].as_ref()?, &step));
        if let (Some(place), Some(_)) = (before, &both) {
            steps[place] = None;
        }
        written[step.output.0] = Some(steps.len());
        steps.push(Some(both.unwrap_or(step)));
    }
    plan.steps = steps.into_iter().flatten().collect();
}

/// A convolution with the batch norm behind it.
fn with_norm(first: &Step, second: &Step) -> Option<Step> {
    let bare = first.norm.is_none() && first.activation.is_none();
    let (Layer::Convolution(_), true) = (&first.layer, bare) else {
        return None;
    };
    let Layer::BatchNorm {
        epsilon, momentum, ..
    } = second.layer
    else {
        return None;
    };
    Some(Step {
        norm: Some(FusedNorm {
            epsilon,
            momentum,
            parameters: second.parameters.clone(),
        }),
        activation: second.activation,
        ..joined(first, second)
    })
}

/// The first layer with the words and the output of both.
fn joined(first: &Step, second: &Step) -> Step {
    Step {
        words: format!("{} {}", first.words, second.words),
        output: second.output,
        ..first.clone()
    }
}

/// A layer with the activation behind it.
fn with_activation(first: &Step, second: &Step) -> Option<Step> {
    let takes_one = match first.layer {
        Layer::Convolution(_) | Layer::Dense { .. } | Layer::BatchNorm { .. } => true,
        // A sum of one is what it reads.
        Layer::Add => first.inputs.len() > 1,
        _ => false,
    };
    let activation = match second.layer {
        Layer::Activation(function @ (Activation::Relu | Activation::Relu6)) => function,
        _ => return None,
    };
    (takes_one && first.activation.is_none()).then(|| Step {
        activation: Some(activation),
        ..joined(first, second)
    })
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

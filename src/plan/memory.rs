//! How much memory a plan takes.
//!
//! The account follows what a backend does: a value lives from the step that gives it to the last that
//! reads it, or, in training, until the gradients of all steps that keep it are computed. Going back, the
//! gradient of a value lives from the last of its readers to the step that gave it. Of a segment that is
//! run again, training keeps what it reads; the values within live as in an evaluation, and then once
//! more going back.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use super::{Layer, Plan, Pool, Step, Value};
use crate::operations::Pooling;

/// The memory that a batch takes, in bytes, if the optimizer keeps two numbers for each parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Parameters and running statistics.
    pub parameters: usize,
    /// Gradients of the parameters, and what an optimizer with two moments keeps.
    pub optimizer: usize,
    /// The most that values and their gradients take at a time in a step of training.
    pub training_values: usize,
    /// The most that values take at a time in an evaluation.
    pub evaluation_values: usize,
}

impl Memory {
    /// All that a step of training takes.
    pub fn training(&self) -> usize {
        self.parameters + self.optimizer + self.training_values
    }

    /// All that an evaluation takes.
    pub fn evaluation(&self) -> usize {
        self.parameters + self.evaluation_values
    }
}

/// The size of a number of single precision.
const NUMBER: usize = 4;

impl Plan {
    /// The memory that a batch of so many examples takes, in numbers of single precision. What kernels
    /// use for a moment is not counted, nor is the batch itself.
    pub fn memory(&self, batch: usize) -> Memory {
        let sizes = |trainable: bool| -> usize {
            let parameters = self.parameters.iter();
            parameters
                .filter(|parameter| !trainable || parameter.trainable)
                .map(|parameter| parameter.shape.iter().product::<usize>())
                .sum()
        };
        Memory {
            parameters: NUMBER * sizes(false),
            optimizer: 3 * NUMBER * sizes(true),
            training_values: NUMBER * batch * Account::of(self, true).run(),
            evaluation_values: NUMBER * batch * Account::of(self, false).run(),
        }
    }

    /// The largest batch whose training takes no more than `limit` bytes; none if a single example takes
    /// more.
    pub fn largest_batch(&self, limit: usize) -> Option<usize> {
        let fixed = self.memory(0).training();
        let each = self.memory(1).training() - fixed;
        let batch = limit.checked_sub(fixed)?.checked_div(each)?;
        (batch > 0).then_some(batch)
    }
}

/// What is alive while a plan runs, in numbers for each example.
struct Account<'a> {
    plan: &'a Plan,
    training: bool,
    /// For every value the one whose memory it has: reshaped values share it.
    owner: Vec<usize>,
    /// By owner: how many hold it.
    holders: Vec<usize>,
    alive: usize,
    peak: usize,
}

impl<'a> Account<'a> {
    fn of(plan: &'a Plan, training: bool) -> Self {
        let mut owner: Vec<usize> = (0..plan.values.len()).collect();
        for step in &plan.steps {
            if let Some(input) = memory_of(step, training) {
                owner[step.output.0] = owner[input.0];
            }
        }
        Account {
            plan,
            training,
            holders: vec![0; owner.len()],
            owner,
            alive: 0,
            peak: 0,
        }
    }

    fn size(&self, value: usize) -> usize {
        self.plan.values[value].iter().product()
    }

    fn hold(&mut self, value: Value) {
        let owner = self.owner[value.0];
        self.holders[owner] += 1;
        if self.holders[owner] == 1 {
            self.grow(self.size(owner));
        }
    }

    fn release(&mut self, value: Value) {
        let owner = self.owner[value.0];
        self.holders[owner] = self.holders[owner].saturating_sub(1);
        if self.holders[owner] == 0 {
            self.alive -= self.size(owner);
        }
    }

    fn grow(&mut self, size: usize) {
        self.alive += size;
        self.peak = self.peak.max(self.alive);
    }

    /// The most that is alive at a time.
    fn run(mut self) -> usize {
        let plan = self.plan;
        for input in 0..plan.inputs.len() {
            self.hold(Value(input));
        }
        for (steps, is_segment) in plan.stretches() {
            let is_kept = self.training && !is_segment;
            if self.training && is_segment {
                self.hold_all(&plan.read_by(&steps));
            }
            for step in &plan.steps[steps] {
                self.forward(step, is_kept);
                self.release_all(&step.last_uses);
            }
        }
        if self.training {
            self.go_back();
        }
        self.peak
    }

    fn hold_all(&mut self, values: &[Value]) {
        values.iter().for_each(|value| self.hold(*value));
    }

    fn release_all(&mut self, values: &[Value]) {
        values.iter().for_each(|value| self.release(*value));
    }

    /// A step whose output and, in training, what it keeps for its gradient become alive.
    fn forward(&mut self, step: &Step, is_kept: bool) {
        self.hold(step.output);
        let beside = match self.training {
            true => hidden(self.plan, step),
            false => within(self.plan, step),
        };
        if is_kept {
            self.hold_all(&kept(step));
        }
        self.grow(beside);
        if !is_kept {
            self.alive -= beside;
        }
    }

    fn go_back(&mut self) {
        let plan = self.plan;
        let mut gradients: HashMap<usize, usize> = HashMap::new();
        for output in &plan.outputs {
            gradients.insert(output.0, self.size(output.0));
            self.grow(self.size(output.0));
        }
        let trained = trained(plan);
        for (steps, is_segment) in plan.stretches().into_iter().rev() {
            if is_segment {
                self.run_again(&steps);
            }
            for step in plan.steps[steps].iter().rev() {
                if let Some(of_output) = gradients.remove(&step.output.0) {
                    match shares_gradient(step, self.training) {
                        true => self.share(step, of_output, &trained, &mut gradients),
                        false => self.compute(step, of_output, &trained, &mut gradients),
                    }
                }
                self.release_all(&kept(step));
                self.alive -= hidden(plan, step);
            }
        }
    }

    /// Runs a segment again, from what it reads to what its steps keep.
    fn run_again(&mut self, steps: &Range<usize>) {
        let plan = self.plan;
        let mut left = plan.read_by(steps);
        for step in &plan.steps[steps.clone()] {
            self.forward(step, true);
            left.push(step.output);
            self.release_all(&step.last_uses);
            left.retain(|value| !step.last_uses.contains(value));
        }
        self.release_all(&left);
    }

    /// Each input gets a gradient of its own.
    fn compute(
        &mut self,
        step: &Step,
        of_output: usize,
        trained: &[bool],
        gradients: &mut HashMap<usize, usize>,
    ) {
        // A norm computes its gradient with that of the activation behind it, other layers from one
        // that lies between.
        let between = match (&step.layer, &step.norm, step.activation) {
            (Layer::BatchNorm { .. }, ..) | (_, None, None) => 0,
            _ => self.size(step.output.0),
        };
        self.grow(between);
        for input in step.inputs.iter().filter(|input| trained[input.0]) {
            self.grow(self.size(input.0));
            self.sum(*input, gradients);
        }
        self.alive -= between + of_output;
    }

    /// All inputs get the gradient of the output, or one array that is computed from it.
    fn share(
        &mut self,
        step: &Step,
        of_output: usize,
        trained: &[bool],
        gradients: &mut HashMap<usize, usize>,
    ) {
        let mut shared = of_output;
        if step.activation.is_some() {
            shared = self.size(step.output.0);
            self.grow(shared);
            self.alive -= of_output;
        }
        for input in step.inputs.iter().filter(|input| trained[input.0]) {
            match gradients.entry(input.0) {
                // The first is counted with the shared array.
                Entry::Vacant(place) => {
                    place.insert(std::mem::take(&mut shared));
                }
                Entry::Occupied(_) => {
                    self.alive += self.size(input.0);
                    self.sum(*input, gradients);
                }
            }
        }
        self.alive -= shared;
    }

    /// Adds a gradient, which is alive, to that of a value. The sum is a third array.
    fn sum(&mut self, value: Value, gradients: &mut HashMap<usize, usize>) {
        let size = self.size(value.0);
        if let Some(before) = gradients.insert(value.0, size) {
            self.grow(size);
            self.alive -= size + before;
        }
    }
}

/// For every value whether a gradient flows to it.
fn trained(plan: &Plan) -> Vec<bool> {
    let mut trained = vec![false; plan.values.len()];
    for step in &plan.steps {
        trained[step.output.0] = step.all_parameters().next().is_some()
            || step.inputs.iter().any(|input| trained[input.0]);
    }
    trained
}

/// The value whose memory the output has, if it takes none of its own.
fn memory_of(step: &Step, training: bool) -> Option<Value> {
    let (input, others) = step.inputs.split_last()?;
    let is_taken_over = step.sum_behind
        && !is_transformed(step)
        && step.last_uses.contains(input)
        && !others.contains(input);
    (is_taken_over || is_reshaped(step, training)).then_some(*input)
}

/// Whether a convolution is mostly computed by Winograd's algorithm, whose output takes memory of its own.
fn is_transformed(step: &Step) -> bool {
    matches!(step.layer, Layer::Convolution(it) if it.kernel == [3, 3] && it.stride == [1, 1] && it.groups == 1)
}

/// Whether the output is the input, numbered anew.
fn is_reshaped(step: &Step, training: bool) -> bool {
    match step.layer {
        Layer::Flatten => true,
        Layer::Add => step.inputs.len() == 1,
        Layer::Dropout { .. } | Layer::DropPath { .. } => !training,
        _ => false,
    }
}

/// Whether all inputs get one gradient.
fn shares_gradient(step: &Step, training: bool) -> bool {
    is_reshaped(step, training) || matches!(step.layer, Layer::Add | Layer::Positions { .. })
}

/// The values that a step keeps for its gradient.
fn kept(step: &Step) -> Vec<Value> {
    let inputs = || step.inputs.clone();
    let rectified = match (&step.norm, step.activation) {
        (None, Some(_)) if !matches!(step.layer, Layer::BatchNorm { .. }) => vec![step.output],
        _ => Vec::new(),
    };
    match &step.layer {
        Layer::Softmax => vec![step.output],
        Layer::Add => rectified,
        Layer::Convolution(_)
        | Layer::TransposedConvolution(_)
        | Layer::Dense { .. }
        | Layer::BatchNorm { .. }
        | Layer::LayerNorm { .. }
        | Layer::RmsNorm { .. }
        | Layer::GroupNorm { .. }
        | Layer::InstanceNorm { .. }
        | Layer::Activation(_)
        | Layer::ParametricRelu { .. }
        | Layer::LayerScale { .. }
        | Layer::Scale
        | Layer::Multiply
        | Layer::Attention { .. }
        | Layer::CrossAttention { .. }
        | Layer::MaskedAttention { .. } => [inputs(), rectified].concat(),
        Layer::Zero { .. }
        | Layer::Pool(_)
        | Layer::GlobalPool(_)
        | Layer::AdaptivePool { .. }
        | Layer::Upsample { .. }
        | Layer::Dropout { .. }
        | Layer::DropPath { .. }
        | Layer::Flatten
        | Layer::Tokens
        | Layer::WindowAttention(_)
        | Layer::Embedding { .. }
        | Layer::Positions { .. }
        | Layer::ClassToken { .. }
        | Layer::Token { .. }
        | Layer::TokenMean
        | Layer::Transpose
        | Layer::Image { .. }
        | Layer::Concatenate
        | Layer::Pad { .. }
        | Layer::Crop { .. }
        | Layer::Bilinear { .. }
        | Layer::PixelShuffle { .. }
        | Layer::PixelUnshuffle { .. }
        | Layer::ChannelShuffle { .. }
        | Layer::Slice { .. } => Vec::new(),
    }
}

/// The numbers that a step keeps for its gradient beside values of the plan.
fn hidden(plan: &Plan, step: &Step) -> usize {
    let size = |value: Value| -> usize { plan.values[value.0].iter().product() };
    let output = size(step.output);
    let input = step.inputs.first().map_or(&[][..], |it| plan.shape(*it));
    match &step.layer {
        // What is normalised is not the output.
        Layer::Convolution(_) if step.norm.is_some() => output,
        Layer::Pool(Pool {
            kind: Pooling::Maximum,
            ..
        })
        | Layer::GlobalPool(Pooling::Maximum)
        | Layer::AdaptivePool {
            kind: Pooling::Maximum,
            ..
        } => output,
        Layer::Attention { heads, .. } | Layer::MaskedAttention { heads, .. } => {
            let tokens = input.first().copied().unwrap_or(0);
            4 * output + heads * tokens * tokens
        }
        Layer::CrossAttention { heads, .. } => {
            let queries = input.first().copied().unwrap_or(0);
            let keys = step.inputs.get(1).map_or(0, |it| plan.shape(*it)[0]);
            let width = output / queries.max(1);
            2 * output + 2 * keys * width + heads * queries * keys
        }
        Layer::WindowAttention(attributes) => {
            let positions = output / attributes.channels.max(1);
            let tokens = attributes.window * attributes.window;
            5 * output + attributes.heads * positions * tokens
        }
        _ => 0,
    }
}

/// The numbers that a step needs for a moment beside its inputs and output.
fn within(plan: &Plan, step: &Step) -> usize {
    match step.layer {
        // In an evaluation a norm is applied where its input lies.
        Layer::Convolution(_) => 0,
        _ => hidden(plan, step),
    }
}

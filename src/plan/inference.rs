//! Passes over the plan of an inference, which needs no gradients: what several steps compute alike is computed
//! once, rectifiers come to stand where they can be fused, and they and sums become part of other steps. In training,
//! this would add up gradients in another order, or lose what they are computed from.

use std::collections::HashMap;

use super::fusion::{fused_norm, joined, readers};
use super::{Convolution, Layer, Plan, Step, Value};
use crate::operations::Activation;

/// Computes once what several steps compute alike.
pub(super) fn merge_equals(plan: &mut Plan) {
    let mut same: Vec<Value> = (0..plan.values.len()).map(Value).collect();
    let mut readers: HashMap<Vec<Value>, Vec<usize>> = HashMap::new();
    let mut kept: Vec<Step> = Vec::with_capacity(plan.steps.len());
    for mut step in plan.steps.drain(..) {
        for input in &mut step.inputs {
            *input = same[input.0];
        }
        let readers = readers.entry(step.inputs.clone()).or_default();
        let equal = readers
            .iter()
            .find(|place| compute_alike(&kept[**place], &step));
        match equal {
            Some(place) => same[step.output.0] = kept[*place].output,
            None => {
                readers.push(kept.len());
                kept.push(step);
            }
        }
    }
    plan.steps = kept;
    for output in &mut plan.outputs {
        *output = same[output.0];
    }
}

/// Whether two steps that read the same give the same. There are no random numbers in an inference.
fn compute_alike(one: &Step, other: &Step) -> bool {
    one.layer == other.layer
        && one.all_parameters().eq(other.all_parameters())
        && one.norm == other.norm
        && one.norm_last == other.norm_last
        && one.activation == other.activation
        && one.relu_before == other.relu_before
        && one.sum_behind == other.sum_behind
}

/// Where a concatenation is read by rectifiers alone, all of one kind, concatenates rectified parts.
pub(super) fn rectify_parts(plan: &mut Plan) {
    // The last first, since a part may be a concatenation too. What is before a place stays there.
    for place in (0..plan.steps.len()).rev() {
        if let Layer::Concatenate = plan.steps[place].layer
            && let Some(rectifier) = only_reader(plan, plan.steps[place].output)
        {
            rectify_parts_of(plan, place, &rectifier);
        }
    }
}

/// Makes a `relu` that depthwise convolutions alone read part of their steps.
pub(super) fn fuse_relus(plan: &mut Plan) {
    let mut place = 0;
    while let Some(relu) = plan.steps.get(place) {
        let is_relu = relu.layer == Layer::Activation(Activation::Relu);
        let read = relu.output;
        let mut readers = plan.steps.iter().filter(|it| it.inputs.contains(&read));
        if !is_relu || plan.outputs.contains(&read) || !readers.all(|it| takes_relu(it, read)) {
            place += 1;
            continue;
        }
        let relu = plan.steps.remove(place);
        for reader in &mut plan.steps {
            if reader.inputs.first() == Some(&read) {
                reader.relu_before = true;
                reader.words = format!("{} {}", relu.words, reader.words);
                reader.inputs[0] = relu.inputs[0];
            }
        }
    }
}

/// Makes a batch norm that alone reads a rectified convolution part of its step.
pub(super) fn with_last_norm(first: &Step, second: &Step) -> Option<Step> {
    let takes_norm = first.norm.is_none() && first.activation.is_some() && !first.sum_behind;
    let (Layer::Convolution(_), true, None) = (&first.layer, takes_norm, second.activation) else {
        return None;
    };
    Some(Step {
        norm: Some(fused_norm(second)?),
        norm_last: true,
        ..joined(first, second)
    })
}

/// Makes a sum of two part of the step of a convolution that it alone reads, of two such the one that comes later.
/// The step stands in the place of the sum, where the other value is there.
pub(super) fn fuse_sums(plan: &mut Plan) {
    let readers = readers(plan);
    let mut written: Vec<Option<usize>> = vec![None; plan.values.len()];
    let mut steps: Vec<Option<Step>> = Vec::with_capacity(plan.steps.len());
    for step in plan.steps.drain(..) {
        let terms = match (&step.layer, step.inputs.as_slice()) {
            (Layer::Add, terms @ [_, _]) => terms,
            _ => &[],
        };
        let read_once = terms.iter().filter(|term| readers[term.0] == 1);
        let places = read_once.filter_map(|term| written[term.0]);
        let place = places.filter(|place| steps[*place].as_ref().is_some_and(takes_sum));
        let convolution = place.max().and_then(|place| steps[place].take());
        let both = convolution.map(|convolution| with_sum(&convolution, &step));
        written[step.output.0] = Some(steps.len());
        steps.push(Some(both.unwrap_or(step)));
    }
    plan.steps = steps.into_iter().flatten().collect();
}

/// Whether a sum can be part of a step: that of a convolution without anything behind it but a norm.
fn takes_sum(step: &Step) -> bool {
    let is_convolution = matches!(step.layer, Layer::Convolution(_));
    is_convolution && step.activation.is_none() && !step.sum_behind
}

/// A convolution with a sum behind it, of what it gives and another value.
fn with_sum(convolution: &Step, sum: &Step) -> Step {
    let terms = sum.inputs.iter().copied();
    let addend = terms.filter(|term| *term != convolution.output);
    Step {
        inputs: convolution.inputs.iter().copied().chain(addend).collect(),
        sum_behind: true,
        activation: sum.activation,
        ..joined(convolution, sum)
    }
}

/// Whether the `relu` that gives a value can be part of a step that reads it: that of a depthwise convolution of it, which
/// is not added to it.
fn takes_relu(step: &Step, read: Value) -> bool {
    match step.layer {
        Layer::Convolution(Convolution { input, groups, .. }) => {
            groups == input && !step.relu_before && !step.inputs[1..].contains(&read)
        }
        _ => false,
    }
}

/// The rectifier that alone reads a value, if there is one; it may do so more than once.
fn only_reader(plan: &Plan, value: Value) -> Option<Step> {
    let mut readers = plan.steps.iter().filter(|it| it.inputs.contains(&value));
    let first = readers.next()?;
    let is_rectifier = matches!(
        first.layer,
        Layer::Activation(Activation::Relu | Activation::Relu6)
    );
    let alone = !plan.outputs.contains(&value) && readers.all(|it| it.layer == first.layer);
    (is_rectifier && alone).then(|| first.clone())
}

fn rectify_parts_of(plan: &mut Plan, place: usize, rectifier: &Step) {
    let joined = plan.steps[place].output;
    let mut rectified = vec![];
    plan.steps.retain(|step| {
        let is_rectifier = step.inputs == [joined];
        rectified.extend(is_rectifier.then_some(step.output));
        !is_rectifier
    });
    let inputs = plan.steps.iter_mut().flat_map(|step| &mut step.inputs);
    for value in inputs.chain(&mut plan.outputs) {
        if rectified.contains(value) {
            *value = joined;
        }
    }
    let mut parts = Vec::new();
    for part in &mut plan.steps[place].inputs {
        let output = Value(plan.values.len());
        plan.values.push(plan.values[part.0].clone());
        parts.push(Step {
            inputs: vec![std::mem::replace(part, output)],
            output,
            ..rectifier.clone()
        });
    }
    plan.steps.splice(place..place, parts);
}

//! Passes that make one step of two.

use super::{FusedNorm, Layer, Plan, Step};
use crate::operations::Activation;

/// Fuses steps with the step whose output they alone read, where `fused` makes one of the two. It
/// stands in the place of the second, so that updates keep their order.
pub(super) fn fuse(plan: &mut Plan, fused: fn(&Step, &Step) -> Option<Step>) {
    let readers = readers(plan);
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

/// For every value how often steps and outputs read it.
pub(super) fn readers(plan: &Plan) -> Vec<usize> {
    let mut readers = vec![0; plan.values.len()];
    let read = plan.steps.iter().flat_map(|step| &step.inputs);
    for value in read.chain(&plan.outputs) {
        readers[value.0] += 1;
    }
    readers
}

/// A convolution with the batch norm behind it.
pub(super) fn with_norm(first: &Step, second: &Step) -> Option<Step> {
    let bare = first.norm.is_none() && first.activation.is_none();
    let (Layer::Convolution(_), true) = (&first.layer, bare) else {
        return None;
    };
    Some(Step {
        norm: Some(fused_norm(second)?),
        activation: second.activation,
        ..joined(first, second)
    })
}

/// What a step does that is a batch norm.
pub(super) fn fused_norm(step: &Step) -> Option<FusedNorm> {
    let Layer::BatchNorm {
        epsilon, momentum, ..
    } = step.layer
    else {
        return None;
    };
    let parameters = step.parameters.clone();
    Some(FusedNorm {
        epsilon,
        momentum,
        parameters,
    })
}

/// The first layer with the words and the output of both.
pub(super) fn joined(first: &Step, second: &Step) -> Step {
    Step {
        words: format!("{} {}", first.words, second.words),
        output: second.output,
        ..first.clone()
    }
}

/// A layer with the activation behind it.
pub(super) fn with_activation(first: &Step, second: &Step) -> Option<Step> {
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

//! Passes over a plan, in the order they run. A pass keeps what the net computes.

use std::collections::HashMap;

use super::{Plan, Value};

/// Runs all passes. What fuses layers goes between the removal of dead steps and the last uses.
pub(super) fn run(plan: &mut Plan) {
    remove_dead_steps(plan);
    mark_last_uses(plan);
}

/// Removes steps that no output needs, with their parameters, and numbers values and parameters
/// anew.
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
    if alive.iter().all(|alive| *alive) {
        return;
    }

    let mut renumbered = HashMap::new();
    let mut values = Vec::new();
    for (index, shape) in plan.values.drain(..).enumerate() {
        if alive[index] {
            renumbered.insert(Value(index), Value(values.len()));
            values.push(shape);
        }
    }
    plan.values = values;
    plan.steps.retain(|step| alive[step.output.0]);
    let mut parameters = Vec::new();
    for step in &mut plan.steps {
        let first = parameters.len();
        parameters.extend_from_slice(&plan.parameters[step.parameters.clone()]);
        step.parameters = first..parameters.len();
        step.inputs
            .iter_mut()
            .for_each(|input| *input = renumbered[input]);
        step.output = renumbered[&step.output];
    }
    plan.parameters = parameters;
    plan.outputs
        .iter_mut()
        .for_each(|output| *output = renumbered[output]);
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

//! Passes over a plan, in the order they run. A pass keeps what the net computes.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::{Layer, Plan, Step, Value};

/// Runs all passes over a plan as it was lowered; `zeros` tells which values are zero whatever the
/// inputs are. What fuses layers goes between the removal of dead steps and the last uses.
pub(super) fn run(plan: &mut Plan, zeros: &[bool]) {
    make_zeros_of_nothing(plan, zeros);
    remove_dead_steps(plan);
    order_updates(plan);
    mark_last_uses(plan);
}

/// Gives zeros without computing what they are made of. That is no more than the canonical form
/// does, where it is gone; a norm among it would update running statistics that it may share.
fn make_zeros_of_nothing(plan: &mut Plan, zeros: &[bool]) {
    for step in &mut plan.steps {
        if zeros.get(step.output.0) == Some(&true) {
            let shape = plan.values[step.output.0].clone();
            step.layer = Layer::Zero { shape };
            // For the number of examples.
            step.inputs = vec![Value(0)];
            step.parameters = 0..0;
        }
    }
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

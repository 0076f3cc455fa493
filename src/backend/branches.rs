//! Branches of a net at the same time.
//!
//! An example alone gives most layers too little to do for several threads. Where a net has branches, whose steps
//! do not wait for one another, each thread takes one. What a step gives does not depend on it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use candle_core::{Error, Result};
use rayon::Scope;

use super::array::Array;
use super::execution::{Program, missing};
use super::kernels::float::Float;
use crate::plan::{Plan, Value};

/// What the steps of a plan wait for.
pub(super) struct Branches {
    /// For every step how many values it reads that other steps give.
    waits_for: Vec<usize>,
    /// For every value the steps that read it, each once.
    readers: Vec<Vec<usize>>,
    /// For every step the values that it reads, each once.
    reads: Vec<Vec<Value>>,
    /// For every value how many read it: steps, and the outputs of the net, which keep it to the end.
    uses: Vec<usize>,
}

impl Branches {
    /// Those of a plan; none if it is a chain, in which every step waits for the one before it.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let mut branches = Branches {
            waits_for: Vec::with_capacity(plan.steps.len()),
            readers: vec![Vec::new(); plan.values.len()],
            reads: plan
                .steps
                .iter()
                .map(|step| distinct(&step.inputs))
                .collect(),
            uses: vec![0; plan.values.len()],
        };
        for (place, reads) in branches.reads.iter().enumerate() {
            let mut waits_for = 0;
            for Value(input) in reads {
                branches.readers[*input].push(place);
                branches.uses[*input] += 1;
                waits_for += usize::from(*input >= plan.inputs.len());
            }
            branches.waits_for.push(waits_for);
        }
        for output in &plan.outputs {
            branches.uses[output.0] += 1;
        }
        branches.has_some(plan).then_some(branches)
    }

    /// Whether two steps are ever ready at the same time, if they are computed in order.
    fn has_some(&self, plan: &Plan) -> bool {
        let mut waits_for = self.waits_for.clone();
        let mut ready = waits_for.iter().filter(|count| **count == 0).count();
        plan.steps.iter().any(|step| {
            let has_other = ready > 1;
            ready = ready.saturating_sub(1);
            for reader in &self.readers[step.output.0] {
                waits_for[*reader] -= 1;
                ready += usize::from(waits_for[*reader] == 0);
            }
            has_other
        })
    }
}

/// Each of these values once.
fn distinct(values: &[Value]) -> Vec<Value> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.dedup();
    values
}

impl Program {
    /// The values of the outputs in an evaluation, by place; others may be gone.
    pub(super) fn run_branches<T: Float>(
        &self,
        branches: &Branches,
        inputs: Vec<Array>,
    ) -> Result<Vec<Option<Array>>> {
        let counts = |counts: &[usize]| counts.iter().copied().map(AtomicUsize::new).collect();
        let mut values: Vec<Mutex<Option<Array>>> = Vec::new();
        values.extend(inputs.into_iter().map(|input| Mutex::new(Some(input))));
        values.resize_with(self.plan.values.len(), Mutex::default);
        let run = Run {
            program: self,
            branches,
            values,
            waits_for: counts(&branches.waits_for),
            uses: counts(&branches.uses),
            problem: OnceLock::new(),
        };
        let all = &run;
        rayon::scope(|scope| {
            for (place, count) in branches.waits_for.iter().enumerate() {
                if *count == 0 {
                    scope.spawn(move |scope| all.from::<T>(place, scope));
                }
            }
        });
        match run.problem.into_inner() {
            Some(problem) => Err(problem),
            None => Ok(run.values.into_iter().map(value_of).collect()),
        }
    }
}

/// One evaluation.
struct Run<'a> {
    program: &'a Program,
    branches: &'a Branches,
    values: Vec<Mutex<Option<Array>>>,
    /// For every step how many values it still waits for.
    waits_for: Vec<AtomicUsize>,
    /// For every value how many still read it.
    uses: Vec<AtomicUsize>,
    /// The first error of a step, behind which no step begins.
    problem: OnceLock<Error>,
}

impl Run<'_> {
    /// Computes a step and, as long as there is one, a step that has waited for it. Others that have waited are left to
    /// whatever thread is free.
    fn from<'scope, T: Float>(&'scope self, first: usize, scope: &Scope<'scope>) {
        let mut next = Some(first);
        while let Some(place) = next.take() {
            if let Err(problem) = self.step::<T>(place) {
                // Others may have failed before.
                let _ = self.problem.set(problem);
            }
            if self.problem.get().is_some() {
                return;
            }
            let output = self.program.plan.steps[place].output;
            for reader in &self.branches.readers[output.0] {
                if self.waits_for[*reader].fetch_sub(1, Ordering::AcqRel) > 1 {
                    continue;
                }
                match next {
                    None => next = Some(*reader),
                    Some(_) => scope.spawn(|scope| self.from::<T>(*reader, scope)),
                }
            }
        }
    }

    fn step<T: Float>(&self, place: usize) -> Result<()> {
        let step = &self.program.plan.steps[place];
        let inputs = step.inputs.iter().map(|input| {
            let value = self.value(*input).clone();
            value.ok_or_else(|| missing(input.0))
        });
        let inputs = inputs.collect::<Result<_>>()?;
        // The step alone has what nothing else reads: it may write its output there.
        for input in &self.branches.reads[place] {
            if self.uses[input.0].fetch_sub(1, Ordering::AcqRel) == 1 {
                self.value(*input).take();
            }
        }
        let output = self.program.evaluate_step::<T>(place, inputs)?;
        *self.value(step.output) = Some(output);
        Ok(())
    }

    fn value(&self, value: Value) -> MutexGuard<'_, Option<Array>> {
        // Whatever panicked has left a whole value.
        let value = self.values[value.0].lock();
        value.unwrap_or_else(PoisonError::into_inner)
    }
}

fn value_of(value: Mutex<Option<Array>>) -> Option<Array> {
    value.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::{graph, plan, syntax, types};

    fn branches(body: &str) -> Option<Branches> {
        let source = Source::new("test.snap", format!("net n : [4, 6, 6] -> [_] = {body}\n"));
        let checked = types::check(&syntax::parse(&source).file);
        let net = checked.program.named("n").expect("the net is there");
        let graph = graph::build(&checked.program, net).expect("a graph");
        Branches::of(&plan::plan(&graph).expect("a plan"))
    }

    #[test]
    fn a_chain_has_no_branches() {
        assert!(branches("conv(3) bn relu dwconv(3) gap dense(3)").is_none());
        // The sum waits for the convolution.
        assert!(branches("dup conv(3) add gap").is_none());
        assert!(branches("dup conv(3) swap conv(1) add gap").is_some());
        assert!(branches("dup conv(3) swap maxpool(3, stride: 1, padding: 1) add gap").is_some());
    }

    #[test]
    fn a_value_that_is_read_twice_by_a_step_is_waited_for_once() {
        let branches = branches("dup conv(3) swap conv(1) dup mul add gap").expect("branches");
        assert_eq!(branches.waits_for, [0, 0, 1, 2, 1]);
        assert_eq!(branches.uses, [2, 1, 1, 1, 1, 1]);
    }
}

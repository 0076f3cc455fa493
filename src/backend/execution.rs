//! Running a plan forwards and backwards.
//!
//! Forward, each step gives its output and a function from the gradient of its output to those of
//! its inputs and parameters; the functions, in order, are the tape. Of segments, the tape has what they
//! read, and they are run again.

use std::cell::Cell;
use std::ops::Range;

use candle_core::{DType, Device, Error, Result, Tensor, Var};
use smallvec::smallvec;

use super::Executor;
use super::array::Array;
use super::branches::Branches;
use super::kernels::float::Float;
use super::lowering::{self, Backward, Call, Inputs, Prepared};
use super::threads::{others_are_awake, with_all_awake};
use crate::plan::{Plan, Step};

/// Runs of fewer multiply-adds stay on the calling thread: no kernel has enough to do for two, and to
/// enter the pool takes as long as a small net.
const LEAST_WORK: usize = 1 << 22;

/// A plan with its parameters.
pub(super) struct Program {
    /// What is executed.
    pub(super) plan: Plan,
    /// The tensors of [`Plan::parameters`].
    pub(super) variables: Vec<Var>,
    /// The type of all numbers: `F32` or `F64`.
    pub(super) dtype: DType,
    /// Where they lie.
    pub(super) device: Device,
    /// What executes the plan.
    pub(super) executor: Executor,
    /// The seed of dropout masks.
    pub(super) seed: u64,
    /// The multiply-adds of one example; see [`work`].
    pub(super) work: usize,
    /// For each step what is prepared of its parameters, if these no longer change.
    pub(super) prepared: Vec<Option<Prepared>>,
    /// What may be computed at the same time, if the program is for inference.
    pub(super) branches: Option<Branches>,
}

/// Nothing of the same sizes follows a network that is gone.
impl Drop for Program {
    fn drop(&mut self) {
        f32::pool().clear();
        f64::pool().clear();
        f32::shelf().clear();
        f64::shelf().clear();
    }
}

/// What is kept of a run for its gradients: of each stretch of steps ([`Plan::stretches`]) in order.
pub(super) struct Tape {
    kept: Vec<Kept>,
    /// The step of training, or none.
    training: Option<u64>,
}

/// What is kept of a stretch of steps.
enum Kept {
    /// The function of each step.
    Functions(Vec<Backward>),
    /// What the steps read, by place: they are run again for their functions.
    Inputs(Vec<(usize, Array)>),
}

/// How steps are run.
struct Run<'a> {
    /// For every value whether its gradient is wanted.
    wanted: &'a [bool],
    /// The step of training, or none.
    training: Option<u64>,
    /// Whether running statistics change.
    update: bool,
}

/// Gradients of inputs and parameters; none where they are zero.
pub(super) struct Gradients {
    /// Of the inputs.
    pub(super) inputs: Vec<Option<Tensor>>,
    /// Of the parameters.
    pub(super) parameters: Vec<Option<Tensor>>,
}

impl Program {
    /// The outputs for these inputs, and the tape if it is to be kept. Running statistics change only
    /// in training, and only if `update` is set.
    pub(super) fn run(
        &self,
        inputs: &[Tensor],
        wanted: &[bool],
        training: Option<u64>,
        keep: bool,
        update: bool,
    ) -> Result<(Vec<Tensor>, Option<Tape>)> {
        let run = || match self.dtype {
            DType::F64 => self.run_as::<f64>(inputs, wanted, training, keep, update),
            _ => self.run_as::<f32>(inputs, wanted, training, keep, update),
        };
        self.on_threads(inputs, || match &self.branches {
            Some(branches) if !keep && others_are_awake() => {
                let outputs = match self.dtype {
                    DType::F64 => self.evaluate_branches::<f64>(branches, inputs),
                    _ => self.evaluate_branches::<f32>(branches, inputs),
                };
                Ok((outputs?, None))
            }
            _ => run(),
        })
    }

    /// Computes something of this batch: on all threads if it is worth it. What is computed within the pool already has one of
    /// them, beside others.
    fn on_threads<R: Send>(&self, batch: &[Tensor], compute: impl FnOnce() -> R + Send) -> R {
        let size = batch.first().and_then(|tensor| tensor.dims().first());
        let work = self.work.saturating_mul(size.copied().unwrap_or(1));
        if work < LEAST_WORK || rayon::current_thread_index().is_some() {
            return compute();
        }
        with_all_awake(compute)
    }

    /// The outputs of an evaluation that computes branches at the same time.
    fn evaluate_branches<T: Float>(
        &self,
        branches: &Branches,
        inputs: &[Tensor],
    ) -> Result<Vec<Tensor>> {
        let inputs = inputs.iter().map(Array::copy_of::<T>);
        let values = self.run_branches::<T>(branches, inputs.collect::<Result<_>>()?)?;
        self.outputs::<T>(&values)
    }

    /// The outputs among the values.
    fn outputs<T: Float>(&self, values: &[Option<Array>]) -> Result<Vec<Tensor>> {
        let outputs = self.plan.outputs.iter();
        let outputs = outputs.map(|output| value(values, output.0)?.to_tensor::<T>());
        outputs.collect()
    }

    fn run_as<T: Float>(
        &self,
        inputs: &[Tensor],
        wanted: &[bool],
        training: Option<u64>,
        keep: bool,
        update: bool,
    ) -> Result<(Vec<Tensor>, Option<Tape>)> {
        let run = Run {
            wanted: &self.wanted(wanted),
            training,
            update,
        };
        let inputs = inputs
            .iter()
            .map(|input| Array::copy_of::<T>(input).map(Some));
        let mut values: Vec<Option<Array>> = inputs.collect::<Result<_>>()?;
        values.resize(self.plan.values.len(), None);
        let mut kept = Vec::new();
        for (steps, is_segment) in self.plan.stretches() {
            if keep && is_segment {
                let read = self.plan.read_by(&steps).into_iter();
                let read = read.map(|read| Ok((read.0, value(&values, read.0)?)));
                kept.push(Kept::Inputs(read.collect::<Result<_>>()?));
                self.run_steps::<T>(steps, &mut values, &run, false)?;
            } else {
                let functions = self.run_steps::<T>(steps, &mut values, &run, keep)?;
                kept.push(Kept::Functions(functions));
            }
        }
        let tape = keep.then_some(Tape { kept, training });
        Ok((self.outputs::<T>(&values)?, tape))
    }

    /// Runs steps over the values. Gives their functions for gradients if these are to be kept.
    fn run_steps<T: Float>(
        &self,
        steps: Range<usize>,
        values: &mut [Option<Array>],
        run: &Run,
        keep: bool,
    ) -> Result<Vec<Backward>> {
        let mut functions = Vec::new();
        for place in steps {
            let step = &self.plan.steps[place];
            let inputs = step.inputs.iter().map(|input| value(values, input.0));
            let inputs = inputs.collect::<Result<_>>()?;
            for dead in &step.last_uses {
                values[dead.0] = None;
            }
            let call = Call {
                wanted: step.inputs.iter().map(|it| run.wanted[it.0]).collect(),
                training: run.training,
                keep,
                ..self.call(place, inputs)
            };
            let given = lowering::forward::<T>(&call)?;
            drop(call);
            for (place, latest) in given.state.iter().filter(|_| run.update) {
                if let Some(parameter) = step.all_parameters().nth(*place) {
                    self.variables[parameter].set(latest)?;
                }
            }
            values[step.output.0] = Some(given.output);
            if keep {
                functions.push(given.backward);
            }
        }
        Ok(functions)
    }

    /// What a step gives in an evaluation.
    pub(super) fn evaluate_step<T: Float>(&self, place: usize, inputs: Inputs) -> Result<Array> {
        Ok(lowering::forward::<T>(&self.call(place, inputs))?.output)
    }

    /// Runs a segment again from what it reads, for the functions of its steps. It changes nothing: the
    /// batch and the random numbers are the same.
    fn run_again<T: Float>(
        &self,
        steps: Range<usize>,
        read: Vec<(usize, Array)>,
        wanted: &[bool],
        training: Option<u64>,
    ) -> Result<Vec<Backward>> {
        let mut values: Vec<Option<Array>> = vec![None; self.plan.values.len()];
        for (place, array) in read {
            values[place] = Some(array);
        }
        let run = Run {
            wanted,
            training,
            update: false,
        };
        self.run_steps::<T>(steps, &mut values, &run, true)
    }

    /// An evaluation of a step.
    fn call(&self, place: usize, mut inputs: Inputs) -> Call<'_> {
        let step = &self.plan.steps[place];
        let addend = if step.sum_behind { inputs.pop() } else { None };
        Call {
            step,
            wanted: smallvec![false; inputs.len()],
            inputs,
            addend: Cell::new(addend),
            parameters: &self.variables[step.parameters.clone()],
            norm_parameters: match &step.norm {
                Some(norm) => &self.variables[norm.parameters.clone()],
                None => &[],
            },
            training: None,
            keep: false,
            seed: self.seed,
            prepared: self.prepared.get(place).and_then(Option::as_ref),
        }
    }

    /// The same with the parameters as they are now, prepared for evaluations.
    pub(super) fn frozen(&self) -> Result<Self> {
        let copies = self.variables.iter();
        let copies = copies.map(|variable| Var::from_tensor(&variable.as_tensor().copy()?));
        let plan = match self.executor {
            Executor::Kernels => self.plan.for_inference(),
            Executor::Tensors { .. } => self.plan.clone(),
        };
        let mut frozen = Program {
            plan,
            variables: copies.collect::<Result<_>>()?,
            dtype: self.dtype,
            device: self.device.clone(),
            executor: self.executor,
            seed: self.seed,
            work: self.work,
            prepared: Vec::new(),
            branches: None,
        };
        if let Executor::Tensors { .. } = self.executor {
            return Ok(frozen);
        }
        let steps = 0..frozen.plan.steps.len();
        let prepare = |place| match self.dtype {
            DType::F64 => lowering::prepare::<f64>(&frozen.call(place, Inputs::new())),
            _ => lowering::prepare::<f32>(&frozen.call(place, Inputs::new())),
        };
        frozen.prepared = with_all_awake(|| steps.map(prepare).collect::<Result<_>>())?;
        frozen.branches = Branches::of(&frozen.plan);
        Ok(frozen)
    }

    /// The outputs for these inputs, without gradients.
    pub(super) fn evaluate(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
        let values = inputs.iter().map(|input| input.detach().contiguous());
        let values: Vec<Tensor> = values.collect::<Result<_>>()?;
        if let Executor::Tensors { .. } = self.executor {
            return self.run_on_tensors(&values, None, false);
        }
        let wanted = vec![false; inputs.len()];
        let (outputs, _) = self.run(&values, &wanted, None, false, false)?;
        Ok(outputs)
    }

    /// For every value whether its gradient is wanted: whether a wanted input or a trainable
    /// parameter acts on it.
    fn wanted(&self, inputs: &[bool]) -> Vec<bool> {
        let mut wanted = inputs.to_vec();
        wanted.resize(self.plan.values.len(), false);
        for step in &self.plan.steps {
            wanted[step.output.0] = step.all_parameters().next().is_some()
                || step.inputs.iter().any(|input| wanted[input.0]);
        }
        wanted
    }

    /// The gradients, from those of the outputs.
    pub(super) fn backward(
        &self,
        tape: Tape,
        wanted: &[bool],
        outputs: Vec<Tensor>,
    ) -> Result<Gradients> {
        self.on_threads(&outputs, || match self.dtype {
            DType::F64 => self.backward_as::<f64>(tape, wanted, &outputs),
            _ => self.backward_as::<f32>(tape, wanted, &outputs),
        })
    }

    fn backward_as<T: Float>(
        &self,
        mut tape: Tape,
        wanted: &[bool],
        outputs: &[Tensor],
    ) -> Result<Gradients> {
        let wanted = self.wanted(wanted);
        let mut values: Vec<Option<Array>> = vec![None; self.plan.values.len()];
        for (output, gradient) in self.plan.outputs.iter().zip(outputs) {
            add_to::<T>(&mut values[output.0], Array::copy_of::<T>(gradient)?)?;
        }
        let mut parameters: Vec<Option<Array>> = vec![None; self.variables.len()];
        for (steps, _) in self.plan.stretches().into_iter().rev() {
            let functions = match tape.kept.pop().ok_or_else(incomplete)? {
                Kept::Functions(functions) => functions,
                Kept::Inputs(read) => {
                    self.run_again::<T>(steps.clone(), read, &wanted, tape.training)?
                }
            };
            self.go_back::<T>(steps, functions, &wanted, &mut values, &mut parameters)?;
        }
        values.truncate(self.plan.inputs.len());
        Ok(Gradients {
            inputs: tensors::<T>(values)?,
            parameters: tensors::<T>(parameters)?,
        })
    }

    /// From the gradients of what steps give to those of what they read and of their parameters.
    fn go_back<T: Float>(
        &self,
        steps: Range<usize>,
        mut functions: Vec<Backward>,
        wanted: &[bool],
        values: &mut [Option<Array>],
        parameters: &mut [Option<Array>],
    ) -> Result<()> {
        for step in self.plan.steps[steps].iter().rev() {
            // What a step has kept is freed with it, if its gradient is wanted or not.
            let backward = functions.pop().ok_or_else(incomplete)?;
            let Some(gradient) = values[step.output.0]
                .take()
                .filter(|_| wanted[step.output.0])
            else {
                continue;
            };
            let mut gradients = backward(&gradient)?.into_iter();
            for (input, gradient) in step.inputs.iter().zip(&mut gradients) {
                if let Some(gradient) = gradient.filter(|_| wanted[input.0]) {
                    add_to::<T>(&mut values[input.0], gradient)?;
                }
            }
            for (place, gradient) in step.all_parameters().zip(gradients) {
                // Several steps may share a parameter.
                if let Some(gradient) = gradient {
                    add_to::<T>(&mut parameters[place], gradient)?;
                }
            }
        }
        Ok(())
    }
}

fn value(values: &[Option<Array>], place: usize) -> Result<Array> {
    let value = values.get(place).cloned().flatten();
    value.ok_or_else(|| missing(place))
}

pub(super) fn missing(place: usize) -> Error {
    Error::Msg(format!("value {place} of the plan is not there"))
}

/// The multiply-adds that one example takes, roughly: each parameter of a step acts at each position of
/// its output.
pub(super) fn work(plan: &Plan) -> usize {
    let work_of = |step: &Step| {
        let shape = plan.shape(step.output);
        let positions: usize = shape.iter().skip(1).product();
        let parameters = step.all_parameters().map(|place| &plan.parameters[place]);
        let numbers = parameters.map(|parameter| parameter.shape.iter().product::<usize>());
        (numbers.sum::<usize>() * positions).max(shape.iter().product())
    };
    plan.steps.iter().map(work_of).sum()
}

pub(super) fn incomplete() -> Error {
    Error::Msg("the tape of a run is incomplete".to_owned())
}

fn tensors<T: Float>(arrays: Vec<Option<Array>>) -> Result<Vec<Option<Tensor>>> {
    let tensor = |array: Option<Array>| array.map(|it| it.to_tensor::<T>()).transpose();
    arrays.into_iter().map(tensor).collect()
}

fn add_to<T: Float>(target: &mut Option<Array>, gradient: Array) -> Result<()> {
    *target = Some(match target.take() {
        Some(sum) => lowering::sum::<T>(&sum, &gradient)?,
        None => gradient,
    });
    Ok(())
}

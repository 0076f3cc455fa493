//! Running a plan forwards and backwards, and how candle sees it.
//!
//! Forward, each step gives its output and a function from the gradient of its output to those of
//! its inputs and parameters; the functions, in order, are the tape. To candle, the whole run is one
//! operation. Its operations take at most three tensors, so all inputs and parameters are tied into
//! one by a tree of [`Tie`]s, whose value means nothing; going back, the run leaves the gradients
//! where the ties pick them up.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, DType, Device, Error, Layout, Result, Shape, Storage, Tensor,
    Var,
};

use super::array::Array;
use super::kernels::float::Float;
use super::lowering::{self, Backward, Call};
use super::slices::view;
use crate::plan::Plan;

/// A plan with its parameters.
pub(super) struct Program {
    /// What is executed.
    pub(super) plan: Plan,
    /// The tensors of [`Plan::parameters`].
    pub(super) variables: Vec<Var>,
    /// The type of all numbers: `F32` or `F64`.
    pub(super) dtype: DType,
    /// The seed of dropout masks.
    pub(super) seed: u64,
}

/// Nothing of the same sizes follows a network that is gone.
impl Drop for Program {
    fn drop(&mut self) {
        f32::pool().clear();
        f64::pool().clear();
    }
}

/// What is kept of a run for its gradients: one function for each step.
type Tape = Vec<Backward>;

/// Gradients of inputs and parameters; none where they are zero.
struct Gradients {
    inputs: Vec<Option<Tensor>>,
    parameters: Vec<Option<Tensor>>,
}

impl Program {
    /// The outputs for these inputs, as tensors that lead back to the inputs and parameters.
    /// `training` is the step of training.
    pub(super) fn forward(
        self: &Arc<Self>,
        inputs: &[Tensor],
        training: Option<u64>,
    ) -> Result<Vec<Tensor>> {
        let values: Vec<Tensor> = inputs
            .iter()
            .map(|input| input.detach().contiguous())
            .collect::<Result<_>>()?;
        let wanted: Vec<bool> = inputs.iter().map(Tensor::track_op).collect();
        let leaves = self.leaves(inputs);
        // An evaluation keeps nothing; should its gradient be asked for, it is run again.
        let keep = training.is_some() && !leaves.is_empty();
        let (outputs, tape) = self.run(&values, &wanted, training, keep, true)?;
        if leaves.is_empty() {
            return Ok(outputs);
        }
        let store = Arc::new(Store::default());
        let tied = tie(&leaves, &store)?;
        let shapes: Vec<Shape> = outputs
            .iter()
            .map(|output| output.shape().clone())
            .collect();
        let result = match outputs.as_slice() {
            [output] => output.clone(),
            outputs => {
                let flat = outputs.iter().map(Tensor::flatten_all);
                Tensor::cat(&flat.collect::<Result<Vec<_>>>()?, 0)?
            }
        };
        let run = Run {
            program: self.clone(),
            inputs: values,
            wanted,
            training,
            tape: Mutex::new(tape),
            result,
            shapes: shapes.clone(),
            store,
        };
        let result = tied.apply_op1(run)?;
        split(&result, &shapes)
    }

    /// What gradients flow to: the inputs that lead back to variables, and the trainable
    /// parameters.
    fn leaves(&self, inputs: &[Tensor]) -> Vec<(Leaf, Tensor)> {
        let inputs = (0..).map(Leaf::Input).zip(inputs);
        let parameters = (0..)
            .map(Leaf::Parameter)
            .zip(self.variables.iter().map(Var::as_tensor))
            .zip(&self.plan.parameters)
            .filter(|(_, declaration)| declaration.trainable)
            .map(|(leaf, _)| leaf);
        inputs
            .filter(|(_, input)| input.track_op())
            .chain(parameters)
            .map(|(leaf, tensor)| (leaf, tensor.clone()))
            .collect()
    }

    /// The outputs for these inputs, and the tape if it is to be kept. Running statistics change only
    /// in training, and only if `update` is set.
    fn run(
        &self,
        inputs: &[Tensor],
        wanted: &[bool],
        training: Option<u64>,
        keep: bool,
        update: bool,
    ) -> Result<(Vec<Tensor>, Option<Tape>)> {
        // Within the pool from the start: entering it anew for every kernel costs more than many
        // a kernel.
        rayon::scope(|_| match self.dtype {
            DType::F64 => self.run_as::<f64>(inputs, wanted, training, keep, update),
            _ => self.run_as::<f32>(inputs, wanted, training, keep, update),
        })
    }

    fn run_as<T: Float>(
        &self,
        inputs: &[Tensor],
        wanted: &[bool],
        training: Option<u64>,
        keep: bool,
        update: bool,
    ) -> Result<(Vec<Tensor>, Option<Tape>)> {
        let wanted = self.wanted(wanted);
        let inputs = inputs
            .iter()
            .map(|input| Array::copy_of::<T>(input).map(Some));
        let mut values: Vec<Option<Array>> = inputs.collect::<Result<_>>()?;
        values.resize(self.plan.values.len(), None);
        let value = |values: &[Option<Array>], place: usize| {
            let missing = || Error::Msg(format!("value {place} of the plan is not there"));
            values.get(place).cloned().flatten().ok_or_else(missing)
        };
        let mut tape = keep.then(Vec::new);
        for step in &self.plan.steps {
            let inputs = step.inputs.iter().map(|input| value(&values, input.0));
            let call = Call {
                step,
                inputs: inputs.collect::<Result<_>>()?,
                wanted: step.inputs.iter().map(|input| wanted[input.0]).collect(),
                parameters: self.parameters(&step.parameters),
                norm_parameters: match &step.norm {
                    Some(norm) => self.parameters(&norm.parameters),
                    None => Vec::new(),
                },
                training,
                keep,
                seed: self.seed,
            };
            let given = lowering::forward::<T>(&call)?;
            drop(call);
            for (place, latest) in given.state.iter().filter(|_| update) {
                if let Some(parameter) = step.all_parameters().nth(*place) {
                    self.variables[parameter].set(latest)?;
                }
            }
            values[step.output.0] = Some(given.output);
            if let Some(tape) = &mut tape {
                tape.push(given.backward);
            }
            for dead in &step.last_uses {
                values[dead.0] = None;
            }
        }
        let outputs = self.plan.outputs.iter();
        let outputs = outputs.map(|output| value(&values, output.0)?.into_tensor::<T>());
        Ok((outputs.collect::<Result<_>>()?, tape))
    }

    fn parameters(&self, places: &Range<usize>) -> Vec<Tensor> {
        let variables = self.variables[places.clone()].iter();
        variables
            .map(|variable| variable.as_tensor().clone())
            .collect()
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

    fn backward(&self, tape: Tape, wanted: &[bool], outputs: Vec<Tensor>) -> Result<Gradients> {
        rayon::scope(|_| match self.dtype {
            DType::F64 => self.backward_as::<f64>(tape, wanted, outputs),
            _ => self.backward_as::<f32>(tape, wanted, outputs),
        })
    }

    fn backward_as<T: Float>(
        &self,
        mut tape: Tape,
        wanted: &[bool],
        outputs: Vec<Tensor>,
    ) -> Result<Gradients> {
        let wanted = self.wanted(wanted);
        let mut values: Vec<Option<Array>> = vec![None; self.plan.values.len()];
        for (output, gradient) in self.plan.outputs.iter().zip(outputs) {
            add_to::<T>(&mut values[output.0], Array::copy_of::<T>(&gradient)?)?;
        }
        let mut parameters: Vec<Option<Array>> = vec![None; self.variables.len()];
        for step in self.plan.steps.iter().rev() {
            // What a step has kept is freed with it, if its gradient is wanted or not.
            let backward = tape.pop().ok_or_else(incomplete)?;
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
        values.truncate(self.plan.inputs.len());
        Ok(Gradients {
            inputs: tensors::<T>(values)?,
            parameters: tensors::<T>(parameters)?,
        })
    }
}

fn incomplete() -> Error {
    Error::Msg("the tape of a run is incomplete".to_owned())
}

fn tensors<T: Float>(arrays: Vec<Option<Array>>) -> Result<Vec<Option<Tensor>>> {
    let tensor = |array: Option<Array>| array.map(Array::into_tensor::<T>).transpose();
    arrays.into_iter().map(tensor).collect()
}

fn add_to<T: Float>(target: &mut Option<Array>, gradient: Array) -> Result<()> {
    *target = Some(match target.take() {
        Some(sum) => lowering::sum::<T>(&sum, &gradient)?,
        None => gradient,
    });
    Ok(())
}

/// Cuts the flat result of several outputs; one output is as it is.
fn split(result: &Tensor, shapes: &[Shape]) -> Result<Vec<Tensor>> {
    if shapes.len() == 1 {
        return Ok(vec![result.clone()]);
    }
    let mut start = 0;
    let parts = shapes.iter().map(|shape| {
        let length = shape.elem_count();
        let part = result.narrow(0, start, length)?.reshape(shape);
        start += length;
        part
    });
    parts.collect()
}

/// What gradients flow to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Input(usize),
    Parameter(usize),
}

/// Where a run leaves its gradients for the ties.
#[derive(Default)]
struct Store(Mutex<Option<Gradients>>);

impl Store {
    fn lock(&self) -> MutexGuard<'_, Option<Gradients>> {
        // Whatever panicked left whole gradients or none.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, leaf: Leaf) -> Option<Tensor> {
        let mut gradients = self.lock();
        let gradients = gradients.as_mut()?;
        let place = match leaf {
            Leaf::Input(place) => gradients.inputs.get_mut(place),
            Leaf::Parameter(place) => gradients.parameters.get_mut(place),
        };
        place?.take()
    }
}

/// Two tensors tied into one that means nothing, so that candle's backward pass reaches both.
struct Tie {
    leaves: [Option<Leaf>; 2],
    store: Arc<Store>,
}

/// Ties all leaves into one tensor.
fn tie(leaves: &[(Leaf, Tensor)], store: &Arc<Store>) -> Result<Tensor> {
    let nothing = Tensor::zeros(1, DType::F32, &Device::Cpu)?;
    let mut level: Vec<(Option<Leaf>, Tensor)> = leaves
        .iter()
        .map(|(leaf, tensor)| (Some(*leaf), tensor.clone()))
        .collect();
    loop {
        let pairs = level.chunks(2).map(|pair| {
            let (first, second) = match pair {
                [first, second] => (first.clone(), second.clone()),
                _ => (pair[0].clone(), (None, nothing.clone())),
            };
            let tie = Tie {
                leaves: [first.0, second.0],
                store: store.clone(),
            };
            Ok((None, first.1.apply_op2(&second.1, tie)?))
        });
        level = pairs.collect::<Result<_>>()?;
        if let [(_, tied)] = level.as_slice() {
            return Ok(tied.clone());
        }
    }
}

impl CustomOp2 for Tie {
    fn name(&self) -> &'static str {
        "tie"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(vec![0.0]), Shape::from(1)))
    }

    fn bwd(
        &self,
        first: &Tensor,
        second: &Tensor,
        _: &Tensor,
        _: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = |tensor: &Tensor, leaf: Option<Leaf>| match leaf
            .and_then(|leaf| self.store.take(leaf))
        {
            Some(gradient) => Ok(Some(gradient)),
            None => tensor.zeros_like().map(Some),
        };
        Ok((
            gradient(first, self.leaves[0])?,
            gradient(second, self.leaves[1])?,
        ))
    }
}

/// A run that is over: its result, and what its gradients need.
struct Run {
    program: Arc<Program>,
    inputs: Vec<Tensor>,
    wanted: Vec<bool>,
    training: Option<u64>,
    /// None after an evaluation, or once the gradients have been computed.
    tape: Mutex<Option<Tape>>,
    result: Tensor,
    shapes: Vec<Shape>,
    store: Arc<Store>,
}

impl Run {
    /// The tape of the same run, which changes nothing this time.
    fn run_again(&self) -> Result<Tape> {
        let (_, tape) = self
            .program
            .run(&self.inputs, &self.wanted, self.training, true, false)?;
        tape.ok_or_else(incomplete)
    }
}

impl CustomOp1 for Run {
    fn name(&self) -> &'static str {
        "network"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let shape = self.result.shape().clone();
        let storage = match self.program.dtype {
            DType::F64 => CpuStorage::F64(view(&self.result).slice::<f64>()?.to_vec()),
            _ => CpuStorage::F32(view(&self.result).slice::<f32>()?.to_vec()),
        };
        Ok((storage, shape))
    }

    fn bwd(&self, tied: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let outputs = split(gradient, &self.shapes)?
            .iter()
            .map(|gradient| gradient.detach().contiguous())
            .collect::<Result<_>>()?;
        let kept = self
            .tape
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let tape = match kept {
            Some(tape) => tape,
            None => self.run_again()?,
        };
        let gradients = self.program.backward(tape, &self.wanted, outputs)?;
        *self.store.lock() = Some(gradients);
        tied.zeros_like().map(Some)
    }
}

/// Whether a tensor lies where kernels compute.
pub(super) fn is_on_processor(tensor: &Tensor) -> bool {
    let (storage, _) = tensor.storage_and_layout();
    matches!(&*storage, Storage::Cpu(_))
}

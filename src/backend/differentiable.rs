//! How candle sees a run.
//!
//! To candle, the whole run is one operation. Its operations take at most three tensors, so all inputs and
//! parameters are tied into one by a tree of [`Tie`]s, whose value means nothing; going back, the run leaves
//! the gradients where the ties pick them up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, DType, Device, Layout, Result, Shape, Tensor, Var,
};

use super::Executor;
use super::execution::{Gradients, Program, Tape, incomplete};
use super::slices::view;

impl Program {
    /// The outputs for these inputs, as tensors that lead back to the inputs and parameters.
    /// `training` is the step of training.
    pub(super) fn forward(
        self: &Arc<Self>,
        inputs: &[Tensor],
        training: Option<u64>,
    ) -> Result<Vec<Tensor>> {
        if let Executor::Tensors { .. } = self.executor {
            return self.run_on_tensors(inputs, training, true);
        }
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

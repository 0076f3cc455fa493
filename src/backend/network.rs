//! Networks: plans with parameters, as candle modules.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use candle_core::{DType, Device, Tensor, Var, bail};
use candle_nn::{ModuleT, VarMap};
use thiserror::Error;

use super::execution::{Program, work};
use super::random;
use super::{Executor, Mode, Model, Precision};
use crate::graph::Graph;
use crate::plan::{self, Passes, Plan, PlanError};

/// Why a net can't be compiled.
#[derive(Debug, Error)]
pub enum CompileError {
    /// It has no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// There are no kernels for the type of numbers.
    #[error("networks compute with F32 or F64, not with {0:?}")]
    DType(DType),
    /// Steps of the plan are such as an inference alone has, see [`Plan::for_inference`]: there is no gradient behind them.
    #[error(
        "`{words}` is a step of an inference, which has no gradients: compile the plan that it was made of, and freeze the network"
    )]
    Inference {
        /// What the first such step computes.
        words: String,
    },
    /// A parameter could not be made.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

/// A compiled net: parameters, forward and backward.
///
/// Outputs lead back to inputs and parameters, so `backward` of a loss gives the gradient of every
/// variable. Gradients of an evaluation are right too; it keeps nothing for them and runs again
/// when they are asked for.
pub struct Network {
    pub(super) program: Arc<Program>,
    variables: VarMap,
    /// The steps of training that [`ModuleT::forward_t`] has counted.
    steps: AtomicU64,
}

impl Network {
    /// Compiles a net to compute with `f32`. The same seed gives the same parameters.
    ///
    /// # Errors
    ///
    /// See [`CompileError`].
    pub fn compile(graph: &Graph, device: &Device, seed: u64) -> Result<Self, CompileError> {
        Self::compile_with_dtype(graph, device, seed, DType::F32)
    }

    /// The same with a choice of passes over its plan.
    ///
    /// # Errors
    ///
    /// See [`CompileError`].
    pub fn compile_with_passes(
        graph: &Graph,
        passes: Passes,
        device: &Device,
        seed: u64,
    ) -> Result<Self, CompileError> {
        Self::from_plan(plan::plan_with(graph, passes)?, device, seed, DType::F32)
    }

    /// Compiles a net to compute with `F32` or `F64`.
    ///
    /// # Errors
    ///
    /// See [`CompileError`].
    pub fn compile_with_dtype(
        graph: &Graph,
        device: &Device,
        seed: u64,
        dtype: DType,
    ) -> Result<Self, CompileError> {
        Self::from_plan(plan::plan(graph)?, device, seed, dtype)
    }

    /// Gives a plan parameters.
    ///
    /// # Errors
    ///
    /// See [`CompileError`]; a plan can't fail to be planned again.
    pub fn from_plan(
        plan: Plan,
        device: &Device,
        seed: u64,
        dtype: DType,
    ) -> Result<Self, CompileError> {
        if !matches!(dtype, DType::F32 | DType::F64) {
            return Err(CompileError::DType(dtype));
        }
        if let Some(step) = plan.steps.iter().find(|it| it.is_of_inference()) {
            let words = step.words.clone();
            return Err(CompileError::Inference { words });
        }
        let mut variables = Vec::new();
        let mut named = HashMap::new();
        for declaration in &plan.parameters {
            let values = random::initial_values(seed, declaration);
            let values = Tensor::from_vec(values, declaration.shape.as_slice(), device)?;
            let variable = Var::from_tensor(&values.to_dtype(dtype)?)?;
            named.insert(declaration.name.clone(), variable.clone());
            variables.push(variable);
        }
        let map = VarMap::new();
        match map.data().lock() {
            Ok(mut data) => *data = named,
            Err(mut poisoned) => **poisoned.get_mut() = named,
        }
        Ok(Network {
            program: Arc::new(Program {
                work: work(&plan),
                plan,
                variables,
                dtype,
                device: device.clone(),
                executor: match device.is_cpu() {
                    true => Executor::Kernels,
                    false => Executor::Tensors {
                        precision: Precision::Full,
                    },
                },
                seed,
                prepared: Vec::new(),
                branches: None,
            }),
            variables: map,
            steps: AtomicU64::new(0),
        })
    }

    /// The same network, with the same parameters and state, executed in another way. Kernels compute on the
    /// CPU alone: a network on another device keeps its executor when they are asked for. Mixed precision is for
    /// `F32`.
    pub fn executed_by(self, executor: Executor) -> Self {
        let executor = match executor {
            Executor::Kernels if !self.device().is_cpu() => self.program.executor,
            Executor::Tensors { .. } if self.dtype() == DType::F64 => Executor::Tensors {
                precision: Precision::Full,
            },
            executor => executor,
        };
        let Program {
            plan,
            variables,
            dtype,
            device,
            seed,
            work,
            ..
        } = &*self.program;
        let program = Program {
            plan: plan.clone(),
            variables: variables.clone(),
            dtype: *dtype,
            device: device.clone(),
            executor,
            seed: *seed,
            work: *work,
            prepared: Vec::new(),
            branches: None,
        };
        Network {
            program: Arc::new(program),
            ..self
        }
    }

    /// What executes the plan.
    pub fn executor(&self) -> Executor {
        self.program.executor
    }

    /// What the network executes.
    pub fn plan(&self) -> &Plan {
        &self.program.plan
    }

    /// The parameters and state under the names of [`Plan::parameters`].
    pub fn var_map(&self) -> &VarMap {
        &self.variables
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.program.device
    }

    /// The type of its numbers.
    pub fn dtype(&self) -> DType {
        self.program.dtype
    }

    /// The shape of its first input without the batch axis; empty where it takes nothing.
    pub fn input_shape(&self) -> &[usize] {
        self.plan().inputs.first().map_or(&[], Vec::as_slice)
    }

    /// The shape of its last output without the batch axis; empty where it gives nothing.
    pub fn output_shape(&self) -> &[usize] {
        let output = self.plan().outputs.last();
        output.map_or(&[], |output| self.plan().shape(*output))
    }

    /// All parameters and state, in the order of [`Plan::parameters`].
    pub(super) fn variables(&self) -> &[Var] {
        &self.program.variables
    }

    /// The outputs for a batch of every input, the top of the stack last.
    ///
    /// # Errors
    ///
    /// If the number of inputs, their shapes, type or device are not those of the net.
    pub fn forward_all(&self, inputs: &[Tensor], mode: Mode) -> candle_core::Result<Vec<Tensor>> {
        self.program.check(inputs)?;
        let training = match mode {
            Mode::Train { step } => Some(step),
            Mode::Evaluate => None,
        };
        self.program.forward(inputs, training)
    }

    fn named(&self, trainable: bool) -> Vec<(String, Var)> {
        let declarations = self.plan().parameters.iter().zip(self.variables());
        declarations
            .filter(|(declaration, _)| declaration.trainable == trainable)
            .map(|(declaration, variable)| (declaration.name.clone(), variable.clone()))
            .collect()
    }
}

impl Model for Network {
    fn precision(&self) -> Precision {
        match self.program.executor {
            Executor::Tensors { precision } => precision,
            Executor::Kernels => Precision::Full,
        }
    }

    fn forward(&self, batch: &Tensor, mode: Mode) -> candle_core::Result<Tensor> {
        let mut outputs = self.forward_all(std::slice::from_ref(batch), mode)?;
        match (outputs.pop(), outputs.len()) {
            (Some(output), 0) => Ok(output),
            (_, others) => bail!(
                "`{}` gives {} outputs: use `forward_all`",
                self.plan().name,
                self.plan().outputs.len().max(others)
            ),
        }
    }

    fn trainable(&self) -> Vec<(String, Var)> {
        self.named(true)
    }

    fn state(&self) -> Vec<(String, Var)> {
        self.named(false)
    }
}

/// For nets with one input and one output. Training steps are counted from 0 by the network
/// itself; to resume training exactly, use [`Model::forward`], which is told the step.
impl ModuleT for Network {
    fn forward_t(&self, batch: &Tensor, train: bool) -> candle_core::Result<Tensor> {
        let mode = match train {
            true => Mode::Train {
                step: self.steps.fetch_add(1, Ordering::Relaxed),
            },
            false => Mode::Evaluate,
        };
        Model::forward(self, batch, mode)
    }
}

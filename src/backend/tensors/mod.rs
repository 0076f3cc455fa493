//! Running a plan by operations on candle's tensors, on whatever device they lie.
//!
//! Gradients are candle's own: an output leads back to inputs and parameters through the operations that made
//! it. What layers take beside the operations of candle and candle-nn stands in the helpers of emitted modules,
//! which are compiled here: what `snapc emit rust` writes and what runs on a device are one text.

#![allow(
    dead_code,
    reason = "an emitted module takes its parameters of a `VarBuilder`, a plan has them already"
)]

mod activation;
mod attention;
mod layers;
mod norm;
mod pool;
mod product;
mod random;

use candle_core::{D, Error, Tensor};
use candle_nn::{Init, Linear, Module, VarBuilder};

use super::execution::Program;
use super::{Executor, Precision};
use crate::plan::Step;

// The helpers have the names that an emitted file has.
type Result<T> = candle_core::Result<T>;

include!("../../emit/candle/helpers.rs");

/// A layer about to be computed.
struct Call<'a> {
    step: &'a Step,
    /// The inputs, with the batch axis.
    inputs: Vec<Tensor>,
    /// The parameters and state of the layer.
    parameters: Vec<Tensor>,
    /// Those of the norm that is fused with it.
    norm_parameters: Vec<Tensor>,
    /// The step of training, or none.
    training: Option<u64>,
    /// The seed of dropout masks.
    seed: u64,
    precision: Precision,
}

/// What a layer gives.
struct Given {
    output: Tensor,
    /// New running statistics: the place among the parameters of the layer and then of the norm, and the values.
    state: Vec<(usize, Tensor)>,
}

impl From<Tensor> for Given {
    fn from(output: Tensor) -> Self {
        Given {
            output,
            state: Vec::new(),
        }
    }
}

impl Call<'_> {
    fn input(&self) -> Result<&Tensor> {
        let missing = || Error::Msg(format!("`{}` was given no tensor", self.step.path));
        self.inputs.first().ok_or_else(missing)
    }

    fn pair(&self) -> Result<[&Tensor; 2]> {
        match self.inputs.as_slice() {
            [first, second] => Ok([first, second]),
            _ => Err(Error::Msg(format!(
                "`{}` was not given two tensors",
                self.step.path
            ))),
        }
    }

    fn parameter(&self, place: usize) -> Result<&Tensor> {
        let missing = || Error::Msg(format!("`{}` lacks a parameter", self.step.path));
        self.parameters.get(place).ok_or_else(missing)
    }
}

impl Program {
    /// The outputs for these inputs, by operations on tensors. In training, running statistics change.
    pub(super) fn run_on_tensors(
        &self,
        inputs: &[Tensor],
        training: Option<u64>,
        with_gradients: bool,
    ) -> Result<Vec<Tensor>> {
        let precision = match self.executor {
            Executor::Tensors { precision } => precision,
            Executor::Kernels => Precision::Full,
        };
        let parameters = |places: std::ops::Range<usize>| -> Vec<Tensor> {
            let variables = self.variables[places].iter();
            match with_gradients {
                true => variables.map(|it| it.as_tensor().clone()).collect(),
                false => variables.map(|it| it.as_detached_tensor()).collect(),
            }
        };
        let mut values: Vec<Option<Tensor>> = inputs.iter().cloned().map(Some).collect();
        values.resize(self.plan.values.len(), None);
        let value = |values: &[Option<Tensor>], place: usize| {
            let missing = || Error::Msg(format!("value {place} of the plan is not there"));
            values.get(place).cloned().flatten().ok_or_else(missing)
        };
        for step in &self.plan.steps {
            let inputs = step.inputs.iter().map(|input| value(&values, input.0));
            let call = Call {
                step,
                inputs: inputs.collect::<Result<_>>()?,
                parameters: parameters(step.parameters.clone()),
                norm_parameters: match &step.norm {
                    Some(norm) => parameters(norm.parameters.clone()),
                    None => Vec::new(),
                },
                training,
                seed: self.seed,
                precision,
            };
            let given = layers::forward(&call)?;
            for (place, latest) in &given.state {
                if let Some(parameter) = step.all_parameters().nth(*place) {
                    self.variables[parameter].set(latest)?;
                }
            }
            values[step.output.0] = Some(given.output);
            for dead in &step.last_uses {
                values[dead.0] = None;
            }
        }
        let outputs = self.plan.outputs.iter();
        outputs.map(|output| value(&values, output.0)).collect()
    }
}

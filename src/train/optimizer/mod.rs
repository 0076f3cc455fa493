mod norm;
mod rules;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor, Var};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::WeightsError;
use super::weights::check_shape;
use norm::norm;
use rules::{Moments, Rule};

/// The rule that turns gradients into steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum OptimizerConfiguration {
    /// Adam with decoupled weight decay: Loshchilov and Hutter 2019 (arXiv 1711.05101), algorithm 2;
    /// the decay of a step is the learning rate times the weight decay, as in PyTorch.
    #[serde(rename = "adamw")]
    AdamW {
        /// The decay rate of the mean of the gradients.
        beta1: f64,
        /// The decay rate of the mean of their squares.
        beta2: f64,
        /// Keeps the division from exploding.
        epsilon: f64,
    },
    /// Stochastic gradient descent with momentum; weight decay is added to the gradient.
    Sgd {
        /// The share of the last step's direction that is kept.
        momentum: f64,
        /// Whether the gradient is looked up ahead of the step: Sutskever et al. 2013, in the form
        /// of PyTorch.
        nesterov: bool,
    },
}

impl OptimizerConfiguration {
    /// AdamW with the constants of Kingma and Ba 2015 (arXiv 1412.6980).
    pub fn adam_w() -> Self {
        Self::AdamW {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
        }
    }

    /// SGD with Nesterov momentum of 0.9.
    pub fn sgd() -> Self {
        Self::Sgd {
            momentum: 0.9,
            nesterov: true,
        }
    }
}

/// What may change from step to step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepSettings {
    /// The learning rate.
    pub learning_rate: f64,
    /// Takes the place of the momentum, or of AdamW's `beta1`, for this step.
    pub momentum: Option<f64>,
    /// The largest norm that the gradients of all parameters together may have; longer ones are
    /// shortened to it (Pascanu et al. 2013, arXiv 1211.5063).
    pub gradient_clip: Option<f64>,
}

/// Why a step was not done. No parameter was changed.
#[derive(Debug, Error)]
pub enum StepError {
    /// A gradient is infinite or not a number.
    #[error("the norm of the gradients is {norm}")]
    NotFinite {
        /// The norm over all gradients.
        norm: f64,
    },
    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// Changes parameters by their gradients.
pub struct Optimizer {
    configuration: OptimizerConfiguration,
    parameters: Vec<Parameter>,
    /// The steps done.
    steps: u64,
}

struct Parameter {
    name: String,
    variable: Var,
    weight_decay: f64,
    /// The mean of the gradients, or the momentum; and for AdamW the mean of their squares.
    moments: Moments,
}

impl Optimizer {
    /// An optimizer that has done no step. Parameters of one axis (biases, the scales of norms)
    /// get no weight decay unless `decay_vectors` is set: decay is meant for what multiplies. What is
    /// remembered lies where the parameters do.
    ///
    /// # Errors
    ///
    /// When the device has no memory for it.
    pub fn new(
        trainable: Vec<(String, Var)>,
        configuration: OptimizerConfiguration,
        weight_decay: f64,
        decay_vectors: bool,
    ) -> Result<Self> {
        let moments = match configuration {
            OptimizerConfiguration::AdamW { .. } => 2,
            OptimizerConfiguration::Sgd { .. } => 1,
        };
        let parameter = |(name, variable): (String, Var)| {
            let decays = decay_vectors || variable.rank() > 1;
            Ok(Parameter {
                name,
                weight_decay: if decays { weight_decay } else { 0.0 },
                moments: Moments::new(&variable, moments)?,
                variable,
            })
        };
        Ok(Self {
            configuration,
            parameters: trainable
                .into_iter()
                .map(parameter)
                .collect::<Result<_>>()?,
            steps: 0,
        })
    }

    /// Changes every parameter that has a gradient, and gives the norm of all gradients together,
    /// before clipping.
    ///
    /// # Errors
    ///
    /// [`StepError::NotFinite`] when a gradient is infinite or not a number.
    pub fn step(
        &mut self,
        gradients: &GradStore,
        settings: StepSettings,
    ) -> std::result::Result<f64, StepError> {
        let gradients = self
            .parameters
            .iter()
            .map(|parameter| {
                let gradient = gradients.get(&parameter.variable);
                gradient.map(Tensor::contiguous).transpose()
            })
            .collect::<Result<Vec<Option<Tensor>>>>()?;
        let norm = norm(&gradients)?;
        if !norm.is_finite() {
            return Err(StepError::NotFinite { norm });
        }
        let scale = clip_scale(norm, settings.gradient_clip);
        self.steps += 1;
        for (parameter, gradient) in self.parameters.iter_mut().zip(gradients) {
            if let Some(gradient) = gradient {
                let rule = Rule::new(
                    self.configuration,
                    settings,
                    parameter.weight_decay,
                    self.steps,
                );
                rule.step(
                    &parameter.variable,
                    &gradient,
                    scale,
                    &mut parameter.moments,
                )?;
            }
        }
        Ok(norm)
    }

    /// What the optimizer remembers between steps, as tensors of the parameters' shapes under the
    /// parameters' names with `.first_moment` and `.second_moment` behind.
    ///
    /// # Errors
    ///
    /// When a tensor can't be made.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>> {
        let mut state = Vec::new();
        for parameter in &self.parameters {
            let shape = parameter.variable.shape();
            for (name, moment) in parameter.moment_names().zip(parameter.moments.tensors()?) {
                state.push((name, moment.reshape(shape)?));
            }
        }
        Ok(state)
    }

    /// The number of steps done.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Whether `state` is, by names and shapes, what [`state`](Self::state) of an optimizer like this
    /// one gave.
    ///
    /// # Errors
    ///
    /// The first tensor that is missing or has another shape.
    pub fn check(&self, state: &[(String, Tensor)]) -> std::result::Result<(), WeightsError> {
        for parameter in &self.parameters {
            for name in parameter.moment_names() {
                let Some(tensor) = find(state, &name) else {
                    return Err(WeightsError::Missing { name });
                };
                check_shape(&name, tensor, parameter.variable.shape())?;
            }
        }
        Ok(())
    }

    /// Goes back to what [`state`](Self::state) and [`steps`](Self::steps) gave. Call
    /// [`check`](Self::check) first: tensors that are missing keep their values.
    ///
    /// # Errors
    ///
    /// When a tensor does not hold numbers.
    pub fn restore(&mut self, steps: u64, state: &[(String, Tensor)]) -> Result<()> {
        for parameter in &mut self.parameters {
            let names: Vec<String> = parameter.moment_names().collect();
            for (place, name) in names.iter().enumerate() {
                if let Some(tensor) = find(state, name) {
                    let tensor = tensor.to_dtype(DType::F32)?.to_device(&Device::Cpu)?;
                    parameter.moments.set(place, &tensor.flatten_all()?)?;
                }
            }
        }
        self.steps = steps;
        Ok(())
    }
}

impl Parameter {
    /// The names of what is remembered of it.
    fn moment_names(&self) -> impl Iterator<Item = String> {
        let moments = ["first_moment", "second_moment"].into_iter();
        moments
            .take(self.moments.count())
            .map(|moment| format!("{}.{moment}", self.name))
    }
}

fn find<'s>(state: &'s [(String, Tensor)], name: &str) -> Option<&'s Tensor> {
    let (_, tensor) = state.iter().find(|(known, _)| known == name)?;
    Some(tensor)
}

fn clip_scale(norm: f64, clip: Option<f64>) -> f32 {
    match clip {
        Some(clip) if norm > clip => (clip / norm) as f32,
        _ => 1.0,
    }
}

use std::sync::{Mutex, PoisonError};

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, DType, Error, InplaceOp2, Layout, Result, Storage, Tensor, Var};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::WeightsError;
use super::weights::check_shape;

/// The rule that turns gradients into steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The mean of the gradients, or the momentum.
    first_moment: Vec<f32>,
    /// The mean of their squares; empty for SGD.
    second_moment: Vec<f32>,
}

impl Optimizer {
    /// An optimizer that has done no step. Parameters of one axis (biases, the scales of norms)
    /// get no weight decay unless `decay_vectors` is set: decay is meant for what multiplies.
    pub fn new(
        trainable: Vec<(String, Var)>,
        configuration: OptimizerConfiguration,
        weight_decay: f64,
        decay_vectors: bool,
    ) -> Self {
        let has_second_moment = matches!(configuration, OptimizerConfiguration::AdamW { .. });
        let parameter = |(name, variable): (String, Var)| {
            let size = variable.elem_count();
            let decays = decay_vectors || variable.rank() > 1;
            Parameter {
                name,
                weight_decay: if decays { weight_decay } else { 0.0 },
                first_moment: vec![0.0; size],
                second_moment: vec![0.0; if has_second_moment { size } else { 0 }],
                variable,
            }
        };
        Self {
            configuration,
            parameters: trainable.into_iter().map(parameter).collect(),
            steps: 0,
        }
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
                parameter.step(&gradient, scale, rule)?;
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
            for (name, values) in parameter.moments() {
                let shape = parameter.variable.shape();
                let tensor = Tensor::from_slice(values, shape, parameter.variable.device())?;
                state.push((name, tensor));
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
            for (name, _) in parameter.moments() {
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
            let [first, second] = parameter.moment_names();
            let moments = [
                (first, &mut parameter.first_moment),
                (second, &mut parameter.second_moment),
            ];
            for (name, values) in moments {
                if let Some(tensor) = find(state, &name) {
                    *values = values_of(&tensor.to_dtype(DType::F32)?)?;
                }
            }
        }
        self.steps = steps;
        Ok(())
    }
}

impl Parameter {
    fn moment_names(&self) -> [String; 2] {
        ["first_moment", "second_moment"].map(|moment| format!("{}.{moment}", self.name))
    }

    fn moments(&self) -> impl Iterator<Item = (String, &[f32])> {
        let [first, second] = self.moment_names();
        [
            (first, self.first_moment.as_slice()),
            (second, self.second_moment.as_slice()),
        ]
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
    }

    /// Changes the values where they lie.
    fn step(&mut self, gradient: &Tensor, scale: f32, rule: Rule) -> Result<()> {
        let moments = [&mut self.first_moment, &mut self.second_moment];
        let update = Update {
            rule,
            scale,
            moments: Mutex::new(moments.map(Vec::as_mut_slice)),
        };
        self.variable.inplace_op2(gradient, &update)
    }
}

/// How values change by their gradients.
#[derive(Clone, Copy)]
enum Rule {
    AdamW(AdamW),
    Sgd(Sgd),
}

impl Rule {
    fn new(
        configuration: OptimizerConfiguration,
        settings: StepSettings,
        weight_decay: f64,
        step: u64,
    ) -> Self {
        match configuration {
            OptimizerConfiguration::AdamW {
                beta1,
                beta2,
                epsilon,
            } => Rule::AdamW(AdamW::new(
                settings.learning_rate,
                [settings.momentum.unwrap_or(beta1), beta2],
                epsilon,
                weight_decay,
                step,
            )),
            OptimizerConfiguration::Sgd { momentum, nesterov } => Rule::Sgd(Sgd {
                learning_rate: settings.learning_rate as f32,
                momentum: settings.momentum.unwrap_or(momentum) as f32,
                nesterov,
                weight_decay: weight_decay as f32,
            }),
        }
    }
}

/// Numbers in one piece of parallel work.
const PIECE: usize = 1 << 14;

/// A step of one parameter, in one pass over its values, gradient and moments.
struct Update<'a> {
    rule: Rule,
    /// What the gradient is multiplied with.
    scale: f32,
    /// Candle hands an operation out as shared, though it is run once.
    moments: Mutex<[&'a mut [f32]; 2]>,
}

impl Update<'_> {
    fn run(&self, values: &mut [f32], gradient: &[f32]) {
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let [first, second] = &mut *moments;
        let pieces = values
            .par_chunks_mut(PIECE)
            .zip(gradient.par_chunks(PIECE))
            .zip(first.par_chunks_mut(PIECE));
        match self.rule {
            Rule::AdamW(rule) => pieces.zip(second.par_chunks_mut(PIECE)).for_each(
                |(((values, gradient), first), second)| {
                    let moments = first.iter_mut().zip(second);
                    let pairs = values.iter_mut().zip(gradient);
                    for ((value, gradient), (first, second)) in pairs.zip(moments) {
                        rule.apply(value, *gradient * self.scale, first, second);
                    }
                },
            ),
            Rule::Sgd(rule) => pieces.for_each(|((values, gradient), velocities)| {
                let pairs = values.iter_mut().zip(gradient);
                for ((value, gradient), velocity) in pairs.zip(velocities) {
                    rule.apply(value, *gradient * self.scale, velocity);
                }
            }),
        }
    }
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "optimizer"
    }

    fn cpu_fwd(
        &self,
        values: &mut CpuStorage,
        values_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<()> {
        let apart = || Error::Msg("a parameter does not lie in one piece".to_owned());
        let CpuStorage::F32(values) = values else {
            return Err(Error::Msg("parameters are trained in F32".to_owned()));
        };
        let (start, end) = values_layout.contiguous_offsets().ok_or_else(apart)?;
        let values = &mut values[start..end];
        let (start, end) = gradient_layout.contiguous_offsets().ok_or_else(apart)?;
        self.run(values, &gradient.as_slice::<f32>()?[start..end]);
        Ok(())
    }
}

/// One step of AdamW; what does not depend on the element is computed once.
#[derive(Clone, Copy)]
struct AdamW {
    decay: f32,
    betas: [f32; 2],
    step_size: f32,
    second_correction: f32,
    epsilon: f32,
}

impl AdamW {
    fn new(
        learning_rate: f64,
        [beta1, beta2]: [f64; 2],
        epsilon: f64,
        weight_decay: f64,
        step: u64,
    ) -> Self {
        let correction = |beta: f64| 1.0 - beta.powf(step as f64);
        Self {
            decay: (1.0 - learning_rate * weight_decay) as f32,
            betas: [beta1 as f32, beta2 as f32],
            step_size: (learning_rate / correction(beta1)) as f32,
            second_correction: (1.0 / correction(beta2).sqrt()) as f32,
            epsilon: epsilon as f32,
        }
    }

    fn apply(&self, value: &mut f32, gradient: f32, first: &mut f32, second: &mut f32) {
        let [beta1, beta2] = self.betas;
        *first = beta1 * *first + (1.0 - beta1) * gradient;
        *second = beta2 * *second + (1.0 - beta2) * gradient * gradient;
        let denominator = second.sqrt() * self.second_correction + self.epsilon;
        *value = *value * self.decay - self.step_size * *first / denominator;
    }
}

#[derive(Clone, Copy)]
struct Sgd {
    learning_rate: f32,
    momentum: f32,
    nesterov: bool,
    weight_decay: f32,
}

impl Sgd {
    fn apply(&self, value: &mut f32, gradient: f32, velocity: &mut f32) {
        let gradient = gradient + self.weight_decay * *value;
        *velocity = self.momentum * *velocity + gradient;
        let direction = if self.nesterov {
            gradient + self.momentum * *velocity
        } else {
            *velocity
        };
        *value -= self.learning_rate * direction;
    }
}

fn find<'s>(state: &'s [(String, Tensor)], name: &str) -> Option<&'s Tensor> {
    let (_, tensor) = state.iter().find(|(known, _)| known == name)?;
    Some(tensor)
}

fn values_of(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

/// The Euclidean norm over all gradients, the same in whatever order they come: equal programs may
/// name their layers in another order.
fn norm(gradients: &[Option<Tensor>]) -> Result<f64> {
    let gradients = gradients.iter().flatten();
    let mut squares = gradients
        .map(|gradient| {
            let (storage, layout) = gradient.storage_and_layout();
            let apart = || Error::Msg("a gradient does not lie in one piece".to_owned());
            let (start, end) = layout.contiguous_offsets().ok_or_else(apart)?;
            match &*storage {
                Storage::Cpu(storage) => {
                    Ok(sum_of_squares(&storage.as_slice::<f32>()?[start..end]))
                }
                _ => Ok(sum_of_squares(&values_of(gradient)?)),
            }
        })
        .collect::<Result<Vec<f64>>>()?;
    squares.sort_unstable_by(f64::total_cmp);
    Ok(squares.iter().sum::<f64>().sqrt())
}

/// In double precision, since squares of large numbers overflow sooner than they do; in several
/// sums, since additions to one have to wait for each other.
fn sum_of_squares(values: &[f32]) -> f64 {
    let mut sums = [0.0; 8];
    for values in values.chunks(sums.len()) {
        for (sum, &value) in sums.iter_mut().zip(values) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
    sums.iter().sum()
}

fn clip_scale(norm: f64, clip: Option<f64>) -> f32 {
    match clip {
        Some(clip) if norm > clip => (clip / norm) as f32,
        _ => 1.0,
    }
}

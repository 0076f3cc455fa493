use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use super::{OptimizerConfiguration, Schedule};
use crate::data::SplitFractions;
use crate::plan::Passes;

/// How a network is trained. Every field has a default, and an unknown field is an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfiguration {
    /// How often the training part is gone through.
    pub epochs: usize,
    /// The most examples that make one step.
    pub batch_size: usize,
    /// The rule of the steps.
    pub optimizer: OptimizerConfiguration,
    /// The highest learning rate of the schedule.
    pub learning_rate: f64,
    /// See [`OptimizerConfiguration`] for what each rule makes of it.
    pub weight_decay: f64,
    /// Whether weight decay is also for parameters of one axis: biases, the scales of norms.
    pub decay_vectors: bool,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// See [`loss::cross_entropy`](super::loss::cross_entropy).
    pub label_smoothing: f64,
    /// The longest gradient; longer ones are shortened to it. None, or 0 in a file, leaves them as
    /// they are.
    #[serde(deserialize_with = "zero_is_none")]
    pub gradient_clip: Option<f64>,
    /// Decides the split, the order of the examples and how they are moved.
    pub seed: u64,
    /// Decides the split instead, so that trainings with several seeds have the same parts of the
    /// data. None by default.
    pub split_seed: Option<u64>,
    /// The most pixels by which training moves an image along each axis.
    pub shift: usize,
    /// The parts of the data.
    pub split: SplitFractions,
    /// The passes over the plan of the network. They do not change the result, but time and memory.
    #[schemars(with = "Vec<String>")]
    pub passes: Passes,
}

/// Measured on the validation part of the digits: the mean over five seeds and three networks
/// (residual, plain, depthwise separable) after 12 epochs, with a standard error of 0.2 points.
///
/// - A learning rate of 0.01 reaches 98.8 %, 0.005 reaches 98.4 % and 0.02 98.9 %, with less room
///   before divergence.
/// - Without label smoothing it is 98.3 %.
/// - Moving the digits by up to a pixel costs 0.6 points (at 0.02): they fill their eight pixels.
/// - Nesterov's SGD reaches 98.2 % at a rate of 0.1 and 97.2 % at 0.05.
/// - A warm-up with a cosine (98.6 %), one cycle without a cycle of momentum (98.7 %), a weight
///   decay of 0.05 (98.7 %), no clipping (98.6 %) and batches of 32 (98.9 %) are not told apart
///   from the defaults. Clipping is there for the networks that a search makes, and batches of 64
///   take fewer steps.
impl Default for TrainingConfiguration {
    fn default() -> Self {
        Self {
            epochs: 20,
            batch_size: 64,
            optimizer: OptimizerConfiguration::adam_w(),
            learning_rate: 0.01,
            weight_decay: 0.01,
            decay_vectors: false,
            schedule: Schedule::one_cycle(),
            label_smoothing: 0.1,
            gradient_clip: Some(1.0),
            seed: 0,
            split_seed: None,
            shift: 0,
            split: SplitFractions::default(),
            passes: Passes::default(),
        }
    }
}

/// A value that makes no training.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{field}` is {value}, but must be {requirement}")]
pub struct ConfigurationError {
    /// The field, with dots between the parts of its path.
    pub field: &'static str,
    /// The value it has.
    pub value: String,
    /// What it must be.
    pub requirement: &'static str,
}

impl ConfigurationError {
    /// The message, with the field as a part of something larger of this name.
    pub fn within(&self, whole: &str) -> String {
        let Self {
            field,
            value,
            requirement,
        } = self;
        format!("`{whole}.{field}` is {value}, but must be {requirement}")
    }
}

/// Files without a word for nothing say 0.
fn zero_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let clip = Option::<f64>::deserialize(deserializer)?;
    Ok(clip.filter(|&clip| clip != 0.0))
}

const LARGEST_SHIFT: usize = 1 << 20;

impl TrainingConfiguration {
    /// The seed that decides the split.
    pub fn split_seed(&self) -> u64 {
        self.split_seed.unwrap_or(self.seed)
    }

    /// Whether every value makes sense.
    ///
    /// # Errors
    ///
    /// The first field that does not, in the order of their declaration.
    pub fn validate(&self) -> Result<(), ConfigurationError> {
        require("epochs", self.epochs, "at least 1", |it| it >= 1)?;
        require("batch_size", self.batch_size, "at least 1", |it| it >= 1)?;
        self.validate_optimizer()?;
        require("learning_rate", self.learning_rate, POSITIVE, is_positive)?;
        let decay = self.weight_decay;
        require("weight_decay", decay, "0 or a positive number", |it| {
            it == 0.0 || is_positive(it)
        })?;
        self.validate_schedule()?;
        let smoothing = self.label_smoothing;
        require("label_smoothing", smoothing, BELOW_ONE, is_below_one)?;
        if let Some(clip) = self.gradient_clip {
            require("gradient_clip", clip, POSITIVE, is_positive)?;
        }
        require("shift", self.shift, "at most 1048576", |it| {
            it <= LARGEST_SHIFT
        })?;
        self.validate_split()
    }

    fn validate_optimizer(&self) -> Result<(), ConfigurationError> {
        match self.optimizer {
            OptimizerConfiguration::AdamW {
                beta1,
                beta2,
                epsilon,
            } => {
                require("optimizer.beta1", beta1, BELOW_ONE, is_below_one)?;
                require("optimizer.beta2", beta2, BELOW_ONE, is_below_one)?;
                require("optimizer.epsilon", epsilon, POSITIVE, is_positive)
            }
            OptimizerConfiguration::Sgd { momentum, .. } => {
                require("optimizer.momentum", momentum, BELOW_ONE, is_below_one)
            }
        }
    }

    fn validate_schedule(&self) -> Result<(), ConfigurationError> {
        match self.schedule {
            Schedule::Constant => Ok(()),
            Schedule::WarmupCosine { warmup, floor } => {
                require("schedule.warmup", warmup, BELOW_ONE, is_below_one)?;
                require("schedule.floor", floor, BELOW_ONE, is_below_one)
            }
            Schedule::OneCycle {
                rise,
                initial_divisor,
                final_divisor,
                ..
            } => {
                require("schedule.rise", rise, BELOW_ONE, is_below_one)?;
                let divisor = initial_divisor;
                require("schedule.initial_divisor", divisor, POSITIVE, is_positive)?;
                let divisor = final_divisor;
                require("schedule.final_divisor", divisor, POSITIVE, is_positive)
            }
        }
    }

    fn validate_split(&self) -> Result<(), ConfigurationError> {
        let SplitFractions { validation, test } = self.split;
        let is_share = |it| 0.0 < it && it < 1.0;
        require("split.validation", validation, "between 0 and 1", is_share)?;
        require("split.test", test, "between 0 and 1", is_share)?;
        let sum = validation + test;
        let requirement = "below 1, so that examples are left for training";
        require("split.validation + split.test", sum, requirement, is_share)
    }
}

const POSITIVE: &str = "a positive number";
const BELOW_ONE: &str = "at least 0 and below 1";

fn is_positive(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

fn is_below_one(value: f64) -> bool {
    (0.0..1.0).contains(&value)
}

fn require<T: Copy + ToString>(
    field: &'static str,
    value: T,
    requirement: &'static str,
    holds: impl Fn(T) -> bool,
) -> Result<(), ConfigurationError> {
    if holds(value) {
        return Ok(());
    }
    Err(ConfigurationError {
        field,
        value: value.to_string(),
        requirement,
    })
}

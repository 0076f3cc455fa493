//! What is maximised: a measured value less the price of what a network costs, within hard limits.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{Result, SearchError};
use super::space::{Allowed, Key, ProgramSpace};
use crate::data::Task;
use crate::graph::{self, Graph};
use crate::sketch::Space;
use crate::train::{Attack, significant};

/// What a network costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Trainable parameters.
    pub parameters: u64,
    /// Multiply-adds of the forward pass of one example.
    pub multiply_adds: u64,
    /// Milliseconds of the forward pass of one example, if they were measured.
    pub latency: Option<f64>,
}

impl Cost {
    /// What the net of a graph costs, as far as that is known without running it. What can't be
    /// counted counts as the largest number.
    pub fn of(graph: &Graph) -> Self {
        let summary = graph::summarise(graph);
        let number = |dimension: &crate::operations::Dimension| {
            let constant = dimension.constant();
            constant
                .and_then(|it| u64::try_from(it).ok())
                .unwrap_or(u64::MAX)
        };
        Self {
            parameters: number(&summary.parameters),
            multiply_adds: number(&summary.multiply_adds),
            latency: None,
        }
    }
}

/// Which measurement of a trained network is its value, on the validation part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Measurement {
    /// The share of examples that are classified right.
    Accuracy,
    /// The mean F1 score of the classes.
    MacroF1,
    /// The share of examples that are classified right after the fast gradient sign method has
    /// changed them (Goodfellow et al. 2015).
    Fgsm,
    /// The share of examples that are classified right after projected gradient descent has changed
    /// them (Madry et al. 2018).
    Pgd,
    /// The negative mean absolute error of a regression.
    Mae,
    /// The negative root of the mean squared error of a regression.
    Rmse,
    /// The share of the variance that a regression explains.
    R2,
}

impl Measurement {
    /// All measurements.
    pub const ALL: [Self; 7] = [
        Self::Accuracy,
        Self::MacroF1,
        Self::Fgsm,
        Self::Pgd,
        Self::Mae,
        Self::Rmse,
        Self::R2,
    ];

    /// The name, as in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::MacroF1 => "macro-f1",
            Self::Fgsm => "fgsm",
            Self::Pgd => "pgd",
            Self::Mae => "mae",
            Self::Rmse => "rmse",
            Self::R2 => "r2",
        }
    }

    /// The name for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::MacroF1 => "macro F1",
            Self::Fgsm => "accuracy under FGSM",
            Self::Pgd => "accuracy under PGD",
            Self::Mae => "mean absolute error",
            Self::Rmse => "root mean square error",
            Self::R2 => "R²",
        }
    }

    /// The name among the [details](super::Status) of a candidate, behind `validation_` or `test_`.
    pub fn score_name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::MacroF1 => "macro_f1",
            Self::Fgsm | Self::Pgd => "robust_accuracy",
            Self::Mae => "mae",
            Self::Rmse => "rmse",
            Self::R2 => "r2",
        }
    }

    /// What was measured, for people: a share in percent, anything else to four digits.
    pub fn text(self, measured: f64) -> String {
        match self.is_share() {
            true => format!("{:.2} %", measured * 100.0),
            false => significant(measured),
        }
    }

    /// Whether it is measured where quantities are learnt; else it is where classes are.
    pub fn is_of_regression(self) -> bool {
        matches!(self, Self::Mae | Self::Rmse | Self::R2)
    }

    /// Whether less of it is better, so that its negative is maximised.
    pub fn is_error(self) -> bool {
        matches!(self, Self::Mae | Self::Rmse)
    }

    /// Whether it is a share that people write in percent.
    pub fn is_share(self) -> bool {
        !self.is_of_regression()
    }

    /// What is maximised if this was measured.
    pub fn maximised(self, measured: f64) -> f64 {
        match self.is_error() {
            true => -measured,
            false => measured,
        }
    }

    /// What is measured of a task if nothing is chosen.
    fn of_task(task: &Task) -> Self {
        match task.is_regression() {
            true => Self::Mae,
            false => Self::Accuracy,
        }
    }
}

/// How inputs are attacked, for the measurements `fgsm` and `pgd`, in the infinity norm.
///
/// Distances are in units of pixels between 0 and 1, before they are normalised for the network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AttackConfiguration {
    /// The most that a pixel is changed. Default 8/255.
    pub epsilon: f64,
    /// How far a step of `pgd` goes; `fgsm` makes one of `epsilon`. Default 2/255.
    pub step: f64,
    /// The steps of `pgd`. Default 10.
    pub steps: usize,
}

/// What Madry et al. (2018, section 5) attack CIFAR-10 with, with ten steps instead of seven.
impl Default for AttackConfiguration {
    fn default() -> Self {
        Self {
            epsilon: 8.0 / 255.0,
            step: 2.0 / 255.0,
            steps: 10,
        }
    }
}

/// What the search maximises.
///
/// A price is per factor of ten: with `parameters_price = 0.01`, a network with ten times the
/// parameters must be better by 0.01 (a percentage point of accuracy) to be worth the same. Costs go
/// over several powers of ten, so a price for each single parameter would be nothing to small
/// networks, or everything to large ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Objective {
    /// What is measured. Default `accuracy` where classes are learnt, `mae` where quantities are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measurement: Option<Measurement>,
    /// Price of ten times the parameters. Default 0.
    pub parameters_price: f64,
    /// Price of ten times the multiply-adds. Default 0.
    pub multiply_adds_price: f64,
    /// Price of ten times the latency, which is measured on this machine. Default 0.
    pub latency_price: f64,
    /// The attack of the measurements `fgsm` and `pgd`.
    pub attack: AttackConfiguration,
}

impl Default for Objective {
    fn default() -> Self {
        Self {
            measurement: None,
            parameters_price: 0.0,
            multiply_adds_price: 0.0,
            latency_price: 0.0,
            attack: AttackConfiguration::default(),
        }
    }
}

impl Objective {
    /// What is maximised if nothing is chosen.
    pub fn of_task(task: &Task) -> Self {
        Self {
            measurement: Some(Measurement::of_task(task)),
            ..Self::default()
        }
    }

    /// The same with a measurement, that of the task if there is none.
    ///
    /// # Errors
    ///
    /// [`SearchError::Configuration`] for a measurement that there is not for this task.
    pub fn for_task(mut self, task: &Task) -> Result<Self> {
        let measurement = *self
            .measurement
            .get_or_insert_with(|| Measurement::of_task(task));
        if measurement.is_of_regression() == task.is_regression() {
            return Ok(self);
        }
        let names = Measurement::ALL.into_iter();
        let names = names.filter(|it| it.is_of_regression() == task.is_regression());
        let names: Vec<&str> = names.map(Measurement::name).collect();
        Err(SearchError::Configuration {
            name: "objective.measurement".to_owned(),
            expected: format!("one of {}, as {} are learnt", names.join(", "), task.noun()),
            found: measurement.name().to_owned(),
        })
    }

    /// What is maximised: the measured value, or its negative if it is an error, less the prices of the cost. A
    /// latency that was not measured costs nothing.
    pub fn value(&self, measured: f64, cost: Cost) -> f64 {
        let tens = |count: u64| (count.max(1) as f64).log10();
        // A clock may be too coarse for a small network.
        let latency = cost.latency.map_or(0.0, |it| it.max(SHORTEST).log10());
        let maximised = self
            .measurement
            .map_or(measured, |it| it.maximised(measured));
        maximised
            - self.parameters_price * tens(cost.parameters)
            - self.multiply_adds_price * tens(cost.multiply_adds)
            - self.latency_price * latency
    }

    /// Whether anything has a price.
    pub fn has_price(&self) -> bool {
        let prices = [
            self.parameters_price,
            self.multiply_adds_price,
            self.latency_price,
        ];
        prices.iter().any(|price| *price != 0.0)
    }

    /// The attack that is measured, if it is one.
    pub fn attack_of_measurement(&self) -> Option<Attack> {
        let AttackConfiguration {
            epsilon,
            step,
            steps,
        } = self.attack;
        match self.measurement? {
            Measurement::Fgsm => Some(Attack::fgsm(epsilon)),
            Measurement::Pgd => Some(Attack::pgd(epsilon, step, steps, 0)),
            _ => None,
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// [`SearchError::Configuration`] for a price or a distance that is not a number of at least 0.
    pub fn validate(&self) -> Result<()> {
        let numbers = [
            ("objective.parameters_price", self.parameters_price),
            ("objective.multiply_adds_price", self.multiply_adds_price),
            ("objective.latency_price", self.latency_price),
            ("objective.attack.epsilon", self.attack.epsilon),
            ("objective.attack.step", self.attack.step),
        ];
        match numbers
            .into_iter()
            .find(|(_, number)| !(0.0..f64::INFINITY).contains(number))
        {
            None => Ok(()),
            Some((name, number)) => Err(SearchError::Configuration {
                name: name.to_owned(),
                expected: "a number of at least 0".to_owned(),
                found: number.to_string(),
            }),
        }
    }
}

/// The shortest latency that prices tell apart, in milliseconds: a microsecond.
const SHORTEST: f64 = 0.001;

/// What no network may exceed. Networks with too many parameters or multiply-adds are never proposed;
/// those that take too much memory or time are not trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The most trainable parameters. None by default.
    pub parameters: Option<u64>,
    /// The most multiply-adds of the forward pass of one example. None by default.
    pub multiply_adds: Option<u64>,
    /// The most bytes of memory that a step of training may take. None by default.
    pub memory: Option<u64>,
    /// The most milliseconds that the forward pass of one example may take on this machine. None by
    /// default.
    pub latency: Option<f64>,
}

impl Limits {
    /// Checks every value.
    ///
    /// # Errors
    ///
    /// [`SearchError::Configuration`] for a latency that is not a number above 0.
    pub fn validate(&self) -> Result<()> {
        match self.latency {
            Some(latency) if !(latency > 0.0 && latency.is_finite()) => {
                Err(SearchError::Configuration {
                    name: "limits.latency".to_owned(),
                    expected: "a number of milliseconds above 0".to_owned(),
                    found: latency.to_string(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether a network of this cost may be proposed.
    pub fn admit(&self, cost: Cost) -> bool {
        self.parameters.is_none_or(|most| cost.parameters <= most)
            && self
                .multiply_adds
                .is_none_or(|most| cost.multiply_adds <= most)
    }
}

/// The programs that fill the holes of a net within limits of parameters and multiply-adds: others are valid, but
/// never proposed. Memory and latency are for [`TrainingEvaluation::within`](super::TrainingEvaluation::within) to look at.
#[derive(Clone, Copy)]
pub struct Limited<'a> {
    space: &'a Space,
    limits: Limits,
}

impl<'a> Limited<'a> {
    /// Sets limits to the programs of a space.
    pub fn new(space: &'a Space, limits: Limits) -> Self {
        Self { space, limits }
    }
}

impl ProgramSpace for Limited<'_> {
    fn symbols(&self) -> &[char] {
        self.space.symbols()
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        self.space.lengths()
    }

    fn pieces(&self) -> Vec<RangeInclusive<usize>> {
        self.space.pieces()
    }

    fn allowed(&self, prefix: &[u8]) -> Allowed {
        self.space.allowed(prefix)
    }

    fn key(&self, program: &[u8]) -> Key {
        ProgramSpace::key(self.space, program)
    }

    fn parts(&self, program: &[u8]) -> Vec<u64> {
        ProgramSpace::parts(self.space, program)
    }

    fn admits(&self, program: &[u8]) -> bool {
        let unlimited = self.limits.parameters.is_none() && self.limits.multiply_adds.is_none();
        let graph = || self.space.graph(program);
        unlimited || graph().is_ok_and(|graph| self.limits.admit(Cost::of(&graph)))
    }
}

/// The places of the points that no other point is better than: a point is better than another if
/// its value is not smaller, none of its costs is larger, and its value is larger or a cost is smaller. Latencies
/// are compared where both were measured. The largest value comes first.
pub fn pareto_front(points: &[(f64, Cost)]) -> Vec<usize> {
    let better = |(value, cost): &(f64, Cost), (other_value, other): &(f64, Cost)| {
        let comparisons = [
            other_value.partial_cmp(value),
            Some(cost.parameters.cmp(&other.parameters)),
            Some(cost.multiply_adds.cmp(&other.multiply_adds)),
            cost.latency
                .zip(other.latency)
                .map_or(Some(Ordering::Equal), |(mine, theirs)| {
                    mine.partial_cmp(&theirs)
                }),
        ];
        comparisons.iter().all(|it| it.is_some_and(Ordering::is_le))
            && comparisons.contains(&Some(Ordering::Less))
    };
    let mut front: Vec<usize> = (0..points.len())
        .filter(|&place| !points.iter().any(|point| better(point, &points[place])))
        .collect();
    front.sort_by(|&a, &b| points[b].0.total_cmp(&points[a].0));
    front
}

//! What is recorded of a candidate.

use serde::{Deserialize, Serialize};

use super::super::objective::{Cost, Measurement, Objective};
use super::super::zero_cost::Scores as ZeroCostScores;
use super::halving::Rung;
use crate::train::{Part, Scores, TrainError, Trainer, test, validation};

/// What is known of a candidate whatever becomes of it: also the record of one that failed has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Trainable parameters.
    pub parameters: u64,
    /// Multiply-adds of the forward pass of one example.
    pub multiply_adds: u64,
    /// Milliseconds that the forward pass of one example takes here, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<f64>,
    /// Its scores at initialisation, as far as they were asked for.
    #[serde(flatten)]
    pub scores: ZeroCostScores,
    /// The rungs of successive halving that its training reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rungs: Vec<Rung>,
}

impl Facts {
    /// What a net costs, with nothing else known.
    pub(super) fn of(cost: Cost) -> Self {
        Self {
            parameters: cost.parameters,
            multiply_adds: cost.multiply_adds,
            latency: cost.latency,
            scores: ZeroCostScores::default(),
            rungs: Vec::new(),
        }
    }

    /// What the candidate costs.
    pub fn cost(&self) -> Cost {
        Cost {
            parameters: self.parameters,
            multiply_adds: self.multiply_adds,
            latency: self.latency,
        }
    }
}

/// What was measured of a network after its training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The scores of the validation part.
    #[serde(flatten, with = "validation")]
    pub validation: Scores,
    /// The scores of the test part. Never used to choose.
    #[serde(flatten, with = "test")]
    pub test: Scores,
    /// The share of the validation part that it classifies right under the attack of the objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_robust_accuracy: Option<f64>,
    /// The same of the test part. Never used to choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_robust_accuracy: Option<f64>,
    /// The epoch whose network this is, counted from 1: the [best](crate::train::EpochRecord::best) one, or the last one
    /// of a training that was stopped.
    pub best_epoch: usize,
}

impl Measured {
    /// Measures the network of a trainer as it is, after this epoch.
    pub(super) fn of(
        trainer: &Trainer<'_>,
        objective: &Objective,
        best_epoch: usize,
    ) -> Result<Self, TrainError> {
        let robust = |part| -> Result<Option<f64>, TrainError> {
            let attack = objective.attack_of_measurement();
            let measured = attack.map(|attack| trainer.evaluate_under(&attack, part));
            Ok(measured.transpose()?.and_then(|it| it.scores().accuracy))
        };
        Ok(Self {
            validation: trainer.evaluate(Part::Validation)?.scores(),
            test: trainer.evaluate(Part::Test)?.scores(),
            validation_robust_accuracy: robust(Part::Validation)?,
            test_robust_accuracy: robust(Part::Test)?,
            best_epoch,
        })
    }

    /// What the objective asks for; nothing where it was not measured.
    pub fn measurement(&self, measurement: Measurement) -> Option<f64> {
        match measurement {
            Measurement::Fgsm | Measurement::Pgd => self.validation_robust_accuracy,
            _ => score(&self.validation, measurement),
        }
    }

    /// The means over several trainings, with the epoch of the last.
    fn mean(trainings: &[Self], last: &Self) -> Self {
        let scores = |of: fn(&Self) -> Scores| {
            let scores: Vec<Scores> = trainings.iter().map(of).collect();
            Scores::mean(&scores)
        };
        let maybe = |number: fn(&Self) -> Option<f64>| {
            number(last).map(|_| mean(trainings.iter().filter_map(number)))
        };
        Self {
            validation: scores(|it| it.validation),
            test: scores(|it| it.test),
            validation_robust_accuracy: maybe(|it| it.validation_robust_accuracy),
            test_robust_accuracy: maybe(|it| it.test_robust_accuracy),
            best_epoch: last.best_epoch,
        }
    }
}

/// The score that a measurement without an attack is; one under attack is the accuracy of what was attacked.
pub(super) fn score(scores: &Scores, measurement: Measurement) -> Option<f64> {
    match measurement {
        Measurement::Accuracy | Measurement::Fgsm | Measurement::Pgd => scores.accuracy,
        Measurement::MacroF1 => scores.macro_f1,
        Measurement::Mae => scores.mae,
        Measurement::Rmse => scores.rmse,
        Measurement::R2 => scores.r2,
    }
}

/// What a trained candidate is worth, with what else was measured: the details of its record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainedCandidate {
    /// What is known of every candidate.
    #[serde(flatten)]
    pub facts: Facts,
    /// What was measured of its network: the means, where it was trained several times.
    #[serde(flatten)]
    pub measured: Measured,
    /// The value of each training, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<f64>,
    /// Their standard deviation, as estimated from a sample: over one less than their number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_deviation: Option<f64>,
    /// The epoch after which its training was stopped, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at_epoch: Option<usize>,
}

impl TrainedCandidate {
    /// The record of these trainings, of which `last` is the last, and the value of the candidate.
    pub(super) fn of(
        facts: Facts,
        objective: &Objective,
        trainings: &[Measured],
        last: &Measured,
        stopped_at_epoch: Option<usize>,
    ) -> (Self, f64) {
        let value_of = |measured: &Measured| {
            let measured = objective
                .measurement
                .and_then(|it| measured.measurement(it));
            objective.value(measured.unwrap_or_default(), facts.cost())
        };
        let mut values: Vec<f64> = trainings.iter().map(value_of).collect();
        let value = mean(values.iter().copied());
        let several = values.len() > 1;
        let standard_deviation = several.then(|| standard_deviation(&values));
        if !several {
            values.clear();
        }
        let details = Self {
            facts,
            measured: Measured::mean(trainings, last),
            values,
            standard_deviation,
            stopped_at_epoch,
        };
        (details, value)
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0, 0.0), |(count, sum), value| (count + 1, sum + value));
    sum / f64::from(count.max(1))
}

fn standard_deviation(values: &[f64]) -> f64 {
    let mean = mean(values.iter().copied());
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

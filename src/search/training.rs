//! Training as what gives SNAP programs their value.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use candle_core::Device;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::evaluation::{Candidate, Evaluation, Outcome};
use super::objective::{Cost, Measurement, Objective};
use crate::backend::Network;
use crate::data::Dataset;
use crate::diagnostic::Source;
use crate::files;
use crate::sketch::Space;
use crate::train::{Observer, Part, Trainer, TrainingConfiguration};

/// What a trained candidate is worth, with what else was measured: the details of its record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainedCandidate {
    /// The share of the validation part that the best epoch classifies right.
    pub validation_accuracy: f64,
    /// The mean F1 score of the classes there.
    pub validation_macro_f1: f64,
    /// The share of the test part that it classifies right. Never used to choose.
    pub test_accuracy: f64,
    /// Trainable parameters.
    pub parameters: u64,
    /// Multiply-adds of the forward pass of one example.
    pub multiply_adds: u64,
    /// The epoch with the best validation accuracy, counted from 1.
    pub best_epoch: usize,
}

/// Trains every candidate from its seeded weights and takes what the objective says of the best
/// epoch for its value. Nothing is shared between candidates.
pub struct TrainingEvaluation<'a> {
    space: &'a Space,
    source: &'a Source,
    dataset: &'a dyn Dataset,
    configuration: TrainingConfiguration,
    folder: Option<PathBuf>,
    best: Option<f64>,
    objective: Objective,
    observer: Box<dyn Observer + 'a>,
}

impl<'a> TrainingEvaluation<'a> {
    /// Trains on `dataset` as `configuration` says; `source` is the text of the sketch.
    pub fn new(
        space: &'a Space,
        source: &'a Source,
        dataset: &'a dyn Dataset,
        configuration: TrainingConfiguration,
    ) -> Self {
        Self {
            space,
            source,
            dataset,
            configuration,
            folder: None,
            best: None,
            objective: Objective::default(),
            observer: Box::new(()),
        }
    }

    /// Chooses what a trained candidate is worth; its validation accuracy if nothing is chosen.
    #[must_use]
    pub fn valued_by(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// Keeps the best candidate's program and training run in `folder`; `best` is the value of the
    /// best one so far, if the search goes on from before.
    #[must_use]
    pub fn keeping_best_in(mut self, folder: impl Into<PathBuf>, best: Option<f64>) -> Self {
        self.folder = Some(folder.into());
        self.best = best;
        self
    }

    /// Tells `observer` how the training of each candidate goes.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Observer + 'a) -> Self {
        self.observer = Box::new(observer);
        self
    }

    fn train(
        &mut self,
        candidate: &Candidate,
        stop: &AtomicBool,
    ) -> Result<Outcome, CandidateError> {
        let graph = self
            .space
            .graph(&candidate.program)
            .map_err(|diagnostic| CandidateError(diagnostic.message))?;
        let cost = Cost::of(&graph);
        let network = Network::compile(&graph, &Device::Cpu, self.configuration.seed)?;
        let trainer = Trainer::new(&network, self.dataset, self.configuration.clone())?
            .with_program(candidate.key.to_string());
        let outcome = trainer.run(stop, &mut *self.observer)?;
        let Some(summary) = outcome.finished() else {
            return Ok(Outcome::Interrupted);
        };
        let details = TrainedCandidate {
            validation_accuracy: summary.validation_accuracy,
            validation_macro_f1: trainer.evaluate(Part::Validation)?.macro_f1(),
            test_accuracy: summary.test_accuracy,
            parameters: cost.parameters,
            multiply_adds: cost.multiply_adds,
            best_epoch: summary.best_epoch,
        };
        let measured = match self.objective.measurement {
            Measurement::Accuracy => details.validation_accuracy,
            Measurement::MacroF1 => details.validation_macro_f1,
        };
        let value = self.objective.value(measured, cost);
        if self.best.is_none_or(|best| value > best) {
            self.keep(&candidate.program, &network)?;
            self.best = Some(value);
        }
        Ok(Outcome::Measured {
            value,
            details: serde_json::to_value(details).unwrap_or(Value::Null),
        })
    }

    /// Writes the program and its weights, so that the best one is there whatever happens next.
    fn keep(&self, program: &[u8], network: &Network) -> Result<(), CandidateError> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let failed = |error: std::io::Error| {
            CandidateError(format!("the best program can't be kept: {error}"))
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        network
            .save_weights(&folder.join("best.safetensors"))
            .map_err(|error| CandidateError(format!("the best program can't be kept: {error}")))?;
        let text = self.space.fill(self.source, program);
        files::write(&folder.join("best.snap"), text.as_bytes()).map_err(failed)
    }
}

/// Why a candidate has no value, in words for its record.
struct CandidateError(String);

impl<E: std::error::Error> From<E> for CandidateError {
    fn from(error: E) -> Self {
        CandidateError(error.to_string())
    }
}

impl Evaluation for TrainingEvaluation<'_> {
    fn evaluate(&mut self, candidate: &Candidate, stop: &AtomicBool) -> Outcome {
        self.train(candidate, stop)
            .unwrap_or_else(|CandidateError(reason)| Outcome::Failed { reason })
    }

    fn settings(&self) -> Value {
        json!({
            "data": {
                "name": self.dataset.name(),
                "examples": self.dataset.len(),
                "input_shape": self.dataset.input_shape(),
            },
            "training": self.configuration,
            "objective": self.objective,
        })
    }
}

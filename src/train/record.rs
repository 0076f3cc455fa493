use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Scores;

// What is flattened into a record is told apart by where it was measured, as in `test_accuracy`.
serde_with::with_prefix!(pub(crate) train "train_");
serde_with::with_prefix!(pub(crate) validation "validation_");
serde_with::with_prefix!(pub(crate) test "test_");

/// What was measured in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// The mean loss of the training examples when each was seen, with label smoothing.
    pub train_loss: f64,
    /// How well they did when seen: the [first](Scores::first) score alone.
    #[serde(flatten, with = "train")]
    pub train: Scores,
    /// The mean loss of the validation part after the epoch, without smoothing: cross entropy in nats, or the squared error
    /// of normalised quantities.
    pub validation_loss: f64,
    /// The scores of the validation part after the epoch.
    #[serde(flatten, with = "validation")]
    pub validation: Scores,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// The seconds that the run took so far, breaks not counted.
    pub seconds: f64,
}

impl EpochRecord {
    /// Whether this epoch's network is to be preferred: a higher validation accuracy, or the same
    /// and a lower validation loss. Of a regression, the loss alone decides: it weighs quantities alike whatever their
    /// units are.
    pub fn is_better_than(&self, other: &Self) -> bool {
        let key = |record: &Self| (record.validation.accuracy, -record.validation_loss);
        key(self) > key(other)
    }

    /// The best of some epochs, the first one when several are.
    pub fn best(records: &[Self]) -> Option<&Self> {
        let (first, rest) = records.split_first()?;
        Some(rest.iter().fold(first, |best, record| {
            if record.is_better_than(best) {
                record
            } else {
                best
            }
        }))
    }
}

/// What a complete run gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The [best](EpochRecord::best) epoch, counted from 1; the model has its weights.
    pub best_epoch: usize,
    /// The scores of that epoch on the validation part.
    #[serde(flatten, with = "validation")]
    pub validation: Scores,
    /// The validation loss of that epoch.
    pub validation_loss: f64,
    /// The scores of its network on the test part.
    #[serde(flatten, with = "test")]
    pub test: Scores,
    /// The mean loss of the test part: cross entropy in nats, or the squared error of normalised quantities.
    pub test_loss: f64,
    /// The mean absolute error of each quantity on the test part, in its units. Empty where classes are learnt.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub test_errors: BTreeMap<String, f64>,
    /// The number of trainable values.
    pub parameters: usize,
    /// The steps of the run.
    pub steps: u64,
    /// The seconds of the run, breaks not counted.
    pub seconds: f64,
    /// Every epoch.
    pub epochs: Vec<EpochRecord>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// All epochs are done.
    Finished(Box<Summary>),
    /// The run was asked to stop.
    Interrupted {
        /// The epochs that are complete.
        epochs: Vec<EpochRecord>,
        /// The steps done.
        step: u64,
    },
}

impl Outcome {
    /// What a complete run gave; nothing for one that was stopped.
    pub fn finished(self) -> Option<Summary> {
        match self {
            Self::Finished(summary) => Some(*summary),
            Self::Interrupted { .. } => None,
        }
    }
}

use serde::{Deserialize, Serialize};

/// What was measured in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// The mean loss of the training examples when each was seen, with label smoothing.
    pub train_loss: f64,
    /// The share of them that was classified right when seen.
    pub train_accuracy: f64,
    /// The mean cross entropy of the validation part after the epoch, in nats, without smoothing.
    pub validation_loss: f64,
    /// The share of the validation part that is classified right after the epoch.
    pub validation_accuracy: f64,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// The seconds that the run took so far, breaks not counted.
    pub seconds: f64,
}

impl EpochRecord {
    /// Whether this epoch's network is to be preferred: a higher validation accuracy, or the same
    /// and a lower validation loss.
    pub fn is_better_than(&self, other: &Self) -> bool {
        let key = |record: &Self| (record.validation_accuracy, -record.validation_loss);
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
    /// The epoch with the best validation accuracy, counted from 1; the model has its weights.
    pub best_epoch: usize,
    /// The validation accuracy of that epoch.
    pub validation_accuracy: f64,
    /// The validation loss of that epoch.
    pub validation_loss: f64,
    /// The share of the test part that its network classifies right.
    pub test_accuracy: f64,
    /// The mean cross entropy of the test part, in nats.
    pub test_loss: f64,
    /// The mean F1 score of the classes on the test part.
    pub test_macro_f1: f64,
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
    Finished(Summary),
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
            Self::Finished(summary) => Some(summary),
            Self::Interrupted { .. } => None,
        }
    }
}

use thiserror::Error;

use super::{CheckpointError, ConfigurationError, WeightsError};
use crate::data::DataError;

/// Why a network could not be trained.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The configuration makes no training.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),

    /// The data is not usable.
    #[error(transparent)]
    Data(#[from] DataError),

    /// Files can't be read or written, or do not belong to this run.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),

    /// Weights do not fit the model.
    #[error(transparent)]
    Weights(#[from] WeightsError),

    /// The model has no parameters.
    #[error(
        "the network has nothing to train: no layer has parameters; add a layer such as `dense` or `conv`"
    )]
    NothingToTrain,

    /// The output of the model is not one value for each class or quantity.
    #[error(
        "the network gives a tensor of shape {found:?} for a batch of {batch}, but the data has {wanted} {noun}, \
         so [{batch}, {wanted}] is needed; end the network with `gap dense({wanted})`"
    )]
    OutputShape {
        /// The shape of the output, with the batch axis.
        found: Vec<usize>,
        /// The examples of the batch.
        batch: usize,
        /// The number of classes or quantities.
        wanted: usize,
        /// `classes` or `quantities`.
        noun: &'static str,
    },

    /// A loss or gradient became infinite or not a number.
    #[error(
        "training diverged: in step {step} (epoch {epoch}) the {quantity} is {value}; \
         try a lower learning rate, or a longer warm-up"
    )]
    Diverged {
        /// The step that was not done, counted from 1 over the whole run; for the validation loss,
        /// the last step before it.
        step: u64,
        /// The epoch, counted from 1.
        epoch: usize,
        /// `training loss`, `gradient norm` or `validation loss`.
        quantity: &'static str,
        /// Infinite or not a number.
        value: f64,
    },

    /// A tensor operation failed.
    #[error("a tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
}

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use safetensors::tensor::View;
use safetensors::{SafeTensorError, SafeTensors};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use xxhash_rust::xxh3::Xxh3Default;

use super::scores::SCORES;
use super::{EpochRecord, Scores, Weights, WeightsError};
use crate::data::Normalization;
use crate::files;

/// What can be wrong with the files of a run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A new run would overwrite another one.
    #[error("`{path}` already holds a run; resume it, or choose another folder")]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// There is nothing to resume.
    #[error(
        "`{path}` holds no run (there is no `configuration.json` in it); check the path, or start a new run"
    )]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refused to read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The operating system refused to write.
    #[error("cannot write `{path}`: {source}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file that was changed after it was written.
    #[error(
        "`{path}` is damaged: {reason}; restore it from a copy, or start a new run in another folder"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        reason: String,
    },
    /// The weights of the best epoch are not there.
    #[error(
        "there are no weights in `{path}`; they are written at the end of the first epoch: \
         train longer, or restore the file from a copy"
    )]
    NoBest {
        /// The file.
        path: PathBuf,
    },
    /// The run in the folder is another one.
    #[error(
        "the run in `{path}` cannot go on like this, because it is not the same: {}; \
         give the values it was started with, or start a new run in another folder",
        differences.join(", ")
    )]
    Differs {
        /// The folder.
        path: PathBuf,
        /// What differs, one difference each.
        differences: Vec<String>,
    },
    /// Weights of another network.
    #[error("`{path}` does not fit: {source}")]
    Weights {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: WeightsError,
    },
    /// A tensor operation failed.
    #[error("a tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
}

/// Where a run is. Everything that decides how it goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Progress {
    /// The epochs that are complete.
    pub epoch: usize,
    /// The batches of the next epoch that are done.
    pub batch: usize,
    /// The steps done.
    pub step: u64,
    /// The sum of the losses of the examples of those batches.
    pub loss_sum: f64,
    /// The sum over them of what the first score is the mean of.
    pub score_sum: f64,
    /// How many they are.
    pub seen: u64,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// The seconds that the run took.
    pub seconds: f64,
    /// The complete epochs.
    pub history: Vec<EpochRecord>,
}

const PROGRESS_FIELDS: usize = 8;
const RECORD_FIELDS: usize = 5 + 2 * SCORES;

impl Progress {
    /// As 64-bit floating point numbers, which JSON would not give back to the last bit.
    fn to_tensors(&self) -> candle_core::Result<[(String, Tensor); 2]> {
        let values: [f64; PROGRESS_FIELDS] = [
            self.epoch as f64,
            self.batch as f64,
            self.step as f64,
            self.loss_sum,
            self.score_sum,
            self.seen as f64,
            self.learning_rate,
            self.seconds,
        ];
        let history: Vec<f64> = self.history.iter().flat_map(record_values).collect();
        let rows = (self.history.len(), RECORD_FIELDS);
        Ok([
            (PROGRESS.into(), Tensor::new(&values, &Device::Cpu)?),
            (
                HISTORY.into(),
                Tensor::from_vec(history, rows, &Device::Cpu)?,
            ),
        ])
    }

    fn from_values(values: &[f64], history: &[f64]) -> Option<Self> {
        let &[
            epoch,
            batch,
            step,
            loss_sum,
            score_sum,
            seen,
            learning_rate,
            seconds,
        ] = values
        else {
            return None;
        };
        let history: Vec<EpochRecord> = history
            .chunks(RECORD_FIELDS)
            .map(record_from_values)
            .collect::<Option<_>>()?;
        (history.len() == epoch as usize).then_some(Self {
            epoch: epoch as usize,
            batch: batch as usize,
            step: step as u64,
            loss_sum,
            score_sum,
            seen: seen as u64,
            learning_rate,
            seconds,
            history,
        })
    }
}

fn record_values(record: &EpochRecord) -> Vec<f64> {
    let mut values = vec![
        record.epoch as f64,
        record.train_loss,
        record.validation_loss,
        record.learning_rate,
        record.seconds,
    ];
    // What there is not is not a number.
    let scores = [record.train, record.validation];
    let scores = scores.iter().flat_map(Scores::all);
    values.extend(scores.map(|score| score.unwrap_or(f64::NAN)));
    values
}

fn record_from_values(values: &[f64]) -> Option<EpochRecord> {
    let (numbers, scores) = values.split_at_checked(RECORD_FIELDS - 2 * SCORES)?;
    let &[epoch, train_loss, validation_loss, learning_rate, seconds] = numbers else {
        return None;
    };
    let (train, validation) = scores.split_at_checked(SCORES)?;
    let scores = |values: &[f64]| -> Option<Scores> {
        let values = <[f64; SCORES]>::try_from(values).ok()?;
        Some(Scores::from_all(
            values.map(|it| Some(it).filter(|it| !it.is_nan())),
        ))
    };
    Some(EpochRecord {
        epoch: epoch as usize,
        train_loss,
        train: scores(train)?,
        validation_loss,
        validation: scores(validation)?,
        learning_rate,
        seconds,
    })
}

const WEIGHTS: &str = "weights/";
const OPTIMIZER: &str = "optimizer/";
const PROGRESS: &str = "progress";
const HISTORY: &str = "history";

/// Everything that a run needs to go on as if it had not been broken off.
#[derive(Clone, Debug)]
pub(super) struct Checkpoint {
    pub weights: Weights,
    pub optimizer: Vec<(String, Tensor)>,
    pub progress: Progress,
}

impl Checkpoint {
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let named = |prefix: &str, (name, tensor): &(String, Tensor)| {
            (format!("{prefix}{name}"), tensor.clone())
        };
        let weights = self.weights.tensors().iter().map(|it| named(WEIGHTS, it));
        let optimizer = self.optimizer.iter().map(|it| named(OPTIMIZER, it));
        let mut tensors: BTreeMap<String, Tensor> = weights.chain(optimizer).collect();
        tensors.extend(self.progress.to_tensors()?);
        write_tensors(path, tensors, None)
    }

    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let damaged = |reason: &str| CheckpointError::Damaged {
            path: path.into(),
            reason: reason.into(),
        };
        let (tensors, description) = read_tensors(path)?;
        if description.is_none() {
            return Err(damaged("it has no checksum"));
        }
        let mut weights = Vec::new();
        let mut optimizer = Vec::new();
        let mut progress = Vec::new();
        let mut history = Vec::new();
        for (name, tensor) in tensors {
            if let Some(name) = name.strip_prefix(WEIGHTS) {
                weights.push((name.into(), tensor));
            } else if let Some(name) = name.strip_prefix(OPTIMIZER) {
                optimizer.push((name.into(), tensor));
            } else if name == PROGRESS {
                progress = tensor.flatten_all()?.to_vec1()?;
            } else if name == HISTORY {
                history = tensor.flatten_all()?.to_vec1()?;
            }
        }
        let Some(progress) = Progress::from_values(&progress, &history) else {
            return Err(damaged("it does not say where the run is"));
        };
        Ok(Self {
            weights: Weights::new(weights),
            optimizer,
            progress,
        })
    }
}

/// What a file of tensors says about itself. It is one value in the file's metadata, since several
/// would be written in a random order.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Description {
    /// Of the names, types, shapes and values, to tell a damaged file.
    checksum: String,
    /// How the inputs were normalised for these weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalization: Option<Normalization>,
}

const DESCRIPTION: &str = "snapc";

/// Writes tensors in the safetensors format.
pub(super) fn write_tensors(
    path: &Path,
    tensors: BTreeMap<String, Tensor>,
    normalization: Option<Normalization>,
) -> Result<(), CheckpointError> {
    let write_error = |source| CheckpointError::Write {
        path: path.into(),
        source,
    };
    let description = Description {
        checksum: checksum(&tensors),
        normalization,
    };
    let description =
        serde_json::to_string(&description).map_err(|error| write_error(error.into()))?;
    let metadata = HashMap::from([(DESCRIPTION.to_string(), description)]);
    // One tensor after the other: all of them at once would double what they take.
    let fill = |beside: &Path| {
        let written = safetensors::serialize_to_file(tensors, Some(metadata), beside);
        written.map_err(|error| match error {
            SafeTensorError::IoError(error) => error,
            error => io::Error::other(error),
        })
    };
    files::write_by(path, fill).map_err(write_error)
}

/// Reads a safetensors file, and what it says about itself where it was written by
/// [`write_tensors`].
pub(super) fn read_tensors(
    path: &Path,
) -> Result<(BTreeMap<String, Tensor>, Option<Description>), CheckpointError> {
    let bytes = read_file(path)?;
    let damaged = |reason: String| CheckpointError::Damaged {
        path: path.into(),
        reason,
    };
    let (_, metadata) =
        SafeTensors::read_metadata(&bytes).map_err(|error| damaged(error.to_string()))?;
    let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
        .map_err(|error| damaged(error.to_string()))?;
    let tensors: BTreeMap<String, Tensor> = tensors.into_iter().collect();
    let description = metadata
        .metadata()
        .as_ref()
        .and_then(|it| it.get(DESCRIPTION));
    let Some(description) = description else {
        return Ok((tensors, None));
    };
    let description: Description =
        serde_json::from_str(description).map_err(|error| damaged(error.to_string()))?;
    if description.checksum != checksum(&tensors) {
        return Err(damaged("its checksum does not match its content".into()));
    }
    Ok((tensors, Some(description)))
}

fn checksum(tensors: &BTreeMap<String, Tensor>) -> String {
    let mut hasher = Xxh3Default::new();
    for (name, tensor) in tensors {
        hasher.update(name.as_bytes());
        hasher.update(&[0]);
        hasher.update(format!("{:?} {:?}", tensor.dtype(), tensor.dims()).as_bytes());
        hasher.update(&tensor.data());
    }
    format!("{:032x}", hasher.digest128())
}

pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    fs::read(path).map_err(|source| CheckpointError::Read {
        path: path.into(),
        source,
    })
}

/// Writes a file so that at every moment, also after a crash, there is the old content or the new
/// one under its name.
pub(super) fn write_file(path: &Path, content: &[u8]) -> Result<(), CheckpointError> {
    files::write(path, content).map_err(|source| CheckpointError::Write {
        path: path.into(),
        source,
    })
}

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::checkpoint::{Checkpoint, Progress, read_file, read_tensors, write_file};
use super::{CheckpointError, EpochRecord, Scores, Summary, TrainingConfiguration, Weights};
use crate::backend::{Model, Precision};
use crate::data::{Normalization, Task};

/// The folder of a run:
///
/// - `configuration.json`: what was trained on what, and how,
/// - `metrics.csv`: a line for each epoch,
/// - `last.safetensors`: everything needed to go on,
/// - `best.safetensors`: the parameters and state of the best epoch, under the names of the model,
/// - `result.json`: the [`Summary`] of a complete run.
///
/// Every file is replaced as a whole, so a run that is killed leaves a folder it can go on from.
#[derive(Clone, Debug)]
pub struct RunDirectory {
    path: PathBuf,
}

/// What makes two runs the same run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunDescription {
    /// Names the program of the network.
    pub program: String,
    /// The data.
    pub data: DataDescription,
    /// How exactly the network computes; runs of before this was noted did so in full.
    #[serde(default)]
    pub precision: Precision,
    /// How it is trained.
    pub training: TrainingConfiguration,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DataDescription {
    pub name: String,
    pub examples: usize,
    pub input_shape: Vec<usize>,
    #[serde(flatten)]
    pub task: Task,
    /// Of all pixels and targets.
    pub checksum: String,
}

impl RunDirectory {
    /// Makes the folder for a new run. A run that was broken off or diverged before its first
    /// checkpoint is forgotten.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Exists`] when the folder holds a run with a checkpoint, and when it can't
    /// be made.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, CheckpointError> {
        let directory = Self { path: path.into() };
        if directory.last().exists() {
            return Err(CheckpointError::Exists {
                path: directory.path,
            });
        }
        let configuration = directory.configuration();
        let make = || {
            fs::create_dir_all(&directory.path)?;
            if configuration.exists() {
                fs::remove_file(&configuration)?;
            }
            Ok(())
        };
        make().map_err(|source| CheckpointError::Write {
            path: directory.path.clone(),
            source,
        })?;
        Ok(directory)
    }

    /// The folder of a run that is to go on.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::NoRun`] when the folder holds no run.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, CheckpointError> {
        let directory = Self { path: path.into() };
        if directory.configuration().exists() {
            Ok(directory)
        } else {
            Err(CheckpointError::NoRun {
                path: directory.path,
            })
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of `configuration.json`.
    pub fn configuration(&self) -> PathBuf {
        self.path.join("configuration.json")
    }

    /// The path of `metrics.csv`.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.csv")
    }

    /// The path of `last.safetensors`.
    pub fn last(&self) -> PathBuf {
        self.path.join("last.safetensors")
    }

    /// The path of `best.safetensors`.
    pub fn best(&self) -> PathBuf {
        self.path.join("best.safetensors")
    }

    /// The path of `result.json`.
    pub fn result(&self) -> PathBuf {
        self.path.join("result.json")
    }

    /// How the run in this folder is trained.
    ///
    /// # Errors
    ///
    /// When the file can't be read or is not as it was written.
    pub fn training_configuration(&self) -> Result<TrainingConfiguration, CheckpointError> {
        let description: RunDescription = self.read_json(&self.configuration())?;
        Ok(description.training)
    }

    /// What the run in this folder learns.
    ///
    /// # Errors
    ///
    /// When the file can't be read or is not as it was written.
    pub fn task(&self) -> Result<Task, CheckpointError> {
        let description: RunDescription = self.read_json(&self.configuration())?;
        Ok(description.data.task)
    }

    /// What people call the data that the run in this folder learns from: `digits`, `instruments`, or the last part of a path.
    ///
    /// # Errors
    ///
    /// When the file can't be read or is not as it was written.
    pub fn data(&self) -> Result<String, CheckpointError> {
        let description: RunDescription = self.read_json(&self.configuration())?;
        Ok(description.data.name)
    }

    /// What the complete run in this folder gave; nothing when it is not complete.
    ///
    /// # Errors
    ///
    /// When the file can't be read or is not as it was written.
    pub fn summary(&self) -> Result<Option<Summary>, CheckpointError> {
        let path = self.result();
        if path.exists() {
            self.read_json(&path).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Gives a model the weights of the best epoch, and returns how inputs are normalised for it.
    ///
    /// # Errors
    ///
    /// When the file can't be read, is damaged, or has weights of another network.
    pub fn load_best(&self, model: &dyn Model) -> Result<Option<Normalization>, CheckpointError> {
        let (weights, normalization) = self.read_best(model)?;
        weights.restore(model)?;
        Ok(normalization)
    }

    pub(super) fn read_best(
        &self,
        model: &dyn Model,
    ) -> Result<(Weights, Option<Normalization>), CheckpointError> {
        let path = self.best();
        if !path.exists() {
            return Err(CheckpointError::NoBest { path });
        }
        let (tensors, description) = read_tensors(&path)?;
        let weights = Weights::new(tensors.into_iter().collect());
        self.check_weights(&weights, model, path)?;
        Ok((weights, description.and_then(|it| it.normalization)))
    }

    pub(super) fn write_best(
        &self,
        weights: &Weights,
        normalization: &Normalization,
    ) -> Result<(), CheckpointError> {
        weights.save(&self.best(), normalization)
    }

    /// The checkpoint of the run; nothing when it was broken off before the first one.
    pub(super) fn read_last(
        &self,
        model: &dyn Model,
    ) -> Result<Option<Checkpoint>, CheckpointError> {
        if !self.last().exists() {
            return Ok(None);
        }
        let checkpoint = Checkpoint::read(&self.last())?;
        self.check_weights(&checkpoint.weights, model, self.last())?;
        Ok(Some(checkpoint))
    }

    fn check_weights(
        &self,
        weights: &Weights,
        model: &dyn Model,
        path: PathBuf,
    ) -> Result<(), CheckpointError> {
        weights
            .check(model)
            .map_err(|source| CheckpointError::Weights { path, source })
    }

    /// Writes the metrics before the checkpoint: those that a killed run wrote too far are replaced
    /// when it goes on.
    pub(super) fn write_last(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        self.write_metrics(&checkpoint.progress)?;
        checkpoint.write(&self.last())
    }

    pub(super) fn write_metrics(&self, progress: &Progress) -> Result<(), CheckpointError> {
        write_file(&self.metrics(), metrics(&progress.history).as_bytes())
    }

    pub(super) fn write_result(&self, summary: &Summary) -> Result<(), CheckpointError> {
        self.write_json(&self.result(), summary)
    }

    /// Notes what the run is, or checks that it is the one noted.
    pub(super) fn claim(&self, description: &RunDescription) -> Result<(), CheckpointError> {
        let path = self.configuration();
        if !path.exists() {
            return self.write_json(&path, description);
        }
        let noted: RunDescription = self.read_json(&path)?;
        let value = |description| parse_json::<Value>(&path, &to_json(&path, description)?);
        let (noted, asked) = (value(&noted)?, value(description)?);
        let mut differences = Vec::new();
        find_differences("", &noted, &asked, &mut differences);
        if differences.is_empty() {
            return Ok(());
        }
        Err(CheckpointError::Differs {
            path: self.path.clone(),
            differences,
        })
    }

    fn read_json<T: for<'de> Deserialize<'de>>(&self, path: &Path) -> Result<T, CheckpointError> {
        parse_json(path, &read_file(path)?)
    }

    fn write_json<T: Serialize>(&self, path: &Path, value: &T) -> Result<(), CheckpointError> {
        write_file(path, &to_json(path, value)?)
    }
}

fn to_json<T: Serialize>(path: &Path, value: &T) -> Result<Vec<u8>, CheckpointError> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|error| CheckpointError::Write {
        path: path.into(),
        source: error.into(),
    })?;
    json.push(b'\n');
    Ok(json)
}

fn parse_json<T: for<'de> Deserialize<'de>>(
    path: &Path,
    json: &[u8],
) -> Result<T, CheckpointError> {
    serde_json::from_slice(json).map_err(|error| CheckpointError::Damaged {
        path: path.into(),
        reason: error.to_string(),
    })
}

/// A line for each epoch, with the score that people are told first.
fn metrics(history: &[EpochRecord]) -> String {
    let first = history.first().and_then(|it| it.validation.first());
    let name = first.map_or("accuracy", |(name, _)| name);
    let mut table = format!(
        "epoch,train_loss,train_{name},validation_loss,validation_{name},learning_rate,seconds\n"
    );
    let score = |scores: Scores| scores.first().map_or(f64::NAN, |(_, score)| score);
    for record in history {
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "{},{},{},{},{},{},{:.3}",
            record.epoch,
            record.train_loss,
            score(record.train),
            record.validation_loss,
            score(record.validation),
            record.learning_rate,
            record.seconds
        );
    }
    table
}

/// Lists the fields that differ, with their paths and both values. Where the `kind` differs, the
/// fields that come with it are not compared.
fn find_differences(path: &str, noted: &Value, asked: &Value, differences: &mut Vec<String>) {
    if let (Value::Object(noted), Value::Object(asked)) = (noted, asked) {
        if noted.get("kind") != asked.get("kind") {
            let kind =
                |fields: &Map<String, Value>| fields.get("kind").cloned().unwrap_or_default();
            note_difference(path, &kind(noted), &kind(asked), differences);
            return;
        }
        let only_asked = asked.keys().filter(|key| !noted.contains_key(*key));
        for key in noted.keys().chain(only_asked) {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let value = |fields: &Map<String, Value>| fields.get(key).cloned().unwrap_or_default();
            find_differences(&path, &value(noted), &value(asked), differences);
        }
    } else if noted != asked {
        note_difference(path, noted, asked, differences);
    }
}

fn note_difference(path: &str, noted: &Value, asked: &Value, differences: &mut Vec<String>) {
    differences.push(format!("`{path}` was {noted} and is now {asked}"));
}

use candle_core::Tensor;

use super::loss::loss;
use super::residuals::mean;
use super::{Attack, Confusion, Residuals, Scores, TrainError};
use crate::backend::{Mode, Model};
use crate::data::{Batch, BatchTargets, Batches, Normalization, Task};

/// How well a model does on some examples.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The mean cross entropy in nats, or the mean squared error of normalised quantities.
    pub loss: f64,
    /// What was predicted beside what is known.
    pub comparison: Comparison,
}

impl Evaluation {
    /// The scores of the task.
    pub fn scores(&self) -> Scores {
        self.comparison.scores()
    }
}

/// What was predicted of some examples beside what is known of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Comparison {
    /// Which classes were taken for which.
    Classes(Confusion),
    /// How far the quantities were off.
    Quantities(Residuals),
}

impl Comparison {
    /// No example yet.
    pub fn new(task: &Task) -> Self {
        match task {
            Task::Classes(names) => Self::Classes(Confusion::new(names.len())),
            Task::Quantities(names) => Self::Quantities(Residuals::new(names.len())),
        }
    }

    /// Adds the examples of a batch, of which the model gave `outputs`: `[n, k]`, quantities as they were
    /// normalised.
    ///
    /// # Errors
    ///
    /// When the outputs can't be read.
    ///
    /// # Panics
    ///
    /// When the outputs do not fit the task.
    pub fn count(
        &mut self,
        outputs: &Tensor,
        batch: &Batch,
        normalization: &Normalization,
    ) -> candle_core::Result<()> {
        let rows = outputs.to_vec2::<f32>()?;
        match (self, &batch.targets) {
            (Self::Classes(confusion), BatchTargets::Classes { classes, .. }) => {
                for (label, row) in classes.iter().zip(rows) {
                    confusion.count(*label as usize, largest(&row));
                }
            }
            (Self::Quantities(residuals), BatchTargets::Quantities { values, .. }) => {
                count_residuals(residuals, rows, values, normalization);
            }
            _ => unreachable!("a batch is of the task of its data"),
        }
        Ok(())
    }

    /// The number of examples.
    pub fn total(&self) -> u64 {
        match self {
            Self::Classes(confusion) => confusion.total(),
            Self::Quantities(residuals) => residuals.total(),
        }
    }

    /// The scores of the task.
    pub fn scores(&self) -> Scores {
        match self {
            Self::Classes(confusion) => Scores {
                accuracy: Some(confusion.accuracy()),
                macro_f1: Some(confusion.macro_f1()),
                ..Scores::default()
            },
            Self::Quantities(residuals) => Scores {
                mae: Some(mean(residuals.mae().into_iter())),
                rmse: Some(mean(residuals.rmse().into_iter())),
                r2: Some(mean(residuals.r2().into_iter())),
                ..Scores::default()
            },
        }
    }
}

/// Adds the examples of a batch: what a model gave, as it was normalised, and the true values.
fn count_residuals(
    residuals: &mut Residuals,
    rows: Vec<Vec<f32>>,
    values: &[f32],
    normalization: &Normalization,
) {
    for (mut row, known) in rows
        .into_iter()
        .zip(values.chunks(residuals.quantities().max(1)))
    {
        if let Some(scaling) = &normalization.targets {
            let places = row.iter_mut().enumerate();
            places.for_each(|(place, it)| *it = scaling.restore(place, *it));
        }
        residuals.count(&row, known);
    }
}

/// The sum over the examples of a batch of what [`first`](Scores::first) is the mean of. Each step of training asks for
/// it, so there is no table of which classes were taken for which.
pub(super) fn score_sum(
    outputs: &Tensor,
    batch: &Batch,
    normalization: &Normalization,
) -> candle_core::Result<f64> {
    let rows = outputs.to_vec2::<f32>()?;
    Ok(match &batch.targets {
        BatchTargets::Classes { classes, .. } => {
            let pairs = classes.iter().zip(&rows);
            let right = pairs.filter(|(label, row)| **label as usize == largest(row));
            right.count() as f64
        }
        BatchTargets::Quantities { values, .. } => {
            let mut residuals = Residuals::new(outputs.dims()[1]);
            count_residuals(&mut residuals, rows, values, normalization);
            residuals.absolute()
        }
    })
}

/// Measures a model, in evaluation mode, on examples.
///
/// # Errors
///
/// When the model's output is not `[n, k]` for the `k` classes or quantities of the data, or a tensor operation
/// fails.
pub fn evaluate(model: &dyn Model, batches: &Batches<'_>) -> Result<Evaluation, TrainError> {
    evaluate_on(model, batches, |_, batch| Ok(batch.inputs.clone()))
}

/// Measures a model as [`evaluate`] does, on inputs that an attack has changed.
///
/// # Errors
///
/// As [`evaluate`].
pub fn evaluate_under(
    attack: &Attack,
    model: &dyn Model,
    batches: &Batches<'_>,
) -> Result<Evaluation, TrainError> {
    evaluate_on(model, batches, |number, batch| {
        attack.inputs(model, batch, batches.normalization(), number)
    })
}

/// Measures a model on what `inputs` makes of each batch, given with its number.
fn evaluate_on(
    model: &dyn Model,
    batches: &Batches<'_>,
    inputs: impl Fn(usize, &Batch) -> candle_core::Result<Tensor>,
) -> Result<Evaluation, TrainError> {
    let mut total = 0.0;
    let mut comparison = Comparison::new(batches.task());
    for number in 0..batches.count() {
        let batch = batches.read(number)?.to_device(&model.device())?;
        let outputs = model.forward(&inputs(number, &batch)?, Mode::Evaluate)?;
        check_output(&outputs, batch.len(), batches.task())?;
        let loss = loss(&outputs.detach(), &batch.targets, 0.0)?;
        total += f64::from(loss.to_scalar::<f32>()?) * batch.len() as f64;
        comparison.count(&outputs, &batch, batches.normalization())?;
    }
    Ok(Evaluation {
        loss: total / (comparison.total() as f64).max(1.0),
        comparison,
    })
}

pub(super) fn check_output(outputs: &Tensor, batch: usize, task: &Task) -> Result<(), TrainError> {
    let wanted = task.names().len();
    if outputs.dims() == [batch, wanted] {
        return Ok(());
    }
    Err(TrainError::OutputShape {
        found: outputs.dims().to_vec(),
        batch,
        wanted,
        noun: task.noun(),
    })
}

/// The place of the largest value, the first one when several are.
fn largest(row: &[f32]) -> usize {
    let mut best = 0;
    for (place, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = place;
        }
    }
    best
}

use candle_core::Tensor;

use super::loss::cross_entropy;
use super::{Attack, TrainError};
use crate::backend::{Mode, Model};
use crate::data::{Batch, Batches};

/// How well a model does on some examples.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The mean cross entropy in nats.
    pub loss: f64,
    /// Which classes were taken for which.
    pub confusion: Confusion,
}

impl Evaluation {
    /// The share of examples whose class was right.
    pub fn accuracy(&self) -> f64 {
        self.confusion.accuracy()
    }

    /// See [`Confusion::macro_f1`].
    pub fn macro_f1(&self) -> f64 {
        self.confusion.macro_f1()
    }
}

/// Measures a model, in evaluation mode, on examples of `classes` classes.
///
/// # Errors
///
/// When the model's output is not `[n, classes]`, or a tensor operation fails.
pub fn evaluate(
    model: &dyn Model,
    batches: &Batches<'_>,
    classes: usize,
) -> Result<Evaluation, TrainError> {
    evaluate_on(model, batches, classes, |_, batch| Ok(batch.inputs.clone()))
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
    classes: usize,
) -> Result<Evaluation, TrainError> {
    evaluate_on(model, batches, classes, |number, batch| {
        attack.inputs(model, batch, batches.normalization(), number)
    })
}

/// Measures a model on what `inputs` makes of each batch, given with its number.
fn evaluate_on(
    model: &dyn Model,
    batches: &Batches<'_>,
    classes: usize,
    inputs: impl Fn(usize, &Batch) -> candle_core::Result<Tensor>,
) -> Result<Evaluation, TrainError> {
    let mut total = 0.0;
    let mut confusion = Confusion::new(classes);
    for number in 0..batches.count() {
        let batch = batches.read(number)?.to_device(&model.device())?;
        let logits = model.forward(&inputs(number, &batch)?, Mode::Evaluate)?;
        check_output(&logits, batch.classes.len(), classes)?;
        let loss = cross_entropy(&logits.detach(), &batch.labels, 0.0)?;
        total += f64::from(loss.to_scalar::<f32>()?) * batch.classes.len() as f64;
        for (label, predicted) in batch.classes.iter().zip(predictions(&logits)?) {
            confusion.count(*label as usize, predicted);
        }
    }
    Ok(Evaluation {
        loss: total / (confusion.total() as f64).max(1.0),
        confusion,
    })
}

pub(super) fn check_output(
    logits: &Tensor,
    batch: usize,
    classes: usize,
) -> Result<(), TrainError> {
    if logits.dims() == [batch, classes] {
        return Ok(());
    }
    Err(TrainError::OutputShape {
        found: logits.dims().to_vec(),
        batch,
        classes,
    })
}

/// The class with the largest value in each row, the first one when several are.
pub(super) fn predictions(logits: &Tensor) -> candle_core::Result<Vec<usize>> {
    let rows = logits.to_vec2::<f32>()?;
    let largest = |row: Vec<f32>| {
        let mut best = 0;
        for (class, value) in row.iter().enumerate() {
            if *value > row[best] {
                best = class;
            }
        }
        best
    };
    Ok(rows.into_iter().map(largest).collect())
}

/// How often each class was taken for each class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// A row for each true class, a column for each predicted one.
    counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// No example yet.
    pub fn new(classes: usize) -> Self {
        Self {
            counts: vec![vec![0; classes]; classes],
        }
    }

    /// Adds an example.
    ///
    /// # Panics
    ///
    /// When there is no such class.
    pub fn count(&mut self, label: usize, predicted: usize) {
        self.counts[label][predicted] += 1;
    }

    /// How often examples of a class (the row) were taken for a class (the column).
    pub fn counts(&self) -> &[Vec<u64>] {
        &self.counts
    }

    /// The number of examples.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// The share of examples whose class was right; 0 when there are none.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.counts.len())
            .map(|class| self.counts[class][class])
            .sum();
        right as f64 / (self.total() as f64).max(1.0)
    }

    /// The mean over classes of the F1 score: twice the right ones over those that are of the class
    /// plus those that were taken for it. Classes that are in neither do not count.
    pub fn macro_f1(&self) -> f64 {
        let scores: Vec<f64> = (0..self.counts.len())
            .filter_map(|class| self.f1(class))
            .collect();
        scores.iter().sum::<f64>() / (scores.len() as f64).max(1.0)
    }

    fn f1(&self, class: usize) -> Option<f64> {
        let labelled: u64 = self.counts[class].iter().sum();
        let predicted: u64 = self.counts.iter().map(|row| row[class]).sum();
        let occurrences = labelled + predicted;
        (occurrences > 0).then(|| 2.0 * self.counts[class][class] as f64 / occurrences as f64)
    }
}

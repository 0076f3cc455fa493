//! Inputs changed so that a model goes wrong: what accuracy is left then.

use candle_core::{DType, Result, Tensor, Var};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::loss::loss;
use crate::backend::{Mode, Model};
use crate::data::{Batch, Normalization};

/// An attack by the sign of the gradient, in the infinity norm: no value of an input is changed by
/// more than `epsilon`, and none leaves the range of pixels, 0 to 1.
///
/// Each step moves every value by `step` in the direction in which the loss grows, and back into
/// what is allowed. One step of `epsilon` from the input itself is the fast gradient sign method
/// (Goodfellow et al. 2015, arXiv 1412.6572, section 4); several steps from a random place within
/// `epsilon` are projected gradient descent (Madry et al. 2018, arXiv 1706.06083, section 2.1).
///
/// Distances are in units of pixels between 0 and 1, before they are normalised: `8.0 / 255.0` means
/// the same for every data set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attack {
    /// The most that a pixel is changed.
    pub epsilon: f64,
    /// How far a step goes.
    pub step: f64,
    /// How many steps.
    pub steps: usize,
    /// Where to begin: at a place within `epsilon` that is drawn from this seed, or at the input.
    pub start: Option<u64>,
}

impl Attack {
    /// The fast gradient sign method.
    pub fn fgsm(epsilon: f64) -> Self {
        Self {
            epsilon,
            step: epsilon,
            steps: 1,
            start: None,
        }
    }

    /// Projected gradient descent from a random place.
    pub fn pgd(epsilon: f64, step: f64, steps: usize, seed: u64) -> Self {
        Self {
            epsilon,
            step,
            steps,
            start: Some(seed),
        }
    }

    /// The normalised inputs `[n, c, ...]` of a batch, changed against the model in evaluation mode.
    /// `number` is that of the batch: each has random places of its own.
    ///
    /// # Errors
    ///
    /// When a tensor operation fails.
    pub fn inputs(
        &self,
        model: &dyn Model,
        batch: &Batch,
        normalization: &Normalization,
        number: usize,
    ) -> Result<Tensor> {
        let shape = batch.inputs.dims();
        let original = batch.inputs.flatten_all()?.to_vec1::<f32>()?;
        let allowed = self.allowed(&original, shape, normalization);
        let mut values = original;
        if let Some(seed) = self.start {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(number as u64);
            for (value, allowed) in values.iter_mut().zip(&allowed) {
                let place = self.epsilon * random.random_range(-1.0..=1.0);
                *value = allowed.nearest(*value + place as f32 / allowed.deviation);
            }
        }
        for _ in 0..self.steps {
            let gradient = input_gradient(model, &values, batch)?;
            for ((value, gradient), allowed) in values.iter_mut().zip(gradient).zip(&allowed) {
                let sign = match gradient {
                    0.0 => 0.0,
                    gradient => gradient.signum(),
                };
                *value = allowed.nearest(*value + sign * self.step as f32 / allowed.deviation);
            }
        }
        Tensor::from_vec(values, shape, batch.inputs.device())
    }

    /// What each value may become.
    fn allowed(
        &self,
        values: &[f32],
        shape: &[usize],
        normalization: &Normalization,
    ) -> Vec<Range> {
        let channels = normalization.inputs.mean.len().max(1);
        let plane = (shape.iter().skip(1).product::<usize>() / channels).max(1);
        let range = |(place, &value): (usize, &f32)| {
            let channel = place / plane % channels;
            let number = |numbers: &[f32], none| numbers.get(channel).copied().unwrap_or(none);
            let mean = number(&normalization.inputs.mean, 0.0);
            let deviation = number(&normalization.inputs.deviation, 1.0);
            let reach = self.epsilon as f32 / deviation;
            // What the data has is allowed, also where rounding puts it beside the range of pixels.
            Range {
                least: (value - reach).max((0.0 - mean) / deviation).min(value),
                most: (value + reach).min((1.0 - mean) / deviation).max(value),
                deviation,
            }
        };
        values.iter().enumerate().map(range).collect()
    }
}

/// What a normalised value may become, and what a pixel's 1 is in its units.
struct Range {
    least: f32,
    most: f32,
    deviation: f32,
}

impl Range {
    fn nearest(&self, value: f32) -> f32 {
        value.max(self.least).min(self.most)
    }
}

/// The gradient of the mean loss of a batch with respect to its inputs, which have these values now.
fn input_gradient(model: &dyn Model, values: &[f32], batch: &Batch) -> Result<Vec<f32>> {
    let inputs = Tensor::from_slice(values, batch.inputs.dims(), batch.inputs.device())?;
    let inputs = Var::from_tensor(&inputs)?;
    let outputs = model.forward(&inputs, Mode::Evaluate)?;
    let loss = loss(&outputs, &batch.targets, 0.0)?;
    match loss.backward()?.get(&inputs) {
        Some(gradient) => gradient.to_dtype(DType::F32)?.flatten_all()?.to_vec1(),
        // The model does not look at its inputs.
        None => Ok(vec![0.0; values.len()]),
    }
}

//! Batch norm, alone or behind a layer, with the activation behind it.

use candle_core::{Device, Error, Result, Tensor, Var};

use super::{Array, Call, Given, array, channels_and_positions, norm_gradients, view};
use crate::backend::kernels::batch_norm::{self, Affine, Geometry, Normalised, Statistics};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::rectifier::Rectifier;

/// A batch norm and what is behind it.
pub(super) struct Norm<'a> {
    epsilon: f64,
    momentum: f64,
    weight: &'a Tensor,
    bias: &'a Tensor,
    /// The running mean and variance.
    running: [&'a Tensor; 2],
    rectifier: Rectifier,
    training: bool,
}

/// A layer that is a batch norm.
pub(super) fn batch_norm<T: Float>(call: &Call, epsilon: f64, momentum: f64) -> Result<Given> {
    Norm::new(call, call.parameters, epsilon, momentum)?.apply::<T>(call.input()?)
}

impl<'a> Norm<'a> {
    fn new(call: &Call, parameters: &'a [Var], epsilon: f64, momentum: f64) -> Result<Self> {
        let [weight, bias, mean, variance] = parameters else {
            return Err(Error::Msg(format!(
                "`{}` lacks a parameter",
                call.step.path
            )));
        };
        Ok(Norm {
            epsilon,
            momentum,
            weight,
            bias,
            running: [mean.as_tensor(), variance.as_tensor()],
            rectifier: call.rectifier()?,
            training: call.training.is_some(),
        })
    }

    /// The one that is fused with a layer, if there is one.
    pub(super) fn fused(call: &'a Call) -> Result<Option<Self>> {
        let Some(norm) = &call.step.norm else {
            return Ok(None);
        };
        Self::new(call, call.norm_parameters, norm.epsilon, norm.momentum).map(Some)
    }

    fn geometry(&self, channels: usize, positions: usize) -> Geometry {
        Geometry {
            channels,
            positions,
            epsilon: self.epsilon,
        }
    }

    fn running_statistics<T: Float>(&self) -> Result<Statistics> {
        let [mean, variance] = self.running;
        Ok(Statistics {
            mean: numbers::<T>(mean)?,
            variance: numbers::<T>(variance)?,
        })
    }

    /// What it does to each channel by its running statistics.
    pub(super) fn running_affine<T: Float>(&self) -> Result<Vec<Affine<T>>> {
        let geometry = self.geometry(self.weight.elem_count(), 1);
        self.affine(&geometry, &self.running_statistics::<T>()?)
    }

    fn affine<T: Float>(
        &self,
        geometry: &Geometry,
        statistics: &Statistics,
    ) -> Result<Vec<Affine<T>>> {
        let (weight, bias) = (view(self.weight), view(self.bias));
        let (weight, bias) = (weight.slice::<T>()?, bias.slice::<T>()?);
        Ok(batch_norm::affine(geometry, statistics, weight, bias))
    }

    /// The normalised and rectified input.
    pub(super) fn apply<T: Float>(&self, input: &Array) -> Result<Given> {
        let (channels, positions) = channels_and_positions(input);
        let geometry = self.geometry(channels, positions);
        let (training, rectifier) = (self.training, self.rectifier);
        let statistics = match training {
            true => batch_norm::statistics(&geometry, input.slice::<T>()?),
            false => self.running_statistics::<T>()?,
        };
        let state = match training {
            true => self.updated::<T>(&statistics, geometry.count(input.elem_count()))?,
            false => Vec::new(),
        };
        let affine = self.affine::<T>(&geometry, &statistics)?;
        let output = batch_norm::forward(&geometry, &affine, rectifier, input.slice()?);
        let (input, weight) = (input.clone(), self.weight.clone());
        let output = array(output, input.dims())?;
        let given = Given::new(output, move |gradient| {
            let weight = view(&weight);
            let normalised = Normalised {
                statistics: &statistics,
                of_batch: training,
                weight: weight.slice::<T>()?,
                affine: &affine,
                rectifier,
            };
            let (values, gradient) = (input.slice()?, gradient.slice()?);
            let gradients = batch_norm::backward(&geometry, &normalised, values, gradient);
            norm_gradients(gradients, input.dims())
        });
        Ok(Given { state, ..given })
    }

    /// The running statistics after a batch in which each channel has `count` values.
    fn updated<T: Float>(
        &self,
        statistics: &Statistics,
        count: usize,
    ) -> Result<Vec<(usize, Tensor)>> {
        let count = count as f64;
        // One value has no unbiased variance; its biased one, zero, is taken.
        let unbiased = count / f64::max(count - 1.0, 1.0);
        let variance = statistics.variance.iter().map(|value| value * unbiased);
        let latest = [statistics.mean.clone(), variance.collect()];
        let mixed = |(place, (running, latest)): (usize, (&Tensor, Vec<f64>))| {
            let running = numbers::<T>(running)?;
            let pairs = running.iter().zip(latest);
            let mixed = pairs
                .map(|(old, new)| T::of(old * (1.0 - self.momentum) + new * self.momentum))
                .collect::<Vec<T>>();
            let channels = mixed.len();
            Ok((place, Tensor::from_vec(mixed, channels, &Device::Cpu)?))
        };
        let pairs = self.running.into_iter().zip(latest);
        (2..).zip(pairs).map(mixed).collect()
    }
}

fn numbers<T: Float>(tensor: &Tensor) -> Result<Vec<f64>> {
    let tensor = view(tensor);
    Ok(tensor.slice::<T>()?.iter().map(|x| x.to_f64()).collect())
}

//! Norms of tensors.

use candle_core::{Error, Result, Tensor};
use candle_nn::{GroupNorm, Module};

use super::activation::activate;
use super::{Call, Given, Norm};

/// A batch norm and the parameters and state that it has.
struct BatchNorm<'a> {
    parameters: &'a [Tensor],
    epsilon: f64,
    momentum: f64,
}

/// The axis of the features: the second of images, the last of all else.
fn axis_of_features(x: &Tensor) -> usize {
    match x.rank() {
        4 => 1,
        rank => rank.saturating_sub(1),
    }
}

pub(super) fn layer_norm(call: &Call, epsilon: f64) -> Result<Tensor> {
    let x = call.input()?;
    let norm = Norm {
        weight: call.parameter(0)?.clone(),
        bias: Some(call.parameter(1)?.clone()),
        epsilon,
        axis: axis_of_features(x),
    };
    norm.forward(x)
}

pub(super) fn rms_norm(call: &Call, epsilon: f64) -> Result<Tensor> {
    let x = call.input()?;
    let norm = Norm {
        weight: call.parameter(0)?.clone(),
        bias: None,
        epsilon,
        axis: axis_of_features(x),
    };
    norm.forward(x)
}

pub(super) fn group_norm(
    call: &Call,
    channels: usize,
    groups: usize,
    epsilon: f64,
) -> Result<Tensor> {
    let (weight, bias) = (call.parameter(0)?.clone(), call.parameter(1)?.clone());
    GroupNorm::new(weight, bias, channels, groups, epsilon)?.forward(call.input()?)
}

/// Factors of features, one each.
pub(super) fn layer_scale(call: &Call) -> Result<Tensor> {
    let (x, factors) = (call.input()?, call.parameter(0)?);
    let behind = x.rank().saturating_sub(1 + axis_of_features(x));
    x.broadcast_mul(&factors.reshape([vec![factors.elem_count()], vec![1; behind]].concat())?)
}

/// A layer that is a batch norm.
pub(super) fn batch_norm(call: &Call, epsilon: f64, momentum: f64) -> Result<Given> {
    let norm = BatchNorm {
        parameters: &call.parameters,
        epsilon,
        momentum,
    };
    norm.apply(call, call.input()?, 0)
}

/// What a layer gives, behind the norm and the activation that are fused with it.
pub(super) fn fused(call: &Call, given: Tensor) -> Result<Given> {
    let Some(fused) = &call.step.norm else {
        let output = match call.step.activation {
            Some(function) => activate(function, &given)?,
            None => given,
        };
        return Ok(output.into());
    };
    let norm = BatchNorm {
        parameters: &call.norm_parameters,
        epsilon: fused.epsilon,
        momentum: fused.momentum,
    };
    norm.apply(call, &given, call.parameters.len())
}

impl BatchNorm<'_> {
    /// The normalised input behind the activation of the step. Its parameters stand behind so many others.
    fn apply(&self, call: &Call, x: &Tensor, first: usize) -> Result<Given> {
        let [weight, bias, running_mean, running_variance] = self.parameters else {
            return Err(Error::Msg("a batch norm lacks a parameter".to_owned()));
        };
        let running = [running_mean.detach(), running_variance.detach()];
        let training = call.training.is_some();
        let (output, [mean, variance]) =
            self.normalised(call, x, [weight, bias], (!training).then_some(&running))?;
        if !training {
            return Ok(output.into());
        }
        let count = (x.elem_count() / mean.elem_count().max(1)) as f64;
        // One value has no unbiased variance; its biased one, zero, is taken.
        let unbiased = count / f64::max(count - 1.0, 1.0);
        let mixed = |running: &Tensor, latest: &Tensor, factor: f64| {
            (running * (1.0 - self.momentum))? + (latest.detach() * (self.momentum * factor))?
        };
        Ok(Given {
            output,
            state: vec![
                (first + 2, mixed(&running[0], &mean, 1.0)?),
                (first + 3, mixed(&running[1], &variance, unbiased)?),
            ],
        })
    }

    /// The output, with the mean and the (biased) variance that were used: running ones or those of the batch.
    fn normalised(
        &self,
        call: &Call,
        x: &Tensor,
        [weight, bias]: [&Tensor; 2],
        running: Option<&[Tensor; 2]>,
    ) -> Result<(Tensor, [Tensor; 2])> {
        #[cfg(feature = "cuda")]
        if x.device().is_cuda() {
            use crate::backend::cuda::{Statistics, batch_norm};
            let statistics = match running {
                Some([mean, variance]) => Statistics::Running { mean, variance },
                None => Statistics::Batch,
            };
            let function = call.step.activation;
            return batch_norm(x, [weight, bias], statistics, self.epsilon, function);
        }
        let (batch, channels) = (x.dim(0)?, x.dim(1)?);
        let flat = x.reshape((batch, channels, ()))?;
        let of_channels = |numbers: &Tensor| numbers.reshape((1, channels, 1));
        let (mean, variance) = match running {
            Some([mean, variance]) => (of_channels(mean)?, of_channels(variance)?),
            None => {
                let mean = flat.mean_keepdim((0, 2))?;
                let variance = flat.broadcast_sub(&mean)?.sqr()?.mean_keepdim((0, 2))?;
                (mean, variance)
            }
        };
        let scale = of_channels(weight)?.div(&(&variance + self.epsilon)?.sqrt()?)?;
        let normalised = flat.broadcast_sub(&mean)?.broadcast_mul(&scale)?;
        let output = normalised
            .broadcast_add(&of_channels(bias)?)?
            .reshape(x.shape())?;
        let output = match call.step.activation {
            Some(function) => activate(function, &output)?,
            None => output,
        };
        Ok((output, [mean.flatten_all()?, variance.flatten_all()?]))
    }
}

//! Norms beside `bn` and `ln`, and factors and slopes for channels or features.

use candle_core::{Result, Tensor};

use super::{Call, Given, channels_and_positions, random, tensor, view};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::{
    channel_scale, dense, dropout, group_norm, layer_norm, parametric_relu, rms_norm,
};

/// The positions that share a feature: those of a feature map; all else has its features in the last
/// axis.
pub(super) fn positions_of_features(tensor: &Tensor) -> usize {
    match tensor.rank() {
        4 => tensor.dims()[2..].iter().product(),
        _ => 1,
    }
}

pub(super) fn rms_norm<T: Float>(call: &Call, features: usize, epsilon: f64) -> Result<Given> {
    let input = call.input()?.clone();
    let weight = call.parameter(0)?.clone();
    let geometry = layer_norm::Geometry {
        features,
        positions: positions_of_features(&input),
        epsilon,
    };
    let output = rms_norm::forward(
        &geometry,
        view(&input).slice::<T>()?,
        view(&weight).slice()?,
    );
    Ok(Given::new(tensor(output, input.dims())?, move |gradient| {
        let (values, weights) = rms_norm::backward(
            &geometry,
            view(&input).slice::<T>()?,
            view(&weight).slice()?,
            view(gradient).slice()?,
        );
        Ok(vec![
            Some(tensor(values, input.dims())?),
            Some(tensor(weights, weight.dims())?),
        ])
    }))
}

pub(super) fn group_norm<T: Float>(call: &Call, groups: usize, epsilon: f64) -> Result<Given> {
    let input = call.input()?.clone();
    let (weight, bias) = (call.parameter(0)?.clone(), call.parameter(1)?);
    let (channels, positions) = channels_and_positions(&input);
    let geometry = group_norm::Geometry {
        channels,
        groups,
        positions,
        epsilon,
    };
    let output = {
        let (weight, bias) = (view(&weight), view(bias));
        let affine = Some([weight.slice::<T>()?, bias.slice()?]);
        group_norm::forward(&geometry, view(&input).slice()?, affine)
    };
    Ok(Given::new(tensor(output, input.dims())?, move |gradient| {
        let gradients = group_norm::backward(
            &geometry,
            view(&input).slice::<T>()?,
            Some(view(&weight).slice()?),
            view(gradient).slice()?,
        );
        Ok(vec![
            Some(tensor(gradients.input, input.dims())?),
            Some(tensor(gradients.weight, &[channels])?),
            Some(tensor(gradients.bias, &[channels])?),
        ])
    }))
}

pub(super) fn instance_norm<T: Float>(call: &Call, epsilon: f64) -> Result<Given> {
    let input = call.input()?.clone();
    let (channels, positions) = channels_and_positions(&input);
    let geometry = group_norm::Geometry {
        channels,
        groups: channels,
        positions,
        epsilon,
    };
    let output = group_norm::forward(&geometry, view(&input).slice::<T>()?, None);
    Ok(Given::new(tensor(output, input.dims())?, move |gradient| {
        let gradients = group_norm::backward(
            &geometry,
            view(&input).slice::<T>()?,
            None,
            view(gradient).slice()?,
        );
        Ok(vec![Some(tensor(gradients.input, input.dims())?)])
    }))
}

pub(super) fn parametric_relu<T: Float>(call: &Call) -> Result<Given> {
    let input = call.input()?.clone();
    let slopes = call.parameter(0)?.clone();
    let (channels, positions) = channels_and_positions(&input);
    let geometry = channel_scale::Geometry {
        channels,
        positions,
    };
    let output = parametric_relu::forward(
        &geometry,
        view(&input).slice::<T>()?,
        view(&slopes).slice()?,
    );
    Ok(Given::new(tensor(output, input.dims())?, move |gradient| {
        let (values, weights) = parametric_relu::backward(
            &geometry,
            view(&input).slice::<T>()?,
            view(&slopes).slice()?,
            view(gradient).slice()?,
        );
        Ok(vec![
            Some(tensor(values, input.dims())?),
            Some(tensor(weights, slopes.dims())?),
        ])
    }))
}

/// The input times factors, with the gradient of the input and those of the factors of each example.
fn scaled<T: Float>(
    geometry: channel_scale::Geometry,
    input: &Tensor,
    factors: &Tensor,
    finish: impl Fn(Vec<T>) -> Vec<T> + Send + Sync + 'static,
) -> Result<Given> {
    let (input, factors) = (input.clone(), factors.clone());
    let output = channel_scale::forward(
        &geometry,
        view(&input).slice::<T>()?,
        view(&factors).slice()?,
    );
    Ok(Given::new(tensor(output, input.dims())?, move |gradient| {
        let gradient = view(gradient);
        let gradient = gradient.slice::<T>()?;
        let values = channel_scale::forward(&geometry, gradient, view(&factors).slice()?);
        let products = channel_scale::factor_gradient(&geometry, view(&input).slice()?, gradient);
        Ok(vec![
            Some(tensor(values, input.dims())?),
            Some(tensor(finish(products), factors.dims())?),
        ])
    }))
}

pub(super) fn layer_scale<T: Float>(call: &Call, features: usize) -> Result<Given> {
    let input = call.input()?;
    let geometry = channel_scale::Geometry {
        channels: features,
        positions: positions_of_features(input),
    };
    scaled::<T>(geometry, input, call.parameter(0)?, move |products| {
        dense::sum_of_rows(features, &products)
    })
}

pub(super) fn scale<T: Float>(call: &Call) -> Result<Given> {
    let [input, factors] = call.pair()?;
    let (channels, positions) = channels_and_positions(input);
    let geometry = channel_scale::Geometry {
        channels,
        positions,
    };
    scaled::<T>(geometry, input, factors, |products| products)
}

pub(super) fn drop_path<T: Float>(call: &Call, rate: f64) -> Result<Given> {
    let input = call.input()?;
    let Some(step) = call.training.filter(|_| rate > 0.0) else {
        return Ok(Given::new(input.clone(), |gradient| {
            Ok(vec![Some(gradient.clone())])
        }));
    };
    let key = random::dropout_key(call.seed, call.step.number, step);
    let example = input.dims()[1..].iter().product();
    let output = dropout::apply_to_examples(rate, key, example, view(input).slice::<T>()?);
    Ok(Given::new(tensor(output, input.dims())?, move |gradient| {
        let values = dropout::apply_to_examples(rate, key, example, view(gradient).slice::<T>()?);
        Ok(vec![Some(tensor(values, gradient.dims())?)])
    }))
}

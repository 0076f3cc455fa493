//! Norms beside `bn` and `ln`, and factors and slopes for channels or features.

use candle_core::Result;

use super::{Array, Call, Given, array, channels_and_positions, random, view};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::{
    channel_scale, dense, dropout, group_norm, layer_norm, parametric_relu, rms_norm,
};
use crate::backend::numbers::Numbers;

/// The positions that share a feature: those of a feature map; all else has its features in the last
/// axis.
pub(super) fn positions_of_features(tensor: &Array) -> usize {
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
    let output = rms_norm::forward(&geometry, input.slice::<T>()?, view(&weight).slice()?);
    Ok(Given::new(array(output, input.dims())?, move |gradient| {
        let (values, weights) = rms_norm::backward(
            &geometry,
            input.slice::<T>()?,
            view(&weight).slice()?,
            gradient.slice()?,
        );
        Ok(vec![
            Some(array(values, input.dims())?),
            Some(array(weights, weight.dims())?),
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
        group_norm::forward(&geometry, input.slice()?, affine)
    };
    Ok(Given::new(array(output, input.dims())?, move |gradient| {
        let gradients = group_norm::backward(
            &geometry,
            input.slice::<T>()?,
            Some(view(&weight).slice()?),
            gradient.slice()?,
        );
        Ok(vec![
            Some(array(gradients.input, input.dims())?),
            Some(array(gradients.weight, &[channels])?),
            Some(array(gradients.bias, &[channels])?),
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
    let output = group_norm::forward(&geometry, input.slice::<T>()?, None);
    Ok(Given::new(array(output, input.dims())?, move |gradient| {
        let gradients =
            group_norm::backward(&geometry, input.slice::<T>()?, None, gradient.slice()?);
        Ok(vec![Some(array(gradients.input, input.dims())?)])
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
    let output = parametric_relu::forward(&geometry, input.slice::<T>()?, view(&slopes).slice()?);
    Ok(Given::new(array(output, input.dims())?, move |gradient| {
        let (values, weights) = parametric_relu::backward(
            &geometry,
            input.slice::<T>()?,
            view(&slopes).slice()?,
            gradient.slice()?,
        );
        Ok(vec![
            Some(array(values, input.dims())?),
            Some(array(weights, slopes.dims())?),
        ])
    }))
}

/// The input times factors, with the gradient of the input and those of the factors of each example.
fn scaled<T: Float>(
    geometry: channel_scale::Geometry,
    input: &Array,
    factors: &Array,
    finish: impl FnOnce(Numbers<T>) -> Numbers<T> + Send + 'static,
) -> Result<Given> {
    let (input, factors) = (input.clone(), factors.clone());
    let output = channel_scale::forward(&geometry, input.slice::<T>()?, factors.slice()?);
    Ok(Given::new(array(output, input.dims())?, move |gradient| {
        let gradient = gradient.slice::<T>()?;
        let values = channel_scale::forward(&geometry, gradient, factors.slice()?);
        let products = channel_scale::factor_gradient(&geometry, input.slice()?, gradient);
        Ok(vec![
            Some(array(values, input.dims())?),
            Some(array(finish(products), factors.dims())?),
        ])
    }))
}

pub(super) fn layer_scale<T: Float>(call: &Call, features: usize) -> Result<Given> {
    let input = call.input()?;
    let geometry = channel_scale::Geometry {
        channels: features,
        positions: positions_of_features(input),
    };
    let factors = Array::copy_of::<T>(call.parameter(0)?)?;
    scaled::<T>(geometry, input, &factors, move |products| {
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
    let output = dropout::apply_to_examples(rate, key, example, input.slice::<T>()?);
    Ok(Given::new(array(output, input.dims())?, move |gradient| {
        let values = dropout::apply_to_examples(rate, key, example, gradient.slice::<T>()?);
        Ok(vec![Some(array(values, gradient.dims())?)])
    }))
}

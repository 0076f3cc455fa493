//! Convolution, with the norm and the activation that passes have fused behind it.

use candle_core::{Error, Result};

use super::norm::Norm;
use super::{Call, Given, Rectified, array, image_size, like, view};
use crate::backend::kernels::batch_norm::Affine;
use crate::backend::kernels::convolution::{self, Epilogue, Geometry};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::rectifier::Rectifier;
use crate::plan::Convolution;

pub(super) fn convolution<T: Float>(call: &Call, attributes: &Convolution) -> Result<Given> {
    let rectifier = call.rectifier()?;
    let Some(norm) = Norm::fused(call)? else {
        return convolve::<T>(call, attributes, None, rectifier);
    };
    if call.training.is_none() && !call.keep {
        let affine = norm.running_affine::<T>()?;
        return convolve::<T>(call, attributes, Some(&affine), rectifier);
    }
    let convolved = convolve::<T>(call, attributes, None, Rectifier::Identity)?;
    let normalised = norm.apply::<T>(&convolved.output)?;
    let behind = call.parameters.len();
    let state = normalised.state.into_iter();
    let state = state.map(|(place, values)| (behind + place, values));
    let given = Given::new(normalised.output, move |gradient| {
        let mut of_norm = (normalised.backward)(gradient)?.into_iter();
        let missing = || Error::Msg("a norm gave no gradient for what it reads".to_owned());
        let gradient = of_norm.next().flatten().ok_or_else(missing)?;
        let mut gradients = (convolved.backward)(&gradient)?;
        gradients.extend(of_norm);
        Ok(gradients)
    });
    Ok(Given {
        state: state.collect(),
        ..given
    })
}

/// A convolution with an epilogue. There are no gradients behind a norm with known statistics.
fn convolve<T: Float>(
    call: &Call,
    attributes: &Convolution,
    affine: Option<&[Affine<T>]>,
    rectifier: Rectifier,
) -> Result<Given> {
    let input = call.input()?.clone();
    let weight = call.parameter(0)?.clone();
    let bias = attributes.bias.then(|| call.parameter(1)).transpose()?;
    let image = image_size(&input)?;
    let output = attributes
        .output_size(image)
        .ok_or_else(|| Error::Msg(format!("`{}`: the window does not fit", call.step.path)))?;
    let geometry = Geometry {
        convolution: *attributes,
        image,
        output,
        batch: input.dim(0)?,
    };
    let output = {
        let bias = bias.map(view);
        let bias = bias.as_ref().map(|bias| bias.slice::<T>()).transpose()?;
        convolution::forward(
            &geometry,
            input.slice::<T>()?,
            view(&weight).slice()?,
            Epilogue {
                bias,
                affine,
                rectifier,
            },
        )
    };
    let shape = like(&input, attributes.output, geometry.output);
    let output = array(output, &shape)?;
    let rectified = Rectified::new(rectifier, &output);
    let with_input = call.wants_input();
    Ok(Given::new(output, move |gradient| {
        let gradient = rectified.gradient::<T>(gradient)?;
        let gradients = convolution::backward(
            &geometry,
            input.slice::<T>()?,
            view(&weight).slice()?,
            gradient.slice()?,
            with_input,
        );
        let of_input = gradients.input.map(|values| array(values, input.dims()));
        let mut all = vec![
            of_input.transpose()?,
            Some(array(gradients.weight, weight.dims())?),
        ];
        if let Some(bias) = gradients.bias {
            let length = bias.len();
            all.push(Some(array(bias, &[length])?));
        }
        Ok(all)
    }))
}

//! Convolution, with the norm and the activation that passes have fused behind it.

use candle_core::{Error, Result};

use super::norm::Norm;
use super::{Array, Call, Given, Rectified, array, image_size, like, view};
use crate::backend::kernels::batch_norm::Affine;
use crate::backend::kernels::convolution::{self, Epilogue, Filter, Geometry};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::rectifier::Rectifier;
use crate::plan::Convolution;

/// What a convolution makes of its parameters before it reads an input.
pub(super) struct Parameters<T> {
    filter: Filter<T>,
    /// The norm behind it by its running statistics.
    affine: Option<Vec<Affine<T>>>,
}

impl<T: Float> Parameters<T> {
    /// Those of an evaluation.
    pub(super) fn new(call: &Call, attributes: &Convolution) -> Result<Self> {
        let norm = Norm::fused(call)?;
        Ok(Parameters {
            affine: norm.map(|norm| norm.running_affine()).transpose()?,
            ..Self::without_norm(call, attributes)?
        })
    }

    fn without_norm(call: &Call, attributes: &Convolution) -> Result<Self> {
        let weight = view(call.parameter(0)?);
        Ok(Parameters {
            filter: Filter::new(attributes, weight.slice()?),
            affine: None,
        })
    }
}

pub(super) fn convolution<T: Float>(call: &Call, attributes: &Convolution) -> Result<Given> {
    let rectifier = call.rectifier()?;
    if let Some(parameters) = call.prepared() {
        return convolve::<T>(call, attributes, parameters, rectifier);
    }
    let norm = Norm::fused(call)?.filter(|_| call.training.is_some() || call.keep);
    let Some(norm) = norm else {
        let parameters = Parameters::new(call, attributes)?;
        return convolve::<T>(call, attributes, &parameters, rectifier);
    };
    let parameters = Parameters::without_norm(call, attributes)?;
    let convolved = convolve::<T>(call, attributes, &parameters, Rectifier::Identity)?;
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

/// A convolution with an epilogue. There are no gradients behind a norm with known statistics, nor of a `relu` before
/// the convolution or a sum behind it, which an inference alone has.
fn convolve<T: Float>(
    call: &Call,
    attributes: &Convolution,
    parameters: &Parameters<T>,
    rectifier: Rectifier,
) -> Result<Given> {
    let input = call.input()?;
    let bias = attributes.bias.then(|| call.parameter(1)).transpose()?;
    let image = image_size(input)?;
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
        let epilogue = Epilogue::new(bias, parameters.affine.as_deref(), rectifier);
        let epilogue = epilogue.with_norm_last(call.step.norm_last);
        let addend = call.addend.take().map(Array::into_values::<T>);
        convolution::forward(
            &geometry,
            input.slice::<T>()?,
            call.step.relu_before,
            &parameters.filter,
            epilogue,
            addend.transpose()?,
        )
    };
    let shape = like(input, attributes.output, geometry.output);
    let output = array(output, &shape)?;
    if !call.keep {
        return Ok(Given::without_gradient(output));
    }
    let (input, weight) = (input.clone(), call.parameter(0)?.clone());
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

//! Layers for images and signals beyond convolution and pooling.

use super::*;
use crate::backend::kernels::convolution::{self, Epilogue, Filter};
use crate::backend::kernels::{adaptive_pool, bilinear, margins, reduce, shuffle};
use crate::backend::numbers::Numbers;
use crate::operations::Filling;
use crate::plan::{Convolution, TransposedConvolution};

/// A layer without parameters: its output, and what makes the gradient of the input of its own.
fn pure<T: Float>(
    input: &Array,
    output: Numbers<T>,
    shape: &[usize],
    gradient_of: impl FnOnce(&[T]) -> Numbers<T> + Send + 'static,
) -> Result<Given> {
    let input_shape = input.dims().to_vec();
    Ok(Given::new(array(output, shape)?, move |gradient| {
        let values = gradient_of(gradient.slice::<T>()?);
        Ok(vec![Some(array(values, &input_shape)?)])
    }))
}

/// A transposed convolution is the gradient of a convolution with respect to its input; its own
/// gradients are that convolution, and the gradient of that convolution's weights.
pub(super) fn convolve_transposed<T: Float>(
    call: &Call,
    attributes: &TransposedConvolution,
) -> Result<Given> {
    let input = call.input()?.clone();
    let weight = call.parameter(0)?.clone();
    let with_bias = attributes.convolution.bias;
    let image = image_size(&input)?;
    let size = attributes
        .output_size(image)
        .ok_or_else(|| Error::Msg(format!("`{}`: nothing is left", call.step.path)))?;
    let geometry = convolution::Geometry {
        convolution: Convolution {
            bias: false,
            ..attributes.convolution
        },
        image: size,
        output: image,
        batch: input.dim(0)?,
    };
    let channels = geometry.convolution.input;
    let pixels = size[0] * size[1];
    let output = {
        let bias = with_bias.then(|| call.parameter(1)).transpose()?.map(view);
        let bias = bias.as_ref().map(|bias| bias.slice::<T>()).transpose()?;
        convolution::transposed(&geometry, view(&weight).slice()?, bias, input.slice()?)
    };
    let shape = like(&input, channels, size);
    let with_input = call.wants_input();
    Ok(Given::new(array(output, &shape)?, move |gradient| {
        let gradient = gradient.slice::<T>()?;
        let input_gradient = match with_input {
            true => {
                let filter = Filter::new(&geometry.convolution, view(&weight).slice()?);
                let none = Epilogue::default();
                let values = convolution::forward(&geometry, gradient, false, &filter, none, None);
                Some(array(values, input.dims())?)
            }
            false => None,
        };
        let gradients = convolution::backward(
            &geometry,
            gradient,
            view(&weight).slice()?,
            input.slice()?,
            false,
        );
        let mut all = vec![
            input_gradient,
            Some(array(gradients.weight, weight.dims())?),
        ];
        if with_bias {
            let bias = reduce::sums_of_channels(channels, pixels, gradient);
            all.push(Some(array(bias, &[channels])?));
        }
        Ok(all)
    }))
}

pub(super) fn adaptive_pool<T: Float>(
    call: &Call,
    kind: Pooling,
    size: [usize; 2],
) -> Result<Given> {
    let input = call.input()?;
    let geometry = adaptive_pool::Geometry {
        image: image_size(input)?,
        output: size,
    };
    let shape = like(input, input.dim(1)?, size);
    let values = input.slice::<T>()?;
    match kind {
        Pooling::Maximum => {
            let (output, places) = adaptive_pool::maximum(&geometry, values);
            pure(input, output, &shape, move |gradient| {
                adaptive_pool::maximum_gradient(&geometry, &places, gradient)
            })
        }
        Pooling::Average => {
            let output = adaptive_pool::average(&geometry, values);
            pure(input, output, &shape, move |gradient| {
                adaptive_pool::average_gradient(&geometry, gradient)
            })
        }
    }
}

pub(super) fn pad<T: Float>(
    call: &Call,
    filling: Filling,
    before: [usize; 2],
    after: [usize; 2],
) -> Result<Given> {
    let input = call.input()?;
    let geometry = margins::Geometry {
        image: image_size(input)?,
        before,
        after,
    };
    let output = margins::pad(&geometry, filling, input.slice::<T>()?);
    let shape = like(input, input.dim(1)?, geometry.padded());
    pure(input, output, &shape, move |gradient| {
        margins::pad_gradient(&geometry, filling, gradient)
    })
}

/// Cropping is the gradient of padding with zeros, and the other way round.
pub(super) fn crop<T: Float>(call: &Call, before: [usize; 2], after: [usize; 2]) -> Result<Given> {
    let input = call.input()?;
    let whole = image_size(input)?;
    let image = [0, 1].map(|axis| whole[axis] - before[axis] - after[axis]);
    let geometry = margins::Geometry {
        image,
        before,
        after,
    };
    let output = margins::crop(&geometry, input.slice::<T>()?);
    let shape = like(input, input.dim(1)?, image);
    pure(input, output, &shape, move |gradient| {
        margins::pad(&geometry, Filling::Zero, gradient)
    })
}

pub(super) fn bilinear<T: Float>(call: &Call, factor: usize) -> Result<Given> {
    let input = call.input()?;
    let image = image_size(input)?;
    let output = bilinear::forward(image, factor, input.slice::<T>()?);
    let shape = like(input, input.dim(1)?, image.map(|size| size * factor));
    pure(input, output, &shape, move |gradient| {
        bilinear::backward(image, factor, gradient)
    })
}

pub(super) fn pixel_shuffle<T: Float>(call: &Call, factor: usize) -> Result<Given> {
    let input = call.input()?;
    let image = image_size(input)?;
    let output = shuffle::channels_to_pixels(image, factor, input.slice::<T>()?);
    let channels = input.dim(1)? / (factor * factor);
    let shape = like(input, channels, image.map(|size| size * factor));
    pure(input, output, &shape, move |gradient| {
        shuffle::pixels_to_channels(image, factor, gradient)
    })
}

pub(super) fn pixel_unshuffle<T: Float>(call: &Call, factor: usize) -> Result<Given> {
    let input = call.input()?;
    let image = image_size(input)?.map(|size| size / factor);
    let output = shuffle::pixels_to_channels(image, factor, input.slice::<T>()?);
    let shape = like(input, input.dim(1)? * factor * factor, image);
    pure(input, output, &shape, move |gradient| {
        shuffle::channels_to_pixels(image, factor, gradient)
    })
}

pub(super) fn channel_shuffle<T: Float>(call: &Call, groups: usize) -> Result<Given> {
    let input = call.input()?;
    let (channels, pixels) = channels_and_positions(input);
    let output = shuffle::channels(channels, groups, pixels, input.slice::<T>()?);
    pure(input, output, input.dims(), move |gradient| {
        shuffle::channels(channels, channels / groups, pixels, gradient)
    })
}

pub(super) fn slice<T: Float>(call: &Call, start: usize, size: usize) -> Result<Given> {
    let input = call.input()?;
    let (channels, positions) = channels_and_positions(input);
    let kept = start * positions..(start + size) * positions;
    let whole = channels * positions;
    let output = input.part::<T>(start, size)?;
    let shape = input.dims().to_vec();
    Ok(Given::new(output, move |gradient| {
        let mut target = memory::zeros(shape.iter().product());
        let parts = gradient.slice::<T>()?.chunks_exact(kept.len());
        for (target, part) in target.chunks_exact_mut(whole).zip(parts) {
            target[kept.clone()].copy_from_slice(part);
        }
        Ok(vec![Some(array(target, &shape)?)])
    }))
}

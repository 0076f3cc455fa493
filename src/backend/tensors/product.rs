//! Convolutions and products of matrices: what is computed in `bf16` under mixed precision.
//!
//! There, what is multiplied is rounded to `bf16`, the sum of products is kept in `f32`, and the result is
//! rounded to `bf16`. Weights stay in `f32`, and so does everything between these layers.

use candle_core::{DType, Result, Tensor};

use super::{Call, Convolution, Precision, TransposedConvolution};
use crate::plan;

/// A tensor as it takes part in a product.
fn factor(precision: Precision, tensor: &Tensor) -> Result<Tensor> {
    match (precision, tensor.device().is_cpu()) {
        (Precision::Full, _) => Ok(tensor.clone()),
        (Precision::Mixed, false) => tensor.to_dtype(DType::BF16),
        // candle has no products of `bf16` on the processor: there, the rounded numbers are multiplied as `f32`.
        (Precision::Mixed, true) => tensor.to_dtype(DType::BF16)?.to_dtype(DType::F32),
    }
}

/// A product as other layers read it.
fn product(precision: Precision, tensor: &Tensor) -> Result<Tensor> {
    match precision {
        Precision::Full => Ok(tensor.clone()),
        Precision::Mixed => tensor.to_dtype(DType::BF16)?.to_dtype(DType::F32),
    }
}

/// The last axis times a weight `[out, in]`, with a bias.
pub(super) fn project(
    precision: Precision,
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
) -> Result<Tensor> {
    let (outputs, features) = weight.dims2()?;
    let mut shape = x.dims().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = outputs;
    }
    let rows = factor(precision, &x.reshape(((), features))?)?;
    let given = rows.matmul(&factor(precision, weight)?.t()?)?;
    let given = product(precision, &given)?.reshape(shape)?;
    match bias {
        Some(bias) => given.broadcast_add(bias),
        None => Ok(given),
    }
}

/// Runs a function of images on images, or on signals, which are images of one row.
fn of_images(x: &Tensor, function: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    match x.rank() {
        3 => function(&x.unsqueeze(2)?)?.squeeze(2),
        _ => function(x),
    }
}

fn with_bias(call: &Call, has_bias: bool, x: &Tensor) -> Result<Tensor> {
    if !has_bias {
        return Ok(x.clone());
    }
    let bias = call.parameter(1)?;
    let ones = vec![1; x.rank().saturating_sub(2)];
    x.broadcast_add(&bias.reshape([vec![bias.elem_count()], ones].concat())?)
}

pub(super) fn convolution(call: &Call, attributes: &plan::Convolution) -> Result<Tensor> {
    let weight = factor(call.precision, call.parameter(0)?)?;
    let convolved = of_images(call.input()?, |x| {
        let x = factor(call.precision, x)?;
        #[cfg(feature = "cuda")]
        if x.device().is_cuda() {
            return crate::backend::cuda::convolve(&x, &weight, attributes);
        }
        convolve_by_operations(&x, &weight, attributes)
    })?;
    let convolved = product(call.precision, &convolved)?;
    with_bias(call, attributes.bias, &convolved)
}

fn convolve_by_operations(
    x: &Tensor,
    weight: &Tensor,
    attributes: &plan::Convolution,
) -> Result<Tensor> {
    let plan::Convolution {
        stride,
        padding,
        dilation,
        groups,
        ..
    } = *attributes;
    let (_, _, height, width) = x.dims4()?;
    if attributes.is_of_candle([height, width]) {
        return x.conv2d(weight, padding[0], stride[0], dilation[0], groups);
    }
    let convolution = Convolution {
        weight: weight.clone(),
        bias: None,
        stride,
        padding,
        dilation,
        groups,
    };
    convolution.forward(x)
}

pub(super) fn transposed_convolution(
    call: &Call,
    attributes: &plan::TransposedConvolution,
) -> Result<Tensor> {
    let weight = factor(call.precision, call.parameter(0)?)?;
    let convolved = of_images(call.input()?, |x| {
        let x = factor(call.precision, x)?;
        #[cfg(feature = "cuda")]
        if x.device().is_cuda() {
            return crate::backend::cuda::convolve_transposed(&x, &weight, attributes);
        }
        let plan::Convolution {
            stride,
            padding,
            dilation,
            groups,
            ..
        } = attributes.convolution;
        let convolution = TransposedConvolution {
            weight: weight.clone(),
            bias: None,
            stride,
            padding,
            output_padding: attributes.output_padding,
            dilation,
            groups,
        };
        convolution.forward(&x)
    })?;
    let convolved = product(call.precision, &convolved)?;
    with_bias(call, attributes.convolution.bias, &convolved)
}

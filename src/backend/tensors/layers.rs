//! What each layer computes, as operations on tensors.

#![warn(dead_code)]

use candle_core::{D, DType, Error, Result, Tensor};
use candle_nn::{Module, PReLU};

use super::{Call, Given, activation, attention, norm, pool, product, random};
use super::{
    bilinear, channel_shuffle, circular_pad, instance_norm, pad_zeros, put_before, reflect_pad,
    replicate_pad, upsample,
};
use crate::backend::kernels::embedding;
use crate::operations::Filling;
use crate::plan::Layer;

/// Computes a step: the layer, the norm that is fused with it, and the activation behind them.
pub(super) fn forward(call: &Call) -> Result<Given> {
    match &call.step.layer {
        Layer::BatchNorm {
            epsilon, momentum, ..
        } => norm::batch_norm(call, *epsilon, *momentum),
        _ => norm::fused(call, layer(call)?),
    }
}

fn layer(call: &Call) -> Result<Tensor> {
    let x = call.input()?;
    match &call.step.layer {
        Layer::Convolution(attributes) => product::convolution(call, attributes),
        Layer::TransposedConvolution(attributes) => {
            product::transposed_convolution(call, attributes)
        }
        Layer::Dense { bias, .. } => {
            let bias = bias.then(|| call.parameter(1)).transpose()?;
            product::project(call.precision, x, call.parameter(0)?, bias)
        }
        Layer::BatchNorm { .. } => Err(Error::Msg("a norm has state".to_owned())),
        Layer::LayerNorm { epsilon, .. } => norm::layer_norm(call, *epsilon),
        Layer::RmsNorm { epsilon, .. } => norm::rms_norm(call, *epsilon),
        Layer::GroupNorm {
            channels,
            groups,
            epsilon,
        } => norm::group_norm(call, *channels, *groups, *epsilon),
        Layer::InstanceNorm { epsilon } => instance_norm(x, *epsilon),
        Layer::LayerScale { .. } => norm::layer_scale(call),
        Layer::Activation(function) => activation::activate(*function, x),
        Layer::ParametricRelu { .. } => PReLU::new(call.parameter(0)?.clone(), false).forward(x),
        Layer::Softmax => candle_nn::ops::softmax(x, D::Minus1),
        Layer::Zero { shape } => {
            let shape = [&[x.dim(0)?], shape.as_slice()].concat();
            Tensor::zeros(shape, x.dtype(), x.device())
        }
        Layer::Pool(attributes) => pool::pool(call, attributes),
        Layer::GlobalPool(kind) => pool::global(call, *kind),
        Layer::AdaptivePool { kind, size } => pool::adaptive(call, *kind, *size),
        Layer::Upsample { factor } => upsample(x, *factor),
        Layer::Bilinear { factor } => bilinear(x, *factor),
        Layer::Dropout { rate } => random::dropout(call, *rate),
        Layer::DropPath { rate } => random::drop_path(call, *rate),
        Layer::Attention {
            heads,
            causal,
            bias,
            ..
        } => attention::attention(call, *heads, *causal, *bias),
        Layer::CrossAttention { heads, bias, .. } => {
            attention::cross_attention(call, *heads, *bias)
        }
        Layer::MaskedAttention { heads, .. } => attention::masked_attention(call, *heads),
        Layer::WindowAttention(attributes) => attention::window_attention(call, attributes),
        Layer::Embedding { count, .. } => look_up(call, *count),
        Layer::Positions { .. } => x.broadcast_add(call.parameter(0)?),
        Layer::ClassToken { .. } => put_before(x, call.parameter(0)?),
        Layer::Scale => {
            let [x, factors] = call.pair()?;
            let ones = vec![1; x.rank().saturating_sub(2)];
            x.broadcast_mul(&factors.reshape([factors.dims().to_vec(), ones].concat())?)
        }
        Layer::Add => folded(&call.inputs, |sum, next| sum + next),
        Layer::Multiply => folded(&call.inputs, |product, next| product * next),
        Layer::Concatenate => Tensor::cat(&call.inputs, 1),
        Layer::Flatten
        | Layer::Tokens
        | Layer::Transpose
        | Layer::Image { .. }
        | Layer::Token { .. }
        | Layer::TokenMean
        | Layer::Pad { .. }
        | Layer::Crop { .. }
        | Layer::PixelShuffle { .. }
        | Layer::PixelUnshuffle { .. }
        | Layer::ChannelShuffle { .. }
        | Layer::Slice { .. } => rearranged(&call.step.layer, x),
    }
}

/// What only moves numbers, or takes the mean of some.
fn rearranged(layer: &Layer, x: &Tensor) -> Result<Tensor> {
    match layer {
        Layer::Flatten => x.flatten_from(1),
        Layer::Tokens => x.flatten_from(2)?.transpose(1, 2)?.contiguous(),
        Layer::Transpose => x.transpose(1, 2)?.contiguous(),
        Layer::Image {
            size: [height, width],
        } => x.transpose(1, 2)?.reshape((x.dim(0)?, (), *height, *width)),
        Layer::Token { place } => x.narrow(1, *place, 1)?.squeeze(1),
        Layer::TokenMean => x.mean(1),
        Layer::Pad {
            filling,
            before,
            after,
        } => match filling {
            Filling::Zero => pad_zeros(x, *before, *after),
            Filling::Reflect => reflect_pad(x, *before, *after),
            Filling::Replicate => replicate_pad(x, *before, *after),
            Filling::Circular => circular_pad(x, *before, *after),
        },
        Layer::Crop { before, after } => {
            let (_, _, height, width) = x.dims4()?;
            let rows = x.narrow(2, before[0], height - before[0] - after[0])?;
            rows.narrow(3, before[1], width - before[1] - after[1])?
                .contiguous()
        }
        Layer::PixelShuffle { factor } => candle_nn::ops::pixel_shuffle(x, *factor),
        Layer::PixelUnshuffle { factor } => candle_nn::ops::pixel_unshuffle(x, *factor),
        Layer::ChannelShuffle { groups } => channel_shuffle(x, *groups),
        Layer::Slice { start, size } => x.narrow(1, *start, *size)?.contiguous(),
        _ => Err(Error::Msg(
            "this layer computes more than places".to_owned(),
        )),
    }
}

fn folded(inputs: &[Tensor], join: impl Fn(&Tensor, &Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let missing = || Error::Msg("nothing is joined".to_owned());
    let (first, rest) = inputs.split_first().ok_or_else(missing)?;
    rest.iter()
        .try_fold(first.clone(), |all, next| join(&all, next))
}

/// Rows of a table. The numbers are read back to the processor, to say which of them is none of a row.
fn look_up(call: &Call, count: usize) -> Result<Tensor> {
    let (x, table) = (call.input()?, call.parameter(0)?);
    let numbers = x.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let places = embedding::places(count, &numbers).map_err(|number| {
        Error::Msg(format!(
            "`{}` looks up whole numbers from 0 to {} and was given {number}",
            call.step.path,
            count - 1
        ))
    })?;
    let places: Vec<u32> = places.into_iter().map(|place| place as u32).collect();
    let rows = table.index_select(&Tensor::new(places, x.device())?, 0)?;
    rows.reshape([x.dims(), &[table.dim(1)?]].concat())
}

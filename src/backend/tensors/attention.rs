//! Attention of tensors: projections around what the heads find.

use candle_core::{D, Result, Tensor};
use candle_nn::Linear;

use super::product::project;
use super::{Call, WindowAttention, attend, causal, unmasked};
use crate::plan;

/// The projections inwards and outwards: a weight and perhaps a bias each.
type Projection<'a> = (&'a Tensor, Option<&'a Tensor>);

fn projections<'a>(call: &'a Call, bias: bool) -> Result<[Projection<'a>; 2]> {
    Ok(match bias {
        true => [
            (call.parameter(0)?, Some(call.parameter(1)?)),
            (call.parameter(2)?, Some(call.parameter(3)?)),
        ],
        false => [(call.parameter(0)?, None), (call.parameter(1)?, None)],
    })
}

/// Attention of the first input to itself. `seen` is one where a position sees another.
fn self_attention(call: &Call, heads: usize, bias: bool, seen: Option<&Tensor>) -> Result<Tensor> {
    let [inward, outward] = projections(call, bias)?;
    let parts = project(call.precision, call.input()?, inward.0, inward.1)?;
    let parts = parts.chunk(3, D::Minus1)?;
    let found = attend([&parts[0], &parts[1], &parts[2]], heads, seen)?;
    project(call.precision, &found, outward.0, outward.1)
}

pub(super) fn attention(call: &Call, heads: usize, is_causal: bool, bias: bool) -> Result<Tensor> {
    let seen = is_causal.then(|| causal(call.input()?)).transpose()?;
    self_attention(call, heads, bias, seen.as_ref())
}

pub(super) fn masked_attention(call: &Call, heads: usize) -> Result<Tensor> {
    let [_, mask] = call.pair()?;
    self_attention(call, heads, true, Some(&unmasked(mask)?))
}

pub(super) fn cross_attention(call: &Call, heads: usize, bias: bool) -> Result<Tensor> {
    let [x, context] = call.pair()?;
    let width = x.dim(D::Minus1)?;
    let inward = |place: usize, source: &Tensor| {
        let bias = match bias {
            true => Some(call.parameter(3)?.narrow(0, place * width, width)?),
            false => None,
        };
        project(
            call.precision,
            source,
            call.parameter(place)?,
            bias.as_ref(),
        )
    };
    let [query, key, value] = [inward(0, x)?, inward(1, context)?, inward(2, context)?];
    let found = attend([&query, &key, &value], heads, None)?;
    match bias {
        true => project(
            call.precision,
            &found,
            call.parameter(4)?,
            Some(call.parameter(5)?),
        ),
        false => project(call.precision, &found, call.parameter(3)?, None),
    }
}

/// In full precision, whatever that of the network is.
pub(super) fn window_attention(call: &Call, attributes: &plan::WindowAttention) -> Result<Tensor> {
    let x = call.input()?;
    let (_, _, height, width) = x.dims4()?;
    let linear = |place: usize| -> Result<Linear> {
        let (weight, bias) = (call.parameter(place)?, call.parameter(place + 1)?);
        Ok(Linear::new(weight.clone(), Some(bias.clone())))
    };
    let attention = WindowAttention {
        inward: linear(0)?,
        outward: linear(2)?,
        table: call.parameter(4)?.clone(),
        heads: attributes.heads,
        window: attributes.window,
        shifts: attributes.shifts([height, width]),
    };
    attention.forward(x)
}

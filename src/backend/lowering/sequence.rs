//! What makes sequences, reduces them or lays them out along other axes.

use candle_core::{Error, Result, Tensor};

use super::{Call, Given, tensor, view};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::{dense, embedding, sequence};

pub(super) fn embedding<T: Float>(call: &Call, count: usize, width: usize) -> Result<Given> {
    let input = call.input()?;
    let places = embedding::places(count, view(input).slice::<T>()?).map_err(|number| {
        Error::Msg(format!(
            "`{}` looks up whole numbers from 0 to {} and was given {number}",
            call.step.path,
            count - 1
        ))
    })?;
    let output = embedding::forward(width, &places, view(call.parameter(0)?).slice::<T>()?);
    let shape = [input.dims(), &[width]].concat();
    Ok(Given::new(tensor(output, &shape)?, move |gradient| {
        let size = [count, width];
        let values = embedding::backward(size, &places, view(gradient).slice::<T>()?);
        Ok(vec![None, Some(tensor(values, &size)?)])
    }))
}

pub(super) fn positions<T: Float>(call: &Call) -> Result<Given> {
    let (input, weight) = (call.input()?, call.parameter(0)?);
    let shape = weight.dims().to_vec();
    let output = sequence::add_to_each(view(input).slice::<T>()?, view(weight).slice()?);
    Ok(Given::new(tensor(output, input.dims())?, move |gradient| {
        let length = shape.iter().product();
        let sums = dense::sum_of_rows(length, view(gradient).slice::<T>()?);
        Ok(vec![Some(gradient.clone()), Some(tensor(sums, &shape)?)])
    }))
}

pub(super) fn class_token<T: Float>(call: &Call) -> Result<Given> {
    let (input, weight) = (call.input()?, call.parameter(0)?);
    let (batch, tokens, width) = input.dims3()?;
    let first = weight.detach().broadcast_as((batch, 1, width))?;
    let output = Tensor::cat(&[&first, input], 1)?.contiguous()?;
    Ok(Given::new(output, move |gradient| {
        let rest = gradient.narrow(1, 1, tokens)?.contiguous()?;
        let first = gradient.narrow(1, 0, 1)?.contiguous()?;
        let sums = dense::sum_of_rows(width, view(&first).slice::<T>()?);
        Ok(vec![Some(rest), Some(tensor(sums, &[width])?)])
    }))
}

pub(super) fn token(call: &Call, place: usize) -> Result<Given> {
    let input = call.input()?;
    let tokens = input.dim(1)?;
    let output = input.narrow(1, place, 1)?.squeeze(1)?.contiguous()?;
    Ok(Given::new(output, move |gradient| {
        let gradient = gradient.unsqueeze(1)?;
        let padded = gradient.pad_with_zeros(1, place, tokens - 1 - place)?;
        Ok(vec![Some(padded.contiguous()?)])
    }))
}

pub(super) fn token_mean<T: Float>(call: &Call) -> Result<Given> {
    let input = call.input()?;
    let (batch, tokens, width) = input.dims3()?;
    let output = sequence::mean([tokens, width], view(input).slice::<T>()?);
    Ok(Given::new(
        tensor(output, &[batch, width])?,
        move |gradient| {
            let values = sequence::mean_gradient([tokens, width], view(gradient).slice::<T>()?);
            Ok(vec![Some(tensor(values, &[batch, tokens, width])?)])
        },
    ))
}

/// The two last axes of `[n, rows, columns]` exchanged, as a tensor of this shape.
fn transposed<T: Float>(input: &Tensor, sizes: [usize; 2], shape: &[usize]) -> Result<Tensor> {
    tensor(sequence::transpose(sizes, view(input).slice::<T>()?), shape)
}

/// Exchanges `rows` and `columns` of the input, which may be of another shape, for an output of this
/// shape.
fn exchange<T: Float>(call: &Call, [rows, columns]: [usize; 2], output: &[usize]) -> Result<Given> {
    let input = call.input()?;
    let shape = input.dims().to_vec();
    let output = transposed::<T>(input, [rows, columns], output)?;
    Ok(Given::new(output, move |gradient| {
        let gradient = transposed::<T>(gradient, [columns, rows], &shape)?;
        Ok(vec![Some(gradient)])
    }))
}

pub(super) fn tokens<T: Float>(call: &Call) -> Result<Given> {
    let (batch, channels, height, width) = call.input()?.dims4()?;
    let positions = height * width;
    exchange::<T>(call, [channels, positions], &[batch, positions, channels])
}

pub(super) fn transpose<T: Float>(call: &Call) -> Result<Given> {
    let (batch, rows, columns) = call.input()?.dims3()?;
    exchange::<T>(call, [rows, columns], &[batch, columns, rows])
}

pub(super) fn image<T: Float>(call: &Call, [height, width]: [usize; 2]) -> Result<Given> {
    let (batch, positions, features) = call.input()?.dims3()?;
    let shape = [batch, features, height, width];
    exchange::<T>(call, [positions, features], &shape)
}

//! What makes sequences, reduces them or lays them out along other axes.

use candle_core::{Error, Result};

use super::{Array, Call, Given, array, memory, view};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::{dense, embedding, sequence};

pub(super) fn embedding<T: Float>(call: &Call, count: usize, width: usize) -> Result<Given> {
    let input = call.input()?;
    let places = embedding::places(count, input.slice::<T>()?).map_err(|number| {
        Error::Msg(format!(
            "`{}` looks up whole numbers from 0 to {} and was given {number}",
            call.step.path,
            count - 1
        ))
    })?;
    let output = embedding::forward(width, &places, view(call.parameter(0)?).slice::<T>()?);
    let shape = [input.dims(), &[width]].concat();
    Ok(Given::new(array(output, &shape)?, move |gradient| {
        let size = [count, width];
        let values = embedding::backward(size, &places, gradient.slice::<T>()?);
        Ok(vec![None, Some(array(values, &size)?)])
    }))
}

pub(super) fn positions<T: Float>(call: &Call) -> Result<Given> {
    let (input, weight) = (call.input()?, call.parameter(0)?);
    let shape = weight.dims().to_vec();
    let output = sequence::add_to_each(input.slice::<T>()?, view(weight).slice()?);
    Ok(Given::new(array(output, input.dims())?, move |gradient| {
        let length = shape.iter().product();
        let sums = dense::sum_of_rows(length, gradient.slice::<T>()?);
        Ok(vec![Some(gradient.clone()), Some(array(sums, &shape)?)])
    }))
}

pub(super) fn class_token<T: Float>(call: &Call) -> Result<Given> {
    let (input, weight) = (call.input()?, call.parameter(0)?);
    let [batch, tokens, width] = input.axes()?;
    let token = view(weight);
    let token = token.slice::<T>()?;
    let first = array(token.repeat(batch).into(), &[batch, 1, width])?;
    let output = Array::joined::<T>(&[first, input.clone()])?;
    Ok(Given::new(output, move |gradient| {
        let rest = gradient.part::<T>(1, tokens)?;
        let first = gradient.part::<T>(0, 1)?;
        let sums = dense::sum_of_rows(width, first.slice::<T>()?);
        Ok(vec![Some(rest), Some(array(sums, &[width])?)])
    }))
}

pub(super) fn token<T: Float>(call: &Call, place: usize) -> Result<Given> {
    let input = call.input()?;
    let [batch, tokens, width] = input.axes()?;
    let output = input.part::<T>(place, 1)?.reshape(&[batch, width])?;
    Ok(Given::new(output, move |gradient| {
        let mut target = memory::zeros::<T>(batch * tokens * width);
        let examples = target.chunks_exact_mut(tokens * width);
        for (example, row) in examples.zip(gradient.slice::<T>()?.chunks_exact(width)) {
            example[place * width..][..width].copy_from_slice(row);
        }
        Ok(vec![Some(array(target, &[batch, tokens, width])?)])
    }))
}

pub(super) fn token_mean<T: Float>(call: &Call) -> Result<Given> {
    let input = call.input()?;
    let [batch, tokens, width] = input.axes()?;
    let output = sequence::mean([tokens, width], input.slice::<T>()?);
    Ok(Given::new(
        array(output, &[batch, width])?,
        move |gradient| {
            let values = sequence::mean_gradient([tokens, width], gradient.slice::<T>()?);
            Ok(vec![Some(array(values, &[batch, tokens, width])?)])
        },
    ))
}

/// The two last axes of `[n, rows, columns]` exchanged, as a tensor of this shape.
fn transposed<T: Float>(input: &Array, sizes: [usize; 2], shape: &[usize]) -> Result<Array> {
    array(sequence::transpose(sizes, input.slice::<T>()?), shape)
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
    let [batch, channels, height, width] = call.input()?.axes()?;
    let positions = height * width;
    exchange::<T>(call, [channels, positions], &[batch, positions, channels])
}

pub(super) fn transpose<T: Float>(call: &Call) -> Result<Given> {
    let [batch, rows, columns] = call.input()?.axes()?;
    exchange::<T>(call, [rows, columns], &[batch, columns, rows])
}

pub(super) fn image<T: Float>(call: &Call, [height, width]: [usize; 2]) -> Result<Given> {
    let [batch, positions, features] = call.input()?.axes()?;
    let shape = [batch, features, height, width];
    exchange::<T>(call, [positions, features], &shape)
}

//! Dropout on tensors. Masks are drawn on the processor, by the function of the kernels: a network drops the
//! same numbers on every device.

use candle_core::{DType, Result, Tensor};

use super::Call;
use crate::backend::kernels::{dropout, float::Float};
use crate::backend::random::dropout_key;

/// What is drawn for each number of a tensor.
#[derive(Clone, Copy)]
enum Unit {
    Element,
    Example,
}

fn mask_of<T: Float>(rate: f64, key: u64, count: usize) -> Vec<T> {
    dropout::apply(rate, key, &vec![T::ONE; count]).to_vec()
}

fn dropped(call: &Call, rate: f64, unit: Unit) -> Result<Tensor> {
    let input = call.input()?;
    let Some(step) = call.training.filter(|_| rate > 0.0) else {
        return Ok(input.clone());
    };
    let shape = match unit {
        Unit::Element => input.dims().to_vec(),
        Unit::Example => {
            let ones = vec![1; input.rank().saturating_sub(1)];
            [vec![input.dim(0)?], ones].concat()
        }
    };
    let count = shape.iter().product();
    let key = dropout_key(call.seed, call.step.number, step);
    let mask = match input.dtype() {
        DType::F64 => Tensor::from_vec(mask_of::<f64>(rate, key, count), shape, input.device())?,
        _ => Tensor::from_vec(mask_of::<f32>(rate, key, count), shape, input.device())?,
    };
    input.broadcast_mul(&mask)
}

pub(super) fn dropout(call: &Call, rate: f64) -> Result<Tensor> {
    dropped(call, rate, Unit::Element)
}

pub(super) fn drop_path(call: &Call, rate: f64) -> Result<Tensor> {
    dropped(call, rate, Unit::Example)
}

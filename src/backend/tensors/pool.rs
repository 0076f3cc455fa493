//! Pooling of tensors.

use candle_core::{Error, Result, Tensor};

use super::{Call, Window, adaptive_pool, average_pool, largest, max_pool};
use crate::operations::Pooling;
use crate::plan::Pool;

pub(super) fn pool(call: &Call, attributes: &Pool) -> Result<Tensor> {
    let x = call.input()?;
    match x.rank() {
        3 => pool_images(call, &x.unsqueeze(2)?, attributes)?.squeeze(2),
        _ => pool_images(call, x, attributes),
    }
}

fn pool_images(call: &Call, x: &Tensor, attributes: &Pool) -> Result<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    let image = [height, width];
    let given = attributes
        .output_size(image)
        .ok_or_else(|| Error::Msg(format!("`{}`: the window does not fit", call.step.path)))?;
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        return crate::backend::cuda::pool(x, attributes, given);
    }
    let window = Window {
        kernel: attributes.kernel,
        stride: attributes.stride,
        before: attributes.padding,
        after: attributes.margin_behind(image, given),
    };
    match attributes.kind {
        Pooling::Maximum => max_pool(x, &window),
        Pooling::Average => average_pool(x, &window, attributes.counted_margins(window.after)),
    }
}

pub(super) fn adaptive(call: &Call, kind: Pooling, size: [usize; 2]) -> Result<Tensor> {
    adaptive_pool(call.input()?, size, |x, axis| match kind {
        Pooling::Maximum => largest(x, axis),
        Pooling::Average => x.mean_keepdim(axis),
    })
}

pub(super) fn global(call: &Call, kind: Pooling) -> Result<Tensor> {
    let flat = call.input()?.flatten_from(2)?;
    match kind {
        Pooling::Average => flat.mean(2),
        Pooling::Maximum => largest(&flat, 2)?.squeeze(2),
    }
}

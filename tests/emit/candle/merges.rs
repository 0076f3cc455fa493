//! The net `merges`, as snapc wrote it. Its weights lie in `merges.safetensors`.

use candle_core::{D, Result, Tensor};
use candle_nn::{GroupNorm, Linear, Module, VarBuilder};

pub struct Merges {
    groupnorm_0: GroupNorm,
    dense_0: Linear,
    dense_1: Linear,
    dense_2: Linear,
}

impl Merges {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Merges {
            groupnorm_0: {
                let vb = vb.pp("groupnorm.0");
                candle_nn::group_norm(3, 3, 1e-5, vb)?
            },
            dense_0: {
                let vb = vb.pp("dense.0");
                candle_nn::linear_no_bias(3, 3, vb)?
            },
            dense_1: {
                let vb = vb.pp("dense.1");
                candle_nn::linear(12, 4, vb)?
            },
            dense_2: {
                let vb = vb.pp("dense.2");
                candle_nn::linear(12, 4, vb)?
            },
        })
    }

    pub fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let mut x = x.clone();
        let mut y = x.narrow(1, 0, 2)?.contiguous()?;
        let mut z = x.narrow(1, 2, 2)?.contiguous()?;
        let u = x.narrow(1, 4, 2)?.contiguous()?;
        y = Tensor::cat(&[&y, &z, &u], 1)?;
        z = y.narrow(1, 0, 3)?.contiguous()?;
        y = y.narrow(1, 3, 3)?.contiguous()?;
        y = (&z * &y)?;
        z = self.groupnorm_0.forward(&y)?;
        z = z.silu()?;
        x = Tensor::zeros(&[x.dim(0)?, 3, 4, 4], x.dtype(), x.device())?;
        x = ((&y + &z)? + &x)?;
        y = x.flatten_from(2)?.mean(2)?;
        y = self.dense_0.forward(&y)?;
        y = candle_nn::ops::softmax(&y, D::Minus1)?;
        x = x.broadcast_mul(&y.reshape(((), 3, 1, 1))?)?;
        x = if train { candle_nn::ops::dropout(&x, 0.25)? } else { x.clone() };
        x = if train { drop_path(&x, 0.1)? } else { x.clone() };
        y = average_pool(&x, &Window { kernel: [3, 3], stride: [2, 2], before: [1, 1], after: [0, 0] }, [[1, 1], [0, 0]])?;
        y = y.flatten_from(1)?;
        y = self.dense_1.forward(&y)?;
        x = average_pool(&x, &Window { kernel: [2, 2], stride: [3, 3], before: [1, 1], after: [0, 0] }, [[1, 1], [0, 0]])?;
        x = x.flatten_from(1)?;
        x = self.dense_2.forward(&x)?;
        x = Tensor::cat(&[&y, &x], 1)?;
        Ok(x)
    }
}

/// The first element of an axis and those at multiples of a step.
fn every(x: &Tensor, axis: usize, step: usize) -> Result<Tensor> {
    if step == 1 {
        return Ok(x.clone());
    }
    let size = x.dim(axis)?;
    let count = size.div_ceil(step);
    let mut shape = x.dims().to_vec();
    shape[axis] = count;
    shape.insert(axis + 1, step);
    let x = x.pad_with_zeros(axis, 0, count * step - size)?.reshape(shape)?;
    x.narrow(axis + 1, 0, 1)?.squeeze(axis + 1)?.contiguous()
}

fn pad_zeros(x: &Tensor, before: [usize; 2], after: [usize; 2]) -> Result<Tensor> {
    x.pad_with_zeros(2, before[0], after[0])?.pad_with_zeros(3, before[1], after[1])
}

/// Margins filled with the nearest pixels.
fn replicate_pad(x: &Tensor, before: [usize; 2], after: [usize; 2]) -> Result<Tensor> {
    x.pad_with_same(2, before[0], after[0])?.pad_with_same(3, before[1], after[1])
}

/// A sliding window: its size, its step, and the padding before and behind the image.
struct Window {
    kernel: [usize; 2],
    stride: [usize; 2],
    before: [usize; 2],
    after: [usize; 2],
}

impl Window {
    /// The pixels under each tap of the window, wherever it lies, joined by `join`.
    fn over(&self, x: &Tensor, join: impl Fn(Tensor, Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let height = x.dim(2)? - self.kernel[0] + 1;
        let width = x.dim(3)? - self.kernel[1] + 1;
        let mut joined = None;
        for top in 0..self.kernel[0] {
            for left in 0..self.kernel[1] {
                let pixels = x.narrow(2, top, height)?.narrow(3, left, width)?;
                let pixels = every(&every(&pixels, 2, self.stride[0])?, 3, self.stride[1])?;
                joined = Some(match joined {
                    Some(joined) => join(joined, pixels)?,
                    None => pixels,
                });
            }
        }
        joined.ok_or_else(|| candle_core::Error::Msg("a window without pixels".to_string()))
    }
}

/// The mean of what lies in the image, and in so many rows and columns before and behind it.
fn average_pool(x: &Tensor, window: &Window, counted: [[usize; 2]; 2]) -> Result<Tensor> {
    let sum = |x: Tensor| window.over(&x, |x, y| x + y);
    let x = pad_zeros(x, window.before, window.after)?;
    let ones = replicate_pad(&ones_inside(&x, window)?, counted[0], counted[1])?;
    let rest = |margin: [usize; 2], counted: [usize; 2]| {
        [margin[0] - counted[0], margin[1] - counted[1]]
    };
    let (before, after) = (rest(window.before, counted[0]), rest(window.after, counted[1]));
    sum(x)?.broadcast_div(&sum(pad_zeros(&ones, before, after)?)?)
}

/// An image `[1, 1, h, w]` of ones, of the size that `x` had before it was padded.
fn ones_inside(x: &Tensor, window: &Window) -> Result<Tensor> {
    let height = x.dim(2)? - window.before[0] - window.after[0];
    let width = x.dim(3)? - window.before[1] - window.after[1];
    Tensor::ones((1, 1, height, width), x.dtype(), x.device())
}

/// Sets whole examples to zero with this probability, and scales the others.
fn drop_path(x: &Tensor, rate: f64) -> Result<Tensor> {
    let mut shape = vec![1; x.rank()];
    shape[0] = x.dim(0)?;
    let random = Tensor::rand(0f32, 1f32, shape, x.device())?;
    let kept = random.ge(rate)?.to_dtype(x.dtype())?;
    x.broadcast_mul(&(kept / (1.0 - rate))?)
}

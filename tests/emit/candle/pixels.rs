//! The net `pixels`, as snapc wrote it. Its weights lie in `pixels.safetensors`.

use candle_core::{Result, Tensor};
use candle_nn::{Conv2d, Conv2dConfig, Linear, Module, VarBuilder};

pub struct Pixels {
    conv_0: Conv2d,
    mixer_weights: Conv2d,
    conv_1: Conv2d,
    dense_0: Linear,
}

impl Pixels {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Pixels {
            conv_0: {
                let vb = vb.pp("conv.0");
                Conv2d::new(vb.get((16, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            mixer_weights: {
                let vb = vb.pp("mixer");
                Conv2d::new(vb.get((2, 2, 3, 3), "weight")?, Some(vb.get(2, "bias")?), Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            conv_1: {
                let vb = vb.pp("conv.1");
                Conv2d::new(vb.get((4, 2, 5, 5), "weight")?, None, Conv2dConfig { stride: 1, padding: 2, dilation: 1, groups: 1, ..Default::default() })
            },
            dense_0: {
                let vb = vb.pp("dense.0");
                candle_nn::linear(2, 2, vb)?
            },
        })
    }

    pub fn forward_t(&self, x: &Tensor, _train: bool) -> Result<(Tensor, Tensor)> {
        let mut x = x.clone();
        x = channel_shuffle(&x, 4)?;
        x = candle_nn::ops::pixel_unshuffle(&x, 2)?;
        x = self.conv_0.forward(&x)?;
        x = (&x * hard_sigmoid(&x)?)?;
        x = candle_nn::ops::pixel_shuffle(&x, 2)?;
        x = pad_zeros(&x, [1, 0], [2, 1])?;
        x = reflect_pad(&x, [2, 2], [2, 2])?;
        x = replicate_pad(&x, [0, 3], [0, 3])?;
        x = circular_pad(&x, [1, 1], [2, 1])?;
        x = x.narrow(2, 1, 10)?.narrow(3, 2, 9)?;
        x = x.narrow(1, 1, 2)?.contiguous()?;
        let mut y = upsample(&x, 2)?;
        x = bilinear(&x, 2)?;
        x = (&y + &x)?;
        y = self.mixer_weights.forward(&x)?;
        x = self.conv_1.forward(&x)?;
        x = x.clamp(0.0, 6.0)?;
        y = maximum(&y.flatten_from(2)?, 2)?.squeeze(2)?;
        y = hard_sigmoid(&y)?;
        y = self.dense_0.forward(&y)?;
        Ok((x.clone(), y.clone()))
    }
}

/// The elements of an axis at these places.
fn pick(x: &Tensor, axis: usize, places: Vec<usize>) -> Result<Tensor> {
    let places: Vec<u32> = places.into_iter().map(|place| place as u32).collect();
    let places = Tensor::new(places, x.device())?;
    x.contiguous()?.index_select(&places, axis)
}

fn pad_zeros(x: &Tensor, before: [usize; 2], after: [usize; 2]) -> Result<Tensor> {
    x.pad_with_zeros(2, before[0], after[0])?.pad_with_zeros(3, before[1], after[1])
}

/// Margins filled with the nearest pixels.
fn replicate_pad(x: &Tensor, before: [usize; 2], after: [usize; 2]) -> Result<Tensor> {
    x.pad_with_same(2, before[0], after[0])?.pad_with_same(3, before[1], after[1])
}

/// Margins filled with the image, mirrored at its outermost pixels.
fn reflect_pad(x: &Tensor, before: [usize; 2], after: [usize; 2]) -> Result<Tensor> {
    let mut x = x.clone();
    for axis in 0..2 {
        let size = x.dim(axis + 2)?;
        let head = (1..=before[axis]).rev();
        let tail = (0..after[axis]).map(|place| size - 2 - place);
        x = pick(&x, axis + 2, head.chain(0..size).chain(tail).collect())?;
    }
    Ok(x)
}

/// Margins filled with the image, as if it were repeated.
fn circular_pad(x: &Tensor, before: [usize; 2], after: [usize; 2]) -> Result<Tensor> {
    let mut x = x.clone();
    for axis in 0..2 {
        let size = x.dim(axis + 2)?;
        let head = size - before[axis]..size;
        x = pick(&x, axis + 2, head.chain(0..size).chain(0..after[axis]).collect())?;
    }
    Ok(x)
}

/// Bilinear interpolation; what lies beyond the outermost pixels has their values.
fn bilinear(x: &Tensor, factor: usize) -> Result<Tensor> {
    let mut x = x.clone();
    for axis in [3, 2] {
        let size = x.dim(axis)?;
        let place = |pixel: usize| {
            let place = (pixel as f64 + 0.5) / factor as f64 - 0.5;
            place.clamp(0.0, (size - 1) as f64)
        };
        let pixels = 0..size * factor;
        let low = pick(&x, axis, pixels.clone().map(|it| place(it) as usize).collect())?;
        let next = |pixel: usize| (place(pixel) as usize + 1).min(size - 1);
        let high = pick(&x, axis, pixels.clone().map(next).collect())?;
        let shares: Vec<f64> = pixels.map(|it| place(it).fract()).collect();
        let mut shape = vec![1; 4];
        shape[axis] = shares.len();
        let shares = Tensor::from_vec(shares, shape, x.device())?.to_dtype(x.dtype())?;
        x = (&low + (high - &low)?.broadcast_mul(&shares)?)?;
    }
    Ok(x)
}

fn channel_shuffle(x: &Tensor, groups: usize) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let x = x.reshape((n, groups, channels / groups, height * width))?;
    x.transpose(1, 2)?.reshape((n, channels, height, width))
}

fn hard_sigmoid(x: &Tensor) -> Result<Tensor> {
    (x + 3.0)?.clamp(0.0, 6.0)? / 6.0
}

/// The maximum along an axis, which keeps its place. Of equal ones the first gets the gradient.
fn maximum(x: &Tensor, axis: usize) -> Result<Tensor> {
    let x = x.contiguous()?;
    x.gather(&x.argmax_keepdim(axis)?, axis)
}



/// Each pixel repeated along both axes.
fn upsample(x: &Tensor, factor: usize) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let x = x.reshape((n, channels, height, 1, width, 1))?;
    let x = x.broadcast_as((n, channels, height, factor, width, factor))?;
    x.reshape((n, channels, height * factor, width * factor))
}

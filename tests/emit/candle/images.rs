//! The net `images`, as snapc wrote it. Its weights lie in `images.safetensors`.

use candle_core::{Result, Tensor};
use candle_nn::{BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Module, ModuleT, PReLU, VarBuilder};

pub struct Images {
    conv_0: Convolution,
    bn_0: BatchNorm,
    upconv_0: TransposedConvolution,
    dwconv_0: Conv2d,
    prelu_0: PReLU,
    conv_1: Conv2d,
    upconv_1: TransposedConvolution,
}

impl Images {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Images {
            conv_0: {
                let vb = vb.pp("conv.0");
                Convolution { weight: vb.get((8, 2, 3, 2), "weight")?, bias: Some(vb.get(8, "bias")?), stride: [2, 1], padding: [2, 0], dilation: [1, 2], groups: 2 }
            },
            bn_0: {
                let vb = vb.pp("bn.0");
                candle_nn::batch_norm(8, BatchNormConfig { eps: 0.001, momentum: 0.3, ..Default::default() }, vb)?
            },
            upconv_0: {
                let vb = vb.pp("upconv.0");
                TransposedConvolution { weight: vb.get((8, 3, 3, 2), "weight")?, bias: Some(vb.get(6, "bias")?), stride: [2, 3], padding: [1, 0], output_padding: [1, 2], dilation: [1, 1], groups: 2 }
            },
            dwconv_0: {
                let vb = vb.pp("dwconv.0");
                Conv2d::new(vb.get((6, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 6, ..Default::default() })
            },
            prelu_0: {
                let vb = vb.pp("prelu.0");
                candle_nn::prelu(Some(6), vb)?
            },
            conv_1: {
                let vb = vb.pp("conv.1");
                Conv2d::new(vb.get((6, 6, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            upconv_1: {
                let vb = vb.pp("upconv.1");
                TransposedConvolution { weight: vb.get((6, 6, 2, 2), "weight")?, bias: None, stride: [2, 2], padding: [0, 0], output_padding: [0, 0], dilation: [1, 1], groups: 1 }
            },
        })
    }

    pub fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let mut x = x.clone();
        x = self.conv_0.forward(&x)?;
        x = self.bn_0.forward_t(&x, train)?;
        x = x.relu()?;
        x = max_pool(&x, &Window { kernel: [3, 3], stride: [2, 2], before: [1, 1], after: [0, 0] })?;
        x = candle_nn::ops::leaky_relu(&x, 0.2)?;
        x = self.upconv_0.forward(&x)?;
        x = x.elu(0.7)?;
        x = average_pool(&x, &Window { kernel: [2, 2], stride: [3, 3], before: [1, 1], after: [1, 0] }, [[0, 0], [0, 0]])?;
        x = candle_nn::ops::sigmoid(&x)?;
        x = self.dwconv_0.forward(&x)?;
        x = self.prelu_0.forward(&x)?;
        x = max_pool(&x, &Window { kernel: [2, 3], stride: [1, 2], before: [0, 0], after: [0, 0] })?;
        x = (&x * softplus(&x)?.tanh()?)?;
        x = self.conv_1.forward(&x)?;
        x = self.upconv_1.forward(&x)?;
        x = x.tanh()?;
        x = adaptive_pool(&x, [4, 5], |x, axis| x.mean_keepdim(axis))?;
        x = adaptive_pool(&x, [3, 3], |x, axis| maximum(x, axis))?;
        Ok(x)
    }
}

/// A convolution whose attributes differ between the axes.
struct Convolution {
    weight: Tensor,
    bias: Option<Tensor>,
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
}

impl Convolution {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = pad_zeros(x, self.padding, self.padding)?;
        let x = convolve(&x, &self.weight, self.dilation, self.groups)?;
        let x = every(&x, 2, self.stride[0])?;
        add_bias(every(&x, 3, self.stride[1])?, self.bias.as_ref())
    }
}

/// The transpose of a convolution: the image spread by the stride and convolved with the turned
/// kernel.
struct TransposedConvolution {
    /// `[in, out / groups, height, width]`
    weight: Tensor,
    bias: Option<Tensor>,
    stride: [usize; 2],
    padding: [usize; 2],
    output_padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
}

impl TransposedConvolution {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (inputs, outputs, height, width) = self.weight.dims4()?;
        let groups = (self.groups, inputs / self.groups, outputs, height, width);
        let weight = self.weight.reshape(groups)?.transpose(1, 2)?;
        let shape = (self.groups * outputs, inputs / self.groups, height, width);
        let weight = turn(&turn(&weight.reshape(shape)?, 2)?, 3)?;
        let mut x = x.clone();
        for (axis, kernel) in [height, width].into_iter().enumerate() {
            x = spread(&x, axis + 2, self.stride[axis])?;
            let reach = self.dilation[axis] * (kernel - 1);
            let behind = reach + self.output_padding[axis];
            x = x.pad_with_zeros(axis + 2, reach, behind)?;
            let (cut, size) = (self.padding[axis], x.dim(axis + 2)?);
            x = x.narrow(axis + 2, cut, size - 2 * cut)?;
        }
        let x = convolve(&x.contiguous()?, &weight, self.dilation, self.groups)?;
        add_bias(x, self.bias.as_ref())
    }
}

/// A convolution of stride 1 without padding.
fn convolve(x: &Tensor, weight: &Tensor, dilation: [usize; 2], groups: usize) -> Result<Tensor> {
    if dilation[0] == dilation[1] {
        return x.conv2d(weight, 0, 1, dilation[0], groups);
    }
    let weight = spread(&spread(weight, 2, dilation[0])?, 3, dilation[1])?;
    x.conv2d(&weight.contiguous()?, 0, 1, 1, groups)
}

fn add_bias(x: Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    match bias {
        Some(bias) => x.broadcast_add(&bias.reshape((1, (), 1, 1))?),
        None => Ok(x),
    }
}

/// An axis with zeros between its elements, which come to lie this far apart.
fn spread(x: &Tensor, axis: usize, step: usize) -> Result<Tensor> {
    if step == 1 {
        return Ok(x.clone());
    }
    let size = x.dim(axis)?;
    let x = x.unsqueeze(axis + 1)?.pad_with_zeros(axis + 1, 0, step - 1)?;
    x.flatten(axis, axis + 1)?.narrow(axis, 0, (size - 1) * step + 1)
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

/// An axis from its end to its start.
fn turn(x: &Tensor, axis: usize) -> Result<Tensor> {
    let size = x.dim(axis)?;
    pick(x, axis, (0..size).rev().collect())
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

fn max_pool(x: &Tensor, window: &Window) -> Result<Tensor> {
    let x = pad_zeros(x, window.before, window.after)?;
    // What is zero in the margins must not be the maximum.
    let inside = pad_zeros(&ones_inside(&x, window)?, window.before, window.after)?;
    let low = ((inside - 1.0)? * 1e30)?;
    window.over(&x.broadcast_add(&low)?, |x, y| x.maximum(&y))
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

/// Windows that together cover the image, so many along each axis.
fn adaptive_pool(
    x: &Tensor,
    sizes: [usize; 2],
    reduce: impl Fn(&Tensor, usize) -> Result<Tensor>,
) -> Result<Tensor> {
    let mut x = x.clone();
    for (axis, to) in [(2, sizes[0]), (3, sizes[1])] {
        let from = x.dim(axis)?;
        let window = |place: usize| {
            let (start, end) = (place * from / to, ((place + 1) * from).div_ceil(to));
            reduce(&x.narrow(axis, start, end - start)?, axis)
        };
        let windows = (0..to).map(window).collect::<Result<Vec<_>>>()?;
        x = Tensor::cat(&windows, axis)?;
    }
    Ok(x)
}

/// `ln(1 + exp(x))`, without an overflow.
fn softplus(x: &Tensor) -> Result<Tensor> {
    x.relu()? + (x.abs()?.neg()?.exp()? + 1.0)?.log()?
}

/// The maximum along an axis, which keeps its place. Of equal ones the first gets the gradient.
fn maximum(x: &Tensor, axis: usize) -> Result<Tensor> {
    let x = x.contiguous()?;
    x.gather(&x.argmax_keepdim(axis)?, axis)
}



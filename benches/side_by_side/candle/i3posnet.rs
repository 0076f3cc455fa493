//! The net `i3posnet_48x92`, as snapc wrote it. Its weights lie in `i3posnet_48x92.safetensors`.

use candle_core::{Result, Tensor};
use candle_nn::{BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Linear, Module, ModuleT, VarBuilder};

pub struct I3posnet48x92 {
    i3posnet_0_conv_0: Conv2d,
    i3posnet_0_stage_0_conv_0: Conv2d,
    i3posnet_0_stage_0_bn_0: BatchNorm,
    i3posnet_0_stage_0_conv_1: Conv2d,
    i3posnet_0_stage_0_bn_1: BatchNorm,
    i3posnet_0_stage_0_conv_2: Conv2d,
    i3posnet_0_stage_1_conv_0: Conv2d,
    i3posnet_0_stage_1_bn_0: BatchNorm,
    i3posnet_0_stage_1_conv_1: Conv2d,
    i3posnet_0_stage_1_bn_1: BatchNorm,
    i3posnet_0_stage_1_conv_2: Conv2d,
    i3posnet_0_stage_2_conv_0: Conv2d,
    i3posnet_0_stage_2_bn_0: BatchNorm,
    i3posnet_0_stage_2_conv_1: Conv2d,
    i3posnet_0_stage_2_bn_1: BatchNorm,
    i3posnet_0_stage_2_conv_2: Convolution,
    i3posnet_0_dense_0: Linear,
    i3posnet_0_bn_0: BatchNorm,
    i3posnet_0_dense_1: Linear,
    i3posnet_0_bn_1: BatchNorm,
    i3posnet_0_dense_2: Linear,
    i3posnet_0_bn_2: BatchNorm,
    i3posnet_0_dense_3: Linear,
}

impl I3posnet48x92 {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(I3posnet48x92 {
            i3posnet_0_conv_0: {
                let vb = vb.pp("i3posnet.0.conv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, Some(vb.get(32, "bias")?), Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            i3posnet_0_stage_0_conv_0: {
                let vb = vb.pp("i3posnet.0.stage.0.conv.0");
                Conv2d::new(vb.get((32, 32, 3, 3), "weight")?, Some(vb.get(32, "bias")?), Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            i3posnet_0_stage_0_bn_0: {
                let vb = vb.pp("i3posnet.0.stage.0.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            i3posnet_0_stage_0_conv_1: {
                let vb = vb.pp("i3posnet.0.stage.0.conv.1");
                Conv2d::new(vb.get((32, 32, 3, 3), "weight")?, Some(vb.get(32, "bias")?), Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            i3posnet_0_stage_0_bn_1: {
                let vb = vb.pp("i3posnet.0.stage.0.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            i3posnet_0_stage_0_conv_2: {
                let vb = vb.pp("i3posnet.0.stage.0.conv.2");
                Conv2d::new(vb.get((32, 32, 3, 3), "weight")?, Some(vb.get(32, "bias")?), Conv2dConfig { stride: 2, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            i3posnet_0_stage_1_conv_0: {
                let vb = vb.pp("i3posnet.0.stage.1.conv.0");
                Conv2d::new(vb.get((64, 32, 3, 3), "weight")?, Some(vb.get(64, "bias")?), Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            i3posnet_0_stage_1_bn_0: {
                let vb = vb.pp("i3posnet.0.stage.1.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            i3posnet_0_stage_1_conv_1: {
                let vb = vb.pp("i3posnet.0.stage.1.conv.1");
                Conv2d::new(vb.get((64, 64, 3, 3), "weight")?, Some(vb.get(64, "bias")?), Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            i3posnet_0_stage_1_bn_1: {
                let vb = vb.pp("i3posnet.0.stage.1.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            i3posnet_0_stage_1_conv_2: {
                let vb = vb.pp("i3posnet.0.stage.1.conv.2");
                Conv2d::new(vb.get((64, 64, 3, 3), "weight")?, Some(vb.get(64, "bias")?), Conv2dConfig { stride: 2, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            i3posnet_0_stage_2_conv_0: {
                let vb = vb.pp("i3posnet.0.stage.2.conv.0");
                Conv2d::new(vb.get((128, 64, 3, 3), "weight")?, Some(vb.get(128, "bias")?), Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            i3posnet_0_stage_2_bn_0: {
                let vb = vb.pp("i3posnet.0.stage.2.bn.0");
                candle_nn::batch_norm(128, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            i3posnet_0_stage_2_conv_1: {
                let vb = vb.pp("i3posnet.0.stage.2.conv.1");
                Conv2d::new(vb.get((128, 128, 3, 3), "weight")?, Some(vb.get(128, "bias")?), Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            i3posnet_0_stage_2_bn_1: {
                let vb = vb.pp("i3posnet.0.stage.2.bn.1");
                candle_nn::batch_norm(128, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            i3posnet_0_stage_2_conv_2: {
                let vb = vb.pp("i3posnet.0.stage.2.conv.2");
                Convolution { weight: vb.get((128, 128, 3, 3), "weight")?, bias: Some(vb.get(128, "bias")?), stride: [2, 2], padding: [1, 1], dilation: [1, 1], groups: 1 }
            },
            i3posnet_0_dense_0: {
                let vb = vb.pp("i3posnet.0.dense.0");
                candle_nn::linear(9216, 256, vb)?
            },
            i3posnet_0_bn_0: {
                let vb = vb.pp("i3posnet.0.bn.0");
                candle_nn::batch_norm(256, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            i3posnet_0_dense_1: {
                let vb = vb.pp("i3posnet.0.dense.1");
                candle_nn::linear(256, 128, vb)?
            },
            i3posnet_0_bn_1: {
                let vb = vb.pp("i3posnet.0.bn.1");
                candle_nn::batch_norm(128, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            i3posnet_0_dense_2: {
                let vb = vb.pp("i3posnet.0.dense.2");
                candle_nn::linear(128, 64, vb)?
            },
            i3posnet_0_bn_2: {
                let vb = vb.pp("i3posnet.0.bn.2");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            i3posnet_0_dense_3: {
                let vb = vb.pp("i3posnet.0.dense.3");
                candle_nn::linear(64, 12, vb)?
            },
        })
    }

    pub fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let mut x = x.clone();

        // i3posnet.0
        x = self.i3posnet_0_conv_0.forward(&x)?;
        x = x.relu()?;

        // i3posnet.0.stage.0
        x = self.i3posnet_0_stage_0_conv_0.forward(&x)?;
        x = x.relu()?;
        x = self.i3posnet_0_stage_0_bn_0.forward_t(&x, train)?;
        x = self.i3posnet_0_stage_0_conv_1.forward(&x)?;
        x = x.relu()?;
        x = self.i3posnet_0_stage_0_bn_1.forward_t(&x, train)?;
        x = self.i3posnet_0_stage_0_conv_2.forward(&x)?;
        x = x.relu()?;

        // i3posnet.0.stage.1
        x = self.i3posnet_0_stage_1_conv_0.forward(&x)?;
        x = x.relu()?;
        x = self.i3posnet_0_stage_1_bn_0.forward_t(&x, train)?;
        x = self.i3posnet_0_stage_1_conv_1.forward(&x)?;
        x = x.relu()?;
        x = self.i3posnet_0_stage_1_bn_1.forward_t(&x, train)?;
        x = self.i3posnet_0_stage_1_conv_2.forward(&x)?;
        x = x.relu()?;

        // i3posnet.0.stage.2
        x = self.i3posnet_0_stage_2_conv_0.forward(&x)?;
        x = x.relu()?;
        x = self.i3posnet_0_stage_2_bn_0.forward_t(&x, train)?;
        x = self.i3posnet_0_stage_2_conv_1.forward(&x)?;
        x = x.relu()?;
        x = self.i3posnet_0_stage_2_bn_1.forward_t(&x, train)?;
        x = self.i3posnet_0_stage_2_conv_2.forward(&x)?;
        x = x.relu()?;

        // i3posnet.0
        x = x.flatten_from(1)?;
        x = self.i3posnet_0_dense_0.forward(&x)?;
        x = x.relu()?;
        x = self.i3posnet_0_bn_0.forward_t(&x, train)?;
        x = self.i3posnet_0_dense_1.forward(&x)?;
        x = x.relu()?;
        x = self.i3posnet_0_bn_1.forward_t(&x, train)?;
        x = self.i3posnet_0_dense_2.forward(&x)?;
        x = x.relu()?;
        x = self.i3posnet_0_bn_2.forward_t(&x, train)?;
        x = self.i3posnet_0_dense_3.forward(&x)?;
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

fn pad_zeros(x: &Tensor, before: [usize; 2], after: [usize; 2]) -> Result<Tensor> {
    x.pad_with_zeros(2, before[0], after[0])?.pad_with_zeros(3, before[1], after[1])
}

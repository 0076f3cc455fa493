//! The net `resnet20`, as snapc wrote it. Its weights lie in `resnet20.safetensors`.

use candle_core::{Result, Tensor};
use candle_nn::{BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Linear, Module, ModuleT, VarBuilder};

pub struct Resnet20 {
    conv_0: Conv2d,
    bn_0: BatchNorm,
    basic_0_conv_0: Conv2d,
    basic_0_bn_0: BatchNorm,
    basic_0_conv_1: Conv2d,
    basic_0_bn_1: BatchNorm,
    basic_1_conv_0: Conv2d,
    basic_1_bn_0: BatchNorm,
    basic_1_conv_1: Conv2d,
    basic_1_bn_1: BatchNorm,
    basic_2_conv_0: Conv2d,
    basic_2_bn_0: BatchNorm,
    basic_2_conv_1: Conv2d,
    basic_2_bn_1: BatchNorm,
    basic_3_conv_0: Conv2d,
    basic_3_bn_0: BatchNorm,
    basic_3_conv_1: Conv2d,
    basic_3_bn_1: BatchNorm,
    basic_3_conv_2: Conv2d,
    basic_3_bn_2: BatchNorm,
    basic_4_conv_0: Conv2d,
    basic_4_bn_0: BatchNorm,
    basic_4_conv_1: Conv2d,
    basic_4_bn_1: BatchNorm,
    basic_5_conv_0: Conv2d,
    basic_5_bn_0: BatchNorm,
    basic_5_conv_1: Conv2d,
    basic_5_bn_1: BatchNorm,
    basic_6_conv_0: Conv2d,
    basic_6_bn_0: BatchNorm,
    basic_6_conv_1: Conv2d,
    basic_6_bn_1: BatchNorm,
    basic_6_conv_2: Conv2d,
    basic_6_bn_2: BatchNorm,
    basic_7_conv_0: Conv2d,
    basic_7_bn_0: BatchNorm,
    basic_7_conv_1: Conv2d,
    basic_7_bn_1: BatchNorm,
    basic_8_conv_0: Conv2d,
    basic_8_bn_0: BatchNorm,
    basic_8_conv_1: Conv2d,
    basic_8_bn_1: BatchNorm,
    dense_0: Linear,
}

impl Resnet20 {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Resnet20 {
            conv_0: {
                let vb = vb.pp("conv.0");
                Conv2d::new(vb.get((16, 3, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            bn_0: {
                let vb = vb.pp("bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_0_conv_0: {
                let vb = vb.pp("basic.0.conv.0");
                Conv2d::new(vb.get((16, 16, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_0_bn_0: {
                let vb = vb.pp("basic.0.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_0_conv_1: {
                let vb = vb.pp("basic.0.conv.1");
                Conv2d::new(vb.get((16, 16, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_0_bn_1: {
                let vb = vb.pp("basic.0.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_1_conv_0: {
                let vb = vb.pp("basic.1.conv.0");
                Conv2d::new(vb.get((16, 16, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_1_bn_0: {
                let vb = vb.pp("basic.1.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_1_conv_1: {
                let vb = vb.pp("basic.1.conv.1");
                Conv2d::new(vb.get((16, 16, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_1_bn_1: {
                let vb = vb.pp("basic.1.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_2_conv_0: {
                let vb = vb.pp("basic.2.conv.0");
                Conv2d::new(vb.get((16, 16, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_2_bn_0: {
                let vb = vb.pp("basic.2.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_2_conv_1: {
                let vb = vb.pp("basic.2.conv.1");
                Conv2d::new(vb.get((16, 16, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_2_bn_1: {
                let vb = vb.pp("basic.2.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_3_conv_0: {
                let vb = vb.pp("basic.3.conv.0");
                Conv2d::new(vb.get((32, 16, 3, 3), "weight")?, None, Conv2dConfig { stride: 2, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_3_bn_0: {
                let vb = vb.pp("basic.3.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_3_conv_1: {
                let vb = vb.pp("basic.3.conv.1");
                Conv2d::new(vb.get((32, 32, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_3_bn_1: {
                let vb = vb.pp("basic.3.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_3_conv_2: {
                let vb = vb.pp("basic.3.conv.2");
                Conv2d::new(vb.get((32, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 2, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_3_bn_2: {
                let vb = vb.pp("basic.3.bn.2");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_4_conv_0: {
                let vb = vb.pp("basic.4.conv.0");
                Conv2d::new(vb.get((32, 32, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_4_bn_0: {
                let vb = vb.pp("basic.4.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_4_conv_1: {
                let vb = vb.pp("basic.4.conv.1");
                Conv2d::new(vb.get((32, 32, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_4_bn_1: {
                let vb = vb.pp("basic.4.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_5_conv_0: {
                let vb = vb.pp("basic.5.conv.0");
                Conv2d::new(vb.get((32, 32, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_5_bn_0: {
                let vb = vb.pp("basic.5.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_5_conv_1: {
                let vb = vb.pp("basic.5.conv.1");
                Conv2d::new(vb.get((32, 32, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_5_bn_1: {
                let vb = vb.pp("basic.5.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_6_conv_0: {
                let vb = vb.pp("basic.6.conv.0");
                Conv2d::new(vb.get((64, 32, 3, 3), "weight")?, None, Conv2dConfig { stride: 2, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_6_bn_0: {
                let vb = vb.pp("basic.6.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_6_conv_1: {
                let vb = vb.pp("basic.6.conv.1");
                Conv2d::new(vb.get((64, 64, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_6_bn_1: {
                let vb = vb.pp("basic.6.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_6_conv_2: {
                let vb = vb.pp("basic.6.conv.2");
                Conv2d::new(vb.get((64, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 2, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_6_bn_2: {
                let vb = vb.pp("basic.6.bn.2");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_7_conv_0: {
                let vb = vb.pp("basic.7.conv.0");
                Conv2d::new(vb.get((64, 64, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_7_bn_0: {
                let vb = vb.pp("basic.7.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_7_conv_1: {
                let vb = vb.pp("basic.7.conv.1");
                Conv2d::new(vb.get((64, 64, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_7_bn_1: {
                let vb = vb.pp("basic.7.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_8_conv_0: {
                let vb = vb.pp("basic.8.conv.0");
                Conv2d::new(vb.get((64, 64, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_8_bn_0: {
                let vb = vb.pp("basic.8.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            basic_8_conv_1: {
                let vb = vb.pp("basic.8.conv.1");
                Conv2d::new(vb.get((64, 64, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            basic_8_bn_1: {
                let vb = vb.pp("basic.8.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            dense_0: {
                let vb = vb.pp("dense.0");
                candle_nn::linear(64, 10, vb)?
            },
        })
    }

    pub fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let mut x = x.clone();
        x = self.conv_0.forward(&x)?;
        x = self.bn_0.forward_t(&x, train)?;
        x = x.relu()?;

        // basic.0
        let mut y = self.basic_0_conv_0.forward(&x)?;
        y = self.basic_0_bn_0.forward_t(&y, train)?;
        y = y.relu()?;
        y = self.basic_0_conv_1.forward(&y)?;
        y = self.basic_0_bn_1.forward_t(&y, train)?;
        x = (&y + &x)?;
        x = x.relu()?;

        // basic.1
        y = self.basic_1_conv_0.forward(&x)?;
        y = self.basic_1_bn_0.forward_t(&y, train)?;
        y = y.relu()?;
        y = self.basic_1_conv_1.forward(&y)?;
        y = self.basic_1_bn_1.forward_t(&y, train)?;
        x = (&y + &x)?;
        x = x.relu()?;

        // basic.2
        y = self.basic_2_conv_0.forward(&x)?;
        y = self.basic_2_bn_0.forward_t(&y, train)?;
        y = y.relu()?;
        y = self.basic_2_conv_1.forward(&y)?;
        y = self.basic_2_bn_1.forward_t(&y, train)?;
        x = (&y + &x)?;
        x = x.relu()?;

        // basic.3
        y = self.basic_3_conv_0.forward(&x)?;
        y = self.basic_3_bn_0.forward_t(&y, train)?;
        y = y.relu()?;
        y = self.basic_3_conv_1.forward(&y)?;
        y = self.basic_3_bn_1.forward_t(&y, train)?;
        x = self.basic_3_conv_2.forward(&x)?;
        x = self.basic_3_bn_2.forward_t(&x, train)?;
        x = (&y + &x)?;
        x = x.relu()?;

        // basic.4
        y = self.basic_4_conv_0.forward(&x)?;
        y = self.basic_4_bn_0.forward_t(&y, train)?;
        y = y.relu()?;
        y = self.basic_4_conv_1.forward(&y)?;
        y = self.basic_4_bn_1.forward_t(&y, train)?;
        x = (&y + &x)?;
        x = x.relu()?;

        // basic.5
        y = self.basic_5_conv_0.forward(&x)?;
        y = self.basic_5_bn_0.forward_t(&y, train)?;
        y = y.relu()?;
        y = self.basic_5_conv_1.forward(&y)?;
        y = self.basic_5_bn_1.forward_t(&y, train)?;
        x = (&y + &x)?;
        x = x.relu()?;

        // basic.6
        y = self.basic_6_conv_0.forward(&x)?;
        y = self.basic_6_bn_0.forward_t(&y, train)?;
        y = y.relu()?;
        y = self.basic_6_conv_1.forward(&y)?;
        y = self.basic_6_bn_1.forward_t(&y, train)?;
        x = self.basic_6_conv_2.forward(&x)?;
        x = self.basic_6_bn_2.forward_t(&x, train)?;
        x = (&y + &x)?;
        x = x.relu()?;

        // basic.7
        y = self.basic_7_conv_0.forward(&x)?;
        y = self.basic_7_bn_0.forward_t(&y, train)?;
        y = y.relu()?;
        y = self.basic_7_conv_1.forward(&y)?;
        y = self.basic_7_bn_1.forward_t(&y, train)?;
        x = (&y + &x)?;
        x = x.relu()?;

        // basic.8
        y = self.basic_8_conv_0.forward(&x)?;
        y = self.basic_8_bn_0.forward_t(&y, train)?;
        y = y.relu()?;
        y = self.basic_8_conv_1.forward(&y)?;
        y = self.basic_8_bn_1.forward_t(&y, train)?;
        x = (&y + &x)?;
        x = x.relu()?;

        x = x.flatten_from(2)?.mean(2)?;
        x = self.dense_0.forward(&x)?;
        Ok(x)
    }
}

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
    i3posnet_0_stage_2_conv_2: Conv2d,
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
                Conv2d::new(vb.get((128, 128, 3, 3), "weight")?, Some(vb.get(128, "bias")?), Conv2dConfig { stride: 2, padding: 1, dilation: 1, groups: 1, ..Default::default() })
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

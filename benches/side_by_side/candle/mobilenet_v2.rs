//! The net `mobilenet_v2_32`, as snapc wrote it. Its weights lie in `mobilenet_v2_32.safetensors`.

use candle_core::{Result, Tensor};
use candle_nn::{BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Linear, Module, ModuleT, VarBuilder};

pub struct MobilenetV232 {
    conv_0: Conv2d,
    bn_0: BatchNorm,
    inverted_residual_0_dwconv_0: Conv2d,
    inverted_residual_0_bn_0: BatchNorm,
    inverted_residual_0_conv_0: Conv2d,
    inverted_residual_0_bn_1: BatchNorm,
    inverted_residual_1_conv_0: Conv2d,
    inverted_residual_1_bn_0: BatchNorm,
    inverted_residual_1_dwconv_0: Conv2d,
    inverted_residual_1_bn_1: BatchNorm,
    inverted_residual_1_conv_1: Conv2d,
    inverted_residual_1_bn_2: BatchNorm,
    inverted_residual_2_conv_0: Conv2d,
    inverted_residual_2_bn_0: BatchNorm,
    inverted_residual_2_dwconv_0: Conv2d,
    inverted_residual_2_bn_1: BatchNorm,
    inverted_residual_2_conv_1: Conv2d,
    inverted_residual_2_bn_2: BatchNorm,
    inverted_residual_3_conv_0: Conv2d,
    inverted_residual_3_bn_0: BatchNorm,
    inverted_residual_3_dwconv_0: Conv2d,
    inverted_residual_3_bn_1: BatchNorm,
    inverted_residual_3_conv_1: Conv2d,
    inverted_residual_3_bn_2: BatchNorm,
    inverted_residual_4_conv_0: Conv2d,
    inverted_residual_4_bn_0: BatchNorm,
    inverted_residual_4_dwconv_0: Conv2d,
    inverted_residual_4_bn_1: BatchNorm,
    inverted_residual_4_conv_1: Conv2d,
    inverted_residual_4_bn_2: BatchNorm,
    inverted_residual_5_conv_0: Conv2d,
    inverted_residual_5_bn_0: BatchNorm,
    inverted_residual_5_dwconv_0: Conv2d,
    inverted_residual_5_bn_1: BatchNorm,
    inverted_residual_5_conv_1: Conv2d,
    inverted_residual_5_bn_2: BatchNorm,
    inverted_residual_6_conv_0: Conv2d,
    inverted_residual_6_bn_0: BatchNorm,
    inverted_residual_6_dwconv_0: Conv2d,
    inverted_residual_6_bn_1: BatchNorm,
    inverted_residual_6_conv_1: Conv2d,
    inverted_residual_6_bn_2: BatchNorm,
    inverted_residual_7_conv_0: Conv2d,
    inverted_residual_7_bn_0: BatchNorm,
    inverted_residual_7_dwconv_0: Conv2d,
    inverted_residual_7_bn_1: BatchNorm,
    inverted_residual_7_conv_1: Conv2d,
    inverted_residual_7_bn_2: BatchNorm,
    inverted_residual_8_conv_0: Conv2d,
    inverted_residual_8_bn_0: BatchNorm,
    inverted_residual_8_dwconv_0: Conv2d,
    inverted_residual_8_bn_1: BatchNorm,
    inverted_residual_8_conv_1: Conv2d,
    inverted_residual_8_bn_2: BatchNorm,
    inverted_residual_9_conv_0: Conv2d,
    inverted_residual_9_bn_0: BatchNorm,
    inverted_residual_9_dwconv_0: Conv2d,
    inverted_residual_9_bn_1: BatchNorm,
    inverted_residual_9_conv_1: Conv2d,
    inverted_residual_9_bn_2: BatchNorm,
    conv_1: Conv2d,
    bn_1: BatchNorm,
    dense_0: Linear,
}

impl MobilenetV232 {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(MobilenetV232 {
            conv_0: {
                let vb = vb.pp("conv.0");
                Conv2d::new(vb.get((32, 3, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            bn_0: {
                let vb = vb.pp("bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_0_dwconv_0: {
                let vb = vb.pp("inverted_residual.0.dwconv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            inverted_residual_0_bn_0: {
                let vb = vb.pp("inverted_residual.0.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_0_conv_0: {
                let vb = vb.pp("inverted_residual.0.conv.0");
                Conv2d::new(vb.get((16, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_0_bn_1: {
                let vb = vb.pp("inverted_residual.0.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_1_conv_0: {
                let vb = vb.pp("inverted_residual.1.conv.0");
                Conv2d::new(vb.get((96, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_1_bn_0: {
                let vb = vb.pp("inverted_residual.1.bn.0");
                candle_nn::batch_norm(96, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_1_dwconv_0: {
                let vb = vb.pp("inverted_residual.1.dwconv.0");
                Conv2d::new(vb.get((96, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 96, ..Default::default() })
            },
            inverted_residual_1_bn_1: {
                let vb = vb.pp("inverted_residual.1.bn.1");
                candle_nn::batch_norm(96, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_1_conv_1: {
                let vb = vb.pp("inverted_residual.1.conv.1");
                Conv2d::new(vb.get((24, 96, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_1_bn_2: {
                let vb = vb.pp("inverted_residual.1.bn.2");
                candle_nn::batch_norm(24, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_2_conv_0: {
                let vb = vb.pp("inverted_residual.2.conv.0");
                Conv2d::new(vb.get((144, 24, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_2_bn_0: {
                let vb = vb.pp("inverted_residual.2.bn.0");
                candle_nn::batch_norm(144, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_2_dwconv_0: {
                let vb = vb.pp("inverted_residual.2.dwconv.0");
                Conv2d::new(vb.get((144, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 144, ..Default::default() })
            },
            inverted_residual_2_bn_1: {
                let vb = vb.pp("inverted_residual.2.bn.1");
                candle_nn::batch_norm(144, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_2_conv_1: {
                let vb = vb.pp("inverted_residual.2.conv.1");
                Conv2d::new(vb.get((24, 144, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_2_bn_2: {
                let vb = vb.pp("inverted_residual.2.bn.2");
                candle_nn::batch_norm(24, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_3_conv_0: {
                let vb = vb.pp("inverted_residual.3.conv.0");
                Conv2d::new(vb.get((144, 24, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_3_bn_0: {
                let vb = vb.pp("inverted_residual.3.bn.0");
                candle_nn::batch_norm(144, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_3_dwconv_0: {
                let vb = vb.pp("inverted_residual.3.dwconv.0");
                Conv2d::new(vb.get((144, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 2, padding: 1, dilation: 1, groups: 144, ..Default::default() })
            },
            inverted_residual_3_bn_1: {
                let vb = vb.pp("inverted_residual.3.bn.1");
                candle_nn::batch_norm(144, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_3_conv_1: {
                let vb = vb.pp("inverted_residual.3.conv.1");
                Conv2d::new(vb.get((32, 144, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_3_bn_2: {
                let vb = vb.pp("inverted_residual.3.bn.2");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_4_conv_0: {
                let vb = vb.pp("inverted_residual.4.conv.0");
                Conv2d::new(vb.get((192, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_4_bn_0: {
                let vb = vb.pp("inverted_residual.4.bn.0");
                candle_nn::batch_norm(192, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_4_dwconv_0: {
                let vb = vb.pp("inverted_residual.4.dwconv.0");
                Conv2d::new(vb.get((192, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 192, ..Default::default() })
            },
            inverted_residual_4_bn_1: {
                let vb = vb.pp("inverted_residual.4.bn.1");
                candle_nn::batch_norm(192, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_4_conv_1: {
                let vb = vb.pp("inverted_residual.4.conv.1");
                Conv2d::new(vb.get((32, 192, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_4_bn_2: {
                let vb = vb.pp("inverted_residual.4.bn.2");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_5_conv_0: {
                let vb = vb.pp("inverted_residual.5.conv.0");
                Conv2d::new(vb.get((192, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_5_bn_0: {
                let vb = vb.pp("inverted_residual.5.bn.0");
                candle_nn::batch_norm(192, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_5_dwconv_0: {
                let vb = vb.pp("inverted_residual.5.dwconv.0");
                Conv2d::new(vb.get((192, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 192, ..Default::default() })
            },
            inverted_residual_5_bn_1: {
                let vb = vb.pp("inverted_residual.5.bn.1");
                candle_nn::batch_norm(192, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_5_conv_1: {
                let vb = vb.pp("inverted_residual.5.conv.1");
                Conv2d::new(vb.get((32, 192, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_5_bn_2: {
                let vb = vb.pp("inverted_residual.5.bn.2");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_6_conv_0: {
                let vb = vb.pp("inverted_residual.6.conv.0");
                Conv2d::new(vb.get((192, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_6_bn_0: {
                let vb = vb.pp("inverted_residual.6.bn.0");
                candle_nn::batch_norm(192, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_6_dwconv_0: {
                let vb = vb.pp("inverted_residual.6.dwconv.0");
                Conv2d::new(vb.get((192, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 2, padding: 1, dilation: 1, groups: 192, ..Default::default() })
            },
            inverted_residual_6_bn_1: {
                let vb = vb.pp("inverted_residual.6.bn.1");
                candle_nn::batch_norm(192, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_6_conv_1: {
                let vb = vb.pp("inverted_residual.6.conv.1");
                Conv2d::new(vb.get((64, 192, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_6_bn_2: {
                let vb = vb.pp("inverted_residual.6.bn.2");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_7_conv_0: {
                let vb = vb.pp("inverted_residual.7.conv.0");
                Conv2d::new(vb.get((384, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_7_bn_0: {
                let vb = vb.pp("inverted_residual.7.bn.0");
                candle_nn::batch_norm(384, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_7_dwconv_0: {
                let vb = vb.pp("inverted_residual.7.dwconv.0");
                Conv2d::new(vb.get((384, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 384, ..Default::default() })
            },
            inverted_residual_7_bn_1: {
                let vb = vb.pp("inverted_residual.7.bn.1");
                candle_nn::batch_norm(384, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_7_conv_1: {
                let vb = vb.pp("inverted_residual.7.conv.1");
                Conv2d::new(vb.get((64, 384, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_7_bn_2: {
                let vb = vb.pp("inverted_residual.7.bn.2");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_8_conv_0: {
                let vb = vb.pp("inverted_residual.8.conv.0");
                Conv2d::new(vb.get((384, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_8_bn_0: {
                let vb = vb.pp("inverted_residual.8.bn.0");
                candle_nn::batch_norm(384, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_8_dwconv_0: {
                let vb = vb.pp("inverted_residual.8.dwconv.0");
                Conv2d::new(vb.get((384, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 384, ..Default::default() })
            },
            inverted_residual_8_bn_1: {
                let vb = vb.pp("inverted_residual.8.bn.1");
                candle_nn::batch_norm(384, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_8_conv_1: {
                let vb = vb.pp("inverted_residual.8.conv.1");
                Conv2d::new(vb.get((64, 384, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_8_bn_2: {
                let vb = vb.pp("inverted_residual.8.bn.2");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_9_conv_0: {
                let vb = vb.pp("inverted_residual.9.conv.0");
                Conv2d::new(vb.get((384, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_9_bn_0: {
                let vb = vb.pp("inverted_residual.9.bn.0");
                candle_nn::batch_norm(384, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_9_dwconv_0: {
                let vb = vb.pp("inverted_residual.9.dwconv.0");
                Conv2d::new(vb.get((384, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 384, ..Default::default() })
            },
            inverted_residual_9_bn_1: {
                let vb = vb.pp("inverted_residual.9.bn.1");
                candle_nn::batch_norm(384, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            inverted_residual_9_conv_1: {
                let vb = vb.pp("inverted_residual.9.conv.1");
                Conv2d::new(vb.get((64, 384, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            inverted_residual_9_bn_2: {
                let vb = vb.pp("inverted_residual.9.bn.2");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            conv_1: {
                let vb = vb.pp("conv.1");
                Conv2d::new(vb.get((256, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            bn_1: {
                let vb = vb.pp("bn.1");
                candle_nn::batch_norm(256, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            dense_0: {
                let vb = vb.pp("dense.0");
                candle_nn::linear(256, 10, vb)?
            },
        })
    }

    pub fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let mut x = x.clone();
        x = self.conv_0.forward(&x)?;
        x = self.bn_0.forward_t(&x, train)?;
        x = x.clamp(0.0, 6.0)?;

        // inverted_residual.0
        x = self.inverted_residual_0_dwconv_0.forward(&x)?;
        x = self.inverted_residual_0_bn_0.forward_t(&x, train)?;
        x = x.clamp(0.0, 6.0)?;
        x = self.inverted_residual_0_conv_0.forward(&x)?;
        x = self.inverted_residual_0_bn_1.forward_t(&x, train)?;

        // inverted_residual.1
        x = self.inverted_residual_1_conv_0.forward(&x)?;
        x = self.inverted_residual_1_bn_0.forward_t(&x, train)?;
        x = x.clamp(0.0, 6.0)?;
        x = self.inverted_residual_1_dwconv_0.forward(&x)?;
        x = self.inverted_residual_1_bn_1.forward_t(&x, train)?;
        x = x.clamp(0.0, 6.0)?;
        x = self.inverted_residual_1_conv_1.forward(&x)?;
        x = self.inverted_residual_1_bn_2.forward_t(&x, train)?;

        // inverted_residual.2
        let mut y = self.inverted_residual_2_conv_0.forward(&x)?;
        y = self.inverted_residual_2_bn_0.forward_t(&y, train)?;
        y = y.clamp(0.0, 6.0)?;
        y = self.inverted_residual_2_dwconv_0.forward(&y)?;
        y = self.inverted_residual_2_bn_1.forward_t(&y, train)?;
        y = y.clamp(0.0, 6.0)?;
        y = self.inverted_residual_2_conv_1.forward(&y)?;
        y = self.inverted_residual_2_bn_2.forward_t(&y, train)?;
        x = (&y + &x)?;

        // inverted_residual.3
        x = self.inverted_residual_3_conv_0.forward(&x)?;
        x = self.inverted_residual_3_bn_0.forward_t(&x, train)?;
        x = x.clamp(0.0, 6.0)?;
        x = self.inverted_residual_3_dwconv_0.forward(&x)?;
        x = self.inverted_residual_3_bn_1.forward_t(&x, train)?;
        x = x.clamp(0.0, 6.0)?;
        x = self.inverted_residual_3_conv_1.forward(&x)?;
        x = self.inverted_residual_3_bn_2.forward_t(&x, train)?;

        // inverted_residual.4
        y = self.inverted_residual_4_conv_0.forward(&x)?;
        y = self.inverted_residual_4_bn_0.forward_t(&y, train)?;
        y = y.clamp(0.0, 6.0)?;
        y = self.inverted_residual_4_dwconv_0.forward(&y)?;
        y = self.inverted_residual_4_bn_1.forward_t(&y, train)?;
        y = y.clamp(0.0, 6.0)?;
        y = self.inverted_residual_4_conv_1.forward(&y)?;
        y = self.inverted_residual_4_bn_2.forward_t(&y, train)?;
        x = (&y + &x)?;

        // inverted_residual.5
        y = self.inverted_residual_5_conv_0.forward(&x)?;
        y = self.inverted_residual_5_bn_0.forward_t(&y, train)?;
        y = y.clamp(0.0, 6.0)?;
        y = self.inverted_residual_5_dwconv_0.forward(&y)?;
        y = self.inverted_residual_5_bn_1.forward_t(&y, train)?;
        y = y.clamp(0.0, 6.0)?;
        y = self.inverted_residual_5_conv_1.forward(&y)?;
        y = self.inverted_residual_5_bn_2.forward_t(&y, train)?;
        x = (&y + &x)?;

        // inverted_residual.6
        x = self.inverted_residual_6_conv_0.forward(&x)?;
        x = self.inverted_residual_6_bn_0.forward_t(&x, train)?;
        x = x.clamp(0.0, 6.0)?;
        x = self.inverted_residual_6_dwconv_0.forward(&x)?;
        x = self.inverted_residual_6_bn_1.forward_t(&x, train)?;
        x = x.clamp(0.0, 6.0)?;
        x = self.inverted_residual_6_conv_1.forward(&x)?;
        x = self.inverted_residual_6_bn_2.forward_t(&x, train)?;

        // inverted_residual.7
        y = self.inverted_residual_7_conv_0.forward(&x)?;
        y = self.inverted_residual_7_bn_0.forward_t(&y, train)?;
        y = y.clamp(0.0, 6.0)?;
        y = self.inverted_residual_7_dwconv_0.forward(&y)?;
        y = self.inverted_residual_7_bn_1.forward_t(&y, train)?;
        y = y.clamp(0.0, 6.0)?;
        y = self.inverted_residual_7_conv_1.forward(&y)?;
        y = self.inverted_residual_7_bn_2.forward_t(&y, train)?;
        x = (&y + &x)?;

        // inverted_residual.8
        y = self.inverted_residual_8_conv_0.forward(&x)?;
        y = self.inverted_residual_8_bn_0.forward_t(&y, train)?;
        y = y.clamp(0.0, 6.0)?;
        y = self.inverted_residual_8_dwconv_0.forward(&y)?;
        y = self.inverted_residual_8_bn_1.forward_t(&y, train)?;
        y = y.clamp(0.0, 6.0)?;
        y = self.inverted_residual_8_conv_1.forward(&y)?;
        y = self.inverted_residual_8_bn_2.forward_t(&y, train)?;
        x = (&y + &x)?;

        // inverted_residual.9
        y = self.inverted_residual_9_conv_0.forward(&x)?;
        y = self.inverted_residual_9_bn_0.forward_t(&y, train)?;
        y = y.clamp(0.0, 6.0)?;
        y = self.inverted_residual_9_dwconv_0.forward(&y)?;
        y = self.inverted_residual_9_bn_1.forward_t(&y, train)?;
        y = y.clamp(0.0, 6.0)?;
        y = self.inverted_residual_9_conv_1.forward(&y)?;
        y = self.inverted_residual_9_bn_2.forward_t(&y, train)?;
        x = (&y + &x)?;

        x = self.conv_1.forward(&x)?;
        x = self.bn_1.forward_t(&x, train)?;
        x = x.clamp(0.0, 6.0)?;
        x = x.flatten_from(2)?.mean(2)?;
        x = self.dense_0.forward(&x)?;
        Ok(x)
    }
}

//! The net `darts_16`, as snapc wrote it. Its weights lie in `darts_16.safetensors`.

use candle_core::{Result, Tensor};
use candle_nn::{BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Linear, Module, ModuleT, VarBuilder};

pub struct Darts16 {
    darts_0_conv_0: Conv2d,
    darts_0_bn_0: BatchNorm,
    darts_0_normal_0_bring_0_pointwise_0_conv_0: Conv2d,
    darts_0_normal_0_bring_0_pointwise_0_bn_0: BatchNorm,
    darts_0_normal_0_bring_0_pointwise_1_conv_0: Conv2d,
    darts_0_normal_0_bring_0_pointwise_1_bn_0: BatchNorm,
    darts_0_normal_0_sep_0_dwconv_0: Conv2d,
    darts_0_normal_0_sep_0_conv_0: Conv2d,
    darts_0_normal_0_sep_0_bn_0: BatchNorm,
    darts_0_normal_0_sep_0_dwconv_1: Conv2d,
    darts_0_normal_0_sep_0_conv_1: Conv2d,
    darts_0_normal_0_sep_0_bn_1: BatchNorm,
    darts_0_normal_0_sep_1_dwconv_0: Conv2d,
    darts_0_normal_0_sep_1_conv_0: Conv2d,
    darts_0_normal_0_sep_1_bn_0: BatchNorm,
    darts_0_normal_0_sep_1_dwconv_1: Conv2d,
    darts_0_normal_0_sep_1_conv_1: Conv2d,
    darts_0_normal_0_sep_1_bn_1: BatchNorm,
    darts_0_normal_0_sep_2_dwconv_0: Conv2d,
    darts_0_normal_0_sep_2_conv_0: Conv2d,
    darts_0_normal_0_sep_2_bn_0: BatchNorm,
    darts_0_normal_0_sep_2_dwconv_1: Conv2d,
    darts_0_normal_0_sep_2_conv_1: Conv2d,
    darts_0_normal_0_sep_2_bn_1: BatchNorm,
    darts_0_normal_0_sep_3_dwconv_0: Conv2d,
    darts_0_normal_0_sep_3_conv_0: Conv2d,
    darts_0_normal_0_sep_3_bn_0: BatchNorm,
    darts_0_normal_0_sep_3_dwconv_1: Conv2d,
    darts_0_normal_0_sep_3_conv_1: Conv2d,
    darts_0_normal_0_sep_3_bn_1: BatchNorm,
    darts_0_normal_0_sep_4_dwconv_0: Conv2d,
    darts_0_normal_0_sep_4_conv_0: Conv2d,
    darts_0_normal_0_sep_4_bn_0: BatchNorm,
    darts_0_normal_0_sep_4_dwconv_1: Conv2d,
    darts_0_normal_0_sep_4_conv_1: Conv2d,
    darts_0_normal_0_sep_4_bn_1: BatchNorm,
    darts_0_normal_0_dil_0_dwconv_0: Conv2d,
    darts_0_normal_0_dil_0_conv_0: Conv2d,
    darts_0_normal_0_dil_0_bn_0: BatchNorm,
    darts_0_normal_1_bring_0_pointwise_0_conv_0: Conv2d,
    darts_0_normal_1_bring_0_pointwise_0_bn_0: BatchNorm,
    darts_0_normal_1_bring_0_pointwise_1_conv_0: Conv2d,
    darts_0_normal_1_bring_0_pointwise_1_bn_0: BatchNorm,
    darts_0_normal_1_sep_0_dwconv_0: Conv2d,
    darts_0_normal_1_sep_0_conv_0: Conv2d,
    darts_0_normal_1_sep_0_bn_0: BatchNorm,
    darts_0_normal_1_sep_0_dwconv_1: Conv2d,
    darts_0_normal_1_sep_0_conv_1: Conv2d,
    darts_0_normal_1_sep_0_bn_1: BatchNorm,
    darts_0_normal_1_sep_1_dwconv_0: Conv2d,
    darts_0_normal_1_sep_1_conv_0: Conv2d,
    darts_0_normal_1_sep_1_bn_0: BatchNorm,
    darts_0_normal_1_sep_1_dwconv_1: Conv2d,
    darts_0_normal_1_sep_1_conv_1: Conv2d,
    darts_0_normal_1_sep_1_bn_1: BatchNorm,
    darts_0_normal_1_sep_2_dwconv_0: Conv2d,
    darts_0_normal_1_sep_2_conv_0: Conv2d,
    darts_0_normal_1_sep_2_bn_0: BatchNorm,
    darts_0_normal_1_sep_2_dwconv_1: Conv2d,
    darts_0_normal_1_sep_2_conv_1: Conv2d,
    darts_0_normal_1_sep_2_bn_1: BatchNorm,
    darts_0_normal_1_sep_3_dwconv_0: Conv2d,
    darts_0_normal_1_sep_3_conv_0: Conv2d,
    darts_0_normal_1_sep_3_bn_0: BatchNorm,
    darts_0_normal_1_sep_3_dwconv_1: Conv2d,
    darts_0_normal_1_sep_3_conv_1: Conv2d,
    darts_0_normal_1_sep_3_bn_1: BatchNorm,
    darts_0_normal_1_sep_4_dwconv_0: Conv2d,
    darts_0_normal_1_sep_4_conv_0: Conv2d,
    darts_0_normal_1_sep_4_bn_0: BatchNorm,
    darts_0_normal_1_sep_4_dwconv_1: Conv2d,
    darts_0_normal_1_sep_4_conv_1: Conv2d,
    darts_0_normal_1_sep_4_bn_1: BatchNorm,
    darts_0_normal_1_dil_0_dwconv_0: Conv2d,
    darts_0_normal_1_dil_0_conv_0: Conv2d,
    darts_0_normal_1_dil_0_bn_0: BatchNorm,
    darts_0_reduction_0_bring_0_pointwise_0_conv_0: Conv2d,
    darts_0_reduction_0_bring_0_pointwise_0_bn_0: BatchNorm,
    darts_0_reduction_0_bring_0_pointwise_1_conv_0: Conv2d,
    darts_0_reduction_0_bring_0_pointwise_1_bn_0: BatchNorm,
    darts_0_normal_2_bring_0_halve_0_conv_0: Conv2d,
    darts_0_normal_2_bring_0_halve_0_conv_1: Conv2d,
    darts_0_normal_2_bring_0_halve_0_bn_0: BatchNorm,
    darts_0_normal_2_bring_0_pointwise_0_conv_0: Conv2d,
    darts_0_normal_2_bring_0_pointwise_0_bn_0: BatchNorm,
    darts_0_normal_2_sep_0_dwconv_0: Conv2d,
    darts_0_normal_2_sep_0_conv_0: Conv2d,
    darts_0_normal_2_sep_0_bn_0: BatchNorm,
    darts_0_normal_2_sep_0_dwconv_1: Conv2d,
    darts_0_normal_2_sep_0_conv_1: Conv2d,
    darts_0_normal_2_sep_0_bn_1: BatchNorm,
    darts_0_normal_2_sep_1_dwconv_0: Conv2d,
    darts_0_normal_2_sep_1_conv_0: Conv2d,
    darts_0_normal_2_sep_1_bn_0: BatchNorm,
    darts_0_normal_2_sep_1_dwconv_1: Conv2d,
    darts_0_normal_2_sep_1_conv_1: Conv2d,
    darts_0_normal_2_sep_1_bn_1: BatchNorm,
    darts_0_normal_2_sep_2_dwconv_0: Conv2d,
    darts_0_normal_2_sep_2_conv_0: Conv2d,
    darts_0_normal_2_sep_2_bn_0: BatchNorm,
    darts_0_normal_2_sep_2_dwconv_1: Conv2d,
    darts_0_normal_2_sep_2_conv_1: Conv2d,
    darts_0_normal_2_sep_2_bn_1: BatchNorm,
    darts_0_normal_2_sep_3_dwconv_0: Conv2d,
    darts_0_normal_2_sep_3_conv_0: Conv2d,
    darts_0_normal_2_sep_3_bn_0: BatchNorm,
    darts_0_normal_2_sep_3_dwconv_1: Conv2d,
    darts_0_normal_2_sep_3_conv_1: Conv2d,
    darts_0_normal_2_sep_3_bn_1: BatchNorm,
    darts_0_normal_2_sep_4_dwconv_0: Conv2d,
    darts_0_normal_2_sep_4_conv_0: Conv2d,
    darts_0_normal_2_sep_4_bn_0: BatchNorm,
    darts_0_normal_2_sep_4_dwconv_1: Conv2d,
    darts_0_normal_2_sep_4_conv_1: Conv2d,
    darts_0_normal_2_sep_4_bn_1: BatchNorm,
    darts_0_normal_2_dil_0_dwconv_0: Conv2d,
    darts_0_normal_2_dil_0_conv_0: Conv2d,
    darts_0_normal_2_dil_0_bn_0: BatchNorm,
    darts_0_normal_3_bring_0_pointwise_0_conv_0: Conv2d,
    darts_0_normal_3_bring_0_pointwise_0_bn_0: BatchNorm,
    darts_0_normal_3_bring_0_pointwise_1_conv_0: Conv2d,
    darts_0_normal_3_bring_0_pointwise_1_bn_0: BatchNorm,
    darts_0_normal_3_sep_0_dwconv_0: Conv2d,
    darts_0_normal_3_sep_0_conv_0: Conv2d,
    darts_0_normal_3_sep_0_bn_0: BatchNorm,
    darts_0_normal_3_sep_0_dwconv_1: Conv2d,
    darts_0_normal_3_sep_0_conv_1: Conv2d,
    darts_0_normal_3_sep_0_bn_1: BatchNorm,
    darts_0_normal_3_sep_1_dwconv_0: Conv2d,
    darts_0_normal_3_sep_1_conv_0: Conv2d,
    darts_0_normal_3_sep_1_bn_0: BatchNorm,
    darts_0_normal_3_sep_1_dwconv_1: Conv2d,
    darts_0_normal_3_sep_1_conv_1: Conv2d,
    darts_0_normal_3_sep_1_bn_1: BatchNorm,
    darts_0_normal_3_sep_2_dwconv_0: Conv2d,
    darts_0_normal_3_sep_2_conv_0: Conv2d,
    darts_0_normal_3_sep_2_bn_0: BatchNorm,
    darts_0_normal_3_sep_2_dwconv_1: Conv2d,
    darts_0_normal_3_sep_2_conv_1: Conv2d,
    darts_0_normal_3_sep_2_bn_1: BatchNorm,
    darts_0_normal_3_sep_3_dwconv_0: Conv2d,
    darts_0_normal_3_sep_3_conv_0: Conv2d,
    darts_0_normal_3_sep_3_bn_0: BatchNorm,
    darts_0_normal_3_sep_3_dwconv_1: Conv2d,
    darts_0_normal_3_sep_3_conv_1: Conv2d,
    darts_0_normal_3_sep_3_bn_1: BatchNorm,
    darts_0_normal_3_sep_4_dwconv_0: Conv2d,
    darts_0_normal_3_sep_4_conv_0: Conv2d,
    darts_0_normal_3_sep_4_bn_0: BatchNorm,
    darts_0_normal_3_sep_4_dwconv_1: Conv2d,
    darts_0_normal_3_sep_4_conv_1: Conv2d,
    darts_0_normal_3_sep_4_bn_1: BatchNorm,
    darts_0_normal_3_dil_0_dwconv_0: Conv2d,
    darts_0_normal_3_dil_0_conv_0: Conv2d,
    darts_0_normal_3_dil_0_bn_0: BatchNorm,
    darts_0_reduction_1_bring_0_pointwise_0_conv_0: Conv2d,
    darts_0_reduction_1_bring_0_pointwise_0_bn_0: BatchNorm,
    darts_0_reduction_1_bring_0_pointwise_1_conv_0: Conv2d,
    darts_0_reduction_1_bring_0_pointwise_1_bn_0: BatchNorm,
    darts_0_normal_4_bring_0_halve_0_conv_0: Conv2d,
    darts_0_normal_4_bring_0_halve_0_conv_1: Conv2d,
    darts_0_normal_4_bring_0_halve_0_bn_0: BatchNorm,
    darts_0_normal_4_bring_0_pointwise_0_conv_0: Conv2d,
    darts_0_normal_4_bring_0_pointwise_0_bn_0: BatchNorm,
    darts_0_normal_4_sep_0_dwconv_0: Conv2d,
    darts_0_normal_4_sep_0_conv_0: Conv2d,
    darts_0_normal_4_sep_0_bn_0: BatchNorm,
    darts_0_normal_4_sep_0_dwconv_1: Conv2d,
    darts_0_normal_4_sep_0_conv_1: Conv2d,
    darts_0_normal_4_sep_0_bn_1: BatchNorm,
    darts_0_normal_4_sep_1_dwconv_0: Conv2d,
    darts_0_normal_4_sep_1_conv_0: Conv2d,
    darts_0_normal_4_sep_1_bn_0: BatchNorm,
    darts_0_normal_4_sep_1_dwconv_1: Conv2d,
    darts_0_normal_4_sep_1_conv_1: Conv2d,
    darts_0_normal_4_sep_1_bn_1: BatchNorm,
    darts_0_normal_4_sep_2_dwconv_0: Conv2d,
    darts_0_normal_4_sep_2_conv_0: Conv2d,
    darts_0_normal_4_sep_2_bn_0: BatchNorm,
    darts_0_normal_4_sep_2_dwconv_1: Conv2d,
    darts_0_normal_4_sep_2_conv_1: Conv2d,
    darts_0_normal_4_sep_2_bn_1: BatchNorm,
    darts_0_normal_4_sep_3_dwconv_0: Conv2d,
    darts_0_normal_4_sep_3_conv_0: Conv2d,
    darts_0_normal_4_sep_3_bn_0: BatchNorm,
    darts_0_normal_4_sep_3_dwconv_1: Conv2d,
    darts_0_normal_4_sep_3_conv_1: Conv2d,
    darts_0_normal_4_sep_3_bn_1: BatchNorm,
    darts_0_normal_4_sep_4_dwconv_0: Conv2d,
    darts_0_normal_4_sep_4_conv_0: Conv2d,
    darts_0_normal_4_sep_4_bn_0: BatchNorm,
    darts_0_normal_4_sep_4_dwconv_1: Conv2d,
    darts_0_normal_4_sep_4_conv_1: Conv2d,
    darts_0_normal_4_sep_4_bn_1: BatchNorm,
    darts_0_normal_4_dil_0_dwconv_0: Conv2d,
    darts_0_normal_4_dil_0_conv_0: Conv2d,
    darts_0_normal_4_dil_0_bn_0: BatchNorm,
    darts_0_normal_5_bring_0_pointwise_0_conv_0: Conv2d,
    darts_0_normal_5_bring_0_pointwise_0_bn_0: BatchNorm,
    darts_0_normal_5_bring_0_pointwise_1_conv_0: Conv2d,
    darts_0_normal_5_bring_0_pointwise_1_bn_0: BatchNorm,
    darts_0_normal_5_sep_0_dwconv_0: Conv2d,
    darts_0_normal_5_sep_0_conv_0: Conv2d,
    darts_0_normal_5_sep_0_bn_0: BatchNorm,
    darts_0_normal_5_sep_0_dwconv_1: Conv2d,
    darts_0_normal_5_sep_0_conv_1: Conv2d,
    darts_0_normal_5_sep_0_bn_1: BatchNorm,
    darts_0_normal_5_sep_1_dwconv_0: Conv2d,
    darts_0_normal_5_sep_1_conv_0: Conv2d,
    darts_0_normal_5_sep_1_bn_0: BatchNorm,
    darts_0_normal_5_sep_1_dwconv_1: Conv2d,
    darts_0_normal_5_sep_1_conv_1: Conv2d,
    darts_0_normal_5_sep_1_bn_1: BatchNorm,
    darts_0_normal_5_sep_2_dwconv_0: Conv2d,
    darts_0_normal_5_sep_2_conv_0: Conv2d,
    darts_0_normal_5_sep_2_bn_0: BatchNorm,
    darts_0_normal_5_sep_2_dwconv_1: Conv2d,
    darts_0_normal_5_sep_2_conv_1: Conv2d,
    darts_0_normal_5_sep_2_bn_1: BatchNorm,
    darts_0_normal_5_sep_3_dwconv_0: Conv2d,
    darts_0_normal_5_sep_3_conv_0: Conv2d,
    darts_0_normal_5_sep_3_bn_0: BatchNorm,
    darts_0_normal_5_sep_3_dwconv_1: Conv2d,
    darts_0_normal_5_sep_3_conv_1: Conv2d,
    darts_0_normal_5_sep_3_bn_1: BatchNorm,
    darts_0_normal_5_sep_4_dwconv_0: Conv2d,
    darts_0_normal_5_sep_4_conv_0: Conv2d,
    darts_0_normal_5_sep_4_bn_0: BatchNorm,
    darts_0_normal_5_sep_4_dwconv_1: Conv2d,
    darts_0_normal_5_sep_4_conv_1: Conv2d,
    darts_0_normal_5_sep_4_bn_1: BatchNorm,
    darts_0_normal_5_dil_0_dwconv_0: Conv2d,
    darts_0_normal_5_dil_0_conv_0: Conv2d,
    darts_0_normal_5_dil_0_bn_0: BatchNorm,
    darts_0_dense_0: Linear,
}

impl Darts16 {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Darts16 {
            darts_0_conv_0: {
                let vb = vb.pp("darts.0.conv.0");
                Conv2d::new(vb.get((48, 3, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_bn_0: {
                let vb = vb.pp("darts.0.bn.0");
                candle_nn::batch_norm(48, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_0_bring_0_pointwise_0_conv_0: {
                let vb = vb.pp("darts.0.normal.0.bring.0.pointwise.0.conv.0");
                Conv2d::new(vb.get((16, 48, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_0_bring_0_pointwise_0_bn_0: {
                let vb = vb.pp("darts.0.normal.0.bring.0.pointwise.0.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_0_bring_0_pointwise_1_conv_0: {
                let vb = vb.pp("darts.0.normal.0.bring.0.pointwise.1.conv.0");
                Conv2d::new(vb.get((16, 48, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_0_bring_0_pointwise_1_bn_0: {
                let vb = vb.pp("darts.0.normal.0.bring.0.pointwise.1.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_0_sep_0_dwconv_0: {
                let vb = vb.pp("darts.0.normal.0.sep.0.dwconv.0");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_0_sep_0_conv_0: {
                let vb = vb.pp("darts.0.normal.0.sep.0.conv.0");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_0_sep_0_bn_0: {
                let vb = vb.pp("darts.0.normal.0.sep.0.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_0_sep_0_dwconv_1: {
                let vb = vb.pp("darts.0.normal.0.sep.0.dwconv.1");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_0_sep_0_conv_1: {
                let vb = vb.pp("darts.0.normal.0.sep.0.conv.1");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_0_sep_0_bn_1: {
                let vb = vb.pp("darts.0.normal.0.sep.0.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_0_sep_1_dwconv_0: {
                let vb = vb.pp("darts.0.normal.0.sep.1.dwconv.0");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_0_sep_1_conv_0: {
                let vb = vb.pp("darts.0.normal.0.sep.1.conv.0");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_0_sep_1_bn_0: {
                let vb = vb.pp("darts.0.normal.0.sep.1.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_0_sep_1_dwconv_1: {
                let vb = vb.pp("darts.0.normal.0.sep.1.dwconv.1");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_0_sep_1_conv_1: {
                let vb = vb.pp("darts.0.normal.0.sep.1.conv.1");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_0_sep_1_bn_1: {
                let vb = vb.pp("darts.0.normal.0.sep.1.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_0_sep_2_dwconv_0: {
                let vb = vb.pp("darts.0.normal.0.sep.2.dwconv.0");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_0_sep_2_conv_0: {
                let vb = vb.pp("darts.0.normal.0.sep.2.conv.0");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_0_sep_2_bn_0: {
                let vb = vb.pp("darts.0.normal.0.sep.2.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_0_sep_2_dwconv_1: {
                let vb = vb.pp("darts.0.normal.0.sep.2.dwconv.1");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_0_sep_2_conv_1: {
                let vb = vb.pp("darts.0.normal.0.sep.2.conv.1");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_0_sep_2_bn_1: {
                let vb = vb.pp("darts.0.normal.0.sep.2.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_0_sep_3_dwconv_0: {
                let vb = vb.pp("darts.0.normal.0.sep.3.dwconv.0");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_0_sep_3_conv_0: {
                let vb = vb.pp("darts.0.normal.0.sep.3.conv.0");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_0_sep_3_bn_0: {
                let vb = vb.pp("darts.0.normal.0.sep.3.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_0_sep_3_dwconv_1: {
                let vb = vb.pp("darts.0.normal.0.sep.3.dwconv.1");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_0_sep_3_conv_1: {
                let vb = vb.pp("darts.0.normal.0.sep.3.conv.1");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_0_sep_3_bn_1: {
                let vb = vb.pp("darts.0.normal.0.sep.3.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_0_sep_4_dwconv_0: {
                let vb = vb.pp("darts.0.normal.0.sep.4.dwconv.0");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_0_sep_4_conv_0: {
                let vb = vb.pp("darts.0.normal.0.sep.4.conv.0");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_0_sep_4_bn_0: {
                let vb = vb.pp("darts.0.normal.0.sep.4.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_0_sep_4_dwconv_1: {
                let vb = vb.pp("darts.0.normal.0.sep.4.dwconv.1");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_0_sep_4_conv_1: {
                let vb = vb.pp("darts.0.normal.0.sep.4.conv.1");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_0_sep_4_bn_1: {
                let vb = vb.pp("darts.0.normal.0.sep.4.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_0_dil_0_dwconv_0: {
                let vb = vb.pp("darts.0.normal.0.dil.0.dwconv.0");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 2, dilation: 2, groups: 16, ..Default::default() })
            },
            darts_0_normal_0_dil_0_conv_0: {
                let vb = vb.pp("darts.0.normal.0.dil.0.conv.0");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_0_dil_0_bn_0: {
                let vb = vb.pp("darts.0.normal.0.dil.0.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_1_bring_0_pointwise_0_conv_0: {
                let vb = vb.pp("darts.0.normal.1.bring.0.pointwise.0.conv.0");
                Conv2d::new(vb.get((16, 48, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_1_bring_0_pointwise_0_bn_0: {
                let vb = vb.pp("darts.0.normal.1.bring.0.pointwise.0.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_1_bring_0_pointwise_1_conv_0: {
                let vb = vb.pp("darts.0.normal.1.bring.0.pointwise.1.conv.0");
                Conv2d::new(vb.get((16, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_1_bring_0_pointwise_1_bn_0: {
                let vb = vb.pp("darts.0.normal.1.bring.0.pointwise.1.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_1_sep_0_dwconv_0: {
                let vb = vb.pp("darts.0.normal.1.sep.0.dwconv.0");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_1_sep_0_conv_0: {
                let vb = vb.pp("darts.0.normal.1.sep.0.conv.0");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_1_sep_0_bn_0: {
                let vb = vb.pp("darts.0.normal.1.sep.0.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_1_sep_0_dwconv_1: {
                let vb = vb.pp("darts.0.normal.1.sep.0.dwconv.1");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_1_sep_0_conv_1: {
                let vb = vb.pp("darts.0.normal.1.sep.0.conv.1");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_1_sep_0_bn_1: {
                let vb = vb.pp("darts.0.normal.1.sep.0.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_1_sep_1_dwconv_0: {
                let vb = vb.pp("darts.0.normal.1.sep.1.dwconv.0");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_1_sep_1_conv_0: {
                let vb = vb.pp("darts.0.normal.1.sep.1.conv.0");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_1_sep_1_bn_0: {
                let vb = vb.pp("darts.0.normal.1.sep.1.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_1_sep_1_dwconv_1: {
                let vb = vb.pp("darts.0.normal.1.sep.1.dwconv.1");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_1_sep_1_conv_1: {
                let vb = vb.pp("darts.0.normal.1.sep.1.conv.1");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_1_sep_1_bn_1: {
                let vb = vb.pp("darts.0.normal.1.sep.1.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_1_sep_2_dwconv_0: {
                let vb = vb.pp("darts.0.normal.1.sep.2.dwconv.0");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_1_sep_2_conv_0: {
                let vb = vb.pp("darts.0.normal.1.sep.2.conv.0");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_1_sep_2_bn_0: {
                let vb = vb.pp("darts.0.normal.1.sep.2.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_1_sep_2_dwconv_1: {
                let vb = vb.pp("darts.0.normal.1.sep.2.dwconv.1");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_1_sep_2_conv_1: {
                let vb = vb.pp("darts.0.normal.1.sep.2.conv.1");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_1_sep_2_bn_1: {
                let vb = vb.pp("darts.0.normal.1.sep.2.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_1_sep_3_dwconv_0: {
                let vb = vb.pp("darts.0.normal.1.sep.3.dwconv.0");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_1_sep_3_conv_0: {
                let vb = vb.pp("darts.0.normal.1.sep.3.conv.0");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_1_sep_3_bn_0: {
                let vb = vb.pp("darts.0.normal.1.sep.3.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_1_sep_3_dwconv_1: {
                let vb = vb.pp("darts.0.normal.1.sep.3.dwconv.1");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_1_sep_3_conv_1: {
                let vb = vb.pp("darts.0.normal.1.sep.3.conv.1");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_1_sep_3_bn_1: {
                let vb = vb.pp("darts.0.normal.1.sep.3.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_1_sep_4_dwconv_0: {
                let vb = vb.pp("darts.0.normal.1.sep.4.dwconv.0");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_1_sep_4_conv_0: {
                let vb = vb.pp("darts.0.normal.1.sep.4.conv.0");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_1_sep_4_bn_0: {
                let vb = vb.pp("darts.0.normal.1.sep.4.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_1_sep_4_dwconv_1: {
                let vb = vb.pp("darts.0.normal.1.sep.4.dwconv.1");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 16, ..Default::default() })
            },
            darts_0_normal_1_sep_4_conv_1: {
                let vb = vb.pp("darts.0.normal.1.sep.4.conv.1");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_1_sep_4_bn_1: {
                let vb = vb.pp("darts.0.normal.1.sep.4.bn.1");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_1_dil_0_dwconv_0: {
                let vb = vb.pp("darts.0.normal.1.dil.0.dwconv.0");
                Conv2d::new(vb.get((16, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 2, dilation: 2, groups: 16, ..Default::default() })
            },
            darts_0_normal_1_dil_0_conv_0: {
                let vb = vb.pp("darts.0.normal.1.dil.0.conv.0");
                Conv2d::new(vb.get((16, 16, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_1_dil_0_bn_0: {
                let vb = vb.pp("darts.0.normal.1.dil.0.bn.0");
                candle_nn::batch_norm(16, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_reduction_0_bring_0_pointwise_0_conv_0: {
                let vb = vb.pp("darts.0.reduction.0.bring.0.pointwise.0.conv.0");
                Conv2d::new(vb.get((32, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_reduction_0_bring_0_pointwise_0_bn_0: {
                let vb = vb.pp("darts.0.reduction.0.bring.0.pointwise.0.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_reduction_0_bring_0_pointwise_1_conv_0: {
                let vb = vb.pp("darts.0.reduction.0.bring.0.pointwise.1.conv.0");
                Conv2d::new(vb.get((32, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_reduction_0_bring_0_pointwise_1_bn_0: {
                let vb = vb.pp("darts.0.reduction.0.bring.0.pointwise.1.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_2_bring_0_halve_0_conv_0: {
                let vb = vb.pp("darts.0.normal.2.bring.0.halve.0.conv.0");
                Conv2d::new(vb.get((16, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 2, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_bring_0_halve_0_conv_1: {
                let vb = vb.pp("darts.0.normal.2.bring.0.halve.0.conv.1");
                Conv2d::new(vb.get((16, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 2, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_bring_0_halve_0_bn_0: {
                let vb = vb.pp("darts.0.normal.2.bring.0.halve.0.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_2_bring_0_pointwise_0_conv_0: {
                let vb = vb.pp("darts.0.normal.2.bring.0.pointwise.0.conv.0");
                Conv2d::new(vb.get((32, 128, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_bring_0_pointwise_0_bn_0: {
                let vb = vb.pp("darts.0.normal.2.bring.0.pointwise.0.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_2_sep_0_dwconv_0: {
                let vb = vb.pp("darts.0.normal.2.sep.0.dwconv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_2_sep_0_conv_0: {
                let vb = vb.pp("darts.0.normal.2.sep.0.conv.0");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_sep_0_bn_0: {
                let vb = vb.pp("darts.0.normal.2.sep.0.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_2_sep_0_dwconv_1: {
                let vb = vb.pp("darts.0.normal.2.sep.0.dwconv.1");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_2_sep_0_conv_1: {
                let vb = vb.pp("darts.0.normal.2.sep.0.conv.1");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_sep_0_bn_1: {
                let vb = vb.pp("darts.0.normal.2.sep.0.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_2_sep_1_dwconv_0: {
                let vb = vb.pp("darts.0.normal.2.sep.1.dwconv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_2_sep_1_conv_0: {
                let vb = vb.pp("darts.0.normal.2.sep.1.conv.0");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_sep_1_bn_0: {
                let vb = vb.pp("darts.0.normal.2.sep.1.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_2_sep_1_dwconv_1: {
                let vb = vb.pp("darts.0.normal.2.sep.1.dwconv.1");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_2_sep_1_conv_1: {
                let vb = vb.pp("darts.0.normal.2.sep.1.conv.1");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_sep_1_bn_1: {
                let vb = vb.pp("darts.0.normal.2.sep.1.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_2_sep_2_dwconv_0: {
                let vb = vb.pp("darts.0.normal.2.sep.2.dwconv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_2_sep_2_conv_0: {
                let vb = vb.pp("darts.0.normal.2.sep.2.conv.0");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_sep_2_bn_0: {
                let vb = vb.pp("darts.0.normal.2.sep.2.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_2_sep_2_dwconv_1: {
                let vb = vb.pp("darts.0.normal.2.sep.2.dwconv.1");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_2_sep_2_conv_1: {
                let vb = vb.pp("darts.0.normal.2.sep.2.conv.1");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_sep_2_bn_1: {
                let vb = vb.pp("darts.0.normal.2.sep.2.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_2_sep_3_dwconv_0: {
                let vb = vb.pp("darts.0.normal.2.sep.3.dwconv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_2_sep_3_conv_0: {
                let vb = vb.pp("darts.0.normal.2.sep.3.conv.0");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_sep_3_bn_0: {
                let vb = vb.pp("darts.0.normal.2.sep.3.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_2_sep_3_dwconv_1: {
                let vb = vb.pp("darts.0.normal.2.sep.3.dwconv.1");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_2_sep_3_conv_1: {
                let vb = vb.pp("darts.0.normal.2.sep.3.conv.1");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_sep_3_bn_1: {
                let vb = vb.pp("darts.0.normal.2.sep.3.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_2_sep_4_dwconv_0: {
                let vb = vb.pp("darts.0.normal.2.sep.4.dwconv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_2_sep_4_conv_0: {
                let vb = vb.pp("darts.0.normal.2.sep.4.conv.0");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_sep_4_bn_0: {
                let vb = vb.pp("darts.0.normal.2.sep.4.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_2_sep_4_dwconv_1: {
                let vb = vb.pp("darts.0.normal.2.sep.4.dwconv.1");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_2_sep_4_conv_1: {
                let vb = vb.pp("darts.0.normal.2.sep.4.conv.1");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_sep_4_bn_1: {
                let vb = vb.pp("darts.0.normal.2.sep.4.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_2_dil_0_dwconv_0: {
                let vb = vb.pp("darts.0.normal.2.dil.0.dwconv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 2, dilation: 2, groups: 32, ..Default::default() })
            },
            darts_0_normal_2_dil_0_conv_0: {
                let vb = vb.pp("darts.0.normal.2.dil.0.conv.0");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_2_dil_0_bn_0: {
                let vb = vb.pp("darts.0.normal.2.dil.0.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_3_bring_0_pointwise_0_conv_0: {
                let vb = vb.pp("darts.0.normal.3.bring.0.pointwise.0.conv.0");
                Conv2d::new(vb.get((32, 128, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_3_bring_0_pointwise_0_bn_0: {
                let vb = vb.pp("darts.0.normal.3.bring.0.pointwise.0.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_3_bring_0_pointwise_1_conv_0: {
                let vb = vb.pp("darts.0.normal.3.bring.0.pointwise.1.conv.0");
                Conv2d::new(vb.get((32, 128, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_3_bring_0_pointwise_1_bn_0: {
                let vb = vb.pp("darts.0.normal.3.bring.0.pointwise.1.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_3_sep_0_dwconv_0: {
                let vb = vb.pp("darts.0.normal.3.sep.0.dwconv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_3_sep_0_conv_0: {
                let vb = vb.pp("darts.0.normal.3.sep.0.conv.0");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_3_sep_0_bn_0: {
                let vb = vb.pp("darts.0.normal.3.sep.0.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_3_sep_0_dwconv_1: {
                let vb = vb.pp("darts.0.normal.3.sep.0.dwconv.1");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_3_sep_0_conv_1: {
                let vb = vb.pp("darts.0.normal.3.sep.0.conv.1");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_3_sep_0_bn_1: {
                let vb = vb.pp("darts.0.normal.3.sep.0.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_3_sep_1_dwconv_0: {
                let vb = vb.pp("darts.0.normal.3.sep.1.dwconv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_3_sep_1_conv_0: {
                let vb = vb.pp("darts.0.normal.3.sep.1.conv.0");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_3_sep_1_bn_0: {
                let vb = vb.pp("darts.0.normal.3.sep.1.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_3_sep_1_dwconv_1: {
                let vb = vb.pp("darts.0.normal.3.sep.1.dwconv.1");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_3_sep_1_conv_1: {
                let vb = vb.pp("darts.0.normal.3.sep.1.conv.1");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_3_sep_1_bn_1: {
                let vb = vb.pp("darts.0.normal.3.sep.1.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_3_sep_2_dwconv_0: {
                let vb = vb.pp("darts.0.normal.3.sep.2.dwconv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_3_sep_2_conv_0: {
                let vb = vb.pp("darts.0.normal.3.sep.2.conv.0");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_3_sep_2_bn_0: {
                let vb = vb.pp("darts.0.normal.3.sep.2.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_3_sep_2_dwconv_1: {
                let vb = vb.pp("darts.0.normal.3.sep.2.dwconv.1");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_3_sep_2_conv_1: {
                let vb = vb.pp("darts.0.normal.3.sep.2.conv.1");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_3_sep_2_bn_1: {
                let vb = vb.pp("darts.0.normal.3.sep.2.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_3_sep_3_dwconv_0: {
                let vb = vb.pp("darts.0.normal.3.sep.3.dwconv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_3_sep_3_conv_0: {
                let vb = vb.pp("darts.0.normal.3.sep.3.conv.0");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_3_sep_3_bn_0: {
                let vb = vb.pp("darts.0.normal.3.sep.3.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_3_sep_3_dwconv_1: {
                let vb = vb.pp("darts.0.normal.3.sep.3.dwconv.1");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_3_sep_3_conv_1: {
                let vb = vb.pp("darts.0.normal.3.sep.3.conv.1");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_3_sep_3_bn_1: {
                let vb = vb.pp("darts.0.normal.3.sep.3.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_3_sep_4_dwconv_0: {
                let vb = vb.pp("darts.0.normal.3.sep.4.dwconv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_3_sep_4_conv_0: {
                let vb = vb.pp("darts.0.normal.3.sep.4.conv.0");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_3_sep_4_bn_0: {
                let vb = vb.pp("darts.0.normal.3.sep.4.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_3_sep_4_dwconv_1: {
                let vb = vb.pp("darts.0.normal.3.sep.4.dwconv.1");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 32, ..Default::default() })
            },
            darts_0_normal_3_sep_4_conv_1: {
                let vb = vb.pp("darts.0.normal.3.sep.4.conv.1");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_3_sep_4_bn_1: {
                let vb = vb.pp("darts.0.normal.3.sep.4.bn.1");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_3_dil_0_dwconv_0: {
                let vb = vb.pp("darts.0.normal.3.dil.0.dwconv.0");
                Conv2d::new(vb.get((32, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 2, dilation: 2, groups: 32, ..Default::default() })
            },
            darts_0_normal_3_dil_0_conv_0: {
                let vb = vb.pp("darts.0.normal.3.dil.0.conv.0");
                Conv2d::new(vb.get((32, 32, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_3_dil_0_bn_0: {
                let vb = vb.pp("darts.0.normal.3.dil.0.bn.0");
                candle_nn::batch_norm(32, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_reduction_1_bring_0_pointwise_0_conv_0: {
                let vb = vb.pp("darts.0.reduction.1.bring.0.pointwise.0.conv.0");
                Conv2d::new(vb.get((64, 128, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_reduction_1_bring_0_pointwise_0_bn_0: {
                let vb = vb.pp("darts.0.reduction.1.bring.0.pointwise.0.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_reduction_1_bring_0_pointwise_1_conv_0: {
                let vb = vb.pp("darts.0.reduction.1.bring.0.pointwise.1.conv.0");
                Conv2d::new(vb.get((64, 128, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_reduction_1_bring_0_pointwise_1_bn_0: {
                let vb = vb.pp("darts.0.reduction.1.bring.0.pointwise.1.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_4_bring_0_halve_0_conv_0: {
                let vb = vb.pp("darts.0.normal.4.bring.0.halve.0.conv.0");
                Conv2d::new(vb.get((32, 128, 1, 1), "weight")?, None, Conv2dConfig { stride: 2, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_bring_0_halve_0_conv_1: {
                let vb = vb.pp("darts.0.normal.4.bring.0.halve.0.conv.1");
                Conv2d::new(vb.get((32, 128, 1, 1), "weight")?, None, Conv2dConfig { stride: 2, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_bring_0_halve_0_bn_0: {
                let vb = vb.pp("darts.0.normal.4.bring.0.halve.0.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_4_bring_0_pointwise_0_conv_0: {
                let vb = vb.pp("darts.0.normal.4.bring.0.pointwise.0.conv.0");
                Conv2d::new(vb.get((64, 256, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_bring_0_pointwise_0_bn_0: {
                let vb = vb.pp("darts.0.normal.4.bring.0.pointwise.0.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_4_sep_0_dwconv_0: {
                let vb = vb.pp("darts.0.normal.4.sep.0.dwconv.0");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_4_sep_0_conv_0: {
                let vb = vb.pp("darts.0.normal.4.sep.0.conv.0");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_sep_0_bn_0: {
                let vb = vb.pp("darts.0.normal.4.sep.0.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_4_sep_0_dwconv_1: {
                let vb = vb.pp("darts.0.normal.4.sep.0.dwconv.1");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_4_sep_0_conv_1: {
                let vb = vb.pp("darts.0.normal.4.sep.0.conv.1");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_sep_0_bn_1: {
                let vb = vb.pp("darts.0.normal.4.sep.0.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_4_sep_1_dwconv_0: {
                let vb = vb.pp("darts.0.normal.4.sep.1.dwconv.0");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_4_sep_1_conv_0: {
                let vb = vb.pp("darts.0.normal.4.sep.1.conv.0");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_sep_1_bn_0: {
                let vb = vb.pp("darts.0.normal.4.sep.1.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_4_sep_1_dwconv_1: {
                let vb = vb.pp("darts.0.normal.4.sep.1.dwconv.1");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_4_sep_1_conv_1: {
                let vb = vb.pp("darts.0.normal.4.sep.1.conv.1");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_sep_1_bn_1: {
                let vb = vb.pp("darts.0.normal.4.sep.1.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_4_sep_2_dwconv_0: {
                let vb = vb.pp("darts.0.normal.4.sep.2.dwconv.0");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_4_sep_2_conv_0: {
                let vb = vb.pp("darts.0.normal.4.sep.2.conv.0");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_sep_2_bn_0: {
                let vb = vb.pp("darts.0.normal.4.sep.2.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_4_sep_2_dwconv_1: {
                let vb = vb.pp("darts.0.normal.4.sep.2.dwconv.1");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_4_sep_2_conv_1: {
                let vb = vb.pp("darts.0.normal.4.sep.2.conv.1");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_sep_2_bn_1: {
                let vb = vb.pp("darts.0.normal.4.sep.2.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_4_sep_3_dwconv_0: {
                let vb = vb.pp("darts.0.normal.4.sep.3.dwconv.0");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_4_sep_3_conv_0: {
                let vb = vb.pp("darts.0.normal.4.sep.3.conv.0");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_sep_3_bn_0: {
                let vb = vb.pp("darts.0.normal.4.sep.3.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_4_sep_3_dwconv_1: {
                let vb = vb.pp("darts.0.normal.4.sep.3.dwconv.1");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_4_sep_3_conv_1: {
                let vb = vb.pp("darts.0.normal.4.sep.3.conv.1");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_sep_3_bn_1: {
                let vb = vb.pp("darts.0.normal.4.sep.3.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_4_sep_4_dwconv_0: {
                let vb = vb.pp("darts.0.normal.4.sep.4.dwconv.0");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_4_sep_4_conv_0: {
                let vb = vb.pp("darts.0.normal.4.sep.4.conv.0");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_sep_4_bn_0: {
                let vb = vb.pp("darts.0.normal.4.sep.4.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_4_sep_4_dwconv_1: {
                let vb = vb.pp("darts.0.normal.4.sep.4.dwconv.1");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_4_sep_4_conv_1: {
                let vb = vb.pp("darts.0.normal.4.sep.4.conv.1");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_sep_4_bn_1: {
                let vb = vb.pp("darts.0.normal.4.sep.4.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_4_dil_0_dwconv_0: {
                let vb = vb.pp("darts.0.normal.4.dil.0.dwconv.0");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 2, dilation: 2, groups: 64, ..Default::default() })
            },
            darts_0_normal_4_dil_0_conv_0: {
                let vb = vb.pp("darts.0.normal.4.dil.0.conv.0");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_4_dil_0_bn_0: {
                let vb = vb.pp("darts.0.normal.4.dil.0.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_5_bring_0_pointwise_0_conv_0: {
                let vb = vb.pp("darts.0.normal.5.bring.0.pointwise.0.conv.0");
                Conv2d::new(vb.get((64, 256, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_5_bring_0_pointwise_0_bn_0: {
                let vb = vb.pp("darts.0.normal.5.bring.0.pointwise.0.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_5_bring_0_pointwise_1_conv_0: {
                let vb = vb.pp("darts.0.normal.5.bring.0.pointwise.1.conv.0");
                Conv2d::new(vb.get((64, 256, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_5_bring_0_pointwise_1_bn_0: {
                let vb = vb.pp("darts.0.normal.5.bring.0.pointwise.1.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_5_sep_0_dwconv_0: {
                let vb = vb.pp("darts.0.normal.5.sep.0.dwconv.0");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_5_sep_0_conv_0: {
                let vb = vb.pp("darts.0.normal.5.sep.0.conv.0");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_5_sep_0_bn_0: {
                let vb = vb.pp("darts.0.normal.5.sep.0.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_5_sep_0_dwconv_1: {
                let vb = vb.pp("darts.0.normal.5.sep.0.dwconv.1");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_5_sep_0_conv_1: {
                let vb = vb.pp("darts.0.normal.5.sep.0.conv.1");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_5_sep_0_bn_1: {
                let vb = vb.pp("darts.0.normal.5.sep.0.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_5_sep_1_dwconv_0: {
                let vb = vb.pp("darts.0.normal.5.sep.1.dwconv.0");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_5_sep_1_conv_0: {
                let vb = vb.pp("darts.0.normal.5.sep.1.conv.0");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_5_sep_1_bn_0: {
                let vb = vb.pp("darts.0.normal.5.sep.1.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_5_sep_1_dwconv_1: {
                let vb = vb.pp("darts.0.normal.5.sep.1.dwconv.1");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_5_sep_1_conv_1: {
                let vb = vb.pp("darts.0.normal.5.sep.1.conv.1");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_5_sep_1_bn_1: {
                let vb = vb.pp("darts.0.normal.5.sep.1.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_5_sep_2_dwconv_0: {
                let vb = vb.pp("darts.0.normal.5.sep.2.dwconv.0");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_5_sep_2_conv_0: {
                let vb = vb.pp("darts.0.normal.5.sep.2.conv.0");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_5_sep_2_bn_0: {
                let vb = vb.pp("darts.0.normal.5.sep.2.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_5_sep_2_dwconv_1: {
                let vb = vb.pp("darts.0.normal.5.sep.2.dwconv.1");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_5_sep_2_conv_1: {
                let vb = vb.pp("darts.0.normal.5.sep.2.conv.1");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_5_sep_2_bn_1: {
                let vb = vb.pp("darts.0.normal.5.sep.2.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_5_sep_3_dwconv_0: {
                let vb = vb.pp("darts.0.normal.5.sep.3.dwconv.0");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_5_sep_3_conv_0: {
                let vb = vb.pp("darts.0.normal.5.sep.3.conv.0");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_5_sep_3_bn_0: {
                let vb = vb.pp("darts.0.normal.5.sep.3.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_5_sep_3_dwconv_1: {
                let vb = vb.pp("darts.0.normal.5.sep.3.dwconv.1");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_5_sep_3_conv_1: {
                let vb = vb.pp("darts.0.normal.5.sep.3.conv.1");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_5_sep_3_bn_1: {
                let vb = vb.pp("darts.0.normal.5.sep.3.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_5_sep_4_dwconv_0: {
                let vb = vb.pp("darts.0.normal.5.sep.4.dwconv.0");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_5_sep_4_conv_0: {
                let vb = vb.pp("darts.0.normal.5.sep.4.conv.0");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_5_sep_4_bn_0: {
                let vb = vb.pp("darts.0.normal.5.sep.4.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_5_sep_4_dwconv_1: {
                let vb = vb.pp("darts.0.normal.5.sep.4.dwconv.1");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 64, ..Default::default() })
            },
            darts_0_normal_5_sep_4_conv_1: {
                let vb = vb.pp("darts.0.normal.5.sep.4.conv.1");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_5_sep_4_bn_1: {
                let vb = vb.pp("darts.0.normal.5.sep.4.bn.1");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_normal_5_dil_0_dwconv_0: {
                let vb = vb.pp("darts.0.normal.5.dil.0.dwconv.0");
                Conv2d::new(vb.get((64, 1, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 2, dilation: 2, groups: 64, ..Default::default() })
            },
            darts_0_normal_5_dil_0_conv_0: {
                let vb = vb.pp("darts.0.normal.5.dil.0.conv.0");
                Conv2d::new(vb.get((64, 64, 1, 1), "weight")?, None, Conv2dConfig { stride: 1, padding: 0, dilation: 1, groups: 1, ..Default::default() })
            },
            darts_0_normal_5_dil_0_bn_0: {
                let vb = vb.pp("darts.0.normal.5.dil.0.bn.0");
                candle_nn::batch_norm(64, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            darts_0_dense_0: {
                let vb = vb.pp("darts.0.dense.0");
                candle_nn::linear(256, 10, vb)?
            },
        })
    }

    pub fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let mut x = x.clone();

        // darts.0
        x = self.darts_0_conv_0.forward(&x)?;
        x = self.darts_0_bn_0.forward_t(&x, train)?;

        // darts.0.normal.0.bring.0.pointwise.0
        let mut y = x.relu()?;
        y = self.darts_0_normal_0_bring_0_pointwise_0_conv_0.forward(&y)?;
        y = self.darts_0_normal_0_bring_0_pointwise_0_bn_0.forward_t(&y, train)?;

        // darts.0.normal.0.bring.0.pointwise.1
        let mut z = x.relu()?;
        z = self.darts_0_normal_0_bring_0_pointwise_1_conv_0.forward(&z)?;
        z = self.darts_0_normal_0_bring_0_pointwise_1_bn_0.forward_t(&z, train)?;

        // darts.0.normal.0.sep.0
        let mut u = y.relu()?;
        u = self.darts_0_normal_0_sep_0_dwconv_0.forward(&u)?;
        u = self.darts_0_normal_0_sep_0_conv_0.forward(&u)?;
        u = self.darts_0_normal_0_sep_0_bn_0.forward_t(&u, train)?;
        u = u.relu()?;
        u = self.darts_0_normal_0_sep_0_dwconv_1.forward(&u)?;
        u = self.darts_0_normal_0_sep_0_conv_1.forward(&u)?;
        u = self.darts_0_normal_0_sep_0_bn_1.forward_t(&u, train)?;

        // darts.0.normal.0.sep.1
        let mut v = z.relu()?;
        v = self.darts_0_normal_0_sep_1_dwconv_0.forward(&v)?;
        v = self.darts_0_normal_0_sep_1_conv_0.forward(&v)?;
        v = self.darts_0_normal_0_sep_1_bn_0.forward_t(&v, train)?;
        v = v.relu()?;
        v = self.darts_0_normal_0_sep_1_dwconv_1.forward(&v)?;
        v = self.darts_0_normal_0_sep_1_conv_1.forward(&v)?;
        v = self.darts_0_normal_0_sep_1_bn_1.forward_t(&v, train)?;

        // darts.0.normal.0
        u = (&u + &v)?;

        // darts.0.normal.0.sep.2
        v = y.relu()?;
        v = self.darts_0_normal_0_sep_2_dwconv_0.forward(&v)?;
        v = self.darts_0_normal_0_sep_2_conv_0.forward(&v)?;
        v = self.darts_0_normal_0_sep_2_bn_0.forward_t(&v, train)?;
        v = v.relu()?;
        v = self.darts_0_normal_0_sep_2_dwconv_1.forward(&v)?;
        v = self.darts_0_normal_0_sep_2_conv_1.forward(&v)?;
        v = self.darts_0_normal_0_sep_2_bn_1.forward_t(&v, train)?;

        // darts.0.normal.0.sep.3
        let mut w = z.relu()?;
        w = self.darts_0_normal_0_sep_3_dwconv_0.forward(&w)?;
        w = self.darts_0_normal_0_sep_3_conv_0.forward(&w)?;
        w = self.darts_0_normal_0_sep_3_bn_0.forward_t(&w, train)?;
        w = w.relu()?;
        w = self.darts_0_normal_0_sep_3_dwconv_1.forward(&w)?;
        w = self.darts_0_normal_0_sep_3_conv_1.forward(&w)?;
        w = self.darts_0_normal_0_sep_3_bn_1.forward_t(&w, train)?;

        // darts.0.normal.0
        v = (&v + &w)?;

        // darts.0.normal.0.sep.4
        z = z.relu()?;
        z = self.darts_0_normal_0_sep_4_dwconv_0.forward(&z)?;
        z = self.darts_0_normal_0_sep_4_conv_0.forward(&z)?;
        z = self.darts_0_normal_0_sep_4_bn_0.forward_t(&z, train)?;
        z = z.relu()?;
        z = self.darts_0_normal_0_sep_4_dwconv_1.forward(&z)?;
        z = self.darts_0_normal_0_sep_4_conv_1.forward(&z)?;
        z = self.darts_0_normal_0_sep_4_bn_1.forward_t(&z, train)?;

        // darts.0.normal.0
        z = (&z + &y)?;

        // darts.0.normal.0.dil.0
        w = u.relu()?;
        w = self.darts_0_normal_0_dil_0_dwconv_0.forward(&w)?;
        w = self.darts_0_normal_0_dil_0_conv_0.forward(&w)?;
        w = self.darts_0_normal_0_dil_0_bn_0.forward_t(&w, train)?;

        // darts.0.normal.0
        y = (&y + &w)?;
        y = Tensor::cat(&[&u, &v, &z, &y], 1)?;

        // darts.0.normal.1.bring.0.pointwise.0
        x = x.relu()?;
        x = self.darts_0_normal_1_bring_0_pointwise_0_conv_0.forward(&x)?;
        x = self.darts_0_normal_1_bring_0_pointwise_0_bn_0.forward_t(&x, train)?;

        // darts.0.normal.1.bring.0.pointwise.1
        z = y.relu()?;
        z = self.darts_0_normal_1_bring_0_pointwise_1_conv_0.forward(&z)?;
        z = self.darts_0_normal_1_bring_0_pointwise_1_bn_0.forward_t(&z, train)?;

        // darts.0.normal.1.sep.0
        u = x.relu()?;
        u = self.darts_0_normal_1_sep_0_dwconv_0.forward(&u)?;
        u = self.darts_0_normal_1_sep_0_conv_0.forward(&u)?;
        u = self.darts_0_normal_1_sep_0_bn_0.forward_t(&u, train)?;
        u = u.relu()?;
        u = self.darts_0_normal_1_sep_0_dwconv_1.forward(&u)?;
        u = self.darts_0_normal_1_sep_0_conv_1.forward(&u)?;
        u = self.darts_0_normal_1_sep_0_bn_1.forward_t(&u, train)?;

        // darts.0.normal.1.sep.1
        v = z.relu()?;
        v = self.darts_0_normal_1_sep_1_dwconv_0.forward(&v)?;
        v = self.darts_0_normal_1_sep_1_conv_0.forward(&v)?;
        v = self.darts_0_normal_1_sep_1_bn_0.forward_t(&v, train)?;
        v = v.relu()?;
        v = self.darts_0_normal_1_sep_1_dwconv_1.forward(&v)?;
        v = self.darts_0_normal_1_sep_1_conv_1.forward(&v)?;
        v = self.darts_0_normal_1_sep_1_bn_1.forward_t(&v, train)?;

        // darts.0.normal.1
        u = (&u + &v)?;

        // darts.0.normal.1.sep.2
        v = x.relu()?;
        v = self.darts_0_normal_1_sep_2_dwconv_0.forward(&v)?;
        v = self.darts_0_normal_1_sep_2_conv_0.forward(&v)?;
        v = self.darts_0_normal_1_sep_2_bn_0.forward_t(&v, train)?;
        v = v.relu()?;
        v = self.darts_0_normal_1_sep_2_dwconv_1.forward(&v)?;
        v = self.darts_0_normal_1_sep_2_conv_1.forward(&v)?;
        v = self.darts_0_normal_1_sep_2_bn_1.forward_t(&v, train)?;

        // darts.0.normal.1.sep.3
        w = z.relu()?;
        w = self.darts_0_normal_1_sep_3_dwconv_0.forward(&w)?;
        w = self.darts_0_normal_1_sep_3_conv_0.forward(&w)?;
        w = self.darts_0_normal_1_sep_3_bn_0.forward_t(&w, train)?;
        w = w.relu()?;
        w = self.darts_0_normal_1_sep_3_dwconv_1.forward(&w)?;
        w = self.darts_0_normal_1_sep_3_conv_1.forward(&w)?;
        w = self.darts_0_normal_1_sep_3_bn_1.forward_t(&w, train)?;

        // darts.0.normal.1
        v = (&v + &w)?;

        // darts.0.normal.1.sep.4
        z = z.relu()?;
        z = self.darts_0_normal_1_sep_4_dwconv_0.forward(&z)?;
        z = self.darts_0_normal_1_sep_4_conv_0.forward(&z)?;
        z = self.darts_0_normal_1_sep_4_bn_0.forward_t(&z, train)?;
        z = z.relu()?;
        z = self.darts_0_normal_1_sep_4_dwconv_1.forward(&z)?;
        z = self.darts_0_normal_1_sep_4_conv_1.forward(&z)?;
        z = self.darts_0_normal_1_sep_4_bn_1.forward_t(&z, train)?;

        // darts.0.normal.1
        z = (&z + &x)?;

        // darts.0.normal.1.dil.0
        w = u.relu()?;
        w = self.darts_0_normal_1_dil_0_dwconv_0.forward(&w)?;
        w = self.darts_0_normal_1_dil_0_conv_0.forward(&w)?;
        w = self.darts_0_normal_1_dil_0_bn_0.forward_t(&w, train)?;

        // darts.0.normal.1
        x = (&x + &w)?;
        x = Tensor::cat(&[&u, &v, &z, &x], 1)?;

        // darts.0.reduction.0.bring.0.pointwise.0
        y = y.relu()?;
        y = self.darts_0_reduction_0_bring_0_pointwise_0_conv_0.forward(&y)?;
        y = self.darts_0_reduction_0_bring_0_pointwise_0_bn_0.forward_t(&y, train)?;

        // darts.0.reduction.0.bring.0.pointwise.1
        z = x.relu()?;
        z = self.darts_0_reduction_0_bring_0_pointwise_1_conv_0.forward(&z)?;
        z = self.darts_0_reduction_0_bring_0_pointwise_1_bn_0.forward_t(&z, train)?;

        // darts.0.reduction.0
        u = max_pool(&y, &Window { kernel: [3, 3], stride: [2, 2], before: [1, 1], after: [0, 0] })?;
        v = max_pool(&z, &Window { kernel: [3, 3], stride: [2, 2], before: [1, 1], after: [0, 0] })?;
        u = (&u + &v)?;
        v = max_pool(&z, &Window { kernel: [3, 3], stride: [2, 2], before: [1, 1], after: [0, 0] })?;
        v = (&u + &v)?;
        y = max_pool(&y, &Window { kernel: [3, 3], stride: [2, 2], before: [1, 1], after: [0, 0] })?;
        y = (&y + &u)?;
        z = max_pool(&z, &Window { kernel: [3, 3], stride: [2, 2], before: [1, 1], after: [0, 0] })?;
        z = (&u + &z)?;
        y = Tensor::cat(&[&u, &v, &y, &z], 1)?;

        // darts.0.normal.2.bring.0.halve.0
        x = x.relu()?;
        z = self.darts_0_normal_2_bring_0_halve_0_conv_0.forward(&x)?;
        x = x.narrow(2, 1, 31)?.narrow(3, 1, 31)?;
        x = self.darts_0_normal_2_bring_0_halve_0_conv_1.forward(&x)?;
        x = Tensor::cat(&[&z, &x], 1)?;
        x = self.darts_0_normal_2_bring_0_halve_0_bn_0.forward_t(&x, train)?;

        // darts.0.normal.2.bring.0.pointwise.0
        z = y.relu()?;
        z = self.darts_0_normal_2_bring_0_pointwise_0_conv_0.forward(&z)?;
        z = self.darts_0_normal_2_bring_0_pointwise_0_bn_0.forward_t(&z, train)?;

        // darts.0.normal.2.sep.0
        u = x.relu()?;
        u = self.darts_0_normal_2_sep_0_dwconv_0.forward(&u)?;
        u = self.darts_0_normal_2_sep_0_conv_0.forward(&u)?;
        u = self.darts_0_normal_2_sep_0_bn_0.forward_t(&u, train)?;
        u = u.relu()?;
        u = self.darts_0_normal_2_sep_0_dwconv_1.forward(&u)?;
        u = self.darts_0_normal_2_sep_0_conv_1.forward(&u)?;
        u = self.darts_0_normal_2_sep_0_bn_1.forward_t(&u, train)?;

        // darts.0.normal.2.sep.1
        v = z.relu()?;
        v = self.darts_0_normal_2_sep_1_dwconv_0.forward(&v)?;
        v = self.darts_0_normal_2_sep_1_conv_0.forward(&v)?;
        v = self.darts_0_normal_2_sep_1_bn_0.forward_t(&v, train)?;
        v = v.relu()?;
        v = self.darts_0_normal_2_sep_1_dwconv_1.forward(&v)?;
        v = self.darts_0_normal_2_sep_1_conv_1.forward(&v)?;
        v = self.darts_0_normal_2_sep_1_bn_1.forward_t(&v, train)?;

        // darts.0.normal.2
        u = (&u + &v)?;

        // darts.0.normal.2.sep.2
        v = x.relu()?;
        v = self.darts_0_normal_2_sep_2_dwconv_0.forward(&v)?;
        v = self.darts_0_normal_2_sep_2_conv_0.forward(&v)?;
        v = self.darts_0_normal_2_sep_2_bn_0.forward_t(&v, train)?;
        v = v.relu()?;
        v = self.darts_0_normal_2_sep_2_dwconv_1.forward(&v)?;
        v = self.darts_0_normal_2_sep_2_conv_1.forward(&v)?;
        v = self.darts_0_normal_2_sep_2_bn_1.forward_t(&v, train)?;

        // darts.0.normal.2.sep.3
        w = z.relu()?;
        w = self.darts_0_normal_2_sep_3_dwconv_0.forward(&w)?;
        w = self.darts_0_normal_2_sep_3_conv_0.forward(&w)?;
        w = self.darts_0_normal_2_sep_3_bn_0.forward_t(&w, train)?;
        w = w.relu()?;
        w = self.darts_0_normal_2_sep_3_dwconv_1.forward(&w)?;
        w = self.darts_0_normal_2_sep_3_conv_1.forward(&w)?;
        w = self.darts_0_normal_2_sep_3_bn_1.forward_t(&w, train)?;

        // darts.0.normal.2
        v = (&v + &w)?;

        // darts.0.normal.2.sep.4
        z = z.relu()?;
        z = self.darts_0_normal_2_sep_4_dwconv_0.forward(&z)?;
        z = self.darts_0_normal_2_sep_4_conv_0.forward(&z)?;
        z = self.darts_0_normal_2_sep_4_bn_0.forward_t(&z, train)?;
        z = z.relu()?;
        z = self.darts_0_normal_2_sep_4_dwconv_1.forward(&z)?;
        z = self.darts_0_normal_2_sep_4_conv_1.forward(&z)?;
        z = self.darts_0_normal_2_sep_4_bn_1.forward_t(&z, train)?;

        // darts.0.normal.2
        z = (&z + &x)?;

        // darts.0.normal.2.dil.0
        w = u.relu()?;
        w = self.darts_0_normal_2_dil_0_dwconv_0.forward(&w)?;
        w = self.darts_0_normal_2_dil_0_conv_0.forward(&w)?;
        w = self.darts_0_normal_2_dil_0_bn_0.forward_t(&w, train)?;

        // darts.0.normal.2
        x = (&x + &w)?;
        x = Tensor::cat(&[&u, &v, &z, &x], 1)?;

        // darts.0.normal.3.bring.0.pointwise.0
        y = y.relu()?;
        y = self.darts_0_normal_3_bring_0_pointwise_0_conv_0.forward(&y)?;
        y = self.darts_0_normal_3_bring_0_pointwise_0_bn_0.forward_t(&y, train)?;

        // darts.0.normal.3.bring.0.pointwise.1
        z = x.relu()?;
        z = self.darts_0_normal_3_bring_0_pointwise_1_conv_0.forward(&z)?;
        z = self.darts_0_normal_3_bring_0_pointwise_1_bn_0.forward_t(&z, train)?;

        // darts.0.normal.3.sep.0
        u = y.relu()?;
        u = self.darts_0_normal_3_sep_0_dwconv_0.forward(&u)?;
        u = self.darts_0_normal_3_sep_0_conv_0.forward(&u)?;
        u = self.darts_0_normal_3_sep_0_bn_0.forward_t(&u, train)?;
        u = u.relu()?;
        u = self.darts_0_normal_3_sep_0_dwconv_1.forward(&u)?;
        u = self.darts_0_normal_3_sep_0_conv_1.forward(&u)?;
        u = self.darts_0_normal_3_sep_0_bn_1.forward_t(&u, train)?;

        // darts.0.normal.3.sep.1
        v = z.relu()?;
        v = self.darts_0_normal_3_sep_1_dwconv_0.forward(&v)?;
        v = self.darts_0_normal_3_sep_1_conv_0.forward(&v)?;
        v = self.darts_0_normal_3_sep_1_bn_0.forward_t(&v, train)?;
        v = v.relu()?;
        v = self.darts_0_normal_3_sep_1_dwconv_1.forward(&v)?;
        v = self.darts_0_normal_3_sep_1_conv_1.forward(&v)?;
        v = self.darts_0_normal_3_sep_1_bn_1.forward_t(&v, train)?;

        // darts.0.normal.3
        u = (&u + &v)?;

        // darts.0.normal.3.sep.2
        v = y.relu()?;
        v = self.darts_0_normal_3_sep_2_dwconv_0.forward(&v)?;
        v = self.darts_0_normal_3_sep_2_conv_0.forward(&v)?;
        v = self.darts_0_normal_3_sep_2_bn_0.forward_t(&v, train)?;
        v = v.relu()?;
        v = self.darts_0_normal_3_sep_2_dwconv_1.forward(&v)?;
        v = self.darts_0_normal_3_sep_2_conv_1.forward(&v)?;
        v = self.darts_0_normal_3_sep_2_bn_1.forward_t(&v, train)?;

        // darts.0.normal.3.sep.3
        w = z.relu()?;
        w = self.darts_0_normal_3_sep_3_dwconv_0.forward(&w)?;
        w = self.darts_0_normal_3_sep_3_conv_0.forward(&w)?;
        w = self.darts_0_normal_3_sep_3_bn_0.forward_t(&w, train)?;
        w = w.relu()?;
        w = self.darts_0_normal_3_sep_3_dwconv_1.forward(&w)?;
        w = self.darts_0_normal_3_sep_3_conv_1.forward(&w)?;
        w = self.darts_0_normal_3_sep_3_bn_1.forward_t(&w, train)?;

        // darts.0.normal.3
        v = (&v + &w)?;

        // darts.0.normal.3.sep.4
        z = z.relu()?;
        z = self.darts_0_normal_3_sep_4_dwconv_0.forward(&z)?;
        z = self.darts_0_normal_3_sep_4_conv_0.forward(&z)?;
        z = self.darts_0_normal_3_sep_4_bn_0.forward_t(&z, train)?;
        z = z.relu()?;
        z = self.darts_0_normal_3_sep_4_dwconv_1.forward(&z)?;
        z = self.darts_0_normal_3_sep_4_conv_1.forward(&z)?;
        z = self.darts_0_normal_3_sep_4_bn_1.forward_t(&z, train)?;

        // darts.0.normal.3
        z = (&z + &y)?;

        // darts.0.normal.3.dil.0
        w = u.relu()?;
        w = self.darts_0_normal_3_dil_0_dwconv_0.forward(&w)?;
        w = self.darts_0_normal_3_dil_0_conv_0.forward(&w)?;
        w = self.darts_0_normal_3_dil_0_bn_0.forward_t(&w, train)?;

        // darts.0.normal.3
        y = (&y + &w)?;
        y = Tensor::cat(&[&u, &v, &z, &y], 1)?;

        // darts.0.reduction.1.bring.0.pointwise.0
        x = x.relu()?;
        x = self.darts_0_reduction_1_bring_0_pointwise_0_conv_0.forward(&x)?;
        x = self.darts_0_reduction_1_bring_0_pointwise_0_bn_0.forward_t(&x, train)?;

        // darts.0.reduction.1.bring.0.pointwise.1
        z = y.relu()?;
        z = self.darts_0_reduction_1_bring_0_pointwise_1_conv_0.forward(&z)?;
        z = self.darts_0_reduction_1_bring_0_pointwise_1_bn_0.forward_t(&z, train)?;

        // darts.0.reduction.1
        u = max_pool(&x, &Window { kernel: [3, 3], stride: [2, 2], before: [1, 1], after: [0, 0] })?;
        v = max_pool(&z, &Window { kernel: [3, 3], stride: [2, 2], before: [1, 1], after: [0, 0] })?;
        u = (&u + &v)?;
        v = max_pool(&z, &Window { kernel: [3, 3], stride: [2, 2], before: [1, 1], after: [0, 0] })?;
        v = (&u + &v)?;
        x = max_pool(&x, &Window { kernel: [3, 3], stride: [2, 2], before: [1, 1], after: [0, 0] })?;
        x = (&x + &u)?;
        z = max_pool(&z, &Window { kernel: [3, 3], stride: [2, 2], before: [1, 1], after: [0, 0] })?;
        z = (&u + &z)?;
        x = Tensor::cat(&[&u, &v, &x, &z], 1)?;

        // darts.0.normal.4.bring.0.halve.0
        y = y.relu()?;
        z = self.darts_0_normal_4_bring_0_halve_0_conv_0.forward(&y)?;
        y = y.narrow(2, 1, 15)?.narrow(3, 1, 15)?;
        y = self.darts_0_normal_4_bring_0_halve_0_conv_1.forward(&y)?;
        y = Tensor::cat(&[&z, &y], 1)?;
        y = self.darts_0_normal_4_bring_0_halve_0_bn_0.forward_t(&y, train)?;

        // darts.0.normal.4.bring.0.pointwise.0
        z = x.relu()?;
        z = self.darts_0_normal_4_bring_0_pointwise_0_conv_0.forward(&z)?;
        z = self.darts_0_normal_4_bring_0_pointwise_0_bn_0.forward_t(&z, train)?;

        // darts.0.normal.4.sep.0
        u = y.relu()?;
        u = self.darts_0_normal_4_sep_0_dwconv_0.forward(&u)?;
        u = self.darts_0_normal_4_sep_0_conv_0.forward(&u)?;
        u = self.darts_0_normal_4_sep_0_bn_0.forward_t(&u, train)?;
        u = u.relu()?;
        u = self.darts_0_normal_4_sep_0_dwconv_1.forward(&u)?;
        u = self.darts_0_normal_4_sep_0_conv_1.forward(&u)?;
        u = self.darts_0_normal_4_sep_0_bn_1.forward_t(&u, train)?;

        // darts.0.normal.4.sep.1
        v = z.relu()?;
        v = self.darts_0_normal_4_sep_1_dwconv_0.forward(&v)?;
        v = self.darts_0_normal_4_sep_1_conv_0.forward(&v)?;
        v = self.darts_0_normal_4_sep_1_bn_0.forward_t(&v, train)?;
        v = v.relu()?;
        v = self.darts_0_normal_4_sep_1_dwconv_1.forward(&v)?;
        v = self.darts_0_normal_4_sep_1_conv_1.forward(&v)?;
        v = self.darts_0_normal_4_sep_1_bn_1.forward_t(&v, train)?;

        // darts.0.normal.4
        u = (&u + &v)?;

        // darts.0.normal.4.sep.2
        v = y.relu()?;
        v = self.darts_0_normal_4_sep_2_dwconv_0.forward(&v)?;
        v = self.darts_0_normal_4_sep_2_conv_0.forward(&v)?;
        v = self.darts_0_normal_4_sep_2_bn_0.forward_t(&v, train)?;
        v = v.relu()?;
        v = self.darts_0_normal_4_sep_2_dwconv_1.forward(&v)?;
        v = self.darts_0_normal_4_sep_2_conv_1.forward(&v)?;
        v = self.darts_0_normal_4_sep_2_bn_1.forward_t(&v, train)?;

        // darts.0.normal.4.sep.3
        w = z.relu()?;
        w = self.darts_0_normal_4_sep_3_dwconv_0.forward(&w)?;
        w = self.darts_0_normal_4_sep_3_conv_0.forward(&w)?;
        w = self.darts_0_normal_4_sep_3_bn_0.forward_t(&w, train)?;
        w = w.relu()?;
        w = self.darts_0_normal_4_sep_3_dwconv_1.forward(&w)?;
        w = self.darts_0_normal_4_sep_3_conv_1.forward(&w)?;
        w = self.darts_0_normal_4_sep_3_bn_1.forward_t(&w, train)?;

        // darts.0.normal.4
        v = (&v + &w)?;

        // darts.0.normal.4.sep.4
        z = z.relu()?;
        z = self.darts_0_normal_4_sep_4_dwconv_0.forward(&z)?;
        z = self.darts_0_normal_4_sep_4_conv_0.forward(&z)?;
        z = self.darts_0_normal_4_sep_4_bn_0.forward_t(&z, train)?;
        z = z.relu()?;
        z = self.darts_0_normal_4_sep_4_dwconv_1.forward(&z)?;
        z = self.darts_0_normal_4_sep_4_conv_1.forward(&z)?;
        z = self.darts_0_normal_4_sep_4_bn_1.forward_t(&z, train)?;

        // darts.0.normal.4
        z = (&z + &y)?;

        // darts.0.normal.4.dil.0
        w = u.relu()?;
        w = self.darts_0_normal_4_dil_0_dwconv_0.forward(&w)?;
        w = self.darts_0_normal_4_dil_0_conv_0.forward(&w)?;
        w = self.darts_0_normal_4_dil_0_bn_0.forward_t(&w, train)?;

        // darts.0.normal.4
        y = (&y + &w)?;
        y = Tensor::cat(&[&u, &v, &z, &y], 1)?;

        // darts.0.normal.5.bring.0.pointwise.0
        x = x.relu()?;
        x = self.darts_0_normal_5_bring_0_pointwise_0_conv_0.forward(&x)?;
        x = self.darts_0_normal_5_bring_0_pointwise_0_bn_0.forward_t(&x, train)?;

        // darts.0.normal.5.bring.0.pointwise.1
        y = y.relu()?;
        y = self.darts_0_normal_5_bring_0_pointwise_1_conv_0.forward(&y)?;
        y = self.darts_0_normal_5_bring_0_pointwise_1_bn_0.forward_t(&y, train)?;

        // darts.0.normal.5.sep.0
        z = x.relu()?;
        z = self.darts_0_normal_5_sep_0_dwconv_0.forward(&z)?;
        z = self.darts_0_normal_5_sep_0_conv_0.forward(&z)?;
        z = self.darts_0_normal_5_sep_0_bn_0.forward_t(&z, train)?;
        z = z.relu()?;
        z = self.darts_0_normal_5_sep_0_dwconv_1.forward(&z)?;
        z = self.darts_0_normal_5_sep_0_conv_1.forward(&z)?;
        z = self.darts_0_normal_5_sep_0_bn_1.forward_t(&z, train)?;

        // darts.0.normal.5.sep.1
        u = y.relu()?;
        u = self.darts_0_normal_5_sep_1_dwconv_0.forward(&u)?;
        u = self.darts_0_normal_5_sep_1_conv_0.forward(&u)?;
        u = self.darts_0_normal_5_sep_1_bn_0.forward_t(&u, train)?;
        u = u.relu()?;
        u = self.darts_0_normal_5_sep_1_dwconv_1.forward(&u)?;
        u = self.darts_0_normal_5_sep_1_conv_1.forward(&u)?;
        u = self.darts_0_normal_5_sep_1_bn_1.forward_t(&u, train)?;

        // darts.0.normal.5
        z = (&z + &u)?;

        // darts.0.normal.5.sep.2
        u = x.relu()?;
        u = self.darts_0_normal_5_sep_2_dwconv_0.forward(&u)?;
        u = self.darts_0_normal_5_sep_2_conv_0.forward(&u)?;
        u = self.darts_0_normal_5_sep_2_bn_0.forward_t(&u, train)?;
        u = u.relu()?;
        u = self.darts_0_normal_5_sep_2_dwconv_1.forward(&u)?;
        u = self.darts_0_normal_5_sep_2_conv_1.forward(&u)?;
        u = self.darts_0_normal_5_sep_2_bn_1.forward_t(&u, train)?;

        // darts.0.normal.5.sep.3
        v = y.relu()?;
        v = self.darts_0_normal_5_sep_3_dwconv_0.forward(&v)?;
        v = self.darts_0_normal_5_sep_3_conv_0.forward(&v)?;
        v = self.darts_0_normal_5_sep_3_bn_0.forward_t(&v, train)?;
        v = v.relu()?;
        v = self.darts_0_normal_5_sep_3_dwconv_1.forward(&v)?;
        v = self.darts_0_normal_5_sep_3_conv_1.forward(&v)?;
        v = self.darts_0_normal_5_sep_3_bn_1.forward_t(&v, train)?;

        // darts.0.normal.5
        u = (&u + &v)?;

        // darts.0.normal.5.sep.4
        y = y.relu()?;
        y = self.darts_0_normal_5_sep_4_dwconv_0.forward(&y)?;
        y = self.darts_0_normal_5_sep_4_conv_0.forward(&y)?;
        y = self.darts_0_normal_5_sep_4_bn_0.forward_t(&y, train)?;
        y = y.relu()?;
        y = self.darts_0_normal_5_sep_4_dwconv_1.forward(&y)?;
        y = self.darts_0_normal_5_sep_4_conv_1.forward(&y)?;
        y = self.darts_0_normal_5_sep_4_bn_1.forward_t(&y, train)?;

        // darts.0.normal.5
        y = (&y + &x)?;

        // darts.0.normal.5.dil.0
        v = z.relu()?;
        v = self.darts_0_normal_5_dil_0_dwconv_0.forward(&v)?;
        v = self.darts_0_normal_5_dil_0_conv_0.forward(&v)?;
        v = self.darts_0_normal_5_dil_0_bn_0.forward_t(&v, train)?;

        // darts.0.normal.5
        x = (&x + &v)?;
        x = Tensor::cat(&[&z, &u, &y, &x], 1)?;

        // darts.0
        x = x.flatten_from(2)?.mean(2)?;
        x = self.darts_0_dense_0.forward(&x)?;
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

/// An image `[1, 1, h, w]` of ones, of the size that `x` had before it was padded.
fn ones_inside(x: &Tensor, window: &Window) -> Result<Tensor> {
    let height = x.dim(2)? - window.before[0] - window.after[0];
    let width = x.dim(3)? - window.before[1] - window.after[1];
    Tensor::ones((1, 1, height, width), x.dtype(), x.device())
}

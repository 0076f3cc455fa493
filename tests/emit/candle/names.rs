//! The net `names`, as snapc wrote it. Its weights lie in `names.safetensors`.

use candle_core::{Result, Tensor};
use candle_nn::{BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Module, ModuleT, VarBuilder};

pub struct Names {
    kernel_weights: Conv2d,
    norm_weights: BatchNorm,
    kernel_weights_again: Conv2d,
    pass_0_half_0_conv_0: Conv2d,
    pass_0_half_0_bn_0: BatchNorm,
    pass_0_half_1_conv_0: Conv2d,
    pass_0_half_1_bn_0: BatchNorm,
}

impl Names {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Names {
            kernel_weights: {
                let vb = vb.pp("kernel");
                Conv2d::new(vb.get((4, 4, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            norm_weights: {
                let vb = vb.pp("norm");
                candle_nn::batch_norm(4, BatchNormConfig { eps: 1e-5, momentum: 0.3, ..Default::default() }, vb)?
            },
            kernel_weights_again: {
                let vb = vb.pp("kernel");
                Conv2d::new(vb.get((4, 4, 3, 3), "weight")?, None, Conv2dConfig { stride: 1, padding: 2, dilation: 2, groups: 1, ..Default::default() })
            },
            pass_0_half_0_conv_0: {
                let vb = vb.pp("pass.0.half.0.conv.0");
                Conv2d::new(vb.get((4, 4, 3, 3), "weight")?, Some(vb.get(4, "bias")?), Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            pass_0_half_0_bn_0: {
                let vb = vb.pp("pass.0.half.0.bn.0");
                candle_nn::batch_norm(4, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
            pass_0_half_1_conv_0: {
                let vb = vb.pp("pass.0.half.1.conv.0");
                Conv2d::new(vb.get((4, 4, 3, 3), "weight")?, Some(vb.get(4, "bias")?), Conv2dConfig { stride: 1, padding: 1, dilation: 1, groups: 1, ..Default::default() })
            },
            pass_0_half_1_bn_0: {
                let vb = vb.pp("pass.0.half.1.bn.0");
                candle_nn::batch_norm(4, BatchNormConfig { eps: 1e-5, momentum: 0.1, ..Default::default() }, vb)?
            },
        })
    }

    pub fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let mut x = x.clone();
        x = self.kernel_weights.forward(&x)?;
        x = self.norm_weights.forward_t(&x, train)?;
        x = x.relu()?;
        x = self.kernel_weights_again.forward(&x)?;
        x = self.norm_weights.forward_t(&x, train)?;

        // pass.0.half.0
        x = self.pass_0_half_0_conv_0.forward(&x)?;
        x = self.pass_0_half_0_bn_0.forward_t(&x, train)?;

        // pass.0
        x = x.relu()?;

        // pass.0.half.1
        x = self.pass_0_half_1_conv_0.forward(&x)?;
        x = self.pass_0_half_1_bn_0.forward_t(&x, train)?;

        x = x.flatten_from(2)?.mean(2)?;
        Ok(x)
    }
}

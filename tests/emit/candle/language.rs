//! The net `language`, as snapc wrote it. Its weights lie in `language.safetensors`.

use candle_core::{D, DType, Result, Tensor};
use candle_nn::{Embedding, Init, Linear, Module, VarBuilder};

pub struct Language {
    tokens_weights: Embedding,
    positions_0: Tensor,
    ln_0: Norm,
    attention_0: Attention,
    rmsnorm_0: Norm,
    attention_1: Attention,
    layer_scale_0: Tensor,
    ln_1: Norm,
    tokens_weights_again: Linear,
}

impl Language {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Language {
            tokens_weights: {
                let vb = vb.pp("tokens");
                candle_nn::embedding(11, 8, vb)?
            },
            positions_0: {
                let vb = vb.pp("positions.0");
                vb.get((7, 8), "weight")?
            },
            ln_0: {
                let vb = vb.pp("ln.0");
                Norm::layer(8, 2, 1e-5, vb)?
            },
            attention_0: {
                let vb = vb.pp("attention.0");
                Attention::new(8, 2, true, vb)?
            },
            rmsnorm_0: {
                let vb = vb.pp("rmsnorm.0");
                Norm::root_mean_square(8, 2, 0.01, vb)?
            },
            attention_1: {
                let vb = vb.pp("attention.1");
                Attention::new(8, 4, false, vb)?
            },
            layer_scale_0: {
                let vb = vb.pp("layer_scale.0");
                vb.get(8, "weight")?
            },
            ln_1: {
                let vb = vb.pp("ln.1");
                Norm::layer(8, 2, 1e-5, vb)?
            },
            tokens_weights_again: {
                let vb = vb.pp("tokens");
                candle_nn::linear_no_bias(8, 11, vb)?
            },
        })
    }

    pub fn forward_t(&self, x: &Tensor, _train: bool) -> Result<Tensor> {
        let mut x = x.clone();
        x = self.tokens_weights.forward(&x.round()?.to_dtype(DType::U32)?)?;
        x = x.broadcast_add(&self.positions_0)?;
        let mut y = self.ln_0.forward(&x)?;
        y = self.attention_0.forward(&y, Some(&causal(&y)?))?;
        x = (&x + &y)?;
        y = self.rmsnorm_0.forward(&x)?;
        y = self.attention_1.forward(&y, None)?;
        y = y.broadcast_mul(&self.layer_scale_0)?;
        x = (&x + &y)?;
        x = self.ln_1.forward(&x)?;
        x = x.gelu()?;
        x = self.tokens_weights_again.forward(&x)?;
        Ok(x)
    }
}

/// Normalisation along one axis: by mean and deviation, or by the root mean square.
struct Norm {
    weight: Tensor,
    bias: Option<Tensor>,
    epsilon: f64,
    axis: usize,
}

impl Norm {
    /// With a bias, after the mean is taken away.
    fn layer(size: usize, axis: usize, epsilon: f64, vb: VarBuilder) -> Result<Self> {
        let bias = vb.get_with_hints(size, "bias", Init::Const(0.0))?;
        let bias = Some(bias);
        Ok(Norm { bias, ..Norm::root_mean_square(size, axis, epsilon, vb)? })
    }

    fn root_mean_square(size: usize, axis: usize, epsilon: f64, vb: VarBuilder) -> Result<Self> {
        let weight = vb.get_with_hints(size, "weight", Init::Const(1.0))?;
        Ok(Norm { weight, bias: None, epsilon, axis })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut shape = vec![1; x.rank()];
        shape[self.axis] = self.weight.elem_count();
        let x = match self.bias {
            Some(_) => x.broadcast_sub(&x.mean_keepdim(self.axis)?)?,
            None => x.clone(),
        };
        let square = x.sqr()?.mean_keepdim(self.axis)?;
        let x = x.broadcast_div(&(square + self.epsilon)?.sqrt()?)?;
        let x = x.broadcast_mul(&self.weight.reshape(shape.as_slice())?)?;
        match &self.bias {
            Some(bias) => x.broadcast_add(&bias.reshape(shape.as_slice())?),
            None => Ok(x),
        }
    }
}

/// Multi-head self-attention of `[n, t, d]`.
struct Attention {
    inward: Linear,
    outward: Linear,
    heads: usize,
}

impl Attention {
    fn new(width: usize, heads: usize, bias: bool, vb: VarBuilder) -> Result<Self> {
        let weight = vb.get((3 * width, width), "in_proj_weight")?;
        let shift = bias.then(|| vb.get(3 * width, "in_proj_bias")).transpose()?;
        Ok(Attention {
            inward: Linear::new(weight, shift),
            outward: candle_nn::linear_b(width, width, bias, vb.pp("out_proj"))?,
            heads,
        })
    }

    /// `seen` is one where a position sees another, `[.., t, t]`, and zero elsewhere.
    fn forward(&self, x: &Tensor, seen: Option<&Tensor>) -> Result<Tensor> {
        let parts = self.inward.forward(x)?.chunk(3, D::Minus1)?;
        let found = attend([&parts[0], &parts[1], &parts[2]], self.heads, seen)?;
        self.outward.forward(&found)
    }
}

/// What each of so many positions sees if it sees none behind it.
fn causal(x: &Tensor) -> Result<Tensor> {
    let tokens = x.dim(1)?;
    Tensor::tril2(tokens, x.dtype(), x.device())
}

/// Multi-head attention; where nothing is seen, zeros are found.
fn attend(parts: [&Tensor; 3], heads: usize, seen: Option<&Tensor>) -> Result<Tensor> {
    let split = |x: &Tensor| {
        let (n, tokens, width) = x.dims3()?;
        let x = x.reshape((n, tokens, heads, width / heads))?;
        x.transpose(1, 2)?.contiguous()
    };
    let [query, key, value] = [split(parts[0])?, split(parts[1])?, split(parts[2])?];
    let scale = (query.dim(D::Minus1)? as f64).sqrt();
    let scores = (query.matmul(&key.transpose(2, 3)?.contiguous()?)? / scale)?;
    let shares = match seen {
        None => candle_nn::ops::softmax(&scores, D::Minus1)?,
        Some(seen) => {
            let scores = scores.broadcast_add(&((seen - 1.0)? * 1e30)?)?;
            candle_nn::ops::softmax(&scores, D::Minus1)?.broadcast_mul(seen)?
        }
    };
    shares.matmul(&value)?.transpose(1, 2)?.flatten_from(2)
}

//! The net `sequences`, as snapc wrote it. Its weights lie in `sequences.safetensors`.

use candle_core::{D, Result, Tensor};
use candle_nn::{Init, Linear, Module, VarBuilder};

pub struct Sequences {
    masked_attention_0: Attention,
    cross_attention_0: CrossAttention,
    cross_attention_1: CrossAttention,
    class_token_0: Tensor,
    ln_0: Norm,
    dense_0: Linear,
    dense_1: Linear,
    ln_1: Norm,
    dense_2: Linear,
}

impl Sequences {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Sequences {
            masked_attention_0: {
                let vb = vb.pp("masked_attention.0");
                Attention::new(6, 3, true, vb)?
            },
            cross_attention_0: {
                let vb = vb.pp("cross_attention.0");
                CrossAttention::new(6, 7, 2, true, vb)?
            },
            cross_attention_1: {
                let vb = vb.pp("cross_attention.1");
                CrossAttention::new(6, 7, 3, false, vb)?
            },
            class_token_0: {
                let vb = vb.pp("class_token.0");
                vb.get(6, "weight")?
            },
            ln_0: {
                let vb = vb.pp("ln.0");
                Norm::layer(6, 2, 1e-5, vb)?
            },
            dense_0: {
                let vb = vb.pp("dense.0");
                candle_nn::linear(4, 6, vb)?
            },
            dense_1: {
                let vb = vb.pp("dense.1");
                candle_nn::linear(6, 8, vb)?
            },
            ln_1: {
                let vb = vb.pp("ln.1");
                Norm::layer(5, 2, 1e-5, vb)?
            },
            dense_2: {
                let vb = vb.pp("dense.2");
                candle_nn::linear(5, 5, vb)?
            },
        })
    }

    pub fn forward_t(&self, x: &Tensor, y: &Tensor, z: &Tensor, _train: bool) -> Result<(Tensor, Tensor, Tensor)> {
        let mut x = x.clone();
        let mut y = y.clone();
        let mut z = z.clone();
        x = x.flatten_from(2)?.transpose(1, 2)?.contiguous()?;
        x = self.masked_attention_0.forward(&x, Some(&unmasked(&z)?))?;
        x = self.cross_attention_0.forward(&x, &y)?;
        x = self.cross_attention_1.forward(&x, &y)?;
        z = x.transpose(1, 2)?.reshape(((), 6, 3, 4))?;
        x = put_before(&x, &self.class_token_0)?;
        x = self.ln_0.forward(&x)?;
        let u = x.narrow(1, 0, 1)?.squeeze(1)?;
        x = x.transpose(1, 2)?.contiguous()?;
        x = x.narrow(1, 1, 4)?.contiguous()?;
        x = x.transpose(1, 2)?.contiguous()?;
        x = x.mean(1)?;
        x = self.dense_0.forward(&x)?;
        x = (&u + &x)?;
        x = self.dense_1.forward(&x)?;
        y = y.transpose(1, 2)?.contiguous()?;
        y = self.ln_1.forward(&y)?;
        y = y.narrow(1, 2, 1)?.squeeze(1)?;
        y = self.dense_2.forward(&y)?;
        Ok((z.clone(), x.clone(), y.clone()))
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

/// Puts a token before those of `[n, t, d]`.
fn put_before(x: &Tensor, token: &Tensor) -> Result<Tensor> {
    let (n, _, width) = x.dims3()?;
    let token = token.reshape((1, 1, width))?.broadcast_as((n, 1, width))?;
    Tensor::cat(&[&token.contiguous()?, x], 1)
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

/// What is seen where a mask `[n, t]` is not zero.
fn unmasked(mask: &Tensor) -> Result<Tensor> {
    let seen = mask.ne(0.0)?.to_dtype(mask.dtype())?;
    seen.unsqueeze(1)?.unsqueeze(1)
}

/// Multi-head attention of `[n, t, d]` to `[n, s, e]`.
struct CrossAttention {
    projections: [Linear; 3],
    outward: Linear,
    heads: usize,
}

impl CrossAttention {
    fn new(
        width: usize,
        context: usize,
        heads: usize,
        bias: bool,
        vb: VarBuilder,
    ) -> Result<Self> {
        let shift = bias.then(|| vb.get(3 * width, "in_proj_bias")).transpose()?;
        let projection = |place: usize, input: usize, name: &str| {
            let part = |shift: &Tensor| shift.narrow(0, place * width, width);
            let shift = shift.as_ref().map(part).transpose()?;
            Ok::<_, candle_core::Error>(Linear::new(vb.get((width, input), name)?, shift))
        };
        Ok(CrossAttention {
            projections: [
                projection(0, width, "q_proj_weight")?,
                projection(1, context, "k_proj_weight")?,
                projection(2, context, "v_proj_weight")?,
            ],
            outward: candle_nn::linear_b(width, width, bias, vb.pp("out_proj"))?,
            heads,
        })
    }

    fn forward(&self, x: &Tensor, context: &Tensor) -> Result<Tensor> {
        let [query, key, value] = &self.projections;
        let query = query.forward(x)?;
        let (key, value) = (key.forward(context)?, value.forward(context)?);
        self.outward.forward(&attend([&query, &key, &value], self.heads, None)?)
    }
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

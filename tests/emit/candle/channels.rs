//! The net `channels`, as snapc wrote it. Its weights lie in `channels.safetensors`.

use candle_core::{D, Result, Tensor};
use candle_nn::{Init, Linear, Module, VarBuilder};

pub struct Channels {
    ln_0: Norm,
    window_attention_0: WindowAttention,
    rmsnorm_0: Norm,
    layer_scale_0: Tensor,
    window_attention_1: WindowAttention,
    window_attention_2: WindowAttention,
}

impl Channels {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Channels {
            ln_0: {
                let vb = vb.pp("ln.0");
                Norm::layer(8, 1, 0.01, vb)?
            },
            window_attention_0: {
                let vb = vb.pp("window_attention.0");
                WindowAttention::new(8, 2, 3, [1, 1], vb)?
            },
            rmsnorm_0: {
                let vb = vb.pp("rmsnorm.0");
                Norm::root_mean_square(8, 1, 1e-6, vb)?
            },
            layer_scale_0: {
                let vb = vb.pp("layer_scale.0");
                vb.get(8, "weight")?.reshape((8, 1, 1))?
            },
            window_attention_1: {
                let vb = vb.pp("window_attention.1");
                WindowAttention::new(8, 4, 2, [0, 0], vb)?
            },
            window_attention_2: {
                let vb = vb.pp("window_attention.2");
                WindowAttention::new(8, 2, 6, [0, 0], vb)?
            },
        })
    }

    pub fn forward_t(&self, x: &Tensor, _train: bool) -> Result<Tensor> {
        let mut x = x.clone();
        x = self.ln_0.forward(&x)?;
        x = self.window_attention_0.forward(&x)?;
        x = self.rmsnorm_0.forward(&x)?;
        x = x.broadcast_mul(&self.layer_scale_0)?;
        x = self.window_attention_1.forward(&x)?;
        x = x.gelu_erf()?;
        x = self.window_attention_2.forward(&x)?;
        x = x.flatten_from(2)?.mean(2)?;
        x = softplus(&x)?;
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

/// The elements of an axis at these places.
fn pick(x: &Tensor, axis: usize, places: Vec<usize>) -> Result<Tensor> {
    let places: Vec<u32> = places.into_iter().map(|place| place as u32).collect();
    let places = Tensor::new(places, x.device())?;
    x.contiguous()?.index_select(&places, axis)
}

/// `ln(1 + exp(x))`, without an overflow.
fn softplus(x: &Tensor) -> Result<Tensor> {
    x.relu()? + (x.abs()?.neg()?.exp()? + 1.0)?.log()?
}

/// Self-attention within windows of `[n, c, h, w]`, as in the Swin Transformer.
struct WindowAttention {
    inward: Linear,
    outward: Linear,
    table: Tensor,
    heads: usize,
    window: usize,
    shifts: [usize; 2],
}

impl WindowAttention {
    fn new(
        channels: usize,
        heads: usize,
        window: usize,
        shifts: [usize; 2],
        vb: VarBuilder,
    ) -> Result<Self> {
        let reach = 2 * window - 1;
        Ok(WindowAttention {
            inward: candle_nn::linear(channels, 3 * channels, vb.pp("qkv"))?,
            outward: candle_nn::linear(channels, channels, vb.pp("proj"))?,
            table: vb.get((reach * reach, heads), "relative_position_bias_table")?,
            heads,
            window,
            shifts,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (n, channels, height, width) = x.dims4()?;
        let (window, tokens) = (self.window, self.window * self.window);
        let (rows, columns) = (height / window, width / window);
        let x = roll(&roll(x, 2, self.shifts[0])?, 3, self.shifts[1])?;
        let x = x.reshape(&[n, channels, rows, window, columns, window])?;
        let x = x.permute([0, 2, 4, 3, 5, 1])?.reshape((n * rows * columns, tokens, channels))?;
        let split = (n * rows * columns, tokens, 3, self.heads, channels / self.heads);
        let parts = self.inward.forward(&x)?.reshape(split)?.permute((2, 0, 3, 1, 4))?;
        let part = |place: usize| parts.get(place)?.contiguous();
        let [query, key, value] = [part(0)?, part(1)?, part(2)?];
        let scale = (query.dim(D::Minus1)? as f64).sqrt();
        let scores = (query.matmul(&key.transpose(2, 3)?.contiguous()?)? / scale)?;
        let by_window = (n, rows * columns, self.heads, tokens, tokens);
        let scores = scores.broadcast_add(&self.biases()?)?.reshape(by_window)?;
        let scores = scores.broadcast_add(&self.apart(height, width, &x)?)?.flatten(0, 1)?;
        let found = candle_nn::ops::softmax(&scores, D::Minus1)?.matmul(&value)?;
        let found = found.transpose(1, 2)?.reshape((n * rows * columns, tokens, channels))?;
        let x = self.outward.forward(&found)?;
        let x = x.reshape(&[n, rows, columns, window, window, channels])?;
        let x = x.permute([0, 5, 1, 3, 2, 4])?.reshape((n, channels, height, width))?;
        let back = [height - self.shifts[0], width - self.shifts[1]];
        roll(&roll(&x, 2, back[0])?, 3, back[1])
    }

    /// What the relative position of two adds to their score, `[heads, t, t]`.
    fn biases(&self) -> Result<Tensor> {
        let (window, tokens) = (self.window, self.window * self.window);
        let distance = |from: usize, to: usize| from + window - 1 - to;
        let mut rows = Vec::new();
        for from in 0..tokens {
            for to in 0..tokens {
                let down = distance(from / window, to / window);
                rows.push(down * (2 * window - 1) + distance(from % window, to % window));
            }
        }
        let biases = pick(&self.table, 0, rows)?.reshape((tokens, tokens, self.heads))?;
        biases.permute((2, 0, 1))?.contiguous()
    }

    /// What is added to the scores of those that were apart before the image was rolled,
    /// `[windows, 1, t, t]`.
    fn apart(&self, height: usize, width: usize, x: &Tensor) -> Result<Tensor> {
        let (window, tokens) = (self.window, self.window * self.window);
        let region = |y: usize, x: usize| (y >= height - self.shifts[0], x >= width - self.shifts[1]);
        let mut apart = Vec::new();
        for top in (0..height).step_by(window) {
            for left in (0..width).step_by(window) {
                let place = |it: usize| region(top + it / window, left + it % window);
                for from in 0..tokens {
                    let added = |to: usize| if place(from) == place(to) { 0f32 } else { -100.0 };
                    apart.extend((0..tokens).map(added));
                }
            }
        }
        let windows = apart.len() / (tokens * tokens);
        let apart = Tensor::from_vec(apart, (windows, 1, tokens, tokens), x.device())?;
        apart.to_dtype(x.dtype())
    }
}

/// Brings the first elements of an axis behind the last.
fn roll(x: &Tensor, axis: usize, shift: usize) -> Result<Tensor> {
    let size = x.dim(axis)?;
    pick(x, axis, (0..size).map(|place| (place + shift) % size).collect())
}

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


/// Takes away the mean of each channel over its positions and divides by the deviation.
fn instance_norm(x: &Tensor, epsilon: f64) -> Result<Tensor> {
    let flat = x.flatten_from(2)?;
    let flat = flat.broadcast_sub(&flat.mean_keepdim(2)?)?;
    let variance = flat.sqr()?.mean_keepdim(2)?;
    let flat = flat.broadcast_div(&(variance + epsilon)?.sqrt()?)?;
    flat.reshape(x.shape())
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


/// Margins filled with the image, mirrored at its outermost pixels.
fn reflect_pad(x: &Tensor, before: [usize; 2], after: [usize; 2]) -> Result<Tensor> {
    let mut x = x.clone();
    for axis in 0..2 {
        let size = x.dim(axis + 2)?;
        let head = (1..=before[axis]).rev();
        let tail = (0..after[axis]).map(|place| size - 2 - place);
        x = pick(&x, axis + 2, head.chain(0..size).chain(tail).collect())?;
    }
    Ok(x)
}


/// Margins filled with the image, as if it were repeated.
fn circular_pad(x: &Tensor, before: [usize; 2], after: [usize; 2]) -> Result<Tensor> {
    let mut x = x.clone();
    for axis in 0..2 {
        let size = x.dim(axis + 2)?;
        let head = size - before[axis]..size;
        x = pick(&x, axis + 2, head.chain(0..size).chain(0..after[axis]).collect())?;
    }
    Ok(x)
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


/// Each pixel repeated along both axes.
fn upsample(x: &Tensor, factor: usize) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let x = x.reshape((n, channels, height, 1, width, 1))?;
    let x = x.broadcast_as((n, channels, height, factor, width, factor))?;
    x.reshape((n, channels, height * factor, width * factor))
}


/// The maximum along an axis, which keeps its place. Of equal ones the first gets the gradient.
fn maximum(x: &Tensor, axis: usize) -> Result<Tensor> {
    let x = x.contiguous()?;
    x.gather(&x.argmax_keepdim(axis)?, axis)
}


/// Bilinear interpolation; what lies beyond the outermost pixels has their values.
fn bilinear(x: &Tensor, factor: usize) -> Result<Tensor> {
    let mut x = x.clone();
    for axis in [3, 2] {
        let size = x.dim(axis)?;
        let place = |pixel: usize| {
            let place = (pixel as f64 + 0.5) / factor as f64 - 0.5;
            place.clamp(0.0, (size - 1) as f64)
        };
        let pixels = 0..size * factor;
        let low = pick(&x, axis, pixels.clone().map(|it| place(it) as usize).collect())?;
        let next = |pixel: usize| (place(pixel) as usize + 1).min(size - 1);
        let high = pick(&x, axis, pixels.clone().map(next).collect())?;
        let shares: Vec<f64> = pixels.map(|it| place(it).fract()).collect();
        let mut shape = vec![1; 4];
        shape[axis] = shares.len();
        let shares = Tensor::from_vec(shares, shape, x.device())?.to_dtype(x.dtype())?;
        x = (&low + (high - &low)?.broadcast_mul(&shares)?)?;
    }
    Ok(x)
}


fn channel_shuffle(x: &Tensor, groups: usize) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let x = x.reshape((n, groups, channels / groups, height * width))?;
    x.transpose(1, 2)?.reshape((n, channels, height, width))
}


/// Puts a token before those of `[n, t, d]`.
fn put_before(x: &Tensor, token: &Tensor) -> Result<Tensor> {
    let (n, _, width) = x.dims3()?;
    let token = token.reshape((1, 1, width))?.broadcast_as((n, 1, width))?;
    Tensor::cat(&[&token.contiguous()?, x], 1)
}


/// Sets whole examples to zero with this probability, and scales the others.
fn drop_path(x: &Tensor, rate: f64) -> Result<Tensor> {
    let mut shape = vec![1; x.rank()];
    shape[0] = x.dim(0)?;
    let random = Tensor::rand(0f32, 1f32, shape, x.device())?;
    let kept = random.ge(rate)?.to_dtype(x.dtype())?;
    x.broadcast_mul(&(kept / (1.0 - rate))?)
}


fn hard_sigmoid(x: &Tensor) -> Result<Tensor> {
    (x + 3.0)?.clamp(0.0, 6.0)? / 6.0
}


/// `ln(1 + exp(x))`, without an overflow.
fn softplus(x: &Tensor) -> Result<Tensor> {
    x.relu()? + (x.abs()?.neg()?.exp()? + 1.0)?.log()?
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

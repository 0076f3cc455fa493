//! What each layer computes: from a step of the plan and tensors to kernels.

mod attention;
mod features;
mod image;
mod sequence;

use candle_core::{Error, Result, Tensor};

use super::kernels::batch_norm::Statistics;
use super::kernels::float::Float;
use super::kernels::{
    activation, batch_norm, convolution, dense, dropout, element_wise, global_pool, layer_norm,
    pool, softmax, upsample,
};
use super::random;
use super::slices::{tensor, view};
use crate::operations::{Activation, Pooling};
use crate::plan::{Convolution, Layer, Pool, Step};

/// A layer about to be computed.
pub(super) struct Call<'a> {
    /// What is computed.
    pub(super) step: &'a Step,
    /// The inputs, with the batch axis, contiguous.
    pub(super) inputs: Vec<Tensor>,
    /// For each input whether its gradient is wanted.
    pub(super) wanted: Vec<bool>,
    /// The parameters and state, as they are now.
    pub(super) parameters: Vec<Tensor>,
    /// The step of training, or none.
    pub(super) training: Option<u64>,
    /// The seed of the network.
    pub(super) seed: u64,
}

/// From the gradient of a layer's output to those of its inputs and then its parameters; nothing
/// where none is wanted or there is none.
pub(super) type Backward = Box<dyn Fn(&Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync>;

/// What a layer gives.
pub(super) struct Given {
    /// The output, contiguous.
    pub(super) output: Tensor,
    /// The gradients.
    pub(super) backward: Backward,
    /// New values for the layer's parameters that training changes otherwise than by gradient: the
    /// number of the tensor and its values.
    pub(super) state: Vec<(usize, Tensor)>,
}

impl Given {
    fn new(
        output: Tensor,
        backward: impl Fn(&Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync + 'static,
    ) -> Self {
        Given {
            output,
            backward: Box::new(backward),
            state: Vec::new(),
        }
    }
}

/// Computes a layer.
pub(super) fn forward<T: Float>(call: &Call) -> Result<Given> {
    match &call.step.layer {
        Layer::Convolution(attributes) => convolve::<T>(call, attributes),
        Layer::Dense { input, output, .. } => dense::<T>(call, *input, *output),
        Layer::BatchNorm {
            epsilon, momentum, ..
        } => batch_norm::<T>(call, *epsilon, *momentum),
        Layer::LayerNorm { features, epsilon } => layer_norm::<T>(call, *features, *epsilon),
        Layer::Activation(function) => activate::<T>(call, *function),
        Layer::Zero { shape } => zeros::<T>(call, shape),
        Layer::Softmax => softmax::<T>(call),
        Layer::Pool(attributes) => pool::<T>(call, attributes),
        Layer::GlobalPool(kind) => global_pool::<T>(call, *kind),
        Layer::Upsample { factor } => upsample::<T>(call, *factor),
        Layer::Dropout { rate } => dropout::<T>(call, *rate),
        Layer::Flatten => flatten(call),
        Layer::Tokens => sequence::tokens::<T>(call),
        Layer::Attention {
            heads,
            causal,
            bias,
            ..
        } => attention::attention::<T>(call, *heads, *causal, *bias),
        Layer::CrossAttention { heads, bias, .. } => {
            attention::cross_attention::<T>(call, *heads, *bias)
        }
        Layer::MaskedAttention { heads, .. } => attention::masked_attention::<T>(call, *heads),
        Layer::WindowAttention(attributes) => attention::window_attention::<T>(call, attributes),
        Layer::RmsNorm { features, epsilon } => features::rms_norm::<T>(call, *features, *epsilon),
        Layer::GroupNorm {
            groups, epsilon, ..
        } => features::group_norm::<T>(call, *groups, *epsilon),
        Layer::InstanceNorm { epsilon } => features::instance_norm::<T>(call, *epsilon),
        Layer::ParametricRelu { .. } => features::parametric_relu::<T>(call),
        Layer::LayerScale { features } => features::layer_scale::<T>(call, *features),
        Layer::DropPath { rate } => features::drop_path::<T>(call, *rate),
        Layer::Scale => features::scale::<T>(call),
        Layer::Embedding { count, width } => sequence::embedding::<T>(call, *count, *width),
        Layer::Positions { .. } => sequence::positions::<T>(call),
        Layer::ClassToken { .. } => sequence::class_token::<T>(call),
        Layer::Token { place } => sequence::token(call, *place),
        Layer::TokenMean => sequence::token_mean::<T>(call),
        Layer::Transpose => sequence::transpose::<T>(call),
        Layer::Image { size } => sequence::image::<T>(call, *size),
        Layer::Add => add::<T>(call),
        Layer::Multiply => multiply::<T>(call),
        Layer::Concatenate => concatenate(call),
        Layer::TransposedConvolution(attributes) => {
            image::convolve_transposed::<T>(call, attributes)
        }
        Layer::AdaptivePool { kind, size } => image::adaptive_pool::<T>(call, *kind, *size),
        Layer::Pad {
            filling,
            before,
            after,
        } => image::pad::<T>(call, *filling, *before, *after),
        Layer::Crop { before, after } => image::crop::<T>(call, *before, *after),
        Layer::Bilinear { factor } => image::bilinear::<T>(call, *factor),
        Layer::PixelShuffle { factor } => image::pixel_shuffle::<T>(call, *factor),
        Layer::PixelUnshuffle { factor } => image::pixel_unshuffle::<T>(call, *factor),
        Layer::ChannelShuffle { groups } => image::channel_shuffle::<T>(call, *groups),
        Layer::Slice { start, size } => image::slice::<T>(call, *start, *size),
    }
}

impl Call<'_> {
    fn input(&self) -> Result<&Tensor> {
        let missing = || Error::Msg(format!("`{}` was given no tensor", self.step.path));
        self.inputs.first().ok_or_else(missing)
    }

    fn pair(&self) -> Result<[&Tensor; 2]> {
        match self.inputs.as_slice() {
            [first, second] => Ok([first, second]),
            _ => Err(Error::Msg(format!(
                "`{}` was not given two tensors",
                self.step.path
            ))),
        }
    }

    fn parameter(&self, place: usize) -> Result<&Tensor> {
        let missing = || Error::Msg(format!("`{}` lacks a parameter", self.step.path));
        self.parameters.get(place).ok_or_else(missing)
    }

    fn wants_input(&self) -> bool {
        self.wanted.contains(&true)
    }
}

/// Height and width of a batch of images, or of signals, which are one row.
fn image_size(tensor: &Tensor) -> Result<[usize; 2]> {
    match tensor.dims() {
        [_, _, height, width] => Ok([*height, *width]),
        [_, _, length] => Ok([1, *length]),
        shape => Err(Error::Msg(format!("{shape:?} are no images or signals"))),
    }
}

/// The shape of images of this size, or of signals if the input is of that kind.
fn like(input: &Tensor, channels: usize, [height, width]: [usize; 2]) -> Vec<usize> {
    let batch = input.dims().first().copied().unwrap_or(1);
    match input.rank() {
        3 => vec![batch, channels, width],
        _ => vec![batch, channels, height, width],
    }
}

/// The second axis and the product of those behind it.
fn channels_and_positions(tensor: &Tensor) -> (usize, usize) {
    match tensor.dims() {
        [_, channels, rest @ ..] => (*channels, rest.iter().product()),
        _ => (1, 1),
    }
}

fn convolve<T: Float>(call: &Call, attributes: &Convolution) -> Result<Given> {
    let input = call.input()?.clone();
    let weight = call.parameter(0)?.clone();
    let bias = attributes.bias.then(|| call.parameter(1)).transpose()?;
    let image = image_size(&input)?;
    let [height, width] = attributes
        .output_size(image)
        .ok_or_else(|| Error::Msg(format!("`{}`: the window does not fit", call.step.path)))?;
    let geometry = convolution::Geometry {
        convolution: *attributes,
        image,
        output: [height, width],
        batch: input.dim(0)?,
    };
    let output = {
        let bias = bias.map(view);
        let bias = bias.as_ref().map(|bias| bias.slice::<T>()).transpose()?;
        convolution::forward(
            &geometry,
            view(&input).slice::<T>()?,
            view(&weight).slice()?,
            bias,
        )
    };
    let shape = like(&input, attributes.output, geometry.output);
    let with_input = call.wants_input();
    Ok(Given::new(tensor(output, &shape)?, move |gradient| {
        let gradients = convolution::backward(
            &geometry,
            view(&input).slice::<T>()?,
            view(&weight).slice()?,
            view(gradient).slice()?,
            with_input,
        );
        let mut all = vec![
            gradients
                .input
                .map(|values| tensor(values, input.dims()))
                .transpose()?,
            Some(tensor(gradients.weight, weight.dims())?),
        ];
        if let Some(bias) = gradients.bias {
            let length = bias.len();
            all.push(Some(tensor(bias, &[length])?));
        }
        Ok(all)
    }))
}

/// Rows of features times a weight, with the gradients of rows, weight and bias.
fn project<T: Float>(
    input: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    with_input: bool,
) -> Result<Given> {
    let (outputs, features) = weight.dims2()?;
    let output = {
        let bias = bias.map(view);
        let bias = bias.as_ref().map(|bias| bias.slice::<T>()).transpose()?;
        let input = view(input);
        dense::forward(
            features,
            outputs,
            input.slice::<T>()?,
            view(weight).slice()?,
            bias,
        )
    };
    let mut shape = input.dims().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = outputs;
    }
    let (input, weight, with_bias) = (input.clone(), weight.clone(), bias.is_some());
    Ok(Given::new(tensor(output, &shape)?, move |gradient| {
        let gradients = dense::backward(
            features,
            outputs,
            view(&input).slice::<T>()?,
            view(&weight).slice()?,
            view(gradient).slice()?,
            with_input,
        );
        let mut all = vec![
            gradients
                .input
                .map(|values| tensor(values, input.dims()))
                .transpose()?,
            Some(tensor(gradients.weight, weight.dims())?),
        ];
        if with_bias {
            all.push(Some(tensor(gradients.bias, &[outputs])?));
        }
        Ok(all)
    }))
}

fn dense<T: Float>(call: &Call, _input: usize, _output: usize) -> Result<Given> {
    let bias = call.parameters.get(1);
    project::<T>(call.input()?, call.parameter(0)?, bias, call.wants_input())
}

fn batch_norm<T: Float>(call: &Call, epsilon: f64, momentum: f64) -> Result<Given> {
    let input = call.input()?.clone();
    let (weight, bias) = (call.parameter(0)?.clone(), call.parameter(1)?);
    let running = [call.parameter(2)?, call.parameter(3)?];
    let (channels, positions) = channels_and_positions(&input);
    let geometry = batch_norm::Geometry {
        channels,
        positions,
        epsilon,
    };
    let numbers = |tensor: &Tensor| -> Result<Vec<f64>> {
        let tensor = view(tensor);
        Ok(tensor.slice::<T>()?.iter().map(|x| x.to_f64()).collect())
    };
    let training = call.training.is_some();
    let statistics = match training {
        true => batch_norm::statistics(&geometry, view(&input).slice::<T>()?),
        false => Statistics {
            mean: numbers(running[0])?,
            variance: numbers(running[1])?,
        },
    };
    let mut state = Vec::new();
    if training {
        let count = geometry.count(input.elem_count()) as f64;
        // One value has no unbiased variance; its biased one, zero, is taken.
        let unbiased = count / f64::max(count - 1.0, 1.0);
        let variance = statistics.variance.iter().map(|value| value * unbiased);
        let latest = [statistics.mean.clone(), variance.collect()];
        for (place, (running, latest)) in (2..).zip(running.into_iter().zip(latest)) {
            let mixed = numbers(running)?
                .iter()
                .zip(latest)
                .map(|(old, new)| T::of(old * (1.0 - momentum) + new * momentum))
                .collect();
            state.push((place, tensor::<T>(mixed, &[channels])?));
        }
    }
    let output = batch_norm::forward(
        &geometry,
        &statistics,
        view(&input).slice::<T>()?,
        view(&weight).slice()?,
        view(bias).slice()?,
    );
    let output = tensor(output, input.dims())?;
    let given = Given::new(output, move |gradient| {
        let gradients = batch_norm::backward(
            &geometry,
            &statistics,
            training,
            view(&input).slice::<T>()?,
            view(&weight).slice()?,
            view(gradient).slice()?,
        );
        norm_gradients(gradients, input.dims())
    });
    Ok(Given { state, ..given })
}

/// The gradients of a norm as tensors, with none for state.
fn norm_gradients<T: Float>(
    gradients: batch_norm::Gradients<T>,
    shape: &[usize],
) -> Result<Vec<Option<Tensor>>> {
    let features = gradients.weight.len();
    Ok(vec![
        Some(tensor(gradients.input, shape)?),
        Some(tensor(gradients.weight, &[features])?),
        Some(tensor(gradients.bias, &[features])?),
    ])
}

fn layer_norm<T: Float>(call: &Call, features: usize, epsilon: f64) -> Result<Given> {
    let input = call.input()?.clone();
    let (weight, bias) = (call.parameter(0)?.clone(), call.parameter(1)?);
    let geometry = layer_norm::Geometry {
        features,
        positions: features::positions_of_features(&input),
        epsilon,
    };
    let output = layer_norm::forward(
        &geometry,
        view(&input).slice::<T>()?,
        view(&weight).slice()?,
        view(bias).slice()?,
    );
    let output = tensor(output, input.dims())?;
    Ok(Given::new(output, move |gradient| {
        let gradients = layer_norm::backward(
            &geometry,
            view(&input).slice::<T>()?,
            view(&weight).slice()?,
            view(gradient).slice()?,
        );
        norm_gradients(gradients, input.dims())
    }))
}

fn activate<T: Float>(call: &Call, function: Activation) -> Result<Given> {
    let input = call.input()?.clone();
    let output = activation::forward(function, view(&input).slice::<T>()?);
    let output = tensor(output, input.dims())?;
    Ok(Given::new(output, move |gradient| {
        let values = activation::backward(
            function,
            view(&input).slice::<T>()?,
            view(gradient).slice()?,
        );
        Ok(vec![Some(tensor(values, input.dims())?)])
    }))
}

/// Zeros of this shape for each example. Nothing acts on them.
fn zeros<T: Float>(call: &Call, shape: &[usize]) -> Result<Given> {
    let shape = [&[call.input()?.dim(0)?], shape].concat();
    let values = vec![T::ZERO; shape.iter().product()];
    Ok(Given::new(tensor(values, &shape)?, |_| Ok(vec![None])))
}

fn softmax<T: Float>(call: &Call) -> Result<Given> {
    let input = call.input()?;
    let length = input.dims().last().copied().unwrap_or(1);
    let output = softmax::forward(length, view(input).slice::<T>()?);
    let output = tensor(output, input.dims())?;
    let softmax = output.clone();
    Ok(Given::new(output, move |gradient| {
        let values = softmax::backward(
            length,
            view(&softmax).slice::<T>()?,
            view(gradient).slice()?,
        );
        Ok(vec![Some(tensor(values, softmax.dims())?)])
    }))
}

fn pool<T: Float>(call: &Call, attributes: &Pool) -> Result<Given> {
    let input = call.input()?;
    let image = image_size(input)?;
    let [height, width] = attributes
        .output_size(image)
        .ok_or_else(|| Error::Msg(format!("`{}`: the window does not fit", call.step.path)))?;
    let geometry = pool::Geometry {
        pool: *attributes,
        image,
        output: [height, width],
    };
    let shape = input.dims().to_vec();
    let pooled = like(input, shape[1], geometry.output);
    match attributes.kind {
        Pooling::Maximum => {
            let (output, places) = pool::maximum(&geometry, view(input).slice::<T>()?);
            Ok(Given::new(tensor(output, &pooled)?, move |gradient| {
                let values =
                    pool::maximum_gradient(&geometry, &places, view(gradient).slice::<T>()?);
                Ok(vec![Some(tensor(values, &shape)?)])
            }))
        }
        Pooling::Average => {
            let output = pool::average(&geometry, view(input).slice::<T>()?);
            Ok(Given::new(tensor(output, &pooled)?, move |gradient| {
                let values = pool::average_gradient(&geometry, view(gradient).slice::<T>()?);
                Ok(vec![Some(tensor(values, &shape)?)])
            }))
        }
    }
}

fn global_pool<T: Float>(call: &Call, kind: Pooling) -> Result<Given> {
    let input = call.input()?;
    let shape = input.dims().to_vec();
    let (channels, positions) = channels_and_positions(input);
    let pooled = [shape[0], channels];
    match kind {
        Pooling::Maximum => {
            let (output, places) = global_pool::maximum(positions, view(input).slice::<T>()?);
            Ok(Given::new(tensor(output, &pooled)?, move |gradient| {
                let gradient = view(gradient);
                let values =
                    global_pool::maximum_gradient(positions, &places, gradient.slice::<T>()?);
                Ok(vec![Some(tensor(values, &shape)?)])
            }))
        }
        Pooling::Average => {
            let output = global_pool::average(positions, view(input).slice::<T>()?);
            Ok(Given::new(tensor(output, &pooled)?, move |gradient| {
                let gradient = view(gradient);
                let values = global_pool::average_gradient(positions, gradient.slice::<T>()?);
                Ok(vec![Some(tensor(values, &shape)?)])
            }))
        }
    }
}

fn upsample<T: Float>(call: &Call, factor: usize) -> Result<Given> {
    let input = call.input()?;
    let image = image_size(input)?;
    let shape = input.dims().to_vec();
    let large = [shape[0], shape[1], image[0] * factor, image[1] * factor];
    let output = upsample::forward(image, factor, view(input).slice::<T>()?);
    Ok(Given::new(tensor(output, &large)?, move |gradient| {
        let values = upsample::backward(image, factor, view(gradient).slice::<T>()?);
        Ok(vec![Some(tensor(values, &shape)?)])
    }))
}

fn dropout<T: Float>(call: &Call, rate: f64) -> Result<Given> {
    let input = call.input()?;
    let Some(step) = call.training.filter(|_| rate > 0.0) else {
        return Ok(Given::new(input.clone(), |gradient| {
            Ok(vec![Some(gradient.clone())])
        }));
    };
    let key = random::dropout_key(call.seed, call.step.number, step);
    let output = dropout::apply(rate, key, view(input).slice::<T>()?);
    Ok(Given::new(tensor(output, input.dims())?, move |gradient| {
        let values = dropout::apply(rate, key, view(gradient).slice::<T>()?);
        Ok(vec![Some(tensor(values, gradient.dims())?)])
    }))
}

fn flatten(call: &Call) -> Result<Given> {
    let input = call.input()?;
    let shape = input.dims().to_vec();
    let output = input.reshape((shape[0], shape[1..].iter().product::<usize>()))?;
    Ok(Given::new(output, move |gradient| {
        Ok(vec![Some(gradient.reshape(shape.as_slice())?)])
    }))
}

/// The sum of two tensors.
pub(super) fn sum<T: Float>(left: &Tensor, right: &Tensor) -> Result<Tensor> {
    let values = element_wise::zip(
        view(left).slice::<T>()?,
        view(right).slice::<T>()?,
        |left, right| left + right,
    );
    tensor(values, left.dims())
}

fn product<T: Float>(left: &Tensor, right: &Tensor) -> Result<Tensor> {
    let values = element_wise::zip(
        view(left).slice::<T>()?,
        view(right).slice::<T>()?,
        |left, right| left * right,
    );
    tensor(values, left.dims())
}

fn add<T: Float>(call: &Call) -> Result<Given> {
    let arity = call.inputs.len();
    let mut output = call.input()?.clone();
    for other in &call.inputs[1..] {
        output = sum::<T>(&output, other)?;
    }
    Ok(Given::new(output, move |gradient| {
        Ok(vec![Some(gradient.clone()); arity])
    }))
}

fn multiply<T: Float>(call: &Call) -> Result<Given> {
    let factors = call.inputs.clone();
    let mut output = call.input()?.clone();
    for other in &factors[1..] {
        output = product::<T>(&output, other)?;
    }
    Ok(Given::new(output, move |gradient| {
        // The gradient of a factor is that of the product times all other factors. Products of the
        // factors before and behind it take a number of multiplications linear in the arity.
        let mut behind = vec![gradient.clone()];
        for factor in factors[1..].iter().rev() {
            let next = product::<T>(&behind[behind.len() - 1], factor)?;
            behind.push(next);
        }
        let mut gradients = Vec::new();
        let mut before: Option<Tensor> = None;
        for (factor, behind) in factors.iter().zip(behind.iter().rev()) {
            gradients.push(Some(match &before {
                Some(before) => product::<T>(before, behind)?,
                None => behind.clone(),
            }));
            before = Some(match &before {
                Some(before) => product::<T>(before, factor)?,
                None => factor.clone(),
            });
        }
        Ok(gradients)
    }))
}

fn concatenate(call: &Call) -> Result<Given> {
    let output = Tensor::cat(&call.inputs, 1)?;
    let widths: Vec<usize> = call
        .inputs
        .iter()
        .map(|input| input.dim(1))
        .collect::<Result<_>>()?;
    Ok(Given::new(output.contiguous()?, move |gradient| {
        let mut start = 0;
        let mut gradients = Vec::new();
        for width in &widths {
            gradients.push(Some(gradient.narrow(1, start, *width)?.contiguous()?));
            start += width;
        }
        Ok(gradients)
    }))
}

//! What each layer computes: from a step of the plan and tensors to kernels.

mod attention;
mod convolution;
mod features;
mod image;
mod norm;
mod sequence;

use std::any::Any;
use std::cell::Cell;

use candle_core::{Error, Result, Tensor, Var};
use smallvec::{SmallVec, smallvec};

use super::array::{Array, Shape, array};
use super::kernels::float::Float;
use super::kernels::rectifier::{self, Rectifier};
use super::kernels::{
    activation, batch_norm, dense, dropout, element_wise, global_pool, layer_norm, pool, softmax,
    upsample,
};
use super::memory;
use super::numbers::Numbers;
use super::random;
use super::slices::view;
use crate::operations::{Activation, Pooling};
use crate::plan::{Layer, Pool, Step};

/// What a step reads: mostly one or two values.
pub(super) type Inputs = SmallVec<[Array; 2]>;

/// A layer about to be computed.
pub(super) struct Call<'a> {
    /// What is computed.
    pub(super) step: &'a Step,
    /// The inputs, with the batch axis, contiguous; but for the addend.
    pub(super) inputs: Inputs,
    /// What the output is added to, and takes the memory of if it can; see [`Step::sum_behind`].
    pub(super) addend: Cell<Option<Array>>,
    /// For each input whether its gradient is wanted.
    pub(super) wanted: SmallVec<[bool; 4]>,
    /// The parameters and state of the layer, as they are now.
    pub(super) parameters: &'a [Var],
    /// Those of the norm that is fused with it.
    pub(super) norm_parameters: &'a [Var],
    /// The step of training, or none.
    pub(super) training: Option<u64>,
    /// Whether gradients will be asked for.
    pub(super) keep: bool,
    /// The seed of the network.
    pub(super) seed: u64,
    /// What [`prepare`] has made of the parameters.
    pub(super) prepared: Option<&'a Prepared>,
}

/// What a layer makes of its parameters for evaluations, before it reads an input.
pub(super) type Prepared = Box<dyn Any + Send + Sync>;

/// Prepares an evaluation with parameters that no longer change; none where there is nothing to prepare.
pub(super) fn prepare<T: Float>(call: &Call) -> Result<Option<Prepared>> {
    Ok(match &call.step.layer {
        Layer::Convolution(attributes) => Some(Box::new(convolution::Parameters::<T>::new(
            call, attributes,
        )?)),
        _ => None,
    })
}

/// From the gradient of a layer's output to those of its inputs and then its parameters; nothing
/// where none is wanted or there is none.
pub(super) type Backward = Box<dyn FnOnce(&Array) -> Result<Vec<Option<Array>>> + Send>;

/// What a layer gives.
pub(super) struct Given {
    /// The output, contiguous.
    pub(super) output: Array,
    /// The gradients.
    pub(super) backward: Backward,
    /// New values for the parameters that training changes otherwise than by gradient: the place among
    /// those of the layer and then those of the norm, and the values.
    pub(super) state: Vec<(usize, Tensor)>,
}

impl Given {
    fn new(
        output: Array,
        backward: impl FnOnce(&Array) -> Result<Vec<Option<Array>>> + Send + 'static,
    ) -> Self {
        Given {
            output,
            backward: Box::new(backward),
            state: Vec::new(),
        }
    }
}

impl Given {
    /// What a layer gives where no gradient will be asked for.
    fn without_gradient(output: Array) -> Self {
        Self::new(output, |_| {
            Err(Error::Msg(
                "an evaluation keeps nothing for gradients".to_owned(),
            ))
        })
    }
}

/// Computes a layer.
pub(super) fn forward<T: Float>(call: &Call) -> Result<Given> {
    match &call.step.layer {
        Layer::Convolution(attributes) => convolution::convolution::<T>(call, attributes),
        Layer::Dense { input, output, .. } => dense::<T>(call, *input, *output),
        Layer::BatchNorm {
            epsilon, momentum, ..
        } => norm::batch_norm::<T>(call, *epsilon, *momentum),
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
        Layer::Token { place } => sequence::token::<T>(call, *place),
        Layer::TokenMean => sequence::token_mean::<T>(call),
        Layer::Transpose => sequence::transpose::<T>(call),
        Layer::Image { size } => sequence::image::<T>(call, *size),
        Layer::Add => add::<T>(call),
        Layer::Multiply => multiply::<T>(call),
        Layer::Concatenate => concatenate::<T>(call),
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
    fn input(&self) -> Result<&Array> {
        let missing = || Error::Msg(format!("`{}` was given no tensor", self.step.path));
        self.inputs.first().ok_or_else(missing)
    }

    fn pair(&self) -> Result<[&Array; 2]> {
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
        let variable = self.parameters.get(place).ok_or_else(missing)?;
        Ok(variable.as_tensor())
    }

    /// What was prepared, if it is of this kind.
    fn prepared<P: 'static>(&self) -> Option<&P> {
        self.prepared?.downcast_ref()
    }

    fn wants_input(&self) -> bool {
        self.wanted.contains(&true)
    }

    /// The activation that is fused with the layer.
    fn rectifier(&self) -> Result<Rectifier> {
        let Some(activation) = self.step.activation else {
            return Ok(Rectifier::Identity);
        };
        let problem = || Error::Msg(format!("`{}` can't be one step", self.step.words));
        Rectifier::of(activation).ok_or_else(problem)
    }
}

/// What the gradient of a rectified output needs: nothing, if it is not rectified.
struct Rectified {
    rectifier: Rectifier,
    output: Option<Array>,
}

impl Rectified {
    fn new(rectifier: Rectifier, output: &Array) -> Self {
        let is_needed = rectifier != Rectifier::Identity;
        Rectified {
            rectifier,
            output: is_needed.then(|| output.clone()),
        }
    }

    /// The gradient of what was rectified, from that of the output.
    fn gradient<T: Float>(&self, gradient: &Array) -> Result<Array> {
        let Some(output) = &self.output else {
            return Ok(gradient.clone());
        };
        let values = rectifier::gradient(self.rectifier, output.slice::<T>()?, gradient.slice()?);
        match values {
            Some(values) => array(values, gradient.dims()),
            None => Ok(gradient.clone()),
        }
    }
}

/// Height and width of a batch of images, or of signals, which are one row.
fn image_size(tensor: &Array) -> Result<[usize; 2]> {
    match tensor.dims() {
        [_, _, height, width] => Ok([*height, *width]),
        [_, _, length] => Ok([1, *length]),
        shape => Err(Error::Msg(format!("{shape:?} are no images or signals"))),
    }
}

/// The shape of images of this size, or of signals if the input is of that kind.
fn like(input: &Array, channels: usize, [height, width]: [usize; 2]) -> Shape {
    let batch = input.dims().first().copied().unwrap_or(1);
    match input.rank() {
        3 => smallvec![batch, channels, width],
        _ => smallvec![batch, channels, height, width],
    }
}

/// The second axis and the product of those behind it.
fn channels_and_positions(tensor: &Array) -> (usize, usize) {
    match tensor.dims() {
        [_, channels, rest @ ..] => (*channels, rest.iter().product()),
        _ => (1, 1),
    }
}

/// Rows of features times a weight, with the gradients of rows, weight and bias.
fn project<T: Float>(
    input: &Array,
    weight: &Tensor,
    bias: Option<&Tensor>,
    rectifier: Rectifier,
    with_input: bool,
) -> Result<Given> {
    let (outputs, features) = weight.dims2()?;
    let mut output = {
        let bias = bias.map(view);
        let bias = bias.as_ref().map(|bias| bias.slice::<T>()).transpose()?;
        dense::forward(
            features,
            outputs,
            input.slice::<T>()?,
            view(weight).slice()?,
            bias,
        )
    };
    rectifier::rectify(rectifier, &mut output);
    let mut shape = input.dims().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = outputs;
    }
    let (input, weight, with_bias) = (input.clone(), weight.clone(), bias.is_some());
    let output = array(output, &shape)?;
    let rectified = Rectified::new(rectifier, &output);
    Ok(Given::new(output, move |gradient| {
        let gradient = rectified.gradient::<T>(gradient)?;
        let gradients = dense::backward(
            features,
            outputs,
            input.slice::<T>()?,
            view(&weight).slice()?,
            gradient.slice()?,
            with_input,
        );
        let mut all = vec![
            gradients
                .input
                .map(|values| array(values, input.dims()))
                .transpose()?,
            Some(array(gradients.weight, weight.dims())?),
        ];
        if with_bias {
            all.push(Some(array(gradients.bias, &[outputs])?));
        }
        Ok(all)
    }))
}

fn dense<T: Float>(call: &Call, _input: usize, _output: usize) -> Result<Given> {
    let bias = call.parameters.get(1).map(Var::as_tensor);
    project::<T>(
        call.input()?,
        call.parameter(0)?,
        bias,
        call.rectifier()?,
        call.wants_input(),
    )
}

/// The gradients of a norm as tensors, with none for state.
fn norm_gradients<T: Float>(
    gradients: batch_norm::Gradients<T>,
    shape: &[usize],
) -> Result<Vec<Option<Array>>> {
    let features = gradients.weight.len();
    Ok(vec![
        Some(array(gradients.input, shape)?),
        Some(array(gradients.weight, &[features])?),
        Some(array(gradients.bias, &[features])?),
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
        input.slice::<T>()?,
        view(&weight).slice()?,
        view(bias).slice()?,
    );
    let output = array(output, input.dims())?;
    Ok(Given::new(output, move |gradient| {
        let gradients = layer_norm::backward(
            &geometry,
            input.slice::<T>()?,
            view(&weight).slice()?,
            gradient.slice()?,
        );
        norm_gradients(gradients, input.dims())
    }))
}

fn activate<T: Float>(call: &Call, function: Activation) -> Result<Given> {
    let input = call.input()?.clone();
    let output = activation::forward(function, input.slice::<T>()?);
    let output = array(output, input.dims())?;
    Ok(Given::new(output, move |gradient| {
        let values = activation::backward(function, input.slice::<T>()?, gradient.slice()?);
        Ok(vec![Some(array(values, input.dims())?)])
    }))
}

/// Zeros of this shape for each example. Nothing acts on them.
fn zeros<T: Float>(call: &Call, shape: &[usize]) -> Result<Given> {
    let shape = [&[call.input()?.dim(0)?], shape].concat();
    let values: Numbers<T> = memory::zeros(shape.iter().product());
    Ok(Given::new(array(values, &shape)?, |_| Ok(vec![None])))
}

fn softmax<T: Float>(call: &Call) -> Result<Given> {
    let input = call.input()?;
    let length = input.dims().last().copied().unwrap_or(1);
    let output = softmax::forward(length, input.slice::<T>()?);
    let output = array(output, input.dims())?;
    let softmax = output.clone();
    Ok(Given::new(output, move |gradient| {
        let values = softmax::backward(length, softmax.slice::<T>()?, gradient.slice()?);
        Ok(vec![Some(array(values, softmax.dims())?)])
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
        Pooling::Maximum if !call.keep => {
            let output = pool::maximum_alone(&geometry, input.slice::<T>()?);
            Ok(Given::without_gradient(array(output, &pooled)?))
        }
        Pooling::Maximum => {
            let (output, places) = pool::maximum(&geometry, input.slice::<T>()?);
            Ok(Given::new(array(output, &pooled)?, move |gradient| {
                let values = pool::maximum_gradient(&geometry, &places, gradient.slice::<T>()?);
                Ok(vec![Some(array(values, &shape)?)])
            }))
        }
        Pooling::Average => {
            let output = pool::average(&geometry, input.slice::<T>()?);
            Ok(Given::new(array(output, &pooled)?, move |gradient| {
                let values = pool::average_gradient(&geometry, gradient.slice::<T>()?);
                Ok(vec![Some(array(values, &shape)?)])
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
            let (output, places) = global_pool::maximum(positions, input.slice::<T>()?);
            Ok(Given::new(array(output, &pooled)?, move |gradient| {
                let values =
                    global_pool::maximum_gradient(positions, &places, gradient.slice::<T>()?);
                Ok(vec![Some(array(values, &shape)?)])
            }))
        }
        Pooling::Average => {
            let output = global_pool::average(positions, input.slice::<T>()?);
            Ok(Given::new(array(output, &pooled)?, move |gradient| {
                let values = global_pool::average_gradient(positions, gradient.slice::<T>()?);
                Ok(vec![Some(array(values, &shape)?)])
            }))
        }
    }
}

fn upsample<T: Float>(call: &Call, factor: usize) -> Result<Given> {
    let input = call.input()?;
    let image = image_size(input)?;
    let shape = input.dims().to_vec();
    let large = [shape[0], shape[1], image[0] * factor, image[1] * factor];
    let output = upsample::forward(image, factor, input.slice::<T>()?);
    Ok(Given::new(array(output, &large)?, move |gradient| {
        let values = upsample::backward(image, factor, gradient.slice::<T>()?);
        Ok(vec![Some(array(values, &shape)?)])
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
    let output = dropout::apply(rate, key, input.slice::<T>()?);
    Ok(Given::new(array(output, input.dims())?, move |gradient| {
        let values = dropout::apply(rate, key, gradient.slice::<T>()?);
        Ok(vec![Some(array(values, gradient.dims())?)])
    }))
}

fn flatten(call: &Call) -> Result<Given> {
    let input = call.input()?;
    let shape = input.dims().to_vec();
    let output = input.reshape(&[shape[0], shape[1..].iter().product()])?;
    Ok(Given::new(output, move |gradient| {
        Ok(vec![Some(gradient.reshape(&shape)?)])
    }))
}

/// The sum of two tensors.
pub(super) fn sum<T: Float>(left: &Array, right: &Array) -> Result<Array> {
    rectified_sum::<T>(Rectifier::Identity, left, right)
}

fn rectified_sum<T: Float>(rectifier: Rectifier, left: &Array, right: &Array) -> Result<Array> {
    let values = rectifier::sum(rectifier, left.slice::<T>()?, right.slice::<T>()?);
    array(values, left.dims())
}

fn product<T: Float>(left: &Array, right: &Array) -> Result<Array> {
    let values = element_wise::zip(left.slice::<T>()?, right.slice::<T>()?, |left, right| {
        left * right
    });
    array(values, left.dims())
}

fn add<T: Float>(call: &Call) -> Result<Given> {
    let arity = call.inputs.len();
    let rectifier = call.rectifier()?;
    let mut output = call.input()?.clone();
    for (place, other) in call.inputs.iter().enumerate().skip(1) {
        let behind = match place + 1 == arity {
            true => rectifier,
            false => Rectifier::Identity,
        };
        output = rectified_sum::<T>(behind, &output, other)?;
    }
    let rectified = Rectified::new(rectifier, &output);
    Ok(Given::new(output, move |gradient| {
        Ok(vec![Some(rectified.gradient::<T>(gradient)?); arity])
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
        let mut before: Option<Array> = None;
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

fn concatenate<T: Float>(call: &Call) -> Result<Given> {
    let output = Array::joined::<T>(&call.inputs)?;
    let widths: Vec<usize> = call
        .inputs
        .iter()
        .map(|input| input.dim(1))
        .collect::<Result<_>>()?;
    Ok(Given::new(output, move |gradient| {
        let mut start = 0;
        let mut gradients = Vec::new();
        for width in &widths {
            gradients.push(Some(gradient.part::<T>(start, *width)?));
            start += width;
        }
        Ok(gradients)
    }))
}

//! Each layer in the operators of ONNX.

use super::model::{Attribute, Model};
use crate::operations::{Activation, Pooling};
use crate::plan::Layer;

/// What a layer is applied to, by the names that the model has for it. Shapes are without the batch
/// axis, which is the first of all tensors.
pub(super) struct Applied<'a> {
    pub(super) inputs: Vec<&'a str>,
    pub(super) shapes: Vec<&'a [usize]>,
    /// The shape of what it gives.
    pub(super) given: &'a [usize],
    /// In the order of the plan.
    pub(super) parameters: Vec<&'a str>,
}

impl<'a> Applied<'a> {
    /// Its first input.
    pub(super) fn x(&self) -> &'a str {
        self.inputs.first().copied().unwrap_or_default()
    }

    /// Its second input.
    pub(super) fn y(&self) -> &'a str {
        self.inputs.get(1).copied().unwrap_or_default()
    }

    /// The shape of its first input.
    pub(super) fn shape(&self) -> &'a [usize] {
        self.shapes.first().copied().unwrap_or_default()
    }

    pub(super) fn parameter(&self, place: usize) -> &'a str {
        self.parameters.get(place).copied().unwrap_or_default()
    }

    /// The parameter at this place and those behind it, where there are any.
    pub(super) fn parameters_from(&self, place: usize) -> &[&'a str] {
        self.parameters.get(place..).unwrap_or_default()
    }

    /// The size of an axis of its first input.
    pub(super) fn size(&self, axis: usize) -> usize {
        self.shape().get(axis).copied().unwrap_or(1)
    }

    /// The axes of its first input behind the channels.
    fn positions(&self) -> Vec<i64> {
        (2..=self.shape().len() as i64).collect()
    }

    /// The axes that make a number for each channel fit its first input.
    fn behind_channels(&self) -> Vec<i64> {
        (1..self.shape().len() as i64).collect()
    }

    /// A parameter with a number for each channel.
    fn of_channels(&self, place: usize, model: &mut Model) -> String {
        let parameter = self.parameter(place);
        match self.behind_channels().as_slice() {
            [] => parameter.to_owned(),
            axes => model.unsqueeze(parameter, axes),
        }
    }

    /// Writes a layer, and gives the name of what it gives.
    pub(super) fn write(&self, layer: &Layer, model: &mut Model) -> String {
        let x = self.x();
        match layer {
            Layer::Convolution(attributes) => self.convolution(attributes, model),
            Layer::TransposedConvolution(attributes) => {
                self.transposed_convolution(attributes, model)
            }
            Layer::Dense { .. } => project(x, self.parameter(0), self.parameters_from(1), model),
            Layer::BatchNorm { epsilon, .. } => {
                let inputs = [&[x], self.parameters_from(0)].concat();
                let attributes = [("epsilon", Attribute::Float(*epsilon))];
                model.node("BatchNormalization", &inputs, attributes)
            }
            Layer::LayerNorm { epsilon, .. } => self.over_features(model, |x, model| {
                let inputs = [&[x], self.parameters_from(0)].concat();
                let attributes = [
                    ("axis", Attribute::Integer(-1)),
                    ("epsilon", Attribute::Float(*epsilon)),
                ];
                model.node("LayerNormalization", &inputs, attributes)
            }),
            Layer::RmsNorm { epsilon, .. } => self.over_features(model, |x, model| {
                let square = model.plain("Mul", &[x, x]);
                let mean = model.reduce("ReduceMean", &square, &[-1], true);
                let epsilon = model.float(*epsilon);
                let mean = model.plain("Add", &[&mean, &epsilon]);
                let root = model.plain("Sqrt", &[&mean]);
                let normalised = model.plain("Div", &[x, &root]);
                model.plain("Mul", &[&normalised, self.parameter(0)])
            }),
            Layer::LayerScale { .. } => self.over_features(model, |x, model| {
                model.plain("Mul", &[x, self.parameter(0)])
            }),
            Layer::GroupNorm {
                groups, epsilon, ..
            } => {
                let normalised = self.normalise(*groups, *epsilon, model);
                let weight = self.of_channels(0, model);
                let bias = self.of_channels(1, model);
                let scaled = model.plain("Mul", &[&normalised, &weight]);
                model.plain("Add", &[&scaled, &bias])
            }
            Layer::InstanceNorm { epsilon } => self.normalise(self.size(0), *epsilon, model),
            Layer::ParametricRelu { .. } => {
                let slopes = self.of_channels(0, model);
                model.plain("PRelu", &[x, &slopes])
            }
            Layer::Activation(activation) => self.activation(*activation, model),
            Layer::Zero { shape } => self.zeros(shape, model),
            Layer::Softmax => model.node("Softmax", &[x], [("axis", Attribute::Integer(-1))]),
            Layer::Pool(pool) => self.pool(pool, model),
            Layer::GlobalPool(Pooling::Average) => {
                model.reduce("ReduceMean", x, &self.positions(), false)
            }
            Layer::GlobalPool(Pooling::Maximum) => {
                model.reduce("ReduceMax", x, &self.positions(), false)
            }
            // While nothing is learnt they are identities.
            Layer::Dropout { .. } | Layer::DropPath { .. } => x.to_owned(),
            Layer::Flatten => model.node("Flatten", &[x], [("axis", Attribute::Integer(1))]),
            Layer::Tokens => {
                let (channels, positions) = (self.size(0), self.size(1) * self.size(2));
                let flat = model.reshape_examples(x, &[channels, positions]);
                model.transpose(&flat, &[0, 2, 1])
            }
            Layer::Image { .. } => {
                let turned = model.transpose(x, &[0, 2, 1]);
                model.reshape_examples(&turned, self.given)
            }
            Layer::Transpose => model.transpose(x, &[0, 2, 1]),
            Layer::Token { place } => {
                let place = model.integer(*place);
                model.node("Gather", &[x, &place], [("axis", Attribute::Integer(1))])
            }
            Layer::TokenMean => model.reduce("ReduceMean", x, &[1], false),
            Layer::Embedding { .. } => {
                let rounded = model.plain("Round", &[x]);
                let to = [(
                    "to",
                    Attribute::Integer(super::messages::DataType::Int64 as i64),
                )];
                let places = model.node("Cast", &[&rounded], to);
                model.plain("Gather", &[self.parameter(0), &places])
            }
            Layer::Positions { .. } => model.plain("Add", &[x, self.parameter(0)]),
            Layer::ClassToken { width } => {
                let token = model.unsqueeze(self.parameter(0), &[0, 1]);
                let tokens = model.for_each_example(&token, &[1, *width], x);
                model.concatenate(&[&tokens, x], 1)
            }
            Layer::Scale => {
                let numbers = match self.positions().as_slice() {
                    [] => self.y().to_owned(),
                    axes => model.unsqueeze(self.y(), axes),
                };
                model.plain("Mul", &[x, &numbers])
            }
            Layer::Add => self.fold("Add", model),
            Layer::Multiply => self.fold("Mul", model),
            Layer::Concatenate => model.concatenate(&self.inputs, 1),
            Layer::Slice { start, size } => model.slice(x, 1, *start, start + size),
            Layer::Attention { heads, causal, .. } => self.attention(*heads, *causal, model),
            Layer::MaskedAttention { heads, .. } => self.masked_attention(*heads, model),
            Layer::CrossAttention { heads, .. } => self.cross_attention(*heads, model),
            Layer::WindowAttention(attributes) => self.window_attention(attributes, model),
            Layer::AdaptivePool { kind, size } => self.adaptive_pool(*kind, *size, model),
            Layer::Pad {
                filling,
                before,
                after,
            } => self.pad(*filling, *before, *after, model),
            Layer::Crop { before, .. } => self.crop(*before, model),
            Layer::Upsample { factor } => self.resize(*factor, "nearest", "asymmetric", model),
            Layer::Bilinear { factor } => self.resize(*factor, "linear", "half_pixel", model),
            Layer::PixelShuffle { factor } => {
                let attributes = [
                    ("blocksize", Attribute::Integer(*factor as i64)),
                    ("mode", Attribute::Text("CRD")),
                ];
                model.node("DepthToSpace", &[x], attributes)
            }
            Layer::PixelUnshuffle { factor } => self.pixel_unshuffle(*factor, model),
            Layer::ChannelShuffle { groups } => self.channel_shuffle(*groups, model),
        }
    }

    /// The inputs, one with the next.
    fn fold(&self, operator: &str, model: &mut Model) -> String {
        let (x, rest) = (self.x().to_owned(), self.inputs.iter().skip(1));
        rest.fold(x, |sum, input| model.plain(operator, &[&sum, input]))
    }

    /// Does something along the features of each position: the channels of images, else the last axis.
    fn over_features(
        &self,
        model: &mut Model,
        write: impl FnOnce(&str, &mut Model) -> String,
    ) -> String {
        if self.shape().len() < 3 {
            return write(self.x(), model);
        }
        let last = model.transpose(self.x(), &[0, 2, 3, 1]);
        let given = write(&last, model);
        model.transpose(&given, &[0, 3, 1, 2])
    }

    /// Takes away the mean of each group of channels and divides by the deviation.
    fn normalise(&self, groups: usize, epsilon: f64, model: &mut Model) -> String {
        let grouped = model.reshape(self.x(), &[0, groups as i64, -1]);
        let ones = model.floats(&[groups], &vec![1.0; groups]);
        let zeros = model.floats(&[groups], &vec![0.0; groups]);
        let attributes = [("epsilon", Attribute::Float(epsilon))];
        let inputs = [grouped.as_str(), &ones, &zeros];
        let normalised = model.node("InstanceNormalization", &inputs, attributes);
        model.reshape_examples(&normalised, self.shape())
    }

    fn zeros(&self, shape: &[usize], model: &mut Model) -> String {
        let zero = model.floats(&vec![1; shape.len() + 1], &[0.0]);
        model.for_each_example(&zero, shape, self.x())
    }

    fn activation(&self, activation: Activation, model: &mut Model) -> String {
        let x = self.x();
        match activation {
            Activation::Relu => model.plain("Relu", &[x]),
            Activation::Relu6 => {
                let [least, most] = [0.0, 6.0].map(|it| model.float(it));
                model.plain("Clip", &[x, &least, &most])
            }
            Activation::LeakyRelu { slope } => {
                let attributes = [("alpha", Attribute::Float(slope.value()))];
                model.node("LeakyRelu", &[x], attributes)
            }
            Activation::Elu { alpha } => {
                let attributes = [("alpha", Attribute::Float(alpha.value()))];
                model.node("Elu", &[x], attributes)
            }
            Activation::Gelu => {
                let factor = model.float(std::f64::consts::FRAC_1_SQRT_2);
                let scaled = model.plain("Mul", &[x, &factor]);
                let erf = model.plain("Erf", &[&scaled]);
                half_of_one_more(x, &erf, model)
            }
            Activation::GeluTanh => {
                let square = model.plain("Mul", &[x, x]);
                let cube = model.plain("Mul", &[&square, x]);
                let factor = model.float(0.044715);
                let cube = model.plain("Mul", &[&cube, &factor]);
                let sum = model.plain("Add", &[x, &cube]);
                let factor = model.float((2.0 / std::f64::consts::PI).sqrt());
                let scaled = model.plain("Mul", &[&sum, &factor]);
                let tanh = model.plain("Tanh", &[&scaled]);
                half_of_one_more(x, &tanh, model)
            }
            Activation::Mish => {
                let softplus = model.plain("Softplus", &[x]);
                let tanh = model.plain("Tanh", &[&softplus]);
                model.plain("Mul", &[x, &tanh])
            }
            Activation::Softplus => model.plain("Softplus", &[x]),
            Activation::Zero => self.zeros(self.shape(), model),
            Activation::Silu => {
                let sigmoid = model.plain("Sigmoid", &[x]);
                model.plain("Mul", &[x, &sigmoid])
            }
            Activation::Sigmoid => model.plain("Sigmoid", &[x]),
            Activation::Tanh => model.plain("Tanh", &[x]),
            Activation::HardSwish => model.plain("HardSwish", &[x]),
            Activation::HardSigmoid => {
                let attributes = [
                    ("alpha", Attribute::Float(1.0 / 6.0)),
                    ("beta", Attribute::Float(0.5)),
                ];
                model.node("HardSigmoid", &[x], attributes)
            }
        }
    }
}

/// `x * (1 + y) / 2`
fn half_of_one_more(x: &str, y: &str, model: &mut Model) -> String {
    let one = model.float(1.0);
    let more = model.plain("Add", &[y, &one]);
    let half = model.float(0.5);
    let half = model.plain("Mul", &[x, &half]);
    model.plain("Mul", &[&half, &more])
}

/// The last axis through a weight `[out, in]` and a bias, if there is one.
pub(super) fn project(x: &str, weight: &str, bias: &[&str], model: &mut Model) -> String {
    let turned = model.transpose(weight, &[1, 0]);
    let product = model.plain("MatMul", &[x, &turned]);
    match bias.first() {
        Some(bias) => model.plain("Add", &[&product, bias]),
        None => product,
    }
}

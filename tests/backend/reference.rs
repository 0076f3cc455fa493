//! What every operation computes, written as plainly as its definition.

use candle_core::{DType, Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::backend::{Mode, Model, Network};
use snapc::graph::Graph;
use snapc::operations::{Activation, Class, Dimension, Operation, Pooling};

use super::build::{batched, numbers, single_operation, values};
use super::operations::{all_kinds, random_graph};
use super::{gradient, images, sequence};

/// A tensor with its batch axis.
#[derive(Clone, Debug)]
pub struct Array {
    /// Its sizes.
    pub shape: Vec<usize>,
    /// Its elements, row by row.
    pub data: Vec<f64>,
}

impl Array {
    /// Computes every element from its place.
    pub fn from_fn(shape: &[usize], mut element: impl FnMut(&[usize]) -> f64) -> Self {
        let count: usize = shape.iter().product();
        let data = (0..count)
            .map(|mut flat| {
                let mut place = vec![0; shape.len()];
                for (axis, size) in shape.iter().enumerate().rev() {
                    place[axis] = flat % size;
                    flat /= size;
                }
                element(&place)
            })
            .collect();
        Array {
            shape: shape.to_vec(),
            data,
        }
    }

    fn of(tensor: &Tensor) -> Self {
        Array {
            shape: tensor.dims().to_vec(),
            data: values(tensor),
        }
    }

    /// One element.
    pub fn at(&self, place: &[usize]) -> f64 {
        assert_eq!(place.len(), self.shape.len());
        let flat = place
            .iter()
            .zip(&self.shape)
            .fold(0, |flat, (place, size)| flat * size + place);
        self.data[flat]
    }

    /// The element of an image, zero or none beyond its edges.
    pub fn pixel(&self, n: usize, c: usize, y: i64, x: i64) -> Option<f64> {
        let inside = |at: i64, size: usize| (0..size as i64).contains(&at);
        (inside(y, self.shape[2]) && inside(x, self.shape[3]))
            .then(|| self.at(&[n, c, y as usize, x as usize]))
    }
}

pub fn number(dimension: &Dimension) -> usize {
    dimension.constant().expect("a constant") as usize
}

/// The pixel under a tap of a window.
fn under(window: usize, tap: usize, stride: usize, padding: usize, dilation: usize) -> i64 {
    (window * stride + tap * dilation) as i64 - padding as i64
}

fn activation(function: Activation, x: f64) -> f64 {
    let sigmoid = 1.0 / (1.0 + (-x).exp());
    match function {
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::LeakyRelu { slope } if x < 0.0 => slope.value() * x,
        Activation::Elu { alpha } if x < 0.0 => alpha.value() * (x.exp() - 1.0),
        Activation::LeakyRelu { .. } | Activation::Elu { .. } => x,
        Activation::Gelu => 0.5 * x * (1.0 + candle_core::cpu::erf::erf_f64(x / 2f64.sqrt())),
        Activation::Silu => x * sigmoid,
        Activation::Sigmoid => sigmoid,
        Activation::Tanh => x.tanh(),
        Activation::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::HardSigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            0.5 * x * (1.0 + inner.tanh())
        }
        Activation::Mish => x * x.exp().ln_1p().tanh(),
        Activation::Softplus => x.exp().ln_1p(),
        Activation::Zero => 0.0,
    }
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

pub fn normalised(x: f64, values: &[f64], epsilon: f64) -> f64 {
    let centre = mean(values);
    let variance = mean(
        &values
            .iter()
            .map(|x| (x - centre).powi(2))
            .collect::<Vec<_>>(),
    );
    (x - centre) / (variance + epsilon).sqrt()
}

pub fn project(input: &Array, weight: &Array, bias: Option<&Array>) -> Array {
    let mut shape = input.shape.clone();
    let last = shape.len() - 1;
    shape[last] = weight.shape[0];
    Array::from_fn(&shape, |place| {
        let output = place[last];
        let products = (0..weight.shape[1]).map(|feature| {
            let mut source = place.to_vec();
            source[last] = feature;
            input.at(&source) * weight.at(&[output, feature])
        });
        products.sum::<f64>() + bias.map_or(0.0, |bias| bias.data[output])
    })
}

fn softmax(values: &[f64]) -> Vec<f64> {
    let total: f64 = values.iter().map(|x| x.exp()).sum();
    values.iter().map(|x| x.exp() / total).collect()
}

/// The values of the keys that a query sees, by example, query and key, weighted by how well they fit;
/// zero where it sees none.
pub fn attend(
    [queries, keys, values]: [&Array; 3],
    heads: usize,
    sees: impl Fn(usize, usize, usize) -> bool,
) -> Array {
    let head = queries.shape[2] / heads;
    Array::from_fn(&queries.shape, |place| {
        let (n, token, feature) = (place[0], place[1], place[2]);
        let first = feature / head * head;
        let seen: Vec<usize> = (0..keys.shape[1])
            .filter(|key| sees(n, token, *key))
            .collect();
        let scores: Vec<f64> = seen
            .iter()
            .map(|key| {
                let products = (first..first + head)
                    .map(|feature| queries.at(&[n, token, feature]) * keys.at(&[n, *key, feature]));
                products.sum::<f64>() / (head as f64).sqrt()
            })
            .collect();
        let weights = softmax(&scores);
        let weighted = weights.iter().zip(&seen);
        weighted
            .map(|(weight, key)| weight * values.at(&[n, *key, feature]))
            .sum()
    })
}

fn attention(input: &Array, parameters: &[Array], heads: usize, causal: bool, bias: bool) -> Array {
    let [inward, outward] = match bias {
        true => [0, 2],
        false => [0, 1],
    };
    let of = |place: usize| (&parameters[place], bias.then(|| &parameters[place + 1]));
    let (weight, offset) = of(inward);
    let [queries, keys, values] = sequence::thirds(&project(input, weight, offset));
    let attended = attend([&queries, &keys, &values], heads, |_, query, key| {
        !causal || key <= query
    });
    let (weight, offset) = of(outward);
    project(&attended, weight, offset)
}

/// The output; `shape` is its shape, with the batch axis.
fn forward(
    operation: &Operation,
    inputs: &[Array],
    parameters: &[Array],
    shape: &[usize],
    training: bool,
) -> Array {
    // Images of one row stand for signals.
    let is_for_images = matches!(
        operation,
        Operation::Convolution { .. }
            | Operation::TransposedConvolution(_)
            | Operation::Pool { .. }
    );
    if is_for_images && shape.len() == 3 {
        let mut row = inputs[0].clone();
        row.shape.insert(2, 1);
        let tall = [shape[0], shape[1], 1, shape[2]];
        let mut given = forward(operation, &[row], parameters, &tall, training);
        given.shape.remove(2);
        return given;
    }
    let input = &inputs[0];
    let last = input.shape.len() - 1;
    match operation {
        Operation::Convolution {
            kernel,
            stride,
            padding,
            dilation,
            groups,
            bias,
            ..
        } => {
            let [kernel, stride, padding, dilation] = [kernel, stride, padding, dilation]
                .map(|pair| [number(&pair[0]), number(&pair[1])]);
            let weight = &parameters[0];
            let taken = weight.shape[1];
            let given = shape[1] / number(groups);
            Array::from_fn(shape, |place| {
                let (n, output) = (place[0], place[1]);
                let mut sum = if *bias {
                    parameters[1].data[output]
                } else {
                    0.0
                };
                for channel in 0..taken {
                    for i in 0..kernel[0] {
                        for j in 0..kernel[1] {
                            let y = under(place[2], i, stride[0], padding[0], dilation[0]);
                            let x = under(place[3], j, stride[1], padding[1], dilation[1]);
                            let source = output / given * taken + channel;
                            let pixel = input.pixel(n, source, y, x).unwrap_or(0.0);
                            sum += weight.at(&[output, channel, i, j]) * pixel;
                        }
                    }
                }
                sum
            })
        }
        Operation::Dense { bias, .. } => {
            project(input, &parameters[0], bias.then(|| &parameters[1]))
        }
        Operation::BatchNorm { .. } => Array::from_fn(shape, |place| {
            let channel = place[1];
            let x = input.at(place);
            let unit = if training {
                let positions: usize = input.shape[2..].iter().product();
                let rows = input.data.chunks(positions);
                let own = rows.skip(channel).step_by(input.shape[1]);
                normalised(x, &own.flatten().copied().collect::<Vec<f64>>(), 1e-5)
            } else {
                let deviation = (parameters[3].data[channel] + 1e-5).sqrt();
                (x - parameters[2].data[channel]) / deviation
            };
            unit * parameters[0].data[channel] + parameters[1].data[channel]
        }),
        Operation::LayerNorm { .. } => {
            let axis = if last == 3 { 1 } else { last };
            Array::from_fn(shape, |place| {
                let own: Vec<f64> = (0..input.shape[axis])
                    .map(|feature| {
                        let mut source = place.to_vec();
                        source[axis] = feature;
                        input.at(&source)
                    })
                    .collect();
                let feature = place[axis];
                normalised(input.at(place), &own, 1e-5) * parameters[0].data[feature]
                    + parameters[1].data[feature]
            })
        }
        Operation::Activation(function) => {
            Array::from_fn(shape, |place| activation(*function, input.at(place)))
        }
        Operation::Zeros { .. } => Array::from_fn(shape, |_| 0.0),
        Operation::Softmax => Array {
            shape: shape.to_vec(),
            data: input
                .data
                .chunks(input.shape[last])
                .flat_map(softmax)
                .collect(),
        },
        Operation::Pool { .. } => images::sliding(operation, input, shape),
        Operation::GlobalPool(kind) => Array::from_fn(shape, |place| {
            let positions: usize = input.shape[2..].iter().product();
            let row = place[0] * input.shape[1] + place[1];
            pool(*kind, input.data[row * positions..][..positions].to_vec())
        }),
        Operation::Upsample { factor } => Array::from_fn(shape, |place| {
            let factor = number(factor);
            input.at(&[place[0], place[1], place[2] / factor, place[3] / factor])
        }),
        Operation::Dropout { .. } | Operation::Flatten => Array {
            shape: shape.to_vec(),
            data: input.data.clone(),
        },
        Operation::Tokens => Array::from_fn(shape, |place| {
            let width = input.shape[3];
            input.at(&[place[0], place[2], place[1] / width, place[1] % width])
        }),
        Operation::Attention {
            heads,
            causal,
            bias,
            ..
        } => attention(input, parameters, number(heads), *causal, *bias),
        Operation::RmsNorm { .. }
        | Operation::GroupNorm { .. }
        | Operation::InstanceNorm { .. }
        | Operation::ParametricRelu { .. }
        | Operation::LayerScale { .. }
        | Operation::DropPath { .. }
        | Operation::Scale
        | Operation::CrossAttention { .. }
        | Operation::MaskedAttention { .. }
        | Operation::WindowAttention { .. }
        | Operation::Embedding { .. }
        | Operation::Positions { .. }
        | Operation::ClassToken { .. }
        | Operation::Token { .. }
        | Operation::TokenMean
        | Operation::Transpose
        | Operation::Image { .. } => sequence::forward(operation, inputs, parameters, shape),
        Operation::Add { .. } => Array::from_fn(shape, |place| {
            inputs.iter().map(|input| input.at(place)).sum()
        }),
        Operation::Multiply { .. } => Array::from_fn(shape, |place| {
            inputs.iter().map(|input| input.at(place)).product()
        }),
        Operation::Concatenate { .. } => Array::from_fn(shape, |place| {
            let mut source = place.to_vec();
            for input in inputs {
                if source[1] < input.shape[1] {
                    return input.at(&source);
                }
                source[1] -= input.shape[1];
            }
            unreachable!("the parts are as wide as the whole")
        }),
        Operation::TransposedConvolution(_)
        | Operation::AdaptivePool { .. }
        | Operation::Pad { .. }
        | Operation::Crop { .. }
        | Operation::Bilinear { .. }
        | Operation::PixelShuffle { .. }
        | Operation::PixelUnshuffle { .. }
        | Operation::ChannelShuffle { .. }
        | Operation::Slice { .. } => images::forward(operation, input, parameters, shape),
    }
}

pub fn pool(kind: Pooling, values: Vec<f64>) -> f64 {
    match kind {
        Pooling::Maximum => values.into_iter().fold(f64::NEG_INFINITY, f64::max),
        Pooling::Average => mean(&values),
    }
}

/// The same network with single precision.
fn single_precision(network: &Network, graph: &Graph, seed: u64) -> Network {
    let single = Network::compile(graph, &Device::Cpu, seed).expect("it compiles");
    let tensors = network.tensors().expect("copies").into_iter().collect();
    single.load_tensors(&tensors).expect("they fit");
    single
}

#[test]
fn layers_agree_with_their_definitions() {
    for kind in all_kinds() {
        for seed in 0..30 {
            let mut random = ChaCha8Rng::seed_from_u64(1000 + seed);
            let graph = random_graph(&kind, &mut random);
            let (operation, output) = single_operation(&graph);
            let batch = random.random_range(1..=11);
            let inputs = sequence::inputs(&graph, batch, seed * 100, 5.0);
            let network = gradient::network(&graph, seed);
            let single = single_precision(&network, &graph, seed);
            let parameters: Vec<Array> = network
                .tensors()
                .unwrap()
                .iter()
                .map(|(_, tensor)| Array::of(tensor))
                .collect();
            let arrays: Vec<Array> = inputs.iter().map(Array::of).collect();
            let shape = batched(batch, &output);
            for mode in [Mode::Evaluate, Mode::Train { step: 0 }] {
                let training = mode != Mode::Evaluate;
                if training && operation.class() == Class::Random {
                    continue;
                }
                let expected = forward(&operation, &arrays, &parameters, &shape, training);
                let given = &network.forward_all(&inputs, mode).unwrap()[0];
                assert_eq!(given.dims(), expected.shape, "{operation:?}");
                close(&values(given), &expected.data, 1e-9, &operation);
                let inputs = inputs.iter().map(|input| input.to_dtype(DType::F32));
                let inputs = inputs.collect::<candle_core::Result<Vec<_>>>().unwrap();
                let given = &single.forward_all(&inputs, mode).unwrap()[0];
                close(&values(given), &expected.data, 2e-4, &operation);
            }
        }
    }
}

/// Close in relation to the largest number.
fn close(given: &[f64], expected: &[f64], tolerance: f64, operation: &Operation) {
    let largest = expected.iter().fold(1.0, |most, x| f64::max(most, x.abs()));
    for (given, expected) in given.iter().zip(expected) {
        assert!(
            (given - expected).abs() <= tolerance * largest,
            "{operation:?}: {given} for {expected}"
        );
    }
}

#[test]
fn gradients_in_single_precision_agree_with_double_precision() {
    for kind in all_kinds() {
        for seed in 0..8 {
            let mut random = ChaCha8Rng::seed_from_u64(2000 + seed);
            let graph = random_graph(&kind, &mut random);
            let (operation, output) = single_operation(&graph);
            let network = gradient::network(&graph, seed);
            let single = single_precision(&network, &graph, seed);
            let inputs = sequence::inputs(&graph, 5, seed * 100, 1.0);
            let weights = numbers(&batched(5, &output), 5);
            let gradients = |network: &Network| {
                let inputs: Vec<_> = inputs
                    .iter()
                    .map(|input| input.to_dtype(network.dtype()).unwrap())
                    .map(|input| candle_core::Var::from_tensor(&input).unwrap())
                    .collect();
                let tensors: Vec<Tensor> = inputs
                    .iter()
                    .map(|input| input.as_tensor().clone())
                    .collect();
                let mode = Mode::Train { step: 1 };
                let output = &network.forward_all(&tensors, mode).unwrap()[0];
                let weights = weights.to_dtype(network.dtype()).unwrap();
                let loss = (output * weights).unwrap().sum_all().unwrap();
                let gradients = loss.backward().unwrap();
                let parameters = network
                    .trainable()
                    .into_iter()
                    .map(|(_, variable)| variable);
                inputs
                    .into_iter()
                    .chain(parameters)
                    .map(|variable| values(gradients.get(variable.as_tensor()).unwrap()))
                    .collect::<Vec<_>>()
            };
            for (given, expected) in gradients(&single).iter().zip(gradients(&network)) {
                close(given, &expected, 1e-3, &operation);
            }
        }
    }
}

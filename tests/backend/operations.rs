//! Every operation, with random attributes and sizes: its gradients.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::backend::Mode;
use snapc::graph::Graph;
use snapc::operations::{Activation, Dimension, Operation, Pooling, Real, Shape};

use super::build::{Builder, pair};
use super::{gradient, images, sequence};

/// Every kind of operation, so that none is forgotten: `next` must name them all to compile.
pub fn all_kinds() -> Vec<Operation> {
    let one = || Dimension::ONE;
    let ones = || pair([1, 1]);
    let mut kinds = vec![Operation::Convolution {
        input: one(),
        output: one(),
        kernel: ones(),
        stride: ones(),
        padding: ones(),
        dilation: ones(),
        groups: one(),
        bias: false,
    }];
    while let Some(next) = next(&kinds[kinds.len() - 1]) {
        kinds.push(next);
    }
    kinds
}

fn next(operation: &Operation) -> Option<Operation> {
    let one = || Dimension::ONE;
    Some(match operation {
        Operation::Convolution { .. } => Operation::Dense {
            input: one(),
            output: one(),
            bias: false,
        },
        Operation::Dense { .. } => Operation::batch_norm(one()),
        Operation::BatchNorm { .. } => Operation::layer_norm(one()),
        Operation::LayerNorm { .. } => Operation::Activation(Activation::Relu),
        Operation::Activation(activation) => match next_activation(*activation) {
            Some(activation) => Operation::Activation(activation),
            None => Operation::Softmax,
        },
        Operation::Softmax => Operation::Pool {
            kind: Pooling::Maximum,
            kernel: pair([1, 1]),
            stride: pair([1, 1]),
            padding: pair([0, 0]),
            ceil: false,
            count_padding: false,
        },
        Operation::Pool {
            kind: Pooling::Maximum,
            kernel,
            stride,
            padding,
            ..
        } => Operation::Pool {
            kind: Pooling::Average,
            kernel: kernel.clone(),
            stride: stride.clone(),
            padding: padding.clone(),
            ceil: false,
            count_padding: false,
        },
        Operation::Pool {
            kind: Pooling::Average,
            ..
        } => Operation::GlobalPool(Pooling::Maximum),
        Operation::GlobalPool(Pooling::Maximum) => Operation::GlobalPool(Pooling::Average),
        Operation::GlobalPool(Pooling::Average) => Operation::Upsample { factor: one() },
        Operation::Upsample { .. } => Operation::Dropout {
            rate: Real::new(0.3),
        },
        Operation::Dropout { .. } => Operation::Flatten,
        Operation::Flatten => Operation::Tokens,
        Operation::Tokens => Operation::attention(one(), one()),
        Operation::Attention { .. } => Operation::RmsNorm {
            features: one(),
            epsilon: Real::new(1e-6),
        },
        Operation::RmsNorm { .. } => Operation::GroupNorm {
            channels: one(),
            groups: one(),
            epsilon: Real::new(1e-5),
        },
        Operation::GroupNorm { .. } => Operation::InstanceNorm {
            epsilon: Real::new(1e-5),
        },
        Operation::InstanceNorm { .. } => Operation::ParametricRelu { channels: one() },
        Operation::ParametricRelu { .. } => Operation::LayerScale {
            features: one(),
            initial: Real::new(0.5),
        },
        Operation::LayerScale { .. } => Operation::DropPath {
            rate: Real::new(0.3),
        },
        Operation::DropPath { .. } => Operation::Scale,
        Operation::Scale => Operation::CrossAttention {
            width: one(),
            context: one(),
            heads: one(),
            bias: true,
        },
        Operation::CrossAttention { .. } => Operation::MaskedAttention {
            width: one(),
            heads: one(),
        },
        Operation::MaskedAttention { .. } => Operation::WindowAttention {
            channels: one(),
            heads: one(),
            window: one(),
            shift: Dimension::Constant(0),
        },
        Operation::WindowAttention { .. } => Operation::Embedding {
            count: one(),
            width: one(),
        },
        Operation::Embedding { .. } => Operation::Positions {
            tokens: one(),
            width: one(),
        },
        Operation::Positions { .. } => Operation::ClassToken { width: one() },
        Operation::ClassToken { .. } => Operation::Token {
            place: Dimension::Constant(0),
        },
        Operation::Token { .. } => Operation::TokenMean,
        Operation::TokenMean => Operation::Transpose,
        Operation::Transpose => Operation::Image { size: pair([1, 1]) },
        Operation::Image { .. } => Operation::Zeros {
            shape: Shape::constant(&[1]),
        },
        Operation::Zeros { .. } => Operation::Add { arity: 2 },
        Operation::Add { .. } => Operation::Multiply { arity: 2 },
        Operation::Multiply { .. } => Operation::Concatenate { arity: 2 },
        Operation::Concatenate { .. } => images::first(),
        Operation::TransposedConvolution(_)
        | Operation::AdaptivePool { .. }
        | Operation::Pad { .. }
        | Operation::Crop { .. }
        | Operation::Bilinear { .. }
        | Operation::PixelShuffle { .. }
        | Operation::PixelUnshuffle { .. }
        | Operation::ChannelShuffle { .. }
        | Operation::Slice { .. } => return images::next(operation),
    })
}

fn next_activation(activation: Activation) -> Option<Activation> {
    Some(match activation {
        Activation::Relu => Activation::Relu6,
        Activation::Relu6 => Activation::LeakyRelu {
            slope: Real::new(0.2),
        },
        Activation::LeakyRelu { .. } => Activation::Elu {
            alpha: Real::new(0.8),
        },
        Activation::Elu { .. } => Activation::Gelu,
        Activation::Gelu => Activation::Silu,
        Activation::Silu => Activation::Sigmoid,
        Activation::Sigmoid => Activation::Tanh,
        Activation::Tanh => Activation::HardSwish,
        Activation::HardSwish => Activation::HardSigmoid,
        Activation::HardSigmoid => Activation::GeluTanh,
        Activation::GeluTanh => Activation::Mish,
        Activation::Mish => Activation::Softplus,
        Activation::Softplus => Activation::Zero,
        Activation::Zero => return None,
    })
}

/// A number of the range.
pub fn draw(random: &mut ChaCha8Rng, range: std::ops::RangeInclusive<i64>) -> i64 {
    random.random_range(range)
}

pub fn draw_pair(random: &mut ChaCha8Rng, range: std::ops::RangeInclusive<i64>) -> [i64; 2] {
    [draw(random, range.clone()), draw(random, range)]
}

/// The places of a window along an axis.
pub fn places(size: i64, kernel: i64, stride: i64, padding: i64, dilation: i64) -> i64 {
    (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
}

/// A graph of one operation of this kind with random attributes over random sizes.
pub fn random_graph(kind: &Operation, random: &mut ChaCha8Rng) -> Graph {
    let mut image = vec![
        draw(random, 1..=5),
        draw(random, 3..=9),
        draw(random, 3..=9),
    ];
    let tokens = [draw(random, 1..=5), draw(random, 1..=9)];
    let any = match draw(random, 0..=2) {
        0 => vec![draw(random, 1..=40)],
        1 => tokens.to_vec(),
        _ => image.clone(),
    };
    let size = |value: i64| Dimension::Constant(value);
    let single = |operation: Operation, input: &[i64], output: &[i64]| {
        let mut builder = Builder::new(&[input]);
        let node = builder.add(operation, &[0], output);
        builder.finish(&[node])
    };
    match kind {
        Operation::Convolution { .. } => {
            let groups = draw(random, 1..=3);
            let multiplier = draw(random, 1..=6);
            image[0] = groups * draw(random, 1..=4);
            let output = groups * multiplier;
            let [mut kernel, mut stride, dilation] = [
                draw_pair(random, 1..=3),
                draw_pair(random, 1..=3),
                draw_pair(random, 1..=2),
            ];
            // A signal is an image of one row, whose height is not told.
            let is_signal = draw(random, 0..=3) == 0;
            if is_signal {
                (image[1], kernel[0], stride[0]) = (1, 1, 1);
            }
            let mut padding: [i64; 2] = std::array::from_fn(|axis| {
                let window = dilation[axis] * (kernel[axis] - 1) + 1;
                draw(random, 0..=3).max((window - image[axis + 1] + 1) / 2)
            });
            if is_signal {
                padding[0] = 0;
            }
            let [height, width] = std::array::from_fn(|axis| {
                places(
                    image[axis + 1],
                    kernel[axis],
                    stride[axis],
                    padding[axis],
                    dilation[axis],
                )
            });
            let operation = Operation::Convolution {
                input: size(image[0]),
                output: size(output),
                kernel: pair(kernel),
                stride: pair(stride),
                padding: pair(padding),
                dilation: pair(dilation),
                groups: size(groups),
                bias: random.random(),
            };
            match is_signal {
                true => single(operation, &[image[0], image[2]], &[output, width]),
                false => single(operation, &image, &[output, height, width]),
            }
        }
        Operation::Pool { kind, .. } => images::random_pool(*kind, random),
        Operation::Dense { .. } => {
            let rank = draw(random, 1..=2) as usize;
            let input = &tokens[2 - rank..];
            let output = draw(random, 1..=40);
            let operation = Operation::Dense {
                input: size(tokens[1]),
                output: size(output),
                bias: random.random(),
            };
            let shape = [&input[..rank - 1], &[output]].concat();
            single(operation, input, &shape)
        }
        Operation::BatchNorm { .. } => {
            let channels = size(any[0]);
            single(Operation::batch_norm(channels), &any, &any)
        }
        Operation::LayerNorm { .. } => {
            let features = size(if any.len() == 3 {
                any[0]
            } else {
                any[any.len() - 1]
            });
            single(Operation::layer_norm(features), &any, &any)
        }
        Operation::Activation(_) | Operation::Softmax | Operation::Dropout { .. } => {
            single(kind.clone(), &any, &any)
        }
        Operation::Zeros { .. } => {
            let shape = Shape::constant(&image);
            single(Operation::Zeros { shape }, &any, &image)
        }
        Operation::GlobalPool(_) => single(kind.clone(), &image, &image[..1]),
        Operation::Upsample { .. } => {
            let factor = draw(random, 1..=3);
            let large = [image[0], image[1] * factor, image[2] * factor];
            let operation = Operation::Upsample {
                factor: size(factor),
            };
            single(operation, &image, &large)
        }
        Operation::Flatten => single(Operation::Flatten, &any, &[any.iter().product()]),
        Operation::Tokens => single(Operation::Tokens, &image, &[image[1] * image[2], image[0]]),
        Operation::Attention { .. } => {
            let heads = draw(random, 1..=3);
            let width = heads * draw(random, 1..=4);
            let shape = [tokens[0], width];
            let operation = Operation::Attention {
                width: size(width),
                heads: size(heads),
                causal: random.random(),
                bias: random.random(),
            };
            single(operation, &shape, &shape)
        }
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
        | Operation::Image { .. } => sequence::random_graph(kind, random),
        Operation::Add { .. } | Operation::Multiply { .. } => {
            let arity = draw(random, 2..=4) as usize;
            let mut builder = Builder::new(&vec![any.as_slice(); arity]);
            let inputs: Vec<u32> = (0..arity as u32).collect();
            let operation = match kind {
                Operation::Add { .. } => Operation::Add { arity },
                _ => Operation::Multiply { arity },
            };
            let node = builder.add(operation, &inputs, &any);
            builder.finish(&[node])
        }
        Operation::Concatenate { .. } => {
            let arity = draw(random, 2..=4) as usize;
            let shapes: Vec<Vec<i64>> = (0..arity)
                .map(|_| {
                    let mut shape = any.clone();
                    shape[0] = draw(random, 1..=4);
                    shape
                })
                .collect();
            let slices: Vec<&[i64]> = shapes.iter().map(Vec::as_slice).collect();
            let mut whole = any.clone();
            whole[0] = shapes.iter().map(|shape| shape[0]).sum();
            let mut builder = Builder::new(&slices);
            let inputs: Vec<u32> = (0..arity as u32).collect();
            let node = builder.add(Operation::Concatenate { arity }, &inputs, &whole);
            builder.finish(&[node])
        }
        Operation::TransposedConvolution(_)
        | Operation::AdaptivePool { .. }
        | Operation::Pad { .. }
        | Operation::Crop { .. }
        | Operation::Bilinear { .. }
        | Operation::PixelShuffle { .. }
        | Operation::PixelUnshuffle { .. }
        | Operation::ChannelShuffle { .. }
        | Operation::Slice { .. } => images::random_graph(kind, random),
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for kind in all_kinds() {
        let rounds = match kind {
            Operation::Convolution { .. } | Operation::TransposedConvolution(_) => 60,
            Operation::Pool { .. } => 25,
            _ => 6,
        };
        for seed in 0..rounds {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let graph = random_graph(&kind, &mut random);
            let batch = random.random_range(1..=4);
            // Six times as large, so that every piece of a function made of pieces is met.
            let inputs = sequence::inputs(&graph, batch, seed * 100, 6.0);
            gradient::check(&graph, &inputs, Mode::Train { step: 3 }, seed);
            gradient::check(&graph, &inputs, Mode::Evaluate, seed);
        }
    }
}

//! Layers against PyTorch: outputs, gradients and state in tests/fixtures/pytorch, which make.py
//! there made.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor, Var};
use snapc::backend::{Mode, Model, Network};
use snapc::operations::{Activation, Dimension, Operation, Pooling, Real};

use super::build::{Builder, pair, values};

fn fixtures() -> HashMap<String, Tensor> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("tests/fixtures/pytorch/layers.safetensors");
    candle_core::safetensors::load(file, &Device::Cpu).expect("the fixtures")
}

struct Convolution {
    kernel: [i64; 2],
    stride: [i64; 2],
    padding: [i64; 2],
    dilation: [i64; 2],
    groups: i64,
}

/// The operation of a fixture, which has parameters of these shapes and takes an input of this.
fn operation(name: &str, input: &[i64], weight: &[i64], bias: bool) -> Operation {
    let size = Dimension::Constant;
    let convolution = |attributes: Convolution| Operation::Convolution {
        input: size(input[0]),
        output: size(weight[0]),
        kernel: pair(attributes.kernel),
        stride: pair(attributes.stride),
        padding: pair(attributes.padding),
        dilation: pair(attributes.dilation),
        groups: size(attributes.groups),
        bias,
    };
    let plain = Convolution {
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
        groups: 1,
    };
    let pool = |kind, kernel, stride, padding| Operation::Pool {
        kind,
        kernel: pair(kernel),
        stride: pair(stride),
        padding: pair(padding),
        ceil: false,
        count_padding: false,
    };
    match name {
        "convolution" => convolution(plain),
        "convolution_strided" => convolution(Convolution {
            kernel: [3, 5],
            stride: [2, 2],
            padding: [1, 2],
            ..plain
        }),
        "convolution_grouped" => convolution(Convolution { groups: 3, ..plain }),
        "convolution_dilated" => convolution(Convolution {
            stride: [1, 2],
            padding: [2, 3],
            dilation: [2, 3],
            ..plain
        }),
        "convolution_depthwise" => convolution(Convolution {
            kernel: [5, 5],
            stride: [2, 2],
            padding: [2, 2],
            groups: 6,
            ..plain
        }),
        "convolution_pointwise" => convolution(Convolution {
            kernel: [1, 1],
            padding: [0, 0],
            ..plain
        }),
        "maximum_pool" => pool(Pooling::Maximum, [3, 3], [2, 2], [1, 1]),
        "maximum_pool_wide" => pool(Pooling::Maximum, [2, 3], [1, 1], [1, 1]),
        "average_pool" => pool(Pooling::Average, [3, 3], [2, 2], [1, 1]),
        "global_maximum" => Operation::GlobalPool(Pooling::Maximum),
        "global_average" => Operation::GlobalPool(Pooling::Average),
        "upsample" => Operation::Upsample { factor: size(3) },
        "batch_norm" | "batch_norm_flat" => Operation::batch_norm(size(input[0])),
        "layer_norm" | "layer_norm_channels" => Operation::layer_norm(size(weight[0])),
        "dense" => Operation::Dense {
            input: size(weight[1]),
            output: size(weight[0]),
            bias,
        },
        "attention" => Operation::attention(size(input[1]), size(3)),
        "softmax" => Operation::Softmax,
        "relu" => Operation::Activation(Activation::Relu),
        "relu6" => Operation::Activation(Activation::Relu6),
        "leaky_relu" => Operation::Activation(Activation::LeakyRelu {
            slope: Real::new(0.2),
        }),
        "elu" => Operation::Activation(Activation::Elu {
            alpha: Real::new(0.7),
        }),
        "gelu" => Operation::Activation(Activation::Gelu),
        "silu" => Operation::Activation(Activation::Silu),
        "sigmoid" => Operation::Activation(Activation::Sigmoid),
        "tanh" => Operation::Activation(Activation::Tanh),
        "hard_swish" => Operation::Activation(Activation::HardSwish),
        "hard_sigmoid" => Operation::Activation(Activation::HardSigmoid),
        other => panic!("no layer for the fixture {other}"),
    }
}

/// The sizes of a tensor, without the batch axis.
fn sizes(tensor: &Tensor) -> Vec<i64> {
    tensor.dims()[1..].iter().map(|size| *size as i64).collect()
}

pub fn close(what: &str, given: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(given.dims(), expected.dims(), "{what}");
    let (given, expected) = (values(given), values(expected));
    let largest = expected.iter().fold(1.0, |most, x| f64::max(most, x.abs()));
    for (given, expected) in given.iter().zip(&expected) {
        let error = (given - expected).abs();
        assert!(
            error <= tolerance * largest,
            "{what}: {given} for {expected}"
        );
    }
}

#[test]
fn layers_agree_with_pytorch() {
    let fixtures = fixtures();
    let names = fixtures
        .keys()
        .filter_map(|key| key.strip_suffix(".output"));
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), 29);
    for name in names {
        let fixture = |key: &str| fixtures.get(&format!("{name}.{key}"));
        let input = Var::from_tensor(fixture("input").expect("an input")).unwrap();
        let expected = fixture("output").expect("an output");
        let weight = fixture("parameter.weight");
        let weight: Vec<i64> = weight.map_or(Vec::new(), |weight| {
            weight.dims().iter().map(|size| *size as i64).collect()
        });
        let bias = fixture("parameter.bias").is_some();
        let operation = operation(name, &sizes(&input), &weight, bias);

        let mut builder = Builder::new(&[&sizes(&input)]);
        let node = builder.add(operation, &[0], &sizes(expected));
        let graph = builder.finish(&[node]);
        let network = Network::compile(&graph, &Device::Cpu, 0).expect("it compiles");
        let own = |path: &str| path.strip_prefix("layer.1.").expect("a name").to_owned();
        for (path, variable) in network.trainable() {
            let parameter = fixture(&format!("parameter.{}", own(&path)));
            variable.set(parameter.expect("a parameter")).unwrap();
        }

        let mode = Mode::Train { step: 0 };
        let output = network.forward(input.as_tensor(), mode).expect("it runs");
        close(name, &output, expected, 1e-5);
        for (path, variable) in network.state() {
            let state = fixture(&format!("state.{}", own(&path))).expect("state");
            close(&format!("{name} {path}"), variable.as_tensor(), state, 1e-5);
        }
        let weights = fixture("weights").expect("weights");
        let loss = (output * weights).unwrap().sum_all().unwrap();
        let gradients = loss.backward().expect("gradients");
        let gradient = |variable: &Var| gradients.get(variable.as_tensor()).expect("a gradient");
        let expected = fixture("gradient.input").expect("a gradient");
        close(&format!("{name} input"), gradient(&input), expected, 1e-4);
        for (path, variable) in network.trainable() {
            let expected = fixture(&format!("gradient.{}", own(&path))).expect("a gradient");
            close(
                &format!("{name} {path}"),
                gradient(&variable),
                expected,
                1e-4,
            );
        }
    }
}

//! How the canonical form prints.

use snapc::graph::{Graph, Laws, NodeId, canonical_text, canonicalise};
use snapc::operations::{Activation, Operation, Pooling, Real, Shape};

use crate::graphs::{Builder, constant};
use crate::{check_form, check_forms, compiled};

/// The words of a body on one line.
fn body(graph: &Graph) -> String {
    let text = canonical_text(&canonicalise(graph, Laws::Real));
    let (_, body) = text.split_once(" =\n").unwrap();
    body.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn well_known_blocks_print_as_people_write_them() {
    let (mut builder, input) = Builder::image();
    let residual = {
        let [mut value, input] = [input, input];
        for index in 0..2 {
            value = builder.conv(3, value);
            value = builder.norm(value);
            if index == 0 {
                value = builder.relu(value);
            }
        }
        let sum = builder.add(&[value, input]);
        let output = builder.relu(sum);
        builder.finish(&[output])
    };
    insta::assert_snapshot!(body(&residual), @"dup conv(3) bn relu conv(3) bn add relu");

    let (mut builder, input) = Builder::image();
    let inception = {
        let mut branches: Vec<NodeId> = [1, 3, 5]
            .map(|kernel| builder.convolution(kernel, constant(8), input))
            .to_vec();
        branches.push(builder.pool(Pooling::Maximum, 3, input));
        let output = builder.concatenate(&branches);
        builder.finish(&[output])
    };
    insta::assert_snapshot!(body(&inception), @"dup conv(1, 8) over conv(3, 8) pick(2) conv(5, 8) roll(3) maxpool(3) cat(4)");

    let (mut builder, input) = Builder::image();
    let dense = {
        let mut value = input;
        for _ in 0..4 {
            let layer = builder.convolution(3, constant(2), value);
            value = builder.concatenate(&[value, layer]);
        }
        builder.finish(&[value])
    };
    insta::assert_snapshot!(body(&dense), @"{ dup conv(3, 2) cat } * 4");

    let (mut builder, input) = Builder::image();
    let preactivation = {
        let mut value = input;
        for _ in 0..4 {
            let layer = builder.norm(value);
            let layer = builder.conv(3, layer);
            value = builder.add(&[layer, value]);
        }
        builder.finish(&[value])
    };
    insta::assert_snapshot!(body(&preactivation), @"{ dup bn conv(3) add } * 4");
}

#[test]
fn every_word_prints_with_what_is_not_default() {
    let pair = |height: i64, width: i64| [constant(height), constant(width)];
    let convolution = |output, kernel, padding, groups, bias| Operation::Convolution {
        input: constant(4),
        output: constant(output),
        kernel,
        stride: pair(1, 2),
        padding,
        dilation: pair(2, 2),
        groups: constant(groups),
        bias,
    };
    let operations = [
        convolution(4, pair(1, 7), pair(0, 6), 1, false),
        convolution(8, pair(3, 3), pair(0, 1), 2, true),
        convolution(4, pair(3, 3), pair(2, 2), 4, true),
        Operation::layer_norm(constant(4)),
        Operation::Dropout {
            rate: Real::new(0.25),
        },
        Operation::Dropout {
            rate: Real::new(0.5),
        },
        Operation::Softmax,
        Operation::Upsample {
            factor: constant(2),
        },
        Operation::GlobalPool(Pooling::Average),
        Operation::GlobalPool(Pooling::Maximum),
        Operation::Flatten,
        Operation::Tokens,
        Operation::Pool {
            kind: Pooling::Average,
            kernel: pair(2, 2),
            stride: pair(2, 2),
            padding: pair(0, 0),
            ceil: false,
            count_padding: false,
        },
        Operation::Pool {
            kind: Pooling::Maximum,
            kernel: pair(3, 2),
            stride: pair(1, 1),
            padding: pair(0, 1),
            ceil: false,
            count_padding: false,
        },
        Operation::Activation(Activation::LeakyRelu {
            slope: Real::new(0.01),
        }),
        Operation::Activation(Activation::LeakyRelu {
            slope: Real::new(0.2),
        }),
        Operation::Activation(Activation::Elu {
            alpha: Real::new(2.0),
        }),
        Operation::Activation(Activation::Elu {
            alpha: Real::new(1.0),
        }),
        Operation::Activation(Activation::Silu),
        Operation::Activation(Activation::Sigmoid),
        Operation::Activation(Activation::HardSwish),
        Operation::Activation(Activation::HardSigmoid),
    ];
    let mut words = Vec::new();
    for operation in operations {
        let (mut builder, input) = Builder::image();
        let output = builder.apply(operation, &[input]);
        let graph = builder.finish(&[output]);
        check_forms(&graph);
        words.push(body(&graph));
    }
    let mut builder = Builder::new();
    let tokens = builder.input(Shape::constant(&[36, 8]));
    let attended = builder.apply(Operation::attention(constant(8), constant(2)), &[tokens]);
    let dense = builder.apply(
        Operation::Dense {
            input: constant(8),
            output: constant(3),
            bias: false,
        },
        &[attended],
    );
    let graph = builder.finish(&[dense]);
    check_form(&graph, Laws::Real);
    words.push(body(&graph));
    insta::assert_snapshot!(words.join("\n"), @r"
    conv([1, 7], stride: [1, 2], dilation: 2)
    conv(3, 8, stride: [1, 2], pad: [0, 1], dilation: 2, groups: 2, bias: true)
    dwconv(3, stride: [1, 2], dilation: 2, bias: true)
    ln
    dropout(0.25)
    dropout
    softmax
    upsample(2)
    gap
    gmp
    flatten
    tokens
    avgpool(2, stride: 2)
    maxpool([3, 2], pad: [0, 1])
    leaky_relu
    leaky_relu(0.2)
    elu(2.0)
    elu
    silu
    sigmoid
    hardswish
    hardsigmoid
    attention(2) dense(3, bias: false)
    ");
}

/// What words on images and signals print as, and that it compiles to the same form.
#[test]
fn words_for_images_print_with_what_is_not_default() {
    let words = [
        "upconv(2, stride: 2)",
        "upconv([3, 4], 8, stride: [2, 3], pad: 1, output_pad: [1, 0], dilation: 2, groups: 4, bias: true)",
        "maxpool(3, stride: 2, pad: 0, ceil: true)",
        "avgpool(3, count_padding: true)",
        "adaptive_avgpool(7)",
        "adaptive_maxpool([2, 3])",
        "pad(1, [0, 2])",
        "reflect_pad(2, after: 2)",
        "replicate_pad([0, 1])",
        "circular_pad(1)",
        "crop([1, 2], 0)",
        "bilinear",
        "pixel_shuffle",
        "pixel_unshuffle(3)",
        "channel_shuffle(2)",
        "slice(1, 2)",
        "split mul",
        "split(4) drop drop drop",
        "conv1d(3)",
        "conv1d(5, 8, stride: 2, pad: 0, dilation: 3, groups: 2, bias: true)",
        "dwconv1d(7)",
        "upconv1d(4, 2, stride: 2)",
        "upconv1d(3, stride: 2, pad: 2, output_pad: 1, bias: true)",
        "maxpool1d(3, stride: 2)",
        "avgpool1d(4, stride: 3, pad: 0, ceil: true, count_padding: true)",
    ];
    let mut printed = Vec::new();
    for word in words {
        let graph = compiled(&format!("block b = {word}\n"));
        for laws in [Laws::Exact, Laws::Real] {
            let canonical = canonicalise(&graph, laws);
            let text = canonical_text(&canonical);
            let read = canonicalise(&compiled(&text), laws);
            assert_eq!(read.certificate, canonical.certificate, "{text}");
            assert_eq!(canonical_text(&read), text);
        }
        printed.push(body(&graph));
    }
    insta::assert_snapshot!(printed.join("\n"), @r"
    upconv(2, stride: 2)
    upconv([3, 4], 8, stride: [2, 3], pad: 1, output_pad: [1, 0], dilation: 2, groups: 4, bias: true)
    maxpool(3, stride: 2, pad: 0, ceil: true)
    avgpool(3, count_padding: true)
    adaptive_avgpool(7)
    adaptive_maxpool([2, 3])
    pad(1, [0, 2])
    reflect_pad(2)
    replicate_pad([0, 1])
    circular_pad(1)
    crop([1, 2], 0)
    bilinear(2)
    pixel_shuffle(2)
    pixel_unshuffle(3)
    channel_shuffle(2)
    slice(1, 2)
    dup slice(0, c // 2) swap slice(c // 2, c // 2) mul
    slice(0, c // 4)
    conv1d(3)
    conv1d(5, 8, stride: 2, pad: 0, dilation: 3, groups: 2, bias: true)
    dwconv1d(7)
    upconv1d(4, 2, stride: 2)
    upconv1d(3, stride: 2, pad: 2, output_pad: 1, bias: true)
    maxpool1d(3, stride: 2)
    avgpool1d(4, stride: 3, pad: 0, ceil: true, count_padding: true)
    ");
}

#[test]
fn words_for_features_and_sequences_print_with_what_is_not_default() {
    let (image, tokens, ids) = ([8, 6, 6], [36, 8], [8]);
    let number = constant;
    let real = Real::new;
    let cases: [(Operation, &[&[i64]]); 37] = [
        (Operation::batch_norm(number(8)), &[&image]),
        (
            Operation::BatchNorm {
                channels: number(8),
                epsilon: real(1e-3),
                momentum: real(0.01),
            },
            &[&image],
        ),
        (
            Operation::LayerNorm {
                features: number(8),
                epsilon: real(1e-6),
            },
            &[&tokens],
        ),
        (
            Operation::RmsNorm {
                features: number(8),
                epsilon: real(1e-6),
            },
            &[&image],
        ),
        (
            Operation::RmsNorm {
                features: number(8),
                epsilon: real(1e-5),
            },
            &[&tokens],
        ),
        (
            Operation::GroupNorm {
                channels: number(8),
                groups: number(4),
                epsilon: real(1e-5),
            },
            &[&image],
        ),
        (
            Operation::GroupNorm {
                channels: number(8),
                groups: number(2),
                epsilon: real(1e-6),
            },
            &[&image],
        ),
        (
            Operation::InstanceNorm {
                epsilon: real(1e-5),
            },
            &[&image],
        ),
        (Operation::InstanceNorm { epsilon: real(0.5) }, &[&image]),
        (Operation::Activation(Activation::GeluTanh), &[&image]),
        (Operation::Activation(Activation::Mish), &[&image]),
        (Operation::Activation(Activation::Softplus), &[&image]),
        (Operation::Activation(Activation::Zero), &[&image]),
        (
            Operation::ParametricRelu {
                channels: number(8),
            },
            &[&image],
        ),
        (
            Operation::LayerScale {
                features: number(8),
                initial: real(1e-6),
            },
            &[&image],
        ),
        (
            Operation::LayerScale {
                features: number(8),
                initial: real(0.1),
            },
            &[&tokens],
        ),
        (Operation::DropPath { rate: real(0.1) }, &[&image]),
        (Operation::DropPath { rate: real(0.0) }, &[&image]),
        (Operation::Scale, &[&image, &ids]),
        (
            Operation::Attention {
                width: number(8),
                heads: number(2),
                causal: true,
                bias: true,
            },
            &[&tokens],
        ),
        (
            Operation::Attention {
                width: number(8),
                heads: number(2),
                causal: false,
                bias: false,
            },
            &[&tokens],
        ),
        (
            Operation::CrossAttention {
                width: number(8),
                context: number(5),
                heads: number(4),
                bias: true,
            },
            &[&tokens, &[3, 5]],
        ),
        (
            Operation::CrossAttention {
                width: number(8),
                context: number(8),
                heads: number(4),
                bias: false,
            },
            &[&tokens, &tokens],
        ),
        (
            Operation::MaskedAttention {
                width: number(8),
                heads: number(2),
            },
            &[&tokens, &[36]],
        ),
        (window_attention(0), &[&image]),
        (window_attention(1), &[&image]),
        (
            Operation::Embedding {
                count: number(50_257),
                width: number(768),
            },
            &[&ids],
        ),
        (
            Operation::Positions {
                tokens: number(36),
                width: number(8),
            },
            &[&tokens],
        ),
        (Operation::ClassToken { width: number(8) }, &[&tokens]),
        (Operation::Token { place: number(0) }, &[&tokens]),
        (Operation::Token { place: number(35) }, &[&tokens]),
        (Operation::TokenMean, &[&tokens]),
        (Operation::Transpose, &[&tokens]),
        (
            Operation::Image {
                size: [number(4), number(9)],
            },
            &[&tokens],
        ),
        (
            Operation::Zeros {
                shape: Shape::constant(&[5]),
            },
            &[&tokens],
        ),
        (
            Operation::Zeros {
                shape: Shape::constant(&[16, 3, 300]),
            },
            &[&tokens],
        ),
        (Operation::Softmax, &[&tokens]),
    ];
    let mut words = Vec::new();
    for (operation, inputs) in cases {
        let mut builder = Builder::new();
        let inputs: Vec<NodeId> = inputs
            .iter()
            .map(|shape| builder.input(Shape::constant(shape)))
            .collect();
        let output = builder.apply(operation, &inputs);
        let graph = builder.finish(&[output]);
        check_form(&graph, Laws::Real);
        words.push(body(&graph));
    }
    insta::assert_snapshot!(words.join("\n"), @r"
    bn
    bn(epsilon: 0.001, momentum: 0.01)
    ln(epsilon: 1e-6)
    rmsnorm
    rmsnorm(epsilon: 1e-5)
    groupnorm(4)
    groupnorm(2, epsilon: 1e-6)
    instancenorm
    instancenorm(epsilon: 0.5)
    gelu_tanh
    mish
    softplus
    zero
    prelu
    layer_scale
    layer_scale(0.1)
    drop_path(0.1)
    drop_path(0.0)
    scale
    attention(2, causal: true)
    attention(2, bias: false)
    cross_attention(4)
    cross_attention(4, bias: false)
    masked_attention(2)
    window_attention(2, 3)
    window_attention(2, 3, shift: 1)
    embedding(50257, 768)
    positions
    class_token
    token(0)
    token(35)
    token_mean
    transpose
    image(4, 9)
    zeros(5)
    zeros(16, 3, 300)
    softmax
    ");
}

fn window_attention(shift: i64) -> Operation {
    Operation::WindowAttention {
        channels: constant(8),
        heads: constant(2),
        window: constant(3),
        shift: constant(shift),
    }
}

#[test]
fn nets_print_in_full() {
    let source = "
block basic = dup conv(3) bn relu conv(3) bn add relu

block down(n) =
    dup conv(3, n, stride: 2) bn relu conv(3) bn
    swap conv(1, n, stride: 2) bn
    add relu

net small : [3, 32, 32] -> [10] =
    conv(3, 16) bn relu
    basic * 2 down(32) basic down(64) basic
    gap dropout dense(10)
";
    let graph = compiled(source);
    check_forms(&graph);
    insta::assert_snapshot!(canonical_text(&canonicalise(&graph, Laws::Real)), @r"
    net small : [3, 32, 32] -> [10] =
        conv(3, 16) bn relu { dup conv(3) bn relu conv(3) bn add relu } * 2 dup
        conv(1, 32, stride: 2) bn swap conv(3, 32, stride: 2) bn relu conv(3) bn add relu
        dup conv(3) bn relu conv(3) bn add relu dup conv(1, 64, stride: 2) bn swap
        conv(3, 64, stride: 2) bn relu conv(3) bn add relu dup conv(3) bn relu conv(3) bn
        add relu gap dropout dense(10)
    ");
}

/// A sum whose terms can't all be on the stack at once.
#[test]
fn wide_sums_are_computed_bit_by_bit() {
    let (mut builder, input) = Builder::image();
    let branches: Vec<NodeId> = (0..100).map(|_| builder.conv(3, input)).collect();
    let sum = builder.add(&branches);
    let graph = builder.finish(&[sum]);
    check_form(&graph, Laws::Real);
    insta::assert_snapshot!(body(&graph), @"dup conv(3) { over conv(3) add } * 98 swap conv(3) add");
}

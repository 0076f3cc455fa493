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
        Operation::LayerNorm {
            features: constant(4),
        },
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
    let attended = builder.apply(
        Operation::Attention {
            width: constant(8),
            heads: constant(2),
        },
        &[tokens],
    );
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

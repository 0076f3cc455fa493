//! The operations on images and signals: random ones, and what each computes, written as plainly as
//! its definition.

use candle_core::{DType, Device, Tensor};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use snapc::backend::{Mode, Model, Network};
use snapc::graph::Graph;
use snapc::operations::{Dimension, Filling, Operation, Pooling, TransposedConvolution};

use super::build::{Builder, pair, values};
use super::operations::{draw, draw_pair, places};
use super::pytorch_images::compiled;
use super::reference::{Array, number, pool};

/// The first of the kinds.
pub fn first() -> Operation {
    Operation::TransposedConvolution(Box::new(TransposedConvolution {
        input: Dimension::ONE,
        output: Dimension::ONE,
        kernel: pair([1, 1]),
        stride: pair([1, 1]),
        padding: pair([0, 0]),
        output_padding: pair([0, 0]),
        dilation: pair([1, 1]),
        groups: Dimension::ONE,
        bias: false,
    }))
}

/// The kind after another; none after the last.
pub fn next(operation: &Operation) -> Option<Operation> {
    let one = || Dimension::ONE;
    let margins = |filling| Operation::Pad {
        filling,
        before: pair([0, 0]),
        after: pair([0, 0]),
    };
    let adaptive = |kind| Operation::AdaptivePool {
        kind,
        size: pair([1, 1]),
    };
    Some(match operation {
        Operation::TransposedConvolution(_) => adaptive(Pooling::Maximum),
        Operation::AdaptivePool {
            kind: Pooling::Maximum,
            ..
        } => adaptive(Pooling::Average),
        Operation::AdaptivePool { .. } => margins(Filling::Zero),
        Operation::Pad { filling, .. } => match filling {
            Filling::Zero => margins(Filling::Reflect),
            Filling::Reflect => margins(Filling::Replicate),
            Filling::Replicate => margins(Filling::Circular),
            Filling::Circular => Operation::Crop {
                before: pair([0, 0]),
                after: pair([0, 0]),
            },
        },
        Operation::Crop { .. } => Operation::Bilinear { factor: one() },
        Operation::Bilinear { .. } => Operation::PixelShuffle { factor: one() },
        Operation::PixelShuffle { .. } => Operation::PixelUnshuffle { factor: one() },
        Operation::PixelUnshuffle { .. } => Operation::ChannelShuffle { groups: one() },
        Operation::ChannelShuffle { .. } => Operation::Slice {
            start: Dimension::Constant(0),
            size: one(),
        },
        _ => return None,
    })
}

fn single(operation: Operation, input: &[i64], output: &[i64]) -> Graph {
    let mut builder = Builder::new(&[input]);
    let node = builder.add(operation, &[0], output);
    builder.finish(&[node])
}

/// Whether to take a signal: one row, of which the height is not told.
fn is_signal(random: &mut ChaCha8Rng) -> bool {
    random.random_range(0..4) == 0
}

/// Attributes for height and width, or those of a single row.
fn flat(is_signal: bool, attributes: [i64; 2], of_row: i64) -> [i64; 2] {
    match is_signal {
        true => [of_row, attributes[1]],
        false => attributes,
    }
}

/// The shape of an image, or of a signal.
fn shape(is_signal: bool, channels: i64, [height, width]: [i64; 2]) -> Vec<i64> {
    match is_signal {
        true => vec![channels, width],
        false => vec![channels, height, width],
    }
}

/// The windows along an axis if the last one may hang over, counted one by one.
fn places_with_ceil(size: i64, kernel: i64, stride: i64, padding: i64) -> i64 {
    let begins_inside = |window: &i64| window * stride < size + padding;
    let is_new = |window: &i64| *window == 0 || (window - 1) * stride + kernel < size + 2 * padding;
    (0..)
        .take_while(|window| begins_inside(window) && is_new(window))
        .count() as i64
}

/// A pool of this kind with random attributes. A window may hang over.
pub fn random_pool(kind: Pooling, random: &mut ChaCha8Rng) -> Graph {
    let is_signal = is_signal(random);
    let channels = draw(random, 1..=5);
    let image = flat(is_signal, draw_pair(random, 3..=9), 1);
    let kernel = flat(is_signal, draw_pair(random, 1..=3), 1);
    let stride = flat(is_signal, draw_pair(random, 1..=4), 1);
    let padding: [i64; 2] = std::array::from_fn(|axis| draw(random, 0..=kernel[axis] / 2));
    let padding = flat(is_signal, padding, 0);
    let ceil = random.random();
    let size = std::array::from_fn(|axis| match ceil {
        true => places_with_ceil(image[axis], kernel[axis], stride[axis], padding[axis]),
        false => places(image[axis], kernel[axis], stride[axis], padding[axis], 1),
    });
    let operation = Operation::Pool {
        kind,
        kernel: pair(kernel),
        stride: pair(stride),
        padding: pair(padding),
        ceil,
        count_padding: kind == Pooling::Average && random.random(),
    };
    let input = shape(is_signal, channels, image);
    single(operation, &input, &shape(is_signal, channels, size))
}

fn random_transposed(random: &mut ChaCha8Rng) -> Graph {
    let is_signal = is_signal(random);
    let groups = draw(random, 1..=3);
    let [input, output] = [groups * draw(random, 1..=4), groups * draw(random, 1..=4)];
    let image = flat(is_signal, draw_pair(random, 1..=6), 1);
    let kernel = flat(is_signal, draw_pair(random, 1..=4), 1);
    let stride = flat(is_signal, draw_pair(random, 1..=3), 1);
    let dilation = flat(is_signal, draw_pair(random, 1..=3), 1);
    let added: [i64; 2] =
        std::array::from_fn(|axis| draw(random, 0..=stride[axis].max(dilation[axis]) - 1));
    let added = flat(is_signal, added, 0);
    let whole = |axis: usize| {
        let reach = dilation[axis] * (kernel[axis] - 1);
        (image[axis] - 1) * stride[axis] + reach + added[axis] + 1
    };
    let padding: [i64; 2] =
        std::array::from_fn(|axis| draw(random, 0..=((whole(axis) - 1) / 2).min(4)));
    let padding = flat(is_signal, padding, 0);
    let size = std::array::from_fn(|axis| whole(axis) - 2 * padding[axis]);
    let attributes = TransposedConvolution {
        input: Dimension::Constant(input),
        output: Dimension::Constant(output),
        kernel: pair(kernel),
        stride: pair(stride),
        padding: pair(padding),
        output_padding: pair(added),
        dilation: pair(dilation),
        groups: Dimension::Constant(groups),
        bias: random.random(),
    };
    let operation = Operation::TransposedConvolution(Box::new(attributes));
    let given = shape(is_signal, output, size);
    single(operation, &shape(is_signal, input, image), &given)
}

/// A graph of one operation of this kind with random attributes over random sizes.
pub fn random_graph(kind: &Operation, random: &mut ChaCha8Rng) -> Graph {
    let size = Dimension::Constant;
    let channels = draw(random, 1..=5);
    let image @ [height, width] = draw_pair(random, 3..=9);
    let input = [channels, height, width];
    let factor = draw(random, 1..=3);
    match kind {
        Operation::TransposedConvolution(_) => random_transposed(random),
        Operation::AdaptivePool { kind, .. } => {
            let given @ [tall, wide] = draw_pair(random, 1..=11);
            let operation = Operation::AdaptivePool {
                kind: *kind,
                size: pair(given),
            };
            single(operation, &input, &[channels, tall, wide])
        }
        Operation::Pad { filling, .. } => {
            let most = |size: i64| match filling {
                Filling::Zero | Filling::Replicate => 12,
                Filling::Reflect => size - 1,
                Filling::Circular => size,
            };
            let mut margin = || image.map(|size| draw(random, 0..=most(size)));
            let (before, after) = (margin(), margin());
            let operation = Operation::Pad {
                filling: *filling,
                before: pair(before),
                after: pair(after),
            };
            let [tall, wide] = [0, 1].map(|axis| before[axis] + image[axis] + after[axis]);
            single(operation, &input, &[channels, tall, wide])
        }
        Operation::Crop { .. } => {
            let mut margin = || image.map(|size| draw(random, 0..=(size - 1) / 2));
            let (before, after) = (margin(), margin());
            let operation = Operation::Crop {
                before: pair(before),
                after: pair(after),
            };
            let [low, narrow] = [0, 1].map(|axis| image[axis] - before[axis] - after[axis]);
            single(operation, &input, &[channels, low, narrow])
        }
        Operation::Bilinear { .. } => {
            let operation = Operation::Bilinear {
                factor: size(factor),
            };
            single(
                operation,
                &input,
                &[channels, height * factor, width * factor],
            )
        }
        Operation::PixelShuffle { .. } => {
            let operation = Operation::PixelShuffle {
                factor: size(factor),
            };
            let input = [channels * factor * factor, height, width];
            let output = [channels, height * factor, width * factor];
            single(operation, &input, &output)
        }
        Operation::PixelUnshuffle { .. } => {
            let operation = Operation::PixelUnshuffle {
                factor: size(factor),
            };
            let input = [channels, height * factor, width * factor];
            let output = [channels * factor * factor, height, width];
            single(operation, &input, &output)
        }
        Operation::ChannelShuffle { .. } => {
            let operation = Operation::ChannelShuffle {
                groups: size(factor),
            };
            let shape = [channels * factor, height, width];
            single(operation, &shape, &shape)
        }
        Operation::Slice { .. } => {
            let rank = draw(random, 1..=3) as usize;
            let (before, after) = (draw(random, 0..=3), draw(random, 0..=3));
            let operation = Operation::Slice {
                start: size(before),
                size: size(channels),
            };
            let whole = [before + channels + after, height, width];
            single(operation, &whole[..rank], &input[..rank])
        }
        other => panic!("not an operation on images: {other:?}"),
    }
}

fn numbers(pair: &[Dimension; 2]) -> [usize; 2] {
    [number(&pair[0]), number(&pair[1])]
}

/// The windows of an adaptive pool over an axis: `window` of `to` over `from`.
fn window(window: usize, from: usize, to: usize) -> std::ops::Range<usize> {
    let start = (window as f64 * from as f64 / to as f64).floor();
    let end = ((window + 1) as f64 * from as f64 / to as f64).ceil();
    start as usize..end as usize
}

/// The place in an image that a place beside it shows, as the description of the filling has it.
fn shown(filling: Filling, place: i64, size: i64) -> Option<i64> {
    let is_inside = (0..size).contains(&place);
    match filling {
        _ if is_inside => Some(place),
        Filling::Zero => None,
        Filling::Reflect if place < 0 => Some(-place),
        Filling::Reflect => Some(2 * (size - 1) - place),
        Filling::Replicate => Some(place.clamp(0, size - 1)),
        Filling::Circular => Some(place.rem_euclid(size)),
    }
}

/// A sliding window, some of which may hang over the image.
pub fn sliding(operation: &Operation, input: &Array, shape: &[usize]) -> Array {
    let Operation::Pool {
        kind,
        kernel,
        stride,
        padding,
        count_padding,
        ..
    } = operation
    else {
        panic!("not a pool: {operation:?}")
    };
    let [kernel, stride, padding] = [kernel, stride, padding].map(numbers);
    let size = [input.shape[2] as i64, input.shape[3] as i64];
    Array::from_fn(shape, |place| {
        let mut taps = Vec::new();
        let [first_row, first_column] =
            [0, 1].map(|axis| (place[axis + 2] * stride[axis]) as i64 - padding[axis] as i64);
        for row in first_row..first_row + kernel[0] as i64 {
            for column in first_column..first_column + kernel[1] as i64 {
                let within_padding =
                    row < size[0] + padding[0] as i64 && column < size[1] + padding[1] as i64;
                match input.pixel(place[0], place[1], row, column) {
                    Some(value) => taps.push(value),
                    None if *count_padding && within_padding => taps.push(0.0),
                    None => {}
                }
            }
        }
        pool(*kind, taps)
    })
}

/// Every pixel laid over the larger image, times the kernel.
fn transposed(
    attributes: &TransposedConvolution,
    input: &Array,
    parameters: &[Array],
    shape: &[usize],
) -> Array {
    let TransposedConvolution {
        kernel,
        stride,
        padding,
        dilation,
        groups,
        bias,
        ..
    } = attributes;
    let [kernel, stride, padding, dilation] = [kernel, stride, padding, dilation].map(numbers);
    let weight = &parameters[0];
    let (taken, given) = (input.shape[1] / number(groups), weight.shape[1]);
    let mut output = Array::from_fn(shape, |place| match bias {
        true => parameters[1].data[place[1]],
        false => 0.0,
    });
    let [height, width] = [shape[2], shape[3]];
    for (flat, value) in input.data.iter().enumerate() {
        let (column, rest) = (flat % input.shape[3], flat / input.shape[3]);
        let (row, rest) = (rest % input.shape[2], rest / input.shape[2]);
        let (channel, n) = (rest % input.shape[1], rest / input.shape[1]);
        for tap in 0..given * kernel[0] * kernel[1] {
            let (j, rest) = (tap % kernel[1], tap / kernel[1]);
            let (i, o) = (rest % kernel[0], rest / kernel[0]);
            let y = (row * stride[0] + i * dilation[0]).checked_sub(padding[0]);
            let x = (column * stride[1] + j * dilation[1]).checked_sub(padding[1]);
            let (Some(y), Some(x)) = (y, x) else { continue };
            if y < height && x < width {
                let target = channel / taken * given + o;
                let flat = ((n * shape[1] + target) * height + y) * width + x;
                output.data[flat] += value * weight.at(&[channel, o, i, j]);
            }
        }
    }
    output
}

/// What an operation on images gives.
pub fn forward(
    operation: &Operation,
    input: &Array,
    parameters: &[Array],
    shape: &[usize],
) -> Array {
    match operation {
        Operation::TransposedConvolution(attributes) => {
            transposed(attributes, input, parameters, shape)
        }
        Operation::AdaptivePool { kind, .. } => Array::from_fn(shape, |place| {
            let rows = window(place[2], input.shape[2], shape[2]);
            let pixels = rows.flat_map(|row| {
                let columns = window(place[3], input.shape[3], shape[3]);
                columns.map(move |column| (row, column))
            });
            let values = pixels.map(|(row, column)| input.at(&[place[0], place[1], row, column]));
            pool(*kind, values.collect())
        }),
        Operation::Pad {
            filling, before, ..
        } => {
            let before = numbers(before);
            Array::from_fn(shape, |place| {
                let source = [0, 1].map(|axis| {
                    let place = place[axis + 2] as i64 - before[axis] as i64;
                    shown(*filling, place, input.shape[axis + 2] as i64)
                });
                match source {
                    [Some(row), Some(column)] => {
                        input.at(&[place[0], place[1], row as usize, column as usize])
                    }
                    _ => 0.0,
                }
            })
        }
        Operation::Crop { before, .. } => {
            let [rows, columns] = numbers(before);
            Array::from_fn(shape, |place| {
                input.at(&[place[0], place[1], place[2] + rows, place[3] + columns])
            })
        }
        Operation::Bilinear { factor } => {
            let factor = number(factor) as f64;
            Array::from_fn(shape, |place| {
                // A tent around each pixel, and the outermost values beyond the image.
                let neighbours = |axis: usize| {
                    let size = input.shape[axis];
                    let centre = (place[axis] as f64 + 0.5) / factor - 0.5;
                    (-1..=size as i64).filter_map(move |at| {
                        let weight = 1.0 - (centre - at as f64).abs();
                        let at = at.clamp(0, size as i64 - 1) as usize;
                        (weight > 0.0).then_some((at, weight))
                    })
                };
                let mut sum = 0.0;
                for (row, row_weight) in neighbours(2) {
                    for (column, weight) in neighbours(3) {
                        sum += input.at(&[place[0], place[1], row, column]) * row_weight * weight;
                    }
                }
                sum
            })
        }
        Operation::PixelShuffle { factor } => {
            let factor = number(factor);
            Array::from_fn(shape, |place| {
                let within = place[2] % factor * factor + place[3] % factor;
                let channel = place[1] * factor * factor + within;
                input.at(&[place[0], channel, place[2] / factor, place[3] / factor])
            })
        }
        Operation::PixelUnshuffle { factor } => {
            let factor = number(factor);
            Array::from_fn(shape, |place| {
                let (channel, within) = (place[1] / factor / factor, place[1] % (factor * factor));
                let [row, column] = [within / factor, within % factor];
                let (y, x) = (place[2] * factor + row, place[3] * factor + column);
                input.at(&[place[0], channel, y, x])
            })
        }
        Operation::ChannelShuffle { groups } => {
            let groups = number(groups);
            let in_group = shape[1] / groups;
            Array::from_fn(shape, |place| {
                let channel = place[1] % groups * in_group + place[1] / groups;
                input.at(&[place[0], channel, place[2], place[3]])
            })
        }
        Operation::Slice { start, .. } => Array::from_fn(shape, |place| {
            let mut source = place.to_vec();
            source[1] += number(start);
            input.at(&source)
        }),
        other => panic!("not an operation on images: {other:?}"),
    }
}

#[test]
fn windows_that_hang_over_are_counted_as_defined() {
    for (size, kernel, stride, padding, expected) in [
        (8, 3, 2, 0, 4),
        (7, 3, 2, 0, 3),
        (5, 2, 2, 1, 3),
        (6, 2, 2, 1, 4),
        (2, 3, 2, 0, 1),
        (5, 1, 3, 0, 2),
    ] {
        assert_eq!(places_with_ceil(size, kernel, stride, padding), expected);
    }
}

/// Arguments far beyond the image cost nothing where what they give is small.
#[test]
fn what_checks_runs_for_extreme_arguments() {
    for (word, input, output, expected) in [
        (
            "maxpool(1000000001)",
            "[1, 2, 2]",
            "[1, 2, 2]",
            [4.0; 4].as_slice(),
        ),
        (
            "avgpool(1000000001, count_padding: true, pad: 0, stride: 2000000000, ceil: true)",
            "[1, 2, 2]",
            "[1, 1, 1]",
            &[2.5],
        ),
        (
            "maxpool1d(3, stride: 2000000000, pad: 0, ceil: true)",
            "[2, 2]",
            "[2, 1]",
            &[2.0, 4.0],
        ),
        (
            "crop(0) adaptive_maxpool(1)",
            "[1, 2, 2]",
            "[1, 1, 1]",
            &[4.0],
        ),
        ("pad(0, 2) crop(1, 2)", "[1, 2, 2]", "[1, 1, 1]", &[4.0]),
    ] {
        let graph = compiled(word, input, output).expect(word);
        let network = Network::compile(&graph, &Device::Cpu, 0).expect(word);
        let inputs: Vec<Tensor> = network
            .plan()
            .inputs
            .iter()
            .map(|shape| {
                let count: usize = shape.iter().product();
                let numbers: Vec<f32> = (1..=count).map(|number| number as f32).collect();
                let shape: Vec<usize> = [1].iter().chain(shape).copied().collect();
                Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap()
            })
            .collect();
        let given = &network
            .forward_all(&inputs, Mode::Train { step: 0 })
            .unwrap()[0];
        assert_eq!(values(given), expected, "{word}");
        given.sum_all().unwrap().backward().expect(word);
    }
}

/// A transposed convolution with an enormous stride runs both ways if its result is small.
#[test]
fn transposed_convolutions_of_enormous_stride_run() {
    let graph = compiled(
        "upconv(1, stride: 2000000000, pad: 0)",
        "[2, 1, 1]",
        "[2, 1, 1]",
    );
    let network = Network::compile(&graph.unwrap(), &Device::Cpu, 0).unwrap();
    let input = Tensor::ones((3, 2, 1, 1), DType::F32, &Device::Cpu).unwrap();
    let output = network.forward(&input, Mode::Train { step: 0 }).unwrap();
    let gradients = output.sum_all().unwrap().backward().unwrap();
    let (_, weight) = network.trainable().remove(0);
    assert_eq!(values(gradients.get(weight.as_tensor()).unwrap()), [3.0; 4]);
}

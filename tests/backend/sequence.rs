//! Random norms, attention and layers for sequences, their inputs, and what they compute, written as
//! plainly as their definitions.

use candle_core::Tensor;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use snapc::graph::Graph;
use snapc::operations::{Dimension, Operation, Real};

use super::build::{Builder, batched, input_shapes, numbers, pair, single_operation};
use super::operations::draw;
use super::reference::{Array, attend, mean, normalised, number, project};

/// A net of one operation of this kind, with random attributes and sizes.
pub fn random_graph(kind: &Operation, random: &mut ChaCha8Rng) -> Graph {
    let size = Dimension::Constant;
    let tokens = [draw(random, 1..=7), draw(random, 1..=9)];
    let any: Vec<i64> = (0..draw(random, 1..=3))
        .map(|_| draw(random, 1..=6))
        .collect();
    let features = match any.as_slice() {
        [channels, _, _] => *channels,
        any => any[any.len() - 1],
    };
    let channels = [2, 3].map(|rank| (0..rank).map(|_| draw(random, 1..=6)).collect::<Vec<i64>>());
    let channels = &channels[draw(random, 0..=1) as usize];
    let heads = draw(random, 1..=3);
    let width = heads * draw(random, 1..=4);
    let (operation, inputs, output): (Operation, Vec<Vec<i64>>, Vec<i64>) = match kind {
        Operation::RmsNorm { epsilon, .. } => {
            let operation = Operation::RmsNorm {
                features: size(features),
                epsilon: *epsilon,
            };
            (operation, vec![any.clone()], any)
        }
        Operation::GroupNorm { .. } => {
            let groups = draw(random, 1..=3);
            let mut shape = channels.clone();
            shape[0] *= groups;
            let operation = Operation::GroupNorm {
                channels: size(shape[0]),
                groups: size(groups),
                epsilon: Real::new(0.1),
            };
            (operation, vec![shape.clone()], shape)
        }
        Operation::InstanceNorm { .. } => {
            let epsilon = Real::new(0.1);
            let operation = Operation::InstanceNorm { epsilon };
            (operation, vec![channels.clone()], channels.clone())
        }
        Operation::ParametricRelu { .. } => {
            let channels = size(any[0]);
            let operation = Operation::ParametricRelu { channels };
            (operation, vec![any.clone()], any)
        }
        Operation::LayerScale { initial, .. } => {
            let operation = Operation::LayerScale {
                features: size(features),
                initial: *initial,
            };
            (operation, vec![any.clone()], any)
        }
        Operation::DropPath { .. } => (kind.clone(), vec![any.clone()], any),
        Operation::Scale => {
            let inputs = vec![channels.clone(), channels[..1].to_vec()];
            (Operation::Scale, inputs, channels.clone())
        }
        Operation::CrossAttention { .. } => {
            let other = [draw(random, 1..=7), draw(random, 1..=9)];
            let operation = Operation::CrossAttention {
                width: size(width),
                context: size(other[1]),
                heads: size(heads),
                bias: random.random(),
            };
            let shape = vec![tokens[0], width];
            (operation, vec![shape.clone(), other.to_vec()], shape)
        }
        Operation::MaskedAttention { .. } => {
            let operation = Operation::MaskedAttention {
                width: size(width),
                heads: size(heads),
            };
            let shape = vec![tokens[0], width];
            (operation, vec![shape.clone(), vec![tokens[0]]], shape)
        }
        Operation::WindowAttention { .. } => {
            let window = draw(random, 1..=3);
            let operation = Operation::WindowAttention {
                channels: size(width),
                heads: size(heads),
                window: size(window),
                shift: size(draw(random, 0..=window - 1)),
            };
            let shape = vec![
                width,
                window * draw(random, 1..=2),
                window * draw(random, 1..=3),
            ];
            (operation, vec![shape.clone()], shape)
        }
        Operation::Embedding { .. } => {
            let [count, width] = [draw(random, 1..=9), draw(random, 1..=9)];
            let operation = Operation::Embedding {
                count: size(count),
                width: size(width),
            };
            (operation, vec![vec![tokens[0]]], vec![tokens[0], width])
        }
        Operation::Positions { .. } => {
            let [tokens, width] = tokens.map(size);
            let operation = Operation::Positions { tokens, width };
            let shape = operation.parameters()[0].shape.sizes().expect("constants");
            let shape: Vec<i64> = shape.iter().map(|size| *size as i64).collect();
            (operation, vec![shape.clone()], shape)
        }
        Operation::ClassToken { .. } => {
            let operation = Operation::ClassToken {
                width: size(tokens[1]),
            };
            (
                operation,
                vec![tokens.to_vec()],
                vec![tokens[0] + 1, tokens[1]],
            )
        }
        Operation::Token { .. } => {
            let place = size(draw(random, 0..=tokens[0] - 1));
            let operation = Operation::Token { place };
            (operation, vec![tokens.to_vec()], vec![tokens[1]])
        }
        Operation::TokenMean => (kind.clone(), vec![tokens.to_vec()], vec![tokens[1]]),
        Operation::Transpose => {
            let [first, second] = tokens;
            (kind.clone(), vec![tokens.to_vec()], vec![second, first])
        }
        Operation::Image { .. } => {
            let [height, width] = [draw(random, 1..=4), draw(random, 1..=4)];
            let operation = Operation::Image {
                size: pair([height, width]),
            };
            let input = vec![height * width, tokens[1]];
            (operation, vec![input], vec![tokens[1], height, width])
        }
        other => panic!("{other:?} is not drawn here"),
    };
    let slices: Vec<&[i64]> = inputs.iter().map(Vec::as_slice).collect();
    let mut builder = Builder::new(&slices);
    let places: Vec<u32> = (0..inputs.len() as u32).collect();
    let node = builder.add(operation, &places, &output);
    builder.finish(&[node])
}

/// Random inputs for a net of one operation: whole numbers for an embedding, masks with zeros, and for
/// all else numbers of this size.
pub fn inputs(graph: &Graph, batch: usize, seed: u64, scale: f64) -> Vec<Tensor> {
    let (operation, _) = single_operation(graph);
    let whole = |tensor: Tensor, count: f64| {
        let numbers = ((tensor + 1.0).unwrap() * (count / 2.0)).unwrap();
        numbers.floor().unwrap()
    };
    let shapes = input_shapes(graph);
    let inputs = shapes.iter().zip(seed..).enumerate();
    inputs
        .map(|(place, (shape, seed))| {
            let numbers = numbers(&batched(batch, shape), seed);
            match (&operation, place) {
                (Operation::Embedding { count, .. }, _) => whole(numbers, number(count) as f64),
                (Operation::MaskedAttention { .. }, 1) => whole(numbers, 2.0),
                _ => (numbers * scale).unwrap(),
            }
        })
        .collect()
}

/// The output; `shape` is its shape, with the batch axis.
pub fn forward(
    operation: &Operation,
    inputs: &[Array],
    parameters: &[Array],
    shape: &[usize],
) -> Array {
    let input = &inputs[0];
    let last = input.shape.len() - 1;
    // The axis of features, and what lies along it at a place.
    let axis = if last == 3 { 1 } else { last };
    let along = |axis: usize, place: &[usize]| -> Vec<f64> {
        let mut source = place.to_vec();
        let mut at = |feature: usize| {
            source[axis] = feature;
            input.at(&source)
        };
        (0..input.shape[axis]).map(&mut at).collect()
    };
    match operation {
        Operation::RmsNorm { epsilon, .. } => Array::from_fn(shape, |place| {
            let squares: Vec<f64> = along(axis, place).iter().map(|x| x * x).collect();
            let root = (mean(&squares) + epsilon.value()).sqrt();
            input.at(place) / root * parameters[0].data[place[axis]]
        }),
        Operation::GroupNorm {
            groups, epsilon, ..
        } => {
            let own = input.data.len() / input.shape[0] / number(groups);
            let channels = input.shape[1] / number(groups);
            Array::from_fn(shape, |place| {
                let group = place[0] * number(groups) + place[1] / channels;
                let others = &input.data[group * own..][..own];
                normalised(input.at(place), others, epsilon.value()) * parameters[0].data[place[1]]
                    + parameters[1].data[place[1]]
            })
        }
        Operation::InstanceNorm { epsilon } => {
            let positions: usize = input.shape[2..].iter().product();
            Array::from_fn(shape, |place| {
                let row = place[0] * input.shape[1] + place[1];
                let others = &input.data[row * positions..][..positions];
                normalised(input.at(place), others, epsilon.value())
            })
        }
        Operation::ParametricRelu { .. } => Array::from_fn(shape, |place| {
            let x = input.at(place);
            x.max(0.0) + parameters[0].data[place[1]] * x.min(0.0)
        }),
        Operation::LayerScale { .. } => Array::from_fn(shape, |place| {
            input.at(place) * parameters[0].data[place[axis]]
        }),
        Operation::DropPath { .. } => input.clone(),
        Operation::Scale => {
            Array::from_fn(shape, |place| input.at(place) * inputs[1].at(&place[..2]))
        }
        Operation::CrossAttention {
            width, heads, bias, ..
        } => {
            let width = number(width);
            let bias_of = |part: usize| Array {
                shape: vec![width],
                data: parameters[3].data[part * width..][..width].to_vec(),
            };
            let [queries, keys, values] = [(0, 0), (1, 1), (2, 1)].map(|(part, source)| {
                let bias = bias.then(|| bias_of(part));
                project(&inputs[source], &parameters[part], bias.as_ref())
            });
            let attended = attend([&queries, &keys, &values], number(heads), |_, _, _| true);
            let rest = &parameters[if *bias { 4 } else { 3 }..];
            project(&attended, &rest[0], rest.get(1))
        }
        Operation::MaskedAttention { heads, .. } => {
            let parts = thirds(&project(input, &parameters[0], Some(&parameters[1])));
            let [queries, keys, values] = &parts;
            let attended = attend([queries, keys, values], number(heads), |n, _, key| {
                inputs[1].at(&[n, key]) != 0.0
            });
            project(&attended, &parameters[2], Some(&parameters[3]))
        }
        Operation::WindowAttention {
            heads,
            window,
            shift,
            ..
        } => window_attention(
            input,
            parameters,
            [number(heads), number(window), number(shift)],
        ),
        Operation::Embedding { .. } => Array::from_fn(shape, |place| {
            let row = input.at(&place[..2]) as usize;
            parameters[0].at(&[row, place[2]])
        }),
        Operation::Positions { .. } => Array::from_fn(shape, |place| {
            input.at(place) + parameters[0].at(&place[1..])
        }),
        Operation::ClassToken { .. } => Array::from_fn(shape, |place| match place[1] {
            0 => parameters[0].data[place[2]],
            token => input.at(&[place[0], token - 1, place[2]]),
        }),
        Operation::Token { place: token } => Array::from_fn(shape, |place| {
            input.at(&[place[0], number(token), place[1]])
        }),
        Operation::TokenMean => {
            Array::from_fn(shape, |place| mean(&along(1, &[place[0], 0, place[1]])))
        }
        Operation::Transpose => {
            Array::from_fn(shape, |place| input.at(&[place[0], place[2], place[1]]))
        }
        Operation::Image { .. } => Array::from_fn(shape, |place| {
            input.at(&[place[0], place[2] * shape[3] + place[3], place[1]])
        }),
        other => panic!("{other:?} is not defined here"),
    }
}

/// Queries, keys and values out of one projection.
pub fn thirds(projected: &Array) -> [Array; 3] {
    let mut shape = projected.shape.clone();
    shape[2] /= 3;
    [0, 1, 2].map(|part| {
        Array::from_fn(&shape, |place| {
            projected.at(&[place[0], place[1], part * shape[2] + place[2]])
        })
    })
}

/// Attention of every position to those of its window in the rolled image that were not brought
/// there from the other side, with a bias for each head and distance.
fn window_attention(
    input: &Array,
    parameters: &[Array],
    [heads, window, shift]: [usize; 3],
) -> Array {
    let [batch, channels, height, width] = input.shape[..] else {
        panic!("an image");
    };
    let size = [height, width];
    let head = channels / heads;
    let sequence = Array::from_fn(&[batch, height * width, channels], |place| {
        input.at(&[place[0], place[2], place[1] / width, place[1] % width])
    });
    let projected = project(&sequence, &parameters[0], Some(&parameters[1]));
    // The place of a position in the rolled image.
    let rolled = |position: usize| -> [usize; 2] {
        std::array::from_fn(|axis| {
            let place = [position / width, position % width][axis];
            match size[axis] > window {
                true => (place + size[axis] - shift) % size[axis],
                false => place,
            }
        })
    };
    let came_round = |position: usize, axis: usize| {
        size[axis] > window && rolled(position)[axis] >= size[axis] - shift
    };
    let attended = Array::from_fn(&sequence.shape, |place| {
        let [n, position, feature] = place[..] else {
            panic!("three axes");
        };
        let own = rolled(position);
        let first = feature / head * head;
        let mut total = 0.0;
        let mut sum = 0.0;
        for other in 0..height * width {
            let there = rolled(other);
            let near = (0..2).all(|axis| own[axis] / window == there[axis] / window);
            let together = (0..2).all(|axis| came_round(position, axis) == came_round(other, axis));
            if !near || !together {
                continue;
            }
            let distance = |axis: usize| own[axis] + window - 1 - there[axis];
            let row = distance(0) * (2 * window - 1) + distance(1);
            let products = (first..first + head).map(|feature| {
                projected.at(&[n, position, feature])
                    * projected.at(&[n, other, channels + feature])
            });
            let score = products.sum::<f64>() / (head as f64).sqrt()
                + parameters[4].at(&[row, feature / head]);
            total += score.exp();
            sum += score.exp() * projected.at(&[n, other, 2 * channels + feature]);
        }
        sum / total
    });
    let output = project(&attended, &parameters[2], Some(&parameters[3]));
    Array::from_fn(&input.shape, |place| {
        output.at(&[place[0], place[2] * width + place[3], place[1]])
    })
}

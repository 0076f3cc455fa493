//! Whole nets of random operations: gradients, threads, and that nothing panics.

use candle_core::{Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::backend::{Mode, Model, Network};
use snapc::graph::{Graph, Node, NodeKind, WeightsId};
use snapc::operations::{Activation, Dimension, Operation, Pooling, Real, TransposedConvolution};

use super::build::{Builder, batched, input_shapes, numbers, pair, values};
use super::gradient;
use super::operations::places;

/// A net of some layers, each of which reads what random earlier ones gave.
fn random_net(random: &mut ChaCha8Rng) -> Graph {
    let shape = [random.random_range(1..=4), 7, 6];
    let mut builder = Builder::new(&[&shape, &shape]);
    let mut open = vec![0, 1];
    for _ in 0..random.random_range(3..=9) {
        let source = open[random.random_range(0..open.len())];
        let node = random_layer(&mut builder, random, source, &open);
        open.push(node);
    }
    // What nothing reads would be no part of the net, so all of it is given, or its mean.
    let outputs: Vec<u32> = (0..random.random_range(1..=2))
        .map(|_| open[random.random_range(2..open.len())])
        .collect();
    with_sharing(builder.finish(&outputs), random)
}

/// Lets some layers with the same tensors share their weights.
fn with_sharing(mut graph: Graph, random: &mut ChaCha8Rng) -> Graph {
    let tensors = |node: &Node| match &node.kind {
        NodeKind::Operation(operation) => operation.parameters(),
        NodeKind::Input(_) => Vec::new(),
    };
    for index in 0..graph.nodes.len() {
        let own = tensors(&graph.nodes[index]);
        let first = graph.nodes.iter().position(|node| tensors(node) == own);
        if !own.is_empty() && random.random_bool(0.7) {
            graph.nodes[index].weights = first.map(|first| WeightsId(first as u32));
        }
    }
    graph.number_weights();
    graph
}

fn random_layer(builder: &mut Builder, random: &mut ChaCha8Rng, source: u32, open: &[u32]) -> u32 {
    let shape = builder.shape(source);
    let same: Vec<u32> = open
        .iter()
        .copied()
        .filter(|node| builder.shape(*node) == shape)
        .collect();
    let other = same[random.random_range(0..same.len())];
    let [channels, height, width] = shape.as_slice() else {
        return random_flat_layer(builder, random, source, &shape, other);
    };
    let (channels, height, width) = (*channels, *height, *width);
    let size = Dimension::Constant;
    match random.random_range(0..11) {
        0 | 1 => {
            let output = random.random_range(1..=5);
            let kernel = [random.random_range(1..=3), random.random_range(1..=3)];
            let stride = [random.random_range(1..=2), random.random_range(1..=2)];
            let [tall, wide] = std::array::from_fn(|axis| {
                places(
                    shape[axis + 1],
                    kernel[axis],
                    stride[axis],
                    kernel[axis] / 2,
                    1,
                )
            });
            let operation = Operation::Convolution {
                input: size(channels),
                output: size(output),
                kernel: pair(kernel),
                stride: pair(stride),
                padding: pair(kernel.map(|kernel| kernel / 2)),
                dilation: pair([1, 1]),
                groups: size(1),
                bias: random.random(),
            };
            builder.add(operation, &[source], &[output, tall, wide])
        }
        2 => {
            let operation = Operation::batch_norm(size(channels));
            builder.add(operation, &[source], &shape)
        }
        3 => {
            let function =
                [Activation::Silu, Activation::Gelu, Activation::Tanh][random.random_range(0..3)];
            builder.add(Operation::Activation(function), &[source], &shape)
        }
        4 => {
            let kind = [Pooling::Maximum, Pooling::Average][random.random_range(0..2)];
            let operation = Operation::Pool {
                kind,
                kernel: pair([2, 3]),
                stride: pair([1, 1]),
                padding: pair([1, 1]),
                ceil: false,
                count_padding: false,
            };
            builder.add(operation, &[source], &[channels, height + 1, width])
        }
        5 => builder.add(Operation::Add { arity: 2 }, &[source, other], &shape),
        6 => builder.add(Operation::Multiply { arity: 2 }, &[source, other], &shape),
        7 => {
            let operation = Operation::Concatenate { arity: 2 };
            builder.add(operation, &[source, other], &[2 * channels, height, width])
        }
        8 => {
            let attributes = TransposedConvolution {
                input: size(channels),
                output: size(3),
                kernel: pair([3, 2]),
                stride: pair([2, 1]),
                padding: pair([1, 0]),
                output_padding: pair([1, 0]),
                dilation: pair([1, 1]),
                groups: size(1),
                bias: random.random(),
            };
            let operation = Operation::TransposedConvolution(Box::new(attributes));
            builder.add(operation, &[source], &[3, 2 * height, width + 1])
        }
        9 => {
            let operation = Operation::Slice {
                start: size(channels / 2),
                size: size(channels - channels / 2),
            };
            let part = [channels - channels / 2, height, width];
            builder.add(operation, &[source], &part)
        }
        _ => builder.add(Operation::Tokens, &[source], &[height * width, channels]),
    }
}

fn random_flat_layer(
    builder: &mut Builder,
    random: &mut ChaCha8Rng,
    source: u32,
    shape: &[i64],
    other: u32,
) -> u32 {
    let features = shape[shape.len() - 1];
    let size = Dimension::Constant;
    match random.random_range(0..6) {
        0 => {
            let output = random.random_range(1..=6);
            let operation = Operation::Dense {
                input: size(features),
                output: size(output),
                bias: random.random(),
            };
            let shape = [&shape[..shape.len() - 1], &[output]].concat();
            builder.add(operation, &[source], &shape)
        }
        1 => {
            let operation = Operation::layer_norm(size(features));
            builder.add(operation, &[source], shape)
        }
        2 if shape.len() == 2 => {
            let operation = Operation::attention(size(features), size(1));
            builder.add(operation, &[source], shape)
        }
        3 => {
            let operation = Operation::Dropout {
                rate: Real::new(0.25),
            };
            builder.add(operation, &[source], shape)
        }
        4 => builder.add(Operation::Add { arity: 2 }, &[source, other], shape),
        _ => builder.add(Operation::Softmax, &[source], shape),
    }
}

fn batches(graph: &Graph, n: usize, seed: u64) -> Vec<Tensor> {
    input_shapes(graph)
        .iter()
        .zip(seed..)
        .map(|(shape, seed)| numbers(&batched(n, shape), seed))
        .collect()
}

#[test]
fn gradients_of_whole_nets_agree_with_finite_differences() {
    for seed in 0..60 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let graph = random_net(&mut random);
        let inputs = batches(&graph, random.random_range(2..=3), seed);
        gradient::check(&graph, &inputs, Mode::Train { step: 9 }, seed);
        gradient::check(&graph, &inputs, Mode::Evaluate, seed);
    }
}

/// Outputs, gradients and running statistics after a few steps, to the bit.
fn train(graph: &Graph, threads: usize) -> Vec<Vec<f64>> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a pool");
    pool.install(|| {
        let network = Network::compile(graph, &Device::Cpu, 4).expect("it compiles");
        let mut all = Vec::new();
        for step in 0..2 {
            let inputs: Vec<Tensor> = batches(graph, 37, step)
                .iter()
                .map(|input| input.to_dtype(network.dtype()).unwrap())
                .collect();
            let outputs = network.forward_all(&inputs, Mode::Train { step }).unwrap();
            let loss = outputs[0].sqr().unwrap().sum_all().unwrap();
            let gradients = loss.backward().unwrap();
            all.extend(outputs.iter().map(values));
            for (_, variable) in network.trainable() {
                let gradient = gradients.get(variable.as_tensor()).unwrap();
                all.push(values(gradient));
                let moved = (variable.as_tensor() - (gradient * 1e-3).unwrap()).unwrap();
                variable.set(&moved).unwrap();
            }
        }
        all.extend(network.state().iter().map(|(_, state)| values(state)));
        all
    })
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    for seed in 100..120 {
        let graph = random_net(&mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(train(&graph, 1), train(&graph, 2), "seed {seed}");
    }
}

//! Networks as a whole: initial values, statistics, modes, weights in files, and what is refused.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::ModuleT;
use snapc::backend::{CompileError, Mode, Model, Network, WeightsError};
use snapc::graph::Graph;
use snapc::operations::{Activation, Dimension, Operation, Pooling, Real};

use super::build::{Builder, numbers, pair, values};

const TRAIN: Mode = Mode::Train { step: 0 };

/// Convolution, batch norm, relu, global pool, dense: `[2, 6, 5] -> [3]`.
fn small_net() -> Graph {
    let mut builder = Builder::new(&[&[2, 6, 5]]);
    let convolution = Operation::Convolution {
        input: 2.into(),
        output: 4.into(),
        kernel: pair([3, 3]),
        stride: pair([1, 1]),
        padding: pair([1, 1]),
        dilation: pair([1, 1]),
        groups: 1.into(),
        bias: true,
    };
    let shape = [4, 6, 5];
    let node = builder.add(convolution, &[0], &shape);
    let node = builder.add(Operation::batch_norm(4.into()), &[node], &shape);
    let node = builder.add(Operation::Activation(Activation::Relu), &[node], &shape);
    let node = builder.add(Operation::GlobalPool(Pooling::Average), &[node], &[4]);
    let dense = Operation::Dense {
        input: 4.into(),
        output: 3.into(),
        bias: true,
    };
    let node = builder.add(dense, &[node], &[3]);
    builder.finish(&[node])
}

fn single(operation: Operation, shape: &[i64]) -> Graph {
    let mut builder = Builder::new(&[shape]);
    let node = builder.add(operation, &[0], shape);
    builder.finish(&[node])
}

fn compile(graph: &Graph, seed: u64) -> Network {
    Network::compile(graph, &Device::Cpu, seed).expect("it compiles")
}

fn batch(n: usize, seed: u64) -> Tensor {
    numbers(&[n, 2, 6, 5], seed).to_dtype(DType::F32).unwrap()
}

fn all_values(network: &Network) -> Vec<(String, Vec<f64>)> {
    let tensors = network.tensors().expect("copies");
    tensors
        .into_iter()
        .map(|(name, tensor)| (name, values(&tensor)))
        .collect()
}

#[test]
fn parameters_have_readable_names_and_follow_from_the_seed() {
    let graph = small_net();
    let network = compile(&graph, 7);
    let names: Vec<String> = network
        .trainable()
        .iter()
        .chain(&network.state())
        .map(|(name, variable)| format!("{name} {:?}", variable.dims()))
        .collect();
    insta::assert_snapshot!(names.join("\n"), @r#"
    layer.1.weight [4, 2, 3, 3]
    layer.1.bias [4]
    layer.2.weight [4]
    layer.2.bias [4]
    layer.5.weight [3, 4]
    layer.5.bias [3]
    layer.2.running_mean [4]
    layer.2.running_var [4]
    "#);
    assert_eq!(network.plan().parameter_count(), 2 * 9 * 4 + 4 + 8 + 15);
    assert_eq!(all_values(&network), all_values(&compile(&graph, 7)));
    assert_ne!(all_values(&network), all_values(&compile(&graph, 8)));
    assert_eq!(network.input_shape(), [2, 6, 5]);
    assert_eq!(network.output_shape(), [3]);
    assert_eq!(network.var_map().all_vars().len(), names.len());
}

#[test]
fn initial_values_have_the_variance_of_their_rule() {
    let convolution = Operation::Convolution {
        input: 32.into(),
        output: 64.into(),
        kernel: pair([3, 3]),
        stride: pair([1, 1]),
        padding: pair([1, 1]),
        dilation: pair([1, 1]),
        groups: 1.into(),
        bias: false,
    };
    let mut builder = Builder::new(&[&[32, 4, 4]]);
    let node = builder.add(convolution, &[0], &[64, 4, 4]);
    let node = builder.add(Operation::Flatten, &[node], &[1024]);
    let dense = Operation::Dense {
        input: 1024.into(),
        output: 50.into(),
        bias: false,
    };
    let node = builder.add(dense, &[node], &[50]);
    let network = compile(&builder.finish(&[node]), 1);
    let variance = |place: usize| {
        let values = &all_values(&network)[place].1;
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        assert!(mean.abs() < 1e-2);
        values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count
    };
    assert!((variance(0) / (2.0 / (32.0 * 9.0)) - 1.0).abs() < 0.03);
    assert!((variance(1) / (1.0 / 1024.0) - 1.0).abs() < 0.03);
    let bound = (3.0 / 1024f64).sqrt();
    let uniform = &all_values(&network)[1].1;
    assert!(uniform.iter().all(|x| x.abs() <= bound));
}

#[test]
fn training_updates_running_statistics_as_pytorch_does() {
    let graph = single(Operation::batch_norm(1.into()), &[1, 2, 1]);
    let network = compile(&graph, 0);
    let input = Tensor::new(&[1f32, 2.0, 3.0, 6.0], &Device::Cpu).unwrap();
    let input = input.reshape((2, 1, 2, 1)).unwrap();
    network.forward(&input, TRAIN).unwrap();
    let state = network.state();
    // The mean is 3, the unbiased variance (4 + 1 + 0 + 9) / 3.
    let close = |given: f64, expected: f64| assert!((given - expected).abs() < 1e-6, "{given}");
    close(values(&state[0].1)[0], 0.1 * 3.0);
    close(values(&state[1].1)[0], 0.9 + 0.1 * 14.0 / 3.0);
    let before = all_values(&network);
    network.forward(&input, Mode::Evaluate).unwrap();
    assert_eq!(before, all_values(&network));
}

#[test]
fn one_value_a_channel_trains_without_a_division_by_zero() {
    let graph = single(Operation::batch_norm(3.into()), &[3]);
    let network = compile(&graph, 0);
    let input = Tensor::new(&[[1f32, 2.0, 3.0]], &Device::Cpu).unwrap();
    let output = network.forward(&input, TRAIN).unwrap();
    assert!(values(&output).iter().all(|x| x.is_finite()));
    assert!(
        all_values(&network)
            .iter()
            .all(|(_, all)| all.iter().all(|x| x.is_finite()))
    );
}

#[test]
fn dropout_follows_from_seed_layer_and_step() {
    let rate = Real::new(0.25);
    let graph = single(Operation::Dropout { rate }, &[40_000]);
    let network = compile(&graph, 3);
    let ones = Tensor::ones((2, 40_000), DType::F32, &Device::Cpu).unwrap();
    let mask = |network: &Network, mode| values(&network.forward(&ones, mode).unwrap());
    let first = mask(&network, TRAIN);
    let scale = f64::from(1f32 / 0.75);
    assert!(first.iter().all(|x| *x == 0.0 || *x == scale));
    let dropped = first.iter().filter(|x| **x == 0.0).count() as f64 / 80_000.0;
    assert!((dropped - 0.25).abs() < 0.01, "{dropped}");
    assert_ne!(first[..40_000], first[40_000..]);
    assert_eq!(first, mask(&network, TRAIN));
    assert_ne!(first, mask(&network, Mode::Train { step: 1 }));
    assert_ne!(first, mask(&compile(&graph, 4), TRAIN));
    assert!(mask(&network, Mode::Evaluate).iter().all(|x| *x == 1.0));
}

#[test]
fn it_is_a_module_of_candle() {
    let network = compile(&small_net(), 0);
    let batch = batch(3, 1);
    let train = network.forward_t(&batch, true).unwrap();
    let evaluated = network.forward_t(&batch, false).unwrap();
    assert_eq!(train.dims(), [3, 3]);
    assert_ne!(values(&train), values(&evaluated));
    // Gradients flow through it to what came before.
    let scale = candle_core::Var::new(2f32, &Device::Cpu).unwrap();
    let scaled = batch.broadcast_mul(&scale).unwrap();
    let loss = network.forward_t(&scaled, true).unwrap().sqr().unwrap();
    let gradients = loss.sum_all().unwrap().backward().unwrap();
    assert!(values(gradients.get(&scale).unwrap())[0].is_finite());
}

#[test]
fn several_inputs_and_outputs() {
    let mut builder = Builder::new(&[&[3], &[3], &[2]]);
    let sum = builder.add(Operation::Add { arity: 2 }, &[0, 1], &[3]);
    let whole = builder.add(Operation::Concatenate { arity: 2 }, &[sum, 2], &[5]);
    let network = compile(&builder.finish(&[sum, whole, 0]), 0);
    let tensor = |values: &[f32]| {
        let flat = Tensor::new(values, &Device::Cpu).unwrap();
        flat.unsqueeze(0).unwrap()
    };
    let inputs = [
        tensor(&[1.0, 2.0, 3.0]),
        tensor(&[4.0; 3]),
        tensor(&[7.0, 8.0]),
    ];
    let outputs = network.forward_all(&inputs, TRAIN).unwrap();
    let outputs: Vec<Vec<f64>> = outputs.iter().map(values).collect();
    assert_eq!(
        outputs,
        [
            vec![5.0, 6.0, 7.0],
            vec![5.0, 6.0, 7.0, 7.0, 8.0],
            vec![1.0, 2.0, 3.0]
        ]
    );
    let error = network.forward(&inputs[0], TRAIN).unwrap_err();
    insta::assert_snapshot!(first_line(&error), @"`test` takes 3 input(s) and was given 1");
}

#[test]
fn a_net_of_thousands_of_layers_runs() {
    let mut builder = Builder::new(&[&[2]]);
    let mut node = 0;
    for _ in 0..20_000 {
        let silu = Operation::Activation(Activation::Tanh);
        node = builder.add(silu, &[node], &[2]);
    }
    let dense = Operation::Dense {
        input: 2.into(),
        output: 2.into(),
        bias: true,
    };
    let node = builder.add(dense, &[node], &[2]);
    let network = compile(&builder.finish(&[node]), 0);
    let input = candle_core::Var::ones((1, 2), DType::F32, &Device::Cpu).unwrap();
    let loss = network.forward(input.as_tensor(), TRAIN).unwrap();
    let gradients = loss.sum_all().unwrap().backward().unwrap();
    assert!(gradients.get(input.as_tensor()).is_some());
}

#[test]
fn what_no_output_needs_is_not_there() {
    let mut builder = Builder::new(&[&[3]]);
    let dense = Operation::Dense {
        input: 3.into(),
        output: 3.into(),
        bias: true,
    };
    builder.add(dense, &[0], &[3]);
    let kept = builder.add(Operation::Softmax, &[0], &[3]);
    let network = compile(&builder.finish(&[kept]), 0);
    assert_eq!(network.plan().steps.len(), 1);
    assert!(network.trainable().is_empty());
    let ones = Tensor::ones((1, 3), DType::F32, &Device::Cpu).unwrap();
    let third = values(&network.forward(&ones, TRAIN).unwrap())[0];
    assert!((third - 1.0 / 3.0).abs() < 1e-6);
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let network = compile(&small_net(), 0);
    let refused = |input: &Tensor| first_line(&network.forward(input, TRAIN).unwrap_err());
    let zeros = |shape: &[usize], dtype| Tensor::zeros(shape, dtype, &Device::Cpu).unwrap();
    let messages = [
        refused(&zeros(&[4, 2, 6, 6], DType::F32)),
        refused(&zeros(&[0, 2, 6, 5], DType::F32)),
        refused(&zeros(&[], DType::F32)),
        refused(&zeros(&[4, 2, 6, 5], DType::F64)),
        first_line(&network.forward_all(&[], TRAIN).unwrap_err()),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r#"
    `test` takes batches [n, 2, 6, 5] with n at least 1 and was given [4, 2, 6, 6]
    `test` takes batches [n, 2, 6, 5] with n at least 1 and was given [0, 2, 6, 5]
    `test` takes batches [n, 2, 6, 5] with n at least 1 and was given []
    `test` computes with F32 and was given F64: convert the batch with `to_dtype`
    `test` takes 1 input(s) and was given 0
    "#);
    let error = Network::compile_with_dtype(&small_net(), &Device::Cpu, 0, DType::F16);
    insta::assert_snapshot!(error.err().expect("an error"), @"networks compute with F32 or F64, not with F16");
}

/// The message without candle's back trace.
fn first_line(error: &candle_core::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_size_that_is_not_known_is_an_error() {
    let mut graph = small_net();
    let variable = snapc::operations::Variable(0);
    graph.nodes[1].shape.0[1] = Dimension::variable(variable);
    match Network::compile(&graph, &Device::Cpu, 0) {
        Err(error @ CompileError::Plan(_)) => {
            insta::assert_snapshot!(error, @"`layer.1` of `test` has the size `d0`, which is not known: only a net with a written input shape can be compiled")
        }
        _ => panic!("it should not compile"),
    }
}

#[test]
fn weights_out_and_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.safetensors");
    let (first, second) = (compile(&small_net(), 1), compile(&small_net(), 2));
    first.forward(&batch(4, 1), TRAIN).unwrap();
    second.save_weights(&path).expect("it is written");
    first.save_weights(&path).expect("it is written over");
    second.load_weights(&path).expect("it fits");
    assert_eq!(all_values(&first), all_values(&second));
    let output =
        |network: &Network| values(&network.forward(&batch(2, 9), Mode::Evaluate).unwrap());
    assert_eq!(output(&first), output(&second));
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 1, "nothing is left beside the file");
}

/// The message of what loading a file gives, with a short path.
fn message(network: &Network, path: &Path) -> String {
    let before = all_values(network);
    let error = network.load_weights(path).expect_err("it does not fit");
    assert_eq!(before, all_values(network), "the network stays as it was");
    let folder = path.parent().expect("a folder").display().to_string();
    error.to_string().replace(&folder, "folder")
}

#[test]
fn weights_that_do_not_fit_are_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.safetensors");
    let network = compile(&small_net(), 1);
    let mut tensors: HashMap<String, Tensor> = network.tensors().unwrap().into_iter().collect();
    tensors.remove("layer.2.running_var");
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    tensors.insert("layer.1.weight".to_owned(), zeros(&[4, 2, 5, 5]));
    tensors.insert("layer.9.weight".to_owned(), zeros(&[1]));
    tensors.insert("layer.8.bias".to_owned(), zeros(&[]));
    candle_core::safetensors::save(&tensors, &path).unwrap();
    insta::assert_snapshot!(message(&network, &path), @r#"
    `folder/weights.safetensors` does not fit the net `test`:
      `layer.1.weight` has the shape [4, 2, 5, 5], not [4, 2, 3, 3]
      `layer.2.running_var` [4] is missing
      `layer.8.bias` [] is not expected
      `layer.9.weight` [1] is not expected
    weights fit only the net that they were saved from
    "#);
    assert!(matches!(
        network.load_tensors(&tensors),
        Err(WeightsError::Misfit { misfits, .. }) if misfits.len() == 4
    ));
}

#[test]
fn damaged_weights_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.safetensors");
    let network = compile(&small_net(), 1);
    network.save_weights(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut messages = Vec::new();
    for bytes in [
        &whole[..whole.len() - 5],
        &whole[..40],
        &[],
        b"not weights at all",
    ] {
        std::fs::write(&path, bytes).unwrap();
        messages.push(message(&network, &path));
    }
    std::fs::remove_file(&path).unwrap();
    messages.push(message(&network, &path));
    insta::assert_snapshot!(messages.join("\n"), @r#"
    `folder/weights.safetensors` is damaged or no safetensors file: incomplete metadata, file not fully covered
    `folder/weights.safetensors` is damaged or no safetensors file: invalid header length
    `folder/weights.safetensors` is damaged or no safetensors file: header too small
    `folder/weights.safetensors` is damaged or no safetensors file: header too large
    can't read `folder/weights.safetensors`: No such file or directory (os error 2)
    "#);
    // Wherever it is cut, it is an error and no panic.
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        network.load_weights(&path).expect_err("it is cut");
    }
    let nowhere = folder.path().join("no folder").join("weights.safetensors");
    assert!(matches!(
        network.save_weights(&nowhere),
        Err(WeightsError::Write { .. })
    ));
}

//! The small networks of the zoo, executed by operations on tensors, against the kernels.
//!
//! As the tests of the backend do, these run on the device that `SNAPC_TEST_DEVICE` names; on the CPU in double
//! precision, where a difference is no rounding.

use candle_core::{DType, Device, Tensor};
use snapc::backend::{Executor, Mode, Model, Network, Precision, device};

use super::forward::{CASES, Case, fixture_of, graph_of, input_of};

const FULL: Precision = Precision::Full;
const MIXED: Precision = Precision::Mixed;

fn tested_device() -> Device {
    let name = std::env::var("SNAPC_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
    device(&name).expect("the device is there")
}

/// The output, and in training the gradient of each weight, with the largest number of each.
fn traces(network: &Network, input: &Tensor, mode: Mode) -> Vec<(String, Vec<f64>)> {
    let input = input.to_dtype(network.dtype()).unwrap();
    let input = input.to_device(network.device()).unwrap();
    let outputs = network.forward_all(&[input], mode).expect("it runs");
    let numbers = |tensor: &Tensor| -> Vec<f64> {
        let flat = tensor.flatten_all().unwrap().to_dtype(DType::F64).unwrap();
        flat.to_vec1().unwrap()
    };
    let mut traces = vec![("output".to_owned(), numbers(&outputs[0]))];
    if mode == Mode::Evaluate {
        return traces;
    }
    let loss = outputs[0].sqr().unwrap().mean_all().unwrap();
    let gradients = loss.backward().expect("it has gradients");
    for (name, variable) in network.trainable() {
        let gradient = gradients.get(variable.as_tensor()).expect("a gradient");
        traces.push((name, numbers(gradient)));
    }
    traces
}

/// The largest difference as a share of the largest number: of outputs, and of all gradients together.
fn difference(left: &[(String, Vec<f64>)], right: &[(String, Vec<f64>)]) -> f64 {
    let largest = |all: &[(String, Vec<f64>)]| {
        let numbers = all.iter().flat_map(|(_, numbers)| numbers);
        numbers.fold(1e-12_f64, |most, it| most.max(it.abs()))
    };
    let part = |range: std::ops::Range<usize>| {
        let (left, right) = (&left[range.clone()], &right[range]);
        let pairs = left
            .iter()
            .zip(right)
            .flat_map(|(left, right)| left.1.iter().zip(&right.1));
        let worst = pairs.fold(0.0_f64, |worst, (left, right)| {
            let apart = (left - right).abs();
            if apart.is_nan() {
                f64::INFINITY
            } else {
                worst.max(apart)
            }
        });
        worst / largest(left)
    };
    part(0..1).max(part(1..left.len()))
}

fn networks(case: &Case, dtype: DType, precision: Precision) -> (Network, Network, Tensor) {
    let fixture = fixture_of(case);
    let graph = graph_of(case, &fixture);
    let kernels = Network::compile_with_dtype(&graph, &Device::Cpu, 1, dtype).expect("it compiles");
    let tensors = Network::compile_with_dtype(&graph, &tested_device(), 1, dtype)
        .expect("it compiles")
        .executed_by(Executor::Tensors { precision });
    let shape = fixture.input.shape.as_slice();
    let input = Tensor::from_vec(input_of(&fixture), shape, &Device::Cpu).expect("it fits");
    (kernels, tensors, input)
}

#[test]
fn nets_train_and_evaluate_as_by_kernels() {
    let (dtype, tolerance) = match tested_device().is_cpu() {
        true => (DType::F64, 1e-5),
        false => (DType::F32, 1e-2),
    };
    let mut problems = Vec::new();
    for case in CASES {
        let (kernels, tensors, input) = networks(case, dtype, FULL);
        for mode in [Mode::Train { step: 0 }, Mode::Evaluate] {
            let share = difference(
                &traces(&kernels, &input, mode),
                &traces(&tensors, &input, mode),
            );
            println!("{} {mode:?}: {share:.1e}", case.fixture);
            if share > tolerance {
                problems.push(format!("{} {mode:?}: {share}", case.fixture));
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn mixed_precision_stays_near() {
    let mut problems = Vec::new();
    for case in CASES {
        let (kernels, tensors, input) = networks(case, DType::F32, MIXED);
        let (exactly, mixed) = (
            traces(&kernels, &input, Mode::Evaluate),
            traces(&tensors, &input, Mode::Evaluate),
        );
        let share = difference(&exactly, &mixed);
        println!("{}: {share:.1e}", case.fixture);
        // Eight bits a number, through up to a hundred layers.
        if share > 0.1 {
            problems.push(format!("{}: {share}", case.fixture));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

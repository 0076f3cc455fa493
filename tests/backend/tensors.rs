//! Plans executed by operations on tensors compute what the kernels compute.
//!
//! The tests run on the CPU, where the operations are those that a graphics processor would run; in a build with
//! the feature `cuda`, they run on the device that `SNAPC_TEST_DEVICE` names.

use candle_core::{DType, Tensor, Var};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::backend::{Executor, Mode, Model, Network, Precision, device};
use snapc::diagnostic::Source;
use snapc::graph::{self, Graph};
use snapc::operations::{Activation, Operation};
use snapc::{plan, syntax, types};

use super::build::{numbers, values};
use super::operations::{all_kinds, random_graph};
use super::sequence;

const FULL: Executor = Executor::Tensors {
    precision: Precision::Full,
};
const MIXED: Executor = Executor::Tensors {
    precision: Precision::Mixed,
};

fn tested_device() -> candle_core::Device {
    let name = std::env::var("SNAPC_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
    device(&name).expect("the device is there")
}

/// Outputs, gradients of inputs and parameters, and state, after one pass.
fn traces(network: &Network, inputs: &[Tensor], mode: Mode) -> Vec<(String, Vec<f64>)> {
    let variables: Vec<Var> = inputs
        .iter()
        .map(|input| {
            let input = input.to_dtype(network.dtype()).unwrap();
            Var::from_tensor(&input.to_device(network.device()).unwrap()).unwrap()
        })
        .collect();
    let tensors: Vec<Tensor> = variables.iter().map(|it| it.as_tensor().clone()).collect();
    let outputs = network.forward_all(&tensors, mode).expect("it runs");
    let mut traces = Vec::new();
    let mut loss: Option<Tensor> = None;
    for (place, output) in outputs.iter().enumerate() {
        traces.push((format!("output {place}"), values(output)));
        let weights = numbers(output.dims(), 77 + place as u64)
            .to_dtype(output.dtype())
            .unwrap();
        let part = (output * weights.to_device(output.device()).unwrap()).unwrap();
        let part = part.sum_all().unwrap();
        loss = Some(match loss {
            Some(loss) => (loss + part).unwrap(),
            None => part,
        });
    }
    let gradients = loss.expect("an output").backward().expect("gradients");
    let named = variables.iter().enumerate();
    let named = named.map(|(place, input)| (format!("input {place}"), input.clone()));
    for (name, variable) in named.chain(network.trainable()) {
        // Where nothing flows, one side may say so by zeros.
        let gradient = match gradients.get(variable.as_tensor()) {
            Some(gradient) => values(gradient),
            None => vec![0.0; variable.elem_count()],
        };
        traces.push((format!("gradient of {name}"), gradient));
    }
    for (name, variable) in network.state() {
        traces.push((name, values(variable.as_tensor())));
    }
    traces
}

/// A network with the parameters of another, on the tested device. The seed decides its dropout masks.
fn copied(from: &Network, seed: u64, dtype: DType, executor: Executor) -> Network {
    let network = Network::from_plan(from.plan().clone(), &tested_device(), seed, dtype)
        .expect("it compiles")
        .executed_by(executor);
    let tensors = from.tensors().unwrap().into_iter().collect();
    network.load_tensors(&tensors).expect("they fit");
    network
}

/// The largest difference between two runs, each as a share of the largest number of its kind (at least one).
fn difference(left: &[(String, Vec<f64>)], right: &[(String, Vec<f64>)]) -> (f64, String) {
    assert_eq!(left.len(), right.len());
    let mut worst = (0.0, String::new());
    for ((name, left), (other, right)) in left.iter().zip(right) {
        assert_eq!((name, left.len()), (other, right.len()));
        let scale = left.iter().fold(1.0_f64, |most, it| most.max(it.abs()));
        for (left, right) in left.iter().zip(right) {
            let share = (left - right).abs() / scale;
            // What is not a number on one side alone is no small difference.
            let both_are_no_numbers = left.is_nan() && right.is_nan();
            if !both_are_no_numbers && (share.is_nan() || share > worst.0) {
                worst = (share, name.clone());
            }
        }
    }
    worst
}

/// Double precision where the device has all operations in it.
fn exact() -> (DType, f64) {
    match tested_device().is_cpu() {
        true => (DType::F64, 1e-9),
        false => (DType::F32, 2e-4),
    }
}

const SEED: u64 = 3;

const MODES: [Mode; 2] = [Mode::Train { step: 3 }, Mode::Evaluate];

#[test]
fn every_operation_computes_what_its_kernel_computes() {
    let (dtype, tolerance) = exact();
    for kind in all_kinds() {
        let rounds = match kind {
            Operation::Convolution { .. } | Operation::TransposedConvolution(_) => 30,
            Operation::Pool { .. } | Operation::AdaptivePool { .. } => 15,
            _ => 5,
        };
        // Candle's derivatives of both have constants of six digits.
        let tolerance = match kind {
            Operation::Activation(Activation::Gelu | Activation::GeluTanh) => {
                1e-5_f64.max(tolerance)
            }
            _ => tolerance,
        };
        for seed in 0..rounds {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let graph = random_graph(&kind, &mut random);
            let batch = random.random_range(1..=4);
            let inputs = sequence::inputs(&graph, batch, seed * 100, 6.0);
            for mode in MODES {
                let kernels = super::gradient::network(&graph, seed);
                let tensors = copied(&kernels, seed, dtype, FULL);
                let (share, name) = difference(
                    &traces(&kernels, &inputs, mode),
                    &traces(&tensors, &inputs, mode),
                );
                assert!(share < tolerance, "{name}: {share} in {mode:?}; {graph:#?}");
            }
        }
    }
}

/// Steps with fused norms and activations, shared weights, dropout, and values that are read twice.
const NETS: [&str; 6] = [
    "conv(3, 4) bn relu dwconv(3) bn relu6 conv(1, 4) bn conv(3, 4) relu gap dense(5) relu dense(3)",
    "conv(3, 4, bias: true) bn relu6 dup conv(3) bn add relu conv(3, stride: 2) bn silu gap",
    "conv(3, 4) dup bn swap relu add relu6 bn relu gap dense(3) relu6",
    "conv(3, 4) relu bn dropout(0.5) relu maxpool(3) gap drop_path(0.3)",
    "conv(3, 2)@a bn@b relu conv(3, 2)@a bn@b relu gap",
    "dup conv(3, 4) bn relu swap conv(3, 4) bn relu cat tokens attention(2) token_mean",
];

fn net(body: &str) -> Graph {
    let source = Source::new("test.snap", format!("net n : [2, 8, 6] -> [_] = {body}\n"));
    let checked = types::check(&syntax::parse(&source).file);
    assert!(!checked.has_errors(), "{body}: {:?}", checked.diagnostics);
    let net = checked.program.named("n").expect("the net is there");
    graph::build(&checked.program, net).unwrap_or_else(|problem| panic!("{body}: {problem:?}"))
}

fn kernels(body: &str, dtype: DType) -> Network {
    let plan = plan::plan(&net(body)).expect("it has a plan");
    Network::from_plan(plan, &candle_core::Device::Cpu, SEED, dtype).expect("it compiles")
}

#[test]
fn nets_with_fused_steps_train_alike() {
    let (dtype, tolerance) = exact();
    for body in NETS {
        let kernels = kernels(body, dtype);
        let tensors = copied(&kernels, SEED, dtype, FULL);
        for step in 0..3 {
            let batch = [numbers(&[5, 2, 8, 6], step)];
            for mode in [Mode::Train { step }, Mode::Evaluate] {
                let (share, name) = difference(
                    &traces(&kernels, &batch, mode),
                    &traces(&tensors, &batch, mode),
                );
                assert!(share < tolerance, "{body}: {name}: {share} in {mode:?}");
            }
        }
    }
}

#[test]
fn a_frozen_network_gives_an_evaluation_and_leads_nowhere() {
    let (dtype, tolerance) = exact();
    for body in NETS {
        let kernels = kernels(body, dtype);
        let tensors = copied(&kernels, SEED, dtype, FULL);
        let batch = numbers(&[40, 2, 8, 6], 1).to_dtype(dtype).unwrap();
        let expected = kernels
            .freeze()
            .unwrap()
            .forward(std::slice::from_ref(&batch))
            .unwrap();
        let batch = batch.to_device(tensors.device()).unwrap();
        let given = tensors.freeze().unwrap().forward(&[batch]).unwrap();
        let pairs = [("output".to_owned(), values(&expected[0]))];
        let (share, _) = difference(&pairs, &[("output".to_owned(), values(&given[0]))]);
        assert!(share < tolerance, "{body}: {share}");
        assert!(!given[0].track_op(), "{body}");
    }
}

#[test]
fn mixed_precision_stays_near_and_rounds_what_it_multiplies() {
    for body in NETS {
        let kernels = kernels(body, DType::F32);
        let mixed = copied(&kernels, SEED, DType::F32, MIXED);
        let batch = [numbers(&[5, 2, 8, 6], 4)];
        let exactly = traces(&kernels, &batch, MODES[0]);
        let (share, name) = difference(&exactly, &traces(&mixed, &batch, MODES[0]));
        // A number of `bf16` has eight bits; the gradients of these nets pass through up to six products.
        assert!(share < 0.1, "{body}: {name}: {share}");
        assert!(share > 1e-4, "{body}: nothing was rounded");
        for (_, variable) in mixed.trainable() {
            assert_eq!(variable.dtype(), DType::F32, "master weights");
        }
    }
}

#[test]
fn a_number_that_is_none_stays_so() {
    let kernels = kernels("relu conv(3, 4) bn relu6 gap", DType::F32);
    let tensors = copied(&kernels, SEED, DType::F32, FULL);
    let nothing = Tensor::full(f32::NAN, (1, 2, 8, 6), tensors.device()).unwrap();
    let output = tensors.forward(&nothing, Mode::Evaluate).unwrap();
    assert!(values(&output).iter().all(|number| number.is_nan()));
}

//! Optimizers, schedules, losses and measures against PyTorch's numbers and plain formulas.

use candle_core::{Device, Tensor, Var};
use serde_json::Value;
use snapc::train::loss::cross_entropy;
use snapc::train::{
    Confusion, Optimizer, OptimizerConfiguration, Rates, Schedule, StepError, StepSettings,
};

fn pytorch() -> Value {
    let json = include_str!("../fixtures/pytorch_training.json");
    serde_json::from_str(json).expect("a valid fixture")
}

fn numbers(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().expect("a list");
    numbers
        .iter()
        .map(|it| it.as_f64().expect("a number"))
        .collect()
}

fn tensor(value: &Value, shape: (usize, usize)) -> Tensor {
    let values: Vec<f32> = numbers(value).into_iter().map(|it| it as f32).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).expect("a tensor")
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let values = tensor.flatten_all().expect("values");
    let values: Vec<f32> = values.to_vec1().expect("values");
    values.into_iter().map(f64::from).collect()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance * expected.abs().max(1e-3),
            "at {place}: {found} is not {expected}"
        );
    }
}

#[test]
fn one_cycle_is_that_of_pytorch() {
    let other = Schedule::OneCycle {
        rise: 0.2,
        initial_divisor: 10.0,
        final_divisor: 100.0,
        cycle_momentum: true,
    };
    for (name, schedule, steps) in [
        ("50", Schedule::one_cycle(), 50),
        ("7", Schedule::one_cycle(), 7),
        ("50, other options", other, 50),
    ] {
        let expected = &pytorch()["one_cycle"][name];
        let rates: Vec<Rates> = (0..steps)
            .map(|step| schedule.at(0.01, step, steps))
            .collect();
        let learning_rates: Vec<f64> = rates.iter().map(|it| it.learning_rate).collect();
        assert_close(&learning_rates, &numbers(&expected["learning_rates"]), 1e-9);
        let momenta: Vec<f64> = rates.iter().filter_map(|it| it.momentum).collect();
        assert_close(&momenta, &numbers(&expected["momenta"]), 1e-9);
    }
}

#[test]
fn warmup_rises_to_the_peak_and_the_cosine_falls_to_the_floor() {
    let schedule = Schedule::WarmupCosine {
        warmup: 0.2,
        floor: 0.1,
    };
    let rates: Vec<f64> = (0..=20)
        .map(|step| schedule.at(2.0, step, 20).learning_rate)
        .collect();
    assert_close(&rates[..5], &[0.5, 1.0, 1.5, 2.0, 2.0], 1e-12);
    // Half of the way down is half of the way between peak and floor.
    assert_close(&[rates[12], rates[20]], &[1.1, 0.2], 1e-12);
    assert!(rates[4..].is_sorted_by(|before, after| before > after));
}

#[test]
fn schedules_give_usable_rates_for_runs_of_any_length() {
    for schedule in [
        Schedule::Constant,
        Schedule::warmup_cosine(),
        Schedule::one_cycle(),
    ] {
        for steps in 1..8 {
            for step in 0..steps {
                let rate = schedule.at(0.1, step, steps).learning_rate;
                assert!(
                    rate > 0.0 && rate <= 0.1,
                    "{schedule:?} {step} {steps}: {rate}"
                );
            }
        }
    }
}

/// The parameter after each step with the gradients of the fixture.
fn optimize(
    configuration: OptimizerConfiguration,
    weight_decay: f64,
    settings: StepSettings,
) -> Vec<f64> {
    let fixture = pytorch();
    let parameter = Var::from_tensor(&tensor(&fixture["start"], (2, 3))).expect("a variable");
    let trainable = vec![("it".to_string(), parameter.clone())];
    let mut optimizer = Optimizer::new(trainable, configuration, weight_decay, false).unwrap();
    let mut all = Vec::new();
    for gradient in fixture["gradients"].as_array().expect("gradients") {
        let product = (parameter.as_tensor() * tensor(gradient, (2, 3))).expect("a product");
        let loss = product.sum_all().expect("a loss");
        let gradients = loss.backward().expect("gradients");
        optimizer.step(&gradients, settings).expect("a step");
        all.extend(values(&parameter));
    }
    all
}

fn steps(name: &str) -> Vec<f64> {
    let fixture = pytorch();
    let steps = fixture[name].as_array().expect("steps");
    steps.iter().flat_map(numbers).collect()
}

const PLAIN: StepSettings = StepSettings {
    learning_rate: 0.01,
    momentum: None,
    gradient_clip: None,
};

#[test]
fn adam_w_is_that_of_pytorch() {
    let found = optimize(OptimizerConfiguration::adam_w(), 0.1, PLAIN);
    assert_close(&found, &steps("adam_w"), 1e-5);
}

#[test]
fn sgd_with_momentum_is_that_of_pytorch() {
    let momentum = OptimizerConfiguration::Sgd {
        momentum: 0.9,
        nesterov: false,
    };
    assert_close(&optimize(momentum, 0.1, PLAIN), &steps("sgd"), 1e-5);
    let nesterov = OptimizerConfiguration::sgd();
    assert_close(&optimize(nesterov, 0.0, PLAIN), &steps("nesterov"), 1e-5);
}

#[test]
fn clipping_is_that_of_pytorch() {
    let plain = OptimizerConfiguration::Sgd {
        momentum: 0.0,
        nesterov: false,
    };
    let settings = StepSettings {
        learning_rate: 0.1,
        gradient_clip: Some(0.5),
        ..PLAIN
    };
    assert_close(&optimize(plain, 0.0, settings), &steps("clipped"), 1e-5);
}

#[test]
fn a_vector_gets_no_weight_decay_unless_asked_for() {
    let after_a_step = |decay_vectors| {
        let variable = Var::new(&[1f32, -2.0], &Device::Cpu).expect("a variable");
        let trainable = vec![("bias".to_string(), variable.clone())];
        let sgd = OptimizerConfiguration::sgd();
        let mut optimizer = Optimizer::new(trainable, sgd, 1.0, decay_vectors).unwrap();
        let without_slope = variable.zeros_like().and_then(|zeros| {
            let product = (variable.as_tensor() * zeros)?;
            product.sum_all()?.backward()
        });
        optimizer
            .step(&without_slope.expect("gradients"), PLAIN)
            .expect("a step");
        values(&variable)
    };
    assert_eq!(after_a_step(false), [1.0, -2.0]);
    assert_close(&after_a_step(true), &[0.981, -1.962], 1e-6);
}

#[test]
fn a_gradient_that_is_not_finite_changes_nothing() {
    let variable = Var::new(&[1f32, 2.0], &Device::Cpu).expect("a variable");
    let trainable = vec![("it".to_string(), variable.clone())];
    let mut optimizer =
        Optimizer::new(trainable, OptimizerConfiguration::adam_w(), 0.0, false).unwrap();
    for factor in [f64::INFINITY, f64::NAN] {
        let loss = (variable.as_tensor() * factor).and_then(|it| it.sum_all());
        let gradients = loss.expect("a loss").backward().expect("gradients");
        let error = optimizer.step(&gradients, PLAIN);
        assert!(matches!(error, Err(StepError::NotFinite { .. })));
    }
    assert_eq!(values(&variable), [1.0, 2.0]);
    assert_eq!(optimizer.steps(), 0);
}

#[test]
fn cross_entropy_and_its_gradient_are_those_of_pytorch() {
    let fixture = pytorch();
    let labels: Vec<u32> = numbers(&fixture["labels"])
        .iter()
        .map(|&it| it as u32)
        .collect();
    let labels = Tensor::from_vec(labels, 5, &Device::Cpu).expect("labels");
    for case in fixture["cross_entropy"].as_array().expect("cases") {
        let logits = Var::from_tensor(&tensor(&fixture["logits"], (5, 4))).expect("a variable");
        let smoothing = case["smoothing"].as_f64().expect("a number");
        let loss = cross_entropy(&logits, &labels, smoothing).expect("a loss");
        assert_close(
            &values(&loss),
            &[case["loss"].as_f64().expect("a number")],
            1e-6,
        );
        let gradients = loss.backward().expect("gradients");
        let gradient = gradients.get(&logits).expect("a gradient");
        assert_close(&values(gradient), &numbers(&case["gradient"]), 1e-3);
    }
}

/// The textbook formula in double precision: minus the sum over classes of target times the
/// logarithm of the probability.
fn naive_cross_entropy(logits: &[[f32; 3]], labels: &[u32], smoothing: f64) -> f64 {
    let of_row = |(row, &label): (&[f32; 3], &u32)| {
        let total: f64 = row.iter().map(|&it| f64::from(it).exp()).sum();
        let term = |(class, &logit): (usize, &f32)| {
            let target = smoothing / 3.0
                + if class == label as usize {
                    1.0 - smoothing
                } else {
                    0.0
                };
            -target * (f64::from(logit).exp() / total).ln()
        };
        row.iter().enumerate().map(term).sum::<f64>()
    };
    logits.iter().zip(labels).map(of_row).sum::<f64>() / labels.len() as f64
}

#[test]
fn cross_entropy_is_the_textbook_formula() {
    let logits = [[0.3, -1.2, 2.5], [1.0, 1.0, 1.0], [-3.0, 0.0, 0.5]];
    let labels = [2, 0, 1];
    let tensor = Tensor::new(&logits, &Device::Cpu).expect("logits");
    let label_tensor = Tensor::new(&labels, &Device::Cpu).expect("labels");
    for smoothing in [0.0, 0.05, 0.3] {
        let loss = cross_entropy(&tensor, &label_tensor, smoothing).expect("a loss");
        let expected = naive_cross_entropy(&logits, &labels, smoothing);
        assert_close(&values(&loss), &[expected], 1e-6);
    }
}

#[test]
fn cross_entropy_of_huge_logits_is_finite() {
    let logits = Var::new(&[[1e30f32, -1e30], [-1e30, 1e30]], &Device::Cpu).expect("logits");
    let labels = Tensor::new(&[0u32, 0], &Device::Cpu).expect("labels");
    let loss = cross_entropy(&logits, &labels, 0.1).expect("a loss");
    assert!(values(&loss)[0].is_finite());
    let gradients = loss.backward().expect("gradients");
    let gradient = values(gradients.get(&logits).expect("a gradient"));
    assert!(gradient.iter().all(|it| it.is_finite()), "{gradient:?}");
}

#[test]
fn accuracy_and_macro_f1_are_counted_from_the_confusion() {
    // scikit-learn: f1_score([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 0], average="macro") = 0.4888...
    let mut confusion = Confusion::new(4);
    for (label, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (2, 0)] {
        confusion.count(label, predicted);
    }
    assert_close(&[confusion.accuracy()], &[4.0 / 6.0], 1e-12);
    // Classes 0 to 2 score 4/6, 4/5 and 0; class 3 never occurs and does not count.
    assert_close(&[confusion.macro_f1()], &[(4.0 / 6.0 + 0.8) / 3.0], 1e-12);
    assert_eq!(Confusion::new(3).macro_f1(), 0.0);
}

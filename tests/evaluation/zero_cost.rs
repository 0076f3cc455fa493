//! Scores at initialisation: their formulas against NumPy and PyTorch, and what the search makes of them.

use candle_core::{DType, Device, Tensor};
use serde_json::Value;
use snapc::backend::{Model, Network};
use snapc::data::{Batch, Batches, Normalization};
use snapc::search::zero_cost::{Score, jacob_cov, naswot, synflow};
use snapc::search::*;
use tempfile::TempDir;

use super::blobs::{Bench, Blobs, Count, GO_ON, failed, graph, measured, network};

/// Small integers by the rule of `zero_cost.py`.
fn integers(count: usize, modulus: u64) -> Vec<u64> {
    let mut state = 1u64;
    let mut next = || {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        state / 65_536 % modulus
    };
    (0..count).map(|_| next()).collect()
}

fn fixture(score: &str) -> Value {
    let text = include_str!("../fixtures/zero_cost/zero_cost.json");
    serde_json::from_str::<Value>(text).unwrap()[score].clone()
}

fn assert_near(found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    let difference = (found - expected).abs() / expected.abs();
    assert!(difference < 1e-9, "{found}, not {expected}");
}

/// Calls `check` with rows, columns and result of every case.
fn each_case(score: &str, check: impl Fn(usize, usize, &Value)) {
    for case in fixture(score).as_array().unwrap() {
        let size = |place: usize| case[place].as_u64().unwrap() as usize;
        check(size(0), size(1), &case[2]);
    }
}

#[test]
fn the_covariance_of_the_jacobian_is_that_of_numpy() {
    each_case("jacob_cov", |rows, columns, expected| {
        let numbers = integers(rows * columns, 19);
        let rows: Vec<Vec<f64>> = numbers
            .chunks(columns)
            .map(|row| row.iter().map(|&it| it as f64).collect())
            .collect();
        assert_near(jacob_cov::score_of_rows(&rows), expected);
    });
}

#[test]
fn the_determinant_of_the_codes_is_that_of_numpy() {
    each_case("naswot", |rows, columns, expected| {
        let numbers = integers(rows * columns, 2);
        let codes: Vec<Vec<bool>> = numbers
            .chunks(columns)
            .map(|code| code.iter().map(|&it| it == 1).collect())
            .collect();
        assert_near(naswot::score_of_codes(&codes), expected);
    });
    let twice = vec![vec![true, false, true]; 2];
    assert_eq!(naswot::score_of_codes(&twice), f64::NEG_INFINITY);
    assert_eq!(naswot::score_of_codes(&[vec![], vec![]]), f64::NEG_INFINITY);
}

#[test]
fn the_synaptic_flow_is_that_of_pytorch() {
    let graph = graph(
        "net n : [1, 4, 4] -> [2] =
            conv(3, 2, bias: true) relu conv(3, 3, bias: true) relu flatten dense(2)\n",
    );
    let network = Network::compile_with_dtype(&graph, &Device::Cpu, 0, DType::F64).unwrap();
    let mut numbers = integers(2 * 9 + 2 + 3 * 18 + 3 + 2 * 48 + 2, 17).into_iter();
    for (_, parameter) in network.trainable() {
        let count = parameter.elem_count();
        let values: Vec<f64> = numbers
            .by_ref()
            .take(count)
            .map(|it| it as f64 / 8.0 - 1.0)
            .collect();
        let values = Tensor::from_vec(values, parameter.dims(), &Device::Cpu).unwrap();
        parameter.set(&values).unwrap();
    }
    assert_near(synflow::flow(&network).unwrap(), &fixture("synflow"));
}

fn batch(size: usize) -> Batch {
    let blobs = Blobs::new();
    let examples: Vec<usize> = (0..size).collect();
    let normalization = Normalization::measure(&blobs, &examples);
    Batches::in_order(&blobs, &normalization, &examples, size)
        .read(0)
        .unwrap()
}

#[test]
fn scores_of_small_networks_are_those_by_hand() {
    let batch = batch(6);
    // Every row of the Jacobian of a linear network is the same: the correlations are all one, and
    // their eigenvalues are six, and zero five times.
    let linear = "net n : [1, 4, 4] -> [3] = flatten dense(3)\n";
    let found = Score::JacobCov.of(&graph(linear), 0, &batch).unwrap();
    let term = |value: f64| (value + 1e-5).ln() + 1.0 / (value + 1e-5);
    let expected = -(term(6.0) + 5.0 * term(0.0));
    assert!(
        (found / expected - 1.0).abs() < 1e-6,
        "{found}, not {expected}"
    );
    let none = Score::Naswot.of(&graph(linear), 0, &batch).unwrap();
    assert_eq!(none, f64::NEG_INFINITY, "it has no rectifiers");

    let text = "net n : [1, 4, 4] -> [3] = flatten dense(20) relu dense(3)\n";
    let network = network(text);
    let weight = &network.trainable()[0].1;
    assert_eq!(weight.dims(), [20, 16]);
    let inputs = batch.inputs.flatten_from(1).unwrap();
    // Biases begin at zero.
    let hidden = inputs.matmul(&weight.t().unwrap()).unwrap();
    let rows = hidden.to_vec2::<f32>().unwrap();
    let codes: Vec<Vec<bool>> = rows
        .into_iter()
        .map(|row| row.into_iter().map(|it| it > 0.0).collect())
        .collect();
    let found = Score::Naswot.of(&graph(text), 0, &batch).unwrap();
    assert!(found.is_finite());
    assert!((found - naswot::score_of_codes(&codes)).abs() < 1e-9);
}

#[test]
fn rectifiers_count_wherever_they_stand() {
    let batch = batch(8);
    let score = |body: &str| {
        let text = format!("net n : [1, 4, 4] -> [3] = {body} gap dense(3)\n");
        Score::Naswot.of(&graph(&text), 0, &batch).unwrap()
    };
    // Behind a convolution, a norm, a pool, in a branch: whatever passes make of them.
    let plain = score("conv(3, 4) relu");
    let branch = score("conv(3, 4) relu dup maxpool(3) relu add");
    let norm = score("conv(3, 4) bn relu");
    assert!(
        plain.is_finite() && norm.is_finite() && branch > plain,
        "{plain} {norm} {branch}"
    );
    assert_eq!(score("conv(3, 4) bn tanh"), f64::NEG_INFINITY);
}

fn configured(filter: Option<FilterConfiguration>) -> EvaluationConfiguration {
    EvaluationConfiguration {
        zero_cost: vec![Score::JacobCov],
        filter,
        ..EvaluationConfiguration::default()
    }
}

#[test]
fn scores_are_recorded_if_they_are_asked_for() {
    let bench = Bench::new();
    let candidate = bench.candidate("cm");
    let plain = bench.evaluation(bench.training(1));
    let scored = bench
        .evaluation(bench.training(1))
        .configured(configured(None));
    let [plain, scored] = [plain, scored].map(|mut it| measured(it.evaluate(&candidate, &GO_ON)));
    assert_eq!(plain.1.facts.scores, Default::default());
    assert!(scored.1.facts.scores.jacob_cov.is_some());
    assert_eq!(scored.1.facts.scores.synflow, None);
    assert_eq!(plain.0, scored.0, "the training is the same");
}

/// Whether each candidate of a search was trained, and its score.
fn filtered(bench: &Bench, folder: &TempDir, count: &Count, ends: usize) -> Vec<(bool, f64)> {
    let filter = FilterConfiguration {
        score: Score::Synflow,
        share: 0.5,
    };
    let evaluation = || {
        bench
            .evaluation(bench.training(1))
            .configured(configured(Some(filter)))
    };
    let store = Store::open(folder.path()).unwrap();
    let mut search = bench.search(&evaluation(), 12, store);
    let mut evaluation = evaluation()
        .going_on_after(search.history().records())
        .observed_by(count.clone());
    for _ in 0..ends {
        let Ask::Evaluate(candidate) = search.ask(&mut Silent, &GO_ON).unwrap() else {
            break;
        };
        let outcome = evaluation.evaluate(&candidate, &GO_ON);
        if let Outcome::Failed { .. } = &outcome {
            let (reason, _) = failed(outcome.clone());
            let expected = "filtered: its synflow is below the 0.5 quantile of all before it";
            assert_eq!(reason, expected);
        }
        search.tell(candidate.number, outcome, &mut Silent).unwrap();
    }
    let ended = search
        .history()
        .records()
        .iter()
        .filter(|it| it.seconds().is_some());
    ended
        .map(|it| {
            (
                it.value().is_some(),
                it.details()["synflow"].as_f64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn candidates_below_the_quantile_are_not_trained() {
    let bench = Bench::new();
    let count = Count::default();
    let candidates = filtered(&bench, &TempDir::new().unwrap(), &count, 12);
    assert_eq!(candidates.len(), 12);
    for (place, &(trained, score)) in candidates.iter().enumerate() {
        let better = candidates[..place].iter().filter(|it| it.1 > score).count();
        assert_eq!(trained, 2 * better <= place, "candidate {place}");
    }
    let trained = candidates.iter().filter(|it| it.0).count();
    assert!(trained < 12);
    assert_eq!(count.trainings(), trained);

    let folder = TempDir::new().unwrap();
    for ends in [2, 5, 12] {
        filtered(&bench, &folder, &Count::default(), ends);
    }
    assert_eq!(filtered(&bench, &folder, &count, 0), candidates);
}

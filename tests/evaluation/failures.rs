//! Candidates that can't be evaluated: each has its reason, and the search goes on.

use serde_json::json;
use snapc::search::*;
use snapc::train::{OptimizerConfiguration, Schedule, TrainingConfiguration};

use super::blobs::{Bench, Count, GO_ON, failed, measured};

#[test]
fn a_candidate_that_diverges_has_failed() {
    let bench = Bench::new();
    let training = TrainingConfiguration {
        learning_rate: 1e30,
        gradient_clip: None,
        optimizer: OptimizerConfiguration::sgd(),
        schedule: Schedule::Constant,
        ..bench.training(2)
    };
    let outcome = bench
        .evaluation(training)
        .evaluate(&bench.candidate("c"), &GO_ON);
    let (reason, details) = failed(outcome);
    assert!(reason.contains("training diverged"), "{reason}");
    assert!(details["parameters"].as_u64() > Some(0), "{details}");
}

#[test]
fn a_candidate_that_takes_too_much_memory_is_not_trained() {
    let bench = Bench::new();
    let count = Count::default();
    let within = |memory| {
        let limits = Limits {
            memory: Some(memory),
            ..Limits::default()
        };
        let mut evaluation = bench
            .evaluation(bench.training(1))
            .within(limits)
            .observed_by(count.clone());
        evaluation.evaluate(&bench.candidate("cc"), &GO_ON)
    };
    let (reason, _) = failed(within(1000));
    assert!(
        reason.starts_with("out of memory: a step of training takes "),
        "{reason}"
    );
    assert_eq!(count.trainings(), 0);
    measured(within(10_000_000));
    assert_eq!(count.trainings(), 1);
}

#[test]
fn a_candidate_that_is_too_large_is_not_trained() {
    let bench = Bench::new();
    let count = Count::default();
    let within = |limits| {
        let mut evaluation = bench
            .evaluation(bench.training(1))
            .within(limits)
            .observed_by(count.clone());
        failed(evaluation.evaluate(&bench.candidate("cc"), &GO_ON)).0
    };
    let parameters = Limits {
        parameters: Some(10),
        ..Limits::default()
    };
    let multiply_adds = Limits {
        multiply_adds: Some(10),
        ..Limits::default()
    };
    for (limits, what) in [(parameters, "parameters"), (multiply_adds, "multiply-adds")] {
        let reason = within(limits);
        assert!(reason.starts_with("too large: it has "), "{reason}");
        let end = format!(" {what}, and the limit is 10");
        assert!(reason.ends_with(&end), "{reason}");
    }
    assert_eq!(count.trainings(), 0);
}

#[test]
fn a_candidate_that_takes_too_long_has_failed_and_the_search_goes_on() {
    let bench = Bench::new();
    let limited = |time_limit| {
        bench
            .evaluation(bench.training(1))
            .configured(EvaluationConfiguration {
                time_limit,
                ..EvaluationConfiguration::default()
            })
    };
    // No step is done within a billionth of a second.
    let mut evaluation = limited(Some(1e-9));
    let store = Store::in_memory().unwrap();
    let mut search = bench.search(&evaluation, 3, store);
    let summary = search.run(&mut evaluation, &mut Silent, &GO_ON).unwrap();
    assert_eq!((summary.failed, summary.ending), (3, Ending::Budget));
    for record in search.history().within(3) {
        let Status::Failed { reason, .. } = &record.status else {
            panic!("{record:?}")
        };
        assert!(reason.starts_with("out of time: "), "{reason}");
    }
    measured(limited(Some(1e9)).evaluate(&bench.candidate("c"), &GO_ON));
}

#[test]
fn latency_is_measured_if_something_asks_for_it() {
    let bench = Bench::new();
    let count = Count::default();
    let evaluate = |latency, latency_price| {
        let mut evaluation = bench
            .evaluation(bench.training(1))
            .within(Limits {
                latency,
                ..Limits::default()
            })
            .valued_by(Objective {
                latency_price,
                ..Objective::default()
            })
            .expect("a measurement of classes")
            .observed_by(count.clone());
        evaluation.evaluate(&bench.candidate("cm"), &GO_ON)
    };
    let (_, details) = measured(evaluate(None, 0.0));
    assert_eq!(details.facts.latency, None);
    let (value, details) = measured(evaluate(Some(1e9), 0.01));
    let latency = details.facts.latency.unwrap();
    assert!(latency > 0.0);
    let expected =
        details.measured.validation.accuracy.unwrap() - 0.01 * latency.max(0.001).log10();
    assert!((value - expected).abs() < 1e-12);

    let trainings = count.trainings();
    let (reason, details) = failed(evaluate(Some(1e-9), 0.0));
    assert!(reason.starts_with("too slow: "), "{reason}");
    assert!(details["latency"].as_f64() > Some(0.0), "{details}");
    assert_eq!(count.trainings(), trainings, "it is not trained");
}

#[test]
fn what_is_known_of_a_failed_candidate_is_kept() {
    let bench = Bench::new();
    let folder = tempfile::TempDir::new().unwrap();
    let evaluation = bench.evaluation(bench.training(1));
    let open = || bench.search(&evaluation, 3, Store::open(folder.path()).unwrap());
    let details = json!({ "rungs": [{ "epoch": 1, "value": 0.5 }] });
    let mut search = open();
    let Ask::Evaluate(candidate) = search.ask(&mut Silent, &GO_ON).unwrap() else {
        panic!("there is one to evaluate")
    };
    let outcome = Outcome::Failed {
        reason: "it diverged".to_owned(),
        details: details.clone(),
    };
    search.tell(candidate.number, outcome, &mut Silent).unwrap();
    drop(search);
    assert_eq!(open().history().records()[0].details(), &details);
}

#[test]
fn a_disk_that_takes_no_results_ends_the_search_and_no_candidate() {
    let bench = Bench::new();
    let folder = tempfile::TempDir::new().unwrap();
    // A file stands where the folder should be, so nothing can be written there.
    let results = folder.path().join("results");
    std::fs::write(&results, "").unwrap();
    let evaluation = || bench.evaluation(bench.training(1)).keeping_in(&results);
    let mut search = bench.search(&evaluation(), 3, Store::in_memory().unwrap());
    let error = search
        .run(&mut evaluation(), &mut Silent, &GO_ON)
        .unwrap_err();
    let expected = "candidates can't be evaluated: the results can't be kept";
    assert!(error.to_string().starts_with(expected), "{error}");
    assert_eq!(search.history().records()[0].status, Status::Pending);
    std::fs::remove_file(&results).unwrap();
    let summary = search.run(&mut evaluation(), &mut Silent, &GO_ON).unwrap();
    assert_eq!((summary.evaluated, summary.failed), (3, 0));
    assert!(results.join("best.safetensors").exists());
}

#[test]
fn settings_out_of_range_are_refused() {
    let message = |change: &dyn Fn(&mut EvaluationConfiguration)| {
        let mut configuration = EvaluationConfiguration::default();
        change(&mut configuration);
        configuration.validate().unwrap_err().to_string()
    };
    assert_eq!(
        message(&|it| it.repeats = 0),
        "`evaluation.repeats` must be at least 1, not 0"
    );
    assert_eq!(
        message(&|it| it.time_limit = Some(f64::NAN)),
        "`evaluation.time_limit` must be a number of seconds above 0, not NaN"
    );
    assert_eq!(
        message(&|it| it.halving = Some(HalvingConfiguration {
            minimum_epochs: 1,
            reduction: 1
        })),
        "`evaluation.halving.reduction` must be at least 2, not 1"
    );
    let limits = Limits {
        latency: Some(0.0),
        ..Limits::default()
    };
    assert_eq!(
        limits.validate().unwrap_err().to_string(),
        "`limits.latency` must be a number of milliseconds above 0, not 0"
    );
}

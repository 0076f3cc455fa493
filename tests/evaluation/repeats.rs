//! Candidates that are trained several times.

use std::sync::atomic::{AtomicBool, Ordering};

use snapc::search::*;
use snapc::train::{Event, TrainingConfiguration};
use tempfile::TempDir;

use super::blobs::{Bench, Count, GO_ON, measured};

fn repeats(repeats: usize) -> EvaluationConfiguration {
    EvaluationConfiguration {
        repeats,
        ..EvaluationConfiguration::default()
    }
}

#[test]
fn the_value_is_the_mean_over_seeds_on_the_same_parts_of_the_data() {
    let bench = Bench::new();
    let candidate = bench.candidate("cm");
    let single = |seed: u64| {
        let training = TrainingConfiguration {
            seed,
            split_seed: Some(5),
            ..bench.training(2)
        };
        measured(bench.evaluation(training).evaluate(&candidate, &GO_ON))
    };
    let singles = [single(5), single(6), single(7)];
    let training = TrainingConfiguration {
        seed: 5,
        ..bench.training(2)
    };
    let mut evaluation = bench.evaluation(training).configured(repeats(3));
    let (value, details) = measured(evaluation.evaluate(&candidate, &GO_ON));

    let values = singles.each_ref().map(|(value, _)| *value);
    assert_eq!(details.values, values);
    let mean = values.iter().sum::<f64>() / 3.0;
    assert!((value - mean).abs() < 1e-12);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = details.standard_deviation.unwrap();
    assert!(deviation > 0.0 && (deviation - (squares / 2.0).sqrt()).abs() < 1e-12);
    let tested: f64 = singles
        .iter()
        .map(|(_, it)| it.measured.test.accuracy.unwrap())
        .sum();
    let mean = details.measured.test.accuracy.unwrap();
    assert!((mean - tested / 3.0).abs() < 1e-12);

    let (_, once) = &singles[0];
    assert_eq!((once.values.len(), once.standard_deviation), (0, None));
}

/// Stops the evaluation in the epoch of this number, over all its trainings.
fn stopped(bench: &Bench, folder: &TempDir, epoch: usize) {
    let stop = AtomicBool::new(false);
    let mut seen = 0;
    let mut evaluation = bench
        .evaluation(bench.training(2))
        .configured(repeats(3))
        .keeping_in(folder.path())
        .observed_by(|event: Event<'_>| {
            if let Event::Epoch { .. } = event {
                seen += 1;
                stop.store(seen == epoch, Ordering::Relaxed);
            }
        });
    let outcome = evaluation.evaluate(&bench.candidate("cm"), &stop);
    assert_eq!(outcome, Outcome::Interrupted);
}

#[test]
fn what_was_trained_before_a_break_is_not_trained_again() {
    let bench = Bench::new();
    let evaluate = |folder: &TempDir, candidate: &str| {
        let count = Count::default();
        let mut evaluation = bench
            .evaluation(bench.training(2))
            .configured(repeats(3))
            .keeping_in(folder.path())
            .observed_by(count.clone());
        let outcome = evaluation.evaluate(&bench.candidate(candidate), &GO_ON);
        (measured(outcome), count.trainings())
    };
    let (expected, trainings) = evaluate(&TempDir::new().unwrap(), "cm");
    assert_eq!(trainings, 3);

    // In the first training, the second, and the third.
    for (epoch, missing) in [(1, 3), (3, 2), (5, 1)] {
        let folder = TempDir::new().unwrap();
        stopped(&bench, &folder, epoch);
        assert_eq!(evaluate(&folder, "cm"), (expected.clone(), missing));
    }

    // What is kept of another candidate, or is no longer readable, is not used.
    let folder = TempDir::new().unwrap();
    stopped(&bench, &folder, 5);
    let (_, trainings) = evaluate(&folder, "m");
    assert_eq!(trainings, 3);
    let folder = TempDir::new().unwrap();
    stopped(&bench, &folder, 5);
    std::fs::write(folder.path().join(TRAININGS), "{\"key\": ").unwrap();
    assert_eq!(evaluate(&folder, "cm"), (expected, 3));
}

#[test]
fn another_number_of_repeats_is_another_search() {
    let bench = Bench::new();
    let folder = TempDir::new().unwrap();
    let evaluation = |number| {
        bench
            .evaluation(bench.training(1))
            .configured(repeats(number))
    };
    let open = |number| {
        let store = Store::open(folder.path()).unwrap();
        let space = Limited::new(&bench.space, Limits::default());
        let settings = evaluation(number).settings();
        Search::open(space, SearchConfiguration::default(), settings, store)
    };
    let mut search = open(1).unwrap();
    search.ask(&mut Silent, &GO_ON).unwrap();
    drop(search);
    let message = match open(2) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    };
    let difference = "evaluation.repeats: 1 there, 2 now";
    assert!(message.contains(difference), "{message}");
}

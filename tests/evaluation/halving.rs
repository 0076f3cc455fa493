//! Successive halving: who is stopped, and that a broken-off search decides the same.

use std::sync::atomic::{AtomicBool, Ordering};

use snapc::search::*;
use snapc::train::{Event, Observer as _};
use tempfile::TempDir;

use super::blobs::{Bench, Count};

fn halving(minimum_epochs: usize, reduction: usize) -> HalvingConfiguration {
    HalvingConfiguration {
        minimum_epochs,
        reduction,
    }
}

#[test]
fn rungs_lie_at_powers_below_the_whole_training() {
    let rungs = |configuration, epochs| -> Vec<usize> {
        let halving = Halving::new(configuration, epochs);
        (0..=epochs)
            .filter(|&epoch| halving.is_rung(epoch))
            .collect()
    };
    assert_eq!(rungs(halving(1, 3), 27), [1, 3, 9]);
    assert_eq!(rungs(halving(2, 4), 33), [2, 8, 32]);
    assert_eq!(rungs(halving(5, 4), 5), [0; 0]);
    assert_eq!(rungs(halving(1, usize::MAX), 100), [1]);
}

#[test]
fn the_best_of_each_reduction_goes_on() {
    let mut halving = Halving::new(halving(1, 3), 9);
    let mut judged = |value: f64| {
        let rung = Rung { epoch: 1, value };
        let goes_on = halving.goes_on(rung);
        halving.add(&[rung]);
        goes_on
    };
    // The first has nobody before it. Up to three candidates only the best goes on, up to six the
    // best two, up to nine the best three.
    assert!(judged(0.5));
    assert!(!judged(0.4));
    assert!(judged(0.6));
    assert!(judged(0.55));
    assert!(!judged(0.5));
    assert!(judged(0.6), "as good as the best");
    assert!(judged(0.56));
    assert!(!judged(0.1));
    let other = Rung {
        epoch: 3,
        value: 0.0,
    };
    assert!(halving.goes_on(other), "nobody was at this rung");
}

const EPOCHS: usize = 5;

fn evaluation(bench: &Bench) -> TrainingEvaluation<'_> {
    bench
        .evaluation(bench.training(EPOCHS))
        .configured(EvaluationConfiguration {
            halving: Some(halving(1, 2)),
            ..EvaluationConfiguration::default()
        })
}

/// Runs the search in the folder to its end, or to the end of the epoch of this number in this run.
fn run(
    bench: &Bench,
    folder: &TempDir,
    last: Option<usize>,
    count: &Count,
) -> Vec<(f64, TrainedCandidate)> {
    let store = Store::open(folder.path()).unwrap();
    let mut search = bench.search(&evaluation(bench), 12, store);
    let stop = AtomicBool::new(false);
    let mut evaluation = evaluation(bench)
        .going_on_after(search.history().records())
        .observed_by(|event: Event<'_>| {
            count.clone().observe(event);
            stop.store(Some(count.epochs()) == last, Ordering::Relaxed);
        });
    search.run(&mut evaluation, &mut Silent, &stop).unwrap();
    let details = |record: &Record| serde_json::from_value(record.details().clone()).unwrap();
    let measured = search.history().measured();
    measured
        .map(|(record, value)| (value, details(record)))
        .collect()
}

#[test]
fn bad_candidates_are_stopped_and_recorded() {
    let bench = Bench::new();
    let count = Count::default();
    let candidates = run(&bench, &TempDir::new().unwrap(), None, &count);
    assert_eq!(candidates.len(), 12);
    let ends = candidates.iter().map(|(_, it)| it.stopped_at_epoch);
    let epochs: usize = ends.map(|end| end.unwrap_or(EPOCHS)).sum();
    assert_eq!(count.epochs(), epochs, "whoever is stopped trains no more");
    assert!(epochs < 12 * EPOCHS);

    // The rule of the paper, over what was recorded: the rank among all that came as far.
    let mut seen: [Vec<f64>; EPOCHS] = Default::default();
    for (value, details) in &candidates {
        for rung in &details.facts.rungs {
            let values = &mut seen[rung.epoch];
            values.push(rung.value);
            let mut ranked = values.clone();
            ranked.sort_by(|a, b| b.total_cmp(a));
            let goes_on = rung.value >= ranked[ranked.len().div_ceil(2) - 1];
            assert_eq!(goes_on, details.stopped_at_epoch != Some(rung.epoch));
        }
        let rungs: Vec<usize> = details.facts.rungs.iter().map(|rung| rung.epoch).collect();
        match details.stopped_at_epoch {
            Some(epoch) => {
                let last = details.facts.rungs.last().unwrap();
                assert_eq!((last.epoch, last.value), (epoch, *value));
                assert_eq!(details.measured.validation.accuracy, Some(*value));
            }
            None => assert_eq!(rungs, [1, 2, 4]),
        }
    }
}

#[test]
fn a_search_that_goes_on_decides_as_one_that_was_not_broken_off() {
    let bench = Bench::new();
    let count = Count::default();
    let expected = run(&bench, &TempDir::new().unwrap(), None, &count);
    let folder = TempDir::new().unwrap();
    let mut ended = 0;
    for last in [3, 7, 9] {
        ended = run(&bench, &folder, Some(last), &Count::default()).len();
    }
    assert!((3..12).contains(&ended), "{ended}");
    let count = Count::default();
    assert_eq!(run(&bench, &folder, None, &count), expected);
    assert_eq!(count.trainings(), 12 - ended);
}

//! Runs that are broken off: they go on as if nothing had happened, or say why they can't.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use snapc::data::Dataset;
use snapc::train::{
    EpochRecord, Event, Outcome, RunDirectory, Summary, TrainError, Trainer, TrainingConfiguration,
};
use tempfile::TempDir;

use crate::small_network::{SmallNetwork, bits, digits, short};

const STEPS: u64 = 18;

struct Run {
    root: TempDir,
    digits: Box<dyn Dataset>,
}

impl Run {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().expect("a folder"),
            digits: digits(),
        }
    }

    fn directory(&self) -> RunDirectory {
        let path = self.root.path().join("run");
        if path.join("configuration.json").exists() {
            RunDirectory::open(path).expect("a run")
        } else {
            RunDirectory::create(path).expect("a folder")
        }
    }

    /// Starts or goes on in a new process, as it were: with a new model. Stops before `stop_at`.
    fn session(&self, stop_at: u64) -> Result<(Outcome, Vec<u32>), TrainError> {
        let model = SmallNetwork::new(0);
        let outcome = self.session_with(&model, short(), stop_at)?;
        Ok((outcome, bits(&model)))
    }

    fn session_with(
        &self,
        model: &SmallNetwork,
        configuration: TrainingConfiguration,
        stop_at: u64,
    ) -> Result<Outcome, TrainError> {
        let trainer = Trainer::new(model, &*self.digits, configuration)?.with_program("small");
        let stop = AtomicBool::new(stop_at == 0);
        let mut observer = |event: Event<'_>| {
            if let Event::Step { step, .. } = event {
                stop.store(step >= stop_at, Ordering::Relaxed);
            }
        };
        trainer.run_in(&self.directory(), &stop, &mut observer)
    }

    /// What the run left, but for the times.
    fn remains(&self) -> (Vec<u8>, String) {
        let directory = self.directory();
        let best = fs::read(directory.best()).expect("the best weights");
        let metrics = fs::read_to_string(directory.metrics()).expect("the metrics");
        let without_seconds = |line: &str| line.rsplit_once(',').expect("fields").0.to_string();
        let lines: Vec<String> = metrics.lines().map(without_seconds).collect();
        (best, lines.join("\n"))
    }

    fn message(&self, error: TrainError) -> String {
        let root = format!("{}/", self.root.path().display());
        error.to_string().replace(&root, "")
    }
}

fn timeless(summary: &Summary) -> Summary {
    let without_seconds = |record: &EpochRecord| EpochRecord {
        seconds: 0.0,
        ..*record
    };
    Summary {
        seconds: 0.0,
        epochs: summary.epochs.iter().map(without_seconds).collect(),
        ..summary.clone()
    }
}

fn finished(outcome: Outcome) -> Summary {
    timeless(&outcome.finished().expect("a complete run"))
}

#[test]
fn a_run_with_breaks_is_bit_for_bit_the_run_without() {
    let whole = Run::new();
    let (outcome, weights) = whole.session(u64::MAX).expect("a run");
    let summary = finished(outcome);
    assert_eq!(summary.steps, STEPS);
    // At the start, within an epoch, at the end of one, in the last step, and several times.
    for breaks in [
        vec![0],
        vec![1],
        vec![4],
        vec![6],
        vec![17],
        vec![2, 3, 6, 11, 12, 16],
    ] {
        let broken = Run::new();
        for &stop_at in &breaks {
            let (outcome, _) = broken.session(stop_at).expect("a session");
            assert!(matches!(outcome, Outcome::Interrupted { step, .. } if step == stop_at));
        }
        let (outcome, broken_weights) = broken.session(u64::MAX).expect("a session");
        assert_eq!(finished(outcome), summary, "after breaks at {breaks:?}");
        assert!(broken_weights == weights, "after breaks at {breaks:?}");
        assert!(
            broken.remains() == whole.remains(),
            "after breaks at {breaks:?}"
        );
    }
}

#[test]
fn a_run_without_a_directory_is_the_same_run() {
    let whole = Run::new();
    let (outcome, weights) = whole.session(u64::MAX).expect("a run");
    let model = SmallNetwork::new(0);
    let trainer = Trainer::new(&model, &*whole.digits, short()).expect("a trainer");
    let in_memory = trainer
        .run(&AtomicBool::new(false), &mut ())
        .expect("a run");
    assert_eq!(finished(in_memory), finished(outcome));
    assert_eq!(bits(&model), weights);
}

#[test]
fn a_complete_run_gives_its_result_again() {
    let run = Run::new();
    let (outcome, weights) = run.session(u64::MAX).expect("a run");
    let summary = finished(outcome);
    let (again, weights_again) = run.session(u64::MAX).expect("a run");
    assert_eq!(finished(again), summary);
    assert_eq!(weights_again, weights);
    let noted = run.directory().summary().expect("a readable result");
    assert_eq!(timeless(&noted.expect("a result")), summary);

    let other = SmallNetwork::new(1);
    let normalization = run.directory().load_best(&other).expect("the best weights");
    assert_eq!(bits(&other), weights);
    let trainer = Trainer::new(&other, &*run.digits, short()).expect("a trainer");
    assert_eq!(normalization.as_ref(), Some(trainer.normalization()));
    assert_eq!(
        run.directory()
            .training_configuration()
            .expect("a configuration"),
        short()
    );
}

/// A process that is killed can leave the newest files of an epoch beside the last epoch's
/// checkpoint, and half of a file under a temporary name.
#[test]
fn a_run_killed_between_two_files_goes_on() {
    let whole = Run::new();
    let (outcome, weights) = whole.session(u64::MAX).expect("a run");
    let killed = Run::new();
    killed.session(8).expect("a session");
    let last = killed.directory().last();
    let checkpoint = fs::read(&last).expect("a checkpoint");
    killed.session(14).expect("a session");
    fs::write(&last, checkpoint).expect("the older checkpoint");
    let rubbish = killed.directory().path().join("last.safetensors.tmp");
    fs::write(&rubbish, b"half of a file").expect("a file");
    let lines = fs::read_to_string(killed.directory().metrics()).expect("the metrics");
    assert_eq!(lines.lines().count(), 3, "a header and two epochs");

    killed.session(9).expect("a session");
    let lines = fs::read_to_string(killed.directory().metrics()).expect("the metrics");
    assert_eq!(lines.lines().count(), 2, "the second epoch is cut again");
    let (again, weights_again) = killed.session(u64::MAX).expect("a session");
    assert_eq!(finished(again), finished(outcome));
    assert_eq!(weights_again, weights);
    assert!(killed.remains() == whole.remains());
    assert!(!rubbish.exists());
}

#[test]
fn the_metrics_are_a_table_for_people_and_programs() {
    let run = Run::new();
    run.session(u64::MAX).expect("a run");
    let metrics = fs::read_to_string(run.directory().metrics()).expect("the metrics");
    let mut lines = metrics.lines();
    insta::assert_snapshot!(lines.next().expect("a header"), @"epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate,seconds");
    let rows: Vec<Vec<f64>> = lines
        .map(|line| {
            line.split(',')
                .map(|it| it.parse().expect("a number"))
                .collect()
        })
        .collect();
    assert_eq!(
        rows.iter().map(|row| row[0]).collect::<Vec<_>>(),
        [1.0, 2.0, 3.0]
    );
    assert!(rows.iter().all(|row| row.len() == 7));
}

#[test]
fn resuming_something_else_says_what_differs() {
    let run = Run::new();
    run.session(8).expect("a session");
    let mut messages = Vec::new();
    let mut note = |result: Result<Outcome, TrainError>| {
        messages.push(run.message(result.expect_err("an error")));
    };
    let model = SmallNetwork::new(0);
    let mut other = TrainingConfiguration {
        batch_size: 32,
        schedule: snapc::train::Schedule::Constant,
        ..short()
    };
    other.split.test = 0.6;
    note(run.session_with(&model, other, u64::MAX));
    let trainer = Trainer::new(&model, &*run.digits, short()).expect("a trainer");
    let trainer = trainer.with_program("large");
    note(trainer.run_in(&run.directory(), &AtomicBool::new(false), &mut ()));
    note(run.session_with(&SmallNetwork::with_sizes(0, 16, 10), short(), u64::MAX));
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn a_new_run_does_not_overwrite_another_one() {
    let run = Run::new();
    run.session(1).expect("a session");
    let path = run.root.path().join("run");
    let messages = [
        RunDirectory::create(&path),
        RunDirectory::open(run.root.path().join("nowhere")),
    ]
    .map(|it| run.message(it.expect_err("an error").into()));
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn a_run_without_a_checkpoint_may_be_started_anew_with_other_values() {
    let run = Run::new();
    let mut model = SmallNetwork::new(0);
    model.broken_from = 1;
    run.session_with(&model, short(), u64::MAX)
        .expect_err("divergence");
    let path = run.root.path().join("run");
    RunDirectory::create(path).expect("a folder for a new run");
    let other = TrainingConfiguration {
        learning_rate: 1e-3,
        ..short()
    };
    let outcome = run.session_with(&SmallNetwork::new(0), other, u64::MAX);
    finished(outcome.expect("a run"));
}

fn damage(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("a file");
    change(&mut bytes);
    fs::write(path, bytes).expect("a file");
}

#[test]
fn damaged_files_are_told_with_what_to_do() {
    type Change = fn(&RunDirectory);
    let changes: [(&str, Change); 8] = [
        ("cut off", |run| {
            damage(&run.last(), |it| it.truncate(it.len() / 2))
        }),
        ("empty", |run| damage(&run.last(), Vec::clear)),
        ("one bit", |run| {
            damage(&run.last(), |it| *it.last_mut().expect("bytes") ^= 1)
        }),
        ("something else", |run| {
            damage(&run.last(), |it| *it = b"this is not a checkpoint".to_vec())
        }),
        ("only weights", |run| {
            fs::copy(run.best(), run.last()).expect("a copy");
        }),
        ("no best weights", |run| {
            fs::remove_file(run.best()).expect("removed")
        }),
        ("damaged best weights", |run| {
            damage(&run.best(), |it| it.truncate(it.len() / 2))
        }),
        ("damaged configuration", |run| {
            damage(&run.configuration(), |it| it.truncate(20))
        }),
    ];
    let run = Run::new();
    run.session(8).expect("a session");
    let names = ["last.safetensors", "best.safetensors", "configuration.json"];
    let path = run.directory().path().to_path_buf();
    let whole = names.map(|name| fs::read(path.join(name)).expect("a file"));
    let mut messages = String::new();
    for (name, change) in changes {
        change(&run.directory());
        let error = run.session(u64::MAX).expect_err("an error");
        messages += &format!("{name}:\n    {}\n", run.message(error));
        for (name, bytes) in names.iter().zip(&whole) {
            fs::write(path.join(name), bytes).expect("a file");
        }
    }
    insta::assert_snapshot!(messages);
    run.session(u64::MAX).expect("a run that is whole again");
}

#[test]
fn no_changed_byte_of_a_checkpoint_goes_unnoticed() {
    let run = Run::new();
    run.session(8).expect("a session");
    let path = run.directory().last();
    let whole = fs::read(&path).expect("a checkpoint");
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().expect("eight bytes")) as usize;
    let places = (0..header)
        .step_by(11)
        .chain((header..whole.len()).step_by(997));
    for place in places {
        let mut changed = whole.clone();
        changed[place] ^= 0x11;
        fs::write(&path, changed).expect("a file");
        // White space at the end of the header holds it in place and says nothing.
        assert!(
            run.session(0).is_err() || whole[place] == b' ',
            "byte {place} of {header}"
        );
    }
}

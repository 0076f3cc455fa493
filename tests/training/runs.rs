//! Whole runs: learning, events, divergence, errors.

use std::fs;
use std::sync::atomic::AtomicBool;

use candle_core::{Result, Tensor, Var};
use snapc::backend::{Mode, Model};
use snapc::train::{
    Event, OptimizerConfiguration, Outcome, Part, RunDirectory, Schedule, Summary, TrainError,
    Trainer, TrainingConfiguration,
};

use crate::small_network::{SmallNetwork, bits, digits, short};

fn run(
    model: &dyn Model,
    configuration: TrainingConfiguration,
) -> std::result::Result<Summary, TrainError> {
    let digits = digits();
    let trainer = Trainer::new(model, &*digits, configuration)?;
    let outcome = trainer.run(&AtomicBool::new(false), &mut ())?;
    Ok(outcome.finished().expect("a complete run"))
}

#[test]
fn a_small_network_learns_the_digits() {
    let configuration = TrainingConfiguration {
        epochs: 8,
        ..TrainingConfiguration::default()
    };
    let summary = run(&SmallNetwork::new(0), configuration).expect("a run");
    assert!(summary.test.accuracy > Some(0.93), "{summary:?}");
    assert!(summary.test.macro_f1 > Some(0.93), "{summary:?}");
    assert_eq!((summary.epochs.len(), summary.steps), (8, 160));
    assert_eq!(summary.parameters, 12 * 9 + 192 * 10 + 10);
    let first = &summary.epochs[0];
    let last = &summary.epochs[7];
    assert!(last.train_loss < first.train_loss && last.validation_loss < first.validation_loss);
}

#[test]
fn sgd_learns_as_well() {
    let configuration = TrainingConfiguration {
        epochs: 8,
        optimizer: OptimizerConfiguration::sgd(),
        learning_rate: 0.1,
        weight_decay: 5e-4,
        schedule: Schedule::warmup_cosine(),
        ..TrainingConfiguration::default()
    };
    let summary = run(&SmallNetwork::new(0), configuration).expect("a run");
    assert!(summary.test.accuracy > Some(0.93), "{summary:?}");
}

#[test]
fn the_model_ends_with_the_weights_of_the_best_epoch() {
    let (model, digits) = (SmallNetwork::new(1), digits());
    let trainer = Trainer::new(&model, &*digits, short()).expect("a trainer");
    let outcome = trainer.run(&AtomicBool::new(false), &mut ());
    let summary = outcome.expect("a run").finished().expect("a complete run");
    let validation = trainer.evaluate(Part::Validation).expect("an evaluation");
    assert_eq!(validation.scores(), summary.validation);
    assert_eq!(validation.loss, summary.validation_loss);
    let test = trainer.evaluate(Part::Test).expect("an evaluation");
    assert_eq!(test.scores(), summary.test);
    let best = summary.epochs.iter().map(|it| it.validation.accuracy);
    let best = best.flatten().fold(0.0, f64::max);
    assert_eq!(summary.validation.accuracy, Some(best));
}

#[test]
fn the_seed_decides_the_run() {
    let with_seed = |seed| {
        let model = SmallNetwork::new(5);
        run(&model, TrainingConfiguration { seed, ..short() }).expect("a run");
        bits(&model)
    };
    assert_eq!(with_seed(1), with_seed(1));
    assert_ne!(with_seed(1), with_seed(2));
}

#[test]
fn observers_are_told_every_step_and_epoch_in_order() {
    let (model, digits) = (SmallNetwork::new(0), digits());
    let configuration = TrainingConfiguration {
        epochs: 2,
        ..short()
    };
    let trainer = Trainer::new(&model, &*digits, configuration).expect("a trainer");
    let mut log = Vec::new();
    let mut observer = |event: Event<'_>| {
        log.push(match event {
            Event::Started {
                steps,
                done,
                epochs,
                ..
            } => format!("{done}/{steps} in {epochs}"),
            Event::Step {
                step,
                epoch,
                loss,
                mean_loss,
                scores,
                learning_rate,
            } => {
                assert!(loss > 0.0 && mean_loss > 0.0 && learning_rate > 0.0);
                let accuracy = scores.accuracy.expect("of classes");
                assert!((0.0..=1.0).contains(&accuracy));
                format!("step {step} of epoch {epoch}")
            }
            Event::Epoch { record, .. } => format!("epoch {}", record.epoch),
            Event::Finished(summary) => format!("finished after {}", summary.steps),
            other => panic!("unexpected {other:?}"),
        });
    };
    trainer
        .run(&AtomicBool::new(false), &mut observer)
        .expect("a run");
    insta::assert_snapshot!(log.join("\n"));
}

#[test]
fn a_huge_learning_rate_is_reported_with_its_step() {
    let configuration = TrainingConfiguration {
        optimizer: OptimizerConfiguration::sgd(),
        learning_rate: 1e30,
        schedule: Schedule::Constant,
        gradient_clip: None,
        ..short()
    };
    let model = SmallNetwork::new(0);
    let before = bits(&model);
    let error = run(&model, configuration).expect_err("divergence");
    assert!(
        matches!(
            error,
            TrainError::Diverged {
                epoch: 1,
                step: 2,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(
        bits(&model),
        before,
        "the model is as it was before the epoch"
    );
}

#[test]
fn divergence_overwrites_no_checkpoint() {
    let digits = digits();
    let root = tempfile::tempdir().expect("a folder");
    let directory = RunDirectory::create(root.path().join("run")).expect("a folder");
    let mut model = SmallNetwork::new(0);
    model.broken_from = 8;
    let trainer = Trainer::new(&model, &*digits, short()).expect("a trainer");
    let read = |path| fs::read(path).expect("a file");
    let mut after_epoch = None;
    let mut model_after_epoch = Vec::new();
    let mut observer = |event: Event<'_>| {
        if let Event::Epoch { .. } = event {
            let files = [directory.best(), directory.last(), directory.metrics()];
            after_epoch = Some(files.map(read));
            model_after_epoch = bits(&model);
        }
    };
    let outcome = trainer.run_in(&directory, &AtomicBool::new(false), &mut observer);
    insta::assert_snapshot!(outcome.expect_err("divergence"), @"training diverged: in step 9 (epoch 2) the training loss is NaN; try a lower learning rate, or a longer warm-up");
    let files = [directory.best(), directory.last(), directory.metrics()];
    assert_eq!(after_epoch, Some(files.map(read)));
    assert_eq!(bits(&model), model_after_epoch);
    assert!(!directory.result().exists());

    // With the cause gone, the run goes on from there.
    model.broken_from = u64::MAX;
    let trainer = Trainer::new(&model, &*digits, short()).expect("a trainer");
    let outcome = trainer.run_in(&directory, &AtomicBool::new(false), &mut ());
    assert!(matches!(outcome, Ok(Outcome::Finished(_))));
}

/// Gives something else than a value for each class.
struct Identity(Option<Var>);

impl Model for Identity {
    fn forward(&self, batch: &Tensor, _: Mode) -> Result<Tensor> {
        Ok(batch.clone())
    }
    fn trainable(&self) -> Vec<(String, Var)> {
        let variable = self.0.clone();
        variable
            .map(|it| ("it".to_string(), it))
            .into_iter()
            .collect()
    }
    fn state(&self) -> Vec<(String, Var)> {
        Vec::new()
    }
}

#[test]
fn models_that_can_not_be_trained_are_told_with_what_to_do() {
    let variable = Var::new(0f32, &candle_core::Device::Cpu).expect("a variable");
    let messages = [
        run(&Identity(None), short()),
        run(&Identity(Some(variable)), short()),
        run(&SmallNetwork::with_sizes(0, 12, 7), short()),
    ]
    .map(|it| it.expect_err("an error").to_string());
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn the_default_configuration_is_valid_and_survives_json() {
    let default = TrainingConfiguration::default();
    assert_eq!(default.validate(), Ok(()));
    let json = serde_json::to_string_pretty(&default).expect("JSON");
    insta::assert_snapshot!(json);
    let read: TrainingConfiguration = serde_json::from_str(&json).expect("a configuration");
    assert_eq!(read, default);
    let partial = serde_json::from_str::<TrainingConfiguration>(r#"{"epochs": 7}"#);
    assert_eq!(
        partial.expect("a configuration"),
        TrainingConfiguration {
            epochs: 7,
            ..default
        }
    );
    let unknown = serde_json::from_str::<TrainingConfiguration>(r#"{"epoch": 7}"#);
    assert!(
        unknown
            .expect_err("an error")
            .to_string()
            .contains("unknown field `epoch`")
    );
}

#[test]
fn values_that_make_no_training_are_named() {
    let changes: [fn(&mut TrainingConfiguration); 13] = [
        |it| it.epochs = 0,
        |it| it.batch_size = 0,
        |it| it.learning_rate = 0.0,
        |it| it.learning_rate = f64::INFINITY,
        |it| it.weight_decay = -0.1,
        |it| it.label_smoothing = 1.0,
        |it| it.gradient_clip = Some(0.0),
        |it| it.shift = usize::MAX,
        |it| it.split.validation = 0.0,
        |it| (it.split.validation, it.split.test) = (0.5, 0.5),
        |it| {
            it.optimizer = OptimizerConfiguration::Sgd {
                momentum: 1.0,
                nesterov: true,
            }
        },
        |it| {
            it.schedule = Schedule::WarmupCosine {
                warmup: f64::NAN,
                floor: 0.0,
            }
        },
        |it| {
            it.schedule = Schedule::OneCycle {
                rise: 0.3,
                initial_divisor: 0.0,
                final_divisor: 1.0,
                cycle_momentum: false,
            }
        },
    ];
    let messages = changes.map(|change| {
        let mut configuration = TrainingConfiguration::default();
        change(&mut configuration);
        let error = run(&SmallNetwork::new(0), configuration);
        error.expect_err("an error").to_string()
    });
    insta::assert_snapshot!(messages.join("\n"));
}

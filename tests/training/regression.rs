//! Quantities instead of classes.

use std::ops::Range;
use std::sync::atomic::AtomicBool;

use candle_core::{Device, Tensor};
use snapc::backend::Network;
use snapc::data::{Dataset, Target, Task};
use snapc::diagnostic::Source;
use snapc::graph;
use snapc::train::loss::squared_error;
use snapc::train::{
    EpochRecord, Event, Outcome, Part, Residuals, RunDirectory, Scores, Summary, TrainError,
    Trainer, TrainingConfiguration,
};
use snapc::{syntax, types};

static GO_ON: AtomicBool = AtomicBool::new(false);

/// Images of four pixels, and two quantities of very different size that are linear in them.
struct Lines {
    task: Task,
    pixels: Vec<[f32; 4]>,
    quantities: Vec<[f32; 2]>,
}

impl Lines {
    fn new() -> Self {
        let pixels = (0..200_u32).map(|number| {
            // Steps that never come back to the same place.
            [0.618_034, 0.754_878, 0.819_173, 0.856_675].map(|step| (number as f32 * step).fract())
        });
        let pixels: Vec<[f32; 4]> = pixels.collect();
        let quantities = |[a, b, c, d]: &[f32; 4]| [1000.0 + 300.0 * (a - b), 0.01 * (c + d)];
        Self {
            task: Task::Quantities(["large", "small"].map(str::to_owned).to_vec()),
            quantities: pixels.iter().map(quantities).collect(),
            pixels,
        }
    }
}

impl Dataset for Lines {
    fn name(&self) -> &str {
        "lines"
    }

    fn len(&self) -> usize {
        self.pixels.len()
    }

    fn input_shape(&self) -> Vec<usize> {
        vec![1, 2, 2]
    }

    fn task(&self) -> &Task {
        &self.task
    }

    fn read_pixels(&self, index: usize, pixels: &mut [f32]) {
        pixels.copy_from_slice(&self.pixels[index]);
    }

    fn target(&self, index: usize) -> Target<'_> {
        Target::Quantities(&self.quantities[index])
    }

    fn official_test(&self) -> Option<Range<usize>> {
        None
    }
}

fn network(text: &str) -> Network {
    let source = Source::new("net.snap", text.to_owned());
    let checked = types::check(&syntax::parse(&source).file);
    let id = checked.program.named("n").expect("the net");
    let graph = graph::build(&checked.program, id).expect("a graph");
    Network::compile(&graph, &Device::Cpu, 0).expect("a network")
}

fn linear() -> Network {
    network("net n : [1, 2, 2] -> [2] = flatten dense(2)\n")
}

fn configuration() -> TrainingConfiguration {
    TrainingConfiguration {
        epochs: 30,
        batch_size: 16,
        learning_rate: 0.05,
        ..TrainingConfiguration::default()
    }
}

fn finished(outcome: Result<Outcome, TrainError>) -> Summary {
    let outcome = outcome.expect("a run").finished();
    outcome.expect("a run that was not interrupted")
}

#[test]
fn a_linear_network_learns_linear_quantities_whatever_their_units_are() {
    let lines = Lines::new();
    let network = linear();
    let trainer = Trainer::new(&network, &lines, configuration()).expect("a trainer");
    let summary = finished(trainer.run(&GO_ON, &mut ()));

    let Scores { mae, rmse, r2, .. } = summary.test;
    assert!(r2 > Some(0.999) && mae <= rmse, "{:?}", summary.test);
    assert_eq!((summary.test.accuracy, summary.test.macro_f1), (None, None));
    let errors = &summary.test_errors;
    assert!(
        errors["large"] < 3.0 && errors["small"] < 1e-4,
        "{errors:?}"
    );
    let mean = (errors["large"] + errors["small"]) / 2.0;
    assert!((mae.expect("an error") - mean).abs() < 1e-12);
    let test = trainer.evaluate(Part::Test).expect("an evaluation");
    assert_eq!(
        test.scores(),
        summary.test,
        "the model has the weights of the best epoch"
    );

    let losses = summary.epochs.iter().map(|it| it.validation_loss);
    let best = losses.fold(f64::INFINITY, f64::min);
    assert_eq!(summary.validation_loss, best, "the loss chooses the epoch");
    let first = summary.epochs[0].train;
    assert!(first.mae > Some(0.0) && first.rmse.is_none(), "{first:?}");
}

#[test]
fn the_files_of_a_run_speak_of_errors_and_a_run_goes_on() {
    let lines = Lines::new();
    let configuration = TrainingConfiguration {
        epochs: 4,
        ..configuration()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let timeless = |summary: Summary| Summary {
        seconds: 0.0,
        epochs: summary
            .epochs
            .iter()
            .map(|record| EpochRecord {
                seconds: 0.0,
                ..*record
            })
            .collect(),
        ..summary
    };

    let network = linear();
    let trainer = Trainer::new(&network, &lines, configuration.clone()).expect("a trainer");
    let whole = timeless(finished(trainer.run(&GO_ON, &mut ())));

    // Broken off in the middle of the third epoch.
    let network = linear();
    let trainer = Trainer::new(&network, &lines, configuration).expect("a trainer");
    let directory = RunDirectory::create(folder.path().join("run")).expect("a folder");
    let stop = AtomicBool::new(false);
    let steps = trainer.steps_per_epoch() as u64;
    let mut observer = |event: Event<'_>| {
        if matches!(event, Event::Step { step, .. } if step == 2 * steps + 3) {
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    };
    let outcome = trainer
        .run_in(&directory, &stop, &mut observer)
        .expect("a run");
    assert!(matches!(outcome, Outcome::Interrupted { .. }));
    let resumed = finished(trainer.run_in(&directory, &GO_ON, &mut ()));
    assert_eq!(timeless(resumed.clone()), whole);
    assert_eq!(directory.summary().expect("a result"), Some(resumed));

    let metrics = std::fs::read_to_string(directory.metrics()).expect("metrics");
    insta::assert_snapshot!(metrics.lines().next().expect("a header"), @"epoch,train_loss,train_mae,validation_loss,validation_mae,learning_rate,seconds");
    let noted = std::fs::read_to_string(directory.configuration()).expect("a configuration");
    let noted: serde_json::Value = serde_json::from_str(&noted).expect("JSON");
    assert_eq!(
        noted["data"]["quantities"],
        serde_json::json!(["large", "small"])
    );
    let normalization = directory.load_best(&network).expect("weights");
    assert_eq!(normalization.as_ref(), Some(trainer.normalization()));
    let targets = normalization.and_then(|it| it.targets).expect("a scaling");
    assert!(targets.deviation[0] > 50.0 && targets.deviation[1] < 0.01);
}

#[test]
fn a_network_gives_a_number_for_each_quantity() {
    let lines = Lines::new();
    let network = network("net n : [1, 2, 2] -> [3] = flatten dense(3)\n");
    let error = Trainer::new(&network, &lines, configuration()).map(|_| ());
    insta::assert_snapshot!(error.expect_err("three numbers"), @"the network gives a tensor of shape [1, 3] for a batch of 1, but the data has 2 quantities, so [1, 2] is needed; end the network with `gap dense(2)`");
}

#[test]
fn the_squared_error_is_the_mean_over_all_numbers() {
    let tensor = |values: [[f32; 2]; 2]| Tensor::new(&values, &Device::Cpu).expect("a tensor");
    let loss = squared_error(
        &tensor([[1.0, 2.0], [3.0, 4.0]]),
        &tensor([[1.0, 0.0], [0.0, 5.0]]),
    );
    let loss = loss
        .and_then(|loss| loss.to_scalar::<f32>())
        .expect("a loss");
    assert_eq!(loss, (0.0 + 4.0 + 9.0 + 1.0) / 4.0);
}

/// The numbers are those of scikit-learn 1.9: `mean_absolute_error`, `root_mean_squared_error` and `r2_score`,
/// each with `multioutput="raw_values"`.
#[test]
fn residuals_are_those_of_scikit_learn() {
    let known = [[3.0, 100.5], [-0.5, 102.0], [2.0, 99.0], [7.0, 101.0]];
    let predicted = [[2.5, 100.0], [0.0, 102.0], [2.0, 99.5], [8.0, 103.0]];
    let mut residuals = Residuals::new(2);
    for (predicted, known) in predicted.iter().zip(&known) {
        residuals.count(predicted, known);
    }
    assert_eq!(residuals.total(), 4);
    let close = |found: Vec<f64>, expected: [f64; 2]| {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
    };
    close(residuals.mae(), [0.5, 0.75]);
    close(
        residuals.rmse(),
        [0.612_372_435_695_794_5, 1.060_660_171_779_821_2],
    );
    close(
        residuals.r2(),
        [0.948_608_137_044_967_9, 0.040_000_000_000_000_036],
    );

    let mut constant = Residuals::new(2);
    constant.count(&[1.0, 1.0], &[1.0, 2.0]);
    constant.count(&[1.0, 2.0], &[1.0, 2.0]);
    assert_eq!(constant.r2(), [1.0, 0.0]);
}

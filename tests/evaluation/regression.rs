//! The value of a regression: the negative of its error.

use std::ops::Range;

use snapc::data::{Dataset, Target, Task};
use snapc::search::*;

use crate::blobs::{Bench, GO_ON, measured};

/// The images of the blobs, with how bright their corners are instead of their classes.
struct Corners<'a>(&'a Bench, Task, Vec<[f32; 3]>);

impl<'a> Corners<'a> {
    fn new(bench: &'a Bench) -> Self {
        let names = ["left", "right", "below"].map(str::to_owned).to_vec();
        let mut pixels = vec![0.0; 16];
        let corners = (0..bench.data.len()).map(|index| {
            bench.data.read_pixels(index, &mut pixels);
            [pixels[0] * 10.0, pixels[3] * 10.0, pixels[12] * 10.0]
        });
        let corners = corners.collect();
        Self(bench, Task::Quantities(names), corners)
    }
}

impl Dataset for Corners<'_> {
    fn name(&self) -> &str {
        "corners"
    }

    fn len(&self) -> usize {
        self.2.len()
    }

    fn input_shape(&self) -> Vec<usize> {
        self.0.data.input_shape()
    }

    fn task(&self) -> &Task {
        &self.1
    }

    fn read_pixels(&self, index: usize, pixels: &mut [f32]) {
        self.0.data.read_pixels(index, pixels);
    }

    fn target(&self, index: usize) -> Target<'_> {
        Target::Quantities(&self.2[index])
    }

    fn official_test(&self) -> Option<Range<usize>> {
        None
    }
}

#[test]
fn the_value_is_the_negative_error_or_what_is_explained() {
    let bench = Bench::new();
    let corners = Corners::new(&bench);
    let evaluate = |measurement: Option<Measurement>, epochs: usize| {
        let training = bench.training(epochs);
        let evaluation = TrainingEvaluation::new(&bench.space, &bench.source, &corners, training);
        let evaluation = evaluation.valued_by(Objective {
            measurement,
            ..Objective::default()
        });
        let mut evaluation = evaluation.expect("a measurement of quantities");
        let settings = evaluation.settings();
        let outcome = evaluation.evaluate(&bench.candidate("c"), &GO_ON);
        let (value, details) = measured(outcome);
        (value, details.measured, settings)
    };
    let (value, measured, settings) = evaluate(None, 12);
    assert_eq!(settings["objective"]["measurement"], "mae");
    assert_eq!(Some(-value), measured.validation.mae);
    assert!(measured.test.mae.is_some() && measured.test.accuracy.is_none());
    let (rmse, same, _) = evaluate(Some(Measurement::Rmse), 12);
    assert_eq!(same, measured, "what is measured changes no training");
    assert_eq!(Some(-rmse), measured.validation.rmse);
    let (r2, ..) = evaluate(Some(Measurement::R2), 12);
    assert_eq!(Some(r2), measured.validation.r2);
    assert!(
        rmse < value && value < 0.0 && r2 < 1.0,
        "{rmse} {value} {r2}"
    );

    let (earlier, ..) = evaluate(None, 1);
    assert!(
        earlier < value,
        "{earlier} after an epoch, {value} after twelve"
    );
}

#[test]
fn what_is_measured_must_be_of_the_task() {
    let bench = Bench::new();
    let corners = Corners::new(&bench);
    let errors = |dataset: &dyn Dataset, names: &[Measurement]| {
        let mut text = String::new();
        for &measurement in names {
            let objective = Objective {
                measurement: Some(measurement),
                ..Objective::default()
            };
            let training = bench.training(1);
            let evaluation =
                TrainingEvaluation::new(&bench.space, &bench.source, dataset, training);
            if let Err(error) = evaluation.valued_by(objective) {
                text += &format!("{error}\n");
            }
        }
        text
    };
    let wrong = errors(&corners, &Measurement::ALL) + &errors(&bench.data, &Measurement::ALL);
    insta::assert_snapshot!(wrong);
}

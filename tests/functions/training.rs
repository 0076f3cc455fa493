//! Equal programs train alike: their losses are the same at every step.

use std::sync::atomic::AtomicBool;

use snapc::data;
use snapc::graph::{Graph, Laws};
use snapc::train::{Event, Trainer, TrainingConfiguration};

use crate::comparison::smallest_set;
use crate::network::compile;
use crate::spelling::compiled;

/// A net for the digits around a body that keeps the shape of an image.
fn net(body: &str) -> Graph {
    compiled(&format!(
        "net n : [1, 8, 8] -> [10] = conv(3, 6) bn relu {body} flatten dropout(0.2) dense(10)\n"
    ))
}

/// The losses of the first steps.
fn losses(body: &str) -> Vec<f64> {
    let (network, digits) = (
        compile(&net(body)),
        data::open("digits").expect("the digits"),
    );
    let mut configuration = TrainingConfiguration {
        epochs: 2,
        ..TrainingConfiguration::default()
    };
    configuration.split.validation = 0.1;
    configuration.split.test = 0.7;
    let trainer = Trainer::new(&network, &*digits, configuration).expect("a trainer");
    let mut losses = Vec::new();
    let mut observer = |event: Event<'_>| {
        if let Event::Step { loss, .. } = event {
            losses.push(loss);
        }
    };
    let outcome = trainer.run(&AtomicBool::new(false), &mut observer);
    outcome.expect("it runs");
    assert_eq!(losses.len(), 12);
    losses
}

/// The largest difference between losses of two programs, which are equal under these laws.
fn difference(laws: Option<Laws>, left: &str, right: &str) -> f64 {
    assert_eq!(
        smallest_set(&net(left), &net(right)),
        laws,
        "{left} and {right}"
    );
    let (left, right) = (losses(left), losses(right));
    let differences = left
        .iter()
        .zip(&right)
        .map(|(left, right)| (left - right).abs());
    differences.fold(0.0, f64::max)
}

#[test]
fn programs_equal_under_exact_have_the_same_losses() {
    let residual = "dup conv(3) bn relu add";
    let pairs = [
        (residual, "let x x conv(3) bn relu let y x y add"),
        (
            residual,
            "dup dup conv(3) dropout(0.5) drop swap conv(3) bn relu relu add",
        ),
        (residual, "residual { { conv(3) bn } relu dropout(0) }"),
        (
            "dup conv(3) bn dropout(0.1) swap conv(1) bn dropout(0.1) add",
            "dup conv(1) bn dropout(0.1) swap conv(3) bn dropout(0.1) add",
        ),
        (
            "dup conv(3)@a gelu swap bn@n conv(3)@a bn@n mul",
            "fork { bn@second conv(3)@first bn@second | conv(3)@first gelu } mul",
        ),
    ];
    for (left, right) in pairs {
        let difference = difference(Some(Laws::Exact), left, right);
        assert_eq!(difference, 0.0, "{left} and {right}");
    }
}

#[test]
fn programs_equal_under_real_have_nearly_the_same_losses() {
    let pairs = [
        (
            "let x x conv(3) bn let a x conv(1) bn let b x a add b add relu",
            "let x x conv(1) bn let b x conv(3) bn let a x b add a add relu",
        ),
        (
            "dup conv(3) sigmoid over sigmoid mul mul",
            "dup dup conv(3) sigmoid mul swap sigmoid mul avgpool(1)",
        ),
        ("dup zero add conv(3) bn relu", "conv(3) bn relu"),
    ];
    for (left, right) in pairs {
        let difference = difference(Some(Laws::Real), left, right);
        assert!(difference < 1e-3, "{left} and {right}: {difference}");
    }
}

#[test]
fn other_programs_have_other_losses() {
    let pairs = [
        ("dup conv(3) bn relu add", "dup conv(3) bn add relu"),
        ("conv(3) bn relu", "conv(3, dilation: 2) bn relu"),
        ("dup conv(3)@a add conv(3)@a", "dup conv(3) add conv(3)"),
        (
            "dropout(0.1) relu",
            "dup dropout(0.1) swap dropout(0.1) add relu",
        ),
    ];
    for (left, right) in pairs {
        let difference = difference(None, left, right);
        assert!(difference > 1e-2, "{left} and {right}: {difference}");
    }
}

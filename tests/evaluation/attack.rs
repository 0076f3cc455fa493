//! Accuracy under attack.

use candle_core::{Device, Tensor};
use snapc::backend::Model;
use snapc::data;
use snapc::data::{BatchTargets, Batches, Normalization, Scaling};
use snapc::search::{AttackConfiguration, Evaluation, Measurement, Objective};
use snapc::train::{Attack, Part, Trainer};

use super::blobs::{Bench, Blobs, GO_ON, measured, network};

#[test]
fn accuracy_falls_with_the_distance_from_what_it_is_without_an_attack() {
    let network =
        network("net n : [1, 8, 8] -> [10] = conv(3, 8) bn relu maxpool(2) flatten dense(10)\n");
    let digits = data::open("digits").unwrap();
    let bench = Bench::new();
    let trainer = Trainer::new(&network, digits.as_ref(), bench.training(2)).unwrap();
    trainer.run(&GO_ON, &mut ()).unwrap();
    let plain = trainer.evaluate(Part::Validation).unwrap();
    let under = |attack: Attack| trainer.evaluate_under(&attack, Part::Validation).unwrap();
    let pgd = |epsilon: f64| Attack::pgd(epsilon, epsilon / 4.0, 10, 0);

    assert_eq!(under(Attack::fgsm(0.0)), plain);
    assert_eq!(under(pgd(0.0)), plain);
    let accuracy = |attack: fn(f64) -> Attack| {
        [0.0, 0.05, 0.1, 0.2].map(|epsilon| under(attack(epsilon)).scores().accuracy)
    };
    let (fgsm, pgd) = (accuracy(Attack::fgsm), accuracy(pgd));
    assert!(fgsm.is_sorted_by(|a, b| a > b), "{fgsm:?}");
    assert!(pgd.is_sorted_by(|a, b| a > b), "{pgd:?}");
    // Whoever looks again after each step finds more.
    assert!(pgd[2] < fgsm[2] && pgd[3] < fgsm[3], "{pgd:?} {fgsm:?}");
    assert_eq!(
        under(Attack::pgd(0.1, 0.02, 5, 3)),
        under(Attack::pgd(0.1, 0.02, 5, 3))
    );
}

/// For two classes, the loss of a linear network grows with `(w_other - w_label) x`: whatever the
/// input, its gradient has the signs of `w_other - w_label`.
#[test]
fn the_attack_on_a_linear_network_has_a_closed_form() {
    let network = network("net n : [1, 4, 4] -> [3] = flatten dense(3)\n");
    let blobs = Blobs::new();
    // A third class that nothing is taken for.
    let (_, weight) = network
        .trainable()
        .into_iter()
        .find(|(_, it)| it.rank() == 2)
        .unwrap();
    let (_, bias) = network
        .trainable()
        .into_iter()
        .find(|(_, it)| it.rank() == 1)
        .unwrap();
    bias.set(&Tensor::new(&[0.0f32, 0.0, -1e4], &Device::Cpu).unwrap())
        .unwrap();
    let rows = weight.to_vec2::<f32>().unwrap();
    assert_eq!(rows.len(), 3);

    let examples: Vec<usize> = (0..60).filter(|number| number % 3 < 2).collect();
    let normalization = Normalization::measure(&blobs, &examples);
    let batches = Batches::in_order(&blobs, &normalization, &examples, 64);
    let batch = batches.read(0).unwrap();
    let pixels = |inputs: &Tensor| -> Vec<f32> {
        let values = inputs.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let Scaling { mean, deviation } = &normalization.inputs;
        let (mean, deviation) = (mean[0], deviation[0]);
        values
            .into_iter()
            .map(|value| value * deviation + mean)
            .collect()
    };
    let epsilon = 0.1f32;
    let BatchTargets::Classes { classes, .. } = &batch.targets else {
        panic!("blobs have classes");
    };
    let attacked = Attack::fgsm(f64::from(epsilon))
        .inputs(&network, &batch, &normalization, 0)
        .unwrap();
    let (before, after) = (pixels(&batch.inputs), pixels(&attacked));
    for (place, (before, after)) in before.into_iter().zip(after).enumerate() {
        let label = classes[place / 16] as usize;
        let slope = rows[1 - label][place % 16] - rows[label][place % 16];
        let expected = (before + epsilon * slope.signum()).clamp(0.0, 1.0);
        assert!((after - expected).abs() < 1e-5, "{after}, not {expected}");
    }
}

#[test]
fn no_pixel_is_changed_by_more_than_allowed() {
    let network = network("net n : [1, 4, 4] -> [3] = conv(3, 4) relu flatten dense(3)\n");
    let blobs = Blobs::new();
    let examples: Vec<usize> = (0..40).collect();
    let normalization = Normalization::measure(&blobs, &examples);
    let batches = Batches::in_order(&blobs, &normalization, &examples, 20);
    for number in 0..2 {
        let batch = batches.read(number).unwrap();
        let attack = Attack::pgd(0.05, 0.03, 7, 1);
        let attacked = attack
            .inputs(&network, &batch, &normalization, number)
            .unwrap();
        let numbers = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let Scaling { mean, deviation } = &normalization.inputs;
        let (mean, deviation) = (mean[0], deviation[0]);
        for (before, after) in numbers(&batch.inputs).into_iter().zip(numbers(&attacked)) {
            assert!((after - before).abs() * deviation < 0.05 + 1e-5);
            assert!((-1e-5..=1.00001).contains(&(after * deviation + mean)));
        }
    }
}

#[test]
fn robust_accuracy_is_a_value_and_is_told_of_the_test_part_too() {
    let bench = Bench::new();
    let evaluate = |measurement, epsilon| {
        let objective = Objective {
            measurement: Some(measurement),
            attack: AttackConfiguration {
                epsilon,
                ..AttackConfiguration::default()
            },
            ..Objective::default()
        };
        let evaluation = bench.evaluation(bench.training(3)).valued_by(objective);
        let mut evaluation = evaluation.expect("a measurement of classes");
        measured(evaluation.evaluate(&bench.candidate("cc"), &GO_ON))
    };
    let (plain, details) = evaluate(Measurement::Accuracy, 0.1);
    assert_eq!(details.measured.validation_robust_accuracy, None);
    for measurement in [Measurement::Fgsm, Measurement::Pgd] {
        let (value, details) = evaluate(measurement, 0.0);
        assert_eq!(value, plain);
        let tested = details.measured.test_robust_accuracy;
        assert_eq!(tested, details.measured.test.accuracy);
        let (value, details) = evaluate(measurement, 0.1);
        assert_eq!(details.measured.validation_robust_accuracy, Some(value));
        assert!(
            value < plain,
            "{measurement:?}: {value}, {plain} without an attack"
        );
    }
}

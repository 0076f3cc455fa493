//! Training programs: the compiled network with batch norm and dropout instead of one by hand.

use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::Device;
use snapc::backend::Network;
use snapc::diagnostic::Source;
use snapc::train::{Event, Outcome, RunDirectory, Trainer, TrainingConfiguration};
use snapc::{graph, syntax, types};

use crate::small_network::{bits, digits, short};

const PROGRAM: &str = "
    net small : [1, 8, 8] -> [10] =
        conv(3, 8) bn relu maxpool(3, stride: 2)
        dup conv(3) bn relu add
        flatten dropout(0.2) dense(10)
";

fn compile(seed: u64) -> Network {
    let parsed = syntax::parse(&Source::new("small.snap", PROGRAM));
    assert_eq!(parsed.diagnostics, []);
    let checked = types::check(&parsed.file);
    assert_eq!(checked.diagnostics, []);
    let graph = graph::build(&checked.program, types::DefinitionId(0)).expect("a graph");
    Network::compile(&graph, &Device::Cpu, seed).expect("a network")
}

#[test]
fn a_program_learns_the_digits() {
    let (network, digits) = (compile(0), digits());
    let configuration = TrainingConfiguration {
        epochs: 12,
        ..TrainingConfiguration::default()
    };
    let trainer = Trainer::new(&network, &*digits, configuration).expect("a trainer");
    let outcome = trainer.run(&AtomicBool::new(false), &mut ());
    let summary = outcome.expect("a run").finished().expect("a complete run");
    assert!(summary.test.accuracy > Some(0.96), "{summary:?}");
}

#[test]
fn a_program_with_breaks_trains_bit_for_bit_as_without() {
    let digits = digits();
    let train = |breaks: &[u64]| {
        let root = tempfile::tempdir().expect("a folder");
        let directory = RunDirectory::create(root.path()).expect("a folder");
        let mut last = Vec::new();
        for &stop_at in breaks.iter().chain([&u64::MAX]) {
            let network = compile(3);
            let trainer = Trainer::new(&network, &*digits, short()).expect("a trainer");
            let stop = AtomicBool::new(false);
            let mut observer = |event: Event<'_>| {
                if let Event::Step { step, .. } = event {
                    stop.store(step >= stop_at, Ordering::Relaxed);
                }
            };
            let outcome = trainer.run_in(&directory, &stop, &mut observer);
            let interrupted = matches!(outcome.expect("a session"), Outcome::Interrupted { .. });
            assert_eq!(interrupted, stop_at < u64::MAX);
            last = bits(&network);
        }
        last
    };
    let whole = train(&[]);
    assert!(train(&[4, 6, 17]) == whole);
}

//! What the search itself costs, the evaluation of candidates aside, and what its model has learnt
//! for that: `cargo bench --bench search`.

use std::sync::atomic::AtomicBool;

use divan::{Bencher, black_box};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;
use snapc::search::{
    AutosnapConfiguration, Candidate, Choice, Codes, Evaluation, Learner, Outcome, ProgramSpace,
    Search, SearchConfiguration, Silent, Store, StrategyName, decode, random_program,
};
use toy::Toy;

#[path = "../tests/toy/mod.rs"]
mod toy;

/// Programs of up to 12 over 9 symbols, as in the examples.
const LONGEST: usize = 12;

static GO_ON: AtomicBool = AtomicBool::new(false);

fn main() {
    divan::main();
}

/// The whole training on random programs, with the settings of the configuration. Prints what came
/// of it.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn pretraining(bencher: Bencher<'_, '_>) {
    let space = Toy::new(LONGEST);
    let configuration = AutosnapConfiguration::default();
    bencher.bench_local(|| {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut learner = Learner::new(&space, &configuration, 0).unwrap();
        learner.pretrain(&mut rng, &GO_ON, &mut |_| {}).unwrap();
        println!("{:#?}", learner.measure(&space, &mut rng).unwrap());
    });
}

/// A learner that has learnt nothing: its work is the same.
fn learner() -> (Toy, Learner) {
    let space = Toy::new(LONGEST);
    let mut configuration = AutosnapConfiguration::default();
    configuration.pretraining.steps = 1;
    let learner = Learner::new(&space, &configuration, 0).unwrap();
    (space, learner)
}

#[divan::bench(sample_count = 20)]
fn pretraining_step(bencher: Bencher<'_, '_>) {
    let (_, mut learner) = learner();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    bencher.bench_local(|| learner.pretrain(&mut rng, &GO_ON, &mut |_| {}).unwrap());
}

#[divan::bench(sample_count = 20)]
fn decode_384_codes(bencher: Bencher<'_, '_>) {
    let (space, learner) = learner();
    let latent = learner.model().sizes().latent;
    let codes = Codes {
        latent,
        values: vec![0.5; 384 * latent],
    };
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let model = learner.model();
    bencher.bench_local(|| decode(model, &space, black_box(&codes), Choice::Greedy, &mut rng));
}

#[divan::bench]
fn random_program_and_key(bencher: Bencher<'_, '_>) {
    let space = Toy::new(LONGEST);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    bencher.bench_local(|| space.key(&random_program(&space, &mut rng).unwrap()));
}

/// Has its value at once.
struct Length;

impl Evaluation for Length {
    fn evaluate(&mut self, candidate: &Candidate, _: &AtomicBool) -> Outcome {
        Outcome::Measured {
            value: candidate.program.len() as f64,
            details: Value::Null,
        }
    }
}

/// A whole search of 48 candidates without the training on random programs: joint training,
/// measuring the model, climbing and keeping it all.
#[divan::bench(sample_count = 3, args = [StrategyName::Random, StrategyName::Autosnap])]
fn search_48_candidates(bencher: Bencher<'_, '_>, strategy: StrategyName) {
    let mut configuration = SearchConfiguration {
        strategy,
        budget: 48,
        ..SearchConfiguration::default()
    };
    configuration.autosnap.pretraining.steps = 1;
    bencher.bench_local(|| {
        let store = Store::in_memory().unwrap();
        let space = Toy::new(LONGEST);
        let mut search = Search::open(space, configuration.clone(), Value::Null, store).unwrap();
        search.run(&mut Length, &mut Silent, &GO_ON).unwrap()
    });
}

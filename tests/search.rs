//! The search over a toy language: what it proposes, what it keeps, and what no kill can take.

#![cfg(feature = "backend")]

mod toy;

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};
use snapc::diagnostic::Source;
use snapc::search::*;
use snapc::sketch::Space;
use snapc::{syntax, types};
use tempfile::TempDir;
use toy::Toy;

/// A value with something to learn: each symbol counts, and some pairs count more.
fn value(program: &str) -> f64 {
    let symbol = |symbol| match symbol {
        'a' => 1.0,
        'b' => -0.5,
        'c' => 0.3,
        'd' => -1.0,
        ':' => 0.4,
        '~' => -0.2,
        '+' => 0.8,
        '|' => -0.3,
        _ => 0.0,
    };
    let pair = |pair: &[u8]| match pair {
        b"ac" => 1.5,
        b"c+" => 1.0,
        b"aa" => -1.2,
        b"+a" => 0.7,
        _ => 0.0,
    };
    program.chars().map(symbol).sum::<f64>() + program.as_bytes().windows(2).map(pair).sum::<f64>()
}

/// Measures the value, and counts.
#[derive(Default)]
struct Measure {
    programs: Vec<String>,
}

impl Evaluation for Measure {
    fn evaluate(&mut self, candidate: &Candidate, _: &AtomicBool) -> Outcome {
        self.programs.push(candidate.text.clone());
        measured(candidate)
    }
}

fn measured(candidate: &Candidate) -> Outcome {
    let details = json!({ "length": candidate.program.len() });
    Outcome::Measured {
        value: value(&candidate.text),
        details,
    }
}

static GO_ON: AtomicBool = AtomicBool::new(false);

/// Small enough for a test: a round costs some hundredths of a second.
fn small(strategy: StrategyName, seed: u64, budget: usize) -> SearchConfiguration {
    let mut configuration = SearchConfiguration {
        seed,
        budget,
        strategy,
        initial: 6,
        round: 3,
        ..Default::default()
    };
    let autosnap = &mut configuration.autosnap;
    autosnap.climbs = 2;
    autosnap.model.hidden = 16;
    autosnap.model.latent = 12;
    autosnap.pretraining.programs = 500;
    autosnap.pretraining.held_out = 32;
    autosnap.pretraining.steps = 20;
    autosnap.pretraining.batch = 32;
    autosnap.joint.steps = 4;
    autosnap.joint.batch = 16;
    configuration.nao = NaoConfiguration {
        predictor_layers: 2,
        predictor_hidden: 16,
        hidden: 16,
        latent: 12,
        pretraining: configuration.autosnap.pretraining.clone(),
        joint: configuration.autosnap.joint.clone(),
        ..NaoConfiguration::default()
    };
    configuration
}

fn open(configuration: &SearchConfiguration, store: Store) -> Search<Toy> {
    Search::open(Toy::new(8), configuration.clone(), Value::Null, store).unwrap()
}

fn finish(search: &mut Search<Toy>) -> Summary {
    search
        .run(&mut Measure::default(), &mut Silent, &GO_ON)
        .unwrap()
}

/// What must be the same in two runs of a search: all but the times.
fn essence(history: &History) -> Vec<String> {
    let line = |record: &Record| {
        let Record {
            candidate,
            round,
            origin,
            predicted,
            ..
        } = record;
        format!(
            "{round} {} {origin:?} {predicted:?} {:?}",
            candidate.text,
            record.value()
        )
    };
    history.records().iter().map(line).collect()
}

fn uninterrupted(configuration: &SearchConfiguration) -> History {
    let mut search = open(configuration, Store::in_memory().unwrap());
    finish(&mut search);
    search.history().clone()
}

// What may be proposed

#[test]
fn random_programs_are_valid_and_of_all_lengths() {
    let space = Toy::new(7);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let programs: Vec<Vec<u8>> = (0..500)
        .map(|_| random_program(&space, &mut rng).unwrap())
        .collect();
    assert!(programs.iter().all(|program| is_valid(&space, program)));
    let lengths: HashSet<usize> = programs.iter().map(Vec::len).collect();
    assert_eq!(lengths, (1..=7).collect());
}

#[test]
fn text_and_opcodes_say_the_same() {
    let space = Toy::new(7);
    let program = opcodes(&space, ":ab~+").unwrap();
    assert_eq!(text(&space, &program), ":ab~+");
    assert!(is_valid(&space, &program));
    assert!(!is_valid(&space, &opcodes(&space, ":ab~").unwrap()));
    assert_eq!(opcodes(&space, ":ax+"), None);
}

/// The keys of all valid programs.
fn all_keys(space: &Toy) -> HashSet<Key> {
    let mut keys = HashSet::new();
    let mut prefixes = vec![vec![]];
    while let Some(prefix) = prefixes.pop() {
        let allowed = space.allowed(&prefix);
        if allowed.end {
            keys.insert(space.key(&prefix));
        }
        prefixes.extend(
            allowed
                .iter()
                .map(|symbol| [prefix.as_slice(), &[symbol]].concat()),
        );
    }
    keys
}

#[test]
fn a_space_is_searched_to_its_end_and_no_further() {
    // The empty program is one too.
    let space = || Toy { lengths: 0..=3 };
    let keys = all_keys(&space()).len();
    for strategy in [
        StrategyName::Random,
        StrategyName::Nao,
        StrategyName::Autosnap,
    ] {
        let mut configuration = small(strategy, 0, 100_000);
        configuration.round = 40;
        let store = Store::in_memory().unwrap();
        let mut search = Search::open(space(), configuration, Value::Null, store).unwrap();
        let summary = search
            .run(&mut Measure::default(), &mut Silent, &GO_ON)
            .unwrap();
        assert_eq!(summary.ending, Ending::Exhausted);
        assert_eq!(summary.evaluated, keys);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the weights, the codes and the temperature, what is decoded is a valid program.
    #[test]
    fn decoded_programs_are_valid(
        seed: u64, shortest in 0usize..2, longest in 1usize..10, scale in 0.0f32..30.0, temperature in 0.01f64..5.0
    ) {
        let space = Toy { lengths: shortest..=longest };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let sizes = Sizes { symbols: 9, longest, hidden: 8, latent: 4, parts: 0, value_layers: 0, value_hidden: 0 };
        let model = AutoEncoder::new(sizes, &mut rng);
        let values = (0..4 * 20).map(|_| scale * rng.random_range(-1.0f32..1.0)).collect();
        let codes = Codes { latent: 4, values };
        for choice in [Choice::Greedy, Choice::Sampled(temperature)] {
            let programs = decode(&model, &space, &codes, choice, &mut rng);
            prop_assert_eq!(programs.len(), 20);
            for program in programs {
                prop_assert!(is_valid(&space, &program.expect("the space keeps its contract")));
            }
        }
    }

    /// No search proposes a program twice, whatever its seed.
    #[test]
    fn keys_are_proposed_once(seed: u64) {
        let history = uninterrupted(&small(StrategyName::Random, seed, 60));
        prop_assert_eq!(history.records().len(), 60);
        prop_assert_eq!(history.keys().len(), 60);
    }
}

// The model

#[test]
fn the_auto_encoder_learns_to_give_unseen_programs_back() {
    let space = Toy::new(5);
    let mut configuration = AutosnapConfiguration::default();
    configuration.model.hidden = 32;
    configuration.model.latent = 24;
    configuration.pretraining.programs = 2000;
    configuration.pretraining.held_out = 100;
    configuration.pretraining.steps = 500;
    configuration.pretraining.batch = 32;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut learner = Learner::new(&space, &configuration, 0).unwrap();
    let before = learner.measure(&space, &mut rng).unwrap();
    learner.pretrain(&mut rng, &GO_ON, &mut |_| {}).unwrap();
    let after = learner.measure(&space, &mut rng).unwrap();
    assert!(before.reconstructed_programs < 0.2, "{before:?}");
    assert!(after.reconstructed_programs > 0.8, "{after:?}");
    assert!(after.reconstructed_symbols > 0.9, "{after:?}");
    assert!(
        after.valid_unconstrained > before.valid_unconstrained,
        "{after:?}"
    );
    assert_eq!((before.valid, after.valid), (1.0, 1.0));
}

#[test]
fn the_value_layer_learns_the_order_of_unseen_programs() {
    let space = Toy::new(6);
    let mut configuration = small(StrategyName::Autosnap, 0, 1).autosnap;
    configuration.model.hidden = 32;
    configuration.pretraining.steps = 200;
    configuration.joint.steps = 150;
    let correlation = correlation_of_unseen(&space, &configuration);
    assert!(correlation > 0.6, "{correlation}");
}

/// How well the values of 60 programs are ordered after those of 100 others were learnt.
fn correlation_of_unseen(space: &Toy, configuration: &AutosnapConfiguration) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut learner = Learner::new(space, configuration, 0).unwrap();
    learner.pretrain(&mut rng, &GO_ON, &mut |_| {}).unwrap();
    let programs: Vec<Vec<u8>> = (0..160)
        .map(|_| random_program(space, &mut rng).unwrap())
        .collect();
    let measured = |program: &[u8]| value(&text(space, program));
    let (known, unknown) = programs.split_at(100);
    let examples: Vec<Example<'_>> = known
        .iter()
        .map(|program| Example {
            program,
            value: measured(program),
        })
        .collect();
    learner.train(&examples, &mut rng, &GO_ON).unwrap();
    let unknown: Vec<&[u8]> = unknown.iter().map(Vec::as_slice).collect();
    let predicted = learner.predict(&unknown).unwrap();
    let truth: Vec<f64> = unknown.iter().map(|program| measured(program)).collect();
    spearman(&predicted, &truth).unwrap()
}

#[test]
fn where_programs_are_respelled_equal_ones_are_decoded_alike() {
    let space = Toy::new(5);
    let mut programs: HashMap<Key, Vec<Vec<u8>>> = HashMap::new();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for _ in 0..3000 {
        let program = random_program(&space, &mut rng).unwrap();
        let spellings = programs.entry(space.key(&program)).or_default();
        if !spellings.contains(&program) {
            spellings.push(program);
        }
    }
    programs.retain(|_, spellings| spellings.len() > 1);
    assert!(programs.len() > 20, "{}", programs.len());
    let decoded_alike = |respelled: f64| {
        let mut configuration = AutosnapConfiguration::default();
        configuration.model.respelled = respelled;
        configuration.model.hidden = 32;
        configuration.model.latent = 24;
        configuration.pretraining.programs = 2000;
        configuration.pretraining.steps = 300;
        configuration.pretraining.batch = 32;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut learner = Learner::new(&space, &configuration, 0).unwrap();
        learner.pretrain(&mut rng, &GO_ON, &mut |_| {}).unwrap();
        let report = learner.measure(&space, &mut rng).unwrap();
        assert!(report.reconstructed_programs > 0.6, "{report:?}");
        let alike = programs.values().filter(|spellings| {
            let spellings: Vec<&[u8]> = spellings.iter().map(Vec::as_slice).collect();
            let codes = learner.encode(&spellings).unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(2);
            let back = decode(learner.model(), &space, &codes, Choice::Greedy, &mut rng);
            back.iter().all(|it| it == &back[0])
        });
        alike.count() as f64 / programs.len() as f64
    };
    let (alike, before) = (decoded_alike(0.5), decoded_alike(0.0));
    assert!(alike > 0.6 && before < 0.3, "{alike} and {before}");
}

#[test]
fn ranking_alone_teaches_the_order_of_programs() {
    let space = Toy::new(6);
    let mut configuration = small(StrategyName::Autosnap, 0, 1).autosnap;
    configuration.model.hidden = 32;
    configuration.model.value_weight = 0.0;
    configuration.model.ranking_weight = 1.0;
    configuration.pretraining.steps = 200;
    configuration.joint.steps = 150;
    let correlation = correlation_of_unseen(&space, &configuration);
    assert!(correlation > 0.6, "{correlation}");
}

#[test]
fn a_saved_learner_goes_on_as_if_nothing_had_been() {
    let space = Toy::new(6);
    let configuration = small(StrategyName::Autosnap, 0, 1).autosnap;
    let program = opcodes(&space, ":ab+").unwrap();
    let example = Example {
        program: &program,
        value: 1.0,
    };
    let go_on = |learner: &mut Learner| {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        learner
            .train(&[example, example], &mut rng, &GO_ON)
            .unwrap();
        learner.predict(&[&program]).unwrap()
    };
    let mut learner = Learner::new(&space, &configuration, 0).unwrap();
    learner
        .pretrain(&mut ChaCha8Rng::seed_from_u64(1), &GO_ON, &mut |_| {})
        .unwrap();
    let saved = learner.save().unwrap();
    let mut other = Learner::new(&space, &configuration, 0).unwrap();
    other.restore(&saved).unwrap();
    assert_eq!(go_on(&mut learner), go_on(&mut other));

    let mut wider = configuration;
    wider.model.hidden += 1;
    let mut wider = Learner::new(&space, &wider, 0).unwrap();
    assert!(wider.restore(&saved).is_err());
    assert!(wider.restore(b"nonsense").is_err());
}

// The search

#[test]
fn climbs_find_better_programs_than_random() {
    let best = |strategy: StrategyName| {
        let seeds = 0..3;
        let runs = seeds.map(|seed| {
            let mut configuration = small(strategy, seed, 40);
            configuration.autosnap.model.hidden = 32;
            configuration.autosnap.model.latent = 24;
            configuration.autosnap.pretraining.programs = 2000;
            configuration.autosnap.pretraining.steps = 250;
            configuration.autosnap.joint.steps = 12;
            configuration.nao.hidden = 32;
            configuration.nao.latent = 24;
            configuration.nao.pretraining = configuration.autosnap.pretraining.clone();
            configuration.nao.joint.steps = 30;
            uninterrupted(&configuration).best(1)[0].value().unwrap()
        });
        runs.sum::<f64>() / 3.0
    };
    let random = best(StrategyName::Random);
    for strategy in [StrategyName::Autosnap, StrategyName::Nao] {
        let found = best(strategy);
        assert!(
            found > random + 0.5,
            "{strategy:?} {found}, random {random}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_search_and_another_seed_another() {
    for strategy in [
        StrategyName::Random,
        StrategyName::Nao,
        StrategyName::Autosnap,
    ] {
        let history = uninterrupted(&small(strategy, 3, 15));
        assert_eq!(
            essence(&history),
            essence(&uninterrupted(&small(strategy, 3, 15)))
        );
        assert_ne!(
            essence(&history),
            essence(&uninterrupted(&small(strategy, 4, 15)))
        );
    }
}

#[test]
fn every_proposal_says_where_it_comes_from() {
    let mut configuration = small(StrategyName::Autosnap, 1, 30);
    configuration.autosnap.strangers = 4;
    let history = uninterrupted(&configuration);
    let (first, later) = history.records().split_at(6);
    assert!(first.iter().all(|record| record.origin == Origin::Random));
    assert!(first.iter().all(|record| record.predicted.is_none()));
    assert!(later.iter().all(|record| record.predicted.is_some()));
    let mut kinds = [0; 2];
    for record in later {
        let (from, went_on) = match record.origin {
            Origin::Climbed { from, step } => {
                kinds[0] += 1;
                (Some(from), step > 0.0)
            }
            Origin::Refined { from, edits } => {
                kinds[1] += 1;
                (from, edits > 0)
            }
            _ => continue,
        };
        assert!(went_on, "{:?}", record.origin);
        if let Some(from) = from {
            let start = &history.records()[from];
            assert!(start.round < record.round && start.value().is_some());
        }
    }
    let [climbed, refined] = kinds;
    assert!(climbed > 0 && refined > 0, "{kinds:?} of {}", later.len());
    assert!(climbed + refined > later.len() / 2, "{kinds:?}");
}

#[test]
fn without_climbs_candidates_are_what_chance_finds_and_edits_make_of_it() {
    let mut configuration = small(StrategyName::Autosnap, 1, 30);
    configuration.autosnap.climbs = 0;
    let history = uninterrupted(&configuration);
    assert_eq!(history.records().len(), 30);
    let is_refined =
        |it: &Record| matches!(it.origin, Origin::Refined { from: None, edits } if edits > 0);
    assert!(
        (history.records().iter()).all(|it| it.origin == Origin::Random || is_refined(it)),
        "no candidate was climbed to"
    );
    assert!(history.records().iter().any(is_refined));
}

#[test]
fn without_refinement_candidates_are_what_climbs_and_chance_find() {
    let mut configuration = small(StrategyName::Autosnap, 1, 30);
    configuration.autosnap.refined = 0;
    let history = uninterrupted(&configuration);
    let mut records = history.records().iter();
    assert!(records.all(|it| !matches!(it.origin, Origin::Refined { .. })));
}

#[test]
fn uncertainty_by_an_ensemble_makes_another_search_that_is_the_same_again() {
    for surrogate in [SurrogateName::Parts, SurrogateName::Latent] {
        let mut configuration = small(StrategyName::Autosnap, 3, 20);
        configuration.autosnap.surrogate = surrogate;
        let by_posterior = essence(&uninterrupted(&configuration));
        configuration.autosnap.uncertainty = UncertaintyName::Ensemble;
        let by_ensemble = essence(&uninterrupted(&configuration));
        assert_ne!(by_posterior, by_ensemble, "{surrogate:?}");
        assert_eq!(by_ensemble, essence(&uninterrupted(&configuration)));
    }
}

#[test]
fn any_number_of_workers_makes_the_same_search() {
    let configuration = small(StrategyName::Autosnap, 5, 21);
    let mut search = open(&configuration, Store::in_memory().unwrap());
    let mut running: Vec<Candidate> = Vec::new();
    loop {
        match search.ask(&mut Silent, &GO_ON).unwrap() {
            Ask::Evaluate(candidate) => running.push(candidate),
            Ask::Wait => {
                let last = running.pop().unwrap();
                search
                    .tell(last.number, measured(&last), &mut Silent)
                    .unwrap();
            }
            Ask::Finished(ending) => {
                assert_eq!(ending, Ending::Budget);
                break;
            }
        }
    }
    assert_eq!(
        essence(search.history()),
        essence(&uninterrupted(&configuration))
    );
    let told_again = search.tell(0, Outcome::Interrupted, &mut Silent);
    assert!(matches!(told_again, Err(SearchError::NotRunning(0))));
}

/// Fails on every third candidate, each time in another way.
struct Unreliable;

impl Evaluation for Unreliable {
    fn evaluate(&mut self, candidate: &Candidate, _: &AtomicBool) -> Outcome {
        match candidate.number % 6 {
            0 => Outcome::failed("out of memory"),
            3 => Outcome::Measured {
                value: f64::NAN,
                details: Value::Null,
            },
            _ => measured(candidate),
        }
    }
}

#[test]
fn failed_candidates_are_kept_with_their_reason_and_end_nothing() {
    for strategy in [
        StrategyName::Random,
        StrategyName::Nao,
        StrategyName::Autosnap,
    ] {
        let folder = TempDir::new().unwrap();
        let configuration = small(strategy, 0, 18);
        let mut search = open(&configuration, Store::open(folder.path()).unwrap());
        let summary = search.run(&mut Unreliable, &mut Silent, &GO_ON).unwrap();
        assert_eq!((summary.evaluated, summary.failed), (12, 6));
        drop(search);
        let search = open(&configuration, Store::open(folder.path()).unwrap());
        let reason = |number: usize| match &search.history().records()[number].status {
            Status::Failed { reason, .. } => reason.clone(),
            status => panic!("{status:?}"),
        };
        assert_eq!(reason(0), "out of memory");
        assert_eq!(reason(3), "its value is not finite: NaN");
    }
}

/// Proposes nonsense, repetitions and too much.
struct Careless;

impl Strategy for Careless {
    fn name(&self) -> &'static str {
        "careless"
    }

    fn ask(&mut self, round: &mut Round<'_>, _: &mut ChaCha8Rng) -> Result<Vec<Proposal>> {
        let programs = ["a", "+", "a", ":+", "~:", "b", "c", "d", "e"];
        let proposal = |program: &str| {
            let program = opcodes(round.space, program).unwrap();
            let valid = is_valid(round.space, &program);
            let key = if valid {
                round.space.key(&program)
            } else {
                Key(0)
            };
            let origin = Origin::Other {
                description: "a list".to_owned(),
            };
            Proposal {
                program,
                key,
                origin,
                predicted: None,
            }
        };
        Ok(programs.map(proposal).into())
    }
}

#[test]
fn a_careless_strategy_from_outside_does_no_harm() {
    let configuration = small(StrategyName::Random, 0, 100);
    let store = Store::in_memory().unwrap();
    let strategy = Box::new(Careless);
    let mut search =
        Search::with_strategy(Toy::new(4), configuration, strategy, Value::Null, store).unwrap();
    let summary = search
        .run(&mut Measure::default(), &mut Silent, &GO_ON)
        .unwrap();
    assert_eq!(summary.ending, Ending::Exhausted);
    let programs: Vec<&str> = search
        .history()
        .records()
        .iter()
        .map(|r| r.candidate.text.as_str())
        .collect();
    assert_eq!(programs, ["a", ":+", "b", "c", "d", "e"]);
}

/// Proposes random programs, and counts how often its state is asked for.
struct Counting {
    saves: Arc<AtomicUsize>,
    revision: fn(usize) -> Option<u64>,
    rounds: usize,
}

impl Strategy for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn ask(&mut self, round: &mut Round<'_>, rng: &mut ChaCha8Rng) -> Result<Vec<Proposal>> {
        self.rounds += 1;
        let mut seen = round.history.keys().clone();
        let programs = std::iter::repeat_with(|| random_program(round.space, rng).unwrap());
        let new = programs.map(|program| (round.space.key(&program), program));
        let proposals = new.filter(|(key, _)| seen.insert(*key)).take(round.count);
        let origin = Origin::Random;
        let proposals = proposals.map(|(key, program)| Proposal {
            program,
            key,
            origin: origin.clone(),
            predicted: None,
        });
        Ok(proposals.collect())
    }

    fn save(&self) -> Result<Vec<u8>> {
        self.saves.fetch_add(1, Ordering::Relaxed);
        Ok(vec![1, 2, 3])
    }

    fn revision(&self) -> Option<u64> {
        (self.revision)(self.rounds)
    }
}

#[test]
fn a_state_is_written_when_it_has_changed_or_when_that_is_not_known() {
    let saves = |revision| {
        let mut configuration = small(StrategyName::Random, 0, 12);
        (configuration.initial, configuration.round) = (2, 2);
        let saves = Arc::new(AtomicUsize::new(0));
        let strategy = Counting {
            saves: Arc::clone(&saves),
            revision,
            rounds: 0,
        };
        let (space, store) = (Toy::new(8), Store::in_memory().unwrap());
        let strategy = Box::new(strategy);
        let mut search =
            Search::with_strategy(space, configuration, strategy, Value::Null, store).unwrap();
        let mut evaluation = Measure::default();
        search.run(&mut evaluation, &mut Silent, &GO_ON).unwrap();
        assert_eq!(search.history().records().len(), 12);
        saves.load(Ordering::Relaxed)
    };
    assert_eq!(saves(|_| None), 6, "once a round");
    assert_eq!(saves(|_| Some(7)), 1);
    assert_eq!(
        saves(|rounds| Some(rounds as u64 / 3)),
        3,
        "it changed twice"
    );
}

/// Writes down what it is told.
#[derive(Default)]
struct Notes(Vec<String>);

impl Observer for Notes {
    fn event(&mut self, event: &Event<'_>) {
        self.0.push(match event {
            Event::Preparing { done, steps } if done == steps => "prepared".to_owned(),
            Event::Preparing { .. } => return,
            Event::Proposed {
                round,
                records,
                model,
                ..
            } => {
                let model = if model.is_some() { "model" } else { "no model" };
                format!("round {round}: {} with {model}", records.len())
            }
            Event::Started(record) => format!("started {}", record.candidate.number),
            Event::Ended(record) => {
                format!(
                    "ended {}: {}",
                    record.candidate.number,
                    record.status.name()
                )
            }
            Event::Finished(summary) => format!("finished: {}", summary.ending.name()),
        });
    }
}

#[test]
fn an_observer_is_told_everything_in_order() {
    let mut configuration = small(StrategyName::Autosnap, 0, 3);
    configuration.initial = 1;
    configuration.round = 2;
    let mut notes = Notes::default();
    let mut search = open(&configuration, Store::in_memory().unwrap());
    search.run(&mut Unreliable, &mut notes, &GO_ON).unwrap();
    assert_eq!(
        notes.0,
        [
            "round 0: 1 with no model",
            "started 0",
            "ended 0: failed",
            "round 1: 2 with no model",
            "started 1",
            "ended 1: done",
            "started 2",
            "ended 2: done",
            "finished: budget",
        ]
    );
    let mut configuration = small(StrategyName::Autosnap, 1, 2);
    configuration.initial = 1;
    let mut notes = Notes::default();
    let mut search = open(&configuration, Store::in_memory().unwrap());
    search
        .run(&mut Measure::default(), &mut notes, &GO_ON)
        .unwrap();
    assert_eq!(
        notes.0[3..],
        [
            "prepared",
            "round 1: 3 with model",
            "started 1",
            "ended 1: done",
            "finished: budget"
        ]
    );
    assert_eq!(search.store().reports().unwrap().len(), 1);
}

/// The net of the example with its hole filled by nothing but what fits.
#[test]
fn the_holes_of_a_sketch_are_searched() {
    let source = Source::new(
        "search.snap",
        include_str!("../examples/search.snap").to_owned(),
    );
    let checked = Arc::new(types::check(&syntax::parse(&source).file));
    let sketch = Space::new(checked, None).unwrap();
    for strategy in [
        StrategyName::Random,
        StrategyName::Nao,
        StrategyName::Autosnap,
    ] {
        let mut configuration = small(strategy, 0, 12);
        configuration.autosnap.pretraining.programs = 100;
        let store = Store::in_memory().unwrap();
        let mut search = Search::open(&sketch, configuration, Value::Null, store).unwrap();
        let summary = search
            .run(&mut Measure::default(), &mut Silent, &GO_ON)
            .unwrap();
        assert_eq!((summary.evaluated, summary.failed), (12, 0));
        for record in search.history().records() {
            let program = &record.candidate.program;
            assert!(sketch.graph(program).is_ok(), "{}", record.candidate.text);
            assert_eq!(sketch.key(program).unwrap(), record.candidate.key);
        }
    }
}

/// Whoever proposes programs of two cells, each has a filling for both, and other keys.
#[test]
fn all_holes_of_a_sketch_are_filled_together() {
    let text = include_str!("../examples/two_cells.snap");
    let source = Source::new("two_cells.snap", text.to_owned());
    let checked = Arc::new(types::check(&syntax::parse(&source).file));
    let sketch = Space::new(checked, None).unwrap();
    for strategy in [
        StrategyName::Random,
        StrategyName::Local,
        StrategyName::Evolution,
        StrategyName::Autosnap,
    ] {
        let mut configuration = small(strategy, 0, 12);
        configuration.autosnap.pretraining.programs = 100;
        let store = Store::in_memory().unwrap();
        let mut search = Search::open(&sketch, configuration, Value::Null, store).unwrap();
        let summary = search
            .run(&mut Measure::default(), &mut Silent, &GO_ON)
            .unwrap();
        assert_eq!((summary.evaluated, summary.failed), (12, 0));
        for record in search.history().records() {
            let text = &record.candidate.text;
            let cells: Vec<&str> = text.split(' ').collect();
            let is_cell = |cell: &&str| (1..=8).contains(&cell.len());
            assert!(cells.len() == 2 && cells.iter().all(is_cell), "{text}");
            assert!(sketch.graph(&record.candidate.program).is_ok(), "{text}");
        }
    }
}

/// A length is drawn for each hole: all lengths of both are as frequent as each other, but for what
/// has to be added to come to an end.
#[test]
fn random_programs_have_all_lengths_of_all_holes() {
    let text = "alphabet k { c = conv(3) p = conv(1) m = maxpool(3) }
        block first : [c, h, w] -> [c, h, w] = ?{0..4}
        block second : [c, h, w] -> [c, h, w] = ?{3..9}
        net n : [4, 8, 8] -> [4, 8, 8] = first second";
    let source = Source::new("test.snap", text.to_owned());
    let checked = Arc::new(types::check(&syntax::parse(&source).file));
    let sketch = Space::new(checked, None).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut counts = [[0; 10]; 2];
    for _ in 0..1400 {
        let program = random_program(&sketch, &mut rng).unwrap();
        assert!(is_valid(&sketch, &program));
        for (hole, filling) in sketch.text(&program).split(' ').enumerate() {
            counts[hole][filling.len()] += 1;
        }
    }
    // Five lengths of the first hole, seven of the second.
    assert!(
        counts[0][..=4]
            .iter()
            .all(|count| (220..340).contains(count)),
        "{counts:?}"
    );
    assert!(
        counts[1][3..]
            .iter()
            .all(|count| (150..250).contains(count)),
        "{counts:?}"
    );
}

// What is kept

/// Takes the search a number of steps on, a step being an ask or a tell, and lets it go.
fn some_steps(folder: &Path, configuration: &SearchConfiguration, steps: usize) -> bool {
    let mut search = open(configuration, Store::open(folder).unwrap());
    let mut running = None;
    for _ in 0..steps {
        match running.take() {
            Some(candidate) => {
                let candidate: Candidate = candidate;
                search
                    .tell(candidate.number, measured(&candidate), &mut Silent)
                    .unwrap();
            }
            None => match search.ask(&mut Silent, &GO_ON).unwrap() {
                Ask::Evaluate(candidate) => running = Some(candidate),
                Ask::Wait => panic!("nothing is running"),
                Ask::Finished(_) => return true,
            },
        }
    }
    false
}

#[test]
fn a_search_dropped_at_every_point_ends_as_one_that_was_not() {
    for strategy in [
        StrategyName::Random,
        StrategyName::Nao,
        StrategyName::Autosnap,
    ] {
        let configuration = small(strategy, 2, 15);
        let expected = essence(&uninterrupted(&configuration));
        // Every point once: after 1, 2, 3, ... steps.
        for steps in 1..=2 * configuration.budget {
            let folder = TempDir::new().unwrap();
            some_steps(folder.path(), &configuration, steps);
            let mut search = open(&configuration, Store::open(folder.path()).unwrap());
            finish(&mut search);
            assert_eq!(
                essence(search.history()),
                expected,
                "dropped after {steps} steps"
            );
        }
        // And dropped again and again: 3 steps are one result and one candidate begun in vain.
        let folder = TempDir::new().unwrap();
        while !some_steps(folder.path(), &configuration, 3) {}
        let search = open(&configuration, Store::open(folder.path()).unwrap());
        assert_eq!(essence(search.history()), expected);
    }
}

/// Is interrupted at one candidate.
struct Interrupted {
    at: usize,
    measure: Measure,
}

impl Evaluation for Interrupted {
    fn evaluate(&mut self, candidate: &Candidate, stop: &AtomicBool) -> Outcome {
        match candidate.number == self.at {
            true => Outcome::Interrupted,
            false => self.measure.evaluate(candidate, stop),
        }
    }
}

#[test]
fn an_interrupted_search_evaluates_nothing_twice() {
    let folder = TempDir::new().unwrap();
    let configuration = small(StrategyName::Autosnap, 0, 12);
    let mut interrupted = Interrupted {
        at: 7,
        measure: Measure::default(),
    };
    let mut search = open(&configuration, Store::open(folder.path()).unwrap());
    let summary = search.run(&mut interrupted, &mut Silent, &GO_ON).unwrap();
    assert_eq!((summary.ending, summary.evaluated), (Ending::Stopped, 7));
    drop(search);
    let mut measure = interrupted.measure;
    let mut search = open(&configuration, Store::open(folder.path()).unwrap());
    let summary = search.run(&mut measure, &mut Silent, &GO_ON).unwrap();
    assert_eq!((summary.ending, summary.evaluated), (Ending::Budget, 12));
    assert_eq!(measure.programs.len(), 12);
    assert_eq!(
        essence(search.history()),
        essence(&uninterrupted(&configuration))
    );
}

/// Sets the flag while the strategy prepares, or before the proposals after that.
struct Stopper<'a> {
    stop: &'a AtomicBool,
    at: usize,
}

impl Observer for Stopper<'_> {
    fn event(&mut self, event: &Event<'_>) {
        if let Event::Preparing { done, .. } = event {
            self.stop.store(*done == self.at, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_search_stopped_while_it_prepares_goes_on_as_if_it_had_not_been() {
    let configuration = small(StrategyName::Autosnap, 0, 12);
    let steps = configuration.autosnap.pretraining.steps;
    for at in [1, steps / 2, steps] {
        let stop = AtomicBool::new(false);
        let mut search = open(&configuration, Store::in_memory().unwrap());
        let mut stopper = Stopper { stop: &stop, at };
        let summary = search
            .run(&mut Measure::default(), &mut stopper, &stop)
            .unwrap();
        assert_eq!((summary.ending, summary.evaluated), (Ending::Stopped, 6));
        finish(&mut search);
        assert_eq!(
            essence(search.history()),
            essence(&uninterrupted(&configuration))
        );
    }
}

#[test]
fn a_finished_search_goes_on_with_a_larger_budget() {
    let folder = TempDir::new().unwrap();
    // It ends within a round.
    let mut configuration = small(StrategyName::Autosnap, 0, 8);
    finish(&mut open(
        &configuration,
        Store::open(folder.path()).unwrap(),
    ));
    configuration.budget = 12;
    let mut search = open(&configuration, Store::open(folder.path()).unwrap());
    assert_eq!(finish(&mut search).evaluated, 12);
    assert_eq!(
        essence(search.history()),
        essence(&uninterrupted(&configuration))
    );
}

const CHILD: &str = "SNAPC_TEST_SEARCH_FOLDER";

/// Takes its time, so that a kill finds it at work.
struct Slow;

impl Evaluation for Slow {
    fn evaluate(&mut self, candidate: &Candidate, _: &AtomicBool) -> Outcome {
        std::thread::sleep(Duration::from_millis(15));
        measured(candidate)
    }
}

/// The test runs itself in another process, which it kills.
#[test]
fn a_killed_search_ends_as_one_that_was_not() {
    let configuration = small(StrategyName::Autosnap, 11, 45);
    if let Some(folder) = std::env::var_os(CHILD) {
        let mut search = open(&configuration, Store::open(Path::new(&folder)).unwrap());
        search.run(&mut Slow, &mut Silent, &GO_ON).unwrap();
        return;
    }
    let folder = TempDir::new().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for _ in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_killed_search_ends_as_one_that_was_not"])
            .env(CHILD, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(rng.random_range(30..250)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut search = open(&configuration, Store::open(folder.path()).unwrap());
    let before = search.history().measured().count();
    let mut measure = Measure::default();
    let summary = search.run(&mut measure, &mut Silent, &GO_ON).unwrap();
    assert_eq!(summary.evaluated, 45);
    assert_eq!(measure.programs.len(), 45 - before);
    assert_eq!(
        essence(search.history()),
        essence(&uninterrupted(&configuration))
    );
}

/// No file may grow beyond some pages, as on a full disk: writing fails at some point, and again
/// where the search goes on without more space. The test runs itself in another process.
#[cfg(unix)]
#[test]
fn a_search_on_a_full_disk_fails_and_goes_on_once_there_is_space() {
    let configuration = small(StrategyName::Evolution, 3, 40);
    if let Some(folder) = std::env::var_os(CHILD) {
        let store = Store::open(Path::new(&folder)).unwrap();
        let result = Search::open(Toy::new(8), configuration, Value::Null, store)
            .and_then(|mut search| search.run(&mut Measure::default(), &mut Silent, &GO_ON));
        let full = matches!(result, Err(SearchError::Database { .. }));
        assert!(full, "{:?}", result.map(|summary| summary.ending));
        return;
    }
    let folder = TempDir::new().unwrap();
    for _ in 0..2 {
        let child = Command::new("sh")
            .args([
                "-c",
                "trap '' XFSZ; ulimit -f 160; exec \"$0\" --exact \"$1\"",
            ])
            .arg(std::env::current_exe().unwrap())
            .arg("a_search_on_a_full_disk_fails_and_goes_on_once_there_is_space")
            .env(CHILD, folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{said}");
    }
    let mut search = open(&configuration, Store::open(folder.path()).unwrap());
    let before = search.history().measured().count();
    assert!(before > 0 && before < 40, "{before}");
    assert_eq!(finish(&mut search).evaluated, 40);
    assert_eq!(
        essence(search.history()),
        essence(&uninterrupted(&configuration))
    );
}

// What is refused

fn refused(result: Result<Search<Toy>>) -> String {
    match result {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn two_searches_on_one_store_are_refused() {
    let folder = TempDir::new().unwrap();
    let first = Store::open(folder.path()).unwrap();
    assert!(matches!(
        Store::open(folder.path()),
        Err(SearchError::Locked(_))
    ));
    drop(first);
    assert!(Store::open(folder.path()).is_ok());
}

#[test]
fn another_search_on_a_store_is_refused_and_told_what_differs() {
    let folder = TempDir::new().unwrap();
    let configuration = small(StrategyName::Random, 0, 5);
    let reopen = |space: Toy, configuration: &SearchConfiguration, evaluation: Value| {
        let store = Store::open(folder.path()).unwrap();
        Search::open(space, configuration.clone(), evaluation, store)
    };
    let epochs = |epochs: usize| json!({ "epochs": epochs });
    drop(reopen(Toy::new(8), &configuration, epochs(2)).unwrap());
    // What has proposed nothing makes way.
    finish(&mut reopen(Toy::new(8), &configuration, epochs(3)).unwrap());
    assert!(reopen(Toy::new(8), &configuration, epochs(3)).is_ok());

    let other = SearchConfiguration {
        seed: 1,
        round: 5,
        ..configuration.clone()
    };
    let message = refused(reopen(Toy::new(8), &other, epochs(4)));
    let message = message.replace(folder.path().to_str().unwrap(), "DIR");
    insta::assert_snapshot!(message, @r"
    DIR holds another search:
      search.round: 3 there, 5 now
      search.seed: 0 there, 1 now
      epochs: 3 there, 4 now
    resume with the same settings, or give another folder
    ");
    let message = refused(reopen(Toy::new(9), &configuration, epochs(3)));
    assert!(
        message.contains("space.longest: 8 there, 9 now"),
        "{message}"
    );
    // What random search does not use does not matter to it.
    let mut other = configuration.clone();
    other.autosnap.starts += 1;
    assert!(reopen(Toy::new(8), &other, epochs(3)).is_ok());
}

#[test]
fn a_damaged_store_is_refused() {
    let configuration = small(StrategyName::Random, 0, 40);
    let damaged = |damage: &dyn Fn(&Path)| {
        let folder = TempDir::new().unwrap();
        finish(&mut open(
            &configuration,
            Store::open(folder.path()).unwrap(),
        ));
        damage(&folder.path().join(DATABASE));
        let result = Store::open(folder.path())
            .and_then(|store| Search::open(Toy::new(8), configuration.clone(), Value::Null, store));
        refused(result).replace(folder.path().to_str().unwrap(), "DIR")
    };
    let sql = |path: &Path, sql: &str| {
        rusqlite::Connection::open(path)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    };
    let remedy = "move it away to start anew";

    let message = damaged(&|path| std::fs::write(path, b"this is not a database at all").unwrap());
    assert!(
        message.contains("damaged") && message.contains(remedy),
        "{message}"
    );

    let message = damaged(&|path| {
        // Overwrite the pages behind the first.
        let length = std::fs::metadata(path).unwrap().len() as usize;
        let mut bytes = std::fs::read(path).unwrap();
        bytes[4096..length].fill(0xa5);
        std::fs::write(path, bytes).unwrap();
    });
    assert!(
        message.contains("damaged") && message.contains(remedy),
        "{message}"
    );

    let message = damaged(&|path| {
        sql(
            path,
            "UPDATE candidates SET program = 'xyz' WHERE number = 3",
        )
    });
    insta::assert_snapshot!(message, @"DIR/search.sqlite is damaged or is not the store of a search: candidate 3 can't be read; move it away to start anew");
    let message = damaged(&|path| sql(path, "DELETE FROM candidates WHERE number = 3"));
    assert!(message.contains("candidate 3 can't be read"), "{message}");
    let message = damaged(&|path| sql(path, "DROP TABLE candidates"));
    assert!(message.contains("damaged"), "{message}");
    let message = damaged(&|path| sql(path, "PRAGMA application_id = 7"));
    assert!(message.contains("another program"), "{message}");
    let message = damaged(&|path| sql(path, "PRAGMA user_version = 99"));
    assert!(
        message.contains("newer version") && message.contains("99"),
        "{message}"
    );
}

/// A disk may give back anything. What is not told from a whole store may be searched on with.
#[test]
fn no_damage_to_a_store_makes_it_panic() {
    let configuration = small(StrategyName::Evolution, 0, 30);
    let folder = TempDir::new().unwrap();
    finish(&mut open(
        &configuration,
        Store::open(folder.path()).unwrap(),
    ));
    let whole = std::fs::read(folder.path().join(DATABASE)).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut refused = 0;
    for damage in 0..150 {
        let mut bytes = whole.clone();
        match damage % 3 {
            0 => bytes.truncate(rng.random_range(0..whole.len())),
            1 => bytes[rng.random_range(0..whole.len())] ^= 1 << rng.random_range(0..8),
            _ => {
                let start = rng.random_range(0..whole.len());
                let end = whole.len().min(start + rng.random_range(1..600));
                rng.fill(&mut bytes[start..end]);
            }
        }
        std::fs::write(folder.path().join(DATABASE), &bytes).unwrap();
        let mut larger = configuration.clone();
        larger.budget += 2;
        let result = Store::open(folder.path())
            .and_then(|store| Search::open(Toy::new(8), larger, Value::Null, store))
            .and_then(|mut search| search.run(&mut Measure::default(), &mut Silent, &GO_ON));
        refused += usize::from(result.is_err());
    }
    assert!(refused > 50, "{refused} of 150");
}

#[test]
fn a_folder_that_is_a_file_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("results");
    std::fs::File::create(&path)
        .unwrap()
        .write_all(b"a file")
        .unwrap();
    let Err(error) = Store::open(&path) else {
        panic!("it was opened")
    };
    assert!(matches!(error, SearchError::File { .. }), "{error}");
    assert!(error.to_string().contains("results"), "{error}");
}

#[test]
fn what_a_configuration_leaves_out_has_its_default() {
    let configuration: SearchConfiguration =
        serde_json::from_value(json!({ "seed": 7, "autosnap": { "explore": 0.5 } })).unwrap();
    let mut expected = SearchConfiguration {
        seed: 7,
        ..Default::default()
    };
    expected.autosnap.explore = 0.5;
    assert_eq!(configuration, expected);
    assert!(expected.validate().is_ok());
    let unknown = serde_json::from_value::<SearchConfiguration>(json!({ "sed": 7 })).unwrap_err();
    assert!(
        unknown.to_string().contains("unknown field `sed`"),
        "{unknown}"
    );
}

#[test]
fn a_configuration_out_of_range_is_refused() {
    let message = |change: &dyn Fn(&mut SearchConfiguration)| {
        let mut configuration = SearchConfiguration::default();
        change(&mut configuration);
        configuration.validate().unwrap_err().to_string()
    };
    assert_eq!(
        message(&|c| c.budget = 0),
        "`budget` must be at least 1, not 0"
    );
    assert_eq!(
        message(&|c| c.autosnap.explore = 1.5),
        "`autosnap.explore` must be between 0 and 1, not 1.5"
    );
    assert_eq!(
        message(&|c| c.autosnap.model.hidden = 5000),
        "`autosnap.model.hidden` must be between 1 and 4096, not 5000"
    );
    assert_eq!(
        message(&|c| c.autosnap.joint.learning_rate = f64::NAN),
        "`autosnap.joint.learning_rate` must be a number above 0, not NaN"
    );
    assert_eq!(
        message(&|c| c.autosnap.model.respelled = 1.1),
        "`autosnap.model.respelled` must be between 0 and 1, not 1.1"
    );
}

#[test]
fn what_would_have_no_effect_is_refused() {
    let message = |change: &dyn Fn(&mut AutosnapConfiguration)| {
        let mut configuration = SearchConfiguration::default();
        change(&mut configuration.autosnap);
        let result = configuration.validate();
        result.err().map(|error| error.to_string())
    };
    let ranking = |steps| {
        message(&move |c| {
            c.model.ranking_weight = 1.0;
            c.joint.steps = steps;
        })
    };
    assert_eq!(
        ranking(0).unwrap(),
        "`autosnap.joint.steps` must be at least 1 for a `ranking_weight`, not 0"
    );
    assert_eq!(ranking(1), None);
    let ensemble = |choice, surrogate, closed_form| {
        message(&move |c| {
            c.uncertainty = UncertaintyName::Ensemble;
            c.joint.steps = 1;
            (c.choice, c.surrogate, c.closed_form) = (choice, surrogate, closed_form);
        })
    };
    let expected = "`autosnap.uncertainty` must be `posterior` where candidates are chosen by the \
                    predicted value alone, not `ensemble`";
    let (improvement, value) = (ChoiceName::Improvement, ChoiceName::Value);
    let (parts, latent) = (SurrogateName::Parts, SurrogateName::Latent);
    assert_eq!(ensemble(value, parts, true).unwrap(), expected);
    assert_eq!(ensemble(improvement, latent, false).unwrap(), expected);
    assert_eq!(ensemble(improvement, latent, true), None);
    assert_eq!(ensemble(improvement, parts, false), None);
}

/// A space nobody can search.
struct Broken {
    symbols: Vec<char>,
    lengths: std::ops::RangeInclusive<usize>,
}

impl ProgramSpace for Broken {
    fn symbols(&self) -> &[char] {
        &self.symbols
    }

    fn lengths(&self) -> std::ops::RangeInclusive<usize> {
        self.lengths.clone()
    }

    fn allowed(&self, _: &[u8]) -> Allowed {
        Allowed::default()
    }

    fn key(&self, _: &[u8]) -> Key {
        Key(0)
    }
}

#[test]
fn a_space_that_can_not_be_searched_is_refused() {
    let message = |symbols: &str, lengths| {
        let space = Broken {
            symbols: symbols.chars().collect(),
            lengths,
        };
        let store = Store::in_memory().unwrap();
        match Search::open(space, SearchConfiguration::default(), Value::Null, store) {
            Ok(_) => panic!("it was opened"),
            Err(error) => error.to_string(),
        }
    };
    assert!(message("", 1..=3).contains("0 symbols"));
    assert!(message("abca", 1..=3).contains("`a` twice"));
    assert!(message("ab", 1..=100_000).contains("at most"));
    assert!(message("ab", 1..=3).contains("no valid program"));
}

// What ends the process, and what the version before wrote

#[test]
fn a_candidate_for_which_the_process_ended_again_and_again_has_failed() {
    let configuration = small(StrategyName::Evolution, 4, 12);
    let folder = TempDir::new().unwrap();
    let reopened = || open(&configuration, Store::open(folder.path()).unwrap());
    let first = asked(&mut reopened());
    // An evaluation that comes back without a result, as one that is interrupted, does not count.
    let mut search = reopened();
    assert_eq!(asked(&mut search), first);
    search
        .tell(first.number, Outcome::Interrupted, &mut Silent)
        .unwrap();
    drop(search);
    // Nor does opening the search.
    drop(reopened());
    for _ in 1..10 {
        assert_eq!(asked(&mut reopened()), first);
    }

    let mut search = reopened();
    let Status::Failed { reason, .. } = &search.history().records()[first.number].status else {
        panic!("{:?}", search.history().records()[first.number]);
    };
    assert_eq!(reason, "the process ended ten times while it was evaluated");
    let summary = finish(&mut search);
    assert_eq!((summary.evaluated, summary.failed), (11, 1));
}

#[test]
fn a_store_of_the_first_schema_goes_on() {
    let configuration = small(StrategyName::Evolution, 4, 12);
    let folder = TempDir::new().unwrap();
    let mut search = open(&configuration, Store::open(folder.path()).unwrap());
    let first = asked(&mut search);
    drop(search);
    rusqlite::Connection::open(folder.path().join(DATABASE))
        .unwrap()
        .execute_batch("ALTER TABLE candidates DROP COLUMN begun; PRAGMA user_version = 1")
        .unwrap();
    let records = Store::read(folder.path())
        .unwrap()
        .records(Toy::new(8).symbols())
        .unwrap();
    assert_eq!(
        records[first.number].status,
        Status::Running,
        "it is only read"
    );
    let mut search = open(&configuration, Store::open(folder.path()).unwrap());
    finish(&mut search);
    assert_eq!(
        essence(search.history()),
        essence(&uninterrupted(&configuration))
    );
}

#[test]
fn a_smaller_budget_holds_for_what_was_proposed_before() {
    let mut configuration = small(StrategyName::Random, 0, 12);
    let folder = TempDir::new().unwrap();
    drop(asked(&mut open(
        &configuration,
        Store::open(folder.path()).unwrap(),
    )));
    configuration.budget = 2;
    let mut search = open(&configuration, Store::open(folder.path()).unwrap());
    let summary = finish(&mut search);
    assert_eq!((summary.evaluated, summary.ending), (2, Ending::Budget));
    drop(search);
    configuration.budget = 12;
    let mut search = open(&configuration, Store::open(folder.path()).unwrap());
    finish(&mut search);
    assert_eq!(
        essence(search.history()),
        essence(&uninterrupted(&configuration))
    );
}

// Spaces in which few programs may be proposed

/// A toy of which only programs of `a` and `b` may be proposed, and that sets a flag once so many programs were looked at.
struct Rare<'a> {
    toy: Toy,
    looks: AtomicUsize,
    stop_after: usize,
    stop: &'a AtomicBool,
}

impl<'a> Rare<'a> {
    fn new(longest: usize, stop_after: usize, stop: &'a AtomicBool) -> Self {
        Self {
            toy: Toy::new(longest),
            looks: AtomicUsize::new(0),
            stop_after,
            stop,
        }
    }
}

impl ProgramSpace for Rare<'_> {
    fn symbols(&self) -> &[char] {
        self.toy.symbols()
    }

    fn lengths(&self) -> std::ops::RangeInclusive<usize> {
        self.toy.lengths()
    }

    fn allowed(&self, prefix: &[u8]) -> Allowed {
        self.toy.allowed(prefix)
    }

    fn key(&self, program: &[u8]) -> Key {
        self.toy.key(program)
    }

    fn admits(&self, program: &[u8]) -> bool {
        if self.looks.fetch_add(1, Ordering::Relaxed) >= self.stop_after {
            self.stop.store(true, Ordering::Relaxed);
        }
        program.iter().all(|&symbol| symbol < 2)
    }
}

#[test]
fn rare_programs_are_found_in_a_large_space() {
    let space = Rare::new(7, usize::MAX, &GO_ON);
    let store = Store::in_memory().unwrap();
    let configuration = small(StrategyName::Random, 0, 100);
    let mut search = Search::open(space, configuration, Value::Null, store).unwrap();
    let summary = search
        .run(&mut Measure::default(), &mut Silent, &GO_ON)
        .unwrap();
    assert_eq!((summary.evaluated, summary.ending), (100, Ending::Budget));
}

#[test]
fn looking_for_rare_programs_can_be_stopped() {
    let stop = AtomicBool::new(false);
    // Most of the 510 programs can be drawn in this time, but not all.
    let space = Rare::new(8, 5000, &stop);
    let store = Store::in_memory().unwrap();
    let configuration = small(StrategyName::Random, 0, 510);
    let mut search = Search::open(space, configuration, Value::Null, store).unwrap();
    let mut measure = Measure::default();
    let summary = search.run(&mut measure, &mut Silent, &stop).unwrap();
    assert_eq!(summary.ending, Ending::Stopped);
    assert!(search.space().looks.load(Ordering::Relaxed) < 5500);
}

/// Looks for nothing.
struct Lazy;

impl Strategy for Lazy {
    fn name(&self) -> &'static str {
        "lazy"
    }

    fn ask(&mut self, round: &mut Round<'_>, _: &mut ChaCha8Rng) -> Result<Vec<Proposal>> {
        round.gave_up = true;
        Ok(Vec::new())
    }
}

#[test]
fn a_strategy_that_gave_up_has_not_seen_all() {
    let configuration = small(StrategyName::Random, 0, 10);
    let store = Store::in_memory().unwrap();
    let (space, strategy) = (Toy::new(4), Box::new(Lazy));
    let mut search =
        Search::with_strategy(space, configuration, strategy, Value::Null, store).unwrap();
    let summary = finish(&mut search);
    assert_eq!(summary.ending, Ending::GaveUp);
    assert_eq!(
        summary.evaluation_seconds.to_bits(),
        0,
        "and not below zero"
    );
}

#[test]
fn searches_and_evaluations_can_go_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Search<Toy>>();
    is_send::<Search<Limited<'_>>>();
    is_send::<TrainingEvaluation<'_>>();
    is_send::<TableEvaluation<'_>>();
}

// Workers that die

/// Asks for a candidate.
fn asked(search: &mut Search<Toy>) -> Candidate {
    match search.ask(&mut Silent, &GO_ON).unwrap() {
        Ask::Evaluate(candidate) => candidate,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_candidate_of_a_worker_that_died_is_given_out_again() {
    let configuration = small(StrategyName::Evolution, 4, 12);
    let folder = TempDir::new().unwrap();
    let mut search = open(&configuration, Store::open(folder.path()).unwrap());
    let lost = asked(&mut search);
    let other = asked(&mut search);
    assert_ne!(lost, other);

    search.release(lost.number).unwrap();
    assert_eq!(asked(&mut search), lost, "released");
    let twice = [search.release(lost.number), search.release(lost.number)];
    assert!(matches!(twice, [Ok(()), Err(SearchError::NotRunning(0))]));
    assert_eq!(asked(&mut search), lost);

    // Nobody tells of either before the process ends.
    drop(search);
    let mut search = open(&configuration, Store::open(folder.path()).unwrap());
    assert_eq!((asked(&mut search), asked(&mut search)), (lost, other));
    finish(&mut search);
    assert_eq!(
        essence(search.history()),
        essence(&uninterrupted(&configuration))
    );
}

//! The strategies that edit programs, over a toy language: where they go and what they find.

#![cfg(feature = "backend")]

mod toy;

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use snapc::search::*;
use tempfile::TempDir;
use toy::Toy;

static GO_ON: AtomicBool = AtomicBool::new(false);

const STRATEGIES: [StrategyName; 2] = [StrategyName::Evolution, StrategyName::Local];

/// The best there is, which has no other spelling. What a program is worth is how few edits lead to it.
const BEST: &str = "adcab";

/// Levenshtein's distance to the best.
fn distance(program: &str) -> usize {
    let mut row: Vec<usize> = (0..=BEST.len()).collect();
    for symbol in program.chars() {
        let mut before = row[0];
        row[0] += 1;
        for (place, best) in BEST.chars().enumerate() {
            let replaced = before + usize::from(symbol != best);
            before = row[place + 1];
            row[place + 1] = replaced.min(before + 1).min(row[place] + 1);
        }
    }
    row[BEST.len()]
}

/// Counts what it is asked for, and fails on programs that end in `e`.
#[derive(Default)]
struct Measure(usize);

impl Evaluation for Measure {
    fn evaluate(&mut self, candidate: &Candidate, _: &AtomicBool) -> Outcome {
        self.0 += 1;
        match candidate.text.ends_with('e') {
            true => Outcome::failed("it ends in `e`"),
            false => Outcome::Measured {
                value: -(distance(&candidate.text) as f64),
                details: Value::Null,
            },
        }
    }
}

fn configuration(strategy: StrategyName, seed: u64, budget: usize) -> SearchConfiguration {
    SearchConfiguration {
        seed,
        budget,
        strategy,
        evolution: EvolutionConfiguration {
            population: 20,
            sample: 10,
        },
        ..SearchConfiguration::default()
    }
}

fn search(space: Toy, configuration: &SearchConfiguration, store: Store) -> Search<Toy> {
    Search::open(space, configuration.clone(), Value::Null, store).unwrap()
}

fn history(space: Toy, configuration: &SearchConfiguration) -> History {
    let mut search = search(space, configuration, Store::in_memory().unwrap());
    search
        .run(&mut Measure::default(), &mut Silent, &GO_ON)
        .unwrap();
    search.history().clone()
}

/// What must be the same in two runs of a search: all but the times.
fn essence(history: &History) -> Vec<String> {
    let line = |record: &Record| {
        let text = &record.candidate.text;
        let (round, origin, value) = (record.round, &record.origin, record.value());
        format!("{round} {text} {origin:?} {value:?}")
    };
    history.records().iter().map(line).collect()
}

/// Whether one replaced, inserted or deleted symbol makes one program of the other.
fn is_one_edit(a: &[u8], b: &[u8]) -> bool {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Less => a == &b[1..],
        std::cmp::Ordering::Equal => !a.is_empty() && a[1..] == b[1..],
        std::cmp::Ordering::Greater => &a[1..] == b,
    }
}

#[test]
fn edits_are_of_one_symbol_of_all_kinds_and_of_an_earlier_program() {
    for strategy in STRATEGIES {
        let history = history(Toy::new(7), &configuration(strategy, 0, 150));
        let mut lengths = HashSet::new();
        for record in history.records() {
            let Origin::Edited { from } = record.origin else {
                assert_eq!(record.origin, Origin::Random);
                continue;
            };
            let parent = &history.records()[from];
            assert!(parent.round < record.round && parent.value().is_some());
            let (old, new) = (&parent.candidate.program, &record.candidate.program);
            assert!(is_one_edit(old, new), "{old:?} {new:?}");
            lengths.insert(new.len().cmp(&old.len()));
        }
        assert_eq!(lengths.len(), 3, "{strategy:?}");
    }
}

#[test]
fn the_best_is_found_sooner_than_at_random() {
    let found = |strategy| {
        let after = |seed| {
            let history = history(Toy::new(6), &configuration(strategy, seed, 250));
            let mut records = history.records().iter();
            records.position(|record| record.candidate.text == BEST)
        };
        (0..10).filter_map(after).collect::<Vec<usize>>()
    };
    let random = found(StrategyName::Random);
    for strategy in STRATEGIES {
        let found = found(strategy);
        assert!(found.len() >= 9, "{strategy:?} {found:?}");
        assert!(random.len() <= found.len() / 2, "{random:?} {found:?}");
    }
}

#[test]
fn programs_of_one_length_are_edited_too() {
    for strategy in STRATEGIES {
        let space = Toy { lengths: 5..=5 };
        let history = history(space, &configuration(strategy, 1, 200));
        assert_eq!(history.keys().len(), 200);
        let edited = |record: &&Record| matches!(record.origin, Origin::Edited { .. });
        assert!(history.records().iter().filter(edited).count() > 100);
        assert_eq!(history.best(1)[0].candidate.text, BEST);
    }
}

#[test]
fn evolution_edits_the_youngest_once_its_population_is_full() {
    let configuration = configuration(StrategyName::Evolution, 2, 120);
    let history = history(Toy::new(6), &configuration);
    let records = history.records();
    let mut children = 0;
    for record in records {
        let before = records.iter().filter(|it| it.round < record.round);
        let measured: Vec<usize> = before
            .filter(|it| it.value().is_some())
            .map(|it| it.candidate.number)
            .collect();
        match record.origin {
            Origin::Edited { from } => {
                children += 1;
                let oldest = measured.len().checked_sub(20).expect("it is full");
                assert!(measured[oldest..].contains(&from));
            }
            _ => assert!(measured.len() < 20),
        }
    }
    assert!(children > 80, "{children}");
}

#[test]
fn local_search_goes_to_what_is_better_and_starts_anew_where_nothing_is() {
    let configuration = SearchConfiguration {
        initial: 1,
        round: 1,
        ..configuration(StrategyName::Local, 0, 600)
    };
    let history = history(Toy::new(5), &configuration);
    let value = |number: usize| history.records()[number].value();
    let mut place = None;
    let mut starts = 0;
    for record in history.records() {
        match record.origin {
            Origin::Edited { from } => {
                assert_eq!(Some(from), place);
                if record.value() > value(from) {
                    place = Some(record.candidate.number);
                }
            }
            _ => {
                starts += 1;
                place = record.value().map(|_| record.candidate.number);
            }
        }
    }
    assert!(starts > 2, "{starts}");
}

#[test]
fn the_space_is_searched_to_its_end() {
    let mut counts = HashSet::new();
    for strategy in [StrategyName::Random].into_iter().chain(STRATEGIES) {
        let configuration = configuration(strategy, 0, 100_000);
        let store = Store::in_memory().unwrap();
        let mut search = search(Toy { lengths: 0..=4 }, &configuration, store);
        let mut measure = Measure::default();
        let summary = search.run(&mut measure, &mut Silent, &GO_ON).unwrap();
        assert_eq!(summary.ending, Ending::Exhausted);
        assert_eq!(summary.evaluated + summary.failed, measure.0);
        assert_eq!(search.history().keys().len(), measure.0);
        counts.insert(measure.0);
    }
    assert_eq!(counts.len(), 1);
}

#[test]
fn the_same_seed_gives_the_same_search_and_another_seed_another() {
    for strategy in STRATEGIES {
        let run = |seed| essence(&history(Toy::new(6), &configuration(strategy, seed, 60)));
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
    }
}

/// Evaluates a number of candidates and lets the search go.
fn some_candidates(folder: &Path, configuration: &SearchConfiguration, count: usize) -> bool {
    let mut search = search(Toy::new(6), configuration, Store::open(folder).unwrap());
    for _ in 0..count {
        let Ask::Evaluate(candidate) = search.ask(&mut Silent, &GO_ON).unwrap() else {
            return true;
        };
        let outcome = Measure::default().evaluate(&candidate, &GO_ON);
        search.tell(candidate.number, outcome, &mut Silent).unwrap();
    }
    // Begun in vain.
    matches!(
        search.ask(&mut Silent, &GO_ON).unwrap(),
        Ask::Finished(Ending::Budget)
    )
}

#[test]
fn a_search_dropped_again_and_again_ends_as_one_that_was_not() {
    for strategy in STRATEGIES {
        let configuration = configuration(strategy, 5, 45);
        let expected = essence(&history(Toy::new(6), &configuration));
        for count in [1, 3] {
            let folder = TempDir::new().unwrap();
            while !some_candidates(folder.path(), &configuration, count) {}
            let store = Store::open(folder.path()).unwrap();
            let search = search(Toy::new(6), &configuration, store);
            assert_eq!(essence(search.history()), expected, "{strategy:?} {count}");
        }
    }
}

#[test]
fn settings_of_other_strategies_do_not_matter_to_a_store() {
    let folder = TempDir::new().unwrap();
    let mut configuration = configuration(StrategyName::Local, 0, 5);
    let reopen = |configuration: &SearchConfiguration| {
        let store = Store::open(folder.path()).unwrap();
        Search::open(Toy::new(6), configuration.clone(), Value::Null, store)
    };
    let mut first = reopen(&configuration).unwrap();
    first.ask(&mut Silent, &GO_ON).unwrap();
    drop(first);
    configuration.evolution.sample += 1;
    drop(reopen(&configuration).unwrap());
    configuration.strategy = StrategyName::Evolution;
    let error = reopen(&configuration).err();
    let message = error.map_or(String::new(), |it| it.to_string());
    assert!(
        message.contains(r#""local" there, "evolution" now"#),
        "{message}"
    );
}

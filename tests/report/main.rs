//! Reports of searches: the data, the tables, and the page in a browser.

#![cfg(feature = "backend")]

mod browser;
#[cfg(feature = "cli")]
mod command;
mod components;
mod fixture;
mod page;
#[path = "../toy/mod.rs"]
mod toy;

use std::collections::BTreeSet;

use fixture::{Odd, REASON, gathered, open, report, run};
use serde_json::{Value, json};
use snapc::diagnostic::{Source, SourceId};
use snapc::search::report::{Report, Showable, SketchFile, SketchFiles, csv};
use snapc::search::{
    Ask, Limited, Limits, Origin, ProgramSpace, Search, SearchConfiguration, SearchError, Silent,
    Store, StrategyName, opcodes, random_program,
};
use tempfile::tempdir;

/// The data without what differs from run to run.
fn lasting(report: &Report) -> Value {
    let mut data = json!(report);
    data["version"] = Value::Null;
    data["settings"]["configuration"] = Value::Null;
    data["summary"]["evaluation_seconds"] = json!(0);
    for candidate in data["candidates"].as_array_mut().unwrap() {
        candidate["seconds"] = json!(0);
    }
    data
}

#[test]
fn a_search_is_told_as_data() {
    let report = report(StrategyName::Random, 9);
    let data = serde_json::to_string_pretty(&lasting(&report)).unwrap();
    insta::assert_snapshot!(data);
}

#[test]
fn the_best_never_falls_and_is_the_best() {
    let report = report(StrategyName::Random, 40);
    let best: Vec<f64> = report.candidates.iter().filter_map(|it| it.best).collect();
    assert!(best.is_sorted());
    let values = report.candidates.iter().filter_map(|it| it.value);
    assert_eq!(values.reduce(f64::max), report.best().unwrap().value);
    assert_eq!(best.last().copied(), report.best().unwrap().value);
    let summary = &report.summary;
    assert_eq!(summary.evaluated + summary.failed, 40);
    assert!(summary.failed > 0);
    assert_eq!(report.failures[0].candidates.len(), summary.failed);
}

#[test]
fn nothing_beats_the_front_and_everything_else_is_beaten() {
    let report = report(StrategyName::Random, 60);
    let costs: Vec<&str> = report.fronts.iter().map(|front| front.cost).collect();
    assert_eq!(costs, ["parameters", "multiply_adds"]);
    for front in &report.fronts {
        let points = report.candidates.iter();
        let points: Vec<(usize, f64, f64)> = points
            .filter_map(|it| Some((it.number, it.detail(front.cost)?, it.value?)))
            .collect();
        for &(number, cost, value) in &points {
            let is_beaten = points.iter().any(|&(other, other_cost, other_value)| {
                let is_as_good = other_cost <= cost && other_value >= value;
                is_as_good && (other_cost < cost || other_value > value || other < number)
            });
            assert_eq!(front.candidates.contains(&number), !is_beaten);
        }
    }
}

#[test]
fn a_model_gives_every_candidate_a_place() {
    let report = report(StrategyName::Autosnap, 21);
    assert_eq!(report.latent.note, None);
    let [first, second] = report.latent.explained.unwrap();
    assert!(first >= second && second > 0.0 && first + second <= 1.0 + 1e-9);
    let places: BTreeSet<String> = report
        .candidates
        .iter()
        .map(|it| format!("{:?}", it.latent.unwrap()))
        .collect();
    assert!(
        places.len() > 15,
        "different programs lie at different places"
    );
    for axis in [0, 1] {
        let sum: f64 = report
            .candidates
            .iter()
            .map(|it| it.latent.unwrap()[axis])
            .sum();
        assert!(sum.abs() < 1e-4, "the mean is in the middle");
    }
    let climbed = report
        .candidates
        .iter()
        .find(|it| matches!(it.origin, Origin::Climbed { .. }));
    let climbed = climbed.expect("a climb");
    assert!(climbed.origin_from().unwrap() < climbed.number);
    assert!(climbed.origin_step().unwrap() > 0.0);
    assert!(climbed.predicted.is_some());
    let refined = report
        .candidates
        .iter()
        .find(|it| matches!(it.origin, Origin::Refined { from: Some(_), .. }));
    let refined = refined.expect("a climb that went on");
    assert_eq!(refined.origin_kind(), "refined");
    assert!(refined.origin_from().unwrap() < refined.number);
    assert_eq!(refined.origin_step(), None);
    assert!(report.agreement.compared > 0);
    let last = report.rounds.last().unwrap();
    assert_eq!(last.kendall, report.agreement.kendall);
    assert!(
        report
            .rounds
            .iter()
            .skip(1)
            .all(|round| round.model.is_some())
    );
}

#[test]
fn without_a_model_or_a_space_it_is_said_why_there_is_no_latent_space() {
    let random = report(StrategyName::Random, 8);
    assert_eq!(
        random.latent.note.unwrap(),
        "the strategy `random` has no model"
    );
    let first_round = report(StrategyName::Autosnap, 6);
    let note = first_round.latent.note.unwrap();
    assert_eq!(
        note,
        "the model has not learnt anything before the second round"
    );
    let mut search = run(StrategyName::Autosnap, 12);
    let blind = Report::gather(search.store(), None).unwrap();
    let note = blind.latent.note.unwrap();
    assert_eq!(
        note,
        "the folder does not hold the sketch that was searched"
    );
    assert!(blind.candidates.iter().all(|it| it.latent.is_none()));
}

#[test]
fn a_search_that_has_not_begun_is_missing_and_an_empty_one_is_empty() {
    let folder = tempdir().unwrap();
    let missing = Store::read(folder.path()).map(|_| ());
    assert!(
        matches!(missing, Err(SearchError::Missing(_))),
        "{missing:?}"
    );
    drop(Store::open(folder.path()).unwrap());
    let mut store = Store::read(folder.path()).unwrap();
    let missing = Report::gather(&mut store, None).map(|_| ());
    assert!(
        matches!(missing, Err(SearchError::Missing(_))),
        "{missing:?}"
    );
    let store = Store::open(folder.path()).unwrap();
    drop(open(StrategyName::Random, 5, store));
    let report = gathered(&mut Store::read(folder.path()).unwrap());
    assert_eq!((report.summary.proposed, report.summary.best), (0, None));
    assert_eq!(csv(&report).lines().count(), 1);
}

#[test]
fn a_search_is_read_while_it_runs() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut search = open(StrategyName::Random, 5, store);
    let go_on = std::sync::atomic::AtomicBool::new(false);
    for number in 0..3 {
        let Ok(Ask::Evaluate(candidate)) = search.ask(&mut Silent, &go_on) else {
            panic!("a candidate");
        };
        if number < 2 {
            let outcome = fixture::outcome(&candidate);
            search.tell(number, outcome, &mut Silent).unwrap();
        }
    }
    let report = gathered(&mut Store::read(folder.path()).unwrap());
    let states: Vec<&str> = report.candidates.iter().map(|it| it.status).collect();
    assert!(
        states[..2]
            .iter()
            .all(|state| ["done", "failed"].contains(state))
    );
    assert_eq!(states[2..], ["running", "pending", "pending"]);
    assert_eq!(report.summary.open, 3);
    drop(search);
}

/// The fields of CSV, as RFC 4180 has it.
fn parsed(table: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut is_quoted = false;
    let mut characters = table.chars().peekable();
    while let Some(character) = characters.next() {
        let row = rows.last_mut().unwrap();
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                row.last_mut().unwrap().push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(String::new()),
            '\n' if !is_quoted => rows.push(vec![String::new()]),
            character => row.last_mut().unwrap().push(character),
        }
    }
    assert_eq!(
        rows.pop(),
        Some(vec![String::new()]),
        "a line break at the end"
    );
    rows
}

#[test]
fn the_table_has_everything_whatever_is_in_it() {
    let report = report(StrategyName::Autosnap, 21);
    let rows = parsed(&csv(&report));
    assert_eq!(rows.len(), 22);
    let names = &rows[0];
    assert!(rows.iter().all(|row| row.len() == names.len()));
    let place = |name: &str| names.iter().position(|it| it == name).unwrap();
    for (candidate, row) in report.candidates.iter().zip(&rows[1..]) {
        assert_eq!(row[place("number")], candidate.number.to_string());
        assert_eq!(row[place("program")], candidate.program);
        assert_eq!(
            row[place("canonical")],
            candidate.canonical.clone().unwrap()
        );
        assert_eq!(
            row[place("reason")],
            candidate.reason.clone().unwrap_or_default()
        );
        let value = candidate
            .value
            .map_or(String::new(), |value| value.to_string());
        assert_eq!(row[place("value")], value);
        let parameters = candidate.detail("parameters");
        let parameters = parameters.map_or(String::new(), |it| it.to_string());
        assert_eq!(row[place("parameters")], parameters);
    }
    assert!(rows[1..].iter().any(|row| row[place("reason")] == REASON));
}

const MAIN: &str = "use \"layers/letters.snap\"

block cell : [c, h, w] -> [c, h, w] =
    ?{1..6} conv(1, c)

net small : [1, 8, 8] -> [10] =
    conv(3, 4) cell gap dense(10)
";

const LETTERS: &str = "alphabet letters { c = conv(3) relu : = dup + = add | = cat }\n";

fn sketch_files() -> SketchFiles {
    let source = |number, name: &str, text: &str| Source {
        id: SourceId(number),
        name: name.to_owned(),
        text: text.to_owned(),
    };
    let sources = [
        source(0, "nets/main.snap", MAIN),
        source(1, "nets/layers/letters.snap", LETTERS),
    ];
    SketchFiles::new("small", &sources)
}

/// The model has learnt the parts of the sketch, of programs beyond the limits too.
#[test]
fn the_model_of_a_search_in_a_sketch_gives_candidates_a_place() {
    let sketch = sketch_files().open().unwrap();
    let limits = Limits {
        parameters: Some(1000),
        ..Limits::default()
    };
    let mut configuration = SearchConfiguration {
        budget: 7,
        ..SearchConfiguration::default()
    };
    // As large as by default, but hardly taught.
    configuration.autosnap.pretraining.programs = 300;
    configuration.autosnap.pretraining.steps = 5;
    let space = Limited::new(sketch.space(), limits);
    let store = Store::in_memory().unwrap();
    let mut search = Search::open(space, configuration, Value::Null, store).unwrap();
    fixture::finish(&mut search);
    let report = Report::gather(search.store(), Some(&sketch)).unwrap();
    assert_eq!(report.latent.note, None);
    assert!(report.candidates.iter().all(|it| it.latent.is_some()));
}

#[test]
fn a_kept_sketch_shows_its_programs() {
    let kept = json!(sketch_files());
    let files: SketchFiles = serde_json::from_value(kept).unwrap();
    let sketch = files.open().unwrap_or_else(|problem| panic!("{problem:?}"));
    let program = opcodes(&sketch, ":cc|").unwrap();
    let text = sketch.source(&program).unwrap();
    assert!(
        text.contains("\":cc|\" conv(1, c)") || text.contains("\":cc|\""),
        "{text}"
    );
    let canonical = sketch.canonical(&program).unwrap();
    assert!(canonical.starts_with("block cell"), "{canonical}");
    let same = sketch
        .canonical(&opcodes(&sketch, ":cc|").unwrap())
        .unwrap();
    assert_eq!(canonical, same);
    assert!(sketch.drawing(&program).unwrap().starts_with("<svg"));
    assert_eq!(sketch.space().symbols(), sketch.symbols());
}

#[test]
fn a_sketch_that_can_not_be_read_is_told() {
    for text in ["net broken", ""] {
        let files = SketchFiles {
            net: "small".to_owned(),
            files: vec![SketchFile {
                path: "main.snap".to_owned(),
                text: text.to_owned(),
            }],
        };
        assert!(!files.open().unwrap_err().message.is_empty());
    }
    let nothing = SketchFiles {
        net: "small".to_owned(),
        files: Vec::new(),
    };
    assert!(nothing.open().is_err());
}

#[test]
fn odd_programs_are_those_of_the_toy() {
    let odd = Odd::new();
    let mut rng = fixture::generator(1);
    let program = random_program(&odd, &mut rng).unwrap();
    assert!(odd.allowed(&program).end);
}

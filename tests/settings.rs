//! The configuration file of a search, and what it says of limits, prices and values.

#![cfg(feature = "backend")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use snapc::diagnostic::Source;
use snapc::search::*;
use snapc::sketch::Space;
use snapc::train::{OptimizerConfiguration, Schedule};
use snapc::{syntax, types};

#[test]
fn a_file_changes_what_it_says_and_nothing_else() {
    let settings = Settings::default()
        .with(
            r#"
            data = "images"
            [search]
            budget = 60
            strategy = "evolution"
            [search.evolution]
            sample = 5
            [limits]
            parameters = 50_000
            [training]
            epochs = 3
            gradient_clip = 0
            "#,
        )
        .unwrap();
    let mut expected = Settings {
        data: "images".to_owned(),
        ..Settings::default()
    };
    expected.search.budget = 60;
    expected.search.strategy = StrategyName::Evolution;
    expected.search.evolution.sample = 5;
    expected.limits.parameters = Some(50_000);
    expected.training.epochs = 3;
    expected.training.gradient_clip = None;
    assert_eq!(settings, expected);
    assert_eq!(Settings::default().with("").unwrap(), Settings::default());
}

#[test]
fn another_kind_begins_with_its_own_defaults() {
    let text = "[training.optimizer]\nkind = 'sgd'\nmomentum = 0.5\n[training.schedule]\nkind = 'constant'";
    let training = Settings::default().with(text).unwrap().training;
    let expected = OptimizerConfiguration::Sgd {
        momentum: 0.5,
        nesterov: true,
    };
    assert_eq!(training.optimizer, expected);
    assert_eq!(training.schedule, Schedule::Constant);
    let training = Settings::default()
        .with("training.optimizer.beta1 = 0.8")
        .unwrap()
        .training;
    assert!(matches!(
        training.optimizer,
        OptimizerConfiguration::AdamW { beta1: 0.8, .. }
    ));
}

#[test]
fn single_values_are_set_by_name() {
    let with = |assignment| Settings::default().with_value(assignment);
    assert_eq!(
        with("search.evolution.population=7")
            .unwrap()
            .search
            .evolution
            .population,
        7
    );
    assert_eq!(
        with("search.strategy=local").unwrap().search.strategy,
        StrategyName::Local
    );
    assert_eq!(
        with("data = /images/of cats").unwrap().data,
        "/images/of cats"
    );
    let message = |assignment| with(assignment).unwrap_err().to_string();
    assert!(message("search.budgt=7").contains("unknown field `budgt`"));
    assert!(message("search.budget=many").contains("invalid type: string \"many\""));
    assert!(with("budget").is_err());
}

#[test]
fn mistakes_are_told_with_their_place() {
    let place = |text: &str| {
        let error = Settings::default().with(text).unwrap_err();
        (
            error.message,
            text[error.span.expect("it has a place")].to_owned(),
        )
    };
    let (message, found) = place("[search]\nbudget = 60\nepoch = 3\n");
    assert!(message.contains("unknown field `epoch`"), "{message}");
    assert_eq!(found, "epoch");
    let (message, found) = place("[training]\nepochs = 'three'\n");
    assert!(
        message.contains("expected a whole number of at least 0"),
        "{message}"
    );
    assert_eq!(found, "'three'");
    let (message, found) = place("search.strategy = 'guess'\n");
    assert!(message.contains("unknown variant `guess`"), "{message}");
    assert_eq!(found, "'guess'");
    let (_, found) = place("[search]\nbudget = = 3\n");
    assert_eq!(found, "=");
}

#[test]
fn what_is_off_by_default_is_switched_on_by_naming_it() {
    let with = |text| Settings::default().with(text).unwrap();
    let halving = |text| with(text).evaluation.halving;
    assert_eq!(halving(""), None);
    let paper = HalvingConfiguration::default();
    assert_eq!(halving("[evaluation.halving]"), Some(paper));
    let other = HalvingConfiguration {
        minimum_epochs: 3,
        ..paper
    };
    assert_eq!(
        halving("evaluation.halving = { minimum_epochs = 3 }"),
        Some(other)
    );
    let settings = with(
        r#"
        [evaluation]
        repeats = 3
        time_limit = 60
        zero_cost = ["jacob-cov"]
        filter = { score = "synflow", share = 0.5 }
        [objective]
        measurement = "pgd"
        attack = { epsilon = 0.1 }
        [limits]
        memory = 1_000_000
        latency = 2.5
        "#,
    );
    assert_eq!(settings.evaluation.repeats, 3);
    assert_eq!(settings.evaluation.time_limit, Some(60.0));
    assert_eq!(settings.evaluation.zero_cost, [zero_cost::Score::JacobCov]);
    let filter = settings.evaluation.filter.unwrap();
    assert_eq!(
        (filter.score, filter.share),
        (zero_cost::Score::Synflow, 0.5)
    );
    assert_eq!(settings.objective.measurement, Some(Measurement::Pgd));
    let attack = AttackConfiguration {
        epsilon: 0.1,
        ..AttackConfiguration::default()
    };
    assert_eq!(settings.objective.attack, attack);
    assert_eq!(settings.limits.memory, Some(1_000_000));
    assert_eq!(settings.limits.latency, Some(2.5));
    // A filter has no default that would be right for all.
    let error = Settings::default().with(
        "[evaluation.filter]
score = 'synflow'",
    );
    assert!(error.unwrap_err().message.contains("missing field `share`"));
}

/// The committed schema is made by `SNAPC_BLESS=1 cargo test --test settings`.
#[test]
fn the_schema_in_the_book_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("book/src/reference/search.schema.json");
    let schema = serde_json::to_string_pretty(&Settings::schema()).unwrap() + "\n";
    if std::env::var_os("SNAPC_BLESS").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == schema, "write it anew with SNAPC_BLESS=1");
}

#[test]
fn the_schema_has_every_setting_with_a_description() {
    fn visit(value: &Value, schema: &Value, root: &Value, path: &str) {
        let Some(object) = value.as_object() else {
            return;
        };
        let target = |schema: &Value| {
            let reference = schema["$ref"].as_str().map(|it| root.pointer(&it[1..]));
            reference.flatten().unwrap_or(schema).clone()
        };
        let schema = target(schema);
        let forms = schema["oneOf"].as_array().cloned();
        let form = forms
            .into_iter()
            .flatten()
            .find(|form| form["properties"]["kind"]["const"] == value["kind"]);
        let schema = form.unwrap_or(schema);
        for (name, value) in object {
            let path = format!("{path}.{name}");
            let property = &schema["properties"][name];
            let has_text = !target(property)["description"].is_null() || name == "kind";
            assert!(
                has_text || !property["description"].is_null(),
                "{path}: {property}"
            );
            visit(value, property, root, &path);
        }
    }
    let schema = Settings::schema();
    let settings = serde_json::to_value(Settings::default()).unwrap();
    visit(&settings, &schema, &schema, "");
}

fn sketch() -> Space {
    let text = include_str!("../examples/search.snap").to_owned();
    let source = Source::new("search.snap", text);
    Space::new(Arc::new(types::check(&syntax::parse(&source).file)), None).unwrap()
}

/// Every program is worth its length.
struct Length;

impl Evaluation for Length {
    fn evaluate(&mut self, candidate: &Candidate, _: &AtomicBool) -> Outcome {
        Outcome::Measured {
            value: candidate.program.len() as f64,
            details: Value::Null,
        }
    }
}

#[test]
fn no_strategy_proposes_what_exceeds_a_limit() {
    let sketch = sketch();
    let limits = Limits {
        parameters: Some(20_000),
        multiply_adds: Some(600_000),
        ..Limits::default()
    };
    for strategy in [
        StrategyName::Random,
        StrategyName::Evolution,
        StrategyName::Local,
        StrategyName::Autosnap,
    ] {
        let mut configuration = SearchConfiguration {
            strategy,
            budget: 30,
            ..SearchConfiguration::default()
        };
        configuration.evolution.population = 8;
        configuration.autosnap.model.hidden = 16;
        configuration.autosnap.model.latent = 8;
        configuration.autosnap.pretraining.programs = 200;
        configuration.autosnap.pretraining.steps = 20;
        let space = Limited::new(&sketch, limits);
        let store = Store::in_memory().unwrap();
        let mut search = Search::open(space, configuration, Value::Null, store).unwrap();
        let stop = AtomicBool::new(false);
        let summary = search.run(&mut Length, &mut Silent, &stop).unwrap();
        assert_eq!((summary.evaluated, summary.ending), (30, Ending::Budget));
        for record in search.history().records() {
            let cost = Cost::of(&sketch.graph(&record.candidate.program).unwrap());
            assert!(limits.admit(cost), "{strategy:?} {cost:?}");
        }
    }
    let free = Limited::new(&sketch, Limits::default());
    assert_eq!(fingerprint(&free), fingerprint(&sketch));
    assert_ne!(
        fingerprint(&free),
        fingerprint(&Limited::new(&sketch, limits))
    );
}

#[test]
fn a_price_is_per_factor_of_ten() {
    let objective = Objective {
        parameters_price: 0.01,
        multiply_adds_price: 0.002,
        ..Objective::default()
    };
    let cost = |parameters, multiply_adds| Cost {
        parameters,
        multiply_adds,
        latency: None,
    };
    let value = |cost| objective.value(0.9, cost);
    assert_eq!(value(cost(0, 1)), 0.9);
    assert!((value(cost(1_000, 1)) - value(cost(10_000, 1)) - 0.01).abs() < 1e-12);
    assert!((value(cost(1, 1_000)) - value(cost(1, 100_000)) - 0.004).abs() < 1e-12);
    let broken = Objective {
        parameters_price: -1.0,
        ..objective
    };
    let message = broken.validate().unwrap_err().to_string();
    assert_eq!(
        message,
        "`objective.parameters_price` must be a number of at least 0, not -1"
    );
}

#[test]
fn the_front_has_what_nothing_else_betters() {
    let point = |value, parameters, multiply_adds| {
        (
            value,
            Cost {
                parameters,
                multiply_adds,
                latency: None,
            },
        )
    };
    let points = [
        point(0.90, 100, 100),
        point(0.95, 200, 100),
        point(0.94, 200, 100), // worse than the one before at the same cost
        point(0.90, 100, 200), // dearer than the first
        point(0.80, 300, 10),
        point(0.95, 200, 100), // as good as the second: both stay
        point(0.97, 900, 900),
    ];
    assert_eq!(pareto_front(&points), [6, 1, 5, 0, 4]);
    assert!(pareto_front(&[]).is_empty());

    // A latency that was measured is one more cost.
    let with = |(value, cost): (f64, Cost), latency| (value, Cost { latency, ..cost });
    let points = [
        with(point(0.9, 100, 100), Some(2.0)),
        with(point(0.8, 200, 200), Some(1.0)),
        with(point(0.7, 200, 200), Some(3.0)),
        with(point(0.6, 200, 200), None),
    ];
    assert_eq!(pareto_front(&points), [0, 1]);

    // What can't be compared makes no point better than one that is otherwise equal.
    let points = [
        with(point(0.9, 100, 100), Some(2.0)),
        with(point(0.9, 100, 100), None),
    ];
    assert_eq!(pareto_front(&points), [0, 1]);
}

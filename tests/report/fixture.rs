//! A search over the toy language that brings texts which mean something to HTML, XML and CSV.

use std::ops::RangeInclusive;
use std::sync::atomic::AtomicBool;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};
use snapc::search::report::{Report, Showable};
use snapc::search::{
    Allowed, Candidate, Evaluation, Key, Outcome, ProgramSpace, Search, SearchConfiguration,
    Silent, Store, StrategyName,
};

use crate::toy::Toy;

/// Why candidates fail here.
pub const REASON: &str =
    "<b>\"loss\" & 'gradient'</b> ]]> are <script>alert(1)</script>,\nnot numbers";

/// The toy, with texts that no page may take for its own.
pub struct Odd(Toy);

impl Odd {
    pub fn new() -> Self {
        Self(Toy::new(8))
    }
}

impl ProgramSpace for Odd {
    fn symbols(&self) -> &[char] {
        self.0.symbols()
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        self.0.lengths()
    }

    fn allowed(&self, prefix: &[u8]) -> Allowed {
        self.0.allowed(prefix)
    }

    fn key(&self, program: &[u8]) -> Key {
        self.0.key(program)
    }
}

impl Showable for Odd {
    fn canonical(&self, program: &[u8]) -> Option<String> {
        Some(format!("<canonical, of \"{}\" & 'co'>", program.len()))
    }

    fn source(&self, _: &[u8]) -> Option<String> {
        Some("</pre><script>document.title = 'broken'</script> # & <!-- \u{1b}[31m".to_owned())
    }

    fn drawing(&self, _: &[u8]) -> Option<String> {
        let size = r#"width="40" height="20""#;
        Some(format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" {size}><rect {size} fill="#888888"/></svg>"##
        ))
    }
}

/// The value of a program, or a failure.
pub fn outcome(candidate: &Candidate) -> Outcome {
    let text = &candidate.text;
    let count = |symbol| text.chars().filter(|&it| it == symbol).count() as f64;
    if text.contains("dd") || text.ends_with('e') {
        return Outcome::failed(REASON);
    }
    Outcome::Measured {
        value: count('a') - 0.5 * count('b') + 0.25 * count(':') - 0.75 * count('d'),
        details: json!({
            "parameters": 1000 * text.len() * text.len(),
            "multiply_adds": 5000 + 100 * text.chars().filter(char::is_ascii_lowercase).count(),
            "note": "<i>",
        }),
    }
}

struct Measure;

impl Evaluation for Measure {
    fn evaluate(&mut self, candidate: &Candidate, _: &AtomicBool) -> Outcome {
        outcome(candidate)
    }
}

pub fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn configuration(strategy: StrategyName, budget: usize) -> SearchConfiguration {
    let mut configuration = SearchConfiguration {
        seed: 1,
        budget,
        strategy,
        initial: 6,
        round: 3,
        ..Default::default()
    };
    let autosnap = &mut configuration.autosnap;
    // Some candidates are as climbs found them, some are refined.
    autosnap.refined = 1;
    autosnap.model.hidden = 16;
    autosnap.model.latent = 12;
    autosnap.pretraining.programs = 300;
    autosnap.pretraining.held_out = 32;
    autosnap.pretraining.steps = 20;
    autosnap.pretraining.batch = 32;
    autosnap.joint.steps = 4;
    autosnap.joint.batch = 16;
    configuration
}

pub fn open(strategy: StrategyName, budget: usize, store: Store) -> Search<Odd> {
    Search::open(
        Odd::new(),
        configuration(strategy, budget),
        Value::Null,
        store,
    )
    .unwrap()
}

/// A search that has ended.
pub fn run(strategy: StrategyName, budget: usize) -> Search<Odd> {
    let mut search = open(strategy, budget, Store::in_memory().unwrap());
    finish(&mut search);
    search
}

/// Takes a search to its end.
pub fn finish(search: &mut Search<impl ProgramSpace>) {
    let go_on = AtomicBool::new(false);
    search.run(&mut Measure, &mut Silent, &go_on).unwrap();
}

pub fn gathered(store: &mut Store) -> Report {
    Report::gather(store, Some(&Odd::new())).unwrap()
}

/// The report of a search that has ended.
pub fn report(strategy: StrategyName, budget: usize) -> Report {
    gathered(run(strategy, budget).store())
}

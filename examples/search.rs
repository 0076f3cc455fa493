//! Searches with an evaluation of one's own: at once, and step by step.
//!
//!     cargo run --release --example search

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};
use snapc::diagnostic::{Source, render};
use snapc::search::{
    Ask, Candidate, Cost, Evaluation, Outcome, Search, SearchConfiguration, Silent, Store,
    StrategyName,
};
use snapc::sketch::Space;
use snapc::{syntax, types};

const SKETCH: &str = "
alphabet letters { c = conv(3) relu  p = conv(1) relu  m = maxpool(3)  : = dup  + = add }

net small : [3, 16, 16] -> [10] =
    conv(3, 8) ?{2..8} gap dense(10)
";

/// Values a net by how much it computes with each of its parameters. Nothing is trained.
#[derive(Clone, Copy)]
struct Reuse<'a> {
    space: &'a Space,
}

impl Evaluation for Reuse<'_> {
    fn evaluate(&mut self, candidate: &Candidate, _stop: &AtomicBool) -> Outcome {
        let cost = match self.space.graph(&candidate.program) {
            Ok(graph) => Cost::of(&graph),
            Err(problem) => return Outcome::failed(problem.message),
        };
        Outcome::Measured {
            value: cost.multiply_adds as f64 / cost.parameters as f64,
            details: json!({ "parameters": cost.parameters }),
        }
    }

    /// Kept with the results, so that a search does not go on with values of another kind.
    fn settings(&self) -> Value {
        json!({ "value": "multiply-adds for each parameter" })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let source = Source::new("small.snap", SKETCH);
    let parsed = syntax::parse(&source);
    let checked = types::check(&parsed.file);
    let problems = [parsed.diagnostics, checked.diagnostics.clone()].concat();
    if !problems.is_empty() {
        return Err(render::render(&problems, &[source], false).into());
    }
    let space = Space::new(Arc::new(checked), None).map_err(|problem| problem.message)?;
    let evaluation = Reuse { space: &space };
    at_once(&space, evaluation)?;
    step_by_step(&space, evaluation)
}

fn configuration(round: usize) -> SearchConfiguration {
    SearchConfiguration {
        strategy: StrategyName::Local,
        budget: 40,
        round,
        ..SearchConfiguration::default()
    }
}

/// The search calls the evaluation.
fn at_once(space: &Space, mut evaluation: Reuse<'_>) -> Result<(), Box<dyn Error>> {
    // `Store::open(folder)` keeps the search on disk, and one that is there goes on.
    let store = Store::in_memory()?;
    let mut search = Search::open(space, configuration(1), evaluation.settings(), store)?;
    let stop = AtomicBool::new(false);
    let summary = search.run(&mut evaluation, &mut Silent, &stop)?;
    let best = summary.best.ok_or("no candidate has a value")?;
    println!(
        "at once: {} after {}",
        best.candidate.text, summary.evaluated
    );
    Ok(())
}

/// Candidates are given out, several at once, and results come in.
fn step_by_step(space: &Space, mut evaluation: Reuse<'_>) -> Result<(), Box<dyn Error>> {
    let store = Store::in_memory()?;
    let mut search = Search::open(space, configuration(4), evaluation.settings(), store)?;
    let stop = AtomicBool::new(false);
    let mut given_out: Vec<Candidate> = Vec::new();
    let ending = loop {
        match search.ask(&mut Silent, &stop)? {
            // Here it would go to a worker.
            Ask::Evaluate(candidate) => given_out.push(candidate),
            // The next round needs the results of this one, in whatever order they come.
            Ask::Wait => {
                for candidate in given_out.drain(..).rev() {
                    let outcome = evaluation.evaluate(&candidate, &stop);
                    search.tell(candidate.number, outcome, &mut Silent)?;
                }
            }
            Ask::Finished(ending) => break ending,
        }
    };
    let best = search
        .summary(ending)
        .best
        .ok_or("no candidate has a value")?;
    println!("step by step: {} ({})", best.candidate.text, ending.name());
    Ok(())
}

//! Everything there is to say of a search, read from its [`Store`]: as data, as CSV, and as one HTML
//! page that needs nothing but itself.

mod candidates;
mod chart;
mod csv;
mod front;
mod html;
mod latent;
mod measure;
mod principal;
mod sketch;

use serde::Serialize;
use serde_json::Value;

pub use candidates::ReportedCandidate;
pub use csv::csv;
pub use front::Front;
pub use html::html;
pub use latent::LatentSpace;
pub use measure::Measure;
pub use principal::{PrincipalComponents, principal_components};
pub use sketch::{Sketch, SketchFile, SketchFiles};

use super::correlation::Kendall;
use super::error::{Result, SearchError};
use super::history::{Record, Status, evaluation_seconds, within};
use super::learner::ModelReport;
use super::run::Agreement;
use super::space::ProgramSpace;
use super::store::{Identity, Store};

/// A space whose programs can be shown as more than their symbols. What is not known is nothing.
pub trait Showable: ProgramSpace {
    /// The canonical form, as text.
    fn canonical(&self, _program: &[u8]) -> Option<String> {
        None
    }

    /// The whole text that the program is part of.
    fn source(&self, _program: &[u8]) -> Option<String> {
        None
    }

    /// A drawing: an SVG document, or several one after the other.
    fn drawing(&self, _program: &[u8]) -> Option<String> {
        None
    }
}

/// A search as data. Its JSON is documented in the book.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The version that began the search.
    pub version: Option<String>,
    /// What decides the search: configuration, space and evaluation.
    pub settings: Settings,
    /// What the value of a candidate is.
    pub measure: Measure,
    /// What was found, and how long it took.
    pub summary: Totals,
    /// How well predicted values agree with measured ones.
    pub agreement: Agreement,
    /// Why candidates failed, the most frequent reason first.
    pub failures: Vec<Failure>,
    /// The candidates that nothing beats, for each cost that was recorded.
    pub fronts: Vec<Front>,
    /// What each round brought.
    pub rounds: Vec<RoundReport>,
    /// The codes of the candidates.
    pub latent: LatentSpace,
    /// All candidates, by number.
    pub candidates: Vec<ReportedCandidate>,
}

/// What decides a search, as it is recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// Seed, strategy and its settings.
    pub configuration: Value,
    /// Symbols and lengths of the programs.
    pub space: Value,
    /// Data and training, or whatever gives candidates their value.
    pub evaluation: Value,
}

/// A search in a few numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Totals {
    /// The number of the best candidate; of equal ones the earliest.
    pub best: Option<usize>,
    /// How many candidates were proposed.
    pub proposed: usize,
    /// How many have a value.
    pub evaluated: usize,
    /// How many failed.
    pub failed: usize,
    /// How many are still to be evaluated, or were when the store was last written.
    pub open: usize,
    /// The time all evaluations took.
    pub evaluation_seconds: f64,
}

/// A reason why candidates failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The reason.
    pub reason: String,
    /// The numbers of the candidates.
    pub candidates: Vec<usize>,
}

/// A round of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoundReport {
    /// Its number, from 0.
    pub round: usize,
    /// How many candidates it has.
    pub candidates: usize,
    /// The best value when it had ended.
    pub best: Option<f64>,
    /// How good the model was that proposed it, if there was one.
    pub model: Option<ModelReport>,
    /// Kendall's tau of predicted and measured values, up to its end.
    pub kendall: Option<f64>,
}

impl Report {
    /// Reads everything from a store. With a space, programs are shown by it, and if the strategy has
    /// a model, their codes are computed.
    ///
    /// # Errors
    ///
    /// [`SearchError::Missing`] if no search has begun there; or if the store can't be read.
    pub fn gather(store: &mut Store, space: Option<&dyn Showable>) -> Result<Self> {
        let missing = SearchError::Missing(store.path().to_owned());
        let identity = store.identity()?.ok_or(missing)?;
        let symbols: Vec<char> = identity.space["symbols"]
            .as_str()
            .unwrap_or_default()
            .chars()
            .collect();
        let records = store.records(&symbols)?;
        let records = match store.budget()? {
            Some(budget) => within(&records, budget),
            None => &records,
        };
        let state = store.state()?;
        let models = store.reports()?;
        let mut candidates = candidates::candidates(records, space);
        let latent = latent::latent_space(&identity, &state, space, records, &mut candidates);
        let Identity {
            configuration,
            space,
            evaluation,
        } = identity;
        let measure = Measure::of(&evaluation);
        Ok(Self {
            version: store.version()?,
            summary: totals(records, &candidates),
            agreement: Agreement::of(records),
            failures: failures(records),
            fronts: front::fronts(&measure, &candidates),
            measure,
            rounds: rounds(records, &candidates, &models),
            latent,
            candidates,
            settings: Settings {
                configuration,
                space,
                evaluation,
            },
        })
    }

    /// The best candidate.
    pub fn best(&self) -> Option<&ReportedCandidate> {
        self.candidates.get(self.summary.best?)
    }
}

fn totals(records: &[Record], candidates: &[ReportedCandidate]) -> Totals {
    let with = |status: &str| candidates.iter().filter(|it| it.status == status).count();
    let (evaluated, failed) = (with("done"), with("failed"));
    let best = candidates.iter().rev().max_by(|a, b| {
        let value = |it: &ReportedCandidate| it.value.unwrap_or(f64::NEG_INFINITY);
        value(a).total_cmp(&value(b))
    });
    Totals {
        best: best.filter(|it| it.value.is_some()).map(|it| it.number),
        proposed: records.len(),
        evaluated,
        failed,
        open: records.len() - evaluated - failed,
        evaluation_seconds: evaluation_seconds(records),
    }
}

fn failures(records: &[Record]) -> Vec<Failure> {
    let mut failures: Vec<Failure> = Vec::new();
    for record in records {
        let Status::Failed { reason, .. } = &record.status else {
            continue;
        };
        let number = record.candidate.number;
        match failures.iter_mut().find(|known| known.reason == *reason) {
            Some(known) => known.candidates.push(number),
            None => failures.push(Failure {
                reason: reason.clone(),
                candidates: vec![number],
            }),
        }
    }
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.candidates.len()));
    failures
}

fn rounds(
    records: &[Record],
    candidates: &[ReportedCandidate],
    models: &[(usize, ModelReport)],
) -> Vec<RoundReport> {
    let chunks = records.chunk_by(|a, b| a.round == b.round);
    let mut kendall = Kendall::default();
    let mut end = 0;
    let rounds = chunks.map(|chunk| {
        end += chunk.len();
        for (predicted, value) in chunk.iter().filter_map(|it| it.predicted.zip(it.value())) {
            kendall.push(predicted, value);
        }
        let round = chunk.first().map_or(0, |record| record.round);
        let model = models.iter().find(|(number, _)| *number == round);
        RoundReport {
            round,
            candidates: chunk.len(),
            best: candidates[..end].last().and_then(|last| last.best),
            model: model.map(|(_, report)| *report),
            kendall: kendall.tau(),
        }
    });
    rounds.collect()
}

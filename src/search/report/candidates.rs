//! The candidates of a search, one row each.

use serde::Serialize;
use serde_json::Value;

use super::Showable;
use crate::search::history::{Origin, Record, Status};

/// How many candidates are drawn, the best ones: a drawing takes some ten kilobytes.
const DRAWINGS: usize = 200;

/// A candidate with what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportedCandidate {
    /// Its number, from 0.
    pub number: usize,
    /// The round it was proposed in, from 0.
    pub round: usize,
    /// Its program, one character a symbol.
    pub program: String,
    /// Its canonical key.
    pub key: String,
    /// Its canonical form, where the space can tell.
    pub canonical: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// `pending`, `running`, `done` or `failed`.
    pub status: &'static str,
    /// Its value.
    pub value: Option<f64>,
    /// The best value up to this candidate.
    pub best: Option<f64>,
    /// The value the model expected when it was proposed.
    pub predicted: Option<f64>,
    /// How long its evaluation took.
    pub seconds: Option<f64>,
    /// Why it failed.
    pub reason: Option<String>,
    /// What else the evaluation told.
    pub details: Value,
    /// Its place in the plane of the two principal components of all codes.
    pub latent: Option<[f64; 2]>,
    /// The whole text that the program is part of.
    #[serde(skip)]
    pub source: Option<String>,
    /// A drawing of it, as SVG.
    #[serde(skip)]
    pub drawing: Option<String>,
}

impl ReportedCandidate {
    /// A number among the details, such as `parameters`.
    pub fn detail(&self, name: &str) -> Option<f64> {
        self.details.get(name)?.as_f64()
    }

    /// The sort of its origin: `random`, `climbed`, `refined`, or what a strategy from outside says.
    pub fn origin_kind(&self) -> String {
        match &self.origin {
            Origin::Other { description } => description.clone(),
            // As it is stored, so that there is one list of these names.
            origin => text(&as_stored(origin)["kind"]),
        }
    }

    /// The number of the candidate that it was made from.
    pub fn origin_from(&self) -> Option<usize> {
        let from = as_stored(&self.origin)["from"].as_u64()?;
        usize::try_from(from).ok()
    }

    /// How far the climb went to it, in standard deviations of the latent space.
    pub fn origin_step(&self) -> Option<f64> {
        as_stored(&self.origin)["step"].as_f64()
    }
}

fn as_stored(origin: &Origin) -> Value {
    serde_json::to_value(origin).unwrap_or_default()
}

/// A JSON value as people write it: texts without quotes.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// The rows of all records. Their places in the latent space are filled in later.
pub fn candidates(records: &[Record], space: Option<&dyn Showable>) -> Vec<ReportedCandidate> {
    let drawn = drawn(records);
    let mut best = None;
    records
        .iter()
        .map(|record| {
            best = record.value().into_iter().chain(best).reduce(f64::max);
            let row = row(record, best, space);
            match space {
                Some(space) if drawn.contains(&row.number) => ReportedCandidate {
                    source: space.source(&record.candidate.program),
                    drawing: space.drawing(&record.candidate.program),
                    ..row
                },
                _ => row,
            }
        })
        .collect()
}

/// The numbers of the candidates that are drawn: those with a value before those without, the best
/// first.
fn drawn(records: &[Record]) -> std::collections::HashSet<usize> {
    let mut order: Vec<&Record> = records.iter().collect();
    let value = |record: &Record| record.value().unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|a, b| value(b).total_cmp(&value(a)));
    let best = order.into_iter().take(DRAWINGS);
    best.map(|record| record.candidate.number).collect()
}

fn row(record: &Record, best: Option<f64>, space: Option<&dyn Showable>) -> ReportedCandidate {
    let reason = match &record.status {
        Status::Failed { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    ReportedCandidate {
        number: record.candidate.number,
        round: record.round,
        program: record.candidate.text.clone(),
        key: record.candidate.key.to_string(),
        canonical: space.and_then(|space| space.canonical(&record.candidate.program)),
        origin: record.origin.clone(),
        status: record.status.name(),
        value: record.value(),
        best,
        predicted: record.predicted,
        seconds: record.seconds(),
        reason,
        details: record.details().clone(),
        latent: None,
        source: None,
        drawing: None,
    }
}

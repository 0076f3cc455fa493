//! The candidates of a report as CSV (RFC 4180).

use std::collections::BTreeSet;

use super::candidates::text;
use super::{Report, ReportedCandidate};

/// The columns that every report has; the details of the evaluation follow.
const COLUMNS: [&str; 16] = [
    "number",
    "round",
    "origin",
    "from",
    "step",
    "program",
    "key",
    "canonical",
    "status",
    "value",
    "best",
    "predicted",
    "seconds",
    "latent_1",
    "latent_2",
    "reason",
];

/// The table of all candidates: a line of names, then a line for each. After the columns of every
/// report there is one for each number, text or truth value that the evaluation told.
pub fn csv(report: &Report) -> String {
    let details = detail_names(report);
    let names = COLUMNS.iter().copied();
    let header = names.chain(details.iter().map(String::as_str));
    let mut table = line(header.map(str::to_owned));
    for candidate in &report.candidates {
        let further = details
            .iter()
            .map(|name| candidate.details.get(name).map_or(String::new(), text));
        table.push_str(&line(fields(candidate).into_iter().chain(further)));
    }
    table
}

/// The names of all details that fit in a field.
fn detail_names(report: &Report) -> BTreeSet<String> {
    let details = report.candidates.iter();
    details
        .filter_map(|candidate| candidate.details.as_object())
        .flatten()
        .filter(|(_, value)| !value.is_object() && !value.is_array())
        .map(|(name, _)| name.clone())
        .collect()
}

fn fields(candidate: &ReportedCandidate) -> [String; COLUMNS.len()] {
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let from = candidate.origin_from();
    [
        candidate.number.to_string(),
        candidate.round.to_string(),
        candidate.origin_kind(),
        from.map_or(String::new(), |from| from.to_string()),
        number(candidate.origin_step()),
        candidate.program.clone(),
        candidate.key.clone(),
        candidate.canonical.clone().unwrap_or_default(),
        candidate.status.to_owned(),
        number(candidate.value),
        number(candidate.best),
        number(candidate.predicted),
        number(candidate.seconds),
        number(candidate.latent.map(|[first, _]| first)),
        number(candidate.latent.map(|[_, second]| second)),
        candidate.reason.clone().unwrap_or_default(),
    ]
}

fn line(fields: impl Iterator<Item = String>) -> String {
    let fields: Vec<String> = fields.map(|field| quoted(&field)).collect();
    format!("{}\n", fields.join(","))
}

/// A field in quotes, if it has what means something in CSV.
fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

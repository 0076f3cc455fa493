//! A candidate in words and as JSON.

use serde_json::{Value, json};

use crate::cli::output::thousands;
use crate::search::{Measurement, Record, Status};

/// What `search --format json` says of a candidate.
pub(super) fn describe(record: &Record) -> Value {
    json!({
        "number": record.candidate.number,
        "program": record.candidate.text,
        "key": record.candidate.key.to_string(),
        "status": record.status.name(),
        "value": record.value(),
        "seconds": record.seconds(),
        "round": record.round,
        "origin": record.origin,
        "predicted": record.predicted,
        "details": record.details(),
        "reason": reason(record),
    })
}

/// Why a candidate has failed, if it has.
pub(super) fn reason(record: &Record) -> Option<&str> {
    match &record.status {
        Status::Failed { reason, .. } => Some(reason),
        _ => None,
    }
}

pub(super) fn percent(value: f64) -> String {
    format!("{:.2} %", value * 100.0)
}

/// A number of the details of a record.
pub(super) fn detail(record: &Record, name: &str) -> Option<f64> {
    record.details().get(name)?.as_f64()
}

/// What was measured of a record on a part of the data, `validation` or `test`.
pub(super) fn measured(record: &Record, part: &str, measurement: Measurement) -> Option<f64> {
    detail(record, &format!("{part}_{}", measurement.score_name()))
}

pub(super) fn costs(record: &Record) -> String {
    let number = |name| detail(record, name).unwrap_or(0.0) as u64;
    let latency = match detail(record, "latency") {
        Some(milliseconds) => format!(", {milliseconds:.3} ms"),
        None => String::new(),
    };
    format!(
        "{} parameters, {} multiply-adds{latency}",
        thousands(&number("parameters").to_string()),
        thousands(&number("multiply_adds").to_string())
    )
}

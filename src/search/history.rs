//! What a search has proposed and measured so far.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::evaluation::Candidate;
use super::space::Key;

/// Where a proposal comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Origin {
    /// Drawn at random.
    Random,
    /// Climbed to in the latent space.
    Climbed {
        /// The number of the candidate the climb started from.
        from: usize,
        /// How far it went, in standard deviations of the latent space.
        step: f64,
    },
    /// Found by a climb or by chance, and then edited by one symbol after another, while that promised more.
    Refined {
        /// The number of the candidate that the climb started from; nothing if it was found by chance.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<usize>,
        /// How many edits there were.
        edits: usize,
    },
    /// A good program with one symbol replaced, inserted or deleted.
    Edited {
        /// The number of the candidate that was edited.
        from: usize,
    },
    /// Whatever a strategy from outside wants to say.
    Other {
        /// Its words.
        description: String,
    },
}

/// A program a strategy proposes.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Its opcodes.
    pub program: Vec<u8>,
    /// Its canonical key.
    pub key: Key,
    /// Where it comes from.
    pub origin: Origin,
    /// The value the strategy expects, if it expects any.
    pub predicted: Option<f64>,
}

/// How far a candidate is.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// Proposed, not begun.
    Pending,
    /// Being evaluated.
    Running,
    /// Evaluated.
    Done {
        /// Its value: the larger, the better.
        value: f64,
        /// What else the evaluation told.
        details: Value,
        /// How long the evaluation took.
        seconds: f64,
    },
    /// Its evaluation failed.
    Failed {
        /// Why.
        reason: String,
        /// What was found out before it failed.
        details: Value,
        /// How long it took to fail.
        seconds: f64,
    },
}

impl Status {
    /// `pending`, `running`, `done` or `failed`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
        }
    }
}

/// A candidate with all that is known about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The program.
    pub candidate: Candidate,
    /// The round it was proposed in, from 0.
    pub round: usize,
    /// Where it comes from.
    pub origin: Origin,
    /// The value expected when it was proposed.
    pub predicted: Option<f64>,
    /// How far it is.
    pub status: Status,
}

impl Record {
    /// The value, once measured.
    pub fn value(&self) -> Option<f64> {
        match self.status {
            Status::Done { value, .. } => Some(value),
            _ => None,
        }
    }

    /// What the evaluation told beside the value, or before it failed; null if it told nothing yet.
    pub fn details(&self) -> &Value {
        match &self.status {
            Status::Done { details, .. } | Status::Failed { details, .. } => details,
            Status::Pending | Status::Running => &Value::Null,
        }
    }

    /// How long the evaluation took, once it ended.
    pub fn seconds(&self) -> Option<f64> {
        match self.status {
            Status::Done { seconds, .. } | Status::Failed { seconds, .. } => Some(seconds),
            _ => None,
        }
    }
}

/// The time that all evaluations took. An empty sum of floating-point numbers is below zero in Rust.
pub(super) fn evaluation_seconds(records: &[Record]) -> f64 {
    records.iter().filter_map(Record::seconds).sum::<f64>() + 0.0
}

/// All candidates of a search, in the order they were proposed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    records: Vec<Record>,
    keys: HashSet<Key>,
}

impl History {
    /// A history of these records, of which number `i` comes at place `i`.
    pub fn new(records: Vec<Record>) -> Self {
        let keys = records.iter().map(|record| record.candidate.key).collect();
        Self { records, keys }
    }

    /// All records, by number.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The keys of all records, measured or not: what must not be proposed again.
    pub fn keys(&self) -> &HashSet<Key> {
        &self.keys
    }

    /// The records of a search with this budget: without those at the end that wait for a larger one.
    pub fn within(&self, budget: usize) -> &[Record] {
        within(&self.records, budget)
    }

    /// The records that have a value, with it.
    pub fn measured(&self) -> impl Iterator<Item = (&Record, f64)> {
        self.records
            .iter()
            .filter_map(|record| Some((record, record.value()?)))
    }

    /// The records with the largest values, the best first; of equal ones the earlier.
    pub fn best(&self, count: usize) -> Vec<&Record> {
        let mut measured: Vec<(&Record, f64)> = self.measured().collect();
        measured.sort_by(|a, b| b.1.total_cmp(&a.1));
        measured
            .into_iter()
            .take(count)
            .map(|(record, _)| record)
            .collect()
    }

    pub(super) fn push(&mut self, record: Record) {
        self.keys.insert(record.candidate.key);
        self.records.push(record);
    }

    pub(super) fn set(&mut self, number: usize, status: Status) -> Option<&Record> {
        let record = self.records.get_mut(number)?;
        record.status = status;
        Some(record)
    }
}

/// Records without those at the end that are beyond the budget and wait for a larger one.
pub(super) fn within(records: &[Record], budget: usize) -> &[Record] {
    let waits = |record: &Record| record.status == Status::Pending;
    let last = records.iter().rposition(|record| !waits(record));
    let end = budget.max(last.map_or(0, |place| place + 1));
    &records[..end.min(records.len())]
}

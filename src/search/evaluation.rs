//! What a program is worth.

use std::sync::atomic::AtomicBool;

use serde_json::Value;

use super::space::Key;

/// A program that is to be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its number in the search, from 0.
    pub number: usize,
    /// Its opcodes.
    pub program: Vec<u8>,
    /// Its opcodes as text, one character a symbol.
    pub text: String,
    /// Its canonical key.
    pub key: Key,
}

/// What came of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The candidate has a value: the larger, the better.
    Measured {
        /// The value. One that is not finite counts as failed.
        value: f64,
        /// Whatever else is worth keeping: test accuracy, parameters, epochs.
        details: Value,
    },
    /// The candidate could not be evaluated (it diverged, ran out of memory, took too long). The
    /// search goes on.
    Failed {
        /// Why.
        reason: String,
        /// What was found out before it failed; null where nothing was.
        details: Value,
    },
    /// The evaluation was stopped from outside; the candidate is still to be evaluated.
    Interrupted,
    /// Nothing can be evaluated any more, through no fault of the candidate: the disk is full. The
    /// search ends with an error, and the candidate is still to be evaluated.
    Broken {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// A candidate that could not be evaluated, of which nothing else is known.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Failed {
            reason: reason.into(),
            details: Value::Null,
        }
    }
}

/// Gives programs their value. The search never asks twice for programs with the same key.
pub trait Evaluation {
    /// Evaluates a candidate. Should return [`Outcome::Interrupted`] soon after `stop` is set.
    fn evaluate(&mut self, candidate: &Candidate, stop: &AtomicBool) -> Outcome;

    /// Everything that decides the value, as data. It is recorded with the search, and a search is
    /// not resumed with another: values would not be comparable.
    fn settings(&self) -> Value {
        Value::Null
    }
}

//! The finished trainings of the candidate that is being trained several times, kept in a file so
//! that none is done again after a break.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::evaluation::Candidate;
use super::details::Measured;
use super::halving::Rung;
use crate::files;

/// The name of the file in the results folder.
pub const TRAININGS: &str = "trainings.json";

/// The finished trainings of a candidate.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Trainings {
    key: String,
    /// What decides the trainings: those of other settings are not taken for these.
    settings: Value,
    /// What was measured after each, in the order of their seeds.
    pub(super) measured: Vec<Measured>,
    /// The rungs that the first one reached.
    pub(super) rungs: Vec<Rung>,
    /// How long they took.
    pub(super) seconds: f64,
}

impl Trainings {
    /// The trainings that are kept in the folder, if they are of this candidate with these settings
    /// and fewer than `repeats`; else none. A file that can't be read costs time, not the search.
    pub(super) fn open(
        folder: Option<&Path>,
        candidate: &Candidate,
        settings: Value,
        repeats: usize,
    ) -> Self {
        let none = Self {
            key: candidate.key.to_string(),
            settings,
            measured: Vec::new(),
            rungs: Vec::new(),
            seconds: 0.0,
        };
        folder
            .and_then(|folder| std::fs::read(folder.join(TRAININGS)).ok())
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok())
            .filter(|kept| kept.key == none.key && kept.settings == none.settings)
            .filter(|kept| kept.measured.len() < repeats)
            .unwrap_or(none)
    }

    /// Keeps them in the folder.
    pub(super) fn keep(&self, folder: Option<&Path>) -> io::Result<()> {
        let Some(folder) = folder else { return Ok(()) };
        std::fs::create_dir_all(folder)?;
        files::write(&folder.join(TRAININGS), &serde_json::to_vec_pretty(self)?)
    }
}

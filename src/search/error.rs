//! What can go wrong in a search.

use std::path::PathBuf;

/// Why a search could not be opened or go on.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// A value of the configuration is out of range.
    #[error("`{name}` must be {expected}, not {found}")]
    Configuration {
        /// The path of the value: `autosnap.model.hidden`.
        name: String,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },

    /// The space breaks the contract of [`ProgramSpace`](super::ProgramSpace).
    #[error("the program space can't be searched: {0}")]
    Space(String),

    /// The store holds another search.
    #[error(
        "{path} holds another search:\n{differences}\nresume with the same settings, or give another folder",
        path = path.display(),
        differences = differences.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
    )]
    Different {
        /// The results folder.
        path: PathBuf,
        /// One line for each setting that differs, with its value in the store and the one given.
        differences: Vec<String>,
    },

    /// Another search is running on the store.
    #[error("another search is running on {path}; wait for it to end, or give another folder", path = .0.display())]
    Locked(PathBuf),

    /// The store was written by a newer version.
    #[error(
        "{path} was written by a newer version (its schema is {found}, this version knows {known}); use that version, or give another folder",
        path = path.display()
    )]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema this version knows.
        known: i64,
    },

    /// There is no search to read.
    #[error("there is no search in {path}", path = .0.display())]
    Missing(PathBuf),

    /// The store can't be read as one.
    #[error("{path} is damaged or is not the store of a search: {reason}; move it away to start anew", path = path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A file or folder can't be used.
    #[error("can't use {path}: {source}", path = path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// The database reports an error: the disk is full, the folder is read-only.
    #[error("can't use the store {path}: {source}", path = path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },

    /// The model of the search failed.
    #[error("the model of the search failed: {0}")]
    Model(String),

    /// Candidates can't be evaluated any more: the disk is full.
    #[error("candidates can't be evaluated: {0}; the search goes on from here once that is mended")]
    Evaluation(String),

    /// A result was told for a candidate that was not asked for.
    #[error("candidate {0} is not being evaluated")]
    NotRunning(usize),

    /// The search was stopped from outside while the strategy was preparing proposals.
    #[error("the search was stopped")]
    Stopped,
}

/// The result of what a search does.
pub type Result<T, E = SearchError> = std::result::Result<T, E>;

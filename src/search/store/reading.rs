//! Reading a search that someone else may be running.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use super::{DATABASE, Store, Stored, database_error};
use crate::search::error::{Result, SearchError};
use crate::search::history::Record;

impl Store {
    /// Opens the store in a results folder to look at it. Nothing is locked, so this works while a
    /// search runs on the folder; what it shows is the search as it was last written.
    ///
    /// # Errors
    ///
    /// [`SearchError::Missing`] if there is no search in the folder; or if the database is damaged or
    /// newer than this version.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(DATABASE);
        if !path.is_file() {
            return Err(SearchError::Missing(folder.to_owned()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&path, flags).map_err(database_error(&path))?;
        let mut store = Self {
            connection,
            path,
            _lock: None,
        };
        store.check()?;
        let version: i64 = store.run(|connection| {
            connection.pragma_query_value(None, "user_version", |row| row.get(0))
        })?;
        match version {
            // The search was killed before it had written anything.
            0 => Err(SearchError::Missing(folder.to_owned())),
            _ => Ok(store),
        }
    }

    /// All candidates by number, as they are; `symbols` are those of the space.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub fn records(&mut self, symbols: &[char]) -> Result<Vec<Record>> {
        let rows: Vec<Stored> = self.run(|connection| {
            connection
                .prepare("SELECT * FROM candidates ORDER BY number")?
                .query_map([], Stored::read)?
                .collect()
        })?;
        rows.into_iter()
            .enumerate()
            .map(|(number, row)| {
                row.record(number, symbols)
                    .ok_or_else(|| self.damaged(&format!("candidate {number} can't be read")))
            })
            .collect()
    }

    /// The version that began the search, if it has begun.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub fn version(&mut self) -> Result<Option<String>> {
        let version = self.part("version")?;
        Ok(version.and_then(|version| version.as_str().map(str::to_owned)))
    }

    /// What was kept with [`keep_sketch`](Self::keep_sketch), if anything was.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub fn sketch(&mut self) -> Result<Option<Value>> {
        self.part("sketch")
    }

    /// Keeps what the programs fill, so that whoever reads the store can show them. The search itself
    /// does not look at it.
    ///
    /// # Errors
    ///
    /// If the store can't be written.
    pub fn keep_sketch(&mut self, sketch: &impl serde::Serialize) -> Result<()> {
        self.keep("sketch", json!(sketch))
    }

    /// The budget of the last run, if it is kept: what was proposed beyond it waits for a larger one.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub fn budget(&mut self) -> Result<Option<usize>> {
        let budget = self.part("budget")?;
        Ok(budget.and_then(|it| usize::try_from(it.as_u64()?).ok()))
    }

    pub(in crate::search) fn keep_budget(&mut self, budget: usize) -> Result<()> {
        self.keep("budget", json!(budget))
    }

    fn keep(&mut self, name: &str, value: Value) -> Result<()> {
        self.run(|connection| {
            connection.execute(
                "INSERT OR REPLACE INTO search (name, value) VALUES (?1, ?2)",
                [name, &value.to_string()],
            )
        })?;
        Ok(())
    }
}

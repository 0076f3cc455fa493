//! The results folder: an SQLite database that holds a search, so that a killed one goes on.
//!
//! The database is in WAL mode with `synchronous = FULL`: what was committed survives the death of
//! the process and of the machine. One commit costs a flush of the disk, milliseconds beside the
//! seconds a candidate trains, and there are two for each candidate: one when it begins, one with its
//! result. Proposals are committed before any is evaluated, together with the state of the strategy
//! that made them.

mod reading;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::configuration::SearchConfiguration;
use super::error::{Result, SearchError};
use super::evaluation::Candidate;
use super::history::{History, Record, Status};
use super::learner::ModelReport;
use super::space::{self, ProgramSpace};
use crate::graph::Laws;

/// The name of the database in the results folder.
pub const DATABASE: &str = "search.sqlite";

/// The name of the file that is locked while a search runs on the folder.
pub const LOCK: &str = "search.lock";

/// The version of the tables below, kept as `user_version`.
const SCHEMA: i64 = 2;

/// "snap" as a number: marks the database as ours, kept as `application_id`.
const APPLICATION: i64 = 0x736e_6170;

const TABLES: &str = "
    CREATE TABLE search (
        name TEXT PRIMARY KEY,      -- 'configuration', 'space', 'evaluation', 'version', 'laws', 'sketch', 'budget'
        value TEXT NOT NULL         -- JSON
    ) STRICT;
    CREATE TABLE candidates (
        number INTEGER PRIMARY KEY, -- from 0, in the order of the proposals
        round INTEGER NOT NULL,
        program TEXT NOT NULL,      -- one character a symbol
        key TEXT NOT NULL UNIQUE,   -- 32 hexadecimal digits
        status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'done', 'failed')),
        value REAL,
        details TEXT,               -- JSON
        origin TEXT NOT NULL,       -- JSON
        predicted REAL,
        seconds REAL,
        reason TEXT,
        begun INTEGER NOT NULL DEFAULT 0 -- how often its evaluation was begun and did not come back
    ) STRICT;
    CREATE TABLE rounds (
        round INTEGER PRIMARY KEY,
        report TEXT NOT NULL        -- JSON
    ) STRICT;
    CREATE TABLE state (
        id INTEGER PRIMARY KEY CHECK (id = 0),
        strategy BLOB NOT NULL      -- what the strategy saved after the last round
    ) STRICT;
";

/// What brings a store of the version before to this one.
const COUNT_BEGINNINGS: &str = "
    ALTER TABLE candidates ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
    UPDATE candidates SET begun = 1 WHERE status = 'running';
";

/// How often the process may end while it evaluates a candidate. One that takes more memory than there is may end the
/// process every time, and the search would never get past it; but somebody may also have killed the process a few times.
const MOST_BEGINNINGS: i64 = 10;

/// Why a candidate that was begun so often has failed.
const ENDED_THE_PROCESS: &str = "the process ended ten times while it was evaluated";

/// What decides a search, as data: a store is only used for the search it was made for.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The configuration, without what may change between runs.
    pub configuration: Value,
    /// The vocabulary, the lengths and the fingerprint of the space.
    pub space: Value,
    /// The settings of the evaluation.
    pub evaluation: Value,
}

impl Identity {
    /// The identity of a search with the strategy of this name.
    pub fn new(
        configuration: &SearchConfiguration,
        space: &dyn ProgramSpace,
        strategy: &str,
        evaluation: Value,
    ) -> Self {
        let mut configuration = json!(configuration);
        if let Some(map) = configuration.as_object_mut() {
            map.remove("budget");
            map.insert("strategy".to_owned(), json!(strategy));
            for section in ["evolution", "nao", "autosnap"] {
                if section != strategy {
                    map.remove(section);
                }
            }
        }
        let lengths = space.lengths();
        let space = json!({
            "symbols": space.symbols().iter().collect::<String>(),
            "shortest": lengths.start(),
            "longest": lengths.end(),
            "fingerprint": space::fingerprint(space).to_string(),
        });
        Self {
            configuration,
            space,
            evaluation,
        }
    }

    /// One line for every value that differs in another identity, by its name in the configuration file where it has one.
    fn differences(&self, other: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        compare(
            "search",
            &self.configuration,
            &other.configuration,
            &mut differences,
        );
        compare("", &self.evaluation, &other.evaluation, &mut differences);
        // Other limits admit other programs, which the fingerprint shows too.
        if differences.is_empty() {
            compare("space", &self.space, &other.space, &mut differences);
        }
        differences
    }

    fn parts(&self) -> [(&'static str, &Value); 3] {
        [
            ("configuration", &self.configuration),
            ("space", &self.space),
            ("evaluation", &self.evaluation),
        ]
    }
}

/// Locks a file. A program that the process of a search has just started holds a copy of its lock
/// until it is running, so a lock that was given back is sometimes held a moment longer.
fn patiently_locked(lock: &File) -> std::result::Result<(), TryLockError> {
    const ATTEMPTS: usize = 20;
    const PAUSE: Duration = Duration::from_millis(25);
    for _ in 1..ATTEMPTS {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            locked => return locked,
        }
    }
    lock.try_lock()
}

/// A search on disk.
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// Locked as long as the store is open. Nothing for a store in memory.
    _lock: Option<File>,
}

impl Store {
    /// Opens the store in a results folder, making both if they are not there.
    ///
    /// # Errors
    ///
    /// If the folder can't be written, another search is running on it, or the database is damaged or
    /// newer than this version.
    pub fn open(folder: &Path) -> Result<Self> {
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| SearchError::File { path, source }
        };
        std::fs::create_dir_all(folder).map_err(file(folder))?;
        let lock_path = folder.join(LOCK);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(file(&lock_path))?;
        match patiently_locked(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SearchError::Locked(folder.to_owned())),
            Err(TryLockError::Error(source)) => return Err(file(&lock_path)(source)),
        }
        let path = folder.join(DATABASE);
        let connection = Connection::open(&path).map_err(database_error(&path))?;
        Self::prepare(connection, path, Some(lock))
    }

    /// A store that is gone when it is dropped.
    ///
    /// # Errors
    ///
    /// If SQLite can't be used.
    pub fn in_memory() -> Result<Self> {
        let path = PathBuf::from(":memory:");
        let connection = Connection::open_in_memory().map_err(database_error(&path))?;
        Self::prepare(connection, path, None)
    }

    fn prepare(connection: Connection, path: PathBuf, lock: Option<File>) -> Result<Self> {
        let mut store = Self {
            connection,
            path,
            _lock: lock,
        };
        store.check()?;
        store.run(|connection| {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            let version: i64 =
                connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if version == SCHEMA {
                return Ok(());
            }
            let transaction = connection.transaction()?;
            transaction.execute_batch(if version == 0 {
                TABLES
            } else {
                COUNT_BEGINNINGS
            })?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", SCHEMA)?;
            transaction.commit()
        })?;
        Ok(store)
    }

    /// Looks whether the database is one of ours and whole.
    fn check(&mut self) -> Result<()> {
        let (version, application, tables): (i64, i64, i64) = self.run(|connection| {
            Ok((
                connection.pragma_query_value(None, "user_version", |row| row.get(0))?,
                connection.pragma_query_value(None, "application_id", |row| row.get(0))?,
                connection.query_one("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?,
            ))
        })?;
        if application != APPLICATION && (application, version, tables) != (0, 0, 0) {
            return Err(self.damaged("it was made by another program"));
        }
        if version > SCHEMA {
            return Err(SearchError::NewerSchema {
                path: self.path.clone(),
                found: version,
                known: SCHEMA,
            });
        }
        let found: String = self.run(|connection| {
            connection.pragma_query_value(None, "quick_check", |row| row.get(0))
        })?;
        if found == "ok" {
            Ok(())
        } else {
            Err(self.damaged(&found))
        }
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The identity of the search that is recorded here, if there is one.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub fn identity(&mut self) -> Result<Option<Identity>> {
        let parts = (
            self.part("configuration")?,
            self.part("space")?,
            self.part("evaluation")?,
        );
        Ok(match parts {
            (Some(configuration), Some(space), Some(evaluation)) => Some(Identity {
                configuration,
                space,
                evaluation,
            }),
            _ => None,
        })
    }

    /// Writes the identity of a new search, or compares it with the one that is there. A search that has proposed nothing makes
    /// way for another one.
    ///
    /// # Errors
    ///
    /// [`SearchError::Different`] with everything that differs.
    pub(super) fn identify(&mut self, identity: &Identity) -> Result<()> {
        if let Some(stored) = self.identity()? {
            let differences = stored.differences(identity);
            if differences.is_empty() {
                return Ok(());
            }
            if self.has_candidates()? {
                let path = self.path.parent().unwrap_or(&self.path).to_owned();
                return Err(SearchError::Different { path, differences });
            }
        }
        let versions = [
            ("version", &json!(env!("CARGO_PKG_VERSION"))),
            ("laws", &json!(Laws::default().version())),
        ];
        self.run(|connection| {
            let transaction = connection.transaction()?;
            transaction
                .execute_batch("DELETE FROM search; DELETE FROM rounds; DELETE FROM state;")?;
            for (name, value) in identity.parts().into_iter().chain(versions) {
                transaction.execute(
                    "INSERT INTO search (name, value) VALUES (?1, ?2)",
                    params![name, value.to_string()],
                )?;
            }
            transaction.commit()
        })
    }

    fn has_candidates(&mut self) -> Result<bool> {
        self.run(|connection| {
            connection.query_one("SELECT EXISTS (SELECT * FROM candidates)", [], |row| {
                row.get(0)
            })
        })
    }

    fn part(&mut self, name: &str) -> Result<Option<Value>> {
        let text: Option<String> = self.run(|connection| {
            connection
                .query_row("SELECT value FROM search WHERE name = ?1", [name], |row| {
                    row.get(0)
                })
                .optional()
        })?;
        let parsed = text.map(|text| serde_json::from_str(&text)).transpose();
        parsed.map_err(|_| self.damaged(&format!("the recorded {name} can't be read")))
    }

    /// All candidates. Those that were being evaluated when the last run ended are pending again, or have failed if
    /// that has happened too often.
    pub(super) fn history(&mut self, space: &dyn ProgramSpace) -> Result<History> {
        self.run(|connection| {
            let transaction = connection.transaction()?;
            transaction.execute(
                "UPDATE candidates
                 SET status = 'failed', details = 'null', seconds = 0, reason = ?2
                 WHERE status = 'running' AND begun >= ?1",
                params![MOST_BEGINNINGS, ENDED_THE_PROCESS],
            )?;
            transaction.execute(
                "UPDATE candidates SET status = 'pending' WHERE status = 'running'",
                [],
            )?;
            transaction.commit()
        })?;
        Ok(History::new(self.records(space.symbols())?))
    }

    /// The state of the strategy after the last round, empty before the first.
    pub(super) fn state(&mut self) -> Result<Vec<u8>> {
        let state = self.run(|connection| {
            connection
                .query_row("SELECT strategy FROM state WHERE id = 0", [], |row| {
                    row.get(0)
                })
                .optional()
        })?;
        Ok(state.unwrap_or_default())
    }

    /// The reports of the rounds whose strategy had a model.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub fn reports(&mut self) -> Result<Vec<(usize, ModelReport)>> {
        let rows: Vec<(i64, String)> = self.run(|connection| {
            connection
                .prepare("SELECT round, report FROM rounds ORDER BY round")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })?;
        rows.into_iter()
            .map(|(round, text)| {
                let report = serde_json::from_str(&text).ok();
                let round = usize::try_from(round).ok();
                round
                    .zip(report)
                    .ok_or_else(|| self.damaged("the report of a round can't be read"))
            })
            .collect()
    }

    /// Writes the proposals of a round with the state of the strategy, if it is another one, all or nothing.
    pub(super) fn propose(
        &mut self,
        records: &[Record],
        report: Option<(usize, &ModelReport)>,
        state: Option<&[u8]>,
    ) -> Result<()> {
        self.run(|connection| {
            let transaction = connection.transaction()?;
            for record in records {
                transaction.execute(
                    "INSERT INTO candidates (number, round, program, key, status, origin, predicted)
                     VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?6)",
                    params![
                        integer(record.candidate.number),
                        integer(record.round),
                        record.candidate.text,
                        record.candidate.key.to_string(),
                        json!(record.origin).to_string(),
                        record.predicted,
                    ],
                )?;
            }
            if let Some((round, report)) = report {
                transaction.execute(
                    "INSERT OR REPLACE INTO rounds (round, report) VALUES (?1, ?2)",
                    params![integer(round), json!(report).to_string()],
                )?;
            }
            if let Some(state) = state {
                transaction.execute(
                    "INSERT OR REPLACE INTO state (id, strategy) VALUES (0, ?1)",
                    params![state],
                )?;
            }
            transaction.commit()
        })
    }

    /// Writes how far a candidate is. One that is pending again came back in good order.
    pub(super) fn set(&mut self, number: usize, status: &Status) -> Result<()> {
        let (value, details, seconds, reason) = match status {
            Status::Pending | Status::Running => (None, None, None, None),
            Status::Done {
                value,
                details,
                seconds,
            } => (
                Some(*value),
                Some(details.to_string()),
                Some(*seconds),
                None,
            ),
            Status::Failed {
                reason,
                details,
                seconds,
            } => (
                None,
                Some(details.to_string()),
                Some(*seconds),
                Some(reason),
            ),
        };
        self.run(|connection| {
            connection.execute(
                "UPDATE candidates
                 SET status = ?2, value = ?3, details = ?4, seconds = ?5, reason = ?6,
                     begun = begun + (?2 = 'running') - (?2 = 'pending')
                 WHERE number = ?1",
                params![
                    integer(number),
                    status.name(),
                    value,
                    details,
                    seconds,
                    reason
                ],
            )
        })?;
        Ok(())
    }

    fn run<T>(
        &mut self,
        action: impl FnOnce(&mut Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T> {
        action(&mut self.connection).map_err(database_error(&self.path))
    }

    fn damaged(&self, reason: &str) -> SearchError {
        SearchError::Damaged {
            path: self.path.clone(),
            reason: reason.to_owned(),
        }
    }
}

fn database_error(path: &Path) -> impl Fn(rusqlite::Error) -> SearchError {
    use rusqlite::ErrorCode::{
        DatabaseBusy, DatabaseCorrupt, DatabaseLocked, NotADatabase, Unknown,
    };
    let path = path.to_owned();
    move |source| match source.sqlite_error_code() {
        // `Unknown` is a statement that does not fit the tables: ours do, so the tables are not ours.
        Some(DatabaseCorrupt | NotADatabase | Unknown) => SearchError::Damaged {
            path: path.clone(),
            reason: source.to_string(),
        },
        Some(DatabaseBusy | DatabaseLocked) => SearchError::Locked(path.clone()),
        _ => match source {
            // A column that is missing or of another type.
            rusqlite::Error::InvalidColumnName(_)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => SearchError::Damaged {
                path: path.clone(),
                reason: source.to_string(),
            },
            source => SearchError::Database {
                path: path.clone(),
                source,
            },
        },
    }
}

/// As SQLite stores it. Numbers of candidates and rounds are far from the limit.
fn integer(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// One line for every value that differs, with its path.
fn compare(path: &str, stored: &Value, given: &Value, differences: &mut Vec<String>) {
    match (stored, given) {
        (Value::Object(stored), Value::Object(given)) => {
            let names = stored
                .keys()
                .chain(given.keys().filter(|name| !stored.contains_key(*name)));
            for name in names {
                let part = |map: &serde_json::Map<String, Value>| {
                    map.get(name).cloned().unwrap_or(Value::Null)
                };
                let path = match path {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                compare(&path, &part(stored), &part(given), differences);
            }
        }
        _ if stored == given => {}
        _ => differences.push(format!("{path}: {stored} there, {given} now")),
    }
}

/// A row of the table of candidates.
struct Stored {
    number: i64,
    round: i64,
    program: String,
    key: String,
    status: String,
    value: Option<f64>,
    details: Option<String>,
    origin: String,
    predicted: Option<f64>,
    seconds: Option<f64>,
    reason: Option<String>,
}

impl Stored {
    fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            number: row.get("number")?,
            round: row.get("round")?,
            program: row.get("program")?,
            key: row.get("key")?,
            status: row.get("status")?,
            value: row.get("value")?,
            details: row.get("details")?,
            origin: row.get("origin")?,
            predicted: row.get("predicted")?,
            seconds: row.get("seconds")?,
            reason: row.get("reason")?,
        })
    }

    /// The record, if the row makes sense and has the expected number.
    fn record(self, number: usize, symbols: &[char]) -> Option<Record> {
        if usize::try_from(self.number) != Ok(number) {
            return None;
        }
        let status = match self.status.as_str() {
            "pending" => Status::Pending,
            "running" => Status::Running,
            "done" => Status::Done {
                value: self.value?,
                details: serde_json::from_str(&self.details?).ok()?,
                seconds: self.seconds?,
            },
            "failed" => Status::Failed {
                reason: self.reason?,
                details: match self.details {
                    Some(details) => serde_json::from_str(&details).ok()?,
                    None => Value::Null,
                },
                seconds: self.seconds?,
            },
            _ => return None,
        };
        Some(Record {
            candidate: Candidate {
                number,
                program: space::opcodes_of(symbols, &self.program)?,
                text: self.program,
                key: self.key.parse().ok()?,
            },
            round: usize::try_from(self.round).ok()?,
            origin: serde_json::from_str(&self.origin).ok()?,
            predicted: self.predicted,
            status,
        })
    }
}

//! A table of known results as what gives SNAP programs their value.
//!
//! A table is a CSV file, gzipped or not, with a line of column names. One column names programs: by
//! strings of symbols, or by cells in the notation of NAS-Bench-201. Rows whose programs are equal
//! under the real laws are measurements of one program, so its value is their mean, and so is
//! everything else that is reported of it.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::evaluation::{Candidate, Evaluation, Outcome};
use super::space::Key;
use crate::diagnostic::Source;
use crate::graph::{self, Laws};
use crate::import;
use crate::sketch::Space;

/// Which columns of a table are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumns {
    /// The column that names programs.
    pub program: String,
    /// The column that is maximised.
    pub value: String,
    /// The columns that are told beside it.
    pub report: Vec<String>,
}

/// Why a table can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file can't be read.
    #[error("can't read {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no column of this name.
    #[error("the table has no column `{name}`; it has {}", columns.join(", "))]
    NoColumn {
        /// The name that was asked for.
        name: String,
        /// The columns there are.
        columns: Vec<String>,
    },
    /// A line is not as it should be.
    #[error("line {line} of the table: {reason}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// No row is about a program of the space.
    #[error("no row of the table is about a program of this sketch")]
    Empty,
}

/// Looks candidates up in a table. What is not there has no value, which is recorded.
#[derive(Clone, Debug)]
pub struct TableEvaluation<'a> {
    space: &'a Space,
    columns: TableColumns,
    name: String,
    results: HashMap<Key, Results>,
}

/// What the table says of a program.
#[derive(Clone, Debug, Default)]
struct Results {
    rows: usize,
    /// The sums over its rows: the value, then what is reported.
    sums: Vec<f64>,
}

impl<'a> TableEvaluation<'a> {
    /// Reads the table in a file.
    ///
    /// # Errors
    ///
    /// If the file can't be read, a column is missing, a line is broken, or no row fits the space.
    pub fn open(space: &'a Space, path: &Path, columns: TableColumns) -> Result<Self, TableError> {
        let failed = |source| TableError::File {
            path: path.to_owned(),
            source,
        };
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .map_err(failed)?;
        let mut text = String::new();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut decoder = GzDecoder::new(bytes.as_slice());
            decoder.read_to_string(&mut text).map_err(failed)?;
        } else {
            text =
                String::from_utf8(bytes).map_err(|error| failed(std::io::Error::other(error)))?;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self::read(space, &name, &text, columns)
    }

    /// Reads a table; `name` is what it is called in the settings.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn read(
        space: &'a Space,
        name: &str,
        text: &str,
        columns: TableColumns,
    ) -> Result<Self, TableError> {
        // Rows of another length are told by their line.
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(text.as_bytes());
        let broken = |error: csv::Error| TableError::Line {
            line: error.position().map_or(1, |place| place.line() as usize),
            reason: error.to_string(),
        };
        let header = reader.headers().map_err(broken)?;
        let header: Vec<String> = header.iter().map(str::to_owned).collect();
        let place = |name: &String| {
            let place = header.iter().position(|column| column == name);
            place.ok_or_else(|| TableError::NoColumn {
                name: name.clone(),
                columns: header.clone(),
            })
        };
        let program = place(&columns.program)?;
        let numbers = std::iter::once(&columns.value).chain(&columns.report);
        let numbers: Vec<usize> = numbers.map(place).collect::<Result<_, _>>()?;
        let mut results: HashMap<Key, Results> = HashMap::new();
        for fields in reader.records() {
            let fields = fields.map_err(broken)?;
            let line = fields.position().map_or(1, |place| place.line() as usize);
            let wrong = |reason: String| TableError::Line { line, reason };
            if fields.len() != header.len() {
                let (found, expected) = (fields.len(), header.len());
                return Err(wrong(format!(
                    "it has {found} fields, the first line {expected}"
                )));
            }
            let number = |place: &usize| {
                let number = fields[*place].trim().parse::<f64>().ok();
                let finite = number.filter(|number| number.is_finite());
                finite.ok_or_else(|| wrong(format!("`{}` is no number", &fields[*place])))
            };
            let row: Vec<f64> = numbers.iter().map(number).collect::<Result<_, _>>()?;
            if let Some(key) = key_of(space, &fields[program]).map_err(wrong)? {
                let known = results.entry(key).or_default();
                known.rows += 1;
                known.sums.resize(row.len(), 0.0);
                known
                    .sums
                    .iter_mut()
                    .zip(row)
                    .for_each(|(sum, number)| *sum += number);
            }
        }
        match results.is_empty() {
            true => Err(TableError::Empty),
            false => Ok(Self {
                space,
                columns,
                name: name.to_owned(),
                results,
            }),
        }
    }

    /// How many distinct programs the table knows.
    pub fn len(&self) -> usize {
        self.results.len()
    }

    /// Whether it knows none, which no table that was read does.
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// The value of a program and what is reported of it, in the order of the columns, if the table
    /// knows it.
    pub fn look_up(&self, program: &[u8]) -> Option<(f64, Vec<f64>)> {
        let graph = self.space.block_graph(program).ok()?;
        let key = graph::canonicalise(&graph, Laws::Real).key;
        self.results.get(&key).and_then(Results::means)
    }

    /// The largest value of the table.
    pub fn best(&self) -> f64 {
        let means = self.results.values().filter_map(Results::means);
        means
            .map(|(value, _)| value)
            .fold(f64::NEG_INFINITY, f64::max)
    }
}

impl Results {
    fn means(&self) -> Option<(f64, Vec<f64>)> {
        let means: Vec<f64> = self.sums.iter().map(|sum| sum / self.rows as f64).collect();
        let (value, report) = means.split_first()?;
        Some((*value, report.to_vec()))
    }
}

/// The key of the block that a row is about; nothing for a string of symbols that is no program of
/// the space.
fn key_of(space: &Space, text: &str) -> Result<Option<Key>, String> {
    let text = text.trim();
    let graph = match text.starts_with('|') && text.contains('~') {
        true => import::nas_bench_201_graph(&Source::new("cell", text))
            .map_err(|diagnostic| diagnostic.message)?,
        false => {
            let opcodes = space.opcodes(text);
            let opcodes =
                opcodes.ok_or_else(|| format!("`{text}` has symbols that the alphabet lacks"))?;
            if !space.is_valid(&opcodes) {
                return Ok(None);
            }
            space
                .block_graph(&opcodes)
                .map_err(|diagnostic| diagnostic.message)?
        }
    };
    Ok(Some(graph::canonicalise(&graph, Laws::Real).key))
}

impl Evaluation for TableEvaluation<'_> {
    fn evaluate(&mut self, candidate: &Candidate, _: &AtomicBool) -> Outcome {
        let Some((value, report)) = self.look_up(&candidate.program) else {
            return Outcome::failed("the table does not know this program");
        };
        let names = self.columns.report.iter().cloned();
        let details = names.zip(report.into_iter().map(Value::from)).collect();
        Outcome::Measured {
            value,
            details: Value::Object(details),
        }
    }

    fn settings(&self) -> Value {
        json!({
            "table": {
                "name": self.name,
                "programs": self.len(),
                "program": self.columns.program,
                "value": self.columns.value,
                "report": self.columns.report,
            },
        })
    }
}

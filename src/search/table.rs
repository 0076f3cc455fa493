//! A table of known results as what gives SNAP programs their value.
//!
//! A table is a CSV file, gzipped or not, with a line of column names. One column names programs: by
//! strings of symbols, or by cells in the notation of NAS-Bench-201. Rows whose programs are equal
//! under the real laws are measurements of one program, so its value is their mean, and so is
//! everything else that is reported of it.
//!
//! A table need not be complete. A cell without a number is left out of the mean, rows about something else are
//! skipped, and [`Tabulated`] is the space of those programs that have a value.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use csv::StringRecord;
use flate2::read::GzDecoder;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};

use super::evaluation::{Candidate, Evaluation, Outcome};
use super::space::{self, Allowed, Key, ProgramSpace, Unseen};
use crate::data::separator_of;
use crate::diagnostic::Source;
use crate::graph::{self, Laws};
use crate::import;
use crate::sketch::{SEPARATOR, Space};

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
    #[error("the table has no column `{name}`; {}", columns_there_are(columns))]
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
    /// No row has the value of a program of the space.
    #[error("no row of the table has a value of a program of this sketch{}", skipped(.0.as_ref()))]
    Empty(Option<SkippedRow>),
}

/// The columns there are, and what to do where the whole header was read as one.
fn columns_there_are(columns: &[String]) -> String {
    let separator = match columns {
        [] => return "it is empty: its first line names the columns".to_owned(),
        [column] => separator_of(column),
        _ => None,
    };
    let columns = columns.join(", ");
    match separator {
        None => format!("it has {columns}"),
        Some(separator) => format!(
            "it has {columns}; its columns seem to be separated by {separator}: separate them by commas"
        ),
    }
}

/// A row that is about no program of the space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedRow {
    /// Its line, from 1.
    pub line: usize,
    /// Why it is not.
    pub reason: String,
}

fn skipped(row: Option<&SkippedRow>) -> String {
    row.map_or(String::new(), |row| {
        format!("; line {} is skipped: {}", row.line, row.reason)
    })
}

/// Looks candidates up in a table. What is not there has no value, which is recorded; in the space
/// [`Tabulated`] nothing else is proposed.
#[derive(Clone, Debug)]
pub struct TableEvaluation<'a> {
    space: &'a Space,
    columns: TableColumns,
    name: String,
    results: Arc<HashMap<Key, Results>>,
    /// A program of each result, in the order of the rows, where all rows name programs as they are written.
    listed: Option<Arc<[Vec<u8>]>>,
    skipped: Vec<SkippedRow>,
}

/// What the table says of a program: the value, then what is reported.
type Results = Vec<Mean>;

/// The mean of a column over the rows of a program that have a number there.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    rows: usize,
    sum: f64,
}

impl Mean {
    fn add(&mut self, number: Option<f64>) {
        self.rows += usize::from(number.is_some());
        self.sum += number.unwrap_or(0.0);
    }

    fn get(self) -> Option<f64> {
        (self.rows > 0).then(|| self.sum / self.rows as f64)
    }
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
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut unpacked = Vec::new();
            GzDecoder::new(bytes.as_slice())
                .read_to_end(&mut unpacked)
                .map_err(failed)?;
            bytes = unpacked;
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| failed(std::io::Error::other("it is not text in UTF-8")))?;
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
            let mut places = (0..header.len()).filter(|&place| header[place] == *name);
            let place = places.next().ok_or_else(|| TableError::NoColumn {
                name: name.clone(),
                columns: header.clone(),
            })?;
            match places.next() {
                None => Ok(place),
                Some(_) => Err(TableError::Line {
                    line: 1,
                    reason: format!("two columns are called `{name}`"),
                }),
            }
        };
        let program = place(&columns.program)?;
        let numbers = std::iter::once(&columns.value).chain(&columns.report);
        let numbers: Vec<usize> = numbers.map(place).collect::<Result<_, _>>()?;
        let mut results: HashMap<Key, Results> = HashMap::new();
        let mut skipped = Vec::new();
        // Patterns are known to be programs of the space, cells are not.
        let (mut patterns, mut has_cell): (Vec<(Key, Vec<u8>)>, bool) = (Vec::new(), false);
        for fields in reader.records() {
            let fields = fields.map_err(broken)?;
            let line = fields.position().map_or(1, |place| place.line() as usize);
            let row = numbers_of(&fields, &header, &numbers)
                .map_err(|reason| TableError::Line { line, reason })?;
            match key_of(space, &fields[program]) {
                Ok((key, pattern)) => {
                    has_cell |= pattern.is_none();
                    if !results.contains_key(&key) {
                        patterns.extend(pattern.map(|it| (key, it)));
                    }
                    let nothing = || vec![Mean::default(); row.len()];
                    let known = results.entry(key).or_insert_with(nothing);
                    known
                        .iter_mut()
                        .zip(row)
                        .for_each(|(mean, it)| mean.add(it));
                }
                Err(reason) => skipped.push(SkippedRow { line, reason }),
            }
        }
        results.retain(|_, means| means[0].rows > 0);
        patterns.retain(|(key, _)| results.contains_key(key));
        let has_pattern = !patterns.is_empty();
        let listed = patterns.into_iter().map(|(_, pattern)| pattern);
        let table = Self {
            space,
            columns,
            name: name.to_owned(),
            results: Arc::new(results),
            listed: (!has_cell).then(|| listed.collect()),
            skipped,
        };
        match has_pattern || table.has_a_program() {
            true => Ok(table),
            false => Err(TableError::Empty(table.skipped.into_iter().next())),
        }
    }

    /// Whether some program of the space is in the table. In a large space that is seen if it holds for many.
    fn has_a_program(&self) -> bool {
        if self.is_empty() {
            return false;
        }
        let space = Tabulated::new(self.space, self.clone());
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let go_on = AtomicBool::new(false);
        let found = space::frequent_unseen(&space, &HashSet::new(), &mut rng, &go_on);
        matches!(found, Ok(Unseen::Found(..)))
    }

    /// How many distinct programs the table knows a value of.
    pub fn len(&self) -> usize {
        self.results.len()
    }

    /// Whether it knows none, which no table that was read does.
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// The rows that are about no program of the space, as far as that was to be seen from them.
    pub fn skipped(&self) -> &[SkippedRow] {
        &self.skipped
    }

    /// The value of a program and what is reported of it, in the order of the columns, if the table
    /// knows its value.
    pub fn look_up(&self, program: &[u8]) -> Option<(f64, Vec<Option<f64>>)> {
        let (value, report) = self.results_of(program)?.split_first()?;
        Some((value.get()?, report.iter().map(|mean| mean.get()).collect()))
    }

    fn results_of(&self, program: &[u8]) -> Option<&Results> {
        self.results.get(&self.space.block_key(program).ok()?)
    }

    /// The largest value of the table.
    pub fn best(&self) -> f64 {
        let values = self.results.values().filter_map(|means| means[0].get());
        values.fold(f64::NEG_INFINITY, f64::max)
    }
}

/// The numbers of a row in some columns, where it has any.
fn numbers_of(
    fields: &StringRecord,
    header: &[String],
    columns: &[usize],
) -> Result<Vec<Option<f64>>, String> {
    let (found, expected) = (fields.len(), header.len());
    if found != expected {
        return Err(format!("it has {found} fields, the first line {expected}"));
    }
    columns
        .iter()
        .map(|&place| number(&fields[place]))
        .collect()
}

/// The number in a cell. Nothing if the cell says that there is none, in one of the ways in which tables say it.
fn number(cell: &str) -> Result<Option<f64>, String> {
    let cell = cell.trim();
    if ["", "na", "nan"].contains(&cell.to_ascii_lowercase().as_str()) {
        return Ok(None);
    }
    let number = cell.parse::<f64>().ok().filter(|it| it.is_finite());
    number
        .map(Some)
        .ok_or_else(|| format!("`{cell}` is no number"))
}

/// Whether a program is written in the notation of NAS-Bench-201.
fn is_cell(text: &str) -> bool {
    text.trim().starts_with('|') && text.contains('~')
}

/// The key of the blocks that a row is about, and the program if it is written as a pattern; or why it is about no
/// program of the space.
fn key_of(space: &Space, text: &str) -> Result<(Key, Option<Vec<u8>>), String> {
    let holes = space.pieces().len();
    if is_cell(text) && holes > 1 {
        return Err(format!(
            "a cell in the notation of NAS-Bench-201 fills one hole, and the net has {holes}"
        ));
    }
    if is_cell(text) {
        let graph = import::nas_bench_201_graph(&Source::new("cell", text.trim()));
        let graph = graph.map_err(|diagnostic| diagnostic.message)?;
        return Ok((graph::canonicalise(&graph, Laws::Real).key, None));
    }
    // Of several fillings the first or the last may be empty.
    let text = match holes {
        1 => text.trim(),
        _ => text,
    };
    let opcodes = space.opcodes(text);
    let opcodes = opcodes.ok_or_else(|| format!("`{text}` has symbols that the alphabet lacks"))?;
    let pieces = text.split(SEPARATOR).count();
    if pieces != holes {
        return Err(format!(
            "`{text}` fills {pieces} of {holes} holes; a program has a filling for each, with a space between"
        ));
    }
    if !space.is_valid(&opcodes) {
        let which = if holes == 1 { "hole" } else { "holes" };
        return Err(format!("`{text}` does not fit the {which}"));
    }
    let key = space.block_key(&opcodes);
    let key = key.map_err(|diagnostic| diagnostic.message)?;
    Ok((key, Some(opcodes)))
}

/// The programs of a space that a table knows: others are valid, but never proposed.
#[derive(Debug)]
pub struct Tabulated<'a, S> {
    space: S,
    table: TableEvaluation<'a>,
    /// Of programs that were asked for whether they are known: a search asks for many again and again.
    asked: Mutex<HashMap<Vec<u8>, bool>>,
}

/// Of so many programs it is kept whether they are known.
const MOST_KEPT: usize = 1 << 20;

impl<'a, S: ProgramSpace> Tabulated<'a, S> {
    /// Leaves of a space what is in the table. The space may be that of the table within
    /// [limits](super::Limited).
    pub fn new(space: S, table: TableEvaluation<'a>) -> Self {
        Self {
            space,
            table,
            asked: Mutex::default(),
        }
    }
}

impl<S: ProgramSpace> ProgramSpace for Tabulated<'_, S> {
    fn symbols(&self) -> &[char] {
        self.space.symbols()
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        self.space.lengths()
    }

    fn pieces(&self) -> Vec<RangeInclusive<usize>> {
        self.space.pieces()
    }

    fn allowed(&self, prefix: &[u8]) -> Allowed {
        self.space.allowed(prefix)
    }

    fn key(&self, program: &[u8]) -> Key {
        self.space.key(program)
    }

    fn parts(&self, program: &[u8]) -> Vec<u64> {
        self.space.parts(program)
    }

    fn listed(&self) -> Option<&[Vec<u8>]> {
        self.table.listed.as_deref()
    }

    fn admits(&self, program: &[u8]) -> bool {
        // A map that a panic left is as good as before: it gains one entry at a time.
        let asked = || self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(is_known) = asked().get(program) {
            return *is_known;
        }
        let is_known = self.space.admits(program) && self.table.results_of(program).is_some();
        let mut asked = asked();
        if asked.len() < MOST_KEPT {
            asked.insert(program.to_vec(), is_known);
        }
        is_known
    }
}

impl Evaluation for TableEvaluation<'_> {
    fn evaluate(&mut self, candidate: &Candidate, _: &AtomicBool) -> Outcome {
        let Some((value, report)) = self.look_up(&candidate.program) else {
            return Outcome::failed("the table does not know this program");
        };
        let names = self.columns.report.iter().cloned();
        let known = names.zip(report).filter_map(|(name, it)| Some((name, it?)));
        let details = known.map(|(name, it)| (name, Value::from(it))).collect();
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

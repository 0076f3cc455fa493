//! `snapc dedupe`

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde::Serialize;

use super::interrupt;
use super::output::{Failure, Output};
use super::patterns::PatternOptions;
use crate::graph::{Classes, Laws};
use crate::sketch::{Patterns, Reading};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  snapc dedupe patterns.txt --alphabet examples/search.snap:classic\n\nFor each class of equal patterns a line is written with how many lines have it, its key, and the first of them."
)]
pub(super) struct Options {
    /// The file with a pattern a line; `-` reads the standard input
    #[arg(default_value = "-")]
    file: PathBuf,

    #[command(flatten)]
    patterns: PatternOptions,

    /// Pass over lines that are no valid patterns, without failing at the end
    #[arg(long)]
    skip_invalid: bool,
}

/// What `--format json` says of a class, a line each.
#[derive(Serialize)]
struct ClassLine<'a> {
    pattern: &'a str,
    key: String,
    count: u64,
}

/// This many invalid lines are told of one by one.
const TOLD: u64 = 10;

/// A longer line is no pattern but a mistake.
const LONGEST_LINE: u64 = 1 << 20;

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let patterns = options.patterns.patterns()?;
    let stop = interrupt::stop_flag()?;
    let start = Instant::now();
    let mut reader = open(&options.file)?;
    let mut collector = Collector::new(patterns, options.patterns.laws(), output);
    collector.read(&mut *reader, &stop)?;
    collector.write()?;
    let seconds = start.elapsed().as_secs_f64();
    let Collector { lines, invalid, .. } = collector;
    let is_whole = !stop.load(Ordering::SeqCst);
    output.note(&format!(
        "{lines} lines, {} distinct, {invalid} invalid, {seconds:.1} s{}",
        collector.classes.len(),
        if is_whole {
            ""
        } else {
            "; interrupted: what was read so far"
        },
    ));
    match is_whole && (invalid == 0 || options.skip_invalid) {
        true => Ok(()),
        false => Err(Failure::Silent),
    }
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = std::fs::File::open(path)
        .map_err(|error| Failure::Usage(format!("can't read `{}`: {error}", path.display())))?;
    Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
}

/// The distinct patterns read so far. Its memory grows with them, not with the lines.
struct Collector<'o> {
    patterns: Patterns,
    laws: Laws,
    output: &'o Output,
    classes: Classes,
    /// The first pattern of every class, and how many lines have it.
    firsts: Vec<(Box<[u8]>, u64)>,
    lines: u64,
    invalid: u64,
    opcodes: Vec<u8>,
}

impl<'o> Collector<'o> {
    fn new(patterns: Patterns, laws: Laws, output: &'o Output) -> Self {
        Collector {
            patterns,
            laws,
            output,
            classes: Classes::default(),
            firsts: Vec::new(),
            lines: 0,
            invalid: 0,
            opcodes: Vec::new(),
        }
    }

    /// Reads to the end, or until it is to stop.
    fn read(&mut self, reader: &mut dyn BufRead, stop: &AtomicBool) -> Result<(), Failure> {
        let unreadable = |error| Failure::Runtime(format!("can't read on: {error}"));
        let mut line = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            line.clear();
            let mut limited = io::Read::take(&mut *reader, LONGEST_LINE);
            if limited.read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
                break;
            }
            if line.len() as u64 == LONGEST_LINE && line.last() != Some(&b'\n') {
                let message = format!("line {} is longer than 1 MiB", self.lines + 1);
                return Err(Failure::Runtime(message));
            }
            self.lines += 1;
            let pattern = line.trim_ascii();
            if !pattern.is_empty() {
                self.pattern(pattern);
            }
        }
        Ok(())
    }

    fn pattern(&mut self, pattern: &[u8]) {
        if let Err(place) = self.patterns.opcodes(pattern, &mut self.opcodes) {
            return self.invalid(
                pattern,
                &format!("there is no such symbol at {}", place + 1),
            );
        }
        match self.patterns.read(&self.opcodes) {
            Reading::Valid => {}
            Reading::Wrong(place) => {
                let symbol = self.patterns.symbols()[usize::from(self.opcodes[place])];
                let message = format!("symbol {}, `{symbol}`, does not type-check", place + 1);
                return self.invalid(pattern, &message);
            }
            Reading::Unfinished => {
                return self.invalid(pattern, "it leaves something else than the signature says");
            }
        }
        let certificate = self.patterns.certificate(self.laws);
        let (class, is_new) = self.classes.insert(certificate);
        match is_new {
            true => self.firsts.push((self.opcodes.as_slice().into(), 1)),
            false => self.firsts[class.0 as usize].1 += 1,
        }
    }

    fn invalid(&mut self, pattern: &[u8], why: &str) {
        self.invalid += 1;
        if self.invalid <= TOLD {
            let pattern = String::from_utf8_lossy(pattern);
            let line = self.lines;
            self.output
                .note(&format!("line {line}: `{pattern}`: {why}"));
        }
        if self.invalid == TOLD {
            self.output.note("further invalid lines are only counted");
        }
    }

    /// Writes a line for each class, in the order of their first patterns.
    fn write(&self) -> Result<(), Failure> {
        let mut writer = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        let classes = (0..).map(crate::graph::ClassId).zip(&self.firsts);
        for (class, (opcodes, count)) in classes {
            let key = self.classes.key(class);
            let pattern = self.patterns.text(opcodes);
            let line = match self.output.is_json() {
                true => json(&ClassLine {
                    pattern: &pattern,
                    key: key.to_string(),
                    count: *count,
                })?,
                false => format!("{count}\t{key}\t{pattern}"),
            };
            // A reader that went away is no error.
            if writeln!(writer, "{line}").is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn json(line: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(line)
        .map_err(|error| Failure::Runtime(format!("can't write JSON: {error}")))
}

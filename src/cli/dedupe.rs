//! `snapc dedupe`

use std::fmt::Display;
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

/// What `--format json` says of a line that is no valid pattern.
#[derive(Serialize)]
struct InvalidLine<'a> {
    line: u64,
    pattern: &'a str,
    reason: &'a str,
}

/// What `--format json` says at the end.
#[derive(Serialize)]
struct Totals {
    lines: u64,
    distinct: usize,
    invalid: u64,
    seconds: f64,
    /// Whether these are only the lines that were read before an interrupt.
    interrupted: bool,
}

/// People are told of this many invalid lines one by one.
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
    output.written(collector.write());
    let totals = Totals {
        lines: collector.lines,
        distinct: collector.classes.len(),
        invalid: collector.invalid,
        seconds: start.elapsed().as_secs_f64(),
        interrupted: stop.load(Ordering::SeqCst),
    };
    match output.is_json() {
        true => output.json_line(&totals),
        false => output.note(&totals.text()),
    }
    match !totals.interrupted && (totals.invalid == 0 || options.skip_invalid) {
        true => Ok(()),
        false => Err(Failure::Silent),
    }
}

impl Totals {
    fn text(&self) -> String {
        let Totals {
            lines,
            distinct,
            invalid,
            seconds,
            interrupted,
        } = self;
        let note = match interrupted {
            true => "; interrupted: what was read so far",
            false => "",
        };
        format!("{lines} lines, {distinct} distinct, {invalid} invalid, {seconds:.1} s{note}")
    }
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let unreadable =
        |why: &dyn Display| Failure::Usage(format!("can't read `{}`: {why}", path.display()));
    if path.is_dir() {
        return Err(unreadable(
            &"it is a folder; name a file with a pattern a line",
        ));
    }
    let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
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
        let pattern = String::from_utf8_lossy(pattern);
        let line = self.lines;
        if self.output.is_json() {
            self.output.json_line(&InvalidLine {
                line,
                pattern: &pattern,
                reason: why,
            });
            return;
        }
        if self.invalid <= TOLD {
            self.output
                .note(&format!("line {line}: `{pattern}`: {why}"));
        }
        if self.invalid == TOLD {
            self.output.note("further invalid lines are only counted");
        }
    }

    /// Writes a line for each class, in the order of their first patterns.
    fn write(&self) -> io::Result<()> {
        let mut writer = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        let classes = (0..).map(crate::graph::ClassId).zip(&self.firsts);
        for (class, (opcodes, count)) in classes {
            let key = self.classes.key(class);
            let pattern = self.patterns.text(opcodes);
            let line = match self.output.is_json() {
                true => serde_json::to_string(&ClassLine {
                    pattern: &pattern,
                    key: key.to_string(),
                    count: *count,
                })?,
                false => format!("{count}\t{key}\t{pattern}"),
            };
            writeln!(writer, "{line}")?;
        }
        writer.flush()
    }
}

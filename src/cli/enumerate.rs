//! `snapc enumerate`

use std::cell::Cell;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde::Serialize;

use super::interrupt;
use super::output::{Failure, Output};
use super::patterns::PatternOptions;
use crate::sketch::{Enumeration, Found, LengthCount, MAXIMUM_FILLING};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  snapc enumerate --alphabet examples/search.snap:classic --max-length 5 --count"
)]
pub(super) struct Options {
    #[command(flatten)]
    patterns: PatternOptions,

    /// The most symbols of a pattern
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAXIMUM_FILLING)))]
    max_length: u32,

    /// Only count; the counts go to the standard output
    #[arg(long)]
    count: bool,
}

/// What `--format json` says of a pattern, a line each.
#[derive(Serialize)]
struct PatternLine<'a> {
    pattern: &'a str,
    key: String,
}

/// What `--count --format json` says of a length, a line each.
#[derive(Serialize)]
struct CountLine {
    length: usize,
    valid: u64,
    distinct: u64,
    distinct_so_far: u64,
    looked_at: u64,
}

/// What `--format json` says at the end.
#[derive(Serialize)]
struct Totals {
    valid: u64,
    distinct: u64,
    seconds: f64,
    /// Whether an interrupt left the last length unfinished.
    interrupted: bool,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let mut patterns = options.patterns.patterns()?;
    let symbols = patterns.symbols().to_vec();
    let stop = interrupt::stop_flag()?;
    let start = Instant::now();
    let mut writer = BufWriter::with_capacity(1 << 16, io::stdout());
    let is_read = Cell::new(true);
    let mut visit = |found: Found<'_>| {
        if !options.count {
            let pattern: String = found
                .opcodes
                .iter()
                .map(|it| symbols[usize::from(*it)])
                .collect();
            let line = match output.is_json() {
                true => serde_json::to_string(&PatternLine {
                    pattern: &pattern,
                    key: found.key.to_string(),
                })
                .unwrap_or_default(),
                false => pattern,
            };
            // Nobody wants more of what can't be written.
            if let Err(error) = writeln!(writer, "{line}") {
                output.written(Err(error));
                is_read.set(false);
                return ControlFlow::Break(());
            }
        }
        match stop.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let longest = options.max_length as usize;
    let mut enumeration = Enumeration::new(&mut patterns, longest, options.patterns.laws());
    let mut table = Table::new(options.count, output);
    while let Some(count) = enumeration.next_length(&mut visit) {
        if !is_read.get() {
            return Ok(());
        }
        table.row(&count);
        if enumeration.was_stopped() {
            break;
        }
    }
    let is_whole = !enumeration.was_stopped();
    output.written(writer.flush());
    table.finish(start.elapsed().as_secs_f64(), is_whole);
    match is_whole {
        true => Ok(()),
        false => Err(Failure::Silent),
    }
}

/// The counts, beside the patterns or in place of them.
struct Table<'o> {
    is_result: bool,
    output: &'o Output,
    distinct: u64,
    valid: u64,
}

impl<'o> Table<'o> {
    fn new(is_result: bool, output: &'o Output) -> Self {
        let table = Table {
            is_result,
            output,
            distinct: 0,
            valid: 0,
        };
        if !output.is_json() {
            table.line("length           valid       distinct          so far");
        }
        table
    }

    fn row(&mut self, count: &LengthCount) {
        self.distinct += count.distinct;
        self.valid = self.valid.saturating_add(count.strings);
        if self.output.is_json() {
            if self.is_result {
                self.output.json_line(&CountLine {
                    length: count.length,
                    valid: count.strings,
                    distinct: count.distinct,
                    distinct_so_far: self.distinct,
                    looked_at: count.looked_at,
                });
            }
            return;
        }
        let LengthCount {
            length,
            strings,
            distinct,
            ..
        } = count;
        self.line(&format!(
            "{length:>6} {strings:>15} {distinct:>14} {:>15}",
            self.distinct
        ));
    }

    fn finish(&self, seconds: f64, is_whole: bool) {
        let Table {
            distinct, valid, ..
        } = *self;
        if self.output.is_json() {
            self.output.json_line(&Totals {
                valid,
                distinct,
                seconds,
                interrupted: !is_whole,
            });
            return;
        }
        let note = if is_whole {
            ""
        } else {
            "; interrupted: the last length is not whole"
        };
        self.output.note(&format!(
            "{distinct} distinct of {valid} valid patterns, {seconds:.1} s{note}"
        ));
    }

    fn line(&self, text: &str) {
        match self.is_result {
            true => self.output.line(text),
            false => self.output.note(text),
        }
    }
}

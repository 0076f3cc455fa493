//! What a search leaves in its folder, and says at its end.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::display::Unit;
use super::options::Options;
use super::record::{costs, describe, detail, measured, reason};
use crate::cli::again;
use crate::cli::load;
use crate::cli::output::{Failure, Output, count};
use crate::graph::draw;
use crate::search::{Cost, Ending, Measurement, Record, Settings, Summary, pareto_front, shown};
use crate::sketch::Space;

/// The details of candidates that have a column in their table.
const DETAILS: [&str; 20] = [
    "validation_accuracy",
    "validation_macro_f1",
    "test_accuracy",
    "test_macro_f1",
    "validation_mae",
    "validation_rmse",
    "validation_r2",
    "test_mae",
    "test_rmse",
    "test_r2",
    "validation_robust_accuracy",
    "test_robust_accuracy",
    "parameters",
    "multiply_adds",
    "latency",
    "synflow",
    "jacob_cov",
    "naswot",
    "standard_deviation",
    "stopped_at_epoch",
];

/// What a search leaves in its folder, and says at its end.
pub(super) struct Results<'a> {
    pub(super) options: &'a Options,
    pub(super) space: &'a Space,
    /// The text of a program.
    pub(super) text: &'a dyn Fn(&[u8]) -> String,
    pub(super) folder: &'a Path,
    pub(super) settings: &'a Settings,
    pub(super) records: &'a [Record],
    pub(super) summary: &'a Summary,
    pub(super) unit: Unit,
}

/// Said where the space was not seen to its end.
const GAVE_UP: &str = "no other program was found in the space; there may be some that are rare";

impl Results<'_> {
    pub(super) fn write(&self) -> Result<(), Failure> {
        self.write_file("candidates.csv", &self.table())?;
        if let Some(best) = &self.summary.best {
            let program = &best.candidate.program;
            self.write_file("best.snap", &(self.text)(program))?;
            if let Ok(graph) = self.space.graph(program) {
                self.write_file("best.svg", &draw::svg(&graph, &draw::Options::default()))?;
            }
        }
        // It names the files that are there.
        let result = serde_json::to_string_pretty(&self.json()).unwrap_or_default();
        self.write_file("result.json", &format!("{result}\n"))
    }

    fn write_file(&self, name: &str, text: &str) -> Result<(), Failure> {
        load::write(&self.folder.join(name), text)
    }

    /// The candidates that no other one betters in what is measured, parameters and multiply-adds.
    fn front(&self) -> Vec<&Record> {
        let Some(measurement) = self.settings.objective.measurement else {
            return Vec::new();
        };
        let point = |record| {
            let number = |name| Some(detail(record, name)? as u64);
            let cost = Cost {
                parameters: number("parameters")?,
                multiply_adds: number("multiply_adds")?,
                latency: detail(record, "latency"),
            };
            let maximised = measurement.maximised(measured(record, "validation", measurement)?);
            Some((record, (maximised, cost)))
        };
        let (records, points): (Vec<&Record>, Vec<_>) =
            self.records.iter().filter_map(point).unzip();
        let front = pareto_front(&points);
        front.into_iter().map(|place| records[place]).collect()
    }

    fn table(&self) -> String {
        let columns: Vec<&str> = DETAILS.into_iter().chain(self.reported()).collect();
        let names: Vec<String> = columns.iter().map(|name| field(name)).collect();
        let mut table = format!(
            "number,program,key,status,value,predicted,{},seconds,round,reason\n",
            names.join(",")
        );
        let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        for record in self.records {
            let details = columns.iter().map(|name| number(detail(record, name)));
            let details: Vec<String> = details.collect();
            // Writing to a string does not fail. Symbols may be commas or quotes.
            let _ = writeln!(
                table,
                "{},{},{},{},{},{},{},{},{},{}",
                record.candidate.number,
                quoted(&record.candidate.text),
                record.candidate.key,
                record.status.name(),
                number(record.value()),
                number(record.predicted),
                details.join(","),
                number(record.seconds()),
                record.round,
                reason(record).map_or(String::new(), field)
            );
        }
        table
    }

    /// The columns of a table that are told beside its value.
    fn reported(&self) -> impl Iterator<Item = &str> {
        let reported = self.options.table.report.iter().map(String::as_str);
        reported.filter(|name| !DETAILS.contains(name))
    }

    /// The path of a file of the results, if it is there.
    fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.join(name)).filter(|path| path.exists())
    }

    fn json(&self) -> Value {
        json!({
            "best": self.summary.best.as_ref().map(describe),
            "front": self.front().iter().map(|record| record.candidate.number).collect::<Vec<_>>(),
            "evaluated": self.summary.evaluated,
            "failed": self.summary.failed,
            "evaluation_seconds": self.summary.evaluation_seconds,
            "seconds": self.summary.seconds,
            "ending": self.summary.ending.name(),
            "paths": {
                "folder": self.folder,
                "program": self.path("best.snap"),
                "weights": self.path("best.safetensors"),
                "drawing": self.path("best.svg"),
                "candidates": self.path("candidates.csv"),
            },
        })
    }

    /// Says what came of the search. One that was stopped, or has no result, did not end well.
    pub(super) fn report(&self, output: &Output) -> Result<(), Failure> {
        match output.is_json() {
            true => output.json_line(&self.json()),
            false => self.report_text(output),
        }
        match self.summary.ending == Ending::Stopped || self.summary.best.is_none() {
            true => Err(Failure::Silent),
            false => Ok(()),
        }
    }

    fn report_text(&self, output: &Output) {
        match &self.summary.best {
            Some(best) if self.unit == Unit::Plain => self.report_table(best, output),
            Some(best) => self.report_trained(best, output),
            None => {}
        }
        self.report_ending(output);
    }

    /// What is said at the end of a search in a table.
    fn report_table(&self, best: &Record, output: &Output) {
        output.line(&format!(
            "{} looked up{}",
            count(self.summary.evaluated, "candidate"),
            match self.summary.failed {
                0 => String::new(),
                failed => format!(", {failed} not in the table"),
            }
        ));
        let value = self.options.settings.value().unwrap_or("value");
        output.line(&format!(
            "best program   {}\n  {value} {}",
            shown(&best.candidate.text),
            self.unit.text(best.value().unwrap_or_default())
        ));
        for name in &self.options.table.report {
            let number = detail(best, name).map_or(String::new(), |number| self.unit.text(number));
            output.line(&format!("  {name} {number}"));
        }
        let folder = self.folder.display();
        output.line(&format!(
            "  program  {folder}/best.snap\n  drawing  {folder}/best.svg\n  results  {folder}"
        ));
    }

    /// What is said at the end of a search that trains.
    fn report_trained(&self, best: &Record, output: &Output) {
        output.line(&format!(
            "{} trained{} in {:.0} s of training",
            count(self.summary.evaluated, "candidate"),
            match self.summary.failed {
                0 => String::new(),
                failed => format!(", {failed} failed"),
            },
            self.summary.evaluation_seconds
        ));
        output.line(&format!(
            "best program   {}\n  {}, {}, {}",
            shown(&best.candidate.text),
            self.score(best, "test"),
            self.score(best, "validation"),
            costs(best),
        ));
        self.report_front(output);
        let folder = self.folder.display();
        output.line(&format!(
            "  program  {folder}/best.snap\n  drawing  {folder}/best.svg\n  weights  {folder}/best.safetensors\n  results  {folder}"
        ));
    }

    /// Why the search has ended.
    fn report_ending(&self, output: &Output) {
        match (self.summary.ending, self.records.is_empty()) {
            (Ending::Stopped, _) => output.note(&format!(
                "stopped; go on with `{}`",
                again::command_with(None)
            )),
            (Ending::Exhausted, true) => {
                output.note("no program of the space is within the limits");
            }
            (Ending::Budget, true) => output.note("nothing was proposed"),
            (Ending::GaveUp, true) => output.note(GAVE_UP),
            _ if self.summary.best.is_none() => output.note(&format!(
                "no candidate could be {}; the reasons are in {}",
                self.unit.done(),
                self.folder.join("candidates.csv").display()
            )),
            (Ending::Exhausted, false) => output.line(match self.unit {
                Unit::Share | Unit::Regression => "every program of the space has been trained",
                Unit::Plain => "the table knows no other program of the space",
            }),
            (Ending::GaveUp, false) => output.line(GAVE_UP),
            (Ending::Budget, false) => {}
        }
    }

    /// Candidates that are smaller than the best, each better than all that are as small.
    fn report_front(&self, output: &Output) {
        let front = self.front();
        if front.len() < 2 {
            return;
        }
        let measurement = self.settings.objective.measurement;
        output.line(&format!(
            "  none has a better {} and is smaller than these",
            measurement.map_or("value", Measurement::words)
        ));
        for record in front {
            output.line(&format!(
                "    {:>8}  {:14}  {}",
                self.measured_text(record, "validation").unwrap_or_default(),
                shown(&record.candidate.text),
                costs(record)
            ));
        }
    }

    /// How well a candidate did on a part of the data, in words.
    fn score(&self, record: &Record, part: &str) -> String {
        let measurement = self.settings.objective.measurement;
        let text = self.measured_text(record, part);
        match measurement.zip(text) {
            Some((measurement, text)) => format!("{part} {} {text}", measurement.words()),
            None => format!("{part} not measured"),
        }
    }

    /// What was measured of a candidate on a part of the data.
    fn measured_text(&self, record: &Record, part: &str) -> Option<String> {
        let measurement = self.settings.objective.measurement?;
        Some(measurement.text(measured(record, part, measurement)?))
    }
}

/// A field of CSV (RFC 4180), in quotes where it has to be.
fn field(text: &str) -> String {
    match text.contains(['"', ',', '\n', '\r']) {
        true => quoted(text),
        false => text.to_owned(),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

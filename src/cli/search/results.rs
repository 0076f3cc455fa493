//! What a search leaves in its folder, and says at its end.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::display::Unit;
use super::options::Options;
use super::record::{costs, describe, detail, measurement, percent};
use crate::cli::load;
use crate::cli::output::{Failure, Output, count};
use crate::diagnostic::Source;
use crate::graph::draw;
use crate::search::{Cost, Ending, Record, Settings, Summary, pareto_front};
use crate::sketch::Space;

/// The details of candidates that have a column in their table.
const DETAILS: [&str; 13] = [
    "validation_accuracy",
    "validation_macro_f1",
    "test_accuracy",
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
    pub(super) space: &'a Space,
    pub(super) source: &'a Source,
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
        let result = serde_json::to_string_pretty(&self.json()).unwrap_or_default();
        self.write_file("result.json", &format!("{result}\n"))?;
        let Some(best) = &self.summary.best else {
            return Ok(());
        };
        let program = &best.candidate.program;
        self.write_file("best.snap", &self.space.fill(self.source, program))?;
        if let Ok(graph) = self.space.graph(program) {
            self.write_file("best.svg", &draw::svg(&graph, &draw::Options::default()))?;
        }
        Ok(())
    }

    fn write_file(&self, name: &str, text: &str) -> Result<(), Failure> {
        load::write(&self.folder.join(name), text)
    }

    /// The candidates that no other one betters in what is measured, parameters and multiply-adds.
    fn front(&self) -> Vec<&Record> {
        let measurement = measurement(self.settings.objective.measurement);
        let point = |record| {
            let number = |name| Some(detail(record, name)? as u64);
            let cost = Cost {
                parameters: number("parameters")?,
                multiply_adds: number("multiply_adds")?,
                latency: detail(record, "latency"),
            };
            Some((record, (detail(record, measurement)?, cost)))
        };
        let (records, points): (Vec<&Record>, Vec<_>) =
            self.records.iter().filter_map(point).unzip();
        let front = pareto_front(&points);
        front.into_iter().map(|place| records[place]).collect()
    }

    fn table(&self) -> String {
        let mut table = format!(
            "number,program,key,status,value,predicted,{},seconds,round\n",
            DETAILS.join(",")
        );
        let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        for record in self.records {
            let details = DETAILS.map(|name| number(detail(record, name)));
            // Writing to a string does not fail. Symbols may be commas or quotes.
            let _ = writeln!(
                table,
                "{},\"{}\",{},{},{},{},{},{},{}",
                record.candidate.number,
                record.candidate.text.replace('"', "\"\""),
                record.candidate.key,
                record.status.name(),
                number(record.value()),
                number(record.predicted),
                details.join(","),
                number(record.seconds()),
                record.round
            );
        }
        table
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
                "program": self.folder.join("best.snap"),
                "weights": self.folder.join("best.safetensors"),
                "drawing": self.folder.join("best.svg"),
                "candidates": self.folder.join("candidates.csv"),
            },
        })
    }

    pub(super) fn report(&self, options: &Options, output: &Output) -> Result<(), Failure> {
        let stopped = self.summary.ending == Ending::Stopped;
        if output.is_json() {
            output.json_line(&self.json());
        } else {
            self.report_text(options, output);
        }
        match stopped {
            true => Err(Failure::Silent),
            false => Ok(()),
        }
    }

    /// What is said at the end of a search in a table.
    fn report_table(&self, best: &Record, options: &Options, output: &Output) {
        output.line(&format!(
            "{} looked up{}",
            count(self.summary.evaluated, "candidate"),
            match self.summary.failed {
                0 => String::new(),
                failed => format!(", {failed} not in the table"),
            }
        ));
        let value = options.settings.value().unwrap_or("value");
        output.line(&format!(
            "best program   {}\n  {value} {}",
            best.candidate.text,
            self.unit.text(best.value().unwrap_or_default())
        ));
        for name in &options.table.report {
            let number = detail(best, name).map_or(String::new(), |number| self.unit.text(number));
            output.line(&format!("  {name} {number}"));
        }
        output.line(&format!("  results  {}", self.folder.display()));
        match self.summary.ending {
            Ending::Exhausted => output.line("the table knows no other program of the space"),
            Ending::GaveUp => output.line(GAVE_UP),
            Ending::Budget | Ending::Stopped => {}
        }
    }

    fn report_text(&self, options: &Options, output: &Output) {
        let Some(best) = &self.summary.best else {
            output.line(match (self.records.is_empty(), self.summary.ending) {
                (true, Ending::Exhausted) => "no program of the space is within the limits",
                (true, Ending::GaveUp) => GAVE_UP,
                (true, _) => "nothing was proposed",
                (false, _) => "no candidate could be trained; see candidates.csv for the reasons",
            });
            return;
        };
        if self.unit == Unit::Plain {
            return self.report_table(best, options, output);
        }
        let number = |name: &str| detail(best, name).unwrap_or(0.0);
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
            "best program   {}\n  test accuracy {}, validation accuracy {}, {}",
            best.candidate.text,
            percent(number("test_accuracy")),
            percent(number("validation_accuracy")),
            costs(best),
        ));
        self.report_front(output);
        let folder = self.folder.display();
        output.line(&format!(
            "  program  {folder}/best.snap\n  drawing  {folder}/best.svg\n  weights  {folder}/best.safetensors\n  results  {folder}"
        ));
        match self.summary.ending {
            Ending::Budget => {}
            Ending::Exhausted => output.line("every program of the space has been trained"),
            Ending::GaveUp => output.line(GAVE_UP),
            Ending::Stopped => output.note(&format!(
                "stopped; go on with `snapc search {} --output {folder}`",
                options.file.display()
            )),
        }
    }

    /// Candidates that are smaller than the best, each better than all that are as small.
    fn report_front(&self, output: &Output) {
        let front = self.front();
        if front.len() < 2 {
            return;
        }
        output.line("  none is better and smaller than these");
        let name = measurement(self.settings.objective.measurement);
        for record in front {
            output.line(&format!(
                "    {:>8}  {:14}  {}",
                percent(detail(record, name).unwrap_or(0.0)),
                record.candidate.text,
                costs(record)
            ));
        }
    }
}

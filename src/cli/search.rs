//! `snapc search`

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use console::Term;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::interrupt;
use super::live::Live;
use super::load;
use super::output::{Failure, Output, count, thousands};
use super::settings::SettingsOptions;
use super::training::{TrainingOptions, check_fit};
use crate::data::Dataset;
use crate::diagnostic::Source;
use crate::graph::draw;
use crate::search::report::SketchFiles;
use crate::search::{
    Cost, Ending, Evaluation, Event, Limited, Measurement, Observer, Record, Search, SearchError,
    Settings, Status, Store, Summary, TableColumns, TableError, TableEvaluation,
    TrainingEvaluation, pareto_front,
};
use crate::sketch::Space;
use crate::train;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  snapc search examples/search.snap\n\nA search that was interrupted or killed goes on when the same command is run again."
)]
pub(super) struct Options {
    /// The file with the net whose hole is filled
    file: PathBuf,

    /// The net, where the file has several with holes
    #[arg(long)]
    net: Option<String>,

    /// The results folder; `snapc-search-NET` if not given. A search in it goes on
    #[arg(long, short)]
    output: Option<PathBuf>,

    #[command(flatten)]
    settings: SettingsOptions,

    /// Say nothing before the end
    #[arg(long, short)]
    quiet: bool,

    #[command(flatten)]
    table: TableOptions,

    #[command(flatten)]
    training: TrainingOptions,
}

/// Where the value of a candidate comes from.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Evaluation")]
struct TableOptions {
    /// `train`, or `table:FILE` for a CSV file of known results, gzipped or not
    #[arg(long, default_value = "train")]
    evaluate: String,

    /// A column of the table that is told beside it; may be given several times
    #[arg(long, value_name = "COLUMN")]
    report: Vec<String>,

    /// The column of the table that names the programs: patterns, or cells of NAS-Bench-201
    #[arg(long, value_name = "COLUMN", default_value = "cell")]
    program: String,
}

impl TableOptions {
    fn is_table(&self) -> bool {
        self.evaluate.starts_with("table:")
    }

    /// The table, opened, if there is one.
    fn open<'a>(
        &self,
        value: Option<&str>,
        space: &'a Space,
    ) -> Result<Option<TableEvaluation<'a>>, Failure> {
        let usage = |text: &str| Err(Failure::Usage(text.to_string()));
        let (file, value) = match (self.evaluate.strip_prefix("table:"), value) {
            (None, _) if self.evaluate == "train" => return Ok(None),
            (None, _) => return usage("`--evaluate` must be `train` or `table:FILE`"),
            (Some(_), None) => return usage("say with `--value COLUMN` which column to maximise"),
            (Some(file), Some(value)) => (file, value),
        };
        let columns = TableColumns {
            program: self.program.clone(),
            value: value.to_string(),
            report: self.report.clone(),
        };
        match TableEvaluation::open(space, Path::new(file), columns) {
            Ok(table) => Ok(Some(table)),
            Err(error @ TableError::NoColumn { .. }) => Err(Failure::Usage(error.to_string())),
            Err(error) => Err(Failure::Runtime(error.to_string())),
        }
    }
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let load::Loaded {
        source,
        sources,
        checked,
        files,
    } = load::load(&options.file)?;
    let space = Space::new(Arc::new(checked), options.net.as_deref())
        .map_err(|diagnostic| Failure::Diagnostics(vec![*diagnostic], sources))?;
    let settings = options
        .settings
        .settings(&options.training, options.table.is_table())?;
    let name = space.checked().program.definition(space.net()).name.clone();
    let folder = options
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("snapc-search-{name}")));
    let task = Task {
        options,
        output,
        space: &space,
        source: &source,
        sketch: SketchFiles::new(&name, &files.sources),
        folder: &folder,
        settings,
    };
    match options.table.open(options.settings.value(), &space)? {
        Some(table) => {
            let settings = table.settings();
            let display = task.display(Unit::Plain);
            task.search(&display, settings, |_| Box::new(table))
        }
        None => task.train(),
    }
}

/// A search that is about to begin.
struct Task<'a> {
    options: &'a Options,
    output: &'a Output,
    space: &'a Space,
    source: &'a Source,
    sketch: SketchFiles,
    folder: &'a Path,
    settings: Settings,
}

type SharedDisplay = Rc<RefCell<Display>>;

impl Task<'_> {
    fn display(&self, unit: Unit) -> SharedDisplay {
        let budget = self.settings.search.budget;
        let display = Display::new(*self.output, budget, unit, self.options.quiet);
        Rc::new(RefCell::new(display))
    }

    /// Searches with trained candidates.
    fn train(&self) -> Result<(), Failure> {
        let (space, source, folder) = (self.space, self.source, self.folder);
        let dataset = self.options.training.prepare(&self.settings.data)?;
        check_net(space, dataset.as_ref())?;
        let evaluation = || {
            let training = self.settings.training.clone();
            TrainingEvaluation::new(space, source, dataset.as_ref(), training)
                .valued_by(self.settings.objective)
        };
        let display = self.display(Unit::Share);
        let watch = Rc::clone(&display);
        self.search(&display, evaluation().settings(), |best| {
            let evaluation = evaluation()
                .keeping_best_in(folder, best)
                .observed_by(move |event: train::Event| watch.borrow_mut().training(event));
            Box::new(evaluation)
        })
    }

    /// Searches with the evaluation that `evaluation` makes of the best value from before.
    fn search<'e>(
        &self,
        display: &SharedDisplay,
        mut recorded: Value,
        evaluation: impl FnOnce(Option<f64>) -> Box<dyn Evaluation + 'e>,
    ) -> Result<(), Failure> {
        let stop = interrupt::stop_flag()?;
        recorded["limits"] = json!(self.settings.limits);
        let store = Store::open(self.folder).map_err(|error| failure(&error))?;
        let limited = Limited::new(self.space, self.settings.limits);
        let configuration = self.settings.search.clone();
        let mut search = Search::open(limited, configuration, recorded, store)
            .map_err(|error| failure(&error))?;
        search
            .store()
            .keep_sketch(&self.sketch)
            .map_err(|error| failure(&error))?;
        let known = search
            .history()
            .best(1)
            .first()
            .and_then(|best| best.value());
        display.borrow_mut().resume(search.history().records());
        let mut observer = Shared(Rc::clone(display));
        let summary = search.run(&mut *evaluation(known), &mut observer, &stop);
        display.borrow().finish();
        let summary = summary.map_err(|error| failure(&error))?;
        let results = Results {
            space: self.space,
            source: self.source,
            folder: self.folder,
            settings: &self.settings,
            records: search.history().records(),
            summary: &summary,
            unit: display.borrow().unit,
        };
        results.write()?;
        results.report(self.options, self.output)
    }
}

fn failure(error: &SearchError) -> Failure {
    match error {
        SearchError::Configuration { .. } => Failure::Usage(error.to_string()),
        _ => Failure::Runtime(error.to_string()),
    }
}

/// Fails before anything is trained if the net does not fit the data.
fn check_net(space: &Space, dataset: &dyn Dataset) -> Result<(), Failure> {
    let net = space.checked().program.definition(space.net());
    let crate::types::Inferred::Effect(effect) = space.checked().effect(space.net()) else {
        return Ok(());
    };
    let sizes = |terms: &[crate::types::ShapeTerm]| -> Vec<Vec<usize>> {
        let sizes = |term: &crate::types::ShapeTerm| match term {
            crate::types::ShapeTerm::Known(shape) => shape.sizes(),
            crate::types::ShapeTerm::Unknown(_) => None,
        };
        terms.iter().filter_map(sizes).collect()
    };
    check_fit(
        &net.name,
        &sizes(&effect.inputs),
        &sizes(&effect.outputs),
        dataset,
    )
}

/// What `search --format json` says of a candidate.
fn describe(record: &Record) -> Value {
    let (value, details) = match &record.status {
        Status::Done { value, details, .. } => (Some(*value), details.clone()),
        _ => (None, Value::Null),
    };
    let reason = match &record.status {
        Status::Failed { reason, .. } => Some(reason),
        _ => None,
    };
    json!({
        "number": record.candidate.number,
        "program": record.candidate.text,
        "key": record.candidate.key.to_string(),
        "status": record.status.name(),
        "value": value,
        "seconds": record.seconds(),
        "round": record.round,
        "origin": record.origin,
        "predicted": record.predicted,
        "details": details,
        "reason": reason,
    })
}

fn percent(value: f64) -> String {
    format!("{:.2} %", value * 100.0)
}

/// What values are, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Shares of one, such as accuracies.
    Share,
    /// Whatever a table has.
    Plain,
}

impl Unit {
    /// What is done to a candidate.
    fn done(self) -> &'static str {
        match self {
            Unit::Share => "trained",
            Unit::Plain => "looked up",
        }
    }

    fn text(self, value: f64) -> String {
        match self {
            Unit::Share => percent(value),
            Unit::Plain => format!("{value:.4}"),
        }
    }
}

/// A number of the details of a record.
fn detail(record: &Record, name: &str) -> Option<f64> {
    match &record.status {
        Status::Done { details, .. } => details.get(name)?.as_f64(),
        _ => None,
    }
}

/// The progress of a search: a line a candidate, and on a terminal the live view below.
struct Display {
    output: Output,
    is_quiet: bool,
    /// Has no bar: it keeps the lines of the live view at the bottom.
    bar: ProgressBar,
    live: Live,
    budget: usize,
    unit: Unit,
    candidate: String,
    /// Whether it was said that the strategy prepares itself.
    announced: bool,
}

/// How many characters a line of the terminal has room for.
fn terminal_width() -> usize {
    let (_, columns) = Term::stderr().size();
    usize::from(columns)
}

/// The display, told of the search while the evaluation tells it of each training.
struct Shared(Rc<RefCell<Display>>);

impl Observer for Shared {
    fn event(&mut self, event: &Event<'_>) {
        self.0.borrow_mut().search(event);
    }
}

impl Display {
    fn new(output: Output, budget: usize, unit: Unit, is_quiet: bool) -> Display {
        let bar = match output.is_json() || is_quiet || !output.is_live() {
            true => ProgressBar::hidden(),
            false => ProgressBar::no_length(),
        };
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        Display {
            output,
            is_quiet: is_quiet || output.is_json(),
            bar,
            live: Live::new(budget),
            budget,
            unit,
            candidate: String::new(),
            announced: false,
        }
    }

    /// Shows what was done before.
    fn resume(&mut self, records: &[Record]) {
        let done = records
            .iter()
            .filter(|record| record.seconds().is_some())
            .count();
        let ended = records.iter().filter(|it| it.seconds().is_some());
        ended.for_each(|record| self.live.ended(record));
        if done > 0 {
            self.say(&format!(
                "going on: {done} of {} candidates are {}, best {}",
                self.budget,
                self.unit.done(),
                self.best()
            ));
        }
    }

    fn best(&self) -> String {
        let text = |best| self.unit.text(best);
        self.live.best().map_or("none yet".to_string(), text)
    }

    fn search(&mut self, event: &Event<'_>) {
        match event {
            Event::Preparing { done, steps } => {
                let share = 100 * done / (*steps).max(1);
                self.now(format!("the model learns the language: {share} %"));
                if !self.announced {
                    self.announced = true;
                    self.say("the auto-encoder learns the language from random programs");
                }
            }
            Event::Proposed {
                round,
                records,
                model,
                ..
            } => {
                if let Some(model) = model {
                    self.say(&format!(
                        "round {round}: {} candidates; the model gives back {} of unseen programs whole",
                        records.len(),
                        percent(model.reconstructed_programs)
                    ));
                }
            }
            Event::Started(record) => {
                self.candidate.clone_from(&record.candidate.text);
                self.now(self.candidate.clone());
            }
            Event::Ended(record) => self.ended(record),
            Event::Finished(_) => {}
        }
    }

    fn training(&mut self, event: train::Event) {
        if let train::Event::Epoch { record, .. } = event {
            self.now(format!(
                "{}  epoch {}  {}",
                self.candidate,
                record.epoch,
                percent(record.validation_accuracy)
            ));
        }
    }

    fn ended(&mut self, record: &Record) {
        self.live.ended(record);
        if self.output.is_json() {
            self.output.json_line(&describe(record));
            return;
        }
        let result = match (&record.status, record.value()) {
            (_, Some(value)) => self.unit.text(value),
            (Status::Failed { reason, .. }, _) => format!("failed: {reason}"),
            _ => String::new(),
        };
        let origin = match &record.origin {
            crate::search::Origin::Random => "random".to_string(),
            crate::search::Origin::Climbed { from, .. } => format!("climbed from {}", from + 1),
            crate::search::Origin::Edited { from } => format!("edited from {}", from + 1),
            crate::search::Origin::Other { description } => description.clone(),
        };
        self.say(&format!(
            "{:4}/{}  {result:>8}  {:14}  {origin}, {:.1} s; best {}",
            record.candidate.number + 1,
            self.budget,
            record.candidate.text,
            record.seconds().unwrap_or(0.0),
            self.best()
        ));
    }

    fn say(&self, line: &str) {
        if !self.is_quiet {
            self.bar.suspend(|| self.output.note(line));
        }
    }

    /// Shows what is being done now, and everything else that has changed.
    fn now(&mut self, what: String) {
        self.live.now(what);
        if !self.bar.is_hidden() {
            self.bar.set_message(
                self.live
                    .text(terminal_width(), |value| self.unit.text(value)),
            );
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// What a search leaves in its folder, and says at its end.
struct Results<'a> {
    space: &'a Space,
    source: &'a Source,
    folder: &'a Path,
    settings: &'a Settings,
    records: &'a [Record],
    summary: &'a Summary,
    unit: Unit,
}

impl Results<'_> {
    fn write(&self) -> Result<(), Failure> {
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
            };
            Some((record, (detail(record, measurement)?, cost)))
        };
        let (records, points): (Vec<&Record>, Vec<_>) =
            self.records.iter().filter_map(point).unzip();
        let front = pareto_front(&points);
        front.into_iter().map(|place| records[place]).collect()
    }

    fn table(&self) -> String {
        let mut table = String::from(
            "number,program,key,status,value,predicted,validation_accuracy,validation_macro_f1,test_accuracy,parameters,multiply_adds,seconds,round\n",
        );
        let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        for record in self.records {
            // Writing to a string does not fail. Symbols may be commas or quotes.
            let _ = writeln!(
                table,
                "{},\"{}\",{},{},{},{},{},{},{},{},{},{},{}",
                record.candidate.number,
                record.candidate.text.replace('"', "\"\""),
                record.candidate.key,
                record.status.name(),
                number(record.value()),
                number(record.predicted),
                number(detail(record, "validation_accuracy")),
                number(detail(record, "validation_macro_f1")),
                number(detail(record, "test_accuracy")),
                number(detail(record, "parameters")),
                number(detail(record, "multiply_adds")),
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

    fn report(&self, options: &Options, output: &Output) -> Result<(), Failure> {
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
    }

    fn report_text(&self, options: &Options, output: &Output) {
        let Some(best) = &self.summary.best else {
            output.line(match self.records.is_empty() {
                true => "no program of the space is within the limits",
                false => "no candidate could be trained; see candidates.csv for the reasons",
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

/// The name of a measurement among the details of a record.
fn measurement(measurement: Measurement) -> &'static str {
    match measurement {
        Measurement::Accuracy => "validation_accuracy",
        Measurement::MacroF1 => "validation_macro_f1",
    }
}

fn costs(record: &Record) -> String {
    let number = |name| detail(record, name).unwrap_or(0.0) as u64;
    format!(
        "{} parameters, {} multiply-adds",
        thousands(&number("parameters").to_string()),
        thousands(&number("multiply_adds").to_string())
    )
}

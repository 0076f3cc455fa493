//! `snapc search`

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use clap::ValueEnum;
use console::Term;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::interrupt;
use super::live::Live;
use super::load;
use super::output::{Failure, Output, count, thousands};
use super::training::{TrainingOptions, check_fit};
use crate::data::Dataset;
use crate::diagnostic::Source;
use crate::graph::draw;
use crate::search::report::SketchFiles;
use crate::search::{
    Ending, Evaluation, Event, Observer, Record, Search, SearchConfiguration, SearchError, Status,
    Store, StrategyName, Summary, TrainingEvaluation,
};
use crate::sketch::Space;
use crate::train::{self, TrainingConfiguration};

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

    /// How many distinct candidates are trained
    #[arg(long)]
    budget: Option<usize>,

    /// Who proposes the candidates
    #[arg(long, value_enum)]
    strategy: Option<Strategy>,

    /// Say nothing before the end
    #[arg(long, short)]
    quiet: bool,

    #[command(flatten)]
    training: TrainingOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Strategy {
    /// Random valid programs
    Random,
    /// Gradient ascent in the latent space of an auto-encoder
    Autosnap,
}

/// Epochs a candidate is trained for where nothing is said: on the digits, the order of candidates
/// hardly changes with more.
const CANDIDATE_EPOCHS: usize = 10;

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let load::Loaded {
        source,
        sources,
        checked,
        files,
    } = load::load(&options.file)?;
    let space = Space::new(Arc::new(checked), options.net.as_deref())
        .map_err(|diagnostic| Failure::Diagnostics(vec![*diagnostic], sources))?;
    let dataset = options.training.prepare()?;
    check_net(&space, dataset.as_ref())?;
    let name = space.checked().program.definition(space.net()).name.clone();
    let folder = options
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("snapc-search-{name}")));
    let configuration = search_configuration(options);
    let training = options.training.configuration(TrainingConfiguration {
        epochs: CANDIDATE_EPOCHS,
        ..TrainingConfiguration::default()
    });
    training
        .validate()
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let budget = configuration.budget;
    let stop = interrupt::stop_flag()?;
    let display = Rc::new(RefCell::new(Display::new(*output, budget, options.quiet)));
    let settings =
        TrainingEvaluation::new(&space, &source, dataset.as_ref(), training.clone()).settings();
    let store = Store::open(&folder).map_err(|error| failure(&error))?;
    let mut search =
        Search::open(&space, configuration, settings, store).map_err(|error| failure(&error))?;
    search
        .store()
        .keep_sketch(&SketchFiles::new(&name, &files.sources))
        .map_err(|error| failure(&error))?;
    let known = search
        .history()
        .best(1)
        .first()
        .and_then(|best| best.value());
    display.borrow_mut().resume(search.history().records());
    let watch = Rc::clone(&display);
    let mut evaluation = TrainingEvaluation::new(&space, &source, dataset.as_ref(), training)
        .keeping_best_in(&folder, known)
        .observed_by(move |event: train::Event| watch.borrow_mut().training(event));
    let mut observer = Shared(Rc::clone(&display));
    let summary = search.run(&mut evaluation, &mut observer, &stop);
    display.borrow().finish();
    let summary = summary.map_err(|error| failure(&error))?;
    let results = Results {
        space: &space,
        source: &source,
        folder: &folder,
        records: search.history().records(),
        summary: &summary,
    };
    results.write()?;
    results.report(options, output)
}

fn search_configuration(options: &Options) -> SearchConfiguration {
    let base = SearchConfiguration::default();
    SearchConfiguration {
        seed: options.training.seed.unwrap_or(base.seed),
        budget: options.budget.unwrap_or(base.budget),
        strategy: match options.strategy {
            Some(Strategy::Random) => StrategyName::Random,
            Some(Strategy::Autosnap) => StrategyName::Autosnap,
            None => base.strategy,
        },
        ..base
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
    fn new(output: Output, budget: usize, is_quiet: bool) -> Display {
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
                "going on: {done} of {} candidates are trained, best {}",
                self.budget,
                self.best()
            ));
        }
    }

    fn best(&self) -> String {
        self.live.best().map_or("none yet".to_string(), percent)
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
            (_, Some(value)) => percent(value),
            (Status::Failed { reason, .. }, _) => format!("failed: {reason}"),
            _ => String::new(),
        };
        let origin = match &record.origin {
            crate::search::Origin::Random => "random".to_string(),
            crate::search::Origin::Climbed { from, .. } => format!("climbed from {}", from + 1),
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
            self.bar
                .set_message(self.live.text(terminal_width(), percent));
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
    records: &'a [Record],
    summary: &'a Summary,
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

    fn table(&self) -> String {
        let mut table = String::from(
            "number,program,key,status,value,predicted,test_accuracy,parameters,multiply_adds,seconds,round\n",
        );
        let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        for record in self.records {
            // Writing to a string does not fail. Symbols may be commas or quotes.
            let _ = writeln!(
                table,
                "{},\"{}\",{},{},{},{},{},{},{},{},{}",
                record.candidate.number,
                record.candidate.text.replace('"', "\"\""),
                record.candidate.key,
                record.status.name(),
                number(record.value()),
                number(record.predicted),
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

    fn report_text(&self, options: &Options, output: &Output) {
        let Some(best) = &self.summary.best else {
            output.line("no candidate could be trained; see candidates.csv for the reasons");
            return;
        };
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
            "best program   {}\n  test accuracy {}, validation accuracy {}, {} parameters, {} multiply-adds",
            best.candidate.text,
            percent(number("test_accuracy")),
            percent(best.value().unwrap_or(0.0)),
            thousands(&(number("parameters") as u64).to_string()),
            thousands(&(number("multiply_adds") as u64).to_string())
        ));
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
}

//! What is shown while a search runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use console::Term;
use indicatif::{ProgressBar, ProgressStyle};

use super::record::{describe, detail, percent};
use crate::cli::live::Live;
use crate::cli::output::Output;
use crate::search::{Event, ModelReport, Observer, Origin, Record, Status, shown};
use crate::train::{self, significant};

/// What values are, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Shares of one, such as accuracies.
    Share,
    /// What is maximised of a regression: the negative of an error, or R².
    Regression,
    /// Whatever a table has.
    Plain,
}

impl Unit {
    /// What is done to a candidate.
    pub(super) fn done(self) -> &'static str {
        match self {
            Unit::Share | Unit::Regression => "trained",
            Unit::Plain => "looked up",
        }
    }

    pub(super) fn text(self, value: f64) -> String {
        match self {
            Unit::Share => percent(value),
            Unit::Regression | Unit::Plain => significant(value),
        }
    }
}

/// The progress of a search: a line a candidate, and on a terminal the live view below.
pub(super) struct Display {
    output: Output,
    is_quiet: bool,
    /// Has no bar: it keeps the lines of the live view at the bottom.
    bar: ProgressBar,
    live: Live,
    budget: usize,
    pub(super) unit: Unit,
    candidate: String,
    /// Whether it was said that the strategy prepares itself.
    announced: bool,
    /// Whether it was said that the auto-encoder has not learnt the language.
    warned: bool,
}

/// How many characters a line of the terminal has room for.
fn terminal_width() -> usize {
    let (_, columns) = Term::stderr().size();
    usize::from(columns)
}

/// A display that the search and the evaluation tell what they do.
pub(super) type SharedDisplay = Arc<Mutex<Display>>;

pub(super) fn locked(display: &SharedDisplay) -> MutexGuard<'_, Display> {
    display.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The display, told of the search while the evaluation tells it of each training.
pub(super) struct Shared(pub(super) SharedDisplay);

impl Observer for Shared {
    fn event(&mut self, event: &Event<'_>) {
        locked(&self.0).search(event);
    }
}

impl Display {
    pub(super) fn new(output: Output, budget: usize, unit: Unit, is_quiet: bool) -> Display {
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
            warned: false,
        }
    }

    /// Shows what was done before.
    pub(super) fn resume(&mut self, records: &[Record]) {
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
                    self.warn_of(model);
                }
            }
            Event::Started(record) => {
                self.candidate = shown(&record.candidate.text).into_owned();
                self.now(self.candidate.clone());
            }
            Event::Ended(record) => self.ended(record),
            Event::Finished(_) => {}
        }
    }

    /// Says once if the auto-encoder has not learnt the language: then climbs lead to chance programs.
    fn warn_of(&mut self, model: &ModelReport) {
        const HARDLY: f64 = 0.5;
        // A comparison that is false for what is no number, of a model that has diverged.
        let knows_the_language = model.reconstructed_programs >= HARDLY;
        if !knows_the_language && !self.warned {
            self.warned = true;
            self.say(
                "the auto-encoder hardly knows the language, so that climbs lead nowhere in particular; it may need more \
                 `pretraining.steps` or another `pretraining.learning_rate`",
            );
        }
    }

    pub(super) fn training(&mut self, event: train::Event) {
        if let train::Event::Epoch { record, .. } = event {
            self.now(format!(
                "{}  epoch {}  {}",
                self.candidate,
                record.epoch,
                record.validation.text()
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
            Origin::Random => "random".to_string(),
            Origin::Climbed { from, .. } => format!("climbed from {}", from + 1),
            Origin::Refined { from: None, .. } => "refined".to_string(),
            Origin::Refined {
                from: Some(from), ..
            } => format!("refined from {}", from + 1),
            Origin::Edited { from } => format!("edited from {}", from + 1),
            Origin::Other { description } => description.clone(),
        };
        let stopped = match detail(record, "stopped_at_epoch") {
            Some(epoch) => format!(", stopped after epoch {epoch}"),
            None => String::new(),
        };
        self.say(&format!(
            "{:4}/{}  {result:>8}  {:14}  {origin}, {:.1} s{stopped}; best {}",
            record.candidate.number + 1,
            self.budget,
            shown(&record.candidate.text),
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

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

//! The search itself: rounds of proposals, one evaluation after the other, everything kept.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;

use super::configuration::SearchConfiguration;
use super::correlation;
use super::error::{Result, SearchError};
use super::evaluation::{Candidate, Evaluation, Outcome};
use super::history::{self, History, Proposal, Record, Status};
use super::learner::ModelReport;
use super::seeds::{Purpose, generator};
use super::space::{self, MAXIMUM_SYMBOLS, ProgramSpace};
use super::store::{Identity, Store};
use super::strategy::{Round, Strategy, strategy};

/// A search over a space of programs.
///
/// [`run`](Search::run) evaluates candidate after candidate. [`ask`](Search::ask) and
/// [`tell`](Search::tell) do the same step by step, for those who evaluate in their own way, several
/// at once if they like: a round's proposals depend on the results of all rounds before it and on
/// nothing else, so any number of workers makes the same search.
pub struct Search<S> {
    space: S,
    configuration: SearchConfiguration,
    strategy: Box<dyn Strategy>,
    store: Store,
    history: History,
    /// When the evaluation of each running candidate began.
    started: HashMap<usize, Instant>,
    opened: Instant,
    /// Why the search has ended before its budget is spent, if the strategy found nothing new.
    ended: Option<Ending>,
    /// Whether the strategy was interrupted and must go back to its stored state.
    interrupted: bool,
    /// The revision of the strategy's state that is in the store, if it is known.
    saved: Option<u64>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Evaluate this candidate and [`tell`](Search::tell) what came of it.
    Evaluate(Candidate),
    /// Tell the results of running candidates first: the round ends with them.
    Wait,
    /// Nothing: the search has ended.
    Finished(Ending),
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As many candidates were evaluated as the budget has.
    Budget,
    /// The strategy has proposed every program there is.
    Exhausted,
    /// The strategy found no program that it had not proposed, but has not looked at all: there may be some.
    GaveUp,
    /// It was stopped from outside and can be resumed.
    Stopped,
}

impl Ending {
    /// `budget`, `exhausted`, `gave-up` or `stopped`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Exhausted => "exhausted",
            Self::GaveUp => "gave-up",
            Self::Stopped => "stopped",
        }
    }
}

/// What became of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The candidate with the largest value; of equal ones the earliest.
    pub best: Option<Record>,
    /// How many candidates have a value.
    pub evaluated: usize,
    /// How many failed.
    pub failed: usize,
    /// The time all evaluations took, over all runs.
    pub evaluation_seconds: f64,
    /// The time since this run opened the search.
    pub seconds: f64,
    /// Why it ended.
    pub ending: Ending,
}

/// How well the values predicted for proposals agree with what was then measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// How many candidates are compared.
    pub compared: usize,
    /// Kendall's tau-b.
    pub kendall: Option<f64>,
    /// Spearman's rank correlation.
    pub spearman: Option<f64>,
}

impl Agreement {
    /// The agreement over all records that have both values.
    pub fn of(records: &[Record]) -> Self {
        let pairs = records
            .iter()
            .filter_map(|record| Some((record.predicted?, record.value()?)));
        let (predicted, measured): (Vec<f64>, Vec<f64>) = pairs.unzip();
        Self {
            compared: predicted.len(),
            kendall: correlation::kendall(&predicted, &measured),
            spearman: correlation::spearman(&predicted, &measured),
        }
    }
}

/// What happens in a search, as it happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<'a> {
    /// The strategy prepares its first proposals: steps done of all.
    Preparing {
        /// Steps done.
        done: usize,
        /// Steps in all.
        steps: usize,
    },
    /// A round was proposed.
    Proposed {
        /// The number of the round, from 0.
        round: usize,
        /// Its candidates.
        records: &'a [Record],
        /// How good the strategy's model is, if it has one.
        model: Option<ModelReport>,
        /// How good its predictions were up to now.
        agreement: Agreement,
    },
    /// An evaluation begins.
    Started(&'a Record),
    /// An evaluation has ended.
    Ended(&'a Record),
    /// The search has ended.
    Finished(&'a Summary),
}

/// Is told what happens. The search itself prints nothing.
pub trait Observer {
    /// Something happened.
    fn event(&mut self, event: &Event<'_>);
}

/// An observer that does not look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&mut self, _: &Event<'_>) {}
}

impl<S: ProgramSpace> Search<S> {
    /// Opens a search with the strategy of the configuration: a new one, or the one in the store,
    /// which goes on where it was. `evaluation` are the [settings](Evaluation::settings) of what will
    /// evaluate the candidates.
    ///
    /// # Errors
    ///
    /// If the configuration or the space can't be used, or the store holds another search or is
    /// damaged.
    pub fn open(
        space: S,
        configuration: SearchConfiguration,
        evaluation: Value,
        store: Store,
    ) -> Result<Self> {
        configuration.validate()?;
        let strategy = strategy(&configuration);
        Self::with_strategy(space, configuration, strategy, evaluation, store)
    }

    /// Opens a search with a strategy from outside, which stands in for the configured one.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn with_strategy(
        space: S,
        configuration: SearchConfiguration,
        mut strategy: Box<dyn Strategy>,
        evaluation: Value,
        mut store: Store,
    ) -> Result<Self> {
        configuration.validate()?;
        check_space(&space)?;
        store.identify(&Identity::new(
            &configuration,
            &space,
            strategy.name(),
            evaluation,
        ))?;
        store.keep_budget(configuration.budget)?;
        let history = store.history(&space)?;
        strategy.restore(&space, &store.state()?)?;
        Ok(Self {
            space,
            configuration,
            strategy,
            store,
            history,
            started: HashMap::new(),
            opened: Instant::now(),
            ended: None,
            interrupted: false,
            saved: None,
        })
    }

    /// Everything proposed so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The settings.
    pub fn configuration(&self) -> &SearchConfiguration {
        &self.configuration
    }

    /// The space.
    pub fn space(&self) -> &S {
        &self.space
    }

    /// The store.
    pub fn store(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Evaluates candidates until the budget is spent, nothing new is found, or `stop` is set.
    ///
    /// # Errors
    ///
    /// If the store can't be written, the strategy can't go on, or nothing can be evaluated any more.
    /// Failed candidates are no error.
    pub fn run(
        &mut self,
        evaluation: &mut dyn Evaluation,
        observer: &mut dyn Observer,
        stop: &AtomicBool,
    ) -> Result<Summary> {
        let ending = loop {
            if stop.load(Ordering::Relaxed) {
                break Ending::Stopped;
            }
            let candidate = match self.ask(observer, stop) {
                Ok(Ask::Evaluate(candidate)) => candidate,
                // Candidates asked for step by step before, whose results nobody told.
                Ok(Ask::Wait) => {
                    self.forget_running()?;
                    continue;
                }
                Ok(Ask::Finished(ending)) => break ending,
                Err(SearchError::Stopped) => break Ending::Stopped,
                Err(error) => return Err(error),
            };
            let outcome = evaluation.evaluate(&candidate, stop);
            let interrupted = outcome == Outcome::Interrupted;
            self.tell(candidate.number, outcome, observer)?;
            if interrupted {
                break Ending::Stopped;
            }
        };
        let summary = self.summary(ending);
        observer.event(&Event::Finished(&summary));
        Ok(summary)
    }

    /// The next candidate to evaluate. A candidate is given out once, unless its evaluation was
    /// interrupted.
    ///
    /// # Errors
    ///
    /// [`SearchError::Stopped`] if `stop` was set while the strategy made its proposals; or if the
    /// store can't be written or the strategy can't go on.
    pub fn ask(&mut self, observer: &mut dyn Observer, stop: &AtomicBool) -> Result<Ask> {
        if self.pending().is_none() && self.started.is_empty() && !self.spent() {
            self.propose(observer, stop)?;
        }
        let Some(record) = self.pending() else {
            return Ok(match self.started.is_empty() {
                false => Ask::Wait,
                true => Ask::Finished(self.ended.unwrap_or(Ending::Budget)),
            });
        };
        let candidate = record.candidate.clone();
        self.started.insert(candidate.number, Instant::now());
        self.record(candidate.number, Status::Running, |record| {
            observer.event(&Event::Started(record));
        })?;
        Ok(Ask::Evaluate(candidate))
    }

    /// Records what came of a candidate that was asked for.
    ///
    /// # Errors
    ///
    /// [`SearchError::NotRunning`] if it was not asked for or its result was told already;
    /// [`SearchError::Evaluation`] if nothing can be evaluated any more; or if the store can't be
    /// written.
    pub fn tell(
        &mut self,
        number: usize,
        outcome: Outcome,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let Some(started) = self.started.get(&number) else {
            return Err(SearchError::NotRunning(number));
        };
        let seconds = started.elapsed().as_secs_f64();
        let broken = match &outcome {
            Outcome::Broken { reason } => Some(reason.clone()),
            _ => None,
        };
        let status = match outcome {
            // The store knows no zero below zero, and a search that goes on must be the same.
            Outcome::Measured { value, details } if value.is_finite() => Status::Done {
                value: value + 0.0,
                details,
                seconds,
            },
            Outcome::Measured { value, details } => Status::Failed {
                reason: format!("its value is not finite: {value}"),
                details,
                seconds,
            },
            Outcome::Failed { reason, details } => Status::Failed {
                reason,
                details,
                seconds,
            },
            Outcome::Interrupted | Outcome::Broken { .. } => Status::Pending,
        };
        let ended = status != Status::Pending;
        self.record(number, status, |record| {
            if ended {
                observer.event(&Event::Ended(record));
            }
        })?;
        self.started.remove(&number);
        broken.map_or(Ok(()), |reason| Err(SearchError::Evaluation(reason)))
    }

    /// Takes a candidate back from a worker that will never tell what came of it: it is given out
    /// again. Reopening the store does the same for all that were running; there, one has failed for which the
    /// process has ended too often.
    ///
    /// # Errors
    ///
    /// As [`tell`](Self::tell).
    pub fn release(&mut self, number: usize) -> Result<()> {
        self.tell(number, Outcome::Interrupted, &mut Silent)
    }

    /// What became of the search up to now.
    pub fn summary(&self, ending: Ending) -> Summary {
        let records = self.history.records();
        let failed = records
            .iter()
            .filter(|record| matches!(record.status, Status::Failed { .. }));
        Summary {
            best: self.history.best(1).first().map(|&record| record.clone()),
            evaluated: self.history.measured().count(),
            failed: failed.count(),
            evaluation_seconds: history::evaluation_seconds(records),
            seconds: self.opened.elapsed().as_secs_f64(),
            ending,
        }
    }

    /// How well the values predicted when candidates were proposed agree with those measured.
    pub fn agreement(&self) -> Agreement {
        Agreement::of(self.history.records())
    }

    /// The next candidate to evaluate. Those beyond the budget, which a search with a larger one proposed, are left.
    fn pending(&self) -> Option<&Record> {
        let mut within = self
            .history
            .records()
            .iter()
            .take(self.configuration.budget);
        within.find(|record| record.status == Status::Pending)
    }

    fn spent(&self) -> bool {
        self.ended.is_some() || self.history.records().len() >= self.configuration.budget
    }

    /// Makes the running candidates pending again.
    fn forget_running(&mut self) -> Result<()> {
        for number in std::mem::take(&mut self.started).into_keys() {
            self.record(number, Status::Pending, |_| {})?;
        }
        Ok(())
    }

    /// Writes the status of a candidate and then shows it.
    fn record(&mut self, number: usize, status: Status, show: impl FnOnce(&Record)) -> Result<()> {
        self.store.set(number, &status)?;
        if let Some(record) = self.history.set(number, status) {
            show(record);
        }
        Ok(())
    }

    fn propose(&mut self, observer: &mut dyn Observer, stop: &AtomicBool) -> Result<()> {
        if self.interrupted {
            self.strategy.restore(&self.space, &self.store.state()?)?;
            self.saved = None;
        }
        self.interrupted = true;
        let number = self
            .history
            .records()
            .last()
            .map_or(0, |record| record.round + 1);
        let wanted = if number == 0 {
            self.configuration.initial
        } else {
            self.configuration.round
        };
        let mut round = Round {
            number,
            count: wanted,
            space: &self.space,
            history: &self.history,
            stop,
            progress: &mut |done, steps| observer.event(&Event::Preparing { done, steps }),
            gave_up: false,
        };
        let mut rng = generator(self.configuration.seed, Purpose::Round, number as u64);
        let count = round.count;
        let proposals = self.strategy.ask(&mut round, &mut rng)?;
        let ending = match round.gave_up {
            true => Ending::GaveUp,
            false => Ending::Exhausted,
        };
        let mut records = self.records(number, proposals);
        records.truncate(count);
        self.ended = records.is_empty().then_some(ending);
        if self.ended.is_none() {
            let model = self.strategy.report();
            let report = model.as_ref().map(|report| (number, report));
            let revision = self.strategy.revision();
            let state = match revision {
                Some(revision) if self.saved == Some(revision) => None,
                _ => Some(self.strategy.save()?),
            };
            self.store.propose(&records, report, state.as_deref())?;
            self.saved = revision;
            for record in &records {
                self.history.push(record.clone());
            }
            let agreement = self.agreement();
            observer.event(&Event::Proposed {
                round: number,
                records: &records,
                model,
                agreement,
            });
        }
        self.interrupted = false;
        Ok(())
    }

    /// The records of new proposals. A strategy from outside may propose what it should not: what is
    /// not valid, not admitted or was proposed before is passed over.
    fn records(&self, round: usize, proposals: Vec<Proposal>) -> Vec<Record> {
        let mut keys = self.history.keys().clone();
        let mut records = Vec::with_capacity(proposals.len());
        for proposal in proposals {
            let program = &proposal.program;
            if space::is_valid(&self.space, program)
                && self.space.admits(program)
                && keys.insert(proposal.key)
            {
                records.push(Record {
                    candidate: Candidate {
                        number: self.history.records().len() + records.len(),
                        text: space::text(&self.space, &proposal.program),
                        program: proposal.program,
                        key: proposal.key,
                    },
                    round,
                    origin: proposal.origin,
                    predicted: proposal.predicted,
                    status: Status::Pending,
                });
            }
        }
        records
    }
}

fn check_space(space: &dyn ProgramSpace) -> Result<()> {
    let symbols = space.symbols();
    if symbols.is_empty() || symbols.len() > MAXIMUM_SYMBOLS {
        let count = symbols.len();
        return Err(SearchError::Space(format!(
            "its vocabulary has {count} symbols; it must have between 1 and {MAXIMUM_SYMBOLS}"
        )));
    }
    if let Some((_, symbol)) = symbols
        .iter()
        .enumerate()
        .find(|(i, c)| symbols[..*i].contains(c))
    {
        return Err(SearchError::Space(format!(
            "its vocabulary has the symbol `{symbol}` twice"
        )));
    }
    let lengths = space.lengths();
    if lengths.is_empty() || *lengths.end() > MAXIMUM_LENGTH {
        return Err(SearchError::Space(format!(
            "its lengths are {} to {}; the shortest must not be above the longest, and the longest at most {MAXIMUM_LENGTH}",
            lengths.start(),
            lengths.end()
        )));
    }
    let start = space.allowed(&[]);
    if start.symbols == 0 && !start.end {
        return Err(SearchError::Space("it has no valid program".to_owned()));
    }
    Ok(())
}

/// The longest program that can be searched for: the model looks at every place of every program.
const MAXIMUM_LENGTH: usize = 1024;

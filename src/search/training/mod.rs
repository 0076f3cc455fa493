//! Training as what gives SNAP programs their value.

mod checks;
mod clock;
mod configuration;
mod details;
mod error;
mod filter;
mod halving;
mod kept;
mod latency;
mod machine;

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

pub use configuration::{EvaluationConfiguration, FilterConfiguration, HalvingConfiguration};
pub use details::{Facts, Measured, TrainedCandidate};
pub use halving::{Halving, Rung};
pub use kept::TRAININGS;
pub use latency::latency;

use super::error::Result;
use super::evaluation::{Candidate, Evaluation, Outcome};
use super::history::Record;
use super::objective::{Cost, Limits, Objective};
use crate::backend::{Computation, Network};
use crate::data::{self, Batch, Dataset, Normalization};
use crate::diagnostic::Source;
use crate::files;
use crate::graph::Graph;
use crate::sketch::Space;
use crate::train::{self, Event, Observer, Part, Stop, Trainer, TrainingConfiguration, Weights};
use clock::Clock;
use details::score;
use error::NoValue;
use filter::Filter;
use halving::Judge;
use kept::Trainings;

/// Trains every candidate from its seeded weights and takes what the objective says of the best
/// epoch for its value. Nothing is shared between candidates but the values at the rungs of
/// successive halving, if that is on.
pub struct TrainingEvaluation<'a> {
    space: &'a Space,
    dataset: &'a dyn Dataset,
    training: TrainingConfiguration,
    configuration: EvaluationConfiguration,
    halving: Option<Halving>,
    filter: Option<Filter>,
    /// What scores are computed on, once it was needed.
    batch: Option<Batch>,
    limits: Limits,
    folder: Option<PathBuf>,
    /// The text of a program, as it is kept.
    text: Box<Text<'a>>,
    best: Option<f64>,
    objective: Objective,
    computation: Computation,
    observer: Box<dyn Observer + Send + 'a>,
}

/// Gives the text of a program.
type Text<'a> = dyn Fn(&[u8]) -> String + Send + 'a;

impl<'a> TrainingEvaluation<'a> {
    /// Trains on `dataset` as `training` says; `source` is the text of the sketch.
    pub fn new(
        space: &'a Space,
        source: &'a Source,
        dataset: &'a dyn Dataset,
        training: TrainingConfiguration,
    ) -> Self {
        Self {
            space,
            dataset,
            training,
            configuration: EvaluationConfiguration::default(),
            halving: None,
            filter: None,
            batch: None,
            limits: Limits::default(),
            folder: None,
            text: Box::new(|program| space.fill(source, program)),
            best: None,
            objective: Objective::of_task(dataset.task()),
            computation: Computation::default(),
            observer: Box::new(()),
        }
    }

    /// Chooses what a trained candidate is worth; its validation accuracy, or the negative of its mean absolute error, if
    /// nothing is chosen.
    ///
    /// # Errors
    ///
    /// [`SearchError::Configuration`] if what is to be measured is not of the task of the data.
    pub fn valued_by(mut self, objective: Objective) -> Result<Self> {
        self.objective = objective.for_task(self.dataset.task())?;
        Ok(self)
    }

    /// Chooses how often candidates are trained, and which trainings end early.
    #[must_use]
    pub fn configured(mut self, configuration: EvaluationConfiguration) -> Self {
        let rungs = |halving| Halving::new(halving, self.training.epochs);
        self.halving = configuration.halving.map(rungs);
        self.filter = configuration.filter.map(Filter::new);
        self.configuration = configuration;
        self
    }

    /// Sets limits: a candidate that exceeds one has failed and is not trained. Search in the space
    /// [`Limited`](super::Limited) by the same limits beside it, and candidates with too many parameters or
    /// multiply-adds are not even proposed.
    #[must_use]
    pub fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Keeps the best candidate's program and weights in `folder`, and the finished trainings of the
    /// candidate that is being trained.
    #[must_use]
    pub fn keeping_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Chooses the text of the program that is kept; the sketch with its holes filled if nothing is chosen. Paths after `use` are
    /// seen from the sketch there, not from the folder.
    #[must_use]
    pub fn written_as(mut self, text: impl Fn(&[u8]) -> String + Send + 'a) -> Self {
        self.text = Box::new(text);
        self
    }

    /// Goes on after candidates that were evaluated before: with the best value and the values at the
    /// rungs that are recorded of them. Call it after [`configured`](Self::configured).
    #[must_use]
    pub fn going_on_after(mut self, records: &[Record]) -> Self {
        for record in records {
            if let Some(value) = record.value() {
                self.best = Some(self.best.map_or(value, |best| best.max(value)));
            }
            if let Ok(facts) = serde_json::from_value::<Facts>(record.details().clone()) {
                self.count(&facts);
            }
        }
        self
    }

    /// Trains candidates on a device; on the CPU if nothing is chosen.
    #[must_use]
    pub fn computing(mut self, computation: Computation) -> Self {
        self.computation = computation;
        self
    }

    /// Tells `observer` how the training of each candidate goes.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Observer + Send + 'a) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Remembers what later candidates are compared with.
    fn count(&mut self, facts: &Facts) {
        if let Some(halving) = &mut self.halving {
            halving.add(&facts.rungs);
        }
        if let Some(filter) = &mut self.filter {
            filter.add(facts.scores.get(filter.configuration.score));
        }
    }

    /// The value of a candidate. What is known of it when it fails is in `facts`.
    fn value(
        &mut self,
        candidate: &Candidate,
        graph: &Graph,
        facts: &mut Facts,
        stop: &AtomicBool,
    ) -> Result<Outcome, NoValue> {
        self.check_cost(facts.cost())?;
        self.check_memory(graph)?;
        self.check_scores(graph, facts)?;
        self.check_latency(graph, facts)?;
        let folder = self.folder.clone();
        let repeats = self.configuration.repeats;
        let mut trainings = Trainings::open(folder.as_deref(), candidate, self.settings(), repeats);
        facts.rungs.clone_from(&trainings.rungs);
        let clock = Clock::start(self.configuration.time_limit, trainings.seconds);
        loop {
            let repeat = trainings.measured.len();
            let Some(last) = self.train(candidate, graph, repeat, facts, &clock, stop)? else {
                return Ok(Outcome::Interrupted);
            };
            trainings.measured.push(last.measured.clone());
            if last.stopped_at_epoch.is_some() || trainings.measured.len() >= repeats {
                return self.measured(candidate, facts.clone(), &trainings, &last);
            }
            trainings.rungs.clone_from(&facts.rungs);
            trainings.seconds = clock.seconds();
            trainings
                .keep(folder.as_deref())
                .map_err(|error| not_kept(&error))?;
        }
    }

    /// Trains a candidate once; nothing if the training was interrupted.
    fn train(
        &mut self,
        candidate: &Candidate,
        graph: &Graph,
        repeat: usize,
        facts: &mut Facts,
        clock: &Clock,
        stop: &AtomicBool,
    ) -> Result<Option<Trained>, NoValue> {
        let training = TrainingConfiguration {
            seed: self.training.seed.wrapping_add(repeat as u64),
            split_seed: Some(self.training.split_seed()),
            ..self.training.clone()
        };
        let TrainingConfiguration { passes, seed, .. } = training;
        let network = self.computation.compile(graph, passes, seed)?;
        let trainer =
            Trainer::new(&network, self.dataset, training)?.with_program(candidate.key.to_string());
        let (objective, cost) = (self.objective, facts.cost());
        let value_now = || value_now(&trainer, &objective, cost);
        let halved = Cell::new(false);
        // The first training decides: one that got through is not stopped in another.
        let halving = self.halving.as_ref().filter(|_| repeat == 0);
        let mut judge = Judge::new(halving, &value_now, &halved);
        let ended = || stop.is_set() || halved.get() || clock.is_over();
        let outcome = trainer.run(&ended, &mut |event: Event<'_>| {
            judge.observe(event);
            self.observer.observe(event);
        });
        facts.rungs.extend(judge.reached()?);
        let (epoch, stopped_at_epoch) = match outcome? {
            train::Outcome::Finished(summary) => (summary.best_epoch, None),
            train::Outcome::Interrupted { epochs, .. } if halved.get() => {
                (epochs.len(), Some(epochs.len()))
            }
            train::Outcome::Interrupted { .. } if stop.load(Ordering::Relaxed) => return Ok(None),
            train::Outcome::Interrupted { .. } => return Err(clock.error()),
        };
        let measured = Measured::of(&trainer, &objective, epoch)?;
        let normalization = trainer.normalization().clone();
        Ok(Some(Trained {
            network,
            normalization,
            measured,
            stopped_at_epoch,
        }))
    }

    /// The outcome of all trainings. The network of the last is kept if the candidate is the best.
    fn measured(
        &mut self,
        candidate: &Candidate,
        facts: Facts,
        trainings: &Trainings,
        last: &Trained,
    ) -> Result<Outcome, NoValue> {
        let (details, value) = TrainedCandidate::of(
            facts,
            &self.objective,
            &trainings.measured,
            &last.measured,
            last.stopped_at_epoch,
        );
        if self.best.is_none_or(|best| value > best) {
            self.keep(&candidate.program, last)?;
            self.best = Some(value);
        }
        Ok(Outcome::Measured {
            value,
            details: json!(details),
        })
    }

    /// Writes the program and its weights, so that the best one is there whatever happens next.
    fn keep(&self, program: &[u8], trained: &Trained) -> Result<(), NoValue> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        std::fs::create_dir_all(folder).map_err(|error| not_kept(&error))?;
        Weights::capture(&trained.network)?
            .save(&folder.join("best.safetensors"), &trained.normalization)
            .map_err(|error| not_kept(&error))?;
        let text = (self.text)(program);
        files::write(&folder.join("best.snap"), text.as_bytes()).map_err(|error| not_kept(&error))
    }
}

/// A network after its training.
struct Trained {
    network: Network,
    /// How inputs and targets were normalised for it.
    normalization: Normalization,
    measured: Measured,
    stopped_at_epoch: Option<usize>,
}

/// What the network of a trainer is worth as it is.
fn value_now(trainer: &Trainer<'_>, objective: &Objective, cost: Cost) -> Result<f64, NoValue> {
    let evaluation = match objective.attack_of_measurement() {
        Some(attack) => trainer.evaluate_under(&attack, Part::Validation)?,
        None => trainer.evaluate(Part::Validation)?,
    };
    let measured = objective
        .measurement
        .and_then(|it| score(&evaluation.scores(), it));
    Ok(objective.value(measured.unwrap_or_default(), cost))
}

fn not_kept(error: &dyn std::error::Error) -> NoValue {
    NoValue::Broken(format!("the results can't be kept: {error}"))
}

impl Evaluation for TrainingEvaluation<'_> {
    fn evaluate(&mut self, candidate: &Candidate, stop: &AtomicBool) -> Outcome {
        let graph = match self.space.graph(&candidate.program) {
            Ok(graph) => graph,
            Err(diagnostic) => return Outcome::failed(diagnostic.message),
        };
        let mut facts = Facts::of(Cost::of(&graph));
        let outcome = self
            .value(candidate, &graph, &mut facts, stop)
            .unwrap_or_else(|no_value| match no_value {
                NoValue::Failed(reason) => Outcome::Failed {
                    reason,
                    details: json!(facts),
                },
                NoValue::Broken(reason) => Outcome::Broken { reason },
            });
        if let Outcome::Measured { .. } | Outcome::Failed { .. } = outcome {
            self.count(&facts);
        }
        outcome
    }

    fn settings(&self) -> Value {
        json!({
            "data": {
                "name": self.dataset.name(),
                "examples": self.dataset.len(),
                "input_shape": self.dataset.input_shape(),
                "checksum": data::checksum(self.dataset),
            },
            "precision": self.computation.precision,
            "training": self.training,
            "evaluation": self.configuration,
            "objective": self.objective,
        })
    }
}

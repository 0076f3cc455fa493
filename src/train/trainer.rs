use std::collections::BTreeMap;
use std::time::Instant;

use super::checkpoint::{Checkpoint, CheckpointError, Progress};
use super::evaluation::{check_output, score_sum};
use super::loss::loss;
use super::run_directory::{DataDescription, RunDescription};
use super::{
    Attack, Comparison, EpochRecord, Evaluation, Event, Observer, Optimizer, Outcome, RunDirectory,
    Scores, StepError, StepSettings, Stop, Summary, TrainError, TrainingConfiguration, Weights,
    evaluate, evaluate_under,
};
use crate::backend::{Mode, Model};
use crate::data::{self, Batches, Dataset, Normalization, Shuffle, Split, Task};

/// A part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// For the gradient.
    Training,
    /// For choosing the best epoch.
    Validation,
    /// For measuring what was chosen.
    Test,
}

/// Trains a model on data. The same model, data and configuration give the same run.
pub struct Trainer<'a> {
    model: &'a dyn Model,
    dataset: &'a dyn Dataset,
    configuration: TrainingConfiguration,
    split: Split,
    normalization: Normalization,
    program: String,
}

impl<'a> Trainer<'a> {
    /// Splits the data, measures how to normalise it, and tries the model on one example.
    ///
    /// # Errors
    ///
    /// When the configuration is not valid, the data is too small for its split, or the model has
    /// no parameters, can't take the data or gives something else than a value for each class or quantity.
    pub fn new(
        model: &'a dyn Model,
        dataset: &'a dyn Dataset,
        configuration: TrainingConfiguration,
    ) -> Result<Self, TrainError> {
        configuration.validate()?;
        if model.trainable().is_empty() {
            return Err(TrainError::NothingToTrain);
        }
        let split = Split::new(dataset, configuration.split, configuration.split_seed())?;
        let normalization = Normalization::measure(dataset, &split.training);
        let trainer = Self {
            model,
            dataset,
            configuration,
            split,
            normalization,
            program: String::new(),
        };
        let example = trainer.split.training.get(..1).unwrap_or_default();
        trainer.evaluate_on(example)?;
        Ok(trainer)
    }

    /// Names the program of the model, by its canonical key or text, so that a run does not go on
    /// with another network whose parameters happen to have the same names and shapes.
    #[must_use]
    pub fn with_program(mut self, program: impl Into<String>) -> Self {
        self.program = program.into();
        self
    }

    /// The parts of the data.
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// How the inputs are normalised.
    pub fn normalization(&self) -> &Normalization {
        &self.normalization
    }

    /// The steps of an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.batches_of_epoch(0).count()
    }

    /// Measures the model as it is on a part of the data.
    ///
    /// # Errors
    ///
    /// When the model's output does not fit the task, or a tensor operation fails.
    pub fn evaluate(&self, part: Part) -> Result<Evaluation, TrainError> {
        self.evaluate_on(self.examples(part))
    }

    /// Measures the model as it is on a part of the data that an attack changes.
    ///
    /// # Errors
    ///
    /// As [`evaluate`](Self::evaluate).
    pub fn evaluate_under(&self, attack: &Attack, part: Part) -> Result<Evaluation, TrainError> {
        let batches = self.in_order(self.examples(part));
        evaluate_under(attack, self.model, &batches)
    }

    fn examples(&self, part: Part) -> &[usize] {
        match part {
            Part::Training => &self.split.training,
            Part::Validation => &self.split.validation,
            Part::Test => &self.split.test,
        }
    }

    fn evaluate_on(&self, examples: &[usize]) -> Result<Evaluation, TrainError> {
        let batches = self.in_order(examples);
        evaluate(self.model, &batches)
    }

    fn in_order(&self, examples: &[usize]) -> Batches<'_> {
        // Not in larger batches than training: the forward pass keeps all its values until it ends.
        Batches::in_order(
            self.dataset,
            &self.normalization,
            examples,
            self.configuration.batch_size,
        )
    }

    /// Trains from the model's present values and writes no file. Afterwards the model has the
    /// weights of the best epoch.
    ///
    /// The run stops before the next step once `stop` is set; the model then has the weights of its
    /// last step.
    ///
    /// # Errors
    ///
    /// [`TrainError::Diverged`] when a loss or gradient is not finite; the model then has the values
    /// it had at the end of the last complete epoch. Also when the model's output does not fit the
    /// task, or a tensor operation fails.
    pub fn run(&self, stop: &dyn Stop, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
        self.train(None, stop, observer)
    }

    /// As [`run`](Self::run), but keeps the run in a directory, and goes on from the checkpoint that
    /// is there. A run that is broken off and resumed, at whatever step, is bit for bit the run
    /// without the break.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run), and a [`CheckpointError`] when the directory holds a run with
    /// another configuration, data or model, or files that can't be read or written.
    pub fn run_in(
        &self,
        directory: &RunDirectory,
        stop: &dyn Stop,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, TrainError> {
        directory.claim(&self.description())?;
        self.train(Some(directory), stop, observer)
    }

    fn train(
        &self,
        directory: Option<&RunDirectory>,
        stop: &dyn Stop,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, TrainError> {
        let mut session = Session::begin(self, directory)?;
        let outcome = session.run(stop, observer);
        if let Err(TrainError::Diverged { .. }) = outcome {
            session.good.restore(self.model)?;
        }
        outcome
    }

    fn batches_of_epoch(&self, epoch: usize) -> Batches<'_> {
        let shuffle = Shuffle {
            seed: self.configuration.seed,
            epoch: epoch as u64,
            shift: self.configuration.shift,
        };
        Batches::shuffled(
            self.dataset,
            &self.normalization,
            &self.split.training,
            self.configuration.batch_size,
            shuffle,
        )
    }

    fn description(&self) -> RunDescription {
        RunDescription {
            program: self.program.clone(),
            data: DataDescription {
                name: self.dataset.name().into(),
                examples: self.dataset.len(),
                input_shape: self.dataset.input_shape(),
                task: self.dataset.task().clone(),
                checksum: data::checksum(self.dataset),
            },
            precision: self.model.precision(),
            training: self.configuration.clone(),
        }
    }
}

/// A run while it is going on.
struct Session<'t> {
    trainer: &'t Trainer<'t>,
    directory: Option<&'t RunDirectory>,
    optimizer: Optimizer,
    progress: Progress,
    /// The steps of the whole run.
    steps: u64,
    /// The model at the end of the last complete epoch.
    good: Weights,
    /// The model at the end of the best epoch.
    best: Option<Weights>,
    /// When this session began, and the seconds of those before.
    began: Instant,
    seconds_before: f64,
}

enum EpochEnd {
    Complete,
    Stopped,
}

impl<'t> Session<'t> {
    fn begin(
        trainer: &'t Trainer<'t>,
        directory: Option<&'t RunDirectory>,
    ) -> Result<Self, TrainError> {
        let configuration = &trainer.configuration;
        let optimizer = Optimizer::new(
            trainer.model.trainable(),
            configuration.optimizer,
            configuration.weight_decay,
            configuration.decay_vectors,
        )?;
        let mut session = Self {
            trainer,
            directory,
            optimizer,
            progress: Progress::default(),
            steps: trainer.steps_per_epoch() as u64 * configuration.epochs as u64,
            good: Weights::capture(trainer.model)?,
            best: None,
            began: Instant::now(),
            seconds_before: 0.0,
        };
        if let Some(directory) = directory
            && let Some(checkpoint) = directory.read_last(trainer.model)?
        {
            session.resume(directory, checkpoint)?;
        }
        Ok(session)
    }

    fn resume(
        &mut self,
        directory: &RunDirectory,
        checkpoint: Checkpoint,
    ) -> Result<(), TrainError> {
        let Checkpoint {
            weights,
            optimizer,
            progress,
        } = checkpoint;
        self.optimizer
            .check(&optimizer)
            .map_err(|source| CheckpointError::Weights {
                path: directory.last(),
                source,
            })?;
        self.optimizer.restore(progress.step, &optimizer)?;
        weights.restore(self.trainer.model)?;
        if !progress.history.is_empty() {
            let (best, _) = directory.read_best(self.trainer.model)?;
            self.best = Some(best);
        }
        directory.write_metrics(&progress)?;
        self.good = weights;
        self.seconds_before = progress.seconds;
        self.progress = progress;
        Ok(())
    }

    fn run(&mut self, stop: &dyn Stop, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
        observer.observe(Event::Started {
            steps: self.steps,
            done: self.progress.step,
            epochs: self.trainer.configuration.epochs,
            history: &self.progress.history,
        });
        while self.progress.epoch < self.trainer.configuration.epochs {
            match self.run_epoch(stop, observer)? {
                EpochEnd::Complete => self.finish_epoch(observer)?,
                EpochEnd::Stopped => return self.interrupt(observer),
            }
        }
        self.finish(observer)
    }

    fn run_epoch(
        &mut self,
        stop: &dyn Stop,
        observer: &mut dyn Observer,
    ) -> Result<EpochEnd, TrainError> {
        let batches = self.trainer.batches_of_epoch(self.progress.epoch);
        while self.progress.batch < batches.count() {
            if stop.is_set() {
                return Ok(EpochEnd::Stopped);
            }
            let loss = self.step(&batches)?;
            observer.observe(Event::Step {
                step: self.progress.step,
                epoch: self.progress.epoch + 1,
                loss,
                mean_loss: self.progress.loss_sum / self.seen(),
                scores: self.scores_of_seen(),
                learning_rate: self.progress.learning_rate,
            });
        }
        Ok(EpochEnd::Complete)
    }

    /// Does one step on the next batch and gives its loss.
    fn step(&mut self, batches: &Batches<'_>) -> Result<f64, TrainError> {
        let Trainer {
            model,
            dataset,
            configuration,
            ..
        } = self.trainer;
        let batch = batches.read(self.progress.batch)?;
        let batch = batch.to_device(&model.device())?;
        let mode = Mode::Train {
            step: self.progress.step,
        };
        let outputs = model.forward(&batch.inputs, mode)?;
        check_output(&outputs, batch.len(), dataset.task())?;
        let loss = loss(&outputs, &batch.targets, configuration.label_smoothing)?;
        let loss_value = f64::from(loss.to_scalar::<f32>()?);
        self.require_finite("training loss", loss_value)?;
        let rates =
            configuration
                .schedule
                .at(configuration.learning_rate, self.progress.step, self.steps);
        let settings = StepSettings {
            learning_rate: rates.learning_rate,
            momentum: rates.momentum,
            gradient_clip: configuration.gradient_clip,
        };
        match self.optimizer.step(&loss.backward()?, settings) {
            Ok(_) => {}
            Err(StepError::NotFinite { norm }) => self.require_finite("gradient norm", norm)?,
            Err(StepError::Tensor(error)) => return Err(error.into()),
        }
        self.progress.score_sum += score_sum(&outputs, &batch, batches.normalization())?;
        self.progress.seen += batch.len() as u64;
        self.progress.loss_sum += loss_value * batch.len() as f64;
        self.progress.learning_rate = rates.learning_rate;
        self.progress.batch += 1;
        self.progress.step += 1;
        Ok(loss_value)
    }

    fn require_finite(&self, quantity: &'static str, value: f64) -> Result<(), TrainError> {
        if value.is_finite() {
            return Ok(());
        }
        Err(TrainError::Diverged {
            step: self.progress.step + 1,
            epoch: self.progress.epoch + 1,
            quantity,
            value,
        })
    }

    /// Measures the epoch, keeps it if it is the best, and begins the next one.
    fn finish_epoch(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let validation = self.trainer.evaluate(Part::Validation)?;
        self.require_finite("validation loss", validation.loss)?;
        let record = EpochRecord {
            epoch: self.progress.epoch + 1,
            train_loss: self.progress.loss_sum / self.seen(),
            train: self.scores_of_seen(),
            validation_loss: validation.loss,
            validation: validation.scores(),
            learning_rate: self.progress.learning_rate,
            seconds: self.seconds(),
        };
        let best = EpochRecord::best(&self.progress.history)
            .is_none_or(|best| record.is_better_than(best));
        self.good = Weights::capture(self.trainer.model)?;
        self.progress.history.push(record);
        self.progress.epoch += 1;
        self.progress.batch = 0;
        self.progress.loss_sum = 0.0;
        self.progress.score_sum = 0.0;
        self.progress.seen = 0;
        if best {
            self.best = Some(self.good.clone());
        }
        if let Some(directory) = self.directory {
            if best {
                directory.write_best(&self.good, &self.trainer.normalization)?;
            }
            self.save(directory, self.good.clone())?;
        }
        observer.observe(Event::Epoch {
            record: &record,
            best,
        });
        Ok(())
    }

    fn interrupt(&mut self, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
        if let Some(directory) = self.directory {
            self.save(directory, Weights::capture(self.trainer.model)?)?;
        }
        observer.observe(Event::Interrupted {
            step: self.progress.step,
        });
        Ok(Outcome::Interrupted {
            epochs: self.progress.history.clone(),
            step: self.progress.step,
        })
    }

    fn save(&mut self, directory: &RunDirectory, weights: Weights) -> Result<(), TrainError> {
        self.progress.seconds = self.seconds();
        directory.write_last(&Checkpoint {
            weights,
            optimizer: self.optimizer.state()?,
            progress: self.progress.clone(),
        })?;
        Ok(())
    }

    /// Measures the best epoch's network on the test part.
    fn finish(&mut self, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
        if let Some(best) = &self.best {
            best.restore(self.trainer.model)?;
        }
        let test = self.trainer.evaluate(Part::Test)?;
        let history = &self.progress.history;
        let best = EpochRecord::best(history);
        let trainable = self.trainer.model.trainable();
        let summary = Summary {
            best_epoch: best.map_or(0, |it| it.epoch),
            validation: best.map_or(Scores::default(), |it| it.validation),
            validation_loss: best.map_or(0.0, |it| it.validation_loss),
            test: test.scores(),
            test_loss: test.loss,
            test_errors: self.errors(&test),
            parameters: trainable.iter().map(|(_, it)| it.elem_count()).sum(),
            steps: self.progress.step,
            seconds: self.seconds(),
            epochs: history.clone(),
        };
        if let Some(directory) = self.directory {
            directory.write_result(&summary)?;
        }
        observer.observe(Event::Finished(&summary));
        Ok(Outcome::Finished(Box::new(summary)))
    }

    /// How many examples of the epoch were seen.
    fn seen(&self) -> f64 {
        (self.progress.seen as f64).max(1.0)
    }

    /// The first score of the examples of the epoch that were seen.
    fn scores_of_seen(&self) -> Scores {
        let score = Some(self.progress.score_sum / self.seen());
        match self.trainer.dataset.task() {
            Task::Classes(_) => Scores {
                accuracy: score,
                ..Scores::default()
            },
            Task::Quantities(_) => Scores {
                mae: score,
                ..Scores::default()
            },
        }
    }

    /// The mean absolute error of each quantity.
    fn errors(&self, evaluation: &Evaluation) -> BTreeMap<String, f64> {
        match &evaluation.comparison {
            Comparison::Classes(_) => BTreeMap::new(),
            Comparison::Quantities(residuals) => {
                let names = self.trainer.dataset.task().names().iter().cloned();
                names.zip(residuals.mae()).collect()
            }
        }
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.began.elapsed().as_secs_f64()
    }
}

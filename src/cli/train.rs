//! `snapc train`

use std::path::PathBuf;

use bytesize::ByteSize;
use candle_core::Device;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::again;
use super::interrupt;
use super::load;
use super::output::{Failure, Output, thousands};
use super::passes::PassOptions;
use super::training::{TrainingOptions, check_fit};
use crate::backend::Network;
use crate::data::Task;
use crate::graph::{self, Graph, Laws};
use crate::plan::{self, Pass, Plan};
use crate::search::DATABASE;
use crate::train::{
    EpochRecord, Event, Outcome, RunDirectory, Summary, Trainer, TrainingConfiguration, significant,
};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  snapc train examples/digits.snap\n\nA run that was interrupted or killed goes on with `--resume`."
)]
pub(super) struct Options {
    /// The file with the net
    file: PathBuf,

    /// The net to train, where the file has several
    #[arg(long)]
    net: Option<String>,

    /// The folder of the run; `snapc-train-NET` if not given
    #[arg(long, short)]
    output: Option<PathBuf>,

    /// Go on with the run in the folder
    #[arg(long)]
    resume: bool,

    /// The most memory a step may take, as in `512MiB`: without `--batch-size`, batches are made smaller
    /// until they fit
    #[arg(long, value_name = "SIZE", value_parser = super::training::size)]
    memory_limit: Option<ByteSize>,

    #[command(flatten)]
    passes: PassOptions,

    #[command(flatten)]
    training: TrainingOptions,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let loaded = load::load(&options.file)?;
    let id = load::choose_net(&loaded, options.net.as_deref())?;
    let graph = graph::build(&loaded.checked.program, id)
        .map_err(|diagnostic| loaded.failure(*diagnostic))?;
    let computation = options.training.computation()?;
    let folder = load::results_folder(options.output.as_deref(), "train", &graph.name)?;
    if folder.join(DATABASE).exists() {
        return Err(Failure::Usage(format!(
            "{} holds a search; say with `--output` where the run should be",
            folder.display()
        )));
    }
    let resumed = match options.resume {
        true => {
            Some(RunDirectory::open(&folder).map_err(|error| Failure::Usage(error.to_string()))?)
        }
        false => None,
    };
    let data = match &resumed {
        Some(directory) => directory
            .data()
            .map_err(|error| Failure::Runtime(error.to_string()))?,
        None => "digits".to_owned(),
    };
    let dataset = options.training.prepare(&data)?;
    // What a resumed run was started with holds unless it is said anew; then the difference is
    // an error that the run directory reports.
    let base = match &resumed {
        Some(directory) => directory
            .training_configuration()
            .map_err(|error| Failure::Runtime(error.to_string()))?,
        None => TrainingConfiguration::default(),
    };
    let mut configuration = options.training.configuration(base);
    configuration.passes = options.passes.choose(configuration.passes);
    let network = computation
        .compile(&graph, configuration.passes, configuration.seed)
        .map_err(|error| Failure::Runtime(error.to_string()))?;
    if let Some(limit) = options.memory_limit {
        let may_shrink = !options.training.says_batch_size() && !options.resume;
        let plans = Plans {
            chosen: network.plan(),
            checkpointed: plan::plan_with(
                &graph,
                configuration.passes.with(Pass::CheckpointBlocks),
            )
            .map_err(|error| Failure::Runtime(error.to_string()))?,
        };
        let wanted = configuration.batch_size;
        configuration.batch_size = plans.fitting_batch(wanted, may_shrink, limit)?;
        if configuration.batch_size < wanted {
            let or_checkpointed = match plans.fits_checkpointed(wanted, limit) {
                true => format!("; with `--with checkpoint-blocks`, those of {wanted} would"),
                false => String::new(),
            };
            output.note(&format!(
                "batches of {} instead of {wanted} fit into {limit}{or_checkpointed}",
                configuration.batch_size
            ));
        }
    }
    check_fit(
        &graph.name,
        &inputs(&network),
        &outputs(&network),
        dataset.as_ref(),
    )?;
    let key = graph::canonicalise(&graph, Laws::Real).key;
    let trainer = Trainer::new(&network, dataset.as_ref(), configuration)
        .map_err(|error| Failure::Usage(error.to_string()))?
        .with_program(key.to_string());
    let directory = match resumed {
        Some(directory) => directory,
        None => {
            RunDirectory::create(&folder).map_err(|error| Failure::Runtime(error.to_string()))?
        }
    };
    if !output.is_json() {
        output.note(&format!(
            "training `{}` ({} parameters) on `{}`: {} examples to learn from, {} to choose, {} to test",
            graph.name,
            thousands(&network.plan().parameter_count().to_string()),
            dataset.name(),
            trainer.split().training.len(),
            trainer.split().validation.len(),
            trainer.split().test.len()
        ));
    }
    let stop = interrupt::stop_flag()?;
    let mut display = Display::new(*output);
    let outcome = trainer
        .run_in(&directory, &*stop, &mut |event: Event| display.show(event))
        .map_err(|error| Failure::Runtime(error.to_string()))?;
    display.finish();
    match outcome {
        Outcome::Finished(summary) => {
            report(&summary, dataset.task(), &directory, output);
            Ok(())
        }
        Outcome::Interrupted { epochs, step } => {
            let again = again::command_with(Some("--resume"));
            if output.is_json() {
                output.json_line(&json!({
                    "interrupted": true, "epochs": epochs.len(), "step": step, "resume": again,
                }));
            } else {
                output.note(&format!(
                    "interrupted after {} epochs; go on with `{again}`",
                    epochs.len()
                ));
            }
            Err(Failure::Silent)
        }
    }
}

/// The plan of a net as it is chosen, and with blocks checkpointed.
struct Plans<'a> {
    chosen: &'a Plan,
    checkpointed: Plan,
}

impl Plans<'_> {
    /// The wanted size of batches, or a smaller one that fits into so much memory if it may be chosen.
    fn fitting_batch(
        &self,
        wanted: usize,
        may_shrink: bool,
        limit: ByteSize,
    ) -> Result<usize, Failure> {
        if takes(self.chosen, wanted) <= limit {
            return Ok(wanted);
        }
        let bytes = usize::try_from(limit.as_u64()).unwrap_or(usize::MAX);
        let or_checkpointed = match self.fits_checkpointed(wanted, limit) {
            true => ", and so would `--with checkpoint-blocks`",
            false => "",
        };
        match self.chosen.largest_batch(bytes) {
            Some(batch) if may_shrink => Ok(batch),
            Some(batch) => Err(Failure::Usage(format!(
                "a step with batches of {wanted} takes {}; `--batch-size {batch}` would fit into {limit}{or_checkpointed}",
                takes(self.chosen, wanted)
            ))),
            None => {
                let with_blocks = match self.checkpointed.largest_batch(bytes) {
                    Some(batch) => {
                        format!("; `--with checkpoint-blocks --batch-size {batch}` would fit")
                    }
                    None => String::new(),
                };
                Err(Failure::Usage(format!(
                    "a step with a single example takes {}, more than {limit}{with_blocks}",
                    takes(self.chosen, 1)
                )))
            }
        }
    }

    /// Whether a step with batches of this size fits once blocks are checkpointed.
    fn fits_checkpointed(&self, batch: usize, limit: ByteSize) -> bool {
        takes(&self.checkpointed, batch) <= limit
    }
}

/// What a step of training takes with batches of this size.
fn takes(plan: &Plan, batch: usize) -> ByteSize {
    ByteSize(plan.memory(batch).training() as u64)
}

/// Compiles a net for the processor.
pub(super) fn compile(graph: &Graph, seed: u64) -> Result<Network, Failure> {
    Network::compile(graph, &Device::Cpu, seed).map_err(|error| Failure::Runtime(error.to_string()))
}

/// The shapes a network takes.
pub(super) fn inputs(network: &Network) -> Vec<Vec<usize>> {
    network.plan().inputs.clone()
}

/// The shapes a network gives.
pub(super) fn outputs(network: &Network) -> Vec<Vec<usize>> {
    let plan = network.plan();
    plan.outputs
        .iter()
        .map(|value| plan.shape(*value).to_vec())
        .collect()
}

fn report(summary: &Summary, task: &Task, directory: &RunDirectory, output: &Output) {
    if output.is_json() {
        let mut result = json!(summary);
        // Each has had its line.
        if let Some(fields) = result.as_object_mut() {
            fields.remove("epochs");
        }
        result["paths"] = json!({
            "run": directory.path(),
            "weights": directory.best(),
            "metrics": directory.metrics(),
            "result": directory.result(),
        });
        output.json_line(&result);
        return;
    }
    output.line(&format!(
        "test {} (epoch {} was best), {:.1} s; weights, metrics and results are in {}",
        summary.test.text(),
        summary.best_epoch,
        summary.seconds,
        directory.path().display()
    ));
    for name in task.names() {
        if let Some(error) = summary.test_errors.get(name) {
            output.line(&format!(
                "  `{name}` is off by {} on average",
                significant(*error)
            ));
        }
    }
}

/// The progress of a run: a bar on a terminal, a line an epoch.
struct Display {
    output: Output,
    bar: ProgressBar,
}

impl Display {
    fn new(output: Output) -> Display {
        let bar = match output.is_json() {
            true => ProgressBar::hidden(),
            false => ProgressBar::new(0),
        };
        let style =
            ProgressStyle::with_template("{bar:32} step {pos}/{len}  {msg}  {eta_precise} left");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Display { output, bar }
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Started { steps, done, .. } => {
                self.bar.set_length(steps);
                self.bar.set_position(done);
                self.bar.reset_eta();
            }
            Event::Step {
                step,
                mean_loss,
                scores,
                ..
            } => {
                self.bar.set_position(step);
                self.bar
                    .set_message(format!("loss {mean_loss:.3}  {}", scores.text()));
            }
            Event::Epoch { record, best } => self.epoch(record, best),
            _ => {}
        }
    }

    fn epoch(&self, record: &EpochRecord, best: bool) {
        if self.output.is_json() {
            let mut line = json!(record);
            line["loss"] = json!(record.train_loss);
            line["metric"] = json!(record.validation.first().map(|(_, score)| score));
            line["best"] = json!(best);
            self.output.json_line(&line);
            return;
        }
        // The loss alone chooses the best epoch of a regression.
        let loss = match record.validation.accuracy {
            Some(_) => String::new(),
            None => format!("loss {:.4}, ", record.validation_loss),
        };
        let line = format!(
            "epoch {:3}  loss {:.4}  validation {loss}{}{}",
            record.epoch,
            record.train_loss,
            record.validation.text(),
            if best { "  best" } else { "" }
        );
        self.bar.suspend(|| self.output.note(&line));
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

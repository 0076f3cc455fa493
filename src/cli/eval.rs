//! `snapc eval`

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::load;
use super::output::{Failure, Output, count};
use super::train::{compile, inputs, outputs};
use super::training::check_fit;
use crate::data::{self, Batches, Normalization, Split};
use crate::graph;
use crate::train::{Comparison, RunDirectory, Scores, evaluate, significant};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  snapc eval examples/digits.snap --run snapc-train-digits --part test"
)]
pub(super) struct Options {
    /// The file with the net
    file: PathBuf,

    /// The net, where the file has several
    #[arg(long)]
    net: Option<String>,

    /// The folder of the run that trained it; `snapc-train-NET` if not given
    #[arg(long)]
    run: Option<PathBuf>,

    /// `digits`, `instruments`, or a folder: with IDX files, with images by class, or with images and `targets.csv`; what
    /// the run learnt from if not given and it comes with the program
    #[arg(long)]
    data: Option<String>,

    /// The part of the data, split as the run did
    #[arg(long, value_enum, default_value_t = DataPart::Test)]
    part: DataPart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DataPart {
    /// What the network learnt from
    Training,
    /// What chose the best epoch
    Validation,
    /// What was never used
    Test,
    /// Everything, for data the run has not seen
    All,
}

/// Examples that are measured at a time.
const BATCH_SIZE: usize = 256;

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let runtime = |error: &dyn std::fmt::Display| Failure::Runtime(error.to_string());
    let loaded = load::load(&options.file)?;
    let id = load::choose_net(&loaded, options.net.as_deref())?;
    let graph = graph::build(&loaded.checked.program, id)
        .map_err(|diagnostic| loaded.failure(*diagnostic))?;
    let folder = load::results_folder(options.run.as_deref(), "train", &graph.name)?;
    let directory =
        RunDirectory::open(folder).map_err(|error| Failure::Usage(error.to_string()))?;
    let data = match &options.data {
        Some(data) => data.clone(),
        None => included(directory.data().map_err(|error| runtime(&error))?)?,
    };
    let dataset = data::open(&data).map_err(|error| Failure::Usage(error.to_string()))?;
    let training = directory
        .training_configuration()
        .map_err(|error| runtime(&error))?;
    let learnt = directory.task().map_err(|error| runtime(&error))?;
    if learnt != *dataset.task() {
        return Err(Failure::Usage(format!(
            "the run learnt the {} {}, but `{}` has the {} {}; say with `--data` what to measure it on",
            learnt.noun(),
            learnt.names().join(", "),
            dataset.name(),
            dataset.task().noun(),
            dataset.task().names().join(", ")
        )));
    }
    let network = compile(&graph, training.seed)?;
    check_fit(
        &graph.name,
        &inputs(&network),
        &outputs(&network),
        dataset.as_ref(),
    )?;
    let split = Split::new(dataset.as_ref(), training.split, training.split_seed())
        .map_err(|error| runtime(&error))?;
    let normalization = directory
        .load_best(&network)
        .map_err(|error| runtime(&error))?
        .unwrap_or_else(|| Normalization::measure(dataset.as_ref(), &split.training));
    let everything: Vec<usize> = (0..dataset.len()).collect();
    let examples = match options.part {
        DataPart::Training => &split.training,
        DataPart::Validation => &split.validation,
        DataPart::Test => &split.test,
        DataPart::All => &everything,
    };
    let batches = Batches::in_order(dataset.as_ref(), &normalization, examples, BATCH_SIZE);
    let evaluation = evaluate(&network, &batches).map_err(|error| runtime(&error))?;
    let errors = match &evaluation.comparison {
        Comparison::Classes(_) => Vec::new(),
        Comparison::Quantities(residuals) => {
            let names = dataset.task().names().iter();
            names.zip(residuals.mae()).collect()
        }
    };
    let scores = evaluation.scores();
    if output.is_json() {
        let mut measured = json!(scores);
        measured["net"] = json!(graph.name);
        measured["data"] = json!(dataset.name());
        measured["examples"] = json!(examples.len());
        measured["loss"] = json!(evaluation.loss);
        if !errors.is_empty() {
            let errors: Map<String, Value> = errors
                .into_iter()
                .map(|(name, error)| (name.clone(), json!(error)))
                .collect();
            measured["errors"] = Value::Object(errors);
        }
        output.json(&measured);
    } else {
        output.line(&format!(
            "`{}` on {} of `{}`: {}, loss {:.4}",
            graph.name,
            count(examples.len(), "example"),
            dataset.name(),
            in_words(&scores),
            evaluation.loss
        ));
        for (name, error) in errors {
            output.line(&format!(
                "  `{name}` is off by {} on average",
                significant(error)
            ));
        }
    }
    Ok(())
}

/// The name of the data of a run, if they come with the program.
fn included(name: String) -> Result<String, Failure> {
    match data::INCLUDED.contains(&name.as_str()) {
        true => Ok(name),
        false => Err(Failure::Usage(format!(
            "the run learnt from `{name}`; say with `--data` where that is"
        ))),
    }
}

/// All scores of a task.
fn in_words(scores: &Scores) -> String {
    let mut words = vec![scores.text()];
    if let Some(macro_f1) = scores.macro_f1 {
        words.push(format!("macro F1 {:.2} %", macro_f1 * 100.0));
    }
    if let Some(rmse) = scores.rmse {
        words.push(format!("root mean square error {}", significant(rmse)));
    }
    if let Some(r2) = scores.r2 {
        words.push(format!("R² {}", significant(r2)));
    }
    words.join(", ")
}

//! The options that say how candidates get their value, for `search`.

use bytesize::ByteSize;

use super::output::Failure;
use crate::search::zero_cost::Score;
use crate::search::{FilterConfiguration, HalvingConfiguration, Settings};

/// Options of the evaluation; what is not given keeps its default.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Evaluation of trained candidates")]
pub(super) struct EvaluationOptions {
    /// How often each candidate is trained: its value is the mean
    #[arg(long, value_name = "NUMBER", value_parser = super::training::whole::<usize>)]
    repeats: Option<usize>,

    /// Stop the training of bad candidates early (ASHA); they are judged after so many epochs first
    #[arg(long, value_name = "EPOCHS", value_parser = super::training::whole::<usize>)]
    halving: Option<usize>,

    /// The most seconds that a candidate may train
    #[arg(long, value_name = "SECONDS", value_parser = super::training::number)]
    time_limit: Option<f64>,

    /// The most memory that a step of training may take, as in `512MiB`
    #[arg(long, value_name = "SIZE", value_parser = super::training::size)]
    max_memory: Option<ByteSize>,

    /// The most milliseconds that a candidate may take for one example
    #[arg(long, value_name = "MILLISECONDS", value_parser = super::training::number)]
    max_latency: Option<f64>,

    /// A score at initialisation to record; may be given several times
    #[arg(long, value_name = "SCORE")]
    zero_cost: Vec<String>,

    /// Do not train candidates whose score is below this quantile of all before them: `synflow:0.5`
    #[arg(long, value_name = "SCORE:SHARE")]
    filter: Option<String>,

    /// By how much ten times the latency lessens the value
    #[arg(long, value_name = "PRICE", value_parser = super::training::number)]
    price_latency: Option<f64>,

    /// The most that `--value fgsm` and `--value pgd` change a pixel, which is between 0 and 1
    #[arg(long, value_name = "DISTANCE", value_parser = super::training::number)]
    epsilon: Option<f64>,
}

impl EvaluationOptions {
    /// The first of these options that was given, if any was.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--repeats", self.repeats.is_some()),
            ("--halving", self.halving.is_some()),
            ("--time-limit", self.time_limit.is_some()),
            ("--max-memory", self.max_memory.is_some()),
            ("--max-latency", self.max_latency.is_some()),
            ("--zero-cost", !self.zero_cost.is_empty()),
            ("--filter", self.filter.is_some()),
            ("--price-latency", self.price_latency.is_some()),
            ("--epsilon", self.epsilon.is_some()),
        ];
        first_given(&given)
    }

    /// Whether the reach of an attack was given.
    pub(super) fn says_epsilon(&self) -> bool {
        self.epsilon.is_some()
    }

    /// Puts what the options say.
    pub(super) fn put(&self, settings: &mut Settings) -> Result<(), Failure> {
        let evaluation = &mut settings.evaluation;
        evaluation.repeats = self.repeats.unwrap_or(evaluation.repeats);
        if let Some(minimum_epochs) = self.halving {
            evaluation.halving = Some(HalvingConfiguration {
                minimum_epochs,
                ..evaluation.halving.unwrap_or_default()
            });
        }
        evaluation.time_limit = self.time_limit.or(evaluation.time_limit);
        if !self.zero_cost.is_empty() {
            let scores = self.zero_cost.iter().map(|name| score(name));
            evaluation.zero_cost = scores.collect::<Result<_, _>>()?;
        }
        if let Some(text) = &self.filter {
            evaluation.filter = Some(filter(text)?);
        }
        let limits = &mut settings.limits;
        limits.memory = self.max_memory.map(|size| size.as_u64()).or(limits.memory);
        limits.latency = self.max_latency.or(limits.latency);
        let objective = &mut settings.objective;
        objective.latency_price = self.price_latency.unwrap_or(objective.latency_price);
        objective.attack.epsilon = self.epsilon.unwrap_or(objective.attack.epsilon);
        Ok(())
    }
}

/// The first of these options that was given.
pub(super) fn first_given(options: &[(&'static str, bool)]) -> Option<&'static str> {
    let first = options.iter().find(|(_, is_given)| *is_given);
    first.map(|(name, _)| *name)
}

/// A score by its name.
fn score(name: &str) -> Result<Score, Failure> {
    let found = Score::ALL.into_iter().find(|score| score.name() == name);
    found.ok_or_else(|| {
        let names = Score::ALL.map(Score::name).join(", ");
        Failure::Usage(format!("there is no score `{name}`; there are {names}"))
    })
}

/// A filter, written `synflow:0.5`.
fn filter(text: &str) -> Result<FilterConfiguration, Failure> {
    let parts = text.split_once(':');
    let parts = parts.and_then(|(name, share)| Some((name, share.parse().ok()?)));
    let Some((name, share)) = parts else {
        return Err(Failure::Usage(format!(
            "`--filter {text}`: write a score and a share, as in `synflow:0.5`"
        )));
    };
    Ok(FilterConfiguration {
        score: score(name)?,
        share,
    })
}

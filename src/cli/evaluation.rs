//! The options that say how candidates get their value, for `search`.

use bytesize::ByteSize;

use crate::search::{HalvingConfiguration, Settings};

/// Options of the evaluation; what is not given keeps its default.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Evaluation of trained candidates")]
pub(super) struct EvaluationOptions {
    /// How often each candidate is trained: its value is the mean
    #[arg(long, value_name = "NUMBER")]
    repeats: Option<usize>,

    /// Stop the training of bad candidates early (ASHA); they are judged after so many epochs first
    #[arg(long, value_name = "EPOCHS")]
    halving: Option<usize>,

    /// The most seconds that a candidate may train
    #[arg(long, value_name = "SECONDS")]
    time_limit: Option<f64>,

    /// The most memory that a step of training may take, as in `512MiB`
    #[arg(long, value_name = "SIZE")]
    max_memory: Option<ByteSize>,

    /// The most milliseconds that a candidate may take for one example
    #[arg(long, value_name = "MILLISECONDS")]
    max_latency: Option<f64>,

    /// By how much ten times the latency lessens the value
    #[arg(long, value_name = "PRICE")]
    price_latency: Option<f64>,

    /// The most that `--value fgsm` and `--value pgd` change a pixel, which is between 0 and 1
    #[arg(long, value_name = "DISTANCE")]
    epsilon: Option<f64>,
}

impl EvaluationOptions {
    /// Puts what the options say.
    pub(super) fn put(&self, settings: &mut Settings) {
        let evaluation = &mut settings.evaluation;
        evaluation.repeats = self.repeats.unwrap_or(evaluation.repeats);
        if let Some(minimum_epochs) = self.halving {
            evaluation.halving = Some(HalvingConfiguration {
                minimum_epochs,
                ..evaluation.halving.unwrap_or_default()
            });
        }
        evaluation.time_limit = self.time_limit.or(evaluation.time_limit);
        let limits = &mut settings.limits;
        limits.memory = self.max_memory.map(|size| size.as_u64()).or(limits.memory);
        limits.latency = self.max_latency.or(limits.latency);
        let objective = &mut settings.objective;
        objective.latency_price = self.price_latency.unwrap_or(objective.latency_price);
        objective.attack.epsilon = self.epsilon.unwrap_or(objective.attack.epsilon);
    }
}

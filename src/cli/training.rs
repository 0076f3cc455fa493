//! The options that say how a network is trained, for `train` and `search`.

use std::str::FromStr;

use bytesize::ByteSize;
use clap::ValueEnum;

use super::evaluation::first_given;
use super::output::Failure;
use crate::backend::{self, Computation, Precision};
use crate::data::{self, Dataset, SplitFractions};
use crate::train::{OptimizerConfiguration, Schedule, TrainingConfiguration};

/// Training options; what is not given keeps its default.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Training")]
pub(super) struct TrainingOptions {
    /// `digits` (if not given), `instruments`, or a folder: with IDX files, with images by class, or with images and
    /// `targets.csv`
    #[arg(long)]
    pub(super) data: Option<String>,

    /// How often the training part is gone through
    #[arg(long, value_parser = whole::<usize>)]
    epochs: Option<usize>,

    /// Examples a step
    #[arg(long, value_parser = whole::<usize>)]
    batch_size: Option<usize>,

    /// The rule of the steps
    #[arg(long, value_enum)]
    optimizer: Option<OptimizerName>,

    /// The highest learning rate of the schedule
    #[arg(long, value_parser = number)]
    learning_rate: Option<f64>,

    /// Weight decay
    #[arg(long, value_parser = number)]
    weight_decay: Option<f64>,

    /// How the learning rate changes
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,

    /// The share of the target spread over all classes; nothing where quantities are learnt
    #[arg(long, value_parser = number)]
    label_smoothing: Option<f64>,

    /// The longest gradient; longer ones are shortened to it; 0 for none
    #[arg(long, value_parser = number)]
    gradient_clip: Option<f64>,

    /// The most pixels by which training moves an image
    #[arg(long, value_parser = whole::<usize>)]
    shift: Option<usize>,

    /// The share of the examples that chooses the best epoch
    #[arg(long, value_name = "SHARE", value_parser = number)]
    validation_share: Option<f64>,

    /// The share of the examples that measures it in the end, where the data have no test part of their own
    #[arg(long, value_name = "SHARE", value_parser = number)]
    test_share: Option<f64>,

    /// Decides the split, the weights, and the order of the examples
    #[arg(long, value_parser = whole::<u64>)]
    pub(super) seed: Option<u64>,

    /// Where to compute: `cpu` (if not given), `cuda`, or `cuda:N` for the graphics processor with the number N
    #[arg(long, default_value = "cpu", hide_default_value = true)]
    device: String,

    /// How exactly convolutions and products of matrices are computed
    #[arg(long, value_enum, default_value = "f32", hide_default_value = true)]
    precision: PrecisionName,

    /// Threads to compute with; all cores if not given
    #[arg(long, value_parser = whole::<usize>)]
    threads: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OptimizerName {
    /// Adam with decoupled weight decay
    Adamw,
    /// Stochastic gradient descent with Nesterov momentum
    Sgd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ScheduleName {
    /// The learning rate as given
    Constant,
    /// A short rise, then half a cosine
    WarmupCosine,
    /// OneCycle
    OneCycle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PrecisionName {
    /// As everything else (if not given)
    F32,
    /// Rounded to `bf16`, added in `f32`; weights stay in `f32`
    Bf16,
}

/// More threads than any machine has cores for them: a number beyond is a slip of the hand.
const MOST_THREADS: usize = 4096;

impl TrainingOptions {
    /// The first of the options that only a training heeds that was given, if any was.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--data", self.data.is_some()),
            ("--epochs", self.epochs.is_some()),
            ("--batch-size", self.batch_size.is_some()),
            ("--optimizer", self.optimizer.is_some()),
            ("--learning-rate", self.learning_rate.is_some()),
            ("--weight-decay", self.weight_decay.is_some()),
            ("--schedule", self.schedule.is_some()),
            ("--label-smoothing", self.label_smoothing.is_some()),
            ("--gradient-clip", self.gradient_clip.is_some()),
            ("--shift", self.shift.is_some()),
            ("--validation-share", self.validation_share.is_some()),
            ("--test-share", self.test_share.is_some()),
            ("--device", self.device != "cpu"),
            ("--precision", self.precision != PrecisionName::F32),
        ];
        first_given(&given)
    }

    /// Where and how exactly to compute.
    pub(super) fn computation(&self) -> Result<Computation, Failure> {
        let device = backend::device(&self.device);
        Ok(Computation {
            device: device.map_err(|error| Failure::Usage(error.to_string()))?,
            precision: match self.precision {
                PrecisionName::F32 => Precision::Full,
                PrecisionName::Bf16 => Precision::Mixed,
            },
        })
    }

    /// Whether the size of batches was given.
    pub(super) fn says_batch_size(&self) -> bool {
        self.batch_size.is_some()
    }

    /// The configuration: `base` with what was given on the command line.
    pub(super) fn configuration(&self, base: TrainingConfiguration) -> TrainingConfiguration {
        let optimizer = match self.optimizer {
            None => base.optimizer,
            Some(OptimizerName::Adamw) => OptimizerConfiguration::adam_w(),
            Some(OptimizerName::Sgd) => OptimizerConfiguration::sgd(),
        };
        let schedule = match self.schedule {
            None => base.schedule,
            Some(ScheduleName::Constant) => Schedule::Constant,
            Some(ScheduleName::WarmupCosine) => Schedule::warmup_cosine(),
            Some(ScheduleName::OneCycle) => Schedule::one_cycle(),
        };
        let gradient_clip = match self.gradient_clip {
            None => base.gradient_clip,
            Some(clip) => (clip != 0.0).then_some(clip),
        };
        TrainingConfiguration {
            epochs: self.epochs.unwrap_or(base.epochs),
            batch_size: self.batch_size.unwrap_or(base.batch_size),
            optimizer,
            learning_rate: self.learning_rate.unwrap_or(base.learning_rate),
            weight_decay: self.weight_decay.unwrap_or(base.weight_decay),
            schedule,
            label_smoothing: self.label_smoothing.unwrap_or(base.label_smoothing),
            gradient_clip,
            shift: self.shift.unwrap_or(base.shift),
            split: SplitFractions {
                validation: self.validation_share.unwrap_or(base.split.validation),
                test: self.test_share.unwrap_or(base.split.test),
            },
            seed: self.seed.unwrap_or(base.seed),
            ..base
        }
    }

    /// Opens the data, those of this name if the options name none, and sets the number of threads.
    pub(super) fn prepare(&self, data: &str) -> Result<Box<dyn Dataset>, Failure> {
        if let Some(threads) = self.threads {
            if !(1..=MOST_THREADS).contains(&threads) {
                return Err(Failure::Usage(format!(
                    "`--threads` must be between 1 and {MOST_THREADS}"
                )));
            }
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build_global()
                .map_err(|error| Failure::Runtime(format!("can't start threads: {error}")))?;
        }
        data::open(self.data.as_deref().unwrap_or(data))
            .map_err(|error| Failure::Usage(error.to_string()))
    }
}

/// Shapes in words: `[3, 8, 8] and [10]`.
fn shapes(shapes: &[Vec<usize>]) -> String {
    let shapes: Vec<String> = shapes.iter().map(|shape| format!("{shape:?}")).collect();
    match shapes.is_empty() {
        true => "nothing".to_owned(),
        false => shapes.join(" and "),
    }
}

/// A whole number.
pub(super) fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    let number = text.parse();
    number.map_err(|_| "write a whole number, such as `8`".to_owned())
}

/// A number.
pub(super) fn number(text: &str) -> Result<f64, String> {
    let number = text.parse();
    number.map_err(|_| "write a number, such as `0.01`".to_owned())
}

/// A number of bytes, written like `512MiB`.
pub(super) fn size(text: &str) -> Result<ByteSize, String> {
    let size = text.parse();
    size.map_err(|_| "write a number and a unit, as in `512MiB` or `2GB`".to_owned())
}

/// Fails if a net does not take the examples of the data or does not give a value for each class or quantity.
pub(super) fn check_fit(
    net: &str,
    inputs: &[Vec<usize>],
    outputs: &[Vec<usize>],
    dataset: &dyn Dataset,
) -> Result<(), Failure> {
    let example = dataset.input_shape();
    let (wanted, noun) = (dataset.task().names().len(), dataset.task().noun());
    if inputs != [example.clone()] {
        return Err(Failure::Usage(format!(
            "the net `{net}` takes {}, but the examples of `{}` are {example:?}; change its \
             signature to `: {example:?} -> [{wanted}]`",
            shapes(inputs),
            dataset.name()
        )));
    }
    if outputs.len() > 1 {
        return Err(Failure::Usage(format!(
            "the net `{net}` gives {} tensors; one that is trained gives a single one, of a value for each of {} {noun}",
            outputs.len(),
            wanted
        )));
    }
    if outputs != [vec![wanted]] {
        return Err(Failure::Usage(format!(
            "the net `{net}` gives {}, but `{}` has {wanted} {noun}; end it with \
             `dense({wanted})`",
            shapes(outputs),
            dataset.name()
        )));
    }
    Ok(())
}

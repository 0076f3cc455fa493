//! Training: anything that is a [`Model`](crate::backend::Model), on any
//! [`Dataset`](crate::data::Dataset).
//!
//! [`Trainer`] runs the epochs and tells an [`Observer`] what happens; a [`RunDirectory`] keeps
//! what is needed to go on after a break as if there had been none.

mod attack;
mod checkpoint;
mod configuration;
mod confusion;
mod error;
mod evaluation;
pub mod loss;
mod observer;
mod optimizer;
mod record;
mod residuals;
mod run_directory;
mod schedule;
mod scores;
mod stop;
mod trainer;
mod weights;

pub use attack::Attack;
pub use checkpoint::CheckpointError;
pub use configuration::{ConfigurationError, TrainingConfiguration};
pub use confusion::Confusion;
pub use error::TrainError;
pub use evaluation::{Comparison, Evaluation, evaluate, evaluate_under};
pub use observer::{Event, Observer};
pub use optimizer::{Optimizer, OptimizerConfiguration, StepError, StepSettings};
pub use record::{EpochRecord, Outcome, Summary};
pub(crate) use record::{test, validation};
pub use residuals::Residuals;
pub use run_directory::RunDirectory;
pub use schedule::{Rates, Schedule};
pub use scores::{Scores, significant};
pub use stop::Stop;
pub use trainer::{Part, Trainer};
pub use weights::{Weights, WeightsError};

//! The generative search: programs are proposed, evaluated for real, and learnt from.
//!
//! A [`Search`] brings four things together. A [`ProgramSpace`] says what may be written. A
//! [`Strategy`] proposes programs: `autosnap` by gradient ascent in the latent space of an
//! auto-encoder, `nao` likewise with a predictor of several layers, `evolution` and `local` by edits of
//! good programs, `random` to compare with. An [`Evaluation`] gives a program its value. A [`Store`]
//! keeps everything as it comes, so that a search that is killed goes on where it was and evaluates
//! nothing twice. The search knows nothing of text, networks or data; who brings a space or an
//! evaluation of their own can search over anything that is a string of symbols.
//!
//! [`TrainingEvaluation`] is the evaluation that trains: once or several times, with bad candidates
//! stopped early, within limits of memory and time. [`zero_cost`] has scores that need no training.
//!
//! The same space, configuration and values give the same search, however often it was interrupted.

mod adam;
mod autosnap;
mod cholesky;
mod climb;
mod configuration;
mod correlation;
mod decoding;
mod edits;
mod error;
mod evaluation;
mod evolution;
mod history;
mod improvement;
mod judge;
mod learner;
mod local;
mod model;
mod nao;
mod normal;
mod objective;
mod parts;
mod pool;
mod regression;
pub mod report;
mod run;
mod scale;
mod seeds;
mod settings;
mod space;
mod spellings;
mod store;
mod strategy;
mod surrogate;
mod table;
mod training;
pub mod zero_cost;

pub use autosnap::Autosnap;
pub use configuration::{
    AutosnapConfiguration, ChoiceName, EvolutionConfiguration, JointConfiguration,
    ModelConfiguration, NaoConfiguration, PretrainingConfiguration, SearchConfiguration,
    StrategyName, SurrogateName, UncertaintyName,
};
pub use correlation::{kendall, spearman};
pub use decoding::{Choice, decode, decode_unconstrained};
pub use error::{Result, SearchError};
pub use evaluation::{Candidate, Evaluation, Outcome};
pub use evolution::Evolution;
pub use history::{History, Origin, Proposal, Record, Status};
pub use learner::{Example, Learner, ModelReport};
pub use local::Local;
pub use model::{AutoEncoder, Codes, Lesson, Loss, Sizes};
pub use nao::Nao;
pub use objective::{
    AttackConfiguration, Cost, Limited, Limits, Measurement, Objective, pareto_front,
};
pub use run::{Agreement, Ask, Ending, Event, Observer, Search, Silent, Summary};
pub use settings::{Settings, SettingsError};
pub use space::{
    Allowed, Key, MAXIMUM_SYMBOLS, ProgramSpace, Unseen, fingerprint, is_valid, opcodes,
    random_program, random_unseen, shown, text,
};
pub use store::{DATABASE, Identity, LOCK, Store};
pub use strategy::{Random, Round, Strategy};
pub use table::{SkippedRow, TableColumns, TableError, TableEvaluation, Tabulated};
pub use training::{
    EvaluationConfiguration, Facts, FilterConfiguration, Halving, HalvingConfiguration, Measured,
    Rung, TRAININGS, TrainedCandidate, TrainingEvaluation, latency,
};

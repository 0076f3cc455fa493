//! The generative search.
mod adam;
mod configuration;
mod correlation;
mod decoding;
mod error;
mod evaluation;
mod gru;
pub mod learner;
mod model;
mod seeds;
pub mod space;
pub use configuration::*;
pub use error::*;
pub use evaluation::*;
pub use space::{Allowed,Key,ProgramSpace};

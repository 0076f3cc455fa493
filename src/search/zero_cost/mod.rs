//! Scores of networks at initialisation: what can be told of a network without training it.
//!
//! All are computed on a network with its first weights and at most one batch (Abdelfattah et al. 2021,
//! "Zero-Cost Proxies for Lightweight NAS", arXiv 2101.08134, compares them). The larger, the better.
//! They are no values: they rank candidates, more or less as training would.

mod eigenvalues;
pub mod jacob_cov;
pub mod naswot;
pub mod synflow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::backend::CompileError;
use crate::data::Batch;
use crate::graph::Graph;

/// A score of networks at initialisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Score {
    /// How much flows through the network, with all weights positive; see [`synflow`].
    Synflow,
    /// How differently the network answers to changes of different examples; see [`jacob_cov`].
    JacobCov,
    /// How well the activations tell examples apart; see [`naswot`].
    Naswot,
}

impl Score {
    /// All scores.
    pub const ALL: [Self; 3] = [Self::Synflow, Self::JacobCov, Self::Naswot];

    /// Its name in a configuration: `synflow`, `jacob-cov` or `naswot`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Synflow => "synflow",
            Self::JacobCov => "jacob-cov",
            Self::Naswot => "naswot",
        }
    }

    /// The score of the net of a graph with the weights of a seed, on one batch. It is infinite or not
    /// a number where the formula has no other result.
    ///
    /// # Errors
    ///
    /// When the net can't be compiled or run.
    pub fn of(self, graph: &Graph, seed: u64, batch: &Batch) -> Result<f64, CompileError> {
        match self {
            Self::Synflow => synflow::score(graph, seed),
            Self::JacobCov => jacob_cov::score(graph, seed, &batch.inputs),
            Self::Naswot => naswot::score(graph, seed, &batch.inputs),
        }
    }
}

/// The scores of a candidate that were computed. One that is infinite or not a number is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// See [`Score::Synflow`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synflow: Option<f64>,
    /// See [`Score::JacobCov`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jacob_cov: Option<f64>,
    /// See [`Score::Naswot`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub naswot: Option<f64>,
}

impl Scores {
    /// A score, if it is there.
    pub fn get(&self, score: Score) -> Option<f64> {
        match score {
            Score::Synflow => self.synflow,
            Score::JacobCov => self.jacob_cov,
            Score::Naswot => self.naswot,
        }
    }

    /// Notes a score, unless it is infinite or not a number.
    pub fn set(&mut self, score: Score, value: f64) {
        let place = match score {
            Score::Synflow => &mut self.synflow,
            Score::JacobCov => &mut self.jacob_cov,
            Score::Naswot => &mut self.naswot,
        };
        *place = value.is_finite().then_some(value);
    }
}

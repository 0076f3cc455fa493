//! How the training of candidates is turned into values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::error::{Result, SearchError};
use super::super::zero_cost::Score;

/// How often candidates are trained, and which trainings end early.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationConfiguration {
    /// How often each candidate is trained, with seeds one after the other: its value is the mean.
    /// The parts of the data stay those of the first seed, so that no test example is ever one to
    /// choose by. Default 1.
    pub repeats: usize,
    /// Stops the training of bad candidates early. Off by default.
    pub halving: Option<HalvingConfiguration>,
    /// The most seconds that the trainings of a candidate may take. A candidate that takes longer
    /// has failed. None by default.
    pub time_limit: Option<f64>,
    /// Scores at initialisation that are recorded with each candidate. None by default.
    pub zero_cost: Vec<Score>,
    /// Passes over candidates by such a score, without training. Off by default.
    pub filter: Option<FilterConfiguration>,
}

impl Default for EvaluationConfiguration {
    fn default() -> Self {
        Self {
            repeats: 1,
            halving: None,
            time_limit: None,
            zero_cost: Vec::new(),
            filter: None,
        }
    }
}

/// Asynchronous successive halving, ASHA (Li et al. 2020, arXiv 1810.05934), in its stopping variant.
///
/// After `minimum_epochs`, and after `reduction` times as many, and so on, is a rung: only the best
/// of `reduction` candidates there goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HalvingConfiguration {
    /// The epochs up to the first rung. Default 1.
    pub minimum_epochs: usize,
    /// One of so many candidates goes on from a rung, and the next rung is after so many times the
    /// epochs. Default 4, as in the paper.
    pub reduction: usize,
}

impl Default for HalvingConfiguration {
    fn default() -> Self {
        Self {
            minimum_epochs: 1,
            reduction: 4,
        }
    }
}

/// Which candidates are not trained: those whose score is below a quantile of all scores before them.
/// They are recorded as failed and count as candidates of the budget.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilterConfiguration {
    /// The score, which is computed and recorded.
    pub score: Score,
    /// Which quantile, as a share: with 0.75, a candidate is trained if at most a quarter of those
    /// before it have a larger score. From 0 up to, but not, 1.
    pub share: f64,
}

impl EvaluationConfiguration {
    /// All scores that are computed, each once.
    pub(super) fn scores(&self) -> Vec<Score> {
        let filter = self.filter.map(|filter| filter.score);
        let wanted = |score: &Score| self.zero_cost.contains(score) || filter == Some(*score);
        Score::ALL.into_iter().filter(wanted).collect()
    }

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// [`SearchError::Configuration`] for the first one that is out of range.
    pub fn validate(&self) -> Result<()> {
        let at_least = |name: &str, least: usize, found: usize| match found >= least {
            true => Ok(()),
            false => Err(SearchError::Configuration {
                name: name.to_owned(),
                expected: format!("at least {least}"),
                found: found.to_string(),
            }),
        };
        at_least("evaluation.repeats", 1, self.repeats)?;
        if let Some(halving) = self.halving {
            at_least(
                "evaluation.halving.minimum_epochs",
                1,
                halving.minimum_epochs,
            )?;
            at_least("evaluation.halving.reduction", 2, halving.reduction)?;
        }
        if let Some(filter) = self.filter
            && !(0.0..1.0).contains(&filter.share)
        {
            return Err(SearchError::Configuration {
                name: "evaluation.filter.share".to_owned(),
                expected: "at least 0 and below 1".to_owned(),
                found: filter.share.to_string(),
            });
        }
        match self.time_limit {
            Some(limit) if !(limit > 0.0 && limit.is_finite()) => Err(SearchError::Configuration {
                name: "evaluation.time_limit".to_owned(),
                expected: "a number of seconds above 0".to_owned(),
                found: limit.to_string(),
            }),
            _ => Ok(()),
        }
    }
}

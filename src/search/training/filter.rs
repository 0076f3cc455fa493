//! Candidates that are passed over by their score at initialisation.

use super::FilterConfiguration;

/// Compares scores with all before them.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) configuration: FilterConfiguration,
    /// The scores before, as far as they are numbers.
    seen: Vec<f64>,
}

impl Filter {
    pub(super) fn new(configuration: FilterConfiguration) -> Self {
        Self {
            configuration,
            seen: Vec::new(),
        }
    }

    /// Whether a candidate of this score is trained: at most `1 - share` of those before it may have a
    /// larger one. What has no score is worse than all that have one.
    pub(super) fn admits(&self, score: Option<f64>) -> bool {
        let score = score.unwrap_or(f64::NEG_INFINITY);
        let better = self.seen.iter().filter(|&&other| other > score).count();
        better as f64 <= (1.0 - self.configuration.share) * self.seen.len() as f64
    }

    /// Counts a score, for those after it.
    pub(super) fn add(&mut self, score: Option<f64>) {
        self.seen.extend(score);
    }
}

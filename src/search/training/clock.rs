//! How long the training of a candidate takes.

use std::time::Instant;

use super::error::NoValue;

/// The time that a candidate takes. An [`Instant`] only goes forward, whatever the clock on the wall
/// does.
pub(super) struct Clock {
    began: Instant,
    seconds_before: f64,
    limit: Option<f64>,
}

impl Clock {
    pub(super) fn start(limit: Option<f64>, seconds_before: f64) -> Self {
        Self {
            began: Instant::now(),
            seconds_before,
            limit,
        }
    }

    pub(super) fn seconds(&self) -> f64 {
        self.seconds_before + self.began.elapsed().as_secs_f64()
    }

    pub(super) fn is_over(&self) -> bool {
        self.limit.is_some_and(|limit| self.seconds() > limit)
    }

    pub(super) fn error(&self) -> NoValue {
        let limit = self.limit.unwrap_or_default();
        NoValue::Failed(format!(
            "out of time: its training takes longer than the limit of {limit} s"
        ))
    }
}

//! Why an evaluation gives no value.

/// Why there is no value, in words.
#[derive(Debug)]
pub(super) enum NoValue {
    /// The candidate has none, which is recorded.
    Failed(String),
    /// The evaluation can't go on, whatever the candidate.
    Broken(String),
}

impl<E: std::error::Error> From<E> for NoValue {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

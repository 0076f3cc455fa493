use std::sync::atomic::{AtomicBool, Ordering};

/// What ends a run before its last epoch: a flag that is set from outside, a clock, a rule. Closures
/// that say whether to end are such.
pub trait Stop {
    /// Whether the run is to end now. Asked before every step.
    fn is_set(&self) -> bool;
}

impl Stop for AtomicBool {
    fn is_set(&self) -> bool {
        self.load(Ordering::Relaxed)
    }
}

impl<F: Fn() -> bool> Stop for F {
    fn is_set(&self) -> bool {
        self()
    }
}

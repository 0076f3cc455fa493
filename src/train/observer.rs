use super::{EpochRecord, Scores, Summary};

/// What happens in a run, for progress displays and logs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The run begins, or goes on after a break.
    Started {
        /// The steps of the whole run.
        steps: u64,
        /// The steps that were done before.
        done: u64,
        /// The epochs of the whole run.
        epochs: usize,
        /// What was measured before the break.
        history: &'a [EpochRecord],
    },
    /// A step was done.
    Step {
        /// Its number, counted from 1 over the whole run.
        step: u64,
        /// Its epoch, counted from 1.
        epoch: usize,
        /// The loss on its batch.
        loss: f64,
        /// The mean loss of the epoch so far.
        mean_loss: f64,
        /// How well the epoch's examples so far did: the [first](Scores::first) score alone.
        scores: Scores,
        /// The learning rate of the step.
        learning_rate: f64,
    },
    /// An epoch ended and was measured on the validation part.
    Epoch {
        /// What was measured.
        record: &'a EpochRecord,
        /// Whether it is the best so far.
        best: bool,
    },
    /// The run was asked to stop and did; it can go on from here when it has a directory.
    Interrupted {
        /// The steps done.
        step: u64,
    },
    /// The run is complete.
    Finished(&'a Summary),
}

/// Is told what happens in a run. Closures that take an [`Event`] are observers; `()` is one that
/// looks away.
pub trait Observer {
    /// Called for each event, in order, from the thread that trains.
    fn observe(&mut self, event: Event<'_>);
}

impl Observer for () {
    fn observe(&mut self, _: Event<'_>) {}
}

impl<F: FnMut(Event<'_>)> Observer for F {
    fn observe(&mut self, event: Event<'_>) {
        self(event);
    }
}

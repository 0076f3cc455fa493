//! Asynchronous successive halving: bad candidates are stopped early.
//!
//! In the paper (Li et al. 2020, arXiv 1810.05934, algorithm 2) workers pause candidates at rungs and
//! promote one whenever enough others have come as far. Here candidates come one after the other, so
//! there is nobody to wait for: a candidate is judged when it reaches a rung, by all that reached it
//! before, and is trained on or stopped for good. This is the stopping variant, the type `stopping`
//! of Syne Tune and what Ray Tune's scheduler does.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::HalvingConfiguration;
use super::error::NoValue;
use crate::train::{Event, Observer};

/// What a candidate was worth at a rung.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// The epochs it was trained for then.
    pub epoch: usize,
    /// What its value would have been.
    pub value: f64,
}

/// The rungs of a search, with the values of all candidates that reached them.
#[derive(Clone, Debug)]
pub struct Halving {
    configuration: HalvingConfiguration,
    /// The epochs of a whole training.
    epochs: usize,
    values: BTreeMap<usize, Vec<f64>>,
}

impl Halving {
    /// Rungs for trainings of so many epochs, which no candidate has reached yet.
    pub fn new(configuration: HalvingConfiguration, epochs: usize) -> Self {
        Self {
            configuration,
            epochs,
            values: BTreeMap::new(),
        }
    }

    /// Whether candidates are judged after this epoch: after `minimum_epochs * reduction^k` of them,
    /// as long as that is not the whole training.
    pub fn is_rung(&self, epoch: usize) -> bool {
        let next = |rung: &usize| rung.checked_mul(self.configuration.reduction.max(2));
        std::iter::successors(Some(self.configuration.minimum_epochs.max(1)), next)
            .take_while(|&rung| rung < self.epochs)
            .any(|rung| rung == epoch)
    }

    /// Whether a candidate of this value at a rung goes on: it must be among the best `1 / reduction`
    /// of all that reached it, itself among them, rounded up. Equal values are equally good.
    pub fn goes_on(&self, rung: Rung) -> bool {
        let others = self.values.get(&rung.epoch).map_or(&[][..], Vec::as_slice);
        let better = others.iter().filter(|&&value| value > rung.value).count();
        better.saturating_mul(self.configuration.reduction) < others.len() + 1
    }

    /// Counts the rungs that a candidate reached, for those after it.
    pub fn add(&mut self, rungs: &[Rung]) {
        for rung in rungs {
            self.values.entry(rung.epoch).or_default().push(rung.value);
        }
    }
}

/// Judges a candidate at the rungs of its training.
pub(super) struct Judge<'a> {
    halving: Option<&'a Halving>,
    /// What the candidate is worth as it is now.
    value: &'a dyn Fn() -> Result<f64, NoValue>,
    /// Whether its training is to end.
    ended: &'a Cell<bool>,
    reached: Result<Vec<Rung>, NoValue>,
}

impl<'a> Judge<'a> {
    /// Nobody is stopped without `halving`. `ended` is set when the training is to end.
    pub(super) fn new(
        halving: Option<&'a Halving>,
        value: &'a dyn Fn() -> Result<f64, NoValue>,
        ended: &'a Cell<bool>,
    ) -> Self {
        Self {
            halving,
            value,
            ended,
            reached: Ok(Vec::new()),
        }
    }

    /// The rungs that were reached, or why the candidate could not be measured there.
    pub(super) fn reached(self) -> Result<Vec<Rung>, NoValue> {
        self.reached
    }
}

impl Observer for Judge<'_> {
    fn observe(&mut self, event: Event<'_>) {
        let (Event::Epoch { record, .. }, Some(halving), Ok(reached)) =
            (event, self.halving, &mut self.reached)
        else {
            return;
        };
        if !halving.is_rung(record.epoch) {
            return;
        }
        match (self.value)() {
            Ok(value) => {
                let rung = Rung {
                    epoch: record.epoch,
                    value,
                };
                reached.push(rung);
                self.ended.set(!halving.goes_on(rung));
            }
            Err(error) => {
                self.reached = Err(error);
                self.ended.set(true);
            }
        }
    }
}

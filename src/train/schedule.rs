use std::f64::consts::PI;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the learning rate changes over a run: a pure function of the step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// The learning rate as configured.
    Constant,
    /// A linear rise to the configured rate (Goyal et al. 2017, arXiv 1706.02677), then half a
    /// cosine down (Loshchilov and Hutter 2017, arXiv 1608.03983, without restarts).
    WarmupCosine {
        /// The share of the steps that rises.
        warmup: f64,
        /// Where the cosine ends, as a share of the configured rate.
        floor: f64,
    },
    /// Half a cosine up to the configured rate and half a cosine down to almost nothing, after
    /// Smith and Topin 2018 (arXiv 1708.07120), in the form of PyTorch's `OneCycleLR` with two
    /// phases.
    OneCycle {
        /// The share of the steps that rises (`pct_start`).
        rise: f64,
        /// The configured rate over the first one (`div_factor`).
        initial_divisor: f64,
        /// The first rate over the last one (`final_div_factor`).
        final_divisor: f64,
        /// Whether momentum goes from 0.95 to 0.85 and back while the learning rate rises and
        /// falls. For AdamW it is the first of the two decay rates.
        cycle_momentum: bool,
    },
}

/// What a schedule gives for a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// The learning rate.
    pub learning_rate: f64,
    /// The momentum, where the schedule changes it.
    pub momentum: Option<f64>,
}

/// The momentum while the learning rate is highest, and while it is lowest: the defaults of
/// `OneCycleLR`.
const MOMENTUM: [f64; 2] = [0.85, 0.95];

impl Schedule {
    /// A warm-up of a twentieth of the run and a cosine to zero.
    pub fn warmup_cosine() -> Self {
        Self::WarmupCosine {
            warmup: 0.05,
            floor: 0.0,
        }
    }

    /// One cycle with the defaults of PyTorch's `OneCycleLR`.
    pub fn one_cycle() -> Self {
        Self::OneCycle {
            rise: 0.3,
            initial_divisor: 25.0,
            final_divisor: 1e4,
            cycle_momentum: true,
        }
    }

    /// The rates of `step`, counted from 0, in a run of `steps`; `peak` is the configured learning
    /// rate.
    pub fn at(&self, peak: f64, step: u64, steps: u64) -> Rates {
        match *self {
            Self::Constant => Rates {
                learning_rate: peak,
                momentum: None,
            },
            Self::WarmupCosine { warmup, floor } => Rates {
                learning_rate: warmup_cosine(peak, step, steps, warmup, floor),
                momentum: None,
            },
            Self::OneCycle {
                rise,
                initial_divisor,
                final_divisor,
                cycle_momentum,
            } => {
                let cycle = Cycle::new(step, steps, rise);
                let initial = peak / initial_divisor;
                let [low, high] = MOMENTUM;
                Rates {
                    learning_rate: cycle.value(initial, peak, initial / final_divisor),
                    momentum: cycle_momentum.then(|| cycle.value(high, low, high)),
                }
            }
        }
    }
}

fn warmup_cosine(peak: f64, step: u64, steps: u64, warmup: f64, floor: f64) -> f64 {
    let rising = (warmup * steps as f64).ceil();
    let step = step as f64;
    if step < rising {
        peak * (step + 1.0) / rising
    } else {
        cosine(peak, floor * peak, progress(step, rising, steps as f64))
    }
}

/// Where a step is in the two phases of one cycle.
enum Cycle {
    Rising(f64),
    Falling(f64),
}

impl Cycle {
    /// The phases end at `rise * steps - 1` and at `steps - 1`, as in PyTorch.
    fn new(step: u64, steps: u64, rise: f64) -> Self {
        let step = step as f64;
        let top = rise * steps as f64 - 1.0;
        if step <= top {
            Self::Rising(progress(step, 0.0, top))
        } else {
            Self::Falling(progress(step, top, steps as f64 - 1.0))
        }
    }

    fn value(&self, start: f64, top: f64, end: f64) -> f64 {
        match *self {
            Self::Rising(progress) => cosine(start, top, progress),
            Self::Falling(progress) => cosine(top, end, progress),
        }
    }
}

/// From 0 at `start` to 1 at `end`; 0 where there is no way between them.
fn progress(step: f64, start: f64, end: f64) -> f64 {
    if end > start {
        ((step - start) / (end - start)).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

fn cosine(start: f64, end: f64, progress: f64) -> f64 {
    end + (start - end) / 2.0 * (1.0 + (PI * progress).cos())
}

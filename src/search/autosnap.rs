//! AutoSNAP: gradient ascent in the latent space of an auto-encoder over programs.
//!
//! The first round is random. Before every later one the linear value layer is fitted to what was
//! measured, in closed form or, with the auto-encoder, by training. Then the [climb](super::climb) goes from the codes of the
//! best programs along the gradient of the value, with growing steps, until the decoder gives programs
//! that were never proposed. A share of every round explores at random.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::climb::{Climb, KnownPrograms};
use super::configuration::{AutosnapConfiguration, SurrogateName, UncertaintyName};
use super::error::Result;
use super::history::Proposal;
use super::judge::{Judge, resamples};
use super::learner::{Example, Learner, ModelReport};
use super::model::Codes;
use super::regression::Regression;
use super::seeds::{Purpose, generator};
use super::space::ProgramSpace;
use super::strategy::{Round, Strategy, random_proposals};
use super::surrogate::{Description, Surrogate};

/// The strategy `autosnap`.
pub struct Autosnap {
    configuration: AutosnapConfiguration,
    seed: u64,
    /// A learner that has learnt the language, if one was given.
    pretrained: Option<Arc<Learner>>,
    learner: Option<Learner>,
    /// How often the learner was trained. Its value layer is fitted anew before every use.
    trainings: u64,
    report: Option<ModelReport>,
    known: KnownPrograms,
}

impl Autosnap {
    /// The strategy before its first round.
    pub fn new(configuration: AutosnapConfiguration, seed: u64) -> Self {
        Self {
            configuration,
            seed,
            pretrained: None,
            learner: None,
            trainings: 0,
            report: None,
            known: KnownPrograms::default(),
        }
    }

    /// The strategy with a learner that was [trained on random programs](Autosnap::pretrain)
    /// before: several searches in one space with one configuration can share it.
    #[must_use]
    pub fn with_pretrained(mut self, learner: Arc<Learner>) -> Self {
        self.pretrained = Some(learner);
        self
    }

    /// A learner of this configuration and seed, trained on random programs of the space.
    ///
    /// # Errors
    ///
    /// [`SearchError::Stopped`](super::SearchError::Stopped) once `stop` is set; if the space has no
    /// valid program.
    pub fn pretrain(
        &self,
        space: &dyn ProgramSpace,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Learner> {
        let mut learner = Learner::new(space, &self.configuration, self.seed)?;
        let mut rng = generator(self.seed, Purpose::Pretraining, 0);
        learner.pretrain(&mut rng, stop, progress)?;
        Ok(learner)
    }

    /// A learner that is to be brought to another state.
    fn blank(&self, space: &dyn ProgramSpace) -> Result<Learner> {
        match &self.pretrained {
            Some(learner) => Ok(Learner::clone(learner)),
            None => Learner::new(space, &self.configuration, self.seed),
        }
    }

    /// The learner, trained on random programs if this is the first time it is needed.
    fn learner(&mut self, round: &mut Round<'_>) -> Result<&mut Learner> {
        let learner = match self.learner.take() {
            Some(learner) => learner,
            None => {
                self.trainings += 1;
                self.taught(round)?
            }
        };
        Ok(self.learner.insert(learner))
    }

    /// A learner that has learnt the language.
    fn taught(&self, round: &mut Round<'_>) -> Result<Learner> {
        if let Some(learner) = &self.pretrained {
            return Ok(Learner::clone(learner));
        }
        let steps = self.configuration.pretraining.steps;
        let Round {
            space,
            stop,
            progress,
            ..
        } = round;
        self.pretrain(*space, stop, &mut |done| progress(done, steps))
    }
}

impl Strategy for Autosnap {
    fn name(&self) -> &'static str {
        "autosnap"
    }

    fn ask(&mut self, round: &mut Round<'_>, rng: &mut ChaCha8Rng) -> Result<Vec<Proposal>> {
        let mut seen = round.history.keys().clone();
        let examples: Vec<Example<'_>> = round
            .history
            .measured()
            .map(|(record, value)| Example {
                program: &record.candidate.program,
                value,
            })
            .collect();
        if examples.is_empty() {
            return random_proposals(round, &mut seen, round.count, rng);
        }
        let configuration = self.configuration.clone();
        let (measured, seed) = (self.report, self.seed);
        let known = RefCell::new(std::mem::take(&mut self.known));
        let space = round.space;
        // A model that no round trains is the same in all of them.
        let is_trained = configuration.joint.steps > 0;
        self.trainings += u64::from(is_trained);
        let learner = self.learner(round)?;
        learner.train(&examples, rng, round.stop)?;
        let programs: Vec<&[u8]> = examples.iter().map(|example| example.program).collect();
        let scale = learner.scale();
        let values: Vec<f64> = examples.iter().map(|e| scale.apply(e.value)).collect();
        let descriptions: Vec<Description> = match configuration.surrogate {
            SurrogateName::Parts => known.borrow_mut().descriptions(space, &programs),
            SurrogateName::Latent => Vec::new(),
        };
        let members = match configuration.uncertainty {
            UncertaintyName::Posterior => 0,
            UncertaintyName::Ensemble => MEMBERS,
        };
        let resamples = resamples(members, values.len(), rng);
        let surrogate = judge_by_parts(&descriptions, &values, &resamples);
        let fitted = match configuration.closed_form {
            true => {
                let codes = learner.encode(&programs)?;
                let fitted = learner.fit(&codes, &values)?;
                fitted.map(|fitted| judge_by_codes(fitted, &codes, &values, &resamples))
            }
            false => None,
        };
        let report = match measured {
            Some(report) if !is_trained => report,
            _ => {
                let number = if is_trained { round.number as u64 } else { 0 };
                learner.measure(round.space, &mut generator(seed, Purpose::Measure, number))?
            }
        };

        let exploring = explorers(configuration.explore, round.count, rng);
        let starts = round.history.best(configuration.starts);
        let climb = Climb {
            configuration: &configuration,
            learner,
            space: round.space,
            known: &known,
            fitted: fitted.as_ref(),
            surrogate: surrogate.as_ref(),
            best: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        };
        let mut proposals = climb.proposals(&starts, &mut seen, round.count - exploring, rng)?;
        let missing = round.count - proposals.len();
        let mut random = random_proposals(round, &mut seen, missing, rng)?;
        learner.predict_all(&mut random)?;
        proposals.append(&mut random);
        self.report = Some(report);
        self.known = known.into_inner();
        Ok(proposals)
    }

    fn report(&self) -> Option<ModelReport> {
        self.report
    }

    fn encode(&self, programs: &[&[u8]]) -> Result<Option<Codes>> {
        let codes = self.learner.as_ref().map(|it| it.encode(programs));
        codes.transpose()
    }

    fn save(&self) -> Result<Vec<u8>> {
        self.learner.as_ref().map_or(Ok(Vec::new()), Learner::save)
    }

    fn revision(&self) -> Option<u64> {
        Some(self.trainings)
    }

    fn restore(&mut self, space: &dyn ProgramSpace, state: &[u8]) -> Result<()> {
        self.learner = None;
        self.known = KnownPrograms::default();
        if !state.is_empty() {
            let mut learner = self.blank(space)?;
            learner.restore(state)?;
            self.learner = Some(learner);
        }
        Ok(())
    }
}

/// How many fits the ensemble has.
const MEMBERS: usize = 8;

/// A Gaussian process over parts, with an ensemble that has a member for every resample. Nothing if the
/// results say nothing.
fn judge_by_parts(
    descriptions: &[Description],
    values: &[f64],
    resamples: &[Vec<usize>],
) -> Option<Judge<Surrogate>> {
    let known: Vec<&Description> = descriptions.iter().collect();
    let surrogate = Surrogate::fit(&known, values)?;
    let members = resamples.iter();
    let members = members
        .filter_map(|places| Surrogate::fit(&chosen(&known, places), &chosen(values, places)));
    Some(Judge::new(surrogate, members.collect()))
}

/// The value layer, with an ensemble likewise.
fn judge_by_codes(
    fitted: Regression,
    codes: &Codes,
    values: &[f64],
    resamples: &[Vec<usize>],
) -> Judge<Regression> {
    let rows: Vec<&[f32]> = codes.rows().collect();
    let members = resamples.iter().filter_map(|places| {
        let rows = chosen(&rows, places);
        fitted.refit(rows.iter().copied(), &chosen(values, places))
    });
    let members = members.collect();
    Judge::new(fitted, members)
}

fn chosen<T: Copy>(all: &[T], places: &[usize]) -> Vec<T> {
    places.iter().map(|&place| all[place]).collect()
}

/// How many of `count` candidates explore: the share, its fraction decided by a draw.
fn explorers(share: f64, count: usize, rng: &mut ChaCha8Rng) -> usize {
    let exact = share * count as f64;
    let whole = exact.floor();
    let more = rng.random::<f64>() < exact - whole;
    (whole as usize + usize::from(more)).min(count)
}

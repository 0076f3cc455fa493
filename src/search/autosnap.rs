//! AutoSNAP: gradient ascent in the latent space of an auto-encoder over programs.
//!
//! The first round is random. Before every later one the auto-encoder and the linear value layer
//! learn together from what was measured. Then the climb goes from the codes of the best programs
//! along the gradient of the value, with growing steps, until the decoder gives programs that were
//! never proposed. A share of every round explores at random.

use std::collections::HashSet;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::configuration::AutosnapConfiguration;
use super::decoding::{self, Choice};
use super::error::Result;
use super::history::{Origin, Proposal, Record};
use super::learner::{Example, Learner, ModelReport};
use super::model::{Codes, normals};
use super::seeds::{Purpose, generator};
use super::space::{Key, ProgramSpace};
use super::strategy::{Round, Strategy, random_proposals};

/// How often a climb that found nothing new goes on further before the round is filled at random.
const ATTEMPTS: usize = 4;

/// The strategy `autosnap`.
pub struct Autosnap {
    configuration: AutosnapConfiguration,
    seed: u64,
    learner: Option<Learner>,
    report: Option<ModelReport>,
}

impl Autosnap {
    /// The strategy before its first round.
    pub fn new(configuration: AutosnapConfiguration, seed: u64) -> Self {
        Self {
            configuration,
            seed,
            learner: None,
            report: None,
        }
    }

    /// The learner, trained on random programs if this is the first time it is needed.
    fn learner(&mut self, round: &mut Round<'_>) -> Result<&mut Learner> {
        let learner = match self.learner.take() {
            Some(learner) => learner,
            None => self.pretrained(round)?,
        };
        Ok(self.learner.insert(learner))
    }

    fn pretrained(&self, round: &mut Round<'_>) -> Result<Learner> {
        let mut learner = Learner::new(round.space, &self.configuration, self.seed)?;
        let steps = self.configuration.pretraining.steps;
        let mut rng = generator(self.seed, Purpose::Pretraining, 0);
        learner.pretrain(&mut rng, round.stop, &mut |done| {
            (round.progress)(done, steps)
        })?;
        Ok(learner)
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
            return Ok(random_proposals(round.space, &mut seen, round.count, rng));
        }
        let configuration = self.configuration.clone();
        let learner = self.learner(round)?;
        learner.train(&examples, rng, round.stop)?;
        let report = learner.measure(round.space, rng)?;

        let exploring = explorers(configuration.explore, round.count, rng);
        let starts = round.history.best(configuration.starts);
        let climb = Climb {
            configuration: &configuration,
            learner,
            space: round.space,
        };
        let mut proposals = climb.proposals(&starts, &mut seen, round.count - exploring, rng)?;
        let missing = round.count - proposals.len();
        let mut random = random_proposals(round.space, &mut seen, missing, rng);
        predict(learner, &mut random)?;
        proposals.append(&mut random);
        self.report = Some(report);
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

    fn restore(&mut self, space: &dyn ProgramSpace, state: &[u8]) -> Result<()> {
        self.learner = None;
        if !state.is_empty() {
            let mut learner = Learner::new(space, &self.configuration, self.seed)?;
            learner.restore(state)?;
            self.learner = Some(learner);
        }
        Ok(())
    }
}

/// How many of `count` candidates explore: the share, its fraction decided by a draw.
fn explorers(share: f64, count: usize, rng: &mut ChaCha8Rng) -> usize {
    let exact = share * count as f64;
    let whole = exact.floor();
    let more = rng.random::<f64>() < exact - whole;
    (whole as usize + usize::from(more)).min(count)
}

/// Fills in what the value layer expects of proposals.
fn predict(learner: &Learner, proposals: &mut [Proposal]) -> Result<()> {
    let programs: Vec<&[u8]> = proposals.iter().map(|p| p.program.as_slice()).collect();
    let values = learner.predict(&programs)?;
    for (proposal, value) in proposals.iter_mut().zip(values) {
        proposal.predicted = Some(value);
    }
    Ok(())
}

struct Climb<'a> {
    configuration: &'a AutosnapConfiguration,
    learner: &'a Learner,
    space: &'a dyn ProgramSpace,
}

/// A place on a climb.
#[derive(Clone, Copy)]
struct Place {
    /// The number of the candidate it started from.
    from: usize,
    step: f64,
}

impl Climb<'_> {
    /// Up to `count` new programs, those of the largest predicted value first.
    fn proposals(
        &self,
        starts: &[&Record],
        seen: &mut HashSet<Key>,
        count: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<Proposal>> {
        let mut found = Vec::new();
        let mut keys = seen.clone();
        let mut first_step = self.configuration.first_step;
        for _ in 0..ATTEMPTS {
            if found.len() >= count {
                break;
            }
            self.walk(starts, first_step, &mut keys, &mut found, rng)?;
            first_step = self.step(first_step, self.configuration.steps);
        }
        predict(self.learner, &mut found)?;
        let expected = |proposal: &Proposal| proposal.predicted.unwrap_or(f64::NEG_INFINITY);
        found.sort_by(|a, b| expected(b).total_cmp(&expected(a)));
        found.truncate(count);
        seen.extend(found.iter().map(|proposal| proposal.key));
        Ok(found)
    }

    /// Climbs from every start and keeps what is new, each program from the shortest step.
    fn walk(
        &self,
        starts: &[&Record],
        first_step: f64,
        keys: &mut HashSet<Key>,
        found: &mut Vec<Proposal>,
        rng: &mut ChaCha8Rng,
    ) -> Result<()> {
        let (places, codes) = self.codes(starts, first_step, rng)?;
        let choice = match self.configuration.temperature {
            temperature if temperature > 0.0 => Choice::Sampled(temperature),
            _ => Choice::Greedy,
        };
        let programs = decoding::decode(self.learner.model(), self.space, &codes, choice, rng)?;
        let mut decoded: Vec<(Place, Vec<u8>)> = places
            .into_iter()
            .zip(programs)
            .filter_map(|(place, program)| Some((place, program?)))
            .collect();
        decoded.sort_by(|(a, _), (b, _)| a.step.total_cmp(&b.step));
        for (Place { from, step }, program) in decoded {
            let key = self.space.key(&program);
            if keys.insert(key) {
                let origin = Origin::Climbed { from, step };
                found.push(Proposal {
                    program,
                    key,
                    origin,
                    predicted: None,
                });
            }
        }
        Ok(())
    }

    /// The codes on all climbs: a start, plus a step along the gradient with some noise that stays
    /// the same over a climb.
    fn codes(
        &self,
        starts: &[&Record],
        first_step: f64,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Vec<Place>, Codes)> {
        let programs: Vec<&[u8]> = starts
            .iter()
            .map(|record| record.candidate.program.as_slice())
            .collect();
        let codes = self.learner.encode(&programs)?;
        let gradient = self.learner.model().value_gradient()?;
        let norm = gradient
            .iter()
            .map(|g| g * g)
            .sum::<f32>()
            .sqrt()
            .max(f32::MIN_POSITIVE);
        let latent = codes.latent;
        // The noise has the length of the configured share of the step, whatever the dimensions.
        let deviation = self.configuration.noise as f32 / (latent as f32).sqrt();
        let mut places = Vec::new();
        let mut values = Vec::new();
        for (record, code) in starts.iter().zip(codes.rows()) {
            for _ in 0..self.configuration.climbs {
                let noise = normals(latent, deviation, rng);
                for number in 0..self.configuration.steps {
                    let step = self.step(first_step, number);
                    places.push(Place {
                        from: record.candidate.number,
                        step,
                    });
                    let direction = gradient
                        .iter()
                        .zip(&noise)
                        .map(|(g, noise)| g / norm + noise);
                    values.extend(code.iter().zip(direction).map(|(z, d)| z + step as f32 * d));
                }
            }
        }
        Ok((places, Codes { latent, values }))
    }

    fn step(&self, first: f64, number: usize) -> f64 {
        first * self.configuration.step_growth.powi(number as i32)
    }
}

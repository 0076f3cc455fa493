//! The climb: from the codes of the best programs along the gradient of the value, with growing
//! steps, back to programs; then from the most promising of these by single symbols, and the choice among all that
//! was found.
//!
//! With one linear layer the gradient is the same everywhere. Climbs differ all the same: each
//! follows weights that the results allow, drawn anew, and has a noise of its own.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::configuration::{AutosnapConfiguration, ChoiceName};
use super::decoding::{self, Choice};
use super::edits::neighbours;
use super::error::Result;
use super::history::{Origin, Proposal, Record};
use super::improvement::expected_improvement;
use super::judge::Judge;
use super::learner::Learner;
use super::model::{Codes, normals};
use super::regression::Regression;
use super::space::{self, Key, ProgramSpace};
use super::surrogate::{Description, Surrogate};

/// How often a climb that found nothing new goes on further before the round is filled at random.
const ATTEMPTS: usize = 4;

/// How often in a row the most promising programs are edited at most.
const MOST_EDITS: usize = 16;

/// How many edits of a program are looked at: all of a short one; a long one has hundreds, each of which takes as long to judge.
const MOST_NEIGHBOURS: usize = 32;

/// What is known of programs that were found before: climbs come to the same ones round after round, and
/// their keys and parts take longer than all else that is done to a program.
#[derive(Default)]
pub(super) struct KnownPrograms {
    keys: HashMap<Vec<u8>, Key>,
    descriptions: HashMap<Vec<u8>, Description>,
}

/// How many programs are kept, but for those of a round.
const MOST_KNOWN: usize = 1 << 18;

impl KnownPrograms {
    fn keys(&mut self, space: &dyn ProgramSpace, programs: &[&[u8]]) -> Vec<Key> {
        remembered(&mut self.keys, programs, |program| space.key(program))
    }

    pub(super) fn descriptions(
        &mut self,
        space: &dyn ProgramSpace,
        programs: &[&[u8]],
    ) -> Vec<Description> {
        let describe = |program: &[u8]| Description::of(&space.parts(program));
        remembered(&mut self.descriptions, programs, describe)
    }
}

/// What is known of programs. What is not is computed, on all threads, and kept.
fn remembered<T: Clone + Send>(
    known: &mut HashMap<Vec<u8>, T>,
    programs: &[&[u8]],
    compute: impl Fn(&[u8]) -> T + Sync,
) -> Vec<T> {
    let mut missing: Vec<&[u8]> = programs.to_vec();
    missing.retain(|program| !known.contains_key(*program));
    if known.len() + missing.len() > MOST_KNOWN {
        known.clear();
        missing = programs.to_vec();
    }
    missing.sort_unstable();
    missing.dedup();
    let computed: Vec<T> = missing.par_iter().map(|program| compute(program)).collect();
    known.extend(missing.into_iter().map(<[u8]>::to_vec).zip(computed));
    programs
        .iter()
        .map(|program| known[*program].clone())
        .collect()
}

/// What the climbs of a round need.
pub(super) struct Climb<'a> {
    pub(super) configuration: &'a AutosnapConfiguration,
    pub(super) learner: &'a Learner,
    pub(super) space: &'a dyn ProgramSpace,
    pub(super) known: &'a RefCell<KnownPrograms>,
    /// The value layer in closed form, if it is used.
    pub(super) fitted: Option<&'a Judge<Regression>>,
    /// What judges programs by their parts, if it is used.
    pub(super) surrogate: Option<&'a Judge<Surrogate>>,
    /// The best value so far, on the scale of the value layer.
    pub(super) best: f64,
}

/// A place on a climb.
#[derive(Clone, Copy)]
struct Place {
    /// The number of the candidate it started from.
    from: usize,
    step: f64,
}

impl Climb<'_> {
    /// Up to `count` new programs, the most promising first.
    pub(super) fn proposals(
        &self,
        starts: &[&Record],
        seen: &mut HashSet<Key>,
        count: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<Proposal>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        let mut keys = seen.clone();
        let mut first_step = self.configuration.first_step;
        for _ in 0..ATTEMPTS {
            self.walk(starts, first_step, &mut keys, &mut found, rng)?;
            if found.len() >= count {
                break;
            }
            first_step = self.step(first_step, self.configuration.steps);
        }
        self.look_around(&mut keys, &mut found, rng);
        let mut judged = self.judged(found)?;
        most_promising_first(&mut judged);
        self.refine(&mut judged, &mut keys, rng)?;
        judged.truncate(count);
        let chosen: Vec<Proposal> = judged.into_iter().map(|(_, proposal)| proposal).collect();
        seen.extend(chosen.iter().map(|proposal| proposal.key));
        Ok(chosen)
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
        let programs = decoding::decode(self.learner.model(), self.space, &codes, choice, rng);
        let mut decoded: Vec<(Place, Vec<u8>)> = places
            .into_iter()
            .zip(programs)
            .filter_map(|(place, program)| Some((place, program?)))
            .collect();
        decoded.sort_by(|(a, _), (b, _)| a.step.total_cmp(&b.step));
        let mut texts = HashSet::new();
        decoded.retain(|(_, program)| texts.insert(program.clone()));
        let climbed = decoded.into_iter();
        let climbed = climbed.map(|(Place { from, step }, program)| {
            let origin = Origin::Climbed { from, step };
            (program, origin)
        });
        self.keep_new(climbed.collect(), keys, found);
        Ok(())
    }

    /// Keeps what was never found before and may be proposed.
    fn keep_new(
        &self,
        programs: Vec<(Vec<u8>, Origin)>,
        keys: &mut HashSet<Key>,
        found: &mut Vec<Proposal>,
    ) {
        let texts: Vec<&[u8]> = programs.iter().map(|it| it.0.as_slice()).collect();
        let their_keys = self.known.borrow_mut().keys(self.space, &texts);
        for ((program, origin), key) in programs.into_iter().zip(their_keys) {
            if keys.insert(key) && self.space.admits(&program) {
                found.push(Proposal {
                    program,
                    key,
                    origin,
                    predicted: None,
                });
            }
        }
    }

    /// Some random programs, for what lies where no climb leads.
    fn look_around(
        &self,
        keys: &mut HashSet<Key>,
        found: &mut Vec<Proposal>,
        rng: &mut ChaCha8Rng,
    ) {
        let strangers = (0..self.configuration.strangers)
            .map_while(|_| space::stranger(self.space, rng))
            .map(|program| (program, Origin::Random));
        self.keep_new(strangers.collect(), keys, found);
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
        let latent = codes.latent;
        // The noise has the length of the configured share of the step, whatever the dimensions.
        let deviation = self.configuration.noise as f32 / (latent as f32).sqrt();
        let gradients = self.learner.model().value_gradients(&codes);
        let mut places = Vec::new();
        let mut values = Vec::new();
        let rows = codes.rows().zip(gradients.rows());
        for (record, (code, gradient)) in starts.iter().zip(rows) {
            for _ in 0..self.configuration.climbs {
                let gradient = self.direction(gradient, rng);
                let noise = normals(latent, deviation, rng);
                for number in 0..self.configuration.steps {
                    let step = self.step(first_step, number);
                    places.push(Place {
                        from: record.candidate.number,
                        step,
                    });
                    let direction = gradient.iter().zip(&noise).map(|(g, noise)| g + noise);
                    values.extend(code.iter().zip(direction).map(|(z, d)| z + step as f32 * d));
                }
            }
        }
        Ok((places, Codes { latent, values }))
    }

    /// The direction of a climb, of length one: along the gradient there, or along weights drawn from
    /// what the results leave open.
    fn direction(&self, gradient: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
        let mut direction = match self.fitted {
            Some(fitted) if self.configuration.sampled => {
                let weights = fitted.model().sample(rng);
                weights.into_iter().map(|weight| weight as f32).collect()
            }
            _ => gradient.to_vec(),
        };
        let norm = direction.iter().map(|g| g * g).sum::<f32>().sqrt();
        let norm = norm.max(f32::MIN_POSITIVE);
        direction.iter_mut().for_each(|g| *g /= norm);
        direction
    }

    fn step(&self, first: f64, number: usize) -> f64 {
        first * self.configuration.step_growth.powi(number as i32)
    }

    /// Goes on from the most promising programs by edits of one symbol, while these lead to some that are more promising
    /// still.
    fn refine(
        &self,
        judged: &mut Vec<(f64, Proposal)>,
        keys: &mut HashSet<Key>,
        rng: &mut ChaCha8Rng,
    ) -> Result<()> {
        let mut edited = HashSet::new();
        for _ in 0..MOST_EDITS {
            let best = judged.iter().take(self.configuration.refined);
            let best = best.filter(|(_, proposal)| edited.insert(proposal.key));
            let mut programs = Vec::new();
            for (_, proposal) in best {
                let around = neighbours(self.space, &proposal.program, rng).take(MOST_NEIGHBOURS);
                programs.extend(around.map(|program| (program, refined(&proposal.origin))));
            }
            if programs.is_empty() {
                break;
            }
            let mut found = Vec::new();
            self.keep_new(programs, keys, &mut found);
            judged.append(&mut self.judged(found)?);
            most_promising_first(judged);
        }
        Ok(())
    }

    /// How promising what was found is, with the values expected of it.
    fn judged(&self, mut found: Vec<Proposal>) -> Result<Vec<(f64, Proposal)>> {
        let Some(surrogate) = self.surrogate else {
            self.learner.predict_all(&mut found)?;
            let scores = self.scores(&found)?;
            return Ok(scores.into_iter().zip(found).collect());
        };
        Ok(self.judge(surrogate, found))
    }

    /// Programs by their parts: how promising they are, with the values expected of them.
    fn judge(&self, surrogate: &Judge<Surrogate>, found: Vec<Proposal>) -> Vec<(f64, Proposal)> {
        let programs: Vec<&[u8]> = found.iter().map(|it| it.program.as_slice()).collect();
        let descriptions = self.known.borrow_mut().descriptions(self.space, &programs);
        let judgements: Vec<(f64, f64)> = descriptions
            .par_iter()
            .map(|description| surrogate.predict(description))
            .collect();
        let judged = found.into_iter().zip(judgements);
        judged
            .map(|(mut proposal, (expected, deviation))| {
                proposal.predicted = Some(self.learner.scale().invert(expected));
                let score = match self.configuration.choice {
                    ChoiceName::Improvement => expected_improvement(expected, deviation, self.best),
                    ChoiceName::Value => expected,
                };
                (score, proposal)
            })
            .collect()
    }

    /// How promising programs are by their latent vectors.
    fn scores(&self, found: &[Proposal]) -> Result<Vec<f64>> {
        if let (Some(fitted), ChoiceName::Improvement) = (self.fitted, self.configuration.choice) {
            let programs: Vec<&[u8]> = found.iter().map(|p| p.program.as_slice()).collect();
            let codes = self.learner.encode(&programs)?;
            let improvement = |code| {
                let (mean, deviation) = fitted.predict(code);
                expected_improvement(mean, deviation, self.best)
            };
            return Ok(codes.rows().map(improvement).collect());
        }
        let expected = |proposal: &Proposal| proposal.predicted.unwrap_or(f64::NEG_INFINITY);
        Ok(found.iter().map(expected).collect())
    }
}

/// Sorts what was judged.
fn most_promising_first(judged: &mut [(f64, Proposal)]) {
    judged.sort_by(|(a, _), (b, _)| b.total_cmp(a));
}

/// Where a program comes from that is one edit away from one that was found.
fn refined(origin: &Origin) -> Origin {
    match *origin {
        Origin::Climbed { from, .. } | Origin::Edited { from } => Origin::Refined {
            from: Some(from),
            edits: 1,
        },
        Origin::Refined { from, edits } => Origin::Refined {
            from,
            edits: edits + 1,
        },
        Origin::Random | Origin::Other { .. } => Origin::Refined {
            from: None,
            edits: 1,
        },
    }
}

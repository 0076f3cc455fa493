//! The random programs that the auto-encoder learns from.

use std::collections::{HashMap, HashSet};

use rand::RngExt;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::configuration::AutosnapConfiguration;
use super::error::{Result, SearchError};
use super::model::Lesson;
use super::parts::Parts;
use super::space::{self, Key, ProgramSpace};
use super::spellings::Spellings;

/// Random programs: those the model learns from, and those it is measured on.
pub(super) struct Pool {
    training: Vec<Vec<u8>>,
    pub(super) training_keys: HashSet<Key>,
    pub(super) held_out: Vec<Vec<u8>>,
    /// Those of the programs to learn from, if some are to be read in another.
    pub(super) spellings: Spellings,
    /// The descriptions of the first programs to learn from, one row each; see [`DESCRIBED`].
    descriptions: Vec<f32>,
    pub(super) parts: usize,
}

/// Of how many programs of the pool the parts are learnt: finding them costs more than the rest.
const DESCRIBED: usize = 4096;

impl Pool {
    /// Draws distinct programs and sets some apart: none of those the model learns from is equal to
    /// one that was set apart. In a small space fewer are drawn.
    pub(super) fn draw(
        space: &dyn ProgramSpace,
        configuration: &AutosnapConfiguration,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self> {
        let settings = &configuration.pretraining;
        let wanted = settings.programs.saturating_add(settings.held_out);
        let mut seen = HashSet::new();
        let mut programs = Vec::new();
        let mut in_vain = 0;
        while programs.len() < wanted && in_vain < 1000 {
            let Some(program) = space::random_program(space, rng) else {
                break;
            };
            in_vain += 1;
            if seen.insert(program.clone()) {
                programs.push(program);
                in_vain = 0;
            }
        }
        let (mut held_out, training) = set_apart(programs, settings.held_out);
        let held_out_keys = keys(space, &held_out);
        let their_keys = keys(space, &training);
        let never_seen: HashSet<Key> = held_out_keys.iter().copied().collect();
        let others = training.into_iter().zip(their_keys);
        let others = others.filter(|(_, key)| !never_seen.contains(key));
        let (mut training, mut training_keys): (Vec<Vec<u8>>, Vec<Key>) = others.unzip();
        if training.is_empty() {
            // Too few distinct programs to set any apart.
            training.append(&mut held_out);
            training_keys = held_out_keys;
        }
        if training.is_empty() {
            return Err(SearchError::Space("it has no valid program".to_owned()));
        }
        let spellings = match configuration.model.respelled > 0.0 {
            true => Spellings::of(training.iter().zip(training_keys.iter().copied())),
            false => Spellings::default(),
        };
        let mut pool = Self {
            training,
            training_keys: training_keys.into_iter().collect(),
            held_out,
            spellings,
            descriptions: Vec::new(),
            parts: 0,
        };
        if configuration.model.parts > 0 {
            pool.describe(space, configuration.model.parts);
        }
        Ok(pool)
    }

    fn describe(&mut self, space: &dyn ProgramSpace, most: usize) {
        let described = self.training.par_iter().take(DESCRIBED);
        let described: Vec<Vec<u64>> = described.map(|program| space.parts(program)).collect();
        let parts = Parts::of(&described, most);
        self.parts = parts.len();
        let rows = described.par_iter().map(|program| parts.describe(program));
        self.descriptions = rows.collect::<Vec<_>>().concat();
    }

    /// Fills a batch up with random programs: half of them, or all that there are, with their parts.
    pub(super) fn fill_up<'a>(
        &'a self,
        lessons: &mut Vec<Lesson<'a>>,
        batch: usize,
        rng: &mut ChaCha8Rng,
    ) {
        let missing = batch.saturating_sub(lessons.len());
        let described = self.descriptions.len() / self.parts.max(1);
        let plain = match described {
            0 => missing,
            _ if described == self.training.len() => 0,
            _ => missing / 2,
        };
        for place in draw(self.training.len(), plain, rng) {
            lessons.push(Lesson {
                program: &self.training[place],
                target: &self.training[place],
                value: None,
                parts: None,
            });
        }
        if described == 0 {
            return;
        }
        for place in draw(described, missing - plain, rng) {
            lessons.push(Lesson {
                program: &self.training[place],
                target: &self.training[place],
                value: None,
                parts: Some(&self.descriptions[place * self.parts..][..self.parts]),
            });
        }
    }
}

/// Sets the first `wanted` of some programs apart from the others, but at most a fifth of those of each length:
/// there are few short programs, and a model that never saw one has not learnt where they end.
fn set_apart(programs: Vec<Vec<u8>>, wanted: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut allowed: HashMap<usize, usize> = HashMap::new();
    for program in &programs {
        *allowed.entry(program.len()).or_default() += 1;
    }
    allowed.values_mut().for_each(|count| *count /= 5);
    let mut left = wanted;
    programs.into_iter().partition(|program| {
        let chosen = match allowed.get_mut(&program.len()) {
            Some(allowed) if left > 0 && *allowed > 0 => {
                *allowed -= 1;
                true
            }
            _ => false,
        };
        left -= usize::from(chosen);
        chosen
    })
}

/// The keys of programs, computed on all threads.
fn keys(space: &dyn ProgramSpace, programs: &[Vec<u8>]) -> Vec<Key> {
    programs.par_iter().map(|it| space.key(it)).collect()
}

/// Places among `from`: distinct while there are enough.
pub(super) fn draw(from: usize, count: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    if count <= from {
        return index::sample(rng, from, count).into_vec();
    }
    (0..count).map(|_| rng.random_range(0..from)).collect()
}

#[cfg(test)]
mod tests {
    use super::set_apart;

    #[test]
    fn at_most_a_fifth_of_each_length_is_set_apart() {
        let of_length = |length: usize, count: u8| (0..count).map(move |it| vec![it; length]);
        let programs: Vec<Vec<u8>> = of_length(2, 10).chain(of_length(5, 100)).collect();
        let lengths = |programs: &[Vec<u8>], length: usize| {
            programs.iter().filter(|it| it.len() == length).count()
        };
        for (wanted, short, long) in [(0, 0, 0), (1, 1, 0), (12, 2, 10), (1000, 2, 20)] {
            let (held_out, training) = set_apart(programs.clone(), wanted);
            assert_eq!(
                (lengths(&held_out, 2), lengths(&held_out, 5)),
                (short, long)
            );
            assert_eq!(held_out.len() + training.len(), programs.len());
            assert!(held_out.iter().all(|program| !training.contains(program)));
        }
        let (held_out, _) = set_apart(of_length(3, 4).collect(), 4);
        assert!(held_out.is_empty(), "a fifth of four is none");
    }
}

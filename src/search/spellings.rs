//! The spellings of programs: by the laws, several strings of symbols may be one program.
//!
//! The encoder can learn so from examples: it reads any of them, and the decoder is to write the same one
//! for all.

use std::collections::HashMap;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::model::Lesson;
use super::space::Key;

/// The programs of a pool that have other spellings there.
#[derive(Default)]
pub(super) struct Spellings {
    /// The spellings of each program, the canonical one first: the shortest, and of those the first in
    /// the order of the opcodes.
    groups: Vec<Vec<Vec<u8>>>,
    /// The group of a spelling.
    places: HashMap<Vec<u8>, usize>,
}

impl Spellings {
    /// Those among distinct programs, each with its key.
    pub(super) fn of<'a>(programs: impl Iterator<Item = (&'a Vec<u8>, Key)>) -> Self {
        let mut by_key: HashMap<Key, Vec<Vec<u8>>> = HashMap::new();
        for (program, key) in programs {
            by_key.entry(key).or_default().push(program.clone());
        }
        let mut groups: Vec<Vec<Vec<u8>>> = by_key.into_values().collect();
        groups.retain(|group| group.len() > 1);
        let mut places = HashMap::new();
        for (place, group) in groups.iter_mut().enumerate() {
            group.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
            places.extend(group.iter().map(|spelling| (spelling.clone(), place)));
        }
        Self { groups, places }
    }

    /// Makes the decoder learn the canonical spelling of a lesson's program; with a probability of `share` the
    /// encoder reads another one, else the same. Nothing changes for a program of which no other
    /// spelling is known.
    pub(super) fn respell<'a>(&'a self, lesson: &mut Lesson<'a>, share: f64, rng: &mut ChaCha8Rng) {
        let Some([canonical, others @ ..]) = self.group(lesson.program) else {
            return;
        };
        lesson.target = canonical;
        lesson.program = match rng.random::<f64>() < share {
            true => &others[rng.random_range(0..others.len())],
            false => canonical,
        };
    }

    fn group(&self, program: &[u8]) -> Option<&[Vec<u8>]> {
        let place = self.places.get(program)?;
        Some(&self.groups[*place])
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn all_spellings_are_read_and_the_shortest_is_written() {
        let programs: Vec<Vec<u8>> = vec![vec![3, 1], vec![2], vec![1, 3], vec![0, 0, 0]];
        let keys = [7, 8, 7, 7].map(Key);
        let spellings = Spellings::of(programs.iter().zip(keys));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut respelled = |program, share| {
            let mut lesson = Lesson {
                program,
                target: program,
                value: None,
                parts: None,
            };
            spellings.respell(&mut lesson, share, &mut rng);
            (lesson.program.to_vec(), lesson.target.to_vec())
        };
        let canonical = vec![1, 3];
        for program in [0, 2, 3] {
            let own = respelled(&programs[program], 0.0);
            assert_eq!(own, (canonical.clone(), canonical.clone()));
        }
        let mut read: Vec<Vec<u8>> = (0..50).map(|_| respelled(&programs[2], 1.0).0).collect();
        read.sort();
        read.dedup();
        assert_eq!(read, [vec![0, 0, 0], vec![3, 1]]);
        let alone = respelled(&programs[1], 1.0);
        assert_eq!(alone, (vec![2], vec![2]));
        let unknown = respelled(&[9], 1.0);
        assert_eq!(unknown, (vec![9], vec![9]));
    }
}

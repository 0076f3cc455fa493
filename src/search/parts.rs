//! What programs are made of, as numbers that a linear layer can learn from.
//!
//! What a program is worth depends on its parts: which layers it has, and what they read. These cost
//! nothing to know, so the auto-encoder learns to tell them from the latent vector, long before
//! anything is measured. Programs with the same parts then lie together, whatever their spelling.

use std::collections::HashMap;

/// The parts that a model tells from a latent vector.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    places: HashMap<u64, usize>,
    mean: Vec<f64>,
    scale: f64,
}

impl Parts {
    /// At most `most` of the parts that these programs have: those that tell programs apart best,
    /// which is those of the largest variance.
    pub fn of(programs: &[Vec<u64>], most: usize) -> Self {
        let mut all: Vec<u64> = programs.iter().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        let everything = Self::new(&all);
        let (mean, variance) = everything.moments(programs);
        let mut order: Vec<usize> = (0..all.len()).filter(|&i| variance[i] > 0.0).collect();
        order.sort_by(|&a, &b| variance[b].total_cmp(&variance[a]).then(a.cmp(&b)));
        order.truncate(most);
        let chosen: Vec<u64> = order.iter().map(|&i| all[i]).collect();
        let total: f64 = order.iter().map(|&i| variance[i]).sum();
        Self {
            mean: order.iter().map(|&i| mean[i]).collect(),
            scale: if total > 0.0 { 1.0 / total.sqrt() } else { 1.0 },
            ..Self::new(&chosen)
        }
    }

    fn new(parts: &[u64]) -> Self {
        Self {
            places: parts.iter().copied().zip(0..).collect(),
            mean: vec![0.0; parts.len()],
            scale: 1.0,
        }
    }

    /// How many parts there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// How often a program has each part, as a vector of length one; then centred, and scaled so that
    /// over the programs the parts were chosen from all variances add up to one.
    pub fn describe(&self, program: &[u64]) -> Vec<f32> {
        let mut numbers = vec![0.0; self.len()];
        for (place, share) in self.shares(program) {
            numbers[place] += share;
        }
        let numbers = numbers.iter().zip(&self.mean);
        numbers
            .map(|(number, mean)| ((number - mean) * self.scale) as f32)
            .collect()
    }

    /// The places of the parts of a program, each occurrence with its share of the length. Parts
    /// that are not looked at count for the length.
    fn shares(&self, program: &[u64]) -> impl Iterator<Item = (usize, f64)> {
        let mut sorted = program.to_vec();
        sorted.sort_unstable();
        let squares = sorted.chunk_by(|a, b| a == b).map(|run| run.len().pow(2));
        let length = (squares.sum::<usize>() as f64).sqrt();
        let places = sorted.into_iter().filter_map(|part| self.places.get(&part));
        let places: Vec<usize> = places.copied().collect();
        places.into_iter().map(move |place| (place, 1.0 / length))
    }

    fn moments(&self, programs: &[Vec<u64>]) -> (Vec<f64>, Vec<f64>) {
        let count = programs.len().max(1) as f64;
        let mut sums = vec![0.0; self.len()];
        let mut squares = vec![0.0; self.len()];
        for program in programs {
            let mut shares: Vec<(usize, f64)> = self.shares(program).collect();
            shares.sort_by_key(|share| share.0);
            for run in shares.chunk_by(|a, b| a.0 == b.0) {
                let number = run[0].1 * run.len() as f64;
                sums[run[0].0] += number / count;
                squares[run[0].0] += number * number / count;
            }
        }
        let variance = squares.iter().zip(&sums).map(|(s, m)| (s - m * m).max(0.0));
        let variance = variance.collect();
        (sums, variance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_all_programs_share_tell_nothing() {
        let programs = [vec![1, 2], vec![1, 3], vec![1, 2], vec![1, 3]];
        let parts = Parts::of(&programs, 10);
        assert_eq!(parts.len(), 2);
        assert_eq!(Parts::of(&programs, 1).len(), 1);
        assert_eq!(Parts::of(&[vec![1], vec![1]], 10).len(), 0);
    }

    #[test]
    fn descriptions_are_centred_and_of_unit_variance_in_all() {
        let programs = [vec![1, 2, 2], vec![3], vec![1, 4], vec![2, 4, 4]];
        let parts = Parts::of(&programs, 10);
        let rows: Vec<Vec<f32>> = programs.iter().map(|p| parts.describe(p)).collect();
        let mean = |place: usize| rows.iter().map(|row| row[place]).sum::<f32>() / 4.0;
        assert!((0..parts.len()).all(|place| mean(place).abs() < 1e-6));
        let total: f32 = rows
            .iter()
            .flatten()
            .map(|number| number * number / 4.0)
            .sum();
        assert!((total - 1.0).abs() < 1e-5);
        assert_eq!(
            parts.describe(&[2, 1, 2]),
            rows[0],
            "the order means nothing"
        );
    }
}

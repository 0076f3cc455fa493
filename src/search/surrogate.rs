//! What programs are worth by their parts: a Gaussian process over all that was measured.
//!
//! How alike two programs are is the cosine of how often they have each [part](super::parts): the kernel
//! of Weisfeiler and Lehman (Shervashidze et al., JMLR 2011), whose Gaussian process tells well what a
//! network is worth from few results (Ru et al., ICLR 2021). It is exact for every program, since parts
//! are counted, not learnt; but it has no direction to go. The latent space has one.

use std::collections::HashMap;

use rayon::prelude::*;

use super::cholesky::{Cholesky, dot};
use super::judge::Posterior;

/// How often a program has each of its parts, as a vector of length one: the parts that it has, in
/// ascending order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    shares: Vec<(u64, f64)>,
}

impl Description {
    /// The description of a program with these parts, each as often as it occurs.
    pub fn of(parts: &[u64]) -> Self {
        let mut sorted = parts.to_vec();
        sorted.sort_unstable();
        let counts = sorted.chunk_by(|a, b| a == b);
        let mut shares: Vec<(u64, f64)> = counts.map(|run| (run[0], run.len() as f64)).collect();
        let squares = shares.iter().map(|(_, count)| count * count);
        let length = squares.sum::<f64>().sqrt();
        shares.iter_mut().for_each(|(_, share)| *share /= length);
        Self { shares }
    }
}

/// The programs that were measured, by their parts.
struct Index {
    programs: HashMap<u64, Vec<(usize, f64)>>,
    count: usize,
}

impl Index {
    fn of<'a>(known: impl Iterator<Item = &'a Description>) -> Self {
        let mut programs: HashMap<u64, Vec<(usize, f64)>> = HashMap::new();
        let mut count = 0;
        for description in known {
            for (part, share) in &description.shares {
                programs.entry(*part).or_default().push((count, *share));
            }
            count += 1;
        }
        Self { programs, count }
    }

    /// The cosines between a program and all that are known.
    fn similarities(&self, program: &Description) -> Vec<f64> {
        let mut cosines = vec![0.0; self.count];
        for (part, share) in &program.shares {
            for (place, other) in self.programs.get(part).into_iter().flatten() {
                cosines[*place] += share * other;
            }
        }
        cosines
    }
}

/// The value of programs, as far as those that were measured determine it.
///
/// A value is a constant, plus a linear function of the description, whose weights have a normal prior,
/// plus noise. Descriptions are centred on the mean of those that were measured. The evidence, that of the values
/// once the constant is taken from them (Patterson and Thompson, Biometrika 1971), chooses how strong the prior is
/// (MacKay 1992); the variance of the noise has its best value in closed form.
pub struct Surrogate {
    index: Index,
    /// For each known program its mean cosine with all of them, and the mean of these.
    means: Vec<f64>,
    mean: f64,
    /// The mean of the values.
    offset: f64,
    /// The variance of the prior in units of that of the noise.
    strength: f64,
    /// The standard deviation of the noise.
    noise: f64,
    /// The factor of the covariance of the values, in units of the variance of the noise.
    covariance: Cholesky,
    /// The inverse of the covariance times the centred values.
    weights: Vec<f64>,
}

/// Strengths of the prior among which the evidence chooses, as powers of the square root of ten: first
/// among every second of them, then among the neighbours of the best.
const STRENGTHS: [i32; 7] = [-6, -4, -2, 0, 2, 4, 6];

/// A strength, with what is to be known of it.
struct Fit {
    evidence: f64,
    strength: f64,
    noise: f64,
    covariance: Cholesky,
    weights: Vec<f64>,
}

impl Surrogate {
    /// Fits descriptions to values, one each. Nothing if there is no value, no program has a part, or a value
    /// is not finite.
    pub fn fit(known: &[&Description], values: &[f64]) -> Option<Self> {
        let count = known.len();
        let says_nothing = known.iter().all(|it| it.shares.is_empty());
        if says_nothing || values.len() != count || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let index = Index::of(known.iter().copied());
        let similarities = known.par_iter().map(|it| index.similarities(it));
        let rows: Vec<Vec<f64>> = similarities.collect();
        let means: Vec<f64> = rows.iter().map(|row| mean_of(row)).collect();
        let mean = mean_of(&means);
        let mut gram = Vec::with_capacity(count * count);
        for (row, own) in rows.iter().zip(&means) {
            let entries = row.iter().zip(&means);
            gram.extend(entries.map(|(entry, other)| entry - own - other + mean));
        }
        let offset = mean_of(values);
        let values: Vec<f64> = values.iter().map(|value| value - offset).collect();

        let fits = |exponents: &[i32]| {
            let fits = exponents
                .par_iter()
                .filter_map(|exponent| Some((*exponent, Fit::new(&gram, &values, *exponent)?)));
            let fits: Vec<(i32, Fit)> = fits.collect();
            let fits = fits.into_iter();
            fits.max_by(|a, b| a.1.evidence.total_cmp(&b.1.evidence))
        };
        let (exponent, coarse) = fits(&STRENGTHS)?;
        let best = match fits(&[exponent - 1, exponent + 1]) {
            Some((_, fine)) if fine.evidence > coarse.evidence => fine,
            _ => coarse,
        };
        Some(Self {
            index,
            means,
            mean,
            offset,
            strength: best.strength,
            noise: best.noise,
            covariance: best.covariance,
            weights: best.weights,
        })
    }

    /// The cosines between a program and all that were measured, descriptions being centred; and the
    /// square of its own length.
    fn centred(&self, program: &Description) -> (Vec<f64>, f64) {
        let mut cosines = self.index.similarities(program);
        let mean = mean_of(&cosines);
        let own = if program.shares.is_empty() { 0.0 } else { 1.0 };
        let square = own - 2.0 * mean + self.mean;
        for (cosine, other) in cosines.iter_mut().zip(&self.means) {
            *cosine += self.mean - mean - other;
        }
        (cosines, square)
    }

    fn expectation(&self, cosines: &[f64]) -> f64 {
        self.offset + self.strength * dot(cosines, &self.weights)
    }
}

impl Posterior for Surrogate {
    type Input = Description;

    fn expected(&self, program: &Description) -> f64 {
        self.expectation(&self.centred(program).0)
    }

    fn predict(&self, program: &Description) -> (f64, f64) {
        let (cosines, square) = self.centred(program);
        let half = self.covariance.solve_lower(&cosines);
        let known = self.strength * dot(&half, &half);
        let variance = self.strength * (square - known).max(0.0);
        (self.expectation(&cosines), self.noise * variance.sqrt())
    }
}

impl Fit {
    fn new(gram: &[f64], values: &[f64], exponent: i32) -> Option<Self> {
        let count = values.len();
        let strength = 10f64.powf(f64::from(exponent) / 2.0);
        let mut covariance: Vec<f64> = gram.iter().map(|entry| strength * entry).collect();
        (0..count).for_each(|row| covariance[row * (count + 1)] += 1.0);
        let covariance = Cholesky::new(covariance, count)?;
        let half = covariance.solve_lower(values);
        let square = dot(values, values).max(f64::MIN_POSITIVE);
        // The constant took one degree of freedom. Counting it again would make the evidence rise with the strength
        // without end.
        let degrees = count.saturating_sub(1).max(1) as f64;
        let variance = dot(&half, &half).max(1e-9 * square) / degrees;
        let evidence = -0.5 * (degrees * variance.ln() + covariance.log_determinant());
        evidence.is_finite().then(|| Self {
            evidence,
            strength,
            noise: variance.sqrt(),
            weights: covariance.solve_upper(&half),
            covariance,
        })
    }
}

fn mean_of(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    /// Programs of parts 0 to 7, worth the share of their parts that are 3.
    fn programs(count: usize) -> (Vec<Description>, Vec<f64>) {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let program = |_| -> Vec<u64> { (0..10).map(|_| rng.random_range(0..8)).collect() };
        let programs: Vec<Vec<u64>> = (0..count).map(program).collect();
        let value = |parts: &Vec<u64>| parts.iter().filter(|part| **part == 3).count() as f64;
        let values = programs.iter().map(value).collect();
        (
            programs.iter().map(|it| Description::of(it)).collect(),
            values,
        )
    }

    #[test]
    fn a_value_that_follows_from_the_parts_is_found() {
        let (descriptions, values) = programs(100);
        let known: Vec<&Description> = descriptions[..60].iter().collect();
        let surrogate = Surrogate::fit(&known, &values[..60]).unwrap();
        for (description, value) in descriptions[60..].iter().zip(&values[60..]) {
            let (expected, deviation) = surrogate.predict(description);
            assert!((expected - value).abs() < 1.0, "{expected} for {value}");
            assert!(deviation < 1.0, "{deviation}");
        }
    }

    #[test]
    fn the_evidence_has_a_bound() {
        // Six programs that share nothing: whatever their values, a stronger prior explains them no better.
        let gram: Vec<f64> = (0..36)
            .map(|place| f64::from(u8::from(place % 7 == 0)) - 1.0 / 6.0)
            .collect();
        let values = [1.0, -2.0, 0.5, 0.5, -1.0, 1.0];
        let evidence = |exponent| Fit::new(&gram, &values, exponent).unwrap().evidence;
        assert!((evidence(12) - evidence(10)).abs() < 1e-4);
    }

    #[test]
    fn doubt_is_small_where_much_was_measured() {
        let (descriptions, values) = programs(60);
        let known: Vec<&Description> = descriptions.iter().collect();
        let surrogate = Surrogate::fit(&known, &values).unwrap();
        let (_, known) = surrogate.predict(&descriptions[0]);
        let (_, strange) = surrogate.predict(&Description::of(&[100, 101]));
        assert!(strange > 3.0 * known, "{strange} and {known}");
    }

    #[test]
    fn a_program_is_like_itself_and_unlike_what_shares_nothing_with_it() {
        let known = [Description::of(&[5, 1, 5, 2]), Description::of(&[9])];
        let index = Index::of(known.iter());
        let cosines = index.similarities(&Description::of(&[1, 2, 5, 5]));
        assert!((cosines[0] - 1.0).abs() < 1e-12);
        assert_eq!(cosines[1], 0.0);
    }

    #[test]
    fn nothing_is_fitted_to_nothing() {
        assert!(Surrogate::fit(&[], &[]).is_none());
        assert!(Surrogate::fit(&[&Description::default()], &[1.0]).is_none());
        let known = [&Description::of(&[1]), &Description::of(&[2])];
        assert!(Surrogate::fit(&known, &[1.0, f64::NAN]).is_none());
        assert!(Surrogate::fit(&known, &[1.0, 1.0]).is_some());
    }
}

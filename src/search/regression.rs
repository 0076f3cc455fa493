//! Bayesian linear regression: the value layer in closed form.
//!
//! With a normal prior on the weights, what the values say of them is again a normal distribution
//! (Bishop 2006, section 3.3), exact after every result and without a learning rate. How strong the
//! prior is, is chosen by the evidence of the values (MacKay 1992), once their mean is taken from them (Patterson and
//! Thompson, Biometrika 1971): one number, since the variance of the noise has its best value in closed form.

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::cholesky::{Cholesky, dot};
use super::judge::Posterior;
use super::model::normals;

/// The weights of a linear layer, as far as the values so far determine them.
///
/// Codes are centred on their mean and turned by the prior: a weight vector `w` of the codes is
/// `R v`, where `R Rᵀ` is the prior's covariance and `v` has the identity for its prior, up to scale.
#[derive(Clone, Debug)]
pub struct Regression {
    /// The factor `R` of the prior's covariance.
    prior: Cholesky,
    /// The mean of the codes.
    centre: Vec<f64>,
    /// The mean of the values.
    offset: f64,
    /// The factor of the posterior's precision over `v`, in units of the noise.
    precision: Cholesky,
    /// The mean of `v`.
    mean: Vec<f64>,
    /// The standard deviation of the noise.
    noise: f64,
}

/// Strengths of the prior, in units of the noise, among which the evidence chooses: powers of the
/// square root of ten.
const STRENGTHS: std::ops::RangeInclusive<i32> = -8..=6;

impl Regression {
    /// Fits codes to values; `prior` is the covariance of the weights before anything was measured.
    /// Nothing if there is no example, or the numbers are not finite.
    pub fn fit<'a>(
        codes: impl Iterator<Item = &'a [f32]> + Clone,
        values: &[f64],
        prior: Cholesky,
    ) -> Option<Self> {
        let size = prior.size();
        let count = values.len() as f64;
        if values.is_empty() {
            return None;
        }
        let mut centre = vec![0.0; size];
        for code in codes.clone() {
            for (sum, number) in centre.iter_mut().zip(code) {
                *sum += f64::from(*number) / count;
            }
        }
        let offset = values.iter().sum::<f64>() / count;
        let mut squares = vec![0.0; size * size];
        let mut products = vec![0.0; size];
        for (code, value) in codes.zip(values) {
            let turned = turned(&prior, code, &centre);
            for (row, number) in turned.iter().enumerate() {
                for (sum, other) in squares[row * size..][..=row].iter_mut().zip(&turned) {
                    *sum += number * other;
                }
                products[row] += number * (value - offset);
            }
        }
        let square: f64 = values.iter().map(|value| (value - offset).powi(2)).sum();
        // The constant took one degree of freedom. Counting it again would make the evidence rise without end as the
        // prior gets weaker.
        let degrees = (count - 1.0).max(1.0);
        let candidates = STRENGTHS.into_par_iter().filter_map(|exponent| {
            let strength = 10f64.powf(f64::from(exponent) / 2.0);
            let mut matrix = squares.clone();
            (0..size).for_each(|row| matrix[row * (size + 1)] += strength);
            let precision = Cholesky::new(matrix, size)?;
            let half = precision.solve_lower(&products);
            let misfit = (square - dot(&half, &half)).max(1e-9 * square.max(1e-9));
            let evidence = -0.5
                * (degrees * (misfit / degrees).ln() + precision.log_determinant()
                    - size as f64 * strength.ln());
            let mean = precision.solve_upper(&half);
            evidence
                .is_finite()
                .then_some((evidence, precision, mean, (misfit / degrees).sqrt()))
        });
        let candidates: Vec<_> = candidates.collect();
        let best = candidates.into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
        let (_, precision, mean, noise) = best?;
        Some(Self {
            prior,
            centre,
            offset,
            precision,
            mean,
            noise,
        })
    }

    /// The mean of the weights, and the constant that belongs to them.
    pub fn layer(&self) -> (Vec<f64>, f64) {
        let weights = self.prior.times(&self.mean);
        let constant = self.offset - dot(&weights, &self.centre);
        (weights, constant)
    }

    /// Weights drawn from what the values leave open (Thompson 1933).
    pub fn sample(&self, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let drawn: Vec<f64> = normals(self.mean.len(), 1.0, rng)
            .into_iter()
            .map(f64::from)
            .collect();
        let mut weights = self.precision.solve_upper(&drawn);
        for (weight, mean) in weights.iter_mut().zip(&self.mean) {
            *weight = mean + self.noise * *weight;
        }
        self.prior.times(&weights)
    }

    /// The same model with the same prior, fitted to other codes and values.
    pub fn refit<'a>(
        &self,
        codes: impl Iterator<Item = &'a [f32]> + Clone,
        values: &[f64],
    ) -> Option<Self> {
        Self::fit(codes, values, self.prior.clone())
    }
}

impl Posterior for Regression {
    type Input = [f32];

    fn expected(&self, code: &[f32]) -> f64 {
        self.offset + dot(&turned(&self.prior, code, &self.centre), &self.mean)
    }

    fn predict(&self, code: &[f32]) -> (f64, f64) {
        let turned = turned(&self.prior, code, &self.centre);
        let half = self.precision.solve_lower(&turned);
        let deviation = self.noise * dot(&half, &half).sqrt();
        (self.offset + dot(&turned, &self.mean), deviation)
    }
}

fn turned(prior: &Cholesky, code: &[f32], centre: &[f64]) -> Vec<f64> {
    let numbers = code.iter().zip(centre);
    let centred: Vec<f64> = numbers.map(|(z, mean)| f64::from(*z) - mean).collect();
    prior.transposed_times(&centred)
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn identity(size: usize) -> Cholesky {
        let matrix = (0..size * size).map(|place| f64::from(u8::from(place % (size + 1) == 0)));
        Cholesky::new(matrix.collect(), size).unwrap()
    }

    #[test]
    fn a_linear_value_is_found_and_doubt_grows_away_from_the_examples() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let codes: Vec<Vec<f32>> = (0..40).map(|_| normals(6, 1.0, &mut rng)).collect();
        let value = |code: &[f32]| f64::from(3.0 * code[0] - 2.0 * code[4]) + 7.0;
        let values: Vec<f64> = codes.iter().map(|code| value(code)).collect();
        let rows = codes.iter().map(Vec::as_slice);
        let fitted = Regression::fit(rows, &values, identity(6)).unwrap();
        let (weights, constant) = fitted.layer();
        assert!((weights[0] - 3.0).abs() < 0.01 && (weights[4] + 2.0).abs() < 0.01);
        assert!((constant - 7.0).abs() < 0.01);
        let far = [0.0, 9.0, 0.0, 0.0, 0.0, 0.0];
        assert!((fitted.predict(&far).0 - 7.0).abs() < 0.1);
        assert!(fitted.predict(&far).1 > 3.0 * fitted.predict(&[0.0; 6]).1);
    }

    #[test]
    fn sampled_weights_scatter_around_their_mean() {
        let codes: [&[f32]; 3] = [&[1.0, 0.0], &[-1.0, 0.1], &[0.5, 0.0]];
        let fitted = Regression::fit(codes.into_iter(), &[1.0, -0.8, 0.6], identity(2)).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let draws: Vec<f64> = (0..2000).map(|_| fitted.sample(&mut rng)[0]).collect();
        let mean = draws.iter().sum::<f64>() / 2000.0;
        assert!((mean - fitted.layer().0[0]).abs() < 0.02);
    }

    #[test]
    fn values_that_codes_say_nothing_of_are_noise() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..20 {
            let codes: Vec<Vec<f32>> = (0..30).map(|_| normals(40, 1.0, &mut rng)).collect();
            let values = normals(30, 1.0, &mut rng).into_iter().map(f64::from);
            let rows = codes.iter().map(Vec::as_slice);
            let values: Vec<f64> = values.collect();
            let fitted = Regression::fit(rows, &values, identity(40)).unwrap();
            assert!(fitted.noise > 0.1, "{}", fitted.noise);
        }
    }

    #[test]
    fn nothing_is_fitted_to_nothing() {
        assert!(Regression::fit(std::iter::empty(), &[], identity(2)).is_none());
        let codes: [&[f32]; 1] = [&[f32::NAN, 0.0]];
        assert!(Regression::fit(codes.into_iter(), &[1.0], identity(2)).is_none());
    }
}

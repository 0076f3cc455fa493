//! What judges programs that were not measured: what is expected of them, and how sure that is.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A model of the value that knows how sure it is.
pub trait Posterior {
    /// What it judges by.
    type Input: ?Sized;

    /// The expected value.
    fn expected(&self, input: &Self::Input) -> f64;

    /// The expected value, and the standard deviation of that expectation.
    fn predict(&self, input: &Self::Input) -> (f64, f64);
}

/// A model of the value fitted to all results, with an ensemble of the same model fitted to resamples
/// of them, or without one.
pub struct Judge<M> {
    model: M,
    ensemble: Vec<M>,
}

impl<M: Posterior> Judge<M> {
    /// A model with its ensemble. Of fewer than two members nothing is told, so then the posterior
    /// counts.
    pub fn new(model: M, ensemble: Vec<M>) -> Self {
        Self { model, ensemble }
    }

    /// The model fitted to all results.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The expected value, and its standard deviation: by the posterior of the model, or among the
    /// members of the ensemble.
    pub fn predict(&self, input: &M::Input) -> (f64, f64) {
        if self.ensemble.len() < 2 {
            return self.model.predict(input);
        }
        let values = self.ensemble.iter().map(|member| member.expected(input));
        let values: Vec<f64> = values.collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean).powi(2));
        let variance = squares.sum::<f64>() / (count - 1.0);
        (self.model.expected(input), variance.sqrt())
    }
}

/// Resamples of `count` results (Efron 1979): as many places each, drawn with replacement.
pub fn resamples(number: usize, count: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<usize>> {
    let mut resample = || (0..count).map(|_| rng.random_range(0..count)).collect();
    (0..number).map(|_| resample()).collect()
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    /// Expects the mean of its results of everything.
    struct Mean(f64);

    impl Mean {
        fn of(results: &[f64], places: &[usize]) -> Self {
            let sum: f64 = places.iter().map(|&place| results[place]).sum();
            Self(sum / places.len() as f64)
        }
    }

    impl Posterior for Mean {
        type Input = ();

        fn expected(&self, (): &()) -> f64 {
            self.0
        }

        fn predict(&self, (): &()) -> (f64, f64) {
            (self.0, -1.0)
        }
    }

    #[test]
    fn the_deviation_among_resamples_is_that_of_the_mean() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let results: Vec<f64> = (0..100).map(|number| f64::from(number % 10)).collect();
        let all: Vec<usize> = (0..100).collect();
        let judge = |resamples: &[Vec<usize>]| {
            let members = resamples.iter().map(|places| Mean::of(&results, places));
            Judge::new(Mean::of(&results, &all), members.collect())
        };
        let (expected, deviation) = judge(&resamples(400, 100, &mut rng)).predict(&());
        assert!((expected - 4.5).abs() < 1e-9);
        // The standard error of the mean of a hundred, by the formula.
        let error = (33.0f64 / 4.0 / 100.0).sqrt();
        assert!((deviation - error).abs() < 0.1 * error, "{deviation}");
        assert_eq!(judge(&[]).predict(&()), (4.5, -1.0));
    }
}

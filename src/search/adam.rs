//! The optimiser of the auto-encoder.

use rayon::prelude::*;

use crate::backend::kernels::vectorise::vectorised;

/// Adam (Kingma and Ba, ICLR 2015, arXiv 1412.6980, algorithm 1) with the published constants and
/// the gradient's norm limited (Pascanu et al., ICML 2013).
///
/// It works in place, and its state is plain numbers that can be saved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adam {
    /// Steps taken.
    pub steps: u64,
    /// The running mean of the gradient, for each parameter.
    pub first: Vec<Vec<f32>>,
    /// The running mean of the squared gradient, for each parameter.
    pub second: Vec<Vec<f32>>,
}

const FIRST_DECAY: f32 = 0.9;
const SECOND_DECAY: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// How many numbers a task of the thread pool changes.
const SHARE: usize = 1 << 15;

/// What all numbers of a step have in common.
#[derive(Clone, Copy)]
struct Factors {
    /// What shortens the gradient.
    scale: f32,
    /// The learning rate, corrected for the first moment's start at zero.
    rate: f32,
    /// The correction of the second moment.
    correction: f32,
}

impl Adam {
    /// The state before the first step over parameters with so many numbers.
    pub fn new(sizes: impl Iterator<Item = usize>) -> Self {
        let zeros: Vec<Vec<f32>> = sizes.map(|size| vec![0.0; size]).collect();
        Self {
            steps: 0,
            first: zeros.clone(),
            second: zeros,
        }
    }

    /// One step over the parameters the state was made for, each with its gradient.
    pub fn step<'a>(
        &mut self,
        parameters: Vec<(&'a mut [f32], &'a [f32])>,
        learning_rate: f64,
        largest_norm: f64,
    ) {
        let squares = parameters.iter().map(|(_, it)| sum_of_squares(it));
        let norm = squares.sum::<f64>().sqrt();
        self.steps += 1;
        let steps = self.steps as f64;
        let first_correction = 1.0 - f64::from(FIRST_DECAY).powf(steps);
        let factors = Factors {
            scale: (largest_norm / (norm + 1e-6)).min(1.0) as f32,
            rate: (learning_rate / first_correction) as f32,
            correction: (1.0 - f64::from(SECOND_DECAY).powf(steps)) as f32,
        };
        let moments = self.first.par_iter_mut().zip(&mut self.second);
        let parameters = parameters.into_par_iter().zip(moments);
        parameters.for_each(|((values, gradient), (first, second))| {
            values
                .par_chunks_mut(SHARE)
                .zip(gradient.par_chunks(SHARE))
                .zip(first.par_chunks_mut(SHARE))
                .zip(second.par_chunks_mut(SHARE))
                .for_each(|(((values, gradient), first), second)| {
                    update(values, gradient, first, second, factors);
                });
        });
    }
}

vectorised! {
    fn update[](
        values: &mut [f32],
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
        factors: Factors,
    ) {
        let Factors { scale, rate, correction } = factors;
        let places = values.iter_mut().zip(gradient).zip(first).zip(second);
        for (((value, gradient), first), second) in places {
            let gradient = gradient * scale;
            *first += (1.0 - FIRST_DECAY) * (gradient - *first);
            *second += (1.0 - SECOND_DECAY) * (gradient * gradient - *second);
            *value -= rate * *first / ((*second / correction).sqrt() + EPSILON);
        }
    }
}

vectorised! {
    fn sum_of_squares[](numbers: &[f32]) -> f64 {
        const LANES: usize = 8;
        let mut sums = [0.0; LANES];
        let chunks = numbers.chunks_exact(LANES);
        let rest: f64 = chunks.remainder().iter().map(|g| f64::from(g * g)).sum();
        for chunk in chunks {
            for (sum, number) in sums.iter_mut().zip(chunk) {
                *sum += f64::from(number * number);
            }
        }
        rest + sums.iter().sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_lead_to_where_the_gradient_is_zero() {
        let mut values = vec![3.0f32, -1.0, 0.5];
        let mut adam = Adam::new([3].into_iter());
        for _ in 0..2000 {
            let gradient: Vec<f32> = values.iter().map(|value| 2.0 * (value - 1.0)).collect();
            adam.step(vec![(&mut values, &gradient)], 0.01, 5.0);
        }
        assert!(
            values.iter().all(|value| (value - 1.0).abs() < 1e-3),
            "{values:?}"
        );
    }

    #[test]
    fn the_first_step_is_the_learning_rate_long_in_each_direction() {
        let mut values = vec![0.0f32; 2];
        let mut adam = Adam::new([2].into_iter());
        adam.step(vec![(&mut values, &[1000.0, -3.0])], 0.01, 5.0);
        assert!((values[0] + 0.01).abs() < 1e-6 && (values[1] - 0.01).abs() < 1e-6);
    }
}

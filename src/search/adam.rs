//! The optimiser of the auto-encoder.

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

/// Adam (Kingma and Ba, ICLR 2015, arXiv 1412.6980, algorithm 1) with the published constants and
/// the gradient's norm limited (Pascanu et al., ICML 2013).
///
/// candle's own optimiser makes a dozen temporary tensors a parameter and its state can't be saved;
/// this one works in place and its state is plain numbers.
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

impl Adam {
    /// The state before the first step over these parameters.
    pub fn new(parameters: &[(&'static str, &Var)]) -> Self {
        let zeros: Vec<Vec<f32>> = parameters
            .iter()
            .map(|(_, var)| vec![0.0; var.elem_count()])
            .collect();
        Self {
            steps: 0,
            first: zeros.clone(),
            second: zeros,
        }
    }

    /// One step over the parameters the state was made for. Parameters without a gradient stay.
    ///
    /// # Errors
    ///
    /// If candle fails.
    pub fn step(
        &mut self,
        parameters: &[(&'static str, &Var)],
        gradients: &GradStore,
        learning_rate: f64,
        largest_norm: f64,
    ) -> Result<()> {
        let gradients: Vec<Option<Vec<f32>>> = parameters
            .iter()
            .map(|(_, var)| gradients.get(var).map(flat).transpose())
            .collect::<Result<_>>()?;
        let squares = |gradient: &Vec<f32>| gradient.iter().map(|&g| f64::from(g * g)).sum::<f64>();
        let norm = gradients.iter().flatten().map(squares).sum::<f64>().sqrt();
        let scale = (largest_norm / (norm + 1e-6)).min(1.0) as f32;

        self.steps += 1;
        let steps = self.steps as f64;
        let first_correction = 1.0 - f64::from(FIRST_DECAY).powf(steps);
        let second_correction = (1.0 - f64::from(SECOND_DECAY).powf(steps)) as f32;
        let rate = (learning_rate / first_correction) as f32;
        let moments = self.first.iter_mut().zip(&mut self.second);
        for (((_, var), gradient), (first, second)) in parameters.iter().zip(gradients).zip(moments)
        {
            let Some(gradient) = gradient else { continue };
            let mut values = flat(var)?;
            let places = values.iter_mut().zip(gradient).zip(first).zip(second);
            for (((value, gradient), first), second) in places {
                let gradient = gradient * scale;
                *first += (1.0 - FIRST_DECAY) * (gradient - *first);
                *second += (1.0 - SECOND_DECAY) * (gradient * gradient - *second);
                *value -= rate * *first / ((*second / second_correction).sqrt() + EPSILON);
            }
            var.set(&Tensor::from_vec(values, var.shape(), var.device())?)?;
        }
        Ok(())
    }
}

fn flat(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

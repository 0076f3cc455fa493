//! From latent vectors to values: one linear layer, as AutoSNAP has it, or several with rectifiers
//! between them, as NAO has it (Luo et al., NeurIPS 2018).

use candle_core::{Device, Result, Tensor, Var};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The layers from a latent vector to its value.
pub struct Predictor {
    layers: Vec<Layer>,
}

struct Layer {
    weight_name: &'static str,
    bias_name: &'static str,
    weight: Var,
    bias: Var,
}

/// The names of the last layer, then of the hidden ones from the latent vector on.
const NAMES: [[&str; 2]; MOST_HIDDEN_LAYERS + 1] = [
    ["value.weight", "value.bias"],
    ["value.hidden_1.weight", "value.hidden_1.bias"],
    ["value.hidden_2.weight", "value.hidden_2.bias"],
    ["value.hidden_3.weight", "value.hidden_3.bias"],
    ["value.hidden_4.weight", "value.hidden_4.bias"],
];

/// How many hidden layers there can be.
pub const MOST_HIDDEN_LAYERS: usize = 4;

impl Predictor {
    /// Layers with random weights, uniform within one over the square root of the inputs.
    ///
    /// # Errors
    ///
    /// If candle can't make a tensor.
    ///
    /// # Panics
    ///
    /// If there are more hidden layers than [`MOST_HIDDEN_LAYERS`].
    pub fn new(
        latent: usize,
        hidden_layers: usize,
        hidden: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self> {
        let mut inputs = latent;
        let mut layers = Vec::with_capacity(hidden_layers + 1);
        for number in (1..=hidden_layers).chain([0]) {
            let outputs = if number == 0 { 1 } else { hidden };
            let bound = 1.0 / (inputs as f32).sqrt();
            let weight: Vec<f32> = (0..inputs * outputs)
                .map(|_| rng.random_range(-bound..bound))
                .collect();
            let [weight_name, bias_name] = NAMES[number];
            layers.push(Layer {
                weight_name,
                bias_name,
                weight: Var::from_vec(weight, (inputs, outputs), &Device::Cpu)?,
                bias: Var::from_vec(vec![0f32; outputs], (1, outputs), &Device::Cpu)?,
            });
            inputs = outputs;
        }
        Ok(Self { layers })
    }

    /// The parameters under their names.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &Var)> {
        self.layers.iter().flat_map(|layer| {
            [
                (layer.weight_name, &layer.weight),
                (layer.bias_name, &layer.bias),
            ]
        })
    }

    /// The values of codes `[batch, latent]`.
    ///
    /// # Errors
    ///
    /// If candle fails.
    pub fn values(&self, codes: &Tensor) -> Result<Tensor> {
        let mut numbers = codes.clone();
        for (place, Layer { weight, bias, .. }) in self.layers.iter().enumerate() {
            if place > 0 {
                numbers = numbers.relu()?;
            }
            numbers = numbers.matmul(weight)?.broadcast_add(bias)?;
        }
        numbers.squeeze(1)
    }

    /// The gradients of the values with respect to their codes, one row each.
    ///
    /// # Errors
    ///
    /// If candle fails.
    pub fn gradients(&self, codes: &Tensor) -> Result<Vec<f32>> {
        if let [layer] = self.layers.as_slice() {
            // The same everywhere: the weights.
            let weights: Vec<f32> = layer.weight.flatten_all()?.to_vec1()?;
            return Ok(weights.repeat(codes.dim(0)?));
        }
        let codes = Var::from_tensor(codes)?;
        let gradients = self.values(&codes)?.sum_all()?.backward()?;
        match gradients.get(&codes) {
            Some(gradients) => gradients.flatten_all()?.to_vec1(),
            None => Ok(vec![0.0; codes.elem_count()]),
        }
    }

    /// Replaces the last layer.
    ///
    /// # Errors
    ///
    /// If there is not one weight for each of its inputs.
    pub fn set_last(&self, weights: &[f64], constant: f64) -> Result<()> {
        let Some(Layer { weight, bias, .. }) = self.layers.last() else {
            return Ok(());
        };
        let weights: Vec<f32> = weights.iter().map(|&weight| weight as f32).collect();
        weight.set(&Tensor::from_vec(weights, weight.shape(), &Device::Cpu)?)?;
        bias.set(&Tensor::new(&[[constant as f32]], &Device::Cpu)?)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for layers in [0, 1, 3] {
            let predictor = Predictor::new(4, layers, 16, &mut rng).unwrap();
            let codes: Vec<f32> = (0..12).map(|_| rng.random_range(-1.0..1.0)).collect();
            let tensor = |codes: &[f32]| Tensor::from_slice(codes, (3, 4), &Device::Cpu).unwrap();
            let gradients = predictor.gradients(&tensor(&codes)).unwrap();
            for (place, gradient) in gradients.iter().enumerate() {
                let at = |step: f32| {
                    let mut moved = codes.clone();
                    moved[place] += step;
                    let values = predictor.values(&tensor(&moved)).unwrap();
                    values.to_vec1::<f32>().unwrap()[place / 4]
                };
                let difference = (at(1e-3) - at(-1e-3)) / 2e-3;
                assert!(
                    (difference - gradient).abs() < 2e-3,
                    "{difference} {gradient}"
                );
            }
        }
    }
}

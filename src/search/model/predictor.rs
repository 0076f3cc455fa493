//! From latent vectors to values: one linear layer, as AutoSNAP has it, or several with rectifiers
//! between them, as NAO has it (Luo et al., NeurIPS 2018).

use rand_chacha::ChaCha8Rng;

use super::dense::Dense;
use super::weight::Weight;
use crate::search::error::{Result, SearchError};

/// The layers from a latent vector to its value, or their gradient.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Predictor {
    layers: Vec<Layer>,
}

#[derive(Clone, Debug, PartialEq)]
struct Layer {
    weight_name: &'static str,
    bias_name: &'static str,
    dense: Dense,
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

/// What the layers made of some codes.
pub(super) struct Activations {
    /// What each layer was given.
    inputs: Vec<Vec<f32>>,
    /// What the last one gave: a value for each code.
    pub(super) values: Vec<f32>,
}

impl Predictor {
    /// Layers with random weights, uniform within one over the square root of the inputs.
    ///
    /// # Panics
    ///
    /// If there are more hidden layers than [`MOST_HIDDEN_LAYERS`].
    pub(super) fn random(
        latent: usize,
        hidden_layers: usize,
        hidden: usize,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let mut inputs = latent;
        let mut layers = Vec::with_capacity(hidden_layers + 1);
        for number in (1..=hidden_layers).chain([0]) {
            let outputs = if number == 0 { 1 } else { hidden };
            let [weight_name, bias_name] = NAMES[number];
            layers.push(Layer {
                weight_name,
                bias_name,
                dense: Dense::random(inputs, outputs, rng),
            });
            inputs = outputs;
        }
        Self { layers }
    }

    /// The parameters under their names.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&'static str, &Weight)> {
        self.layers.iter().flat_map(|layer| {
            [
                (layer.weight_name, &layer.dense.weight),
                (layer.bias_name, &layer.dense.bias),
            ]
        })
    }

    /// [`parameters`](Self::parameters), to be changed.
    pub(super) fn parameters_mut(&mut self) -> impl Iterator<Item = &mut Weight> {
        let layers = self.layers.iter_mut();
        layers.flat_map(|layer| [&mut layer.dense.weight, &mut layer.dense.bias])
    }

    /// The values of codes `[batch, latent]`.
    pub(super) fn forward(&self, codes: &[f32]) -> Activations {
        let mut inputs = Vec::with_capacity(self.layers.len());
        let mut numbers = codes.to_vec();
        for (place, layer) in self.layers.iter().enumerate() {
            if place > 0 {
                numbers
                    .iter_mut()
                    .for_each(|number| *number = number.max(0.0));
            }
            let outputs = layer.dense.forward(&numbers);
            inputs.push(std::mem::replace(&mut numbers, outputs));
        }
        Activations {
            inputs,
            values: numbers,
        }
    }

    /// Adds to the gradient of the layers, from that of the values, and gives the gradient of the codes.
    pub(super) fn backward(
        &self,
        activations: &Activations,
        above: &[f32],
        gradient: &mut Self,
    ) -> Vec<f32> {
        let mut above = above.to_vec();
        let layers = self.layers.iter().zip(&mut gradient.layers).enumerate();
        for ((place, (layer, gradient)), inputs) in layers.zip(&activations.inputs).rev() {
            let mut below = vec![0.0; inputs.len()];
            layer
                .dense
                .backward(inputs, &above, &mut gradient.dense, &mut below);
            if place > 0 {
                let passed = below.iter_mut().zip(inputs);
                passed.for_each(|(below, &input)| *below *= f32::from(u8::from(input > 0.0)));
            }
            above = below;
        }
        above
    }

    /// The gradients of the values with respect to their codes, one row each.
    pub(super) fn gradients(&self, codes: &[f32]) -> Vec<f32> {
        let activations = self.forward(codes);
        let ones = vec![1.0; activations.values.len()];
        self.backward(&activations, &ones, &mut self.clone())
    }

    /// Replaces the last layer.
    ///
    /// # Errors
    ///
    /// If there is not one weight for each of its inputs.
    pub(super) fn set_last(&mut self, weights: &[f64], constant: f64) -> Result<()> {
        let Some(Layer { dense, .. }) = self.layers.last_mut() else {
            return Ok(());
        };
        let inputs = dense.weight.rows();
        if weights.len() != inputs {
            let reason = format!("{} weights for a layer of {inputs} inputs", weights.len());
            return Err(SearchError::Model(reason));
        }
        dense.weight.values = weights.iter().map(|&weight| weight as f32).collect();
        dense.bias.values = vec![constant as f32];
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for layers in [0, 1, 3] {
            let predictor = Predictor::random(4, layers, 16, &mut rng);
            let codes: Vec<f32> = (0..12).map(|_| rng.random_range(-1.0..1.0)).collect();
            let gradients = predictor.gradients(&codes);
            for (place, gradient) in gradients.iter().enumerate() {
                let at = |step: f32| {
                    let mut moved = codes.clone();
                    moved[place] += step;
                    predictor.forward(&moved).values[place / 4]
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

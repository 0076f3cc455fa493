//! Linear layers.

use rand_chacha::ChaCha8Rng;

use super::weight::{Weight, add};

/// A linear layer: `X W + b`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Dense {
    /// `[inputs, outputs]`
    pub(super) weight: Weight,
    /// `[1, outputs]`
    pub(super) bias: Weight,
}

impl Dense {
    /// Random weights, uniform within one over the square root of the inputs, and no bias yet.
    pub(super) fn random(inputs: usize, outputs: usize, rng: &mut ChaCha8Rng) -> Self {
        Self {
            weight: Weight::random(inputs, outputs, inputs, rng),
            bias: Weight::zeros(1, outputs),
        }
    }

    /// The outputs `[rows, outputs]` for inputs `[rows, inputs]`.
    pub(super) fn forward(&self, inputs: &[f32]) -> Vec<f32> {
        let rows = inputs.len() / self.weight.rows();
        let mut outputs = self.bias.values.repeat(rows);
        self.weight.add_product(inputs, &mut outputs);
        outputs
    }

    /// Adds to the gradient of the layer and to that of its inputs, from the gradient of its outputs.
    pub(super) fn backward(
        &self,
        inputs: &[f32],
        above: &[f32],
        gradient: &mut Self,
        below: &mut [f32],
    ) {
        gradient.weight.add_outer_products(inputs, above);
        for row in above.chunks_exact(self.weight.columns()) {
            add(&mut gradient.bias.values, row);
        }
        self.weight.add_transposed_product(above, below);
    }
}

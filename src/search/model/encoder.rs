//! The encoder, forward and backward.

use super::AutoEncoder;
use super::batch::Batch;
use super::gru::Trace;
use super::weight::add;

/// Programs on their way through the encoder.
pub(super) struct Encoded {
    start: Vec<f32>,
    trace: Trace,
    /// The states of the encoder after the last symbols: `[batch, hidden]`.
    last: Vec<f32>,
    /// `[batch, latent]`
    pub(super) codes: Vec<f32>,
}

impl AutoEncoder {
    /// The latent codes of a batch, with what led there.
    pub(super) fn codes(&self, batch: &Batch) -> Encoded {
        let (hidden, latent) = (self.sizes.hidden, self.sizes.latent);
        let start = vec![0.0; batch.len() * 4 * hidden];
        let trace = self.encoder.forward(batch.encoder_sequences(&start));
        let states = trace.states.chunks_exact(batch.time * hidden);
        let last = states.flat_map(|states| &states[(batch.time - 1) * hidden..]);
        let last: Vec<f32> = last.copied().collect();
        let mut codes = self.latent.forward(&last);
        for (program, code) in batch.programs().zip(codes.chunks_exact_mut(latent)) {
            for row in self.places_of(program) {
                add(code, self.encoder_places.row(row));
            }
        }
        Encoded {
            start,
            trace,
            last,
            codes,
        }
    }

    /// The rows of [`encoder_places`](Self::encoder_places) of the symbols of a program.
    fn places_of(&self, program: &[usize]) -> impl Iterator<Item = usize> {
        let symbols = self.sizes.symbols;
        let places = program.iter().enumerate();
        places.map(move |(place, symbol)| place * symbols + symbol)
    }

    /// Adds what the gradient of the codes makes of the encoder.
    pub(super) fn encode_backward(
        &self,
        batch: &Batch,
        encoded: &Encoded,
        above: &[f32],
        gradient: &mut Self,
    ) {
        let (hidden, latent) = (self.sizes.hidden, self.sizes.latent);
        for (program, above) in batch.programs().zip(above.chunks_exact(latent)) {
            for row in self.places_of(program) {
                add(gradient.encoder_places.row_mut(row), above);
            }
        }
        let mut last_gradient = vec![0.0; encoded.last.len()];
        self.latent.backward(
            &encoded.last,
            above,
            &mut gradient.latent,
            &mut last_gradient,
        );
        let mut states_gradient = vec![0.0; encoded.trace.states.len()];
        let states = states_gradient.chunks_exact_mut(batch.time * hidden);
        for (states, last) in states.zip(last_gradient.chunks_exact(hidden)) {
            states[(batch.time - 1) * hidden..].copy_from_slice(last);
        }
        let sequences = batch.encoder_sequences(&encoded.start);
        self.encoder.backward(
            sequences,
            &encoded.trace,
            &states_gradient,
            &mut gradient.encoder,
        );
    }
}

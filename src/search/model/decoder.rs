//! The decoder, a symbol at a time.

use rayon::prelude::*;

use super::{AutoEncoder, Codes, SHARE};

/// A batch of programs on their way out of the decoder.
pub(in crate::search) struct Decoder<'a> {
    model: &'a AutoEncoder,
    /// `[batch, hidden]`
    states: Vec<f32>,
    /// The first states and what is added to the inputs: `[batch, 4 * hidden]`.
    start: Vec<f32>,
    /// What is added to the logits at each place: `[batch, longest + 1, symbols + 1]`.
    places: Vec<f32>,
    position: usize,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(model: &'a AutoEncoder, codes: &Codes) -> Self {
        let hidden = model.sizes.hidden;
        let shares = codes.values.par_chunks(SHARE * codes.latent);
        let shares: Vec<(Vec<f32>, Vec<f32>)> = shares
            .map(|codes| {
                let start = model.decoder_start.forward(codes);
                (start, model.decoder_places.product(codes))
            })
            .collect();
        let (start, places): (Vec<_>, Vec<_>) = shares.into_iter().unzip();
        let (start, places) = (start.concat(), places.concat());
        let starts = start.chunks_exact(4 * hidden);
        Self {
            model,
            states: starts.flat_map(|start| &start[..hidden]).copied().collect(),
            start,
            places,
            position: 0,
        }
    }

    /// One step: the last symbol of each program (the number of symbols before the first) to the
    /// logits of the next, `symbols + 1` a program, that of the end last.
    pub(in crate::search) fn step(&mut self, last: &[usize]) -> Vec<f32> {
        let model = self.model;
        let (hidden, outputs) = (model.sizes.hidden, model.sizes.symbols + 1);
        let (width, here) = ((model.sizes.longest + 1) * outputs, self.position);
        let row = model.sizes.symbols + 1 + here;
        let mut logits = vec![0.0; last.len() * outputs];
        self.states
            .par_chunks_mut(SHARE * hidden)
            .zip(self.start.par_chunks(SHARE * 4 * hidden))
            .zip(self.places.par_chunks(SHARE * width))
            .zip(last.par_chunks(SHARE))
            .zip(logits.par_chunks_mut(SHARE * outputs))
            .for_each(|((((states, start), places), last), logits)| {
                model.decoder.step(states, start, last, row);
                let places = places.chunks_exact(width);
                let places = places.map(|places| &places[here * outputs..][..outputs]);
                for (logits, places) in logits.chunks_exact_mut(outputs).zip(places) {
                    logits.copy_from_slice(places);
                    super::weight::add(logits, &model.output.bias.values);
                }
                model.output.weight.add_product(states, logits);
            });
        self.position += 1;
        logits
    }
}

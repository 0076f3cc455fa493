//! The auto-encoder of AutoSNAP (Kügler et al., MICCAI 2020): one-hot symbols into a recurrent
//! encoder, one latent vector a program, a recurrent decoder back to symbols, and a single linear
//! layer from the latent vector to the value; or several, see [`predictor`].
//!
//! Its forward and backward passes are written by hand, on slices. A step of training is a hundred
//! million multiplications in some hundred small products: the graph and the temporary tensors of an
//! automatic differentiation would take longer than these. Tests hold the gradients to finite
//! differences, and the recurrent unit to the gradients of candle.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::error::Result;
use batch::Batch;
use decoder::Decoder;
use dense::Dense;
use gru::Gru;
use predictor::Predictor;
use weight::Weight;

mod batch;
mod decoder;
mod dense;
mod encoder;
mod gates;
mod gru;
mod loss;
mod predictor;
mod weight;

pub use loss::{Lesson, Loss};
pub(super) use predictor::MOST_HIDDEN_LAYERS;

/// How many programs one task of the thread pool handles. Fixed, so that the order of every sum,
/// and with it every bit of the result, is the same on any number of threads.
const SHARE: usize = 32;

/// The auto-encoder with its value layer, or the gradient of one. All numbers are `f32` on the CPU: at these
/// sizes a step is over before an accelerator has started.
///
/// A product of a one-hot vector and a matrix is a row of the matrix, so the input layers of encoder
/// and decoder are tables with one row a symbol.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoEncoder {
    sizes: Sizes,
    encoder: Gru,
    /// `[longest * symbols, latent]`: what a symbol at a place adds to the latent vector.
    encoder_places: Weight,
    /// From the last state of the encoder to the latent vector.
    latent: Dense,
    decoder: Gru,
    /// From the latent vector to the first state of the decoder and what is added to its input.
    decoder_start: Dense,
    /// `[latent, (longest + 1) * (symbols + 1)]`: what the latent vector adds to the logits at a place.
    decoder_places: Weight,
    /// From a state of the decoder to logits.
    output: Dense,
    predictor: Predictor,
    /// From the latent vector to the [parts](super::parts) of the program.
    parts: Option<Dense>,
}

/// The sizes of an auto-encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Symbols in the vocabulary. One more stands for the end of a program in the decoder's output,
    /// and for its start in the decoder's input.
    pub symbols: usize,
    /// The longest program.
    pub longest: usize,
    /// Units of the encoder and the decoder.
    pub hidden: usize,
    /// Dimensions of the latent space.
    pub latent: usize,
    /// Parts of programs that are told from the latent vector; 0 for none.
    pub parts: usize,
    /// Hidden layers between the latent vector and the value; with none, one linear layer.
    pub value_layers: usize,
    /// Units of each of them.
    pub value_hidden: usize,
}

/// The latent codes of some programs, one row of `latent` numbers each.
#[derive(Clone, Debug, PartialEq)]
pub struct Codes {
    /// Dimensions of the latent space.
    pub latent: usize,
    /// The rows, one after the other.
    pub values: Vec<f32>,
}

impl Codes {
    /// How many codes there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.latent
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> + Clone {
        self.values.chunks_exact(self.latent)
    }
}

impl AutoEncoder {
    /// A model with random weights, uniform within one over the square root of the inputs.
    ///
    /// # Panics
    ///
    /// If there are more than four hidden layers before the value.
    pub fn new(sizes: Sizes, rng: &mut ChaCha8Rng) -> Self {
        let Sizes {
            symbols,
            longest,
            hidden,
            latent,
            parts,
            value_layers,
            value_hidden,
        } = sizes;
        Self {
            sizes,
            encoder: Gru::random(symbols + longest + 2, hidden, rng),
            encoder_places: Weight::random(longest * symbols, latent, longest, rng),
            latent: Dense::random(hidden, latent, rng),
            decoder: Gru::random(symbols + longest + 2, hidden, rng),
            decoder_start: Dense::random(latent, 4 * hidden, rng),
            decoder_places: Weight::random(latent, (longest + 1) * (symbols + 1), latent, rng),
            output: Dense::random(hidden, symbols + 1, rng),
            parts: (parts > 0).then(|| Dense::random(latent, parts, rng)),
            predictor: Predictor::random(latent, value_layers, value_hidden, rng),
        }
    }

    /// The sizes.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// All parameters under stable names, in a fixed order.
    pub(super) fn parameters(&self) -> Vec<(&'static str, &Weight)> {
        let mut parameters = vec![
            ("encoder.symbols", &self.encoder.inputs),
            ("encoder.state", &self.encoder.state),
            ("encoder.places", &self.encoder_places),
            ("latent.weight", &self.latent.weight),
            ("latent.bias", &self.latent.bias),
            ("decoder.symbols", &self.decoder.inputs),
            ("decoder.start.weight", &self.decoder_start.weight),
            ("decoder.start.bias", &self.decoder_start.bias),
            ("decoder.state", &self.decoder.state),
            ("decoder.places", &self.decoder_places),
            ("output.weight", &self.output.weight),
            ("output.bias", &self.output.bias),
        ];
        parameters.extend(self.predictor.parameters());
        if let Some(Dense { weight, bias }) = &self.parts {
            parameters.extend([("parts.weight", weight), ("parts.bias", bias)]);
        }
        parameters
    }

    /// All parameters in the order of [`parameters`](Self::parameters), to be changed.
    pub(super) fn parameters_mut(&mut self) -> Vec<&mut Weight> {
        let mut parameters = vec![
            &mut self.encoder.inputs,
            &mut self.encoder.state,
            &mut self.encoder_places,
            &mut self.latent.weight,
            &mut self.latent.bias,
            &mut self.decoder.inputs,
            &mut self.decoder_start.weight,
            &mut self.decoder_start.bias,
            &mut self.decoder.state,
            &mut self.decoder_places,
            &mut self.output.weight,
            &mut self.output.bias,
        ];
        parameters.extend(self.predictor.parameters_mut());
        if let Some(Dense { weight, bias }) = &mut self.parts {
            parameters.extend([weight, bias]);
        }
        parameters
    }

    /// The latent codes of programs.
    ///
    /// # Errors
    ///
    /// If an opcode is outside the vocabulary, or a program longer than the longest.
    pub fn encode(&self, programs: &[&[u8]]) -> Result<Codes> {
        let shares: Vec<Vec<f32>> = programs
            .par_chunks(SHARE)
            .map(|programs| Ok(self.codes(&Batch::new(programs, self.sizes)?).codes))
            .collect::<Result<_>>()?;
        Ok(Codes {
            latent: self.sizes.latent,
            values: shares.concat(),
        })
    }

    /// The standardised values that are predicted for codes.
    pub fn predict(&self, codes: &Codes) -> Vec<f32> {
        self.predictor.forward(&codes.values).values
    }

    /// The gradients of the predicted values with respect to the codes, a row each: with one linear
    /// layer its weights, the same everywhere.
    pub fn value_gradients(&self, codes: &Codes) -> Codes {
        Codes {
            latent: codes.latent,
            values: self.predictor.gradients(&codes.values),
        }
    }

    /// Replaces the last layer before the value.
    ///
    /// # Errors
    ///
    /// If there is not one weight for each of its inputs.
    pub fn set_value_layer(&mut self, weights: &[f64], constant: f64) -> Result<()> {
        self.predictor.set_last(weights, constant)
    }

    /// What the layer of the parts says of how latent vectors differ: its weights times their
    /// transpose, row by row. Nothing if the model has no such layer.
    pub fn parts_metric(&self) -> Option<Vec<f32>> {
        let Dense { weight, .. } = self.parts.as_ref()?;
        let mut metric = vec![0.0; self.sizes.latent * self.sizes.latent];
        weight.add_transposed_product(&weight.values, &mut metric);
        Some(metric)
    }

    /// Begins to decode codes.
    pub(super) fn begin(&self, codes: &Codes) -> Decoder<'_> {
        Decoder::new(self, codes)
    }
}

/// Normally distributed numbers (Box and Muller 1958).
pub(super) fn normals(count: usize, deviation: f32, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut numbers = Vec::with_capacity(count + 1);
    while numbers.len() < count {
        let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt() * deviation;
        let (sine, cosine) = (std::f32::consts::TAU * rng.random::<f32>()).sin_cos();
        numbers.extend([radius * cosine, radius * sine]);
    }
    numbers.truncate(count);
    numbers
}

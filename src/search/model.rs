//! The auto-encoder of AutoSNAP (Kügler et al., MICCAI 2020): one-hot symbols into a recurrent
//! encoder, one latent vector a program, a recurrent decoder back to symbols, and a single linear
//! layer from the latent vector to the value; or several, see [`Predictor`].

use candle_core::{D, DType, Device, Result, Tensor, Var};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::configuration::ModelConfiguration;
use super::gru::{Sequences, gru};
use super::predictor::Predictor;

/// The auto-encoder with its value layer. All numbers are `f32` on the CPU: at these sizes a step is
/// over before an accelerator has started.
///
/// A product of a one-hot vector and a matrix is a row of the matrix, so the input layers of encoder
/// and decoder are tables with one row a symbol.
pub struct AutoEncoder {
    sizes: Sizes,
    encoder_symbols: Var,
    encoder_state: Var,
    /// `[longest * symbols, latent]`: what a symbol at a place adds to the latent vector.
    encoder_places: Var,
    latent_weight: Var,
    latent_bias: Var,
    decoder_symbols: Var,
    decoder_start: Var,
    decoder_start_bias: Var,
    decoder_state: Var,
    /// `[latent, (longest + 1) * (symbols + 1)]`: what the latent vector adds to the logits at a place.
    decoder_places: Var,
    output_weight: Var,
    output_bias: Var,
    predictor: Predictor,
    parts: Option<PartsLayer>,
}

/// The linear layer from the latent vector to the [parts](super::parts) of the program.
struct PartsLayer {
    weight: Var,
    bias: Var,
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

/// The parts of the loss of a batch.
pub struct Loss {
    /// What is minimised: the weighted sum.
    pub total: Tensor,
    /// Cross entropy of the reconstruction, the mean over symbols and ends.
    pub reconstruction: Tensor,
}

impl AutoEncoder {
    /// A model with random weights, uniform within one over the square root of the inputs.
    ///
    /// # Errors
    ///
    /// If candle can't make a tensor.
    pub fn new(sizes: Sizes, rng: &mut ChaCha8Rng) -> Result<Self> {
        let Sizes {
            symbols,
            longest,
            hidden,
            latent,
            parts,
            value_layers,
            value_hidden,
        } = sizes;
        let mut matrix = |rows: usize, columns: usize, inputs: usize| {
            let bound = 1.0 / (inputs as f32).sqrt();
            let values: Vec<f32> = (0..rows * columns)
                .map(|_| rng.random_range(-bound..bound))
                .collect();
            Var::from_vec(values, (rows, columns), &Device::Cpu)
        };
        let zeros = |columns: usize| Var::from_vec(vec![0f32; columns], (1, columns), &Device::Cpu);
        Ok(Self {
            sizes,
            encoder_symbols: matrix(symbols + longest + 2, 3 * hidden, hidden)?,
            encoder_state: matrix(hidden, 3 * hidden, hidden)?,
            encoder_places: matrix(longest * symbols, latent, longest)?,
            latent_weight: matrix(hidden, latent, hidden)?,
            latent_bias: zeros(latent)?,
            decoder_symbols: matrix(symbols + longest + 2, 3 * hidden, hidden)?,
            decoder_start: matrix(latent, 4 * hidden, latent)?,
            decoder_start_bias: zeros(4 * hidden)?,
            decoder_state: matrix(hidden, 3 * hidden, hidden)?,
            decoder_places: matrix(latent, (longest + 1) * (symbols + 1), latent)?,
            output_weight: matrix(hidden, symbols + 1, hidden)?,
            output_bias: zeros(symbols + 1)?,
            parts: match parts {
                0 => None,
                _ => Some(PartsLayer {
                    weight: matrix(latent, parts, latent)?,
                    bias: zeros(parts)?,
                }),
            },
            predictor: Predictor::new(latent, value_layers, value_hidden, rng)?,
        })
    }

    /// A model with the same weights, which change on their own.
    ///
    /// # Errors
    ///
    /// If candle fails.
    pub fn copy(&self) -> Result<Self> {
        let model = Self::new(self.sizes, &mut ChaCha8Rng::seed_from_u64(0))?;
        for ((_, copy), (_, var)) in model.parameters().into_iter().zip(self.parameters()) {
            copy.set(&var.as_tensor().copy()?)?;
        }
        Ok(model)
    }

    /// The sizes.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// All parameters under stable names, in a fixed order.
    pub fn parameters(&self) -> Vec<(&'static str, &Var)> {
        let mut parameters = vec![
            ("encoder.symbols", &self.encoder_symbols),
            ("encoder.state", &self.encoder_state),
            ("encoder.places", &self.encoder_places),
            ("latent.weight", &self.latent_weight),
            ("latent.bias", &self.latent_bias),
            ("decoder.symbols", &self.decoder_symbols),
            ("decoder.start.weight", &self.decoder_start),
            ("decoder.start.bias", &self.decoder_start_bias),
            ("decoder.state", &self.decoder_state),
            ("decoder.places", &self.decoder_places),
            ("output.weight", &self.output_weight),
            ("output.bias", &self.output_bias),
        ];
        parameters.extend(self.predictor.parameters());
        if let Some(PartsLayer { weight, bias }) = &self.parts {
            parameters.extend([("parts.weight", weight), ("parts.bias", bias)]);
        }
        parameters
    }

    /// The latent codes of programs.
    ///
    /// # Errors
    ///
    /// If an opcode is outside the vocabulary.
    pub fn encode(&self, programs: &[&[u8]]) -> Result<Codes> {
        let latent = self.sizes.latent;
        if programs.is_empty() {
            return Ok(Codes {
                latent,
                values: Vec::new(),
            });
        }
        let codes = self.codes(&Batch::new(programs, self.sizes.symbols))?;
        Ok(Codes {
            latent,
            values: codes.flatten_all()?.to_vec1()?,
        })
    }

    /// The standardised values that are predicted for codes.
    ///
    /// # Errors
    ///
    /// If candle fails.
    pub fn predict(&self, codes: &Codes) -> Result<Vec<f32>> {
        if codes.is_empty() {
            return Ok(Vec::new());
        }
        self.predictor.values(&self.tensor(codes)?)?.to_vec1()
    }

    /// The gradients of the predicted values with respect to the codes, a row each: with one linear
    /// layer its weights, the same everywhere.
    ///
    /// # Errors
    ///
    /// If candle fails.
    pub fn value_gradients(&self, codes: &Codes) -> Result<Codes> {
        let values = match codes.is_empty() {
            true => Vec::new(),
            false => self.predictor.gradients(&self.tensor(codes)?)?,
        };
        let latent = codes.latent;
        Ok(Codes { latent, values })
    }

    /// Replaces the last layer before the value.
    ///
    /// # Errors
    ///
    /// If there is not one weight for each of its inputs.
    pub fn set_value_layer(&self, weights: &[f64], constant: f64) -> Result<()> {
        self.predictor.set_last(weights, constant)
    }

    /// What the layer of the parts says of how latent vectors differ: its weights times their
    /// transpose, row by row. Nothing if the model has no such layer.
    ///
    /// # Errors
    ///
    /// If candle fails.
    pub fn parts_metric(&self) -> Result<Option<Vec<f32>>> {
        let Some(PartsLayer { weight, .. }) = &self.parts else {
            return Ok(None);
        };
        let metric = weight.matmul(&weight.t()?)?;
        Ok(Some(metric.flatten_all()?.to_vec1()?))
    }

    /// The loss of a batch of programs. The first of them have the given standardised values, the
    /// last the given parts, a row each.
    ///
    /// # Errors
    ///
    /// If an opcode is outside the vocabulary, or there are more values or parts than programs.
    pub fn loss(
        &self,
        programs: &[&[u8]],
        values: &[f32],
        parts: &[f32],
        weights: &ModelConfiguration,
        rng: &mut ChaCha8Rng,
    ) -> Result<Loss> {
        let batch = Batch::new(programs, self.sizes.symbols);
        let codes = self.codes(&batch)?;
        let noise = normals(
            programs.len() * self.sizes.latent,
            weights.latent_noise as f32,
            rng,
        );
        let noise = Tensor::from_vec(noise, codes.shape(), &Device::Cpu)?;
        let noisy = (&codes + noise)?;

        let logits = self.teacher_forced(&batch, &noisy)?;
        let reconstruction = cross_entropy(&logits, &batch)?;
        let scale = (codes.sqr()?.mean(0)? - 1.0)?.sqr()?.mean_all()?;
        let mut total = (&reconstruction + (scale * weights.scale_weight)?)?;
        if !values.is_empty() {
            let predicted = self.predictor.values(&noisy.narrow(0, 0, values.len())?)?;
            let error = (predicted - Tensor::new(values, &Device::Cpu)?)?
                .sqr()?
                .mean_all()?;
            total = (total + (error * weights.value_weight)?)?;
        }
        if let Some(layer) = &self.parts
            && !parts.is_empty()
        {
            let rows = parts.len() / self.sizes.parts;
            let codes = codes.narrow(0, programs.len().saturating_sub(rows), rows)?;
            let told = codes.matmul(&layer.weight)?.broadcast_add(&layer.bias)?;
            let parts = Tensor::from_slice(parts, (rows, self.sizes.parts), &Device::Cpu)?;
            let unexplained = ((told - parts)?.sqr()?.sum_all()? / rows as f64)?;
            total = (total + (unexplained * weights.parts_weight)?)?;
        }
        Ok(Loss {
            total,
            reconstruction,
        })
    }

    /// Begins to decode codes.
    pub(super) fn begin(&self, codes: &Codes) -> Result<Decoder<'_>> {
        let codes = self.tensor(codes)?;
        let start = self.start(&codes)?;
        let hidden = self.sizes.hidden;
        let state = start.narrow(1, 0, hidden)?;
        let constant = start.narrow(1, hidden, 3 * hidden)?;
        Ok(Decoder {
            model: self,
            state,
            constant,
            places: self.by_place(&codes)?,
            position: 0,
        })
    }

    fn tensor(&self, codes: &Codes) -> Result<Tensor> {
        Tensor::from_slice(&codes.values, (codes.len(), codes.latent), &Device::Cpu)
    }

    fn codes(&self, batch: &Batch) -> Result<Tensor> {
        let start = (batch.lengths.len(), 4 * self.sizes.hidden);
        let start = Tensor::zeros(start, DType::F32, &Device::Cpu)?;
        let sequences = batch.sequences(&batch.encoder_inputs, batch.lengths.clone(), self.sizes);
        let states = gru(
            &self.encoder_symbols,
            &start,
            &self.encoder_state,
            sequences,
        )?;
        let last = states.narrow(1, batch.time - 1, 1)?.squeeze(1)?;
        let remembered = last.matmul(&self.latent_weight)?;
        let places = batch.places(self.sizes)?.matmul(&self.encoder_places)?;
        (remembered + places)?.broadcast_add(&self.latent_bias)
    }

    /// What codes say about every place of the program on their own: `[batch, longest + 1, symbols + 1]`.
    fn by_place(&self, codes: &Tensor) -> Result<Tensor> {
        let Sizes {
            symbols, longest, ..
        } = self.sizes;
        codes
            .matmul(&self.decoder_places)?
            .reshape(((), longest + 1, symbols + 1))
    }

    fn start(&self, codes: &Tensor) -> Result<Tensor> {
        codes
            .matmul(&self.decoder_start)?
            .broadcast_add(&self.decoder_start_bias)
    }

    /// Logits `[batch * time, symbols + 1]`, the decoder being given the true symbols before.
    fn teacher_forced(&self, batch: &Batch, codes: &Tensor) -> Result<Tensor> {
        // One step more than symbols, for the end.
        let steps = batch.lengths.iter().map(|length| length + 1).collect();
        let sequences = batch.sequences(&batch.decoder_inputs, steps, self.sizes);
        let start = self.start(codes)?;
        let states = gru(
            &self.decoder_symbols,
            &start,
            &self.decoder_state,
            sequences,
        )?;
        let places = self.by_place(codes)?.narrow(1, 0, batch.time)?;
        self.logits(&states.flatten_to(1)?)? + places.flatten_to(1)?
    }

    fn logits(&self, states: &Tensor) -> Result<Tensor> {
        states
            .matmul(&self.output_weight)?
            .broadcast_add(&self.output_bias)
    }
}

/// Programs padded to the longest, which has a place for its end.
struct Batch {
    time: usize,
    lengths: Vec<usize>,
    encoder_inputs: Vec<usize>,
    decoder_inputs: Vec<usize>,
    targets: Vec<u32>,
    /// One for every place that counts, zero for padding.
    mask: Vec<f32>,
}

impl Batch {
    fn new(programs: &[&[u8]], symbols: usize) -> Self {
        let time = 1 + programs
            .iter()
            .map(|program| program.len())
            .max()
            .unwrap_or(0);
        let places = programs.len() * time;
        let mut batch = Self {
            time,
            lengths: programs.iter().map(|program| program.len()).collect(),
            encoder_inputs: Vec::with_capacity(places),
            decoder_inputs: Vec::with_capacity(places),
            targets: Vec::with_capacity(places),
            mask: Vec::with_capacity(places),
        };
        for program in programs {
            let padding = time - program.len();
            let opcodes = || program.iter().copied().map(usize::from);
            let padded = || opcodes().chain(std::iter::repeat_n(symbols, padding));
            let reversed = opcodes().rev().chain(std::iter::repeat_n(symbols, padding));
            batch.encoder_inputs.extend(reversed);
            batch
                .decoder_inputs
                .extend(std::iter::once(symbols).chain(padded()).take(time));
            batch.targets.extend(padded().map(|symbol| symbol as u32));
            let counts = std::iter::repeat_n(1.0, program.len() + 1);
            batch
                .mask
                .extend(counts.chain(std::iter::repeat_n(0.0, padding - 1)));
        }
        batch
    }

    /// A row for each program: for every place and symbol, one if that symbol stands there.
    fn places(&self, sizes: Sizes) -> Result<Tensor> {
        let width = sizes.longest * sizes.symbols;
        let mut rows = vec![0f32; self.lengths.len() * width];
        let programs = self.targets.chunks_exact(self.time).zip(&self.lengths);
        for ((program, &length), row) in programs.zip(rows.chunks_exact_mut(width)) {
            for (place, &symbol) in program.iter().take(length).enumerate() {
                row[place * sizes.symbols + symbol as usize] = 1.0;
            }
        }
        Tensor::from_vec(rows, (self.lengths.len(), width), &Device::Cpu)
    }

    fn sequences(&self, symbols: &[usize], lengths: Vec<usize>, sizes: Sizes) -> Sequences {
        Sequences {
            symbols: symbols.to_vec(),
            lengths,
            positions: sizes.symbols + 1,
        }
    }
}

/// A batch of programs on their way out of the decoder.
pub(super) struct Decoder<'a> {
    model: &'a AutoEncoder,
    state: Tensor,
    constant: Tensor,
    places: Tensor,
    position: usize,
}

impl Decoder<'_> {
    /// One step: the last symbol of each program (the number of symbols before the first) to the
    /// logits of the next, `symbols + 1` a program, that of the end last.
    pub(super) fn step(&mut self, last: &[usize]) -> Result<Vec<f32>> {
        let sequences = Sequences {
            symbols: last.to_vec(),
            lengths: vec![1; last.len()],
            positions: self.model.sizes.symbols + 1 + self.position,
        };
        let start = Tensor::cat(&[&self.state, &self.constant], 1)?;
        let (table, weight) = (&self.model.decoder_symbols, &self.model.decoder_state);
        self.state = gru(table, &start, weight, sequences)?.squeeze(1)?;
        let place = self.places.narrow(1, self.position, 1)?.squeeze(1)?;
        self.position += 1;
        (self.model.logits(&self.state)? + place)?
            .flatten_all()?
            .to_vec1()
    }
}

fn cross_entropy(logits: &Tensor, batch: &Batch) -> Result<Tensor> {
    let targets = Tensor::new(batch.targets.as_slice(), &Device::Cpu)?.unsqueeze(1)?;
    let chosen = logits.gather(&targets, 1)?.squeeze(1)?;
    let losses = (logits.log_sum_exp(D::Minus1)? - chosen)?;
    let mask = Tensor::new(batch.mask.as_slice(), &Device::Cpu)?;
    (losses * mask)?.sum_all()? / f64::from(batch.mask.iter().sum::<f32>())
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

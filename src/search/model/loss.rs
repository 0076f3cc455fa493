//! What the auto-encoder learns from, and the gradient of that.

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::batch::Batch;
use super::encoder::Encoded;
use super::predictor::Activations;
use super::weight::add;
use super::{AutoEncoder, SHARE, normals};
use crate::search::configuration::ModelConfiguration;
use crate::search::error::Result;

/// A program with what is known of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lesson<'a> {
    /// Its opcodes, as the encoder reads them.
    pub program: &'a [u8],
    /// The spelling that the decoder is to write: the same opcodes, or others that are the same program.
    pub target: &'a [u8],
    /// Its standardised value.
    pub value: Option<f32>,
    /// A number for each part that the model tells from the latent vector.
    pub parts: Option<&'a [f32]>,
}

/// The loss of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loss {
    /// What is minimised: the weighted sum.
    pub total: f64,
    /// Cross entropy of the reconstruction, the mean over symbols and ends.
    pub reconstruction: f64,
}

/// Some programs of a batch: what a task of the thread pool handles.
struct Share<'a> {
    lessons: Vec<Lesson<'a>>,
    /// What the encoder reads.
    read: Batch,
    /// What the decoder is to write.
    written: Batch,
    encoded: Encoded,
    /// The codes with noise: `[batch, latent]`.
    noisy: Vec<f32>,
    judged: Judged,
}

/// The programs of a share whose values are known.
struct Judged {
    rows: Vec<usize>,
    values: Vec<f32>,
    predicted: Activations,
    /// The gradient of the ranking loss with respect to the predicted values.
    ranking: Vec<f32>,
}

/// What is known of a batch as a whole.
struct Whole<'a> {
    weights: &'a ModelConfiguration,
    programs: f32,
    /// Symbols and ends.
    targets: f32,
    values: f32,
    described: f32,
    /// The mean square of every latent dimension.
    squares: Vec<f32>,
}

impl AutoEncoder {
    /// The loss of a batch of programs, and its gradient. The codes get noise.
    ///
    /// Each task takes every so many programs and has a gradient of its own; these are added up in their order.
    ///
    /// # Errors
    ///
    /// If an opcode is outside the vocabulary, or a program longer than the longest.
    ///
    /// # Panics
    ///
    /// If a lesson does not have as many parts as the model.
    pub fn loss(
        &self,
        lessons: &[Lesson<'_>],
        weights: &ModelConfiguration,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Loss, Self)> {
        let latent = self.sizes.latent;
        let noise = normals(lessons.len() * latent, weights.latent_noise as f32, rng);
        let count = lessons.len().div_ceil(SHARE);
        let mut shares: Vec<Share<'_>> = (0..count)
            .into_par_iter()
            .map(|first| self.share(lessons, &noise, first, count))
            .collect::<Result<_>>()?;
        let ranking = rank(&mut shares, weights.ranking_weight);
        let whole = Whole::of(&shares, lessons, weights, latent);
        let scale: f32 = whole.squares.iter().map(|it| (it - 1.0).powi(2)).sum();
        let scale = f64::from(scale) / latent as f64 * weights.scale_weight;

        let parts: Vec<(Loss, Self)> = shares
            .par_iter()
            .map(|share| self.share_loss(share, &whole))
            .collect();
        let mut parts = parts.into_iter();
        let (mut loss, mut gradient) = parts.next().unwrap_or((Loss::default(), self.zeros()));
        loss.total += scale + ranking;
        for (more, other) in parts {
            loss.total += more.total;
            loss.reconstruction += more.reconstruction;
            gradient.add(&other);
        }
        Ok((loss, gradient))
    }

    /// Every `count`th lesson from the first on, encoded.
    fn share<'a>(
        &self,
        lessons: &[Lesson<'a>],
        noise: &[f32],
        first: usize,
        count: usize,
    ) -> Result<Share<'a>> {
        let rows = noise.chunks_exact(self.sizes.latent);
        let lessons: Vec<Lesson<'a>> = lessons.iter().skip(first).step_by(count).copied().collect();
        let programs: Vec<&[u8]> = lessons.iter().map(|lesson| lesson.program).collect();
        let targets: Vec<&[u8]> = lessons.iter().map(|lesson| lesson.target).collect();
        let read = Batch::new(&programs, self.sizes)?;
        let written = Batch::new(&targets, self.sizes)?;
        let encoded = self.codes(&read);
        let noise: Vec<f32> = rows.skip(first).step_by(count).flatten().copied().collect();
        let mut noisy = encoded.codes.clone();
        add(&mut noisy, &noise);
        Ok(Share {
            judged: self.judged(&lessons, &noisy),
            lessons,
            read,
            written,
            encoded,
            noisy,
        })
    }

    /// What is predicted for the programs whose values are known.
    fn judged(&self, lessons: &[Lesson<'_>], codes: &[f32]) -> Judged {
        let known = lessons.iter().enumerate();
        let known = known.filter_map(|(row, lesson)| Some((row, lesson.value?)));
        let (rows, values): (Vec<usize>, Vec<f32>) = known.unzip();
        Judged {
            predicted: self
                .predictor
                .forward(&gather(codes, &rows, self.sizes.latent)),
            ranking: vec![0.0; rows.len()],
            rows,
            values,
        }
    }

    /// A gradient of this model, all zero.
    fn zeros(&self) -> Self {
        let mut zeros = self.clone();
        for weight in zeros.parameters_mut() {
            weight.values.fill(0.0);
        }
        zeros
    }

    fn add(&mut self, other: &Self) {
        for (sum, (_, part)) in self.parameters_mut().into_iter().zip(other.parameters()) {
            add(&mut sum.values, &part.values);
        }
    }

    /// What a share adds to the loss and to its gradient.
    fn share_loss(&self, share: &Share<'_>, whole: &Whole<'_>) -> (Loss, Self) {
        let mut gradient = self.zeros();
        let mut codes_gradient = whole.scale_gradient(&share.encoded.codes);
        let reconstruction = self.reconstruct(share, whole, &mut gradient, &mut codes_gradient);
        let value = self.judge(&share.judged, whole, &mut gradient, &mut codes_gradient);
        let parts = self.describe(share, whole, &mut gradient, &mut codes_gradient);
        self.encode_backward(&share.read, &share.encoded, &codes_gradient, &mut gradient);
        let loss = Loss {
            total: reconstruction + value + parts,
            reconstruction,
        };
        (loss, gradient)
    }

    /// The cross entropy of the reconstruction, the decoder being given the true symbols before.
    fn reconstruct(
        &self,
        share: &Share<'_>,
        whole: &Whole<'_>,
        gradient: &mut Self,
        below: &mut [f32],
    ) -> f64 {
        let (batch, codes) = (&share.written, share.noisy.as_slice());
        let outputs = self.sizes.symbols + 1;
        let start = self.decoder_start.forward(codes);
        let sequences = batch.decoder_sequences(&start);
        let trace = self.decoder.forward(sequences);
        let mut logits = self.output.forward(&trace.states);
        let places = self.decoder_places.product(codes);
        let width = (self.sizes.longest + 1) * outputs;
        let mut places_gradient = vec![0.0; places.len()];

        let mut loss = 0.0;
        for (program, targets) in batch.targets().enumerate() {
            let logits = &mut logits[program * batch.time * outputs..][..batch.time * outputs];
            let (told, padding) = logits.split_at_mut(targets.len() * outputs);
            add(told, &places[program * width..][..told.len()]);
            for (logits, &target) in told.chunks_exact_mut(outputs).zip(targets) {
                loss += f64::from(cross_entropy(logits, target, whole.targets));
            }
            padding.fill(0.0);
            places_gradient[program * width..][..told.len()].copy_from_slice(told);
        }
        // From here on the gradient of the logits stands in their place.
        self.decoder_places
            .add_transposed_product(&places_gradient, below);
        gradient
            .decoder_places
            .add_outer_products(codes, &places_gradient);
        let mut states_gradient = vec![0.0; trace.states.len()];
        self.output.backward(
            &trace.states,
            &logits,
            &mut gradient.output,
            &mut states_gradient,
        );
        let start_gradient =
            self.decoder
                .backward(sequences, &trace, &states_gradient, &mut gradient.decoder);
        self.decoder_start
            .backward(codes, &start_gradient, &mut gradient.decoder_start, below);
        loss
    }

    /// The squared error of the values. What the ranking loss asks of them goes the same way back.
    fn judge(
        &self,
        judged: &Judged,
        whole: &Whole<'_>,
        gradient: &mut Self,
        below: &mut [f32],
    ) -> f64 {
        if judged.rows.is_empty() {
            return 0.0;
        }
        let weight = whole.weights.value_weight as f32 / whole.values;
        let errors = judged.predicted.values.iter().zip(&judged.values);
        let errors: Vec<f32> = errors.map(|(told, value)| told - value).collect();
        let mut above: Vec<f32> = errors.iter().map(|error| 2.0 * weight * error).collect();
        add(&mut above, &judged.ranking);
        let gradients = self
            .predictor
            .backward(&judged.predicted, &above, &mut gradient.predictor);
        scatter(&gradients, &judged.rows, self.sizes.latent, below);
        f64::from(weight) * sum_of_squares(&errors)
    }

    /// The squared error of the parts, which are told from codes without noise.
    fn describe(
        &self,
        share: &Share<'_>,
        whole: &Whole<'_>,
        gradient: &mut Self,
        below: &mut [f32],
    ) -> f64 {
        let latent = self.sizes.latent;
        let known = share.lessons.iter().enumerate();
        let known = known.filter_map(|(row, lesson)| Some((row, lesson.parts?)));
        let (rows, parts): (Vec<usize>, Vec<&[f32]>) = known.unzip();
        let (Some(layer), Some(layer_gradient), false) =
            (&self.parts, &mut gradient.parts, rows.is_empty())
        else {
            return 0.0;
        };
        let weight = whole.weights.parts_weight as f32 / whole.described;
        let codes = gather(&share.encoded.codes, &rows, latent);
        let mut errors = layer.forward(&codes);
        for (told, parts) in errors.chunks_exact_mut(self.sizes.parts).zip(parts) {
            assert_eq!(told.len(), parts.len());
            told.iter_mut()
                .zip(parts)
                .for_each(|(told, part)| *told -= part);
        }
        let loss = f64::from(weight) * sum_of_squares(&errors);
        errors.iter_mut().for_each(|error| *error *= 2.0 * weight);
        let mut gradients = vec![0.0; codes.len()];
        layer.backward(&codes, &errors, layer_gradient, &mut gradients);
        scatter(&gradients, &rows, latent, below);
        loss
    }
}

impl<'a> Whole<'a> {
    fn of(
        shares: &[Share<'_>],
        lessons: &[Lesson<'_>],
        weights: &'a ModelConfiguration,
        latent: usize,
    ) -> Self {
        let count = |known: fn(&Lesson<'_>) -> bool| {
            let known = lessons.iter().filter(|lesson| known(lesson));
            known.count() as f32
        };
        let programs = lessons.len() as f32;
        let mut squares = vec![0.0; latent];
        let codes = shares.iter().map(|share| &share.encoded.codes);
        for code in codes.flat_map(|codes| codes.chunks_exact(latent)) {
            for (sum, number) in squares.iter_mut().zip(code) {
                *sum += number * number;
            }
        }
        squares.iter_mut().for_each(|sum| *sum /= programs);
        Self {
            weights,
            programs,
            targets: lessons.iter().map(|it| it.target.len() + 1).sum::<usize>() as f32,
            values: count(|lesson| lesson.value.is_some()),
            described: count(|lesson| lesson.parts.is_some()),
            squares,
        }
    }

    /// The gradient of the loss that keeps the mean square of every latent dimension at one.
    fn scale_gradient(&self, codes: &[f32]) -> Vec<f32> {
        let latent = self.squares.len();
        let factor = 4.0 * self.weights.scale_weight as f32 / (latent as f32 * self.programs);
        let numbers = codes.iter().zip(self.squares.iter().cycle());
        numbers
            .map(|(number, square)| factor * (square - 1.0) * number)
            .collect()
    }
}

/// The ranking loss of all programs of a batch whose values are known, and its gradient in every share.
fn rank(shares: &mut [Share<'_>], weight: f64) -> f64 {
    if weight == 0.0 {
        return 0.0;
    }
    let judged = || shares.iter().map(|share| &share.judged);
    let predicted: Vec<f32> = judged()
        .flat_map(|it| &it.predicted.values)
        .copied()
        .collect();
    let values: Vec<f32> = judged().flat_map(|it| &it.values).copied().collect();
    let (loss, gradient) = logistic(&predicted, &values);
    let mut gradient = gradient.into_iter();
    for share in shares {
        let ranking = &mut share.judged.ranking;
        for (place, slope) in ranking.iter_mut().zip(&mut gradient) {
            *place = weight as f32 * slope;
        }
    }
    weight * loss
}

/// The logistic loss of pairs (Burges et al., ICML 2005) and its gradient with respect to what is
/// predicted: of two programs the better one is to have the larger prediction. The mean over all pairs
/// of different values.
fn logistic(predicted: &[f32], values: &[f32]) -> (f64, Vec<f32>) {
    let mut gradient = vec![0.0; values.len()];
    let (mut loss, mut pairs) = (0.0, 0);
    for (better, value) in values.iter().enumerate() {
        for (worse, other) in values.iter().enumerate() {
            if value > other {
                let margin = predicted[better] - predicted[worse];
                loss += f64::from((-margin).max(0.0) + (-margin.abs()).exp().ln_1p());
                let slope = 1.0 / (1.0 + margin.exp());
                gradient[better] -= slope;
                gradient[worse] += slope;
                pairs += 1;
            }
        }
    }
    let pairs = pairs.max(1) as f32;
    gradient.iter_mut().for_each(|slope| *slope /= pairs);
    (loss / f64::from(pairs), gradient)
}

/// The cross entropy of logits, over `count`; the logits become its gradient.
fn cross_entropy(logits: &mut [f32], target: usize, count: f32) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    let loss = largest + total.ln() - logits[target];
    for logit in logits.iter_mut() {
        *logit = (*logit - largest).exp() / (total * count);
    }
    logits[target] -= 1.0 / count;
    loss / count
}

fn sum_of_squares(numbers: &[f32]) -> f64 {
    let squares = numbers.iter().map(|number| number * number);
    f64::from(squares.sum::<f32>())
}

/// Some rows of a matrix.
fn gather(matrix: &[f32], rows: &[usize], width: usize) -> Vec<f32> {
    let rows = rows.iter().flat_map(|row| &matrix[row * width..][..width]);
    rows.copied().collect()
}

/// Adds rows to some rows of a matrix.
fn scatter(numbers: &[f32], rows: &[usize], width: usize, matrix: &mut [f32]) {
    for (numbers, row) in numbers.chunks_exact(width).zip(rows) {
        add(&mut matrix[row * width..][..width], numbers);
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::rand_core::SeedableRng;

    use super::super::Sizes;
    use super::*;

    const SIZES: Sizes = Sizes {
        symbols: 5,
        longest: 7,
        hidden: 6,
        latent: 8,
        parts: 3,
        value_layers: 1,
        value_hidden: 4,
    };

    /// Programs of all lengths, some with a value and some with parts.
    fn lessons(programs: &[Vec<u8>]) -> Vec<Lesson<'_>> {
        let lessons = programs.iter().enumerate();
        lessons
            .map(|(place, program)| Lesson {
                program,
                // Some are to be written otherwise than they are read.
                target: match place % 5 {
                    0 => &[4, 0],
                    _ => program,
                },
                value: place
                    .is_multiple_of(3)
                    .then_some(program.len() as f32 - 3.0),
                parts: place.is_multiple_of(2).then_some(&[0.5, -1.0, 0.1]),
            })
            .collect()
    }

    fn programs(count: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<u8>> {
        let mut program = |place: usize| {
            let symbols = (0..place % (SIZES.longest + 1)).map(|_| rng.random_range(0..5));
            symbols.collect()
        };
        (0..count).map(&mut program).collect()
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let programs = programs(2 * SHARE + 6, &mut rng);
        let lessons = lessons(&programs);
        let weights = ModelConfiguration {
            scale_weight: 1.0,
            ranking_weight: 1.0,
            ..ModelConfiguration::default()
        };
        let mut model = AutoEncoder::new(SIZES, &mut rng);
        let bias = |(name, _): &(&str, _)| *name == "value.hidden_1.bias";
        let bias = model.parameters().iter().position(bias).unwrap();
        // Far from where the rectifiers bend.
        model.parameters_mut()[bias].values = vec![3.0, -3.0, 3.0, -3.0];
        let noise = rng.clone();
        let loss = |model: &AutoEncoder| {
            let (loss, gradient) = model.loss(&lessons, &weights, &mut noise.clone()).unwrap();
            (loss.total, gradient)
        };
        let (_, gradient) = loss(&model);
        for (number, (name, gradient)) in gradient.parameters().into_iter().enumerate() {
            // Along the gradient the loss grows by the length of the gradient.
            let length = sum_of_squares(&gradient.values).sqrt();
            assert!(length > 1e-3, "{name} has a gradient");
            let before = model.parameters()[number].1.values.clone();
            let mut at = |step: f64| {
                let moved = before.iter().zip(&gradient.values);
                let factor = (step / length) as f32;
                let moved = moved.map(|(value, slope)| value + factor * slope).collect();
                model.parameters_mut()[number].values = moved;
                loss(&model).0
            };
            let difference = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!(
                (difference - length).abs() < 0.01 * length + 1e-4,
                "{name}: {difference} and {length}"
            );
            at(0.0);
        }
    }

    #[test]
    fn pairs_in_the_wrong_order_are_what_the_ranking_loss_is_about() {
        let values = [1.0, 2.0, 2.0];
        let (right, gradient) = logistic(&[-9.0, 9.0, 5.0], &values);
        assert!(right < 1e-5 && gradient.iter().all(|slope| slope.abs() < 1e-5));
        // The margins are 18 and 14; programs of one value are no pair.
        let (wrong, gradient) = logistic(&[9.0, -9.0, -5.0], &values);
        assert!((wrong - 16.0).abs() < 1e-4, "{wrong}");
        assert!((gradient[0] - 1.0).abs() < 1e-4, "{gradient:?}");
        assert!((gradient[1] + 0.5).abs() < 1e-4, "{gradient:?}");
        assert_eq!(logistic(&[3.0], &[1.0]), (0.0, vec![0.0]));
    }

    #[test]
    fn the_loss_is_the_same_on_any_number_of_threads() {
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let programs = programs(3 * SHARE, &mut rng);
        let lessons = lessons(&programs);
        let model = AutoEncoder::new(SIZES, &mut rng);
        let loss = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let weights = ModelConfiguration {
                ranking_weight: 1.0,
                ..ModelConfiguration::default()
            };
            let mut rng = ChaCha8Rng::seed_from_u64(7);
            let loss = || model.loss(&lessons, &weights, &mut rng).unwrap();
            pool.build().unwrap().install(loss)
        };
        assert_eq!(loss(1), loss(3));
    }

    #[test]
    fn what_can_not_be_encoded_is_an_error() {
        let model = AutoEncoder::new(SIZES, &mut ChaCha8Rng::seed_from_u64(8));
        assert!(model.encode(&[&[0, 4], &[]]).is_ok());
        assert!(model.encode(&[&[0, 5]]).is_err());
        assert!(model.encode(&[&[0; 8]]).is_err());
        assert!(model.encode(&[]).unwrap().is_empty());
    }
}

//! Trains the auto-encoder: first on random programs, then with the values of what was measured.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rand_chacha::ChaCha8Rng;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::adam::Adam;
use super::cholesky::Cholesky;
use super::configuration::AutosnapConfiguration;
use super::decoding::{self, Choice};
use super::error::{Result, SearchError};
use super::history::Proposal;
use super::model::{AutoEncoder, Codes, Lesson, Sizes, normals};
use super::pool::{Pool, draw};
use super::regression::Regression;
use super::scale::Scale;
use super::seeds::{Purpose, generator};
use super::space::{self, Key, ProgramSpace};

/// How good the model is, measured on random programs it never learnt from. Where programs are
/// [respelled](super::ModelConfiguration::respelled) in training, every spelling of a program counts as
/// the program come back, with all its symbols; else only its own does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelReport {
    /// The share of symbols (ends included) that come back from encoding and decoding.
    pub reconstructed_symbols: f64,
    /// The share of programs that come back whole.
    pub reconstructed_programs: f64,
    /// The share of valid programs when the decoder takes the most likely symbol, unconstrained.
    pub valid_unconstrained: f64,
    /// The share of valid programs with the constraint.
    pub valid: f64,
    /// Of programs decoded from random codes: the share of distinct keys.
    pub unique: f64,
    /// Of those: the share the model never learnt from.
    pub novel: f64,
}

/// A program with its measured value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Example<'a> {
    /// Its opcodes.
    pub program: &'a [u8],
    /// Its value.
    pub value: f64,
}

/// The auto-encoder with its training state. A copy goes on from here, while this one stays as it is.
#[derive(Clone)]
pub struct Learner {
    configuration: AutosnapConfiguration,
    model: AutoEncoder,
    adam: Adam,
    pool: Arc<Pool>,
    scale: Scale,
    /// The covariance of the weights of the value layer, until the model is trained again.
    prior: Option<Cholesky>,
}

impl Learner {
    /// A learner with a random model. Everything random follows from the seed.
    ///
    /// # Errors
    ///
    /// If the space has no valid program.
    pub fn new(
        space: &dyn ProgramSpace,
        configuration: &AutosnapConfiguration,
        seed: u64,
    ) -> Result<Self> {
        let pool = Pool::draw(space, configuration, &mut generator(seed, Purpose::Pool, 0))?;
        let sizes = Sizes {
            symbols: space.symbols().len(),
            longest: *space.lengths().end(),
            hidden: configuration.model.hidden,
            latent: configuration.model.latent,
            parts: pool.parts,
            value_layers: configuration.model.value_layers,
            value_hidden: configuration.model.value_hidden,
        };
        let model = AutoEncoder::new(sizes, &mut generator(seed, Purpose::Weights, 0));
        Ok(Self {
            configuration: configuration.clone(),
            adam: Adam::new(model.parameters().iter().map(|(_, it)| it.values.len())),
            model,
            pool: Arc::new(pool),
            scale: Scale::of(&[], false),
            prior: None,
        })
    }

    /// The model.
    pub fn model(&self) -> &AutoEncoder {
        &self.model
    }

    /// Trains on random programs alone. `progress` is told the steps done after each.
    ///
    /// # Errors
    ///
    /// [`SearchError::Stopped`] once `stop` is set.
    pub fn pretrain(
        &mut self,
        rng: &mut ChaCha8Rng,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(usize),
    ) -> Result<()> {
        let settings = self.configuration.pretraining.clone();
        for step in 0..settings.steps {
            if stop.load(Ordering::Relaxed) {
                return Err(SearchError::Stopped);
            }
            let rate = settings.learning_rate * schedule(step, settings.steps);
            self.step(&[], settings.batch, rate, rng)?;
            progress(step + 1);
        }
        Ok(())
    }

    /// Trains the auto-encoder and the value layer together, going on from where they are: half of
    /// every batch are measured programs, half random ones.
    ///
    /// # Errors
    ///
    /// [`SearchError::Stopped`] once `stop` is set.
    pub fn train(
        &mut self,
        examples: &[Example<'_>],
        rng: &mut ChaCha8Rng,
        stop: &AtomicBool,
    ) -> Result<()> {
        let values: Vec<f64> = examples.iter().map(|example| example.value).collect();
        self.scale = Scale::of(&values, self.configuration.warp);
        let settings = self.configuration.joint.clone();
        for _ in 0..settings.steps {
            if stop.load(Ordering::Relaxed) {
                return Err(SearchError::Stopped);
            }
            self.step(examples, settings.batch, settings.learning_rate, rng)?;
        }
        Ok(())
    }

    fn step(
        &mut self,
        examples: &[Example<'_>],
        batch: usize,
        rate: f64,
        rng: &mut ChaCha8Rng,
    ) -> Result<()> {
        let mut lessons = Vec::with_capacity(batch);
        if !examples.is_empty() {
            for place in draw(examples.len(), batch / 2, rng) {
                let Example { program, value } = examples[place];
                lessons.push(Lesson {
                    program,
                    target: program,
                    value: Some(self.scale.apply(value) as f32),
                    parts: None,
                });
            }
        }
        let pool = Arc::clone(&self.pool);
        pool.fill_up(&mut lessons, batch, rng);
        let respelled = self.configuration.model.respelled;
        if respelled > 0.0 {
            for lesson in &mut lessons {
                pool.spellings.respell(lesson, respelled, rng);
            }
        }
        // The longest first, which is less work.
        lessons.sort_by_key(|lesson| Reverse(lesson.program.len()));
        let settings = &self.configuration.model;
        let (_, gradient) = self.model.loss(&lessons, settings, rng)?;
        let parameters = self.model.parameters_mut().into_iter();
        let gradients = gradient.parameters();
        let parameters = parameters.zip(&gradients);
        let parameters = parameters.map(|(it, (_, of))| (&mut *it.values, &*of.values));
        self.adam
            .step(parameters.collect(), rate, settings.gradient_norm);
        self.prior = None;
        Ok(())
    }

    /// The latent codes of programs.
    ///
    /// # Errors
    ///
    /// If an opcode is outside the vocabulary, or a program longer than the longest.
    pub fn encode(&self, programs: &[&[u8]]) -> Result<Codes> {
        self.model.encode(programs)
    }

    /// The predicted values of programs, in the units of what was measured.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    pub fn predict(&self, programs: &[&[u8]]) -> Result<Vec<f64>> {
        let standardised = self.model.predict(&self.model.encode(programs)?);
        Ok(standardised
            .into_iter()
            .map(|value| self.scale.invert(f64::from(value)))
            .collect())
    }

    /// Fills in what the value layer expects of proposals.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    pub fn predict_all(&self, proposals: &mut [Proposal]) -> Result<()> {
        let programs: Vec<&[u8]> = proposals.iter().map(|p| p.program.as_slice()).collect();
        let values = self.predict(&programs)?;
        for (proposal, value) in proposals.iter_mut().zip(values) {
            proposal.predicted = Some(value);
        }
        Ok(())
    }

    /// The scale of the values that [`train`](Self::train) was given last.
    pub fn scale(&self) -> &Scale {
        &self.scale
    }

    /// Puts the value layer where the results say, in closed form. Nothing if they say nothing.
    ///
    /// # Errors
    ///
    /// If the value layer is not one linear layer.
    pub fn fit(&mut self, codes: &Codes, values: &[f64]) -> Result<Option<Regression>> {
        if self.prior.is_none() {
            self.prior = self.value_prior();
        }
        let Some(prior) = &self.prior else {
            return Ok(None);
        };
        let fitted = Regression::fit(codes.rows(), values, prior.clone());
        if let Some(fitted) = &fitted {
            let (weights, constant) = fitted.layer();
            self.model.set_value_layer(&weights, constant)?;
        }
        Ok(fitted)
    }

    /// What the parts say of the weights of the value layer before anything is measured. Nothing if they are not
    /// finite.
    fn value_prior(&self) -> Option<Cholesky> {
        let latent = self.model.sizes().latent;
        let mut metric: Vec<f64> = match self.model.parts_metric() {
            Some(metric) => metric.into_iter().map(f64::from).collect(),
            None => vec![0.0; latent * latent],
        };
        // Directions that no part needs may matter a little all the same.
        let diagonal = || (0..latent).map(|place| place * (latent + 1));
        let mean = diagonal().map(|place| metric[place]).sum::<f64>() / latent as f64;
        let least = if mean > 0.0 { LEAST_PRIOR * mean } else { 1.0 };
        diagonal().for_each(|place| metric[place] += least);
        Cholesky::new(metric, latent)
    }

    /// Measures the model.
    ///
    /// # Errors
    ///
    /// If the programs of the space do not have its lengths.
    pub fn measure(&self, space: &dyn ProgramSpace, rng: &mut ChaCha8Rng) -> Result<ModelReport> {
        let programs: Vec<&[u8]> = self.pool.held_out.iter().map(Vec::as_slice).collect();
        let codes = self.model.encode(&programs)?;
        let back = decoding::decode(&self.model, space, &codes, Choice::Greedy, rng);
        let longest = *space.lengths().end();
        let free = decoding::decode_unconstrained(&self.model, longest, &codes, rng);
        let valid = |program: &Option<Vec<u8>>| {
            program
                .as_ref()
                .is_some_and(|program| space::is_valid(space, program))
        };
        let any_spelling = self.configuration.model.respelled > 0.0;
        let (mut right, mut places, mut whole) = (0, 0, 0);
        for (program, back) in programs.iter().zip(&back) {
            let is_same = back.as_deref().is_some_and(|back| {
                back == *program || any_spelling && space.key(back) == space.key(program)
            });
            right += match is_same {
                true => program.len() + 1,
                false => matches(program, back.as_deref().unwrap_or_default()),
            };
            whole += usize::from(is_same);
            places += program.len() + 1;
        }

        let latent = self.model.sizes().latent;
        let random = Codes {
            latent,
            values: normals(programs.len().min(SAMPLED) * latent, 1.0, rng),
        };
        let sampled = decoding::decode(&self.model, space, &random, Choice::Greedy, rng);
        let keys: Vec<Key> = sampled
            .iter()
            .flatten()
            .map(|program| space.key(program))
            .collect();
        let distinct: HashSet<Key> = keys.iter().copied().collect();
        let novel = distinct
            .iter()
            .filter(|key| !self.pool.training_keys.contains(key))
            .count();
        Ok(ModelReport {
            reconstructed_symbols: share(right, places),
            reconstructed_programs: share(whole, programs.len()),
            valid_unconstrained: share(free.iter().filter(|p| valid(p)).count(), free.len()),
            valid: share(back.iter().filter(|p| valid(p)).count(), back.len()),
            unique: share(distinct.len(), keys.len()),
            novel: share(novel, distinct.len()),
        })
    }

    /// Everything training changed, as a safetensors file: the weights under their names, the
    /// optimiser's moments as `first.NAME` and `second.NAME`.
    ///
    /// # Errors
    ///
    /// If the weights can't be written.
    pub fn save(&self) -> Result<Vec<u8>> {
        let mut tensors = Vec::new();
        let moments = self.adam.first.iter().zip(&self.adam.second);
        for ((name, weight), (first, second)) in self.model.parameters().into_iter().zip(moments) {
            tensors.push((name.to_owned(), bytes(&weight.values)));
            tensors.push((format!("first.{name}"), bytes(first)));
            tensors.push((format!("second.{name}"), bytes(second)));
        }
        let views: Vec<(&str, TensorView<'_>)> = tensors
            .iter()
            .map(|(name, bytes)| {
                let view = TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes);
                view.map(|view| (name.as_str(), view))
            })
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        let steps = HashMap::from([("steps".to_owned(), self.adam.steps.to_string())]);
        safetensors::serialize(views, Some(steps)).map_err(failed)
    }

    /// Goes back to what [`save`](Self::save) gave.
    ///
    /// # Errors
    ///
    /// If the bytes were not made by a learner with the same configuration.
    pub fn restore(&mut self, saved: &[u8]) -> Result<()> {
        let tensors = SafeTensors::deserialize(saved).map_err(failed)?;
        let (_, metadata) = SafeTensors::read_metadata(saved).map_err(failed)?;
        let numbers = |name: &str, count: usize| -> Result<Vec<f32>> {
            let tensor = tensors.tensor(name).map_err(failed)?;
            let numbers: Vec<f32> = tensor
                .data()
                .chunks_exact(4)
                .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
                .collect();
            match numbers.len() == count && tensor.dtype() == Dtype::F32 {
                true => Ok(numbers),
                false => Err(unfit(&format!("`{name}` has another size"))),
            }
        };
        let steps = metadata
            .metadata()
            .as_ref()
            .and_then(|map| map.get("steps")?.parse().ok());
        let mut adam = Adam {
            steps: steps.ok_or_else(|| unfit("no steps"))?,
            ..Adam::default()
        };
        let mut values = Vec::new();
        for (name, weight) in self.model.parameters() {
            let count = weight.values.len();
            values.push(numbers(name, count)?);
            adam.first.push(numbers(&format!("first.{name}"), count)?);
            adam.second.push(numbers(&format!("second.{name}"), count)?);
        }
        for (weight, values) in self.model.parameters_mut().into_iter().zip(values) {
            weight.values = values;
        }
        self.adam = adam;
        self.prior = None;
        Ok(())
    }
}

fn unfit(reason: &str) -> SearchError {
    SearchError::Model(format!("its checkpoint does not fit: {reason}"))
}

fn failed(error: safetensors::SafeTensorError) -> SearchError {
    SearchError::Model(error.to_string())
}

/// How many programs are decoded from random codes when the model is measured.
const SAMPLED: usize = 64;

/// The variance of the prior in directions that no part needs, as a share of the mean.
const LEAST_PRIOR: f64 = 1e-3;

/// A linear warm-up over the first twentieth, then half a cosine down to a hundredth.
fn schedule(step: usize, steps: usize) -> f64 {
    let warm_up = (steps / 20).max(1);
    if step < warm_up {
        return (step + 1) as f64 / warm_up as f64;
    }
    let done = (step - warm_up) as f64 / (steps - warm_up).max(1) as f64;
    0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
}

/// How many places of a program, its end included, are right in what came back.
fn matches(program: &[u8], back: &[u8]) -> usize {
    let same = program.iter().zip(back).filter(|(a, b)| a == b).count();
    same + usize::from(program.len() == back.len())
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

//! A network written by hand, small enough to be trained many times.

use candle_core::{DType, Device, Result, Tensor, Var};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::backend::{Mode, Model};
use snapc::data::{self, Dataset};
use snapc::train::TrainingConfiguration;

/// A convolution, pooling, a running centre as its state, dropout and a dense layer.
pub struct SmallNetwork {
    kernel: Var,
    weight: Var,
    bias: Var,
    centre: Var,
    /// From this step on the output is not a number.
    pub broken_from: u64,
}

const CHANNELS: usize = 12;
const CLASSES: usize = 10;

impl SmallNetwork {
    pub fn new(seed: u64) -> Self {
        Self::with_sizes(seed, CHANNELS, CLASSES)
    }

    pub fn with_sizes(seed: u64, channels: usize, classes: usize) -> Self {
        let features = channels * 16;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |shape: &[usize], bound: f32| {
            let count: usize = shape.iter().product();
            let values: Vec<f32> = (0..count)
                .map(|_| random.random_range(-bound..bound))
                .collect();
            Var::from_vec(values, shape, &Device::Cpu).expect("a variable")
        };
        Self {
            kernel: draw(&[channels, 1, 3, 3], 0.5),
            weight: draw(&[features, classes], 0.1),
            bias: draw(&[classes], 0.1),
            centre: Var::zeros(features, DType::F32, &Device::Cpu).expect("a variable"),
            broken_from: u64::MAX,
        }
    }

    fn normalise(&self, features: &Tensor, mode: Mode) -> Result<Tensor> {
        let Mode::Train { step } = mode else {
            return features.broadcast_sub(&self.centre);
        };
        let mean = features.mean(0)?;
        let running = (self.centre.detach() * 0.9)? + (mean.detach() * 0.1)?;
        self.centre.set(&running?)?;
        let mut random = ChaCha8Rng::seed_from_u64(step);
        let mask: Vec<f32> = (0..features.elem_count())
            .map(|_| {
                if random.random_bool(0.1) {
                    0.0
                } else {
                    1.0 / 0.9
                }
            })
            .collect();
        let mask = Tensor::from_vec(mask, features.shape(), &Device::Cpu)?;
        features.broadcast_sub(&mean)? * mask
    }
}

impl Model for SmallNetwork {
    fn forward(&self, batch: &Tensor, mode: Mode) -> Result<Tensor> {
        let features = batch.conv2d(&self.kernel, 1, 1, 1, 1)?.relu()?;
        let features = features.max_pool2d(2)?.flatten_from(1)?;
        let features = self.normalise(&features, mode)?;
        let logits = features.matmul(&self.weight)?.broadcast_add(&self.bias)?;
        match mode {
            Mode::Train { step } if step >= self.broken_from => logits * f64::NAN,
            _ => Ok(logits),
        }
    }

    fn trainable(&self) -> Vec<(String, Var)> {
        [
            ("conv.weight", &self.kernel),
            ("dense.weight", &self.weight),
            ("dense.bias", &self.bias),
        ]
        .map(|(name, variable)| (name.to_string(), variable.clone()))
        .into()
    }

    fn state(&self) -> Vec<(String, Var)> {
        vec![("centre".into(), self.centre.clone())]
    }
}

/// All values of a model, bit by bit.
pub fn bits(model: &dyn Model) -> Vec<u32> {
    let variables = model.trainable().into_iter().chain(model.state());
    variables
        .flat_map(|(_, variable)| {
            let values = variable.flatten_all().expect("values");
            values.to_vec1::<f32>().expect("values")
        })
        .map(f32::to_bits)
        .collect()
}

pub fn digits() -> Box<dyn Dataset> {
    data::open("digits").expect("the digits")
}

/// Three epochs of six steps.
pub fn short() -> TrainingConfiguration {
    let mut configuration = TrainingConfiguration {
        epochs: 3,
        ..TrainingConfiguration::default()
    };
    configuration.split.validation = 0.1;
    configuration.split.test = 0.7;
    configuration
}

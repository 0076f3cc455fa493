use candle_core::{Device, Result, Tensor};
use rand::RngExt;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::Dataset;
use super::random::{Purpose, generator};

/// Shifts and scales every channel to mean 0 and standard deviation 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalization {
    /// The mean of each channel.
    pub mean: Vec<f32>,
    /// The standard deviation of each channel; 1 for a channel that is constant.
    pub deviation: Vec<f32>,
}

/// Below this standard deviation (an eighth of a step of a byte) a channel counts as constant.
const CONSTANT: f64 = 1.0 / 2048.0;

impl Normalization {
    /// Measures the channels (the first axis) over `examples`: the training part, so that nothing
    /// of the others leaks in.
    ///
    /// # Panics
    ///
    /// When an example is not in `dataset`.
    pub fn measure(dataset: &dyn Dataset, examples: &[usize]) -> Self {
        let shape = dataset.input_shape();
        let channels = shape.first().copied().unwrap_or(1).max(1);
        let size: usize = shape.iter().product();
        let mut pixels = vec![0.0; size];
        let mut sums = vec![0.0; channels];
        let mut squares = vec![0.0; channels];
        for &example in examples {
            dataset.read_pixels(example, &mut pixels);
            for (channel, values) in pixels.chunks((size / channels).max(1)).enumerate() {
                for &value in values {
                    sums[channel] += f64::from(value);
                    squares[channel] += f64::from(value) * f64::from(value);
                }
            }
        }
        let count = (examples.len() * (size / channels)).max(1) as f64;
        let deviation = |(sum, square): (&f64, &f64)| {
            let mean = sum / count;
            let deviation = (square / count - mean * mean).max(0.0).sqrt();
            if deviation < CONSTANT {
                1.0
            } else {
                deviation as f32
            }
        };
        Self {
            mean: sums.iter().map(|sum| (sum / count) as f32).collect(),
            deviation: sums.iter().zip(&squares).map(deviation).collect(),
        }
    }

    fn apply(&self, pixels: &mut [f32]) {
        let plane = pixels.len() / self.mean.len().max(1);
        let channels = self.mean.iter().zip(&self.deviation);
        for (values, (mean, deviation)) in pixels.chunks_mut(plane.max(1)).zip(channels) {
            for value in values {
                *value = (*value - mean) / deviation;
            }
        }
    }
}

/// How an epoch of training sees its examples. The same values give the same batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shuffle {
    /// The seed of the run.
    pub seed: u64,
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// The most pixels by which an image is moved along each axis; zeros come in from outside.
    pub shift: usize,
}

/// Some examples as tensors, on the CPU when they are read.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The values, normalised: `[n, c, h, w]`, f32.
    pub inputs: Tensor,
    /// The classes: `[n]`, u32.
    pub labels: Tensor,
    /// The same classes, for counting.
    pub classes: Vec<u32>,
}

impl Batch {
    /// The same examples on a device.
    ///
    /// # Errors
    ///
    /// When the device has no memory for them.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        Ok(Self {
            inputs: self.inputs.to_device(device)?,
            labels: self.labels.to_device(device)?,
            classes: self.classes.clone(),
        })
    }
}

/// Examples cut into batches of nearly the same size: none is left out, and there is no small last
/// batch, whose statistics would be poor.
pub struct Batches<'a> {
    dataset: &'a dyn Dataset,
    normalization: &'a Normalization,
    order: Vec<usize>,
    batch_size: usize,
    shuffle: Option<Shuffle>,
}

impl<'a> Batches<'a> {
    /// The examples as they are, in the order given, in batches of at most `batch_size` (at least
    /// one).
    pub fn in_order(
        dataset: &'a dyn Dataset,
        normalization: &'a Normalization,
        examples: &[usize],
        batch_size: usize,
    ) -> Self {
        Self {
            dataset,
            normalization,
            order: examples.to_vec(),
            batch_size: batch_size.max(1),
            shuffle: None,
        }
    }

    /// The examples in a random order, randomly moved.
    pub fn shuffled(
        dataset: &'a dyn Dataset,
        normalization: &'a Normalization,
        examples: &[usize],
        batch_size: usize,
        shuffle: Shuffle,
    ) -> Self {
        let mut batches = Self::in_order(dataset, normalization, examples, batch_size);
        let mut random = generator(shuffle.seed, Purpose::Order, shuffle.epoch);
        batches.order.shuffle(&mut random);
        batches.shuffle = Some(shuffle);
        batches
    }

    /// How the inputs are normalised.
    pub fn normalization(&self) -> &Normalization {
        self.normalization
    }

    /// The number of batches.
    pub fn count(&self) -> usize {
        self.order.len().div_ceil(self.batch_size)
    }

    /// The examples of the batch with this number; none from [`count`](Self::count) on.
    pub fn examples(&self, number: usize) -> &[usize] {
        let count = self.count();
        if number >= count {
            return &[];
        }
        let start = number * self.order.len() / count;
        let end = (number + 1) * self.order.len() / count;
        &self.order[start..end]
    }

    /// Reads the batch with this number.
    ///
    /// # Errors
    ///
    /// When the tensors can't be made.
    ///
    /// # Panics
    ///
    /// When an example is not in the data set.
    pub fn read(&self, number: usize) -> Result<Batch> {
        let examples = self.examples(number);
        let mut shape = self.dataset.input_shape();
        let size: usize = shape.iter().product();
        let mut inputs = vec![0.0; examples.len() * size];
        for (pixels, &example) in inputs.chunks_mut(size.max(1)).zip(examples) {
            self.read_example(example, &shape, pixels);
        }
        let classes: Vec<u32> = examples
            .iter()
            .map(|&example| self.dataset.label(example))
            .collect();
        shape.insert(0, examples.len());
        Ok(Batch {
            inputs: Tensor::from_vec(inputs, shape, &Device::Cpu)?,
            labels: Tensor::from_slice(&classes, classes.len(), &Device::Cpu)?,
            classes,
        })
    }

    fn read_example(&self, example: usize, shape: &[usize], pixels: &mut [f32]) {
        self.dataset.read_pixels(example, pixels);
        if let (Some(shuffle), &[_, height, width]) = (self.shuffle, shape)
            && shuffle.shift > 0
        {
            let (down, right) = draw_shift(shuffle, example);
            shift(pixels, height, width, down, right);
        }
        self.normalization.apply(pixels);
    }
}

/// Each example has its own block of random numbers, so that they do not depend on what was drawn
/// before.
fn draw_shift(shuffle: Shuffle, example: usize) -> (isize, isize) {
    const WORDS_A_BLOCK: u128 = 16;
    let mut random = generator(shuffle.seed, Purpose::Augmentation, shuffle.epoch);
    random.set_word_pos(example as u128 * WORDS_A_BLOCK);
    let most = i32::try_from(shuffle.shift).unwrap_or(i32::MAX);
    let mut draw = || random.random_range(-most..=most) as isize;
    (draw(), draw())
}

/// Moves every plane of an image; what comes in from outside is zero.
fn shift(pixels: &mut [f32], height: usize, width: usize, down: isize, right: isize) {
    let source = pixels.to_vec();
    let planes = pixels.chunks_mut((height * width).max(1));
    for (plane, source) in planes.zip(source.chunks((height * width).max(1))) {
        for (row, values) in plane.chunks_mut(width.max(1)).enumerate() {
            let from = row.checked_add_signed(-down).filter(|&it| it < height);
            for (column, value) in values.iter_mut().enumerate() {
                let across = column.checked_add_signed(-right).filter(|&it| it < width);
                *value = match (from, across) {
                    (Some(row), Some(column)) => source[row * width + column],
                    _ => 0.0,
                };
            }
        }
    }
}

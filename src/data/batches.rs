use candle_core::{Device, Result, Tensor};
use rand::RngExt;
use rand::seq::SliceRandom;

use super::random::{Purpose, generator};
use super::{Dataset, Normalization, Target, Task};

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
    /// What is known of them.
    pub targets: BatchTargets,
}

/// What is known of the examples of a batch.
#[derive(Clone, Debug)]
pub enum BatchTargets {
    /// Their classes.
    Classes {
        /// `[n]`, u32.
        tensor: Tensor,
        /// The same, for counting.
        classes: Vec<u32>,
    },
    /// Numbers for each of `k` quantities.
    Quantities {
        /// Normalised: `[n, k]`, f32.
        tensor: Tensor,
        /// In the units of the data, `k` for each example.
        values: Vec<f32>,
    },
}

impl BatchTargets {
    /// The tensor.
    pub fn tensor(&self) -> &Tensor {
        match self {
            Self::Classes { tensor, .. } | Self::Quantities { tensor, .. } => tensor,
        }
    }

    fn to_device(&self, device: &Device) -> Result<Self> {
        let mut targets = self.clone();
        match &mut targets {
            Self::Classes { tensor, .. } | Self::Quantities { tensor, .. } => {
                *tensor = tensor.to_device(device)?;
            }
        }
        Ok(targets)
    }
}

impl Batch {
    /// How many examples it has.
    pub fn len(&self) -> usize {
        self.inputs.dims().first().copied().unwrap_or(0)
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same examples on a device.
    ///
    /// # Errors
    ///
    /// When the device has no memory for them.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        Ok(Self {
            inputs: self.inputs.to_device(device)?,
            targets: self.targets.to_device(device)?,
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

    /// What is to be learnt about the examples.
    pub fn task(&self) -> &Task {
        self.dataset.task()
    }

    /// How inputs and quantities are normalised.
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
        shape.insert(0, examples.len());
        Ok(Batch {
            inputs: Tensor::from_vec(inputs, shape, &Device::Cpu)?,
            targets: self.read_targets(examples)?,
        })
    }

    fn read_targets(&self, examples: &[usize]) -> Result<BatchTargets> {
        let (mut classes, mut values) = (Vec::new(), Vec::new());
        for &example in examples {
            match self.dataset.target(example) {
                Target::Class(class) => classes.push(class),
                Target::Quantities(quantities) => values.extend_from_slice(quantities),
            }
        }
        let task = self.dataset.task();
        if !task.is_regression() {
            let tensor = Tensor::from_slice(&classes, classes.len(), &Device::Cpu)?;
            return Ok(BatchTargets::Classes { tensor, classes });
        }
        let quantities = task.names().len();
        let mut normalised = values.clone();
        if let Some(scaling) = &self.normalization.targets {
            let rows = normalised.chunks_mut(quantities.max(1));
            rows.for_each(|row| scaling.apply(row));
        }
        let shape = (examples.len(), quantities);
        let tensor = Tensor::from_vec(normalised, shape, &Device::Cpu)?;
        Ok(BatchTargets::Quantities { tensor, values })
    }

    fn read_example(&self, example: usize, shape: &[usize], pixels: &mut [f32]) {
        self.dataset.read_pixels(example, pixels);
        if let (Some(shuffle), &[_, height, width]) = (self.shuffle, shape)
            && shuffle.shift > 0
        {
            let (down, right) = draw_shift(shuffle, example);
            shift(pixels, height, width, down, right);
        }
        self.normalization.inputs.apply(pixels);
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

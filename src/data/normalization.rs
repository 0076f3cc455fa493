use serde::{Deserialize, Serialize};

use super::{Dataset, Target};

/// Shifts and scales numbers to mean 0 and standard deviation 1: those of each channel or of each quantity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// The mean of each.
    pub mean: Vec<f32>,
    /// The standard deviation of each; 1 where all numbers are the same.
    pub deviation: Vec<f32>,
}

/// How the numbers of a data set are made those that a network learns from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalization {
    /// Of the channels of inputs.
    #[serde(flatten)]
    pub inputs: Scaling,
    /// Of the quantities, where such are learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<Scaling>,
}

/// Below this standard deviation (an eighth of a step of a byte) a channel counts as constant.
const CONSTANT_CHANNEL: f64 = 1.0 / 2048.0;

impl Normalization {
    /// Measures the channels (the first axis) and the quantities over `examples`: the training part, so that nothing
    /// of the others leaks in.
    ///
    /// # Panics
    ///
    /// When an example is not in `dataset`.
    pub fn measure(dataset: &dyn Dataset, examples: &[usize]) -> Self {
        Self {
            inputs: measure_inputs(dataset, examples),
            targets: measure_targets(dataset, examples),
        }
    }
}

fn measure_inputs(dataset: &dyn Dataset, examples: &[usize]) -> Scaling {
    let shape = dataset.input_shape();
    let channels = shape.first().copied().unwrap_or(1).max(1);
    let size: usize = shape.iter().product();
    let mut pixels = vec![0.0; size];
    let mut moments = vec![Moments::default(); channels];
    for &example in examples {
        dataset.read_pixels(example, &mut pixels);
        let planes = pixels.chunks((size / channels).max(1));
        for (moments, values) in moments.iter_mut().zip(planes) {
            values.iter().for_each(|&value| moments.add(value));
        }
    }
    Scaling::of(&moments, CONSTANT_CHANNEL)
}

fn measure_targets(dataset: &dyn Dataset, examples: &[usize]) -> Option<Scaling> {
    if !dataset.task().is_regression() {
        return None;
    }
    let mut moments = vec![Moments::default(); dataset.task().names().len()];
    for &example in examples {
        if let Target::Quantities(values) = dataset.target(example) {
            let moments = moments.iter_mut().zip(values);
            moments.for_each(|(moments, &value)| moments.add(value));
        }
    }
    Some(Scaling::of(&moments, 0.0))
}

impl Scaling {
    /// Those whose standard deviation is not above `constant` are not scaled.
    fn of(moments: &[Moments], constant: f64) -> Self {
        let deviation = |it: &Moments| match it.deviation() {
            deviation if deviation > constant => deviation as f32,
            _ => 1.0,
        };
        Self {
            mean: moments.iter().map(|it| it.mean() as f32).collect(),
            deviation: moments.iter().map(deviation).collect(),
        }
    }

    /// Normalises as many numbers of each, one after the other: the planes of an image, or the quantities of
    /// an example.
    pub(super) fn apply(&self, values: &mut [f32]) {
        let plane = values.len() / self.mean.len().max(1);
        let scales = self.mean.iter().zip(&self.deviation);
        for (values, (mean, deviation)) in values.chunks_mut(plane.max(1)).zip(scales) {
            for value in values {
                *value = (*value - mean) / deviation;
            }
        }
    }

    /// What a normalised number of the quantity with this place is in the units of the data; the number itself
    /// if there is no such quantity.
    pub fn restore(&self, place: usize, normalised: f32) -> f32 {
        match (self.mean.get(place), self.deviation.get(place)) {
            (Some(mean), Some(deviation)) => normalised * deviation + mean,
            _ => normalised,
        }
    }
}

/// Sums over numbers, from which their mean and standard deviation follow.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    count: usize,
    /// The first number: the sums are of the distances from it, since squares of numbers far from 0 leave nothing of their
    /// differences.
    origin: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f32) {
        if self.count == 0 {
            self.origin = f64::from(value);
        }
        let distance = f64::from(value) - self.origin;
        self.count += 1;
        self.sum += distance;
        self.squares += distance * distance;
    }

    fn mean(&self) -> f64 {
        self.origin + self.sum / self.count.max(1) as f64
    }

    fn deviation(&self) -> f64 {
        let count = self.count.max(1) as f64;
        let mean = self.sum / count;
        (self.squares / count - mean * mean).max(0.0).sqrt()
    }
}

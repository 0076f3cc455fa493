//! Batch normalisation (Ioffe and Szegedy, 2015) and its gradients.
//!
//! Tensors are `[n, channels, positions]`; every channel has statistics of its own over `n` and
//! positions.

use super::float::Float;
use super::parallel::{Parallel, ParallelSlice, map_places};
use super::rectifier::{Rectifier, relu, relu_gradient, relu6, relu6_gradient};
use super::reduce::Lanes;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// Sizes of the axes behind the first.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct Geometry {
    /// The second axis.
    pub(in crate::backend) channels: usize,
    /// All others.
    pub(in crate::backend) positions: usize,
    /// What is added to a variance before its root is taken.
    pub(in crate::backend) epsilon: f64,
}

/// Mean and (biased) variance of every channel.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::backend) struct Statistics {
    /// Means.
    pub(in crate::backend) mean: Vec<f64>,
    /// Variances.
    pub(in crate::backend) variance: Vec<f64>,
}

/// What the backward pass gives.
pub(in crate::backend) struct Gradients<T> {
    /// For the input.
    pub(in crate::backend) input: Numbers<T>,
    /// For the weights.
    pub(in crate::backend) weight: Numbers<T>,
    /// For the bias.
    pub(in crate::backend) bias: Numbers<T>,
}

/// Numbers of one channel that are summed up before the sum goes on in double precision.
const GROUP: usize = 1024;

impl Geometry {
    fn example(&self) -> usize {
        self.channels * self.positions
    }

    /// The numbers of the examples that are summed up together.
    fn group(&self) -> usize {
        GROUP.div_ceil(self.positions) * self.example()
    }

    /// The positions of one channel in every example.
    #[inline(always)]
    fn rows<'a, T>(&self, values: &'a [T], channel: usize) -> impl Iterator<Item = &'a [T]> {
        let row = channel * self.positions..(channel + 1) * self.positions;
        values
            .chunks_exact(self.example())
            .map(move |example| &example[row.clone()])
    }

    /// Numbers of one channel.
    pub(in crate::backend) fn count(&self, elements: usize) -> usize {
        elements / self.channels
    }
}

vectorised! {
    /// The sum of one channel.
    fn channel_sum[T: Float](geometry: &Geometry, values: &[T], channel: usize) -> T {
        let mut sum = Lanes::new();
        for row in geometry.rows(values, channel) {
            sum.add(row, row, |value, _| value);
        }
        sum.total()
    }
}

vectorised! {
    /// The sum of the squared distances of one channel from a centre.
    fn channel_squares[T: Float](
        geometry: &Geometry, values: &[T], channel: usize, centre: T,
    ) -> T {
        let mut sum = Lanes::new();
        for row in geometry.rows(values, channel) {
            sum.add(row, row, |value, _| (value - centre) * (value - centre));
        }
        sum.total()
    }
}

/// What a channel is multiplied with, and what is then added.
pub(in crate::backend) type Affine<T> = (T, T);

vectorised! {
    /// For one channel the sum of the gradient and of its product with the distance of the input
    /// from a centre. The gradient is that of a function of the normalised channel.
    fn channel_products[T: Float, G: Fn(T, T) -> T + Copy](
        geometry: &Geometry, input: &[T], gradient: &[T], channel: usize, centre: T,
        affine: Affine<T>, behind: G,
    ) -> (T, T) {
        let (scale, shift) = affine;
        let inner = |value: T, gradient: T| behind(value * scale + shift, gradient);
        let (mut sum, mut product) = (Lanes::new(), Lanes::new());
        let rows = geometry.rows(input, channel);
        for (input, gradient) in rows.zip(geometry.rows(gradient, channel)) {
            sum.add(input, gradient, inner);
            product.add(input, gradient, |value, gradient| {
                (value - centre) * inner(value, gradient)
            });
        }
        (sum.total(), product.total())
    }
}

vectorised! {
    fn scale_row[T: Float, F: Fn(T) -> T + Copy](
        input: &[T], output: &mut [T], affine: Affine<T>, behind: F,
    ) {
        let (scale, shift) = affine;
        for (output, input) in output.iter_mut().zip(input) {
            *output = behind(*input * scale + shift);
        }
    }
}

vectorised! {
    fn scale_row_here[T: Float, F: Fn(T) -> T + Copy](
        values: &mut [T], affine: Affine<T>, behind: F,
    ) {
        let (scale, shift) = affine;
        for value in values {
            *value = behind(*value * scale + shift);
        }
    }
}

vectorised! {
    fn combine_row[T: Float, G: Fn(T, T) -> T + Copy](
        input: &[T], gradient: &[T], output: &mut [T], factors: [T; 3], affine: Affine<T>,
        behind: G,
    ) {
        let [of_gradient, of_input, constant] = factors;
        let (scale, shift) = affine;
        for ((output, input), gradient) in output.iter_mut().zip(input).zip(gradient) {
            let gradient = behind(*input * scale + shift, *gradient);
            *output = gradient * of_gradient + (*input * of_input + constant);
        }
    }
}

/// The statistics of a batch. The numbers of a few examples are centred on their own mean before
/// they are squared, and these are combined in double precision (Chan, Golub and LeVeque, 1983), so
/// that a large mean costs no digits.
pub(in crate::backend) fn statistics<T: Float>(geometry: &Geometry, input: &[T]) -> Statistics {
    let groups: Vec<&[T]> = input.chunks(geometry.group()).collect();
    let parts = map_places(groups.len() * geometry.channels, |place| {
        let group = groups[place / geometry.channels];
        part_of_statistics(geometry, group, place % geometry.channels)
    });
    let channels = 0..geometry.channels;
    let (mean, variance) = channels
        .map(|channel| together(parts.iter().skip(channel).step_by(geometry.channels)))
        .unzip();
    Statistics { mean, variance }
}

/// How many numbers of a channel a few examples have, their mean, and the sum of their squared distances from it.
fn part_of_statistics<T: Float>(geometry: &Geometry, group: &[T], channel: usize) -> [f64; 3] {
    let count = geometry.count(group.len()) as f64;
    let mean = channel_sum(geometry, group, channel).to_f64() / count;
    let squares = channel_squares(geometry, group, channel, T::of(mean));
    [count, mean, squares.to_f64()]
}

/// The mean and the variance of all parts of a channel.
fn together<'a>(parts: impl Iterator<Item = &'a [f64; 3]>) -> (f64, f64) {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for &[size, of_part, squares_of_part] in parts {
        let difference = of_part - mean;
        let total = count + size;
        mean += difference * size / total;
        squares += squares_of_part + difference * difference * count * size / total;
        count = total;
    }
    (mean, squares / f64::max(count, 1.0))
}

/// What normalisation and the affine map behind it come to, for every channel:
/// `(input - mean) / sqrt(variance + epsilon) * weight + bias`.
pub(in crate::backend) fn affine<T: Float>(
    geometry: &Geometry,
    statistics: &Statistics,
    weight: &[T],
    bias: &[T],
) -> Vec<Affine<T>> {
    let channel = |channel: usize| {
        let scale =
            weight[channel].to_f64() / (statistics.variance[channel] + geometry.epsilon).sqrt();
        let shift = bias[channel].to_f64() - statistics.mean[channel] * scale;
        (T::of(scale), T::of(shift))
    };
    (0..geometry.channels).map(channel).collect()
}

/// The rectified, normalised channels.
pub(in crate::backend) fn forward<T: Float>(
    geometry: &Geometry,
    affine: &[Affine<T>],
    rectifier: Rectifier,
    input: &[T],
) -> Numbers<T> {
    match rectifier {
        Rectifier::Identity => forward_with(geometry, affine, input, |value| value),
        Rectifier::Relu => forward_with(geometry, affine, input, relu),
        Rectifier::Relu6 => forward_with(geometry, affine, input, relu6),
    }
}

fn forward_with<T: Float>(
    geometry: &Geometry,
    affine: &[Affine<T>],
    input: &[T],
    behind: impl Fn(T) -> T + Copy + Sync,
) -> Numbers<T> {
    let mut output = memory::buffer(input.len());
    output
        .par_chunks_mut(geometry.example())
        .zip(input.par_chunks(geometry.example()))
        .for_each(|(output, input)| {
            let rows = output.chunks_exact_mut(geometry.positions);
            let rows = rows.zip(input.chunks_exact(geometry.positions));
            for ((output, input), affine) in rows.zip(affine) {
                scale_row(input, output, *affine, behind);
            }
        });
    output
}

/// The same where the values lie, on the calling thread: rows of `positions` numbers, one a channel.
pub(super) fn forward_here<T: Float>(
    positions: usize,
    affine: &[Affine<T>],
    rectifier: Rectifier,
    values: &mut [T],
) {
    for (row, affine) in values
        .chunks_exact_mut(positions)
        .zip(affine.iter().cycle())
    {
        match rectifier {
            Rectifier::Identity => scale_row_here(row, *affine, |value| value),
            Rectifier::Relu => scale_row_here(row, *affine, relu),
            Rectifier::Relu6 => scale_row_here(row, *affine, relu6),
        }
    }
}

/// What the backward pass reads beside the input and the gradient.
pub(in crate::backend) struct Normalised<'a, T> {
    /// The statistics it was normalised with.
    pub(in crate::backend) statistics: &'a Statistics,
    /// Whether these are those of the batch, so that the input acts through them too; running
    /// statistics are constants.
    pub(in crate::backend) of_batch: bool,
    /// The weights.
    pub(in crate::backend) weight: &'a [T],
    /// What [`affine`] gave.
    pub(in crate::backend) affine: &'a [Affine<T>],
    /// What was done to the normalised values.
    pub(in crate::backend) rectifier: Rectifier,
}

/// The gradients, from that of the rectified values.
pub(in crate::backend) fn backward<T: Float>(
    geometry: &Geometry,
    normalised: &Normalised<T>,
    input: &[T],
    gradient: &[T],
) -> Gradients<T> {
    match normalised.rectifier {
        Rectifier::Identity => {
            backward_with(geometry, normalised, input, gradient, |_, gradient| {
                gradient
            })
        }
        Rectifier::Relu => backward_with(geometry, normalised, input, gradient, relu_gradient),
        Rectifier::Relu6 => backward_with(geometry, normalised, input, gradient, relu6_gradient),
    }
}

fn backward_with<T: Float>(
    geometry: &Geometry,
    normalised: &Normalised<T>,
    input: &[T],
    gradient: &[T],
    behind: impl Fn(T, T) -> T + Copy + Sync,
) -> Gradients<T> {
    let Normalised {
        statistics, affine, ..
    } = normalised;
    let count = geometry.count(input.len()) as f64;
    let groups = input.chunks(geometry.group());
    let groups: Vec<_> = groups.zip(gradient.chunks(geometry.group())).collect();
    let parts = map_places(groups.len() * geometry.channels, |place| {
        let (input, gradient) = groups[place / geometry.channels];
        let channel = place % geometry.channels;
        let centre = T::of(statistics.mean[channel]);
        let affine = affine[channel];
        channel_products(geometry, input, gradient, channel, centre, affine, behind)
    });
    // For every channel: the sums of the gradient and of its product with the normalised input.
    let sums_of = |channel: usize| {
        let scale = 1.0 / (statistics.variance[channel] + geometry.epsilon).sqrt();
        let (mut sum, mut product) = (0.0, 0.0);
        for part in parts.iter().skip(channel).step_by(geometry.channels) {
            sum += part.0.to_f64();
            product += part.1.to_f64();
        }
        (sum, product * scale)
    };
    let sums: Vec<(f64, f64)> = (0..geometry.channels).map(sums_of).collect();
    let factors: Vec<[T; 3]> = (0..geometry.channels)
        .map(|channel| {
            let (sum, product) = sums[channel];
            let inverse = 1.0 / (statistics.variance[channel] + geometry.epsilon).sqrt();
            let scale = normalised.weight[channel].to_f64() * inverse;
            let (of_input, constant) = match normalised.of_batch {
                true => {
                    let of_input = -scale * inverse * product / count;
                    let constant = -scale * sum / count - of_input * statistics.mean[channel];
                    (of_input, constant)
                }
                false => (0.0, 0.0),
            };
            [T::of(scale), T::of(of_input), T::of(constant)]
        })
        .collect();

    let mut target = memory::buffer(input.len());
    target
        .par_chunks_mut(geometry.example())
        .zip(input.par_chunks(geometry.example()))
        .zip(gradient.par_chunks(geometry.example()))
        .for_each(|((target, input), gradient)| {
            let rows = target
                .chunks_exact_mut(geometry.positions)
                .zip(input.chunks_exact(geometry.positions))
                .zip(gradient.chunks_exact(geometry.positions));
            let channels = factors.iter().zip(*affine);
            for (((target, input), gradient), (factors, affine)) in rows.zip(channels) {
                combine_row(input, gradient, target, *factors, *affine, behind);
            }
        });
    Gradients {
        input: target,
        weight: sums.iter().map(|(_, product)| T::of(*product)).collect(),
        bias: sums.iter().map(|(sum, _)| T::of(*sum)).collect(),
    }
}

//! Batch normalisation (Ioffe and Szegedy, 2015) and its gradients.
//!
//! Tensors are `[n, channels, positions]`; every channel has statistics of its own over `n` and
//! positions.

use rayon::prelude::*;

use super::float::Float;
use super::reduce::Lanes;

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
    pub(in crate::backend) input: Vec<T>,
    /// For the weights.
    pub(in crate::backend) weight: Vec<T>,
    /// For the bias.
    pub(in crate::backend) bias: Vec<T>,
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

vectorised! {
    /// For one channel the sum of the gradient and of its product with the distance of the input
    /// from a centre.
    fn channel_products[T: Float](
        geometry: &Geometry, input: &[T], gradient: &[T], channel: usize, centre: T,
    ) -> (T, T) {
        let (mut sum, mut product) = (Lanes::new(), Lanes::new());
        let rows = geometry.rows(input, channel);
        for (input, gradient) in rows.zip(geometry.rows(gradient, channel)) {
            sum.add(gradient, gradient, |gradient, _| gradient);
            product.add(input, gradient, |value, gradient| (value - centre) * gradient);
        }
        (sum.total(), product.total())
    }
}

vectorised! {
    fn scale_row[T: Float](input: &[T], output: &mut [T], scale: T, shift: T) {
        for (output, input) in output.iter_mut().zip(input) {
            *output = *input * scale + shift;
        }
    }
}

vectorised! {
    fn combine_row[T: Float](
        input: &[T], gradient: &[T], output: &mut [T], factors: [T; 3],
    ) {
        let [of_gradient, of_input, constant] = factors;
        for ((output, input), gradient) in output.iter_mut().zip(input).zip(gradient) {
            *output = *gradient * of_gradient + (*input * of_input + constant);
        }
    }
}

/// The statistics of a batch. The numbers of a few examples are centred on their own mean before
/// they are squared, and these are combined in double precision (Chan, Golub and LeVeque, 1983), so
/// that a large mean costs no digits.
pub(in crate::backend) fn statistics<T: Float>(geometry: &Geometry, input: &[T]) -> Statistics {
    let (mean, variance) = (0..geometry.channels)
        .into_par_iter()
        .map(|channel| channel_statistics(geometry, input, channel))
        .unzip();
    Statistics { mean, variance }
}

fn channel_statistics<T: Float>(geometry: &Geometry, input: &[T], channel: usize) -> (f64, f64) {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for group in input.chunks(geometry.group()) {
        let size = geometry.count(group.len()) as f64;
        let group_mean = channel_sum(geometry, group, channel).to_f64() / size;
        let group_squares = channel_squares(geometry, group, channel, T::of(group_mean));
        let difference = group_mean - mean;
        let total = count + size;
        mean += difference * size / total;
        squares += group_squares.to_f64() + difference * difference * count * size / total;
        count = total;
    }
    (mean, squares / f64::max(count, 1.0))
}

/// `(input - mean) / sqrt(variance + epsilon) * weight + bias`
pub(in crate::backend) fn forward<T: Float>(
    geometry: &Geometry,
    statistics: &Statistics,
    input: &[T],
    weight: &[T],
    bias: &[T],
) -> Vec<T> {
    let factors: Vec<(T, T)> = (0..geometry.channels)
        .map(|channel| {
            let scale =
                weight[channel].to_f64() / (statistics.variance[channel] + geometry.epsilon).sqrt();
            let shift = bias[channel].to_f64() - statistics.mean[channel] * scale;
            (T::of(scale), T::of(shift))
        })
        .collect();
    let mut output = vec![T::ZERO; input.len()];
    output
        .par_chunks_mut(geometry.example())
        .zip(input.par_chunks(geometry.example()))
        .for_each(|(output, input)| {
            let rows = output.chunks_exact_mut(geometry.positions);
            let rows = rows.zip(input.chunks_exact(geometry.positions));
            for ((output, input), (scale, shift)) in rows.zip(&factors) {
                scale_row(input, output, *scale, *shift);
            }
        });
    output
}

/// The gradients. Where the statistics are those of the batch, the input acts through them too;
/// running statistics are constants.
pub(in crate::backend) fn backward<T: Float>(
    geometry: &Geometry,
    statistics: &Statistics,
    of_batch: bool,
    input: &[T],
    weight: &[T],
    gradient: &[T],
) -> Gradients<T> {
    let count = geometry.count(input.len()) as f64;
    // For every channel: the sums of the gradient and of its product with the normalised input.
    let sums: Vec<(f64, f64)> = (0..geometry.channels)
        .into_par_iter()
        .map(|channel| {
            let mean = statistics.mean[channel];
            let scale = 1.0 / (statistics.variance[channel] + geometry.epsilon).sqrt();
            let (mut sum, mut product) = (0.0, 0.0);
            let groups = input.chunks(geometry.group());
            for (input, gradient) in groups.zip(gradient.chunks(geometry.group())) {
                let centre = T::of(mean);
                let (group_sum, group_product) =
                    channel_products(geometry, input, gradient, channel, centre);
                sum += group_sum.to_f64();
                product += group_product.to_f64();
            }
            (sum, product * scale)
        })
        .collect();
    let factors: Vec<[T; 3]> = (0..geometry.channels)
        .map(|channel| {
            let (sum, product) = sums[channel];
            let inverse = 1.0 / (statistics.variance[channel] + geometry.epsilon).sqrt();
            let scale = weight[channel].to_f64() * inverse;
            let (of_input, constant) = match of_batch {
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

    let mut target = vec![T::ZERO; input.len()];
    target
        .par_chunks_mut(geometry.example())
        .zip(input.par_chunks(geometry.example()))
        .zip(gradient.par_chunks(geometry.example()))
        .for_each(|((target, input), gradient)| {
            let rows = target
                .chunks_exact_mut(geometry.positions)
                .zip(input.chunks_exact(geometry.positions))
                .zip(gradient.chunks_exact(geometry.positions));
            for (((target, input), gradient), factors) in rows.zip(&factors) {
                combine_row(input, gradient, target, *factors);
            }
        });
    Gradients {
        input: target,
        weight: sums.iter().map(|(_, product)| T::of(*product)).collect(),
        bias: sums.iter().map(|(sum, _)| T::of(*sum)).collect(),
    }
}

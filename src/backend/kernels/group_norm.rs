//! Group normalisation (Wu and He, 2018) and its gradients; with groups of one channel and no
//! weights it is instance normalisation (Ulyanov et al., 2016).
//!
//! Tensors are `[n, channels, positions]`; the channels of a group lie in one run of memory and are
//! normalised together.

use super::parallel::{Parallel, ParallelSlice};

use super::dense::sum_of_rows;
use super::float::Float;
use super::reduce;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// Sizes of the axes behind the first.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct Geometry {
    /// The second axis.
    pub(in crate::backend) channels: usize,
    /// The number of groups, which divides the channels.
    pub(in crate::backend) groups: usize,
    /// All other axes.
    pub(in crate::backend) positions: usize,
    /// What is added to a variance before its root is taken.
    pub(in crate::backend) epsilon: f64,
}

impl Geometry {
    fn channels_of_group(&self) -> usize {
        self.channels / self.groups
    }

    /// The numbers of a group.
    fn group(&self) -> usize {
        self.channels_of_group() * self.positions
    }

    /// What belongs to the channels of a group, the groups of all examples being counted through.
    fn of_group<'a, T>(&self, values: &'a [T], group: usize) -> &'a [T] {
        let length = self.channels_of_group();
        &values[group % self.groups * length..][..length]
    }
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

vectorised! {
    /// Writes the normalised group; gives one over its deviation.
    fn normalise[T: Float](geometry: &Geometry, input: &[T], output: &mut [T]) -> T {
        let size = T::of(input.len() as f64);
        let mean = reduce::sum(input) / size;
        let variance = reduce::squared_distances(input, mean) / size;
        let inverse = T::ONE / Float::sqrt(variance + T::of(geometry.epsilon));
        for (output, input) in output.iter_mut().zip(input) {
            *output = (*input - mean) * inverse;
        }
        inverse
    }
}

/// The normalised input, times the weight plus the bias of its channel if there are any.
pub(in crate::backend) fn forward<T: Float>(
    geometry: &Geometry,
    input: &[T],
    weight_and_bias: Option<[&[T]; 2]>,
) -> Numbers<T> {
    let mut output = memory::zeros(input.len());
    output
        .par_chunks_mut(geometry.group())
        .zip(input.par_chunks(geometry.group()))
        .enumerate()
        .for_each(|(group, (output, input))| {
            normalise(geometry, input, output);
            let Some([weight, bias]) = weight_and_bias else {
                return;
            };
            let weight = geometry.of_group(weight, group).iter();
            let affine = weight.zip(geometry.of_group(bias, group));
            let rows = output.chunks_exact_mut(geometry.positions);
            for (row, (weight, bias)) in rows.zip(affine) {
                row.iter_mut().for_each(|y| *y = *y * *weight + *bias);
            }
        });
    output
}

/// The gradients, from the input and the gradient of the output.
pub(in crate::backend) fn backward<T: Float>(
    geometry: &Geometry,
    input: &[T],
    weight: Option<&[T]>,
    gradient: &[T],
) -> Gradients<T> {
    let group = geometry.group();
    let rows = input.len() / geometry.positions;
    let mut target = memory::zeros(input.len());
    // For every channel of every example: the sums of the gradient and of its product with the
    // normalised input.
    let (mut products, mut sums) = (vec![T::ZERO; rows], vec![T::ZERO; rows]);
    let ones = vec![T::ONE; geometry.channels];
    let weight = weight.unwrap_or(&ones);
    target
        .par_chunks_mut(group)
        .zip(input.par_chunks(group))
        .zip(gradient.par_chunks(group))
        .zip(products.par_chunks_mut(geometry.channels_of_group()))
        .zip(sums.par_chunks_mut(geometry.channels_of_group()))
        .enumerate()
        .for_each_init(
            || vec![T::ZERO; group],
            |normalised, (place, ((((target, input), gradient), products), sums))| {
                let inverse = normalise(geometry, input, normalised);
                let rows = gradient
                    .chunks_exact(geometry.positions)
                    .zip(normalised.chunks_exact(geometry.positions));
                for (channel, (gradient, normalised)) in rows.enumerate() {
                    products[channel] = reduce::dot(gradient, normalised);
                    sums[channel] = reduce::sum(gradient);
                }
                let weight = geometry.of_group(weight, place);
                let size = T::of(group as f64);
                let means = [
                    reduce::dot(weight, sums) / size,
                    reduce::dot(weight, products) / size,
                ];
                group_gradient(
                    geometry, weight, gradient, normalised, means, inverse, target,
                );
            },
        );
    Gradients {
        input: target,
        weight: sum_of_rows(geometry.channels, &products),
        bias: sum_of_rows(geometry.channels, &sums),
    }
}

vectorised! {
    /// With h the gradient times the weight: (h - mean(h) - x * mean(h * x)) / deviation, where x is
    /// the normalised input and means are over the group.
    fn group_gradient[T: Float](
        geometry: &Geometry,
        weight: &[T],
        gradient: &[T],
        normalised: &[T],
        means: [T; 2],
        inverse: T,
        target: &mut [T],
    ) {
        let [mean, product] = means;
        let rows = target
            .chunks_exact_mut(geometry.positions)
            .zip(gradient.chunks_exact(geometry.positions))
            .zip(normalised.chunks_exact(geometry.positions));
        for (((target, gradient), normalised), weight) in rows.zip(weight) {
            for ((target, gradient), normalised) in
                target.iter_mut().zip(gradient).zip(normalised)
            {
                *target = (*gradient * *weight - mean - *normalised * product) * inverse;
            }
        }
    }
}

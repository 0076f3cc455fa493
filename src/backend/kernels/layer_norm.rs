//! Layer normalisation (Ba et al., 2016) and its gradients.
//!
//! Tensors are `[n, features, positions]`; every position of every example is normalised over its
//! features. With one position, a row of features lies in one run of memory.

use super::parallel::{Parallel, ParallelSlice};

use super::batch_norm::Gradients;
use super::float::Float;
use super::reduce;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// Sizes of the axes behind the first.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct Geometry {
    /// The normalised axis.
    pub(in crate::backend) features: usize,
    /// The axes behind it.
    pub(in crate::backend) positions: usize,
    /// What is added to a variance before its root is taken.
    pub(in crate::backend) epsilon: f64,
}

vectorised! {
    /// Adds `function(values, others)` of every feature to the sum of its position.
    pub(super) fn accumulate[T: Float](values: &[T], others: &[T], sums: &mut [T]) {
        let rows = values.chunks_exact(sums.len()).zip(others.chunks_exact(sums.len()));
        for (values, others) in rows {
            for ((sum, value), other) in sums.iter_mut().zip(values).zip(others) {
                *sum += *value * *other;
            }
        }
    }
}

vectorised! {
    /// Writes the normalised input of one example, and one over the deviation of every position.
    fn normalise[T: Float](
        geometry: &Geometry, input: &[T], output: &mut [T], inverse: &mut [T],
    ) {
        let size = T::of(geometry.features as f64);
        let inverse_of = |squares: T| T::ONE / Float::sqrt(squares / size + T::of(geometry.epsilon));
        if let [inverse] = inverse {
            let mean = reduce::sum(input) / size;
            *inverse = inverse_of(reduce::squared_distances(input, mean));
            for (output, input) in output.iter_mut().zip(input) {
                *output = (*input - mean) * *inverse;
            }
            return;
        }
        let mut mean = Numbers::filled(T::ZERO, geometry.positions);
        for row in input.chunks_exact(geometry.positions) {
            mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += *x);
        }
        let scale = T::ONE / size;
        mean.iter_mut().for_each(|mean| *mean *= scale);
        for (output, input) in output
            .chunks_exact_mut(geometry.positions)
            .zip(input.chunks_exact(geometry.positions))
        {
            for ((output, input), mean) in output.iter_mut().zip(input).zip(&mean) {
                *output = *input - *mean;
            }
        }
        inverse.fill(T::ZERO);
        accumulate(output, output, inverse);
        inverse
            .iter_mut()
            .for_each(|inverse| *inverse = inverse_of(*inverse));
        for output in output.chunks_exact_mut(geometry.positions) {
            for (output, inverse) in output.iter_mut().zip(&*inverse) {
                *output *= *inverse;
            }
        }
    }
}

/// The normalised input times the weight plus the bias.
pub(in crate::backend) fn forward<T: Float>(
    geometry: &Geometry,
    input: &[T],
    weight: &[T],
    bias: &[T],
) -> Numbers<T> {
    let Geometry {
        features,
        positions,
        ..
    } = *geometry;
    let mut output = memory::zeros(input.len());
    output
        .par_chunks_mut(features * positions)
        .zip(input.par_chunks(features * positions))
        .for_each_init(
            || Numbers::filled(T::ZERO, positions),
            |inverse, (output, input)| {
                normalise(geometry, input, output, inverse);
                let rows = output.chunks_exact_mut(positions);
                for (row, (weight, bias)) in rows.zip(weight.iter().zip(bias)) {
                    row.iter_mut().for_each(|y| *y = *y * *weight + *bias);
                }
            },
        );
    output
}

/// The gradients, from the input and the gradient of the output.
pub(in crate::backend) fn backward<T: Float>(
    geometry: &Geometry,
    input: &[T],
    weight: &[T],
    gradient: &[T],
) -> Gradients<T> {
    let example = geometry.features * geometry.positions;
    let piece = reduce::images_in_piece(input.len() / example, geometry.features) * example;
    let mut target = memory::zeros(input.len());
    let (weights, biases) = target
        .par_chunks_mut(piece)
        .zip(input.par_chunks(piece))
        .zip(gradient.par_chunks(piece))
        .map_all(|((target, input), gradient)| {
            let mut sums = (
                Numbers::filled(T::ZERO, geometry.features),
                Numbers::filled(T::ZERO, geometry.features),
            );
            let mut scratch = Scratch::new(geometry);
            let examples = target
                .chunks_exact_mut(example)
                .zip(input.chunks_exact(example))
                .zip(gradient.chunks_exact(example));
            for ((target, input), gradient) in examples {
                example_gradient(
                    &mut scratch,
                    geometry,
                    input,
                    weight,
                    gradient,
                    target,
                    &mut sums,
                );
            }
            sums
        })
        .into_iter()
        .unzip();
    let zeros = || Numbers::filled(T::ZERO, geometry.features);
    Gradients {
        input: target,
        weight: reduce::add_in_order(weights).unwrap_or_else(zeros),
        bias: reduce::add_in_order(biases).unwrap_or_else(zeros),
    }
}

/// Memory that the examples of a piece use one after another.
struct Scratch<T> {
    normalised: Numbers<T>,
    inverse: Numbers<T>,
    sums: Numbers<T>,
    products: Numbers<T>,
}

impl<T: Float> Scratch<T> {
    fn new(geometry: &Geometry) -> Self {
        let zeros = |length: usize| Numbers::filled(T::ZERO, length);
        Scratch {
            normalised: zeros(geometry.features * geometry.positions),
            inverse: zeros(geometry.positions),
            sums: zeros(geometry.positions),
            products: zeros(geometry.positions),
        }
    }
}

vectorised! {
    /// Writes the gradient of the input of one example and adds to those of weight and bias.
    fn example_gradient[T: Float](
        scratch: &mut Scratch<T>,
        geometry: &Geometry,
        input: &[T],
        weight: &[T],
        gradient: &[T],
        target: &mut [T],
        sums: &mut (Numbers<T>, Numbers<T>),
    ) {
        let (weight_sums, bias_sums) = sums;
        let positions = geometry.positions;
        normalise(geometry, input, &mut scratch.normalised, &mut scratch.inverse);
        let rows = || {
            gradient
                .chunks_exact(positions)
                .zip(scratch.normalised.chunks_exact(positions))
        };
        if positions == 1 {
            for feature in 0..geometry.features {
                weight_sums[feature] += gradient[feature] * scratch.normalised[feature];
                bias_sums[feature] += gradient[feature];
            }
        } else {
            for (feature, (gradient, normalised)) in rows().enumerate() {
                weight_sums[feature] += reduce::dot(gradient, normalised);
                bias_sums[feature] += reduce::sum(gradient);
            }
        }
        // With h the gradient times the weight: (h - mean(h) - x * mean(h * x)) / deviation, where x
        // is the normalised input and means are over features.
        for ((target, gradient), weight) in target
            .chunks_exact_mut(positions)
            .zip(gradient.chunks_exact(positions))
            .zip(weight)
        {
            for (target, gradient) in target.iter_mut().zip(gradient) {
                *target = *gradient * *weight;
            }
        }
        let size = T::of(geometry.features as f64);
        if positions == 1 {
            let sum = reduce::sum(target) / size;
            let product = reduce::dot(target, &scratch.normalised) / size;
            let inverse = scratch.inverse[0];
            for (target, normalised) in target.iter_mut().zip(&scratch.normalised) {
                *target = (*target - sum - *normalised * product) * inverse;
            }
            return;
        }
        scratch.sums.fill(T::ZERO);
        scratch.products.fill(T::ZERO);
        for row in target.chunks_exact(positions) {
            scratch.sums
                .iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += *value);
        }
        accumulate(target, &scratch.normalised, &mut scratch.products);
        for (target, normalised) in target
            .chunks_exact_mut(positions)
            .zip(scratch.normalised.chunks_exact(positions))
        {
            for position in 0..positions {
                let mean = scratch.sums[position] / size;
                let product = scratch.products[position] / size;
                target[position] = (target[position] - mean - normalised[position] * product)
                    * scratch.inverse[position];
            }
        }
    }
}

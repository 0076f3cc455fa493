//! Division by the root mean square (Zhang and Sennrich, 2019) and its gradients.
//!
//! Tensors are `[n, features, positions]` as in [`super::layer_norm`].

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use super::layer_norm::{Geometry, accumulate};
use super::reduce;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

vectorised! {
    /// Writes one over the root mean square of every position of one example.
    fn inverse_roots[T: Float](geometry: &Geometry, input: &[T], inverse: &mut [T]) {
        inverse.fill(T::ZERO);
        match &mut *inverse {
            [inverse] => *inverse = reduce::dot(input, input),
            inverse => accumulate(input, input, inverse),
        }
        let size = T::of(geometry.features as f64);
        for inverse in inverse {
            let mean = *inverse / size;
            *inverse = T::ONE / Float::sqrt(mean + T::of(geometry.epsilon));
        }
    }
}

vectorised! {
    /// Writes the divided input of one example, times the weight.
    fn divide[T: Float](input: &[T], inverse: &[T], weight: &[T], output: &mut [T]) {
        if let [inverse] = inverse {
            for ((output, input), weight) in output.iter_mut().zip(input).zip(weight) {
                *output = *input * *inverse * *weight;
            }
            return;
        }
        let rows = output
            .chunks_exact_mut(inverse.len())
            .zip(input.chunks_exact(inverse.len()));
        for ((output, input), weight) in rows.zip(weight) {
            for ((output, input), inverse) in output.iter_mut().zip(input).zip(inverse) {
                *output = *input * *inverse * *weight;
            }
        }
    }
}

/// The input divided by the root mean square of its position, times the weight.
pub(in crate::backend) fn forward<T: Float>(
    geometry: &Geometry,
    input: &[T],
    weight: &[T],
) -> Numbers<T> {
    let example = geometry.features * geometry.positions;
    let mut output = memory::zeros(input.len());
    output
        .par_chunks_mut(example)
        .zip(input.par_chunks(example))
        .for_each_init(
            || Numbers::filled(T::ZERO, geometry.positions),
            |inverse, (output, input)| {
                inverse_roots(geometry, input, inverse);
                divide(input, inverse, weight, output);
            },
        );
    output
}

/// The gradients of the input and of the weight, from the input and the gradient of the output.
pub(in crate::backend) fn backward<T: Float>(
    geometry: &Geometry,
    input: &[T],
    weight: &[T],
    gradient: &[T],
) -> (Numbers<T>, Numbers<T>) {
    let example = geometry.features * geometry.positions;
    let piece = reduce::images_in_piece(input.len() / example, geometry.features) * example;
    let mut target = memory::zeros(input.len());
    let weights = target
        .par_chunks_mut(piece)
        .zip(input.par_chunks(piece))
        .zip(gradient.par_chunks(piece))
        .map_all(|((target, input), gradient)| {
            let mut sums = Numbers::filled(T::ZERO, geometry.features);
            let mut scratch = [(); 2].map(|()| Numbers::filled(T::ZERO, geometry.positions));
            let examples = target
                .chunks_exact_mut(example)
                .zip(input.chunks_exact(example))
                .zip(gradient.chunks_exact(example));
            for ((target, input), gradient) in examples {
                example_gradient(
                    geometry,
                    input,
                    weight,
                    gradient,
                    target,
                    &mut sums,
                    &mut scratch,
                );
            }
            sums
        });
    let zeros = || Numbers::filled(T::ZERO, geometry.features);
    (target, reduce::add_in_order(weights).unwrap_or_else(zeros))
}

vectorised! {
    /// Writes the gradient of the input of one example and adds to that of the weight. With h the
    /// gradient times the weight it is (h - x * mean(h * x)) / root, where x is the divided input
    /// and the mean is over features.
    fn example_gradient[T: Float](
        geometry: &Geometry,
        input: &[T],
        weight: &[T],
        gradient: &[T],
        target: &mut [T],
        sums: &mut [T],
        scratch: &mut [Numbers<T>; 2],
    ) {
        let positions = geometry.positions;
        let size = T::of(geometry.features as f64);
        let [inverse, means] = scratch;
        inverse_roots(geometry, input, inverse);
        // The product of h and the input, by position, and of the gradient and x, by feature.
        divide(gradient, &vec![T::ONE; positions], weight, target);
        means.fill(T::ZERO);
        if let ([inverse], [mean]) = (&**inverse, &mut **means) {
            *mean = reduce::dot(target, input) / size * *inverse * *inverse;
            for ((sum, gradient), input) in sums.iter_mut().zip(gradient).zip(input) {
                *sum += *gradient * *input * *inverse;
            }
            for (target, input) in target.iter_mut().zip(input) {
                *target = (*target - *input * *mean) * *inverse;
            }
            return;
        }
        accumulate(target, input, means);
        for (mean, inverse) in means.iter_mut().zip(&*inverse) {
            *mean = *mean / size * *inverse * *inverse;
        }
        let rows = target
            .chunks_exact_mut(positions)
            .zip(input.chunks_exact(positions))
            .zip(gradient.chunks_exact(positions));
        for (((target, input), gradient), sum) in rows.zip(sums) {
            let mut total = T::ZERO;
            for position in 0..positions {
                total += gradient[position] * input[position] * inverse[position];
                target[position] = (target[position] - input[position] * means[position])
                    * inverse[position];
            }
            *sum += total;
        }
    }
}

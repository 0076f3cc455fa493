//! Scaled dot-product attention of several heads (Vaswani et al., 2017, equation 1), between the
//! projections.

use rayon::prelude::*;

use super::float::Float;
use super::matrix::{Matrix, multiply};
use super::softmax::{softmax_gradient_row, softmax_row};

/// Tokens `[t, 3 * width]` that hold queries, keys and values behind one another.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct Geometry {
    /// Tokens of one example.
    pub(in crate::backend) tokens: usize,
    /// Features of a token.
    pub(in crate::backend) width: usize,
    /// The number of heads.
    pub(in crate::backend) heads: usize,
}

impl Geometry {
    fn head(&self) -> usize {
        self.width / self.heads
    }

    fn scale<T: Float>(&self) -> T {
        T::of((self.head() as f64).powf(-0.5))
    }

    /// Queries (0), keys (1) or values (2) of one head.
    fn part<'a, T: Float>(&self, example: &'a [T], head: usize, part: usize) -> Matrix<'a, T> {
        let start = part * self.width + head * self.head();
        Matrix::rows(&example[start..], 3 * self.width)
    }
}

/// The attended values `[t, width]` and the attention weights `[heads, t, t]` of every example.
pub(in crate::backend) fn forward<T: Float>(
    geometry: &Geometry,
    projected: &[T],
) -> (Vec<T>, Vec<T>) {
    let Geometry {
        tokens,
        width,
        heads,
    } = *geometry;
    let examples = projected.len() / (3 * tokens * width);
    let mut output = vec![T::ZERO; examples * tokens * width];
    let mut weights = vec![T::ZERO; examples * heads * tokens * tokens];
    output
        .par_chunks_mut(tokens * width)
        .zip(weights.par_chunks_mut(heads * tokens * tokens))
        .zip(projected.par_chunks(3 * tokens * width))
        .for_each(|((output, weights), example)| {
            for (head, weights) in weights.chunks_exact_mut(tokens * tokens).enumerate() {
                multiply(
                    [tokens, geometry.head(), tokens],
                    geometry.part(example, head, 0),
                    geometry.part(example, head, 1).transposed(),
                    geometry.scale(),
                    weights,
                    tokens,
                );
                weights.chunks_exact_mut(tokens).for_each(softmax_row);
                multiply(
                    [tokens, tokens, geometry.head()],
                    Matrix::rows(weights, tokens),
                    geometry.part(example, head, 2),
                    T::ONE,
                    &mut output[head * geometry.head()..],
                    width,
                );
            }
        });
    (output, weights)
}

/// The gradient of queries, keys and values, from that of the attended values.
pub(in crate::backend) fn backward<T: Float>(
    geometry: &Geometry,
    projected: &[T],
    weights: &[T],
    gradient: &[T],
) -> Vec<T> {
    let Geometry {
        tokens,
        width,
        heads,
    } = *geometry;
    let mut target = vec![T::ZERO; projected.len()];
    target
        .par_chunks_mut(3 * tokens * width)
        .zip(projected.par_chunks(3 * tokens * width))
        .zip(weights.par_chunks(heads * tokens * tokens))
        .zip(gradient.par_chunks(tokens * width))
        .for_each(|(((target, example), weights), gradient)| {
            let mut scores = vec![T::ZERO; tokens * tokens];
            for (head, weights) in weights.chunks_exact(tokens * tokens).enumerate() {
                let start = head * geometry.head();
                let gradient = Matrix::rows(&gradient[start..], width);
                multiply(
                    [tokens, tokens, geometry.head()],
                    Matrix::rows(weights, tokens).transposed(),
                    gradient,
                    T::ONE,
                    &mut target[2 * width + start..],
                    3 * width,
                );
                multiply(
                    [tokens, geometry.head(), tokens],
                    gradient,
                    geometry.part(example, head, 2).transposed(),
                    T::ONE,
                    &mut scores,
                    tokens,
                );
                for (scores, weights) in scores
                    .chunks_exact_mut(tokens)
                    .zip(weights.chunks_exact(tokens))
                {
                    softmax_gradient_row(weights, scores);
                }
                let scores = Matrix::rows(&scores, tokens);
                multiply(
                    [tokens, tokens, geometry.head()],
                    scores,
                    geometry.part(example, head, 1),
                    geometry.scale(),
                    &mut target[start..],
                    3 * width,
                );
                multiply(
                    [tokens, tokens, geometry.head()],
                    scores.transposed(),
                    geometry.part(example, head, 0),
                    geometry.scale(),
                    &mut target[width + start..],
                    3 * width,
                );
            }
        });
    target
}

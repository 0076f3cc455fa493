//! Scaled dot-product attention of several heads (Vaswani et al., 2017, equation 1), between the
//! projections.

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use super::matrix::{Matrix, multiply};
use super::reduce;
use super::softmax::{softmax_gradient_row, softmax_row};
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// How the queries, keys and values of an example lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backend) enum Layout {
    /// `[t, 3 * width]`: those of one token behind one another.
    Together,
    /// `[t, width]`, `[s, width]` and `[s, width]` behind one another.
    Apart,
}

/// Queries, keys and values.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct Geometry {
    /// Queries of one example.
    pub(in crate::backend) queries: usize,
    /// Keys and values of one example.
    pub(in crate::backend) keys: usize,
    /// Features of a token.
    pub(in crate::backend) width: usize,
    /// The number of heads.
    pub(in crate::backend) heads: usize,
    /// How they lie in memory.
    pub(in crate::backend) layout: Layout,
}

/// What is done to the scores of queries and keys.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) enum Sight<'a, T> {
    /// Nothing.
    Free,
    /// A query sees the keys up to its own place.
    Causal,
    /// The keys are seen whose number is not zero: `[n, keys]`.
    Masked(&'a [T]),
    /// Numbers are added for each head, `[heads, queries, keys]`, and for each of the windows that
    /// examples are in turn, `[windows, queries, keys]`.
    Biased(&'a [T], Option<&'a [T]>),
}

impl Geometry {
    /// Of one sequence to itself.
    pub(in crate::backend) fn of_sequence(tokens: usize, width: usize, heads: usize) -> Self {
        Geometry {
            queries: tokens,
            keys: tokens,
            width,
            heads,
            layout: Layout::Together,
        }
    }

    fn head(&self) -> usize {
        self.width / self.heads
    }

    fn scale<T: Float>(&self) -> T {
        T::of((self.head() as f64).powf(-0.5))
    }

    /// The numbers of an example.
    fn example(&self) -> usize {
        (self.queries + 2 * self.keys) * self.width
    }

    /// Pairs of queries and keys.
    fn pairs(&self) -> usize {
        self.queries * self.keys
    }

    /// Where queries (0), keys (1) or values (2) of one head begin.
    fn start(&self, head: usize, part: usize) -> usize {
        let first = match self.layout {
            Layout::Together => part * self.width,
            Layout::Apart => [0, self.queries, self.queries + self.keys][part] * self.width,
        };
        first + head * self.head()
    }

    /// The distance from a token to the next.
    fn stride(&self) -> usize {
        match self.layout {
            Layout::Together => 3 * self.width,
            Layout::Apart => self.width,
        }
    }

    fn part<'a, T: Float>(&self, example: &'a [T], head: usize, part: usize) -> Matrix<'a, T> {
        Matrix::rows(&example[self.start(head, part)..], self.stride())
    }

    /// Turns the scores of one head into weights.
    fn weigh<T: Float>(&self, sight: Sight<T>, example: usize, head: usize, scores: &mut [T]) {
        let rows = |scores| <[T]>::chunks_exact_mut(scores, self.keys);
        match sight {
            Sight::Free => rows(scores).for_each(softmax_row),
            Sight::Causal => {
                for (place, row) in rows(scores).enumerate() {
                    let (seen, hidden) = row.split_at_mut(place + 1);
                    softmax_row(seen);
                    hidden.fill(T::ZERO);
                }
            }
            Sight::Masked(masks) => {
                let mask = &masks[example * self.keys..][..self.keys];
                rows(scores).for_each(|row| masked_softmax_row(mask, row));
            }
            Sight::Biased(biases, masks) => {
                let part = |all: &[T], place: usize| {
                    let first = place * self.pairs() % all.len();
                    first..first + self.pairs()
                };
                add(scores, &biases[part(biases, head)]);
                if let Some(masks) = masks {
                    add(scores, &masks[part(masks, example)]);
                }
                rows(scores).for_each(softmax_row);
            }
        }
    }
}

fn add<T: Float>(target: &mut [T], addend: &[T]) {
    for (target, addend) in target.iter_mut().zip(addend) {
        *target += *addend;
    }
}

/// The softmax of what is not masked, and zero for the rest.
fn masked_softmax_row<T: Float>(mask: &[T], row: &mut [T]) {
    for (score, _) in row
        .iter_mut()
        .zip(mask)
        .filter(|(_, mask)| **mask == T::ZERO)
    {
        *score = T::LOWEST;
    }
    if mask.iter().any(|mask| *mask != T::ZERO) {
        softmax_row(row);
    }
    for (weight, _) in row
        .iter_mut()
        .zip(mask)
        .filter(|(_, mask)| **mask == T::ZERO)
    {
        *weight = T::ZERO;
    }
}

/// The attended values `[queries, width]` and the attention weights `[heads, queries, keys]` of
/// every example.
pub(in crate::backend) fn forward<T: Float>(
    geometry: &Geometry,
    sight: Sight<T>,
    projected: &[T],
) -> (Numbers<T>, Numbers<T>) {
    let Geometry {
        queries,
        keys,
        width,
        heads,
        ..
    } = *geometry;
    let examples = projected.len() / geometry.example();
    let mut output = memory::zeros(examples * queries * width);
    let mut weights = memory::zeros(examples * heads * geometry.pairs());
    output
        .par_chunks_mut(queries * width)
        .zip(weights.par_chunks_mut(heads * geometry.pairs()))
        .zip(projected.par_chunks(geometry.example()))
        .enumerate()
        .for_each(|(place, ((output, weights), example))| {
            for (head, weights) in weights.chunks_exact_mut(geometry.pairs()).enumerate() {
                multiply(
                    [queries, geometry.head(), keys],
                    geometry.part(example, head, 0),
                    geometry.part(example, head, 1).transposed(),
                    geometry.scale(),
                    weights,
                    keys,
                );
                geometry.weigh(sight, place, head, weights);
                multiply(
                    [queries, keys, geometry.head()],
                    Matrix::rows(weights, keys),
                    geometry.part(example, head, 2),
                    T::ONE,
                    &mut output[head * geometry.head()..],
                    width,
                );
            }
        });
    (output, weights)
}

/// The gradient of queries, keys and values, from that of the attended values; and where `of_biases`
/// says so, that of what is added to the scores of each head.
pub(in crate::backend) fn backward<T: Float>(
    geometry: &Geometry,
    projected: &[T],
    weights: &[T],
    gradient: &[T],
    of_biases: bool,
) -> (Numbers<T>, Option<Numbers<T>>) {
    let example = geometry.example();
    let scores = geometry.heads * geometry.pairs();
    let piece = match of_biases {
        true => reduce::images_in_piece(projected.len() / example, scores),
        false => 1,
    };
    let mut target = memory::zeros(projected.len());
    let biases: Vec<Numbers<T>> = target
        .par_chunks_mut(piece * example)
        .zip(projected.par_chunks(piece * example))
        .zip(weights.par_chunks(piece * scores))
        .zip(gradient.par_chunks(piece * geometry.queries * geometry.width))
        .map_all(|(((target, projected), weights), gradient)| {
            let mut biases = Numbers::filled(T::ZERO, if of_biases { scores } else { 0 });
            let examples = target
                .chunks_exact_mut(example)
                .zip(projected.chunks_exact(example))
                .zip(weights.chunks_exact(scores))
                .zip(gradient.chunks_exact(geometry.queries * geometry.width));
            for (((target, projected), weights), gradient) in examples {
                example_gradient(geometry, projected, weights, gradient, target, &mut biases);
            }
            biases
        });
    let biases = match of_biases {
        true => reduce::add_in_order(biases),
        false => None,
    };
    (target, biases)
}

/// Writes the gradient of one example and adds that of the scores of each head, if there is a place
/// for it.
fn example_gradient<T: Float>(
    geometry: &Geometry,
    example: &[T],
    weights: &[T],
    gradient: &[T],
    target: &mut [T],
    biases: &mut [T],
) {
    let Geometry {
        queries,
        keys,
        width,
        ..
    } = *geometry;
    let stride = geometry.stride();
    let mut scores = Numbers::filled(T::ZERO, geometry.pairs());
    for (head, weights) in weights.chunks_exact(geometry.pairs()).enumerate() {
        let gradient = Matrix::rows(&gradient[head * geometry.head()..], width);
        multiply(
            [keys, queries, geometry.head()],
            Matrix::rows(weights, keys).transposed(),
            gradient,
            T::ONE,
            &mut target[geometry.start(head, 2)..],
            stride,
        );
        multiply(
            [queries, geometry.head(), keys],
            gradient,
            geometry.part(example, head, 2).transposed(),
            T::ONE,
            &mut scores,
            keys,
        );
        for (scores, weights) in scores
            .chunks_exact_mut(keys)
            .zip(weights.chunks_exact(keys))
        {
            softmax_gradient_row(weights, scores);
        }
        if let Some(biases) = biases.chunks_exact_mut(geometry.pairs()).nth(head) {
            add(biases, &scores);
        }
        let scores = Matrix::rows(&scores, keys);
        multiply(
            [queries, keys, geometry.head()],
            scores,
            geometry.part(example, head, 1),
            geometry.scale(),
            &mut target[geometry.start(head, 0)..],
            stride,
        );
        multiply(
            [keys, queries, geometry.head()],
            scores.transposed(),
            geometry.part(example, head, 0),
            geometry.scale(),
            &mut target[geometry.start(head, 1)..],
            stride,
        );
    }
}

//! Dropout (Srivastava et al., 2014): a random mask times the input.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::element_wise::PIECE;
use super::float::Float;

/// Every element times `1 / (1 - rate)`, or times zero with probability `rate`. Which elements are
/// dropped follows from the key and the place of the element alone, so the gradient is the same
/// function with the same key.
pub(in crate::backend) fn apply<T: Float>(rate: f64, key: [u8; 32], input: &[T]) -> Vec<T> {
    let scale = T::of(1.0 / (1.0 - rate));
    let threshold = (rate * (f64::from(u32::MAX) + 1.0)) as u32;
    let mut output = vec![T::ZERO; input.len()];
    output
        .par_chunks_mut(PIECE)
        .zip(input.par_chunks(PIECE))
        .enumerate()
        .for_each(|(piece, (output, input))| {
            let mut random = ChaCha8Rng::from_seed(key);
            random.set_stream(piece as u64);
            for (output, input) in output.iter_mut().zip(input) {
                let keep = random.next_u32() >= threshold;
                *output = if keep { *input * scale } else { T::ZERO };
            }
        });
    output
}

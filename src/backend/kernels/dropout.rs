//! Dropout (Srivastava et al., 2014): a random mask times the input.

use super::parallel::{Parallel, ParallelSlice};

use super::element_wise::PIECE;
use super::float::Float;
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// The number with this place in the sequence of SplitMix64 (Steele, Lea and Flood, 2014) that
/// begins at the key. Any place can be computed alone.
#[inline(always)]
fn split_mix(key: u64, place: u64) -> u64 {
    let state = key.wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

vectorised! {
    fn mask_piece[T: Float](
        key: u64, first: u64, threshold: u64, scale: T, input: &[T], output: &mut [T],
    ) {
        for ((output, input), place) in output.iter_mut().zip(input).zip(first..) {
            let keep = split_mix(key, place) >> 32 >= threshold;
            *output = if keep { *input * scale } else { T::ZERO };
        }
    }
}

/// Whether to keep an element means to compare with this.
fn threshold(rate: f64) -> u64 {
    (rate * (1u64 << 32) as f64) as u64
}

/// All of an example, which has `example` numbers, times `1 / (1 - rate)`, or zero with probability
/// `rate`; which examples follows from the key and their places alone. The gradient is the same
/// function with the same key.
pub(in crate::backend) fn apply_to_examples<T: Float>(
    rate: f64,
    key: u64,
    example: usize,
    input: &[T],
) -> Numbers<T> {
    let scale = T::of(1.0 / (1.0 - rate));
    let threshold = threshold(rate);
    let mut output = memory::zeros(input.len());
    output
        .par_chunks_mut(example)
        .zip(input.par_chunks(example))
        .enumerate()
        .for_each(|(place, (output, input))| {
            if split_mix(key, place as u64) >> 32 < threshold {
                return;
            }
            for (output, input) in output.iter_mut().zip(input) {
                *output = *input * scale;
            }
        });
    output
}

/// Every element times `1 / (1 - rate)`, or times zero with probability `rate`. Which elements are
/// dropped follows from the key and the place of the element alone, so the gradient is the same
/// function with the same key.
pub(in crate::backend) fn apply<T: Float>(rate: f64, key: u64, input: &[T]) -> Numbers<T> {
    let scale = T::of(1.0 / (1.0 - rate));
    let threshold = threshold(rate);
    let mut output = memory::zeros(input.len());
    output
        .par_chunks_mut(PIECE)
        .zip(input.par_chunks(PIECE))
        .enumerate()
        .for_each(|(piece, (output, input))| {
            let first = (piece * PIECE) as u64;
            mask_piece(key, first, threshold, scale, input, output);
        });
    output
}

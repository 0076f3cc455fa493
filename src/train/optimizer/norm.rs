//! The norm of gradients.

use candle_core::{Error, Result, Storage, Tensor};
use rayon::prelude::*;

/// The Euclidean norm over all gradients, the same in whatever order they come: equal programs may
/// name their layers in another order.
pub(super) fn norm(gradients: &[Option<Tensor>]) -> Result<f64> {
    let gradients = gradients.iter().flatten();
    let mut squares = gradients
        .map(|gradient| {
            let (storage, layout) = gradient.storage_and_layout();
            let apart = || Error::Msg("a gradient does not lie in one piece".to_owned());
            let (start, end) = layout.contiguous_offsets().ok_or_else(apart)?;
            match &*storage {
                Storage::Cpu(storage) => {
                    Ok(sum_of_squares(&storage.as_slice::<f32>()?[start..end]))
                }
                // A device adds up there; only the sum is read back.
                _ => {
                    let squares = gradient.sqr()?.sum_all()?;
                    Ok(f64::from(squares.to_scalar::<f32>()?))
                }
            }
        })
        .collect::<Result<Vec<f64>>>()?;
    squares.sort_unstable_by(f64::total_cmp);
    Ok(squares.iter().sum::<f64>().sqrt())
}

/// Numbers in one piece of parallel work. Whatever the number of threads, the sums are those of these pieces.
const PIECE: usize = 1 << 16;

fn sum_of_squares(values: &[f32]) -> f64 {
    if values.len() <= PIECE {
        return sum_of_a_piece(values);
    }
    let sums: Vec<f64> = values.par_chunks(PIECE).map(sum_of_a_piece).collect();
    sums.iter().sum()
}

/// In double precision, since squares of large numbers overflow sooner than they do; in several
/// sums, since additions to one have to wait for each other.
fn sum_of_a_piece(values: &[f32]) -> f64 {
    let mut sums = [0.0; 8];
    for values in values.chunks(sums.len()) {
        for (sum, &value) in sums.iter_mut().zip(values) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
    sums.iter().sum()
}

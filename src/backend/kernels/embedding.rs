//! Rows of a table by number, and the gradient of the table.

use super::parallel::{Parallel, ParallelSlice};

use super::float::Float;
use crate::backend::numbers::Numbers;

/// Rows of the table whose gradient is one piece of parallel work.
const ROWS: usize = 64;

/// The places in the table that numbers stand for, rounded.
///
/// # Errors
///
/// The first number that stands for none of `count` places.
pub(in crate::backend) fn places<T: Float>(count: usize, input: &[T]) -> Result<Vec<usize>, f64> {
    let place = |number: &T| {
        let number = number.to_f64();
        let rounded = number.round();
        match (0.0..count as f64).contains(&rounded) {
            true => Ok(rounded as usize),
            false => Err(number),
        }
    };
    input.iter().map(place).collect()
}

/// The rows of this length at these places.
pub(in crate::backend) fn forward<T: Float>(
    width: usize,
    places: &[usize],
    table: &[T],
) -> Numbers<T> {
    let mut output = Numbers::filled(T::ZERO, places.len() * width);
    output
        .par_chunks_mut(width)
        .zip(places)
        .for_each(|(output, place)| output.copy_from_slice(&table[place * width..][..width]));
    output
}

/// The gradient of the table of `count` rows: of every row the sum of the gradients of where it went,
/// in order.
pub(in crate::backend) fn backward<T: Float>(
    [count, width]: [usize; 2],
    places: &[usize],
    gradient: &[T],
) -> Numbers<T> {
    let mut readers: Vec<(usize, usize)> = places.iter().copied().zip(0..).collect();
    readers.sort_unstable();
    let mut target = Numbers::filled(T::ZERO, count * width);
    target
        .par_chunks_mut(ROWS * width)
        .enumerate()
        .for_each(|(piece, target)| {
            let first = piece * ROWS;
            let start = readers.partition_point(|(row, _)| *row < first);
            let end = readers.partition_point(|(row, _)| *row < first + ROWS);
            for (row, reader) in &readers[start..end] {
                let sum = &mut target[(row - first) * width..][..width];
                for (sum, value) in sum.iter_mut().zip(&gradient[reader * width..]) {
                    *sum += *value;
                }
            }
        });
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_and_others_refused() {
        assert_eq!(places(3, &[0.4_f32, 1.6, -0.3]), Ok(vec![0, 2, 0]));
        assert_eq!(places(3, &[1.0_f32, 3.0]), Err(3.0));
        assert_eq!(places(3, &[-1.0_f64]), Err(-1.0));
        assert!(places(3, &[f32::NAN]).is_err());
        assert!(places(3, &[f32::INFINITY]).is_err());
    }

    #[test]
    fn a_row_sums_what_all_its_readers_got() {
        let gradient = [1.0_f64, 2.0, 3.0, 4.0, 5.0, 6.0];
        let table = backward([3, 2], &[2, 0, 2], &gradient);
        assert_eq!(*table, [3.0, 4.0, 0.0, 0.0, 6.0, 8.0]);
    }
}

//! How work is cut into pieces for threads.

use super::parallel::{Parallel, ParallelSlice};
use crate::backend::threads::others_are_awake;

/// The least multiply-adds of a piece where other threads have to be woken: fewer take less time than that.
const LEAST_WORK: usize = 1 << 18;

/// The least where others stay awake.
const LEAST_WORK_AWAKE: usize = 1 << 16;

/// The units in a piece of so many of them, each of which takes so many multiply-adds. Where other threads stay awake, each
/// has one piece, so that it finds much of what it reads where it wrote it before. What is computed outside of the pool is
/// in one piece: to enter it takes longer.
pub(super) fn units_in_piece(units: usize, work_of_unit: usize) -> usize {
    let threads = rayon::current_num_threads();
    if threads == 1 || rayon::current_thread_index().is_none() {
        return units.max(1);
    }
    let work = units.saturating_mul(work_of_unit);
    let pieces = match others_are_awake() {
        true => (work / LEAST_WORK_AWAKE).min(threads),
        false => work / LEAST_WORK,
    };
    units.div_ceil(pieces.clamp(1, units.max(1))).max(1)
}

/// Does some work with every piece of so many values, the last of which may have fewer, on all threads.
pub(super) fn for_each_piece<T: Copy + Send>(
    values: &mut [T],
    size: usize,
    work: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    let pieces = values.par_chunks_mut(size).enumerate();
    pieces.for_each(|(piece, values)| work(piece, values));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_all_values_in_order() {
        for (length, size) in [(0, 3), (2, 3), (9, 3), (10, 3)] {
            let mut values = vec![usize::MAX; length];
            for_each_piece(&mut values, size, |piece, values| values.fill(piece));
            let expected: Vec<usize> = (0..length).map(|place| place / size).collect();
            assert_eq!(values, expected);
        }
    }

    #[test]
    fn outside_of_the_pool_is_one_piece() {
        assert_eq!(units_in_piece(16, LEAST_WORK), 16);
    }

    #[test]
    fn pieces_take_long_enough() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build();
        pool.expect("threads").install(|| {
            let of_work = |part: usize| units_in_piece(16, LEAST_WORK / 100 * part);
            assert_eq!(of_work(10), 16, "too little to be cut");
            assert_eq!(of_work(15), 8);
            assert_eq!(of_work(500), 1);
            assert_eq!(units_in_piece(0, LEAST_WORK), 1);
        });
    }
}

//! Sums over slices. The order of addition depends on the length alone.

use super::parallel::map_places;

use super::float::Float;
use crate::backend::numbers::Numbers;

/// Partial sums kept side by side, so that additions do not wait for each other.
const LANES: usize = 32;

/// Partial sums of one sum.
pub(super) struct Lanes<T>([T; LANES]);

impl<T: Float> Lanes<T> {
    /// No sum yet.
    #[inline(always)]
    pub(super) fn new() -> Self {
        Lanes([T::ZERO; LANES])
    }

    /// Adds a function of pairs of elements.
    #[inline(always)]
    pub(super) fn add(&mut self, left: &[T], right: &[T], function: impl Fn(T, T) -> T) {
        let mut left_blocks = left.chunks_exact(LANES);
        let mut right_blocks = right.chunks_exact(LANES);
        for (left, right) in (&mut left_blocks).zip(&mut right_blocks) {
            for lane in 0..LANES {
                self.0[lane] += function(left[lane], right[lane]);
            }
        }
        let rest = left_blocks.remainder().iter().zip(right_blocks.remainder());
        for (lane, (left, right)) in self.0.iter_mut().zip(rest) {
            *lane += function(*left, *right);
        }
    }

    /// The sum.
    #[inline(always)]
    pub(super) fn total(self) -> T {
        let mut lanes = self.0;
        let mut width = LANES / 2;
        while width > 0 {
            for lane in 0..width {
                let other = lanes[lane + width];
                lanes[lane] += other;
            }
            width /= 2;
        }
        lanes[0]
    }
}

/// The sum of a function of pairs of elements, for use within vectorised functions.
#[inline(always)]
fn sum_pairs<T: Float>(left: &[T], right: &[T], function: impl Fn(T, T) -> T) -> T {
    let mut lanes = Lanes::new();
    lanes.add(left, right, function);
    lanes.total()
}

vectorised! {
    /// The sum of all elements.
    pub(in crate::backend) fn sum[T: Float](values: &[T]) -> T {
        sum_pairs(values, values, |value, _| value)
    }
}

vectorised! {
    /// The sum of the products of pairs of elements.
    pub(in crate::backend) fn dot[T: Float](left: &[T], right: &[T]) -> T {
        sum_pairs(left, right, |left, right| left * right)
    }
}

vectorised! {
    /// The sum of the squared distances from a centre.
    pub(in crate::backend) fn squared_distances[T: Float](values: &[T], centre: T) -> T {
        sum_pairs(values, values, |value, _| (value - centre) * (value - centre))
    }
}

/// The sums over a batch and all pixels of an image, for each channel.
pub(in crate::backend) fn sums_of_channels<T: Float>(
    channels: usize,
    pixels: usize,
    values: &[T],
) -> Numbers<T> {
    let sums = map_places(channels, |channel| {
        let images = values.chunks_exact(channels * pixels);
        let sums = images.map(|image| sum(&image[channel * pixels..][..pixels]));
        sums.fold(T::ZERO, |total, sum| total + sum)
    });
    sums.into()
}

/// Adds the parts into the first, in order; none where there are none.
pub(in crate::backend) fn add_in_order<T: Float>(parts: Vec<Numbers<T>>) -> Option<Numbers<T>> {
    parts.into_iter().reduce(|mut sum, part| {
        super::element_wise::add_to(&mut sum, &part);
        sum
    })
}

/// How many images of a batch are one piece of a sum over the batch, when every piece needs memory
/// for `elements` numbers. Depends on shapes alone.
pub(in crate::backend) fn images_in_piece(batch: usize, elements: usize) -> usize {
    /// More pieces than this do not help on the machines of today.
    const MOST_PIECES: usize = 32;
    /// The memory for all pieces, in numbers.
    const MOST_ELEMENTS: usize = 1 << 24;
    let pieces = (MOST_ELEMENTS / elements.max(1)).clamp(2, MOST_PIECES);
    batch.div_ceil(pieces).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_every_length() {
        for length in 0..100 {
            let values: Vec<f64> = (1..=length).map(f64::from).collect();
            let expected = f64::from(length * (length + 1) / 2);
            assert_eq!(sum(&values), expected);
            assert_eq!(dot(&values, &vec![2.0; values.len()]), 2.0 * expected);
            let distances: f64 = values.iter().map(|value| (value - 3.0).powi(2)).sum();
            assert_eq!(squared_distances(&values, 3.0), distances);
        }
    }
}

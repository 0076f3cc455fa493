//! The products of transformed tiles and kernels: 36 products of matrices.

use super::super::float::Float;
use super::super::shifted::next_block;
use super::super::vector::Vector;
use super::super::vectorise::Kernel;
use super::PLACES;
use super::filter;

/// The groups whose channels are computed at once.
pub(super) const PANEL: usize = 2;

/// The products of all tiles with the kernels of at most [`PANEL`] groups of channels, summed over what the kernels
/// take.
pub(super) struct Multiply<'a, T> {
    /// Transformed tiles, all groups.
    pub(super) tiles: &'a [T],
    /// Transformed kernels, the groups to compute.
    pub(super) kernels: &'a [T],
    /// The products, of the same groups.
    pub(super) target: &'a mut [T],
    /// How many tiles there are.
    pub(super) count: usize,
    /// The rows of their matrices.
    pub(super) pitch: usize,
    /// The channels that the kernels take.
    pub(super) taken: usize,
}

impl<T: Float> Kernel<T> for Multiply<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Vector<Number = T>>(self) {
        assert!(self.count <= self.pitch && self.taken.is_multiple_of(V::LANES));
        assert_eq!(self.tiles.len(), self.taken * PLACES * self.pitch);
        let groups = self.target.len() / (PLACES * self.pitch * V::LANES);
        assert_eq!(self.target.len(), groups * PLACES * self.pitch * V::LANES);
        let rows = filter::rows(self.taken);
        assert_eq!(self.kernels.len(), groups * PLACES * rows * V::LANES);
        // SAFETY: the instructions are there, and the slices have these sizes.
        unsafe {
            match groups {
                PANEL => self.panel::<V, PANEL>(),
                _ => self.panel::<V, 1>(),
            }
        }
    }
}

impl<T: Float> Multiply<'_, T> {
    /// # Safety
    ///
    /// The instructions of `V` must be there, and the sizes those of `N` groups.
    #[inline(always)]
    unsafe fn panel<V: Vector<Number = T>, const N: usize>(self) {
        let group = PLACES * self.pitch * V::LANES;
        let rows = filter::rows(self.taken);
        for place in 0..PLACES {
            let mut tile = 0;
            while tile < self.count {
                let row = (place * self.pitch + tile) * V::LANES;
                // SAFETY: the places, rows and groups are those of the slices.
                unsafe {
                    let mut right = [self.kernels.as_ptr(); N];
                    let mut target = [self.target.as_mut_ptr(); N];
                    for (n, (right, target)) in right.iter_mut().zip(&mut target).enumerate() {
                        *right = right.add((n * PLACES + place) * rows * V::LANES);
                        *target = target.add(n * group + row);
                    }
                    let sum = Sum {
                        left: self.tiles.as_ptr().add(row),
                        row: V::LANES,
                        step: 1,
                        steps: V::LANES,
                        group,
                        groups: self.taken / V::LANES,
                        right,
                        target,
                        adds: false,
                    };
                    tile += sum.rows::<V>(self.count - tile);
                }
            }
        }
    }
}

/// Adds the products of all tiles with the gradients of at most [`PANEL`] groups of channels, summed over tiles.
pub(super) struct AddProducts<'a, T> {
    /// Transformed tiles, all groups.
    pub(super) tiles: &'a [T],
    /// Transformed gradients of the output, of some groups.
    pub(super) gradients: &'a [T],
    /// The gradients of the transformed kernels, of the same groups.
    pub(super) target: &'a mut [T],
    /// How many tiles there are.
    pub(super) count: usize,
    /// The rows of their matrices.
    pub(super) pitch: usize,
    /// The channels that the kernels take.
    pub(super) taken: usize,
}

impl<T: Float> Kernel<T> for AddProducts<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Vector<Number = T>>(self) {
        assert!(self.count <= self.pitch && self.taken.is_multiple_of(V::LANES));
        assert_eq!(self.tiles.len(), self.taken * PLACES * self.pitch);
        let groups = self.gradients.len() / (PLACES * self.pitch * V::LANES);
        assert_eq!(
            self.gradients.len(),
            groups * PLACES * self.pitch * V::LANES
        );
        let rows = filter::rows(self.taken);
        assert_eq!(self.target.len(), groups * PLACES * rows * V::LANES);
        // SAFETY: the instructions are there, and the slices have these sizes.
        unsafe {
            match groups {
                PANEL => self.panel::<V, PANEL>(),
                _ => self.panel::<V, 1>(),
            }
        }
    }
}

impl<T: Float> AddProducts<'_, T> {
    /// # Safety
    ///
    /// The instructions of `V` must be there, and the sizes those of `N` groups.
    #[inline(always)]
    unsafe fn panel<V: Vector<Number = T>, const N: usize>(self) {
        let rows = filter::rows(self.taken);
        for place in 0..PLACES {
            let mut channel = 0;
            while channel < self.taken {
                let (group, lane) = (channel / V::LANES, channel % V::LANES);
                // SAFETY: the places, rows and groups are those of the slices.
                unsafe {
                    let mut right = [self.gradients.as_ptr(); N];
                    let mut target = [self.target.as_mut_ptr(); N];
                    for (n, (right, target)) in right.iter_mut().zip(&mut target).enumerate() {
                        let matrix = n * PLACES + place;
                        *right = right.add(matrix * self.pitch * V::LANES);
                        *target = target.add((matrix * rows + channel) * V::LANES);
                    }
                    let matrix = (group * PLACES + place) * self.pitch * V::LANES;
                    let sum = Sum {
                        left: self.tiles.as_ptr().add(matrix + lane),
                        row: 1,
                        step: V::LANES,
                        steps: self.count,
                        group: 0,
                        groups: 1,
                        right,
                        target,
                        adds: true,
                    };
                    channel += sum.rows::<V>(V::LANES - lane);
                }
            }
        }
    }
}

/// Some rows of a product: sums of numbers times vectors.
struct Sum<T, const N: usize> {
    /// The first number of the first row.
    left: *const T,
    /// The distance from a row to the next.
    row: usize,
    /// The distance from a number of a row to the next, and how many there are in a group.
    step: usize,
    steps: usize,
    /// The distance from a group of numbers to the next, and how many groups there are.
    group: usize,
    groups: usize,
    /// The vectors, one behind the other.
    right: [*const T; N],
    /// Where the first row of sums goes; the others are behind it.
    target: [*mut T; N],
    /// Whether what is there is added.
    adds: bool,
}

impl<T: Float, const N: usize> Sum<T, N> {
    /// Computes as many of `left` rows as fit into registers. Gives their number.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there, and all numbers within their slices.
    #[inline(always)]
    unsafe fn rows<V: Vector<Number = T>>(self, left: usize) -> usize {
        let most = if V::MANY_REGISTERS || N == 1 { 8 } else { 4 };
        let rows = next_block(left, most);
        // SAFETY: so many rows are left.
        unsafe {
            match rows {
                8 => self.block::<V, 8>(),
                4 => self.block::<V, 4>(),
                2 => self.block::<V, 2>(),
                _ => self.block::<V, 1>(),
            }
        }
        rows
    }

    /// # Safety
    ///
    /// See [`Sum::rows`].
    #[inline(always)]
    unsafe fn block<V: Vector<Number = T>, const ROWS: usize>(self) {
        // SAFETY: the caller's numbers.
        unsafe {
            let mut sums = [[V::zero(); N]; ROWS];
            let mut right = self.right;
            for group in 0..self.groups {
                let mut left = self.left.add(group * self.group);
                for _ in 0..self.steps {
                    let mut values = [V::zero(); N];
                    for (value, right) in values.iter_mut().zip(&mut right) {
                        *value = V::load(*right);
                        *right = right.add(V::LANES);
                    }
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let factor = V::splat(*left.add(row * self.row));
                        for (sum, value) in sums.iter_mut().zip(values) {
                            *sum = factor.multiply_add(value, *sum);
                        }
                    }
                    left = left.add(self.step);
                }
            }
            let one = V::splat(T::ONE);
            for (row, sums) in sums.into_iter().enumerate() {
                for (sum, target) in sums.into_iter().zip(self.target) {
                    let target = target.add(row * V::LANES);
                    match self.adds {
                        true => one.multiply_add(sum, V::load(target)).store(target),
                        false => sum.store(target),
                    }
                }
            }
        }
    }
}

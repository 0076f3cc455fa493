//! Products of which the columns are packed too, not the rows of the left matrix alone.
//!
//! The rows of an image of 32x32 pixels are 4 KiB apart. What a few columns of the product read of all rows then shares
//! the few lines of the cache that belong to one another, and is fetched anew for every block of rows. Vectors of 512 bits have
//! enough to do with a line to hide that; with vectors of 256 bits products took up to a quarter longer. So columns are
//! copied once for all rows, in panels: two vectors of the first row, of the second, and so on. The sums are the same, to
//! the bit.

use std::mem::MaybeUninit;

use super::finish::Epilogue;
use super::float::Float;
use super::shifted::{PackedRows, next_block};
use super::vector::Vector;

/// The vectors of a row in a panel: a line of the cache, if they have 256 bits.
const PANEL: usize = 2;

/// The panels for which all rows are computed in turn. With more, what is copied has left the nearest cache by the time it is
/// read.
const PANELS: usize = 4;

/// The numbers that all panels together may have.
const CAPACITY: usize = 1 << 15;

/// Memory for panels, on the stack: 128 KiB in single precision.
#[repr(align(64))]
struct Memory<T>([MaybeUninit<T>; CAPACITY]);

/// Columns of a matrix whose rows lie somewhere in memory.
pub(super) trait Columns<V: Vector> {
    /// How many there are.
    fn count(&self) -> usize;

    /// Those of a row that are in this vector; zeros behind the last.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there, and the row must have all columns.
    unsafe fn of_row(&self, row: *const V::Number, vector: usize) -> V;
}

/// Columns side by side.
pub(super) struct SideBySide(pub(super) usize);

impl<V: Vector> Columns<V> for SideBySide {
    fn count(&self) -> usize {
        self.0
    }

    #[inline(always)]
    unsafe fn of_row(&self, row: *const V::Number, vector: usize) -> V {
        let first = vector * V::LANES;
        // SAFETY: the caller's row has the columns that are left.
        unsafe {
            if first + V::LANES <= self.0 {
                V::load(row.add(first))
            } else if first < self.0 {
                V::load_first(row.add(first), self.0 - first)
            } else {
                V::zero()
            }
        }
    }
}

/// How many panels are computed together; none where it does not pay, or where a panel has so many rows that none has room.
pub(super) fn panels_at_once<V: Vector>(left: PackedRows<V::Number>) -> usize {
    // What few rows read is read once in any case.
    if V::MANY_REGISTERS || left.rows <= left.block {
        return 0;
    }
    let panel = left.inner.max(1).saturating_mul(PANEL * V::LANES);
    PANELS.min(CAPACITY / panel)
}

/// What a product needs beside its columns.
pub(super) struct Product<'a, T> {
    /// The left matrix.
    pub(super) left: PackedRows<'a, T>,
    /// Where each row of the right matrix begins in its source.
    pub(super) offsets: &'a [usize],
    /// Where the source begins.
    pub(super) source: *const T,
    /// Where the product goes.
    pub(super) target: *mut T,
    /// The distance between its rows.
    pub(super) stride: usize,
    /// What is done before it is written.
    pub(super) epilogue: Epilogue<'a, T>,
}

impl<T: Float> Product<'_, T> {
    /// Computes it, so many panels at once.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there. Every row of the right matrix must have the columns, and the target room for
    /// them. There must be a panel, and no more than [`panels_at_once`].
    #[inline(always)]
    pub(super) unsafe fn compute<V: Vector<Number = T>>(
        &self,
        panels: usize,
        columns: &impl Columns<V>,
    ) {
        let mut memory: Memory<T> = Memory([const { MaybeUninit::uninit() }; CAPACITY]);
        let memory = memory.0.as_mut_ptr().cast::<T>();
        let vectors = columns.count().div_ceil(V::LANES);
        for first in (0..vectors).step_by(panels * PANEL) {
            let panels = panels.min((vectors - first).div_ceil(PANEL));
            let count = columns.count() - first * V::LANES;
            let count = count.min(panels * PANEL * V::LANES);
            // SAFETY: so many panels have room, and the caller's rows have the columns.
            unsafe {
                self.pack::<V>(columns, first, panels, memory);
                self.strip::<V>(memory, self.target.add(first * V::LANES), count);
            }
        }
    }

    /// Copies panels from this vector on.
    ///
    /// # Safety
    ///
    /// As for [`Product::compute`]; the memory must have room for the panels.
    #[inline(always)]
    unsafe fn pack<V: Vector<Number = T>>(
        &self,
        columns: &impl Columns<V>,
        first: usize,
        panels: usize,
        memory: *mut T,
    ) {
        for (k, offset) in self.offsets.iter().enumerate() {
            // SAFETY: the caller's rows, and the place of a row in a panel.
            unsafe {
                let row = self.source.add(*offset);
                for panel in 0..panels {
                    let target = (panel * self.left.inner + k) * PANEL;
                    for vector in 0..PANEL {
                        let values = columns.of_row(row, first + panel * PANEL + vector);
                        values.store(memory.add((target + vector) * V::LANES));
                    }
                }
            }
        }
    }

    /// All rows of so many columns, which the panels have.
    ///
    /// # Safety
    ///
    /// As for [`Product::compute`]; all numbers of the panels must have been written.
    #[inline(always)]
    unsafe fn strip<V: Vector<Number = T>>(&self, panels: *const T, target: *mut T, count: usize) {
        let mut row = 0;
        while row < self.left.rows {
            let height = next_block(self.left.rows - row, self.left.block);
            // SAFETY: the rows are those of the left matrix and of the target.
            unsafe {
                let rows = Rows {
                    packed: self.left.data.as_ptr().add(row * self.left.inner),
                    inner: self.left.inner,
                    panels,
                    target: target.add(row * self.stride),
                    stride: self.stride,
                    epilogue: self.epilogue.of_channels(row..row + height),
                };
                // Sums enough that none waits for the one before it.
                match height {
                    6 => rows.compute::<V, 6, 2>(count),
                    4 => rows.compute::<V, 4, 2>(count),
                    2 => rows.compute::<V, 2, 4>(count),
                    _ => rows.compute::<V, 1, 8>(count),
                }
            }
            row += height;
        }
    }
}

/// Some rows of a product, the columns of which are in panels.
struct Rows<'a, T> {
    packed: *const T,
    inner: usize,
    panels: *const T,
    target: *mut T,
    stride: usize,
    epilogue: Epilogue<'a, T>,
}

impl<T: Float> Rows<'_, T> {
    /// `M` rows of so many columns, `N` vectors of them at once and then fewer.
    ///
    /// # Safety
    ///
    /// As for [`Product::strip`]; there must be `M` rows.
    #[inline(always)]
    unsafe fn compute<V: Vector<Number = T>, const M: usize, const N: usize>(self, count: usize) {
        let mut vector = 0;
        // SAFETY: the caller's rows and columns.
        unsafe {
            while (vector + N) * V::LANES <= count {
                self.write(vector, self.sums::<V, M, N>(vector));
                vector += N;
            }
            while (vector + PANEL) * V::LANES <= count {
                self.write(vector, self.sums::<V, M, PANEL>(vector));
                vector += PANEL;
            }
            if vector * V::LANES < count {
                let sums = self.sums::<V, M, PANEL>(vector);
                for place in 0..PANEL {
                    let left = count.saturating_sub((vector + place) * V::LANES);
                    let sums = sums.map(|sums| [sums[place]]);
                    match left {
                        0 => {}
                        left if left < V::LANES => self.epilogue.write_first(
                            sums,
                            self.target.add((vector + place) * V::LANES),
                            self.stride,
                            left,
                        ),
                        _ => self.write(vector + place, sums),
                    }
                }
            }
        }
    }

    /// # Safety
    ///
    /// As for [`Rows::compute`].
    #[inline(always)]
    unsafe fn write<V: Vector<Number = T>, const M: usize, const N: usize>(
        &self,
        vector: usize,
        sums: [[V; N]; M],
    ) {
        // SAFETY: the caller's columns.
        unsafe {
            let target = self.target.add(vector * V::LANES);
            self.epilogue.write(sums, target, self.stride);
        }
    }

    /// The sums of `M` rows and `N` vectors, whole panels from this vector on.
    ///
    /// # Safety
    ///
    /// As for [`Rows::compute`].
    #[inline(always)]
    unsafe fn sums<V: Vector<Number = T>, const M: usize, const N: usize>(
        &self,
        vector: usize,
    ) -> [[V; N]; M] {
        // SAFETY: the caller's panels have a number for each lane of each row.
        unsafe {
            let panels = self.panels.add(vector * self.inner * V::LANES);
            let mut sums = [[V::zero(); N]; M];
            for k in 0..self.inner {
                let mut values = [V::zero(); N];
                for (n, value) in values.iter_mut().enumerate() {
                    let row = (n / PANEL * self.inner + k) * PANEL + n % PANEL;
                    *value = V::load(panels.add(row * V::LANES));
                }
                for (m, sums) in sums.iter_mut().enumerate() {
                    let weight = V::splat(*self.packed.add(k * M + m));
                    for (sum, value) in sums.iter_mut().zip(values) {
                        *sum = weight.multiply_add(value, *sum);
                    }
                }
            }
            sums
        }
    }
}

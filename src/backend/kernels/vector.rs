//! Vectors of numbers in registers, one type for each generation of instructions, under one trait.

use super::float::Float;

/// Numbers that one instruction computes with.
///
/// # Safety
///
/// Every function may be called only where the processor has the instructions of the type, and
/// pointers must be valid for [`Vector::LANES`] numbers (or as many as are said). They need no
/// alignment.
pub(in crate::backend) trait Vector: Copy {
    /// What it is made of.
    type Number: Float;
    /// How many.
    const LANES: usize;
    /// Whether there are 32 registers, not 16.
    const MANY_REGISTERS: bool;
    /// Whether kernels are written out at length for it, which takes long to compile. Double precision is for checks, and
    /// where there are no vector instructions nobody looks for speed.
    const IS_WRITTEN_OUT: bool;

    /// All zero.
    unsafe fn zero() -> Self;
    /// All the same.
    unsafe fn splat(value: Self::Number) -> Self;
    /// Reads numbers that lie side by side.
    unsafe fn load(source: *const Self::Number) -> Self;
    /// Reads half of the numbers from each place.
    unsafe fn load_halves(low: *const Self::Number, high: *const Self::Number) -> Self;
    /// Reads the first `count <= LANES` numbers; the others are zero.
    unsafe fn load_first(source: *const Self::Number, count: usize) -> Self;
    /// Reads the numbers from lane `first` to the one before `end <= LANES`; the others are zero. The pointer is
    /// that of lane 0, which need not be there.
    unsafe fn load_between(source: *const Self::Number, first: usize, end: usize) -> Self;
    /// Writes numbers side by side.
    unsafe fn store(self, target: *mut Self::Number);
    /// Writes the first `count <= LANES` numbers.
    unsafe fn store_first(self, target: *mut Self::Number, count: usize);
    /// `self * factor + addend`
    unsafe fn multiply_add(self, factor: Self, addend: Self) -> Self;
    /// The sum of all.
    unsafe fn sum(self) -> Self::Number;
    /// The sums of pairs.
    unsafe fn add(self, other: Self) -> Self;
    /// The products of pairs, rounded.
    unsafe fn multiply(self, other: Self) -> Self;
    /// Each, or the bound where that is larger. What is not a number stays so; of two zeros it may be either.
    unsafe fn at_least(self, bound: Self) -> Self;
    /// Each, or the bound where that is smaller. What is not a number stays so.
    unsafe fn at_most(self, bound: Self) -> Self;

    /// Reads numbers that are `stride` apart, of which those from lane `first` to the one before `end <= LANES` are
    /// there; the others are zero. The pointer is that of lane 0, which need not be there.
    #[inline(always)]
    unsafe fn load_strided(
        source: *const Self::Number,
        stride: usize,
        first: usize,
        end: usize,
    ) -> Self {
        let mut lanes = [Self::Number::ZERO; MOST_LANES];
        for (lane, value) in lanes.iter_mut().enumerate().take(end).skip(first) {
            // SAFETY: the caller's pointer leads to these numbers.
            *value = unsafe { *source.wrapping_add(lane * stride) };
        }
        // SAFETY: there is room for the most lanes.
        unsafe { Self::load(lanes.as_ptr()) }
    }

    /// [`Vector::load_strided`] for a stride of two.
    #[inline(always)]
    unsafe fn load_pairs(source: *const Self::Number, first: usize, end: usize) -> Self {
        // SAFETY: the caller's numbers.
        unsafe { Self::load_strided(source, 2, first, end) }
    }

    /// Of the numbers of two vectors side by side, every second from the first on, and every second from the second on. Both
    /// are in an order that [`Vector::in_order`] undoes.
    #[inline(always)]
    unsafe fn pairs(self, high: Self) -> [Self; 2] {
        let mut lanes = [Self::Number::ZERO; 2 * MOST_LANES];
        // SAFETY: there is room for twice the most lanes.
        unsafe {
            self.store(lanes.as_mut_ptr());
            high.store(lanes.as_mut_ptr().add(Self::LANES));
            let mut halves = [[Self::Number::ZERO; MOST_LANES]; 2];
            for (lane, pair) in lanes.as_chunks::<2>().0[..Self::LANES].iter().enumerate() {
                halves[0][lane] = pair[0];
                halves[1][lane] = pair[1];
            }
            halves.map(|lanes| Self::load(lanes.as_ptr()))
        }
    }

    /// What was computed, lane by lane, of what [`Vector::pairs`] gives, in the order of the numbers.
    #[inline(always)]
    unsafe fn in_order(self) -> Self {
        self
    }

    /// The function of each pair.
    #[inline(always)]
    unsafe fn zip(
        self,
        other: Self,
        function: impl Fn(Self::Number, Self::Number) -> Self::Number,
    ) -> Self {
        let mut lanes = [Self::Number::ZERO; MOST_LANES];
        let mut others = lanes;
        // SAFETY: there is room for the most lanes.
        unsafe {
            self.store(lanes.as_mut_ptr());
            other.store(others.as_mut_ptr());
            for (lane, other) in lanes[..Self::LANES].iter_mut().zip(others) {
                *lane = function(*lane, other);
            }
            Self::load(lanes.as_ptr())
        }
    }

    /// The numbers with those of another from lane `first` to the one before `end <= LANES`.
    #[inline(always)]
    unsafe fn replaced_between(self, other: Self, first: usize, end: usize) -> Self {
        let mut lanes = [Self::Number::ZERO; MOST_LANES];
        // SAFETY: there is room for the most lanes.
        unsafe {
            self.store(lanes.as_mut_ptr());
            let mut others = lanes;
            other.store(others.as_mut_ptr());
            lanes[first..end].copy_from_slice(&others[first..end]);
            Self::load(lanes.as_ptr())
        }
    }

    /// Reads four numbers from each of [`Vector::LANES`] rows that are so far apart. Lane `l` of vector `j` is
    /// number `j` of row `l`.
    #[inline(always)]
    unsafe fn load_quads(source: *const Self::Number, stride: usize) -> [Self; 4] {
        let mut columns = [[Self::Number::ZERO; MOST_LANES]; 4];
        for (j, column) in columns.iter_mut().enumerate() {
            for (lane, value) in column[..Self::LANES].iter_mut().enumerate() {
                // SAFETY: the caller's rows have four numbers each.
                *value = unsafe { *source.add(lane * stride + j) };
            }
        }
        // SAFETY: every column has room for the most lanes.
        columns.map(|column| unsafe { Self::load(column.as_ptr()) })
    }

    /// Writes what [`Vector::load_quads`] reads.
    #[inline(always)]
    unsafe fn store_quads(quads: [Self; 4], target: *mut Self::Number, stride: usize) {
        for (j, column) in quads.into_iter().enumerate() {
            let mut lanes = [Self::Number::ZERO; MOST_LANES];
            // SAFETY: there is room for the most lanes.
            unsafe { column.store(lanes.as_mut_ptr()) };
            for (lane, value) in lanes[..Self::LANES].iter().enumerate() {
                // SAFETY: the caller's rows have room for four numbers each.
                unsafe { *target.add(lane * stride + j) = *value };
            }
        }
    }
}

/// The most lanes that any vector has.
pub(super) const MOST_LANES: usize = 16;

/// Lanes of a vector without special instructions.
const PORTABLE_LANES: usize = 8;

/// Numbers side by side, for any processor.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Portable<T>([T; PORTABLE_LANES]);

impl<T: Float> Vector for Portable<T> {
    type Number = T;
    const LANES: usize = PORTABLE_LANES;
    const MANY_REGISTERS: bool = false;
    const IS_WRITTEN_OUT: bool = false;

    #[inline(always)]
    unsafe fn zero() -> Self {
        Portable([T::ZERO; PORTABLE_LANES])
    }

    #[inline(always)]
    unsafe fn splat(value: T) -> Self {
        Portable([value; PORTABLE_LANES])
    }

    #[inline(always)]
    unsafe fn load(source: *const T) -> Self {
        // SAFETY: the caller's pointer is valid for as many numbers; an array of them needs no
        // more than an unaligned read.
        Portable(unsafe { source.cast::<[T; PORTABLE_LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn load_halves(low: *const T, high: *const T) -> Self {
        const HALF: usize = PORTABLE_LANES / 2;
        let mut lanes = [T::ZERO; PORTABLE_LANES];
        // SAFETY: the caller's pointers are valid for half of the numbers each; arrays of them need no more
        // than unaligned reads.
        let halves = unsafe { [low, high].map(|it| it.cast::<[T; HALF]>().read_unaligned()) };
        for (lanes, half) in lanes.chunks_exact_mut(HALF).zip(halves) {
            lanes.copy_from_slice(&half);
        }
        Portable(lanes)
    }

    #[inline(always)]
    unsafe fn load_first(source: *const T, count: usize) -> Self {
        let mut lanes = [T::ZERO; PORTABLE_LANES];
        // SAFETY: the caller's pointer is valid for `count` numbers.
        let source = unsafe { std::slice::from_raw_parts(source, count) };
        lanes[..count].copy_from_slice(source);
        Portable(lanes)
    }

    #[inline(always)]
    unsafe fn load_between(source: *const T, first: usize, end: usize) -> Self {
        let mut lanes = [T::ZERO; PORTABLE_LANES];
        for (lane, value) in lanes.iter_mut().enumerate().take(end).skip(first) {
            // SAFETY: the caller's pointer leads to these numbers.
            *value = unsafe { *source.wrapping_add(lane) };
        }
        Portable(lanes)
    }

    #[inline(always)]
    unsafe fn store(self, target: *mut T) {
        // SAFETY: the caller's pointer is valid for as many numbers.
        unsafe { target.cast::<[T; PORTABLE_LANES]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, target: *mut T, count: usize) {
        // SAFETY: the caller's pointer is valid for `count` numbers.
        let target = unsafe { std::slice::from_raw_parts_mut(target, count) };
        target.copy_from_slice(&self.0[..count]);
    }

    #[inline(always)]
    unsafe fn multiply_add(self, factor: Self, addend: Self) -> Self {
        let mut lanes = addend.0;
        for (lane, (left, right)) in lanes.iter_mut().zip(self.0.iter().zip(factor.0)) {
            *lane += *left * right;
        }
        Portable(lanes)
    }

    #[inline(always)]
    unsafe fn sum(self) -> T {
        self.0.into_iter().sum()
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Portable(std::array::from_fn(|lane| self.0[lane] + other.0[lane]))
    }

    #[inline(always)]
    unsafe fn multiply(self, other: Self) -> Self {
        Portable(std::array::from_fn(|lane| self.0[lane] * other.0[lane]))
    }

    #[inline(always)]
    unsafe fn at_least(self, bound: Self) -> Self {
        let larger = |lane: usize| match self.0[lane] < bound.0[lane] {
            true => bound.0[lane],
            false => self.0[lane],
        };
        Portable(std::array::from_fn(larger))
    }

    #[inline(always)]
    unsafe fn at_most(self, bound: Self) -> Self {
        let smaller = |lane: usize| match self.0[lane] > bound.0[lane] {
            true => bound.0[lane],
            false => self.0[lane],
        };
        Portable(std::array::from_fn(smaller))
    }
}

#[cfg(target_arch = "x86_64")]
pub(in crate::backend) use x86_64::{Double4, Double8, Single8, Single16};

#[cfg(target_arch = "x86_64")]
mod x86_64;

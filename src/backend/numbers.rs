//! Numbers in memory as vectors are read.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use aligned_vec::{AVec, ConstAlign};
use bytemuck::Pod;
use memmap2::MmapMut;

/// The bytes of a cache line, and of the longest vector.
const LINE: usize = 64;

/// From so many bytes on, numbers are mapped by themselves. What the allocator has of this size it keeps for others, and what
/// is asked for in between splits it: a process took a quarter more than it used.
const MAPPED: usize = 1 << 20;

/// Numbers side by side that begin with a cache line.
///
/// What the allocator gives begins at any multiple of 16 bytes. Then every vector of 512 bits lies in two cache lines, each
/// of which has to be fetched.
#[derive(Debug)]
pub(super) struct Numbers<T>(Memory<T>);

#[derive(Debug)]
enum Memory<T> {
    Allocated(AVec<T, ConstAlign<LINE>>),
    /// Whole pages, which go back to the system. The first numbers of them count.
    Mapped {
        map: MmapMut,
        length: usize,
        of: PhantomData<T>,
    },
}

impl<T> Numbers<T> {
    /// How many there is memory for.
    pub(super) fn capacity(&self) -> usize {
        match &self.0 {
            Memory::Allocated(numbers) => numbers.capacity(),
            Memory::Mapped { map, .. } => map.len() / size_of::<T>(),
        }
    }

    /// Forgets all numbers and keeps their memory.
    pub(super) fn clear(&mut self) {
        match &mut self.0 {
            Memory::Allocated(numbers) => numbers.clear(),
            Memory::Mapped { length, .. } => *length = 0,
        }
    }
}

impl<T: Pod> Numbers<T> {
    /// So many of the same.
    pub(super) fn filled(value: T, length: usize) -> Self {
        let Some(mut numbers) = Self::mapped(length) else {
            return std::iter::repeat_n(value, length).collect();
        };
        // Pages are zero when they come.
        if bytemuck::bytes_of(&value).iter().any(|byte| *byte != 0) {
            numbers.fill(value);
        }
        numbers
    }

    /// Zeros in pages of their own; nothing if they are too few, or the system has none.
    fn mapped(length: usize) -> Option<Self> {
        let bytes = length.checked_mul(size_of::<T>())?;
        let map = (bytes >= MAPPED).then(|| MmapMut::map_anon(bytes))?.ok()?;
        Some(Numbers(Memory::Mapped {
            map,
            length,
            of: PhantomData,
        }))
    }

    /// Makes it as long as this: what is new has this value.
    pub(super) fn resize(&mut self, new: usize, value: T) {
        if new > self.capacity() {
            let mut larger = Self::filled(value, new);
            larger[..self.len()].copy_from_slice(self);
            *self = larger;
            return;
        }
        match &mut self.0 {
            Memory::Allocated(numbers) => numbers.resize(new, value),
            Memory::Mapped { length, .. } => {
                let old = std::mem::replace(length, new);
                if let Some(added) = self.get_mut(old..) {
                    added.fill(value);
                }
            }
        }
    }
}

impl<T: Pod> Clone for Numbers<T> {
    fn clone(&self) -> Self {
        match Self::mapped(self.len()) {
            Some(mut copy) => {
                copy.copy_from_slice(self);
                copy
            }
            None => self.iter().copied().collect(),
        }
    }
}

impl<T: Pod + PartialEq> PartialEq for Numbers<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Numbers(Memory::Allocated(AVec::new(LINE)))
    }
}

impl<T> FromIterator<T> for Numbers<T> {
    fn from_iter<I: IntoIterator<Item = T>>(numbers: I) -> Self {
        Numbers(Memory::Allocated(AVec::from_iter(LINE, numbers)))
    }
}

/// A copy.
impl<T: Pod> From<Vec<T>> for Numbers<T> {
    fn from(numbers: Vec<T>) -> Self {
        numbers.into_iter().collect()
    }
}

impl<T: Pod> Deref for Numbers<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Memory::Allocated(numbers) => numbers,
            Memory::Mapped { map, length, .. } => {
                bytemuck::cast_slice(&map[..length * size_of::<T>()])
            }
        }
    }
}

impl<T: Pod> DerefMut for Numbers<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Memory::Allocated(numbers) => numbers,
            Memory::Mapped { map, length, .. } => {
                bytemuck::cast_slice_mut(&mut map[..*length * size_of::<T>()])
            }
        }
    }
}

impl<'a, T: Pod> IntoIterator for &'a Numbers<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_with_a_cache_line() {
        for length in [1, 7, 1000, 100_000, 1_000_000] {
            let mut numbers = Numbers::filled(1.0f32, length);
            let is_aligned = |numbers: &Numbers<f32>| numbers.as_ptr().addr().is_multiple_of(LINE);
            assert!(is_aligned(&numbers));
            assert_eq!(numbers.capacity(), length);
            numbers.resize(length / 2, 0.0);
            numbers.resize(length, 1.0);
            numbers.resize(3 * length, 2.0);
            assert!(is_aligned(&numbers) && is_aligned(&numbers.clone()));
            let (before, behind) = numbers.split_at(length);
            assert!(before.iter().all(|it| *it == 1.0) && behind.iter().all(|it| *it == 2.0));
            assert_eq!(numbers.clone(), numbers);
            assert!(is_aligned(&numbers.iter().copied().collect()));
        }
        assert!(Numbers::<f64>::default().is_empty());
    }
}

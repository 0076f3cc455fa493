//! Numbers in memory as vectors are read.

use std::ops::{Deref, DerefMut};

use aligned_vec::{AVec, ConstAlign};

/// The bytes of a cache line, and of the longest vector.
const LINE: usize = 64;

/// Numbers side by side that begin with a cache line.
///
/// What the allocator gives begins at any multiple of 16 bytes. Then every vector of 512 bits lies in two cache lines, each
/// of which has to be fetched.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Numbers<T>(AVec<T, ConstAlign<LINE>>);

impl<T> Numbers<T> {
    /// How many there is memory for.
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Forgets all numbers and keeps their memory.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl<T: Copy> Numbers<T> {
    /// So many of the same.
    pub(super) fn filled(value: T, length: usize) -> Self {
        std::iter::repeat_n(value, length).collect()
    }

    /// Makes it as long as this: what is new has this value.
    pub(super) fn resize(&mut self, length: usize, value: T) {
        self.0.resize(length, value);
    }
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Numbers(AVec::new(LINE))
    }
}

impl<T> FromIterator<T> for Numbers<T> {
    fn from_iter<I: IntoIterator<Item = T>>(numbers: I) -> Self {
        Numbers(AVec::from_iter(LINE, numbers))
    }
}

/// A copy.
impl<T: Copy> From<Vec<T>> for Numbers<T> {
    fn from(numbers: Vec<T>) -> Self {
        numbers.into_iter().collect()
    }
}

impl<T> Deref for Numbers<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for Numbers<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<'a, T> IntoIterator for &'a Numbers<T> {
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
        for length in [1, 7, 1000, 100_000] {
            let mut numbers = Numbers::filled(1.0f32, length);
            let is_aligned = |numbers: &Numbers<f32>| numbers.as_ptr().addr().is_multiple_of(LINE);
            assert!(is_aligned(&numbers));
            assert_eq!(numbers.capacity(), length);
            numbers.resize(3 * length, 2.0);
            assert!(is_aligned(&numbers) && is_aligned(&numbers.clone()));
            assert_eq!(numbers.iter().sum::<f32>(), 5.0 * length as f32);
            assert!(is_aligned(&numbers.iter().copied().collect()));
        }
        assert!(Numbers::<f64>::default().is_empty());
    }
}

//! Memory that several threads write at the same time, each at places of its own.

use std::marker::PhantomData;
use std::ops::Range;

/// A slice that is written by pointers, from any thread.
pub(super) struct Shared<'a, T> {
    start: *mut T,
    length: usize,
    slice: PhantomData<&'a mut [T]>,
}

// Not derived: that would ask the same of `T`.
impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<'_, T> {}

// SAFETY: it gives a pointer and no access; who writes by it sees to it that no two threads write one number.
unsafe impl<T: Send> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    /// This slice, which nothing else can read or write meanwhile.
    pub(super) fn new(slice: &'a mut [T]) -> Self {
        Shared {
            start: slice.as_mut_ptr(),
            length: slice.len(),
            slice: PhantomData,
        }
    }

    /// How many numbers there are.
    pub(super) fn len(self) -> usize {
        self.length
    }

    /// Some of them.
    ///
    /// # Safety
    ///
    /// Nothing else may read or write them as long as the part is there.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    pub(super) unsafe fn part(self, range: Range<usize>) -> &'a mut [T] {
        assert!(range.start <= range.end && range.end <= self.length);
        // SAFETY: the range is within the slice, and the caller alone has it.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }

    /// Where they begin.
    pub(super) fn start(self) -> *mut T {
        self.start
    }
}

//! Pieces of slices on which all threads work.
//!
//! The words are those of rayon's indexed iterators. What is handed on goes over a board where other threads watch one, which
//! takes a fraction of the time that the deques of a pool take, and no thread goes to sleep over a piece of another.

use std::ops::Range;

use super::shared::Shared;
use crate::backend::threads::share;

/// So many groups of items for each thread: one that is held up leaves them to others.
const GROUPS_OF_THREAD: usize = 8;

/// Items that threads take by their places.
pub(super) trait Parallel: Sync + Sized {
    /// What a thread works on.
    type Item;

    /// How many there are.
    fn count(&self) -> usize;

    /// The item of a place.
    ///
    /// # Safety
    ///
    /// There must be such a place, and each may be taken once.
    unsafe fn take(&self, place: usize) -> Self::Item;

    /// At least so many items go to a thread at a time.
    fn least(&self) -> usize {
        1
    }

    /// Pairs of items of the same place, as many as the fewer.
    fn zip<Other: Parallel>(self, other: Other) -> Zip<Self, Other> {
        Zip(self, other)
    }

    /// Items with their places.
    fn enumerate(self) -> Enumerate<Self> {
        Enumerate(self)
    }

    /// At least `least` items go to a thread at a time: each is little work.
    fn with_min_len(self, least: usize) -> WithLeast<Self> {
        WithLeast { items: self, least }
    }

    /// Works on every item.
    fn for_each(self, work: impl Fn(Self::Item) + Send + Sync) {
        self.for_each_init(|| (), |(), item| work(item));
    }

    /// Works on every item, with something that is made for several of them.
    fn for_each_init<Scratch>(
        self,
        scratch: impl Fn() -> Scratch + Send + Sync,
        work: impl Fn(&mut Scratch, Self::Item) + Send + Sync,
    ) {
        let count = self.count();
        let size = size_of_group(count, self.least());
        share(count.div_ceil(size), |group| {
            let mut scratch = scratch();
            for place in group * size..count.min((group + 1) * size) {
                // SAFETY: every place is in one group, and groups are given once.
                work(&mut scratch, unsafe { self.take(place) });
            }
        });
    }

    /// What comes of every item, in order.
    fn map_all<R: Send>(self, work: impl Fn(Self::Item) -> R + Send + Sync) -> Vec<R> {
        let mut results: Vec<Option<R>> = (0..self.count()).map(|_| None).collect();
        let places = results.par_iter_mut();
        places
            .zip(self)
            .for_each(|(result, item)| *result = Some(work(item)));
        results.into_iter().flatten().collect()
    }
}

/// How many items go to a thread at a time.
fn size_of_group(count: usize, least: usize) -> usize {
    let groups = GROUPS_OF_THREAD * rayon::current_num_threads();
    count.div_ceil(groups).max(least).max(1)
}

/// What comes of every number below `count`, in order.
pub(super) fn map_places<R: Send>(count: usize, work: impl Fn(usize) -> R + Send + Sync) -> Vec<R> {
    Places(0..count).map_all(work)
}

/// The numbers of a range.
struct Places(Range<usize>);

impl Parallel for Places {
    type Item = usize;

    fn count(&self) -> usize {
        self.0.len()
    }

    unsafe fn take(&self, place: usize) -> usize {
        self.0.start + place
    }
}

/// Slices whose parts go to threads.
pub(super) trait ParallelSlice<T> {
    /// Parts of so many elements, the last of which may have fewer.
    ///
    /// # Panics
    ///
    /// If they are to have none.
    fn par_chunks(&self, size: usize) -> Chunks<'_, T>;

    /// The same, to be changed.
    ///
    /// # Panics
    ///
    /// If they are to have none.
    fn par_chunks_mut(&mut self, size: usize) -> ChunksMut<'_, T>;

    /// Every element, to be changed.
    fn par_iter_mut(&mut self) -> EachMut<'_, T>;
}

impl<T> ParallelSlice<T> for [T] {
    fn par_chunks(&self, size: usize) -> Chunks<'_, T> {
        assert_ne!(size, 0, "parts without elements");
        Chunks { slice: self, size }
    }

    fn par_chunks_mut(&mut self, size: usize) -> ChunksMut<'_, T> {
        assert_ne!(size, 0, "parts without elements");
        let slice = Shared::new(self);
        ChunksMut { slice, size }
    }

    fn par_iter_mut(&mut self) -> EachMut<'_, T> {
        EachMut(Shared::new(self))
    }
}

/// The elements of a slice.
impl<'a, T: Sync> Parallel for &'a [T] {
    type Item = &'a T;

    fn count(&self) -> usize {
        self.len()
    }

    unsafe fn take(&self, place: usize) -> &'a T {
        &self[place]
    }
}

/// See [`ParallelSlice::par_chunks`].
pub(super) struct Chunks<'a, T> {
    slice: &'a [T],
    size: usize,
}

impl<'a, T: Sync> Parallel for Chunks<'a, T> {
    type Item = &'a [T];

    fn count(&self) -> usize {
        self.slice.len().div_ceil(self.size)
    }

    unsafe fn take(&self, place: usize) -> &'a [T] {
        &self.slice[part(place, self.size, self.slice.len())]
    }
}

/// See [`ParallelSlice::par_chunks_mut`].
pub(super) struct ChunksMut<'a, T> {
    slice: Shared<'a, T>,
    size: usize,
}

impl<'a, T: Send> Parallel for ChunksMut<'a, T> {
    type Item = &'a mut [T];

    fn count(&self) -> usize {
        self.slice.len().div_ceil(self.size)
    }

    unsafe fn take(&self, place: usize) -> &'a mut [T] {
        let part = part(place, self.size, self.slice.len());
        // SAFETY: parts have no elements in common, and each is taken once.
        unsafe { self.slice.part(part) }
    }
}

/// See [`ParallelSlice::par_iter_mut`].
pub(super) struct EachMut<'a, T>(Shared<'a, T>);

impl<'a, T: Send> Parallel for EachMut<'a, T> {
    type Item = &'a mut T;

    fn count(&self) -> usize {
        self.0.len()
    }

    unsafe fn take(&self, place: usize) -> &'a mut T {
        // SAFETY: every place is taken once.
        let part = unsafe { self.0.part(place..place + 1) };
        &mut part[0]
    }
}

/// Where the elements of a part of so many lie.
fn part(place: usize, size: usize, length: usize) -> Range<usize> {
    place * size..length.min((place + 1) * size)
}

/// See [`Parallel::zip`].
pub(super) struct Zip<Left, Right>(Left, Right);

impl<Left: Parallel, Right: Parallel> Parallel for Zip<Left, Right> {
    type Item = (Left::Item, Right::Item);

    fn count(&self) -> usize {
        self.0.count().min(self.1.count())
    }

    unsafe fn take(&self, place: usize) -> Self::Item {
        // SAFETY: both have the place, and it is taken once.
        unsafe { (self.0.take(place), self.1.take(place)) }
    }

    fn least(&self) -> usize {
        self.0.least().max(self.1.least())
    }
}

/// See [`Parallel::enumerate`].
pub(super) struct Enumerate<Items>(Items);

impl<Items: Parallel> Parallel for Enumerate<Items> {
    type Item = (usize, Items::Item);

    fn count(&self) -> usize {
        self.0.count()
    }

    unsafe fn take(&self, place: usize) -> Self::Item {
        // SAFETY: it has the place, which is taken once.
        (place, unsafe { self.0.take(place) })
    }

    fn least(&self) -> usize {
        self.0.least()
    }
}

/// See [`Parallel::with_min_len`].
pub(super) struct WithLeast<Items> {
    items: Items,
    least: usize,
}

impl<Items: Parallel> Parallel for WithLeast<Items> {
    type Item = Items::Item;

    fn count(&self) -> usize {
        self.items.count()
    }

    unsafe fn take(&self, place: usize) -> Self::Item {
        // SAFETY: it has the place, which is taken once.
        unsafe { self.items.take(place) }
    }

    fn least(&self) -> usize {
        self.items.least().max(self.least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(work)
    }

    #[test]
    fn every_item_is_worked_on_with_its_partners() {
        for threads in [1, 2, 5] {
            for length in [0, 1, 7, 100, 1000] {
                on_threads(threads, || {
                    let numbers: Vec<usize> = (0..length).collect();
                    let mut sums = vec![0; length.div_ceil(3)];
                    let items = sums.par_iter_mut().zip(numbers.par_chunks(3));
                    items
                        .enumerate()
                        .for_each(|(place, (sum, part))| *sum = place + part.iter().sum::<usize>());
                    let expected = numbers.chunks(3).enumerate();
                    let expected = expected.map(|(place, part)| place + part.iter().sum::<usize>());
                    assert_eq!(sums, expected.collect::<Vec<_>>());
                });
            }
        }
    }

    #[test]
    fn parts_to_be_changed_are_apart() {
        let mut numbers = vec![0; 1001];
        on_threads(3, || {
            let parts = numbers.par_chunks_mut(10).with_min_len(4).enumerate();
            parts.for_each(|(place, part)| part.iter_mut().for_each(|it| *it += place));
        });
        let expected: Vec<usize> = (0..1001).map(|place| place / 10).collect();
        assert_eq!(numbers, expected);
    }

    #[test]
    fn results_come_in_order() {
        let squares = on_threads(4, || map_places(500, |place| place * place));
        assert_eq!(squares, (0..500).map(|it| it * it).collect::<Vec<_>>());
    }

    #[test]
    fn scratch_is_made_for_several_items() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let made = AtomicUsize::new(0);
        on_threads(2, || {
            let numbers = [0; 1000];
            numbers.par_chunks(1).for_each_init(
                || made.fetch_add(1, Ordering::Relaxed),
                |_, part| assert_eq!(part.len(), 1),
            );
        });
        assert!(made.into_inner() <= 2 * GROUPS_OF_THREAD);
    }
}

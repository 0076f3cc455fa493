//! Memory that steps use one after another.
//!
//! A training step needs buffers of the same sizes each time. Memory that is asked of the system anew
//! has to be mapped and cleared, which took a quarter of a step where layers do little with each
//! number. So buffers that nobody reads any more wait here for the next that has about the same size.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::kernels::float::Float;
use super::numbers::Numbers;

/// Shorter buffers are left to the allocator, which has its own lists for them.
const SHORTEST: usize = 1024;

/// So many numbers may be held in any case: a small batch has all its buffers at hand.
pub(super) const SMALL: usize = 1 << 24;

/// One in so many: what is held beyond what was in use, and by how much a buffer may be larger than is asked for. With a
/// half instead of a tenth, a process took up to a third more and no step was faster.
const SLACK: usize = 10;

/// Buffers that wait to be used again. All they take, with those in use, is never more than a
/// tenth more than what was once in use at the same time, or a small size.
pub(super) struct Pool<T>(Mutex<State<T>>);

struct State<T> {
    /// Those that wait, the one that has waited longest first.
    waiting: VecDeque<Numbers<T>>,
    /// The numbers in them.
    waiting_size: usize,
    /// The numbers in buffers in use.
    used: usize,
    /// The most that were in use.
    peak: usize,
    /// What may be held in any case.
    small: usize,
    /// How often memory was asked of the system.
    misses: u64,
}

impl<T> State<T> {
    /// The most numbers in use and waiting, once so many more are in use.
    fn most(&self, more: usize) -> usize {
        let peak = self.peak.max(self.used + more);
        self.small.max(peak + peak / SLACK)
    }

    /// Where a buffer waits for so many numbers: one of their size, or else the smallest that has room for them and is
    /// not much too large: batches of an epoch differ by one example. Where no more may be held, it may be twice as
    /// large: what is computed again for gradients needs sizes in another order than what waits, and memory that goes back to
    /// the system and is asked for anew each time is soon in fragments.
    fn place_of(&self, length: usize) -> Option<usize> {
        let exact = self.waiting.iter().rposition(|it| it.capacity() == length);
        if exact.is_some() {
            return exact;
        }
        let has_room = self.waiting_size + self.used + length <= self.most(length);
        let largest = match has_room {
            true => length + length / SLACK,
            false => 2 * length,
        };
        let waiting = self.waiting.iter().enumerate();
        let fits = waiting.filter(|(_, it)| (length..=largest).contains(&it.capacity()));
        fits.min_by_key(|(_, it)| it.capacity())
            .map(|(place, _)| place)
    }

    /// Takes out those that have waited longest, until so many more numbers may be in use.
    fn make_room(&mut self, more: usize) -> Vec<Numbers<T>> {
        let most = self.most(more);
        let mut evicted = Vec::new();
        while self.waiting_size + self.used + more > most {
            let Some(oldest) = self.waiting.pop_front() else {
                break;
            };
            self.waiting_size -= oldest.capacity();
            evicted.push(oldest);
        }
        evicted
    }
}

impl<T: Float> Pool<T> {
    /// A pool in which no buffer waits, and which may hold so many numbers whatever was in use.
    pub(super) const fn new(small: usize) -> Self {
        Pool(Mutex::new(State {
            waiting: VecDeque::new(),
            waiting_size: 0,
            used: 0,
            peak: 0,
            small,
            misses: 0,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Whatever panicked has left whole buffers.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, length: usize) -> Option<Numbers<T>> {
        if length < SHORTEST {
            return None;
        }
        let mut state = self.lock();
        let Some(place) = state.place_of(length) else {
            state.misses += 1;
            let evicted = state.make_room(length);
            // Whoever waits for the lock does not wait for the system to take the memory back.
            drop(state);
            drop(evicted);
            return None;
        };
        let mut buffer = state.waiting.remove(place)?;
        state.waiting_size -= buffer.capacity();
        drop(state);
        buffer.resize(length, T::ZERO);
        Some(buffer)
    }

    fn adopt(&self, length: usize) {
        if length >= SHORTEST {
            let mut state = self.lock();
            state.used += length;
            state.peak = state.peak.max(state.used);
        }
    }

    /// Tells that a buffer went elsewhere.
    fn forget(&self, length: usize) {
        if length >= SHORTEST {
            self.lock().used -= length;
        }
    }

    fn give(&self, buffer: Numbers<T>) {
        let length = buffer.len();
        if length < SHORTEST {
            return;
        }
        let mut state = self.lock();
        state.used -= length;
        state.waiting_size += buffer.capacity();
        state.waiting.push_back(buffer);
        let evicted = state.make_room(0);
        drop(state);
        drop(evicted);
    }

    /// Gives all that waits back to the system.
    pub(super) fn clear(&self) {
        let mut state = self.lock();
        let waiting = std::mem::take(&mut state.waiting);
        state.waiting_size = 0;
        state.peak = state.used;
        drop(state);
        drop(waiting);
    }
}

/// What the values of all networks take in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffers {
    /// Bytes in use.
    pub used: usize,
    /// The most bytes that were in use at a time, since the last network was dropped.
    pub peak: usize,
    /// Bytes that wait to be used again.
    pub waiting: usize,
    /// How often a buffer of 1,024 numbers or more was asked of the system, since none of its size waited.
    pub misses: u64,
}

/// What the values of all networks that compute with `f32` take in memory now.
pub fn buffers() -> Buffers {
    let state = f32::pool().lock();
    let bytes = |numbers: usize| numbers * size_of::<f32>();
    Buffers {
        used: bytes(state.used),
        peak: bytes(state.peak),
        waiting: bytes(state.waiting_size),
        misses: state.misses,
    }
}

/// A buffer of this length with whatever is in it, to be overwritten as a whole.
pub(super) fn buffer<T: Float>(length: usize) -> Numbers<T> {
    let buffer = T::pool().take(length);
    let mut buffer = buffer.unwrap_or_else(|| Numbers::filled(T::ZERO, length));
    // In tests, what a kernel leaves as it was should be seen.
    if cfg!(debug_assertions) {
        buffer.fill(T::of(f64::NAN));
    }
    buffer
}

/// A buffer of zeros.
pub(super) fn zeros<T: Float>(length: usize) -> Numbers<T> {
    match T::pool().take(length) {
        Some(mut buffer) => {
            buffer.fill(T::ZERO);
            buffer
        }
        None => Numbers::filled(T::ZERO, length),
    }
}

/// A buffer in use, which goes to the pool in the end.
pub(super) struct Buffer<T: Float>(Numbers<T>);

impl<T: Float> Buffer<T> {
    /// A buffer of these numbers.
    pub(super) fn new(values: Numbers<T>) -> Self {
        T::pool().adopt(values.len());
        Buffer(values)
    }

    /// Its numbers, which no longer go to the pool.
    pub(super) fn into_numbers(mut self) -> Numbers<T> {
        let values = std::mem::take(&mut self.0);
        T::pool().forget(values.len());
        values
    }
}

impl<T: Float> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Float> Drop for Buffer<T> {
    fn drop(&mut self) {
        T::pool().give(std::mem::take(&mut self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_and_little_more_is_held_than_was_in_use() {
        let pool = Pool::<f32>::new(0);
        let give = |length: usize| pool.give(Numbers::filled(0.0, length));
        pool.adopt(2000);
        pool.adopt(3000);
        give(2000);
        let again = pool.take(2000).expect("it waits");
        pool.adopt(again.len());
        assert!(pool.take(3000).is_none(), "it is still in use");
        give(2000);
        give(3000);
        assert_eq!(pool.lock().waiting_size, 5000);
        assert!(pool.take(4000).is_none(), "3000 are too few");
        assert_eq!(
            pool.lock().waiting_size,
            0,
            "5500 may be held, 4000 of them new"
        );
        pool.adopt(4000);
        give(4000);
        let state = pool.lock();
        assert!(state.waiting.iter().any(|buffer| buffer.len() == 4000));
    }

    #[test]
    fn a_larger_buffer_is_used_where_no_more_may_be_held() {
        let pool = Pool::<f32>::new(0);
        let lengths = [9000, 4000, 3000];
        lengths.iter().for_each(|length| pool.adopt(*length));
        lengths
            .iter()
            .for_each(|length| pool.give(Numbers::filled(1.0, *length)));
        let taken = pool
            .take(2500)
            .expect("17,600 may be held, and 3000 have room for 2500");
        assert_eq!((taken.len(), taken.capacity()), (2500, 3000));
        pool.adopt(2500);
        assert!(pool.take(4200).is_none(), "9000 are much too large");
        pool.give(taken);
        assert_eq!(pool.take(3000).expect("they have room").len(), 3000);
    }

    #[test]
    fn a_batch_of_one_example_less_has_the_buffers_of_the_others() {
        let pool = Pool::<f32>::new(0);
        pool.adopt(32_000);
        pool.give(Numbers::filled(1.0, 32_000));
        let taken = pool.take(31_000).expect("it is little less");
        assert_eq!((taken.len(), taken.capacity()), (31_000, 32_000));
        pool.adopt(31_000);
        pool.give(taken);
        assert_eq!(pool.take(32_000).expect("it has room").len(), 32_000);
    }

    #[test]
    fn what_is_short_is_left_to_the_allocator() {
        let pool = Pool::<f64>::new(0);
        pool.adopt(10);
        pool.give(Numbers::filled(0.0, 10));
        assert!(pool.take(10).is_none());
    }
}

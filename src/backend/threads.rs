//! Threads that wait for work without going to sleep.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::Yield;

/// So often a thread looks for work in vain before it goes to sleep after all: about a millisecond. There must be
/// a bound, since a thread that waits for a piece of its own work may come to look for others'.
const MOST_ROUNDS: usize = 1 << 12;

/// Computes something within the pool, whose other threads stay awake meanwhile. An example alone is computed in
/// pieces that take less time than it takes to wake a thread.
pub(super) fn with_all_awake<R: Send>(compute: impl FnOnce() -> R + Send) -> R {
    let is_done = AtomicBool::new(false);
    rayon::scope(|scope| {
        for _ in 1..rayon::current_num_threads() {
            scope.spawn(|_| work_until(&is_done));
        }
        let _end = End(&is_done);
        compute()
    })
}

/// Takes pieces of others' work until all is done.
fn work_until(is_done: &AtomicBool) {
    let mut rounds = 0;
    while rounds < MOST_ROUNDS && !is_done.load(Ordering::Acquire) {
        match rayon::yield_now() {
            Some(Yield::Executed) => rounds = 0,
            _ => {
                rounds += 1;
                std::hint::spin_loop();
            }
        }
    }
}

/// Tells the threads of the end, also where a computation panics.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

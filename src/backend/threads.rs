//! Threads that wait for work without going to sleep.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::Yield;
use rayon::prelude::*;

use super::board::Board;

/// So often a thread looks for work in vain before it goes to sleep after all. There must be
/// a bound, since a thread that waits for a piece of its own work may come to look for others'.
const MOST_ROUNDS: usize = 1 << 12;

/// So often a thread looks at the board before it looks for other work of the pool, which takes longer.
const LOOKS: usize = 32;

thread_local! {
    /// The board of the threads that stay awake, if this is one of them.
    static BOARD: RefCell<Option<Arc<Board>>> = const { RefCell::new(None) };
}

fn board() -> Option<Arc<Board>> {
    BOARD.with_borrow(Clone::clone)
}

/// Whether other threads stay awake for this one, so that even short pieces are worth handing on.
pub(super) fn others_are_awake() -> bool {
    BOARD.with_borrow(Option::is_some)
}

/// Does some work for every number below `count`, on all threads. What is computed outside of the pool stays outside: to
/// enter it takes longer than a small net.
pub(super) fn share(count: usize, work: impl Fn(usize) + Send + Sync) {
    let is_alone = || rayon::current_num_threads() == 1 || rayon::current_thread_index().is_none();
    if count < 2 || is_alone() {
        return (0..count).for_each(work);
    }
    let is_done = board().is_some_and(|board| board.share(count, &work));
    if !is_done {
        (0..count).into_par_iter().for_each(work);
    }
}

/// Computes something on a thread that counts as awake meanwhile.
fn awake<R>(board: &Arc<Board>, compute: impl FnOnce() -> R) -> R {
    struct Reset(Option<Arc<Board>>);
    impl Drop for Reset {
        fn drop(&mut self) {
            BOARD.set(self.0.take());
        }
    }
    let _reset = Reset(BOARD.replace(Some(Arc::clone(board))));
    compute()
}

/// Computes something within the pool, whose other threads stay awake meanwhile. An example alone is computed in
/// pieces that take less time than it takes to wake a thread.
pub(super) fn with_all_awake<R: Send>(compute: impl FnOnce() -> R + Send) -> R {
    let threads = rayon::current_num_threads();
    if threads == 1 {
        // There is nobody to hand work to, and to enter the pool takes as long as several layers of an example alone.
        return compute();
    }
    let (is_done, board) = (&AtomicBool::new(false), &Arc::new(Board::new(threads)));
    rayon::scope(|scope| {
        for thread in 1..threads {
            scope.spawn(move |_| awake(board, || work_until(board, thread, is_done)));
        }
        let _end = End(is_done);
        awake(board, compute)
    })
}

/// Takes pieces of others' work until all is done.
fn work_until(board: &Board, thread: usize, is_done: &AtomicBool) {
    let (mut rounds, mut seen) = (0, 0);
    while rounds < MOST_ROUNDS && !is_done.load(Ordering::Acquire) {
        let has_helped = (0..LOOKS).any(|_| {
            std::hint::spin_loop();
            board.help(thread, &mut seen)
        });
        match has_helped || rayon::yield_now() == Some(Yield::Executed) {
            true => rounds = 0,
            false => rounds += 1,
        }
    }
    board.stop_watching();
}

/// Tells the threads of the end, also where a computation panics.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use rayon::prelude::*;

    use super::with_all_awake;

    #[test]
    fn pieces_are_computed_and_a_panic_comes_back() {
        let sum = || -> usize { (0..1000usize).into_par_iter().with_max_len(1).sum() };
        for _ in 0..20 {
            assert_eq!(with_all_awake(sum), 499_500);
            assert!(catch_unwind(|| with_all_awake(|| panic!("as it should"))).is_err());
        }
    }

    #[test]
    fn many_at_a_time_come_to_an_end() {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let sum = |_| (0..100usize).into_par_iter().with_max_len(1).sum::<usize>();
                        let sums =
                            with_all_awake(|| (0..8).into_par_iter().map(sum).sum::<usize>());
                        assert_eq!(sums, 8 * 4950);
                    }
                });
            }
        });
    }
}

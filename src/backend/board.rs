//! A board on which a thread posts pieces of work for others that watch it.
//!
//! To hand a piece to a thread that is awake should take no longer than a few cache lines take from one core to another. By
//! the deques of a pool it takes several times that, and a layer of a single example has work for some microseconds.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The most pieces of a job.
const MOST_PIECES: usize = u16::MAX as usize;

/// So often a thread looks whether others are done before it lets another thread have its core.
const MOST_LOOKS: usize = 1 << 12;

/// A place for one job at a time.
///
/// The alignment keeps what helpers watch away from other memory that changes: processors fetch cache lines by pairs.
#[repr(align(128))]
#[derive(Default)]
pub(super) struct Board {
    /// The number of the job, how many pieces it has, and how many of them are claimed: 32, 16 and 16 bits.
    state: AtomicU64,
    /// A [`Job`] on the stack of the thread that has posted it.
    job: AtomicPtr<()>,
    /// Whether a job is on it.
    is_taken: AtomicBool,
}

/// Work in pieces. It lies on the stack of its owner, which waits until all pieces are done.
struct Job<'a> {
    work: &'a (dyn Fn(usize) + Sync),
    /// How many pieces helpers are done with.
    done: AtomicUsize,
    /// What a helper has panicked with.
    problem: Mutex<Option<Box<dyn Any + Send>>>,
}

/// The state of a job of which so many pieces are claimed.
fn state(number: u64, count: usize, claimed: usize) -> u64 {
    (number << 32) | ((count as u64) << 16) | claimed as u64
}

/// The next piece, if one is not claimed.
fn next_piece(state: u64) -> Option<usize> {
    let (count, claimed) = ((state >> 16) & 0xffff, state & 0xffff);
    (claimed < count).then_some(claimed as usize)
}

impl Board {
    /// Does `work` for every number below `count`, on this thread and whichever help. Does nothing and gives `false` where
    /// another job is on the board or there are too many pieces.
    ///
    /// # Panics
    ///
    /// If a piece does.
    pub(super) fn share(&self, count: usize, work: &(dyn Fn(usize) + Sync)) -> bool {
        if count == 0 || count > MOST_PIECES || self.is_taken.swap(true, Ordering::Acquire) {
            return count == 0;
        }
        let job = Job {
            work,
            done: AtomicUsize::new(0),
            problem: Mutex::new(None),
        };
        let number = ((self.state.load(Ordering::Relaxed) >> 32) + 1) & u64::from(u32::MAX);
        self.job
            .store((&raw const job).cast_mut().cast(), Ordering::Relaxed);
        // The first piece is the owner's.
        self.state.store(state(number, count, 1), Ordering::Release);
        let mut own = 1;
        let result = catch_unwind(AssertUnwindSafe(|| {
            work(0);
            while let Some(piece) = self.claim() {
                own += 1;
                work(piece);
            }
        }));
        // After a panic no other piece begins.
        while self.claim().is_some() {
            own += 1;
        }
        let mut looks = 0;
        while job.done.load(Ordering::Acquire) + own < count {
            std::hint::spin_loop();
            looks += 1;
            if looks % MOST_LOOKS == 0 {
                // Perhaps a helper waits for this very core.
                std::thread::yield_now();
            }
        }
        self.is_taken.store(false, Ordering::Release);
        if let Err(problem) = result {
            resume_unwind(problem);
        }
        let problem = job.problem.into_inner();
        if let Some(problem) = problem.unwrap_or_else(PoisonError::into_inner) {
            resume_unwind(problem);
        }
        true
    }

    /// Claims a piece of the job that the calling thread has posted.
    fn claim(&self) -> Option<usize> {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let piece = next_piece(state)?;
            let claimed = self.state.compare_exchange_weak(
                state,
                state + 1,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            match claimed {
                Ok(_) => return Some(piece),
                Err(latest) => state = latest,
            }
        }
    }

    /// Does a piece of the job on the board, if there is one that nobody has claimed.
    pub(super) fn help(&self) -> bool {
        let state = self.state.load(Ordering::Acquire);
        let Some(piece) = next_piece(state) else {
            return false;
        };
        let job = self.job.load(Ordering::Relaxed).cast_const();
        let claimed =
            self.state
                .compare_exchange(state, state + 1, Ordering::AcqRel, Ordering::Relaxed);
        if claimed.is_err() {
            return false;
        }
        // SAFETY: the owner of a job posts no other, and does not leave, before all its pieces are claimed and those of helpers
        // done. This piece was not claimed until now, since the state with its number has not changed. So the pointer, which was
        // read behind that state, is that of the job, and the job is there until this piece is done.
        let job = unsafe { &*job.cast::<Job<'_>>() };
        if let Err(problem) = catch_unwind(AssertUnwindSafe(|| (job.work)(piece))) {
            let mut first = job.problem.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(problem);
        }
        // From here on the owner may leave.
        job.done.fetch_add(1, Ordering::Release);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shares jobs with helpers, and gives what came of it.
    fn with_helpers<R>(helpers: usize, work: impl FnOnce(&Board) -> R) -> R {
        let (board, is_done) = (Board::default(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for _ in 0..helpers {
                scope.spawn(|| {
                    while !is_done.load(Ordering::Acquire) {
                        board.help();
                    }
                });
            }
            let result = catch_unwind(AssertUnwindSafe(|| work(&board)));
            is_done.store(true, Ordering::Release);
            result.unwrap_or_else(|problem| resume_unwind(problem))
        })
    }

    #[test]
    fn every_piece_is_done_once() {
        for helpers in [0, 1, 3] {
            with_helpers(helpers, |board| {
                for round in 0..2000 {
                    let count = round % 9;
                    let times: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
                    let work = |piece: usize| {
                        times[piece].fetch_add(1, Ordering::Relaxed);
                    };
                    assert!(board.share(count, &work));
                    assert!(times.iter().all(|it| it.load(Ordering::Relaxed) == 1));
                }
            });
        }
    }

    #[test]
    fn a_panic_of_any_piece_comes_back_and_the_board_goes_on() {
        with_helpers(2, |board| {
            for bad in 0..50 {
                let done = AtomicUsize::new(0);
                let work = |piece: usize| {
                    assert_ne!(piece, bad % 5, "as it should");
                    done.fetch_add(1, Ordering::Relaxed);
                };
                assert!(catch_unwind(AssertUnwindSafe(|| board.share(5, &work))).is_err());
                assert!(done.load(Ordering::Relaxed) < 5);
                assert!(board.share(3, &|_| {}));
            }
        });
    }

    #[test]
    fn there_is_one_job_at_a_time() {
        with_helpers(1, |board| {
            let within = AtomicUsize::new(0);
            let work = |_: usize| {
                within.fetch_add(usize::from(board.share(2, &|_| {})), Ordering::Relaxed);
            };
            assert!(board.share(4, &work));
            assert_eq!(within.into_inner(), 0);
            assert!(!board.share(MOST_PIECES + 1, &|_| {}));
        });
    }
}

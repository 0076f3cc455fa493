//! A board on which a thread posts pieces of work for others that watch it.
//!
//! To hand pieces to a thread that is awake should take no longer than a few cache lines take from one core to another. By
//! the deques of a pool it takes several times that, and a layer of a single example has work for some microseconds.
//!
//! Each thread has a part of the pieces of its own, the same of every job, and takes from others' only when it is done with
//! that: so of job after job over the same images, it finds in its cache what it has written before.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// So often a thread looks whether others are done before it lets another thread have its core.
const MOST_LOOKS: usize = 1 << 12;

/// In a state: helpers may join the job.
const OPEN: u64 = 1 << 31;

/// A place for one job at a time.
pub(super) struct Board {
    /// The number of the job, [`OPEN`], and how many helpers have joined it: 32, 1 and 31 bits.
    state: Line<AtomicU64>,
    /// How many helpers have left the job again.
    left: Line<AtomicUsize>,
    /// For the part of each thread, which of its pieces is the next.
    parts: Vec<Line<AtomicUsize>>,
    /// How many pieces the job has.
    count: AtomicUsize,
    /// A [`Job`] on the stack of the thread that has posted it.
    job: AtomicPtr<()>,
    /// Whether a job is on it.
    is_taken: AtomicBool,
    /// Whether a helper watches no longer.
    is_unwatched: AtomicBool,
}

/// What threads change apart from one another. Processors fetch cache lines by pairs.
#[repr(align(128))]
#[derive(Default)]
struct Line<T>(T);

/// Work in pieces. It lies on the stack of its owner, which waits until all helpers have left.
struct Job<'a> {
    work: &'a (dyn Fn(usize) + Sync),
    /// What a helper has panicked with.
    problem: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Board {
    /// For so many threads, the owner of jobs among them.
    pub(super) fn new(threads: usize) -> Self {
        Board {
            state: Line::default(),
            left: Line::default(),
            parts: (0..threads.max(1)).map(|_| Line::default()).collect(),
            count: AtomicUsize::new(0),
            job: AtomicPtr::default(),
            is_taken: AtomicBool::new(false),
            is_unwatched: AtomicBool::new(false),
        }
    }

    /// Does `work` for every number below `count`, on this thread and whichever help. Does nothing and gives `false` where
    /// another job is on the board or a helper watches no longer.
    ///
    /// # Panics
    ///
    /// If a piece does.
    pub(super) fn share(&self, count: usize, work: &(dyn Fn(usize) + Sync)) -> bool {
        if self.is_unwatched.load(Ordering::Relaxed) || self.is_taken.swap(true, Ordering::Acquire)
        {
            return false;
        }
        let job = Job {
            work,
            problem: Mutex::new(None),
        };
        self.post(count, &job);
        let result = catch_unwind(AssertUnwindSafe(|| self.work(0, work)));
        if result.is_err() {
            // No other piece begins.
            while self.claim(0).is_some() {}
        }
        self.close();
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

    /// Opens a job for helpers.
    fn post(&self, count: usize, job: &Job<'_>) {
        for (thread, Line(next)) in self.parts.iter().enumerate() {
            next.store(self.start(thread, count), Ordering::Relaxed);
        }
        self.count.store(count, Ordering::Relaxed);
        self.left.0.store(0, Ordering::Relaxed);
        self.job
            .store((&raw const *job).cast_mut().cast(), Ordering::Relaxed);
        let number = (self.state.0.load(Ordering::Relaxed) >> 32).wrapping_add(1) << 32;
        self.state.0.store(number | OPEN, Ordering::Release);
    }

    /// Lets no other helper join, and waits for those that have.
    fn close(&self) {
        let joined = (self.state.0.fetch_and(!OPEN, Ordering::AcqRel) & (OPEN - 1)) as usize;
        let mut looks = 0;
        while self.left.0.load(Ordering::Acquire) < joined {
            std::hint::spin_loop();
            looks += 1;
            if looks % MOST_LOOKS == 0 {
                // Perhaps a helper waits for this very core.
                std::thread::yield_now();
            }
        }
    }

    /// Where the pieces of a thread begin, or end those of the one before.
    fn start(&self, thread: usize, count: usize) -> usize {
        thread * count / self.parts.len()
    }

    /// A piece of the job that nobody has done, of this thread or else of the next that has one.
    fn claim(&self, thread: usize) -> Option<usize> {
        let (threads, count) = (self.parts.len(), self.count.load(Ordering::Relaxed));
        (thread..threads).chain(0..thread).find_map(|owner| {
            let (Line(next), end) = (&self.parts[owner], self.start(owner + 1, count));
            if next.load(Ordering::Relaxed) >= end {
                return None;
            }
            Some(next.fetch_add(1, Ordering::Relaxed)).filter(|piece| *piece < end)
        })
    }

    fn work(&self, thread: usize, work: &(dyn Fn(usize) + Sync)) {
        while let Some(piece) = self.claim(thread) {
            work(piece);
        }
    }

    /// Tells that a helper watches no longer, so that work is handed on in another way.
    pub(super) fn stop_watching(&self) {
        self.is_unwatched.store(true, Ordering::Relaxed);
    }

    /// Does pieces of the job on the board, as the thread of this number, which is at least one. Gives whether there was a
    /// job but the last one that it has seen.
    pub(super) fn help(&self, thread: usize, seen: &mut u64) -> bool {
        let state = self.state.0.load(Ordering::Relaxed);
        if state & OPEN == 0 || state >> 32 == *seen {
            return false;
        }
        let joined =
            (self.state.0).compare_exchange(state, state + 1, Ordering::AcqRel, Ordering::Relaxed);
        if joined.is_err() {
            return false;
        }
        *seen = state >> 32;
        let job = self.job.load(Ordering::Relaxed).cast_const();
        // SAFETY: the state with the number of this job was open when this thread joined it. The owner closes it, and does not
        // leave before as many have left as had joined. So the pointer, which was written before it was opened, is that of the
        // job, and the job is there until this thread leaves.
        let job = unsafe { &*job.cast::<Job<'_>>() };
        let result = catch_unwind(AssertUnwindSafe(|| self.work(thread, job.work)));
        if let Err(problem) = result {
            let mut first = job.problem.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(problem);
        }
        // From here on the owner may leave.
        self.left.0.fetch_add(1, Ordering::Release);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shares jobs with helpers, and gives what came of it.
    fn with_helpers<R>(helpers: usize, work: impl FnOnce(&Board) -> R) -> R {
        let (board, is_done) = (&Board::new(helpers + 1), &AtomicBool::new(false));
        std::thread::scope(|scope| {
            for thread in 1..=helpers {
                scope.spawn(move || {
                    let mut seen = 0;
                    while !is_done.load(Ordering::Acquire) {
                        board.help(thread, &mut seen);
                    }
                });
            }
            let result = catch_unwind(AssertUnwindSafe(|| work(board)));
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
        });
    }

    #[test]
    fn nothing_is_posted_where_a_helper_watches_no_longer() {
        with_helpers(1, |board| {
            assert!(board.share(2, &|_| {}));
            board.stop_watching();
            assert!(!board.share(2, &|_| panic!("nobody is asked")));
        });
    }
}

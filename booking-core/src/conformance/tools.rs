//! What both suites need: waiting for a future, threads that start together, a repeatable source of chance.

use std::{
    any::Any,
    pin::Pin,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use uuid::Uuid;

/// Work for an executor: what [`Harness::block_on`](super::Harness::block_on) runs to its end.
pub type Work<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Threads of a race.
pub(super) const RACERS: usize = 8;

/// Runs `work` on the harness's executor and gives its answer.
pub(super) fn wait<T: Send>(block_on: impl FnOnce(Work<'_>), work: impl Future<Output = T> + Send) -> T {
    let mut answer = None;
    block_on(Box::pin(async { answer = Some(work.await) }));
    answer.expect("block_on must run the future to its end")
}

/// Runs `act` in `threads` threads that start together; their answers, by the thread's number.
pub(super) fn at_once<T: Send>(threads: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads);
    let run = |number: usize| {
        start.wait();
        act(number)
    };
    let run = &run;
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|number| scope.spawn(move || run(number))).collect();
        let joined: Vec<_> = running.into_iter().map(thread::ScopedJoinHandle::join).collect();
        joined.into_iter().map(|answer| answer.unwrap_or_else(|panic| raise(&*panic))).collect()
    })
}

/// Runs `act` in the background, again and again, while `meanwhile` runs here; both answers count.
pub(super) fn while_repeating<T>(act: impl Fn() + Sync, meanwhile: impl FnOnce() -> T) -> T {
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let background = scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                act();
                thread::yield_now();
            }
        });
        // Also when `meanwhile` panics: the scope waits for the background.
        let stopping = Stop(&stop);
        let answer = meanwhile();
        drop(stopping);
        background.join().unwrap_or_else(|panic| raise(&*panic));
        answer
    })
}

/// Panics here with the words of a thread that panicked there, so that they are told with the name of the case.
fn raise(panic: &(dyn Any + Send)) -> ! {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
    panic!("in a thread: {}", words.unwrap_or("a panic without words"))
}

/// Waits until `holds`, for two seconds at most; for what the ports allow to come a little later.
pub(super) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(2);
    while !holds() {
        assert!(Instant::now() < patience, "{what}: not within two seconds");
        thread::sleep(Duration::from_millis(5));
    }
}

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| {
        text.parse().unwrap_or_else(|_| panic!("{name} must be a number, and is {text:?}"))
    })
}

/// How many operations a random case does.
pub(super) fn operations() -> u64 {
    from_env("BOOKING_CONFORMANCE_OPS", 5_000)
}

/// Chance that is the same in every run of a seed (xorshift64*).
pub(super) struct Random(u64);

impl Random {
    /// The chance of one case; `BOOKING_CONFORMANCE_SEED` chooses another run.
    pub(super) fn of_case(salt: u64) -> Self {
        let seed = from_env("BOOKING_CONFORMANCE_SEED", 1);
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ salt.wrapping_mul(0xD1B5_4A32_D192_ED03) | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 8
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True once in `times` on average.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(super) fn seat(&mut self, end: u32) -> u32 {
        u32::try_from(self.below(end.into())).unwrap_or(0)
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let end = from.len() as u64;
        &from[usize::try_from(self.below(end)).unwrap_or(0)]
    }

    pub(super) fn uuid(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }
}

//! Numbers that all threads add to without waiting for each other: each thread has a shard of its own, and whoever reads
//! adds the shards up.

use std::{
    cell::Cell,
    sync::atomic::{
        AtomicU64, AtomicUsize,
        Ordering::{self, Relaxed},
    },
    time::Duration,
};

/// Threads beyond this many share.
const SHARDS: usize = 8;

/// The upper bounds of [`Timings`], in nanoseconds; one more counter is for what took longer.
pub(super) const UP_TO: [u64; 16] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// A value for each shard. Shards lie apart, so that a thread that adds does not take the cache line of another.
#[derive(Debug, Default)]
pub(super) struct Sharded<T>([Apart<T>; SHARDS]);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<usize> = const { Cell::new(SHARDS) };
    }
    MINE.with(|mine| {
        if mine.get() == SHARDS {
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS);
        }
        mine.get()
    })
}

impl<T> Sharded<T> {
    /// The shard of this thread.
    pub(super) fn here(&self) -> &T {
        &self.0[shard()].0
    }

    /// A counter of all shards together.
    pub(super) fn sum(&self, counter: impl Fn(&T) -> &AtomicU64) -> u64 {
        self.0.iter().map(|shard| counter(&shard.0).load(Relaxed)).sum()
    }

    /// The timings of all shards together.
    pub(super) fn timed(&self, timings: impl Fn(&T) -> &Timings) -> Timed {
        let mut timed = Timed::default();
        for shard in &self.0 {
            let Timings { counts, nanos } = timings(&shard.0);
            for (sum, count) in timed.counts.iter_mut().zip(counts) {
                *sum += count.load(Relaxed);
            }
            timed.nanos += nanos.load(Relaxed);
        }
        timed
    }
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// How long things took.
#[derive(Debug, Default)]
pub(super) struct Timings {
    counts: [AtomicU64; UP_TO.len() + 1],
    nanos: AtomicU64,
}

/// [`Timings`] at one instant.
#[derive(Debug, Default)]
pub(super) struct Timed {
    /// How many took up to each bound, and more than the bound before.
    pub(super) counts: [u64; UP_TO.len() + 1],
    /// How long all of them took together.
    pub(super) nanos: u64,
}

impl Timings {
    pub(super) fn add(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let at = UP_TO.iter().position(|most| nanos <= *most).unwrap_or(UP_TO.len());
        count(&self.counts[at]);
        self.nanos.fetch_add(nanos, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_threads_add_is_all_there() {
        let timings = Sharded::<Timings>::default();
        std::thread::scope(|scope| {
            for _ in 0..SHARDS * 2 {
                scope.spawn(|| (0..1_000).for_each(|_| timings.here().add(Duration::from_micros(100))));
            }
        });
        timings.here().add(Duration::from_micros(101));
        timings.here().add(Duration::from_mins(1));
        let timed = timings.timed(|timings| timings);
        assert_eq!((timed.counts[0], timed.counts[1], timed.counts[UP_TO.len()]), (16_000, 1, 1));
        assert_eq!(timed.nanos, 16_000 * 100_000 + 101_000 + 60_000_000_000);
    }
}

//! Running state machines, and the guard against tests that pass because nothing happened.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::test_runner::{Config, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

/// How many steps one case has at most.
const MOST_STEPS: usize = 60;

/// So many cases, times `BOOKING_TEST_SCALE`.
pub(crate) fn config(cases: u32) -> Config {
    let scale = match std::env::var("BOOKING_TEST_SCALE") {
        Ok(scale) => scale.parse().expect("BOOKING_TEST_SCALE is a whole number of 1 or more"),
        Err(_) => 1_u32,
    };
    assert!(scale > 0, "BOOKING_TEST_SCALE is a whole number of 1 or more");
    Config { cases: cases.saturating_mul(scale), failure_persistence: None, ..Config::default() }
}

/// Runs a state machine against its model.
pub(crate) fn run<M: StateMachineTest>(cases: u32) {
    let config = config(cases);
    let mut runner = TestRunner::new(config.clone());
    let sequences = M::Reference::sequential_strategy(1..=MOST_STEPS);
    let result = runner.run(&sequences, |(initial, steps, seen)| {
        M::test_sequential(config.clone(), initial, steps, seen);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}\n{runner}");
    }
}

/// How many commands did something, were there already, or were refused; and how many batches could be decided while
/// others before them were being written.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    done: AtomicU64,
    replayed: AtomicU64,
    refused: AtomicU64,
    ahead: AtomicU64,
}

impl Tally {
    pub(crate) const fn new() -> Self {
        Self {
            done: AtomicU64::new(0),
            replayed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            ahead: AtomicU64::new(0),
        }
    }

    pub(crate) fn done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn replayed(&self) {
        self.replayed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ahead(&self) {
        self.ahead.fetch_add(1, Ordering::Relaxed);
    }

    /// At least so many batches that did something could be decided while others were being written.
    pub(crate) fn check_ahead(&self, least: u64) {
        assert!(self.ahead.load(Ordering::Relaxed) >= least, "{self:?}: too few could be decided ahead");
    }

    /// At least `least` commands ran; three in ten of them did something, and one in fifty each of the rest happened.
    pub(crate) fn check(&self, least: u64) {
        let [done, replayed, refused] =
            [&self.done, &self.replayed, &self.refused].map(|n| n.load(Ordering::Relaxed));
        let all = done + replayed + refused;
        println!("{all} commands: {done} did something, {replayed} replayed, {refused} refused");
        assert!(all >= least, "{self:?}: too few commands");
        assert!(done * 10 >= all * 3, "{self:?}: too few did anything");
        assert!(replayed * 50 >= all && refused * 50 >= all, "{self:?}: too few replays or refusals");
    }
}

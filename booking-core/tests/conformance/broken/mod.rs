//! Stores with one fault each, which the suites must refuse: a suite that can't fail proves nothing.

mod booking;
mod booking_faults;
mod booking_races;
mod booking_reads;
mod booking_refusals;
mod joint;
mod queue;
mod queue_faults;
mod queue_tickets;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{Condvar, Mutex, Once},
    thread,
    time::Duration,
};

use booking_core::conformance::Case;

/// Runs all cases; the names of those that fail.
fn failures<F: ?Sized>(cases: &[Case<F>], make: &F) -> Vec<&'static str> {
    silence();
    let fails = |case: &&Case<F>| panic::catch_unwind(AssertUnwindSafe(|| (case.run)(make))).is_err();
    cases.iter().filter(fails).map(|case| case.name).collect()
}

/// The fault is found by the case that is about it, and the store does enough right to show that it is that fault.
fn judge<F: ?Sized>(cases: &[Case<F>], make: &F, expected: &str) {
    let (failed, all) = (failures(cases, make), cases.len());
    println!("found by {failed:?}");
    assert!(failed.contains(&expected), "'{expected}' did not fail, but {failed:#?}");
    assert!(failed.len() * 3 < all * 2, "{} of {all} cases fail: that is more than one fault", failed.len());
}

/// Panics are what these tests are after: they are not told, in the threads of the cases neither.
fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let named = thread::current().name().is_some_and(|name| !name.starts_with("broken"));
            let of_test = info.location().is_some_and(|at| at.file().ends_with("broken/mod.rs"));
            if named || of_test {
                tell(info);
            }
        }));
    });
}

/// The moment between two steps that should be one. A thread of a race waits in it until another one has been through,
/// so that the fault shows whatever the scheduler does; alone, it waits a little and goes on.
#[derive(Default)]
struct Window {
    left: Mutex<usize>,
    leaves: Condvar,
}

impl Window {
    fn stay(&self) {
        // The threads of a race have no name; the thread of a test has.
        if thread::current().name().is_some() {
            return;
        }
        let left = self.left.lock().unwrap();
        let before = *left;
        let nobody_left = |left: &mut usize| *left == before;
        drop(self.leaves.wait_timeout_while(left, Duration::from_millis(2), nobody_left).unwrap());
    }

    /// Through: those who stay go on.
    fn leave(&self) {
        *self.left.lock().unwrap() += 1;
        self.leaves.notify_all();
    }
}

//! The suites every store must pass: what the [ports](crate::store) ask for, as cases that run against any
//! implementation. Each case is one behaviour, and its name says which.
//!
//! An implementer brings a harness — a fresh store, an executor, a clock that the suite moves — and calls a macro, which
//! makes one `#[test]` of every case, so that none can be left out:
//!
//! ```
//! # #[cfg(not(booking_loom))] mod example {
//! use std::{sync::Arc, time::Duration};
//!
//! use booking_core::{
//!     BookingPolicy, Clock, ManualClock, Timestamp,
//!     conformance::{self, Work, booking::BookingHarness},
//!     memory::MemoryBooking,
//!     store::BookingStore,
//! };
//!
//! struct Harness(Arc<ManualClock>, Arc<MemoryBooking>);
//!
//! impl conformance::Harness for Harness {
//!     fn block_on(&self, work: Work<'_>) {
//!         pollster::block_on(work); // or a tokio runtime of the harness
//!     }
//!     fn now(&self) -> Timestamp {
//!         self.0.now()
//!     }
//!     fn advance(&self, by: Duration) {
//!         self.0.advance(by);
//!     }
//! }
//!
//! impl BookingHarness for Harness {
//!     fn store(&self) -> Arc<dyn BookingStore> {
//!         self.1.clone()
//!     }
//!     fn another(&self) -> Arc<dyn BookingStore> {
//!         self.1.clone() // a second connection pool, where there is one
//!     }
//! }
//!
//! fn fresh(policy: BookingPolicy) -> Harness {
//!     let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_800_000_000_000_000)));
//!     Harness(clock.clone(), Arc::new(MemoryBooking::new(policy, clock)))
//! }
//!
//! booking_core::conformance::booking_store!(fresh);
//! # }
//! ```
//!
//! # The clock of a harness
//! The suite owns time: the store's clock stands still but when [`advance`](Harness::advance) moves it,
//! for all instances at once, and what was moved counts for every call that begins later. Cases then name instants to
//! the microsecond, and one that fails fails again. A store whose time comes from a database replaces, for the tests,
//! the one function that tells it there by a row that the harness writes. What a store may remember for some real time
//! (a seat map, 100 ms) must be forgotten when the clock moves on by as much.
//!
//! # How long it runs
//! Random cases do `BOOKING_CONFORMANCE_OPS` operations (5,000) of the run `BOOKING_CONFORMANCE_SEED` (1).

#![allow(clippy::similar_names, reason = "a stage and its state are both called what they are")]

/// The table of a suite's cases, from their list.
macro_rules! table {
    ({} $($topic:ident { $($case:ident,)* })*) => {
        /// All cases, by topic.
        pub const CASES: &[Case<Factory>] = &[$($(Case { name: stringify!($case), run: $topic::$case },)*)*];
    };
}

pub mod booking;
pub mod joint;
pub mod queue;
mod tools;

use std::time::Duration;

pub use tools::Work;

use crate::time::Timestamp;
pub use crate::{booking_store, joint_store, queue_store};

/// What the implementer of any store brings to a case, beside the store. Calls come from several threads at once.
pub trait Harness: Send + Sync {
    /// Runs the work to its end on the executor the store needs. Cases call it from plain threads.
    fn block_on(&self, work: Work<'_>);

    /// What the store's clock shows.
    fn now(&self) -> Timestamp;

    /// Moves the store's clock forward, for all instances (see [the clock of a harness](self)).
    fn advance(&self, by: Duration);
}

/// One behaviour, and how to see whether a store has it. `F` makes a harness with a fresh store.
pub struct Case<F: ?Sized> {
    /// The behaviour.
    pub name: &'static str,
    /// Panics if the store lacks it.
    pub run: fn(&F),
}

/// Runs the case of this name.
///
/// # Panics
/// If the store lacks the behaviour, or there is no such case.
pub fn run<F: ?Sized>(cases: &[Case<F>], name: &str, make: &F) {
    let case = cases.iter().find(|case| case.name == name);
    (case.unwrap_or_else(|| panic!("there is no case {name}")).run)(make);
}

/// A test of every case.
#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ({ $suite:ident $make:expr } $($topic:ident { $($case:ident,)* })*) => {
        $($(
            #[test]
            fn $case() {
                $crate::conformance::run($crate::conformance::$suite::CASES, stringify!($case), &$make);
            }
        )*)*
    };
}

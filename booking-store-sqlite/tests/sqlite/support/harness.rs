//! A store on a file of its own, for the suites.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use booking_core::{
    BookingPolicy, Clock, ManualClock, Timestamp,
    conformance::{self, Work, booking::BookingHarness, joint::JointHarness, queue::QueueHarness},
    store::{BookingStore, JointStore, QueueStore},
};
use booking_store_sqlite::{SqliteConfig, SqliteStore};
use tempfile::TempDir;

pub(crate) const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

pub(crate) struct Harness {
    policy: BookingPolicy,
    clock: Arc<ManualClock>,
    /// Closed before its folder goes.
    store: Mutex<(Arc<SqliteStore>, TempDir)>,
}

fn fresh(policy: &BookingPolicy, clock: &Arc<ManualClock>) -> (Arc<SqliteStore>, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = SqliteConfig::new(folder.path().join("booking.db"), policy.clone());
    let store = SqliteStore::open(&config, Arc::new(Arc::clone(clock)));
    (store.expect("the file is made"), folder)
}

impl Harness {
    pub(crate) fn new() -> Self {
        Self::with(BookingPolicy::default())
    }

    pub(crate) fn with(policy: BookingPolicy) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let store = Mutex::new(fresh(&policy, &clock));
        Self { policy, clock, store }
    }

    fn the_store(&self) -> Arc<SqliteStore> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&store.0)
    }
}

impl conformance::Harness for Harness {
    fn block_on(&self, work: Work<'_>) {
        pollster::block_on(work);
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

impl BookingHarness for Harness {
    fn store(&self) -> Arc<dyn BookingStore> {
        self.the_store()
    }

    fn another(&self) -> Arc<dyn BookingStore> {
        self.the_store()
    }
}

impl JointHarness for Harness {
    fn booking(&self) -> Arc<dyn BookingStore> {
        self.the_store()
    }

    fn queue(&self) -> Arc<dyn QueueStore> {
        self.the_store()
    }

    fn joint(&self) -> Arc<dyn JointStore> {
        self.the_store()
    }
}

impl QueueHarness for Harness {
    fn store(&self) -> Arc<dyn QueueStore> {
        self.the_store()
    }

    fn another(&self) -> Arc<dyn QueueStore> {
        self.the_store()
    }

    fn lose(&self) {
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = fresh(&self.policy, &self.clock);
    }
}

//! A store on a database of its own, for the suites.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use booking_core::{
    BookingPolicy, Timestamp,
    conformance::{self, Work, booking::BookingHarness, queue::QueueHarness},
    store::{BookingStore, QueueStore},
};
use booking_store_pg::{PgConfig, PgStore};
use sqlx::PgConnection;
use tokio::runtime::Runtime;

use super::database::{Database, START, TestClock, advance, connect, run};

pub(crate) struct Harness {
    store: Arc<PgStore>,
    another: Arc<PgStore>,
    clock: Mutex<PgConnection>,
    now: AtomicI64,
    /// Stops what the stores run before the database goes.
    runtime: Runtime,
    database: Database,
}

impl Harness {
    pub(crate) fn url(&self) -> String {
        self.database.url()
    }
}

/// Two instances on a fresh database.
#[allow(clippy::needless_pass_by_value, reason = "it is how the suite calls it")]
pub(crate) fn fresh(policy: BookingPolicy) -> Harness {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let (database, store, another, clock) = runtime.block_on(async {
        let database = Database::new(TestClock::Moved).await;
        let open = || async {
            let config = PgConfig { connections: 4, ..PgConfig::new(database.url(), policy.clone()) };
            PgStore::connect(config).await.expect("the store opens")
        };
        let (store, another) = (open().await, open().await);
        let clock = connect(&database.url()).await;
        (database, store, another, clock)
    });
    let now = AtomicI64::new(START.micros());
    Harness { store, another, clock: Mutex::new(clock), now, runtime, database }
}

/// The same, for the suite of the queue.
pub(crate) fn fresh_queue() -> Harness {
    fresh(BookingPolicy::default())
}

impl conformance::Harness for Harness {
    fn block_on(&self, work: Work<'_>) {
        self.runtime.block_on(work);
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }

    fn advance(&self, by: Duration) {
        let mut clock = self.clock.lock().expect("the clock is whole");
        let now = self.runtime.block_on(advance(&mut clock, by));
        self.store.forget_maps();
        self.another.forget_maps();
        self.now.store(now.micros(), Ordering::SeqCst);
    }
}

impl QueueHarness for Harness {
    fn store(&self) -> Arc<dyn QueueStore> {
        self.store.clone()
    }

    fn another(&self) -> Arc<dyn QueueStore> {
        self.another.clone()
    }

    fn lose(&self) {
        let mut connection = self.clock.lock().expect("the clock is whole");
        self.runtime.block_on(run(&mut connection, "TRUNCATE queue_lanes, tickets, queue_steps"));
    }
}

impl BookingHarness for Harness {
    fn store(&self) -> Arc<dyn BookingStore> {
        self.store.clone()
    }

    fn another(&self) -> Arc<dyn BookingStore> {
        self.another.clone()
    }
}

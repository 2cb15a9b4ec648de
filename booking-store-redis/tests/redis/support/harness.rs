//! A store with keys and a clock of its own, for the suites.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use booking_core::{
    Timestamp,
    conformance::{self, Work, queue::QueueHarness},
    store::QueueStore,
};
use booking_store_redis::{RedisConfig, RedisQueue};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::keys::Keys;

/// An instant in the year 2027.
const START: i64 = 1_800_000_000_000_001;
/// The lanes of the suites; each has its clock beside it.
const LANES: [&str; 5] = ["main", "side", "fresh", "no-room", "nowhere"];

/// Where the server of the tests is.
pub(crate) fn server_url() -> String {
    let url = std::env::var("BOOKING_TEST_REDIS");
    url.expect("BOOKING_TEST_REDIS is not set: run the tests by `scripts/with-servers cargo test`")
}

/// A runtime of a test's own.
pub(crate) fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime")
}

/// What the keys of one test begin with.
pub(crate) fn own_prefix() -> String {
    Uuid::new_v4().simple().to_string()
}

pub(crate) struct Harness {
    store: Arc<RedisQueue>,
    another: Arc<RedisQueue>,
    keys: Keys,
    prefix: String,
    now: AtomicI64,
    runtime: Runtime,
}

/// Two instances on keys that nobody else uses, at the server of the tests.
pub(crate) fn fresh() -> Harness {
    Harness::at(&server_url())
}

impl Harness {
    /// Two instances on keys that nobody else uses.
    pub(crate) fn at(url: &str) -> Self {
        let (runtime, prefix) = (runtime(), own_prefix());
        let config = RedisConfig { told_time: true, ..RedisConfig::new(format!("{url}?prefix={prefix}")) };
        let (store, another, keys) = runtime.block_on(async {
            let open = || async { Arc::new(RedisQueue::connect(&config).await.expect("the store opens")) };
            (open().await, open().await, Keys::at(url).await)
        });
        let harness = Self { store, another, keys, prefix, now: AtomicI64::new(START), runtime };
        harness.tell_clocks();
        harness
    }

    /// Clocks only go forward, whoever writes last.
    fn tell_clocks(&self) {
        let later = "local at = tonumber(redis.call('GET', KEYS[1]) or 0)
            if at < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end";
        let now = self.now.load(Ordering::SeqCst);
        self.runtime.block_on(async {
            for lane in LANES {
                let key = format!("{}:{{{lane}}}:clock", self.prefix);
                self.keys.run(redis::cmd("EVAL").arg(later).arg(1).arg(key).arg(now)).await;
            }
        });
    }

    fn forget(&self) {
        self.runtime.block_on(self.keys.forget(&format!("{}:*", self.prefix)));
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.forget();
    }
}

impl conformance::Harness for Harness {
    fn block_on(&self, work: Work<'_>) {
        self.runtime.block_on(work);
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }

    fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("a span of this life");
        self.now.fetch_add(micros, Ordering::SeqCst);
        self.tell_clocks();
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
        self.forget();
        self.tell_clocks();
    }
}

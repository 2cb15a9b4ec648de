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
    conformance::{Work, queue::QueueHarness},
    store::QueueStore,
};
use booking_store_redis::{RedisConfig, RedisQueue};
use redis::{Client, aio::MultiplexedConnection};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// An instant in the year 2027.
const START: i64 = 1_800_000_000_000_001;

/// Where the server of the tests is.
pub(crate) fn server_url() -> String {
    let url = std::env::var("BOOKING_TEST_REDIS");
    url.expect("BOOKING_TEST_REDIS is not set: run the tests by `scripts/with-servers cargo test`")
}

pub(crate) struct Harness {
    store: Arc<RedisQueue>,
    another: Arc<RedisQueue>,
    keys: MultiplexedConnection,
    config: RedisConfig,
    now: AtomicI64,
    runtime: Runtime,
}

/// Two instances on keys that nobody else uses.
pub(crate) fn fresh() -> Harness {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let prefix = format!("test-{}", Uuid::new_v4().simple());
    let clock_key = Some(format!("{prefix}:clock"));
    let config = RedisConfig { prefix, clock_key, ..RedisConfig::new(server_url()) };
    let (store, another, keys) = runtime.block_on(async {
        let open = || async { Arc::new(RedisQueue::connect(&config).await.expect("the store opens")) };
        let client = Client::open(server_url()).expect("an address");
        let keys = client.get_multiplexed_async_connection().await.expect("a connection");
        (open().await, open().await, keys)
    });
    let harness = Harness { store, another, keys, config, now: AtomicI64::new(START), runtime };
    harness.tell_clock();
    harness
}

impl Harness {
    /// The clock only goes forward, whoever writes last.
    fn tell_clock(&self) {
        let key = self.config.clock_key.clone().expect("a clock of its own");
        let later = "local at = tonumber(redis.call('GET', KEYS[1]) or 0)
            if at < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end";
        let (script, mut keys) = (redis::Script::new(later), self.keys.clone());
        let now = self.now.load(Ordering::SeqCst);
        self.runtime.block_on(async {
            script.key(key).arg(now).invoke_async::<()>(&mut keys).await.expect("the clock is told");
        });
    }

    fn forget(&self) {
        let mut keys = self.keys.clone();
        let pattern = format!("{}:*{{*", self.config.prefix);
        self.runtime.block_on(async {
            let names: Vec<String> =
                redis::cmd("KEYS").arg(pattern).query_async(&mut keys).await.expect("names");
            for names in names.chunks(1_000) {
                redis::cmd("UNLINK").arg(names).query_async::<()>(&mut keys).await.expect("they go");
            }
        });
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.forget();
    }
}

impl QueueHarness for Harness {
    fn store(&self) -> Arc<dyn QueueStore> {
        self.store.clone()
    }

    fn another(&self) -> Arc<dyn QueueStore> {
        self.another.clone()
    }

    fn block_on(&self, work: Work<'_>) {
        self.runtime.block_on(work);
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }

    fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("a span of this life");
        self.now.fetch_add(micros, Ordering::SeqCst);
        self.tell_clock();
    }

    fn lose(&self) {
        self.forget();
    }
}

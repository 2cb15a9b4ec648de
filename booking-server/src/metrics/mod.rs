//! What the service counts about itself, for `GET /metrics`. Nothing a request does here waits for another thread or
//! takes memory from the heap; what is known only by asking (lanes, memory) is asked for when somebody looks.

mod booking;
mod happened;
mod http;
mod listen;
mod process;
mod queue;
mod sharded;
pub(crate) mod text;

use std::{
    future::Future,
    sync::{Arc, OnceLock, atomic::AtomicU64},
    time::Instant,
};

use booking_core::{
    Timestamp,
    batcher::BatchSizes,
    store::{BookingStore, JointStore, QueueStore},
};

use crate::clock::system_clock;
pub(crate) use http::Measure;
pub(crate) use listen::MetricsListener;
use sharded::{Sharded, Timings, count};

/// The batch sizes of a store, by the name of the queue they come from.
pub(crate) type Batches = Vec<(&'static str, Arc<BatchSizes>)>;

/// The numbers of one server: those of its app ([`App::measured`](crate::App::measured)), and of the stores that it
/// was given to measure.
#[derive(Debug)]
pub struct Metrics {
    started: Timestamp,
    http: http::Http,
    calls: Sharded<Calls>,
    happened: happened::Happened,
    batches: OnceLock<Batches>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            started: system_clock(),
            http: http::Http::default(),
            calls: Sharded::default(),
            happened: happened::Happened::default(),
            batches: OnceLock::new(),
        }
    }
}

/// What is asked of the stores. What is seldom asked has one name together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Execute,
    Read,
    Tend,
    Audit,
    Enter,
    Place,
    Claim,
    Finish,
    Advance,
    Snapshot,
    Configure,
}

impl Call {
    /// All of them, in the order of the enum, with their store and name.
    const ALL: [(&'static str, &'static str); 11] = [
        ("booking", "execute"),
        ("booking", "read"),
        ("booking", "tend"),
        ("booking", "audit"),
        ("queue", "enter"),
        ("queue", "place"),
        ("queue", "claim"),
        ("queue", "finish"),
        ("queue", "advance"),
        ("queue", "snapshot"),
        ("queue", "configure"),
    ];
}

/// Each call, by its place in [`Call::ALL`].
#[derive(Debug, Default)]
struct Calls([OfCall; Call::ALL.len()]);

#[derive(Debug, Default)]
struct OfCall {
    timings: Timings,
    failed: AtomicU64,
}

impl Metrics {
    /// The layer that measures requests.
    pub(crate) fn measure(self: &Arc<Self>) -> Measure {
        Measure(Arc::clone(self))
    }

    /// The same store, measured.
    pub fn booking(self: &Arc<Self>, store: Arc<dyn BookingStore>) -> Arc<dyn BookingStore> {
        Arc::new(booking::Measured { store, metrics: Arc::clone(self) })
    }

    /// The same store, measured.
    pub fn queue(self: &Arc<Self>, store: Arc<dyn QueueStore>) -> Arc<dyn QueueStore> {
        Arc::new(queue::Measured { store, metrics: Arc::clone(self) })
    }

    /// The same store, measured.
    pub fn joint(self: &Arc<Self>, store: Arc<dyn JointStore>) -> Arc<dyn JointStore> {
        Arc::new(booking::MeasuredJoint { store, metrics: Arc::clone(self) })
    }

    /// Where the stores count their batches. Only the first call counts.
    pub(crate) fn watch(&self, batches: Batches) {
        // A server has one store, which is opened once.
        drop(self.batches.set(batches));
    }

    /// Times a call of a store, and counts it as failed if `failed` says so of the answer.
    async fn timed<T>(
        &self,
        call: Call,
        asked: impl Future<Output = T>,
        failed: impl FnOnce(&T) -> bool,
    ) -> T {
        let began = Instant::now();
        let answer = asked.await;
        let of_call = &self.calls.here().0[call as usize];
        of_call.timings.add(began.elapsed());
        if failed(&answer) {
            count(&of_call.failed);
        }
        answer
    }
}

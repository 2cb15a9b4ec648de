//! What the stores in memory, right or broken, bring to the suites: pollster and a clock of their own.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use booking_core::{
    BookingPolicy, Clock, ManualClock, Timestamp,
    conformance::{Work, booking::BookingHarness, queue::QueueHarness},
    memory::{MemoryBooking, MemoryQueue},
    store::{BookingStore, QueueStore},
};

/// A clock that stands at an instant in the year 2027.
pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_micros(1_800_000_000_000_001)))
}

/// A booking store of this process.
pub(crate) struct Booking {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<dyn BookingStore>,
}

impl BookingHarness for Booking {
    fn store(&self) -> Arc<dyn BookingStore> {
        Arc::clone(&self.store)
    }

    fn another(&self) -> Arc<dyn BookingStore> {
        Arc::clone(&self.store)
    }

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

/// A booking store that is right.
pub(crate) fn memory_booking(policy: BookingPolicy) -> Booking {
    let clock = clock();
    Booking { store: Arc::new(MemoryBooking::new(policy, clock.clone())), clock }
}

/// Makes an empty queue store that lives by a clock.
type MakeQueue = fn(Arc<ManualClock>) -> Arc<dyn QueueStore>;

/// A queue store of this process.
pub(crate) struct Queue {
    clock: Arc<ManualClock>,
    make: MakeQueue,
    store: Mutex<Arc<dyn QueueStore>>,
}

impl Queue {
    pub(crate) fn of(make: MakeQueue) -> Self {
        let clock = clock();
        Self { store: Mutex::new(make(clock.clone())), make, clock }
    }
}

impl QueueHarness for Queue {
    fn store(&self) -> Arc<dyn QueueStore> {
        Arc::clone(&self.store.lock().unwrap())
    }

    fn another(&self) -> Arc<dyn QueueStore> {
        self.store()
    }

    fn block_on(&self, work: Work<'_>) {
        pollster::block_on(work);
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn lose(&self) {
        *self.store.lock().unwrap() = (self.make)(self.clock.clone());
    }
}

/// A queue store that is right.
pub(crate) fn memory_queue() -> Queue {
    Queue::of(|clock| Arc::new(MemoryQueue::new(clock)))
}

//! What the stores in memory, right or broken, bring to the suites: pollster and a clock of their own.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use booking_core::{
    BookingPolicy, Clock, ManualClock, Timestamp,
    conformance::{self, Work, booking::BookingHarness, joint::JointHarness, queue::QueueHarness},
    memory::{MemoryBooking, MemoryJoint, MemoryQueue},
    store::{BookingStore, JointStore, QueueStore},
};

/// A clock that stands at an instant in the year 2027.
pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_micros(1_800_000_000_000_001)))
}

/// Harnesses that need no runtime, with the clock that is theirs.
macro_rules! without_runtime {
    ($($harness:ident)*) => {
        $(
            impl conformance::Harness for $harness {
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
        )*
    };
}

without_runtime! { Booking Queue Joint }

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
}

/// A booking store that is right.
pub(crate) fn memory_booking(policy: BookingPolicy) -> Booking {
    let clock = clock();
    Booking { store: Arc::new(MemoryBooking::new(policy, clock.clone())), clock }
}

/// Makes an empty queue store that lives by a clock.
pub(crate) type MakeQueue = fn(Arc<ManualClock>) -> Arc<dyn QueueStore>;

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

    fn lose(&self) {
        *self.store.lock().unwrap() = (self.make)(self.clock.clone());
    }
}

/// A queue store that is right.
pub(crate) fn memory_queue() -> Queue {
    Queue::of(|clock| Arc::new(MemoryQueue::new(clock)))
}

/// Two stores of this process, and the one step over both.
pub(crate) struct Joint {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) booking: Arc<dyn BookingStore>,
    pub(crate) queue: Arc<dyn QueueStore>,
    pub(crate) step: Arc<dyn JointStore>,
}

impl JointHarness for Joint {
    fn booking(&self) -> Arc<dyn BookingStore> {
        Arc::clone(&self.booking)
    }

    fn queue(&self) -> Arc<dyn QueueStore> {
        Arc::clone(&self.queue)
    }

    fn joint(&self) -> Arc<dyn JointStore> {
        Arc::clone(&self.step)
    }
}

/// Makes the one step over two stores in memory.
pub(crate) type MakeJoint = fn(Arc<MemoryBooking>, Arc<MemoryQueue>) -> Arc<dyn JointStore>;

impl Joint {
    pub(crate) fn of(policy: BookingPolicy, make: MakeJoint) -> Self {
        let clock = clock();
        let booking = Arc::new(MemoryBooking::new(policy, clock.clone()));
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let step = make(Arc::clone(&booking), Arc::clone(&queue));
        Self { clock, booking, queue, step }
    }
}

/// A joint store that is right.
pub(crate) fn memory_joint(policy: BookingPolicy) -> Joint {
    Joint::of(policy, |booking, queue| Arc::new(MemoryJoint::new(booking, queue)))
}

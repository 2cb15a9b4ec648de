//! The suites every store must pass, here with two instances on one database.

use crate::support::harness::{fresh, fresh_queue};

mod booking {
    use super::fresh;

    booking_core::conformance::booking_store!(fresh);
}

mod queue {
    use super::fresh_queue;

    booking_core::conformance::queue_store!(fresh_queue);
}

//! The stores in memory pass the suites, and the suites refuse stores with a fault.
#![cfg(not(booking_loom))]
#![allow(clippy::unwrap_used, reason = "a test that can't go on says so")]

mod broken;
mod harness;

mod memory_booking {
    booking_core::conformance::booking_store!(crate::harness::memory_booking);
}

mod memory_joint {
    booking_core::conformance::joint_store!(crate::harness::memory_joint);
}

mod memory_queue {
    booking_core::conformance::queue_store!(crate::harness::memory_queue);
}

//! The suite every queue store must pass.

use crate::support::harness::Harness;

booking_core::conformance::queue_store!(Harness::new);

//! The suite every booking store must pass.

use crate::support::harness::Harness;

booking_core::conformance::booking_store!(Harness::with);

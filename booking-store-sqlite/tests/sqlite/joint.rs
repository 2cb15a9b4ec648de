//! The suite every joint store must pass.

use crate::support::harness::Harness;

booking_core::conformance::joint_store!(Harness::with);

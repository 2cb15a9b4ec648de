//! The suite every booking store must pass, here with two instances on one database.

use crate::support::harness::fresh;

booking_core::conformance::booking_store!(fresh);

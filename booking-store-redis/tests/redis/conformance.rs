//! The suite every queue store must pass, here with two instances on one server.

use crate::support::harness::fresh;

booking_core::conformance::queue_store!(fresh);

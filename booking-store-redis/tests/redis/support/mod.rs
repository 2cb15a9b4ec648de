//! What the tests share.

pub(crate) mod chance;
pub(crate) mod cluster;
pub(crate) mod harness;
pub(crate) mod keys;
#[path = "../../../../booking-store-pg/tests/pg/support/log.rs"]
pub(crate) mod log;
pub(crate) mod server;
pub(crate) mod wire;
pub(crate) mod world;

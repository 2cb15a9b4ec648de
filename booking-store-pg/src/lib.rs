//! The booking engine's stores on PostgreSQL 15 or newer: any number of server instances on one database are one
//! service, with no other component.
//!
//! There is no rule in here. The rows that a batch of commands touches are loaded, [`booking_core::State`] decides on them,
//! and the rows that changed are saved with their events in one transaction. There is one lock, the head of the log: all of
//! that is done under it, or what was done before is checked against it.

mod booking;
mod codec;
mod connect;
mod db;
mod deadlines;
mod migrate;
mod pool;
mod queue;
mod trouble;

pub use booking::PgStore;
pub use connect::{ConnectError, PgConfig, check_schema, migrate_schema};
pub use migrate::SchemaStatus;

/// Every statement that is prepared, for the test that prepares them against the migrated schema.
#[doc(hidden)]
pub fn statements() -> Vec<&'static str> {
    [booking::statements(), queue::statements()].concat()
}

/// What every connection is told first, for the test of plans.
#[doc(hidden)]
pub fn session() -> &'static str {
    pool::SESSION
}

/// All of the schema as text, for tests that keep a migrated database until it changes.
#[doc(hidden)]
pub fn schema() -> String {
    migrate::schema()
}

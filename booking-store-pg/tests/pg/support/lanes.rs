//! Lanes of a database, and going back to an older copy of them.

use std::sync::Arc;

use booking_core::{BookingPolicy, LaneName, LanePolicy, Ticket, catalog::LaneSettings, store::QueueStore};
use booking_store_pg::{PgConfig, PgStore};
use sqlx::PgConnection;

use super::{database::run, world::user};

pub(crate) async fn open(url: &str) -> Arc<PgStore> {
    PgStore::connect(PgConfig::new(url, BookingPolicy::default())).await.expect("the store opens")
}

pub(crate) fn settings(capacity: u32, revision: u64) -> LaneSettings {
    let policy = LanePolicy { capacity, ..LanePolicy::default() };
    LaneSettings { policy, revision, ..LaneSettings::default() }
}

pub(crate) async fn enter(store: &PgStore, n: u128) -> Ticket {
    store.enter(&LaneName::main(), user(n)).await.unwrap_or_else(|error| panic!("user {n}: {error}")).ticket
}

/// Copies the lanes as they are now, to go back to.
pub(crate) async fn copy(connection: &mut PgConnection) {
    run(
        connection,
        "CREATE TABLE old_lanes AS SELECT * FROM queue_lanes; CREATE TABLE old_tickets AS SELECT * FROM tickets; \
         CREATE TABLE old_steps AS SELECT * FROM queue_steps",
    )
    .await;
}

pub(crate) async fn go_back(connection: &mut PgConnection) {
    run(
        connection,
        "TRUNCATE queue_lanes, tickets, queue_steps; INSERT INTO queue_lanes SELECT * FROM old_lanes; \
         INSERT INTO tickets SELECT * FROM old_tickets; INSERT INTO queue_steps SELECT * FROM old_steps",
    )
    .await;
}

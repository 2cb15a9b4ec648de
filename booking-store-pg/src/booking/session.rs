//! A connection of those who look and write, with what was read on it.
//!
//! A database may come back as it was some time ago: it is restored from an older copy, or a standby takes over that lacks the
//! last commits. Then the log and the version of the catalogue count up to the same numbers once more, with other events and
//! other prices. No connection lives through that. So what is good because a number is still the same is kept with
//! the connection it was read on, and is good for nobody else but the writer, if that has had its own connection for longer.

use sqlx::PgConnection;
use tokio::time::Instant;

use super::catalog::Catalog;
use crate::{pool::Connector, trouble::Trouble};

/// A connection, for as long as it lives.
pub(super) struct Session {
    pub(super) connection: PgConnection,
    /// What was read of the catalogue.
    pub(super) catalog: Catalog,
    /// How many connections the writer of bookings had had before this one was opened, its own of the time included.
    pub(super) life: u64,
}

impl Session {
    /// A new one.
    pub(super) async fn open(connector: &Connector, life: u64, by: Instant) -> Result<Self, Trouble> {
        Ok(Self { connection: connector.connect_until(by).await?, catalog: Catalog::default(), life })
    }
}

//! The schema and its versions. The version of a file is SQLite's `user_version`.

use rusqlite::{Connection, Result};

/// The versions of the schema, oldest first. One that was released never changes.
const MIGRATIONS: &[(i32, &str)] =
    &[(1, include_str!("../migrations/0001_booking.sql")), (2, include_str!("../migrations/0002_queue.sql"))];

/// The version this build works with.
pub(crate) fn newest() -> i32 {
    MIGRATIONS.last().map_or(0, |(version, _)| *version)
}

pub(crate) fn version(file: &Connection) -> Result<i32> {
    file.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings an older file up to date, in one transaction.
pub(crate) fn migrate(file: &mut Connection) -> Result<()> {
    let known = version(file)?;
    if known >= newest() {
        return Ok(());
    }
    let transaction = file.transaction()?;
    for (version, sql) in MIGRATIONS.iter().filter(|(version, _)| *version > known) {
        tracing::info!(version, "migrating the schema");
        transaction.execute_batch(sql)?;
    }
    transaction.pragma_update(None, "user_version", newest())?;
    transaction.commit()
}

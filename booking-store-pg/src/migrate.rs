//! The schema and its versions. Any instance may migrate, any number at once: they take turns under a lock, and who
//! comes late finds nothing to do.

use sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};

/// The versions of the schema, oldest first, each with what leads to it. One that was released never changes.
const MIGRATIONS: &[(i32, &str, &str)] = &[
    (1, "booking", include_str!("../migrations/0001_booking.sql")),
    (2, "queue", include_str!("../migrations/0002_queue.sql")),
];

/// The lock under which the schema changes; a number of our own.
const LOCK: &str = "SELECT pg_advisory_lock(7230591)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(7230591)";
/// Migrating may take longer than serving ever may, and who waits for it waits as long.
const PATIENCE: &str = "SET statement_timeout = '10min'; SET lock_timeout = '10min'; \
    SET idle_in_transaction_session_timeout = '1min'";
const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_versions (
    version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())";
const IS_MIGRATED: &str = "SELECT to_regclass('schema_versions') IS NOT NULL";
const VERSION: &str = "SELECT coalesce(max(version), 0) FROM schema_versions";
const NOTE: &str = "INSERT INTO schema_versions (version, name) VALUES ($1, $2)";

/// The version this build works with.
pub(crate) fn newest() -> i32 {
    MIGRATIONS.last().map_or(0, |(version, _, _)| *version)
}

pub(crate) fn schema() -> String {
    MIGRATIONS.iter().map(|(_, _, sql)| *sql).collect()
}

/// How the schema of a database compares to the one this build works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaStatus {
    /// It is the one.
    Current {
        /// Its version.
        version: i32,
    },
    /// It is older, or there is none yet (version 0): migrating brings it up to date.
    Behind {
        /// Its version.
        version: i32,
        /// What it would become.
        newest: i32,
    },
    /// A newer build made it: this one must not touch it.
    Newer {
        /// Its version.
        version: i32,
        /// The newest this build knows.
        newest: i32,
    },
}

impl SchemaStatus {
    fn of(version: i32) -> Self {
        let newest = newest();
        match version.cmp(&newest) {
            std::cmp::Ordering::Equal => Self::Current { version },
            std::cmp::Ordering::Less => Self::Behind { version, newest },
            std::cmp::Ordering::Greater => Self::Newer { version, newest },
        }
    }
}

/// What the schema of this database is. It changes nothing.
pub(crate) async fn status(connection: &mut PgConnection) -> Result<SchemaStatus, sqlx::Error> {
    let migrated: bool = sqlx::query_scalar(IS_MIGRATED).fetch_one(&mut *connection).await?;
    let version = if migrated { version(connection).await? } else { 0 };
    Ok(SchemaStatus::of(version))
}

async fn version(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar(VERSION).fetch_one(connection).await
}

/// Brings the schema up to date, and tells what it is then: never behind. The connection is for nothing else after it.
pub(crate) async fn migrate(connection: &mut PgConnection) -> Result<SchemaStatus, sqlx::Error> {
    raw_sql(PATIENCE).execute(&mut *connection).await?;
    raw_sql(LOCK).execute(&mut *connection).await?;
    let migrated = migrate_locked(connection).await;
    // Should this fail, the lock goes with the connection.
    raw_sql(UNLOCK).execute(connection).await.ok();
    migrated
}

async fn migrate_locked(connection: &mut PgConnection) -> Result<SchemaStatus, sqlx::Error> {
    if let SchemaStatus::Newer { version, newest } = status(connection).await? {
        return Ok(SchemaStatus::Newer { version, newest });
    }
    raw_sql(VERSIONS).execute(&mut *connection).await?;
    let known = version(connection).await?;
    for (version, name, sql) in MIGRATIONS.iter().filter(|(version, _, _)| *version > known) {
        tracing::info!(version, name, "migrating the schema");
        let mut transaction = connection.begin().await?;
        raw_sql(AssertSqlSafe(*sql)).execute(&mut *transaction).await?;
        sqlx::query(NOTE).bind(version).bind(*name).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    status(connection).await
}

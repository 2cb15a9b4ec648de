//! Which store an address means.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use booking_core::{
    BookingPolicy, Clock, Engine,
    memory::{MemoryBooking, MemoryJoint, MemoryQueue},
    store::{BookingStore, JointStore, QueueStore},
};
#[cfg(feature = "postgres")]
use booking_store_pg::{PgConfig, PgStore, SchemaStatus};
#[cfg(feature = "redis")]
use booking_store_redis::{RedisConfig, RedisQueue};
#[cfg(feature = "sqlite")]
use booking_store_sqlite::{OpenError, SqliteConfig, SqliteStore};

use crate::{Metrics, StartError, metrics::Batches};

/// Where bookings are kept when nothing is said.
pub(crate) const DEFAULT: &str = if cfg!(feature = "sqlite") { "sqlite:booking.db" } else { "memory:" };

/// Whether what is kept there ends with the process.
fn is_memory(url: &str) -> bool {
    url == "memory:"
}

/// Whether everything that is kept at these addresses ends with the process.
pub(crate) fn are_memory(store: &str, queue: Option<&str>) -> bool {
    is_memory(store) && queue.is_none_or(is_memory)
}

/// The file that `sqlite:PATH` names.
pub(crate) fn file(url: &str) -> Option<&Path> {
    url.strip_prefix("sqlite:").filter(|path| !path.is_empty()).map(Path::new)
}

/// The file beside a store's where the server keeps its secrets; none for stores that are no file.
pub(crate) fn secrets_file(url: &str) -> Option<PathBuf> {
    let mut path = file(url)?.as_os_str().to_owned();
    path.push("-secrets");
    Some(path.into())
}

/// The scheme of an address, which is all that may be shown of it: the rest may hold a password.
fn scheme(url: &str) -> String {
    url.split_once(':')
        .map_or_else(|| "an address without a scheme".into(), |(scheme, _)| format!("{scheme}:"))
}

/// What `--store` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Memory,
    #[cfg(feature = "postgres")]
    Postgres,
    #[cfg(feature = "sqlite")]
    Sqlite,
}

fn kind(url: &str) -> Option<Kind> {
    #[cfg(feature = "postgres")]
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Some(Kind::Postgres);
    }
    #[cfg(feature = "sqlite")]
    if file(url).is_some() {
        return Some(Kind::Sqlite);
    }
    is_memory(url).then_some(Kind::Memory)
}

/// What `--queue` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QueueKind {
    /// The store of the bookings keeps the queue as well: the one kind that needs no naming.
    Same,
    Memory,
    #[cfg(feature = "redis")]
    Redis,
}

fn queue_kind(store: &str, queue: Option<&str>) -> Option<QueueKind> {
    let Some(url) = queue.filter(|url| *url != store) else { return Some(QueueKind::Same) };
    #[cfg(feature = "redis")]
    if url.starts_with("redis://") || url.starts_with("redis+cluster://") {
        return Some(QueueKind::Redis);
    }
    is_memory(url).then_some(QueueKind::Memory)
}

/// All that [`kind`] knows, for those who named something else.
fn known() -> String {
    let sqlite = cfg!(feature = "sqlite").then_some("sqlite:PATH");
    let postgres = cfg!(feature = "postgres").then_some("postgres://user@host/database");
    [sqlite, Some("memory:"), postgres].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// All that [`queue_kind`] knows, for those who named something else.
fn known_queues() -> String {
    let redis = cfg!(feature = "redis").then_some("redis://host, redis+cluster://host,host");
    let all = [Some("the address of --store"), Some("memory:"), redis];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Whether stores are known for these addresses.
pub(crate) fn check(store: &str, queue: Option<&str>) -> Result<(), StartError> {
    if kind(store).is_none() {
        return Err(unknown("--store", known(), store));
    }
    if queue_kind(store, queue).is_none() {
        return Err(unknown("--queue", known_queues(), queue.unwrap_or_default()));
    }
    #[cfg(feature = "redis")]
    if queue_kind(store, queue) == Some(QueueKind::Redis) {
        RedisConfig::new(queue.unwrap_or_default()).check()?;
    }
    match file(store).and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) if !folder.is_dir() => Err(StartError::NoFolder { folder: folder.into() }),
        Some(_) | None => Ok(()),
    }
}

/// What to tell of an address that no store is known for. What may hold a password is not shown.
fn unknown(flag: &'static str, known: String, url: &str) -> StartError {
    if url.contains([':', '@', '/']) {
        return StartError::UnknownStore { flag, known, scheme: scheme(url) };
    }
    let known = match known.rsplit_once(", ") {
        Some((others, last)) => format!("{others} or {last}"),
        None => known,
    };
    StartError::NoStore { flag, named: url.into(), known }
}

/// The ports of one store, and where it counts its batches.
struct Opened {
    bookings: Arc<dyn BookingStore>,
    queue: Arc<dyn QueueStore>,
    /// If it takes both in one step.
    joint: Option<Arc<dyn JointStore>>,
    batches: Batches,
}

/// The engine over the stores at these addresses, measured.
pub(crate) async fn open(
    store: &str,
    queue: Option<&str>,
    policy: BookingPolicy,
    clock: Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
) -> Result<Engine, StartError> {
    check(store, queue)?;
    let own = open_own(store, policy, &clock).await?;
    let queue: Arc<dyn QueueStore> = match queue_kind(store, queue) {
        #[cfg(feature = "redis")]
        Some(QueueKind::Redis) => {
            Arc::new(RedisQueue::connect(&RedisConfig::new(queue.unwrap_or_default())).await?)
        }
        Some(QueueKind::Memory) => {
            tracing::warn!("the queue is kept in this process: people wait in it only while it runs");
            Arc::new(MemoryQueue::new(clock))
        }
        Some(QueueKind::Same) | None => Arc::clone(&own.queue),
    };
    metrics.watch(own.batches);
    let engine = Engine::new(metrics.booking(own.bookings), metrics.queue(Arc::clone(&queue)));
    Ok(match own.joint {
        Some(joint) if Arc::ptr_eq(&queue, &own.queue) => engine.jointly(metrics.joint(joint)),
        Some(_) | None => engine,
    })
}

async fn open_own(store: &str, policy: BookingPolicy, clock: &Arc<dyn Clock>) -> Result<Opened, StartError> {
    Ok(match kind(store) {
        #[cfg(feature = "postgres")]
        Some(Kind::Postgres) => {
            let store = PgStore::connect(PgConfig::new(store, policy)).await?;
            let batches = store.batch_sizes();
            Opened { bookings: Arc::clone(&store) as _, queue: store, joint: None, batches }
        }
        #[cfg(feature = "sqlite")]
        Some(Kind::Sqlite) => {
            let store = open_file(store, policy, Arc::clone(clock)).await?;
            let (batches, joint) = (store.batch_sizes(), Some(Arc::clone(&store) as _));
            Opened { bookings: Arc::clone(&store) as _, queue: store, joint, batches }
        }
        Some(Kind::Memory) | None => {
            let bookings = Arc::new(MemoryBooking::new(policy, Arc::clone(clock)));
            let queue = Arc::new(MemoryQueue::new(Arc::clone(clock)));
            let joint = Arc::new(MemoryJoint::new(Arc::clone(&bookings), Arc::clone(&queue)));
            Opened { bookings, queue, joint: Some(joint), batches: Vec::new() }
        }
    })
}

/// Reading a file takes as long as it takes, and not the time of those who serve.
#[cfg(feature = "sqlite")]
async fn open_file(
    url: &str,
    policy: BookingPolicy,
    clock: Arc<dyn Clock>,
) -> Result<Arc<SqliteStore>, StartError> {
    let config = SqliteConfig::new(file(url).unwrap_or(Path::new("")), policy);
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&config, clock)).await;
    Ok(opened.map_err(|error| StartError::Opening(error.to_string()))??)
}

/// Copies the file of a store to another one, as it is at one instant; a server may be at work on it. Only
/// `sqlite:PATH` is a file.
#[cfg(feature = "sqlite")]
pub fn backup(store: &str, to: &Path) -> Result<(), StartError> {
    let from = file(store).ok_or_else(|| StartError::NoFile { scheme: scheme(store) })?;
    booking_store_sqlite::backup(from, to).map_err(|error| {
        let is_about_copy = matches!(&error, OpenError::Unusable { path, .. } if path == to);
        if is_about_copy { StartError::Copy(error) } else { error.into() }
    })
}

/// Brings the schema of a PostgreSQL database up to date, or with `check` only tells how it compares to this build's.
#[cfg(feature = "postgres")]
pub async fn migrate(store: &str, check: bool) -> Result<SchemaStatus, StartError> {
    if kind(store) != Some(Kind::Postgres) {
        return Err(StartError::NoSchema { scheme: scheme(store) });
    }
    let look = if check {
        booking_store_pg::check_schema(store).await
    } else {
        booking_store_pg::migrate_schema(store).await
    };
    Ok(look?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_store_is_refused_without_telling_what_may_be_secret() {
        let refused = check("mysql://admin:hunter2@db/booking", None).unwrap_err().to_string();
        assert!(refused.contains("--store") && refused.contains("mysql:"), "{refused}");
        assert!(refused.contains(&known()) && !refused.contains("hunter2"), "{refused}");
        let refused = check("memory:", Some("kafka://hunter2@q")).unwrap_err().to_string();
        assert!(refused.contains("--queue") && refused.contains(&known_queues()), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }

    #[test]
    fn what_has_no_scheme_is_told_as_it_was_written_and_how_to_write_it() {
        let refused = check("foo", None).unwrap_err().to_string();
        assert!(refused.starts_with("--store: 'foo' is no store; write "), "{refused}");
        let refused = check("memory:", Some("hunter2@q")).unwrap_err().to_string();
        assert!(!refused.contains("hunter2"), "{refused}");
    }

    #[test]
    fn a_queue_that_is_not_named_is_kept_where_the_bookings_are() {
        assert_eq!(queue_kind("memory:", None), Some(QueueKind::Same));
        assert_eq!(queue_kind("sqlite:a.db", Some("sqlite:a.db")), Some(QueueKind::Same));
        assert_eq!(queue_kind("sqlite:a.db", Some("memory:")), Some(QueueKind::Memory));
        assert_eq!(queue_kind("sqlite:a.db", Some("sqlite:b.db")), None, "a file has both or neither");
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_file_keeps_its_secrets_beside_it() {
        assert!(check("sqlite:a.db", None).is_ok() && check("sqlite:", None).is_err());
        assert_eq!(secrets_file("sqlite:/x/a.db").as_deref(), Some(Path::new("/x/a.db-secrets")));
    }

    #[cfg(feature = "redis")]
    #[test]
    fn a_server_or_a_cluster_of_redis_is_known_as_a_queue() {
        assert_eq!(queue_kind("memory:", Some("redis://q")), Some(QueueKind::Redis));
        assert_eq!(queue_kind("memory:", Some("redis+cluster://a,b")), Some(QueueKind::Redis));
        assert_eq!(queue_kind("memory:", Some("redis://q?prefix=tour-a")), Some(QueueKind::Redis));
        assert!(check("memory:", Some("redis://q?prefix=tour-a")).is_ok());
        assert!(check("memory:", Some("redis://q?prefix=Tour")).is_err());
        assert!(!are_memory("memory:", Some("redis://q")), "its tokens outlive the process");
        assert!(are_memory("memory:", Some("memory:")) && are_memory("memory:", None));
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn both_spellings_of_an_address_of_postgresql_are_known() {
        assert!(check("postgres://db/booking", None).is_ok());
        assert!(check("postgresql://db/booking", None).is_ok());
        assert!(!are_memory("postgres://db/booking", None));
    }
}

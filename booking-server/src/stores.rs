//! Which store an address means.

use std::sync::Arc;

use booking_core::{
    BookingPolicy, Clock, Engine,
    memory::{MemoryBooking, MemoryQueue},
    store::{BookingStore, QueueStore},
};
#[cfg(feature = "postgres")]
use booking_store_pg::{PgConfig, PgStore};
#[cfg(feature = "redis")]
use booking_store_redis::{RedisConfig, RedisQueue};

use crate::StartError;

/// Whether what is kept there ends with the process.
fn is_memory(url: &str) -> bool {
    url == "memory:"
}

/// Whether everything that is kept at these addresses ends with the process.
pub(crate) fn are_memory(store: &str, queue: Option<&str>) -> bool {
    is_memory(store) && queue.is_none_or(is_memory)
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
}

/// Names of all that [`kind`] knows, for those who named something else.
pub(crate) const KNOWN: &str =
    if cfg!(feature = "postgres") { "memory:, postgres://user@host/database" } else { "memory:" };

fn kind(url: &str) -> Option<Kind> {
    #[cfg(feature = "postgres")]
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Some(Kind::Postgres);
    }
    is_memory(url).then_some(Kind::Memory)
}

/// What `--queue` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QueueKind {
    Memory,
    #[cfg(feature = "redis")]
    Redis,
}

/// Names of all that [`queue_kind`] knows, for those who named something else.
pub(crate) const KNOWN_QUEUES: &str =
    if cfg!(feature = "redis") { "memory:, redis://host, redis+cluster://host,host" } else { "memory:" };

fn queue_kind(url: &str) -> Option<QueueKind> {
    #[cfg(feature = "redis")]
    if url.starts_with("redis://") || url.starts_with("redis+cluster://") {
        return Some(QueueKind::Redis);
    }
    is_memory(url).then_some(QueueKind::Memory)
}

/// Whether stores are known for these addresses.
pub(crate) fn check(store: &str, queue: Option<&str>) -> Result<(), StartError> {
    let unknown = |flag, known, url: &str| StartError::UnknownStore { flag, known, scheme: scheme(url) };
    if kind(store).is_none() {
        return Err(unknown("--store", KNOWN, store));
    }
    match queue {
        Some(queue) if queue_kind(queue).is_none() => Err(unknown("--queue", KNOWN_QUEUES, queue)),
        Some(_) | None => Ok(()),
    }
}

/// The engine over the stores at these addresses.
pub(crate) async fn open(
    store: &str,
    queue: Option<&str>,
    policy: BookingPolicy,
    clock: Arc<dyn Clock>,
) -> Result<Engine, StartError> {
    check(store, queue)?;
    let booking: Arc<dyn BookingStore> = match kind(store) {
        #[cfg(feature = "postgres")]
        Some(Kind::Postgres) => PgStore::connect(PgConfig::new(store, policy)).await?,
        Some(Kind::Memory) | None => Arc::new(MemoryBooking::new(policy, Arc::clone(&clock))),
    };
    let queue: Arc<dyn QueueStore> = match queue.and_then(queue_kind) {
        #[cfg(feature = "redis")]
        Some(QueueKind::Redis) => {
            Arc::new(RedisQueue::connect(&RedisConfig::new(queue.unwrap_or_default())).await?)
        }
        Some(QueueKind::Memory) | None => {
            if !is_memory(store) {
                tracing::warn!("the queue is kept in this process: people wait in it only while it runs");
            }
            Arc::new(MemoryQueue::new(clock))
        }
    };
    Ok(Engine::new(booking, queue))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_store_is_refused_without_telling_what_may_be_secret() {
        let refused = check("mysql://admin:hunter2@db/booking", None).unwrap_err().to_string();
        assert!(refused.contains("--store") && refused.contains("mysql:"), "{refused}");
        assert!(refused.contains(KNOWN) && !refused.contains("hunter2"), "{refused}");
        let refused = check("memory:", Some("kafka://hunter2@q")).unwrap_err().to_string();
        assert!(refused.contains("--queue") && refused.contains(KNOWN_QUEUES), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
        assert!(check("memory:", Some("memory:")).is_ok());
    }

    #[cfg(feature = "redis")]
    #[test]
    fn a_server_or_a_cluster_of_redis_is_known_as_a_queue() {
        assert!(check("memory:", Some("redis://q")).is_ok());
        assert!(check("memory:", Some("redis+cluster://a,b")).is_ok());
        assert!(!are_memory("memory:", Some("redis://q")), "its tokens outlive the process");
        assert!(are_memory("memory:", Some("memory:")) && are_memory("memory:", None));
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn both_spellings_of_an_address_of_postgresql_are_known() {
        assert!(check("postgres://db/booking", None).is_ok());
        assert!(check("postgresql://db/booking", None).is_ok());
        assert!(!is_memory("postgres://db/booking"));
    }
}

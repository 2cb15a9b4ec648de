//! Which store an address means.

use std::sync::Arc;

use booking_core::{
    BookingPolicy, Clock, Engine,
    memory::{MemoryBooking, MemoryQueue},
    store::BookingStore,
};
#[cfg(feature = "postgres")]
use booking_store_pg::{PgConfig, PgStore};

use crate::StartError;

/// Whether what is kept there ends with the process.
pub(crate) fn is_memory(url: &str) -> bool {
    url == "memory:"
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

/// Whether stores are known for these addresses.
pub(crate) fn check(store: &str, queue: Option<&str>) -> Result<(), StartError> {
    let unknown = |flag, url: &str| StartError::UnknownStore { flag, scheme: scheme(url) };
    if kind(store).is_none() {
        return Err(unknown("--store", store));
    }
    match queue {
        Some(queue) if !is_memory(queue) => Err(unknown("--queue", queue)),
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
        Some(Kind::Postgres) => {
            tracing::warn!("the queue is kept in this process: people wait in it only while it runs");
            PgStore::connect(PgConfig::new(store, policy)).await?
        }
        Some(Kind::Memory) | None => Arc::new(MemoryBooking::new(policy, Arc::clone(&clock))),
    };
    Ok(Engine::new(booking, Arc::new(MemoryQueue::new(clock))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_store_is_refused_without_telling_what_may_be_secret() {
        let refused = check("mysql://admin:hunter2@db/booking", None).unwrap_err().to_string();
        assert!(refused.contains("--store") && refused.contains("mysql:"), "{refused}");
        assert!(refused.contains(KNOWN) && !refused.contains("hunter2"), "{refused}");
        assert!(check("memory:", Some("redis://q")).is_err());
        assert!(check("memory:", Some("memory:")).is_ok());
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn both_spellings_of_an_address_of_postgresql_are_known() {
        assert!(check("postgres://db/booking", None).is_ok());
        assert!(check("postgresql://db/booking", None).is_ok());
        assert!(!is_memory("postgres://db/booking"));
    }
}

//! Which store an address means.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

#[cfg(feature = "postgres")]
use booking_core::store::BookingStore;
use booking_core::{
    BookingPolicy, Clock, Engine,
    memory::{MemoryBooking, MemoryQueue},
};
#[cfg(feature = "postgres")]
use booking_store_pg::{PgConfig, PgStore};
#[cfg(feature = "sqlite")]
use booking_store_sqlite::{SqliteConfig, SqliteStore};

use crate::StartError;

/// Where bookings are kept when nothing is said.
pub(crate) const DEFAULT: &str = if cfg!(feature = "sqlite") { "sqlite:booking.db" } else { "memory:" };

/// Whether what is kept there ends with the process.
pub(crate) fn is_memory(url: &str) -> bool {
    url == "memory:"
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

/// Names of all that [`kind`] knows, for those who named something else.
pub(crate) fn known() -> String {
    let sqlite = cfg!(feature = "sqlite").then_some("sqlite:PATH");
    let postgres = cfg!(feature = "postgres").then_some("postgres://user@host/database");
    [Some("memory:"), sqlite, postgres].into_iter().flatten().collect::<Vec<_>>().join(", ")
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

/// Whether stores are known for these addresses.
pub(crate) fn check(store: &str, queue: Option<&str>) -> Result<(), StartError> {
    let unknown = |flag, url: &str| StartError::UnknownStore { flag, scheme: scheme(url) };
    if kind(store).is_none() {
        return Err(unknown("--store", store));
    }
    match queue {
        Some(queue) if !is_memory(queue) && !is_same_file(store, queue) => Err(unknown("--queue", queue)),
        Some(_) | None => Ok(()),
    }
}

/// A file holds both or neither: two processes can't share it.
fn is_same_file(store: &str, queue: &str) -> bool {
    file(queue).is_some() && store == queue
}

/// The engine over the stores at these addresses.
pub(crate) async fn open(
    store: &str,
    queue: Option<&str>,
    policy: BookingPolicy,
    clock: Arc<dyn Clock>,
) -> Result<Engine, StartError> {
    check(store, queue)?;
    let in_memory = || Arc::new(MemoryQueue::new(Arc::clone(&clock)));
    Ok(match kind(store) {
        #[cfg(feature = "postgres")]
        Some(Kind::Postgres) => {
            tracing::warn!("the queue is kept in this process: people wait in it only while it runs");
            let booking: Arc<dyn BookingStore> = PgStore::connect(PgConfig::new(store, policy)).await?;
            Engine::new(booking, in_memory())
        }
        #[cfg(feature = "sqlite")]
        Some(Kind::Sqlite) => {
            let store = open_file(store, policy, Arc::clone(&clock)).await?;
            match queue {
                Some(queue) if is_memory(queue) => Engine::new(store, in_memory()),
                _ => Engine::new(Arc::clone(&store) as Arc<_>, store),
            }
        }
        Some(Kind::Memory) | None => {
            Engine::new(Arc::new(MemoryBooking::new(policy, Arc::clone(&clock))), in_memory())
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
    Ok(booking_store_sqlite::backup(from, to)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_store_is_refused_without_telling_what_may_be_secret() {
        let refused = check("mysql://admin:hunter2@db/booking", None).unwrap_err().to_string();
        assert!(refused.contains("--store") && refused.contains("mysql:"), "{refused}");
        assert!(refused.contains(&known()) && !refused.contains("hunter2"), "{refused}");
        assert!(check("memory:", Some("redis://q")).is_err());
        assert!(check("memory:", Some("memory:")).is_ok());
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_file_keeps_the_queue_too_or_leaves_it_to_memory() {
        assert!(check("sqlite:a.db", None).is_ok() && check("sqlite:a.db", Some("memory:")).is_ok());
        assert!(check("sqlite:a.db", Some("sqlite:a.db")).is_ok());
        assert!(check("sqlite:a.db", Some("sqlite:b.db")).is_err() && check("sqlite:", None).is_err());
        assert_eq!(secrets_file("sqlite:/x/a.db").as_deref(), Some(Path::new("/x/a.db-secrets")));
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn both_spellings_of_an_address_of_postgresql_are_known() {
        assert!(check("postgres://db/booking", None).is_ok());
        assert!(check("postgresql://db/booking", None).is_ok());
        assert!(!is_memory("postgres://db/booking"));
    }
}

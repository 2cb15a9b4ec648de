//! Reads that many callers share.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use booking_core::StoreError;
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    time::{Instant, timeout_at},
};

/// How long one waits for a read that somebody else began.
const WAIT: Duration = Duration::from_millis(1_800);
/// More than this is forgotten as a whole: what is remembered is worth a tenth of a second of reading.
const MOST: usize = 10_000;

/// What a read brought, and until when it may be told.
#[derive(Debug)]
struct Seen<V> {
    value: Result<V, StoreError>,
    good_until: Instant,
}

/// A key's place. Whoever reads for it holds its lock meanwhile; who waits for the lock finds what was read.
type Cell<V> = Arc<AsyncMutex<Option<Seen<V>>>>;

/// Values that were read of late, by key.
#[derive(Debug)]
pub(super) struct SharedReads<K, V> {
    good_for: Duration,
    cells: Mutex<HashMap<K, Cell<V>>>,
}

impl<K: Clone + Ord + Hash, V: Clone> SharedReads<K, V> {
    pub(super) fn new(good_for: Duration) -> Self {
        Self { good_for, cells: Mutex::default() }
    }

    fn cells(&self) -> MutexGuard<'_, HashMap<K, Cell<V>>> {
        // Cells are put and taken whole.
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets these keys. A read of them that is under way is still told to those who asked before this, and to nobody
    /// who asks after it.
    pub(super) fn forget<'a>(&self, keys: impl IntoIterator<Item = &'a K>)
    where
        K: 'a,
    {
        let mut cells = self.cells();
        for key in keys {
            cells.remove(key);
        }
    }

    pub(super) fn forget_all(&self) {
        self.cells().clear();
    }

    fn cell(&self, key: &K) -> Cell<V> {
        let mut cells = self.cells();
        if cells.len() >= MOST && !cells.contains_key(key) {
            cells.clear();
        }
        Arc::clone(cells.entry(key.clone()).or_default())
    }

    /// The values of these keys: those that were read of late, and the others by one call of `read`.
    pub(super) async fn get<R>(
        &self,
        keys: &[K],
        read: impl FnOnce(Vec<K>) -> R + Send,
    ) -> Result<HashMap<K, V>, StoreError>
    where
        R: Future<Output = Result<HashMap<K, V>, StoreError>> + Send,
    {
        let deadline = Instant::now() + WAIT;
        let mut sorted: Vec<&K> = keys.iter().collect();
        // Everybody locks in the same order, so nobody waits in a circle.
        sorted.sort_unstable();
        sorted.dedup();
        let (mut values, mut missing) = (HashMap::new(), Vec::new());
        for key in sorted {
            let Ok(cell) = timeout_at(deadline, self.cell(key).lock_owned()).await else {
                return Err(StoreError::unavailable("a read somebody else began did not end in time"));
            };
            match cell.as_ref().filter(|seen| Instant::now() < seen.good_until) {
                Some(seen) => drop(values.insert(key.clone(), seen.value.clone()?)),
                None => missing.push((key.clone(), cell)),
            }
        }
        if missing.is_empty() {
            return Ok(values);
        }
        values.extend(self.read_missing(missing, deadline, read).await?);
        Ok(values)
    }

    async fn read_missing<R>(
        &self,
        missing: Vec<(K, OwnedMutexGuard<Option<Seen<V>>>)>,
        deadline: Instant,
        read: impl FnOnce(Vec<K>) -> R + Send,
    ) -> Result<HashMap<K, V>, StoreError>
    where
        R: Future<Output = Result<HashMap<K, V>, StoreError>> + Send,
    {
        let began = Instant::now();
        let keys = missing.iter().map(|(key, _)| key.clone()).collect();
        let late = |_| StoreError::unavailable("a read did not end in time");
        let read = timeout_at(deadline, read(keys)).await.map_err(late).flatten();
        match &read {
            Ok(found) => {
                for (key, mut cell) in missing {
                    *cell = found
                        .get(&key)
                        .map(|value| Seen { value: Ok(value.clone()), good_until: began + self.good_for });
                }
            }
            // Those who waited for it are not made to fail one after the other.
            Err(error) => {
                let good_until = Instant::now() + self.good_for;
                for (_, mut cell) in missing {
                    *cell = Some(Seen { value: Err(error.clone()), good_until });
                }
            }
        }
        read
    }
}

//! Reads that many callers share.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
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
    /// How often the key had been forgotten when the read began.
    forgotten: u64,
}

/// A key's place. Whoever reads for it holds its lock meanwhile; who waits for the lock finds what was read.
#[derive(Debug)]
struct Cell<V> {
    seen: Arc<AsyncMutex<Option<Seen<V>>>>,
    forgotten: AtomicU64,
}

impl<V> Default for Cell<V> {
    fn default() -> Self {
        Self { seen: Arc::default(), forgotten: AtomicU64::default() }
    }
}

impl<V> Cell<V> {
    fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::SeqCst)
    }
}

/// A key to be read, with its lock, and how often it had been forgotten by then.
type Missing<K, V> = (K, OwnedMutexGuard<Option<Seen<V>>>, u64);

/// Values that were read of late, by key.
#[derive(Debug)]
pub(super) struct SharedReads<K, V> {
    good_for: Duration,
    cells: Mutex<HashMap<K, Arc<Cell<V>>>>,
}

impl<K: Clone + Ord + Hash, V: Clone> SharedReads<K, V> {
    pub(super) fn new(good_for: Duration) -> Self {
        Self { good_for, cells: Mutex::default() }
    }

    fn cells(&self) -> MutexGuard<'_, HashMap<K, Arc<Cell<V>>>> {
        // Cells are put and taken whole.
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets these keys. A read of them that is under way is still told to those who asked before this, and to nobody
    /// who asks after it: they wait for its end, and the first of them reads for all. So there is one read of a key at a time,
    /// however often it is forgotten.
    pub(super) fn forget<'a>(&self, keys: impl IntoIterator<Item = &'a K>)
    where
        K: 'a,
    {
        let cells = self.cells();
        for cell in keys.into_iter().filter_map(|key| cells.get(key)) {
            cell.forgotten.fetch_add(1, Ordering::SeqCst);
        }
    }

    pub(super) fn forget_all(&self) {
        self.cells().clear();
    }

    fn cell(&self, key: &K) -> Arc<Cell<V>> {
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
            let cell = self.cell(key);
            let asked = cell.forgotten();
            let Ok(seen) = timeout_at(deadline, Arc::clone(&cell.seen).lock_owned()).await else {
                return Err(StoreError::unavailable("a read somebody else began did not end in time"));
            };
            match seen.as_ref().filter(|seen| asked <= seen.forgotten && Instant::now() < seen.good_until) {
                Some(seen) => drop(values.insert(key.clone(), seen.value.clone()?)),
                None => missing.push((key.clone(), seen, cell.forgotten())),
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
        missing: Vec<Missing<K, V>>,
        deadline: Instant,
        read: impl FnOnce(Vec<K>) -> R + Send,
    ) -> Result<HashMap<K, V>, StoreError>
    where
        R: Future<Output = Result<HashMap<K, V>, StoreError>> + Send,
    {
        let began = Instant::now();
        let keys = missing.iter().map(|(key, ..)| key.clone()).collect();
        let late = |_| StoreError::unavailable("a read did not end in time");
        let read = timeout_at(deadline, read(keys)).await.map_err(late).flatten();
        match &read {
            Ok(found) => {
                let good_until = began + self.good_for;
                for (key, mut seen, forgotten) in missing {
                    let value = found.get(&key).cloned();
                    *seen = value.map(|value| Seen { value: Ok(value), good_until, forgotten });
                }
            }
            // Those who waited for it are not made to fail one after the other.
            Err(error) => {
                let good_until = Instant::now() + self.good_for;
                for (_, mut seen, forgotten) in missing {
                    *seen = Some(Seen { value: Err(error.clone()), good_until, forgotten });
                }
            }
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::future::join_all;
    use tokio::task::yield_now;

    use super::*;

    /// What is read is how often it was written to; a write forgets what was read.
    #[tokio::test]
    async fn a_key_is_read_once_at_a_time_however_often_it_is_forgotten_and_own_writes_are_seen() {
        let reads = SharedReads::<u8, u64>::new(Duration::from_mins(1));
        let (written, reading, done) = (AtomicU64::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let read = |_| async {
            assert_eq!(reading.fetch_add(1, Ordering::SeqCst), 0, "two read at once");
            let value = written.load(Ordering::SeqCst);
            for _ in 0..5 {
                yield_now().await;
            }
            reading.fetch_sub(1, Ordering::SeqCst);
            done.fetch_add(1, Ordering::SeqCst);
            Ok(HashMap::from([(1, value)]))
        };
        let asking = (0..8).map(|_| async {
            for _ in 0..200 {
                let before = written.load(Ordering::SeqCst);
                let seen = reads.get(&[1], read).await.expect("a value")[&1];
                assert!(before <= seen, "{seen} was told after {before} had been written");
                yield_now().await;
            }
        });
        let writing = async {
            while done.load(Ordering::SeqCst) < 100 {
                written.fetch_add(1, Ordering::SeqCst);
                reads.forget(&[1]);
                yield_now().await;
            }
        };
        tokio::join!(join_all(asking), writing);
        let before = done.load(Ordering::SeqCst);
        assert_eq!(reads.get(&[1], read).await.expect("a value").len(), 1);
        assert!(done.load(Ordering::SeqCst) <= before + 1);
    }
}

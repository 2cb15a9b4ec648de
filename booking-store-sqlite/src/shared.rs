//! What the file holds, in memory: for reading by everybody, changed by the decider after a commit and by nobody else.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, OnceLock},
};

use booking_core::{LaneName, State, StoreError, queue::Lane};

pub(crate) type Lanes = BTreeMap<LaneName, Lane>;

/// The committed state and lanes. Each lock is held for as long as a read in memory takes, never while the disk works.
#[derive(Debug)]
pub(crate) struct Shared {
    books: Mutex<State>,
    lanes: Mutex<Lanes>,
    /// Why nothing is saved any more, since it is so.
    stopped: OnceLock<String>,
}

/// Whoever panicked inside a lock may have left half a change behind.
fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, StoreError> {
    mutex.lock().map_err(|_| StoreError::broken("an earlier call panicked in this store"))
}

impl Shared {
    pub(crate) fn new(books: State, lanes: Lanes) -> Self {
        Self { books: Mutex::new(books), lanes: Mutex::new(lanes), stopped: OnceLock::new() }
    }

    pub(crate) fn books(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        lock(&self.books)
    }

    pub(crate) fn lanes(&self) -> Result<MutexGuard<'_, Lanes>, StoreError> {
        lock(&self.lanes)
    }

    /// From now on nothing is saved.
    pub(crate) fn stop(&self, why: &str) {
        // That it is so already is no news.
        self.stopped.set(why.into()).ok();
    }

    pub(crate) fn stopped(&self) -> Option<&str> {
        self.stopped.get().map(String::as_str)
    }
}

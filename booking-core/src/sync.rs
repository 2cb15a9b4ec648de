//! The one place that names a lock, so that loom can put its own in (`RUSTFLAGS="--cfg booking_loom"`).

#[cfg(not(booking_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};

#[cfg(booking_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};

use crate::error::StoreError;

/// Locks `mutex`. A holder that panicked may have left half a change behind, so the store answers nothing from then on.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, StoreError> {
    mutex.lock().map_err(|_| StoreError::broken("an earlier call panicked in this store"))
}

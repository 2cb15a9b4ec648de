//! Which store an address means.

use std::sync::Arc;

use booking_core::{
    BookingPolicy, Clock, Engine,
    memory::{MemoryBooking, MemoryQueue},
};

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

/// Whether stores are known for these addresses.
pub(crate) fn check(store: &str, queue: Option<&str>) -> Result<(), StartError> {
    let known = |flag, url: &str| {
        let unknown = || StartError::UnknownStore { flag, scheme: scheme(url) };
        if is_memory(url) { Ok(()) } else { Err(unknown()) }
    };
    known("--store", store)?;
    queue.map_or(Ok(()), |queue| known("--queue", queue))
}

/// The engine over the stores at these addresses.
pub(crate) fn open(
    store: &str,
    queue: Option<&str>,
    policy: BookingPolicy,
    clock: Arc<dyn Clock>,
) -> Result<Engine, StartError> {
    check(store, queue)?;
    let booking = MemoryBooking::new(policy, Arc::clone(&clock));
    Ok(Engine::new(Arc::new(booking), Arc::new(MemoryQueue::new(clock))))
}

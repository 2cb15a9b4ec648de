//! What a failure of Redis means to who waits for it.

use booking_core::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Replies by which Redis says that it can't serve now: out of memory, a snapshot that failed, too few replicas, a
/// script that runs too long.
const CANT_SERVE: [&str; 4] = ["OOM", "MISCONF", "NOREPLICAS", "BUSY"];

/// What to tell the caller of a call that `changes` something, if it got through.
pub(crate) fn store_error(error: &RedisError, changes: bool) -> StoreError {
    let detail = format!("Redis: {error}");
    match error.kind() {
        ErrorKind::Io if changes && !error.is_connection_refusal() => StoreError::unknown_outcome(detail),
        ErrorKind::Io
        | ErrorKind::ClusterConnectionNotFound
        | ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly,
        ) => StoreError::unavailable(detail),
        _ if error.code().is_some_and(|code| CANT_SERVE.contains(&code)) => StoreError::unavailable(detail),
        _ => StoreError::broken(detail),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_refused_connection_did_nothing_and_a_lost_answer_may_have() {
        let of = |kind: io::ErrorKind, changes| {
            let error = store_error(&io::Error::from(kind).into(), changes);
            (error.retryable(), error.may_have_applied())
        };
        assert_eq!(of(io::ErrorKind::ConnectionRefused, true), (true, false));
        assert_eq!(of(io::ErrorKind::TimedOut, true), (true, true));
        assert_eq!(of(io::ErrorKind::ConnectionReset, true), (true, true));
        assert_eq!(of(io::ErrorKind::TimedOut, false), (true, false));
    }
}

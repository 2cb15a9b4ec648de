//! What a failure of Redis means to who waits for it.

use booking_core::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Replies by which Redis says that it can't serve now: out of memory, a snapshot that failed, too few replicas, a
/// script that runs too long.
const CANT_SERVE: [&str; 4] = ["OOM", "MISCONF", "NOREPLICAS", "BUSY"];

/// What to tell the caller of a call that `changes` something, if it got through. Whatever a server says, nobody knows about
/// one whose first answer `was_lost`; and a cluster does not tell how often it was asked before it found nobody.
pub(crate) fn store_error(error: &RedisError, changes: bool, was_lost: bool) -> StoreError {
    let detail = format!("Redis: {error}");
    let may_have_arrived = match error.kind() {
        ErrorKind::Io => !error.is_connection_refusal(),
        ErrorKind::ClusterConnectionNotFound => true,
        _ => false,
    };
    match error.kind() {
        _ if changes && (was_lost || may_have_arrived) => StoreError::unknown_outcome(detail),
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
            let error = store_error(&io::Error::from(kind).into(), changes, false);
            (error.retryable(), error.may_have_applied())
        };
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused).into();
        assert!(store_error(&refused, true, true).may_have_applied(), "its first answer was lost");
        assert!(!store_error(&refused, false, true).may_have_applied());
        assert_eq!(of(io::ErrorKind::ConnectionRefused, true), (true, false));
        assert_eq!(of(io::ErrorKind::TimedOut, true), (true, true));
        assert_eq!(of(io::ErrorKind::ConnectionReset, true), (true, true));
        assert_eq!(of(io::ErrorKind::TimedOut, false), (true, false));
    }
}

//! What all streams of server-sent events have in common.

use std::{convert::Infallible, time::Duration};

use axum::response::sse::{Event, KeepAlive};

/// Silence longer than this is broken by a comment, so that nobody in between takes the stream for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// When a reader whose stream broke comes back.
pub(super) const RETRY: Duration = Duration::from_secs(2);

/// What comes next on a stream, and its reader; no reader: it is the last.
pub(super) type Next<R> = (Result<Event, Infallible>, Option<R>);

pub(super) fn keep_alive() -> KeepAlive {
    KeepAlive::new().interval(HEARTBEAT).text("still here")
}

pub(super) fn event(name: &str, body: &impl serde::Serialize) -> Event {
    // A value of ours can always be written.
    Event::default().event(name).data(serde_json::to_string(body).unwrap_or_default())
}

use chrono::{DateTime, Utc};

/// The present instant: commands that date their data start from it. Everything below them takes time as an argument.
#[allow(clippy::disallowed_methods, reason = "the one place of the command line that reads the system clock")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

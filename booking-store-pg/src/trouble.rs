//! What a failure of the database means to who waits for it.

use booking_core::StoreError;

/// A failure, by what to do about it. The text is for the log; it holds no password and no row.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Somebody else was in the way: the transaction is undone, and another try may go through.
    Again(String),
    /// The connection is gone, or the database can't serve now. Nothing of an open transaction was kept.
    Gone(String),
    /// The statement itself can't be executed: trying it again won't help.
    Broken(String),
    /// The connection was lost while committing, and it could not be found out whether it went through.
    Unknown(String),
}

/// Database errors another try may get around: serialisation, deadlock, a lock not had in time, and a row that another
/// instance made a moment before, which the next try finds.
const AGAIN: [&str; 4] = ["40001", "40P01", "55P03", "23505"];
/// Database errors that end the connection or tell that the database can't serve: connection failures, resources (a
/// full disk, too many connections), operator intervention (shutdown, a statement that took too long), an idle
/// transaction that was ended, a read-only standby, the system's own errors.
const GONE: [&str; 6] = ["08", "53", "57", "25P03", "25006", "58"];

impl Trouble {
    /// What to tell the caller.
    pub(crate) fn to_store_error(&self) -> StoreError {
        match self {
            Self::Again(detail) | Self::Gone(detail) => StoreError::unavailable(detail),
            Self::Broken(detail) => StoreError::broken(detail),
            Self::Unknown(detail) => StoreError::unknown_outcome(detail),
        }
    }

    /// No answer came in time.
    pub(crate) fn timed_out(what: &str) -> Self {
        Self::Gone(format!("the database did not answer in time while {what}"))
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(told) = &error else {
            let detail = format!("the database: {error}");
            return match error {
                sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::Decode(_)
                | sqlx::Error::Encode(_)
                | sqlx::Error::ColumnIndexOutOfBounds { .. }
                | sqlx::Error::ColumnNotFound(_)
                | sqlx::Error::RowNotFound
                | sqlx::Error::TypeNotFound { .. } => Self::Broken(detail),
                _ => Self::Gone(detail),
            };
        };
        let code = told.code().unwrap_or_default();
        // The message names tables and constraints; what rows hold is in the detail, which is left out.
        let detail = format!("the database: {} ({code})", told.message());
        if AGAIN.contains(&&*code) {
            Self::Again(detail)
        } else if GONE.iter().any(|class| code.starts_with(class)) {
            Self::Gone(detail)
        } else {
            Self::Broken(detail)
        }
    }
}

/// A row that says what it can't.
pub(crate) fn damaged(what: impl std::fmt::Display) -> sqlx::Error {
    sqlx::Error::Decode(format!("a damaged row: {what}").into())
}

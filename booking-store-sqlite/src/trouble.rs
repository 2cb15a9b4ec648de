//! What a failure of the file means to who waits for it.

use booking_core::StoreError;
use rusqlite::{Error, ErrorCode, ffi::SQLITE_IOERR_WRITE};

/// A failure, by what to do about it. The text is for the log; it holds no row.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The file can't be written or read now: the disk is full or fails, or somebody else is in the way. Nothing of the
    /// transaction was kept, and a later one may go through.
    Gone(String),
    /// The disk failed while committing: whether a crash right now would find the transaction is not known. Nothing of
    /// it is seen before a crash, and the next commit takes its place in the file; one that only does that failed, too.
    Unknown(String),
    /// The rows can't be saved or read: trying again won't help.
    Broken(String),
    /// The file is not what is in memory: nothing can be saved until it is read anew.
    Stopped(String),
}

impl Trouble {
    /// What to tell the caller.
    pub(crate) fn to_store_error(&self) -> StoreError {
        match self {
            Self::Gone(detail) => StoreError::unavailable(detail),
            Self::Unknown(detail) => StoreError::unknown_outcome(detail),
            Self::Broken(detail) | Self::Stopped(detail) => StoreError::broken(detail),
        }
    }

    /// What a failure of `COMMIT` means. A write that failed has kept the last page from being written whole, and
    /// without it a transaction is none. Of other failures of the disk, a sync above all, it can't be told what reached
    /// it.
    pub(crate) fn of_commit(error: &Error) -> Self {
        let failed = error.sqlite_error();
        match failed.map(|failed| (failed.code, failed.extended_code)) {
            Some((ErrorCode::SystemIoFailure, code)) if code != SQLITE_IOERR_WRITE => {
                Self::Unknown(format!("the file, at a commit: {error}"))
            }
            _ => error.into(),
        }
    }
}

impl From<&Error> for Trouble {
    fn from(error: &Error) -> Self {
        let detail = format!("the file: {error}");
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory
                | ErrorCode::PermissionDenied,
            ) => Self::Gone(detail),
            _ => Self::Broken(detail),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        (&error).into()
    }
}

impl From<serde_json::Error> for Trouble {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(format!("JSON: {error}"))
    }
}

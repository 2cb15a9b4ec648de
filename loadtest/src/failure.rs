//! Why a run could not be made. It says nothing about the service being right or wrong.

use booking_api::client::ClientError;

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A server refused what the run needs, or can't be reached.
    #[error("the run could not be prepared or read: {0}")]
    Server(#[from] ClientError),
    /// No server is there.
    #[error("no server answers at {0}: start one, or name another with --host")]
    Absent(String),
    /// The operators' key is missing.
    #[error("set BOOKING_ADMIN_KEY to the key that the server was started with")]
    NoAdminKey,
    /// The payment gateway's key is another.
    #[error(
        "{0} refused the service key: set BOOKING_SERVICE_KEY to the one that the server was started with, or leave it unset \
         (people then charge their own wallets, which needs --open-charges)"
    )]
    WrongServiceKey(String),
    /// The connections could not work.
    #[error("the connections failed: {0}")]
    Goose(String),
    /// A file could not be read or written.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: String,
        /// What happened.
        what: String,
    },
    /// Somebody's task ended in a way it should not.
    #[error("a person's task ended: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl From<goose::GooseError> for Failure {
    fn from(error: goose::GooseError) -> Self {
        Self::Goose(error.to_string())
    }
}

//! What can go wrong: a rule says no ([`Refusal`]), or the machinery fails ([`StoreError`]).

use crate::refusal::Refusal;

/// The machinery failed; no rule was broken. Its text is for the log, not for clients.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct StoreError {
    detail: String,
    retryable: bool,
    may_have_applied: bool,
}

impl StoreError {
    /// The store can't be reached or refuses work; nothing was applied, and a later try may succeed.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), retryable: true, may_have_applied: false }
    }

    /// The answer was lost: the command may have been applied (I20). Repeating it with the same identity tells.
    pub fn unknown_outcome(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), retryable: true, may_have_applied: true }
    }

    /// The store broke one of its obligations; trying again won't help.
    pub fn broken(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), retryable: false, may_have_applied: false }
    }

    /// Whether the same call may succeed later.
    pub fn retryable(&self) -> bool {
        self.retryable
    }

    /// Whether the call may have had its effect all the same.
    pub fn may_have_applied(&self) -> bool {
        self.may_have_applied
    }
}

/// Why the engine did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A rule said no; nothing changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The machinery failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// The refusal, if a rule said no.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Store(_) => None,
        }
    }
}

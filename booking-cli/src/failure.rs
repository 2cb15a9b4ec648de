use std::process::ExitCode;

use booking_api::{Code, client::ClientError};

use crate::upload::Unfinished;

/// Why a command ended without doing what it was asked. The text says what to do next, the kind is the exit code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// What was to be checked is not as it must be.
    #[error("{0}")]
    Check(String),
    /// The arguments, the environment or a file make no sense.
    #[error("{0}")]
    Input(String),
    /// The server can't be reached, or it refused.
    #[error("{0}")]
    Server(String),
}

impl Failure {
    /// 1: the check failed; 2: bad input or usage; 3: the server can't be reached, or it refused.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Check(_) => ExitCode::from(1),
            Self::Input(_) => ExitCode::from(2),
            Self::Server(_) => ExitCode::from(3),
        }
    }
}

impl Failure {
    /// The same failure, and what else is to be known of it.
    fn and(self, more: &str) -> Self {
        match self {
            Self::Check(text) => Self::Check(format!("{text}; {more}")),
            Self::Input(text) => Self::Input(format!("{text}; {more}")),
            Self::Server(text) => Self::Server(format!("{text}; {more}")),
        }
    }
}

impl From<Unfinished> for Failure {
    fn from(unfinished: Unfinished) -> Self {
        let Unfinished { applied, requests, source } = unfinished;
        let failure = Self::from(source);
        if applied == 0 {
            return failure;
        }
        failure.and(&format!(
            "{applied} of {requests} requests were applied; run the same command again to finish"
        ))
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match &error {
            ClientError::Transport { base, source } if source.is_connect() => Self::Server(format!(
                "no server at {base}: start one with `booking serve`, or name another with --url"
            )),
            ClientError::Transport { base, source } if source.is_builder() => {
                Self::Input(format!("'{base}' is no address of a server; write it as http://HOST:PORT"))
            }
            ClientError::Transport { base, source } if source.is_timeout() => Self::Server(format!(
                "{base} gave no answer in time; look at its log, then repeat the command"
            )),
            ClientError::Transport { base, source } => Self::Server(format!(
                "the answer of {base} was lost ({}); look at its log, then repeat the command",
                root(source)
            )),
            ClientError::Problem(problem) if matches!(problem.code, Code::InvalidToken | Code::Forbidden) => {
                Self::Server(format!(
                    "the server refused the key: {}; set BOOKING_ADMIN_KEY to the key that the server was started with",
                    problem.detail
                ))
            }
            ClientError::Problem(problem) => match next_step(problem.code) {
                Some(hint) => Self::Server(format!("the server refused: {error}; {hint}")),
                None => Self::Server(format!("the server refused: {error}")),
            },
            ClientError::Unexpected { .. } => Self::Server(error.to_string()),
        }
    }
}

/// What to do about a refusal, where the server can't know it: it does not know this command.
fn next_step(code: Code) -> Option<&'static str> {
    match code {
        Code::UnknownLane => Some("`booking lane show` lists the lanes"),
        Code::UnknownPerformance => Some("`booking events` names every performance_added"),
        Code::UnknownUser => Some("`booking events` names every user of a wallet_opened"),
        Code::UnknownReservation | Code::UnknownPayment => {
            Some("`booking history --user USER` names those of a user, `booking events` all")
        }
        Code::HoldExpired => Some("there is nothing to give back: its seats can be held by others already"),
        Code::ReservationNotReleasable => Some(
            "`booking history --user USER` names its payment, and `booking refund PAYMENT` gives that back",
        ),
        _ => None,
    }
}

/// The innermost cause: what the operating system said.
fn root(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

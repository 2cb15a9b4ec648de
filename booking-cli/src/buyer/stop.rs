use booking_api::{Code, client::ClientError};

/// Why somebody went home without a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing with a free seat was found.
    NoSeatLeft,
    /// The service said no.
    Refused {
        /// In which word.
        code: Code,
        /// With `token_done`: why the token is over.
        reason: Option<String>,
        /// What it said.
        detail: String,
    },
    /// The turn did not come for very long.
    OutOfPatience,
    /// The server could not be reached, or its answer made no sense.
    Lost(String),
    /// An answer contradicts another: the very thing that must never happen.
    Wrong(String),
}

impl Stop {
    /// The token is over, and why.
    pub fn over(reason: Option<String>) -> Self {
        let detail = "the queue token is done".into();
        Self::Refused { code: Code::TokenDone, reason, detail }
    }

    /// The outcome in a word, with the reason where the word has several.
    pub fn label(&self) -> String {
        match self {
            Self::NoSeatLeft => "no_seat_left".into(),
            Self::Refused { code, reason: Some(reason), .. } => format!("{} ({reason})", code.as_str()),
            Self::Refused { code, .. } => code.as_str().into(),
            Self::OutOfPatience => "turn_never_came".into(),
            Self::Lost(_) => "no_answer".into(),
            Self::Wrong(_) => "wrong_answer".into(),
        }
    }

    /// Whether this happens to people when a service does what it should: the seats are gone, or the sale is over.
    pub fn is_expected(&self) -> bool {
        match self {
            Self::NoSeatLeft => true,
            Self::Refused { code: Code::TokenDone, reason, .. } => {
                reason.as_deref().is_some_and(|reason| ["sold_out", "closed"].contains(&reason))
            }
            Self::Refused { code, .. } => {
                matches!(code, Code::SoldOut | Code::LaneClosed | Code::LaneFull | Code::NotOnSale)
            }
            Self::OutOfPatience | Self::Lost(_) | Self::Wrong(_) => false,
        }
    }

    /// Whether the sale was over before this person had a chance.
    pub fn is_too_late(&self) -> bool {
        match self {
            Self::Refused { code: Code::SoldOut, .. } => true,
            Self::Refused { code: Code::TokenDone, reason, .. } => reason.as_deref() == Some("sold_out"),
            _ => false,
        }
    }

    /// What happened, for people.
    pub fn detail(&self) -> String {
        match self {
            Self::NoSeatLeft => "no seat was left".into(),
            Self::Refused { detail, .. } | Self::Lost(detail) | Self::Wrong(detail) => detail.clone(),
            Self::OutOfPatience => "the turn did not come; is the lane paused?".into(),
        }
    }
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Problem(problem) => {
                Self::Refused { code: problem.code, reason: problem.reason, detail: problem.detail }
            }
            other => Self::Lost(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: Code) -> Stop {
        Stop::Refused { code, reason: None, detail: String::new() }
    }

    #[test]
    fn only_what_a_right_service_does_is_expected() {
        let done = |reason: &str| Stop::over(Some(reason.into()));
        for stop in [Stop::NoSeatLeft, refused(Code::SoldOut), refused(Code::LaneFull), done("sold_out")] {
            assert!(stop.is_expected(), "{stop:?}");
        }
        let wrong = Stop::Wrong("two owners".into());
        for stop in [wrong, refused(Code::InternalError), refused(Code::HoldExpired), done("no_show")] {
            assert!(!stop.is_expected(), "{stop:?}");
        }
    }

    #[test]
    fn the_label_tells_why_a_token_is_over() {
        assert_eq!(Stop::over(Some("sold_out".into())).label(), "token_done (sold_out)");
        assert_eq!(refused(Code::SoldOut).label(), "sold_out");
    }
}

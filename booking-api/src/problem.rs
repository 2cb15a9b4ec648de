use std::time::Duration;

use booking_core::{Error, Refusal, StoreError};
use serde::{Deserialize, Serialize};

/// The media type of a [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

/// When to ask again, where nothing better is known.
const USUAL_WAIT_MS: u64 = 1_000;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// Every error a client can meet, by the word it is told by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word, as in the `code` field.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status it comes with.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// What it means, the same for every occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// The request makes no sense.
    InvalidRequest = "invalid_request", 400, "The request is not valid";
    /// The token is missing, forged, expired or of the other kind.
    InvalidToken = "invalid_token", 401, "A valid token is needed";
    /// The queue token is over.
    TokenDone = "token_done", 401, "The queue token is done";
    /// The lane started anew.
    QueueReset = "queue_reset", 401, "The queue started anew";
    /// There is less in the wallet than is due.
    InsufficientBalance = "insufficient_balance", 402, "The balance is too small";
    /// The queue token is for another lane.
    WrongLane = "wrong_lane", 403, "The queue token is for another lane";
    /// The token is valid, but does not allow this.
    Forbidden = "forbidden", 403, "This is not allowed with this token";
    /// No such user.
    UnknownUser = "unknown_user", 404, "No such user";
    /// No such concert.
    UnknownConcert = "unknown_concert", 404, "No such concert";
    /// No such performance.
    UnknownPerformance = "unknown_performance", 404, "No such performance";
    /// No such seat.
    UnknownSeat = "unknown_seat", 404, "No such seat";
    /// No such reservation, or somebody else's.
    UnknownReservation = "unknown_reservation", 404, "No such reservation";
    /// No such payment.
    UnknownPayment = "unknown_payment", 404, "No such payment";
    /// No such lane.
    UnknownLane = "unknown_lane", 404, "No such lane";
    /// No such path.
    UnknownRoute = "unknown_route", 404, "No such path";
    /// The path exists, but not for this method.
    MethodNotAllowed = "method_not_allowed", 405, "The path does not take this method";
    /// Somebody has a seat that was asked for.
    SeatTaken = "seat_taken", 409, "A seat is taken";
    /// So many seats are nowhere available beside each other.
    NoAdjacentSeats = "no_adjacent_seats", 409, "There are not so many adjacent seats";
    /// One person may not have more.
    SeatLimitReached = "seat_limit_reached", 409, "One person may not have more";
    /// The hold ran out.
    HoldExpired = "hold_expired", 409, "The hold ran out";
    /// The reservation was released.
    ReservationNotPayable = "reservation_not_payable", 409, "The reservation can't be paid";
    /// The reservation is paid.
    ReservationNotReleasable = "reservation_not_releasable", 409, "The reservation can't be released";
    /// The performance is past or not on sale.
    NotOnSale = "not_on_sale", 409, "The performance is not on sale";
    /// Every seat of the lane is sold.
    SoldOut = "sold_out", 409, "Everything is sold";
    /// The lane is closed.
    LaneClosed = "lane_closed", 409, "The lane is closed";
    /// The body is too long.
    BodyTooLarge = "body_too_large", 413, "The body is too long";
    /// The body is not JSON.
    UnsupportedMediaType = "unsupported_media_type", 415, "The body must be JSON";
    /// The idempotency key belongs to another request.
    IdempotencyKeyReused = "idempotency_key_reused", 422, "The idempotency key belongs to another request";
    /// The balance would exceed its limit.
    AmountOutOfRange = "amount_out_of_range", 422, "The amount is out of range";
    /// The ticket still waits.
    NotYourTurn = "not_your_turn", 429, "It is not your turn yet";
    /// The waiting room is full.
    LaneFull = "lane_full", 429, "The waiting room is full";
    /// The user calls too often.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// The service failed in a way it should not.
    InternalError = "internal_error", 500, "The service failed";
    /// This instance has all the work it can take; nothing was done.
    Overloaded = "overloaded", 503, "The service has all the work it can take";
    /// The store can't be reached.
    StoreUnavailable = "store_unavailable", 503, "The store can't be reached";
    /// The answer was lost on the way.
    UnknownOutcome = "unknown_outcome", 503, "It is not known whether this was done";
}

/// An error as clients see it: RFC 9457 problem details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URI reference that names the kind of problem.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(format = "uri-reference"))]
    pub kind: String,
    /// What the kind means.
    pub title: String,
    /// The HTTP status.
    #[cfg_attr(feature = "openapi", schema(minimum = 400, maximum = 599))]
    pub status: u16,
    /// What happened this time, and what to do.
    pub detail: String,
    /// The kind as a word to program against.
    pub code: Code,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// Whether the request may have had its effect all the same. Repeat it with the same identity to find out.
    pub may_have_applied: bool,
    /// `seat_taken`: every seat in conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<Vec<u32>>,
    /// `no_adjacent_seats`: how many adjacent seats are available at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<u32>,
    /// `not_your_turn`: the place, 1 being next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub rank: Option<u64>,
    /// `wrong_lane`: the lane that leads there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// `token_done`: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::end_reason))]
    pub reason: Option<String>,
    /// When to ask again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Problem {
    /// A problem of a kind, told in `detail`. One that may pass by itself says to ask again in a second, unless
    /// [`retry_after`](Self::retry_after) says when.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let retryable = matches!(code.status(), 429 | 503);
        Self {
            kind: format!("urn:booking:problem:{}", code.as_str()),
            title: code.title().into(),
            status: code.status(),
            detail: detail.into(),
            code,
            retryable,
            may_have_applied: code == Code::UnknownOutcome,
            seats: None,
            longest: None,
            rank: None,
            lane: None,
            reason: None,
            retry_after_ms: retryable.then_some(USUAL_WAIT_MS),
        }
    }

    /// The problem, with when to ask again.
    pub fn retry_after(self, span: Duration) -> Self {
        Self { retry_after_ms: Some(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)), ..self }
    }
}

/// The one table from refusals to codes.
fn code_of(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::InvalidSeats(_) | Refusal::InvalidConcert(_) | Refusal::InvalidLane(_) => {
            Code::InvalidRequest
        }
        Refusal::IdempotencyKeyReused => Code::IdempotencyKeyReused,
        Refusal::UnknownUser => Code::UnknownUser,
        Refusal::UnknownConcert => Code::UnknownConcert,
        Refusal::UnknownPerformance => Code::UnknownPerformance,
        Refusal::UnknownSeat { .. } => Code::UnknownSeat,
        Refusal::UnknownReservation => Code::UnknownReservation,
        Refusal::UnknownPayment => Code::UnknownPayment,
        Refusal::UnknownLane => Code::UnknownLane,
        Refusal::WrongLane { .. } => Code::WrongLane,
        Refusal::WrongTicket => Code::Forbidden,
        Refusal::NotOnSale => Code::NotOnSale,
        Refusal::SeatTaken { .. } => Code::SeatTaken,
        Refusal::NoAdjacentSeats { .. } => Code::NoAdjacentSeats,
        Refusal::SeatLimitReached => Code::SeatLimitReached,
        Refusal::HoldExpired => Code::HoldExpired,
        Refusal::ReservationNotPayable => Code::ReservationNotPayable,
        Refusal::ReservationNotReleasable => Code::ReservationNotReleasable,
        Refusal::AmountOutOfRange => Code::AmountOutOfRange,
        Refusal::InsufficientBalance { .. } => Code::InsufficientBalance,
        Refusal::TicketOver(_) => Code::TokenDone,
        Refusal::UnknownTicket => Code::InvalidToken,
        Refusal::QueueReset => Code::QueueReset,
        Refusal::NotYourTurn { .. } => Code::NotYourTurn,
        Refusal::LaneFull => Code::LaneFull,
        Refusal::LaneClosed => Code::LaneClosed,
        Refusal::SoldOut => Code::SoldOut,
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = Self::new(code_of(&refusal), refusal.to_string());
        match refusal {
            Refusal::SeatTaken { seats } => Self { seats: Some(seats), ..problem },
            Refusal::NoAdjacentSeats { longest, .. } => Self { longest: Some(longest), ..problem },
            Refusal::WrongLane { lane } => Self { lane: Some(lane.into()), ..problem },
            Refusal::TicketOver(reason) => Self { reason: Some(reason.as_str().into()), ..problem },
            Refusal::NotYourTurn { rank, retry_after } => {
                Self { rank: Some(rank), ..problem.retry_after(retry_after) }
            }
            Refusal::LaneFull => problem.retry_after(Duration::from_secs(5)),
            _ => problem,
        }
    }
}

impl From<StoreError> for Problem {
    /// What a client reads is not what the log says: no host, query or key leaks.
    fn from(error: StoreError) -> Self {
        let (code, detail) = match (error.may_have_applied(), error.retryable()) {
            (true, _) => (
                Code::UnknownOutcome,
                "the answer was lost; repeat the request, with the same Idempotency-Key if it has one",
            ),
            (false, true) => {
                (Code::StoreUnavailable, "the store can't be reached; nothing was done; try again")
            }
            (false, false) => (Code::InternalError, "the service failed; it was written to its log"),
        };
        Self::new(code, detail)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_told_by_the_word_it_serialises_to() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn what_may_succeed_later_always_says_when_to_try_again() {
        for code in Code::ALL {
            let problem = Problem::new(*code, "");
            assert_eq!(problem.retry_after_ms, problem.retryable.then_some(1_000), "{code:?}");
        }
    }

    #[test]
    fn a_failing_store_leaks_nothing_and_says_whether_to_try_again() {
        let secret = "postgres://admin:hunter2@db/booking: connection refused";
        let cases = [
            (StoreError::unavailable(secret), Code::StoreUnavailable, true, false),
            (StoreError::unknown_outcome(secret), Code::UnknownOutcome, true, true),
            (StoreError::broken(secret), Code::InternalError, false, false),
        ];
        for (error, code, retryable, may_have_applied) in cases {
            let problem = Problem::from(error);
            assert_eq!((problem.code, problem.retryable), (code, retryable));
            assert_eq!(problem.may_have_applied, may_have_applied);
            assert!(!serde_json::to_string(&problem).unwrap().contains("hunter2"));
        }
    }

    #[test]
    fn a_taken_seat_names_every_seat_in_conflict() {
        let problem = Problem::from(Refusal::SeatTaken { seats: vec![3, 17] });
        assert_eq!(
            (problem.status, problem.seats, problem.detail.as_str()),
            (409, Some(vec![3, 17]), "taken: seats 3, 17")
        );
    }

    #[test]
    fn too_few_adjacent_seats_name_how_many_there_are_and_what_to_do() {
        let problem = |longest| Problem::from(Refusal::NoAdjacentSeats { wanted: 4, longest });
        assert_eq!((problem(2).status, problem(2).longest, problem(2).retryable), (409, Some(2), false));
        let no_four = "no 4 seats are available beside each other; ask for";
        let told = [
            (0, "no seat of this performance is available now".into()),
            (1, format!("{no_four} 1, or name the seats")),
            (3, format!("{no_four} 3 at most, or name the seats")),
        ];
        for (longest, detail) in told {
            assert_eq!(problem(longest).detail, detail);
        }
    }
}

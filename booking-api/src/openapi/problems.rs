use std::time::Duration;

use booking_core::{EndReason, LaneName, Money, Refusal, StoreError};

use crate::{Code, Problem};

impl Code {
    /// A problem of this code as a client may meet it.
    pub fn example(self) -> Problem {
        let refusal = match self {
            Self::TokenDone => Refusal::TicketOver(EndReason::Completed),
            Self::QueueReset => Refusal::QueueReset,
            Self::InsufficientBalance => {
                let sum = |units| Money::new(units).unwrap_or(Money::ZERO);
                Refusal::InsufficientBalance { balance: sum(100_000), amount: sum(132_000) }
            }
            Self::WrongLane => Refusal::WrongLane { lane: LaneName::main() },
            Self::UnknownUser => Refusal::UnknownUser,
            Self::UnknownConcert => Refusal::UnknownConcert,
            Self::UnknownPerformance => Refusal::UnknownPerformance,
            Self::UnknownSeat => Refusal::UnknownSeat { seat: 51, seats: 50 },
            Self::UnknownReservation => Refusal::UnknownReservation,
            Self::UnknownPayment => Refusal::UnknownPayment,
            Self::UnknownLane => Refusal::UnknownLane,
            Self::SeatTaken => Refusal::SeatTaken { seats: vec![17] },
            Self::NoAdjacentSeats => Refusal::NoAdjacentSeats { wanted: 4, longest: 2 },
            Self::SeatLimitReached => Refusal::SeatLimitReached,
            Self::HoldExpired => Refusal::HoldExpired,
            Self::ReservationNotPayable => Refusal::ReservationNotPayable,
            Self::ReservationNotReleasable => Refusal::ReservationNotReleasable,
            Self::NotOnSale => Refusal::NotOnSale,
            Self::SoldOut => Refusal::SoldOut,
            Self::LaneClosed => Refusal::LaneClosed,
            Self::IdempotencyKeyReused => Refusal::IdempotencyKeyReused,
            Self::AmountOutOfRange => Refusal::AmountOutOfRange,
            Self::NotYourTurn => Refusal::NotYourTurn { rank: 212, retry_after: Duration::from_secs(2) },
            Self::LaneFull => Refusal::LaneFull,
            Self::StoreUnavailable => return StoreError::unavailable("").into(),
            Self::UnknownOutcome => return StoreError::unknown_outcome("").into(),
            Self::InternalError => return StoreError::broken("").into(),
            Self::RateLimited => return self.told("wait as Retry-After says"),
            Self::Overloaded => {
                let detail = "this instance has as many connections as it may; try again in a moment";
                return self.told(detail);
            }
            Self::InvalidRequest => return self.told("the body: unknown field `seat`"),
            Self::InvalidToken => return self.told("send the token as `Authorization: Bearer TOKEN`"),
            Self::Forbidden => return self.told("this call takes the admin key only"),
            Self::UnknownRoute => return self.told("there is nothing at /v1/nothing"),
            Self::MethodNotAllowed => return self.told("the Allow header names what the path takes"),
            Self::BodyTooLarge => return self.told("the body may have 64 KiB at most"),
            Self::UnsupportedMediaType => return self.told("send `Content-Type: application/json`"),
        };
        refusal.into()
    }

    fn told(self, detail: &str) -> Problem {
        Problem::new(self, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_a_code_is_of_that_code() {
        for code in Code::ALL {
            assert_eq!(code.example().code, *code);
        }
    }
}

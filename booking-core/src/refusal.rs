use std::time::Duration;

use crate::{
    hold::SeatNumber,
    money::Money,
    policy::InvalidPolicy,
    ticket::{EndReason, LaneName},
};

/// A rule said no. Nothing changed, and nothing is bound: the same identity may be used again.
///
/// The texts are for the people who asked: they name the thing and what to do, and never somebody else's data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The list of seats makes no sense.
    #[error("invalid seats: {0}")]
    InvalidSeats(String),
    /// The description of a concert makes no sense.
    #[error("invalid concert: {0}")]
    InvalidConcert(String),
    /// The settings of a lane make no sense.
    #[error("invalid lane settings: {0}")]
    InvalidLane(InvalidPolicy),
    /// The identity is taken by something with other fields (I21).
    #[error("this idempotency key was used for a different request; use a new key for a new request")]
    IdempotencyKeyReused,

    /// No such user (Q11).
    #[error("no such user")]
    UnknownUser,
    /// No such concert.
    #[error("no such concert")]
    UnknownConcert,
    /// No such performance (S5).
    #[error("no such performance")]
    UnknownPerformance,
    /// The performance has no seat of that number (S4).
    #[error("no seat {seat}: the performance has the seats 1 to {seats}")]
    UnknownSeat {
        /// The number asked for, as it was asked.
        seat: i64,
        /// How many seats there are.
        seats: u32,
    },
    /// No such reservation, or somebody else's (H6, P3).
    #[error("no such reservation")]
    UnknownReservation,
    /// No such payment.
    #[error("no such payment")]
    UnknownPayment,
    /// No such lane.
    #[error("no such lane")]
    UnknownLane,

    /// The concert is reached by another lane (Q6).
    #[error("this concert is reached by the lane '{lane}'; get a queue token for that lane")]
    WrongLane {
        /// The lane that leads to it.
        lane: LaneName,
    },
    /// The reservation was made with another ticket (Q6).
    #[error("this reservation was made with another queue token; pay it with that one")]
    WrongTicket,

    /// The performance is past or not on sale.
    #[error("this performance is not on sale")]
    NotOnSale,
    /// Somebody has these seats (H2).
    #[error("taken: {}", list(seats))]
    SeatTaken {
        /// Every seat in conflict, ascending.
        seats: Vec<SeatNumber>,
    },
    /// So many seats are nowhere available beside each other (H7).
    #[error("{}", scarcity(*wanted, *longest))]
    NoAdjacentSeats {
        /// How many were asked for.
        wanted: u32,
        /// How many there are at most.
        longest: u32,
    },
    /// It would be more than a user may have (H4), or than a ticket makes (I10).
    #[error(
        "this is more than one person may have: a queue token makes one reservation, and live reservations and the seats of a \
         performance are limited; ask for fewer seats, or pay or release what you hold"
    )]
    SeatLimitReached,
    /// The hold ran out (P3).
    #[error("the hold ran out; its seats are available again")]
    HoldExpired,
    /// It was given back.
    #[error("this reservation was released and can't be paid; hold the seats again")]
    ReservationNotPayable,
    /// It is paid.
    #[error("this reservation is paid and can't be released; ask for a refund")]
    ReservationNotReleasable,
    /// The sum would exceed what a wallet may hold (W3).
    #[error("the amount is out of range: the balance would exceed its limit")]
    AmountOutOfRange,
    /// The balance is too small (P2).
    #[error("the balance is {balance}, and {amount} is due; charge the wallet first")]
    InsufficientBalance {
        /// What is there.
        balance: Money,
        /// What is due.
        amount: Money,
    },

    /// The ticket is over (Q9).
    #[error("this queue token is done ({0}); get a new one")]
    TicketOver(EndReason),
    /// The lane never gave this number to this user (I17).
    #[error("this queue token is not valid; get a new one")]
    UnknownTicket,
    /// The lane started anew, so the ticket's number means nothing any more.
    #[error("the queue started anew; get a new token")]
    QueueReset,
    /// The ticket still waits (Q6).
    #[error("not your turn yet: rank {rank}")]
    NotYourTurn {
        /// 1 is next.
        rank: u64,
        /// When to ask again.
        retry_after: Duration,
    },
    /// As many wait as may (Q8).
    #[error("the waiting room is full; try again later")]
    LaneFull,
    /// The lane is closed (Q8).
    #[error("this lane is closed")]
    LaneClosed,
    /// Every seat of the lane is sold (Q8).
    #[error("every seat of this lane is sold")]
    SoldOut,
}

fn scarcity(wanted: u32, longest: u32) -> String {
    match longest {
        0 => "no seat of this performance is available now".into(),
        1 => format!("no {wanted} seats are available beside each other; ask for 1, or name the seats"),
        _ => format!(
            "no {wanted} seats are available beside each other; ask for {longest} at most, or name the seats"
        ),
    }
}

fn list(seats: &[SeatNumber]) -> String {
    let numbers: Vec<String> = seats.iter().map(ToString::to_string).collect();
    let noun = if seats.len() == 1 { "seat" } else { "seats" };
    format!("{noun} {}", numbers.join(", "))
}

//! Seats and the time-limited claims on them.
//!
//! available → held(reservation, until) → sold(reservation), and back to available on expiry, release and refund.
//! Expiry is lazy and half-open: at `now >= until` a hold counts as gone for every decision, whether or not
//! anything swept it (H3, I3).

mod best;
pub(crate) mod decide;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use decide::decide;
pub(crate) use state::evolve;
pub use state::{Reservation, ReservationStatus, Seat, SeatStatus};

use crate::{
    id::{PerformanceId, ReservationId, UserId},
    ticket::Ticket,
    time::Timestamp,
};

/// The number of a seat in its performance, from 1.
pub type SeatNumber = u32;

/// The seats of a reservation. Up to four, as most have, take no memory of their own.
pub type Seats = smallvec::SmallVec<[SeatNumber; 4]>;

/// Which seats a buyer wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeatChoice {
    /// These, in any order.
    Exact(Vec<SeatNumber>),
    /// This many beside each other, the best there are at the moment of the decision (H7).
    Best(u32),
}

impl From<Vec<SeatNumber>> for SeatChoice {
    fn from(seats: Vec<SeatNumber>) -> Self {
        Self::Exact(seats)
    }
}

/// What a buyer, or the sweep, asks of seats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Holds seats for the ticket's user: all of them or none (H1, H2, H4).
    Place {
        /// The identity of the reservation to make.
        reservation: ReservationId,
        /// The admitted ticket that makes it; its user becomes the owner.
        ticket: Ticket,
        /// The performance.
        performance: PerformanceId,
        /// The seats.
        choice: SeatChoice,
    },
    /// The owner gives a hold back (H6).
    Release {
        /// The reservation.
        reservation: ReservationId,
        /// Who asks.
        user: UserId,
    },
    /// The ticket's owner leaves the lane: whatever the ticket holds is given back.
    Leave(Ticket),
    /// The sweep tidies a hold that has run out; one that has not is left alone.
    Expire(ReservationId),
}

/// What happened to seats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Seats were held.
    SeatsHeld(Arc<Reservation>),
    /// The owner gave the hold back.
    HoldReleased(SeatsOf),
    /// The hold ran out, and the sweep wrote it down.
    HoldExpired(SeatsOf),
    /// The hold was paid: the seats are the user's.
    SeatsSold(SeatsOf),
    /// The payment was given back: the seats are available again.
    SeatsReturned(SeatsOf),
}

impl Event {
    /// The event that made a reservation, whatever has become of it: for a store that does not keep what the reservation tells.
    pub fn made(reservation: Reservation) -> Self {
        Self::SeatsHeld(Arc::new(Reservation { status: ReservationStatus::Held, ..reservation }))
    }

    /// The reservation that this event made, as it was then.
    pub fn made_reservation(&self) -> Option<&Reservation> {
        match self {
            Self::SeatsHeld(made) => Some(made),
            Self::HoldReleased(_) | Self::HoldExpired(_) | Self::SeatsSold(_) | Self::SeatsReturned(_) => {
                None
            }
        }
    }
}

/// The seats of a reservation, repeated in its events so that each tells by itself which seats it moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsOf {
    /// The reservation.
    pub reservation: ReservationId,
    /// Its owner.
    pub user: UserId,
    /// The performance.
    pub performance: PerformanceId,
    /// The seats, ascending.
    pub seats: Seats,
    /// When.
    pub at: Timestamp,
}

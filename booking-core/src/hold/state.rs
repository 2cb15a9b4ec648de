use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Event, Seats, SeatsOf};
use crate::{
    id::{PaymentId, PerformanceId, ReservationId, UserId},
    money::Money,
    payment::PaymentStatus,
    state::State,
    ticket::{EndReason, Ticket},
    time::Timestamp,
    words::words,
};

/// A seat that somebody has. A seat that nobody has is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// The reservation that has it.
    pub reservation: ReservationId,
    /// Until when it is held; none: it is sold.
    pub held_until: Option<Timestamp>,
}

/// What a seat is to somebody who wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatStatus {
    /// It can be held.
    Available,
    /// Somebody has a live hold of it.
    Held,
    /// It is sold.
    Sold,
}

impl Seat {
    pub(crate) fn is_sold(&self) -> bool {
        self.held_until.is_none()
    }

    /// What the seat is at `now`.
    pub fn status_at(&self, now: Timestamp) -> SeatStatus {
        SeatStatus::of(self.held_until, now)
    }
}

impl SeatStatus {
    /// What a seat that somebody has until then, or without an end, is at `now`.
    pub fn of(held_until: Option<Timestamp>, now: Timestamp) -> Self {
        match held_until {
            None => Self::Sold,
            Some(until) if now < until => Self::Held,
            Some(_) => Self::Available,
        }
    }
}

/// A buyer's record of seats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Its identity.
    pub id: ReservationId,
    /// The owner.
    pub user: UserId,
    /// The performance.
    pub performance: PerformanceId,
    /// The seats, ascending.
    pub seats: Seats,
    /// The ticket that made it: only that one may pay it (Q6).
    pub ticket: Ticket,
    /// The payment due for it, or made.
    pub payment: PaymentId,
    /// What it costs: the price at the time of the hold.
    pub amount: Money,
    /// When it was made.
    pub created_at: Timestamp,
    /// The end of the hold; at this instant it is gone (I3).
    pub hold_until: Timestamp,
    /// Where it stands.
    pub status: ReservationStatus,
}

words! {
    /// Where a reservation stands.
    pub enum ReservationStatus as "status of a reservation" {
        /// Its seats are held, while the hold lasts.
        Held = "held",
        /// It is paid; the seats are the owner's.
        Confirmed = "confirmed",
        /// It was not paid in time.
        Expired = "expired",
        /// The owner gave it back.
        Released = "released",
        /// It was paid and given back.
        Refunded = "refunded",
    }
}

impl Reservation {
    /// Where it stands at `now`: a hold that has run out is expired, whether or not it was swept (H3).
    pub fn status_at(&self, now: Timestamp) -> ReservationStatus {
        match self.status {
            ReservationStatus::Held if now >= self.hold_until => ReservationStatus::Expired,
            status => status,
        }
    }

    /// This reservation as one sees it at `now`.
    pub fn seen_at(&self, now: Timestamp) -> Self {
        Self { status: self.status_at(now), ..self.clone() }
    }

    /// Where its payment stands; none: there is none to settle, and none was made.
    pub fn payment_status(&self) -> Option<PaymentStatus> {
        match self.status {
            ReservationStatus::Held => Some(PaymentStatus::Due),
            ReservationStatus::Confirmed => Some(PaymentStatus::Paid),
            ReservationStatus::Refunded => Some(PaymentStatus::Refunded),
            ReservationStatus::Expired | ReservationStatus::Released => None,
        }
    }

    pub(crate) fn seats_of(&self, at: Timestamp) -> SeatsOf {
        SeatsOf {
            reservation: self.id,
            user: self.user,
            performance: self.performance,
            seats: self.seats.clone(),
            at,
        }
    }
}

pub(crate) fn evolve(state: &mut State, event: &Event) {
    match event {
        Event::SeatsHeld(reservation) => {
            let seat = Seat { reservation: reservation.id, held_until: Some(reservation.hold_until) };
            for number in &reservation.seats {
                state.put_seat(reservation.performance, *number, seat);
            }
            state.put_reservation(Arc::clone(reservation));
        }
        Event::HoldReleased(of) => leave(state, of, ReservationStatus::Released),
        Event::HoldExpired(of) => {
            leave(state, of, ReservationStatus::Expired);
            let ticket =
                state.reservations.get(&of.reservation).map(|reservation| reservation.ticket.clone());
            state.endings.extend(ticket.map(|ticket| (ticket, EndReason::HoldExpired)));
        }
        Event::SeatsSold(of) => {
            let sold = Seat { reservation: of.reservation, held_until: None };
            for number in &of.seats {
                state.put_seat(of.performance, *number, sold);
            }
            state.move_reservation(of.reservation, ReservationStatus::Confirmed);
        }
        Event::SeatsReturned(of) => leave(state, of, ReservationStatus::Refunded),
    }
}

/// Frees the seats that still name the reservation: one that ran out may have lost them to a later hold.
fn leave(state: &mut State, of: &SeatsOf, status: ReservationStatus) {
    if let Some(seats) = state.seats.get_mut(&of.performance) {
        for number in &of.seats {
            if let Some(seat) = seats.get(number)
                && seat.reservation == of.reservation
            {
                state.seats_sold -= u64::from(seat.is_sold());
                seats.remove(number);
            }
        }
    }
    state.move_reservation(of.reservation, status);
}

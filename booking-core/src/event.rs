use serde::{Deserialize, Serialize};

use crate::{
    catalog,
    hold::{self, SeatNumber},
    id::{PerformanceId, ReservationId},
    payment,
    time::Timestamp,
    wallet,
};

/// Something that happened. The state is the fold of all events; each tells by itself what it moved, for whom and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// Concerts, performances, lanes.
    Catalog(catalog::Event),
    /// Seats and holds.
    Hold(hold::Event),
    /// Wallets.
    Wallet(wallet::Event),
    /// Payments.
    Payment(payment::Event),
}

/// An event in the log of its store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedEvent {
    /// Its place in the log: from 1, in commit order.
    pub seq: u64,
    /// When its batch was decided. Most events have an `at` of their own, and one JSON object can't have two.
    #[serde(rename = "decided_at")]
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl From<catalog::Event> for Event {
    fn from(event: catalog::Event) -> Self {
        Self::Catalog(event)
    }
}

impl From<hold::Event> for Event {
    fn from(event: hold::Event) -> Self {
        Self::Hold(event)
    }
}

impl From<wallet::Event> for Event {
    fn from(event: wallet::Event) -> Self {
        Self::Wallet(event)
    }
}

impl From<payment::Event> for Event {
    fn from(event: payment::Event) -> Self {
        Self::Payment(event)
    }
}

impl Event {
    /// The seats this event moved, if it is about seats.
    pub fn seats(&self) -> Option<(PerformanceId, &[SeatNumber])> {
        let Self::Hold(event) = self else { return None };
        Some(match event {
            hold::Event::SeatsHeld(reservation) => (reservation.performance, &reservation.seats),
            hold::Event::HoldReleased(of)
            | hold::Event::HoldExpired(of)
            | hold::Event::SeatsSold(of)
            | hold::Event::SeatsReturned(of) => (of.performance, &of.seats),
        })
    }

    /// The reservation whose ticket is over with this event.
    pub(crate) fn ends_ticket_of(&self) -> Option<ReservationId> {
        match self {
            Self::Hold(hold::Event::HoldExpired(of)) => Some(of.reservation),
            Self::Payment(payment::Event::PaymentMade(payment)) => Some(payment.reservation),
            Self::Catalog(_) | Self::Hold(_) | Self::Wallet(_) | Self::Payment(_) => None,
        }
    }

    /// Whether this event moved that seat.
    pub fn moves_seat(&self, performance: PerformanceId, seat: SeatNumber) -> bool {
        self.seats().is_some_and(|(of, seats)| of == performance && seats.contains(&seat))
    }
}

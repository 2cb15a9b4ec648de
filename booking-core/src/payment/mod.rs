//! Paying a reservation, and giving it back. A payment spans wallet, seats and ticket in one decision, so
//! "paid but no seat" can't be written down (P1, I10).

mod decide;
mod state;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(crate) use decide::decide;
pub(crate) use state::evolve;
pub use state::{Payment, PaymentStatus};

use crate::{
    id::{PaymentId, ReservationId},
    ticket::Ticket,
    time::Timestamp,
};

/// What is asked of payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Pays a reservation from its owner's wallet.
    Pay {
        /// The reservation.
        reservation: ReservationId,
        /// The ticket of who pays; it must be the one that made the reservation (Q6).
        ticket: Ticket,
    },
    /// An operator gives a payment back: the money to the wallet, the seats to the sale.
    Refund(PaymentId),
}

/// What happened to payments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A reservation was paid.
    PaymentMade(Payment),
    /// A payment was given back.
    PaymentRefunded {
        /// The payment.
        payment: PaymentId,
        /// When.
        at: Timestamp,
    },
}

use serde::{Deserialize, Serialize};

use super::Event;
use crate::{
    id::{PaymentId, ReservationId, UserId},
    money::Money,
    state::State,
    ticket::EndReason,
    time::Timestamp,
};

/// A payment that was made. One that is only due is a column of its reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its identity, known since the hold.
    pub id: PaymentId,
    /// What it pays; one to one (I9).
    pub reservation: ReservationId,
    /// Who paid.
    pub user: UserId,
    /// How much.
    pub amount: Money,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// When it was given back, if it was.
    pub refunded_at: Option<Timestamp>,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The reservation is held and waits for it.
    Due,
    /// It was made.
    Paid,
    /// It was given back.
    Refunded,
}

impl Payment {
    /// Where it stands.
    pub fn status(&self) -> PaymentStatus {
        if self.refunded_at.is_some() { PaymentStatus::Refunded } else { PaymentStatus::Paid }
    }
}

pub(crate) fn evolve(state: &mut State, event: &Event) {
    match event {
        Event::PaymentMade(payment) => {
            let ticket = state.reservations.get(&payment.reservation).map(|paid| paid.ticket.clone());
            state.endings.extend(ticket.map(|ticket| (ticket, EndReason::Completed)));
            state.put_payment(payment.clone());
        }
        Event::PaymentRefunded { payment, at } => {
            if let Some(payment) = state.payments.get_mut(payment) {
                payment.refunded_at = Some(*at);
            }
        }
    }
}

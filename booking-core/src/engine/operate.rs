//! What operators do with other people's reservations and payments. Each can be rehearsed: the same decision on what was
//! read, of which nothing is kept.

use super::{Answer, Engine, Paid, expect_effect, mismatch};
use crate::{
    command::Command,
    error::Error,
    hold::{self, Reservation},
    id::{PaymentId, ReservationId},
    outcome::{Effect, Outcome},
    payment::{self, Payment},
    policy::BookingPolicy,
    refusal::Refusal,
    state::{Rows, State},
    time::Timestamp,
};

/// What the rules say to a command about these rows.
///
/// The rows come with the limits in time that their store judged when it read them (a hold that has run out reads as
/// expired), so `at` decides nothing; and neither releasing nor refunding asks the policy.
fn rehearse(rows: Rows, command: impl Into<Command>, at: Timestamp) -> Result<Outcome, Refusal> {
    State::load(BookingPolicy::default(), rows).execute(&command.into(), at).map(|(outcome, _)| outcome)
}

impl Engine {
    /// A reservation, whoever's it is.
    pub async fn any_reservation(&self, id: ReservationId) -> Result<Reservation, Error> {
        Ok(self.booking.any_reservation(id).await?.ok_or(Refusal::UnknownReservation)?)
    }

    /// A payment, whoever's it is.
    pub async fn any_payment(&self, id: PaymentId) -> Result<Payment, Error> {
        Ok(self.booking.any_payment(id).await?.ok_or(Refusal::UnknownPayment)?)
    }

    /// Gives a hold back for its owner, whose ticket may hold again.
    pub async fn release_any(&self, id: ReservationId) -> Result<Answer<Reservation>, Error> {
        let owner = self.any_reservation(id).await?.user;
        self.release(owner, id).await
    }

    /// What [`release_any`](Self::release_any) would answer now.
    pub async fn rehearse_release(&self, id: ReservationId) -> Result<Answer<Reservation>, Error> {
        let found = self.any_reservation(id).await?;
        let (release, at) = (hold::Command::Release { reservation: id, user: found.user }, found.created_at);
        let rows = Rows { reservations: vec![found], ..Rows::default() };
        expect_effect!(rehearse(rows, release, at)?, Effect::Reservation(released) => released)
    }

    /// What [`refund`](Self::refund) would answer now.
    pub async fn rehearse_refund(&self, id: PaymentId) -> Result<Answer<Paid>, Error> {
        let paid = self.any_payment(id).await?;
        let (wallet, at) = (self.wallet(paid.user).await?, paid.paid_at);
        let reservation = self.any_reservation(paid.reservation).await?;
        let rows = Rows {
            wallets: vec![wallet],
            reservations: vec![reservation],
            payments: vec![paid],
            ..Rows::default()
        };
        let outcome = rehearse(rows, payment::Command::Refund(id), at)?;
        expect_effect!(outcome, Effect::Payment { payment, balance } => Paid { payment, balance })
    }
}

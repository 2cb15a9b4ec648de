//! The facade: the five APIs over any two stores, and [`Engine::tend`], which keeps things moving.

mod glance;
mod operate;
mod reads;
mod tend;
#[cfg(test)]
mod tests;
mod together;

use std::sync::Arc;

pub use reads::LaneStatus;
pub use tend::Tended;

use crate::{
    catalog::{self, Changes, ConcertDraft, LaneChange, LaneRecord},
    command::Command,
    error::{Error, StoreError},
    hold::{self, Reservation, SeatChoice},
    id::{EntryId, PaymentId, PerformanceId, ReservationId, UserId},
    memory::{MemoryBooking, MemoryJoint, MemoryQueue},
    money::{Amount, Money},
    outcome::{Effect, Outcome},
    payment::{self, Payment},
    policy::BookingPolicy,
    queue::{Entered, Place},
    refusal::Refusal,
    store::{BookingStore, JointStore, QueueStore},
    ticket::{EndReason, LaneName, Ticket},
    time::{Clock, Timestamp},
    wallet::{self, Entry, Wallet},
};

/// The engine over a booking store and a queue store. Cheap to clone; any number of engines may work on the same
/// stores at once (X1).
#[derive(Clone)]
pub struct Engine {
    booking: Arc<dyn BookingStore>,
    queue: Arc<dyn QueueStore>,
    joint: Option<Arc<dyn JointStore>>,
    views: Arc<glance::Views>,
}

/// What a call led to, and whether it was there already: then the call changed nothing (I21).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// What was asked for, as it is now.
    pub value: T,
    /// Whether it was there already.
    pub replayed: bool,
}

/// A payment, and what it left in the wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The payment.
    pub payment: Payment,
    /// The payer's balance now.
    pub balance: Money,
}

fn mismatch(effect: &Effect) -> StoreError {
    StoreError::broken(format!("the store answered with {effect:?} to a command of another kind"))
}

macro_rules! expect_effect {
    ($outcome:expr, $pattern:pat => $value:expr) => {{
        let Outcome { replayed, effect } = $outcome;
        match effect {
            $pattern => Ok(Answer { value: $value, replayed }),
            other => Err(Error::Store(mismatch(&other))),
        }
    }};
}
use expect_effect;

impl Engine {
    /// An engine over two stores.
    pub fn new(booking: Arc<dyn BookingStore>, queue: Arc<dyn QueueStore>) -> Self {
        Self { booking, queue, joint: None, views: Arc::default() }
    }

    /// The same, where both stores are one that takes holds and payments in one step.
    #[must_use]
    pub fn jointly(self, joint: Arc<dyn JointStore>) -> Self {
        Self { joint: Some(joint), ..self }
    }

    /// An engine over memory, with its clock and the lane `main`.
    pub fn in_memory(policy: BookingPolicy, clock: impl Clock) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let booking = Arc::new(MemoryBooking::new(policy, Arc::clone(&clock)));
        let queue = Arc::new(MemoryQueue::new(clock));
        let joint = MemoryJoint::new(Arc::clone(&booking), Arc::clone(&queue));
        Self::new(booking, queue).jointly(Arc::new(joint))
    }

    async fn execute(&self, command: impl Into<Command>) -> Result<Outcome, Error> {
        let mut answers = self.booking.execute(vec![command.into()]).await?;
        let answer =
            answers.pop().ok_or_else(|| StoreError::broken("the store gave no answer to a command"))?;
        Ok(answer?)
    }

    /// Makes a user known, with an empty wallet.
    pub async fn open_wallet(&self, user: UserId) -> Result<Answer<Wallet>, Error> {
        expect_effect!(self.execute(wallet::Command::Open(user)).await?, Effect::Wallet(wallet) => wallet)
    }

    /// Takes a number in the lane for the user, or finds the live one (Q1, Q10).
    pub async fn enter(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        if self.booking.wallet(user).await?.is_none() {
            return Err(Refusal::UnknownUser.into());
        }
        match self.queue.enter(lane, user).await {
            Err(Error::Refused(Refusal::UnknownLane)) => {
                let record = self.booking.lane(lane).await?.ok_or(Refusal::UnknownLane)?;
                self.queue.configure(lane, &record.settings).await?;
                self.queue.enter(lane, user).await
            }
            answer => answer,
        }
    }

    /// Where the ticket stands (Q4).
    pub async fn place(&self, ticket: &Ticket) -> Result<Place, Error> {
        self.queue.place(ticket).await
    }

    /// Proves that the ticket's user may book now, and answers until when (Q6). The first proof starts the session.
    pub async fn admit(&self, ticket: &Ticket) -> Result<Timestamp, Error> {
        self.queue.claim(ticket).await
    }

    /// Leaves the lane, giving back what the ticket holds, and tells whether it held anything (Q9). Leaving twice changes
    /// nothing.
    pub async fn leave(&self, ticket: &Ticket) -> Result<bool, Error> {
        let gave_back = !self.execute(hold::Command::Leave(ticket.clone())).await?.replayed;
        match self.queue.finish(ticket, EndReason::Left).await {
            // Half of it is done; leaving again does the rest.
            Err(error) if gave_back => Err(StoreError::unknown_outcome(error.to_string()).into()),
            finished => Ok(finished.map(|()| gave_back)?),
        }
    }

    /// Holds seats for the ticket's user, all or none: these, or the best there are (H1, H2, H4, H7). `reservation` is the identity of what is made.
    pub async fn hold(
        &self,
        ticket: &Ticket,
        reservation: ReservationId,
        performance: PerformanceId,
        choice: impl Into<SeatChoice>,
    ) -> Result<Answer<Reservation>, Error> {
        let choice = choice.into();
        let place = hold::Command::Place { reservation, ticket: ticket.clone(), performance, choice };
        let outcome = if let Some(joint) = &self.joint {
            joint.book(Some(ticket), place.into()).await?
        } else {
            self.admit(ticket).await?;
            self.execute(place).await?
        };
        expect_effect!(outcome, Effect::Reservation(made) => made)
    }

    /// Gives a hold of the user's back (H6). The ticket may hold again.
    pub async fn release(
        &self,
        user: UserId,
        reservation: ReservationId,
    ) -> Result<Answer<Reservation>, Error> {
        let release = hold::Command::Release { reservation, user };
        expect_effect!(self.execute(release).await?, Effect::Reservation(released) => released)
    }

    /// Puts money into the user's wallet (W1). `entry` is the identity of the ledger line.
    pub async fn charge(&self, user: UserId, entry: EntryId, amount: Amount) -> Result<Answer<Entry>, Error> {
        let charge = wallet::Command::Charge { entry, user, amount };
        expect_effect!(self.execute(charge).await?, Effect::Entry(entry) => entry)
    }

    /// Pays a reservation with the ticket that made it: one atomic step moves the money, the seats and the ticket (P1).
    ///
    /// It needs no queue store: the ticket that made the reservation was admitted then (Q6). Only a ticket that has
    /// nothing to pay here is judged by its place first.
    pub async fn pay(&self, ticket: &Ticket, reservation: ReservationId) -> Result<Answer<Paid>, Error> {
        let pay = payment::Command::Pay { reservation, ticket: ticket.clone() };
        let answer = match &self.joint {
            Some(joint) => joint.book(None, pay.into()).await,
            None => self.execute(pay).await,
        };
        let outcome = match answer {
            Err(Error::Refused(refusal @ (Refusal::UnknownReservation | Refusal::WrongTicket))) => {
                self.admit(ticket).await?;
                return Err(refusal.into());
            }
            answer => answer?,
        };
        // The ending is on record with the payment: if the queue store fails now, `tend` carries it later.
        if self.joint.is_none()
            && !outcome.replayed
            && self.queue.finish(ticket, EndReason::Completed).await.is_ok()
        {
            self.booking.ack_endings(std::slice::from_ref(ticket)).await.ok();
        }
        expect_effect!(outcome, Effect::Payment { payment, balance } => Paid { payment, balance })
    }

    /// Gives a payment back: the money to the wallet, the seats to the sale. For operators.
    pub async fn refund(&self, payment: PaymentId) -> Result<Answer<Paid>, Error> {
        let outcome = self.execute(payment::Command::Refund(payment)).await?;
        expect_effect!(outcome, Effect::Payment { payment, balance } => Paid { payment, balance })
    }

    /// Adds concerts, or brings what there is up to date: all of them or none. For operators.
    pub async fn put_concerts(&self, drafts: Vec<ConcertDraft>) -> Result<Changes, Error> {
        let outcome = self.execute(catalog::Command::PutConcerts(drafts)).await?;
        expect_effect!(outcome, Effect::Catalog(changes) => changes).map(|answer| answer.value)
    }

    /// Adds a lane, or changes what the change names. For operators.
    pub async fn set_lane(&self, name: &LaneName, change: LaneChange) -> Result<Answer<LaneRecord>, Error> {
        let outcome = self.execute(catalog::Command::SetLane(name.clone(), change)).await?;
        let answer = expect_effect!(outcome, Effect::Lane(lane) => lane)?;
        // The settings are on record: if the queue store fails or ignores them now, `tend` tells it later. So it does with a
        // sold-out lane, since whoever marked it may not have looked at its stock again yet.
        if !answer.value.settings.sold_out {
            self.queue.configure(name, &answer.value.settings).await.ok();
        }
        Ok(answer)
    }
}

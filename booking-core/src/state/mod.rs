//! The working set the rules decide on: the whole world in memory, or only the rows a batch touches.

mod answer;
mod changes;
mod load;
#[cfg(test)]
mod precedence;
mod reads;
mod rows;
mod subset;
#[cfg(test)]
mod tests;

pub use changes::{ChangedRows, TakenSeats};
pub use load::Rows;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::NaiveDate;
use smallvec::SmallVec;

use crate::{
    Map, Table,
    catalog::{self, Concert, LaneSettings, Performance},
    command::Command,
    event::Event,
    hold::{self, Reservation, Seat, SeatNumber},
    id::{ConcertId, EntryId, PaymentId, PerformanceId, ReservationId, UserId},
    outcome::Outcome,
    payment::{self, Payment},
    policy::BookingPolicy,
    refusal::Refusal,
    ticket::{EndReason, LaneName, Ticket},
    time::Timestamp,
    wallet::{self, Entry, Wallet},
};

/// Rows by identity, and indexes that follow from them. It changes by [`State::evolve`] only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub(crate) policy: BookingPolicy,
    pub(crate) lanes: BTreeMap<LaneName, LaneSettings>,
    pub(crate) concerts: Table<Concert>,
    pub(crate) performances: Table<Performance>,
    /// The seats somebody has; one that nobody has is absent.
    pub(crate) seats: Map<PerformanceId, BTreeMap<SeatNumber, Seat>>,
    /// Shared with the events that made them, so that each is written once; a growing table moves pointers, not rows.
    pub(crate) reservations: Table<Arc<Reservation>>,
    pub(crate) wallets: Table<Wallet>,
    pub(crate) entries: Table<Entry>,
    pub(crate) payments: Table<Payment>,
    /// Endings of tickets the queue store has not acknowledged yet.
    pub(crate) endings: BTreeMap<Ticket, EndReason>,

    // Indexes.
    pub(crate) by_user: Map<UserId, Box<OfUser>>,
    pub(crate) by_concert: Map<ConcertId, BTreeSet<(Timestamp, PerformanceId)>>,
    pub(crate) by_date: BTreeMap<NaiveDate, BTreeSet<(Timestamp, PerformanceId)>>,
    pub(crate) concert_order: BTreeSet<(Timestamp, ConcertId)>,
    pub(crate) holds: BTreeSet<(Timestamp, ReservationId)>,
    /// How many of `seats` are sold.
    pub(crate) seats_sold: u64,
}

/// Mostly one: it takes no memory of its own then.
type Few<T> = SmallVec<[T; 1]>;

/// What a user has, in the order it came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OfUser {
    /// Reservations whose stored status is held or confirmed: those the limits look at.
    pub(crate) active: Few<ReservationId>,
    pub(crate) reservations: Few<ReservationId>,
    /// The last reservation of each ticket that made one. A table of tickets would take as much memory as reservations do.
    pub(crate) of_tickets: Few<ReservationId>,
    pub(crate) entries: Few<EntryId>,
    pub(crate) payments: Few<PaymentId>,
}

/// Whether `command` may happen at `now`, and what happens then. Pure: the same state, command and instant always
/// give the same answer. No events means that what is asked for is there already.
pub fn decide(state: &State, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    fn wrap<E: Into<Event>>(events: Vec<E>) -> Vec<Event> {
        events.into_iter().map(Into::into).collect()
    }
    match command {
        Command::Catalog(command) => catalog::decide(state, command, now).map(wrap),
        Command::Hold(command) => hold::decide(state, command, now).map(wrap),
        Command::Wallet(command) => wallet::decide(state, command, now).map(wrap),
        Command::Payment(command) => payment::decide(state, command, now),
    }
}

impl State {
    /// A state with nothing in it.
    pub fn new(policy: BookingPolicy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Follows an event. This is the only place where state changes.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::Catalog(event) => catalog::evolve(self, event),
            Event::Hold(event) => hold::evolve(self, event),
            Event::Wallet(event) => wallet::evolve(self, event),
            Event::Payment(event) => payment::evolve(self, event),
        }
    }

    /// The answer to a command that changes nothing, such as one that is refused or repeated; none for one that does.
    pub fn answer_unchanged(&self, command: &Command, now: Timestamp) -> Option<Result<Outcome, Refusal>> {
        match decide(self, command, now) {
            Ok(events) if events.is_empty() => Some(Ok(self.answer(command, &events, now))),
            Ok(_) => None,
            Err(refusal) => Some(Err(refusal)),
        }
    }

    /// The refusal of a hold that is refused to all, as the catalogue and its seats tell: for a ticket whose user has none of
    /// them, and an identity by which no reservation is there. None: it takes more to decide the command.
    pub fn refused_to_all(&self, command: &Command, now: Timestamp) -> Option<Refusal> {
        match command {
            Command::Hold(command) => hold::decide::refused_to_all(self, command, now),
            Command::Catalog(_) | Command::Wallet(_) | Command::Payment(_) => None,
        }
    }

    /// Decides a command and follows its events, which are returned with the answer.
    pub fn execute(&mut self, command: &Command, now: Timestamp) -> Result<(Outcome, Vec<Event>), Refusal> {
        let events = decide(self, command, now)?;
        for event in &events {
            self.evolve(event);
        }
        Ok((self.answer(command, &events, now), events))
    }
}

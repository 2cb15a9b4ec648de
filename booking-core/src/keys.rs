use std::collections::BTreeSet;

use crate::{
    catalog,
    command::Command,
    hold::{self, SeatChoice, SeatNumber},
    id::{ConcertId, EntryId, PaymentId, PerformanceId, ReservationId, UserId},
    payment,
    ticket::{LaneName, Ticket},
    wallet,
};

/// The rows that deciding a batch of commands reads and changes. A store that does not keep the whole state in
/// memory loads just these, following the immutable links payment → reservation → user, performance, seats, ticket.
/// None of them may change between that and the saving of what was decided: they are loaded under a lock that every batch
/// takes, or it is found out under that lock that they are as they were.
///
/// A user stands for the wallet and the reservations that are held or confirmed; a ticket for its last reservation;
/// a performance for its concert; a concert for its lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Users.
    pub users: BTreeSet<UserId>,
    /// Tickets.
    pub tickets: BTreeSet<Ticket>,
    /// Reservations.
    pub reservations: BTreeSet<ReservationId>,
    /// Payments.
    pub payments: BTreeSet<PaymentId>,
    /// Ledger lines.
    pub entries: BTreeSet<EntryId>,
    /// Seats.
    pub seats: BTreeSet<(PerformanceId, SeatNumber)>,
    /// Performances of which every seat is looked at, beyond those that [`seats`](Self::seats) names.
    pub all_seats: BTreeSet<PerformanceId>,
    /// Performances.
    pub performances: BTreeSet<PerformanceId>,
    /// Concerts.
    pub concerts: BTreeSet<ConcertId>,
    /// Lanes.
    pub lanes: BTreeSet<LaneName>,
}

impl Command {
    /// What deciding this command reads and changes.
    pub fn touches(&self) -> Keys {
        let mut keys = Keys::default();
        keys.add(self);
        keys
    }
}

impl Keys {
    /// What deciding any of these commands reads and changes.
    pub fn of<'a>(commands: impl IntoIterator<Item = &'a Command>) -> Self {
        let mut keys = Self::default();
        commands.into_iter().for_each(|command| keys.add(command));
        keys
    }

    fn add(&mut self, command: &Command) {
        match command {
            Command::Catalog(command) => self.add_catalog(command),
            Command::Hold(command) => self.add_hold(command),
            Command::Wallet(wallet::Command::Open(user)) => {
                self.users.insert(*user);
            }
            Command::Wallet(wallet::Command::Charge { entry, user, .. }) => {
                self.users.insert(*user);
                self.entries.insert(*entry);
            }
            Command::Payment(payment::Command::Pay { reservation, .. }) => {
                self.reservations.insert(*reservation);
            }
            Command::Payment(payment::Command::Refund(payment)) => {
                self.payments.insert(*payment);
            }
        }
    }

    fn add_catalog(&mut self, command: &catalog::Command) {
        match command {
            catalog::Command::PutConcerts(drafts) => {
                for draft in drafts {
                    self.concerts.insert(draft.id);
                    self.lanes.insert(draft.lane.clone());
                    self.performances.extend(draft.performances.iter().map(|performance| performance.id));
                }
            }
            catalog::Command::SetLane(lane, _)
            | catalog::Command::MarkSoldOut { lane, .. }
            | catalog::Command::LiftRevision { lane, .. } => {
                self.lanes.insert(lane.clone());
            }
        }
    }

    fn add_hold(&mut self, command: &hold::Command) {
        match command {
            hold::Command::Place { reservation, ticket, performance, choice } => {
                self.users.insert(ticket.user);
                self.tickets.insert(ticket.clone());
                self.reservations.insert(*reservation);
                self.performances.insert(*performance);
                match choice {
                    SeatChoice::Exact(seats) => {
                        self.seats.extend(seats.iter().map(|seat| (*performance, *seat)));
                    }
                    SeatChoice::Best(_) => {
                        self.all_seats.insert(*performance);
                    }
                }
            }
            hold::Command::Release { reservation, .. } | hold::Command::Expire(reservation) => {
                self.reservations.insert(*reservation);
            }
            hold::Command::Leave(ticket) => {
                self.tickets.insert(ticket.clone());
            }
        }
    }
}

//! Between rows, as stores keep them, and a [`State`].

use super::State;
use crate::{
    catalog::{Concert, LaneRecord, Performance},
    hold::{Reservation, Seat, SeatNumber},
    id::PerformanceId,
    keys::Keys,
    money::Money,
    payment::Payment,
    policy::BookingPolicy,
    ticket::{EndReason, Ticket},
    time::Timestamp,
    wallet::{Entry, Wallet},
};

/// Rows as stores keep them: a whole state, or what [`Keys`](crate::Keys) name of one. Each row stands here once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Lanes.
    pub lanes: Vec<LaneRecord>,
    /// Concerts.
    pub concerts: Vec<Concert>,
    /// Performances.
    pub performances: Vec<Performance>,
    /// The seats somebody has.
    pub seats: Vec<(PerformanceId, SeatNumber, Seat)>,
    /// Wallets.
    pub wallets: Vec<Wallet>,
    /// Reservations; those of one ticket in the order they were made, so that its last one is known.
    pub reservations: Vec<Reservation>,
    /// Ledger lines.
    pub entries: Vec<Entry>,
    /// Payments.
    pub payments: Vec<Payment>,
    /// Endings of tickets that are not acknowledged. Deciding does not need them: only a store that keeps its whole
    /// state in memory loads them.
    pub endings: Vec<(Ticket, EndReason)>,
}

impl Rows {
    /// What holds of named seats are presumed to find, but for the catalogue: their users are there, and nothing else is. A hold
    /// looks only at whether there is a wallet, so this one is empty.
    pub fn presumed(keys: &Keys, now: Timestamp) -> Self {
        let wallet = |user| Wallet { user, balance: Money::default(), entries: 0, opened_at: now };
        Self { wallets: keys.users.iter().copied().map(wallet).collect(), ..Self::default() }
    }

    /// Whether what was found for these keys is what such holds are presumed to find.
    pub fn are_presumed(&self, keys: &Keys) -> bool {
        self.reservations.is_empty() && self.seats.is_empty() && self.wallets.len() == keys.users.len()
    }
}

impl State {
    /// A state of these rows.
    pub fn load(policy: BookingPolicy, rows: Rows) -> Self {
        let mut state = Self::new(policy);
        state.add(rows);
        state
    }

    /// Adds rows that are not there yet, so that a large state need not be held twice while it is loaded.
    pub fn add(&mut self, rows: Rows) {
        self.lanes.extend(rows.lanes.into_iter().map(|lane| (lane.name, lane.settings)));
        rows.concerts.into_iter().for_each(|concert| self.put_concert(concert));
        rows.performances.into_iter().for_each(|performance| self.put_performance(performance));
        for of_performance in rows.seats.chunk_by(|(one, _, _), (other, _, _)| one == other) {
            let seats = of_performance.iter().map(|(_, number, seat)| (*number, *seat));
            self.put_new_seats(of_performance[0].0, seats.collect());
        }
        self.wallets.extend(rows.wallets);
        rows.reservations.into_iter().for_each(|reservation| self.put_reservation(reservation.into()));
        rows.entries.into_iter().for_each(|entry| self.put_entry(entry));
        rows.payments.into_iter().for_each(|payment| self.put_payment(payment));
        self.endings.extend(rows.endings);
    }

    /// The rows of this state, by identity; what a user has as it came to be.
    pub fn rows(&self) -> Rows {
        let mut users: Vec<_> = self.by_user.iter().collect();
        users.sort_unstable_by_key(|(user, _)| **user);
        let made = users.iter().flat_map(|(_, of_user)| &of_user.reservations);
        let written = users.iter().flat_map(|(_, of_user)| &of_user.entries);
        let paid = users.iter().flat_map(|(_, of_user)| &of_user.payments);
        let seats = self.seats.iter().flat_map(|(performance, seats)| {
            seats.iter().map(|(number, seat)| (*performance, *number, *seat))
        });
        let lane = |(name, settings): (&_, &_)| LaneRecord {
            name: Clone::clone(name),
            settings: Clone::clone(settings),
        };
        let mut rows = Rows {
            lanes: self.lanes.iter().map(lane).collect(),
            concerts: self.concerts.iter().cloned().collect(),
            performances: self.performances.iter().cloned().collect(),
            seats: seats.collect(),
            wallets: self.wallets.iter().cloned().collect(),
            reservations: made.filter_map(|id| self.reservation(*id)).cloned().collect(),
            entries: written.filter_map(|id| self.entries.get(id)).cloned().collect(),
            payments: paid.filter_map(|id| self.payments.get(id)).cloned().collect(),
            endings: self.endings.iter().map(|(ticket, reason)| (ticket.clone(), *reason)).collect(),
        };
        rows.concerts.sort_unstable_by_key(|concert| concert.id);
        rows.performances.sort_unstable_by_key(|performance| performance.id);
        rows.seats.sort_unstable_by_key(|(performance, number, _)| (*performance, *number));
        rows.wallets.sort_unstable_by_key(|wallet| wallet.user);
        rows
    }
}

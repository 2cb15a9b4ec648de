//! Which rows a batch changed, and to what: what a store saves.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use foldhash::fast::RandomState;

use super::State;
use crate::{
    catalog::{self, Concert, LaneRecord, Performance},
    event::Event,
    hold::{self, Reservation, Seat, SeatNumber, Seats, SeatsOf},
    id::{ConcertId, PaymentId, PerformanceId, ReservationId, UserId},
    payment::{self, Payment},
    ticket::{EndReason, LaneName, Ticket},
    wallet::{self, Entry, Wallet},
};

/// The rows that events changed, each once and as it is after the last of them, by identity. A row is new or changed,
/// never both: one that was made and moved on within the batch is new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedRows<'a> {
    /// Lanes, new or changed.
    pub lanes: Vec<LaneRecord>,
    /// Concerts that are new.
    pub concerts_added: Vec<&'a Concert>,
    /// Concerts that changed.
    pub concerts_changed: Vec<&'a Concert>,
    /// Performances that are new.
    pub performances_added: Vec<&'a Performance>,
    /// Performances that changed.
    pub performances_changed: Vec<&'a Performance>,
    /// Seats that nobody had and somebody has.
    pub seats_taken: Vec<(PerformanceId, SeatNumber, Seat)>,
    /// Seats that somebody else has now, or that are sold.
    pub seats_passed_on: Vec<(PerformanceId, SeatNumber, Seat)>,
    /// Seats that somebody had and nobody has any more.
    pub seats_freed: Vec<(PerformanceId, SeatNumber)>,
    /// Wallets that are new.
    pub wallets_opened: Vec<&'a Wallet>,
    /// Wallets whose balance changed.
    pub wallets_moved: Vec<&'a Wallet>,
    /// Ledger lines; they are always new. In the order they were written.
    pub entries: Vec<&'a Entry>,
    /// Reservations that are new, with their place in the log, in whose order they are: that of the event that made them,
    /// from 0.
    pub reservations_made: Vec<(usize, &'a Reservation)>,
    /// Reservations whose status changed.
    pub reservations_moved: Vec<&'a Reservation>,
    /// Payments that are new.
    pub payments_made: Vec<&'a Payment>,
    /// Payments that were given back.
    pub payments_refunded: Vec<&'a Payment>,
    /// How many seats more are sold than before.
    pub seats_sold: i64,
    /// Tickets that ended.
    pub endings: Vec<(&'a Ticket, EndReason)>,
}

/// The seats that somebody has: those of which there are rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenSeats(HashSet<(PerformanceId, SeatNumber), RandomState>);

/// What is known of a row that changed: whether it was made in this batch.
struct Touched<K>(BTreeMap<K, bool>);

impl<K> Default for Touched<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> Touched<K> {
    fn made(&mut self, key: K) {
        self.0.insert(key, true);
    }

    fn changed(&mut self, key: K) {
        self.0.entry(key).or_insert(false);
    }

    /// The rows found for the keys: those that are new, and those that changed.
    fn split<T>(self, find: impl Fn(&K) -> Option<T>) -> (Vec<T>, Vec<T>) {
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for (key, is_new) in self.0 {
            if is_new { &mut new } else { &mut changed }.extend(find(&key));
        }
        (new, changed)
    }
}

#[derive(Default)]
struct Fold<'a> {
    changes: ChangedRows<'a>,
    lanes: BTreeSet<&'a LaneName>,
    concerts: Touched<ConcertId>,
    performances: Touched<PerformanceId>,
    seats: BTreeSet<(PerformanceId, SeatNumber)>,
    wallets: Touched<UserId>,
    reservations: Touched<ReservationId>,
    made_at: BTreeMap<ReservationId, usize>,
    payments: Touched<PaymentId>,
    ended: BTreeSet<&'a Ticket>,
}

impl State {
    /// The seats that somebody has here: what [`changed_rows`](Self::changed_rows) has to know of the state before.
    pub fn taken_seats(&self) -> TakenSeats {
        let of_performances = self.seats.iter();
        let seats = of_performances.flat_map(|(id, seats)| seats.keys().map(|number| (*id, *number)));
        TakenSeats(seats.collect())
    }

    /// The rows that `events` changed, in this state, which has followed them. Which of its seats were taken before does not
    /// follow from them: a hold that has run out is passed on without a word.
    pub fn changed_rows<'a>(&'a self, events: &'a [Event], taken_before: &TakenSeats) -> ChangedRows<'a> {
        let mut fold = Fold::default();
        for (at, event) in events.iter().enumerate() {
            match event {
                Event::Catalog(event) => fold.catalog(event),
                Event::Hold(event) => fold.hold(at, event),
                Event::Wallet(event) => fold.wallet(self, event),
                Event::Payment(event) => fold.payment(event),
            }
            let ended = event.ends_ticket_of().and_then(|id| self.reservations.get(&id));
            fold.ended.extend(ended.map(|reservation| &reservation.ticket));
        }
        fold.finish(self, taken_before)
    }
}

fn count(seats: &Seats) -> i64 {
    seats.len().cast_signed() as i64
}

impl<'a> Fold<'a> {
    fn catalog(&mut self, event: &'a catalog::Event) {
        match event {
            catalog::Event::ConcertAdded(concert) => self.concerts.made(concert.id),
            catalog::Event::ConcertChanged(concert) => self.concerts.changed(concert.id),
            catalog::Event::PerformanceAdded(performance) => self.performances.made(performance.id),
            catalog::Event::PerformanceChanged(performance) => self.performances.changed(performance.id),
            catalog::Event::LaneSet { lane, .. } => {
                self.lanes.insert(&lane.name);
            }
        }
    }

    fn hold(&mut self, at: usize, event: &'a hold::Event) {
        match event {
            hold::Event::SeatsHeld(made) => {
                self.reservations.made(made.id);
                self.made_at.insert(made.id, at);
                self.seats.extend(made.seats.iter().map(|number| (made.performance, *number)));
            }
            hold::Event::HoldExpired(of) | hold::Event::HoldReleased(of) => self.moved(of),
            hold::Event::SeatsSold(of) => {
                self.moved(of);
                self.changes.seats_sold += count(&of.seats);
            }
            hold::Event::SeatsReturned(of) => {
                self.moved(of);
                self.changes.seats_sold -= count(&of.seats);
            }
        }
    }

    fn moved(&mut self, of: &SeatsOf) {
        self.reservations.changed(of.reservation);
        self.seats.extend(of.seats.iter().map(|number| (of.performance, *number)));
    }

    fn wallet(&mut self, state: &'a State, event: &'a wallet::Event) {
        match event {
            wallet::Event::WalletOpened { user, .. } => self.wallets.made(*user),
            wallet::Event::WalletCharged(entry)
            | wallet::Event::WalletDebited(entry)
            | wallet::Event::WalletRefunded(entry) => {
                self.wallets.changed(entry.user);
                self.changes.entries.extend(state.entries.get(&entry.id));
            }
        }
    }

    fn payment(&mut self, event: &'a payment::Event) {
        match event {
            payment::Event::PaymentMade(made) => self.payments.made(made.id),
            payment::Event::PaymentRefunded { payment, .. } => self.payments.changed(*payment),
        }
    }

    fn finish(self, state: &'a State, taken_before: &TakenSeats) -> ChangedRows<'a> {
        let mut changes = self.changes;
        let lane = |name: &&LaneName| {
            let settings = state.lanes.get(*name)?.clone();
            Some(LaneRecord { name: (*name).clone(), settings })
        };
        changes.lanes = self.lanes.iter().filter_map(lane).collect();
        (changes.concerts_added, changes.concerts_changed) = self.concerts.split(|id| state.concerts.get(id));
        (changes.performances_added, changes.performances_changed) =
            self.performances.split(|id| state.performances.get(id));
        for (performance, number) in self.seats {
            let was_taken = taken_before.0.contains(&(performance, number));
            let seat = state.seats.get(&performance).and_then(|seats| seats.get(&number));
            match (was_taken, seat) {
                (false, Some(seat)) => changes.seats_taken.push((performance, number, *seat)),
                (true, Some(seat)) => changes.seats_passed_on.push((performance, number, *seat)),
                (true, None) => changes.seats_freed.push((performance, number)),
                // Taken and given back within the batch.
                (false, None) => {}
            }
        }
        (changes.wallets_opened, changes.wallets_moved) = self.wallets.split(|id| state.wallets.get(id));
        let (made, moved) = self.reservations.split(|id| state.reservation(*id));
        let place = |made: &'a Reservation| (self.made_at.get(&made.id).copied().unwrap_or(0), made);
        changes.reservations_made = made.into_iter().map(place).collect();
        changes.reservations_made.sort_unstable_by_key(|(at, _)| *at);
        changes.reservations_moved = moved;
        (changes.payments_made, changes.payments_refunded) = self.payments.split(|id| state.payments.get(id));
        let ended = |ticket: &'a Ticket| Some((ticket, *state.endings.get(ticket)?));
        changes.endings = self.ended.into_iter().filter_map(ended).collect();
        changes
    }
}

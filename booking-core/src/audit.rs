//! Checks of what must always hold, on the rows of a store. Any store streams its rows into an [`Auditor`]; what is
//! checked stands here once. Each check is shown to fail on a planted fault.

mod checks;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::{
    Map, Table,
    catalog::Performance,
    hold::{Reservation, Seat, SeatNumber},
    id::{EntryId, PerformanceId, UserId},
    money::Money,
    payment::Payment,
    time::Timestamp,
    wallet::{Entry, Wallet},
};

/// The verdict over all checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// One line a check, in the order of the invariants.
    pub checks: Vec<Check>,
}

/// The verdict of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The invariant's number, `I1` and so on.
    pub invariant: &'static str,
    /// What was checked, in words.
    pub statement: &'static str,
    /// How many things were looked at.
    pub checked: u64,
    /// What is wrong, each naming the ids.
    pub violations: Vec<String>,
}

impl Audit {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.checks.iter().all(|check| check.violations.is_empty())
    }

    /// All that is wrong, each with its invariant.
    pub fn violations(&self) -> impl Iterator<Item = String> {
        let of = |check: &Check| {
            let invariant = check.invariant;
            let told: Vec<String> =
                check.violations.iter().map(|what| format!("{invariant}: {what}")).collect();
            told
        };
        self.checks.iter().flat_map(of)
    }
}

/// Takes rows in, in any order, and judges them together.
pub struct Auditor {
    now: Timestamp,
    max_balance: Money,
    performances: Table<Performance>,
    seats: Map<PerformanceId, BTreeMap<SeatNumber, Seat>>,
    wallets: Table<Wallet>,
    entries: Table<Entry>,
    ledgers: Map<UserId, BTreeMap<u64, EntryId>>,
    reservations: Table<Reservation>,
    payments: Table<Payment>,
    /// Identities that came twice, which no store may have.
    repeated: Vec<String>,
}

impl Auditor {
    /// An auditor that judges as of `now`, with the limit that binds charges.
    pub fn new(now: Timestamp, max_balance: Money) -> Self {
        Self {
            now,
            max_balance,
            performances: Table::default(),
            seats: Map::default(),
            wallets: Table::default(),
            entries: Table::default(),
            ledgers: Map::default(),
            reservations: Table::default(),
            payments: Table::default(),
            repeated: Vec::new(),
        }
    }

    fn note_repeat(&mut self, repeats: bool, what: impl FnOnce() -> String) {
        if repeats {
            self.repeated.push(format!("{} is stored twice", what()));
        }
    }

    /// Takes a performance in.
    pub fn performance(&mut self, performance: &Performance) {
        let old = self.performances.insert(performance.clone());
        self.note_repeat(old.is_some(), || format!("performance {}", performance.id));
    }

    /// Takes a seat that somebody has in.
    pub fn seat(&mut self, performance: PerformanceId, number: SeatNumber, seat: Seat) {
        let old = self.seats.get_or_default(performance).insert(number, seat);
        self.note_repeat(old.is_some(), || format!("seat {number} of performance {performance}"));
    }

    /// Takes a wallet in.
    pub fn wallet(&mut self, wallet: &Wallet) {
        let old = self.wallets.insert(wallet.clone());
        self.note_repeat(old.is_some(), || format!("the wallet of user {}", wallet.user));
    }

    /// Takes a ledger line in.
    pub fn entry(&mut self, entry: &Entry) {
        let old = self.ledgers.get_or_default(entry.user).insert(entry.number, entry.id);
        self.note_repeat(old.is_some(), || format!("entry number {} of user {}", entry.number, entry.user));
        let old = self.entries.insert(entry.clone());
        self.note_repeat(old.is_some(), || format!("entry {}", entry.id));
    }

    /// Takes a reservation in.
    pub fn reservation(&mut self, reservation: &Reservation) {
        let old = self.reservations.insert(reservation.clone());
        self.note_repeat(old.is_some(), || format!("reservation {}", reservation.id));
    }

    /// Takes a payment in.
    pub fn payment(&mut self, payment: &Payment) {
        let old = self.payments.insert(payment.clone());
        self.note_repeat(old.is_some(), || format!("payment {}", payment.id));
    }

    /// Judges what was taken in.
    pub fn finish(self) -> Audit {
        Audit { checks: checks::all(&self) }
    }
}

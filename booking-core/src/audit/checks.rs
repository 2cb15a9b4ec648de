use std::collections::BTreeMap;

use super::{Auditor, Check};
use crate::{
    hold::{Reservation, ReservationStatus as Status, Seat, SeatNumber},
    id::EntryId,
    ticket::Ticket,
    wallet::{Entry, EntryKind},
};

pub(super) fn all(rows: &Auditor) -> Vec<Check> {
    vec![
        one_owner_a_seat(rows),
        one_hold_a_seat(rows),
        paid_in_time(rows),
        sold_means_paid(rows),
        balance_is_the_sum(rows),
        money_is_conserved(rows),
        balances_in_range(rows),
        seats_payments_debits(rows),
        one_purchase_a_ticket(rows),
        ledgers_unbroken(rows),
    ]
}

/// Collects the violations of one check while counting what it looked at.
struct Finding(Check);

impl Finding {
    fn new(invariant: &'static str, statement: &'static str) -> Self {
        Self(Check { invariant, statement, checked: 0, violations: Vec::new() })
    }

    fn expect(&mut self, holds: bool, violation: impl FnOnce() -> String) {
        self.0.checked += 1;
        if !holds {
            self.0.violations.push(violation());
        }
    }
}

impl Auditor {
    fn seat_of(&self, reservation: &Reservation, number: SeatNumber) -> Option<&Seat> {
        self.seats.get(&reservation.performance)?.get(&number)
    }

    fn with_status(&self, status: Status) -> impl Iterator<Item = &Reservation> {
        self.reservations.iter().filter(move |reservation| reservation.status_at(self.now) == status)
    }

    fn all_seats(&self) -> impl Iterator<Item = (crate::id::PerformanceId, SeatNumber, &Seat)> {
        let of = |(id, seats): (&crate::id::PerformanceId, _)| (*id, seats);
        self.seats.iter().map(of).flat_map(|(id, seats): (_, &BTreeMap<SeatNumber, Seat>)| {
            seats.iter().map(move |(number, seat)| (id, *number, seat))
        })
    }
}

fn one_owner_a_seat(rows: &Auditor) -> Check {
    let mut finding =
        Finding::new("I1", "every sold seat has exactly one owner, whose reservation is confirmed");
    finding.0.violations.extend(rows.repeated.iter().cloned());
    for reservation in rows.with_status(Status::Confirmed) {
        for number in &reservation.seats {
            let seat = rows.seat_of(reservation, *number);
            let owned =
                seat.is_some_and(|seat| seat.reservation == reservation.id && seat.held_until.is_none());
            finding.expect(owned, || {
                format!("confirmed reservation {} does not own seat {number}", reservation.id)
            });
        }
    }
    for (performance, number, seat) in rows.all_seats() {
        let exists = rows.performances.get(&performance).is_some_and(|of| (1..=of.seats).contains(&number));
        finding.expect(exists, || format!("performance {performance} has no seat {number}"));
        let owner = rows.reservations.get(&seat.reservation);
        let named =
            owner.is_some_and(|owner| owner.performance == performance && owner.seats.contains(&number));
        finding
            .expect(named, || format!("seat {number} of {performance} names {} in vain", seat.reservation));
        let sold = seat.held_until.is_none();
        let confirmed = owner.is_some_and(|owner| owner.status == Status::Confirmed);
        finding.expect(sold == confirmed, || {
            format!(
                "seat {number} of {performance} and reservation {} disagree on the sale",
                seat.reservation
            )
        });
    }
    finding.0
}

fn one_hold_a_seat(rows: &Auditor) -> Check {
    let mut finding = Finding::new("I2", "every live hold has its seats, and every held seat a live hold");
    for reservation in rows.with_status(Status::Held) {
        for number in &reservation.seats {
            let seat = rows.seat_of(reservation, *number);
            let expected = Seat { reservation: reservation.id, held_until: Some(reservation.hold_until) };
            finding.expect(seat == Some(&expected), || {
                format!("live hold {} lost seat {number}", reservation.id)
            });
        }
    }
    for (performance, number, seat) in rows.all_seats() {
        if seat.held_until.is_some_and(|until| rows.now < until) {
            let owner = rows.reservations.get(&seat.reservation);
            let live = owner.is_some_and(|owner| owner.status_at(rows.now) == Status::Held);
            finding.expect(live, || format!("seat {number} of {performance} is held, but by no live hold"));
        }
    }
    finding.0
}

fn paid_in_time(rows: &Auditor) -> Check {
    let mut finding = Finding::new("I3", "every payment was made while its hold lasted");
    for payment in rows.payments.iter() {
        let Some(held) = rows.reservations.get(&payment.reservation) else { continue };
        let in_time = (held.created_at..held.hold_until).contains(&payment.paid_at);
        finding.expect(in_time, || {
            let Reservation { created_at, hold_until, .. } = held;
            format!("payment {} of {} is outside {created_at} to {hold_until}", payment.id, payment.paid_at)
        });
    }
    finding.0
}

fn sold_means_paid(rows: &Auditor) -> Check {
    let mut finding =
        Finding::new("I4", "no reservation is confirmed without payment, or expired and charged");
    for reservation in rows.reservations.iter() {
        let payment = rows.payments.get(&reservation.payment);
        // A payment that two reservations name pays one of them.
        let refunded = payment
            .filter(|payment| payment.reservation == reservation.id)
            .map(|payment| payment.refunded_at.is_some());
        let fits = match reservation.status {
            Status::Confirmed => refunded == Some(false),
            Status::Refunded => refunded == Some(true),
            Status::Held | Status::Expired | Status::Released => payment.is_none(),
        };
        finding.expect(fits, || {
            format!("{} reservation {} and its payment disagree", reservation.status.as_str(), reservation.id)
        });
    }
    finding.0
}

fn signed(entry: &Entry) -> i128 {
    let amount = i128::from(entry.amount.units());
    if matches!(entry.kind, EntryKind::Debit(_)) { -amount } else { amount }
}

fn balance_is_the_sum(rows: &Auditor) -> Check {
    let mut finding = Finding::new("I6", "every balance is the sum of its entries");
    for wallet in rows.wallets.iter() {
        let ledger = rows.ledgers.get(&wallet.user).into_iter().flat_map(BTreeMap::values);
        let sum: i128 = ledger.filter_map(|id| rows.entries.get(id)).map(signed).sum();
        let balance = i128::from(wallet.balance.units());
        finding.expect(sum == balance, || {
            format!("user {} has a balance of {balance}, but entries of {sum}", wallet.user)
        });
    }
    finding.0
}

fn money_is_conserved(rows: &Auditor) -> Check {
    let mut finding = Finding::new("I7", "charges - payments + refunds = the sum of all balances");
    let moved: i128 = rows.entries.iter().map(signed).sum();
    let balances: i128 = rows.wallets.iter().map(|wallet| i128::from(wallet.balance.units())).sum();
    finding.expect(moved == balances, || format!("entries sum up to {moved}, balances to {balances}"));
    for entry in rows.entries.iter() {
        finding.expect(rows.wallets.contains(&entry.user), || format!("entry {} has no wallet", entry.id));
    }
    finding.0
}

fn balances_in_range(rows: &Auditor) -> Check {
    let mut finding = Finding::new("I8", "no charge brought a balance over the limit, and none is negative");
    for entry in rows.entries.iter() {
        let bound = entry.kind == EntryKind::Charge;
        let fits = entry.balance_after.units() >= 0 && (!bound || entry.balance_after <= rows.max_balance);
        finding.expect(fits, || format!("entry {} left a balance of {}", entry.id, entry.balance_after));
    }
    finding.0
}

fn seats_payments_debits(rows: &Auditor) -> Check {
    let mut finding = Finding::new("I9", "confirmed reservations, payments and debits are one to one to one");
    for payment in rows.payments.iter() {
        let debit = rows.entries.get(&EntryId::debit_of(payment.id));
        let debited = debit.is_some_and(|debit| {
            debit.kind == EntryKind::Debit(payment.id)
                && (debit.user, debit.amount) == (payment.user, payment.amount)
        });
        finding.expect(debited, || format!("payment {} has no debit of its amount", payment.id));
        let refund = rows.entries.get(&EntryId::refund_of(payment.id));
        let given_back = match (payment.refunded_at, refund) {
            (None, None) => true,
            (Some(_), Some(refund)) => {
                refund.kind == EntryKind::Refund(payment.id)
                    && (refund.user, refund.amount) == (payment.user, payment.amount)
            }
            (None, Some(_)) | (Some(_), None) => false,
        };
        finding.expect(given_back, || format!("payment {} and its refund disagree", payment.id));
        let paid = rows.reservations.get(&payment.reservation).is_some_and(|paid| {
            paid.payment == payment.id && (paid.user, paid.amount) == (payment.user, payment.amount)
        });
        finding.expect(paid, || format!("payment {} does not fit its reservation", payment.id));
    }
    for entry in rows.entries.iter() {
        let made = entry.kind.payment().is_none_or(|payment| rows.payments.contains(&payment));
        finding.expect(made, || format!("{} entry {} has no payment", entry.kind.as_str(), entry.id));
        // A second debit or refund of a payment would have another identity than the one that follows from it.
        let only = match entry.kind {
            EntryKind::Charge => true,
            EntryKind::Debit(payment) => entry.id == EntryId::debit_of(payment),
            EntryKind::Refund(payment) => entry.id == EntryId::refund_of(payment),
        };
        finding.expect(only, || format!("{} entry {} is one too many", entry.kind.as_str(), entry.id));
    }
    finding.0
}

fn one_purchase_a_ticket(rows: &Auditor) -> Check {
    let mut finding =
        Finding::new("I10", "one ticket buys once: at most one reservation of it was not given back");
    let mut bought: BTreeMap<&Ticket, &Reservation> = BTreeMap::new();
    for reservation in rows.reservations.iter().filter(|made| made.status != Status::Released) {
        let other = bought.insert(&reservation.ticket, reservation);
        finding.expect(other.is_none(), || {
            let other = other.map(|other| other.id.to_string()).unwrap_or_default();
            format!("reservations {} and {other} were made with one ticket", reservation.id)
        });
    }
    finding.0
}

fn ledgers_unbroken(rows: &Auditor) -> Check {
    let mut finding =
        Finding::new("I11", "every ledger is numbered without a gap, each line following from the last");
    for wallet in rows.wallets.iter() {
        let (mut number, mut balance) = (0_u64, 0_i128);
        let ledger = rows.ledgers.get(&wallet.user).into_iter().flat_map(BTreeMap::values);
        for entry in ledger.filter_map(|id| rows.entries.get(id)) {
            balance += signed(entry);
            number += 1;
            let follows = entry.number == number && i128::from(entry.balance_after.units()) == balance;
            finding.expect(follows, || format!("entry {} does not follow from the one before it", entry.id));
        }
        finding.expect(wallet.entries == number, || {
            format!("user {} should have {} entries, but has {number}", wallet.user, wallet.entries)
        });
    }
    finding.0
}

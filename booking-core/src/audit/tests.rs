//! Each check against a world it must pass and faults it must report. A check that can't fail is a defect.

use std::collections::BTreeSet;

use super::{Audit, Auditor};
use crate::{
    catalog::Performance,
    fixture::*,
    hold::{Reservation, ReservationStatus, Seat, SeatNumber},
    id::{EntryId, PaymentId, PerformanceId, ReservationId},
    payment::Payment,
    wallet::{Entry, EntryKind, Wallet},
};

/// The rows of a store, to plant faults in.
struct Rows {
    world: World,
    performances: Vec<Performance>,
    seats: Vec<(PerformanceId, SeatNumber, Seat)>,
    wallets: Vec<Wallet>,
    entries: Vec<Entry>,
    reservations: Vec<Reservation>,
    payments: Vec<Payment>,
}

impl Rows {
    /// A world with something in every state: reservation 1 is paid, 2 refunded, 3 released, 4 ran out unswept, 5 ran
    /// out and was swept, 6 holds seats 6 and 7.
    fn clean() -> Self {
        let mut world = World::with(policy(9, 9));
        world.buy(1, &ticket(1, 1), &[1, 2]);
        world.buy(2, &ticket(1, 2), &[3]);
        world.refund(2).unwrap();
        world.hold(3, &ticket(2, 3), &[3]).unwrap();
        world.release(3, 2).unwrap();
        world.hold(4, &ticket(2, 4), &[4]).unwrap();
        world.hold(5, &ticket(2, 5), &[5]).unwrap();
        world.pass(HOLD_TTL);
        world.expire(5);
        world.hold(6, &ticket(3, 6), &[6, 7]).unwrap();
        let state = world.state.clone();
        let mut entries: Vec<_> = state.entries.iter().cloned().collect();
        entries.sort_by_key(|entry| (entry.user, entry.number));
        let seats = state.seats.iter().flat_map(|(performance, seats)| {
            seats.iter().map(|(number, seat)| (*performance, *number, *seat))
        });
        Self {
            performances: state.performances.iter().cloned().collect(),
            seats: seats.collect(),
            wallets: state.wallets.iter().cloned().collect(),
            entries,
            reservations: state.reservations.iter().map(|made| (**made).clone()).collect(),
            payments: state.payments.iter().cloned().collect(),
            world,
        }
    }

    fn audit(&self) -> Audit {
        let mut auditor = Auditor::new(self.world.now, self.world.state.policy.max_balance);
        self.performances.iter().for_each(|row| auditor.performance(row));
        self.seats.iter().for_each(|(performance, number, seat)| auditor.seat(*performance, *number, *seat));
        self.wallets.iter().for_each(|row| auditor.wallet(row));
        self.entries.iter().for_each(|row| auditor.entry(row));
        self.reservations.iter().for_each(|row| auditor.reservation(row));
        self.payments.iter().for_each(|row| auditor.payment(row));
        auditor.finish()
    }

    fn seat(&mut self, number: SeatNumber) -> &mut Seat {
        self.seats.iter_mut().find(|(_, of, _)| *of == number).map(|(_, _, seat)| seat).unwrap()
    }

    fn reservation(&mut self, n: u128) -> &mut Reservation {
        self.reservations.iter_mut().find(|row| row.id == reservation(n)).unwrap()
    }

    fn payment(&mut self, n: u128) -> &mut Payment {
        self.payments.iter_mut().find(|row| row.id == payment(n)).unwrap()
    }

    fn wallet(&mut self, n: u128) -> &mut Wallet {
        self.wallets.iter_mut().find(|row| row.user == user(n)).unwrap()
    }

    fn entry(&mut self, id: EntryId) -> &mut Entry {
        self.entries.iter_mut().find(|row| row.id == id).unwrap()
    }

    /// Appends a line that follows from the last one of user 1's ledger.
    fn append(&mut self, id: EntryId, kind: EntryKind, units: i64) {
        let wallet = self.wallet(1);
        wallet.entries += 1;
        let sign = if matches!(kind, EntryKind::Debit(_)) { -1 } else { 1 };
        wallet.balance = money(wallet.balance.units() + sign * units);
        let (number, balance_after, user) = (wallet.entries, wallet.balance, wallet.user);
        self.entries.push(Entry { id, user, number, kind, amount: money(units), balance_after, at: START });
    }
}

/// The invariants that the audit finds broken after the fault was planted.
fn found(plant: impl FnOnce(&mut Rows)) -> BTreeSet<&'static str> {
    let mut rows = Rows::clean();
    plant(&mut rows);
    let audit = rows.audit();
    assert_eq!(audit.is_clean(), audit.violations().next().is_none());
    audit.checks.iter().filter(|check| !check.violations.is_empty()).map(|check| check.invariant).collect()
}

#[test]
fn a_clean_world_passes_every_check_and_every_check_looks_at_something() {
    let audit = Rows::clean().audit();
    assert_eq!(audit.violations().collect::<Vec<_>>(), Vec::<String>::new());
    let looked_at: Vec<_> = audit.checks.iter().map(|check| (check.invariant, check.checked > 0)).collect();
    let all = ["I1", "I2", "I3", "I4", "I6", "I7", "I8", "I9", "I10", "I11"];
    assert_eq!(looked_at, all.map(|invariant| (invariant, true)));
}

#[test]
fn a_world_with_nothing_in_it_is_clean() {
    assert!(Auditor::new(START, money(0)).finish().is_clean());
}

#[test]
fn a_violation_names_its_invariant_and_the_ids() {
    let mut rows = Rows::clean();
    rows.seats.retain(|(_, number, _)| *number != 1);
    let told: Vec<_> = rows.audit().violations().collect();
    assert_eq!(told, [format!("I1: confirmed reservation {} does not own seat 1", reservation(1))]);
}

#[test]
fn i1_reports_a_sold_seat_that_is_gone_or_has_another_owner() {
    assert!(found(|rows| rows.seats.retain(|(_, number, _)| *number != 1)).contains("I1"));
    assert!(found(|rows| rows.seat(1).reservation = reservation(6)).contains("I1"));
    assert!(found(|rows| rows.seat(1).held_until = Some(START.after(LEAD))).contains("I1"));
}

#[test]
fn i1_reports_a_seat_sold_twice() {
    let twice = |rows: &mut Rows| {
        let second = Reservation {
            id: reservation(9),
            ticket: ticket(4, 9),
            user: user(4),
            ..rows.reservation(1).clone()
        };
        rows.reservations.push(second);
    };
    assert!(found(twice).contains("I1"));
    assert!(found(|rows| rows.seats.push(rows.seats[0])).contains("I1"), "a seat stored twice");
}

#[test]
fn i1_reports_a_sold_seat_whose_reservation_is_not_confirmed() {
    assert!(found(|rows| rows.seat(6).held_until = None).contains("I1"));
    assert!(found(|rows| rows.reservation(6).status = ReservationStatus::Confirmed).contains("I1"));
}

#[test]
fn i1_reports_a_seat_that_does_not_exist_or_names_nobody() {
    assert!(found(|rows| rows.performances[0].seats = 5).contains("I1"));
    assert!(found(|rows| rows.performances.clear()).contains("I1"));
    assert!(found(|rows| rows.seat(6).reservation = ReservationId::random()).contains("I1"));
    assert!(found(|rows| rows.reservation(6).seats = [6].into_iter().collect()).contains("I1"));
}

#[test]
fn i1_reports_every_row_that_is_stored_twice() {
    let repeats: [fn(&mut Rows); 5] = [
        |rows| rows.performances.push(rows.performances[0].clone()),
        |rows| rows.wallets.push(rows.wallets[0].clone()),
        |rows| rows.entries.push(rows.entries[0].clone()),
        |rows| rows.reservations.push(rows.reservations[0].clone()),
        |rows| rows.payments.push(rows.payments[0].clone()),
    ];
    for (at, repeat) in repeats.into_iter().enumerate() {
        assert!(found(repeat).contains("I1"), "repeat {at}");
    }
}

#[test]
fn i2_reports_a_live_hold_without_its_seat() {
    assert!(found(|rows| rows.seats.retain(|(_, number, _)| *number != 6)).contains("I2"));
    assert!(found(|rows| rows.seat(6).reservation = reservation(4)).contains("I2"));
    assert!(found(|rows| rows.seat(6).held_until = Some(START.after(LEAD))).contains("I2"));
}

#[test]
fn i2_reports_two_live_holds_of_one_seat() {
    let twice = |rows: &mut Rows| {
        let second = Reservation {
            id: reservation(9),
            ticket: ticket(4, 9),
            user: user(4),
            ..rows.reservation(6).clone()
        };
        rows.reservations.push(second);
    };
    assert_eq!(found(twice), ["I2"].into());
}

#[test]
fn i2_reports_a_seat_that_stays_held_after_its_hold_ended() {
    assert_eq!(found(|rows| rows.reservation(6).status = ReservationStatus::Released), ["I2"].into());
    assert_eq!(found(|rows| rows.reservation(6).status = ReservationStatus::Expired), ["I2"].into());
}

#[test]
fn i2_reports_a_seat_that_is_held_longer_than_its_hold() {
    let until = |rows: &mut Rows| rows.world.now.after(HOLD_TTL);
    assert_eq!(found(|rows| rows.seat(4).held_until = Some(until(rows))), ["I2"].into());
}

#[test]
fn i3_reports_a_payment_before_its_hold_or_at_its_end() {
    let (made, ends) = (START, START.after(HOLD_TTL));
    for n in [1, 2] {
        for paid_at in [made.before(MICRO), ends, ends.after(MICRO)] {
            let found = found(|rows| rows.payment(n).paid_at = paid_at);
            assert_eq!(found, ["I3"].into(), "payment {n} at {paid_at}");
        }
        for paid_at in [made, ends.before(MICRO)] {
            let found = found(|rows| rows.payment(n).paid_at = paid_at);
            assert_eq!(found, BTreeSet::new(), "payment {n} at {paid_at}");
        }
    }
}

#[test]
fn i4_reports_two_sales_that_name_one_payment() {
    let twice = |rows: &mut Rows| {
        let second = Reservation {
            id: reservation(9),
            ticket: ticket(4, 9),
            seats: [20].into_iter().collect(),
            ..rows.reservation(1).clone()
        };
        let sold = Seat { reservation: second.id, held_until: None };
        rows.seats.push((second.performance, 20, sold));
        rows.reservations.push(second);
    };
    assert_eq!(found(twice), ["I4"].into());
}

#[test]
fn i4_reports_a_sale_without_payment_and_an_expiry_that_was_charged() {
    assert!(found(|rows| rows.payments.retain(|row| row.id != payment(1))).contains("I4"));
    assert!(found(|rows| rows.reservation(1).status = ReservationStatus::Expired).contains("I4"));
    assert!(found(|rows| rows.reservation(2).status = ReservationStatus::Released).contains("I4"));
}

#[test]
fn i4_reports_a_refund_on_one_side_only() {
    assert!(found(|rows| rows.payment(2).refunded_at = None).contains("I4"));
    assert!(found(|rows| rows.payment(1).refunded_at = Some(START)).contains("I4"));
    assert!(found(|rows| rows.reservation(2).status = ReservationStatus::Confirmed).contains("I4"));
}

#[test]
fn i6_reports_a_balance_that_is_not_the_sum_of_its_entries() {
    assert!(found(|rows| rows.wallet(1).balance = money(1)).contains("I6"));
    assert!(found(|rows| rows.wallet(4).balance = money(1)).contains("I6"), "a wallet without entries");
    assert!(found(|rows| rows.entry(entry(0x101)).amount = money(1)).contains("I6"));
}

#[test]
fn i7_reports_money_that_came_from_nowhere_or_went_there() {
    assert!(found(|rows| rows.wallet(1).balance = money(PRICE + 1)).contains("I7"));
    assert!(found(|rows| rows.wallets.retain(|row| row.user != user(1))).contains("I7"));
}

#[test]
fn money_moved_from_one_wallet_to_another_is_no_matter_of_the_total_but_of_the_wallets() {
    let moved = found(|rows| {
        rows.append(entry(9), EntryKind::Charge, PRICE);
        rows.wallet(1).balance = money(PRICE);
        rows.wallet(2).balance = money(PRICE);
    });
    assert_eq!(moved, ["I6"].into());
}

#[test]
fn i8_reports_a_charge_beyond_the_limit_and_lets_a_refund_exceed_it() {
    let limited = |rows: &mut Rows, most| rows.world.state.policy.max_balance = money(most);
    assert_eq!(found(|rows| limited(rows, 2 * PRICE - 1)), ["I8"].into());
    assert_eq!(found(|rows| limited(rows, 2 * PRICE)), BTreeSet::new());
    let refunded_beyond = found(|rows| {
        rows.append(entry(9), EntryKind::Charge, PRICE);
        limited(rows, 2 * PRICE);
    });
    assert_eq!(refunded_beyond, BTreeSet::new());
}

#[test]
fn i9_reports_a_payment_without_its_debit_or_with_another_one() {
    let debit = || EntryId::debit_of(payment(1));
    assert!(found(|rows| rows.entries.retain(|row| row.id != debit())).contains("I9"));
    assert!(found(|rows| rows.entry(debit()).amount = money(1)).contains("I9"));
    assert!(found(|rows| rows.entry(debit()).user = user(2)).contains("I9"));
    assert!(found(|rows| rows.entry(debit()).kind = EntryKind::Charge).contains("I9"));
}

#[test]
fn i9_reports_a_second_debit_or_refund_of_one_payment() {
    let charged_twice = found(|rows| {
        rows.append(entry(9), EntryKind::Charge, PRICE);
        rows.append(entry(10), EntryKind::Debit(payment(1)), PRICE);
    });
    assert_eq!(charged_twice, ["I9"].into());
    let refunded_twice = found(|rows| rows.append(entry(9), EntryKind::Refund(payment(2)), PRICE));
    assert_eq!(refunded_twice, ["I9"].into());
}

#[test]
fn i9_reports_a_refund_that_is_missing_wrong_or_unasked_for() {
    let refund = || EntryId::refund_of(payment(2));
    assert!(found(|rows| rows.entries.retain(|row| row.id != refund())).contains("I9"));
    assert!(found(|rows| rows.entry(refund()).amount = money(1)).contains("I9"));
    assert_eq!(found(|rows| rows.entry(refund()).kind = EntryKind::Charge), ["I9"].into());
    let unasked = |rows: &mut Rows| {
        let id = EntryId::refund_of(payment(1));
        rows.append(id, EntryKind::Refund(payment(1)), 2 * PRICE);
    };
    assert_eq!(found(unasked), ["I9"].into());
}

#[test]
fn i9_reports_a_payment_of_no_or_another_reservation_and_a_debit_of_no_payment() {
    assert!(found(|rows| rows.reservations.retain(|row| row.id != reservation(1))).contains("I9"));
    assert!(found(|rows| rows.payment(1).reservation = reservation(6)).contains("I9"));
    assert!(found(|rows| rows.reservation(1).amount = money(1)).contains("I9"));
    let second = |rows: &mut Rows| {
        let copy = Payment { id: PaymentId::random(), ..rows.payment(1).clone() };
        rows.payments.push(copy);
    };
    assert_eq!(found(second), ["I9"].into());
    assert!(found(|rows| rows.payments.retain(|row| row.id != payment(2))).contains("I9"));
}

#[test]
fn i10_reports_a_ticket_that_bought_or_holds_twice() {
    for n in [2, 4, 5, 6] {
        assert_eq!(
            found(|rows| rows.reservation(n).ticket = ticket(1, 1)),
            ["I10"].into(),
            "reservation {n}"
        );
    }
    assert_eq!(found(|rows| rows.reservation(3).ticket = ticket(1, 1)), BTreeSet::new(), "released");
}

#[test]
fn i11_reports_a_gap_and_a_line_that_does_not_follow() {
    assert!(found(|rows| rows.entries.retain(|row| row.id != entry(0x101))).contains("I11"));
    assert_eq!(found(|rows| rows.entry(entry(0x101)).balance_after = money(1)), ["I11"].into());
    assert_eq!(found(|rows| rows.wallet(1).entries += 1), ["I11"].into());
    let renumbered = |rows: &mut Rows| rows.entries.iter_mut().for_each(|row| row.number += 1);
    assert_eq!(found(renumbered), ["I11"].into());
}

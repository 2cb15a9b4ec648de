use booking_api::Code;
use booking_core::Event;
use uuid::Uuid;

use super::{found, only, world::*};
use crate::history::{Act, ChargedFact, Fact, Heard, HeldFact};

const HOLD_TAKEN: Act = Act::Hold { key: 2, performance: SHOW, seat: 1 };

#[test]
fn i20_finds_a_refused_hold_that_was_made_all_the_same() {
    let found = found(|evidence| log(evidence, logged_hold(1, 2, 3, 4_205)));
    assert_eq!(found, only("I20"));
}

#[test]
fn i20_finds_an_acknowledged_hold_that_is_gone() {
    let found = found(|evidence| {
        let gone = logged_hold(1, 3, 2, 4_305);
        evidence.books.events.retain(|recorded| recorded.event != gone);
    });
    assert_eq!(found, only("I20"));
}

#[test]
fn i20_finds_a_reservation_that_nobody_asked_for() {
    let found = found(|evidence| log(evidence, logged_hold(1, 77, 3, 4_205)));
    assert_eq!(found, only("I20"));
}

#[test]
fn i20_finds_a_hold_of_something_else_than_was_asked_for() {
    let parts: [fn(&mut HeldFact); 4] = [
        |held| held.seat = 3,
        |held| held.performance = Uuid::from_u128(1),
        |held| held.amount += 1,
        |held| held.reservation = reservation(1, 99),
    ];
    for (index, part) in parts.into_iter().enumerate() {
        let found = found(|evidence| part(held_by(evidence, 1)));
        assert!(found.contains("I20"), "part {index}: {found:?}");
    }
    let logged = found(|evidence| {
        let is_hold = |event: &Event| *event == logged_hold(1, 3, 2, 4_305);
        let event = evidence.books.events.iter_mut().find(|recorded| is_hold(&recorded.event));
        event.unwrap().event = logged_hold(1, 3, 4, 4_305);
    });
    assert!(logged.contains("I20"), "{logged:?}");
    let price = found(|evidence| evidence.terms.price += 1);
    assert_eq!(price, only("I20"));
}

#[test]
fn i20_finds_a_payment_or_a_charge_of_another_amount() {
    assert!(found(|evidence| paid(evidence, 0).amount += 1).contains("I20"));
    let charged = found(|evidence| {
        record(evidence, 1, 4_100).act = Act::Charge { key: 1, amount: PRICE + 1 };
    });
    assert_eq!(charged, only("I20"));
}

#[test]
fn i20_takes_a_hold_of_unknown_outcome_either_way() {
    let lost = found(|evidence| evidence.history.push(seen(1, 4_210, HOLD_TAKEN, Heard::Unknown("lost"))));
    assert_eq!(lost, super::BTreeSet::new());
    let made = found(|evidence| {
        let hold = Act::Hold { key: 2, performance: SHOW, seat: 3 };
        evidence.history.push(seen(1, 4_210, hold, Heard::Unknown("lost")));
        log(evidence, logged_hold(1, 2, 3, 4_205));
    });
    assert_eq!(made, super::BTreeSet::new());
}

#[test]
fn i21_finds_a_key_with_two_effects() {
    assert_eq!(found(|evidence| log(evidence, logged_charge(1, 1))), only("I21"));
}

#[test]
fn i21_finds_a_key_with_two_answers() {
    let found = found(|evidence| {
        let other = ChargedFact { entry: entry(0, 1), amount: PRICE, balance: PRICE };
        let heard = Heard::Acknowledged(Fact::Charged(other));
        evidence.history.push(seen(1, 4_150, Act::Charge { key: 1, amount: PRICE }, heard));
    });
    assert!(found.contains("I21"), "{found:?}");
}

#[test]
fn i21_finds_payments_of_one_reservation_that_differ() {
    let found = found(|evidence| {
        let mut again = record(evidence, 0, 2_500).clone();
        again.sent += 50_000;
        again.answered += 50_000;
        if let Heard::Acknowledged(Fact::Paid(paid)) = &mut again.heard {
            paid.paid_at += 10_000;
        }
        evidence.history.push(again);
    });
    assert!(found.contains("I21"), "{found:?}");
}

#[test]
fn a_refusal_of_one_try_is_no_matter_when_another_was_acknowledged() {
    let found = found(|evidence| {
        let act = Act::Hold { key: 3, performance: SHOW, seat: 2 };
        evidence.history.push(seen(1, 4_250, act, Heard::Refused(Code::StoreUnavailable)));
    });
    assert_eq!(found, super::BTreeSet::new());
}

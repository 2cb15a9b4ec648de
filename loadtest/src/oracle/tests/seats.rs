use booking_api::Code;
use booking_core::hold;

use super::{found, only, world::*};
use crate::history::{Act, Fact, Heard, PaidFact, Probe};

/// What person 1 would hear had the hold of key 3 been paid.
fn second_payment() -> PaidFact {
    PaidFact {
        payment: uuid::Uuid::from_u128(1),
        reservation: reservation(1, 3),
        amount: PRICE,
        balance: 0,
        paid_at: held(1, 3, 1, 4_305).created_at + 1_000,
        replayed: false,
    }
}

#[test]
fn i1_finds_a_seat_that_two_people_were_told_is_theirs() {
    let found = found(|evidence| {
        held_by(evidence, 1).seat = 1;
        let paid = Heard::Acknowledged(Fact::Paid(second_payment()));
        evidence.history.push(seen(1, 4_310, Act::Pay(reservation(1, 3)), paid));
    });
    assert!(found.contains("I1"), "{found:?}");
}

#[test]
fn i1_finds_a_seat_that_the_log_sells_twice() {
    let found = found(|evidence| log(evidence, hold::Event::SeatsSold(seats_of(1, 3, 1, 4_500)).into()));
    assert!(found.contains("I1"), "{found:?}");
}

#[test]
fn i2_finds_holds_of_one_seat_at_the_same_time() {
    let heard = found(|evidence| held_by(evidence, 1).seat = 1);
    assert_eq!(heard, ["I2", "I20"].map(Into::into).into(), "it is not what was asked for, besides");
    let logged = found(|evidence| {
        log(evidence, logged_hold(1, 9, 3, 5_000));
        log(evidence, logged_hold(0, 9, 3, 5_001));
    });
    assert!(logged.contains("I2"), "{logged:?}");
}

#[test]
fn i2_finds_that_somebody_else_could_pay() {
    let done = Heard::Acknowledged(Fact::Plain);
    assert_eq!(found(|evidence| record(evidence, 2, 2_300).heard = done), only("I2"));
}

#[test]
fn i2_lets_a_seat_be_held_again_when_it_was_given_back() {
    let again = |evidence: &mut super::Evidence| {
        let hold = Act::Hold { key: 9, performance: SHOW, seat: 2 };
        let heard = Heard::Acknowledged(Fact::Held(held(0, 9, 2, 4_505)));
        evidence.history.push(seen(0, 4_500, hold, heard));
        log(evidence, logged_hold(0, 9, 2, 4_505));
    };
    let found = found(again);
    assert!(!found.contains("I2"), "{found:?}");
}

#[test]
fn i3_finds_a_payment_after_the_end_of_the_hold() {
    // At the end itself the hold is gone.
    assert_eq!(found(|evidence| paid(evidence, 0).paid_at = held(0, 2, 1, 2_205).until - 1), only("I5"));
    let late = found(|evidence| paid(evidence, 0).paid_at = held(0, 2, 1, 2_205).until);
    assert!(late.contains("I3"), "{late:?}");
}

#[test]
fn i4_finds_a_hold_that_is_both_paid_and_expired() {
    let expired = found(|evidence| log(evidence, hold::Event::HoldExpired(seats_of(0, 2, 1, 9_000)).into()));
    assert_eq!(expired, only("I4"));
    let refused = found(|evidence| {
        record(evidence, 0, 2_500).heard = Heard::Refused(booking_api::Code::HoldExpired);
    });
    assert!(refused.contains("I4"), "{refused:?}");
}

#[test]
fn i5_finds_two_clocks_and_holds_of_different_length() {
    let hour = found(|evidence| {
        let held = held_by(evidence, 1);
        held.created_at += 3_600_000_000;
        held.until += 3_600_000_000;
    });
    assert_eq!(hour, only("I5"));
    assert_eq!(found(|evidence| held_by(evidence, 1).until += 1), only("I5"));
}

#[test]
fn i17_finds_tokens_that_are_good_for_what_they_must_not_be() {
    let forged = found(|evidence| record(evidence, 2, 2_350).heard = Heard::Acknowledged(Fact::Plain));
    assert_eq!(forged, only("I17"));
    for code in [Code::WrongLane, Code::TokenDone] {
        let looked_at = found(|evidence| record(evidence, 2, 2_350).heard = Heard::Refused(code));
        assert_eq!(looked_at, only("I17"), "what it claims was believed");
    }
    let busy = found(|evidence| record(evidence, 2, 2_350).heard = Heard::Refused(Code::StoreUnavailable));
    assert!(!busy.contains("I17"), "{busy:?}");
    let foreign = found(|evidence| {
        if let Heard::Acknowledged(Fact::Place(place)) = &mut record(evidence, 1, 1_500).heard {
            place.user = user(0);
        }
    });
    assert_eq!(foreign, only("I17"));
    let lane = Act::Probe(Probe::WrongLane { performance: SHOW });
    let wrong =
        found(|evidence| evidence.history.push(seen(2, 3_000, lane, Heard::Acknowledged(Fact::Plain))));
    assert_eq!(wrong, only("I17"));
}

//! What operators do for people: a rehearsal answers what the call would, and changes nothing.

use super::*;
use crate::{hold::ReservationStatus, payment::PaymentStatus};

/// The log, by which one sees whether anything changed.
fn log(hall: &Hall) -> u64 {
    block_on(hall.engine.events(0, 1_000)).unwrap().last().map_or(0, |last| last.seq)
}

#[test]
fn an_operator_gives_a_hold_back_and_the_ticket_holds_again() {
    let hall = Hall::new();
    let mine = hall.enter(1);
    hall.hold(1, &mine, &[7]).unwrap();
    let before = log(&hall);
    let rehearsed = block_on(hall.engine.rehearse_release(reservation(1))).unwrap();
    assert_eq!((log(&hall), hall.seat(7)), (before, SeatStatus::Held));
    let released = block_on(hall.engine.release_any(reservation(1))).unwrap();
    assert_eq!(rehearsed, released);
    assert_eq!((released.replayed, released.value.status), (false, ReservationStatus::Released));
    assert_eq!(hall.seat(7), SeatStatus::Available);
    let again = block_on(hall.engine.rehearse_release(reservation(1))).unwrap();
    assert_eq!(again, block_on(hall.engine.release_any(reservation(1))).unwrap());
    assert!(again.replayed);
    assert!(hall.hold(2, &mine, &[8]).is_ok());
}

#[test]
fn a_rehearsed_release_is_refused_as_the_release_is() {
    let hall = Hall::new();
    let (mine, late) = (hall.enter(1), hall.enter(2));
    hall.hold(1, &mine, &[7]).unwrap();
    hall.pay(1, &mine).unwrap();
    hall.hold(2, &late, &[8]).unwrap();
    hall.pass(HOLD_TTL);
    let cases =
        [(1, Refusal::ReservationNotReleasable), (2, Refusal::HoldExpired), (3, Refusal::UnknownReservation)];
    for (n, refusal) in cases {
        assert_eq!(block_on(hall.engine.rehearse_release(reservation(n))), refused(refusal.clone()));
        assert_eq!(block_on(hall.engine.release_any(reservation(n))), refused(refusal));
    }
}

#[test]
fn a_rehearsed_refund_tells_the_balance_and_keeps_the_money() {
    let hall = Hall::new();
    let mine = hall.enter(1);
    hall.hold(1, &mine, &[7]).unwrap();
    assert_eq!(block_on(hall.engine.rehearse_refund(payment(1))), refused(Refusal::UnknownPayment));
    hall.pay(1, &mine).unwrap();
    let (before, left) = (log(&hall), hall.balance(1));
    let rehearsed = block_on(hall.engine.rehearse_refund(payment(1))).unwrap();
    assert_eq!((rehearsed.replayed, rehearsed.value.balance.units()), (false, 5_000));
    assert_eq!(rehearsed.value.payment.status(), PaymentStatus::Refunded);
    assert_eq!((log(&hall), hall.balance(1), hall.seat(7)), (before, left, SeatStatus::Sold));
    let refunded = block_on(hall.engine.refund(payment(1))).unwrap();
    assert_eq!(refunded.value.balance, rehearsed.value.balance);
    assert!(block_on(hall.engine.rehearse_refund(payment(1))).unwrap().replayed);
}

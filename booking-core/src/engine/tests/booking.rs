//! Holding and paying through both stores: Q6, Q7, P1, P3, P4.

use super::*;
use crate::catalog::Changes;

/// User 1 is admitted and holds seat 7.
fn held() -> (Hall, Ticket) {
    let hall = Hall::new();
    let mine = hall.enter(1);
    hall.hold(1, &mine, &[7]).unwrap();
    (hall, mine)
}

#[test]
fn a_payment_ends_the_ticket_and_lets_the_next_one_in() {
    let hall = Hall::new();
    hall.set_lane(capacity(1));
    let (mine, next) = (hall.enter(1), hall.enter(2));
    hall.hold(1, &mine, &[7]).unwrap();
    let paid = hall.pay(1, &mine).unwrap();
    assert_eq!((paid.replayed, paid.value.balance.units()), (false, 4_000));
    assert_eq!(hall.place(&mine), Ok(Place::Done(EndReason::Completed)));
    assert!(hall.is_admitted(&next));
    assert_eq!(hall.pending_endings(), []);
}

#[test]
fn a_spent_ticket_repeats_its_payment_but_holds_no_more() {
    let (hall, mine) = held();
    let paid = hall.pay(1, &mine).unwrap();
    hall.pass(SESSION_TTL * 2);
    let again = hall.pay(1, &mine).unwrap();
    assert_eq!((again.replayed, again.value), (true, paid.value));
    assert_eq!(hall.hold(2, &mine, &[8]), refused(Refusal::TicketOver(EndReason::Completed)));
    assert_eq!(hall.balance(1), 4_000);
}

#[test]
fn a_live_hold_is_paid_after_the_session_ended() {
    let (hall, _) = held();
    let late = hall.enter(2);
    block_on(hall.engine.admit(&late)).unwrap();
    hall.pass(just_before(SESSION_TTL));
    block_on(hall.engine.hold(&late, reservation(2), performance(1), vec![8])).unwrap();
    hall.pass(MICRO);
    assert_eq!(hall.place(&late), Ok(Place::Done(EndReason::SessionExpired)));
    assert!(hall.pay(2, &late).is_ok());
    assert_eq!(hall.place(&late), Ok(Place::Done(EndReason::SessionExpired)), "it was over already");
}

#[test]
fn a_live_hold_is_paid_and_repeated_while_the_queue_store_is_cut_off() {
    let (hall, mine) = held();
    hall.queue.cut_off(true);
    assert!(!hall.pay(1, &mine).unwrap().replayed);
    assert!(hall.pay(1, &mine).unwrap().replayed);
    assert_eq!((hall.balance(1), hall.seat(7)), (4_000, SeatStatus::Sold));
    assert_eq!(hall.pending_endings(), [(mine, EndReason::Completed)]);
}

#[test]
fn an_ending_that_could_not_be_told_is_carried_by_the_next_round() {
    let (hall, mine) = held();
    hall.queue.cut_off(true);
    hall.pay(1, &mine).unwrap();
    assert_eq!(block_on(hall.engine.tend()), Err(ShakyQueue::failure().into()));
    hall.queue.cut_off(false);
    assert!(hall.is_admitted(&mine));
    assert_eq!(hall.tend().tickets_ended, 1);
    assert_eq!(hall.place(&mine), Ok(Place::Done(EndReason::Completed)));
    assert_eq!((hall.pending_endings(), hall.tend().tickets_ended), (vec![], 0));
}

#[test]
fn a_waiting_ticket_that_pays_nothing_is_told_to_wait() {
    let (hall, _) = held();
    hall.set_lane(capacity(1));
    let waits = hall.enter(2);
    for n in [1, 9] {
        let answer = hall.pay(n, &waits);
        assert!(matches!(answer, Err(Error::Refused(Refusal::NotYourTurn { rank: 1, .. }))), "{answer:?}");
    }
}

#[test]
fn an_admitted_ticket_that_pays_nothing_is_told_there_is_no_such_reservation() {
    let (hall, _) = held();
    let other = hall.enter(2);
    for n in [1, 9] {
        assert_eq!(hall.pay(n, &other), refused(Refusal::UnknownReservation));
    }
}

#[test]
fn a_done_ticket_that_pays_nothing_is_told_that_it_is_done() {
    let (hall, _) = held();
    let other = hall.enter(2);
    block_on(hall.engine.leave(&other)).unwrap();
    assert_eq!(hall.pay(1, &other), refused(Refusal::TicketOver(EndReason::Left)));
}

#[test]
fn another_ticket_of_the_owner_does_not_pay() {
    let (hall, mine) = held();
    hall.pass(SESSION_TTL);
    let hall_later = hall.enter(1);
    assert_ne!(hall_later, mine);
    block_on(hall.engine.hold(&hall_later, reservation(2), performance(1), vec![8])).unwrap();
    assert_eq!(hall.pay(1, &hall_later), refused(Refusal::WrongTicket));
    assert_eq!(hall.pay(1, &mine), refused(Refusal::HoldExpired));
}

#[test]
fn a_refused_payment_leaves_the_ticket_alive() {
    let hall = Hall::with(policy(1, 9));
    let mine = hall.enter(1);
    hall.hold(1, &mine, &[1, 2, 3, 4, 5, 6]).unwrap();
    let short = Refusal::InsufficientBalance { balance: money(5_000), amount: money(6_000) };
    assert_eq!(hall.pay(1, &mine), refused(short));
    assert!(hall.is_admitted(&mine));
    let amount = Amount::new(1_000).unwrap();
    block_on(hall.engine.charge(user(1), entry(100), amount)).unwrap();
    assert_eq!(hall.pay(1, &mine).unwrap().value.balance, money(0));
}

#[test]
fn the_wallet_needs_no_ticket() {
    let hall = Hall::new();
    hall.queue.cut_off(true);
    let amount = Amount::new(7).unwrap();
    let line = block_on(hall.engine.charge(user(1), entry(100), amount)).unwrap();
    assert_eq!((line.value.balance_after.units(), hall.balance(1)), (5_007, 5_007));
    assert_eq!(block_on(hall.engine.wallet(user(9))), refused(Refusal::UnknownUser));
}

#[test]
fn the_owner_releases_without_a_ticket_and_the_ticket_holds_again() {
    let (hall, mine) = held();
    assert_eq!(block_on(hall.engine.release(user(2), reservation(1))), refused(Refusal::UnknownReservation));
    block_on(hall.engine.release(user(1), reservation(1))).unwrap();
    assert!(hall.hold(2, &mine, &[8]).is_ok());
}

#[test]
fn a_refund_frees_the_seat_for_the_next_one() {
    let (hall, mine) = held();
    hall.pay(1, &mine).unwrap();
    let refunded = block_on(hall.engine.refund(payment(1))).unwrap();
    assert_eq!(refunded.value.balance, money(5_000));
    let next = hall.enter(2);
    assert!(hall.hold(2, &next, &[7]).is_ok());
}

#[test]
fn of_several_drafts_all_are_put_or_none() {
    let hall = Hall::new();
    let bad = ConcertDraft { id: concert(2), title: String::new(), performances: vec![], ..draft() };
    let good = ConcertDraft { id: concert(3), performances: vec![performance_draft(3)], ..draft() };
    let refused = block_on(hall.engine.put_concerts(vec![good.clone(), bad]));
    assert!(matches!(refused, Err(Error::Refused(Refusal::InvalidConcert(_)))), "{refused:?}");
    let twice = block_on(hall.engine.put_concerts(vec![good.clone(), good.clone()]));
    assert!(matches!(twice, Err(Error::Refused(Refusal::InvalidConcert(_)))), "{twice:?}");
    let put = block_on(hall.engine.put_concerts(vec![good])).unwrap();
    assert_eq!(put, Changes { added: 2, changed: 0, unchanged: 0 });
}

//! Paying and giving back: wallet, seats, payment and ticket move together or not at all (P1 to P5, I10).

use super::{
    Factory,
    stage::{
        PRICE, SEATS, Stage, TTL, concert, generous, money, pay, payment_of, performance, refund, release,
    },
};
use crate::{
    catalog::PerformanceDraft,
    hold::{ReservationStatus, SeatStatus},
    id::{EntryId, PaymentId, ReservationId},
    outcome::Effect,
    payment::{Payment, PaymentStatus},
    refusal::Refusal,
    ticket::{EndReason, LaneName},
    wallet::EntryKind,
};

pub(super) fn paying_moves_money_seats_and_payment_in_one_step(make: &Factory) {
    let stage = Stage::under(make, generous());
    let ticket = stage.buyer(5);
    let held = stage.held(&ticket, &[3, 4]);
    assert_eq!(stage.payments(ticket.user), [], "what is due is not paid");
    stage.advance(TTL / 2);
    let told = stage.events().len();
    let outcome = stage.done(pay(held.id, &ticket));
    let expected = Payment {
        id: held.payment,
        reservation: held.id,
        user: ticket.user,
        amount: money(2 * PRICE),
        paid_at: stage.now(),
        refunded_at: None,
    };
    assert_eq!(outcome.effect, Effect::Payment { payment: expected.clone(), balance: money(3 * PRICE) });
    assert!(!outcome.replayed);
    assert_eq!(stage.payments(ticket.user), [expected]);
    assert_eq!(stage.balance(ticket.user), 3 * PRICE);
    let debit = stage.entries(ticket.user).pop().expect("a payment is a ledger line");
    assert_eq!((debit.id, debit.kind), (EntryId::debit_of(held.payment), EntryKind::Debit(held.payment)));
    assert_eq!((debit.amount, debit.balance_after), (money(2 * PRICE), money(3 * PRICE)));
    assert_eq!([stage.seat(3), stage.seat(4)], [SeatStatus::Sold; 2]);
    assert_eq!(stage.status(&held), ReservationStatus::Confirmed);
    assert_eq!(stage.endings(), [(ticket, EndReason::Completed)]);
    assert_eq!(stage.events().len(), told + 3, "a debit, a sale and a payment");
    stage.books_are_clean();
}

pub(super) fn paying_twice_charges_once(make: &Factory) {
    let stage = Stage::new(make);
    let ticket = stage.buyer(3);
    let (held, first) = stage.bought(&ticket, &[1]);
    stage.advance(TTL * 2);
    let again = stage.elsewhere().done(pay(held.id, &ticket));
    assert!(again.replayed, "long after the hold would have run out, too");
    assert_eq!(payment_of(&again), first);
    assert_eq!(stage.balance(ticket.user), 2 * PRICE);
    assert_eq!(stage.entries(ticket.user).len(), 2);
    assert_eq!(stage.payments(ticket.user), [first]);
    stage.books_are_clean();
}

pub(super) fn a_payment_above_the_balance_is_refused_and_changes_nothing(make: &Factory) {
    let stage = Stage::new(make);
    let ticket = stage.guest();
    stage.charge(ticket.user, PRICE - 1);
    let held = stage.held(&ticket, &[1]);
    let events = stage.events();
    let refusal = Refusal::InsufficientBalance { balance: money(PRICE - 1), amount: money(PRICE) };
    assert_eq!(stage.pay(&held), Err(refusal));
    assert_eq!(stage.events(), events);
    assert_eq!(stage.balance(ticket.user), PRICE - 1);
    assert_eq!(stage.status(&held), ReservationStatus::Held, "the hold goes on");
    assert_eq!(stage.endings(), [], "and so does the ticket");
    stage.charge(ticket.user, 1);
    assert!(stage.pay(&held).is_ok());
    assert_eq!(stage.balance(ticket.user), 0);
    stage.books_are_clean();
}

pub(super) fn a_foreign_or_unknown_reservation_cannot_be_paid(make: &Factory) {
    let stage = Stage::new(make);
    let (owner, thief) = (stage.buyer(1), stage.buyer(5));
    let held = stage.held(&owner, &[1]);
    assert_eq!(stage.ask(pay(held.id, &thief)), Err(Refusal::UnknownReservation));
    assert_eq!(stage.ask(pay(ReservationId::random(), &owner)), Err(Refusal::UnknownReservation));
    let borrowed = crate::ticket::Ticket { user: thief.user, ..owner.clone() };
    assert_eq!(stage.ask(pay(held.id, &borrowed)), Err(Refusal::UnknownReservation));
    assert_eq!([stage.balance(owner.user), stage.balance(thief.user)], [PRICE, 5 * PRICE]);
    assert!(stage.pay(&held).is_ok());
    assert_eq!(stage.ask(pay(held.id, &thief)), Err(Refusal::UnknownReservation), "not once paid either");
}

pub(super) fn only_the_ticket_that_made_a_reservation_pays_it(make: &Factory) {
    let stage = Stage::new(make);
    let ticket = stage.buyer(2);
    let held = stage.held(&ticket, &[1]);
    let newer = stage.ticket(ticket.user);
    let elsewhere = crate::ticket::Ticket { epoch: crate::ticket::Epoch(8), ..ticket.clone() };
    for other in [&newer, &elsewhere] {
        assert_eq!(stage.ask(pay(held.id, other)), Err(Refusal::WrongTicket));
    }
    assert!(stage.pay(&held).is_ok());
    assert_eq!(stage.ask(pay(held.id, &newer)), Err(Refusal::WrongTicket), "not once paid either");
}

pub(super) fn an_expired_hold_is_never_charged(make: &Factory) {
    let stage = Stage::new(make);
    let (ticket, swept) = (stage.buyer(1), stage.buyer(1));
    let (held, of_swept) = (stage.held(&ticket, &[1]), stage.held(&swept, &[2]));
    stage.advance(TTL);
    stage.done(crate::hold::Command::Expire(of_swept.id));
    for held in [&held, &of_swept] {
        assert_eq!(stage.pay(held), Err(Refusal::HoldExpired));
        assert_eq!(stage.balance(held.user), PRICE);
        assert_eq!(stage.payments(held.user), []);
        assert_eq!(stage.status(held), ReservationStatus::Expired);
    }
    assert_eq!(stage.available().len(), 50);
    stage.books_are_clean();
}

pub(super) fn a_released_reservation_cannot_be_paid(make: &Factory) {
    let stage = Stage::new(make);
    let ticket = stage.buyer(1);
    let held = stage.held(&ticket, &[1]);
    stage.done(release(held.id, ticket.user));
    assert_eq!(stage.pay(&held), Err(Refusal::ReservationNotPayable));
    assert_eq!(stage.balance(ticket.user), PRICE);
    assert_eq!(stage.endings(), []);
}

pub(super) fn a_refund_returns_money_and_seats_once(make: &Factory) {
    let stage = Stage::under(make, generous());
    let (ticket, next) = (stage.buyer(2), stage.buyer(1));
    let (held, paid) = stage.bought(&ticket, &[1, 2]);
    stage.advance(TTL * 3);
    let outcome = stage.done(refund(paid.id));
    let refunded = Payment { refunded_at: Some(stage.now()), ..paid.clone() };
    let effect = Effect::Payment { payment: refunded.clone(), balance: money(2 * PRICE) };
    assert_eq!((outcome.replayed, &outcome.effect), (false, &effect));
    assert_eq!(refunded.status(), PaymentStatus::Refunded);
    assert_eq!(stage.payments(ticket.user), [refunded]);
    assert_eq!(stage.status(&held), ReservationStatus::Refunded);
    assert_eq!(stage.available().len(), 50);
    stage.bought(&next, &[2]);
    stage.advance(TTL);
    let again = stage.done(refund(paid.id));
    assert_eq!((again.replayed, again.effect), (true, effect), "dated as it was");
    assert_eq!(stage.seat(2), SeatStatus::Sold, "the seat is somebody else's by now");
    assert_eq!(stage.balance(ticket.user), 2 * PRICE);
    let credit = stage.entries(ticket.user).pop().expect("a refund is a ledger line");
    assert_eq!((credit.id, credit.kind), (EntryId::refund_of(paid.id), EntryKind::Refund(paid.id)));
    assert_eq!(stage.ask(refund(PaymentId::of(ReservationId::random()))), Err(Refusal::UnknownPayment));
    assert!(stage.done(pay(held.id, &ticket)).replayed, "paying again answers the refunded payment");
    stage.books_are_clean();
}

pub(super) fn a_free_seat_is_paid_with_nothing(make: &Factory) {
    let stage = Stage::new(make);
    let free = PerformanceDraft {
        price: money(0),
        ..performance(crate::id::PerformanceId::random(), stage.begins(), SEATS)
    };
    stage.put(concert(stage.concert, &LaneName::main(), vec![free.clone()]));
    let ticket = stage.guest();
    let held = stage.hold_in(free.id, &ticket, &[1]).expect("the seat is free");
    let paid = stage.pay(&held).expect("nothing is due");
    assert_eq!((paid.amount, stage.balance(ticket.user)), (money(0), 0));
    assert_eq!(stage.entries(ticket.user).len(), 1, "the books are complete all the same");
    stage.done(refund(paid.id));
    assert_eq!(stage.entries(ticket.user).len(), 2);
    stage.books_are_clean();
}

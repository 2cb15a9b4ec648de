//! Whoever creates a thing chooses its identity, so asking again finds it (I21).

use std::time::Duration;

use super::{
    Factory,
    stage::{
        Stage, TTL, charge, entry_of, generous, open, pay, payment_of, place, refund, release, reservation_of,
    },
};
use crate::{
    hold::ReservationStatus,
    id::{EntryId, ReservationId, UserId},
    outcome::Outcome,
    refusal::Refusal,
};

pub(super) fn the_same_hold_asked_again_is_answered_with_what_exists(make: &Factory) {
    let stage = Stage::under(make, generous());
    let ticket = stage.buyer(2);
    let ask = place(ReservationId::random(), &ticket, stage.show, &[2, 1]);
    let first = stage.done(ask.clone());
    let again = stage.done(ask.clone());
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!(first.effect, again.effect);
    stage.advance(Duration::from_secs(1));
    let made = reservation_of(&stage.elsewhere().done(ask.clone()));
    assert_eq!(made, reservation_of(&first), "as it was made, not as of now");
    stage.done(pay(made.id, &ticket));
    let status = |outcome: &Outcome| reservation_of(outcome).status;
    assert_eq!(status(&stage.done(ask)), ReservationStatus::Confirmed, "with its status of now");
    let (other, late) = (stage.guest(), ReservationId::random());
    let ask = place(late, &other, stage.show, &[9]);
    stage.done(ask.clone());
    stage.advance(TTL);
    let again = stage.done(ask);
    assert!(again.replayed && status(&again) == ReservationStatus::Expired, "{again:?}");
}

pub(super) fn holding_again_exactly_what_one_holds_answers_the_hold(make: &Factory) {
    let stage = Stage::under(make, generous());
    let ticket = stage.guest();
    let held = stage.held(&ticket, &[1, 2]);
    for ticket in [&ticket, &stage.ticket(ticket.user)] {
        let again = stage.done(place(ReservationId::random(), ticket, stage.show, &[2, 1]));
        assert!(again.replayed);
        assert_eq!(reservation_of(&again), held);
    }
    let fewer = stage.hold(&stage.ticket(ticket.user), &[1]);
    assert_eq!(fewer, Err(Refusal::SeatTaken { seats: vec![1] }), "other seats are another hold");
    stage.advance(TTL);
    let anew = stage.done(place(ReservationId::random(), &stage.ticket(ticket.user), stage.show, &[1, 2]));
    assert!(!anew.replayed, "a hold that ran out is not answered: {anew:?}");
    assert_ne!(reservation_of(&anew).id, held.id);
}

pub(super) fn a_reservation_identity_used_for_something_else_is_refused(make: &Factory) {
    let stage = Stage::under(make, generous());
    let (ticket, other, show) = (stage.guest(), stage.guest(), stage.another_show());
    let held = stage.held(&ticket, &[1, 2]);
    let reused = [
        place(held.id, &other, stage.show, &[1, 2]),
        place(held.id, &ticket, show, &[1, 2]),
        place(held.id, &ticket, stage.show, &[1]),
        place(held.id, &ticket, stage.show, &[1, 3]),
    ];
    let refuse_all = || {
        for command in &reused {
            assert_eq!(stage.ask(command.clone()), Err(Refusal::IdempotencyKeyReused), "{command:?}");
        }
    };
    refuse_all();
    stage.done(release(held.id, ticket.user));
    refuse_all();
    let same = stage.done(place(held.id, &ticket, stage.show, &[1, 2]));
    assert!(same.replayed && reservation_of(&same).status == ReservationStatus::Released, "{same:?}");
    assert_eq!(stage.available().len(), 50);
}

pub(super) fn the_same_charge_asked_again_answers_what_it_did_then(make: &Factory) {
    let stage = Stage::new(make);
    let user = stage.user();
    stage.charge(user, 100);
    let ask = charge(EntryId::random(), user, 50);
    let first = stage.done(ask.clone());
    stage.advance(Duration::from_secs(1));
    stage.charge(user, 1_000);
    let again = stage.elsewhere().done(ask);
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!(entry_of(&again), entry_of(&first), "number, balance and instant of then");
    assert_eq!(entry_of(&again).balance_after.units(), 150);
    assert_eq!(stage.balance(user), 1_150);
    assert_eq!(stage.entries(user).len(), 3);
}

pub(super) fn an_entry_identity_used_for_something_else_is_refused(make: &Factory) {
    let stage = Stage::new(make);
    let ticket = stage.buyer(1);
    let (user, other, entry) = (ticket.user, stage.user(), EntryId::random());
    stage.done(charge(entry, user, 50));
    let (_, payment) = stage.bought(&ticket, &[1]);
    for command in [
        charge(entry, user, 51),
        charge(entry, other, 50),
        charge(entry, UserId::random(), 50),
        charge(EntryId::debit_of(payment.id), user, payment.amount.units()),
    ] {
        assert_eq!(stage.ask(command.clone()), Err(Refusal::IdempotencyKeyReused), "{command:?}");
    }
    assert_eq!([stage.balance(user), stage.balance(other)], [50, 0]);
    stage.books_are_clean();
}

pub(super) fn a_charge_named_by_a_payment_leaves_its_debit_free(make: &Factory) {
    let stage = Stage::new(make);
    let ticket = stage.guest();
    let held = stage.held(&ticket, &[1]);
    let named = EntryId(held.payment.0);
    stage.done(charge(named, ticket.user, held.amount.units()));
    stage.pay(&held).expect("the money is there");
    stage.done(refund(held.payment));
    let lines = [named, EntryId::debit_of(held.payment), EntryId::refund_of(held.payment)];
    assert_eq!(stage.entries(ticket.user).iter().map(|entry| entry.id).collect::<Vec<_>>(), lines);
    stage.books_are_clean();
}

pub(super) fn a_replay_writes_no_event(make: &Factory) {
    let stage = Stage::new(make);
    let ticket = stage.guest();
    let (entry, reservation) = (EntryId::random(), ReservationId::random());
    let commands = vec![
        open(ticket.user),
        charge(entry, ticket.user, 5_000),
        place(reservation, &ticket, stage.show, &[1]),
        pay(reservation, &ticket),
    ];
    let first = stage.execute(commands.clone());
    let payment = payment_of(first[3].as_ref().expect("the payment of a live hold"));
    let (events, ledger) = (stage.events(), stage.entries(ticket.user));
    for answer in stage.execute(commands) {
        assert!(answer.expect("what exists is no refusal").replayed);
    }
    assert_eq!(stage.events(), events);
    stage.done(refund(payment.id));
    let refunded = stage.events();
    assert!(refunded.len() > events.len());
    assert!(stage.done(refund(payment.id)).replayed);
    assert_eq!(stage.events(), refunded);
    assert_eq!(stage.entries(ticket.user).len(), ledger.len() + 1);
}

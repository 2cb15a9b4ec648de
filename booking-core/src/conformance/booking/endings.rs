//! Endings of tickets are recorded with their cause, and told until they are acknowledged (P1, Q9, I10).

use super::{
    Factory,
    stage::{ALL, Stage, TTL, expire, generous, pay, refund, release},
};
use crate::{
    hold,
    ticket::{EndReason, Ticket},
};

pub(super) fn a_paid_ticket_is_pending_until_acknowledged(make: &Factory) {
    let stage = Stage::new(make);
    let ticket = stage.buyer(1);
    assert_eq!(stage.endings(), []);
    let (held, paid) = stage.bought(&ticket, &[1]);
    let pending = [(ticket.clone(), EndReason::Completed)];
    assert_eq!(stage.endings(), pending);
    assert_eq!(stage.elsewhere().endings(), pending);
    stage.done(pay(held.id, &ticket));
    assert_eq!(stage.endings(), pending, "a replay adds nothing");
    stage.read(stage.store.ack_endings(std::slice::from_ref(&ticket)));
    assert_eq!(stage.endings(), []);
    assert_eq!(stage.elsewhere().endings(), []);
    stage.done(pay(held.id, &ticket));
    stage.done(refund(paid.id));
    assert_eq!(stage.endings(), [], "what was acknowledged does not come back");
}

pub(super) fn a_swept_ticket_is_pending_with_its_reason(make: &Factory) {
    let stage = Stage::new(make);
    let (ticket, next) = (stage.guest(), stage.guest());
    let held = stage.held(&ticket, &[1]);
    stage.advance(TTL);
    assert_eq!(stage.endings(), [], "the sweep writes it down");
    stage.held(&next, &[1]);
    stage.done(expire(held.id));
    let pending = [(ticket.clone(), EndReason::HoldExpired)];
    assert_eq!(stage.endings(), pending, "even when the seat was taken over before");
    stage.read(stage.store.ack_endings(&[ticket]));
    stage.done(expire(held.id));
    assert_eq!(stage.endings(), []);
}

pub(super) fn a_hold_given_back_ends_no_ticket(make: &Factory) {
    let stage = Stage::new(make);
    let (first, second) = (stage.guest(), stage.guest());
    let held = stage.held(&first, &[1]);
    stage.done(release(held.id, held.user));
    stage.held(&second, &[1]);
    stage.done(hold::Command::Leave(second));
    assert_eq!(stage.endings(), [], "leaving is told to the queue by who leaves");
}

pub(super) fn endings_are_told_up_to_the_limit_and_forgotten_one_by_one(make: &Factory) {
    let stage = Stage::under(make, generous());
    let user = stage.user();
    stage.charge(user, 10_000);
    let mut tickets: Vec<Ticket> = (1..=6).map(|_| stage.ticket(user)).collect();
    for (seat, ticket) in (1..).zip(&tickets) {
        stage.bought(ticket, &[seat]);
    }
    tickets.sort();
    let told = |limit| {
        let endings = stage.read(stage.store.pending_endings(limit));
        endings.into_iter().map(|(ticket, _)| ticket).collect::<Vec<_>>()
    };
    let some = told(2);
    assert!(some.len() == 2 && some[0] != some[1] && some.iter().all(|one| tickets.contains(one)));
    stage.read(stage.store.ack_endings(&[]));
    assert_eq!(told(ALL).len(), 6, "acknowledging nothing forgets nothing");
    let unknown = stage.guest();
    stage.read(stage.store.ack_endings(&[some[0].clone(), unknown]));
    let left = told(ALL);
    assert!(left.len() == 5 && !left.contains(&some[0]), "{left:?}");
    stage.read(stage.store.ack_endings(&some));
    assert_eq!(told(ALL).len(), 4, "acknowledging twice is no failure");
    let mut portions = Vec::new();
    loop {
        let portion = told(3);
        if portion.is_empty() {
            break;
        }
        stage.read(stage.store.ack_endings(&portion));
        portions.extend(portion);
        assert!(portions.len() <= 4, "an ending came back: {portions:?}");
    }
    portions.extend(some);
    portions.sort();
    assert_eq!(portions, tickets, "each was told");
}

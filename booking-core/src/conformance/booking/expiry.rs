//! Holds end by themselves, at one instant, by the store's clock (H3, I3, I5).

use std::time::Duration;

use super::{
    Factory,
    stage::{SEATS, Stage, TTL, expire, generous, open, pay, release, reservation_of},
};
use crate::{
    hold::{ReservationStatus, SeatStatus},
    id::{ReservationId, UserId},
    outcome::Effect,
    refusal::Refusal,
    ticket::EndReason,
    time::Timestamp,
};

const MICROSECOND: Duration = Duration::from_micros(1);

fn opened_at(stage: &Stage) -> Timestamp {
    match stage.done(open(UserId::random())).effect {
        Effect::Wallet(wallet) => wallet.opened_at,
        other => panic!("opening a wallet answers with it, not {other:?}"),
    }
}

pub(super) fn instants_come_from_the_clock_of_the_store(make: &Factory) {
    let stage = Stage::new(make);
    for step in [0, 1, 999_999, 3_600_000_000, 1] {
        stage.advance(Duration::from_micros(step));
        assert_eq!(opened_at(&stage), stage.now());
        assert_eq!(opened_at(&stage.elsewhere()), stage.now(), "the same clock for every instance");
        let held = stage.held(&stage.guest(), &[1]);
        assert_eq!((held.created_at, held.hold_until), (stage.now(), stage.now().after(TTL)));
        stage.done(release(held.id, held.user));
        assert_eq!(stage.events().last().map(|event| event.at), Some(stage.now()));
    }
}

pub(super) fn a_hold_is_alive_until_the_very_instant_it_ends(make: &Factory) {
    let stage = Stage::new(make);
    let (payer, keeper, leaver, other) = (stage.buyer(1), stage.buyer(1), stage.guest(), stage.guest());
    let (paid, late, left) = (stage.held(&payer, &[1]), stage.held(&keeper, &[2]), stage.held(&leaver, &[3]));
    stage.advance(TTL.saturating_sub(MICROSECOND));
    assert_eq!(stage.status(&late), ReservationStatus::Held);
    assert_eq!(stage.seat(2), SeatStatus::Held);
    assert_eq!(stage.hold(&other, &[2]), Err(Refusal::SeatTaken { seats: vec![2] }));
    assert_eq!(stage.expired(), []);
    assert!(stage.pay(&paid).is_ok(), "a microsecond before the end");
    stage.advance(MICROSECOND);
    assert_eq!(stage.pay(&late), Err(Refusal::HoldExpired), "at the end it is gone");
    assert_eq!(stage.ask(release(left.id, leaver.user)), Err(Refusal::HoldExpired));
    assert_eq!(stage.status(&late), ReservationStatus::Expired);
    assert_eq!(stage.expired().len(), 2);
    assert!(stage.hold(&other, &[2]).is_ok(), "at the end the seat is free");
    assert_eq!(stage.status(&paid), ReservationStatus::Confirmed);
}

pub(super) fn an_expired_hold_reads_as_expired_without_a_sweep(make: &Factory) {
    let stage = Stage::under(make, generous());
    let ticket = stage.buyer(2);
    let held = stage.held(&ticket, &[10, 20]);
    let events = stage.events();
    stage.advance(TTL);
    assert_eq!(stage.status(&held), ReservationStatus::Expired);
    assert_eq!(stage.reservations(ticket.user)[0].status, ReservationStatus::Expired);
    assert_eq!([stage.seat(10), stage.seat(20)], [SeatStatus::Available; 2]);
    assert_eq!(stage.available(), (1..=SEATS).collect::<Vec<_>>());
    let listing = stage.read(stage.store.performance(stage.show)).expect("it exists");
    assert_eq!(listing.seats_available, SEATS);
    assert_eq!(stage.events(), events, "reading sweeps nothing");
    stage.books_are_clean();
}

pub(super) fn an_expired_hold_is_taken_over_without_a_sweep(make: &Factory) {
    let stage = Stage::under(make, generous());
    let (first, second) = (stage.buyer(3), stage.buyer(3));
    let old = stage.held(&first, &[1, 2, 3]);
    stage.advance(TTL);
    let new = stage.held(&second, &[2]);
    assert_eq!(stage.hold(&stage.guest(), &[2]), Err(Refusal::SeatTaken { seats: vec![2] }));
    assert_eq!(stage.pay(&old), Err(Refusal::HoldExpired));
    assert_eq!(stage.balance(first.user), 3_000, "never charged");
    assert!(stage.pay(&new).is_ok());
    assert_eq!(stage.seat(2), SeatStatus::Sold);
    assert_eq!(stage.pay(&old), Err(Refusal::HoldExpired));
    stage.books_are_clean();
}

pub(super) fn sweeping_after_a_takeover_frees_nobody_elses_seat(make: &Factory) {
    let stage = Stage::new(make);
    let (first, second, third) = (stage.guest(), stage.buyer(1), stage.guest());
    let old = stage.held(&first, &[5]);
    stage.advance(TTL);
    let new = stage.held(&second, &[5]);
    let swept = stage.done(expire(old.id));
    assert_eq!(reservation_of(&swept).status, ReservationStatus::Expired);
    assert_eq!(stage.seat(5), SeatStatus::Held);
    assert_eq!(stage.hold(&third, &[5]), Err(Refusal::SeatTaken { seats: vec![5] }));
    assert!(stage.pay(&new).is_ok());
    assert!(stage.done(expire(old.id)).replayed);
    assert_eq!(stage.seat(5), SeatStatus::Sold);
    stage.books_are_clean();
}

pub(super) fn sweeping_frees_the_seats_that_were_not_taken_over(make: &Factory) {
    let stage = Stage::under(make, generous());
    let (first, second) = (stage.guest(), stage.guest());
    let old = stage.held(&first, &[1, 2, 3]);
    stage.advance(TTL);
    stage.held(&second, &[2]);
    stage.done(expire(old.id));
    let expected = [SeatStatus::Available, SeatStatus::Held, SeatStatus::Available];
    assert_eq!([stage.seat(1), stage.seat(2), stage.seat(3)], expected);
    let third = stage.held(&stage.buyer(2), &[1, 3]);
    assert!(stage.pay(&third).is_ok());
    stage.books_are_clean();
}

pub(super) fn expired_holds_are_told_oldest_first_until_swept(make: &Factory) {
    let stage = Stage::new(make);
    let mut holds = Vec::new();
    for seat in 1..=6 {
        holds.push(stage.held(&stage.buyer(1), &[seat]).id);
        stage.advance(Duration::from_secs(1));
    }
    let last = stage.held(&stage.buyer(1), &[7]);
    let paid = stage.held(&stage.buyer(1), &[8]);
    let released = stage.held(&stage.guest(), &[9]);
    assert!(stage.pay(&paid).is_ok());
    stage.done(release(released.id, released.user));
    assert_eq!(stage.expired(), [], "nothing has run out yet");
    stage.advance_to(last.hold_until.before(Duration::from_secs(1)));
    assert_eq!(stage.expired(), holds, "the last one is still alive");
    stage.advance(Duration::from_secs(1));
    holds.push(last.id);
    assert_eq!(stage.expired(), holds);
    assert_eq!(stage.read(stage.store.expired_holds(2)), holds[..2]);
    let sweep = holds.drain(..3).map(expire).collect();
    assert!(stage.execute(sweep).into_iter().all(|answer| answer.is_ok_and(|outcome| !outcome.replayed)));
    assert_eq!(stage.expired(), holds, "what was swept is not told again");
    assert_eq!(stage.read(stage.store.expired_holds(1)), holds[..1]);
}

pub(super) fn a_live_hold_cannot_be_swept(make: &Factory) {
    let stage = Stage::new(make);
    let (live, paid) = (stage.held(&stage.buyer(1), &[1]), stage.bought(&stage.buyer(1), &[2]).0);
    stage.advance(TTL.saturating_sub(MICROSECOND));
    let events = stage.events();
    for id in [live.id, paid.id, ReservationId::random()] {
        assert!(stage.done(expire(id)).replayed, "there was nothing to sweep");
    }
    assert_eq!(stage.events(), events);
    stage.advance(MICROSECOND);
    assert!(stage.done(expire(paid.id)).replayed, "what is sold does not run out");
    assert!(!stage.done(expire(live.id)).replayed);
    assert!(stage.done(expire(live.id)).replayed, "once is enough");
    assert_eq!([stage.seat(1), stage.seat(2)], [SeatStatus::Available, SeatStatus::Sold]);
}

pub(super) fn a_ticket_whose_hold_ran_out_is_over(make: &Factory) {
    let stage = Stage::new(make);
    let (ticket, swept) = (stage.buyer(1), stage.buyer(1));
    let old = stage.held(&ticket, &[1]);
    let of_swept = stage.held(&swept, &[2]);
    stage.advance(TTL);
    stage.done(expire(of_swept.id));
    let over = Err(Refusal::TicketOver(EndReason::HoldExpired));
    assert_eq!(stage.hold(&ticket, &[3]), over, "swept or not");
    assert_eq!(stage.hold(&swept, &[3]), over);
    let again = stage.ticket(ticket.user);
    let held = stage.held(&again, &[1]);
    assert_eq!(stage.ask(pay(held.id, &ticket)), Err(Refusal::WrongTicket));
    assert!(stage.pay(&held).is_ok(), "the user comes back with a new ticket");
    assert_eq!(stage.pay(&old), Err(Refusal::HoldExpired));
    stage.books_are_clean();
}

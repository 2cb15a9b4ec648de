//! A hold proves admission and begins the session in its own step (Q6, H1, I10).

use std::time::Duration;

use super::{
    Factory,
    stage::{CLAIM, SESSION, Stage},
};
use crate::{
    hold::SeatStatus,
    id::ReservationId,
    queue::Place,
    refusal::Refusal,
    ticket::{EndReason, Ticket},
};

pub(super) fn a_first_hold_claims_and_holds_in_one_step(make: &Factory) {
    let stage = Stage::new(make, 2);
    let ticket = stage.buyer();
    let until = stage.now().after(SESSION);
    let held = stage.held(&ticket, 7);
    assert_eq!(held.ticket, ticket);
    assert_eq!(stage.standing(&ticket), Place::Admitted { until, claimed: true });
    assert_eq!((stage.seat(7), stage.seat(8)), (SeatStatus::Held, SeatStatus::Available));
    assert_eq!(stage.endings(), [], "a hold ends nothing");
    stage.move_clock(CLAIM);
    assert!(stage.is_admitted(&ticket), "the claim window is past, the session goes on");
}

pub(super) fn a_later_hold_keeps_the_end_of_the_session(make: &Factory) {
    let stage = Stage::new(make, 1);
    let ticket = stage.buyer();
    let until = stage.now().after(SESSION);
    stage.held(&ticket, 1);
    stage.move_clock(Duration::from_mins(6));
    assert_eq!(
        stage.hold(&ticket, 2).map(drop),
        Err(Refusal::TicketOver(EndReason::HoldExpired)),
        "it let a hold run out"
    );
    assert_eq!(stage.standing(&ticket), Place::Admitted { until, claimed: true }, "nobody swept it yet");
}

pub(super) fn who_waits_holds_nothing_and_keeps_the_place(make: &Factory) {
    let stage = Stage::new(make, 1);
    let (first, second, third) = (stage.buyer(), stage.buyer(), stage.buyer());
    let before = stage.events();
    for (rank, waiting) in [(1, &second), (2, &third)] {
        let refusal = stage.hold(waiting, 1).map(drop);
        let told = matches!(&refusal, Err(Refusal::NotYourTurn { rank: told, retry_after }) if *told == rank && !retry_after.is_zero());
        assert!(told, "{refusal:?}");
        assert_eq!(stage.rank(waiting), Some(rank), "asking costs no place");
    }
    assert_eq!((stage.events(), stage.seat(1)), (before, SeatStatus::Available), "nothing was executed");
    assert!(stage.hold(&first, 1).is_ok());
}

pub(super) fn a_refused_hold_leaves_the_claim(make: &Factory) {
    let stage = Stage::new(make, 2);
    let (first, second) = (stage.buyer(), stage.buyer());
    stage.held(&first, 1);
    let until = stage.now().after(SESSION);
    let events = stage.events();
    assert_eq!(stage.hold(&second, 1).map(drop), Err(Refusal::SeatTaken { seats: vec![1] }));
    assert_eq!(stage.events(), events, "a refusal leaves no trace in the books");
    assert_eq!(stage.standing(&second), Place::Admitted { until, claimed: true }, "who asked has shown up");
    stage.move_clock(CLAIM);
    assert!(stage.hold(&second, 2).is_ok());
}

pub(super) fn a_ticket_that_is_over_holds_nothing(make: &Factory) {
    let stage = Stage::new(make, 1);
    let (late, next) = (stage.buyer(), stage.buyer());
    stage.move_clock(CLAIM);
    assert_eq!(stage.hold(&late, 1).map(drop), Err(Refusal::TicketOver(EndReason::NoShow)));
    assert_eq!(stage.seat(1), SeatStatus::Available);
    assert!(stage.is_admitted(&next), "the slot was free by then");
    let held = stage.held(&next, 1);
    assert!(stage.pay(&held).is_ok());
    assert_eq!(stage.hold(&next, 2).map(drop), Err(Refusal::TicketOver(EndReason::Completed)));
    assert_eq!(stage.seat(2), SeatStatus::Available);
}

pub(super) fn a_ticket_of_a_lane_or_epoch_that_is_gone_holds_nothing(make: &Factory) {
    let stage = Stage::new(make, 1);
    let ticket = stage.buyer();
    let elsewhere = Ticket { lane: "elsewhere".parse().expect("a name"), ..ticket.clone() };
    for gone in [Stage::of_another_life(&ticket), elsewhere] {
        assert_eq!(stage.hold(&gone, 1).map(drop), Err(Refusal::QueueReset), "{gone:?}");
    }
    let stranger = Ticket { seq: ticket.seq + 1, ..ticket.clone() };
    assert_eq!(stage.hold(&stranger, 1).map(drop), Err(Refusal::UnknownTicket));
    assert_eq!(stage.seat(1), SeatStatus::Available);
    let until = stage.now().after(CLAIM);
    assert_eq!(stage.standing(&ticket), Place::Admitted { until, claimed: false }, "nobody claimed");
}

pub(super) fn the_same_hold_asked_again_is_answered_with_what_exists(make: &Factory) {
    let stage = Stage::new(make, 1);
    let (ticket, id) = (stage.buyer(), ReservationId::random());
    let first = stage.hold_as(id, &ticket, 1).expect("the seat is free");
    let events = stage.events();
    let again = stage.hold_as(id, &ticket, 1).expect("it is the same");
    assert!(!first.replayed && again.replayed);
    assert_eq!(first.value, again.value);
    assert_eq!(stage.events(), events);
}

pub(super) fn a_slot_whose_time_is_over_is_free_before_anybody_is_judged(make: &Factory) {
    let stage = Stage::new(make, 1);
    let (late, next) = (stage.buyer(), stage.buyer());
    stage.move_clock(CLAIM);
    assert!(stage.hold(&next, 1).is_ok(), "the no-show's slot reaches the head in the same step");
    assert_eq!(stage.standing(&late), Place::Done(EndReason::NoShow));
}

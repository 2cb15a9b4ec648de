//! Tickets that a command ends are over in their lanes by the same step (P1, Q9, I10, I18).

use std::time::Duration;

use super::{
    Factory,
    stage::{Stage, pay},
};
use crate::{
    hold::{self, SeatStatus},
    id::ReservationId,
    payment,
    queue::Place,
    refusal::Refusal,
    ticket::{EndReason, LaneName},
};

const HOLD: Duration = Duration::from_mins(5);

pub(super) fn a_payment_ends_its_ticket_in_the_lane_and_leaves_nothing_pending(make: &Factory) {
    let stage = Stage::new(make, 2);
    let (ticket, other) = (stage.buyer(), stage.buyer());
    let held = stage.held(&ticket, 7);
    let paid = stage.pay(&held).expect("the hold is alive and the money there");
    assert!(!paid.replayed && paid.value.balance.units() == 0);
    assert_eq!(stage.standing(&ticket), Place::Done(EndReason::Completed));
    assert_eq!(stage.endings(), []);
    assert_eq!(stage.seat(7), SeatStatus::Sold);
    assert!(stage.is_admitted(&other), "nobody else's ticket ended");
    stage.books_are_clean();
}

pub(super) fn a_freed_slot_reaches_the_head_in_the_step_that_frees_it(make: &Factory) {
    let stage = Stage::new(make, 1);
    let (first, second) = (stage.buyer(), stage.buyer());
    let held = stage.held(&first, 1);
    assert_eq!(stage.rank(&second), Some(1));
    assert!(stage.pay(&held).is_ok());
    assert!(stage.is_admitted(&second), "no advance was asked for");
    assert_eq!(stage.admitted(), 1);
}

pub(super) fn a_refused_payment_ends_no_ticket(make: &Factory) {
    let stage = Stage::new(make, 2);
    let (ticket, thief) = (stage.buyer(), stage.buyer());
    let held = stage.held(&ticket, 1);
    let stolen = payment::Command::Pay { reservation: held.id, ticket: thief.clone() };
    assert_eq!(stage.book(None, stolen.into()).map(drop), Err(Refusal::UnknownReservation));
    stage.alone(hold::Command::Release { reservation: held.id, user: ticket.user }).expect("it is held");
    assert!(stage.pay(&held).is_err(), "it was given back");
    assert!(stage.is_admitted(&ticket) && stage.is_admitted(&thief));
    assert_eq!((stage.endings(), stage.admitted()), (vec![], 2));
}

pub(super) fn a_payment_asked_again_ends_nothing_else(make: &Factory) {
    let stage = Stage::new(make, 1);
    let ticket = stage.buyer();
    let held = stage.held(&ticket, 1);
    assert!(stage.pay(&held).is_ok());
    let (next, events) = (stage.buyer(), stage.events());
    assert!(stage.is_admitted(&next));
    let again = stage.pay(&held).expect("it was paid");
    assert!(again.replayed);
    assert_eq!((stage.events(), stage.endings()), (events, vec![]));
    assert!(stage.is_admitted(&next));
    assert_eq!(stage.standing(&ticket), Place::Done(EndReason::Completed));
}

/// The signed ticket proves that it made the reservation, whatever became of its lane (Q6).
pub(super) fn a_payment_needs_no_lane(make: &Factory) {
    let stage = Stage::new(make, 1);
    let ticket = stage.buyer();
    let gone = Stage::of_another_life(&ticket);
    let held = stage.alone(stage.place(ReservationId::random(), &gone, 1)).map(|outcome| outcome.effect);
    let Ok(crate::Effect::Reservation(held)) = held else { panic!("{held:?}") };
    assert!(stage.pay(&held).is_ok());
    assert_eq!(stage.endings(), [], "a life that is gone has nothing left to end");
    assert!(stage.is_admitted(&ticket), "the number of another life stays");
    assert_eq!(stage.seat(1), SeatStatus::Sold);
}

pub(super) fn a_swept_hold_ends_its_ticket_in_the_lane(make: &Factory) {
    let stage = Stage::new(make, 1);
    let (ticket, next) = (stage.buyer(), stage.buyer());
    let held = stage.held(&ticket, 1);
    stage.move_clock(HOLD);
    stage.book(None, hold::Command::Expire(held.id).into()).expect("it ran out");
    assert_eq!(stage.standing(&ticket), Place::Done(EndReason::HoldExpired));
    assert_eq!(stage.endings(), []);
    assert!(stage.is_admitted(&next));
}

/// The booking port by itself knows of no lane: what it ends is carried there by others.
pub(super) fn what_executes_alone_stays_pending(make: &Factory) {
    let stage = Stage::new(make, 1);
    let ticket = stage.buyer();
    let held = stage.held(&ticket, 1);
    stage.alone(pay(&held)).expect("the hold is alive");
    assert_eq!(stage.endings(), [(ticket.clone(), EndReason::Completed)]);
    assert!(stage.is_admitted(&ticket) && ticket.lane == LaneName::main());
    assert!(stage.pay(&held).expect("it was paid").replayed);
    assert_eq!(stage.endings().len(), 1, "a repetition ends nothing");
}

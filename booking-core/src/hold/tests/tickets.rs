//! Fencing: one ticket has one live reservation and buys once, whatever the queue store says (I10).

use crate::{
    fixture::*,
    refusal::Refusal,
    ticket::{EndReason, Epoch},
};

const COMPLETED: Refusal = Refusal::TicketOver(EndReason::Completed);
const RAN_OUT: Refusal = Refusal::TicketOver(EndReason::HoldExpired);

#[test]
fn a_ticket_that_has_paid_holds_nothing_more() {
    let mut world = World::with(policy(9, 9));
    world.buy(1, &ticket(1, 1), &[1]);
    assert_eq!(world.hold(2, &ticket(1, 1), &[2]), Err(COMPLETED));
    assert!(world.hold(2, &ticket(1, 2), &[2]).is_ok(), "a new ticket");
}

#[test]
fn a_ticket_whose_payment_was_given_back_holds_nothing_more() {
    let mut world = World::with(policy(9, 9));
    world.buy(1, &ticket(1, 1), &[1]);
    world.refund(1).unwrap();
    assert_eq!(world.hold(2, &ticket(1, 1), &[1]), Err(COMPLETED));
}

#[test]
fn a_ticket_that_let_a_hold_run_out_holds_nothing_more_swept_or_not() {
    let mut world = World::with(policy(9, 9));
    world.hold(1, &ticket(1, 1), &[1]).unwrap();
    world.pass(HOLD_TTL);
    assert_eq!(world.hold(2, &ticket(1, 1), &[1]), Err(RAN_OUT));
    world.expire(1);
    assert_eq!(world.hold(2, &ticket(1, 1), &[1]), Err(RAN_OUT));
}

#[test]
fn a_ticket_that_gave_its_hold_back_holds_again_and_buys_once() {
    let mut world = World::new();
    for n in 1..=3 {
        world.hold(n, &ticket(1, 1), &[1]).unwrap();
        world.release(n, 1).unwrap();
    }
    world.buy(4, &ticket(1, 1), &[1]);
    assert_eq!(world.hold(5, &ticket(1, 1), &[2]), Err(COMPLETED));
}

#[test]
fn a_ticket_has_one_live_reservation_even_where_a_user_may_have_two() {
    let mut world = World::with(policy(2, 9));
    world.hold(1, &ticket(1, 1), &[1]).unwrap();
    assert_eq!(world.hold(2, &ticket(1, 1), &[2]), Err(Refusal::SeatLimitReached));
    assert!(world.hold(2, &ticket(1, 2), &[2]).is_ok(), "a second ticket");
}

#[test]
fn the_same_number_of_another_epoch_lane_or_user_is_another_ticket() {
    let mut world = World::with(policy(9, 9));
    world.buy(1, &ticket(1, 1), &[1]);
    let mut reborn = ticket(1, 1);
    reborn.epoch = Epoch(2);
    assert!(world.hold(2, &reborn, &[2]).is_ok());
    assert!(world.hold(3, &ticket(2, 1), &[3]).is_ok());
}

#[test]
fn a_spent_ticket_may_still_repeat_the_hold_it_made() {
    let mut world = World::new();
    world.buy(1, &ticket(1, 1), &[1]);
    assert!(world.hold(1, &ticket(1, 1), &[1]).unwrap().replayed);
}

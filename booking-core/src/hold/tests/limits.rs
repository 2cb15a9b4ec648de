//! How much one user may have: H4.

use crate::{fixture::*, refusal::Refusal};

const FULL: Refusal = Refusal::SeatLimitReached;

fn two_dates(mut world: World) -> World {
    let mut both = draft();
    both.performances.push(performance_draft(2));
    world.put(both);
    world
}

#[test]
fn one_live_reservation_with_one_seat_by_default() {
    let mut world = two_dates(World::new());
    assert_eq!(world.hold(1, &ticket(1, 1), &[1, 2]), Err(FULL));
    world.hold(1, &ticket(1, 1), &[1]).unwrap();
    assert_eq!(world.hold(2, &ticket(1, 2), &[2]), Err(FULL));
    assert_eq!(world.run(&place(2, &ticket(1, 2), 2, &[1])), Err(FULL), "another performance");
    assert!(world.hold(2, &ticket(2, 3), &[2]).is_ok(), "another user");
}

#[test]
fn live_reservations_count_over_all_performances() {
    let mut world = two_dates(World::with(policy(2, 9)));
    world.hold(1, &ticket(1, 1), &[1]).unwrap();
    world.run(&place(2, &ticket(1, 2), 2, &[1])).unwrap();
    assert_eq!(world.hold(3, &ticket(1, 3), &[2]), Err(FULL));
}

#[test]
fn seats_count_in_their_performance_over_all_reservations() {
    let mut world = two_dates(World::with(policy(9, 3)));
    world.hold(1, &ticket(1, 1), &[1, 2]).unwrap();
    assert_eq!(world.hold(2, &ticket(1, 2), &[3, 4]), Err(FULL));
    assert!(world.hold(2, &ticket(1, 2), &[3]).is_ok());
    assert_eq!(world.hold(3, &ticket(1, 3), &[4]), Err(FULL));
    assert!(world.run(&place(3, &ticket(1, 3), 2, &[1, 2, 3])).is_ok(), "another performance");
}

#[test]
fn bought_seats_count_and_bought_reservations_are_not_live() {
    let mut world = two_dates(World::with(policy(1, 2)));
    world.buy(1, &ticket(1, 1), &[1]);
    assert_eq!(world.hold(2, &ticket(1, 2), &[2, 3]), Err(FULL));
    assert!(world.hold(2, &ticket(1, 2), &[2]).is_ok());
    world.release(2, 1).unwrap();
    assert!(world.run(&place(3, &ticket(1, 3), 2, &[1, 2])).is_ok());
}

#[test]
fn with_one_seat_a_user_buys_one_performance_only_once() {
    let mut world = two_dates(World::new());
    world.buy(1, &ticket(1, 1), &[1]);
    assert_eq!(world.hold(2, &ticket(1, 2), &[2]), Err(FULL));
    assert!(world.run(&place(2, &ticket(1, 2), 2, &[2])).is_ok());
}

#[test]
fn an_expired_hold_does_not_count_swept_or_not() {
    let mut world = World::new();
    world.hold(1, &ticket(1, 1), &[1]).unwrap();
    world.pass(just_before(HOLD_TTL));
    assert_eq!(world.hold(2, &ticket(1, 2), &[2]), Err(FULL));
    world.pass(MICRO);
    let mut swept = world.clone();
    assert!(world.hold(2, &ticket(1, 2), &[2]).is_ok());
    swept.expire(1);
    assert!(swept.hold(2, &ticket(1, 2), &[2]).is_ok());
}

#[test]
fn what_was_released_or_refunded_does_not_count() {
    let mut world = World::new();
    world.hold(1, &ticket(1, 1), &[1]).unwrap();
    world.release(1, 1).unwrap();
    world.buy(2, &ticket(1, 2), &[2]);
    assert_eq!(world.hold(3, &ticket(1, 3), &[3]), Err(FULL));
    world.refund(2).unwrap();
    assert!(world.hold(3, &ticket(1, 3), &[3]).is_ok());
}

#[test]
fn a_user_who_is_at_the_limit_may_pay_and_is_still_at_it() {
    let mut world = World::new();
    world.buy(1, &ticket(1, 1), &[1]);
    for seat in [2, 50] {
        assert_eq!(world.hold(2, &ticket(1, 2), &[seat]), Err(FULL));
    }
}

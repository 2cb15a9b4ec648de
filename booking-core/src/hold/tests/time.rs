//! Half-open, lazy expiry: H3, I3, I4.

use crate::{
    fixture::*,
    hold::{ReservationStatus, SeatStatus},
    refusal::Refusal,
    ticket::EndReason,
};

/// User 1 holds seat 7 from the start, with money enough to pay it.
fn held() -> World {
    let mut world = World::new();
    world.charge(1, 1, PRICE).unwrap();
    world.hold(1, &ticket(1, 1), &[7]).unwrap();
    world
}

#[test]
fn a_hold_pays_until_its_last_microsecond_and_not_at_its_end() {
    let mut world = held();
    world.pass(just_before(HOLD_TTL));
    let mut late = world.clone();
    assert!(world.pay(1, &ticket(1, 1)).is_ok());
    late.pass(MICRO);
    assert_eq!(late.pay(1, &ticket(1, 1)), Err(Refusal::HoldExpired));
    assert_eq!(late.balance(1), PRICE);
}

#[test]
fn a_hold_is_released_until_its_last_microsecond_and_not_at_its_end() {
    let mut world = held();
    world.pass(just_before(HOLD_TTL));
    let mut late = world.clone();
    assert!(world.release(1, 1).is_ok());
    late.pass(MICRO);
    assert_eq!(late.release(1, 1), Err(Refusal::HoldExpired));
}

#[test]
fn a_seat_is_taken_until_the_last_microsecond_and_free_at_the_end() {
    let mut world = held();
    world.pass(just_before(HOLD_TTL));
    assert_eq!(world.seat(7), SeatStatus::Held);
    assert_eq!(world.hold(2, &ticket(2, 2), &[7]), Err(Refusal::SeatTaken { seats: vec![7] }));
    world.pass(MICRO);
    assert_eq!(world.seat(7), SeatStatus::Available);
    assert!(world.hold(2, &ticket(2, 2), &[7]).is_ok());
}

#[test]
fn the_sweep_leaves_a_live_hold_alone_and_ends_one_that_ran_out() {
    let mut world = held();
    world.pass(just_before(HOLD_TTL));
    assert!(world.expire(1).replayed);
    world.pass(MICRO);
    let swept = world.expire(1);
    assert_eq!((swept.replayed, swept.value.status), (false, ReservationStatus::Expired));
    assert!(world.expire(1).replayed);
    assert_eq!(world.state.endings.get(&ticket(1, 1)), Some(&EndReason::HoldExpired));
    assert_eq!(world.seat(7), SeatStatus::Available);
}

#[test]
fn the_sweep_leaves_what_is_paid_released_or_unknown_alone() {
    let mut world = held();
    world.pay(1, &ticket(1, 1)).unwrap();
    world.hold(2, &ticket(2, 2), &[8]).unwrap();
    world.release(2, 2).unwrap();
    world.pass(HOLD_TTL * 2);
    assert_eq!(world.expire(1).value.status, ReservationStatus::Confirmed);
    assert_eq!(world.expire(2).value.status, ReservationStatus::Released);
    let unknown = crate::hold::Command::Expire(reservation(9)).into();
    assert!(world.run(&unknown).unwrap().replayed);
    assert_eq!(world.seat(7), SeatStatus::Sold);
}

#[test]
fn payment_after_a_takeover_is_refused_and_charges_nothing() {
    let mut world = held();
    world.pass(HOLD_TTL);
    world.hold(2, &ticket(2, 2), &[7]).unwrap();
    assert_eq!(world.pay(1, &ticket(1, 1)), Err(Refusal::HoldExpired));
    assert_eq!((world.balance(1), world.seat(7)), (PRICE, SeatStatus::Held));
}

#[test]
fn a_hold_that_lost_its_seat_is_not_paid_even_by_a_clock_that_went_back() {
    let mut world = held();
    world.pass(HOLD_TTL);
    world.hold(2, &ticket(2, 2), &[7]).unwrap();
    world.now = START;
    assert_eq!(world.pay(1, &ticket(1, 1)), Err(Refusal::HoldExpired));
}

#[test]
fn a_late_sweep_frees_only_the_seats_that_still_name_the_reservation() {
    let mut world = World::with(policy(1, 2));
    world.hold(1, &ticket(1, 1), &[7, 8]).unwrap();
    world.pass(HOLD_TTL);
    world.hold(2, &ticket(2, 2), &[8]).unwrap();
    assert!(!world.expire(1).replayed);
    assert_eq!((world.seat(7), world.seat(8)), (SeatStatus::Available, SeatStatus::Held));
    world.charge(1, 2, PRICE).unwrap();
    assert!(world.pay(2, &ticket(2, 2)).is_ok());
}

#[test]
fn a_late_sweep_does_not_free_a_seat_that_was_sold_meanwhile() {
    let mut world = held();
    world.pass(HOLD_TTL);
    world.buy(2, &ticket(2, 2), &[7]);
    world.expire(1);
    assert_eq!(world.seat(7), SeatStatus::Sold);
}

#[test]
fn a_seat_goes_through_many_hands_without_any_sweep() {
    let mut world = World::new();
    for n in 1..=4 {
        assert!(world.hold(n, &ticket(n, 1), &[7]).is_ok(), "user {n}");
        world.pass(HOLD_TTL);
    }
    for n in 1..=4 {
        world.expire(n);
    }
    assert_eq!(world.seat(7), SeatStatus::Available);
    assert!(world.state.seats[&performance(1)].is_empty());
}

#[test]
fn a_shorter_policy_is_kept_to_the_microsecond() {
    let ttl = std::time::Duration::from_millis(1);
    let mut world = World::with(crate::policy::BookingPolicy { hold_ttl: ttl, ..policy(1, 1) });
    let made = world.hold(1, &ticket(1, 1), &[7]).unwrap().value;
    assert_eq!(made.hold_until, START.after(ttl));
    world.pass(ttl);
    assert_eq!(world.pay(1, &ticket(1, 1)), Err(Refusal::HoldExpired));
}

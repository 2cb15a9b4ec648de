//! Who gets which seats: H1, H2, H4, H5, H6, S4.

use crate::{
    fixture::*,
    hold::{self, ReservationStatus, SeatStatus},
    outcome::Effect,
    refusal::Refusal,
};

#[test]
fn a_hold_tells_its_id_status_end_and_the_payment_due() {
    let mut world = World::with(policy(1, 2));
    let answer = world.hold(1, &ticket(1, 1), &[9, 4]).unwrap();
    assert!(!answer.replayed);
    let made = answer.value;
    assert_eq!((made.id, made.user, made.performance), (reservation(1), user(1), performance(1)));
    assert_eq!((made.status, &*made.seats), (ReservationStatus::Held, &[4, 9][..]));
    assert_eq!((made.created_at, made.hold_until), (START, START.after(HOLD_TTL)));
    assert_eq!((made.payment, made.amount), (payment(1), money(2 * PRICE)));
    assert_eq!([world.seat(4), world.seat(9)], [SeatStatus::Held; 2]);
}

#[test]
fn second_hold_of_a_held_seat_is_refused() {
    let mut world = World::new();
    world.hold(1, &ticket(1, 1), &[7]).unwrap();
    let refused = world.hold(2, &ticket(2, 2), &[7]);
    assert_eq!(refused, Err(Refusal::SeatTaken { seats: vec![7] }));
}

#[test]
fn hold_of_a_sold_seat_is_refused_for_ever() {
    let mut world = World::new();
    world.buy(1, &ticket(1, 1), &[7]);
    world.pass(HOLD_TTL * 100);
    assert_eq!(world.seat(7), SeatStatus::Sold);
    let refused = world.hold(2, &ticket(2, 2), &[7]);
    assert_eq!(refused, Err(Refusal::SeatTaken { seats: vec![7] }));
}

#[test]
fn a_hold_of_several_seats_is_all_or_nothing_and_names_every_conflict() {
    let mut world = World::with(policy(2, 4));
    world.hold(1, &ticket(1, 1), &[2, 3]).unwrap();
    let refused = world.hold(2, &ticket(2, 2), &[4, 3, 1, 2]);
    assert_eq!(refused, Err(Refusal::SeatTaken { seats: vec![2, 3] }));
    assert_eq!([world.seat(1), world.seat(4)], [SeatStatus::Available; 2]);
}

#[test]
fn a_hold_of_no_seat_is_refused() {
    let refused = World::new().hold(1, &ticket(1, 1), &[]);
    assert!(matches!(refused, Err(Refusal::InvalidSeats(_))), "{refused:?}");
}

#[test]
fn a_seat_named_twice_is_refused_by_its_number() {
    let refused = World::with(policy(1, 9)).hold(1, &ticket(1, 1), &[5, 8, 5]);
    assert_eq!(refused, Err(Refusal::InvalidSeats("seat 5 is named twice".into())));
}

#[test]
fn seats_are_numbered_from_1_to_50() {
    for (n, seat) in [(1, 1), (2, 50)] {
        assert!(World::new().hold(n, &ticket(1, 1), &[seat]).is_ok(), "seat {seat}");
    }
    for seat in [0, 51, u32::MAX] {
        let refused = World::new().hold(1, &ticket(1, 1), &[seat]);
        assert_eq!(refused, Err(Refusal::UnknownSeat { seat: seat.into(), seats: 50 }));
    }
}

#[test]
fn one_seat_out_of_range_refuses_them_all() {
    let mut world = World::with(policy(1, 9));
    let refused = world.hold(1, &ticket(1, 1), &[1, 51]);
    assert_eq!(refused, Err(Refusal::UnknownSeat { seat: 51, seats: 50 }));
    assert_eq!(world.seat(1), SeatStatus::Available);
}

#[test]
fn the_same_seat_of_another_performance_is_another_seat() {
    let mut world = World::new();
    let mut two_dates = draft();
    two_dates.performances.push(performance_draft(2));
    world.put(two_dates);
    world.hold(1, &ticket(1, 1), &[7]).unwrap();
    assert!(world.run(&place(2, &ticket(2, 2), 2, &[7])).is_ok());
}

#[test]
fn an_unknown_user_or_performance_is_refused() {
    let mut world = World::new();
    assert_eq!(world.hold(1, &ticket(9, 1), &[1]), Err(Refusal::UnknownUser));
    assert_eq!(world.run(&place(1, &ticket(1, 1), 9, &[1])), Err(Refusal::UnknownPerformance));
}

#[test]
fn a_ticket_of_another_lane_is_told_the_right_one() {
    let mut world = World::new();
    let mut other = ticket(1, 1);
    other.lane = lane("other");
    assert_eq!(world.hold(1, &other, &[1]), Err(Refusal::WrongLane { lane: lane("main") }));
}

#[test]
fn a_performance_off_sale_is_not_held() {
    let mut world = World::new();
    let mut off = draft();
    off.performances[0].on_sale = false;
    world.put(off);
    assert_eq!(world.hold(1, &ticket(1, 1), &[1]), Err(Refusal::NotOnSale));
}

#[test]
fn a_performance_is_held_until_the_microsecond_it_begins() {
    let mut world = World::new();
    world.pass(LEAD);
    assert_eq!(world.hold(1, &ticket(1, 1), &[1]), Err(Refusal::NotOnSale));
    world.now = START.after(LEAD).before(MICRO);
    assert!(world.hold(1, &ticket(1, 1), &[1]).is_ok());
}

#[test]
fn a_price_times_seats_that_does_not_fit_is_refused() {
    let mut world = World::with(policy(1, 2));
    let mut dear = draft();
    dear.performances[0].price = money(i64::MAX);
    world.put(dear);
    assert_eq!(world.hold(1, &ticket(1, 1), &[1, 2]), Err(Refusal::AmountOutOfRange));
    assert!(world.hold(1, &ticket(1, 1), &[1]).is_ok());
}

#[test]
fn the_same_identity_and_seats_in_any_order_are_a_replay() {
    let mut world = World::with(policy(1, 2));
    let first = world.hold(1, &ticket(1, 1), &[3, 4]).unwrap();
    world.pass(MICRO);
    let again = world.hold(1, &ticket(1, 1), &[4, 3]).unwrap();
    assert!(again.replayed);
    assert_eq!(again.value, first.value);
}

#[test]
fn a_replay_answers_the_status_of_now() {
    let mut world = World::new();
    world.hold(1, &ticket(1, 1), &[3]).unwrap();
    world.pass(HOLD_TTL);
    let again = world.hold(1, &ticket(1, 1), &[3]).unwrap();
    assert_eq!((again.replayed, again.value.status), (true, ReservationStatus::Expired));
}

#[test]
fn an_identity_of_something_else_is_refused() {
    let mut world = World::with(policy(9, 9));
    world.hold(1, &ticket(1, 1), &[3]).unwrap();
    let reused = Err(Refusal::IdempotencyKeyReused);
    assert_eq!(world.hold(1, &ticket(1, 1), &[4]), reused, "other seats");
    assert_eq!(world.hold(1, &ticket(1, 1), &[3, 4]), reused, "more seats");
    assert_eq!(world.hold(1, &ticket(2, 2), &[3]), reused, "another user");
    assert_eq!(world.run(&place(1, &ticket(1, 1), 2, &[3])).map(|_| ()), Err(Refusal::IdempotencyKeyReused));
}

#[test]
fn a_refused_hold_binds_neither_seat_nor_identity() {
    let mut world = World::new();
    world.hold(1, &ticket(1, 1), &[3]).unwrap();
    world.hold(2, &ticket(2, 2), &[3]).unwrap_err();
    assert!(world.hold(2, &ticket(2, 2), &[4]).is_ok());
}

#[test]
fn the_same_seats_under_another_identity_answer_the_hold_there_is() {
    let mut world = World::with(policy(1, 2));
    let first = world.hold(1, &ticket(1, 1), &[3, 4]).unwrap();
    let again = world.hold(2, &ticket(1, 1), &[4, 3]).unwrap();
    assert!(again.replayed);
    assert_eq!(again.value, first.value);
    assert!(!world.state.reservations.contains(&reservation(2)));
}

#[test]
fn only_exactly_the_same_seats_are_a_natural_replay() {
    let mut world = World::with(policy(1, 9));
    world.hold(1, &ticket(1, 1), &[3, 4]).unwrap();
    for (seats, taken) in [(&[3][..], &[3][..]), (&[3, 4, 5], &[3, 4])] {
        let refusal = Refusal::SeatTaken { seats: taken.into() };
        assert_eq!(world.hold(2, &ticket(1, 1), seats), Err(refusal), "{seats:?}");
    }
}

#[test]
fn the_owner_gives_a_hold_back_and_the_seat_is_free() {
    let mut world = World::new();
    world.hold(1, &ticket(1, 1), &[3]).unwrap();
    let released = world.release(1, 1).unwrap();
    assert_eq!((released.replayed, released.value.status), (false, ReservationStatus::Released));
    assert_eq!(world.seat(3), SeatStatus::Available);
    assert!(world.hold(2, &ticket(2, 2), &[3]).is_ok());
}

#[test]
fn releasing_twice_changes_nothing_even_when_another_has_the_seat() {
    let mut world = World::new();
    world.hold(1, &ticket(1, 1), &[3]).unwrap();
    world.release(1, 1).unwrap();
    world.hold(2, &ticket(2, 2), &[3]).unwrap();
    assert!(world.release(1, 1).unwrap().replayed);
    assert_eq!(world.seat(3), SeatStatus::Held);
}

#[test]
fn nobody_else_can_release_a_hold() {
    let mut world = World::new();
    world.hold(1, &ticket(1, 1), &[3]).unwrap();
    assert_eq!(world.release(1, 2), Err(Refusal::UnknownReservation));
    assert_eq!(world.release(9, 1), Err(Refusal::UnknownReservation));
}

#[test]
fn a_paid_reservation_is_not_released() {
    let mut world = World::new();
    world.buy(1, &ticket(1, 1), &[3]);
    assert_eq!(world.release(1, 1), Err(Refusal::ReservationNotReleasable));
    world.refund(1).unwrap();
    assert_eq!(world.release(1, 1), Err(Refusal::ReservationNotReleasable));
}

#[test]
fn leaving_gives_back_what_the_ticket_holds() {
    let mut world = World::new();
    world.hold(1, &ticket(1, 1), &[3]).unwrap();
    let left = world.run(&hold::Command::Leave(ticket(1, 1)).into()).unwrap();
    assert!(matches!(left.effect, Effect::Reservation(made) if made.status == ReservationStatus::Released));
    assert_eq!(world.seat(3), SeatStatus::Available);
    assert!(world.run(&hold::Command::Leave(ticket(1, 1)).into()).unwrap().replayed);
}

#[test]
fn leaving_with_another_ticket_or_after_paying_gives_nothing_back() {
    let mut world = World::new();
    world.buy(1, &ticket(1, 1), &[3]);
    world.hold(2, &ticket(2, 2), &[4]).unwrap();
    for leaver in [ticket(1, 1), ticket(2, 3), ticket(3, 2)] {
        assert!(world.run(&hold::Command::Leave(leaver).into()).unwrap().replayed);
    }
    assert_eq!((world.seat(3), world.seat(4)), (SeatStatus::Sold, SeatStatus::Held));
}

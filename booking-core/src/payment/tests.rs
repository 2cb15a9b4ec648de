use crate::{
    fixture::*,
    hold::{ReservationStatus, SeatStatus},
    payment::PaymentStatus,
    policy::BookingPolicy,
    refusal::Refusal,
    ticket::EndReason,
};

/// User 1 has 1,500 and holds seat 7.
fn held() -> World {
    let mut world = World::new();
    world.charge(1, 1, 1_500).unwrap();
    world.hold(1, &ticket(1, 1), &[7]).unwrap();
    world
}

fn status(world: &World, r: u128) -> ReservationStatus {
    world.state.reservations[&reservation(r)].status_at(world.now)
}

#[test]
fn one_payment_moves_money_seat_reservation_and_ticket() {
    let mut world = held();
    world.pass(MICRO);
    let paid = world.pay(1, &ticket(1, 1)).unwrap();
    assert!(!paid.replayed);
    let made = &paid.value.payment;
    assert_eq!((made.id, made.reservation, made.user), (payment(1), reservation(1), user(1)));
    assert_eq!((made.amount, made.paid_at, made.status()), (money(PRICE), world.now, PaymentStatus::Paid));
    assert_eq!((paid.value.balance.units(), world.balance(1)), (500, 500));
    assert_eq!((world.seat(7), status(&world, 1)), (SeatStatus::Sold, ReservationStatus::Confirmed));
    assert_eq!(world.state.endings.get(&ticket(1, 1)), Some(&EndReason::Completed));
}

#[test]
fn paying_twice_charges_once() {
    let mut world = held();
    let first = world.pay(1, &ticket(1, 1)).unwrap();
    world.pass(HOLD_TTL * 10);
    let again = world.pay(1, &ticket(1, 1)).unwrap();
    assert!(again.replayed);
    assert_eq!(again.value, first.value);
    assert_eq!(world.balance(1), 500);
}

#[test]
fn a_repeated_payment_answers_the_balance_of_now() {
    let mut world = held();
    world.pay(1, &ticket(1, 1)).unwrap();
    world.charge(2, 1, 9).unwrap();
    assert_eq!(world.pay(1, &ticket(1, 1)).unwrap().value.balance, money(509));
}

#[test]
fn a_balance_one_short_pays_nothing_and_exactly_enough_pays() {
    let mut world = World::new();
    world.charge(1, 1, PRICE - 1).unwrap();
    world.hold(1, &ticket(1, 1), &[7]).unwrap();
    let short = Refusal::InsufficientBalance { balance: money(PRICE - 1), amount: money(PRICE) };
    assert_eq!(world.pay(1, &ticket(1, 1)), Err(short));
    assert_eq!((world.balance(1), world.seat(7)), (PRICE - 1, SeatStatus::Held));
    world.charge(2, 1, 1).unwrap();
    assert_eq!(world.pay(1, &ticket(1, 1)).unwrap().value.balance, money(0));
}

#[test]
fn several_seats_are_paid_together() {
    let mut world = World::with(policy(1, 3));
    world.buy(1, &ticket(1, 1), &[3, 1, 2]);
    assert_eq!([1, 2, 3].map(|seat| world.seat(seat)), [SeatStatus::Sold; 3]);
    assert_eq!(world.state.payments[&payment(1)].amount, money(3 * PRICE));
}

#[test]
fn somebody_elses_or_no_reservation_is_unknown() {
    let mut world = held();
    world.charge(2, 2, PRICE).unwrap();
    assert_eq!(world.pay(1, &ticket(2, 2)), Err(Refusal::UnknownReservation));
    assert_eq!(world.pay(9, &ticket(1, 1)), Err(Refusal::UnknownReservation));
}

#[test]
fn only_the_ticket_that_made_a_reservation_pays_it() {
    let mut world = held();
    assert_eq!(world.pay(1, &ticket(1, 2)), Err(Refusal::WrongTicket));
    world.pay(1, &ticket(1, 1)).unwrap();
    assert_eq!(world.pay(1, &ticket(1, 2)), Err(Refusal::WrongTicket), "not even repeats it");
}

#[test]
fn a_released_reservation_is_not_paid() {
    let mut world = held();
    world.release(1, 1).unwrap();
    assert_eq!(world.pay(1, &ticket(1, 1)), Err(Refusal::ReservationNotPayable));
    world.pass(HOLD_TTL);
    assert_eq!(world.pay(1, &ticket(1, 1)), Err(Refusal::ReservationNotPayable));
}

#[test]
fn an_expired_reservation_is_not_paid_swept_or_not() {
    let mut world = held();
    world.pass(HOLD_TTL);
    assert_eq!(world.pay(1, &ticket(1, 1)), Err(Refusal::HoldExpired));
    world.expire(1);
    assert_eq!(world.pay(1, &ticket(1, 1)), Err(Refusal::HoldExpired));
    assert_eq!(world.balance(1), 1_500);
}

#[test]
fn a_hold_is_paid_after_its_performance_began() {
    let mut world = World::new();
    world.pass(just_before(LEAD));
    world.charge(1, 1, PRICE).unwrap();
    world.hold(1, &ticket(1, 1), &[7]).unwrap();
    world.pass(MICRO);
    assert!(world.pay(1, &ticket(1, 1)).is_ok());
}

#[test]
fn a_free_performance_is_paid_with_an_empty_wallet_and_given_back() {
    let mut world = World::new();
    let mut free = draft();
    free.performances[0].price = money(0);
    world.put(free);
    world.hold(1, &ticket(1, 1), &[7]).unwrap();
    let paid = world.pay(1, &ticket(1, 1)).unwrap().value;
    assert_eq!((paid.payment.amount, paid.balance), (money(0), money(0)));
    assert_eq!((world.seat(7), world.state.wallets[&user(1)].entries), (SeatStatus::Sold, 1));
    world.refund(1).unwrap();
    assert_eq!((world.seat(7), world.state.wallets[&user(1)].entries), (SeatStatus::Available, 2));
}

#[test]
fn a_refund_gives_the_money_back_and_frees_the_seats() {
    let mut world = held();
    world.pay(1, &ticket(1, 1)).unwrap();
    world.pass(MICRO);
    let refunded = world.refund(1).unwrap();
    assert!(!refunded.replayed);
    assert_eq!(refunded.value.payment.refunded_at, Some(world.now));
    assert_eq!(
        (refunded.value.payment.status(), refunded.value.balance),
        (PaymentStatus::Refunded, money(1_500))
    );
    assert_eq!((world.seat(7), status(&world, 1)), (SeatStatus::Available, ReservationStatus::Refunded));
    assert!(world.hold(2, &ticket(2, 2), &[7]).is_ok());
}

#[test]
fn a_payment_is_given_back_once() {
    let mut world = held();
    world.pay(1, &ticket(1, 1)).unwrap();
    let first = world.refund(1).unwrap();
    world.hold(2, &ticket(2, 2), &[7]).unwrap();
    world.pass(MICRO);
    let again = world.refund(1).unwrap();
    assert!(again.replayed);
    assert_eq!(again.value, first.value);
    assert_eq!((world.balance(1), world.seat(7)), (1_500, SeatStatus::Held));
}

#[test]
fn paying_what_was_given_back_answers_the_refunded_payment_and_charges_nothing() {
    let mut world = held();
    world.pay(1, &ticket(1, 1)).unwrap();
    world.refund(1).unwrap();
    let again = world.pay(1, &ticket(1, 1)).unwrap();
    assert_eq!((again.replayed, again.value.payment.status()), (true, PaymentStatus::Refunded));
    assert_eq!((world.balance(1), world.seat(7)), (1_500, SeatStatus::Available));
}

#[test]
fn a_payment_that_is_only_due_or_unknown_is_not_given_back() {
    let mut world = held();
    assert_eq!(world.refund(1), Err(Refusal::UnknownPayment));
    assert_eq!(world.refund(9), Err(Refusal::UnknownPayment));
}

#[test]
fn a_refund_may_exceed_the_balance_limit_that_binds_charges() {
    let most = BookingPolicy { max_balance: money(PRICE), ..BookingPolicy::default() };
    let mut world = World::with(most);
    world.buy(1, &ticket(1, 1), &[7]);
    world.charge(1, 1, PRICE).unwrap();
    assert_eq!(world.refund(1).unwrap().value.balance, money(2 * PRICE));
    assert_eq!(world.charge(2, 1, 1), Err(Refusal::AmountOutOfRange));
}

#[test]
fn a_refund_beyond_64_bits_is_refused_and_changes_nothing() {
    let most = BookingPolicy { max_balance: money(i64::MAX), ..BookingPolicy::default() };
    let mut world = World::with(most);
    world.buy(1, &ticket(1, 1), &[7]);
    world.charge(1, 1, i64::MAX - PRICE + 1).unwrap();
    assert_eq!(world.refund(1), Err(Refusal::AmountOutOfRange));
    assert_eq!((world.seat(7), status(&world, 1)), (SeatStatus::Sold, ReservationStatus::Confirmed));
}

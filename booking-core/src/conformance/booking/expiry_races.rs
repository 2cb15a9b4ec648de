//! Payments and the end of their holds, around the very instant (I3, I4).

use std::time::Duration;

use super::{
    Factory,
    moves::log_is_possible,
    stage::{PRICE, Stage, expire, generous, release},
};
use crate::{
    conformance::tools::{at_once, while_repeating},
    event::Event,
    hold::{Reservation, ReservationStatus, SeatNumber, SeatStatus},
    payment,
    policy::BookingPolicy,
    refusal::Refusal,
};

const ROUNDS: SeatNumber = 48;
/// In a round the clock is moved this often, by a microsecond each time.
const MOVES: u32 = 6;
const MICROSECOND: Duration = Duration::from_micros(1);

/// A hold that ends a few microseconds from now: in some rounds within the moves of the clock, in some at once, in some
/// not at all.
fn hold_about_to_end(stage: &Stage, round: SeatNumber) -> Reservation {
    let held = stage.held(&stage.buyer(1), &[round]);
    stage.advance_to(held.hold_until.before(MICROSECOND * (round % (MOVES + 2))));
    held
}

fn move_clock(stage: &Stage) {
    for _ in 0..MOVES {
        stage.advance(MICROSECOND);
        std::thread::yield_now();
    }
}

pub(super) fn of_paying_and_expiring_exactly_one_wins(make: &Factory) {
    let stage = Stage::new(make);
    let there = stage.elsewhere();
    let (mut paid, mut expired) = (0, 0);
    for round in 1..=ROUNDS {
        let held = hold_about_to_end(&stage, round);
        let answers = at_once(3, |number| match number {
            0 => Some(stage.pay(&held)),
            1 => {
                (0..MOVES).for_each(|_| drop(there.done(expire(held.id))));
                None
            }
            _ => {
                move_clock(&there);
                None
            }
        });
        stage.advance(MICROSECOND * 2);
        stage.done(expire(held.id));
        match answers.into_iter().flatten().next().expect("the payer got an answer") {
            Ok(payment) => {
                paid += 1;
                assert!(payment.paid_at < held.hold_until, "{payment:?} for {held:?}");
                assert_eq!(stage.status(&held), ReservationStatus::Confirmed);
                assert_eq!((stage.balance(held.user), stage.seat(round)), (0, SeatStatus::Sold));
            }
            Err(refusal) => {
                expired += 1;
                assert_eq!(refusal, Refusal::HoldExpired);
                assert_eq!(stage.status(&held), ReservationStatus::Expired);
                assert_eq!((stage.balance(held.user), stage.seat(round)), (PRICE, SeatStatus::Available));
                assert_eq!(stage.payments(held.user), []);
            }
        }
    }
    assert!(paid > 0 && expired > 0, "both happened: {paid} paid, {expired} expired");
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

pub(super) fn of_paying_and_taking_over_exactly_one_wins(make: &Factory) {
    let stage = Stage::new(make);
    let there = stage.elsewhere();
    let (mut paid, mut taken) = (0, 0);
    for round in 1..=ROUNDS {
        let (held, rival) = (hold_about_to_end(&stage, round), stage.guest());
        // Tries until the hold has ended for certain, so that one of both gets the seat.
        let take_over = || loop {
            let over = there.now() >= held.hold_until;
            if there.hold(&rival, &[round]).is_ok() {
                return true;
            } else if over {
                return false;
            }
        };
        let won = at_once(3, |number| match number {
            0 => stage.pay(&held).is_ok(),
            1 => take_over(),
            _ => {
                move_clock(&there);
                // The rounds in which the hold outlives the moves.
                stage.advance(MICROSECOND);
                false
            }
        });
        assert!(won[0] != won[1], "one gets the seat, the other does not: {won:?}");
        paid += u32::from(won[0]);
        taken += u32::from(won[1]);
        let balance = if won[0] { 0 } else { PRICE };
        assert_eq!(stage.balance(held.user), balance);
    }
    assert!(taken > 0, "{paid} paid, {taken} taken over");
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

pub(super) fn of_paying_and_releasing_exactly_one_wins(make: &Factory) {
    let stage = Stage::new(make);
    let there = stage.elsewhere();
    for seat in 1..=30 {
        let held = stage.held(&stage.buyer(1), &[seat]);
        let refusals = at_once(2, |number| match number {
            0 => stage.pay(&held).err(),
            _ => there.ask(release(held.id, held.user)).err(),
        });
        let paid = match &refusals[..] {
            [None, Some(Refusal::ReservationNotReleasable)] => true,
            [Some(Refusal::ReservationNotPayable), None] => false,
            other => panic!("one of both wins: {other:?}"),
        };
        let (status, balance) =
            if paid { (ReservationStatus::Confirmed, 0) } else { (ReservationStatus::Released, PRICE) };
        assert_eq!((stage.status(&held), stage.balance(held.user)), (status, balance));
    }
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

pub(super) fn a_payment_is_never_dated_at_or_after_the_end_of_its_hold(make: &Factory) {
    const BUYERS: usize = 4;
    let policy = BookingPolicy { hold_ttl: Duration::from_millis(1), ..generous() };
    let stage = Stage::under(make, policy);
    let there = stage.elsewhere();
    let tickets: Vec<_> = (0..BUYERS).map(|_| stage.buyer(100)).collect();
    while_repeating(
        || stage.advance(Duration::from_micros(200)),
        || {
            at_once(BUYERS, |number| {
                let stage = [&stage, &there][number % 2];
                for round in 0..40 {
                    let seat = [SeatNumber::try_from(number).unwrap_or(0) * 10 + round % 10 + 1];
                    let ticket = stage.ticket(tickets[number].user);
                    if let Ok(held) = stage.hold(&ticket, &seat) {
                        match stage.pay(&held) {
                            Ok(paid) => drop(stage.done(crate::payment::Command::Refund(paid.id))),
                            Err(refusal) => assert_eq!(refusal, Refusal::HoldExpired),
                        }
                    }
                }
            });
        },
    );
    let log = stage.events();
    for recorded in &log {
        if let Event::Payment(payment::Event::PaymentMade(paid)) = &recorded.event {
            let of = stage.read(stage.store.reservation(paid.user, paid.reservation)).expect("it was made");
            assert!((of.created_at..of.hold_until).contains(&paid.paid_at), "{paid:?} for {of:?}");
        }
    }
    log_is_possible(&log);
    stage.books_are_clean();
}

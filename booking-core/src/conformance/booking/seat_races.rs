//! Many threads on the same seats, over two instances (H2, H4, X1, X2).

use super::{
    Factory,
    moves::log_is_possible,
    stage::{PRICE, SEATS, Stage, TTL, charge, expire, generous, place, release, reservation_of},
};
use crate::{
    conformance::tools::{RACERS, Random, at_once},
    hold::{ReservationStatus, SeatNumber},
    id::{EntryId, ReservationId, UserId},
    refusal::Refusal,
};

pub(super) fn of_eight_threads_on_one_seat_exactly_one_wins(make: &Factory) {
    let stage = Stage::new(make);
    let stages = [&stage, &stage.elsewhere()];
    for seat in 1..=30 {
        let tickets: Vec<_> = (0..RACERS).map(|_| stage.guest()).collect();
        let answers = at_once(RACERS, |number| stages[number % 2].hold(&tickets[number], &[seat]));
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "one of eight gets seat {seat}");
        assert!(
            lost.iter().all(|answer| *answer == Err(Refusal::SeatTaken { seats: vec![seat] })),
            "{lost:?}"
        );
        assert_eq!(stage.status(won[0].as_ref().expect("it won")), ReservationStatus::Held);
    }
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

pub(super) fn eight_threads_on_fifty_seats_sell_each_once(make: &Factory) {
    let stage = Stage::under(make, generous());
    let stages = [&stage, &stage.elsewhere()];
    let users: Vec<UserId> = (0..RACERS).map(|_| stage.user()).collect();
    for user in &users {
        stage.charge(*user, i64::from(SEATS) * PRICE);
    }
    let buy = |number: usize| {
        let (stage, user) = (stages[number % 2], users[number]);
        let mut bought: Vec<SeatNumber> = Vec::new();
        for seat in 1..=SEATS {
            match stage.hold(&stage.ticket(user), &[seat]) {
                Ok(held) => {
                    stage.pay(&held).expect("the hold is alive and the money there");
                    bought.push(seat);
                }
                Err(refusal) => assert_eq!(refusal, Refusal::SeatTaken { seats: vec![seat] }),
            }
        }
        bought
    };
    let bought = at_once(RACERS, buy);
    let mut all = bought.concat();
    all.sort_unstable();
    assert_eq!(all, (1..=SEATS).collect::<Vec<_>>(), "each seat once");
    for (user, seats) in users.iter().zip(&bought) {
        let spent = PRICE * i64::try_from(seats.len()).unwrap_or(i64::MAX);
        assert_eq!(stage.balance(*user), i64::from(SEATS) * PRICE - spent);
        assert_eq!(stage.payments(*user).len(), seats.len());
    }
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

pub(super) fn overlapping_holds_of_several_seats_are_all_or_nothing(make: &Factory) {
    let stage = Stage::under(make, generous());
    let stages = [&stage, &stage.elsewhere()];
    let users: Vec<UserId> = (0..RACERS).map(|_| stage.user()).collect();
    let won = at_once(RACERS, |number| {
        let (stage, mut random) = (stages[number % 2], Random::of_case(number as u64));
        let mut won = 0;
        for _ in 0..40 {
            let first = random.seat(8) + 1;
            // Some ascending, some descending: what is locked must not depend on it.
            let mut seats = [first, first + 1, first + 3];
            if random.once_in(2) {
                seats.reverse();
            }
            match stage.hold(&stage.ticket(users[number]), &seats) {
                Ok(held) => {
                    won += 1;
                    assert_eq!(held.seats.len(), 3);
                    stage.done(release(held.id, held.user));
                }
                Err(Refusal::SeatTaken { seats: taken }) => {
                    assert!(!taken.is_empty() && taken.iter().all(|seat| seats.contains(seat)), "{taken:?}");
                }
                Err(other) => panic!("{other}"),
            }
        }
        won
    });
    assert!(won.iter().sum::<u32>() > 0);
    log_is_possible(&stage.events());
    let listing = stage.read(stage.store.performance(stage.show)).expect("it exists");
    assert_eq!(listing.seats_available, SEATS, "all was given back");
    stage.books_are_clean();
}

pub(super) fn the_same_reservation_from_eight_threads_is_made_once(make: &Factory) {
    let stage = Stage::under(make, generous());
    let stages = [&stage, &stage.elsewhere()];
    for first in [1, 11, 21, 31, 41] {
        let (ticket, id) = (stage.guest(), ReservationId::random());
        let ask = place(id, &ticket, stage.show, &[first, first + 1]);
        let answers = at_once(RACERS, |number| stages[number % 2].done(ask.clone()));
        assert_eq!(answers.iter().filter(|outcome| !outcome.replayed).count(), 1, "made once");
        assert!(answers.iter().all(|outcome| outcome.effect == answers[0].effect), "{answers:#?}");
        assert_eq!(stage.reservations(ticket.user), [reservation_of(&answers[0])]);
    }
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

pub(super) fn one_ticket_racing_for_two_seats_gets_one(make: &Factory) {
    let stage = Stage::under(make, generous());
    let stages = [&stage, &stage.elsewhere()];
    for round in 0..10 {
        let ticket = stage.guest();
        let seats: [SeatNumber; 2] = [round * 2 + 1, round * 2 + 2];
        let answers = at_once(RACERS, |number| {
            let seat = [seats[number / 2 % 2]];
            stages[number % 2].ask(place(ReservationId::random(), &ticket, stage.show, &seat))
        });
        let made = answers.iter().flatten().filter(|outcome| !outcome.replayed).count();
        assert_eq!(made, 1, "{answers:#?}");
        assert!(answers.iter().flatten().count() < RACERS, "the other seat was refused");
        assert_eq!(stage.reservations(ticket.user).len(), 1);
    }
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

pub(super) fn a_user_racing_on_two_performances_stays_within_the_limit(make: &Factory) {
    let stage = Stage::new(make);
    let stages = [&stage, &stage.elsewhere()];
    let shows = [stage.show, stage.another_show()];
    for round in 0..5 {
        let user = stage.user();
        let tickets: Vec<_> = (0..RACERS).map(|_| stage.ticket(user)).collect();
        let answers = at_once(RACERS, |number| {
            let seat = round * 8 + SeatNumber::try_from(number).unwrap_or(0) + 1;
            stages[number % 2].hold_in(shows[number / 2 % 2], &tickets[number], &[seat])
        });
        assert_eq!(answers.iter().flatten().count(), 1, "one live reservation a user: {answers:#?}");
        let refused = |answer: &&Result<_, Refusal>| **answer == Err(Refusal::SeatLimitReached);
        assert_eq!(answers.iter().filter(refused).count(), RACERS - 1);
        assert_eq!(stage.reservations(user).len(), 1);
    }
    stage.books_are_clean();
}

pub(super) fn a_takeover_of_an_expired_seat_has_one_winner(make: &Factory) {
    let stage = Stage::new(make);
    let stages = [&stage, &stage.elsewhere()];
    for seat in 1..=15 {
        let old = stage.held(&stage.guest(), &[seat]);
        stage.advance(TTL);
        let tickets: Vec<_> = (1..RACERS).map(|_| stage.guest()).collect();
        let answers = at_once(RACERS, |number| {
            let stage = stages[number % 2];
            if let Some(ticket) = tickets.get(number) {
                return stage.hold(ticket, &[seat]).is_ok();
            }
            stage.done(expire(old.id));
            false
        });
        assert_eq!(answers.iter().filter(|won| **won).count(), 1, "seat {seat}");
        assert_eq!(stage.status(&old), ReservationStatus::Expired);
    }
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

pub(super) fn batches_of_the_same_people_in_opposite_order_all_finish(make: &Factory) {
    let stage = Stage::under(make, generous());
    let stages = [&stage, &stage.elsewhere()];
    let users: Vec<UserId> = (0..10).map(|_| stage.user()).collect();
    let answered = at_once(RACERS, |number| {
        let stage = stages[number / 2 % 2];
        let mut answered = 0;
        for round in 0..10 {
            let mut batch = Vec::new();
            for (seat, user) in (1..).zip(&users) {
                batch.push(charge(EntryId::random(), *user, 1));
                let seat = (seat + round) % SEATS + 1;
                batch.push(place(ReservationId::random(), &stage.ticket(*user), stage.show, &[seat]));
            }
            if number % 2 == 1 {
                batch.reverse();
            }
            answered += stage.execute(batch).iter().flatten().filter(|outcome| !outcome.replayed).count();
        }
        answered
    });
    let charges = RACERS * 10 * users.len();
    assert!(answered.iter().sum::<usize>() > charges, "every charge and some holds");
    for user in users {
        assert_eq!(stage.balance(user), 80);
    }
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

//! Holding the best adjacent seats, chosen under the locks (H7).

use super::{
    Factory,
    moves::log_is_possible,
    stage::{
        PRICE, SEATS, Stage, TTL, concert, generous, money, performance, place, place_best, release,
        reservation_of,
    },
};
use crate::{
    catalog,
    conformance::tools::{RACERS, Random, at_once},
    hold::{Reservation, SeatNumber},
    id::{PerformanceId, ReservationId, UserId},
    refusal::Refusal,
    ticket::{LaneName, Ticket},
};

fn best(stage: &Stage, ticket: &Ticket, count: u32) -> Result<Reservation, Refusal> {
    let ask = place_best(ReservationId::random(), ticket, stage.show, count);
    stage.ask(ask).map(|outcome| reservation_of(&outcome))
}

pub(super) fn the_best_seats_are_the_most_central_adjacent_ones_available(make: &Factory) {
    let stage = Stage::under(make, generous());
    let first = best(&stage, &stage.guest(), 3).expect("the hall is empty");
    assert_eq!((&*first.seats, first.amount), (&[24, 25, 26][..], money(3 * PRICE)));
    stage.bought(&stage.buyer(1), &[22]);
    let second = best(&stage, &stage.guest(), 2).expect("there is room");
    assert_eq!(*second.seats, [27, 28], "23 stays alone as it is");
    stage.done(release(first.id, first.user));
    let third = best(&stage, &stage.guest(), 2).expect("there is room");
    assert_eq!(*third.seats, [25, 26], "what was given back is available, and 23 and 24 are two");
    stage.books_are_clean();
}

pub(super) fn seats_of_expired_holds_are_among_the_best_without_a_sweep(make: &Factory) {
    let stage = Stage::under(make, generous());
    stage.held(&stage.guest(), &[24, 25, 26]);
    stage.advance(TTL);
    stage.bought(&stage.buyer(1), &[25]);
    let made = best(&stage, &stage.guest(), 2).expect("there is room");
    assert_eq!(*made.seats, [26, 27]);
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

pub(super) fn more_adjacent_seats_than_there_are_are_refused_with_how_many_there_are(make: &Factory) {
    let stage = Stage::under(make, generous());
    let taken: Vec<SeatNumber> = (1..=SEATS).filter(|seat| ![5, 6, 9].contains(seat)).collect();
    stage.held(&stage.guest(), &taken);
    let ticket = stage.guest();
    assert_eq!(best(&stage, &ticket, 3), Err(Refusal::NoAdjacentSeats { wanted: 3, longest: 2 }));
    assert_eq!(stage.reservations(ticket.user), []);
    assert_eq!(*best(&stage, &ticket, 2).expect("a refusal binds nothing").seats, [5, 6]);
    assert_eq!(*best(&stage, &stage.guest(), 1).expect("one is left").seats, [9]);
    let none = best(&stage, &stage.guest(), 1);
    assert_eq!(none, Err(Refusal::NoAdjacentSeats { wanted: 1, longest: 0 }));
}

pub(super) fn the_best_seats_asked_for_again_are_those_that_were_given(make: &Factory) {
    let stage = Stage::under(make, generous());
    let (id, ticket) = (ReservationId::random(), stage.guest());
    let ask = |count| place_best(id, &ticket, stage.show, count);
    let given = stage.done(ask(2));
    let again = stage.done(ask(2));
    assert_eq!((again.replayed, &again.effect), (true, &given.effect));
    let seats = reservation_of(&given).seats;
    let named = stage.done(place(id, &ticket, stage.show, &seats));
    assert_eq!((named.replayed, &named.effect), (true, &given.effect), "the same seats, named");
    assert_eq!(stage.ask(ask(3)), Err(Refusal::IdempotencyKeyReused));
    let unnamed = stage.done(place_best(ReservationId::random(), &ticket, stage.show, 2));
    assert_eq!((unnamed.replayed, &unnamed.effect), (true, &given.effect), "a ticket holds once");
    assert_eq!(stage.reservations(ticket.user).len(), 1);
}

pub(super) fn each_choice_of_a_batch_sees_those_before_it(make: &Factory) {
    let stage = Stage::under(make, generous());
    let tickets: Vec<Ticket> = (0..4).map(|_| stage.guest()).collect();
    let ids = [(); 4].map(|()| ReservationId::random());
    let best = |at: usize, count| place_best(ids[at], &tickets[at], stage.show, count);
    let answers = stage.execute(vec![
        best(0, 2),
        place(ids[1], &tickets[1], stage.show, &[27]),
        best(2, 2),
        release(ids[0], tickets[0].user),
        best(3, 2),
    ]);
    let seats =
        |at: usize| reservation_of(answers[at].as_ref().expect("nothing is against it")).seats.to_vec();
    assert_eq!([seats(0), seats(2), seats(4)], [vec![25, 26], vec![23, 24], vec![25, 26]]);
    stage.books_are_clean();
}

pub(super) fn the_best_seats_are_those_of_the_hall_as_it_is_now(make: &Factory) {
    let stage = Stage::under(make, generous());
    stage.held(&stage.guest(), &(1..=SEATS).collect::<Vec<_>>());
    assert!(best(&stage, &stage.guest(), 1).is_err());
    let larger = performance(stage.show, stage.begins(), SEATS + 10);
    stage.elsewhere().put(concert(stage.concert, &LaneName::main(), vec![larger]));
    assert_eq!(*best(&stage, &stage.guest(), 2).expect("there are new seats").seats, [51, 52]);
    let new = PerformanceId::random();
    let draft = concert(stage.concert, &LaneName::main(), vec![performance(new, stage.begins(), 5)]);
    let ask = place_best(ReservationId::random(), &stage.guest(), new, 3);
    let answers = stage.execute(vec![catalog::Command::PutConcerts(vec![draft]).into(), ask]);
    let made = reservation_of(answers[1].as_ref().expect("the hall was made before it in the batch"));
    assert_eq!(*made.seats, [1, 2, 3], "2 to 4 would leave two alone");
    stage.books_are_clean();
}

pub(super) fn the_best_seats_asked_for_by_eight_threads_are_all_different(make: &Factory) {
    let stage = Stage::under(make, generous());
    let stages = [&stage, &stage.elsewhere()];
    let users: Vec<UserId> = (0..RACERS).map(|_| stage.user()).collect();
    let held = at_once(RACERS, |number| {
        let stage = stages[number % 2];
        let mut held: Vec<SeatNumber> = Vec::new();
        loop {
            match best(stage, &stage.ticket(users[number]), 2) {
                Ok(made) => held.extend(&*made.seats),
                Err(refusal) => {
                    assert!(matches!(refusal, Refusal::NoAdjacentSeats { wanted: 2, .. }), "{refusal}");
                    return held;
                }
            }
        }
    });
    let mut all = held.concat();
    all.sort_unstable();
    let each_once: Vec<SeatNumber> = (1..=SEATS).collect();
    assert_eq!(all, each_once, "an even row is sold in twos to the last seat");
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

pub(super) fn best_and_named_seats_racing_get_in_nobodys_way(make: &Factory) {
    let stage = Stage::under(make, generous());
    let stages = [&stage, &stage.elsewhere()];
    let users: Vec<UserId> = (0..RACERS).map(|_| stage.user()).collect();
    let won = at_once(RACERS, |number| {
        let (stage, mut random) = (stages[number / 2 % 2], Random::of_case(number as u64));
        let mut won = 0_u32;
        for _ in 0..30 {
            let ticket = stage.ticket(users[number]);
            let answer = if number % 2 == 0 {
                Ok(best(stage, &ticket, random.seat(3) + 1).expect("eight people can't have all fifty seats"))
            } else {
                // Around the middle, where the best are, and not in the order in which anything is locked.
                let seat = 20 + random.seat(10);
                stage.hold(&ticket, &[seat + 2, seat])
            };
            match answer {
                Ok(made) => {
                    won += 1;
                    stage.done(release(made.id, made.user));
                }
                Err(refusal) => assert!(matches!(refusal, Refusal::SeatTaken { .. }), "{refusal}"),
            }
        }
        won
    });
    assert!(won.iter().skip(1).step_by(2).sum::<u32>() > 0, "{won:?}");
    log_is_possible(&stage.events());
    assert_eq!(stage.available().len(), 50, "all was given back");
    stage.books_are_clean();
}

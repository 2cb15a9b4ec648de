//! Which seats somebody gets who asks for the best: H7.

use std::collections::BTreeSet;

use crate::{
    fixture::*,
    hold::{ReservationStatus, SeatNumber, best::best},
    refusal::Refusal,
    state::{Rows, State},
};

/// A world in whose hall only these seats are available; users 1 to 3 have nothing.
fn world_with_free(free: impl IntoIterator<Item = SeatNumber>) -> World {
    let mut world = World::with(policy(9, 50));
    let free: BTreeSet<SeatNumber> = free.into_iter().collect();
    let taken: Vec<SeatNumber> = (1..=50).filter(|seat| !free.contains(seat)).collect();
    if !taken.is_empty() {
        world.hold(99, &ticket(4, 99), &taken).unwrap();
    }
    world
}

fn chosen(world: &mut World, count: u32) -> Result<Vec<SeatNumber>, Refusal> {
    world.hold_best(1, &ticket(1, 1), count).map(|answer| answer.value.seats.to_vec())
}

#[test]
fn in_an_empty_hall_the_best_seats_are_in_the_middle() {
    for (count, seats) in [(1, 25..=25), (2, 25..=26), (3, 24..=26), (4, 24..=27), (50, 1..=50)] {
        assert_eq!(chosen(&mut world_with_free(1..=50), count), Ok(seats.collect()), "{count}");
    }
}

#[test]
fn of_two_equally_central_choices_the_lower_numbers_are_taken() {
    assert_eq!(chosen(&mut world_with_free([10, 11, 40, 41]), 2), Ok(vec![10, 11]));
}

#[test]
fn nobody_is_left_alone_while_another_choice_is_there() {
    assert_eq!(
        chosen(&mut world_with_free(24..=26), 2),
        Ok(vec![25, 26]),
        "three seats leave one whatever is taken"
    );
    assert_eq!(
        chosen(&mut world_with_free((24..=26).chain(1..=2)), 2),
        Ok(vec![1, 2]),
        "even far from the middle"
    );
    assert_eq!(chosen(&mut world_with_free(23..=26), 2), Ok(vec![25, 26]), "two and two");
    assert_eq!(chosen(&mut world_with_free(22..=26), 1), Ok(vec![26]), "not 25, which leaves 26 alone");
}

#[test]
fn who_asks_for_one_gets_a_seat_that_is_alone_already_before_one_that_leaves_one_alone() {
    assert_eq!(chosen(&mut world_with_free([25, 26, 40]), 1), Ok(vec![40]));
    assert_eq!(chosen(&mut world_with_free([25, 26]), 1), Ok(vec![25]), "rather than no sale");
}

#[test]
fn so_many_adjacent_seats_or_none() {
    let refused = |wanted, longest| Err(Refusal::NoAdjacentSeats { wanted, longest });
    assert_eq!(chosen(&mut world_with_free([1, 3, 5, 6, 8]), 3), refused(3, 2));
    assert_eq!(chosen(&mut world_with_free([1, 3]), 2), refused(2, 1));
    assert_eq!(chosen(&mut world_with_free([]), 1), refused(1, 0));
}

#[test]
fn more_than_the_hall_has_are_refused_as_not_adjacent() {
    let mut world = World::with(policy(1, usize::MAX));
    let refused = Err(Refusal::NoAdjacentSeats { wanted: u32::MAX, longest: 50 });
    assert_eq!(chosen(&mut world, u32::MAX), refused);
}

#[test]
fn the_best_of_no_seat_is_refused() {
    let refused = chosen(&mut World::new(), 0);
    assert!(matches!(refused, Err(Refusal::InvalidSeats(_))), "{refused:?}");
}

#[test]
fn seats_of_a_hold_that_ran_out_are_chosen_swept_or_not() {
    let mut world = World::with(policy(1, 50));
    world.hold(1, &ticket(1, 1), &[24, 25, 26]).unwrap();
    world.pass(HOLD_TTL);
    let mut swept = world.clone();
    swept.expire(1);
    for world in [&mut world, &mut swept] {
        let made = world.hold_best(2, &ticket(2, 2), 3).unwrap().value;
        assert_eq!(*made.seats, [24, 25, 26]);
    }
}

#[test]
fn the_same_identity_and_number_of_seats_are_a_replay() {
    let mut world = World::with(policy(9, 9));
    let first = world.hold_best(1, &ticket(1, 1), 2).unwrap();
    assert!(!first.replayed);
    world.pass(HOLD_TTL);
    let again = world.hold_best(1, &ticket(1, 1), 2).unwrap();
    assert_eq!((again.replayed, again.value.status), (true, ReservationStatus::Expired));
    assert_eq!(again.value.seats, first.value.seats);
}

#[test]
fn how_the_seats_were_chosen_is_not_part_of_the_identity() {
    let mut world = World::with(policy(9, 9));
    world.hold(1, &ticket(1, 1), &[3, 7]).unwrap();
    assert!(world.hold_best(1, &ticket(1, 1), 2).unwrap().replayed, "two seats are two seats");
    let best = world.hold_best(2, &ticket(2, 2), 2).unwrap().value;
    assert!(world.hold(2, &ticket(2, 2), &best.seats).unwrap().replayed);
}

#[test]
fn an_identity_with_another_number_user_or_performance_is_refused() {
    let mut world = World::with(policy(9, 9));
    world.hold_best(1, &ticket(1, 1), 2).unwrap();
    let reused = || Err(Refusal::IdempotencyKeyReused);
    assert_eq!(world.hold_best(1, &ticket(1, 1), 3), reused());
    assert_eq!(world.hold_best(1, &ticket(2, 2), 2), reused());
    assert_eq!(
        world.run(&place_best(1, &ticket(1, 1), 2, 2)).map(|_| ()),
        Err(Refusal::IdempotencyKeyReused)
    );
}

#[test]
fn a_ticket_that_asks_for_the_best_again_gets_what_it_holds_and_another_ticket_gets_more() {
    let mut world = World::with(policy(9, 9));
    let first = world.hold_best(1, &ticket(1, 1), 2).unwrap();
    let again = world.hold_best(2, &ticket(1, 1), 2).unwrap();
    assert_eq!((again.replayed, again.value), (true, first.value));
    assert_eq!(world.hold_best(2, &ticket(1, 1), 3), Err(Refusal::SeatLimitReached), "one ticket, one hold");
    assert!(!world.hold_best(2, &ticket(1, 2), 2).unwrap().replayed);
}

#[test]
fn the_best_seats_of_a_hall_without_adjacent_ones_can_still_be_named() {
    let mut world = world_with_free([2, 4]);
    chosen(&mut world, 2).unwrap_err();
    assert!(world.hold(1, &ticket(1, 1), &[2, 4]).is_ok(), "a refusal binds nothing");
}

/// All blocks of available seats, each judged by the row as it would be: alone seats, distance, number.
fn search(free: &[bool], wanted: usize) -> Option<SeatNumber> {
    let alone = |free: &[bool], at: usize| {
        let is_free = |at: usize| free.get(at).copied().unwrap_or(false);
        is_free(at) && !is_free(at.wrapping_sub(1)) && !is_free(at + 1)
    };
    let blocks =
        (0..free.len()).filter(|at| free.get(*at..at + wanted).is_some_and(|block| !block.contains(&false)));
    let judge = |first: &usize| {
        let mut after = free.to_vec();
        after[*first..first + wanted].fill(false);
        let leaves_one_alone = (0..free.len()).any(|at| alone(&after, at) && !alone(free, at));
        (leaves_one_alone, (2 * first + wanted).abs_diff(free.len()), *first)
    };
    blocks.min_by_key(judge).map(|at| SeatNumber::try_from(at).unwrap() + 1)
}

#[test]
fn in_every_hall_of_up_to_eleven_seats_the_choice_is_that_of_an_exhaustive_search() {
    for seats in 1..=11_u32 {
        for taken in 0..1_u32 << seats {
            let free: Vec<bool> = (0..seats).map(|seat| taken >> seat & 1 == 0).collect();
            for wanted in 1..=seats {
                let taken = (1..=seats).filter(|seat| taken >> (seat - 1) & 1 == 1);
                let found = best(seats, wanted, taken);
                assert_eq!(found.ok(), search(&free, wanted.try_into().unwrap()), "{wanted} of {free:?}");
            }
        }
    }
}

#[test]
fn the_rows_a_choice_touches_are_all_seats_of_its_performance() {
    let mut world = world_with_free([7, 8]);
    let command = place_best(1, &ticket(1, 1), 1, 2);
    let mut part = world.state.subset(&command.touches());
    let now = world.now;
    assert_eq!(part.execute(&command, now), world.state.execute(&command, now));
    let none_taken =
        State::load(world.state.policy.clone(), Rows { seats: Vec::new(), ..world.state.rows() });
    assert_ne!(none_taken.subset(&command.touches()).seats, part.seats);
}

//! The best seats of large halls against an exhaustive search.

use booking_core::{
    BookingPolicy, Command, Event, Rows, State, Ticket, Timestamp, decide,
    hold::{self, Reservation, Seat, SeatChoice, SeatNumber},
    id::ReservationId,
};
use proptest::prelude::*;

use crate::{
    commands::beginnings,
    ids::{START, performance, reservation, ticket},
    naive::best,
    run::config,
};

/// The world every case begins with, its first hall made this large.
fn world(seats: u32, taken: impl Iterator<Item = (SeatNumber, Seat)>) -> State {
    let policy = BookingPolicy { seats_per_user: 1_000, ..BookingPolicy::default() };
    let mut state = State::new(policy.clone());
    for command in beginnings() {
        state.execute(&command, START).expect("the beginnings are granted");
    }
    let mut rows = state.rows();
    rows.performances.iter_mut().filter(|one| one.id == performance(1)).for_each(|one| one.seats = seats);
    let seats = taken.map(|(number, seat)| (performance(1), number, seat)).collect();
    State::load(policy, Rows { seats, ..rows })
}

/// What somebody else has: sold, held, or held until this instant and so nobody's any more.
fn somebodys(now: Timestamp) -> impl Strategy<Value = Seat> {
    let until = prop_oneof![
        2 => Just(None),
        2 => Just(Some(Timestamp::from_micros(now.micros() + 1))),
        1 => Just(Some(now)),
    ];
    let id: ReservationId = reservation(77);
    until.prop_map(move |held_until| Seat { reservation: id, held_until })
}

/// A row in which some seats are somebody's: many, a few, or next to none.
fn row() -> impl Strategy<Value = Vec<Option<Seat>>> {
    let size = prop_oneof![4 => 1..=80_usize, 1 => 200..=600_usize];
    let often = prop_oneof![Just(0.02), Just(0.2), Just(0.6), Just(0.95)];
    (size, often).prop_flat_map(|(size, often)| {
        prop::collection::vec(prop::option::weighted(often, somebodys(START)), size)
    })
}

fn made(events: &[Event]) -> &Reservation {
    match events {
        [Event::Hold(hold::Event::SeatsHeld(made))] => made,
        other => panic!("one hold, not {other:?}"),
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn the_best_seats_are_those_an_exhaustive_search_finds(row in row(), count in prop_oneof![4 => 1..=6_u32, 1 => 1..=80_u32]) {
        let free: Vec<bool> = row.iter().map(|seat| seat.is_none_or(|seat| seat.held_until == Some(START))).collect();
        let taken = (1..).zip(&row).filter_map(|(number, seat)| seat.map(|seat| (number, seat)));
        let state = world(u32::try_from(row.len()).expect("small"), taken);
        let ticket: Ticket = ticket("main", 1, 1);
        let choice = SeatChoice::Best(count);
        let place = hold::Command::Place { reservation: reservation(1), ticket, performance: performance(1), choice };
        let answer = decide(&state, &Command::from(place), START).map(|events| made(&events).seats.to_vec());
        prop_assert_eq!(answer, best(&free, count as usize));
    }
}

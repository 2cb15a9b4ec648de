//! Whether a store reads as a [`State`] does, row by row.

use super::stage::{ALL, Stage};
use crate::{
    catalog::{LaneRecord, Stock},
    hold::{Reservation, ReservationStatus, SeatStatus},
    id::{PerformanceId, UserId},
    payment::Payment,
    state::State,
    store::{PageRequest, Totals},
    wallet::Entry,
};

/// What the store tells of a user is what the state says.
pub(super) fn user(stage: &Stage, state: &State, user: UserId) {
    let now = stage.now();
    assert_eq!(stage.read(stage.store.wallet(user)).as_ref(), state.wallets.get(&user));
    let mut entries: Vec<Entry> = state.entries.iter().filter(|entry| entry.user == user).cloned().collect();
    entries.sort_by_key(|entry| entry.number);
    assert_eq!(stage.entries(user), entries);
    let of_user = state.reservations.iter().filter(|made| made.user == user);
    let mut reservations: Vec<Reservation> = of_user.map(|made| made.seen_at(now)).collect();
    reservations.sort_by_key(|made| (made.created_at, made.id));
    assert_eq!(stage.reservations(user), reservations);
    let mut payments: Vec<Payment> =
        state.payments.iter().filter(|made| made.user == user).cloned().collect();
    payments.sort_by_key(|made| (made.paid_at, made.id));
    assert_eq!(stage.payments(user), payments);
}

/// What the store tells of a performance is what the state says.
pub(super) fn show(stage: &Stage, state: &State, id: PerformanceId) {
    let now = stage.now();
    let performance = &state.performances[&id];
    let of_state = state.seats.get(&id);
    let seats: Vec<SeatStatus> = (1..=performance.seats)
        .map(|number| {
            let seat = of_state.and_then(|seats| seats.get(&number));
            seat.map_or(SeatStatus::Available, |seat| seat.status_at(now))
        })
        .collect();
    let map = stage.read(stage.store.seat_map(id)).expect("the performance exists");
    assert_eq!((&map.performance, map.bookable), (performance, performance.bookable_at(now)));
    assert_eq!(map.lane, state.concerts[&performance.concert].lane);
    assert_eq!(map.seats, seats);
    let free = seats.iter().filter(|seat| map.bookable && **seat == SeatStatus::Available).count();
    let listing = stage.read(stage.store.performance(id)).expect("the performance exists");
    assert_eq!((listing.performance, listing.lane), (map.performance, map.lane));
    assert_eq!(usize::try_from(listing.seats_available).ok(), Some(free));
}

/// The catalogue and the lanes are what the state says.
pub(super) fn catalog(stage: &Stage, state: &State) {
    let mut concerts: Vec<_> = state.concerts.iter().cloned().collect();
    concerts.sort_by_key(|concert| (concert.created_at, concert.id));
    assert_eq!(stage.read(stage.store.concerts(PageRequest::first(ALL))).items, concerts);
    let lanes: Vec<LaneRecord> = state
        .lanes
        .iter()
        .map(|(name, settings)| LaneRecord { name: name.clone(), settings: settings.clone() })
        .collect();
    assert_eq!(stage.read(stage.store.lanes()), lanes);
}

/// What can be sold in each lane, and what is held and sold in all, is what the state says.
pub(super) fn counts(stage: &Stage, state: &State) {
    let now = stage.now();
    let is_sold = |id, number| {
        let seat = state.seats.get(&id).and_then(|seats| seats.get(&number));
        seat.is_some_and(|seat| seat.status_at(now) == SeatStatus::Sold)
    };
    for lane in state.lanes.keys() {
        let shows = state.performances.iter().filter(|show| show.bookable_at(now));
        let shows: Vec<_> = shows.filter(|show| state.concerts[&show.concert].lane == *lane).collect();
        let unsold = shows.iter().any(|show| (1..=show.seats).any(|number| !is_sold(show.id, number)));
        let expected = Stock { bookable: !shows.is_empty(), unsold };
        assert_eq!(stage.read(stage.store.stock(lane)), expected, "lane {lane}");
    }
    let of = |status| state.reservations.iter().filter(move |made| made.status_at(now) == status);
    let expected = Totals {
        active_holds: of(ReservationStatus::Held).count() as u64,
        seats_sold: of(ReservationStatus::Confirmed).map(|made| made.seats.len() as u64).sum(),
    };
    assert_eq!(stage.read(stage.store.totals()), expected);
}

/// What is to be tidied is what the state says; what ended at the same instant may come in any order.
pub(super) fn sweep(stage: &Stage, state: &State) {
    let now = stage.now();
    let over = state.holds.iter().take_while(|(until, _)| now >= *until);
    let mut expected: Vec<_> = over.copied().collect();
    let told = stage.expired();
    let mut dated: Vec<_> = told.iter().map(|id| (state.reservations[id].hold_until, *id)).collect();
    assert!(dated.is_sorted_by_key(|(until, _)| *until), "the oldest first: {dated:?}");
    dated.sort_unstable();
    expected.sort_unstable();
    assert_eq!(dated, expected);
}

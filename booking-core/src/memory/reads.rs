//! Reads of a whole [`State`]: selecting and sorting, no rule.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::{
    audit::{Audit, Auditor},
    catalog::{Concert, Performance, Stock},
    hold::{Reservation, SeatStatus},
    id::{PerformanceId, UserId},
    payment::Payment,
    state::{OfUser, State},
    store::{Cursor, Listing, Page, PageRequest, PerformanceFilter, SeatMap},
    ticket::LaneName,
    time::Timestamp,
    wallet::Entry,
};

fn of_user<T>(
    state: &State,
    user: UserId,
    page: PageRequest,
    items: impl Fn(&OfUser) -> Vec<(Cursor, T)>,
) -> Page<T> {
    let mut all = state.by_user.get(&user).map(|of_user| items(of_user)).unwrap_or_default();
    all.sort_unstable_by_key(|(cursor, _)| *cursor);
    Page::cut(all, page)
}

pub(super) fn entries(state: &State, user: UserId, page: PageRequest) -> Page<Entry> {
    of_user(state, user, page, |of_user| {
        let entries = of_user.entries.iter().filter_map(|id| state.entries.get(id));
        // The ledger sorts by its own numbers.
        let at = |entry: &Entry| Cursor {
            at: Timestamp::from_micros(0),
            id: Uuid::from_u128(entry.number.into()),
        };
        entries.map(|entry| (at(entry), entry.clone())).collect()
    })
}

pub(super) fn reservations(
    state: &State,
    user: UserId,
    page: PageRequest,
    now: Timestamp,
) -> Page<Reservation> {
    of_user(state, user, page, |of_user| {
        let reservations = of_user.reservations.iter().filter_map(|id| state.reservations.get(id));
        reservations.map(|made| (Cursor { at: made.created_at, id: made.id.0 }, made.seen_at(now))).collect()
    })
}

pub(super) fn payments(state: &State, user: UserId, page: PageRequest) -> Page<Payment> {
    of_user(state, user, page, |of_user| {
        let payments = of_user.payments.iter().filter_map(|id| state.payments.get(id));
        payments.map(|made| (Cursor { at: made.paid_at, id: made.id.0 }, made.clone())).collect()
    })
}

pub(super) fn concerts(state: &State, page: PageRequest) -> Page<Concert> {
    let concerts = state.concert_order.iter().filter_map(|(at, id)| {
        let concert = state.concerts.get(id)?;
        Some((Cursor { at: *at, id: id.0 }, concert.clone()))
    });
    Page::cut(concerts, page)
}

pub(super) fn listing(state: &State, performance: &Performance, now: Timestamp) -> Option<Listing> {
    let lane = state.concerts.get(&performance.concert)?.lane.clone();
    let taken = |status: SeatStatus| status != SeatStatus::Available;
    let available = performance.seats - count_seats(state, performance.id, now, taken);
    let seats_available = if performance.bookable_at(now) { available } else { 0 };
    Some(Listing { performance: performance.clone(), lane, seats_available })
}

fn count_seats(state: &State, id: PerformanceId, now: Timestamp, which: impl Fn(SeatStatus) -> bool) -> u32 {
    let seats = state.seats.get(&id).into_iter().flat_map(|seats| seats.values());
    u32::try_from(seats.filter(|seat| which(seat.status_at(now))).count()).unwrap_or(u32::MAX)
}

pub(super) fn performances(
    state: &State,
    filter: &PerformanceFilter,
    page: PageRequest,
    now: Timestamp,
) -> Page<Listing> {
    let dates = match (filter.concert, filter.date) {
        (Some(concert), _) => state.by_concert.get(&concert).into_iter().flatten().collect(),
        (None, date) => {
            let mut all: Vec<_> = match date {
                Some(date) => state.by_date.get(&date).into_iter().flatten().collect(),
                None => state.by_date.values().flatten().collect(),
            };
            all.sort_unstable();
            all
        }
    };
    let wanted = |performance: &&Performance| {
        let in_lane = state.concerts.get(&performance.concert).is_some_and(|of| of.lane == filter.lane);
        let on_date = |date: NaiveDate| performance.local_date() == date;
        in_lane && filter.date.is_none_or(on_date) && performance.bookable_at(now)
    };
    let found = dates.into_iter().filter_map(|(_, id)| state.performances.get(id)).filter(wanted);
    let listed = found.map(|performance| {
        let cursor = Cursor { at: performance.begins(), id: performance.id.0 };
        (cursor, performance)
    });
    let page = Page::cut(listed, page);
    let next = page.next;
    let items = page.items.into_iter().filter_map(|performance| listing(state, performance, now)).collect();
    Page { items, next }
}

pub(super) fn seat_map(state: &State, id: PerformanceId, now: Timestamp) -> Option<SeatMap> {
    let performance = state.performances.get(&id)?;
    let lane = state.concerts.get(&performance.concert)?.lane.clone();
    let mut seats = vec![SeatStatus::Available; usize::try_from(performance.seats).unwrap_or(0)];
    for (number, seat) in state.seats.get(&id).into_iter().flatten() {
        let at = usize::try_from(*number).unwrap_or(0);
        if let Some(status) = at.checked_sub(1).and_then(|at| seats.get_mut(at)) {
            *status = seat.status_at(now);
        }
    }
    Some(SeatMap { bookable: performance.bookable_at(now), performance: performance.clone(), lane, seats })
}

/// Stops at the first unsold seat, so that only a sold-out lane is read whole.
pub(super) fn stock(state: &State, lane: &LaneName, now: Timestamp) -> Stock {
    let in_lane = |performance: &&Performance| {
        state.concerts.get(&performance.concert).is_some_and(|concert| concert.lane == *lane)
    };
    let mut bookable =
        state.performances.values().filter(|found| found.bookable_at(now)).filter(in_lane).peekable();
    let sold = |id| count_seats(state, id, now, |status| status == SeatStatus::Sold);
    Stock { bookable: bookable.peek().is_some(), unsold: bookable.any(|found| sold(found.id) < found.seats) }
}

pub(super) fn audit(state: &State, now: Timestamp) -> Audit {
    let mut auditor = Auditor::new(now, state.policy.max_balance);
    for performance in state.performances.values() {
        auditor.performance(performance);
    }
    for (performance, seats) in state.seats.iter() {
        for (number, seat) in seats {
            auditor.seat(*performance, *number, *seat);
        }
    }
    for wallet in state.wallets.values() {
        auditor.wallet(wallet);
    }
    for entry in state.entries.values() {
        auditor.entry(entry);
    }
    for reservation in state.reservations.values() {
        auditor.reservation(reservation);
    }
    for payment in state.payments.values() {
        auditor.payment(payment);
    }
    auditor.finish()
}

//! Reads and the audit: S1, S2, S3, S5, P5, H6, I15.

use super::*;
use crate::store::PageRequest;

const ALL: PageRequest = PageRequest { after: None, limit: 100 };

#[test]
fn the_dates_of_a_concert_are_those_of_the_tickets_lane() {
    let hall = Hall::new();
    let mine = hall.enter(1);
    let listed = |concert| block_on(hall.engine.performances(&mine, concert, None, ALL));
    assert_eq!(listed(None).unwrap().items[0].performance.id, performance(1));
    assert_eq!(listed(Some(concert(9))), refused(Refusal::UnknownConcert));
    block_on(hall.engine.set_lane(&lane("hot"), LaneChange::default())).unwrap();
    hall.put(ConcertDraft { lane: lane("hot"), ..draft() });
    assert_eq!(listed(None).unwrap().items, []);
    assert_eq!(listed(Some(concert(1))), refused(Refusal::WrongLane { lane: lane("hot") }));
    let map = block_on(hall.engine.seat_map(&mine, performance(1)));
    assert_eq!(map, refused(Refusal::WrongLane { lane: lane("hot") }));
}

#[test]
fn dates_are_found_by_the_date_of_their_place() {
    let hall = Hall::new();
    let mine = hall.enter(1);
    let date = performance_draft(1).starts_at.date_naive();
    let on = |date| block_on(hall.engine.performances(&mine, None, Some(date), ALL)).unwrap().items.len();
    assert_eq!((on(date), on(date.succ_opt().unwrap())), (1, 0));
}

#[test]
fn a_held_or_sold_seat_is_not_listed_as_available() {
    let hall = Hall::new();
    let (mine, other) = (hall.enter(1), hall.enter(2));
    let count = || block_on(hall.engine.seat_map(&other, performance(1))).unwrap().available().count();
    assert_eq!(count(), 50);
    hall.hold(1, &mine, &[7]).unwrap();
    assert_eq!(count(), 49);
    hall.pay(1, &mine).unwrap();
    assert_eq!(count(), 49);
    let map = block_on(hall.engine.seat_map(&other, performance(1))).unwrap();
    assert!(!map.available().any(|seat| seat == 7));
    let listed = block_on(hall.engine.performances(&other, None, None, ALL)).unwrap().items;
    assert_eq!(listed[0].seats_available, 49);
}

#[test]
fn a_performance_that_has_begun_lists_no_seat() {
    let hall = Hall::new();
    hall.pass(LEAD);
    let mine = hall.enter(1);
    let map = block_on(hall.engine.seat_map(&mine, performance(1))).unwrap();
    assert_eq!((map.bookable, map.available().count()), (false, 0));
    assert_eq!(block_on(hall.engine.performances(&mine, None, None, ALL)).unwrap().items, []);
    assert_eq!(block_on(hall.engine.seat_map(&mine, performance(9))), refused(Refusal::UnknownPerformance));
}

#[test]
fn reservations_and_payments_are_seen_by_their_owner_only() {
    let hall = Hall::new();
    let mine = hall.enter(1);
    hall.hold(1, &mine, &[7]).unwrap();
    hall.pay(1, &mine).unwrap();
    assert!(block_on(hall.engine.reservation(user(1), reservation(1))).is_ok());
    let other = block_on(hall.engine.reservation(user(2), reservation(1)));
    assert_eq!(other, refused(Refusal::UnknownReservation));
    let counts = |n| {
        let reservations = block_on(hall.engine.reservations(user(n), ALL)).unwrap().items.len();
        let payments = block_on(hall.engine.payments(user(n), ALL)).unwrap().items.len();
        (reservations, payments, block_on(hall.engine.entries(user(n), ALL)).unwrap().items.len())
    };
    assert_eq!((counts(1), counts(2)), ((1, 1, 2), (0, 0, 1)));
}

#[test]
fn the_history_of_a_seat_tells_all_its_hands() {
    let hall = Hall::new();
    let mine = hall.enter(1);
    hall.hold(1, &mine, &[7]).unwrap();
    hall.pay(1, &mine).unwrap();
    block_on(hall.engine.refund(payment(1))).unwrap();
    let history = block_on(hall.engine.seat_history(performance(1), 7)).unwrap();
    assert_eq!(history.len(), 3);
    let log = block_on(hall.engine.events(0, 1_000)).unwrap();
    assert!(history.iter().all(|recorded| log.contains(recorded)));
    assert!(log.iter().zip(1..).all(|(recorded, seq)| recorded.seq == seq));
    let beyond = block_on(hall.engine.seat_history(performance(1), 51));
    assert_eq!(beyond, refused(Refusal::UnknownSeat { seat: 51, seats: 50 }));
    assert_eq!(block_on(hall.engine.seat_history(performance(9), 1)), refused(Refusal::UnknownPerformance));
}

#[test]
fn the_audit_of_a_used_hall_is_clean_and_looks_at_the_lanes() {
    let hall = Hall::new();
    hall.set_lane(capacity(1));
    let (mine, _) = (hall.enter(1), hall.enter(2));
    hall.hold(1, &mine, &[7]).unwrap();
    let audit = block_on(hall.engine.audit()).unwrap();
    assert_eq!(audit.violations().collect::<Vec<_>>(), Vec::<String>::new());
    let lanes = audit.checks.last().map(|check| (check.invariant, check.checked));
    assert_eq!(lanes, Some(("I15", 2)));
}

#[test]
fn i15_reports_a_lane_that_knows_more_people_than_numbers() {
    let hall = Hall::new();
    hall.enter(1);
    hall.queue.lie();
    let broken: Vec<_> = block_on(hall.engine.audit()).unwrap().violations().collect();
    assert_eq!(broken.len(), 1);
    assert!(
        broken[0].starts_with("I15: ") && broken[0].ends_with(": 2 users, but 1 live numbers"),
        "{broken:?}"
    );
}

#[test]
fn a_store_failure_keeps_what_it_says_about_trying_again() {
    let failures = [StoreError::unavailable("a"), StoreError::unknown_outcome("b"), StoreError::broken("c")];
    let told = failures.map(|failure| (failure.retryable(), failure.may_have_applied()));
    assert_eq!(told, [(true, false), (true, true), (false, false)]);
    assert_eq!(Error::from(ShakyQueue::failure()).refusal(), None);
}

//! What the seat map, the listing and the stock tell, and that all instances tell the same.

use std::{thread, time::Duration};

use super::{
    Factory,
    stage::{
        SEATS, Stage, TTL, concert, expire, generous, lane, pay, performance, refund, release, set_lane,
    },
};
use crate::{
    catalog::{ConcertDraft, LaneChange, PerformanceDraft, Stock},
    hold::{ReservationStatus, SeatStatus},
    id::{ConcertId, PerformanceId, ReservationId, UserId},
    refusal::Refusal,
    store::Totals,
    ticket::LaneName,
};

/// How old a seat map may be that shows what another instance wrote (S5).
pub(super) const AGE: Duration = Duration::from_millis(100);

pub(super) fn the_seat_map_tells_available_held_and_sold(make: &Factory) {
    let stage = Stage::under(make, generous());
    stage.held(&stage.guest(), &[2, 3]);
    stage.bought(&stage.buyer(2), &[5, 50]);
    let map = stage.seat_map();
    let expected: Vec<SeatStatus> = (1..=SEATS)
        .map(|number| match number {
            2 | 3 => SeatStatus::Held,
            5 | 50 => SeatStatus::Sold,
            _ => SeatStatus::Available,
        })
        .collect();
    assert_eq!(map.seats, expected);
    assert_eq!((map.performance.id, &map.lane, map.bookable), (stage.show, &LaneName::main(), true));
    let free: Vec<u32> = (1..=SEATS).filter(|number| ![2, 3, 5, 50].contains(number)).collect();
    assert_eq!(map.available().collect::<Vec<_>>(), free);
    let other = stage.another_show();
    let map = stage.read(stage.store.seat_map(other)).expect("it exists");
    assert_eq!(map.seats, vec![SeatStatus::Available; 50], "each performance has seats of its own");
}

pub(super) fn the_listing_counts_what_the_seat_map_shows(make: &Factory) {
    let stage = Stage::under(make, generous());
    let check = |expected: u32, when: &str| {
        let listing = stage.read(stage.store.performance(stage.show)).expect("it exists");
        assert_eq!(listing.seats_available, expected, "{when}");
        assert_eq!(stage.available().len(), usize::try_from(expected).unwrap_or(0), "{when}");
    };
    check(50, "at first");
    let held = stage.held(&stage.buyer(3), &[1, 2, 3]);
    check(47, "with a hold of three");
    let (sold, paid) = stage.bought(&stage.buyer(2), &[4, 5]);
    check(45, "with two sold");
    stage.advance(TTL);
    check(48, "when the hold ran out");
    stage.held(&stage.guest(), &[2]);
    check(47, "when one was taken over");
    stage.done(expire(held.id));
    check(47, "when the old hold was swept");
    stage.done(refund(paid.id));
    check(49, "when the sale was given back");
    assert_eq!(stage.status(&sold), ReservationStatus::Refunded);
    let other = stage.held(&stage.guest(), &[10, 11]);
    check(47, "with one more hold");
    stage.done(release(other.id, other.user));
    check(49, "when that was released");
}

pub(super) fn stock_tells_whether_anything_is_left_to_sell(make: &Factory) {
    let stage = Stage::under(make, generous());
    let side = lane("side");
    stage.done(set_lane(&side, LaneChange::default()));
    let stock = |lane: &LaneName| stage.read(stage.store.stock(lane));
    let (none, sold, left) = (
        Stock { bookable: false, unsold: false },
        Stock { bookable: true, unsold: false },
        Stock { bookable: true, unsold: true },
    );
    assert_eq!(stock(&side), none, "there is nothing in that lane");
    let small = |on_sale| PerformanceDraft {
        on_sale,
        ..performance(PerformanceId::random(), stage.now().after(TTL * 4), 2)
    };
    let (first, closed) = (small(true), small(false));
    stage.put(concert(ConcertId::random(), &side, vec![first.clone(), closed]));
    assert_eq!(stock(&side), left);
    let ticket = crate::ticket::Ticket { lane: side.clone(), ..stage.buyer(2) };
    let held = stage.hold_in(first.id, &ticket, &[1, 2]).expect("the seats are free");
    assert_eq!(stock(&side), left, "what is held may come back");
    let paid = stage.pay(&held).expect("the money is there");
    assert_eq!(stock(&side), sold, "what is not on sale does not count");
    assert_eq!(stock(&LaneName::main()), left);
    stage.done(refund(paid.id));
    assert_eq!(stock(&side), left);
    stage.advance(TTL * 4);
    assert_eq!(stock(&side), none, "it has begun");
}

pub(super) fn stock_follows_what_another_instance_changes(make: &Factory) {
    let stage = Stage::under(make, generous());
    let there = stage.elsewhere();
    let side = lane("side");
    stage.done(set_lane(&side, LaneChange::default()));
    let unsold = |lane: &LaneName| stage.read(stage.store.stock(lane)).unsold;
    let hall = |seats| performance(PerformanceId::random(), stage.begins(), seats);
    let small = PerformanceDraft { seats: 1, ..hall(1) };
    let of = concert(ConcertId::random(), &side, vec![small.clone()]);
    stage.put(of.clone());
    let buy = |seat| {
        let ticket = crate::ticket::Ticket { lane: side.clone(), ..stage.buyer(1) };
        let held = stage.hold_in(small.id, &ticket, &[seat]).expect("the seat is free");
        let paid = stage.pay(&held).expect("the money is there");
        assert!(!unsold(&side), "seat {seat} was the last");
        paid
    };
    let paid = buy(1);
    there.done(refund(paid.id));
    assert!(unsold(&side), "it was given back elsewhere");
    buy(1);
    there.put(ConcertDraft {
        performances: vec![PerformanceDraft { seats: 2, ..small.clone() }],
        ..of.clone()
    });
    assert!(unsold(&side), "there are more seats");
    buy(2);
    there.put(ConcertDraft { performances: vec![hall(1)], ..of.clone() });
    assert!(unsold(&side), "there is one more date");
    there.put(ConcertDraft { lane: LaneName::main(), ..of });
    assert_eq!(stage.read(stage.store.stock(&side)), Stock::default(), "the concert has moved");
    let main = concert(stage.concert, &side, Vec::new());
    there.put(main);
    assert!(unsold(&side), "another one came");
}

pub(super) fn totals_tell_the_active_holds_and_the_seats_sold(make: &Factory) {
    let stage = Stage::under(make, generous());
    let check = |active_holds, seats_sold, when| {
        assert_eq!(stage.read(stage.store.totals()), Totals { active_holds, seats_sold }, "{when}");
    };
    check(0, 0, "at the beginning");
    let kept = stage.held(&stage.buyer(3), &[1, 2, 3]);
    let released = stage.held(&stage.guest(), &[4]);
    let unpaid = stage.held(&stage.guest(), &[5, 6]);
    check(3, 0, "while they are held");
    stage.done(release(released.id, released.user));
    check(2, 0, "when one was released");
    let paid = stage.pay(&kept).expect("the money is there");
    check(1, 3, "when one was paid");
    stage.pay(&kept).expect("it is paid already");
    check(1, 3, "when it was asked for again");
    stage.advance(TTL);
    check(0, 3, "when one ran out, swept or not");
    stage.done(expire(unpaid.id));
    check(0, 3, "when it was swept");
    stage.done(refund(paid.id));
    check(0, 0, "when the sale was given back");
}

pub(super) fn what_does_not_exist_reads_as_nothing(make: &Factory) {
    let stage = Stage::new(make);
    let nowhere = PerformanceId::random();
    assert_eq!(stage.read(stage.store.concert(ConcertId::random())), None);
    assert_eq!(stage.read(stage.store.performance(nowhere)), None);
    assert_eq!(stage.read(stage.store.seat_map(nowhere)), None);
    assert_eq!(stage.read(stage.store.seat_history(nowhere, 1)), []);
    assert_eq!(stage.read(stage.store.seat_history(stage.show, SEATS + 1)), []);
    assert_eq!(stage.read(stage.store.lane(&lane("nowhere"))), None);
    assert_eq!(stage.read(stage.store.stock(&lane("nowhere"))), Stock::default());
    assert_eq!(stage.read(stage.store.wallet(UserId::random())), None);
    let user = stage.user();
    assert_eq!(stage.read(stage.store.reservation(user, ReservationId::random())), None);
}

pub(super) fn two_instances_agree_at_once(make: &Factory) {
    let stage = Stage::new(make);
    let there = stage.elsewhere();
    let (ticket, rival) = (stage.buyer(1), there.guest());
    assert_eq!(there.wallet(ticket.user), stage.wallet(ticket.user));
    let held = stage.held(&ticket, &[1]);
    assert_eq!(there.status(&held), ReservationStatus::Held);
    assert_eq!(there.hold(&rival, &[1]), Err(Refusal::SeatTaken { seats: vec![1] }));
    let count = |at: &Stage| at.read(at.store.performance(stage.show)).map(|listing| listing.seats_available);
    assert_eq!((count(&there), count(&stage)), (Some(49), Some(49)));
    there.done(pay(held.id, &ticket));
    assert_eq!(stage.status(&held), ReservationStatus::Confirmed);
    assert_eq!(stage.balance(ticket.user), 0);
    assert_eq!(stage.events(), there.events());
    assert_eq!(stage.endings(), there.endings());
    let late = there.held(&there.guest(), &[2]);
    there.advance(TTL);
    assert_eq!(stage.expired(), [late.id], "time is the same everywhere");
    stage.done(expire(late.id));
    assert_eq!(there.expired(), []);
    let side = lane("side");
    there.done(set_lane(&side, LaneChange::default()));
    assert_eq!(stage.read(stage.store.lanes()), there.read(there.store.lanes()));
    let before = there.seat_map();
    stage.held(&stage.guest(), &[3]);
    assert_ne!(stage.seat_map(), before, "one's own writes are seen at once");
    // A store may remember a map for as long, by its own clock or in real time; but no longer.
    stage.advance(AGE);
    thread::sleep(AGE);
    assert_eq!(there.seat_map(), stage.seat_map());
    stage.books_are_clean();
}

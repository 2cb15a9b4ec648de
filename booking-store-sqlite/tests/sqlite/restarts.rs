//! What a restart finds: everything as it was, the queue included.

use std::path::Path;

use booking_core::{
    Epoch, LaneName, LanePolicy,
    catalog::LaneSettings,
    queue::Place,
    store::{BookingStore, QueueStore},
};
use booking_store_sqlite::SqliteStore;
use pollster::block_on;

use crate::support::world::{
    SHOW, all_done, charge, done, open, open_wallet, place, sell, ticket, user, violations,
};

fn settings(capacity: u32, revision: u64) -> LaneSettings {
    LaneSettings {
        policy: LanePolicy { capacity, ..LanePolicy::default() },
        revision,
        ..LaneSettings::default()
    }
}

fn in_a_file(act: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("a folder");
    act(&folder.path().join("booking.db"));
}

/// Everything a store tells of the show and the queue.
fn view(store: &SqliteStore, epoch: Epoch) -> String {
    let places: Vec<_> = (1..=6).map(|n| block_on(store.place(&ticket(n, epoch)))).collect();
    let snapshot = block_on(store.snapshot(&LaneName::main(), Some(0)));
    let map = block_on(store.seat_map(SHOW));
    let (events, lanes) = (block_on(store.events(0, 1_000)), block_on(store.lanes()));
    let endings = block_on(store.pending_endings(10));
    let wallet = block_on(store.wallet(user(1)));
    format!("{places:#?}{snapshot:#?}{map:#?}{events:#?}{lanes:#?}{endings:#?}{wallet:#?}")
}

#[test]
fn a_restart_changes_nothing_and_who_waits_keeps_the_place() {
    in_a_file(|path| {
        let main = LaneName::main();
        let store = open(path).expect("it is made");
        sell(&store);
        block_on(store.configure(&main, &settings(2, 1))).expect("configured");
        let enter = |store: &SqliteStore, n| block_on(store.enter(&main, user(n))).expect("a place");
        let epoch = enter(&store, 1).ticket.epoch;
        (2..=5).for_each(|n| drop(enter(&store, n)));
        block_on(store.claim(&ticket(1, epoch))).expect("it is 1's turn");
        block_on(store.finish(&ticket(4, epoch), booking_core::EndReason::Left)).expect("4 leaves");
        let before = view(&store, epoch);
        drop(store);
        let store = open(path).expect("it opens again");
        assert_eq!(view(&store, epoch), before);
        let Ok(Place::Waiting { rank, .. }) = block_on(store.place(&ticket(5, epoch))) else {
            panic!("5 waits");
        };
        assert_eq!(rank, 2, "behind 3, and 4 has left");
        assert!(enter(&store, 5).replayed);
        assert_eq!(enter(&store, 6).ticket, ticket(6, epoch), "numbers go on");
        done(&store, open_wallet(9));
        let events = block_on(store.events(0, 1_000)).expect("events");
        assert!((1..).zip(&events).all(|(number, event)| event.seq == number), "{events:?}");
        assert_eq!(violations(&store), Vec::<String>::new());
    });
}

#[test]
fn a_lane_that_was_closed_opens_where_it_stopped() {
    in_a_file(|path| {
        let main = LaneName::main();
        let store = open(path).expect("it is made");
        block_on(store.configure(&main, &settings(1, 1))).expect("configured");
        let epoch = block_on(store.enter(&main, user(1))).expect("a place").ticket.epoch;
        block_on(store.enter(&main, user(2))).expect("a place");
        let closed = LaneSettings { closed: true, ..settings(1, 2) };
        block_on(store.configure(&main, &closed)).expect("closed");
        drop(store);
        let store = open(path).expect("it opens again");
        let over = |n| block_on(store.place(&ticket(n, epoch)));
        assert!(matches!((over(1), over(2)), (Ok(Place::Done(_)), Ok(Place::Done(_)))));
        block_on(store.configure(&main, &settings(1, 3))).expect("open again");
        assert_eq!(
            block_on(store.enter(&main, user(2))).expect("a place").ticket,
            booking_core::Ticket { seq: 3, ..ticket(2, epoch) }
        );
    });
}

#[test]
fn what_one_instance_sold_another_start_does_not_sell_again() {
    in_a_file(|path| {
        sell(&open(path).expect("it is made"));
        let store = open(path).expect("it opens again");
        all_done(&store, [open_wallet(3), charge(3)]);
        let taken = crate::support::world::ask(&store, place(3, 1, Epoch(7))).expect("an answer");
        assert!(matches!(taken, Err(booking_core::Refusal::SeatTaken { .. })), "{taken:?}");
    });
}

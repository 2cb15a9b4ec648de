//! The log: numbered from 1, in commit order, telling every change (I10, I11).

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use super::{
    Factory,
    stage::{Stage, TTL, charge, concert, expire, generous, refund, release, set_lane},
};
use crate::{
    catalog::{self, LaneChange},
    conformance::tools::at_once,
    event::{Event, RecordedEvent},
    hold,
    id::EntryId,
    payment,
    ticket::LaneName,
    wallet,
};

/// One of everything that changes something.
fn one_of_each(stage: &Stage) {
    let ticket = stage.buyer(3);
    let held = stage.held(&ticket, &[1, 2]);
    stage.done(release(held.id, held.user));
    stage.advance(Duration::from_secs(1));
    let held = stage.held(&ticket, &[2]);
    stage.advance(TTL);
    stage.done(expire(held.id));
    let (_, paid) = stage.bought(&stage.buyer(2), &[2, 3]);
    stage.done(refund(paid.id));
    stage.done(set_lane(&LaneName::main(), LaneChange { paused: Some(true), ..LaneChange::default() }));
    let mut draft = concert(stage.concert, &LaneName::main(), Vec::new());
    draft.title = "Another title".into();
    stage.put(draft);
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::Catalog(event) => match event {
            catalog::Event::ConcertAdded(_) => "concert added",
            catalog::Event::ConcertChanged(_) => "concert changed",
            catalog::Event::PerformanceAdded(_) => "performance added",
            catalog::Event::PerformanceChanged(_) => "performance changed",
            catalog::Event::LaneSet { .. } => "lane set",
        },
        Event::Hold(event) => match event {
            hold::Event::SeatsHeld(_) => "held",
            hold::Event::HoldReleased(_) => "released",
            hold::Event::HoldExpired(_) => "expired",
            hold::Event::SeatsSold(_) => "sold",
            hold::Event::SeatsReturned(_) => "returned",
        },
        Event::Wallet(event) => match event {
            wallet::Event::WalletOpened { .. } => "opened",
            wallet::Event::WalletCharged(_) => "charged",
            wallet::Event::WalletDebited(_) => "debited",
            wallet::Event::WalletRefunded(_) => "credited",
        },
        Event::Payment(event) => match event {
            payment::Event::PaymentMade(_) => "paid",
            payment::Event::PaymentRefunded { .. } => "refunded",
        },
    }
}

fn kinds(events: &[RecordedEvent]) -> Vec<&'static str> {
    events.iter().map(|recorded| kind(&recorded.event)).collect()
}

pub(super) fn events_are_numbered_from_one_without_a_gap(make: &Factory) {
    let stage = Stage::under(make, generous());
    one_of_each(&stage);
    assert!(stage.ask(release(crate::id::ReservationId::random(), stage.user())).is_err());
    one_of_each(&stage.elsewhere());
    let events = stage.events();
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<u64>>());
    assert!(events.windows(2).all(|pair| pair[0].at <= pair[1].at), "{events:#?}");
}

pub(super) fn readers_by_cursor_see_every_event_once(make: &Factory) {
    let stage = Stage::under(make, generous());
    one_of_each(&stage);
    let all = stage.events();
    for limit in [1, 2, 7, all.len(), all.len() + 1] {
        let (mut seen, mut after) = (Vec::new(), 0);
        loop {
            let events = stage.read(stage.store.events(after, limit));
            assert!(events.len() <= limit);
            let Some(last) = events.last() else { break };
            after = last.seq;
            seen.extend(events);
            assert!(seen.len() <= all.len(), "events repeat with a limit of {limit}");
        }
        assert_eq!(seen, all, "with a limit of {limit}");
    }
    assert_eq!(stage.read(stage.store.events(u64::MAX >> 1, 10)), [], "far behind the end");
}

pub(super) fn readers_by_cursor_miss_nothing_while_others_write(make: &Factory) {
    const WRITERS: usize = 4;
    const EACH: usize = 50;
    struct Done<'a>(&'a AtomicUsize);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let stage = Stage::new(make);
    let users: Vec<_> = (0..WRITERS).map(|_| stage.user()).collect();
    let (stages, before, done) = ([&stage, &stage.elsewhere()], stage.events().len(), AtomicUsize::new(0));
    let read = |number: usize| {
        let stage = stages[number % 2];
        let (mut seen, mut after) = (0, before as u64);
        loop {
            let last = done.load(Ordering::SeqCst) == WRITERS;
            for event in stage.read(stage.store.events(after, 16)) {
                assert_eq!(event.seq, after + 1, "the next event in the log");
                after = event.seq;
                seen += 1;
            }
            if last && stage.read(stage.store.events(after, 1)).is_empty() {
                return seen;
            }
        }
    };
    let counts = at_once(WRITERS + 2, |number| {
        let Some(user) = users.get(number) else { return read(number) };
        let _done = Done(&done);
        (0..EACH).for_each(|_| stages[number % 2].charge(*user, 1));
        0
    });
    assert_eq!(counts[WRITERS..], [WRITERS * EACH; 2]);
}

pub(super) fn every_kind_of_change_is_told_by_an_event(make: &Factory) {
    let stage = Stage::under(make, generous());
    assert_eq!(kinds(&stage.events()), ["lane set", "concert added", "performance added"]);
    one_of_each(&stage);
    let first = ["opened", "charged", "held", "released", "held", "expired"];
    let sale = ["opened", "charged", "held", "debited", "sold", "paid", "credited", "returned", "refunded"];
    let last = ["lane set", "concert changed"];
    let told = kinds(&stage.events());
    assert_eq!(told[3..], [&first[..], &sale[..], &last[..]].concat());
    let user = stage.user();
    let entry = EntryId::random();
    stage.done(charge(entry, user, 3));
    let told = stage.events().pop().expect("a charge is an event");
    let Event::Wallet(wallet::Event::WalletCharged(charged)) = told.event else { panic!("{told:?}") };
    assert_eq!(stage.entries(user), [charged], "the event is the entry");
}

pub(super) fn the_history_of_a_seat_tells_every_move_of_it(make: &Factory) {
    let stage = Stage::under(make, generous());
    one_of_each(&stage);
    let moves = ["held", "released", "held", "expired", "held", "sold", "returned"];
    assert_eq!(kinds(&stage.history(2)), moves);
    assert_eq!(kinds(&stage.history(1)), ["held", "released"]);
    assert_eq!(kinds(&stage.history(3)), ["held", "sold", "returned"]);
    assert_eq!(stage.history(4), []);
    let log = stage.events();
    let of_log: Vec<RecordedEvent> =
        log.into_iter().filter(|recorded| recorded.event.moves_seat(stage.show, 2)).collect();
    assert_eq!(stage.history(2), of_log, "numbered as in the log");
    let other = stage.another_show();
    assert_eq!(stage.read(stage.store.seat_history(other, 2)), []);
}

//! Reading the log by cursor while others write: nothing is missed, nothing comes twice, whichever commit is late.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use booking_core::{RecordedEvent, id::PerformanceId, store::BookingStore};
use futures_util::future::join_all;
use tokio::{sync::watch, task::JoinHandle};

use crate::support::{
    database::{Database, TestClock, connect, port, until_somebody_waits},
    proxy::{Proxy, Weather},
    world::{World, charge, performance, put, store},
};

const ALL: usize = 1_000_000;

/// Reads all that is written, a few events at a time, until it is told that nothing more comes.
struct Reader {
    ended: Arc<AtomicBool>,
    /// How often it read.
    reads: watch::Sender<u64>,
    reading: JoinHandle<Vec<RecordedEvent>>,
}

impl Reader {
    fn of(store: Arc<dyn BookingStore>) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let reads = watch::Sender::new(0);
        let (is_over, counted) = (Arc::clone(&ended), reads.clone());
        let reading = tokio::spawn(async move {
            let mut seen: Vec<RecordedEvent> = Vec::new();
            loop {
                let is_over = is_over.load(Ordering::SeqCst);
                let after = seen.last().map_or(0, |event| event.seq);
                let events = store.events(after, 7).await.expect("a read");
                counted.send_modify(|reads| *reads += 1);
                if is_over && events.is_empty() {
                    return seen;
                }
                seen.extend(events);
            }
        });
        Self { ended, reads, reading }
    }

    /// Returns when it has read often since now.
    async fn has_read_on(&self) {
        let enough = *self.reads.borrow() + 20;
        self.reads.subscribe().wait_for(|reads| *reads >= enough).await.expect("it is counted here");
    }

    /// Everything it saw, once nobody writes any more.
    async fn end(self) -> Vec<RecordedEvent> {
        self.ended.store(true, Ordering::SeqCst);
        self.reading.await.expect("no panic")
    }
}

/// What was seen is the log, each event once, in order, and none before one that is decided earlier.
fn is_the_log(seen: &[RecordedEvent], log: &[RecordedEvent]) {
    let numbers = |events: &[RecordedEvent]| events.iter().map(|event| event.seq).collect::<Vec<_>>();
    assert!(numbers(log).is_sorted_by(|a, b| a < b));
    assert!(log.is_sorted_by_key(|event| event.at), "the log goes back in time");
    assert_eq!(numbers(seen), numbers(log));
    assert_eq!(seen, log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_by_cursor_misses_no_event_of_a_commit_that_is_late() {
    let database = Database::new(TestClock::Real).await;
    let proxy = Proxy::to(port(&database.url())).await;
    let late = World::new(store(proxy.url(&database.url())).await).await;
    let prompt = Arc::new(late.at(store(database.url()).await, 1_000));
    let mut users = Vec::new();
    for n in 1..=9 {
        users.push(late.rich(n).await);
    }
    let reader = Reader::of(prompt.store.clone());
    let mut onlooker = connect(&database.url()).await;
    for round in 1..=5 {
        // A transaction that has taken its numbers, and whose COMMIT is on its way for a long time.
        proxy.turn(Weather::LateCommit, Weather::Fair);
        let slow = late.done(charge(users[0], 1));
        let others = async {
            proxy.has_hit(round).await;
            let writing = users[1..].iter().map(|user| {
                let (world, user) = (Arc::clone(&prompt), *user);
                tokio::spawn(async move { world.done(charge(user, 1)).await })
            });
            let writing: Vec<_> = writing.collect();
            // Whatever can be committed before it is, once the others wait for it; and all of that is read.
            until_somebody_waits(&mut onlooker).await;
            reader.has_read_on().await;
            proxy.turn(Weather::Fair, Weather::Fair);
            for written in join_all(writing).await {
                written.expect("no panic");
            }
        };
        let (made, ()) = tokio::join!(slow, others);
        assert!(!made.replayed);
    }
    let seen = reader.end().await;
    assert_eq!(proxy.hits(), 5, "five commits were late");
    is_the_log(&seen, &prompt.store.events(0, ALL).await.expect("a read"));
    late.books_are_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_by_cursor_is_told_nothing_of_numbers_that_were_taken_and_given_back() {
    let database = Database::new(TestClock::Real).await;
    let proxy = Proxy::to(port(&database.url())).await;
    let lost = World::new(store(proxy.url(&database.url())).await).await;
    let prompt = lost.at(store(database.url()).await, 1_000);
    let (one, two) = (lost.rich(1).await, lost.rich(2).await);
    let reader = Reader::of(prompt.store.clone());
    // Its COMMIT never arrives: the database undoes it, and others get its numbers.
    proxy.turn(Weather::SwallowCommit, Weather::Silence);
    let undone = charge(one, 1);
    let (answer, made) = tokio::join!(lost.ask(undone.clone()), async {
        proxy.has_hit(1).await;
        prompt.done(charge(two, 1)).await
    });
    assert!(answer.expect_err("it never heard").may_have_applied() && !made.replayed);
    assert!(!prompt.done(undone).await.replayed, "it was undone");
    let seen = reader.end().await;
    is_the_log(&seen, &prompt.store.events(0, ALL).await.expect("a read"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_by_cursor_see_bookings_and_changes_of_the_catalogue_of_all_instances_in_one_order() {
    let database = Database::new(TestClock::Real).await;
    let first = World::new(store(database.url()).await).await;
    let mut worlds = Vec::new();
    for n in 0..3 {
        worlds.push(Arc::new(first.at(store(database.url()).await, (n + 1) * 1_000_000)));
    }
    let readers: Vec<Reader> = worlds.iter().map(|world| Reader::of(world.store.clone())).collect();
    let writing = (0..12_u32).map(|writer| {
        let world = Arc::clone(&worlds[usize::try_from(writer % 3).expect("small")]);
        tokio::spawn(async move {
            let user = world.rich(u128::from(writer) + 1).await;
            for round in 0..30 {
                if writer < 3 && round % 10 == 0 {
                    // Numbers taken long after it began: its performances are saved first.
                    world
                        .done(put((0..200).map(|_| performance(PerformanceId::random(), 50)).collect()))
                        .await;
                }
                let held = world.hold(u128::from(writer) + 1, writer + 1).await;
                world.done(charge(user, 1)).await;
                let release = booking_core::hold::Command::Release { reservation: held.id, user };
                world.done(release.into()).await;
            }
        })
    });
    for written in join_all(writing.collect::<Vec<_>>()).await {
        written.expect("no panic");
    }
    let log = first.store.events(0, ALL).await.expect("a read");
    assert!(log.len() > 12 * 30 * 3, "{} events", log.len());
    for reader in readers {
        is_the_log(&reader.end().await, &log);
    }
    first.books_are_clean().await;
}

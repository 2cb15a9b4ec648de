//! Lanes that are large, slow, on a broken wire, or of an older copy of the database.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use booking_core::{Error, LaneName, Refusal, Ticket, queue::LaneSnapshot, store::QueueStore};
use booking_store_pg::PgStore;
use futures_util::future::{join, join_all};
use sqlx::PgConnection;

use crate::support::{
    database::{Database, TestClock, connect, port, run, until_somebody_waits},
    lanes::{copy, enter, go_back, open, settings},
    proxy::{Proxy, Weather},
    world::user,
};

/// The lane, when this instance has read it.
async fn snapshot(store: &PgStore) -> LaneSnapshot {
    let begin = Instant::now();
    loop {
        match store.snapshot(&LaneName::main(), None).await {
            Ok(snapshot) => return snapshot,
            Err(error) => assert!(begin.elapsed() < Duration::from_secs(30), "{error}"),
        }
    }
}

/// As if a hundred and fifty thousand people had entered, in steps of ten thousand.
const MANY_ENTER: &str = "\
    INSERT INTO tickets (lane, epoch, seq, user_id, claimed, drains) \
        SELECT lane, epoch, n, gen_random_uuid(), false, 0 FROM queue_lanes, generate_series(1, 150000) AS n; \
    INSERT INTO queue_steps (lane, epoch, version, stamp, seqs) \
        SELECT lane, epoch, version + n, n, array(SELECT generate_series(n * 10000 - 9999, n * 10000)) \
        FROM queue_lanes, generate_series(1, 15) AS n; \
    UPDATE queue_lanes SET version = version + 15, stamp = 15";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_and_fifty_thousand_are_let_in_step_by_step() {
    let database = Database::new(TestClock::Real).await;
    let mut connection = connect(&database.url()).await;
    let store = open(&database.url()).await;
    store.configure(&LaneName::main(), &settings(0, 1)).await.expect("configured");
    run(&mut connection, MANY_ENTER).await;
    assert_eq!(snapshot(&store).await.waiting, 150_000);
    store.configure(&LaneName::main(), &settings(200_000, 2)).await.expect("the doors are open");
    let (main, begin) = (LaneName::main(), Instant::now());
    // More than can be done in time for all of them; but each time some of it is.
    for round in 0.. {
        let advances = join_all((0..8).map(|_| store.advance(&main)));
        let enters = join_all((0..8).map(|n| store.enter(&main, user(round * 8 + n))));
        let (advanced, entered) = join(advances, enters).await;
        assert!(advanced.iter().any(Result::is_ok), "{advanced:?}");
        let errors =
            advanced.into_iter().filter_map(Result::err).chain(entered.into_iter().filter_map(Result::err));
        errors
            .for_each(|error| assert!(matches!(&error, Error::Store(error) if error.retryable()), "{error}"));
        if snapshot(&store).await.waiting == 0 {
            break;
        }
        assert!(begin.elapsed() < Duration::from_mins(1), "it goes on");
    }
    let late = open(&database.url()).await;
    let late = snapshot(&late).await;
    assert_eq!((late.waiting, late.admitted), (0, late.next - 1), "so it stands in the rows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_and_fifty_thousand_whose_time_is_over_are_ended_step_by_step() {
    let database = Database::new(TestClock::Real).await;
    let mut connection = connect(&database.url()).await;
    let store = open(&database.url()).await;
    store.configure(&LaneName::main(), &settings(150_000, 1)).await.expect("configured");
    run(&mut connection, MANY_ENTER).await;
    run(&mut connection, "UPDATE tickets SET admitted_until = now() - interval '1 minute'").await;
    assert_eq!(snapshot(&store).await.admitted, 150_000);
    let begin = Instant::now();
    while snapshot(&store).await.admitted > 0 {
        store.advance(&LaneName::main()).await.expect("a step that fits");
        assert!(begin.elapsed() < Duration::from_mins(1), "it goes on");
    }
    let after = enter(&store, 1).await;
    assert_eq!(after.seq, 150_001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_far_behind_reads_the_lane_without_its_lock() {
    let database = Database::new(TestClock::Real).await;
    let mut connection = connect(&database.url()).await;
    let (store, another) = (open(&database.url()).await, open(&database.url()).await);
    store.configure(&LaneName::main(), &settings(0, 1)).await.expect("configured");
    assert_eq!(snapshot(&another).await.waiting, 0);
    run(&mut connection, MANY_ENTER).await;
    assert_eq!(snapshot(&another).await.waiting, 150_000);
    assert_eq!(enter(&another, 1).await.seq, 150_001);
    assert_eq!(snapshot(&store).await.waiting, 150_001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_waits_for_no_other_lane() {
    let database = Database::new(TestClock::Real).await;
    let store = open(&database.url()).await;
    let slow = "slow".parse::<LaneName>().expect("a name");
    for lane in [&slow, &LaneName::main()] {
        store.configure(lane, &settings(1, 1)).await.expect("configured");
    }
    enter(&store, 1).await;
    let mut connection = connect(&database.url()).await;
    run(&mut connection, "BEGIN; SELECT 1 FROM queue_lanes WHERE lane = 'slow' FOR UPDATE").await;
    let waiting = tokio::spawn({
        let (store, slow) = (Arc::clone(&store), slow.clone());
        async move { store.enter(&slow, user(1)).await }
    });
    until_somebody_waits(&mut connect(&database.url()).await).await;
    for n in 2..12 {
        enter(&store, n).await;
    }
    assert!(!waiting.is_finished(), "ten entered the one lane while the other was locked");
    run(&mut connection, "ROLLBACK").await;
    waiting.await.expect("no panic").expect("the lane is free");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_may_have_been_given_is_not_told_as_not_given() {
    let database = Database::new(TestClock::Real).await;
    let proxy = Proxy::to(port(&database.url())).await;
    let (store, direct) = (open(&proxy.url(&database.url())).await, open(&database.url()).await);
    store.configure(&LaneName::main(), &settings(1, 1)).await.expect("configured");
    enter(&store, 1).await;
    proxy.turn(Weather::CutAfterCommit, Weather::Cut);
    let error = store.enter(&LaneName::main(), user(2)).await.expect_err("there is no database any more");
    assert!(matches!(&error, Error::Store(error) if error.may_have_applied()), "{error}");
    assert_eq!(snapshot(&direct).await.next, 3, "it was given");
    let error = store.snapshot(&LaneName::main(), None).await.expect_err("there is no database");
    assert!(
        matches!(&error, Error::Store(error) if !error.may_have_applied()),
        "reading changes nothing: {error}"
    );
    proxy.turn(Weather::Fair, Weather::Fair);
    assert_eq!(snapshot(&store).await.next, 3);
    assert_eq!(enter(&store, 2).await.seq, 2, "who asks again is told it");
}

/// A lane with the ticket of user 2, of which there is a copy from before that.
async fn before_user_2(database: &Database, connection: &mut PgConnection) -> (Arc<PgStore>, Ticket) {
    let store = open(&database.url()).await;
    store.configure(&LaneName::main(), &settings(1, 1)).await.expect("configured");
    enter(&store, 1).await;
    copy(connection).await;
    let late = enter(&store, 2).await;
    (store, late)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_copy_is_noticed_by_who_failed_to_save_meanwhile() {
    let database = Database::new(TestClock::Real).await;
    let mut connection = connect(&database.url()).await;
    let (store, late) = before_user_2(&database, &mut connection).await;
    run(&mut connection, "ALTER TABLE queue_steps RENAME TO queue_steps_away").await;
    store.enter(&LaneName::main(), user(3)).await.expect_err("it can't be saved");
    run(&mut connection, "ALTER TABLE queue_steps_away RENAME TO queue_steps").await;
    go_back(&mut connection).await;
    assert_eq!(store.enter(&LaneName::main(), user(3)).await, Err(Error::Refused(Refusal::UnknownLane)));
    assert_eq!(store.place(&late).await, Err(Error::Refused(Refusal::QueueReset)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_copy_that_others_went_on_with_is_noticed_by_who_saw_what_it_lost() {
    let database = Database::new(TestClock::Real).await;
    let mut connection = connect(&database.url()).await;
    let (store, late) = before_user_2(&database, &mut connection).await;
    go_back(&mut connection).await;
    let another = open(&database.url()).await;
    for n in 3..7 {
        enter(&another, n).await;
    }
    assert_eq!(
        store.place(&late).await,
        Err(Error::Refused(Refusal::QueueReset)),
        "its number is somebody else's"
    );
    assert_eq!(another.enter(&LaneName::main(), user(7)).await, Err(Error::Refused(Refusal::UnknownLane)));
}

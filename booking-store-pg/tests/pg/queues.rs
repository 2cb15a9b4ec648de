//! What the suite can't see of lanes on PostgreSQL: restarts, outages, copies of the database, other instances.

use std::time::{Duration, Instant};

use booking_core::{
    EndReason, Error, LaneName, Refusal, Ticket, catalog::LaneSettings, queue::Place, store::QueueStore,
};
use booking_store_pg::PgStore;
use futures_util::future::join_all;

use crate::support::{
    database::{Database, TestClock, connect, run},
    lanes::{copy, enter, go_back, open, settings},
    server::Server,
    world::user,
};

async fn rank(store: &PgStore, ticket: &Ticket) -> u64 {
    match store.place(ticket).await.expect("a place") {
        Place::Waiting { rank, .. } => rank,
        place => panic!("number {} is {place:?}", ticket.seq),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_survive_a_crash_of_the_database_and_of_every_instance() {
    let mut server = Server::start(&[]).await;
    let store = open(&server.url()).await;
    store.configure(&LaneName::main(), &settings(1, 1)).await.expect("configured");
    let mut tickets = Vec::new();
    for n in 1..=6 {
        tickets.push(enter(&store, n).await);
    }
    store.finish(&tickets[2], EndReason::Left).await.expect("it left");
    server.crash();
    let begin = Instant::now();
    let error = store.place(&tickets[5]).await.expect_err("there is no database");
    assert!(matches!(&error, Error::Store(error) if error.retryable()), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    server.resume().await;
    for instance in [store, open(&server.url()).await] {
        assert_eq!(rank(&instance, &tickets[5]).await, 4);
        assert!(matches!(instance.place(&tickets[0]).await, Ok(Place::Admitted { .. })));
        assert_eq!(instance.place(&tickets[2]).await, Ok(Place::Done(EndReason::Left)));
        assert_eq!(enter(&instance, 4).await, tickets[3], "who waits keeps the place");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_from_an_old_copy_of_the_database_begins_anew() {
    let database = Database::new(TestClock::Real).await;
    let mut connection = connect(&database.url()).await;
    let store = open(&database.url()).await;
    store.configure(&LaneName::main(), &settings(1, 1)).await.expect("configured");
    let early = enter(&store, 1).await;
    copy(&mut connection).await;
    let late = enter(&store, 2).await;
    go_back(&mut connection).await;
    let refused = store.enter(&LaneName::main(), user(3)).await;
    assert_eq!(refused, Err(Error::Refused(Refusal::UnknownLane)), "nobody enters until it is configured");
    for ticket in [&early, &late] {
        assert_eq!(store.place(ticket).await, Err(Error::Refused(Refusal::QueueReset)));
    }
    store.configure(&LaneName::main(), &settings(1, 1)).await.expect("configured");
    for ticket in [&early, &late] {
        assert_eq!(store.claim(ticket).await, Err(Error::Refused(Refusal::QueueReset)));
    }
    let new = enter(&store, 3).await;
    assert_eq!((new.seq, new.epoch == early.epoch), (1, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_too_far_behind_to_follow_reads_the_lane_anew() {
    let database = Database::new(TestClock::Real).await;
    let (store, another) = (open(&database.url()).await, open(&database.url()).await);
    store.configure(&LaneName::main(), &settings(1, 1)).await.expect("configured");
    enter(&another, 1).await;
    for user in 2..5 {
        enter(&store, user).await;
    }
    store.finish(&enter(&store, 5).await, EndReason::Left).await.expect("left");
    let mut connection = connect(&database.url()).await;
    run(&mut connection, "DELETE FROM queue_steps WHERE version < (SELECT version FROM queue_lanes)").await;
    let next = enter(&another, 6).await;
    assert_eq!(next.seq, 6, "every number was read");
    assert_eq!(rank(&another, &next).await, 4, "one was admitted, and one left");
    assert_eq!(rank(&store, &next).await, 4, "who is near follows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_last_steps_of_a_lane_are_kept() {
    let database = Database::new(TestClock::Real).await;
    let store = open(&database.url()).await;
    store.configure(&LaneName::main(), &settings(1, 1)).await.expect("configured");
    enter(&store, 1).await;
    let mut connection = connect(&database.url()).await;
    // As if twelve thousand steps had been taken.
    run(
        &mut connection,
        "INSERT INTO queue_steps SELECT lane, epoch, n, n, '{}' FROM queue_lanes, generate_series(version + 1, 11999) AS n; \
         UPDATE queue_lanes SET version = 11999, stamp = 11999",
    )
    .await;
    let second = enter(&store, 2).await;
    assert_eq!(rank(&store, &second).await, 1);
    let kept: (i64, i64) =
        sqlx::query_as("SELECT min(version)::bigint, max(version)::bigint FROM queue_steps")
            .fetch_one(&mut connection)
            .await
            .expect("steps");
    assert_eq!(kept, (2_001, 12_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_lane_is_drained_on_every_instance_and_after_a_restart() {
    let database = Database::new(TestClock::Real).await;
    let (store, another) = (open(&database.url()).await, open(&database.url()).await);
    store.configure(&LaneName::main(), &settings(1, 1)).await.expect("configured");
    let first = enter(&another, 1).await;
    let second = enter(&store, 2).await;
    let closed = LaneSettings { closed: true, ..settings(1, 2) };
    store.configure(&LaneName::main(), &closed).await.expect("closed");
    another.configure(&LaneName::main(), &settings(1, 3)).await.expect("open again");
    let again = enter(&store, 2).await;
    assert_eq!(again.seq, 3);
    for instance in [store, another, open(&database.url()).await] {
        for ticket in [&first, &second] {
            assert_eq!(instance.place(ticket).await, Ok(Place::Done(EndReason::Closed)));
        }
        assert!(matches!(instance.place(&again).await, Ok(Place::Admitted { .. })));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_instances_give_every_number_once_and_in_order() {
    let database = Database::new(TestClock::Real).await;
    let instances = [open(&database.url()).await, open(&database.url()).await, open(&database.url()).await];
    instances[0].configure(&LaneName::main(), &settings(7, 1)).await.expect("configured");
    let people = 3_000_u128;
    let entering = (0..people).map(|n| enter(&instances[usize::try_from(n % 3).unwrap_or(0)], n));
    let mut tickets = join_all(entering).await;
    tickets.sort_unstable_by_key(|ticket| ticket.seq);
    assert!(tickets.iter().map(|ticket| ticket.seq).eq(1..=3_000));
    let gone: Vec<Ticket> = tickets.iter().filter(|ticket| ticket.seq % 10 == 9).cloned().collect();
    let leaving =
        gone.iter().zip(instances.iter().cycle()).map(|(gone, at)| at.finish(gone, EndReason::Left));
    assert!(join_all(leaving).await.iter().all(Result::is_ok));
    for (at, instance) in instances.iter().cycle().take(30).enumerate() {
        let ticket = &tickets[100 + at * 90];
        let gone = tickets[..100 + at * 90].iter().filter(|before| before.seq % 10 == 9).count() as u64;
        if ticket.seq % 10 != 9 {
            assert_eq!(rank(instance, ticket).await, ticket.seq - gone - 7, "number {}", ticket.seq);
        }
    }
    let mut connection = connect(&database.url()).await;
    let live: i64 = sqlx::query_scalar("SELECT count(*) FROM tickets WHERE ended IS NULL")
        .fetch_one(&mut connection)
        .await
        .expect("a count");
    assert_eq!(live, 2_700);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_line_is_read_whole_by_an_instance_that_starts() {
    let database = Database::new(TestClock::Real).await;
    let store = open(&database.url()).await;
    store.configure(&LaneName::main(), &settings(1, 1)).await.expect("configured");
    let many: Vec<Ticket> = join_all((0..45_000).map(|n| enter(&store, n))).await;
    let last = many.iter().max_by_key(|ticket| ticket.seq).expect("many");
    let late = open(&database.url()).await;
    // While somebody else goes on.
    let (entered, rank) = tokio::join!(enter(&store, 45_000), rank(&late, last));
    assert_eq!((entered.seq, rank), (45_001, 44_999));
    assert_eq!(self::rank(&late, &entered).await, 45_000);
}

//! Redis comes back with everything, with nothing, or with an old copy (I19, I22).

use std::fs;

use booking_core::{Error, Refusal, id::UserId, store::QueueStore};

use crate::support::{
    log::Told,
    server::{FORGETFUL, LASTING, Server},
    world::open,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_restarted_from_its_log_goes_on_where_it_was() {
    let mut server = Server::start(LASTING);
    let world = open(&server.url()).await;
    world.configure(2).await;
    let tickets = world.line(6).await;
    let session = world.store.claim(&tickets[0]).await;
    world.store.finish(&tickets[3], booking_core::EndReason::Left).await.expect("Redis answers");
    let before = world.store.snapshot(&world.lane, Some(0)).await;
    server.crash();
    server.resume();
    world.answers().await;
    assert_eq!(world.store.claim(&tickets[0]).await, session, "the session goes on");
    let after = world.store.snapshot(&world.lane, Some(0)).await;
    let still = |snapshot: Result<booking_core::queue::LaneSnapshot, Error>| {
        snapshot.map(|told| booking_core::queue::LaneSnapshot { per_admission: None, ..told })
    };
    assert_eq!(still(after), still(before));
    assert_eq!((world.rank(&tickets[2]).await, world.rank(&tickets[4]).await), (Some(1), Some(2)));
    assert_eq!(world.line(1).await[0].seq, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_restarted_empty_starts_a_new_epoch_and_admits_nobody_until_it_is_told() {
    let mut server = Server::start(FORGETFUL);
    let world = open(&server.url()).await;
    world.configure(1).await;
    let old = world.line(3).await;
    server.crash();
    server.resume();
    world.answers().await;
    assert_eq!(
        world.place(&old[0]).await,
        Err(Refusal::QueueReset.into()),
        "who was admitted is not any more"
    );
    world.started_anew(&old).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_that_was_emptied_under_people_is_logged_once_by_each_instance_that_knew_it() {
    let server = Server::start(FORGETFUL);
    let (world, other) = (open(&server.url()).await, open(&server.url()).await);
    let told = Told::default();
    let listening = told.listen();
    world.configure(1).await;
    let old = world.line(3).await;
    other.rank(&old[2]).await;
    assert_eq!(told.text(), "", "a lane that is made the first time was not lost");
    server.ask::<()>(&["FLUSHALL"]);
    world.started_anew(&old).await;
    let is_told =
        |line: &&str| line.contains("WARN") && line.contains("made anew") && line.contains("\"main\"");
    let lines = |told: &Told| told.text().lines().filter(is_told).count();
    assert_eq!(lines(&told), 1, "{}", told.text());
    other.line(2).await;
    assert_eq!(lines(&told), 2, "{}", told.text());
    let newcomer = open(&server.url()).await;
    newcomer.line(1).await;
    drop(listening);
    assert_eq!(lines(&told), 2, "who knew nothing before has lost nothing");
}

/// Keeps what the server has now, to be put back later.
fn keep_copy(server: &Server) {
    server.ask::<()>(&["SAVE"]);
    fs::copy(server.folder().join("dump.rdb"), server.folder().join("old.rdb")).expect("a copy");
}

/// Ends the server, and starts it with the copy.
fn restore_copy(server: &mut Server) {
    server.crash();
    fs::copy(server.folder().join("old.rdb"), server.folder().join("dump.rdb")).expect("a copy");
    server.resume();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_restored_from_an_old_copy_starts_anew_for_all() {
    let mut server = Server::start(FORGETFUL);
    let (world, other) = (open(&server.url()).await, open(&server.url()).await);
    world.configure(1).await;
    let mut old = world.line(3).await;
    keep_copy(&server);
    old.extend(world.line(2).await);
    restore_copy(&mut server);
    world.answers().await;
    // The number after the copy was given before; nobody gets it again.
    world.started_anew(&old).await;
    let (here, there) = (world.line(1).await, other.line(1).await);
    assert_eq!((here[0].epoch, here[0].seq + 1), (there[0].epoch, there[0].seq));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_that_is_over_does_not_come_back() {
    let mut server = Server::start(FORGETFUL);
    let world = open(&server.url()).await;
    world.configure(1).await;
    let old = world.line(3).await;
    keep_copy(&server);
    server.ask::<()>(&["FLUSHALL"]);
    world.started_anew(&old).await;
    restore_copy(&mut server);
    world.answers().await;
    world.started_anew(&old).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endings_that_were_forgotten_are_noticed_too() {
    let mut server = Server::start(FORGETFUL);
    let world = open(&server.url()).await;
    world.configure(1).await;
    let old = world.line(3).await;
    keep_copy(&server);
    world.store.finish(&old[0], booking_core::EndReason::Completed).await.expect("Redis answers");
    restore_copy(&mut server);
    world.answers().await;
    assert_eq!(
        world.place(&old[0]).await,
        Err(Refusal::QueueReset.into()),
        "a ticket that is over stays over"
    );
    world.started_anew(&old).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_that_is_dropped_leaves_nothing_behind() {
    let mut server = Server::start(FORGETFUL);
    let world = open(&server.url()).await;
    world.configure(2).await;
    let tickets = world.line(9).await;
    world.store.finish(&tickets[5], booking_core::EndReason::Left).await.expect("Redis answers");
    let mut closed = crate::support::world::settings(2);
    (closed.closed, closed.revision) = (true, 2);
    world.store.configure(&world.lane, &closed).await.expect("Redis answers");
    closed.revision = 3;
    closed.closed = false;
    world.store.configure(&world.lane, &closed).await.expect("Redis answers");
    world.line(4).await;
    keep_copy(&server);
    world.enter(UserId::random()).await.expect("the lane takes people");
    restore_copy(&mut server);
    world.answers().await;
    assert_eq!(server.ask::<u64>(&["DBSIZE"]), 0);
}

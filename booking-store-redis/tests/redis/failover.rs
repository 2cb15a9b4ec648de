//! A replica takes over. Redis replicates after it has answered, so the last moments may be missing there.

use booking_core::{EndReason, Error, id::UserId, store::QueueStore};

use crate::support::{
    server::{FORGETFUL, Server},
    wire::Wire,
    world::open,
};

/// A replica that has everything the primary has.
fn replica_of(primary: &Server) -> Server {
    let replica = Server::start(FORGETFUL);
    replica.ask::<()>(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]);
    let began = std::time::Instant::now();
    while !replica.ask::<String>(&["INFO", "replication"]).contains("master_link_status:up") {
        assert!(began.elapsed().as_secs() < 20, "the replica does not connect");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    replica
}

fn promote(replica: &Server) {
    replica.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_replica_that_has_everything_goes_on() {
    let mut primary = Server::start(FORGETFUL);
    let wire = Wire::to(primary.port).await;
    let world = open(&wire.url()).await;
    world.configure(1).await;
    let replica = replica_of(&primary);
    let tickets = world.line(4).await;
    // Both have it before the primary goes.
    primary.replicate();
    primary.crash();
    promote(&replica);
    wire.switch_to(replica.port);
    world.answers().await;
    assert_eq!(world.enter(tickets[3].user).await, Ok(tickets[3].clone()));
    world.store.finish(&tickets[0], EndReason::Left).await.expect("Redis answers");
    assert_eq!(world.line(1).await[0].seq, 5);
    assert_eq!(world.rank(&tickets[3]).await, Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_replica_that_lags_behind_starts_a_new_epoch() {
    let mut primary = Server::start(FORGETFUL);
    let wire = Wire::to(primary.port).await;
    let world = open(&wire.url()).await;
    world.configure(1).await;
    let replica = replica_of(&primary);
    let mut old = world.line(3).await;
    primary.replicate();
    // From here on it hears nothing of the primary.
    promote(&replica);
    old.extend(world.line(2).await);
    primary.crash();
    wire.switch_to(replica.port);
    world.answers().await;
    world.started_anew(&old).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_became_a_replica_is_left_for_the_new_one() {
    let primary = Server::start(FORGETFUL);
    let wire = Wire::to(primary.port).await;
    let world = open(&wire.url()).await;
    world.configure(1).await;
    let replica = replica_of(&primary);
    let tickets = world.line(2).await;
    primary.replicate();
    promote(&replica);
    primary.ask::<()>(&["REPLICAOF", "127.0.0.1", &replica.port.to_string()]);
    // While it copies the new primary it holds nothing at all, and later what was true a moment ago.
    match world.place(&tickets[1]).await {
        Err(Error::Store(error)) => assert!(error.retryable(), "{error:?}"),
        other => panic!("a replica tells nobody a place, but {other:?}"),
    }
    match world.enter(UserId::random()).await {
        Err(Error::Store(error)) => assert!(error.retryable() && !error.may_have_applied(), "{error:?}"),
        other => panic!("a replica takes no numbers, but {other:?}"),
    }
    // The address leads to the new primary; the old wire is whole, and must be left all the same.
    wire.lead_to(replica.port);
    world.answers().await;
    assert_eq!(world.line(1).await[0].seq, 3);
    assert_eq!(world.rank(&tickets[1]).await, Some(1));
    assert!(world.store.claim(&tickets[0]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_may_have_been_given_before_the_failover_is_not_told_as_not_given() {
    let primary = Server::start(FORGETFUL);
    let wire = Wire::to(primary.port).await;
    let world = open(&wire.url()).await;
    world.configure(0).await;
    world.line(1).await;
    let replica = replica_of(&primary);
    // Its answer is lost, and who is asked again is no primary yet.
    wire.lead_to(replica.port);
    wire.lose_answer();
    match world.enter(UserId::random()).await {
        Err(Error::Store(error)) => assert!(error.may_have_applied() && error.retryable(), "{error:?}"),
        other => panic!("nobody could answer, but {other:?}"),
    }
    let direct = open(&primary.url()).await;
    assert_eq!(direct.line(1).await[0].seq, 3, "it was given");
}

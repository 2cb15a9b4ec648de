//! Redis stops, freezes, forgets its scripts, and wires break: calls answer within two seconds, and nothing has to be
//! restarted.

use booking_core::{EndReason, Error, id::UserId, queue::Place, store::QueueStore};

use crate::support::{
    keys::Keys,
    server::{FORGETFUL, LASTING, Server},
    wire::Wire,
    world::open,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_is_unavailable_within_two_seconds_and_comes_back() {
    let mut server = Server::start(LASTING);
    let world = open(&server.url()).await;
    world.configure(1).await;
    let tickets = world.line(3).await;
    server.crash();
    // The first to ask finds a broken wire, and can't know how far the request came; all others know that it went nowhere.
    world.failures(&tickets[1]).await;
    for error in world.failures(&tickets[1]).await {
        assert!(error.retryable() && !error.may_have_applied(), "{error:?}");
    }
    server.resume();
    world.answers().await;
    assert_eq!(world.enter(tickets[2].user).await, Ok(tickets[2].clone()), "nobody lost a place");
    assert_eq!(world.line(1).await[0].seq, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_unavailable_until_it_thaws_and_who_entered_meanwhile_has_one_place() {
    let server = Server::start(FORGETFUL);
    let world = open(&server.url()).await;
    world.configure(1).await;
    let tickets = world.line(2).await;
    server.freeze(true);
    let late = UserId::random();
    match world.enter(late).await {
        Err(Error::Store(error)) => assert!(error.retryable() && error.may_have_applied(), "{error:?}"),
        other => panic!("there is no Redis to answer, but {other:?}"),
    }
    for error in world.failures(&tickets[1]).await {
        assert!(error.retryable(), "{error:?}");
    }
    server.freeze(false);
    world.answers().await;
    let ticket = world.enter(late).await.expect("Redis is back");
    assert_eq!(ticket.seq, 3, "the request that was on its way, and its repetition, are one");
    assert_eq!(world.line(1).await[0].seq, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_wires_are_hardly_noticed() {
    let server = Server::start(FORGETFUL);
    let wire = Wire::to(server.port).await;
    let world = open(&wire.url()).await;
    world.configure(0).await;
    let mut lost = 0;
    for number in 1..=50 {
        let user = UserId::random();
        let mut ticket = world.enter(user).await;
        while let Err(Error::Store(error)) = ticket {
            assert!(error.retryable(), "{error:?}");
            lost += 1;
            ticket = world.enter(user).await;
        }
        assert_eq!(ticket.expect("the lane takes people").seq, number, "each took one number");
        wire.cut();
    }
    assert!(lost <= 25, "{lost} calls failed although Redis was there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forgotten_scripts_are_told_again() {
    let server = Server::start(FORGETFUL);
    let world = open(&server.url()).await;
    world.configure(1).await;
    let keys = Keys::at(&server.url()).await;
    let forget = async || drop(keys.run(redis::cmd("SCRIPT").arg("FLUSH")).await);
    forget().await;
    let tickets = world.line(2).await;
    forget().await;
    assert_eq!(world.rank(&tickets[1]).await, Some(1));
    forget().await;
    world.store.claim(&tickets[0]).await.expect("it is admitted");
    forget().await;
    world.store.finish(&tickets[0], EndReason::Left).await.expect("Redis answers");
    assert!(matches!(world.place(&tickets[1]).await, Ok(Place::Admitted { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_has_no_memory_left_takes_nobody_and_loses_nobody() {
    let server = Server::start(FORGETFUL);
    let world = open(&server.url()).await;
    world.configure(1).await;
    let tickets = world.line(3).await;
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    match world.enter(UserId::random()).await {
        Err(Error::Store(error)) => assert!(error.retryable() && !error.may_have_applied(), "{error:?}"),
        other => panic!("there is no memory left, but {other:?}"),
    }
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(world.line(1).await[0].seq, 4, "a call that failed took no number");
    assert_eq!(world.rank(&tickets[2]).await, Some(2));
}

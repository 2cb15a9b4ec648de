//! Services that share a Redis have a prefix each, and know nothing of each other.

use booking_core::{EndReason, Error, Refusal, Ticket, queue::Place, store::QueueStore};

use crate::support::{
    cluster::Cluster,
    server::{FORGETFUL, Server},
    world::{World, open, settings},
};

/// A service with one person inside and two who wait.
async fn busy(url: &str) -> (World, Vec<Ticket>) {
    let world = open(url).await;
    assert_eq!(world.enter(booking_core::id::UserId::random()).await, Err(Refusal::UnknownLane.into()));
    world.configure(1).await;
    let tickets = world.line(3).await;
    assert_eq!(tickets.iter().map(|ticket| ticket.seq).collect::<Vec<_>>(), [1, 2, 3]);
    (world, tickets)
}

/// What a lane is, without what changes with time alone.
async fn told(world: &World) -> Result<booking_core::queue::LaneSnapshot, Error> {
    let told = world.store.snapshot(&world.lane, Some(0)).await?;
    Ok(booking_core::queue::LaneSnapshot { per_admission: None, ..told })
}

/// Whatever one of these services does to its lane `main`, the lane of the other stays as it is.
async fn are_apart(one: &str, other: &str) {
    let (here, ours) = busy(one).await;
    let (there, theirs) = busy(other).await;
    let before = told(&there).await;
    // The same person is in both lines, with a number of each.
    let twice = here.enter(theirs[2].user).await.expect("the lane takes people");
    assert_eq!((twice.seq, here.place(&theirs[0]).await), (4, Err(Refusal::QueueReset.into())));
    here.store.finish(&ours[0], EndReason::Left).await.expect("Redis answers");
    here.store.advance(&here.lane).await.expect("Redis answers");
    assert!(matches!(here.place(&ours[1]).await, Ok(Place::Admitted { .. })), "its turn came");
    assert_eq!(there.rank(&theirs[1]).await, Some(1), "and no one else's did");
    let mut closed = settings(1);
    (closed.closed, closed.revision) = (true, 2);
    here.store.configure(&here.lane, &closed).await.expect("Redis answers");
    assert_eq!(here.place(&ours[1]).await, Ok(Place::Done(EndReason::Closed)));
    assert_eq!(told(&there).await, before);
    there.store.claim(&theirs[0]).await.expect("who was admitted is inside still");
    assert_eq!(there.rank(&theirs[2]).await, Some(2));
    assert_eq!(there.line(1).await[0].seq, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_prefixes_on_a_server_do_not_see_each_other() {
    let server = Server::start(FORGETFUL);
    let url = server.url();
    are_apart(&format!("{url}?prefix=tour-a"), &format!("{url}/0?prefix=tour")).await;
    are_apart(&url, &format!("{url}?prefix=tour-b")).await;
    let names: Vec<String> = server.ask(&["KEYS", "*:{main}"]);
    let names: std::collections::BTreeSet<_> = names.iter().map(String::as_str).collect();
    let expected = ["booking:{main}", "tour-a:{main}", "tour-b:{main}", "tour:{main}"];
    assert!(names.iter().eq(&expected), "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_prefixes_on_a_cluster_do_not_see_each_other() {
    let cluster = Cluster::start();
    let url = cluster.url();
    are_apart(&url, &format!("{url}?prefix=tour-a")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_of_one_prefix_are_one_service() {
    let server = Server::start(FORGETFUL);
    let (here, tickets) = busy(&format!("{}?prefix=booking", server.url())).await;
    // It is the one that addresses without a prefix have.
    let there = open(&server.url()).await;
    assert_eq!(there.rank(&tickets[2]).await, Some(2));
    assert_eq!(told(&there).await, told(&here).await);
}

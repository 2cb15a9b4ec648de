//! Three primaries and a replica: the suite holds there too, and a failover is survived.

use booking_core::{conformance::queue, store::QueueStore};

use crate::support::{cluster::Cluster, harness::Harness, world::open};

#[test]
fn every_case_of_the_suite_holds_on_a_cluster() {
    let cluster = Cluster::start();
    let url = cluster.url();
    for case in queue::CASES {
        let url = url.clone();
        (case.run)(&move || Box::new(Harness::at(&url)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_of_a_cluster_admits_nobody_wrongly_and_goes_on_by_itself() {
    let mut cluster = Cluster::start();
    let world = open(&cluster.url()).await;
    world.configure(1).await;
    let tickets = world.line(4).await;
    let owner = cluster.owner();
    cluster.primaries[owner].replicate();
    cluster.primaries[owner].crash();
    for error in world.failures(&tickets[1]).await {
        assert!(error.retryable(), "{error:?}");
    }
    world.answers().await;
    assert_eq!(world.enter(tickets[3].user).await, Ok(tickets[3].clone()), "nobody lost a place");
    assert_eq!(world.rank(&tickets[1]).await, Some(1), "and nobody was admitted");
    assert_eq!(world.store.snapshot(&world.lane, None).await.expect("it answers").admitted, 1);
    assert_eq!(world.line(1).await[0].seq, 5);
    assert!(cluster.replica.ask::<String>(&["INFO", "replication"]).contains("role:master"));
}

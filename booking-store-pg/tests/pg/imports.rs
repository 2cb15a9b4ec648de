//! Imports: while one is saved, everything else goes on.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use booking_core::{
    LaneName,
    catalog::{self, LaneChange},
    id::PerformanceId,
};

use crate::support::{
    database::{Database, TestClock, connect, run, until_somebody_waits},
    world::{World, performance, put, store},
};

/// Changes the lane, which it answers at once.
async fn change(at: &World, change: catalog::Command) {
    let begin = Instant::now();
    assert!(!at.done(change.into()).await.replayed);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

async fn change_lanes(at: &World, capacity: u32) {
    for lane in [LaneName::main(), "new".parse().expect("a name")] {
        let to = LaneChange { capacity: Some(capacity), ..LaneChange::default() };
        change(at, catalog::Command::SetLane(lane.clone(), to)).await;
        let record = at.store.lane(&lane).await.expect("a read").expect("the lane");
        let (revision, sold_out) = (record.settings.revision, !record.settings.sold_out);
        change(at, catalog::Command::MarkSoldOut { lane, revision, sold_out }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_performances_are_saved_lanes_change_at_once_on_every_instance() {
    let database = Database::new(TestClock::Real).await;
    let world = Arc::new(World::new(store(database.url()).await).await);
    let another = world.at(store(database.url()).await, 1_000);
    let mut onlooker = connect(&database.url()).await;
    let mut stranger = connect(&database.url()).await;
    // For as long as somebody reads it who has to see it as it is.
    run(&mut stranger, "BEGIN; LOCK TABLE performances IN SHARE MODE").await;
    let halls = (0..20).map(|_| performance(PerformanceId::random(), 20_000)).collect();
    let importing = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.done(put(halls)).await }
    });
    until_somebody_waits(&mut onlooker).await;
    for (capacity, at) in [(8, &*world), (9, &another)] {
        change_lanes(at, capacity).await;
    }
    assert!(!importing.is_finished(), "performances were to be saved all the while");
    run(&mut stranger, "ROLLBACK").await;
    assert!(!importing.await.expect("no panic").replayed);
    for lane in world.store.lanes().await.expect("a read") {
        assert_eq!(lane.settings.policy.capacity, 9, "{lane:?}");
    }
    world.books_are_clean().await;
}

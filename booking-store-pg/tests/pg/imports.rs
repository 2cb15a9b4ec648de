//! Big imports: seats are made for a long time, in which everything else goes on.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use booking_core::{
    BookingPolicy, LaneName,
    catalog::{self, LaneChange},
    id::PerformanceId,
};
use booking_store_pg::{PgConfig, PgStore};
use sqlx::PgConnection;

use crate::support::{
    database::{Database, TestClock, connect, until_there_is},
    world::{World, performance, put},
};

async fn store(url: String) -> Arc<PgStore> {
    PgStore::connect(PgConfig::new(url, BookingPolicy::default())).await.expect("the store opens")
}

/// Returns when somebody makes seats.
async fn seats_are_being_made(connection: &mut PgConnection) {
    let making = "SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND query LIKE 'INSERT INTO seats%' AND state = 'active'";
    until_there_is(connection, making).await;
}

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
async fn while_seats_are_made_lanes_change_at_once_on_every_instance() {
    let database = Database::new(TestClock::Real).await;
    let world = Arc::new(World::new(store(database.url()).await).await);
    let another = world.at(store(database.url()).await, 1_000);
    let mut onlooker = connect(&database.url()).await;
    let halls = (0..20).map(|_| performance(PerformanceId::random(), 20_000)).collect();
    let importing = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.done(put(halls)).await }
    });
    seats_are_being_made(&mut onlooker).await;
    for (capacity, at) in [(8, &*world), (9, &another)] {
        change_lanes(at, capacity).await;
    }
    assert!(!importing.is_finished(), "the seats were to be made all the while");
    assert!(!importing.await.expect("no panic").replayed);
    for lane in world.store.lanes().await.expect("a read") {
        assert_eq!(lane.settings.policy.capacity, 9, "{lane:?}");
    }
    world.books_are_clean().await;
}

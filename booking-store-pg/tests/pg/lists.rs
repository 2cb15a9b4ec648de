//! Lists from where nobody was told that they go on.

use booking_core::{
    BookingPolicy, LaneName, Timestamp,
    store::{Cursor, PageRequest, PerformanceFilter},
};
use booking_store_pg::{PgConfig, PgStore};
use uuid::Uuid;

use crate::support::{
    database::{Database, TestClock},
    world::{World, user},
};

/// PostgreSQL knows no instant before 4713 BC, and none after the year 294276.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_from_before_or_after_all_time_that_the_database_knows_is_one_like_any_other() {
    let database = Database::new(TestClock::Real).await;
    let config = PgConfig::new(database.url(), BookingPolicy::default());
    let world = World::new(PgStore::connect(config).await.expect("the store opens")).await;
    world.buy(1, 1).await;
    let early = [i64::MIN, i64::MIN + 1, -210_866_803_200_000_001, -205_000_000_000_000_000];
    let late = [i64::MAX - 1, i64::MAX];
    for (micros, expected) in early.map(|at| (at, 1)).into_iter().chain(late.map(|at| (at, 0))) {
        let after = Some(Cursor { at: Timestamp::from_micros(micros), id: Uuid::max() });
        let (page, store) = (PageRequest { after, limit: 5 }, &world.store);
        let filter = PerformanceFilter { lane: LaneName::main(), concert: None, date: None };
        let found = [
            store.concerts(page).await.map(|page| page.items.len()),
            store.performances(&filter, page).await.map(|page| page.items.len()),
            store.reservations(user(1), page).await.map(|page| page.items.len()),
            store.payments(user(1), page).await.map(|page| page.items.len()),
        ];
        assert_eq!(found, [Ok(expected), Ok(expected), Ok(expected), Ok(expected)], "{micros}");
    }
}

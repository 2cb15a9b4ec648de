//! Whether anything is left to sell, where that takes more than one look.

use std::time::Duration;

use booking_core::{LaneName, catalog::Stock, id::PerformanceId, store::BookingStore};
use booking_store_pg::PgStore;

use crate::support::{
    database::{Database, TestClock, connect, run},
    world::{World, performance, put, store},
};

/// As if all of them had been sold, as the one reservation was that is there.
const ALL_SOLD: &str = "\
    INSERT INTO reservations SELECT gen_random_uuid(), r.user_id, p.performance_id, r.seats, r.ticket_lane, r.ticket_epoch, \
        1000 + row_number() OVER (), r.amount, r.created_at, r.hold_until, r.status, 1000 + row_number() OVER () \
        FROM reservations r, performances p WHERE p.performance_id <> r.performance_id; \
    INSERT INTO seats SELECT p.performance_id, n, r.reservation_id, NULL \
        FROM performances p JOIN reservations r USING (performance_id), generate_series(1, p.seats) AS n \
        ON CONFLICT DO NOTHING";

/// What is told in the end, and how often it took too long before.
async fn told(store: &PgStore) -> (Stock, usize) {
    for gave_up in 0..1_000 {
        match store.stock(&LaneName::main()).await {
            Ok(stock) => return (stock, gave_up),
            Err(error) => assert!(error.to_string().contains("is still looked for one unsold"), "{error}"),
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn a_search_that_takes_too_long_is_gone_on_with_by_the_next_call() {
    let database = Database::new(TestClock::Real).await;
    let mut connection = connect(&database.url()).await;
    let store = store(database.url()).await;
    let world = World::new(store.clone()).await;
    let mut shows: Vec<PerformanceId> = (0..20).map(|_| PerformanceId::random()).collect();
    world.done(put(shows.iter().map(|id| performance(*id, 3)).collect())).await;
    shows.push(world.show);
    shows.sort_unstable();
    world.buy(1, 1).await;
    run(&mut connection, ALL_SOLD).await;
    // Each call looks at one performance.
    store.search_stock_by(1, Duration::ZERO);
    let (left, sold) = (Stock { bookable: true, unsold: true }, Stock { bookable: true, unsold: false });
    assert_eq!(told(&store).await, (sold, shows.len() - 1));
    assert_eq!(told(&store).await, (sold, 0), "it is remembered");
    let seat = format!("performance_id = '{}' AND number = 2", shows[12]);
    let returned = format!("UPDATE log_head SET returns = returns + 1; DELETE FROM seats WHERE {seat}");
    run(&mut connection, &returned).await;
    assert_eq!(told(&store).await, (left, 12), "a seat came back");
    assert_eq!(told(&store).await, (left, 0), "where one was found it is looked for first");
    run(
        &mut connection,
        &format!(
            "INSERT INTO seats SELECT performance_id, 2, reservation_id, NULL FROM seats \
        WHERE performance_id = '{}' LIMIT 1",
            shows[12]
        ),
    )
    .await;
    assert_eq!(told(&store).await, (sold, shows.len() - 14), "those before it are sold out still");
    store.search_stock_by(7, Duration::from_mins(1));
    run(&mut connection, &returned).await;
    assert_eq!(told(&store).await, (left, 0), "one call may look at several portions");
}

//! The database goes back: it is restored from an older copy, or a standby takes over that lacks the last commits. What an
//! instance remembers of the time that is lost is not taken for what comes in its place.

use booking_core::{LaneName, Refusal, catalog::Stock};
use sqlx::PgConnection;

use crate::support::{
    database::{Database, TestClock, connect, port, run},
    proxy::{Proxy, Weather},
    world::{World, pay, reservation_of, store, user},
};

/// Everything that is booked, and what for.
const TABLES: [&str; 8] =
    ["log_head", "events", "performances", "users", "reservations", "seats", "payments", "wallet_entries"];

async fn copy(connection: &mut PgConnection) {
    for table in TABLES {
        run(connection, &format!("CREATE TABLE copy_of_{table} AS TABLE {table}")).await;
    }
}

/// Puts the copy back, and ends all sessions, as a restart does.
async fn go_back(connection: &mut PgConnection) {
    run(connection, "SET session_replication_role = replica").await;
    for table in TABLES {
        run(connection, &format!("DELETE FROM {table}; INSERT INTO {table} TABLE copy_of_{table}")).await;
    }
    run(connection, "SET session_replication_role = origin").await;
    let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
        WHERE datname = current_database() AND application_name = 'booking'";
    run(connection, end).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_that_was_lost_with_the_database_is_asked_of_nobody() {
    let database = Database::new(TestClock::Real).await;
    let mut connection = connect(&database.url()).await;
    let world = World::new(store(database.url()).await).await;
    let other = world.at(store(database.url()).await, 1_000);
    world.rich(1).await;
    copy(&mut connection).await;
    other.price(20).await;
    assert_eq!(world.hold(1, 1).await.amount.units(), 20);
    go_back(&mut connection).await;
    // The catalogue has the version again that it had with the price of 20.
    other.price(30).await;
    assert_eq!(world.hold(1, 1).await.amount.units(), 30);
    world.books_are_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_whose_last_sale_was_lost_with_the_database_has_stock() {
    let database = Database::new(TestClock::Real).await;
    let mut connection = connect(&database.url()).await;
    let world = World::new(store(database.url()).await).await;
    world.buy(1, 1).await;
    copy(&mut connection).await;
    let stock = async || world.store.stock(&LaneName::main()).await.expect("a read");
    let others =
        "INSERT INTO seats SELECT performance_id, generate_series(2, 50), reservation_id FROM reservations";
    run(&mut connection, others).await;
    assert_eq!(stock().await, Stock { bookable: true, unsold: false });
    go_back(&mut connection).await;
    assert_eq!(stock().await, Stock { bookable: true, unsold: true });
}

/// The clock stands still, so that what is decided ahead may be on its way for as long as it takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_others_are_not_taken_for_own_ones_that_were_lost_with_the_database() {
    let database = Database::new(TestClock::Moved).await;
    let proxy = Proxy::to(port(&database.url())).await;
    let mut connection = connect(&database.url()).await;
    let world = World::new(store(proxy.url(&database.url())).await).await;
    world.buy(3, 3).await;
    let users = [world.rich(1).await, world.rich(2).await];
    copy(&mut connection).await;
    world.hold(1, 1).await;
    go_back(&mut connection).await;
    // Whoever asks now finds that the sessions have ended; this changes nothing.
    let nobody = world.ask(world.place(user(99), &[1])).await.expect("an answer");
    assert_eq!(nobody, Err(Refusal::UnknownUser));
    proxy.turn(Weather::LateCommit, Weather::Fair);
    let others = async {
        proxy.has_hit(1).await;
        // One event more in the log, as there was one of the own that was lost.
        let sold = "INSERT INTO seats SELECT performance_id, 5, reservation_id FROM reservations; \
            UPDATE log_head SET last_event = last_event + 1";
        run(&mut connection, sold).await;
        proxy.turn(Weather::Fair, Weather::Fair);
    };
    let (held, ()) = tokio::join!(world.ask(world.place(users[1], &[5])), others);
    assert_eq!(held.expect("an answer"), Err(Refusal::SeatTaken { seats: vec![5] }));
    let held = reservation_of(world.done(world.place(users[0], &[6])).await);
    world.done(pay(&held)).await;
}

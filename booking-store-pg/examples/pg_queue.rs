//! The queue on PostgreSQL at 1,000, 100,000 and 1,000,000 waiting: entering, and asking for a place, in calls a second.
//! `scripts/with-servers cargo run --release -p booking-store-pg --example pg_queue`. CLIENTS=256 CALLS=20000

use std::{sync::Arc, time::Instant};

use booking_core::{
    BookingPolicy, LaneName, LanePolicy, Ticket, catalog::LaneSettings, id::UserId, queue::Place,
    store::QueueStore,
};
use booking_store_pg::{PgConfig, PgStore};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Calls a second of so many calls, by so many clients at once, and their answers.
async fn rate<T, F>(calls: usize, call: impl Fn(usize) -> F) -> Result<(f64, Vec<T>), Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, booking_core::Error>> + Send + 'static,
{
    let clients = number("CLIENTS", 256);
    let began = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    let mut answers = Vec::with_capacity(calls);
    for at in 0..calls {
        if running.len() >= clients
            && let Some(answer) = running.join_next().await
        {
            answers.push(answer??);
        }
        running.spawn(call(at));
    }
    while let Some(answer) = running.join_next().await {
        answers.push(answer??);
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok((f64::from(u32::try_from(calls)?) / seconds, answers))
}

async fn enter(store: &Arc<PgStore>, people: usize) -> Result<(f64, Vec<Ticket>), Failure> {
    rate(people, |_| {
        let store = Arc::clone(store);
        async move { store.enter(&LaneName::main(), UserId::random()).await.map(|entered| entered.ticket) }
    })
    .await
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let url = std::env::var("BOOKING_TEST_PG")
        .map_err(|_| "BOOKING_TEST_PG is not set: start this by scripts/with-servers")?;
    let store = PgStore::connect(PgConfig::new(url, BookingPolicy::default())).await?;
    let policy = LanePolicy { capacity: 0, ..LanePolicy::default() };
    let settings = LaneSettings { policy, revision: 1, ..LaneSettings::default() };
    store.configure(&LaneName::main(), &settings).await?;
    println!("{:>10} {:>12} {:>12}", "waiting", "enters/s", "places/s");
    let calls = number("CALLS", 20_000);
    let mut waiting = 0;
    for size in [1_000, 100_000, 1_000_000] {
        enter(&store, size - waiting).await?;
        let (entering, tickets) = enter(&store, calls).await?;
        waiting = size + calls;
        let tickets = Arc::new(tickets);
        let (asking, places) = rate(calls, |at| {
            let (store, tickets) = (Arc::clone(&store), Arc::clone(&tickets));
            async move { store.place(&tickets[at]).await }
        })
        .await?;
        let exact = places.iter().filter(|place| matches!(place, Place::Waiting { .. })).count();
        assert_eq!(exact, calls, "everybody waits");
        println!("{size:>10} {entering:>12.0} {asking:>12.0}");
    }
    Ok(())
}

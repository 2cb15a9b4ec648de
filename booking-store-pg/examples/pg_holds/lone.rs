//! How long a lone hold takes, in round trips of `SELECT 1`.

use std::time::{Duration, Instant};

use crate::world::{SEATS, World, median, place, show, ticket, user};

const SHOWS: u64 = 20;
/// Every seat of them.
const TIMES: u64 = SHOWS * SEATS;

/// One client who holds one seat after the other. The performances are remembered by then, as those on sale are.
pub(crate) async fn measure() {
    let world = World::with("bench_lone", SHOWS, TIMES).await;
    for n in 0..SHOWS {
        hold(&world, n).await;
    }
    let mut holds = Vec::new();
    for n in SHOWS..TIMES {
        holds.push(hold(&world, n).await);
    }
    let mut connection = world.pool.acquire().await.expect("a connection");
    let mut pings = Vec::new();
    for _ in 0..TIMES {
        let begin = Instant::now();
        sqlx::query("SELECT 1").execute(&mut *connection).await.expect("an answer");
        pings.push(begin.elapsed());
    }
    let (hold, ping) = (median(holds), median(pings));
    let trips = hold.as_secs_f64() / ping.as_secs_f64();
    println!("a lone hold {hold:?}, SELECT 1 {ping:?}: {trips:.1} round trips");
}

/// The n-th seat, by the n-th user.
async fn hold(world: &World, n: u64) -> Duration {
    let (_, place) = place(ticket(n, user(n)), show(n % SHOWS), n / SHOWS);
    let begin = Instant::now();
    world.done(vec![place]).await;
    begin.elapsed()
}

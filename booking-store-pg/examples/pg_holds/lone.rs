//! How long a lone hold takes, in round trips of `SELECT 1`.

use std::time::{Duration, Instant};

use crate::world::{SEATS, World, median, place, show, ticket, user};

const SHOWS: u64 = 50;
/// Every seat of them.
const TIMES: u64 = SHOWS * SEATS;

/// One client who holds one seat after the other, and asks for nothing now and then: as many times, in turns, for the machine
/// is not as fast at all times. The performances are remembered by then, as those on sale are.
pub(crate) async fn measure() {
    let world = World::with("bench_lone", SHOWS, TIMES).await;
    let mut connection = world.pool.acquire().await.expect("a connection");
    for n in 0..SHOWS {
        hold(&world, n).await;
    }
    let (mut holds, mut pings) = (Vec::new(), Vec::new());
    for n in SHOWS..TIMES {
        holds.push(hold(&world, n).await);
        if n % SHOWS == 0 {
            for _ in 0..SHOWS {
                let begin = Instant::now();
                sqlx::query("SELECT 1").execute(&mut *connection).await.expect("an answer");
                pings.push(begin.elapsed());
            }
        }
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

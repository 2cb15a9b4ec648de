//! What a hold and a seat map cost in a database of 100,000 performances and a million reservations, next to a small one.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use booking_core::{
    id::{PerformanceId, UserId},
    store::BookingStore,
};
use sqlx::{AssertSqlSafe, query_scalar, raw_sql};
use uuid::Uuid;

use crate::world::{World, median, number, place, rate, rounds, ticket};

/// Rows as the store writes them: SHOWS performances of 50 seats, of which the first SOLD are sold, each to a user of its own,
/// and USERS users who have nothing yet. All identities are random, as real ones are.
const LOAD: &str = "\
    INSERT INTO lanes VALUES ('main', 1000, NULL, NULL, 60000000000, 900000000000, false, false, false, 1); \
    INSERT INTO concerts SELECT gen_random_uuid(), 'A concert', 'main', now() FROM generate_series(1, SHOWS / 100); \
    INSERT INTO performances SELECT gen_random_uuid(), concert_id, 'A hall', now() + interval '1 year', 0, \
        (now() + interval '1 year')::date, NULL, 1000, 50, true, now() FROM concerts, generate_series(1, 100); \
    CREATE TEMPORARY TABLE sold AS SELECT gen_random_uuid() AS reservation_id, gen_random_uuid() AS user_id, \
        performance_id, number, row_number() OVER () AS made \
        FROM performances, generate_series(1, SOLD) AS number; \
    INSERT INTO users SELECT user_id, 0, 2, now() FROM sold \
        UNION ALL SELECT gen_random_uuid(), 0, 0, now() FROM generate_series(1, USERS); \
    INSERT INTO reservations SELECT reservation_id, user_id, performance_id, ARRAY[number], 'main', 1, made, \
        1000, now(), now(), 'confirmed', made FROM sold; \
    INSERT INTO payments SELECT gen_random_uuid(), reservation_id, user_id, 1000, now(), NULL FROM sold; \
    INSERT INTO seats SELECT performance_id, number, reservation_id, NULL FROM sold ORDER BY random(); \
    UPDATE log_head SET last_event = (SELECT count(*) FROM sold), catalog_version = catalog_version + 1; \
    DROP TABLE sold";
/// Holds a round by many clients, and by one.
const HOLDS: u64 = 20_000;
const LONE: u64 = 500;

/// A loaded database, and who and what is still free in it.
struct Sized {
    world: World,
    shows: Arc<Vec<PerformanceId>>,
    users: Arc<Vec<UserId>>,
    sold: u64,
    /// The next hold, each of which is by another user and of another seat.
    next: u64,
}

pub(crate) async fn measure() {
    let mut small = load("bench_small", 2_000, 0).await;
    let mut large = load("bench_large", number("SHOWS", 100_000), 10).await;
    println!("round                        small         large   of small");
    for round in 1..=rounds() {
        print(round, "a hold of many", small.holds().await, large.holds().await);
        print(round, "a lone hold", small.lone_hold().await, large.lone_hold().await);
        print(round, "a seat map", small.seat_map().await, large.seat_map().await);
    }
}

fn print(round: u64, what: &str, small: Duration, large: Duration) {
    let ratio = large.as_secs_f64() / small.as_secs_f64();
    println!("{round:5} {what:14} {small:>13.1?} {large:>13.1?} {ratio:10.2}");
}

async fn load(name: &str, shows: u64, sold: u64) -> Sized {
    let world = World::empty(name).await;
    // Enough for three rounds, and for a few more.
    let users = (rounds().max(3) * (HOLDS + LONE) * 2).to_string();
    let load = LOAD.replace("SHOWS", &shows.to_string()).replace("SOLD", &sold.to_string());
    let load = load.replace("USERS", &users);
    raw_sql(AssertSqlSafe(load)).execute(&world.pool).await.expect("rows");
    world.clean().await;
    let ids = |sql: &'static str| query_scalar::<_, Uuid>(sql).fetch_all(&world.pool);
    let shows = ids("SELECT performance_id FROM performances").await.expect("performances");
    let users = ids("SELECT user_id FROM users WHERE entries = 0").await.expect("users");
    Sized {
        shows: Arc::new(shows.into_iter().map(PerformanceId).collect()),
        users: Arc::new(users.into_iter().map(UserId).collect()),
        sold,
        next: 0,
        world,
    }
}

/// The n-th hold: by whom, of what.
fn nth(shows: &[PerformanceId], users: &[UserId], sold: u64, n: u64) -> booking_core::Command {
    let (many, at) = (shows.len() as u64, usize::try_from(n).expect("a number"));
    let show = usize::try_from(n * 7_919 % many).expect("a number");
    place(ticket(n, users[at]), shows[show], sold + n / many).1
}

impl Sized {
    /// Time over holds of 64 clients.
    async fn holds(&mut self) -> Duration {
        self.world.clean().await;
        let (shows, users, sold, first) =
            (Arc::clone(&self.shows), Arc::clone(&self.users), self.sold, self.next);
        let store = Arc::clone(&self.world.store);
        let rate = rate(move |n| {
            let (store, shows, users) = (Arc::clone(&store), Arc::clone(&shows), Arc::clone(&users));
            async move {
                if n >= HOLDS {
                    return None;
                }
                let answers = store.execute(vec![nth(&shows, &users, sold, first + n)]).await;
                assert!(answers.as_ref().is_ok_and(|answers| answers[0].is_ok()), "{answers:?}");
                Some(())
            }
        })
        .await;
        self.next += HOLDS;
        Duration::from_secs_f64(1.0 / rate)
    }

    async fn lone_hold(&mut self) -> Duration {
        let mut holds = Vec::new();
        for n in self.next..self.next + LONE {
            let place = nth(&self.shows, &self.users, self.sold, n);
            let begin = Instant::now();
            self.world.done(vec![place]).await;
            holds.push(begin.elapsed());
        }
        self.next += LONE;
        median(holds)
    }

    /// Each of another performance, so that none is answered from memory.
    async fn seat_map(&self) -> Duration {
        let mut reads = Vec::new();
        for show in self.shows.iter().step_by(self.shows.len() / 1_000) {
            let begin = Instant::now();
            let map = self.world.store.seat_map(*show).await.expect("the database answers");
            reads.push(begin.elapsed());
            assert_eq!(map.expect("a performance").seats.len(), 50);
        }
        median(reads)
    }
}

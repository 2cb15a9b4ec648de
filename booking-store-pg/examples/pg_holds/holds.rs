//! Holds a second, next to what one statement a request does, through the same driver and by pgbench.
//!
//! The one statement takes a seat and writes a reservation, and nothing else: no user is locked, no limit and no ticket
//! is looked at, nothing is logged. Its reservations have identities that begin with their time, as ours have; pgbench's are
//! random, since the server can make no others.

use std::sync::Arc;

use booking_core::{
    id::{PerformanceId, ReservationId},
    store::BookingStore,
};
use futures_util::future::join_all;
use sqlx::postgres::PgPoolOptions;

use crate::{
    rivals::pgbench,
    world::{SEATS, World, clients, number, place, pool, rate, rounds, show, span, ticket, user},
};

/// Over which is spread; one more is rushed.
const SHOWS: u64 = 10_000;
const NAIVE: &str = "\
    DROP TABLE IF EXISTS naive_seats, naive_reservations; \
    CREATE TABLE naive_seats (performance_id uuid, number integer, reservation_id uuid, held_until timestamptz, \
        PRIMARY KEY (performance_id, number)) WITH (fillfactor = 60); \
    CREATE TABLE naive_reservations (reservation_id uuid PRIMARY KEY, user_id uuid, performance_id uuid, \
        number integer, status text, hold_until timestamptz); \
    INSERT INTO naive_seats SELECT p.performance_id, n FROM performances p, generate_series(1, p.seats) AS n";
const NAIVE_HOLD: &str = "\
    WITH taken AS (UPDATE naive_seats SET reservation_id = $1, held_until = clock_timestamp() + interval '5 min' \
        WHERE performance_id = $3 AND number = $4 \
        AND (reservation_id IS NULL OR held_until <= clock_timestamp()) RETURNING held_until) \
    INSERT INTO naive_reservations SELECT $1, $2, $3, $4, 'held', held_until FROM taken";

/// Users of the rush who have nothing yet, more than have asked when the last seat goes.
const RUSHING: u64 = 1_000;

/// Users of whom each asks for one seat of the spread.
fn spread_users() -> u64 {
    number("USERS", 45_000 * span().as_secs())
}

/// The place that the n-th hold asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// Another seat each time, over all performances.
    Spread,
    /// The 50 seats of one performance.
    Rush,
}

impl Aim {
    /// The seat, counted from 0.
    fn seat(self, n: u64) -> (PerformanceId, u64) {
        match self {
            Self::Spread => (show(n * 7_919 % SHOWS), n / SHOWS % SEATS),
            Self::Rush => (show(SHOWS), n % SEATS),
        }
    }
}

/// Each round has a database of its own, and whoever takes seats finds all of them free: of a seat that somebody has the one
/// statement says no, which costs it half of a hold.
pub(crate) async fn measure() {
    println!("round   aim         pgbench  one statement        batched   of pgbench  of one statement");
    for round in 1..=rounds() {
        let world = World::with("bench_holds", SHOWS + 1, spread_users() + RUSHING).await;
        for aim in [Aim::Spread, Aim::Rush] {
            renew(&world).await;
            let naive = one_statement(&world, aim).await;
            renew(&world).await;
            let floor = pgbench(&world.url, &script(aim));
            world.clean().await;
            let ours = batched(&world, aim).await;
            let (of_floor, of_naive) = (ours / floor, ours / naive);
            println!(
                "{round:5} {aim:7?} {floor:13.0} {naive:14.0} {ours:14.0} {of_floor:12.2} {of_naive:17.2}"
            );
        }
    }
}

async fn renew(world: &World) {
    world.run(NAIVE).await;
    world.clean().await;
}

async fn batched(world: &World, aim: Aim) -> f64 {
    let (users, first) = (spread_users() + RUSHING, if aim == Aim::Rush { spread_users() } else { 0 });
    let store = Arc::clone(&world.store);
    rate(move |n| {
        let store = Arc::clone(&store);
        async move {
            let (performance, seat) = aim.seat(n);
            let (_, place) = place(ticket(first + n, user((first + n) % users)), performance, seat);
            let answers = store.execute(vec![place]).await.expect("an answer");
            assert!(aim == Aim::Rush || answers[0].is_ok(), "{answers:?}");
            Some(())
        }
    })
    .await
}

/// Through a pool as sqlx makes it, but that each client has a connection; it asks whether one is alive before it lends it.
/// PING=0 spares that.
async fn one_statement(world: &World, aim: Aim) -> f64 {
    let many = u32::try_from(clients()).expect("a count");
    let options = PgPoolOptions::new().max_connections(many).test_before_acquire(number("PING", 1) == 1);
    let pool = pool(&world.url, options).await;
    // All of them at once, so that they are there when it begins.
    drop(join_all((0..many).map(|_| pool.acquire())).await);
    let lent = pool.clone();
    let measured = rate(move |n| {
        let pool = lent.clone();
        async move {
            let (performance, seat) = aim.seat(n);
            let hold = sqlx::query(NAIVE_HOLD).bind(ReservationId::random().0).bind(user(n).0);
            let hold = hold.bind(performance.0).bind(i32::try_from(seat).unwrap_or(0) + 1);
            let held = hold.execute(&pool).await.expect("an answer").rows_affected();
            assert!(aim == Aim::Rush || held == 1, "it was free");
            Some(())
        }
    })
    .await;
    pool.close().await;
    measured
}

fn script(aim: Aim) -> String {
    let show = match aim {
        Aim::Spread => format!("random(0, {})", SHOWS - 1),
        Aim::Rush => SHOWS.to_string(),
    };
    let performance = "('00000000-0000-0000-0000-5000' || lpad(to_hex((:show)::bigint), 8, '0'))::uuid";
    let hold = NAIVE_HOLD.replace("$1", "gen_random_uuid()").replace("$2", "gen_random_uuid()");
    let hold = hold.replace("$3", performance).replace("$4", "(:seat)::integer");
    format!("\\set show {show}\n\\set seat random(1, {SEATS})\n{hold};\n")
}

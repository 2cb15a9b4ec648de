//! Holds a second through the store, next to what one statement a request does on the same server, through the same
//! driver and by pgbench, and how long a lone hold takes next to `SELECT 1`:
//! `scripts/with-servers cargo run --release -p booking-store-pg --example pg_holds`. ROUNDS=3 SECONDS=3 CLIENTS=64
//! SYNC=1 waits for the disk.
//!
//! The one statement takes a seat and writes a reservation, and nothing else: no user is locked, no limit and no ticket
//! is looked at, nothing is logged.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use booking_core::{
    BookingPolicy, Epoch, LaneName, Money, Ticket, Timestamp,
    catalog::{self, ConcertDraft, LaneChange, PerformanceDraft},
    hold,
    id::{ConcertId, PerformanceId, ReservationId, UserId},
    store::BookingStore,
    wallet,
};
use booking_store_pg::{PgConfig, PgStore};
use chrono::{DateTime, Utc};
use sqlx::{
    ConnectOptions, Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
    raw_sql,
};
use uuid::Uuid;

const SHOWS: u64 = 10_000;
const SEATS: u64 = 50;
const NAIVE: &str = "\
    DROP TABLE IF EXISTS naive_seats, naive_reservations; \
    CREATE TABLE naive_seats (performance_id uuid, number integer, reservation_id uuid, held_until timestamptz, \
        PRIMARY KEY (performance_id, number)) WITH (fillfactor = 60); \
    CREATE TABLE naive_reservations (reservation_id uuid PRIMARY KEY, user_id uuid, performance_id uuid, \
        number integer, status text, hold_until timestamptz)";
const NAIVE_SEATS: &str = "\
    INSERT INTO naive_seats SELECT p.performance_id, n FROM performances p, generate_series(1, p.seats) AS n";
const NAIVE_HOLD: &str = "\
    WITH taken AS (UPDATE naive_seats SET reservation_id = $1, held_until = clock_timestamp() + interval '5 min' \
        WHERE performance_id = $3 AND number = $4 \
        AND (reservation_id IS NULL OR held_until <= clock_timestamp()) RETURNING held_until) \
    INSERT INTO naive_reservations SELECT $1, $2, $3, $4, 'held', held_until FROM taken";

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn show(n: u64) -> PerformanceId {
    PerformanceId(Uuid::from_u128(0x5000_0000_0000 + u128::from(n)))
}

fn user(n: u64) -> UserId {
    UserId(Uuid::new_v5(&Uuid::nil(), &n.to_be_bytes()))
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
    fn seat(self, n: u64) -> (PerformanceId, u32) {
        let (at, number) = match self {
            Self::Spread => (n * 7_919 % SHOWS, n / SHOWS % SEATS),
            Self::Rush => (SHOWS, n % SEATS),
        };
        (show(at), u32::try_from(number).unwrap_or(0) + 1)
    }
}

fn place(n: u64, aim: Aim) -> booking_core::Command {
    let (performance, seat) = aim.seat(n);
    let ticket = Ticket { lane: LaneName::main(), epoch: Epoch(1), seq: n, user: user(n) };
    hold::Command::Place {
        reservation: ReservationId::random(),
        ticket,
        performance,
        choice: vec![seat].into(),
    }
    .into()
}

async fn prepare(store: &PgStore, users: u64) {
    let done = |batch: Vec<booking_core::Command>| async {
        let answers = store.execute(batch).await.expect("the database answers");
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    };
    done(vec![catalog::Command::SetLane(LaneName::main(), LaneChange::default()).into()]).await;
    let draft = |n| PerformanceDraft {
        id: show(n),
        venue: "A hall".into(),
        starts_at: DateTime::<Utc>::from(Timestamp::from_micros(4_000_000_000_000_000)).fixed_offset(),
        zone: None,
        price: Money::new(1_000).expect("a price"),
        seats: u32::try_from(SEATS).unwrap_or(0),
        on_sale: true,
    };
    for first in (0..=SHOWS).step_by(500) {
        let performances = (first..(first + 500).min(SHOWS + 1)).map(draft).collect();
        let (id, lane) = (ConcertId::random(), LaneName::main());
        let draft = ConcertDraft { id, title: "A concert".into(), lane, performances };
        done(vec![catalog::Command::PutConcerts(vec![draft]).into()]).await;
    }
    for first in (0..users).step_by(500) {
        done((first..first + 500).map(|n| wallet::Command::Open(user(n)).into()).collect()).await;
    }
}

/// Answers a second of `clients` who ask one after the other.
async fn rate<F, R>(clients: u64, span: Duration, ask: F) -> (f64, f64)
where
    F: Fn(u64) -> R + Clone + Send + 'static,
    R: Future<Output = bool> + Send,
{
    let (asked, held) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let begin = Instant::now();
    let asking: Vec<_> = (0..clients)
        .map(|_| {
            let (asked, held, ask) = (Arc::clone(&asked), Arc::clone(&held), ask.clone());
            tokio::spawn(async move {
                let mut done = 0_u64;
                while begin.elapsed() < span {
                    let n = asked.fetch_add(1, Ordering::Relaxed);
                    held.fetch_add(u64::from(ask(n).await), Ordering::Relaxed);
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for client in asking {
        done += client.await.expect("no client panics");
    }
    let seconds = begin.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "for people to read")]
    (done as f64 / seconds, held.load(Ordering::Relaxed) as f64 / seconds)
}

fn median(mut spans: Vec<Duration>) -> Duration {
    spans.sort_unstable();
    spans[spans.len() / 2]
}

/// One client who holds one seat after the other, of twenty performances.
async fn lone(store: &Arc<PgStore>, pool: &PgPool) {
    const TIMES: u64 = 1_000;
    let mut holds = Vec::new();
    for n in 0..TIMES {
        let ticket = Ticket { lane: LaneName::main(), epoch: Epoch(2), seq: n, user: user(n) };
        let (performance, choice) = (show(n % 20), vec![u32::try_from(n / 20).unwrap_or(0) + 1]);
        let place = hold::Command::Place {
            reservation: ReservationId::random(),
            ticket,
            performance,
            choice: choice.into(),
        };
        let begin = Instant::now();
        let answers = store.execute(vec![place.into()]).await.expect("an answer");
        holds.push(begin.elapsed());
        assert!(answers[0].is_ok(), "{answers:?}");
    }
    let mut connection = pool.acquire().await.expect("a connection");
    let mut pings = Vec::new();
    for _ in 0..TIMES {
        let begin = Instant::now();
        sqlx::query("SELECT 1").execute(&mut *connection).await.expect("an answer");
        pings.push(begin.elapsed());
    }
    let (hold, ping) = (median(holds), median(pings));
    println!(
        "a lone hold {hold:?}, SELECT 1 {ping:?}: {:.1} round trips",
        hold.as_secs_f64() / ping.as_secs_f64()
    );
}

/// The same statement by pgbench: what the server can do when the client costs next to nothing.
fn pgbench(url: &str, aim: Aim, clients: u64, span: Duration) -> f64 {
    let seat = match aim {
        Aim::Spread => format!("\\set show random(0, {})\n", SHOWS - 1),
        Aim::Rush => format!("\\set show {SHOWS}\n"),
    };
    let performance = "('00000000-0000-0000-0000-5000' || lpad(to_hex((:show)::bigint), 8, '0'))::uuid";
    let hold = NAIVE_HOLD.replace("$1", "gen_random_uuid()").replace("$2", "gen_random_uuid()");
    let hold = hold.replace("$3", performance).replace("$4", "(:seat)::integer");
    let script = std::env::temp_dir().join(format!("booking-holds-{}.sql", std::process::id()));
    std::fs::write(&script, format!("{seat}\\set seat random(1, {SEATS})\n{hold};\n")).expect("a script");
    let program = std::env::var("BOOKING_TEST_PG_BIN").expect("run it by scripts/with-servers");
    let told = Command::new(format!("{program}/pgbench"))
        .args([
            "-n",
            "-M",
            "prepared",
            "-j",
            "2",
            "-c",
            &clients.to_string(),
            "-T",
            &span.as_secs().to_string(),
            "-f",
        ])
        .arg(&script)
        .arg(url)
        .output()
        .expect("pgbench");
    std::fs::remove_file(&script).ok();
    let told = String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).into_owned();
    let rate = told.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.unwrap_or_else(|| panic!("{told}"))
}

async fn clean(pool: &PgPool) {
    raw_sql("VACUUM ANALYZE").execute(pool).await.expect("vacuumed");
    raw_sql("CHECKPOINT").execute(pool).await.expect("a checkpoint");
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let url = std::env::var("BOOKING_TEST_PG").expect("run it by scripts/with-servers");
    let (rounds, clients, span) =
        (number("ROUNDS", 3), number("CLIENTS", 64), Duration::from_secs(number("SECONDS", 3)));
    let (base, _) = url.rsplit_once('/').expect("an address");
    let mut admin = url.parse::<PgConnectOptions>().expect("an address").connect().await.expect("a server");
    for sql in ["DROP DATABASE IF EXISTS holds_bench WITH (FORCE)", "CREATE DATABASE holds_bench"] {
        raw_sql(sql).execute(&mut admin).await.expect("a database");
    }
    if number("SYNC", 0) == 0 {
        raw_sql("ALTER DATABASE holds_bench SET synchronous_commit = off")
            .execute(&mut admin)
            .await
            .expect("set");
    }
    admin.close().await.ok();
    let url = format!("{base}/holds_bench");
    let store = PgStore::connect(PgConfig::new(&url, BookingPolicy::default())).await.expect("a store");
    prepare(&store, number("USERS", 400_000)).await;
    let connections = u32::try_from(number("CONNECTIONS", 16)).unwrap_or(16);
    let options = PgPoolOptions::new().max_connections(connections).test_before_acquire(false);
    let pool = options
        .connect_with(url.parse::<PgConnectOptions>().expect("an address").disable_statement_logging())
        .await
        .expect("a pool");
    raw_sql(NAIVE).execute(&pool).await.expect("tables");
    raw_sql(NAIVE_SEATS).execute(&pool).await.expect("seats");
    clean(&pool).await;
    lone(&store, &pool).await;
    // The seats and users of the lone client are used up.
    let mut next = SHOWS;
    println!("round   aim         pgbench  one statement        batched   of pgbench  of one statement");
    for round in 1..=rounds {
        for aim in [Aim::Spread, Aim::Rush] {
            clean(&pool).await;
            let first = next;
            let with = pool.clone();
            let naive = rate(clients, span, move |n| {
                let with = with.clone();
                async move {
                    let (performance, seat) = aim.seat(first + n);
                    let held = sqlx::query(NAIVE_HOLD)
                        .bind(Uuid::new_v4())
                        .bind(user(first + n).0)
                        .bind(performance.0)
                        .bind(i32::try_from(seat).unwrap_or(0))
                        .execute(&with)
                        .await
                        .expect("an answer");
                    held.rows_affected() == 1
                }
            })
            .await;
            clean(&pool).await;
            let floor = pgbench(&url, aim, clients, span);
            clean(&pool).await;
            let with = Arc::clone(&store);
            let ours = rate(clients, span, move |n| {
                let with = Arc::clone(&with);
                async move { with.execute(vec![place(first + n, aim)]).await.expect("an answer")[0].is_ok() }
            })
            .await;
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of what was asked"
            )]
            let asked = (ours.0.max(naive.0) * span.as_secs_f64() * 1.2) as u64;
            next += if aim == Aim::Spread { asked } else { 0 };
            println!(
                "{round:5} {aim:7?} {floor:13.0} {:14.0} {:14.0} {:12.2} {:17.2}",
                naive.0,
                ours.0,
                ours.0 / floor,
                ours.0 / naive.0
            );
        }
    }
}

//! A database with performances and users, and clients who ask.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use booking_core::{
    BookingPolicy, Epoch, LaneName, Money, Outcome, Refusal, Ticket, Timestamp,
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

pub(crate) const SEATS: u64 = 50;
/// Commands a batch, where many are to be done.
pub(crate) const MANY: u64 = 500;

pub(crate) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

pub(crate) fn rounds() -> u64 {
    number("ROUNDS", 3)
}

pub(crate) fn clients() -> u64 {
    number("CLIENTS", 64)
}

pub(crate) fn span() -> Duration {
    Duration::from_secs(number("SECONDS", 3))
}

pub(crate) fn show(n: u64) -> PerformanceId {
    PerformanceId(Uuid::from_u128(0x5000_0000_0000 + u128::from(n)))
}

pub(crate) fn user(n: u64) -> UserId {
    UserId(Uuid::new_v5(&Uuid::nil(), &n.to_be_bytes()))
}

pub(crate) fn ticket(seq: u64, user: UserId) -> Ticket {
    Ticket { lane: LaneName::main(), epoch: Epoch(1), seq, user }
}

/// A hold of a seat, counted from 0, by a ticket.
pub(crate) fn place(
    ticket: Ticket,
    performance: PerformanceId,
    seat: u64,
) -> (ReservationId, booking_core::Command) {
    let reservation = ReservationId::random();
    let choice = vec![u32::try_from(seat).unwrap_or(0) + 1].into();
    (reservation, hold::Command::Place { reservation, ticket, performance, choice }.into())
}

/// A database of its own, with a store and a pool on it.
pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) store: Arc<PgStore>,
    pub(crate) pool: PgPool,
}

impl World {
    /// With nothing in it.
    pub(crate) async fn empty(name: &str) -> Self {
        let url = std::env::var("BOOKING_TEST_PG").expect("run it by scripts/with-servers");
        let (base, _) = url.rsplit_once('/').expect("an address");
        let mut admin =
            url.parse::<PgConnectOptions>().expect("an address").connect().await.expect("a server");
        let waits = if number("SYNC", 0) == 0 { "off" } else { "on" };
        for sql in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name}"),
            format!("ALTER DATABASE {name} SET synchronous_commit = {waits}"),
        ] {
            raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut admin).await.expect("a database");
        }
        admin.close().await.ok();
        let url = format!("{base}/{name}");
        let store = PgStore::connect(PgConfig::new(&url, BookingPolicy::default())).await.expect("a store");
        let pool = pool(&url, PgPoolOptions::new().max_connections(2)).await;
        Self { url, store, pool }
    }

    /// With so many performances and users.
    pub(crate) async fn with(name: &str, shows: u64, users: u64) -> Self {
        let world = Self::empty(name).await;
        world.done(vec![catalog::Command::SetLane(LaneName::main(), LaneChange::default()).into()]).await;
        for portion in portions(shows) {
            let performances = portion.map(draft).collect();
            let (id, lane) = (ConcertId::random(), LaneName::main());
            let draft = ConcertDraft { id, title: "A concert".into(), lane, performances };
            world.done(vec![catalog::Command::PutConcerts(vec![draft]).into()]).await;
        }
        for portion in portions(users) {
            world.done(portion.map(|n| wallet::Command::Open(user(n)).into()).collect()).await;
        }
        world.clean().await;
        world
    }

    pub(crate) async fn execute(&self, batch: Vec<booking_core::Command>) -> Vec<Result<Outcome, Refusal>> {
        self.store.execute(batch).await.expect("the database answers")
    }

    /// Executes what can't be refused.
    pub(crate) async fn done(&self, batch: Vec<booking_core::Command>) {
        let answers = self.execute(batch).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }

    pub(crate) async fn run(&self, sql: &'static str) {
        raw_sql(sql).execute(&self.pool).await.unwrap_or_else(|error| panic!("{sql}\n{error}"));
    }

    /// The same beginning for all who are compared: nothing dead, nothing to be written by a checkpoint.
    pub(crate) async fn clean(&self) {
        self.run("VACUUM ANALYZE").await;
        self.run("CHECKPOINT").await;
    }
}

/// Connections to a database, and no word of a statement that is slow.
pub(crate) async fn pool(url: &str, options: PgPoolOptions) -> PgPool {
    let connect = url.parse::<PgConnectOptions>().expect("an address").disable_statement_logging();
    options.connect_with(connect).await.expect("a pool")
}

/// So many, by portions that one batch takes.
fn portions(count: u64) -> impl Iterator<Item = Range<u64>> {
    (0..count.div_ceil(MANY)).map(move |n| n * MANY..((n + 1) * MANY).min(count))
}

fn draft(n: u64) -> PerformanceDraft {
    PerformanceDraft {
        id: show(n),
        venue: "A hall".into(),
        starts_at: DateTime::<Utc>::from(Timestamp::from_micros(4_000_000_000_000_000)).fixed_offset(),
        zone: None,
        price: Money::new(1_000).expect("a price"),
        seats: u32::try_from(SEATS).unwrap_or(0),
        on_sale: true,
    }
}

/// Answers a second of clients who ask one after the other, each time with the next number. Who is answered `None` has nothing more to ask.
pub(crate) async fn rate<F, R>(ask: F) -> f64
where
    F: Fn(u64) -> R + Clone + Send + 'static,
    R: Future<Output = Option<()>> + Send,
{
    let (asked, span) = (Arc::new(AtomicU64::new(0)), span());
    let begin = Instant::now();
    let asking: Vec<_> = (0..clients())
        .map(|_| {
            let (asked, ask) = (Arc::clone(&asked), ask.clone());
            tokio::spawn(async move {
                let mut done = 0_u32;
                while begin.elapsed() < span && ask(asked.fetch_add(1, Ordering::Relaxed)).await.is_some() {
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
    f64::from(done) / begin.elapsed().as_secs_f64()
}

pub(crate) fn median(mut spans: Vec<Duration>) -> Duration {
    spans.sort_unstable();
    spans[spans.len() / 2]
}

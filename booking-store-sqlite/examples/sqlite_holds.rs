//! Durable holds a second through the engine with 64 callers, next to SQLite alone writing the same rows in groups of as many
//! from one thread, on the same disk in turns; and what it takes to open a file with a million reservations:
//! `cargo run --release -p booking-store-sqlite --example sqlite_holds`. ROUNDS=5 HOLDS=100000 CALLERS=64 GROUP=64
//! RESERVATIONS=1000000

use std::{
    error::Error,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use booking_core::{
    BookingPolicy, Clock, Command, Engine, LaneName, LanePolicy, Money, Ticket, Timestamp,
    batcher::BatchSizes,
    catalog::{self, ConcertDraft, LaneChange, LaneSettings, PerformanceDraft},
    id::{ConcertId, PerformanceId, ReservationId, UserId},
    store::{BookingStore, QueueStore},
    wallet,
};
use booking_store_sqlite::{SqliteConfig, SqliteStore};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params_from_iter, types::Value};
use uuid::Uuid;

const SHOWS: u64 = 10_000;
const SEATS: u32 = 50;

type Failure = Box<dyn Error + Send + Sync>;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn show(n: u64) -> PerformanceId {
    PerformanceId(Uuid::from_u128(0x5000_0000_0000 + u128::from(n)))
}

fn user(n: u64) -> UserId {
    UserId(Uuid::new_v5(&Uuid::nil(), &n.to_be_bytes()))
}

/// Time stands still, so that no session ends during a run.
fn clock() -> Arc<dyn Clock> {
    Arc::new(|| Timestamp::from_micros(1_800_000_000_000_000))
}

fn open(path: &Path) -> Result<Arc<SqliteStore>, Failure> {
    let config = SqliteConfig { check: false, ..SqliteConfig::new(path, BookingPolicy::default()) };
    Ok(SqliteStore::open(&config, clock())?)
}

fn drafts(first: u64, shows: u64) -> Result<Command, Failure> {
    let draft = |n| -> Result<PerformanceDraft, Failure> {
        Ok(PerformanceDraft {
            id: show(n),
            venue: "A hall".into(),
            starts_at: DateTime::<Utc>::from(Timestamp::from_micros(4_000_000_000_000_000)).fixed_offset(),
            zone: None,
            price: Money::new(1_000)?,
            seats: SEATS,
            on_sale: true,
        })
    };
    let performances = (first..first + shows).map(draft).collect::<Result<_, _>>()?;
    let (id, lane) = (ConcertId::random(), LaneName::main());
    Ok(catalog::Command::PutConcerts(vec![ConcertDraft {
        id,
        title: "A concert".into(),
        lane,
        performances,
    }])
    .into())
}

/// A file with shows and users, each of whom is admitted.
async fn prepare(path: &Path, users: u64) -> Result<Vec<Ticket>, Failure> {
    let (store, main) = (open(path)?, LaneName::main());
    let mut commands = vec![catalog::Command::SetLane(main.clone(), LaneChange::default()).into()];
    for first in (0..SHOWS).step_by(500) {
        commands.push(drafts(first, 500)?);
    }
    commands.extend((0..users).map(|n| Command::from(wallet::Command::Open(user(n)))));
    for batch in commands.chunks(500) {
        let answers = store.execute(batch.to_vec()).await?;
        answers.into_iter().collect::<Result<Vec<_>, _>>()?;
    }
    let policy = LanePolicy { capacity: u32::MAX, ..LanePolicy::default() };
    let settings = LaneSettings { policy, revision: 1, ..LaneSettings::default() };
    store.configure(&main, &settings).await?;
    let mut tickets = Vec::new();
    let mut waiting = tokio::task::JoinSet::new();
    for n in 0..users {
        let (store, main) = (Arc::clone(&store), main.clone());
        waiting.spawn(async move {
            let ticket = store.enter(&main, user(n)).await?.ticket;
            store.claim(&ticket).await?;
            Ok::<_, booking_core::Error>((n, ticket))
        });
        if waiting.len() == 256 || n + 1 == users {
            while let Some(entered) = waiting.join_next().await {
                tickets.push(entered??);
            }
        }
    }
    tickets.sort_unstable_by_key(|(n, _)| *n);
    Ok(tickets.into_iter().map(|(_, ticket)| ticket).collect())
}

#[allow(clippy::cast_precision_loss, reason = "for people to read")]
fn a_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// How many calls a transaction had, on average.
#[allow(clippy::cast_precision_loss, reason = "for people to read")]
fn a_transaction(store: &SqliteStore) -> f64 {
    let sizes = store.batch_sizes();
    let of = |count: fn(&BatchSizes) -> u64| sizes.iter().map(|(_, sizes)| count(sizes)).sum::<u64>() as f64;
    of(BatchSizes::jobs) / of(|sizes| sizes.batches().map(|(_, batches)| batches).sum())
}

/// Another seat each time, over all shows, through the engine: each proves its admission and holds. How many a second, and
/// a transaction.
async fn through_the_engine(
    path: &Path,
    tickets: &Arc<Vec<Ticket>>,
    callers: u64,
) -> Result<(f64, f64), Failure> {
    let store = open(path)?;
    let engine = Engine::new(Arc::clone(&store) as Arc<_>, Arc::clone(&store) as Arc<_>)
        .jointly(Arc::clone(&store) as Arc<_>);
    let (next, holds) = (Arc::new(AtomicU64::new(0)), tickets.len() as u64);
    let begin = Instant::now();
    let calling = (0..callers).map(|_| {
        let (engine, next, tickets) = (engine.clone(), Arc::clone(&next), Arc::clone(tickets));
        tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let Some(ticket) = usize::try_from(n).ok().and_then(|n| tickets.get(n)) else {
                    return Ok(());
                };
                let seat = u32::try_from(n / SHOWS).unwrap_or(0) + 1;
                // As callers make them who may ask again: in no order.
                let reservation = ReservationId(Uuid::new_v4());
                engine.hold(ticket, reservation, show(n * 7_919 % SHOWS), vec![seat]).await?;
            }
        })
    });
    for caller in calling.collect::<Vec<_>>() {
        caller.await?.map_err(|error: booking_core::Error| error)?;
    }
    Ok((a_second(holds, begin.elapsed()), a_transaction(&store)))
}

/// The rows that a query finds.
fn rows(file: &Connection, query: &str) -> Result<Vec<Vec<Value>>, Failure> {
    let mut statement = file.prepare(query)?;
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
    Ok(statement.query_map((), row)?.collect::<Result<_, _>>()?)
}

/// The rows that the holds wrote into `from`, written into `to` by SQLite alone, so many holds a transaction.
fn sqlite_alone(from: &Path, to: &Path, together: usize) -> Result<f64, Failure> {
    let source = Connection::open(from)?;
    let reservations = rows(&source, "SELECT * FROM reservations ORDER BY made")?;
    let seats = rows(
        &source,
        "SELECT seats.* FROM reservations r JOIN seats ON seats.reservation_id = r.reservation_id ORDER BY made",
    )?;
    let held = reservations.len();
    let events = rows(
        &source,
        &format!("SELECT * FROM (SELECT * FROM events ORDER BY seq DESC LIMIT {held}) ORDER BY seq"),
    )?;
    drop(source);
    let file = Connection::open(to)?;
    file.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 10000; PRAGMA cache_size = 2000",
    )?;
    let mut statements = Vec::new();
    for (table, columns) in [("reservations", 12), ("seats", 4), ("events", 5)] {
        let marks = vec!["?"; columns].join(", ");
        statements.push(file.prepare(&format!("INSERT INTO {table} VALUES ({marks})"))?);
    }
    let begin = Instant::now();
    for first in (0..reservations.len()).step_by(together) {
        let group = first..(first + together).min(reservations.len());
        file.execute_batch("BEGIN IMMEDIATE")?;
        for (statement, rows) in statements.iter_mut().zip([&reservations, &seats, &events]) {
            for row in &rows[group.clone()] {
                statement.execute(params_from_iter(row))?;
            }
        }
        file.execute_batch("COMMIT")?;
    }
    Ok(a_second(reservations.len() as u64, begin.elapsed()))
}

fn memory() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = status.split(' ').nth(1).ok_or("no memory is told")?.parse()?;
    Ok(pages * 4_096)
}

/// A file with so many users, each with a hold, made by SQLite alone.
fn fill(path: &Path, count: u64) -> Result<(), Failure> {
    drop(open(path)?);
    let file = Connection::open(path)?;
    file.execute_batch(&format!(
        "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN;
        INSERT INTO lanes VALUES ('main', 1000, NULL, NULL, 60000000000, 900000000000, 0, 0, 0, 1);
        CREATE TEMP TABLE n AS WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})
            SELECT i, printf('%08x-aaaa-4aaa-8aaa-%012x', (i * 2654435761) & 4294967295, i) AS user,
                printf('%08x-bbbb-4bbb-8bbb-%012x', (i * 2246822519) & 4294967295, i) AS made,
                printf('00000000-cccc-4ccc-8ccc-%012x', i / {SEATS}) AS show FROM n;
        INSERT INTO concerts VALUES ('00000000-dddd-4ddd-8ddd-000000000000', 'A concert', 'main', 1);
        INSERT INTO performances SELECT DISTINCT show, '00000000-dddd-4ddd-8ddd-000000000000', 'A hall',
            4000000000000000, 0, '2096-10-02', NULL, 1000, {SEATS}, 1, 1 FROM n;
        INSERT INTO users SELECT user, 0, 0, 1 FROM n;
        INSERT INTO reservations SELECT i + 1, made, user, show, '[' || (i % {SEATS} + 1) || ']', 'main', 1, i + 1,
            1000, 1800000000000000, 1900000000000000, 'held' FROM n;
        INSERT INTO seats SELECT show, i % {SEATS} + 1, made, 1900000000000000 FROM n ORDER BY show, i;
        INSERT INTO events SELECT i + 1, 1, '{{}}', show, '[1]' FROM n; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)"
    ))?;
    Ok(())
}

fn open_many(folder: &Path, count: u64) -> Result<(), Failure> {
    let path = folder.join("many.db");
    fill(&path, count)?;
    let before = memory()?;
    let begin = Instant::now();
    let store = open(&path)?;
    let (took, more) = (begin.elapsed(), memory()? - before);
    println!(
        "{count} reservations, each of another user: opened in {took:?}, {} bytes of memory each",
        more / count
    );
    drop(store);
    let begin = Instant::now();
    drop(SqliteStore::open(&SqliteConfig::new(&path, BookingPolicy::default()), clock())?);
    println!("opened and checked (audit, structure, constraints) in {:?}", begin.elapsed());
    Ok(fs::remove_file(path)?)
}

async fn bench() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    open_many(folder.path(), number("RESERVATIONS", 1_000_000))?;
    let tickets = Arc::new(prepare(&at("prepared.db"), number("HOLDS", 100_000)).await?);
    println!("round   SQLite alone       engine   ratio   group  (held a second, {} times)", tickets.len());
    let together = usize::try_from(number("GROUP", 64))?.max(1);
    let mut ratios = Vec::new();
    for round in 1..=number("ROUNDS", 5) {
        for name in ["ours.db", "alone.db"] {
            fs::copy(at("prepared.db"), at(name))?;
            // Else the disk would write the copies while the first of both is measured.
            File::open(at(name))?.sync_all()?;
        }
        let (ours, group) = through_the_engine(&at("ours.db"), &tickets, number("CALLERS", 64)).await?;
        let alone = sqlite_alone(&at("ours.db"), &at("alone.db"), together)?;
        println!("{round:5} {alone:12.0}/s {ours:10.0}/s {:7.2}   {group:5.1}", ours / alone);
        ratios.push(ours / alone);
    }
    ratios.sort_unstable_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ratios.len() / 2]);
    Ok(())
}

fn main() -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?.block_on(bench())
}

//! The queue in Redis, measured next to `redis-benchmark` running the same script: `redis_queue [PEOPLE]` (1,000,000).
//!
//! It starts a `redis-server` of its own that keeps nothing, and prints how many enter a second through the store and
//! through `redis-benchmark` in interleaved rounds, the memory a waiting person takes, and how long a place takes to tell
//! with few and with all of them waiting, a tenth having left; 1,000 ranks are checked against a count of their own.

use std::{
    collections::BTreeMap,
    error::Error,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use booking_core::{
    EndReason, LaneName, LanePolicy, Ticket,
    catalog::LaneSettings,
    id::UserId,
    queue::{Departures, Place},
    store::QueueStore,
};
use booking_store_redis::{RedisConfig, RedisQueue};
use uuid::Uuid;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const AT_ONCE: u64 = 64;
const ROUNDS: usize = 5;
const A_ROUND: u64 = 100_000;
const PORT: &str = "17999";

/// The text that the store sends.
const ENTER: &str = concat!(
    "#!lua\n",
    "local time = redis.call('TIME')\nlocal now = time[1] * 1000000 + time[2]\n",
    include_str!("../src/scripts/lane.lua"),
    include_str!("../src/scripts/enter.lua"),
);

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn start() -> Outcome<Server> {
    let mut command = Command::new("redis-server");
    command.args(["--port", PORT, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    let server = Server(command.stdout(Stdio::null()).spawn()?);
    let client = redis::Client::open(url())?;
    let began = Instant::now();
    while client.get_connection().is_err() {
        if began.elapsed() > Duration::from_secs(10) {
            return Err("redis-server does not start".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}

fn url() -> String {
    format!("redis://127.0.0.1:{PORT}")
}

/// The most that `redis-benchmark` takes as a range of chance.
const RANGE: u128 = 2_000_000_000;

/// A user as `redis-benchmark` can make one: of 16 bytes 12 digits of chance.
fn plain_user() -> UserId {
    let text = format!("user{:012}", Uuid::new_v4().as_u128() % RANGE);
    UserId(Uuid::from_slice(text.as_bytes()).unwrap_or_default())
}

async fn configured(store: &RedisQueue, lane: &LaneName) -> Outcome {
    let policy = LanePolicy { capacity: 0, ..LanePolicy::default() };
    let settings = LaneSettings { policy, revision: 1, ..LaneSettings::default() };
    Ok(store.configure(lane, &settings).await?)
}

/// So many enter through the store, some at once; how many a second.
async fn enter(
    store: &Arc<RedisQueue>,
    lane: &LaneName,
    many: u64,
    user: fn() -> UserId,
) -> Outcome<(f64, Vec<Ticket>)> {
    let (began, left) = (Instant::now(), Arc::new(AtomicU64::new(many)));
    let mut entering = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (store, lane, left) = (Arc::clone(store), lane.clone(), Arc::clone(&left));
        entering.spawn(async move {
            let mut tickets = Vec::new();
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
            {
                tickets.push(store.enter(&lane, user()).await?.ticket);
            }
            Ok::<_, booking_core::Error>(tickets)
        });
    }
    let mut tickets = Vec::new();
    while let Some(entered) = entering.join_next().await {
        tickets.extend(entered??);
    }
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    Ok((many as f64 / began.elapsed().as_secs_f64(), tickets))
}

/// The same by `redis-benchmark`.
async fn benchmark(lane: &str, hash: &str) -> Outcome<f64> {
    let (connections, many) = (AT_ONCE.to_string(), A_ROUND.to_string());
    let output = tokio::process::Command::new("redis-benchmark")
        .args(["-p", PORT, "-c", &connections, "-n", &many, "-r", &RANGE.to_string(), "--csv"])
        .args(["EVALSHA", hash, "1", lane, "", "0", "100", "user__rand_int__"])
        .output()
        .await?;
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().last().ok_or("redis-benchmark said nothing")?;
    // "test","rps","avg","min","p50","p95","p99","max"
    Ok(line.rsplit("\",\"").nth(6).ok_or("redis-benchmark said something else")?.parse()?)
}

async fn rounds(store: &Arc<RedisQueue>) -> Outcome {
    let mut connection = redis::Client::open(url())?.get_multiplexed_async_connection().await?;
    let hash: String = redis::cmd("SCRIPT").arg("LOAD").arg(ENTER).query_async(&mut connection).await?;
    println!("round    enter/s by the store    by redis-benchmark    ratio");
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let names = [format!("ours-{round}"), format!("theirs-{round}")];
        let lanes: Vec<LaneName> = names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
        configured(store, &lanes[0]).await?;
        configured(store, &lanes[1]).await?;
        let (ours, _) = enter(store, &lanes[0], A_ROUND, plain_user).await?;
        let theirs = benchmark(&format!("booking:{{{}}}", lanes[1]), &hash).await?;
        let entered = store.snapshot(&lanes[1], None).await?.next - 1;
        assert!(entered * 10 > A_ROUND * 9, "redis-benchmark entered {entered} only");
        println!("{round:>5} {ours:>23.0} {theirs:>21.0} {:>8.2}", ours / theirs);
        ratios.push(ours / theirs);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ROUNDS / 2]);
    redis::cmd("FLUSHALL").query_async::<()>(&mut connection).await?;
    Ok(())
}

async fn used_memory() -> Outcome<u64> {
    let mut connection = redis::Client::open(url())?.get_multiplexed_async_connection().await?;
    let info: String = redis::cmd("INFO").arg("memory").query_async(&mut connection).await?;
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).ok_or("no used_memory")?;
    Ok(line.trim().parse()?)
}

/// How long it takes on average to be told a place, asked one by one.
async fn time_of_places(store: &RedisQueue, tickets: &BTreeMap<u64, Ticket>) -> Outcome<Duration> {
    let step = (tickets.len() / 5_000).max(1);
    let asked: Vec<&Ticket> = tickets.values().step_by(step).collect();
    let began = Instant::now();
    for ticket in &asked {
        store.place(ticket).await?;
    }
    Ok(began.elapsed() / u32::try_from(asked.len())?)
}

async fn vast(store: &Arc<RedisQueue>, people: u64) -> Outcome {
    let (few, many): (LaneName, LaneName) = ("few".parse()?, "many".parse()?);
    configured(store, &few).await?;
    configured(store, &many).await?;
    let by_number = |tickets: Vec<Ticket>| -> BTreeMap<u64, Ticket> {
        tickets.into_iter().map(|ticket| (ticket.seq, ticket)).collect()
    };
    let few = by_number(enter(store, &few, 1_000, UserId::random).await?.1);
    let before = used_memory().await?;
    let (rate, tickets) = enter(store, &many, people, UserId::random).await?;
    let taken = used_memory().await? - before;
    println!("{people} entered at {rate:.0}/s and take {taken} bytes: {} each", taken / people);
    let tickets = by_number(tickets);
    let mut gone = Departures::default();
    for ticket in tickets.values().skip(3).step_by(10) {
        store.finish(ticket, EndReason::Left).await?;
        gone.insert(ticket.seq);
    }
    let step = usize::try_from(people / 1_000)?.max(1);
    for (seq, ticket) in tickets.iter().step_by(step).filter(|(seq, _)| !gone.contains(**seq)) {
        let expected = seq - gone.below(*seq);
        let place = store.place(ticket).await?;
        assert!(
            matches!(place, Place::Waiting { rank, .. } if rank == expected),
            "{seq}: {place:?}, not {expected}"
        );
    }
    println!("{} left; ranks of every {step}th are exact", gone.len());
    let times = [time_of_places(store, &few).await?, time_of_places(store, &tickets).await?];
    println!("a place of 1000 takes {:?}, a place of {people} {:?}", times[0], times[1]);
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome {
    let people = std::env::args().nth(1).map_or(Ok(1_000_000), |people| people.parse())?;
    let _server = start()?;
    let store = Arc::new(RedisQueue::connect(&RedisConfig::new(url())).await?);
    rounds(&store).await?;
    vast(&store, people).await
}

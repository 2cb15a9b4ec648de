//! `booking demo`: a server in this process, one purchase told step by step, then a rush on 50 seats, all over HTTP.

mod checks;
mod rush;
mod story;
mod teller;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use booking_api::{AuditReport, LaneChange, PutConcerts, client::Client};
use booking_server::{Running, Secrets, ServeArgs, shutdown_signal};
use clap::{Args, value_parser};
use serde::Serialize;

use super::seed::{SeedArgs, dummy_concerts};
use crate::{
    audit, clock,
    console::{Console, count, note},
    failure::Failure,
    import::{DEFAULT_PRICE, DEFAULT_SEATS},
};
use checks::Checked;
use rush::Rush;
use teller::{Step, Teller};

/// `booking demo`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct DemoArgs {
    /// Exit when the demo is over, instead of serving until ctrl-c
    #[arg(long)]
    exit: bool,
    /// How many buyers rush the 50 seats
    #[arg(long, default_value_t = 1_000, value_parser = value_parser!(u32).range(1..=100_000))]
    buyers: u32,
    /// Address to listen on; a free port is taken if it is busy
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

/// Everything that happened, for machines.
#[derive(Serialize)]
struct Report {
    ok: bool,
    address: SocketAddr,
    story: Vec<Step>,
    rush: Rush,
    checks: Vec<Checked>,
    audit: AuditReport,
}

/// Who works where.
struct Stage {
    client: Client,
    admin_key: String,
}

pub(crate) async fn run(args: &DemoArgs, console: Console) -> Result<(), Failure> {
    let listen = free_address(args.listen);
    // The default store, in a folder that goes with the demo.
    let folder = tempfile::tempdir();
    let folder = folder.map_err(|error| Failure::Check(format!("no folder could be made: {error}")))?;
    let store = format!("sqlite:{}", folder.path().join("demo.db").display());
    let serve = ServeArgs { listen, store, open_signup: true, open_charges: true, ..ServeArgs::default() };
    let secrets = Secrets::random();
    let admin_key = secrets.admin_key.clone();
    let running = booking_server::start(&serve, secrets).await?;
    let stage = Stage { client: Client::new(&url(running.address())), admin_key };
    let told = perform(args, &stage, &running, console).await;
    if !args.exit && told.is_ok() {
        invite(&stage, console);
        shutdown_signal().await;
    }
    running.stop().await;
    told?
}

/// The outer error: the demo could not be told. The inner one: it could, and something is wrong.
async fn perform(
    args: &DemoArgs,
    stage: &Stage,
    running: &Running,
    console: Console,
) -> Result<Result<(), Failure>, Failure> {
    let now = clock::now();
    console.say(&format!(
        "A booking server is running at {}, on a file that goes with it.\n",
        stage.client.base()
    ));
    seed(stage, "main", 3, 2).await?;
    let mut teller = Teller::new(console);
    story::tell(stage, &mut teller).await?;

    let concerts = concerts_of("rush", 1, 1, now);
    let performance = concerts[0].performances[0].clone();
    let (buyers, seats) = (args.buyers, performance.seats);
    console.say(&format!("{} now want the same {seats} seats.\n", count_of(buyers, "buyer")));
    rush::close_doors(stage).await?;
    seed(stage, "rush", 1, 1).await?;
    let (rush, people) = rush::run(stage, &performance, buyers, console).await?;
    console.table(&rush.table());

    let checks = checks::run(&rush, &people, &performance).await;
    console.say("\nWhat the buyers' own answers and ledgers say:");
    console.table(&checks::table_of(&checks));
    let audit = stage.client.audit(&stage.admin_key).await?;
    console.say("\nWhat the server's audit of all rows says:");
    console.table(&audit::verdict(&audit));
    console.say(&audit::sentence(&audit));

    let wrong = checks.iter().filter(|check| !check.holds).count();
    let ok = wrong == 0 && audit.clean;
    let verdict = format!("{} failed; {}", count(wrong, "check"), audit::sentence(&audit));
    let story = teller.steps();
    console.document(&Report { ok, address: running.address(), story, rush, checks, audit })?;
    Ok(if ok { Ok(()) } else { Err(Failure::Check(verdict)) })
}

fn count_of(number: u32, noun: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), noun)
}

fn concerts_of(
    lane: &str,
    concerts: u32,
    performances: u32,
    now: chrono::DateTime<chrono::Utc>,
) -> Vec<booking_api::ConcertInput> {
    let lane = lane.parse().unwrap_or_else(|_| booking_core::LaneName::main());
    let args = SeedArgs { concerts, performances, seats: DEFAULT_SEATS, price: DEFAULT_PRICE, lane };
    dummy_concerts(&args, now)
}

/// The server in this process knows both lanes by now, and few concerts fit one request.
async fn seed(stage: &Stage, lane: &str, concerts: u32, performances: u32) -> Result<(), Failure> {
    let concerts = PutConcerts { concerts: concerts_of(lane, concerts, performances, clock::now()) };
    stage.client.put_concerts(&stage.admin_key, &concerts).await?;
    Ok(())
}

impl Stage {
    /// Closes or opens the doors of a lane: people enter, and nobody is admitted while it is paused.
    async fn pause(&self, lane: &str, paused: bool) -> Result<(), Failure> {
        let change = LaneChange { paused: Some(paused), ..LaneChange::default() };
        self.client.change_lane(&self.admin_key, lane, &change).await?;
        Ok(())
    }
}

/// The address, or one with a free port if its port is busy.
fn free_address(wanted: SocketAddr) -> SocketAddr {
    match TcpListener::bind(wanted) {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            note(&format!("port {} is busy: taking a free one", wanted.port()));
            SocketAddr::new(wanted.ip(), 0)
        }
        _ => wanted,
    }
}

/// How the server is reached from this machine: one that listens everywhere does so on the loopback address too.
fn url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

fn invite(stage: &Stage, console: Console) {
    let base = stage.client.base();
    let lines = [
        format!("\nThe server is still at {base}. Try:"),
        format!("  curl -s {base}/v1/concerts"),
        format!("  curl -s -X POST {base}/v1/users"),
        format!("  BOOKING_ADMIN_KEY={} booking flow --users 200 --url {base}", stage.admin_key),
        "Press ctrl-c to end; nothing is kept.".into(),
    ];
    for line in &lines {
        console.say(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_gives_way_to_a_free_one() {
        let busy = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = busy.local_addr().unwrap();
        assert_eq!(free_address(address).port(), 0);
        drop(busy);
        assert_eq!(free_address(address), address);
    }

    #[test]
    fn a_server_that_listens_everywhere_is_reached_on_the_loopback_address() {
        let cases = [
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("10.0.0.1:80", "http://10.0.0.1:80"),
        ];
        for (address, reached) in cases {
            assert_eq!(url(address.parse().unwrap()), reached);
        }
    }
}

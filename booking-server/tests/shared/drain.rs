//! A server process that is told to end in the middle of a rush: whatever it acknowledged is there when it is back (I19).

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStderr, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use booking_api::{
    CreateCharge, CreateReservation, CreateUser, PaymentMade,
    client::{Client, ClientError},
};
use futures_util::future::join_all;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::support::{PRICE, SHOW, new_database, show};

const ADMIN_KEY: &str = "an admin key of a test";
/// Buyers at once, each with seats of its own.
const BUYERS: u32 = 16;
const SEATS_EACH: u32 = 1_000;
/// After so many payments the server is told to end.
const ENOUGH: u64 = 150;

/// The server as a process of its own. It ends with the test, however the test ends.
struct Server {
    child: Child,
    client: Client,
    /// Reads what it logs, so that it never waits for a reader.
    log: Option<JoinHandle<String>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The address in the line that tells it.
fn address(log: &mut BufReader<ChildStderr>) -> String {
    let mut told = String::new();
    loop {
        let begins = told.len();
        assert!(log.read_line(&mut told).unwrap() > 0, "the server ended:\n{told}");
        if let Some(at) = told[begins..].find("127.0.0.1:") {
            let rest = &told[begins + at..];
            return rest.split(|c: char| c.is_whitespace() || c == '"').next().unwrap().to_owned();
        }
    }
}

impl Server {
    fn start(store: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_booking-server"))
            .args(["--listen", "127.0.0.1:0", "--open-signup", "--open-charges", "--lane-capacity", "100000"])
            .args(["--store", store])
            .env("BOOKING_ADMIN_KEY", ADMIN_KEY)
            .env("BOOKING_SERVICE_KEY", "a service key of a test")
            .env("BOOKING_TOKEN_SECRET", "a token secret of a test")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let client = Client::new(&format!("http://{}", address(&mut log)));
        let log = std::thread::spawn(move || {
            let mut told = String::new();
            log.read_to_string(&mut told).unwrap();
            told
        });
        Self { child, client, log: Some(log) }
    }

    /// SIGTERM. The process goes on with what it has to do.
    fn tell_to_end(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// Waits for the end, which must be a good one, and in which nothing was cut.
    fn ended_well(&mut self) {
        let status = self.child.wait().unwrap();
        let told = self.log.take().unwrap().join().unwrap();
        assert_eq!(status.code(), Some(0), "{told}");
        assert!(!told.contains("were cut"), "{told}");
    }
}

/// What somebody was told who bought a seat.
struct Bought {
    user_token: String,
    seat: u32,
    payment: PaymentMade,
}

async fn buy(client: &Client, seat: u32) -> Result<Bought, ClientError> {
    let user_token = client.create_user(None, &CreateUser::default()).await?.user_token;
    let charge = CreateCharge { amount: PRICE, user_id: None };
    client.charge(&user_token, &Uuid::new_v4().to_string(), &charge).await?;
    let queue_token = client.enter(&user_token, None).await?.queue_token;
    let wanted = CreateReservation::seats(SHOW, vec![seat.into()]);
    let held = client.reserve(&queue_token, None, &wanted).await?;
    let payment = client.pay(&queue_token, held.reservation_id).await?;
    Ok(Bought { user_token, seat, payment })
}

/// Buys one seat after the other until the server answers no more.
async fn buyer(client: Client, first: u32, paid: Arc<AtomicU64>, enough: Arc<Notify>) -> Vec<Bought> {
    let mut all = Vec::new();
    for seat in first..first + SEATS_EACH {
        match buy(&client, seat).await {
            Ok(bought) => all.push(bought),
            Err(ClientError::Transport { .. }) => return all,
            Err(error) => panic!("a purchase of seat {seat} was refused: {error}"),
        }
        if paid.fetch_add(1, Ordering::Relaxed) + 1 == ENOUGH {
            enough.notify_one();
        }
    }
    panic!("a buyer ran out of seats before the server ended");
}

async fn nothing_acknowledged_is_lost(store: &str) {
    let mut server = Server::start(store);
    server.client.put_concerts(ADMIN_KEY, &show(BUYERS * SEATS_EACH)).await.unwrap();
    let (paid, enough) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
    let buyers: Vec<_> = (0..BUYERS)
        .map(|at| {
            let (paid, enough) = (Arc::clone(&paid), Arc::clone(&enough));
            tokio::spawn(buyer(server.client.clone(), 1 + at * SEATS_EACH, paid, enough))
        })
        .collect();
    enough.notified().await;
    server.tell_to_end();
    let bought: Vec<Bought> = join_all(buyers).await.into_iter().flat_map(Result::unwrap).collect();
    tokio::task::spawn_blocking(move || server.ended_well()).await.unwrap();
    assert!(bought.len() as u64 >= ENOUGH);

    let server = Server::start(store);
    for Bought { user_token, seat, payment } in &bought {
        let on_record = server.client.payments(user_token, None).await.unwrap().items;
        assert!(
            on_record.iter().any(|one| one.payment_id == payment.payment.payment_id),
            "the payment of seat {seat} is gone"
        );
        assert_eq!(server.client.wallet(user_token).await.unwrap().balance, 0);
    }
    let report = server.client.audit(ADMIN_KEY).await.unwrap();
    assert!(report.clean, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_a_file_that_is_told_to_end_in_a_rush_loses_nothing_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    nothing_acknowledged_is_lost(&format!("sqlite:{}", folder.path().join("booking.db").display())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_postgresql_that_is_told_to_end_in_a_rush_loses_nothing_it_acknowledged() {
    nothing_acknowledged_is_lost(&new_database()).await;
}

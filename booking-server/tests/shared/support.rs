use std::{
    net::SocketAddr,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use booking_api::{
    ConcertInput, CreateCharge, CreateReservation, CreateUser, LaneChange, PerformanceInput, PutConcerts,
    client::{Client, ClientError},
};
use booking_server::{Running, Secrets, ServeArgs};
use uuid::Uuid;

/// The performance of every service: seats 1 to 50 at 50,000 each.
pub(crate) const SHOW: Uuid = Uuid::from_u128(0xF1);
pub(crate) const PRICE: i64 = 50_000;

/// Some servers on the same stores.
pub(crate) struct Site {
    pub(crate) running: Vec<Running>,
    pub(crate) clients: Vec<Client>,
    pub(crate) secrets: Secrets,
}

/// Somebody with both tokens.
pub(crate) struct Buyer {
    pub(crate) user_token: String,
    pub(crate) queue_token: String,
}

fn var(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run the tests by `scripts/with-servers cargo test`"))
}

/// The performance, with so many seats, and its concert.
pub(crate) fn show(seats: u32) -> PutConcerts {
    let starts_at = chrono::DateTime::from(booking_server::system_clock()) + chrono::Duration::days(30);
    let show = PerformanceInput {
        performance_id: SHOW,
        venue: "Hall".into(),
        starts_at: starts_at.fixed_offset(),
        zone: None,
        price: PRICE,
        seats,
        on_sale: true,
    };
    let concert = ConcertInput {
        concert_id: Uuid::from_u128(0xC1),
        title: "Concert".into(),
        lane: "main".into(),
        performances: vec![show],
    };
    PutConcerts { concerts: vec![concert] }
}

/// The address of a database that nobody else uses.
pub(crate) fn new_database() -> String {
    let server = var("BOOKING_TEST_PG");
    let name = format!("site_{}", Uuid::new_v4().simple());
    let made = Command::new(format!("{}/createdb", var("BOOKING_TEST_PG_BIN")))
        .args(["--maintenance-db", &server, &name])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (before, _) = server.rsplit_once('/').unwrap();
    format!("{before}/{name}")
}

impl Site {
    /// So many servers, with the show on sale.
    pub(crate) async fn start(servers: usize, store: &str, queue: &str, hold_ttl: Duration) -> Self {
        let secrets = Secrets::random();
        let args = ServeArgs {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            store: store.into(),
            queue: Some(queue.into()),
            open_signup: true,
            open_charges: true,
            hold_ttl,
            ..ServeArgs::default()
        };
        let mut running = Vec::new();
        for _ in 0..servers {
            running.push(booking_server::start(&args, secrets.clone()).await.unwrap());
        }
        let clients =
            running.iter().map(|server| Client::new(&format!("http://{}", server.address()))).collect();
        let site = Self { running, clients, secrets };
        site.client().put_concerts(&site.secrets.admin_key, &show(50)).await.unwrap();
        site
    }

    pub(crate) fn client(&self) -> &Client {
        &self.clients[0]
    }

    pub(crate) async fn change_lane(&self, change: LaneChange) {
        self.client().change_lane(&self.secrets.admin_key, "main", &change).await.unwrap();
    }

    /// Somebody with money, in the lane.
    pub(crate) async fn buyer(&self) -> Buyer {
        let client = self.client();
        let user = client.create_user(None, &CreateUser::default()).await.unwrap();
        let charge = CreateCharge { amount: PRICE, user_id: None };
        client.charge(&user.user_token, &Uuid::new_v4().to_string(), &charge).await.unwrap();
        let queue_token = client.enter(&user.user_token, None).await.unwrap().queue_token;
        Buyer { user_token: user.user_token, queue_token }
    }

    pub(crate) async fn hold(&self, buyer: &Buyer, seat: i64) -> Result<Uuid, ClientError> {
        let wanted = CreateReservation::seats(SHOW, vec![seat]);
        let held = self.client().reserve(&buyer.queue_token, None, &wanted).await;
        held.map(|held| held.reservation_id)
    }

    pub(crate) async fn books_are_clean(&self) {
        let report = self.client().audit(&self.secrets.admin_key).await.unwrap();
        assert!(report.clean, "{report:?}");
    }

    pub(crate) async fn stop(self) {
        let stopping = self.running.into_iter().map(Running::stop);
        futures_util::future::join_all(stopping).await;
    }
}

/// Waits until it holds; for what servers do by themselves.
pub(crate) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} does not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The code of a problem, which comes within two seconds.
pub(crate) async fn refused<T: std::fmt::Debug>(
    call: impl Future<Output = Result<T, ClientError>>,
) -> (String, u16) {
    let began = Instant::now();
    let error = call.await.expect_err("it can't be done");
    assert!(began.elapsed() < Duration::from_secs(2), "it took {:?}", began.elapsed());
    let problem = error.problem().unwrap_or_else(|| panic!("{error}"));
    (problem.code.as_str().to_owned(), problem.status)
}

/// Shares a site among tasks.
pub(crate) type Shared = Arc<Site>;

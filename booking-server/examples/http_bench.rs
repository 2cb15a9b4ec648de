//! The two servers of `scripts/bench-http`: ours with buyers who are all admitted, and a bare echo to compare with.
//!
//! `http_bench booking PORT FILE BUYERS` writes one line a buyer to FILE (`TOKEN BODY`), each for a seat of its own,
//! then serves the service. `http_bench echo PORT` serves an axum handler that parses the same JSON and writes it back,
//! and answers everything else with some JSON of a usual size. `http_bench door PORT` is the same behind our own connection
//! loop, to see what that costs.

use std::{
    error::Error,
    fs::File,
    future::pending,
    io::{BufWriter, Write},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::{Json, Router, routing::post, serve::ListenerExt};
use booking_api::CreateReservation;
use booking_core::{
    BookingPolicy, Engine, LaneName, Money,
    catalog::{ConcertDraft, LaneChange, PerformanceDraft},
    id::{ConcertId, PerformanceId, UserId},
    memory::{MemoryBooking, MemoryJoint, MemoryQueue},
};
use booking_server::{
    App, ConnectionOptions, Metrics, Options, Secrets, Tokens, router, serve_connections, system_clock,
};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SEATS: u32 = 50;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["booking", port, file, buyers] => serve(port.parse()?, booking(file, buyers.parse()?).await?).await,
        ["echo", port] => serve_barely(port.parse()?, echoes()).await,
        ["door", port] => serve(port.parse()?, echoes()).await,
        _ => Err("usage: http_bench booking PORT FILE BUYERS | echo PORT | door PORT".into()),
    }
}

fn echoes() -> Router {
    let place = serde_json::json!({ "user_id": UserId::random(), "lane": "main", "order": 4711, "status": "waiting", "rank": 42 });
    Router::new().route("/v1/reservations", post(echo)).fallback(async move || Json(place.clone()))
}

async fn echo(Json(wanted): Json<CreateReservation>) -> Json<CreateReservation> {
    Json(wanted)
}

async fn listener(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await
}

/// Serves as axum does by itself.
async fn serve_barely(port: u16, router: Router) -> Result<(), Box<dyn Error>> {
    let listener = listener(port).await?.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, router).await?)
}

/// Serves as the service does.
async fn serve(port: u16, router: Router) -> Result<(), Box<dyn Error>> {
    serve_connections(listener(port).await?, router, &ConnectionOptions::default(), pending()).await;
    Ok(())
}

/// The service with `buyers` admitted buyers and a seat for each, in performances of 50.
async fn booking(file: &str, buyers: u32) -> Result<Router, Box<dyn Error>> {
    // Measured like a server's, since that is what is to be measured.
    let (metrics, clock) = (Arc::<Metrics>::default(), Arc::new(system_clock));
    let bookings = Arc::new(MemoryBooking::new(BookingPolicy::default(), clock.clone()));
    let queue = Arc::new(MemoryQueue::new(clock.clone()));
    let joint = Arc::new(MemoryJoint::new(Arc::clone(&bookings), Arc::clone(&queue)));
    let engine = Engine::new(metrics.booking(bookings), metrics.queue(queue)).jointly(metrics.joint(joint));
    let lane = LaneName::main();
    engine.set_lane(&lane, LaneChange { capacity: Some(buyers), ..LaneChange::default() }).await?;
    let secrets = Secrets::random();
    let tokens = Tokens::new(&secrets.token_secrets, Duration::from_hours(1));
    let performances: Vec<PerformanceId> =
        (0..buyers.div_ceil(SEATS)).map(|_| PerformanceId::random()).collect();
    for chunk in performances.chunks(1_000) {
        engine.put_concerts(vec![concert(chunk)]).await?;
    }
    let mut lines = BufWriter::new(File::create(file)?);
    for buyer in 0..buyers {
        let user = UserId::random();
        engine.open_wallet(user).await?;
        let ticket = engine.enter(&lane, user).await?.ticket;
        let token = tokens.queue_token(&ticket)?;
        let performance = performances[usize::try_from(buyer / SEATS)?].0;
        writeln!(
            lines,
            "{token} {{\"performance_id\":\"{performance}\",\"seats\":[{}]}}",
            buyer % SEATS + 1
        )?;
    }
    lines.flush()?;
    let options = Options::default();
    let tended = engine.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            tended.tend().await.ok();
        }
    });
    Ok(router(App::measured(engine, clock, &secrets, options, metrics)))
}

fn concert(performances: &[PerformanceId]) -> ConcertDraft {
    let starts_at = (chrono::DateTime::from(system_clock()) + chrono::Duration::days(30)).fixed_offset();
    let draft = |id: &PerformanceId| PerformanceDraft {
        id: *id,
        venue: "Hall".into(),
        starts_at,
        zone: None,
        price: Money::ZERO,
        seats: SEATS,
        on_sale: true,
    };
    ConcertDraft {
        id: ConcertId::random(),
        title: "Concert".into(),
        lane: LaneName::main(),
        performances: performances.iter().map(draft).collect(),
    }
}

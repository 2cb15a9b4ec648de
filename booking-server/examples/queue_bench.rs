//! The servers and the readers of `scripts/bench-queue`: people who wait, and a bare answer of the same size to compare with.
//!
//! `queue_bench waiting PORT FILE PEOPLE` makes a line of PEOPLE, writes the queue tokens of up to 20,000 of its tail to FILE,
//! and serves the service. `queue_bench echo PORT` serves a handler that answers the same path with as many bytes.
//! `queue_bench read PORT FILE STREAMS` opens so many event streams, tells when each has its first event, and holds them.

use std::{
    error::Error,
    fs::File,
    future::pending,
    io::{BufWriter, Write},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::{Router, http::header, response::IntoResponse, routing::get, serve::ListenerExt};
use booking_core::{BookingPolicy, Engine, LaneName, catalog::LaneChange, id::UserId};
use booking_server::{
    App, ConnectionOptions, Options, Secrets, Tokens, router, serve_connections, system_clock,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// As long as an answer to who waits.
const ECHO: &str = r#"{"user_id":"00000000-0000-4000-8000-000000000000","lane":"main","order":1000000,"status":"waiting","rank":1000000,"ahead":999999,"poll_after_ms":18204}"#;
const MOST_TOKENS: u64 = 20_000;

#[tokio::main]
async fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["waiting", port, file, people] => serve(port.parse()?, waiting(file, people.parse()?).await?).await,
        ["echo", port] => {
            serve_barely(port.parse()?, Router::new().route("/v1/queue/status", get(echo))).await
        }
        ["read", port, file, streams] => read(port.parse()?, file, streams.parse()?).await,
        _ => Err("usage: queue_bench waiting PORT FILE PEOPLE | echo PORT | read PORT FILE STREAMS".into()),
    }
}

async fn echo() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], ECHO)
}

async fn listener(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await
}

/// Serves as axum does by itself.
async fn serve_barely(port: u16, router: Router) -> Outcome {
    let listener = listener(port).await?.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, router).await?)
}

/// Serves as the service does.
async fn serve(port: u16, router: Router) -> Outcome {
    serve_connections(listener(port).await?, router, &ConnectionOptions::default(), pending()).await;
    Ok(())
}

/// The service with so many people in line, nobody admitted.
async fn waiting(file: &str, people: u64) -> Outcome<Router> {
    let engine = Engine::in_memory(BookingPolicy::default(), system_clock);
    let lane = LaneName::main();
    engine.set_lane(&lane, LaneChange { capacity: Some(0), ..LaneChange::default() }).await?;
    let secrets = Secrets::random();
    let tokens = Tokens::new(&secrets.token_secrets, Duration::from_hours(1));
    let mut lines = BufWriter::new(File::create(file)?);
    // Those at the head ask the store; the bench is about all others.
    let first = people.saturating_sub(MOST_TOKENS).max(100);
    for number in 0..people {
        let user = UserId::random();
        engine.open_wallet(user).await?;
        let ticket = engine.enter(&lane, user).await?.ticket;
        if number >= first {
            writeln!(lines, "{}", tokens.queue_token(&ticket)?)?;
        }
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
    Ok(router(App::new(engine, Arc::new(system_clock), &secrets, options)))
}

/// Opens the streams, waits for the first event of each, and holds them until it is told to end.
async fn read(port: u16, file: &str, streams: usize) -> Outcome {
    let tokens = std::fs::read_to_string(file)?;
    let mut opening = JoinSet::new();
    let mut open = Vec::new();
    for token in tokens.lines().cycle().take(streams) {
        let request = format!(
            "GET /v1/queue/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\naccept: text/event-stream\r\n\r\n"
        );
        opening.spawn(async move {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.write_all(request.as_bytes()).await?;
            let (mut answer, mut buffer) = (String::new(), [0; 2_048]);
            while !answer.contains("event: place") {
                let count = stream.read(&mut buffer).await?;
                if count == 0 {
                    return Err(std::io::Error::other(format!("the stream ended: {answer}")));
                }
                answer.push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
            Ok(stream)
        });
        if opening.len() >= 200
            && let Some(opened) = opening.join_next().await
        {
            open.push(opened??);
        }
    }
    while let Some(opened) = opening.join_next().await {
        open.push(opened??);
    }
    println!("{} streams have their first event", open.len());
    tokio::time::sleep(Duration::from_mins(10)).await;
    Ok(())
}

//! How many requests a second the load test itself can send: `ceiling URL SECONDS CONNECTIONS`, against a server that does
//! next to nothing. `scripts/bench` shows it next to wrk's.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use goose::goose::GooseMethod;
use loadtest::{
    crew::{Call, Crew, Desk},
    history::Act,
};
use tokio::task::JoinSet;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Not counted: goose starts its users meanwhile.
const WARM_UP: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, seconds, connections] = &args[..] else {
        return Err("usage: ceiling URL SECONDS CONNECTIONS".into());
    };
    let (seconds, connections): (u64, usize) = (seconds.parse()?, connections.parse()?);
    let report = std::env::temp_dir().join(format!("ceiling-{}.html", std::process::id()));
    let (crew, desk) = Crew::new(vec![url.clone()], Instant::now());
    let measured = async {
        let until = Instant::now() + WARM_UP + Duration::from_secs(seconds);
        let mut callers = JoinSet::new();
        for _ in 0..connections {
            callers.spawn(call(desk.clone(), until));
        }
        drop(desk);
        tokio::time::sleep(WARM_UP).await;
        let (before, began) = (crew.answered(), Instant::now());
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let (answered, took) = (crew.answered() - before, began.elapsed());
        callers.join_all().await;
        u32::try_from(answered).map(|answered| f64::from(answered) / took.as_secs_f64())
    };
    let (worked, rate) = tokio::join!(std::sync::Arc::clone(&crew).work(connections, &report), measured);
    std::fs::remove_file(&report).ok();
    worked?;
    println!("{:.0}", rate?);
    Ok(())
}

/// Asks one thing after the other.
async fn call(desk: Desk, until: Instant) {
    let body = format!("{{\"performance_id\":\"{}\",\"seats\":[17]}}", Uuid::nil());
    while Instant::now() < until {
        let call = Call {
            act: Act::WarmUp,
            method: GooseMethod::Post,
            path: "/v1/reservations".into(),
            token: Some("a.token.of-the-usual-length-is-not-needed-here".into()),
            epoch: 0,
            key: None,
            body: Some(body.clone().into()),
        };
        desk.ask(0, Instant::now(), call).await;
    }
}

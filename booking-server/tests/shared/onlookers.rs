//! Who looks on at one server sees what happens at another (S6).

use std::time::{Duration, Instant};

use booking_api::{CreateReservation, SeatChanges, Seats};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::support::{SHOW, Site, new_database};

/// Any change is told within this.
const SOON: Duration = Duration::from_secs(1);

/// Looks on at a server.
struct Onlooker {
    response: reqwest::Response,
    read: String,
}

impl Onlooker {
    async fn at(site: &Site, server: usize) -> Self {
        let address = site.running[server].address();
        let url = format!("http://{address}/v1/performances/{SHOW}/seats/events");
        let token = site.buyer().await.queue_token;
        let response = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, read: String::new() }
    }

    /// The next event, which is of this kind; none at the end. Heartbeats are passed over.
    async fn next<T: DeserializeOwned>(&mut self, kind: &str) -> Option<T> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                if let Some(data) = event.lines().find_map(|line| line.strip_prefix("data: ")) {
                    assert!(event.starts_with(&format!("event: {kind}\n")), "{event}");
                    return Some(serde_json::from_str(data).unwrap());
                }
            } else {
                let more = timeout(Duration::from_secs(30), self.response.chunk()).await;
                let more = more.expect("something comes").expect("the stream is whole")?;
                self.read.push_str(std::str::from_utf8(&more).unwrap());
            }
        }
    }
}

async fn site(hold_ttl: Duration) -> Site {
    let store = new_database();
    Site::start(2, &store, &store, hold_ttl).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_at_one_server_is_told_by_the_other_within_a_second() {
    let site = site(Duration::from_mins(5)).await;
    let mut onlookers = [Onlooker::at(&site, 0).await, Onlooker::at(&site, 1).await];
    for onlooker in &mut onlookers {
        let seats: Seats = onlooker.next("seats").await.unwrap();
        assert_eq!(seats.available, (1..=50).collect::<Vec<_>>());
    }
    for seat in 1..=10 {
        let buyer = site.buyer().await;
        let wanted = CreateReservation::seats(SHOW, vec![seat.into()]);
        site.client().reserve(&buyer.queue_token, None, &wanted).await.unwrap();
        let held = Instant::now();
        for onlooker in &mut onlookers {
            let changes: SeatChanges = onlooker.next("changes").await.unwrap();
            assert_eq!(changes, SeatChanges { held: vec![seat], ..SeatChanges::default() });
        }
        assert!(held.elapsed() < SOON, "it was told after {:?}", held.elapsed());
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_runs_out_is_told_within_a_second_and_a_stopping_server_ends_its_streams() {
    let site = site(Duration::from_secs(2)).await;
    let mut onlooker = Onlooker::at(&site, 1).await;
    onlooker.next::<Seats>("seats").await.unwrap();
    let buyer = site.buyer().await;
    let wanted = CreateReservation::best(SHOW, 1);
    let held = site.client().reserve(&buyer.queue_token, None, &wanted).await.unwrap();
    let changes: SeatChanges = onlooker.next("changes").await.unwrap();
    assert_eq!(changes, SeatChanges { held: held.seats.clone(), ..SeatChanges::default() });
    let changes: SeatChanges = onlooker.next("changes").await.unwrap();
    let late = chrono::DateTime::<chrono::Utc>::from(booking_server::system_clock()) - held.hold_expires_at;
    assert_eq!(changes, SeatChanges { available: held.seats, ..SeatChanges::default() });
    assert!((Duration::ZERO..SOON).contains(&late.to_std().unwrap()), "it was told {late} after the end");
    let stopping = Instant::now();
    site.stop().await;
    assert!(onlooker.next::<SeatChanges>("changes").await.is_none(), "the stream ends");
    assert!(stopping.elapsed() < Duration::from_secs(5), "nobody waits for who looks on");
}

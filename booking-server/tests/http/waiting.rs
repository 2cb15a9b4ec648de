//! Waiting: polls that ask no store, and the place as it is pushed.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, header},
};
use booking_core::{LaneName, id::UserId, store::QueueStore};
use booking_server::Tokens;
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;

use crate::{
    faults::{Fault, SLOWLY, start},
    reader::Reader,
    support::{CONCERT, SHOW, Service},
};

/// Longer than an instance may go by what it saw.
const A_MOMENT: Duration = Duration::from_millis(260);

const EVENTS: &str = "/v1/queue/events";

/// The queue tokens of so many people who stand in line, of whom as many are admitted as the lane takes.
async fn line(service: &Service, queue: &dyn QueueStore, many: usize) -> Vec<String> {
    let tokens = Tokens::new(&service.secrets.token_secrets, Duration::from_hours(1));
    let mut line = Vec::new();
    for _ in 0..many {
        let entered = queue.enter(&LaneName::main(), UserId::random()).await.unwrap();
        line.push(tokens.queue_token(&entered.ticket).unwrap());
    }
    line
}

async fn rank(service: &Service, token: &str) -> u64 {
    let place = service.get("/v1/queue/status", token).await.expect(200);
    place.body["rank"].as_u64().unwrap_or_else(|| panic!("{place:?}"))
}

#[tokio::test(start_paused = true)]
async fn polls_of_the_waiting_ask_the_store_a_few_times_a_second_whatever_their_number() {
    let (service, (_, queue)) = start().await;
    service.change_lane(json!({"capacity": 1})).await.expect(200);
    let line = line(&service, &*queue, 300).await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        for (place, token) in line.iter().enumerate().skip(70).step_by(10) {
            assert_eq!(rank(&service, token).await, place as u64);
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(queue.asked("place"), 0);
    let looks = queue.asked("snapshot");
    assert!((40..=80).contains(&looks), "{looks} looks in ten seconds");
    // Near the head and once admitted the store is asked.
    assert_eq!(rank(&service, &line[1]).await, 1);
    assert_eq!(service.get("/v1/queue/status", &line[0]).await.body["status"], "admitted");
    assert_eq!(queue.asked("place"), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_poll_tells_is_a_quarter_of_a_second_old_at_most() {
    let (service, (_, queue)) = start().await;
    service.change_lane(json!({"capacity": 1})).await.expect(200);
    let line = line(&service, &*queue, 200).await;
    assert_eq!(rank(&service, &line[150]).await, 150);
    for (left, token) in (1..).zip(&line[10..20]) {
        service.delete("/v1/queue/tokens", token).await.expect(204);
        sleep(A_MOMENT).await;
        assert_eq!(rank(&service, &line[150]).await, 150 - left);
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_just_entered_is_found_and_never_told_a_higher_rank() {
    let (service, (_, queue)) = start().await;
    service.change_lane(json!({"capacity": 1})).await.expect(200);
    let line = line(&service, &*queue, 100).await;
    rank(&service, &line[99]).await;
    let buyer = service.buyer().await;
    let mut last = rank(&service, &buyer.queue_token).await;
    assert_eq!(last, 100);
    for token in &line[3..33] {
        service.delete("/v1/queue/tokens", token).await.expect(204);
        let again = service.call("POST", "/v1/queue/tokens", &buyer.user_token, None).await.expect(200);
        let told = [again.body["rank"].as_u64().unwrap(), rank(&service, &buyer.queue_token).await];
        for now in told {
            assert!(now <= last, "{now} after {last}");
            last = now;
        }
        sleep(Duration::from_millis(60)).await;
    }
    assert!(last < 80, "{last}");
}

#[tokio::test(start_paused = true)]
async fn without_the_queue_store_polls_are_503_and_nobody_is_told_old_news() {
    let (service, (_, queue)) = start().await;
    service.change_lane(json!({"capacity": 1})).await.expect(200);
    let line = line(&service, &*queue, 200).await;
    assert_eq!(rank(&service, &line[150]).await, 150);
    queue.set(Fault::Down);
    sleep(A_MOMENT).await;
    for _ in 0..20 {
        let reply = service.get("/v1/queue/status", &line[150]).await.expect(503);
        assert_eq!((reply.code(), reply.header("retry-after")), ("store_unavailable", Some("1")));
    }
    assert!(queue.asked("snapshot") <= 3, "the store is not asked by each in vain");
    queue.set(Fault::None);
    sleep(A_MOMENT).await;
    assert_eq!(rank(&service, &line[150]).await, 150);
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_while_a_slow_store_is_looked_at_share_the_next_look() {
    let (service, (_, queue)) = start().await;
    service.change_lane(json!({"capacity": 1})).await.expect(200);
    let line = line(&service, &*queue, 200).await;
    queue.set(Fault::Slow);
    for round in 0..3 {
        let (before, began) = (queue.asked("snapshot"), Instant::now());
        let polls = line[100..150].iter().map(|token| rank(&service, token));
        assert_eq!(join_all(polls).await, (100..150).collect::<Vec<u64>>());
        let looks = queue.asked("snapshot") - before;
        assert!(looks <= 2, "{looks} looks in round {round}");
        assert!(began.elapsed() <= SLOWLY * 3, "{:?} in round {round}", began.elapsed());
        sleep(A_MOMENT).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_booking_call_too_early_tells_no_lower_rank_than_the_polls_that_follow() {
    let (service, (_, queue)) = start().await;
    service.change_lane(json!({"capacity": 1})).await.expect(200);
    let line = line(&service, &*queue, 200).await;
    assert_eq!(rank(&service, &line[150]).await, 150);
    for token in &line[10..20] {
        service.delete("/v1/queue/tokens", token).await.expect(204);
    }
    let wanted = json!({"performance_id": SHOW, "seats": [1]});
    let (seats, token) = (format!("/v1/performances/{SHOW}/seats"), &line[150]);
    for _ in 0..2 {
        let refused = [
            service.post("/v1/reservations", token, wanted.clone()).await,
            service.get("/v1/performances", token).await,
            service.get(&seats, token).await,
            service.get(&format!("{seats}/events"), token).await,
            service.pay_with(token, CONCERT).await,
        ];
        for refused in refused {
            let told = refused.expect(429);
            assert_eq!(told.code(), "not_your_turn");
            let now = rank(&service, token).await;
            assert!(told.body["rank"].as_u64().unwrap() >= now, "{now} after {told:?}");
        }
        sleep(A_MOMENT).await;
    }
    let refused = service.get("/v1/performances", token).await.expect(429);
    assert_eq!(refused.body["rank"], 140, "what was seen so long ago is told to nobody");
}

#[tokio::test(start_paused = true)]
async fn the_place_is_pushed_until_it_is_done() {
    let service = Service::start().await;
    service.change_lane(json!({"capacity": 1})).await.expect(200);
    let (first, second, third) = (service.buyer().await, service.buyer().await, service.buyer().await);
    let mut reader = Reader::open(&service, EVENTS, &third.queue_token).await;
    let place = reader.expect("place").await;
    assert_eq!((&place["status"], &place["rank"]), (&json!("waiting"), &json!(2)));
    service.delete("/v1/queue/tokens", &first.queue_token).await.expect(204);
    assert_eq!(reader.expect("place").await["rank"], 1);
    service.delete("/v1/queue/tokens", &second.queue_token).await.expect(204);
    let place = reader.expect("place").await;
    assert_eq!(place["status"], "admitted");
    service.get("/v1/performances", &third.queue_token).await.expect(200);
    assert!(
        reader.expect("place").await["expires_at"].as_str() > place["expires_at"].as_str(),
        "the session began"
    );
    service.delete("/v1/queue/tokens", &third.queue_token).await.expect(204);
    let place = reader.expect("place").await;
    assert_eq!((&place["status"], &place["reason"]), (&json!("done"), &json!("left")));
    assert_eq!(reader.event().await, None, "then the stream ends");
}

#[tokio::test(start_paused = true)]
async fn changes_come_once_a_second_at_most_and_silence_has_a_heartbeat() {
    let (service, (_, queue)) = start().await;
    service.change_lane(json!({"capacity": 1})).await.expect(200);
    let line = line(&service, &*queue, 400).await;
    let mut reader = Reader::open(&service, EVENTS, &line[399]).await;
    assert_eq!(reader.expect("place").await["rank"], 399);
    let began = Instant::now();
    let leaving = async {
        for token in &line[10..210] {
            service.delete("/v1/queue/tokens", token).await.expect(204);
            sleep(Duration::from_millis(20)).await;
        }
    };
    let reading = async {
        let mut told = 0;
        while reader.expect("place").await["rank"] != 199 {
            told += 1;
        }
        told
    };
    let (told, ()) = tokio::join!(reading, leaving);
    let seconds = began.elapsed().as_secs();
    assert!((2..=seconds + 1).contains(&told), "{told} events in {seconds} seconds");
    let silent = Instant::now();
    assert_eq!(reader.text().await.as_deref(), Some(": still here\n\n"));
    assert!(silent.elapsed() <= Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_begins_with_the_present_and_after_the_end_is_told_to_stay_away() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let come_back = async |last: &str| {
        let request = Request::get(EVENTS)
            .header(header::AUTHORIZATION, format!("Bearer {}", buyer.queue_token))
            .header("last-event-id", last);
        service.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    let mut reader = Reader::of(come_back("1-1").await);
    assert_eq!(reader.expect("place").await["status"], "admitted");
    service.delete("/v1/queue/tokens", &buyer.queue_token).await.expect(204);
    let text = reader.text().await.unwrap();
    assert!(text.contains("\"left\"") && text.contains("id: 1-done\n"), "{text}");
    assert_eq!(come_back("1-done").await.status(), 204);
    let mut reader = Reader::of(come_back("1-1").await);
    assert_eq!(reader.expect("place").await["reason"], "left", "who saw all but the end hears it");
    let mut reader = Reader::open(&service, EVENTS, &buyer.queue_token).await;
    assert_eq!(reader.expect("place").await["reason"], "left", "who comes for the first time hears it");
    assert_eq!(reader.event().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_stream_outlives_an_outage_of_the_queue_store_and_ends_with_the_lane() {
    let (service, (_, queue)) = start().await;
    let buyer = service.buyer().await;
    let mut reader = Reader::open(&service, EVENTS, &buyer.queue_token).await;
    assert_eq!(reader.expect("place").await["status"], "admitted");
    queue.set(Fault::Down);
    let (event, problem) = reader.event().await.unwrap();
    assert_eq!((event.as_str(), &problem["code"]), ("problem", &json!("store_unavailable")));
    sleep(Duration::from_secs(5)).await;
    queue.set(Fault::None);
    assert_eq!(
        reader.expect("place").await["status"],
        "admitted",
        "told once that it is dark, and once that it is not"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stopping_server_ends_its_streams() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let mut reader = Reader::open(&service, EVENTS, &buyer.queue_token).await;
    reader.expect("place").await;
    service.app.drain();
    assert_eq!(timeout(Duration::from_millis(100), reader.event()).await, Ok(None));
}

//! Looking on while seats change (S6).

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;

use crate::{
    faults::{Fault, start},
    reader::Reader,
    support::{Buyer, PRICE, SHOW, Service},
};

const HOLD_TTL: Duration = Duration::from_mins(5);

fn path() -> String {
    format!("/v1/performances/{SHOW}/seats/events")
}

async fn look_on(service: &Service, buyer: &Buyer) -> (Reader, Value) {
    let mut reader = Reader::open(service, &path(), &buyer.queue_token).await;
    let seats = reader.expect("seats").await;
    (reader, seats)
}

fn changes(available: &[u32], held: &[u32], sold: &[u32]) -> Value {
    json!({"available": available, "held": held, "sold": sold})
}

#[tokio::test(start_paused = true)]
async fn the_seats_are_told_as_they_are_and_then_each_change_of_them() {
    let service = Service::start().await;
    let (onlooker, buyer) = (service.buyer().await, service.buyer().await);
    service.hold(&service.buyer().await, 50).await.expect(201);
    let (mut reader, seats) = look_on(&service, &onlooker).await;
    let available: Vec<u32> = (1..=49).collect();
    assert_eq!(seats, json!({"performance_id": SHOW, "seats_total": 50, "available": available}));
    let held = service.hold(&buyer, 7).await.expect(201);
    assert_eq!(reader.expect("changes").await, changes(&[], &[7], &[]));
    service.charge(&buyer, PRICE).await.expect(201);
    service.pay(&buyer, &held.text("reservation_id")).await.expect(201);
    assert_eq!(reader.expect("changes").await, changes(&[], &[], &[7]));
    let other = service.buyer().await;
    let held = service.hold(&other, 8).await.expect(201).text("reservation_id");
    assert_eq!(reader.expect("changes").await, changes(&[], &[8], &[]));
    service.delete(&format!("/v1/reservations/{held}"), &other.user_token).await.expect(204);
    assert_eq!(reader.expect("changes").await, changes(&[8], &[], &[]));
}

#[tokio::test(start_paused = true)]
async fn the_whole_map_is_told_first_to_who_asks_for_it() {
    let service = Service::start().await;
    let onlooker = service.buyer().await;
    service.hold(&service.buyer().await, 2).await.expect(201);
    let mut reader = Reader::open(&service, &format!("{}?all=true", path()), &onlooker.queue_token).await;
    let read = service.get(&format!("/v1/performances/{SHOW}/seats?all=true"), &onlooker.queue_token).await;
    assert_eq!(reader.expect("seats").await, read.expect(200).body);
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_runs_out_is_told_without_a_sweep() {
    let service = Service::start().await;
    let onlooker = service.buyer().await;
    service.hold(&service.buyer().await, 7).await.expect(201);
    let (mut reader, _) = look_on(&service, &onlooker).await;
    service.clock.advance(HOLD_TTL);
    let waited = Instant::now();
    assert_eq!(reader.expect("changes").await, changes(&[7], &[], &[]));
    assert!(waited.elapsed() <= Duration::from_secs(1), "{:?}", waited.elapsed());
}

#[tokio::test(start_paused = true)]
async fn changes_of_seats_come_four_times_a_second_at_most_and_add_up() {
    let (service, _) = start().await;
    let onlooker = service.buyer().await;
    let (mut reader, seats) = look_on(&service, &onlooker).await;
    let mut available: Vec<u64> =
        seats["available"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    let began = Instant::now();
    let holding = async {
        for seat in 1..=50 {
            service.hold(&service.buyer().await, seat).await.expect(201);
            sleep(Duration::from_millis(50)).await;
        }
    };
    let reading = async {
        let mut told = 0;
        while !available.is_empty() {
            let changes = reader.expect("changes").await;
            available.retain(|seat| !changes["held"].as_array().unwrap().contains(&json!(seat)));
            told += 1;
        }
        told
    };
    let (told, ()) = tokio::join!(reading, holding);
    let most = began.elapsed().as_millis() / 250 + 1;
    assert!((4..=most).contains(&told), "{told} events, and {most} at most");
    let silent = Instant::now();
    assert_eq!(reader.text().await.as_deref(), Some(": still here\n\n"));
    assert!(silent.elapsed() <= Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn however_many_look_on_the_store_is_read_four_times_a_second_and_then_no_more() {
    let (service, (booking, _)) = start().await;
    let mut readers = Vec::new();
    for _ in 0..40 {
        readers.push(look_on(&service, &service.buyer().await).await.0);
    }
    let (before, began) = (booking.asked("seat_map"), Instant::now());
    sleep(Duration::from_secs(10)).await;
    let reads = booking.asked("seat_map") - before;
    assert!((30..=42).contains(&reads), "{reads} reads in {:?}", began.elapsed());
    service.hold(&service.buyer().await, 3).await.expect(201);
    for reader in &mut readers {
        assert_eq!(reader.expect("changes").await, changes(&[], &[3], &[]));
    }
    drop(readers);
    sleep(Duration::from_secs(1)).await;
    let left = booking.asked("seat_map");
    sleep(Duration::from_secs(10)).await;
    assert_eq!(booking.asked("seat_map"), left, "nobody looks on");
    let (mut reader, _) = look_on(&service, &service.buyer().await).await;
    service.hold(&service.buyer().await, 4).await.expect(201);
    assert_eq!(reader.expect("changes").await, changes(&[], &[4], &[]), "and a new watch is begun");
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_begins_with_the_seats_as_they_are() {
    let service = Service::start().await;
    let onlooker = service.buyer().await;
    let (reader, _) = look_on(&service, &onlooker).await;
    drop(reader);
    service.hold(&service.buyer().await, 1).await.expect(201);
    let request = Request::get(path())
        .header(header::AUTHORIZATION, format!("Bearer {}", onlooker.queue_token))
        .header("last-event-id", "1");
    let back = service.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut reader = Reader::of(back);
    let text = reader.text().await.unwrap();
    assert!(text.contains("\nid: ") && text.contains("\nretry: 2000"), "{text}");
    assert!(text.starts_with("event: seats\n") && text.contains("\"available\":[2,3,"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_larger_hall_is_told_anew() {
    let service = Service::start().await;
    let (mut reader, _) = look_on(&service, &service.buyer().await).await;
    service.put_show(json!({"seats": 52})).await.expect(200);
    let seats = reader.expect("seats").await;
    assert_eq!((&seats["seats_total"], &seats["available"][51]), (&json!(52), &json!(52)));
}

#[tokio::test(start_paused = true)]
async fn looking_on_needs_a_ticket_that_may_book_here() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    service.change_lane(json!({"capacity": 1})).await.expect(200);
    let waiting = service.buyer().await;
    assert_eq!(service.get(&path(), &waiting.queue_token).await.expect(429).code(), "not_your_turn");
    service.delete("/v1/queue/tokens", &buyer.queue_token).await.expect(204);
    assert_eq!(service.get(&path(), &buyer.queue_token).await.expect(401).code(), "token_done");
    let unknown = format!("/v1/performances/{}/seats/events", uuid::Uuid::nil());
    assert_eq!(service.get(&unknown, &waiting.queue_token).await.expect(404).code(), "unknown_performance");
    service.put_show(json!({"on_sale": false})).await.expect(200);
    assert_eq!(service.get(&path(), &waiting.queue_token).await.expect(409).code(), "not_on_sale");
}

#[tokio::test(start_paused = true)]
async fn looking_on_ends_with_the_ticket() {
    let service = Service::start().await;
    let (leaver, sleeper) = (service.buyer().await, service.buyer().await);
    let (mut first, _) = look_on(&service, &leaver).await;
    let (mut second, _) = look_on(&service, &sleeper).await;
    service.delete("/v1/queue/tokens", &leaver.queue_token).await.expect(204);
    let problem = first.expect("problem").await;
    assert_eq!((&problem["code"], &problem["reason"]), (&json!("token_done"), &json!("left")));
    assert_eq!(first.event().await, None);
    service.clock.advance(Duration::from_mins(15));
    assert_eq!(second.expect("problem").await["reason"], "session_expired");
    assert_eq!(second.event().await, None);
}

#[tokio::test(start_paused = true)]
async fn looking_on_ends_when_the_sale_does() {
    let service = Service::start().await;
    let (mut reader, _) = look_on(&service, &service.buyer().await).await;
    service.put_show(json!({"on_sale": false})).await.expect(200);
    assert_eq!(reader.expect("problem").await["code"], "not_on_sale");
    assert_eq!(reader.event().await, None);
}

#[tokio::test(start_paused = true)]
async fn looking_on_outlives_an_outage_of_the_store() {
    let (service, (booking, _)) = start().await;
    let (mut reader, _) = look_on(&service, &service.buyer().await).await;
    let buyer = service.buyer().await;
    booking.set(Fault::Down);
    assert_eq!(reader.expect("problem").await["code"], "store_unavailable");
    sleep(Duration::from_secs(5)).await;
    booking.set(Fault::None);
    service.hold(&buyer, 9).await.expect(201);
    let seats = reader.expect("seats").await;
    assert_eq!(seats["available"].as_array().unwrap().len(), 49, "told once that it is dark, then all anew");
}

#[tokio::test(start_paused = true)]
async fn a_stopping_server_ends_looking_on() {
    let service = Service::start().await;
    let (mut reader, _) = look_on(&service, &service.buyer().await).await;
    service.app.drain();
    assert_eq!(timeout(Duration::from_millis(100), reader.event()).await, Ok(None));
}

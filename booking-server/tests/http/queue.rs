use std::{num::NonZeroU32, time::Duration};

use booking_core::BookingPolicy;
use booking_server::Options;
use serde_json::json;

use crate::support::{CONCERT, SHOW, Service, options};

#[tokio::test]
async fn people_are_admitted_in_the_exact_order_they_came() {
    let service = Service::start().await;
    service.change_lane(json!({"capacity": 1})).await.expect(200);
    let mut people = Vec::new();
    for _ in 0..4 {
        people.push(service.buyer().await);
    }
    for (rank, person) in people[1..].iter().enumerate() {
        let place = service.get("/v1/queue/status", &person.queue_token).await.expect(200);
        assert_eq!((&place.body["rank"], &place.body["ahead"]), (&json!(rank + 1), &json!(rank)));
        let refused = service.hold(person, 1).await.expect(429);
        assert_eq!((refused.code(), &refused.body["rank"]), ("not_your_turn", &json!(rank + 1)));
        assert!(refused.headers.contains_key("retry-after"));
    }
    service.delete("/v1/queue/tokens", &people[0].queue_token).await.expect(204);
    service.hold(&people[1], 1).await.expect(201);
    assert_eq!(service.get("/v1/queue/status", &people[3].queue_token).await.body["rank"], 2);
}

#[tokio::test]
async fn ten_thousand_enters_by_one_user_leave_one_place() {
    let service = Service::start().await;
    let (_, user_token) = service.sign_up().await;
    let first = service.call("POST", "/v1/queue/tokens", &user_token, None).await.expect(201);
    for _ in 1..10_000 {
        let again = service.call("POST", "/v1/queue/tokens", &user_token, None).await.expect(200);
        assert_eq!(again.body, first.body);
    }
    let lane = service.get("/v1/admin/lanes/main", &service.secrets.admin_key).await.expect(200);
    assert_eq!(
        (&lane.body["entered"], &lane.body["admitted"], &lane.body["waiting"]),
        (&json!(1), &json!(1), &json!(0))
    );
}

#[tokio::test]
async fn who_does_not_show_up_frees_the_slot_and_a_poll_is_no_show_up() {
    let service = Service::start().await;
    service.change_lane(json!({"capacity": 1, "claim_ttl_ms": 60_000})).await.expect(200);
    let (idle, next) = (service.buyer().await, service.buyer().await);
    service.clock.advance(Duration::from_secs(59));
    assert_eq!(service.get("/v1/queue/status", &idle.queue_token).await.body["status"], "admitted");
    service.clock.advance(Duration::from_secs(1));
    let over = service.get("/v1/queue/status", &idle.queue_token).await.expect(200);
    assert_eq!((&over.body["status"], &over.body["reason"]), (&json!("done"), &json!("no_show")));
    let refused = service.get("/v1/performances", &idle.queue_token).await.expect(401);
    assert_eq!((refused.code(), &refused.body["reason"]), ("token_done", &json!("no_show")));
    service.advance(Duration::ZERO).await;
    service.get("/v1/performances", &next.queue_token).await.expect(200);
}

#[tokio::test]
async fn a_full_closed_or_sold_out_lane_takes_nobody() {
    let service = Service::start().await;
    let late = service.sign_up().await.1;
    service.change_lane(json!({"capacity": 0, "max_waiting": 1})).await.expect(200);
    let waiting = service.buyer().await;
    let full = service.post("/v1/queue/tokens", &late, json!({})).await.expect(429);
    assert_eq!((full.code(), full.headers.contains_key("retry-after")), ("lane_full", true));
    service.change_lane(json!({"closed": true, "max_waiting": null})).await.expect(200);
    assert_eq!(service.post("/v1/queue/tokens", &late, json!({})).await.expect(409).code(), "lane_closed");
    assert_eq!(service.get("/v1/queue/status", &waiting.queue_token).await.body["reason"], "closed");
    service.change_lane(json!({"closed": false, "capacity": 10})).await.expect(200);
    let small = json!({"performance_id": "00000000-0000-4000-8000-0000000000f3", "seats": 1});
    service.put_show(json!({"on_sale": false})).await.expect(200);
    service.put_show(small).await.expect(200);
    let buyer = service.buyer().await;
    let hold = json!({"performance_id": "00000000-0000-4000-8000-0000000000f3", "seats": [1]});
    let held = service.post("/v1/reservations", &buyer.queue_token, hold).await.expect(201);
    service.charge(&buyer, 50_000).await.expect(201);
    let paid = service.pay(&buyer, &held.text("reservation_id")).await.expect(201);
    service.advance(Duration::ZERO).await;
    assert_eq!(service.post("/v1/queue/tokens", &late, json!({})).await.expect(409).code(), "sold_out");
    let refund = json!({"payment_id": paid.text("payment_id")});
    service.post("/v1/admin/refunds", &service.secrets.admin_key, refund).await.expect(201);
    service.advance(Duration::ZERO).await;
    service.post("/v1/queue/tokens", &late, json!({})).await.expect(201);
}

#[tokio::test]
async fn a_paused_lane_lets_people_in_line_and_nobody_through() {
    let service = Service::start().await;
    service.change_lane(json!({"paused": true})).await.expect(200);
    let person = service.buyer().await;
    assert_eq!(
        service.get("/v1/performances", &person.queue_token).await.expect(429).code(),
        "not_your_turn"
    );
    service.change_lane(json!({"paused": false})).await.expect(200);
    service.advance(Duration::ZERO).await;
    service.get("/v1/performances", &person.queue_token).await.expect(200);
}

#[tokio::test]
async fn a_ticket_of_one_lane_opens_no_concert_of_another() {
    let service = Service::start().await;
    let admin = service.secrets.admin_key.clone();
    service.call("PATCH", "/v1/admin/lanes/hot", &admin, Some(json!({}))).await.expect(200);
    let (_, user_token) = service.sign_up().await;
    let hot = service
        .post("/v1/queue/tokens", &user_token, json!({"lane": "hot"}))
        .await
        .expect(201)
        .text("queue_token");
    let seats = format!("/v1/performances/{SHOW}/seats");
    for path in [format!("/v1/concerts/{CONCERT}/performances"), format!("{seats}/events"), seats] {
        let refused = service.get(&path, &hot).await.expect(403);
        assert_eq!((refused.code(), &refused.body["lane"]), ("wrong_lane", &json!("main")));
    }
    let body = json!({"performance_id": SHOW, "seats": [1]});
    assert_eq!(service.post("/v1/reservations", &hot, body).await.expect(403).code(), "wrong_lane");
    assert_eq!(service.get("/v1/performances", &hot).await.expect(200).body["items"], json!([]));
}

#[tokio::test]
async fn leaving_gives_the_hold_back_and_twice_is_fine() {
    let service = Service::start().await;
    let (leaver, next) = (service.buyer().await, service.buyer().await);
    service.hold(&leaver, 5).await.expect(201);
    service.delete("/v1/queue/tokens", &leaver.queue_token).await.expect(204);
    service.delete("/v1/queue/tokens", &leaver.queue_token).await.expect(204);
    service.hold(&next, 5).await.expect(201);
    assert_eq!(service.hold(&leaver, 6).await.expect(401).body["reason"], "left");
}

#[tokio::test]
async fn who_calls_too_often_is_told_when_to_come_back_and_nobody_else_pays_for_it() {
    let few = Options { calls_per_second: NonZeroU32::new(5), ..options() };
    let service = Service::with(few, BookingPolicy::default()).await;
    let (hasty, calm) = (service.buyer().await, service.buyer().await);
    let first = service.get("/v1/queue/status", &hasty.queue_token).await.expect(200);
    assert_eq!(first.header("ratelimit-policy"), Some("\"user\";q=5;w=1"));
    assert!(first.header("ratelimit").is_some_and(|left| left.starts_with("\"user\";r=")), "{first:?}");
    let mut limited = None;
    for _ in 0..1_000 {
        let reply = service.get("/v1/queue/status", &hasty.queue_token).await;
        if reply.status == 429 {
            limited = Some(reply);
            break;
        }
        reply.expect(200);
    }
    let limited = limited.expect("a thousand calls in a moment are too many");
    assert_eq!((limited.code(), limited.header("retry-after")), ("rate_limited", Some("1")));
    assert_eq!(limited.header("ratelimit"), Some("\"user\";r=0;t=1"));
    service.get("/v1/queue/status", &calm.queue_token).await.expect(200);
}

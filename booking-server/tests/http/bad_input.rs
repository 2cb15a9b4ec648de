use axum::{body::Body, http::Request};
use serde_json::json;
use uuid::Uuid;

use crate::support::{CONCERT, PRICE, SHOW, Service};

fn raw(path: &str, token: &str, content_type: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(path).header("authorization", format!("Bearer {token}"));
    let request = request.header("idempotency-key", "k").header("content-type", content_type);
    request.body(body.into()).unwrap()
}

#[tokio::test]
async fn an_amount_that_is_no_positive_integer_changes_nothing() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let amounts = [
        "0",
        "-1",
        "-9223372036854775808",
        "1.5",
        "1e3",
        "9223372036854775808",
        "1e400",
        "\"5\"",
        "null",
        "[]",
        "NaN",
    ];
    for amount in amounts {
        let body = format!("{{\"amount\": {amount}}}");
        let reply =
            service.send(raw("/v1/wallet/charges", &buyer.user_token, "application/json", body)).await;
        assert_eq!(reply.expect(400).code(), "invalid_request", "{amount}");
    }
    for huge in [1_000_000_000_000_001, i64::MAX] {
        assert_eq!(service.charge(&buyer, huge).await.expect(422).code(), "amount_out_of_range");
    }
    assert_eq!(service.get("/v1/wallet", &buyer.user_token).await.body["balance"], 0);
    assert_eq!(service.get("/v1/wallet/entries", &buyer.user_token).await.body["items"], json!([]));
}

#[tokio::test]
async fn a_charge_without_a_usable_idempotency_key_is_refused() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let missing =
        service.post("/v1/wallet/charges", &buyer.user_token, json!({"amount": 1})).await.expect(400);
    assert!(missing.text("detail").contains("Idempotency-Key"));
    for key in ["", &"k".repeat(256)] {
        let reply =
            service.post_keyed("/v1/wallet/charges", &buyer.user_token, key, json!({"amount": 1})).await;
        assert_eq!(reply.expect(400).code(), "invalid_request");
    }
    let longest = "k".repeat(255);
    service
        .post_keyed("/v1/wallet/charges", &buyer.user_token, &longest, json!({"amount": 1}))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_header_that_was_sent_twice_counts_neither_way() {
    let service = Service::start().await;
    let [buyer, other] = [service.buyer().await, service.buyer().await];
    for (name, value, status, code) in [
        ("authorization", format!("Bearer {}", other.user_token), 401, "invalid_token"),
        ("idempotency-key", "another".to_owned(), 400, "invalid_request"),
    ] {
        let mut twice = raw("/v1/wallet/charges", &buyer.user_token, "application/json", r#"{"amount": 1}"#);
        twice.headers_mut().append(name, value.parse().unwrap());
        let reply = service.send(twice).await.expect(status);
        assert_eq!(reply.code(), code);
        assert!(reply.text("detail").contains(&format!("{name}: the header was sent more than once")));
    }
    for buyer in [buyer, other] {
        assert_eq!(service.get("/v1/wallet", &buyer.user_token).await.body["balance"], 0);
    }
}

#[tokio::test]
async fn a_seat_outside_the_performance_is_unknown_and_named() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    for seat in [0, 51, -1, i64::MIN, i64::MAX, 4_294_967_297] {
        let reply = service.hold(&buyer, seat).await.expect(404);
        assert_eq!(reply.code(), "unknown_seat");
        assert!(reply.text("detail").contains(&format!("no seat {seat}:")), "{reply:?}");
    }
    // Several that can't exist are unknown, too, and not one that is named twice.
    for (seats, named) in
        [(json!([-1, -2]), -1), (json!([7, i64::MAX, 0, -1]), i64::MAX), (json!([0, 51]), 0)]
    {
        let body = json!({"performance_id": SHOW, "seats": seats});
        let reply = service.post("/v1/reservations", &buyer.queue_token, body).await.expect(404);
        assert!(reply.text("detail").contains(&format!("no seat {named}:")), "{reply:?}");
    }
}

#[tokio::test]
async fn seats_that_make_no_list_of_numbers_are_refused() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let lists = [json!(["A1"]), json!([1.5]), json!([]), json!([1, 1]), json!(1), json!(null), json!([[1]])];
    for seats in lists {
        let body = json!({"performance_id": SHOW, "seats": seats});
        let reply = service.post("/v1/reservations", &buyer.queue_token, body).await.expect(400);
        assert_eq!(reply.code(), "invalid_request", "{reply:?}");
    }
}

#[tokio::test]
async fn a_performance_that_is_past_or_off_sale_takes_no_hold_and_lists_no_seat() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    service.put_show(json!({"on_sale": false})).await.expect(200);
    assert_eq!(service.hold(&buyer, 1).await.expect(409).code(), "not_on_sale");
    let seats = service.get(&format!("/v1/performances/{SHOW}/seats"), &buyer.queue_token).await.expect(200);
    assert_eq!(seats.body["available"], json!([]));
    assert_eq!(service.get("/v1/performances", &buyer.queue_token).await.body["items"], json!([]));
    let past = "00000000-0000-4000-8000-0000000000f9";
    service
        .put_show(json!({"performance_id": past, "starts_at": "2001-01-01T20:00:00+09:00"}))
        .await
        .expect(200);
    let body = json!({"performance_id": past, "seats": [1]});
    assert_eq!(
        service.post("/v1/reservations", &buyer.queue_token, body).await.expect(409).code(),
        "not_on_sale"
    );
}

#[tokio::test]
async fn malformed_ids_dates_and_queries_are_refused() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let bad = [
        "/v1/concerts/not-a-uuid/performances".to_owned(),
        "/v1/performances/123/seats".into(),
        "/v1/performances?date=2026-13-01".into(),
        "/v1/performances?date=yesterday".into(),
        "/v1/performances?date=2026-02-30".into(),
        "/v1/performances?when=2026-02-01".into(),
        "/v1/performances?limit=0".into(),
        "/v1/performances?limit=1001".into(),
        "/v1/performances?limit=-1".into(),
        "/v1/performances?cursor=nonsense".into(),
        format!("/v1/performances/{SHOW}/seats?all=maybe"),
        "/v1/reservations/xyz".into(),
        "/v1/reservations?cursor=1.zz".into(),
        "/v1/performances/%ff/seats".into(),
        "/v1/performances?date=%2B10000-01-01".into(),
        "/v1/performances?date=0000-12-31".into(),
        "/v1/performances?date=-0001-01-01".into(),
        format!("/v1/performances?cursor={}.{}", i64::MAX, Uuid::nil().simple()),
        format!("/v1/reservations?cursor={}.{}", i64::MIN, Uuid::nil().simple()),
    ];
    for path in bad {
        let reply = service.get(&path, &buyer.queue_token).await.expect(400);
        assert_eq!(reply.code(), "invalid_request", "{path}");
        let named = ["date", "cursor"].into_iter().find(|name| path.contains(&format!("?{name}=")));
        assert!(reply.text("detail").contains(named.unwrap_or_default()), "{path}: {reply:?}");
        assert!(!reply.text("detail").is_empty());
    }
    service.get("/v1/performances?date=9999-12-31", &buyer.queue_token).await.expect(200);
}

#[tokio::test]
async fn broken_bodies_are_refused_with_what_is_wrong() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let id = Uuid::nil();
    let bodies: [(&[u8], &str); 8] = [
        (b"", "EOF"),
        (b"{", "EOF"),
        (b"[]", "invalid"),
        (b"{\"performance_id\": \"x\", \"seats\": [1]}", "UUID"),
        (b"{\"seats\": [1]}", "performance_id"),
        (b"\xff\xfe{}", "the body"),
        (b"{\"performance_id\": \"\xc3\x28\", \"seats\": [1]}", "the body"),
        (b"{\"seats\": [1], \"seats\": [2]}", "duplicate"),
    ];
    for (body, hint) in bodies {
        let reply = service
            .send(raw("/v1/reservations", &buyer.queue_token, "application/json", body.to_vec()))
            .await;
        assert_eq!(reply.code(), "invalid_request", "{reply:?}");
        assert!(reply.text("detail").contains(hint), "{hint}: {reply:?}");
    }
    let extra = json!({"performance_id": id, "seats": [1], "seat": 2});
    let reply = service.post("/v1/reservations", &buyer.queue_token, extra).await.expect(400);
    assert!(reply.text("detail").contains("unknown field `seat`"), "{reply:?}");
    let deep = "[".repeat(20_000);
    let reply = service.send(raw("/v1/reservations", &buyer.queue_token, "application/json", deep)).await;
    assert_eq!(reply.expect(400).code(), "invalid_request");
}

#[tokio::test]
async fn a_list_of_values_is_no_body() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let admin = &service.secrets.admin_key;
    let calls = [
        ("POST", "/v1/users", "", json!([])),
        ("POST", "/v1/queue/tokens", &buyer.user_token, json!(["main"])),
        ("POST", "/v1/reservations", &buyer.queue_token, json!([SHOW, [1]])),
        ("POST", "/v1/payments", &buyer.queue_token, json!([SHOW])),
        ("PATCH", "/v1/admin/lanes/main", admin, json!([1])),
        ("POST", "/v1/users", "", json!(null)),
    ];
    for (method, path, token, body) in calls {
        let reply = service.call(method, path, token, Some(body)).await.expect(400);
        assert!(reply.text("detail").contains("must be a JSON object"), "{reply:?}");
    }
}

#[tokio::test]
async fn a_body_over_64_kib_or_of_another_type_is_refused() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let big = vec![b' '; 1024 * 1024];
    let reply = service.send(raw("/v1/reservations", &buyer.queue_token, "application/json", big)).await;
    assert_eq!(reply.expect(413).code(), "body_too_large");
    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let reply = service.send(raw("/v1/reservations", &buyer.queue_token, content_type, "{}")).await;
        assert_eq!(reply.expect(415).code(), "unsupported_media_type");
    }
    let body = json!({"performance_id": SHOW, "seats": [1]}).to_string();
    service
        .send(raw("/v1/reservations", &buyer.queue_token, "application/JSON; charset=utf-8", body))
        .await
        .expect(201);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_as_problems() {
    let service = Service::start().await;
    assert_eq!(service.get("/v2/nothing", "").await.expect(404).code(), "unknown_route");
    assert_eq!(service.get("/v1/admin/nothing", "").await.expect(404).code(), "unknown_route");
    let reply = service.call("PUT", "/v1/wallet", "", None).await.expect(405);
    assert_eq!((reply.code(), reply.header("allow")), ("method_not_allowed", Some("GET,HEAD")));
}

#[tokio::test]
async fn unknown_things_are_404_by_name() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let nil = Uuid::nil();
    let queue = &buyer.queue_token;
    assert_eq!(
        service.get(&format!("/v1/concerts/{nil}/performances"), queue).await.expect(404).code(),
        "unknown_concert"
    );
    assert_eq!(
        service.get(&format!("/v1/performances/{nil}/seats"), queue).await.expect(404).code(),
        "unknown_performance"
    );
    let body = json!({"performance_id": nil, "seats": [1]});
    assert_eq!(service.post("/v1/reservations", queue, body).await.expect(404).code(), "unknown_performance");
    assert_eq!(
        service.get(&format!("/v1/reservations/{nil}"), queue).await.expect(404).code(),
        "unknown_reservation"
    );
    assert_eq!(service.pay(&buyer, &nil.to_string()).await.expect(404).code(), "unknown_reservation");
    let refund = json!({"payment_id": nil});
    let reply = service.post("/v1/admin/refunds", &service.secrets.admin_key, refund).await;
    assert_eq!(reply.expect(404).code(), "unknown_payment");
    let lane = service.post("/v1/queue/tokens", &buyer.user_token, json!({"lane": "nowhere"})).await;
    assert_eq!(lane.expect(404).code(), "unknown_lane");
    service.get(&format!("/v1/concerts/{CONCERT}/performances"), queue).await.expect(200);
}

#[tokio::test]
async fn a_balance_too_small_pays_nothing() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let held = service.hold(&buyer, 1).await.expect(201);
    service.charge(&buyer, PRICE - 1).await.expect(201);
    let refused = service.pay(&buyer, &held.text("reservation_id")).await.expect(402);
    assert_eq!(refused.code(), "insufficient_balance");
    assert_eq!(service.get("/v1/wallet", &buyer.user_token).await.body["balance"], PRICE - 1);
    service.charge(&buyer, 1).await.expect(201);
    service.pay(&buyer, &held.text("reservation_id")).await.expect(201);
}

use std::time::Duration;

use booking_core::BookingPolicy;
use serde_json::json;

use crate::support::{CONCERT, PRICE, SHOW, Service, options};

#[tokio::test]
async fn one_purchase_from_token_to_history() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let place = service.get("/v1/queue/status", &buyer.queue_token).await.expect(200);
    assert_eq!((place.body["status"].as_str(), place.body["order"].as_u64()), (Some("admitted"), Some(1)));
    assert_eq!(place.text("user_id"), buyer.id);

    let concerts = service.get("/v1/concerts", "").await.expect(200);
    assert_eq!(concerts.body["items"][0]["concert_id"], CONCERT);
    let dates =
        service.get(&format!("/v1/concerts/{CONCERT}/performances"), &buyer.queue_token).await.expect(200);
    assert_eq!(
        (&dates.body["items"][0]["seats_available"], dates.body["items"].as_array().unwrap().len()),
        (&json!(50), 1)
    );
    let seats = service.get(&format!("/v1/performances/{SHOW}/seats"), &buyer.queue_token).await.expect(200);
    assert_eq!(seats.body["available"], json!((1..=50).collect::<Vec<_>>()));

    let held = service.hold(&buyer, 17).await.expect(201);
    assert_eq!((held.body["status"].as_str(), held.body["amount"].as_i64()), (Some("held"), Some(PRICE)));
    assert_eq!(held.body["payment"]["status"], "due");
    let seats = service.get(&format!("/v1/performances/{SHOW}/seats?all=true"), &buyer.queue_token).await;
    assert_eq!(seats.body["seats"][16], json!({"seat": 17, "status": "held"}));
    assert!(!seats.body["available"].as_array().unwrap().contains(&json!(17)));

    service.charge(&buyer, PRICE + 1).await.expect(201);
    let paid = service.pay(&buyer, &held.text("reservation_id")).await.expect(201);
    assert_eq!(
        (paid.body["balance"].as_i64(), paid.text("payment_id")),
        (Some(1), held.body["payment"]["payment_id"].as_str().unwrap().to_owned())
    );

    let history = service.get("/v1/payments", &buyer.user_token).await.expect(200);
    assert_eq!(history.body["items"][0]["payment_id"], paid.body["payment_id"]);
    let ledger = service.get("/v1/wallet/entries", &buyer.user_token).await.expect(200);
    let kinds: Vec<_> =
        ledger.body["items"].as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["charge", "debit"]);
    let place = service.get("/v1/queue/status", &buyer.queue_token).await.expect(200);
    assert_eq!(
        (place.body["status"].as_str(), place.body["reason"].as_str()),
        (Some("done"), Some("completed"))
    );
    assert!(service.engine.audit().await.unwrap().is_clean());
}

#[tokio::test]
async fn paying_twice_charges_once_and_gives_the_same_answer() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let (held, first) = service.buy(&buyer, 1).await;
    // The queue token is spent by now, but this call it may repeat.
    let second = service.pay(&buyer, &held.text("reservation_id")).await.expect(201);
    assert_eq!(second.body, first.body);
    assert_eq!(
        (first.header("idempotency-replayed"), second.header("idempotency-replayed")),
        (None, Some("true"))
    );
}

#[tokio::test]
async fn a_hold_can_be_paid_after_the_session_time() {
    let service = Service::start().await;
    service.change_lane(json!({"session_ttl_ms": 60_000})).await.expect(200);
    let buyer = service.buyer().await;
    let held = service.hold(&buyer, 1).await.expect(201);
    service.charge(&buyer, PRICE).await.expect(201);
    service.advance(Duration::from_mins(2)).await;
    assert_eq!(service.hold(&buyer, 2).await.expect(401).code(), "token_done");
    service.pay(&buyer, &held.text("reservation_id")).await.expect(201);
}

#[tokio::test]
async fn the_same_key_brings_the_same_reservation_and_another_request_under_it_is_refused() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let hold = async |seat| {
        let body = json!({"performance_id": SHOW, "seats": [seat]});
        service.post_keyed("/v1/reservations", &buyer.queue_token, "my key", body).await
    };
    let first = hold(3).await.expect(201);
    let second = hold(3).await.expect(201);
    assert_eq!(first.body, second.body);
    assert!(second.headers.contains_key("idempotency-replayed"));
    assert_eq!(hold(4).await.expect(422).code(), "idempotency_key_reused");
}

#[tokio::test]
async fn the_same_key_charges_once_and_a_refused_charge_binds_nothing() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let charge = async |amount| {
        service.post_keyed("/v1/wallet/charges", &buyer.user_token, "k", json!({"amount": amount})).await
    };
    assert_eq!(charge(i64::MAX).await.expect(422).code(), "amount_out_of_range");
    let first = charge(500).await.expect(201);
    service.charge(&buyer, 1).await.expect(201);
    let again = charge(500).await.expect(201);
    assert_eq!((first.body["balance"].as_i64(), &again.body), (Some(500), &first.body));
    assert_eq!(charge(501).await.expect(422).code(), "idempotency_key_reused");
    assert_eq!(service.get("/v1/wallet", &buyer.user_token).await.body["balance"], 501);
}

#[tokio::test]
async fn a_request_for_several_seats_is_all_or_nothing() {
    let policy = BookingPolicy { seats_per_user: 3, ..BookingPolicy::default() };
    let service = Service::with(options(), policy).await;
    let (first, second) = (service.buyer().await, service.buyer().await);
    service.hold(&first, 2).await.expect(201);
    let body = json!({"performance_id": SHOW, "seats": [3, 2, 1]});
    let refused = service.post("/v1/reservations", &second.queue_token, body).await.expect(409);
    assert_eq!((refused.code(), &refused.body["seats"]), ("seat_taken", &json!([2])));
    let body = json!({"performance_id": SHOW, "seats": [5, 4, 6]});
    let held = service.post("/v1/reservations", &second.queue_token, body).await.expect(201);
    assert_eq!((&held.body["seats"], held.body["amount"].as_i64()), (&json!([4, 5, 6]), Some(3 * PRICE)));
}

#[tokio::test]
async fn an_expired_hold_gives_the_seat_to_the_next_without_any_sweep() {
    let service = Service::start().await;
    let (first, second) = (service.buyer().await, service.buyer().await);
    service.hold(&second, 9).await.expect(201);
    service.delete("/v1/queue/tokens", &second.queue_token).await.expect(204);
    let held = service.hold(&first, 1).await.expect(201);
    service.charge(&first, PRICE).await.expect(201);
    service.clock.advance(Duration::from_mins(5));
    let third = service.buyer().await;
    service.hold(&third, 1).await.expect(201);
    assert_eq!(service.pay(&first, &held.text("reservation_id")).await.expect(409).code(), "hold_expired");
    let seen =
        service.get(&format!("/v1/reservations/{}", held.text("reservation_id")), &first.user_token).await;
    assert_eq!((seen.body["status"].as_str(), seen.body.get("payment")), (Some("expired"), None));
    assert_eq!(service.get("/v1/wallet", &first.user_token).await.body["balance"], PRICE);
}

#[tokio::test]
async fn performances_are_listed_by_their_local_date() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    // 23:30 in New York is the next day in UTC; the date that counts is that of the place.
    service.put_show(json!({"starts_at": "2031-05-04T23:30:00-04:00", "performance_id": "00000000-0000-4000-8000-0000000000f2"})).await.expect(200);
    let on = async |date: &str| {
        let found =
            service.get(&format!("/v1/performances?date={date}"), &buyer.queue_token).await.expect(200);
        found.body["items"].as_array().unwrap().len()
    };
    assert_eq!((on("2031-05-04").await, on("2031-05-05").await), (1, 0));
}

#[tokio::test]
async fn lists_come_in_pages_without_gaps_or_repeats() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    for amount in 1..=7 {
        service.charge(&buyer, amount).await.expect(201);
    }
    let (mut cursor, mut amounts) = (String::new(), Vec::new());
    loop {
        let page =
            service.get(&format!("/v1/wallet/entries?limit=3{cursor}"), &buyer.user_token).await.expect(200);
        amounts.extend(
            page.body["items"].as_array().unwrap().iter().map(|entry| entry["amount"].as_i64().unwrap()),
        );
        let Some(next) = page.body["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(amounts, [1, 2, 3, 4, 5, 6, 7]);
}

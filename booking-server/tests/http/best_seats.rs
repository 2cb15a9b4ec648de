//! Asking for the best seats instead of naming them (H7).

use booking_core::BookingPolicy;
use serde_json::{Value, json};

use crate::support::{Buyer, PRICE, Reply, SHOW, Service, options};

async fn start() -> Service {
    Service::with(options(), BookingPolicy { seats_per_user: 50, ..BookingPolicy::default() }).await
}

async fn reserve(service: &Service, buyer: &Buyer, fields: Value) -> Reply {
    let mut body = json!({"performance_id": SHOW});
    for (field, value) in fields.as_object().unwrap() {
        body[field] = value.clone();
    }
    service.post_keyed("/v1/reservations", &buyer.queue_token, "one key", body).await
}

#[tokio::test]
async fn the_best_seats_are_held_and_the_same_request_gives_the_same() {
    let service = start().await;
    let (buyer, other) = (service.buyer().await, service.buyer().await);
    let held = reserve(&service, &buyer, json!({"best": 3})).await.expect(201);
    assert_eq!((&held.body["seats"], held.body["amount"].as_i64()), (&json!([24, 25, 26]), Some(3 * PRICE)));
    let again = reserve(&service, &buyer, json!({"best": 3})).await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &held.body));
    let reused = reserve(&service, &buyer, json!({"best": 2})).await.expect(422);
    assert_eq!(reused.code(), "idempotency_key_reused");
    let next = reserve(&service, &other, json!({"best": 2})).await.expect(201);
    assert_eq!(next.body["seats"], json!([27, 28]));
}

#[tokio::test]
async fn more_adjacent_seats_than_there_are_are_refused_and_the_most_there_are_is_told() {
    let service = start().await;
    let (buyer, other) = (service.buyer().await, service.buyer().await);
    let all_but_some: Vec<u32> = (1..=50).filter(|seat| ![7, 8, 40].contains(seat)).collect();
    reserve(&service, &other, json!({"seats": all_but_some})).await.expect(201);
    let refused = reserve(&service, &buyer, json!({"best": 3})).await.expect(409);
    assert_eq!((refused.code(), refused.body["longest"].as_i64()), ("no_adjacent_seats", Some(2)));
    let held = reserve(&service, &buyer, json!({"best": 2})).await.expect(201);
    assert_eq!(held.body["seats"], json!([7, 8]), "a refusal binds no key");
}

#[tokio::test]
async fn a_request_names_seats_or_how_many_and_never_both() {
    let service = start().await;
    let buyer = service.buyer().await;
    for neither_or_both in [json!({}), json!({"seats": [1], "best": 1}), json!({"seats": null, "best": null})]
    {
        let refused = reserve(&service, &buyer, neither_or_both.clone()).await.expect(400);
        assert_eq!(refused.code(), "invalid_request", "{neither_or_both}");
        let detail = refused.text("detail");
        assert!(detail.contains("either `seats`") && detail.contains("or `best`"), "{detail}");
    }
    for senseless in [json!(0), json!(-1), json!(1.5), json!("2"), json!([2]), json!(4_294_967_296_u64)] {
        let refused = reserve(&service, &buyer, json!({"best": senseless})).await.expect(400);
        assert_eq!(refused.code(), "invalid_request", "{senseless}");
    }
    let many = reserve(&service, &buyer, json!({"best": u32::MAX})).await.expect(409);
    assert_eq!((many.code(), many.body["longest"].as_i64()), ("no_adjacent_seats", Some(50)));
}

//! What operators read and do for one person.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{PRICE, SHOW, Service};

impl Service {
    async fn operator(&self, path: &str) -> crate::support::Reply {
        self.get(&format!("/v1/admin/{path}"), &self.secrets.admin_key).await
    }

    async fn release_any(&self, reservation: &str, body: Option<Value>) -> crate::support::Reply {
        let path = format!("/v1/admin/reservations/{reservation}/release");
        self.call("POST", &path, &self.secrets.admin_key, body).await
    }

    /// How many events the log has, by which one sees whether anything changed.
    async fn events(&self) -> u64 {
        self.operator("events?limit=1000").await.body["next_after"].as_u64().unwrap()
    }
}

#[tokio::test]
async fn an_operator_gives_a_hold_back_after_a_dry_run_that_changes_nothing() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let held = service.hold(&buyer, 7).await.expect(201).text("reservation_id");
    let before = service.events().await;
    let rehearsed = service.release_any(&held, Some(json!({"dry_run": true}))).await.expect(200);
    assert_eq!(service.events().await, before);
    let released = service.release_any(&held, None).await.expect(200);
    assert_eq!(released.body, rehearsed.body);
    assert_eq!(
        (released.body["user_id"].as_str(), released.body["reservation"]["status"].as_str()),
        (Some(buyer.id.as_str()), Some("released"))
    );
    let again = service.release_any(&held, Some(json!({}))).await.expect(200);
    assert!(again.headers.contains_key("idempotency-replayed"));
    service.hold(&buyer, 8).await.expect(201);
}

#[tokio::test]
async fn what_cannot_be_released_is_refused_in_the_dry_run_too() {
    let service = Service::start().await;
    let (buyer, late) = (service.buyer().await, service.buyer().await);
    let (bought, _) = service.buy(&buyer, 1).await;
    let held = service.hold(&late, 2).await.expect(201).text("reservation_id");
    service.advance(Duration::from_mins(5)).await;
    let nobody = uuid::Uuid::nil().to_string();
    let cases = [
        (bought.text("reservation_id"), 409, "reservation_not_releasable"),
        (held, 409, "hold_expired"),
        (nobody, 404, "unknown_reservation"),
    ];
    for (id, status, code) in cases {
        for dry_run in [true, false] {
            let refused = service.release_any(&id, Some(json!({"dry_run": dry_run}))).await;
            assert_eq!(refused.expect(status).code(), code);
        }
    }
}

#[tokio::test]
async fn a_dry_refund_tells_the_balance_and_keeps_the_money() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let (held, paid) = service.buy(&buyer, 7).await;
    let payment = paid.text("payment_id");
    let before = service.events().await;
    let body = json!({"payment_id": payment, "dry_run": true});
    let rehearsed = service.post("/v1/admin/refunds", &service.secrets.admin_key, body).await.expect(200);
    assert_eq!(
        (rehearsed.body["status"].as_str(), rehearsed.body["balance"].as_i64()),
        (Some("refunded"), Some(PRICE))
    );
    assert_eq!(service.events().await, before);
    let kept = service.operator(&format!("payments/{payment}")).await.expect(200).body;
    assert_eq!((&kept["user_id"], &kept["payment"]["status"]), (&json!(buyer.id), &json!("paid")));
    assert_eq!(kept["payment"]["reservation_id"], held.body["reservation_id"]);
    let unknown = service.operator("payments/00000000-0000-4000-8000-000000000000").await;
    assert_eq!(unknown.expect(404).code(), "unknown_payment");
}

#[tokio::test]
async fn a_users_reservations_and_ledger_are_read_by_the_operator() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let (held, _) = service.buy(&buyer, 7).await;
    let of_user = |what: &str| format!("users/{}/{what}", buyer.id);
    let reservations = service.operator(&of_user("reservations")).await.expect(200).body;
    assert_eq!(reservations["items"][0]["reservation_id"], held.body["reservation_id"]);
    let entries = service.operator(&of_user("entries?limit=1")).await.expect(200).body;
    assert_eq!((&entries["items"][0]["kind"], entries["next_cursor"].is_string()), (&json!("charge"), true));
    let one = service.operator(&format!("reservations/{}", held.text("reservation_id"))).await.expect(200);
    assert_eq!((one.text("user_id"), &one.body["reservation"]), (buyer.id, &reservations["items"][0]));
    for what in ["reservations", "entries"] {
        let nobody = service.operator(&format!("users/00000000-0000-4000-8000-000000000000/{what}")).await;
        assert_eq!(nobody.expect(404).code(), "unknown_user");
        let bad = service.operator(&format!("users/{SHOW}x/{what}")).await;
        assert_eq!(bad.expect(400).code(), "invalid_request");
    }
}

#[tokio::test]
async fn the_history_of_a_seat_tells_every_move_of_it_and_of_no_other() {
    let service = Service::start().await;
    let (buyer, other) = (service.buyer().await, service.buyer().await);
    service.buy(&buyer, 7).await;
    service.hold(&other, 8).await.expect(201);
    let history = service.operator(&format!("performances/{SHOW}/seats/7/history")).await.expect(200).body;
    let kinds: Vec<_> = history["items"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["seats_held", "seats_sold"]);
    let seat =
        async |seat: &str| service.operator(&format!("performances/{SHOW}/seats/{seat}/history")).await;
    assert_eq!(seat("51").await.expect(404).code(), "unknown_seat");
    assert_eq!(seat("0").await.expect(404).code(), "unknown_seat");
    assert_eq!(seat("x").await.expect(400).code(), "invalid_request");
}

use serde_json::{Value, json};

use booking_core::BookingPolicy;
use booking_server::Options;

use crate::support::{CONCERT, PRICE, SHOW, Service, options};

const ADMIN_CALLS: [(&str, &str); 7] = [
    ("POST", "/v1/admin/concerts"),
    ("GET", "/v1/admin/lanes"),
    ("GET", "/v1/admin/lanes/main"),
    ("PATCH", "/v1/admin/lanes/main"),
    ("POST", "/v1/admin/refunds"),
    ("GET", "/v1/admin/events"),
    ("GET", "/v1/admin/audit"),
];

#[tokio::test]
async fn operator_calls_take_the_admin_key_and_nothing_else() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    for (method, path) in ADMIN_CALLS {
        let body = (method != "GET").then(|| json!({}));
        for token in ["", "wrong"] {
            assert_eq!(
                service.call(method, path, token, body.clone()).await.expect(401).code(),
                "invalid_token"
            );
        }
        for token in [&buyer.user_token, &buyer.queue_token, &service.secrets.service_key] {
            assert_eq!(service.call(method, path, token, body.clone()).await.expect(403).code(), "forbidden");
        }
    }
}

#[tokio::test]
async fn closed_signup_and_charges_need_their_keys() {
    let closed = Options { open_signup: false, open_charges: false, ..options() };
    let service = Service::with(closed, BookingPolicy::default()).await;
    assert_eq!(service.post("/v1/users", "", json!({})).await.expect(401).code(), "invalid_token");
    let admin = service.secrets.admin_key.clone();
    let user = service.post("/v1/users", &admin, json!({"user_id": CONCERT})).await.expect(201);
    assert_eq!(user.text("user_id"), CONCERT);
    let charge =
        async |token: &str, body: Value| service.post_keyed("/v1/wallet/charges", token, "k", body).await;
    assert_eq!(charge(&user.text("user_token"), json!({"amount": 5})).await.expect(403).code(), "forbidden");
    let key = service.secrets.service_key.clone();
    assert_eq!(charge(&key, json!({"amount": 5})).await.expect(400).code(), "invalid_request");
    assert_eq!(charge(&key, json!({"amount": 5, "user_id": SHOW})).await.expect(404).code(), "unknown_user");
    let charged = charge(&key, json!({"amount": 5, "user_id": CONCERT})).await.expect(201);
    assert_eq!(charged.body["balance"], 5);
    assert_eq!(
        charge(&admin, json!({"amount": 5, "user_id": CONCERT})).await.expect(401).code(),
        "invalid_token"
    );
}

#[tokio::test]
async fn who_signs_up_freely_chooses_no_id_and_charges_nobody_else() {
    let service = Service::start().await;
    let refused = service.post("/v1/users", "", json!({"user_id": CONCERT})).await.expect(403);
    assert_eq!(refused.code(), "forbidden");
    let (mine, token) = service.sign_up().await;
    let charge = async |user: &str| {
        service.post_keyed("/v1/wallet/charges", &token, "k", json!({"amount": 5, "user_id": user})).await
    };
    assert_eq!(charge(CONCERT).await.expect(403).code(), "forbidden");
    charge(&mine).await.expect(201);
}

#[tokio::test]
async fn the_same_concerts_twice_change_nothing_and_a_price_binds_new_holds_only() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let held = service.hold(&buyer, 1).await.expect(201);
    assert_eq!(service.put_show(json!({})).await.body, json!({"added": 0, "changed": 0, "unchanged": 1}));
    let changed = service.put_show(json!({"price": 1, "seats": 10})).await.expect(200);
    assert_eq!(changed.body["changed"], 1);
    service.charge(&buyer, PRICE).await.expect(201);
    let paid = service.pay(&buyer, &held.text("reservation_id")).await.expect(201);
    assert_eq!(paid.body["amount"], PRICE);
    let next = service.buyer().await;
    // Seats never shrink: 50 is still there.
    assert_eq!(service.hold(&next, 50).await.expect(201).body["amount"], 1);
}

#[tokio::test]
async fn a_concert_that_makes_no_sense_is_refused_with_what_is_wrong() {
    let service = Service::start().await;
    for (change, hint) in [
        (json!({"seats": 0}), "seats must be 1 to 20000"),
        (json!({"seats": 20_001}), "seats must be 1 to 20000"),
        (json!({"price": -1}), "must not be negative"),
        (json!({"starts_at": "2030-01-01"}), "the body"),
        (json!({"starts_at": "0000-12-31T12:00:00Z"}), "starts_at of performance"),
        (json!({"starts_at": "0001-01-01T00:00:00+09:00"}), "starts_at of performance"),
        (json!({"starts_at": "9999-12-31T23:30:00-01:00"}), "starts_at of performance"),
        (json!({"starts_at": "+10000-01-01T12:00:00Z"}), "starts_at"),
        (json!({"colour": "red"}), "unknown field `colour`"),
    ] {
        let refused = service.put_show(change).await.expect(400);
        assert!(refused.text("detail").contains(hint), "{refused:?}");
    }
}

#[tokio::test]
async fn a_refund_gives_money_and_seat_back_once() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let (_, paid) = service.buy(&buyer, 7).await;
    let refund = json!({"payment_id": paid.text("payment_id")});
    let admin = service.secrets.admin_key.clone();
    let first = service.post("/v1/admin/refunds", &admin, refund.clone()).await.expect(201);
    let second = service.post("/v1/admin/refunds", &admin, refund).await.expect(201);
    assert_eq!(
        (first.body["status"].as_str(), first.body["balance"].as_i64()),
        (Some("refunded"), Some(PRICE))
    );
    assert_eq!((&second.body, second.headers.contains_key("idempotency-replayed")), (&first.body, true));
    let next = service.buyer().await;
    service.hold(&next, 7).await.expect(201);
    let audit = service.get("/v1/admin/audit", &admin).await.expect(200);
    assert_eq!(audit.body["clean"], true, "{audit:?}");
}

#[tokio::test]
async fn events_are_read_by_cursor_in_order() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    service.buy(&buyer, 7).await;
    let admin = service.secrets.admin_key.clone();
    let (mut after, mut kinds) = (0, Vec::new());
    loop {
        let page = service.get(&format!("/v1/admin/events?after={after}&limit=2"), &admin).await.expect(200);
        let items = page.body["items"].as_array().unwrap().clone();
        if items.is_empty() {
            break;
        }
        kinds.extend(items.iter().map(|event| event["type"].as_str().unwrap().to_owned()));
        assert_eq!(page.body["next_after"], items.last().unwrap()["seq"]);
        after = page.body["next_after"].as_u64().unwrap();
    }
    let expected = [
        "lane_set",
        "concert_added",
        "performance_added",
        "wallet_opened",
        "seats_held",
        "wallet_charged",
        "wallet_debited",
        "seats_sold",
        "payment_made",
    ];
    assert_eq!(kinds, expected);
    service.get("/v1/admin/events?limit=0", &admin).await.expect(400);
}

#[tokio::test]
async fn lane_settings_that_make_no_sense_are_refused() {
    let service = Service::start().await;
    for change in
        [json!({"admit_per_second": 0}), json!({"claim_ttl_ms": 0}), json!({"capacity": -1}), json!({"x": 1})]
    {
        assert_eq!(service.change_lane(change).await.expect(400).code(), "invalid_request");
    }
    let bad_name = service
        .call("PATCH", "/v1/admin/lanes/Not%20A%20Lane", &service.secrets.admin_key, Some(json!({})))
        .await;
    assert_eq!(bad_name.expect(400).code(), "invalid_request");
    assert_eq!(
        service.get("/v1/admin/lanes/none", &service.secrets.admin_key).await.expect(404).code(),
        "unknown_lane"
    );
}

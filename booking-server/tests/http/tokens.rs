use std::time::Duration;

use axum::{body::Body, http::Request};
use booking_core::{Epoch, LaneName, Ticket, id::UserId};
use booking_server::{Tokens, system_clock};
use serde_json::json;
use uuid::Uuid;

use crate::support::{CONCERT, SHOW, Service};

/// Every call that takes a queue token, with a body that would do.
fn queue_calls() -> Vec<(&'static str, String, Option<serde_json::Value>)> {
    let reservation = Uuid::nil();
    vec![
        ("GET", "/v1/queue/status".into(), None),
        ("GET", "/v1/queue/events".into(), None),
        ("DELETE", "/v1/queue/tokens".into(), None),
        ("GET", format!("/v1/concerts/{CONCERT}/performances"), None),
        ("GET", "/v1/performances".into(), None),
        ("GET", format!("/v1/performances/{SHOW}/seats"), None),
        ("GET", format!("/v1/performances/{SHOW}/seats/events"), None),
        ("POST", "/v1/reservations".into(), Some(json!({"performance_id": SHOW, "seats": [1]}))),
        ("POST", "/v1/payments".into(), Some(json!({"reservation_id": reservation}))),
    ]
}

/// Every call that takes a user token.
fn user_calls() -> Vec<(&'static str, &'static str, Option<serde_json::Value>)> {
    vec![
        ("POST", "/v1/queue/tokens", None),
        ("GET", "/v1/payments", None),
        ("GET", "/v1/wallet", None),
        ("GET", "/v1/wallet/entries", None),
        ("POST", "/v1/wallet/charges", Some(json!({"amount": 1}))),
        ("GET", "/v1/reservations", None),
    ]
}

#[tokio::test]
async fn a_missing_forged_or_swapped_token_is_refused_by_every_call() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let other = Tokens::new(&["another service's secret".to_owned()], Duration::from_hours(1));
    let user = UserId(buyer.id.parse().unwrap());
    let ticket = Ticket { lane: LaneName::main(), epoch: Epoch(1), seq: 1, user };
    let (foreign_user, _) = other.user_token(user, system_clock()).unwrap();
    let foreign_queue = other.queue_token(&ticket).unwrap();
    for (method, path, body) in queue_calls() {
        for token in ["", "x", &foreign_queue, &buyer.user_token] {
            let reply = service.call(method, &path, token, body.clone()).await.expect(401);
            assert_eq!((reply.code(), reply.header("www-authenticate")), ("invalid_token", Some("Bearer")));
        }
    }
    for (method, path, body) in user_calls() {
        for token in ["", "x", &foreign_user] {
            assert_eq!(
                service.call(method, path, token, body.clone()).await.expect(401).code(),
                "invalid_token"
            );
        }
        if path != "/v1/reservations" {
            let swapped = service.call(method, path, &buyer.queue_token, body).await.expect(401);
            assert!(swapped.text("detail").contains("queue token"), "{swapped:?}");
        }
    }
}

#[tokio::test]
async fn an_expired_user_token_is_refused() {
    let service = Service::start().await;
    let tokens = Tokens::new(&service.secrets.token_secrets, Duration::from_hours(1));
    let (id, _) = service.sign_up().await;
    let issued = system_clock().before(Duration::from_hours(2));
    let (token, _) = tokens.user_token(UserId(id.parse().unwrap()), issued).unwrap();
    let reply = service.get("/v1/wallet", &token).await.expect(401);
    assert!(reply.text("detail").contains("expired"), "{reply:?}");
}

#[tokio::test]
async fn a_token_of_another_epoch_or_number_is_refused() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let tokens = Tokens::new(&service.secrets.token_secrets, Duration::from_hours(1));
    let user = UserId(buyer.id.parse().unwrap());
    let epoch = service.engine.lane(&LaneName::main()).await.unwrap().snapshot.unwrap().epoch;
    let signed =
        |epoch, seq, user| tokens.queue_token(&Ticket { lane: LaneName::main(), epoch, seq, user }).unwrap();
    let reset = signed(Epoch(epoch.0 ^ 1), 1, user);
    assert_eq!(service.get("/v1/queue/status", &reset).await.expect(401).code(), "queue_reset");
    for invalid in [signed(epoch, 99, user), signed(epoch, 0, user), signed(epoch, 1, UserId(Uuid::nil()))] {
        assert_eq!(service.get("/v1/queue/status", &invalid).await.expect(401).code(), "invalid_token");
    }
    service.get("/v1/queue/status", &signed(epoch, 1, user)).await.expect(200);
}

#[tokio::test]
async fn a_user_token_of_somebody_unknown_finds_no_wallet_and_no_place() {
    let service = Service::start().await;
    let tokens = Tokens::new(&service.secrets.token_secrets, Duration::from_hours(1));
    let (stranger, _) = tokens.user_token(UserId(Uuid::nil()), system_clock()).unwrap();
    assert_eq!(service.get("/v1/wallet", &stranger).await.expect(404).code(), "unknown_user");
    assert_eq!(
        service.post("/v1/queue/tokens", &stranger, json!({})).await.expect(404).code(),
        "unknown_user"
    );
}

#[tokio::test]
async fn an_authorization_of_another_scheme_is_refused() {
    let service = Service::start().await;
    for value in ["Basic dXNlcjpwYXNz", "Bearer", "", "Bearer  "] {
        let request = Request::get("/v1/wallet").header("authorization", value).body(Body::empty()).unwrap();
        assert_eq!(service.send(request).await.expect(401).code(), "invalid_token", "{value:?}");
    }
}

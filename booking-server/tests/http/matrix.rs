//! Who may call what: every call of the router, asked by everybody. A new call without a row fails here.

use std::{collections::BTreeSet, time::Duration};

use axum::{
    body::Body,
    http::{Request, header},
};
use booking_core::{BookingPolicy, id::UserId};
use booking_server::{Options, Tokens, calls, system_clock};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

use crate::support::{CONCERT, PRICE, SHOW, Service, options};

/// Those who ask, in the order of the table's columns.
#[derive(Clone, Copy, Debug)]
enum Who {
    /// Whose reservation, payment and place it is.
    Owner,
    Other,
    Anonymous,
    /// With a token that is over: a user token that expired where one is needed, else the queue token of somebody who left.
    Ended,
    /// With a queue token of another lane.
    OtherLane,
    Admin,
    Service,
}

const EVERYBODY: [Who; 7] =
    [Who::Owner, Who::Other, Who::Anonymous, Who::Ended, Who::OtherLane, Who::Admin, Who::Service];

/// Which token a call is made with by those who have both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With {
    User,
    Queue,
}

use With::{Queue, User};

/// A call, the token it is tried with, and the status and code that each of [`EVERYBODY`] gets.
type Row = (&'static str, With, [&'static str; 7]);

const NO_TOKEN: &str = "401 invalid_token";
const DONE: &str = "401 token_done";
const FORBIDDEN: &str = "403 forbidden";
const LANE: &str = "403 wrong_lane";
const UNKNOWN: &str = "404 unknown_reservation";
/// Anybody, with any token or none.
const PUBLIC: [&str; 7] = ["200"; 7];
const OPERATORS: [&str; 7] = [FORBIDDEN, FORBIDDEN, NO_TOKEN, NO_TOKEN, FORBIDDEN, "200", FORBIDDEN];
/// Everybody sees what is theirs, by the user token alone.
const OWN: [&str; 7] = ["200", "200", NO_TOKEN, NO_TOKEN, NO_TOKEN, NO_TOKEN, NO_TOKEN];

#[rustfmt::skip]
const TABLE: &[Row] = &[
    //                                             owner      other      anonymous ended     other lane admin     service
    ("POST /v1/users", User,                      [FORBIDDEN, FORBIDDEN, NO_TOKEN, NO_TOKEN, FORBIDDEN, "201", FORBIDDEN]),
    ("POST /v1/queue/tokens", User,               OWN),
    ("GET /v1/queue/status", Queue,               ["200", "200", NO_TOKEN, "200", "200", NO_TOKEN, NO_TOKEN]),
    ("GET /v1/queue/events", Queue,               ["200", "200", NO_TOKEN, "200", "200", NO_TOKEN, NO_TOKEN]),
    ("DELETE /v1/queue/tokens", Queue,            ["204", "204", NO_TOKEN, "204", "204", NO_TOKEN, NO_TOKEN]),
    ("GET /v1/concerts", User,                    PUBLIC),
    ("GET /v1/concerts/{id}/performances", Queue, ["200", "200", NO_TOKEN, DONE, LANE, NO_TOKEN, NO_TOKEN]),
    ("GET /v1/performances", Queue,               ["200", "200", NO_TOKEN, DONE, "200", NO_TOKEN, NO_TOKEN]),
    ("GET /v1/performances/{id}/seats", Queue,    ["200", "200", NO_TOKEN, DONE, LANE, NO_TOKEN, NO_TOKEN]),
    ("GET /v1/performances/{id}/seats/events", Queue, ["200", "200", NO_TOKEN, DONE, LANE, NO_TOKEN, NO_TOKEN]),
    ("POST /v1/reservations", Queue,              ["201", "409 seat_taken", NO_TOKEN, DONE, LANE, NO_TOKEN, NO_TOKEN]),
    ("GET /v1/reservations", Queue,               ["200", "200", NO_TOKEN, "200", "200", NO_TOKEN, NO_TOKEN]),
    ("GET /v1/reservations", User,                ["200", "200", NO_TOKEN, NO_TOKEN, "200", NO_TOKEN, NO_TOKEN]),
    ("GET /v1/reservations/{id}", Queue,          ["200", UNKNOWN, NO_TOKEN, UNKNOWN, UNKNOWN, NO_TOKEN, NO_TOKEN]),
    ("GET /v1/reservations/{id}", User,           ["200", UNKNOWN, NO_TOKEN, NO_TOKEN, UNKNOWN, NO_TOKEN, NO_TOKEN]),
    ("DELETE /v1/reservations/{id}", Queue,       ["204", UNKNOWN, NO_TOKEN, UNKNOWN, UNKNOWN, NO_TOKEN, NO_TOKEN]),
    ("DELETE /v1/reservations/{id}", User,        ["204", UNKNOWN, NO_TOKEN, NO_TOKEN, UNKNOWN, NO_TOKEN, NO_TOKEN]),
    ("POST /v1/payments", Queue,                  ["201", UNKNOWN, NO_TOKEN, DONE, UNKNOWN, NO_TOKEN, NO_TOKEN]),
    ("GET /v1/payments", User,                    OWN),
    ("GET /v1/wallet", User,                      OWN),
    ("GET /v1/wallet/entries", User,              OWN),
    ("POST /v1/wallet/charges", User,             [FORBIDDEN, FORBIDDEN, NO_TOKEN, NO_TOKEN, NO_TOKEN, NO_TOKEN, "201"]),
    ("POST /v1/admin/concerts", User,             OPERATORS),
    ("GET /v1/admin/lanes", User,                 OPERATORS),
    ("GET /v1/admin/lanes/{lane}", User,          OPERATORS),
    ("PATCH /v1/admin/lanes/{lane}", User,        OPERATORS),
    ("POST /v1/admin/refunds", User,              [FORBIDDEN, FORBIDDEN, NO_TOKEN, NO_TOKEN, FORBIDDEN, "201", FORBIDDEN]),
    ("GET /v1/admin/payments/{id}", User,         OPERATORS),
    ("GET /v1/admin/reservations/{id}", User,     OPERATORS),
    ("POST /v1/admin/reservations/{id}/release", User, OPERATORS),
    ("GET /v1/admin/users/{id}/reservations", User, OPERATORS),
    ("GET /v1/admin/users/{id}/entries", User,    OPERATORS),
    ("GET /v1/admin/performances/{id}/seats/{seat}/history", User, OPERATORS),
    ("GET /v1/admin/events", User,                OPERATORS),
    ("GET /v1/admin/audit", User,                 OPERATORS),
    ("GET /health/live", User,                    ["204"; 7]),
    ("GET /health/ready", User,                   ["204"; 7]),
    ("GET /metrics", User,                        PUBLIC),
    ("GET /openapi.json", User,                   PUBLIC),
    ("GET /docs", User,                           PUBLIC),
    ("GET /docs/{file}", User,                    PUBLIC),
];

/// A service as it runs for real, without open sign-up and charges, with somebody for each column.
struct Stage {
    service: Service,
    owner: Person,
    other: Person,
    /// Left, and the user token expired.
    ended: Person,
    other_lane: Person,
    /// The owner's, held and with enough in the wallet to pay it.
    reservation: String,
    /// A payment of somebody who has left the stage.
    payment: String,
}

struct Person {
    id: String,
    user_token: String,
    queue_token: String,
}

impl Stage {
    async fn set() -> Self {
        let closed = Options { open_signup: false, open_charges: false, ..options() };
        let service = Service::with(closed, BookingPolicy::default()).await;
        let admin = service.secrets.admin_key.clone();
        service.call("PATCH", "/v1/admin/lanes/hot", &admin, Some(json!({}))).await.expect(200);
        let [owner, other, buyer] = [(); 3].map(|()| Person::enter(&service, "main"));
        let (owner, other, buyer) = (owner.await, other.await, buyer.await);
        let mut ended = Person::enter(&service, "main").await;
        service.delete("/v1/queue/tokens", &ended.queue_token).await.expect(204);
        let tokens = Tokens::new(&service.secrets.token_secrets, Duration::from_hours(1));
        let long_ago = system_clock().before(Duration::from_hours(2));
        ended.user_token = tokens.user_token(UserId(ended.id.parse().unwrap()), long_ago).unwrap().0;
        let other_lane = Person::enter(&service, "hot").await;
        let reservation = owner.hold(&service, 1).await;
        let sold = buyer.hold(&service, 2).await;
        let paid = service.post("/v1/payments", &buyer.queue_token, json!({"reservation_id": sold})).await;
        let payment = paid.expect(201).text("payment_id");
        Self { service, owner, other, ended, other_lane, reservation, payment }
    }

    fn token(&self, who: Who, with: With) -> &str {
        let person = match who {
            Who::Anonymous => return "",
            Who::Admin => return &self.service.secrets.admin_key,
            Who::Service => return &self.service.secrets.service_key,
            Who::OtherLane => return &self.other_lane.queue_token,
            Who::Owner => &self.owner,
            Who::Other => &self.other,
            Who::Ended => &self.ended,
        };
        if with == User { &person.user_token } else { &person.queue_token }
    }

    /// The path with what it names filled in, and a body that would do.
    fn request(&self, method: &str, path: &str) -> (String, Option<Value>) {
        let id = if path.starts_with("/v1/reservations") || path.starts_with("/v1/admin/reservations") {
            &self.reservation
        } else if path.starts_with("/v1/admin/payments") {
            &self.payment
        } else if path.starts_with("/v1/admin/users") {
            &self.owner.id
        } else if path.starts_with("/v1/concerts") {
            CONCERT
        } else {
            SHOW
        };
        let body = match (method, path) {
            ("POST", "/v1/reservations") => Some(json!({"performance_id": SHOW, "seats": [1]})),
            ("POST", "/v1/payments") => Some(json!({"reservation_id": self.reservation})),
            ("POST", "/v1/wallet/charges") => Some(json!({"amount": 1, "user_id": self.owner.id})),
            ("POST", "/v1/admin/refunds") => Some(json!({"payment_id": self.payment})),
            ("POST", "/v1/admin/concerts") => Some(json!({"concerts": []})),
            ("POST" | "PATCH", _) => Some(json!({})),
            _ => None,
        };
        let filled = path
            .replace("{id}", id)
            .replace("{lane}", "main")
            .replace("{seat}", "1")
            .replace("{file}", "page.js");
        (filled, body)
    }

    /// What is answered, as in the table, and the body.
    async fn ask(&self, call: &str, token: &str) -> (String, String) {
        let (method, path) = call.split_once(' ').unwrap();
        let (path, body) = self.request(method, path);
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        request = request.header("idempotency-key", "of the matrix");
        request = request.header(header::CONTENT_TYPE, "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.service.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status();
        let is_stream =
            response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        if is_stream {
            return (status.as_u16().to_string(), String::new());
        }
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let told = match serde_json::from_str::<Value>(&text) {
            Ok(problem) if !status.is_success() => {
                format!("{} {}", status.as_u16(), problem["code"].as_str().unwrap())
            }
            _ => status.as_u16().to_string(),
        };
        (told, text)
    }
}

impl Person {
    /// Somebody in the lane, with enough in the wallet for a seat.
    async fn enter(service: &Service, lane: &str) -> Self {
        let (admin, service_key) = (&service.secrets.admin_key, &service.secrets.service_key);
        let user = service.post("/v1/users", admin, json!({})).await.expect(201);
        let (id, user_token) = (user.text("user_id"), user.text("user_token"));
        let key = Uuid::new_v4().to_string();
        let charge = json!({"amount": PRICE, "user_id": id});
        service.post_keyed("/v1/wallet/charges", service_key, &key, charge).await.expect(201);
        let entered = service.post("/v1/queue/tokens", &user_token, json!({"lane": lane})).await.expect(201);
        Self { id, user_token, queue_token: entered.text("queue_token") }
    }

    async fn hold(&self, service: &Service, seat: u32) -> String {
        let body = json!({"performance_id": SHOW, "seats": [seat]});
        let held = service.post("/v1/reservations", &self.queue_token, body).await;
        held.expect(201).text("reservation_id")
    }
}

/// Where the service does otherwise than the table says, or tells a stranger of the owner.
async fn differences(table: &[Row]) -> Vec<String> {
    let mut differences = Vec::new();
    for (call, with, expected) in table {
        for (who, expected) in EVERYBODY.into_iter().zip(*expected) {
            let stage = Stage::set().await;
            let (told, body) = stage.ask(call, stage.token(who, *with)).await;
            if told != expected {
                differences.push(format!("{call} by {who:?} with {with:?}: {told}, not {expected}: {body}"));
            }
            let is_stranger = !matches!(who, Who::Owner | Who::Admin | Who::Service);
            if is_stranger && (body.contains(&stage.owner.id) || body.contains(&stage.reservation)) {
                differences.push(format!("{call} tells {who:?} of the owner: {body}"));
            }
        }
    }
    differences
}

#[tokio::test]
async fn every_call_answers_everybody_as_the_table_says() {
    let differences = differences(TABLE).await;
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test]
async fn a_row_that_is_not_true_is_found() {
    let liar =
        ("GET /v1/reservations/{id}", Queue, ["200", "200", NO_TOKEN, UNKNOWN, UNKNOWN, NO_TOKEN, NO_TOKEN]);
    let differences = differences(&[liar]).await;
    assert!(matches!(&differences[..], [one] if one.contains("by Other with Queue: 404")), "{differences:?}");
}

/// The calls without a row, and the rows without a call.
fn mismatches(calls: &[(String, String)], table: &[Row]) -> Vec<String> {
    let calls: BTreeSet<String> = calls.iter().map(|(method, path)| format!("{method} {path}")).collect();
    let rows: BTreeSet<String> = table.iter().map(|(call, ..)| (*call).to_owned()).collect();
    calls.symmetric_difference(&rows).cloned().collect()
}

#[test]
fn every_call_of_the_router_has_a_row() {
    let missing = mismatches(&calls(), TABLE);
    assert!(missing.is_empty(), "the table of who may call what and the router differ in {missing:?}");
}

#[test]
fn a_call_without_a_row_and_a_row_without_a_call_are_found() {
    let mut more = calls();
    more.push(("GET".into(), "/v1/secrets".into()));
    assert_eq!(mismatches(&more, TABLE), ["GET /v1/secrets"]);
    assert_eq!(mismatches(&calls(), &TABLE[1..]), ["POST /v1/users"]);
}

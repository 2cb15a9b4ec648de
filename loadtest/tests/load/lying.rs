//! A server that passes everything on to a right one, and lies about it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use booking_core::{Epoch, Ticket, id::UserId};
use booking_server::Tokens;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::support::Server;

/// The ticket that the claims of a queue token name, whoever signed them.
fn ticket_of(token: &str) -> Option<Ticket> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    Some(Ticket {
        lane: claims["lane"].as_str()?.parse().ok()?,
        epoch: Epoch(claims["epoch"].as_u64()?),
        seq: claims["seq"].as_u64()?,
        user: UserId(claims["sub"].as_str()?.parse().ok()?),
    })
}

/// What it lies about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// A seat that is taken is held and sold once more.
    SellsTwice,
    /// A payment is acknowledged and never made.
    LosesPayments,
    /// Two people get one number.
    GivesNumbersTwice,
    /// A lane admits more than it was told to.
    AdmitsTooMany,
    /// A hold that was made is refused.
    RefusesWhatItDid,
    /// A ledger lacks its charges.
    ForgetsCharges,
    /// A balance has one too many.
    MakesMoneyUp,
    /// Every second hold is dated an hour later.
    HasTwoClocks,
    /// What is forbidden is done.
    ForbidsNothing,
    /// Some answers are lost after the deed is done, and it says so.
    LosesAnswers,
    /// Whatever the claims of a queue token say is believed, whoever signed them.
    ChecksNoSignature,
    /// Another seat is held than was asked for.
    WrongSeat,
    /// Another price is told than the seat has.
    WrongPrice,
}

struct Liar {
    lie: Lie,
    right: String,
    http: reqwest::Client,
    told: AtomicU64,
    /// Signs as the right server does.
    tokens: Tokens,
    /// Holds and their prices, as buyers were told.
    holds: Mutex<HashMap<Uuid, Value>>,
}

/// Starts a liar in front of a right server; where it listens.
pub(crate) async fn start(lie: Lie, right: &Server) -> String {
    let liar = Liar {
        lie,
        right: right.url.clone(),
        tokens: Tokens::new(&right.token_secrets, Duration::from_hours(1)),
        http: reqwest::Client::new(),
        told: AtomicU64::new(0),
        holds: Mutex::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(Arc::new(liar));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

type Reply = (StatusCode, HeaderMap, Vec<u8>);

async fn answer(State(liar): State<Arc<Liar>>, request: Request) -> Reply {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.path().to_owned();
    if let Some(made_up) = liar.instead(&parts.method, &path, &body) {
        return made_up;
    }
    let url = format!("{}{}", liar.right, parts.uri);
    let mut headers = parts.headers;
    // Bodies may change on the way.
    headers.remove(header::CONTENT_LENGTH);
    if liar.lie == Lie::ChecksNoSignature {
        liar.sign(&mut headers);
    }
    let passed_on = liar.twist_request(&parts.method, &body);
    let request = liar.http.request(parts.method.clone(), url).headers(headers).body(passed_on);
    let response = request.send().await.unwrap();
    let (status, mut headers) = (response.status(), response.headers().clone());
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    let reply = (status, headers, response.bytes().await.unwrap().to_vec());
    liar.twist(&parts.method, &path, &body, reply)
}

fn made(body: &Value) -> Reply {
    (StatusCode::CREATED, HeaderMap::new(), serde_json::to_vec(body).unwrap())
}

fn problem(code: booking_api::Code) -> Reply {
    let problem = booking_api::Problem::new(code, "a lie");
    let status = StatusCode::from_u16(problem.status).unwrap();
    (status, HeaderMap::new(), serde_json::to_vec(&problem).unwrap())
}

impl Liar {
    /// An answer without asking the right server.
    fn instead(&self, method: &Method, path: &str, body: &Bytes) -> Option<Reply> {
        if *method != Method::POST || path != "/v1/payments" {
            return None;
        }
        let wanted: Value = serde_json::from_slice(body).unwrap();
        let reservation: Uuid = wanted["reservation_id"].as_str()?.parse().ok()?;
        let holds = self.holds.lock().unwrap();
        let held = holds.get(&reservation)?;
        let is_made_up = held["made_up"] == true;
        (self.lie == Lie::LosesPayments || is_made_up).then(|| {
            made(&json!({
                "payment_id": held["payment"]["payment_id"], "reservation_id": reservation, "amount": held["amount"],
                "status": "paid", "paid_at": held["created_at"], "balance": 0,
            }))
        })
    }

    /// Signs the claims of a queue token anew, so that the right server takes them for its own.
    fn sign(&self, headers: &mut HeaderMap) {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let ticket = bearer.and_then(|bearer| bearer.strip_prefix("Bearer ")).and_then(ticket_of);
        if let Some(ticket) = ticket {
            let signed = format!("Bearer {}", self.tokens.queue_token(&ticket).unwrap());
            headers.insert(header::AUTHORIZATION, signed.parse().unwrap());
        }
    }

    /// What the right server is asked.
    fn twist_request(&self, method: &Method, body: &Bytes) -> Bytes {
        let mut wanted: Value = serde_json::from_slice(body).unwrap_or_default();
        match self.lie {
            Lie::AdmitsTooMany if *method == Method::PATCH => {
                let Some(capacity) = wanted["capacity"].as_u64() else { return body.clone() };
                wanted["capacity"] = json!(capacity * 10);
            }
            Lie::WrongSeat if *method == Method::POST => {
                let Some(seat) = wanted["seats"][0].as_u64() else { return body.clone() };
                wanted["seats"] = json!([if seat > 1 { seat - 1 } else { 2 }]);
            }
            _ => return body.clone(),
        }
        serde_json::to_vec(&wanted).unwrap().into()
    }

    fn twist(&self, method: &Method, path: &str, asked: &Bytes, (status, headers, body): Reply) -> Reply {
        let mut value: Value = serde_json::from_slice(&body).unwrap_or_default();
        let is = |wanted: Method, at: &str| *method == wanted && path == at;
        let turn = || self.told.fetch_add(1, Ordering::SeqCst);
        match self.lie {
            Lie::SellsTwice if is(Method::POST, "/v1/reservations") => match value["code"].as_str() {
                Some("seat_taken") => {
                    if let Some(held) = self.made_up_hold(asked) {
                        return made(&held);
                    }
                }
                _ => self.note(&value),
            },
            Lie::LosesPayments if is(Method::POST, "/v1/reservations") => self.note(&value),
            Lie::GivesNumbersTwice if is(Method::POST, "/v1/queue/tokens") && status.is_success() => {
                value["order"] = json!(value["order"].as_u64().unwrap().div_ceil(2));
            }
            Lie::RefusesWhatItDid if is(Method::POST, "/v1/reservations") && status.is_success() => {
                return problem(booking_api::Code::SeatTaken);
            }
            Lie::WrongPrice if is(Method::POST, "/v1/reservations") && status.is_success() => {
                value["amount"] = json!(value["amount"].as_i64().unwrap() + 1);
            }
            Lie::ForgetsCharges if path == "/v1/wallet/entries" => {
                value["items"].as_array_mut().unwrap().retain(|entry| entry["kind"] != "charge");
            }
            Lie::MakesMoneyUp if path == "/v1/wallet" => {
                value["balance"] = json!(value["balance"].as_i64().unwrap() + 1);
            }
            Lie::HasTwoClocks
                if is(Method::POST, "/v1/reservations") && status.is_success() && turn() % 2 == 1 =>
            {
                for field in ["created_at", "hold_expires_at"] {
                    let instant: chrono::DateTime<chrono::Utc> =
                        value[field].as_str().unwrap().parse().unwrap();
                    value[field] = json!(instant + chrono::Duration::hours(1));
                }
            }
            Lie::ForbidsNothing if matches!(status.as_u16(), 401 | 403 | 404) => return made(&json!({})),
            Lie::LosesAnswers
                if *method == Method::POST && path != "/v1/admin/concerts" && turn() % 10 == 3 =>
            {
                return problem(booking_api::Code::UnknownOutcome);
            }
            _ => return (status, headers, body),
        }
        (status, headers, serde_json::to_vec(&value).unwrap())
    }

    /// Notes a hold that buyers were told of.
    fn note(&self, held: &Value) {
        if let Some(id) = held["reservation_id"].as_str() {
            self.holds.lock().unwrap().insert(id.parse().unwrap(), held.clone());
        }
    }

    /// A hold of what somebody else has, dated like one that was made; none if the answer that made it is still on its way.
    fn made_up_hold(&self, asked: &Bytes) -> Option<Value> {
        let wanted: Value = serde_json::from_slice(asked).unwrap();
        let mut held = self.holds.lock().unwrap().values().next().cloned()?;
        for (field, value) in [
            ("reservation_id", json!(Uuid::new_v4())),
            ("seats", wanted["seats"].clone()),
            ("performance_id", wanted["performance_id"].clone()),
            ("made_up", json!(true)),
        ] {
            held[field] = value;
        }
        self.note(&held);
        Some(held)
    }
}

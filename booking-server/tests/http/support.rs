use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use booking_core::{
    BookingPolicy, Clock, Engine, LaneName, ManualClock, Timestamp,
    memory::{MemoryBooking, MemoryQueue},
    store::{BookingStore, QueueStore},
};
use booking_server::{App, Options, Secrets, router, system_clock};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

use crate::described;

/// The performance every service starts with: seats 1 to 50 at 50,000 each.
pub(crate) const SHOW: &str = "00000000-0000-4000-8000-0000000000f1";
pub(crate) const CONCERT: &str = "00000000-0000-4000-8000-0000000000c1";
pub(crate) const PRICE: i64 = 50_000;

/// A service of its own for a test.
pub(crate) struct Service {
    pub(crate) app: App,
    pub(crate) router: Router,
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) secrets: Secrets,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    /// The code of a problem; panics if it is none.
    pub(crate) fn code(&self) -> &str {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{self:?}");
        assert_eq!(self.body["status"], self.status.as_u16(), "{self:?}");
        self.body["code"].as_str().unwrap()
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no text {field} in {self:?}")).to_owned()
    }

    /// A header, if it is there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// This reply, if it has that status; panics if not.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }
}

/// Somebody with a user token and an admitted queue token.
pub(crate) struct Buyer {
    pub(crate) id: String,
    pub(crate) user_token: String,
    pub(crate) queue_token: String,
}

pub(crate) fn options() -> Options {
    Options { open_signup: true, open_charges: true, ..Options::default() }
}

impl Service {
    /// With one concert, open sign-up and open charges.
    pub(crate) async fn start() -> Self {
        Self::with(options(), BookingPolicy::default()).await
    }

    pub(crate) async fn with(options: Options, policy: BookingPolicy) -> Self {
        let clock = Arc::new(ManualClock::at(system_clock()));
        let shared: Arc<dyn Clock> = Arc::new(Arc::clone(&clock));
        let booking = Arc::new(MemoryBooking::new(policy, Arc::clone(&shared)));
        let queue = Arc::new(MemoryQueue::new(shared));
        let service = Self::on(booking, queue, clock, options);
        service
            .engine
            .set_lane(&LaneName::main(), booking_core::catalog::LaneChange::default())
            .await
            .unwrap();
        service.put_show(json!({})).await.expect(200);
        service
    }

    pub(crate) fn on(
        booking: Arc<dyn BookingStore>,
        queue: Arc<dyn QueueStore>,
        clock: Arc<ManualClock>,
        options: Options,
    ) -> Self {
        let engine = Engine::new(booking, queue);
        let secrets = Secrets::random();
        let app = App::new(engine.clone(), Arc::new(Arc::clone(&clock)), &secrets, options);
        Self { router: router(app.clone()), app, engine, clock, secrets }
    }

    /// Puts the show in, with some of its fields changed.
    pub(crate) async fn put_show(&self, changes: Value) -> Reply {
        let starts_at =
            Timestamp::from(chrono::DateTime::from(self.clock.now())).after(Duration::from_hours(240));
        let mut show = json!({
            "performance_id": SHOW, "venue": "Hall", "starts_at": starts_at.to_string(), "price": PRICE,
        });
        for (field, value) in changes.as_object().unwrap() {
            show[field] = value.clone();
        }
        let concerts =
            json!({"concerts": [{"concert_id": CONCERT, "title": "Concert", "performances": [show]}]});
        self.post("/v1/admin/concerts", &self.secrets.admin_key, concerts).await
    }

    /// Sends a request. Whatever a test is about, the answer must be as the OpenAPI document says.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let is_json = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.ends_with("json")));
        let body = match (bytes.is_empty(), is_json) {
            (true, _) => Value::Null,
            (false, true) => serde_json::from_slice(&bytes).unwrap(),
            (false, false) => String::from_utf8(bytes.to_vec()).unwrap().into(),
        };
        let reply = Reply { status, headers, body };
        described::check(&method, &path, &reply);
        reply
    }

    pub(crate) async fn call(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.call("GET", path, token, None).await
    }

    pub(crate) async fn delete(&self, path: &str, token: &str) -> Reply {
        self.call("DELETE", path, token, None).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Reply {
        self.call("POST", path, token, Some(body)).await
    }

    /// A POST with an idempotency key.
    pub(crate) async fn post_keyed(&self, path: &str, token: &str, key: &str, body: Value) -> Reply {
        let request = Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    pub(crate) async fn sign_up(&self) -> (String, String) {
        let reply = self.post("/v1/users", "", json!({})).await.expect(201);
        (reply.text("user_id"), reply.text("user_token"))
    }

    /// Somebody who may book.
    pub(crate) async fn buyer(&self) -> Buyer {
        let (id, user_token) = self.sign_up().await;
        let queue_token = self.enter(&user_token).await;
        Buyer { id, user_token, queue_token }
    }

    pub(crate) async fn enter(&self, user_token: &str) -> String {
        self.call("POST", "/v1/queue/tokens", user_token, None).await.text("queue_token")
    }

    pub(crate) async fn hold(&self, buyer: &Buyer, seat: i64) -> Reply {
        let body = json!({"performance_id": SHOW, "seats": [seat]});
        self.post("/v1/reservations", &buyer.queue_token, body).await
    }

    pub(crate) async fn charge(&self, buyer: &Buyer, amount: i64) -> Reply {
        let key = Uuid::new_v4().to_string();
        self.post_keyed("/v1/wallet/charges", &buyer.user_token, &key, json!({"amount": amount})).await
    }

    pub(crate) async fn pay(&self, buyer: &Buyer, reservation: &str) -> Reply {
        self.pay_with(&buyer.queue_token, reservation).await
    }

    pub(crate) async fn pay_with(&self, queue_token: &str, reservation: &str) -> Reply {
        self.post("/v1/payments", queue_token, json!({"reservation_id": reservation})).await
    }

    /// A whole purchase: the reservation and the payment.
    pub(crate) async fn buy(&self, buyer: &Buyer, seat: i64) -> (Reply, Reply) {
        let held = self.hold(buyer, seat).await.expect(201);
        self.charge(buyer, PRICE).await.expect(201);
        let paid = self.pay(buyer, &held.text("reservation_id")).await.expect(201);
        (held, paid)
    }

    pub(crate) async fn change_lane(&self, change: Value) -> Reply {
        self.call("PATCH", "/v1/admin/lanes/main", &self.secrets.admin_key, Some(change)).await
    }

    /// Moves the clock, and lets the engine tidy up.
    pub(crate) async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.engine.tend().await.unwrap();
    }
}

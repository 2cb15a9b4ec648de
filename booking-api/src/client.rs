//! A small typed client: one method a call.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    AuditReport, ChargeMade, Concert, ConcertsPut, CreateCharge, CreatePayment, CreateReservation,
    CreateUser, EnterQueue, Entry, Events, IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, LaneChange, LaneStatus,
    List, OwnedPayment, OwnedReservation, Payment, PaymentMade, Performance, Problem, PutConcerts,
    QueuePlace, QueueToken, Refund, Release, Reservation, SeatHistory, Seats, UserCreated, Wallet,
};

/// Why a call brought no answer of its type.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The service said no.
    #[error("{} ({}): {}", .0.code.as_str(), .0.status, .0.detail)]
    Problem(Box<Problem>),
    /// The service could not be reached, or the answer was lost: the call may have had its effect.
    #[error("{base}: {source}")]
    Transport {
        /// Where the service was sought.
        base: String,
        /// What happened.
        source: reqwest::Error,
    },
    /// Something else answered, or the service is of another version.
    #[error("{base} answered {status} with a body of another kind; is a booking server there?")]
    Unexpected {
        /// Where the service was sought.
        base: String,
        /// What it answered with.
        status: u16,
    },
}

impl ClientError {
    /// What the service said, if it said no.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            Self::Transport { .. } | Self::Unexpected { .. } => None,
        }
    }
}

/// Calls a booking server. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

type Answer<T> = Result<T, ClientError>;

impl Client {
    /// A client of the server at `base`, such as `http://127.0.0.1:8080`.
    ///
    /// # Panics
    /// If the operating system offers no source of randomness.
    pub fn new(base: &str) -> Self {
        #[allow(clippy::expect_used)]
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            .build()
            .expect("a client without TLS settings can always be made");
        Self { http, base: base.trim_end_matches('/').into() }
    }

    /// Where the server is.
    pub fn base(&self) -> &str {
        &self.base
    }

    fn request(&self, method: Method, path: &str, token: Option<&str>) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, token: Option<&str>) -> Answer<T> {
        self.answer(self.request(Method::GET, path, token)).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        token: Option<&str>,
        body: &impl Serialize,
    ) -> Answer<T> {
        self.answer(self.request(Method::POST, path, token).json(body)).await
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Answer<T> {
        self.marked_answer(request).await.map(|(answer, _)| answer)
    }

    /// The answer, and whether it is that of an earlier, equal request.
    async fn marked_answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Answer<(T, bool)> {
        let transport = |source| ClientError::Transport { base: self.base.clone(), source };
        let response = request.send().await.map_err(transport)?;
        let status = response.status();
        let replayed = response.headers().contains_key(IDEMPOTENCY_REPLAYED);
        let body = response.bytes().await.map_err(transport)?;
        let unexpected = |_| ClientError::Unexpected { base: self.base.clone(), status: status.as_u16() };
        if status.is_success() {
            let body: &[u8] = if status == StatusCode::NO_CONTENT { b"null" } else { &body };
            return Ok((serde_json::from_slice(body).map_err(unexpected)?, replayed));
        }
        let problem = serde_json::from_slice(&body).map_err(unexpected)?;
        Err(ClientError::Problem(Box::new(problem)))
    }

    /// `GET /health/ready`.
    pub async fn ready(&self) -> bool {
        let answer = self.request(Method::GET, "/health/ready", None).send().await;
        answer.is_ok_and(|response| response.status().is_success())
    }

    /// `POST /v1/users`.
    pub async fn create_user(&self, admin_key: Option<&str>, user: &CreateUser) -> Answer<UserCreated> {
        self.post("/v1/users", admin_key, user).await
    }

    /// `POST /v1/queue/tokens`.
    pub async fn enter(&self, user_token: &str, lane: Option<&str>) -> Answer<QueueToken> {
        self.post("/v1/queue/tokens", Some(user_token), &EnterQueue { lane: lane.map(Into::into) }).await
    }

    /// `GET /v1/queue/status`.
    pub async fn place(&self, queue_token: &str) -> Answer<QueuePlace> {
        self.get("/v1/queue/status", Some(queue_token)).await
    }

    /// `DELETE /v1/queue/tokens`.
    pub async fn leave(&self, queue_token: &str) -> Answer<()> {
        self.answer(self.request(Method::DELETE, "/v1/queue/tokens", Some(queue_token))).await
    }

    /// `GET /v1/concerts`, one page.
    pub async fn concerts(&self, cursor: Option<&str>) -> Answer<List<Concert>> {
        self.get(&format!("/v1/concerts{}", page(cursor)), None).await
    }

    /// `GET /v1/concerts/{id}/performances`, one page.
    pub async fn performances_of(
        &self,
        queue_token: &str,
        concert: Uuid,
        cursor: Option<&str>,
    ) -> Answer<List<Performance>> {
        let path = format!("/v1/concerts/{concert}/performances{}", page(cursor));
        self.get(&path, Some(queue_token)).await
    }

    /// `GET /v1/performances`, one page.
    pub async fn performances(&self, queue_token: &str, cursor: Option<&str>) -> Answer<List<Performance>> {
        self.get(&format!("/v1/performances{}", page(cursor)), Some(queue_token)).await
    }

    /// `GET /v1/performances/{id}/seats`.
    pub async fn seats(&self, queue_token: &str, performance: Uuid) -> Answer<Seats> {
        self.get(&format!("/v1/performances/{performance}/seats"), Some(queue_token)).await
    }

    /// `POST /v1/reservations`.
    pub async fn reserve(
        &self,
        queue_token: &str,
        key: Option<&str>,
        wanted: &CreateReservation,
    ) -> Answer<Reservation> {
        let request = self.request(Method::POST, "/v1/reservations", Some(queue_token)).json(wanted);
        self.answer(with_key(request, key)).await
    }

    /// `GET /v1/reservations/{id}`.
    pub async fn reservation(&self, token: &str, id: Uuid) -> Answer<Reservation> {
        self.get(&format!("/v1/reservations/{id}"), Some(token)).await
    }

    /// `DELETE /v1/reservations/{id}`.
    pub async fn release(&self, token: &str, id: Uuid) -> Answer<()> {
        self.answer(self.request(Method::DELETE, &format!("/v1/reservations/{id}"), Some(token))).await
    }

    /// `POST /v1/payments`.
    pub async fn pay(&self, queue_token: &str, reservation: Uuid) -> Answer<PaymentMade> {
        let body = CreatePayment { reservation_id: reservation };
        self.post("/v1/payments", Some(queue_token), &body).await
    }

    /// `GET /v1/payments`, one page.
    pub async fn payments(&self, user_token: &str, cursor: Option<&str>) -> Answer<List<Payment>> {
        self.get(&format!("/v1/payments{}", page(cursor)), Some(user_token)).await
    }

    /// `GET /v1/wallet`.
    pub async fn wallet(&self, user_token: &str) -> Answer<Wallet> {
        self.get("/v1/wallet", Some(user_token)).await
    }

    /// `GET /v1/wallet/entries`, one page.
    pub async fn entries(&self, user_token: &str, cursor: Option<&str>) -> Answer<List<Entry>> {
        self.get(&format!("/v1/wallet/entries{}", page(cursor)), Some(user_token)).await
    }

    /// `POST /v1/wallet/charges`; whether it was there already comes with it.
    pub async fn charge(&self, token: &str, key: &str, charge: &CreateCharge) -> Answer<(ChargeMade, bool)> {
        let request = self.request(Method::POST, "/v1/wallet/charges", Some(token)).json(charge);
        self.marked_answer(with_key(request, Some(key))).await
    }

    /// `POST /v1/admin/concerts`.
    pub async fn put_concerts(&self, admin_key: &str, concerts: &PutConcerts) -> Answer<ConcertsPut> {
        self.post("/v1/admin/concerts", Some(admin_key), concerts).await
    }

    /// `GET /v1/admin/lanes`.
    pub async fn lanes(&self, admin_key: &str) -> Answer<List<LaneStatus>> {
        self.get("/v1/admin/lanes", Some(admin_key)).await
    }

    /// `GET /v1/admin/lanes/{lane}`.
    pub async fn lane(&self, admin_key: &str, lane: &str) -> Answer<LaneStatus> {
        self.get(&format!("/v1/admin/lanes/{lane}"), Some(admin_key)).await
    }

    /// `PATCH /v1/admin/lanes/{lane}`.
    pub async fn change_lane(&self, admin_key: &str, lane: &str, change: &LaneChange) -> Answer<LaneStatus> {
        let path = format!("/v1/admin/lanes/{lane}");
        self.answer(self.request(Method::PATCH, &path, Some(admin_key)).json(change)).await
    }

    /// `POST /v1/admin/refunds`; whether it was refunded already comes with it.
    pub async fn refund(&self, admin_key: &str, refund: &Refund) -> Answer<(PaymentMade, bool)> {
        let request = self.request(Method::POST, "/v1/admin/refunds", Some(admin_key)).json(refund);
        self.marked_answer(request).await
    }

    /// `GET /v1/admin/payments/{id}`.
    pub async fn any_payment(&self, admin_key: &str, id: Uuid) -> Answer<OwnedPayment> {
        self.get(&format!("/v1/admin/payments/{id}"), Some(admin_key)).await
    }

    /// `GET /v1/admin/reservations/{id}`.
    pub async fn any_reservation(&self, admin_key: &str, id: Uuid) -> Answer<OwnedReservation> {
        self.get(&format!("/v1/admin/reservations/{id}"), Some(admin_key)).await
    }

    /// `POST /v1/admin/reservations/{id}/release`; whether it was released already comes with it.
    pub async fn release_any(
        &self,
        admin_key: &str,
        id: Uuid,
        release: &Release,
    ) -> Answer<(OwnedReservation, bool)> {
        let path = format!("/v1/admin/reservations/{id}/release");
        self.marked_answer(self.request(Method::POST, &path, Some(admin_key)).json(release)).await
    }

    /// `GET /v1/admin/users/{id}/reservations`, one page.
    pub async fn reservations_of(
        &self,
        admin_key: &str,
        user: Uuid,
        cursor: Option<&str>,
    ) -> Answer<List<Reservation>> {
        let path = format!("/v1/admin/users/{user}/reservations{}", page(cursor));
        self.get(&path, Some(admin_key)).await
    }

    /// `GET /v1/admin/users/{id}/entries`, one page.
    pub async fn entries_of(&self, admin_key: &str, user: Uuid, cursor: Option<&str>) -> Answer<List<Entry>> {
        self.get(&format!("/v1/admin/users/{user}/entries{}", page(cursor)), Some(admin_key)).await
    }

    /// `GET /v1/admin/performances/{id}/seats/{seat}/history`.
    pub async fn seat_history(&self, admin_key: &str, performance: Uuid, seat: u32) -> Answer<SeatHistory> {
        let path = format!("/v1/admin/performances/{performance}/seats/{seat}/history");
        self.get(&path, Some(admin_key)).await
    }

    /// `GET /v1/admin/events`: at most `limit` of those after the event numbered `after`.
    pub async fn events(&self, admin_key: &str, after: u64, limit: usize) -> Answer<Events> {
        self.get(&format!("/v1/admin/events?after={after}&limit={limit}"), Some(admin_key)).await
    }

    /// `GET /v1/reservations`, one page.
    pub async fn reservations(&self, token: &str, cursor: Option<&str>) -> Answer<List<Reservation>> {
        self.get(&format!("/v1/reservations{}", page(cursor)), Some(token)).await
    }

    /// `GET /v1/admin/audit`.
    pub async fn audit(&self, admin_key: &str) -> Answer<AuditReport> {
        self.get("/v1/admin/audit", Some(admin_key)).await
    }
}

fn page(cursor: Option<&str>) -> String {
    cursor.map(|cursor| format!("?cursor={cursor}")).unwrap_or_default()
}

fn with_key(request: RequestBuilder, key: Option<&str>) -> RequestBuilder {
    match key {
        Some(key) => request.header(IDEMPOTENCY_KEY, key),
        None => request,
    }
}

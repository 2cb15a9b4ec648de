//! The calls of the service: each takes its request apart, asks the engine, and puts the answer together.

mod admin;
mod concerts;
mod desk;
mod docs;
mod health;
pub(crate) mod metrics;
mod payments;
mod queue;
mod queue_events;
mod reservations;
mod seat_events;
mod sse;
mod users;
mod wallet;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use booking_api::IDEMPOTENCY_REPLAYED;
use booking_core::Answer;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;

use crate::{app::App, failure::Failure, openapi};

/// What a handler answers with.
type Reply<T = Json> = Result<T, Failure>;

/// All calls with their descriptions: what is routed here is in the OpenAPI document, and nothing else is.
pub(crate) fn all() -> OpenApiRouter<App> {
    booking().merge(metrics::routes())
}

/// All but the service's numbers, which may have an address of their own.
pub(crate) fn booking() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::outline())
        .merge(users::routes())
        .merge(queue::routes())
        .merge(concerts::routes())
        .merge(reservations::routes())
        .merge(payments::routes())
        .merge(wallet::routes())
        .merge(health::routes())
        .merge(docs::routes())
        .nest("/v1/admin", admin::routes().merge(desk::routes()))
}

/// Room for most answers, in bytes: they are written without moving.
const USUAL_ANSWER: usize = 512;

/// An answer in JSON.
struct Json {
    status: StatusCode,
    replayed: bool,
    body: Vec<u8>,
}

impl Json {
    fn with(status: StatusCode, replayed: bool, body: &impl Serialize) -> Reply {
        let mut written = Vec::with_capacity(USUAL_ANSWER);
        serde_json::to_writer(&mut written, body).map_err(|error| {
            tracing::error!(%error, "an answer could not be written");
            Failure::new(booking_api::Code::InternalError, "the service failed; it was written to its log")
        })?;
        Ok(Self { status, replayed, body: written })
    }

    fn ok(body: &impl Serialize) -> Reply {
        Self::with(StatusCode::OK, false, body)
    }

    /// The answer to a call that makes something: the same whether it made it now or an earlier, equal call did; the
    /// header tells (I21).
    fn created<T, U: From<T> + Serialize>(answer: Answer<T>) -> Reply {
        Self::with(StatusCode::CREATED, answer.replayed, &U::from(answer.value))
    }
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.replayed {
            headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

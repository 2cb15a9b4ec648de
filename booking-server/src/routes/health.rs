use std::time::Duration;

use axum::{extract::State, http::StatusCode};
use booking_api::Code;
use tokio::time::timeout;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Reply;
use crate::{app::App, failure::Failure, openapi::refusals::refusals};

/// So long the stores may take to answer; then this instance is not ready.
const WITHIN: Duration = Duration::from_secs(2);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// Tells that the process answers
#[utoipa::path(
    get,
    operation_id = "is_live",
    path = "/health/live",
    tag = "service",
    security(()),
    responses((status = 204, description = "It does")),
)]
async fn live() -> StatusCode {
    StatusCode::NO_CONTENT
}

refusals!(ReadyRefusals: READ);

/// Tells whether to send work
///
/// Not while the process is about to stop, or while its stores do not answer.
#[utoipa::path(
    get,
    operation_id = "is_ready",
    path = "/health/ready",
    tag = "service",
    security(()),
    responses(
        (status = 204, description = "Send work"),
        ReadyRefusals,
    ),
)]
async fn ready(State(app): State<App>) -> Reply<StatusCode> {
    if app.is_draining() {
        return Err(Failure::new(Code::StoreUnavailable, "this instance is stopping; ask another"));
    }
    let late =
        |_| Failure::new(Code::StoreUnavailable, "the stores do not answer in time; ask another instance");
    // Whatever they fail by, a store that is broken for good included: there is no work for this instance.
    let failed = |error| {
        tracing::error!(%error, "the stores failed when asked whether this instance is ready");
        Failure::new(Code::StoreUnavailable, "the stores fail; ask another instance")
    };
    timeout(WITHIN, app.engine.lanes()).await.map_err(late)?.map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
}

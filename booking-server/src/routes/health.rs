use std::time::Duration;

use axum::{Router, extract::State, http::StatusCode, routing::get};
use booking_api::Code;
use tokio::time::timeout;

use super::Reply;
use crate::{app::App, failure::Failure};

/// So long the stores may take to answer; then this instance is not ready.
const WITHIN: Duration = Duration::from_secs(2);

pub(super) fn routes() -> Router<App> {
    Router::new().route("/health/live", get(live)).route("/health/ready", get(ready))
}

/// The process answers.
async fn live() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The process is not about to stop, and both its stores answer soon.
async fn ready(State(app): State<App>) -> Reply<StatusCode> {
    if app.is_draining() {
        return Err(Failure::new(Code::StoreUnavailable, "this instance is stopping; ask another"));
    }
    let late =
        |_| Failure::new(Code::StoreUnavailable, "the stores do not answer in time; ask another instance");
    timeout(WITHIN, app.engine.lanes()).await.map_err(late)??;
    Ok(StatusCode::NO_CONTENT)
}

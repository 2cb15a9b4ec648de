use axum::{Router, extract::State, http::StatusCode, routing::get};
use booking_api::Code;

use super::Reply;
use crate::{app::App, failure::Failure};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/health/live", get(live)).route("/health/ready", get(ready))
}

/// The process answers.
async fn live() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The process is not about to stop, and its stores answer.
async fn ready(State(app): State<App>) -> Reply<StatusCode> {
    if app.is_draining() {
        return Err(Failure::new(Code::StoreUnavailable, "this instance is stopping; ask another"));
    }
    app.engine.lanes().await?;
    Ok(StatusCode::NO_CONTENT)
}

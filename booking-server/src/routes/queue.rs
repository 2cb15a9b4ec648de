use axum::{
    Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use booking_api::{EnterQueue, QueuePlace, QueueToken};
use booking_core::{LaneName, queue::Place};

use super::{Json, Reply, queue_events};
use crate::{
    app::App,
    extract::{OptionalBody, Queue, User},
    failure::Failure,
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/queue/tokens", post(enter).delete(leave))
        .route("/v1/queue/status", get(status))
        .route("/v1/queue/events", get(queue_events::events))
}

async fn enter(
    State(app): State<App>,
    User(user): User,
    OptionalBody(wanted): OptionalBody<EnterQueue>,
) -> Reply {
    let lane = wanted.lane.as_deref().map_or_else(|| Ok(LaneName::main()), str::parse);
    let lane = lane.map_err(|error| Failure::invalid(format!("lane: {error}")))?;
    let entered = app.engine.enter(&lane, user).await?;
    // Who polled before and enters again hears the same as by polling, and no rank that the next poll takes back.
    let place = match entered.place {
        Place::Waiting { .. } if entered.replayed => app.looks.place(&app.engine, &entered.ticket).await?,
        place => place,
    };
    let place = QueuePlace::of(&entered.ticket, place);
    let token = QueueToken { queue_token: app.tokens.queue_token(&entered.ticket)?, place };
    let status = if entered.replayed { StatusCode::OK } else { StatusCode::CREATED };
    Json::with(status, false, &token)
}

async fn status(State(app): State<App>, Queue(ticket): Queue) -> Reply {
    let place = app.looks.place(&app.engine, &ticket).await?;
    Json::ok(&QueuePlace::of(&ticket, place))
}

async fn leave(State(app): State<App>, Queue(ticket): Queue) -> Reply<StatusCode> {
    app.engine.leave(&ticket).await?;
    Ok(StatusCode::NO_CONTENT)
}

use axum::{extract::State, http::StatusCode};
use booking_api::{EnterQueue, QueuePlace, QueueToken};
use booking_core::{LaneName, queue::Place};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Json, Reply, queue_events};
use crate::{
    app::App,
    extract::{OptionalBody, Queue, User},
    failure::Failure,
    openapi::refusals::refusals,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(enter, leave))
        .routes(routes!(status))
        .routes(routes!(queue_events::events))
}

refusals!(EnterRefusals: USER, BODY, CHANGE; UnknownUser, UnknownLane, LaneFull, LaneClosed, SoldOut);

/// Takes a number in a lane, or finds the live one
///
/// One user has one place in a lane: entering again gives the same token.
#[utoipa::path(
    post,
    operation_id = "enter_queue",
    path = "/v1/queue/tokens",
    tag = "queue",
    security(("user_token" = [])),
    request_body = Option<EnterQueue>,
    responses(
        (status = 201, description = "A number was taken", body = QueueToken),
        (status = 200, description = "The live number of before", body = QueueToken),
        EnterRefusals,
    ),
)]
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

refusals!(StatusRefusals: QUEUE, READ);

/// Tells where the queue token stands
///
/// While it waits, ask again after `poll_after_ms`.
#[utoipa::path(
    get,
    operation_id = "queue_place",
    path = "/v1/queue/status",
    tag = "queue",
    security(("queue_token" = [])),
    responses(
        (status = 200, description = "The place", body = QueuePlace),
        StatusRefusals,
    ),
)]
async fn status(State(app): State<App>, Queue(ticket): Queue) -> Reply {
    let place = app.looks.place(&app.engine, &ticket).await?;
    Json::ok(&QueuePlace::of(&ticket, place))
}

refusals!(LeaveRefusals: QUEUE, CHANGE);

/// Leaves the lane, giving back what the queue token holds
///
/// Leaving twice changes nothing.
#[utoipa::path(
    delete,
    operation_id = "leave_queue",
    path = "/v1/queue/tokens",
    tag = "queue",
    security(("queue_token" = [])),
    responses(
        (status = 204, description = "The queue token is done"),
        LeaveRefusals,
    ),
)]
async fn leave(State(app): State<App>, Queue(ticket): Queue) -> Reply<StatusCode> {
    let giving_back = app.churn.giving_back(ticket.user);
    let left = app.engine.leave(&ticket).await;
    giving_back.ended(left.as_ref().copied());
    left?;
    Ok(StatusCode::NO_CONTENT)
}

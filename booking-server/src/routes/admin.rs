use axum::{extract::State, http::StatusCode};
use booking_api::{
    AuditReport, ConcertInput, ConcertsPut, Events, EventsQuery, LaneChange, LaneStatus, List, PaymentMade,
    PutConcerts, Refund,
};
use booking_core::{LaneName, id::PaymentId};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Json, Reply};
use crate::{
    app::App,
    extract::{Admin, Asked, At, Body},
    failure::Failure,
    openapi::refusals::refusals,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(put_concerts))
        .routes(routes!(lanes))
        .routes(routes!(lane, change_lane))
        .routes(routes!(refund))
        .routes(routes!(events))
        .routes(routes!(audit))
}

refusals!(PutRefusals: ADMIN, BODY, CHANGE; UnknownLane);

/// Adds concerts with their dates, or brings them up to date
///
/// All of them or none: a draft that is refused would hide behind those that are not. The same request twice changes nothing.
#[utoipa::path(
    post,
    operation_id = "put_concerts",
    path = "/concerts",
    tag = "admin",
    security(("admin_key" = [])),
    request_body = PutConcerts,
    responses(
        (status = 200, description = "What it did", body = ConcertsPut),
        PutRefusals,
    ),
)]
async fn put_concerts(State(app): State<App>, _: Admin, Body(wanted): Body<PutConcerts>) -> Reply {
    let drafts = wanted.concerts.into_iter().map(ConcertInput::draft).collect::<Result<Vec<_>, _>>();
    let put = app.engine.put_concerts(drafts.map_err(Failure::invalid)?).await?;
    Json::ok(&ConcertsPut::from(put))
}

refusals!(ReadRefusals: ADMIN, READ);

/// Lists the lanes
#[utoipa::path(
    get,
    operation_id = "list_lanes",
    path = "/lanes",
    tag = "admin",
    security(("admin_key" = [])),
    responses(
        (status = 200, description = "All lanes", body = List<LaneStatus>),
        ReadRefusals,
    ),
)]
async fn lanes(State(app): State<App>, _: Admin) -> Reply {
    let items = app.engine.lanes().await?.into_iter().map(LaneStatus::from).collect();
    Json::ok(&List::<LaneStatus> { items, next_cursor: None })
}

refusals!(LaneRefusals: ADMIN, INPUT, READ; UnknownLane);

/// Tells how a lane stands
#[utoipa::path(
    get,
    operation_id = "lane",
    path = "/lanes/{lane}",
    tag = "admin",
    security(("admin_key" = [])),
    params(("lane" = String, Path, description = "The name of the lane", pattern = "^[a-z0-9-]{1,32}$", example = "main")),
    responses(
        (status = 200, description = "The lane", body = LaneStatus),
        LaneRefusals,
    ),
)]
async fn lane(State(app): State<App>, _: Admin, At(lane): At<LaneName>) -> Reply {
    Json::ok(&LaneStatus::from(app.engine.lane(&lane).await?))
}

refusals!(ChangeLaneRefusals: ADMIN, INPUT, BODY, CHANGE);

/// Adds a lane, or changes its settings
///
/// An absent field stays; null takes a limit away.
#[utoipa::path(
    patch,
    operation_id = "change_lane",
    path = "/lanes/{lane}",
    tag = "admin",
    security(("admin_key" = [])),
    params(("lane" = String, Path, description = "The name of the lane", pattern = "^[a-z0-9-]{1,32}$", example = "main")),
    request_body = LaneChange,
    responses(
        (status = 200, description = "The lane as it is now", body = LaneStatus),
        ChangeLaneRefusals,
    ),
)]
async fn change_lane(
    State(app): State<App>,
    _: Admin,
    At(lane): At<LaneName>,
    Body(change): Body<LaneChange>,
) -> Reply {
    let kept = app.engine.set_lane(&lane, change.into()).await?.value;
    // The settings are kept, whether or not the queue tells now how it stands.
    let status = app.engine.lane(&lane).await.unwrap_or_else(|error| {
        tracing::warn!(%error, %lane, "the lane was changed; how it stands could not be read");
        booking_core::LaneStatus { record: kept, snapshot: None }
    });
    Json::ok(&LaneStatus::from(status))
}

refusals!(RefundRefusals: ADMIN, BODY, CHANGE; UnknownPayment, UnknownUser, AmountOutOfRange);

/// Gives a payment back: the money to the wallet, the seats to the sale
///
/// Refunding twice gives back once. With `dry_run` nothing changes, and the answer tells what would.
#[utoipa::path(
    post,
    operation_id = "create_refund",
    path = "/refunds",
    tag = "admin",
    security(("admin_key" = [])),
    request_body = Refund,
    responses(
        (status = 200, description = "The payment and the balance as they would be: it was a dry run", body = PaymentMade),
        (status = 201, description = "The payment, and the balance of its payer", body = PaymentMade, headers(("Idempotency-Replayed" = bool, description = "`true`: an earlier, equal call made it"))),
        RefundRefusals,
    ),
)]
async fn refund(State(app): State<App>, _: Admin, Body(wanted): Body<Refund>) -> Reply {
    let payment = PaymentId(wanted.payment_id);
    if wanted.dry_run {
        let rehearsed = app.engine.rehearse_refund(payment).await?;
        return Json::with(StatusCode::OK, rehearsed.replayed, &PaymentMade::from(rehearsed.value));
    }
    let refunded = app.engine.refund(payment).await?;
    Json::created::<_, PaymentMade>(refunded)
}

refusals!(EventsRefusals: ADMIN, INPUT, READ);

/// Reads the log of everything that happened, in commit order
#[utoipa::path(
    get,
    operation_id = "list_events",
    path = "/events",
    tag = "admin",
    security(("admin_key" = [])),
    params(EventsQuery),
    responses(
        (status = 200, description = "A part of the log", body = Events),
        EventsRefusals,
    ),
)]
async fn events(State(app): State<App>, _: Admin, Asked(query): Asked<EventsQuery>) -> Reply {
    let limit = query.limit()?;
    let items = app.engine.events(query.after, limit).await?;
    let next_after = items.last().map_or(query.after, |last| last.seq);
    Json::ok(&Events { items, next_after })
}

/// Checks everything that must always hold
///
/// It reads everything: at a million reservations that takes seconds.
#[utoipa::path(
    get,
    operation_id = "audit",
    path = "/audit",
    tag = "admin",
    security(("admin_key" = [])),
    responses(
        (status = 200, description = "The verdict", body = AuditReport),
        ReadRefusals,
    ),
)]
async fn audit(State(app): State<App>, _: Admin) -> Reply {
    Json::ok(&AuditReport::from(app.engine.audit().await?))
}

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use booking_api::{
    AuditReport, ConcertInput, ConcertsPut, Events, EventsQuery, LaneChange, LaneStatus, List, MOST_A_PAGE,
    PaymentMade, PutConcerts, Refund,
};
use booking_core::{LaneName, id::PaymentId};

use super::{Json, Reply};
use crate::{
    app::App,
    extract::{Admin, Asked, At, Body},
    failure::Failure,
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/concerts", post(put_concerts))
        .route("/lanes", get(lanes))
        .route("/lanes/{lane}", get(lane).patch(change_lane))
        .route("/refunds", post(refund))
        .route("/events", get(events))
        .route("/audit", get(audit))
}

/// All of them or none: a draft that is refused would hide behind those that are not.
async fn put_concerts(State(app): State<App>, _: Admin, Body(wanted): Body<PutConcerts>) -> Reply {
    let drafts = wanted.concerts.into_iter().map(ConcertInput::draft).collect::<Result<Vec<_>, _>>();
    let put = app.engine.put_concerts(drafts.map_err(Failure::invalid)?).await?;
    Json::ok(&ConcertsPut::from(put))
}

async fn lanes(State(app): State<App>, _: Admin) -> Reply {
    let items = app.engine.lanes().await?.into_iter().map(LaneStatus::from).collect();
    Json::ok(&List::<LaneStatus> { items, next_cursor: None })
}

async fn lane(State(app): State<App>, _: Admin, At(lane): At<LaneName>) -> Reply {
    Json::ok(&LaneStatus::from(app.engine.lane(&lane).await?))
}

async fn change_lane(
    State(app): State<App>,
    _: Admin,
    At(lane): At<LaneName>,
    Body(change): Body<LaneChange>,
) -> Reply {
    app.engine.set_lane(&lane, change.into()).await?;
    Json::ok(&LaneStatus::from(app.engine.lane(&lane).await?))
}

async fn refund(State(app): State<App>, _: Admin, Body(wanted): Body<Refund>) -> Reply {
    let refunded = app.engine.refund(PaymentId(wanted.payment_id)).await?;
    Json::created::<_, PaymentMade>(refunded)
}

async fn events(State(app): State<App>, _: Admin, Asked(query): Asked<EventsQuery>) -> Reply {
    let limit = query.limit.unwrap_or(100);
    if !(1..=MOST_A_PAGE).contains(&limit) {
        return Err(Failure::invalid(format!("limit: must be 1 to {MOST_A_PAGE}")));
    }
    let items = app.engine.events(query.after, limit).await?;
    let next_after = items.last().map_or(query.after, |last| last.seq);
    Json::ok(&Events { items, next_after })
}

async fn audit(State(app): State<App>, _: Admin) -> Reply {
    Json::ok(&AuditReport::from(app.engine.audit().await?))
}

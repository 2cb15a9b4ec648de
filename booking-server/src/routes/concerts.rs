use axum::{Router, extract::State, routing::get};
use booking_api::{Concert, List, ListQuery, Performance, PerformancesQuery, Seats, SeatsQuery};
use booking_core::{
    Ticket,
    id::{ConcertId, PerformanceId},
};

use super::{Json, Reply, seat_events};
use crate::{
    app::App,
    extract::{Asked, At, Queue},
    failure::Failure,
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/concerts", get(concerts))
        .route("/v1/concerts/{id}/performances", get(performances_of))
        .route("/v1/performances", get(performances))
        .route("/v1/performances/{id}/seats", get(seats))
        .route("/v1/performances/{id}/seats/events", get(seat_events::events))
}

async fn concerts(State(app): State<App>, Asked(query): Asked<ListQuery>) -> Reply {
    let page = query.page().map_err(|error| Failure::invalid(error.to_string()))?;
    Json::ok(&List::of(app.engine.concerts(page).await?, Concert::from))
}

async fn performances_of(
    State(app): State<App>,
    Queue(ticket): Queue,
    At(concert): At<ConcertId>,
    Asked(query): Asked<PerformancesQuery>,
) -> Reply {
    list(&app, &ticket, Some(concert), &query).await
}

async fn performances(
    State(app): State<App>,
    Queue(ticket): Queue,
    Asked(query): Asked<PerformancesQuery>,
) -> Reply {
    list(&app, &ticket, None, &query).await
}

async fn list(app: &App, ticket: &Ticket, concert: Option<ConcertId>, query: &PerformancesQuery) -> Reply {
    let page = query.page().map_err(|error| Failure::invalid(error.to_string()))?;
    let found = app.engine.performances(ticket, concert, query.date, page).await?;
    Json::ok(&List::of(found, Performance::from))
}

async fn seats(
    State(app): State<App>,
    Queue(ticket): Queue,
    At(performance): At<PerformanceId>,
    Asked(query): Asked<SeatsQuery>,
) -> Reply {
    let map = app.engine.seat_map(&ticket, performance).await?;
    Json::ok(&Seats::of(&map, query.all))
}

use axum::extract::State;
use booking_api::{Concert, List, ListQuery, Performance, PerformancesQuery, Seats, SeatsQuery};
use booking_core::{
    Ticket,
    id::{ConcertId, PerformanceId},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Json, Reply, seat_events};
use crate::{
    app::App,
    extract::{Asked, At, Queue},
    openapi::refusals::refusals,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(concerts))
        .routes(routes!(performances_of))
        .routes(routes!(performances))
        .routes(routes!(seats))
        .routes(routes!(seat_events::events))
}

refusals!(ConcertsRefusals: INPUT, READ);

/// Lists the concerts
#[utoipa::path(
    get,
    operation_id = "list_concerts",
    path = "/v1/concerts",
    tag = "concerts",
    security(()),
    params(ListQuery),
    responses(
        (status = 200, description = "A page of concerts", body = List<Concert>),
        ConcertsRefusals,
    ),
)]
async fn concerts(State(app): State<App>, Asked(query): Asked<ListQuery>) -> Reply {
    let page = query.page()?;
    Json::ok(&List::of(app.engine.concerts(page).await?, Concert::from))
}

refusals!(PerformancesOfRefusals: ADMITTED, INPUT, READ; UnknownConcert, WrongLane);

/// Lists the bookable dates of a concert
///
/// All of them, or those of one local date.
#[utoipa::path(
    get,
    operation_id = "list_performances_of_concert",
    path = "/v1/concerts/{id}/performances",
    tag = "concerts",
    security(("queue_token" = [])),
    params(("id" = Uuid, Path, description = "The concert"), PerformancesQuery),
    responses(
        (status = 200, description = "A page of performances", body = List<Performance>),
        PerformancesOfRefusals,
    ),
)]
async fn performances_of(
    State(app): State<App>,
    Queue(ticket): Queue,
    At(concert): At<ConcertId>,
    Asked(query): Asked<PerformancesQuery>,
) -> Reply {
    list(&app, &ticket, Some(concert), &query).await
}

refusals!(PerformancesRefusals: ADMITTED, INPUT, READ);

/// Lists the bookable dates of all concerts of the token's lane
#[utoipa::path(
    get,
    operation_id = "list_performances",
    path = "/v1/performances",
    tag = "concerts",
    security(("queue_token" = [])),
    params(PerformancesQuery),
    responses(
        (status = 200, description = "A page of performances", body = List<Performance>),
        PerformancesRefusals,
    ),
)]
async fn performances(
    State(app): State<App>,
    Queue(ticket): Queue,
    Asked(query): Asked<PerformancesQuery>,
) -> Reply {
    list(&app, &ticket, None, &query).await
}

async fn list(app: &App, ticket: &Ticket, concert: Option<ConcertId>, query: &PerformancesQuery) -> Reply {
    let page = query.page()?;
    let found = app.engine.performances(ticket, concert, query.date, page).await;
    let found = found.map_err(|error| app.refused(ticket, error))?;
    Json::ok(&List::of(found, Performance::from))
}

refusals!(SeatsRefusals: ADMITTED, INPUT, READ; UnknownPerformance, WrongLane);

/// Lists the seats of a performance that can be held
///
/// With `?all=true` also the whole map. A seat that is not listed may have been taken at most 100 ms ago.
#[utoipa::path(
    get,
    operation_id = "list_seats",
    path = "/v1/performances/{id}/seats",
    tag = "concerts",
    security(("queue_token" = [])),
    params(("id" = Uuid, Path, description = "The performance"), SeatsQuery),
    responses(
        (status = 200, description = "The seats", body = Seats),
        SeatsRefusals,
    ),
)]
async fn seats(
    State(app): State<App>,
    Queue(ticket): Queue,
    At(performance): At<PerformanceId>,
    Asked(query): Asked<SeatsQuery>,
) -> Reply {
    let map = app.engine.seat_map(&ticket, performance).await;
    let map = map.map_err(|error| app.refused(&ticket, error))?;
    Json::ok(&Seats::of(&map, query.all))
}

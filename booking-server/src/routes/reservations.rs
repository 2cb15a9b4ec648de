use std::time::Instant;

use axum::{extract::State, http::StatusCode};
use booking_api::{CreateReservation, List, ListQuery, Reservation, openapi};
use booking_core::{
    Error, Refusal,
    hold::{SeatChoice, SeatNumber},
    id::{PerformanceId, ReservationId, from_idempotency_key},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Json, Reply};
use crate::{
    app::App,
    extract::{Asked, At, Body, IdempotencyKey, Owner, Queue},
    failure::Failure,
    openapi::refusals::refusals,
};

const WHICH_SEATS: &str =
    "the body: send either `seats`, the numbers you want, or `best`, how many seats beside each other";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(one, release))
}

refusals!(
    CreateRefusals: ADMITTED, INPUT, BODY, CHANGE;
    UnknownUser, UnknownPerformance, UnknownSeat, WrongLane, NotOnSale, SeatTaken, NoAdjacentSeats, SeatLimitReached,
    IdempotencyKeyReused, AmountOutOfRange
);

/// Holds the seats that are named, or the best that lie beside each other: all of them, or none
///
/// For 5 minutes, unless the operator chose otherwise. The same user holding exactly these seats gets the reservation that
/// exists.
#[utoipa::path(
    post,
    operation_id = "create_reservation",
    path = "/v1/reservations",
    tag = "reservations",
    security(("queue_token" = [])),
    params(openapi::IdempotencyKey<false>),
    request_body = CreateReservation,
    responses(
        (status = 201, description = "The reservation, and the payment due", body = Reservation, headers(("Idempotency-Replayed" = bool, description = "`true`: an earlier, equal call made it"))),
        CreateRefusals,
    ),
)]
async fn create(
    State(app): State<App>,
    Queue(ticket): Queue,
    IdempotencyKey(key): IdempotencyKey,
    Body(wanted): Body<CreateReservation>,
) -> Reply {
    let id = match key {
        Some(key) => from_idempotency_key(ticket.user, "reservation", &key),
        None => Uuid::now_v7(),
    };
    let performance = PerformanceId(wanted.performance_id);
    let choice = match (&wanted.seats, wanted.best) {
        (Some(seats), None) => numbers(seats).into(),
        (None, Some(count)) => SeatChoice::Best(count),
        _ => return Err(Failure::invalid(WHICH_SEATS)),
    };
    app.churn.check(ticket.user, Instant::now)?;
    let held = app.engine.hold(&ticket, ReservationId(id), performance, choice).await;
    let held = held.map_err(|error| {
        let error = name_as_sent(error, wanted.seats.as_deref().unwrap_or_default());
        app.refused(&ticket, error)
    })?;
    Json::created::<_, Reservation>(held)
}

/// The numbers as seats have them. One that no seat can have at all is unknown like any other: 0 stands once for all of
/// them, and the answer names what was sent.
fn numbers(sent: &[i64]) -> Vec<SeatNumber> {
    let mut numbers: Vec<_> = sent.iter().filter_map(|seat| SeatNumber::try_from(*seat).ok()).collect();
    if numbers.len() < sent.len() && !numbers.contains(&0) {
        numbers.push(0);
    }
    numbers
}

fn name_as_sent(error: Error, sent: &[i64]) -> Error {
    let unknown = |seat: &&i64| u32::try_from(**seat).is_err();
    match (error, sent.iter().find(unknown)) {
        (Error::Refused(Refusal::UnknownSeat { seat: 0, seats }), Some(sent)) => {
            Refusal::UnknownSeat { seat: *sent, seats }.into()
        }
        (error, _) => error,
    }
}

refusals!(ListRefusals: USER, INPUT, READ);

/// Lists one's own reservations
#[utoipa::path(
    get,
    operation_id = "list_reservations",
    path = "/v1/reservations",
    tag = "reservations",
    security(("queue_token" = []), ("user_token" = [])),
    params(ListQuery),
    responses(
        (status = 200, description = "A page of reservations", body = List<Reservation>),
        ListRefusals,
    ),
)]
async fn list(State(app): State<App>, Owner(user): Owner, Asked(query): Asked<ListQuery>) -> Reply {
    let page = query.page()?;
    Json::ok(&List::of(app.engine.reservations(user, page).await?, Reservation::from))
}

refusals!(OneRefusals: USER, INPUT, READ; UnknownReservation);

/// Tells where a reservation of one's own stands
#[utoipa::path(
    get,
    operation_id = "reservation",
    path = "/v1/reservations/{id}",
    tag = "reservations",
    security(("queue_token" = []), ("user_token" = [])),
    params(("id" = Uuid, Path, description = "The reservation")),
    responses(
        (status = 200, description = "The reservation", body = Reservation),
        OneRefusals,
    ),
)]
async fn one(State(app): State<App>, Owner(user): Owner, At(id): At<ReservationId>) -> Reply {
    Json::ok(&Reservation::from(app.engine.reservation(user, id).await?))
}

refusals!(ReleaseRefusals: USER, INPUT, CHANGE; UnknownReservation, HoldExpired, ReservationNotReleasable);

/// Gives a hold back
///
/// Releasing twice changes nothing.
#[utoipa::path(
    delete,
    operation_id = "release_reservation",
    path = "/v1/reservations/{id}",
    tag = "reservations",
    security(("queue_token" = []), ("user_token" = [])),
    params(("id" = Uuid, Path, description = "The reservation")),
    responses(
        (status = 204, description = "The seats are available again"),
        ReleaseRefusals,
    ),
)]
async fn release(State(app): State<App>, Owner(user): Owner, At(id): At<ReservationId>) -> Reply<StatusCode> {
    let giving_back = app.churn.giving_back(user);
    let released = app.engine.release(user, id).await;
    giving_back.ended(released.as_ref().map(|released| !released.replayed));
    released?;
    Ok(StatusCode::NO_CONTENT)
}

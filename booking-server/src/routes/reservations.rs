use axum::{
    Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use booking_api::{CreateReservation, List, ListQuery, Reservation};
use booking_core::{
    Refusal,
    hold::SeatChoice,
    id::{PerformanceId, ReservationId, from_idempotency_key},
};
use uuid::Uuid;

use super::{Json, Reply};
use crate::{
    app::App,
    extract::{Asked, At, Body, IdempotencyKey, Owner, Queue},
    failure::Failure,
};

const WHICH_SEATS: &str =
    "the body: send either `seats`, the numbers you want, or `best`, how many seats beside each other";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/reservations", post(create).get(list))
        .route("/v1/reservations/{id}", get(one).delete(release))
}

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
        // A number no seat can have at all is unknown like any other: 0 stands for it, and the answer names what was sent.
        (Some(seats), None) => {
            seats.iter().map(|seat| u32::try_from(*seat).unwrap_or(0)).collect::<Vec<_>>().into()
        }
        (None, Some(count)) => SeatChoice::Best(count),
        _ => return Err(Failure::invalid(WHICH_SEATS)),
    };
    let held = app.engine.hold(&ticket, ReservationId(id), performance, choice).await;
    let held = held.map_err(|error| name_as_sent(error, wanted.seats.as_deref().unwrap_or_default()))?;
    Json::created::<_, Reservation>(held)
}

fn name_as_sent(error: booking_core::Error, sent: &[i64]) -> Failure {
    let unknown = |seat: &&i64| u32::try_from(**seat).is_err();
    match (error, sent.iter().find(unknown)) {
        (booking_core::Error::Refused(Refusal::UnknownSeat { seat: 0, seats }), Some(sent)) => {
            Refusal::UnknownSeat { seat: *sent, seats }.into()
        }
        (error, _) => error.into(),
    }
}

async fn list(State(app): State<App>, Owner(user): Owner, Asked(query): Asked<ListQuery>) -> Reply {
    let page = query.page().map_err(|error| Failure::invalid(error.to_string()))?;
    Json::ok(&List::of(app.engine.reservations(user, page).await?, Reservation::from))
}

async fn one(State(app): State<App>, Owner(user): Owner, At(id): At<ReservationId>) -> Reply {
    Json::ok(&Reservation::from(app.engine.reservation(user, id).await?))
}

async fn release(State(app): State<App>, Owner(user): Owner, At(id): At<ReservationId>) -> Reply<StatusCode> {
    app.engine.release(user, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! What operators read and do for one person. Each is a read of the engine or a command that its owner could give.

use axum::{
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, request::Parts},
};
use booking_api::{
    Entry, List, ListQuery, OwnedPayment, OwnedReservation, Release, Reservation, SeatHistory,
};
use booking_core::{
    hold::SeatNumber,
    id::{PaymentId, PerformanceId, ReservationId, UserId},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Json, Reply};
use crate::{
    app::App,
    extract::{Admin, Asked, At, OptionalBody},
    failure::Failure,
    openapi::refusals::refusals,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(reservation))
        .routes(routes!(release))
        .routes(routes!(payment))
        .routes(routes!(reservations))
        .routes(routes!(entries))
        .routes(routes!(seat_history))
}

refusals!(ReservationRefusals: ADMIN, INPUT, READ; UnknownReservation);

/// Tells where a reservation stands, and whose it is
#[utoipa::path(
    get,
    operation_id = "any_reservation",
    path = "/reservations/{id}",
    tag = "admin",
    security(("admin_key" = [])),
    params(("id" = Uuid, Path, description = "The reservation")),
    responses(
        (status = 200, description = "The reservation and its owner", body = OwnedReservation),
        ReservationRefusals,
    ),
)]
async fn reservation(State(app): State<App>, _: Admin, At(id): At<ReservationId>) -> Reply {
    Json::ok(&OwnedReservation::from(app.engine.any_reservation(id).await?))
}

refusals!(
    ReleaseRefusals: ADMIN, INPUT, BODY, CHANGE; UnknownReservation, HoldExpired, ReservationNotReleasable
);

/// Gives a hold back for its owner
///
/// Releasing twice changes nothing. The owner's queue token may hold again.
#[utoipa::path(
    post,
    operation_id = "release_any_reservation",
    path = "/reservations/{id}/release",
    tag = "admin",
    security(("admin_key" = [])),
    params(("id" = Uuid, Path, description = "The reservation")),
    request_body = Option<Release>,
    responses(
        (status = 200, description = "The reservation as it is now, or would be, and its owner", body = OwnedReservation, headers(("Idempotency-Replayed" = bool, description = "`true`: it was released already"))),
        ReleaseRefusals,
    ),
)]
async fn release(
    State(app): State<App>,
    _: Admin,
    At(id): At<ReservationId>,
    OptionalBody(wanted): OptionalBody<Release>,
) -> Reply {
    let released = if wanted.dry_run {
        app.engine.rehearse_release(id).await?
    } else {
        app.engine.release_any(id).await?
    };
    Json::with(StatusCode::OK, released.replayed, &OwnedReservation::from(released.value))
}

refusals!(PaymentRefusals: ADMIN, INPUT, READ; UnknownPayment);

/// Tells where a payment stands, and who paid
#[utoipa::path(
    get,
    operation_id = "any_payment",
    path = "/payments/{id}",
    tag = "admin",
    security(("admin_key" = [])),
    params(("id" = Uuid, Path, description = "The payment")),
    responses(
        (status = 200, description = "The payment and its payer", body = OwnedPayment),
        PaymentRefusals,
    ),
)]
async fn payment(State(app): State<App>, _: Admin, At(id): At<PaymentId>) -> Reply {
    Json::ok(&OwnedPayment::from(app.engine.any_payment(id).await?))
}

refusals!(UserRefusals: ADMIN, INPUT, READ; UnknownUser);

/// Lists a user's reservations
#[utoipa::path(
    get,
    operation_id = "list_reservations_of_user",
    path = "/users/{id}/reservations",
    tag = "admin",
    security(("admin_key" = [])),
    params(("id" = Uuid, Path, description = "The user"), ListQuery),
    responses(
        (status = 200, description = "A page of reservations", body = List<Reservation>),
        UserRefusals,
    ),
)]
async fn reservations(
    State(app): State<App>,
    _: Admin,
    At(user): At<UserId>,
    Asked(query): Asked<ListQuery>,
) -> Reply {
    let page = query.page()?;
    app.engine.wallet(user).await?;
    Json::ok(&List::of(app.engine.reservations(user, page).await?, Reservation::from))
}

/// Lists a user's ledger
#[utoipa::path(
    get,
    operation_id = "list_entries_of_user",
    path = "/users/{id}/entries",
    tag = "admin",
    security(("admin_key" = [])),
    params(("id" = Uuid, Path, description = "The user"), ListQuery),
    responses(
        (status = 200, description = "A page of the ledger", body = List<Entry>),
        UserRefusals,
    ),
)]
async fn entries(
    State(app): State<App>,
    _: Admin,
    At(user): At<UserId>,
    Asked(query): Asked<ListQuery>,
) -> Reply {
    let page = query.page()?;
    app.engine.wallet(user).await?;
    Json::ok(&List::of(app.engine.entries(user, page).await?, Entry::from))
}

/// A seat, as the path names it.
struct Seat {
    performance: PerformanceId,
    number: SeatNumber,
}

impl<S: Send + Sync> FromRequestParts<S> for Seat {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let invalid = |why: String| Failure::invalid(format!("the path: {why}"));
        let Path((performance, number)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| invalid(rejection.body_text()))?;
        let performance = performance.parse().map_err(|error: uuid::Error| invalid(error.to_string()))?;
        let number = number.parse().map_err(|_| invalid(format!("'{number}' is no number of a seat")))?;
        Ok(Self { performance, number })
    }
}

refusals!(SeatRefusals: ADMIN, INPUT, READ; UnknownPerformance, UnknownSeat);

/// Tells everything that ever moved a seat
#[utoipa::path(
    get,
    operation_id = "seat_history",
    path = "/performances/{id}/seats/{seat}/history",
    tag = "admin",
    security(("admin_key" = [])),
    params(
        ("id" = Uuid, Path, description = "The performance"),
        ("seat" = u32, Path, description = "The number of the seat", minimum = 1, maximum = 20_000),
    ),
    responses(
        (status = 200, description = "Its events", body = SeatHistory),
        SeatRefusals,
    ),
)]
async fn seat_history(State(app): State<App>, _: Admin, seat: Seat) -> Reply {
    let items = app.engine.seat_history(seat.performance, seat.number).await?;
    Json::ok(&SeatHistory { items })
}

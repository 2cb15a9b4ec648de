use axum::extract::State;
use booking_api::{CreatePayment, List, ListQuery, Payment, PaymentMade, openapi};
use booking_core::id::ReservationId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Json, Reply};
use crate::{
    app::App,
    extract::{Asked, Body, IdempotencyKey, Queue, User},
    openapi::refusals::refusals,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(pay, list))
}

refusals!(
    PayRefusals: ADMITTED, INPUT, BODY, CHANGE;
    UnknownReservation, UnknownUser, Forbidden, HoldExpired, ReservationNotPayable, InsufficientBalance
);

/// Pays a reservation from the wallet
///
/// One step: the money moves, the seats are sold and the queue token is done. Paying twice charges once and gives the same
/// payment. An `Idempotency-Key` is welcome but not needed: a reservation has one payment, whatever the request is called.
#[utoipa::path(
    post,
    operation_id = "create_payment",
    path = "/v1/payments",
    tag = "payments",
    security(("queue_token" = [])),
    params(openapi::IdempotencyKey<false>),
    request_body = CreatePayment,
    responses(
        (status = 201, description = "The payment, and what it left in the wallet", body = PaymentMade, headers(("Idempotency-Replayed" = bool, description = "`true`: an earlier, equal call made it"))),
        PayRefusals,
    ),
)]
async fn pay(
    State(app): State<App>,
    Queue(ticket): Queue,
    _: IdempotencyKey,
    Body(wanted): Body<CreatePayment>,
) -> Reply {
    let paid = app.engine.pay(&ticket, ReservationId(wanted.reservation_id)).await;
    Json::created::<_, PaymentMade>(paid.map_err(|error| app.refused(&ticket, error))?)
}

refusals!(ListRefusals: USER, INPUT, READ);

/// Lists one's own payments
#[utoipa::path(
    get,
    operation_id = "list_payments",
    path = "/v1/payments",
    tag = "payments",
    security(("user_token" = [])),
    params(ListQuery),
    responses(
        (status = 200, description = "A page of payments", body = List<Payment>),
        ListRefusals,
    ),
)]
async fn list(State(app): State<App>, User(user): User, Asked(query): Asked<ListQuery>) -> Reply {
    let page = query.page()?;
    Json::ok(&List::of(app.engine.payments(user, page).await?, Payment::from))
}

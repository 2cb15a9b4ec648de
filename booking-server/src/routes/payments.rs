use axum::{Router, extract::State, routing::post};
use booking_api::{CreatePayment, List, ListQuery, Payment, PaymentMade};
use booking_core::id::ReservationId;

use super::{Json, Reply};
use crate::{
    app::App,
    extract::{Asked, Body, IdempotencyKey, Queue, User},
    failure::Failure,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/payments", post(pay).get(list))
}

/// An `Idempotency-Key` is welcome but not needed: a reservation has one payment, whatever the request is called.
async fn pay(
    State(app): State<App>,
    Queue(ticket): Queue,
    _: IdempotencyKey,
    Body(wanted): Body<CreatePayment>,
) -> Reply {
    let paid = app.engine.pay(&ticket, ReservationId(wanted.reservation_id)).await?;
    Json::created::<_, PaymentMade>(paid)
}

async fn list(State(app): State<App>, User(user): User, Asked(query): Asked<ListQuery>) -> Reply {
    let page = query.page().map_err(|error| Failure::invalid(error.to_string()))?;
    Json::ok(&List::of(app.engine.payments(user, page).await?, Payment::from))
}

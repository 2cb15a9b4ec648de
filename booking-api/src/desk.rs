//! What operators read and do for one person: their reservations, payments and seats, whoever's they are.

use booking_core::RecordedEvent;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Payment, Reservation};

/// A reservation, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::owned_reservation))]
pub struct OwnedReservation {
    /// The owner.
    pub user_id: Uuid,
    /// The reservation.
    pub reservation: Reservation,
}

/// A payment, and who paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::owned_payment))]
pub struct OwnedPayment {
    /// Who paid.
    pub user_id: Uuid,
    /// The payment.
    pub payment: Payment,
}

/// `POST /v1/admin/reservations/{id}/release`; the body may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::release))]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Only tell what would be answered, and change nothing.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(default = false))]
    pub dry_run: bool,
}

/// Every event that moved a seat, in commit order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::seat_history))]
pub struct SeatHistory {
    /// The events.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::events))]
    pub items: Vec<RecordedEvent>,
}

impl From<booking_core::hold::Reservation> for OwnedReservation {
    fn from(made: booking_core::hold::Reservation) -> Self {
        Self { user_id: made.user.0, reservation: made.into() }
    }
}

impl From<booking_core::payment::Payment> for OwnedPayment {
    fn from(payment: booking_core::payment::Payment) -> Self {
        Self { user_id: payment.user.0, payment: payment.into() }
    }
}

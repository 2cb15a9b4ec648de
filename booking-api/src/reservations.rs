use booking_core::{hold::ReservationStatus, payment::PaymentStatus};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `POST /v1/reservations`: with `seats` or with `best`, never with both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateReservation {
    /// The performance.
    pub performance_id: Uuid,
    /// The numbers of the seats: all of them are held, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<Vec<i64>>,
    /// How many seats beside each other, the best there are: central, and leaving no seat alone if that can be (H7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<u32>,
}

impl CreateReservation {
    /// Asks for these seats.
    pub fn seats(performance: Uuid, seats: Vec<i64>) -> Self {
        Self { performance_id: performance, seats: Some(seats), best: None }
    }

    /// Asks for the best seats beside each other, so many.
    pub fn best(performance: Uuid, count: u32) -> Self {
        Self { performance_id: performance, seats: None, best: Some(count) }
    }
}

/// A reservation (H5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::reservation))]
pub struct Reservation {
    /// Its identity.
    pub reservation_id: Uuid,
    /// The performance.
    pub performance_id: Uuid,
    /// The seats, ascending.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::seats))]
    pub seats: Vec<u32>,
    /// Where it stands: held, confirmed, expired, released or refunded.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::reservation_status))]
    pub status: ReservationStatus,
    /// What it costs, in the currency's minor unit.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub amount: i64,
    /// When it was made.
    #[serde(serialize_with = "crate::instant::whole")]
    pub created_at: DateTime<Utc>,
    /// The end of the hold; at this instant it is gone.
    #[serde(serialize_with = "crate::instant::whole")]
    pub hold_expires_at: DateTime<Utc>,
    /// The payment to be settled; absent when there is none to settle and none was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentDue>,
}

/// The payment of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentDue {
    /// Its identity.
    pub payment_id: Uuid,
    /// Where it stands: due, paid or refunded.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::payment_status))]
    pub status: PaymentStatus,
}

impl From<booking_core::hold::Reservation> for Reservation {
    fn from(made: booking_core::hold::Reservation) -> Self {
        Self {
            reservation_id: made.id.0,
            performance_id: made.performance.0,
            seats: made.seats.to_vec(),
            status: made.status,
            amount: made.amount.units(),
            created_at: made.created_at.into(),
            hold_expires_at: made.hold_until.into(),
            payment: made.payment_status().map(|status| PaymentDue { payment_id: made.payment.0, status }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_for_seats_travels_as_what_was_asked_for_and_nothing_else() {
        let json = |wanted: &CreateReservation| serde_json::to_value(wanted).unwrap();
        let performance_id = Uuid::nil();
        let named = CreateReservation::seats(performance_id, vec![3, 4]);
        assert_eq!(json(&named), serde_json::json!({ "performance_id": performance_id, "seats": [3, 4] }));
        let best = CreateReservation::best(performance_id, 2);
        assert_eq!(json(&best), serde_json::json!({ "performance_id": performance_id, "best": 2 }));
    }
}

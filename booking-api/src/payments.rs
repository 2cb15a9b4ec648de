use booking_core::{Paid, payment::PaymentStatus};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `POST /v1/payments`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::create_payment))]
#[serde(deny_unknown_fields)]
pub struct CreatePayment {
    /// The reservation to pay.
    pub reservation_id: Uuid,
}

/// A payment that was made (P5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::payment))]
pub struct Payment {
    /// Its identity.
    pub payment_id: Uuid,
    /// What it paid.
    pub reservation_id: Uuid,
    /// How much, in the currency's minor unit.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub amount: i64,
    /// Paid or refunded.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::payment_status))]
    pub status: PaymentStatus,
    /// When it was paid.
    #[serde(serialize_with = "crate::instant::whole")]
    pub paid_at: DateTime<Utc>,
    /// When it was given back, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded_at: Option<DateTime<Utc>>,
}

/// A payment, and what it left in the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::payment_made))]
pub struct PaymentMade {
    /// The payment.
    #[serde(flatten)]
    pub payment: Payment,
    /// The payer's balance now.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub balance: i64,
}

impl From<booking_core::payment::Payment> for Payment {
    fn from(payment: booking_core::payment::Payment) -> Self {
        Self {
            payment_id: payment.id.0,
            reservation_id: payment.reservation.0,
            amount: payment.amount.units(),
            status: payment.status(),
            paid_at: payment.paid_at.into(),
            refunded_at: payment.refunded_at.map(Into::into),
        }
    }
}

impl From<Paid> for PaymentMade {
    fn from(paid: Paid) -> Self {
        Self { payment: paid.payment.into(), balance: paid.balance.units() }
    }
}

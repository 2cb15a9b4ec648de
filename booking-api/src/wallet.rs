use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `POST /v1/wallet/charges`, with the header `Idempotency-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::create_charge))]
#[serde(deny_unknown_fields)]
pub struct CreateCharge {
    /// How much: a positive integer in the currency's minor unit (W3).
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub amount: i64,
    /// Whose wallet; with the service key only, and needed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
}

/// A charge that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::charge_made))]
pub struct ChargeMade {
    /// Its line in the ledger.
    pub entry_id: Uuid,
    /// How much.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub amount: i64,
    /// The balance it left.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub balance: i64,
}

/// A wallet (W2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::wallet))]
pub struct Wallet {
    /// Whose it is.
    pub user_id: Uuid,
    /// What is in it, in the currency's minor unit.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub balance: i64,
}

/// A line of the ledger (W4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::entry))]
pub struct Entry {
    /// Its identity.
    pub entry_id: Uuid,
    /// Its place in the ledger, from 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub number: u64,
    /// charge, debit or refund.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::entry_kind))]
    pub kind: String,
    /// How much moved.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub amount: i64,
    /// The balance when it had moved.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub balance_after: i64,
    /// The payment that moved it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<Uuid>,
    /// When.
    pub at: DateTime<Utc>,
}

impl From<booking_core::wallet::Wallet> for Wallet {
    fn from(wallet: booking_core::wallet::Wallet) -> Self {
        Self { user_id: wallet.user.0, balance: wallet.balance.units() }
    }
}

impl From<booking_core::wallet::Entry> for Entry {
    fn from(entry: booking_core::wallet::Entry) -> Self {
        Self {
            entry_id: entry.id.0,
            number: entry.number,
            kind: entry.kind.as_str().into(),
            amount: entry.amount.units(),
            balance_after: entry.balance_after.units(),
            payment_id: entry.kind.payment().map(|payment| payment.0),
            at: entry.at.into(),
        }
    }
}

impl From<booking_core::wallet::Entry> for ChargeMade {
    fn from(entry: booking_core::wallet::Entry) -> Self {
        Self { entry_id: entry.id.0, amount: entry.amount.units(), balance: entry.balance_after.units() }
    }
}

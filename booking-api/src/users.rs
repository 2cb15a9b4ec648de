use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `POST /v1/users`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::create_user))]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// The identity to give the user; with the admin key only. Without it a new one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
}

/// A user, with the token that speaks for the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::user_created))]
pub struct UserCreated {
    /// The user.
    pub user_id: Uuid,
    /// The bearer token for wallet, payments and getting a queue token.
    pub user_token: String,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
}

use axum::{
    extract::State,
    http::{StatusCode, request::Parts},
};
use booking_api::{Code, CreateUser, UserCreated};
use booking_core::id::UserId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Json, Reply};
use crate::{
    app::App,
    extract::{Admin, OptionalBody, bearer},
    failure::Failure,
    openapi::refusals::refusals,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create))
}

/// Who may sign up: anybody where that is open, else whoever holds the admin key. Only the latter may choose an id.
struct Signup {
    by_admin: bool,
}

impl axum::extract::FromRequestParts<App> for Signup {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        if app.options.open_signup && bearer(parts)?.is_none() {
            return Ok(Self { by_admin: false });
        }
        Admin::from_request_parts(parts, app).await.map(|Admin| Self { by_admin: true })
    }
}

refusals!(CreateRefusals: ADMIN, BODY, CHANGE, USER);

/// Signs a user up, and gives the user token
///
/// The same `user_id` twice is the same user, with a new token.
#[utoipa::path(
    post,
    operation_id = "sign_up",
    path = "/v1/users",
    tag = "users",
    security((), ("admin_key" = [])),
    request_body = Option<CreateUser>,
    responses(
        (status = 201, description = "The user", body = UserCreated, headers(("Idempotency-Replayed" = bool, description = "`true`: an earlier, equal call made it"))),
        CreateRefusals,
    ),
)]
async fn create(
    State(app): State<App>,
    signup: Signup,
    OptionalBody(wanted): OptionalBody<CreateUser>,
) -> Reply {
    if wanted.user_id.is_some() && !signup.by_admin {
        return Err(Failure::new(Code::Forbidden, "user_id: only the admin key may choose it; leave it out"));
    }
    let user = UserId(wanted.user_id.unwrap_or_else(Uuid::now_v7));
    let opened = app.engine.open_wallet(user).await?;
    let (user_token, expires) = app.tokens.user_token(user, app.clock.now())?;
    let created = UserCreated { user_id: user.0, user_token, expires_at: expires.into() };
    Json::with(StatusCode::CREATED, opened.replayed, &created)
}

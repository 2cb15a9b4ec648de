use axum::{
    Router,
    extract::{FromRequestParts, State},
    http::request::Parts,
    routing::{get, post},
};
use booking_api::{ChargeMade, Code, CreateCharge, Entry, List, ListQuery, Wallet};
use booking_core::{
    Amount,
    id::{EntryId, UserId, from_idempotency_key},
};

use super::{Json, Reply};
use crate::{
    app::App,
    extract::{Asked, Body, IdempotencyKey, User, bearer},
    failure::Failure,
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/wallet", get(wallet))
        .route("/v1/wallet/entries", get(entries))
        .route("/v1/wallet/charges", post(charge))
}

/// Who charges: the payment gateway's callback with the service key, or a user where charges are open.
enum Charger {
    Service,
    User(UserId),
}

impl FromRequestParts<App> for Charger {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        if bearer(parts)?.is_some_and(|token| app.service_key.is(token)) {
            return Ok(Self::Service);
        }
        let User(user) = User::from_request_parts(parts, app).await?;
        if app.options.open_charges {
            return Ok(Self::User(user));
        }
        Err(Failure::new(
            Code::Forbidden,
            "wallets are charged with the service key, which the payment gateway holds",
        ))
    }
}

impl Charger {
    fn wallet(&self, named: Option<UserId>) -> Result<UserId, Failure> {
        match (self, named) {
            (Self::Service, Some(user)) => Ok(user),
            (Self::Service, None) => Err(Failure::invalid("user_id: name the user whose wallet is charged")),
            (Self::User(user), None) => Ok(*user),
            (Self::User(user), Some(named)) if *user == named => Ok(*user),
            (Self::User(_), Some(_)) => {
                Err(Failure::new(Code::Forbidden, "user_id: you can charge your own wallet only"))
            }
        }
    }
}

async fn charge(
    State(app): State<App>,
    charger: Charger,
    IdempotencyKey(key): IdempotencyKey,
    Body(wanted): Body<CreateCharge>,
) -> Reply {
    let user = charger.wallet(wanted.user_id.map(UserId))?;
    let amount = Amount::new(wanted.amount).map_err(|error| Failure::invalid(format!("amount: {error}")))?;
    let missing = || Failure::invalid("send an Idempotency-Key, so that a repeated request charges once");
    let key = key.ok_or_else(missing)?;
    let entry = EntryId(from_idempotency_key(user, "charge", &key));
    Json::created::<_, ChargeMade>(app.engine.charge(user, entry, amount).await?)
}

async fn wallet(State(app): State<App>, User(user): User) -> Reply {
    Json::ok(&Wallet::from(app.engine.wallet(user).await?))
}

async fn entries(State(app): State<App>, User(user): User, Asked(query): Asked<ListQuery>) -> Reply {
    let page = query.page().map_err(|error| Failure::invalid(error.to_string()))?;
    Json::ok(&List::of(app.engine.entries(user, page).await?, Entry::from))
}

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use booking_api::{ChargeMade, Code, CreateCharge, Entry, List, ListQuery, Wallet, openapi};
use booking_core::{
    Amount,
    id::{EntryId, UserId, from_idempotency_key},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Json, Reply};
use crate::{
    app::App,
    extract::{Asked, Body, IdempotencyKey, User, bearer},
    failure::Failure,
    openapi::refusals::refusals,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(wallet)).routes(routes!(entries)).routes(routes!(charge))
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

refusals!(ChargeRefusals: USER, INPUT, BODY, CHANGE; Forbidden, UnknownUser, IdempotencyKeyReused, AmountOutOfRange);

/// Puts money into a wallet
///
/// With the service key, and the user named; or one's own wallet with the user token, where the server allows it.
#[utoipa::path(
    post,
    operation_id = "create_charge",
    path = "/v1/wallet/charges",
    tag = "wallet",
    security(("service_key" = []), ("user_token" = [])),
    params(openapi::IdempotencyKey<true>),
    request_body = CreateCharge,
    responses(
        (status = 201, description = "The charge, and the balance it left", body = ChargeMade, headers(("Idempotency-Replayed" = bool, description = "`true`: an earlier, equal call made it"))),
        ChargeRefusals,
    ),
)]
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

refusals!(WalletRefusals: USER, READ; UnknownUser);

/// Tells the balance of one's own wallet
#[utoipa::path(
    get,
    operation_id = "wallet",
    path = "/v1/wallet",
    tag = "wallet",
    security(("user_token" = [])),
    responses(
        (status = 200, description = "The wallet", body = Wallet),
        WalletRefusals,
    ),
)]
async fn wallet(State(app): State<App>, User(user): User) -> Reply {
    Json::ok(&Wallet::from(app.engine.wallet(user).await?))
}

refusals!(EntriesRefusals: USER, INPUT, READ);

/// Lists the ledger of one's own wallet
#[utoipa::path(
    get,
    operation_id = "list_entries",
    path = "/v1/wallet/entries",
    tag = "wallet",
    security(("user_token" = [])),
    params(ListQuery),
    responses(
        (status = 200, description = "A page of entries", body = List<Entry>),
        EntriesRefusals,
    ),
)]
async fn entries(State(app): State<App>, User(user): User, Asked(query): Asked<ListQuery>) -> Reply {
    let page = query.page()?;
    Json::ok(&List::of(app.engine.entries(user, page).await?, Entry::from))
}

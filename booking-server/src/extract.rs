//! What handlers take out of requests. Everything that can be wrong with a request is told as problem details.

use std::{pin::pin, str::FromStr};

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderValue, header, request::Parts},
};
use booking_api::{Code, IDEMPOTENCY_KEY};
use booking_core::{Ticket, id::UserId};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::{app::App, failure::Failure, in_time::in_time, tokens::InvalidToken};

const LONGEST_KEY: usize = 255;
/// The longest body a request may have: 64 KiB.
const LONGEST_BODY: usize = 64 * 1024;

/// A key an operator or a gateway holds. Only its hash is kept, and compared in constant time.
pub(crate) struct KeyHash(digest::Digest);

impl KeyHash {
    pub(crate) fn of(key: &str) -> Self {
        Self(digest::digest(&digest::SHA256, key.as_bytes()))
    }

    pub(crate) fn is(&self, key: &str) -> bool {
        verify_slices_are_equal(self.0.as_ref(), Self::of(key).0.as_ref()).is_ok()
    }
}

/// What was sent in this header, if it was: of two nobody knows which one counts.
fn only<'a>(parts: &'a Parts, name: &str, code: Code) -> Result<Option<&'a HeaderValue>, Failure> {
    let mut sent = parts.headers.get_all(name).iter();
    match (sent.next(), sent.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Failure::new(code, format!("{name}: the header was sent more than once"))),
    }
}

/// The bearer token, if one was sent.
pub(crate) fn bearer(parts: &Parts) -> Result<Option<&str>, Failure> {
    let Some(value) = only(parts, header::AUTHORIZATION.as_str(), Code::InvalidToken)? else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    token
        .map(Some)
        .ok_or_else(|| Failure::new(Code::InvalidToken, "send the token as `Authorization: Bearer TOKEN`"))
}

fn needed<'a>(parts: &'a Parts, what: &str) -> Result<&'a str, Failure> {
    let missing =
        || Failure::new(Code::InvalidToken, format!("send {what} as `Authorization: Bearer TOKEN`"));
    bearer(parts)?.ok_or_else(missing)
}

/// Whose user token was sent, and who made it.
enum Verified {
    Ours(UserId),
    /// The identity provider's. The user may be new here.
    Upstream(UserId),
}

impl App {
    fn verify_user(&self, token: &str) -> Result<Verified, InvalidToken> {
        match (self.tokens.user(token), &self.options.user_keys) {
            (Err(InvalidToken::Foreign), Some(keys)) => keys.user(token).map(Verified::Upstream),
            (ours, _) => ours.map(Verified::Ours),
        }
    }
}

impl Verified {
    /// The user, whose call is counted, and who is made known at the first one.
    async fn enter(self, parts: &Parts, app: &App) -> Result<UserId, Failure> {
        let (Self::Ours(user) | Self::Upstream(user)) = self;
        app.user_limit.count(user, parts)?;
        if let (Self::Upstream(user), Some(keys)) = (self, &app.options.user_keys) {
            keys.introduce(&app.engine, user).await?;
        }
        Ok(user)
    }
}

/// The user a user token speaks for.
pub(crate) struct User(pub(crate) UserId);

impl FromRequestParts<App> for User {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let verified = app.verify_user(needed(parts, "the user token")?)?;
        verified.enter(parts, app).await.map(Self)
    }
}

/// The ticket a queue token carries. Whether it may book is for the engine to say.
pub(crate) struct Queue(pub(crate) Ticket);

impl FromRequestParts<App> for Queue {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let ticket = app.tokens.ticket(needed(parts, "the queue token")?)?;
        app.user_limit.count(ticket.user, parts).map(|()| Self(ticket))
    }
}

/// The user of a queue token or of a user token.
pub(crate) struct Owner(pub(crate) UserId);

impl FromRequestParts<App> for Owner {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let token = needed(parts, "the queue token or the user token")?;
        let verified = match app.tokens.ticket(token) {
            Ok(ticket) => Verified::Ours(ticket.user),
            Err(_) => app.verify_user(token)?,
        };
        verified.enter(parts, app).await.map(Self)
    }
}

/// An operator.
pub(crate) struct Admin;

impl FromRequestParts<App> for Admin {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let token = needed(parts, "the admin key")?;
        if app.admin_key.is(token) {
            return Ok(Self);
        }
        let known =
            app.verify_user(token).is_ok() || app.tokens.ticket(token).is_ok() || app.service_key.is(token);
        let code = if known { Code::Forbidden } else { Code::InvalidToken };
        Err(Failure::new(code, "this call takes the admin key only"))
    }
}

/// The caller's identity of this request, if it gave one.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Some(value) = only(parts, IDEMPOTENCY_KEY, Code::InvalidRequest)? else { return Ok(Self(None)) };
        let key = value.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
        let invalid = || Failure::invalid("Idempotency-Key: must be 1 to 255 printable ASCII characters");
        key.map(|key| Self(Some(key.to_owned()))).ok_or_else(invalid)
    }
}

/// A part of the path: an id, or a name.
pub(crate) struct At<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr<Err: std::fmt::Display>> FromRequestParts<S> for At<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let invalid = |why: String| Failure::invalid(format!("the path: {why}"));
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| invalid(rejection.body_text()))?;
        text.parse().map(Self).map_err(|error: T::Err| invalid(error.to_string()))
    }
}

/// The query of the URL.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Failure::invalid(rejection.body_text())),
        }
    }
}

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let is_json = is_json(&request);
        let bytes = read(request, app).await?;
        if !is_json {
            return Err(Failure::new(Code::UnsupportedMediaType, "send `Content-Type: application/json`"));
        }
        parse(&bytes).map(Self)
    }
}

/// A JSON body that may be left out.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<App> for OptionalBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let is_json = is_json(&request);
        let bytes = read(request, app).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !is_json {
            return Err(Failure::new(Code::UnsupportedMediaType, "send `Content-Type: application/json`"));
        }
        parse(&bytes).map(Self)
    }
}

fn is_json(request: &Request) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
}

async fn read(request: Request, app: &App) -> Result<Bytes, Failure> {
    let within = app.options.receive_timeout;
    let body = Limited::new(request.into_body(), LONGEST_BODY);
    match in_time(within, pin!(body.collect())).await {
        Some(Ok(body)) => Ok(body.to_bytes()),
        Some(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Failure::new(Code::BodyTooLarge, "the body may have 64 KiB at most"))
        }
        Some(Err(error)) => Err(Failure::invalid(format!("the body: {error}"))),
        None => {
            let seconds = within.as_secs_f32();
            Err(Failure::invalid(format!("the body did not arrive within {seconds} s; send it again")))
        }
    }
}

/// Every body is an object. Left to itself the parser would also take a list of the fields' values.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        return Err(Failure::invalid("the body: invalid type: it must be a JSON object, `{…}`"));
    }
    serde_json::from_slice(bytes).map_err(|error| Failure::invalid(format!("the body: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_as_a_hash_only_and_nothing_but_the_key_itself_is_it() {
        let key = "0123456789abcdef0123456789abcdef";
        let kept = KeyHash::of(key);
        assert!(
            !kept.0.as_ref().windows(4).any(|part| key.as_bytes().windows(4).any(|of_key| of_key == part))
        );
        assert!(kept.is(key));
        for other in ["", &key[..31], &format!("{key}0"), &key.to_uppercase(), &format!(" {key}")] {
            assert!(!kept.is(other), "{other:?}");
        }
    }
}

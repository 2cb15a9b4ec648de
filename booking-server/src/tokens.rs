//! The two bearer tokens: who somebody is, and where somebody stands in a queue.

use std::{collections::HashSet, time::Duration};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use booking_core::{Epoch, LaneName, Ticket, Timestamp, id::UserId};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode,
    errors::{Error, ErrorKind},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const USER: &str = "booking.user";
const QUEUE: &str = "booking.queue";
/// Room for a signature, which has 32 bytes, and for what decoding it may ask for beyond them.
const LONGEST_TAG: usize = 33;
/// How far the clocks of instances, and that of an identity provider, may differ when a user token expires.
pub(crate) const LEEWAY: Duration = Duration::from_secs(30);

#[derive(Serialize, Deserialize)]
struct UserClaims {
    aud: String,
    sub: UserId,
    iat: i64,
    exp: i64,
}

/// No time in it: how long a ticket lives is the lane's business, and the same ticket always gives the same token.
#[derive(Serialize, Deserialize)]
struct QueueClaims<'a> {
    aud: &'a str,
    sub: UserId,
    lane: LaneName,
    epoch: Epoch,
    seq: u64,
}

/// Why a token is not accepted, in words for its bearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidToken {
    #[error("the user token has expired; get a new one")]
    Expired,
    #[error("a queue token was sent where a user token is needed")]
    QueueForUser,
    #[error("a user token was sent where a queue token is needed; get one with POST /v1/queue/tokens")]
    UserForQueue,
    #[error("the user token is not valid yet; compare the clocks of its issuer and of this service")]
    Early,
    #[error("the user token is of another issuer, for another audience, or lacks iss, aud, sub or exp")]
    NotForUs,
    #[error("the token is not one of this service")]
    Foreign,
}

struct Key {
    header: Header,
    /// What every token signed with it begins with: the header, encoded, and the dot.
    prefix: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    /// The secret, made ready once: each check would hash it anew otherwise.
    signature: hmac::Key,
}

impl Key {
    fn new(secret: &[u8]) -> Self {
        // Names the secret in the token's header without telling it.
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, secret).simple().to_string()[..8].to_owned();
        let header = format!(r#"{{"typ":"JWT","alg":"HS256","kid":"{id}"}}"#);
        Self {
            header: Header { kid: Some(id), ..Header::new(Algorithm::HS256) },
            prefix: URL_SAFE_NO_PAD.encode(header) + ".",
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            signature: hmac::Key::new(hmac::HMAC_SHA256, secret),
        }
    }

    /// The claims, still as JSON, of a token that begins with `prefix` and that this key signed.
    fn claims(&self, token: &str) -> Option<Vec<u8>> {
        let (claims, signature) = token.strip_prefix(&self.prefix)?.split_once('.')?;
        let message = &token.as_bytes()[..self.prefix.len() + claims.len()];
        let mut tag = [0; LONGEST_TAG];
        let length = URL_SAFE_NO_PAD.decode_slice(signature, &mut tag).ok()?;
        hmac::verify(&self.signature, message, &tag[..length]).ok()?;
        URL_SAFE_NO_PAD.decode(claims).ok()
    }
}

/// Makes and verifies tokens (HS256).
pub struct Tokens {
    /// The first signs, all verify.
    keys: Vec<Key>,
    user_rules: Validation,
    user_ttl: Duration,
}

fn rules(audience: &str, claims: &[&str]) -> Validation {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_audience(&[audience]);
    rules.required_spec_claims = claims.iter().map(|claim| (*claim).to_owned()).collect::<HashSet<_>>();
    rules.leeway = LEEWAY.as_secs();
    rules.validate_exp = claims.contains(&"exp");
    rules
}

impl Tokens {
    /// Tokens signed with the first of `secrets` and verified with any of them. User tokens last for `user_ttl`.
    pub fn new(secrets: &[String], user_ttl: Duration) -> Self {
        Self {
            keys: secrets.iter().map(|secret| Key::new(secret.as_bytes())).collect(),
            user_rules: rules(USER, &["aud", "sub", "exp"]),
            user_ttl,
        }
    }

    fn sign(&self, claims: &impl Serialize) -> Result<String, Error> {
        let key = self.keys.first().ok_or(ErrorKind::InvalidKeyFormat)?;
        encode(&key.header, claims, &key.encoding)
    }

    fn user_claims(&self, token: &str) -> Result<UserClaims, ErrorKind> {
        let mut last = ErrorKind::InvalidSignature;
        for key in &self.keys {
            match decode(token, &key.decoding, &self.user_rules) {
                Ok(data) => return Ok(data.claims),
                Err(error) => last = error.into_kind(),
            }
            if last != ErrorKind::InvalidSignature {
                break;
            }
        }
        Err(last)
    }

    /// Nobody but this service makes queue tokens, all with the same header: comparing it, not reading it, makes the
    /// check of every call some 2 µs shorter.
    fn queue_claims(&self, token: &str) -> Option<Ticket> {
        let claims = self.keys.iter().find_map(|key| key.claims(token))?;
        let claims: QueueClaims<'_> = serde_json::from_slice(&claims).ok()?;
        let QueueClaims { aud, sub, lane, epoch, seq } = claims;
        (aud == QUEUE).then_some(Ticket { lane, epoch, seq, user: sub })
    }

    /// A token that speaks for a user, and when it expires.
    pub fn user_token(&self, user: UserId, now: Timestamp) -> Result<(String, Timestamp), Error> {
        let expires = now.after(self.user_ttl);
        let seconds = |instant: Timestamp| instant.micros().div_euclid(1_000_000);
        let claims = UserClaims { aud: USER.into(), sub: user, iat: seconds(now), exp: seconds(expires) };
        Ok((self.sign(&claims)?, expires))
    }

    /// The token of a ticket: the same ticket, the same token (Q10).
    pub fn queue_token(&self, ticket: &Ticket) -> Result<String, Error> {
        let Ticket { lane, epoch, seq, user } = ticket;
        let claims = QueueClaims { aud: QUEUE, sub: *user, lane: lane.clone(), epoch: *epoch, seq: *seq };
        self.sign(&claims)
    }

    /// The user a token speaks for.
    pub(crate) fn user(&self, token: &str) -> Result<UserId, InvalidToken> {
        match self.user_claims(token) {
            Ok(claims) => Ok(claims.sub),
            Err(ErrorKind::ExpiredSignature) => Err(InvalidToken::Expired),
            Err(_) if self.queue_claims(token).is_some() => Err(InvalidToken::QueueForUser),
            Err(_) => Err(InvalidToken::Foreign),
        }
    }

    /// The ticket a token carries.
    pub(crate) fn ticket(&self, token: &str) -> Result<Ticket, InvalidToken> {
        self.queue_claims(token).ok_or_else(|| match self.user_claims(token) {
            Ok(_) => InvalidToken::UserForQueue,
            Err(_) => InvalidToken::Foreign,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::system_clock;

    fn tokens(secrets: &[&str]) -> Tokens {
        let secrets: Vec<String> = secrets.iter().map(|&secret| secret.to_owned()).collect();
        Tokens::new(&secrets, Duration::from_mins(1))
    }

    fn ticket() -> Ticket {
        Ticket { lane: LaneName::main(), epoch: Epoch(u64::MAX), seq: 7, user: UserId(Uuid::from_u128(1)) }
    }

    #[test]
    fn a_ticket_survives_its_token_and_always_gives_the_same_one() {
        let tokens = tokens(&["one"]);
        let token = tokens.queue_token(&ticket()).unwrap();
        assert_eq!(tokens.ticket(&token), Ok(ticket()));
        assert_eq!(tokens.queue_token(&ticket()).unwrap(), token);
    }

    #[test]
    fn tokens_in_each_others_place_are_refused_and_named() {
        let tokens = tokens(&["one"]);
        let queue_token = tokens.queue_token(&ticket()).unwrap();
        let (user_token, _) = tokens.user_token(ticket().user, system_clock()).unwrap();
        assert_eq!(tokens.user(&user_token), Ok(ticket().user));
        assert_eq!(tokens.user(&queue_token), Err(InvalidToken::QueueForUser));
        assert_eq!(tokens.ticket(&user_token), Err(InvalidToken::UserForQueue));
    }

    #[test]
    fn an_expired_user_token_is_refused_after_the_leeway() {
        let tokens = tokens(&["one"]);
        let issued =
            |ago: u64| tokens.user_token(ticket().user, system_clock().before(Duration::from_secs(ago)));
        assert!(tokens.user(&issued(60 + 15).unwrap().0).is_ok());
        assert_eq!(tokens.user(&issued(60 + 45).unwrap().0), Err(InvalidToken::Expired));
    }

    #[test]
    fn a_retired_secret_still_verifies_and_a_foreign_one_never_did() {
        let old = tokens(&["old"]).queue_token(&ticket()).unwrap();
        assert_eq!(tokens(&["new", "old"]).ticket(&old), Ok(ticket()));
        assert_eq!(tokens(&["new"]).ticket(&old), Err(InvalidToken::Foreign));
    }

    #[test]
    fn no_change_of_a_token_is_accepted() {
        let tokens = tokens(&["one"]);
        let token = tokens.queue_token(&ticket()).unwrap();
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            // The last character of a part may carry unused bits, but the library is strict about those too.
            assert!(tokens.ticket(&changed).is_err(), "changed at {at}");
        }
        for bad in ["", ".", "..", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
            assert_eq!(tokens.ticket(bad), Err(InvalidToken::Foreign), "{bad:?}");
        }
    }
}

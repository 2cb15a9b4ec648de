//! User tokens of another identity provider: its keys in a file, and who its subjects are here.

mod file;

use std::{
    collections::HashSet,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use booking_core::{Engine, Error, id::UserId};
use jsonwebtoken::{Validation, decode, decode_header, errors::ErrorKind};
use serde::Deserialize;
use uuid::Uuid;

pub use file::InvalidUserKeys;
use file::UserKey;

use crate::tokens::{InvalidToken, LEEWAY};

/// How many users are remembered as known. Beyond, the memory begins anew: all it costs is asking the store again.
const MOST_REMEMBERED: usize = 1_000_000;

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

/// Verifies the user tokens of one identity provider with the public keys (or secrets) in a file.
pub struct UserKeys {
    path: PathBuf,
    issuer: String,
    audience: String,
    /// The text of the file as it was last read, and whether it could be used or not: the same is not read twice.
    text: Mutex<String>,
    keys: RwLock<Arc<[UserKey]>>,
    known: RwLock<HashSet<UserId>>,
}

impl fmt::Debug for UserKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserKeys")
            .field("path", &self.path)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl UserKeys {
    /// The keys in this file, for tokens that this issuer made for this audience.
    pub fn read(path: &Path, issuer: &str, audience: &str) -> Result<Self, InvalidUserKeys> {
        let text = file::text(path)?;
        let keys = file::parse(path, &text)?;
        Ok(Self {
            path: path.into(),
            issuer: issuer.into(),
            audience: audience.into(),
            text: Mutex::new(text),
            keys: RwLock::new(keys.into()),
            known: RwLock::default(),
        })
    }

    /// Reads the file again, if it changed. With keys that can't be used the ones from before stay.
    pub fn reread(&self) {
        let text = match file::text(&self.path) {
            Ok(text) => text,
            Err(error) => return tracing::error!(%error, "the user keys stay as they were"),
        };
        let mut last = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == text {
            return;
        }
        match file::parse(&self.path, &text) {
            Ok(keys) => {
                tracing::info!(keys = keys.len(), "the user keys were read again");
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
            }
            Err(error) => tracing::error!(%error, "the user keys stay as they were"),
        }
        *last = text;
    }

    /// The user a token of the provider speaks for. A key verifies with its own algorithm only, whatever the token says.
    pub(crate) fn user(&self, token: &str) -> Result<UserId, InvalidToken> {
        let header = decode_header(token).map_err(|_| InvalidToken::Foreign)?;
        let keys = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        let is_named = header.kid.is_some() && keys.iter().any(|key| key.id == header.kid);
        let may_fit = |key: &&UserKey| {
            let is_meant =
                if is_named { key.id == header.kid } else { key.id.is_none() || header.kid.is_none() };
            is_meant && key.algorithm == header.alg
        };
        for key in keys.iter().filter(may_fit) {
            match decode::<Claims>(token, &key.decoding, &self.rules(key)) {
                Ok(token) => return Ok(self.user_of(&token.claims.sub)),
                Err(error) => match error.into_kind() {
                    // Another key may have signed it.
                    ErrorKind::InvalidSignature => {}
                    ErrorKind::ExpiredSignature => return Err(InvalidToken::Expired),
                    ErrorKind::ImmatureSignature => return Err(InvalidToken::Early),
                    _ => return Err(InvalidToken::NotForUs),
                },
            }
        }
        Err(InvalidToken::Foreign)
    }

    fn rules(&self, key: &UserKey) -> Validation {
        let mut rules = Validation::new(key.algorithm);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.audience]);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        rules.leeway = LEEWAY.as_secs();
        rules.validate_nbf = true;
        rules
    }

    /// The same subject of the same issuer is the same user, on any instance, for ever.
    fn user_of(&self, subject: &str) -> UserId {
        let issuer = Uuid::new_v5(&Uuid::NAMESPACE_URL, self.issuer.as_bytes());
        UserId(Uuid::new_v5(&issuer, subject.as_bytes()))
    }

    /// Makes the user known to the engine, if that was not done before.
    pub(crate) async fn introduce(&self, engine: &Engine, user: UserId) -> Result<(), Error> {
        if self.known.read().unwrap_or_else(PoisonError::into_inner).contains(&user) {
            return Ok(());
        }
        engine.open_wallet(user).await?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_REMEMBERED {
            known.clear();
        }
        known.insert(user);
        Ok(())
    }
}

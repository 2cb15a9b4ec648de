//! The file with the keys: a JWK set, or public keys in PEM.

use std::{
    fs,
    path::{Path, PathBuf},
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

/// A shared secret shorter than this many bytes could be guessed.
const SHORTEST_SECRET: usize = 32;
const PEM_BEGIN: &str = "-----BEGIN";
const NO_KEY: &str = "there is no key in it: give a JWK set, or public keys in PEM (RSA, P-256 or Ed25519)";

const OTHER_CURVE: &str = "an EC key in PEM must be on P-256; give keys on other curves in a JWK set";

/// Keys that can't be used, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("--user-keys {path}: {why}")]
pub struct InvalidUserKeys {
    path: PathBuf,
    why: String,
}

/// A key of the identity provider. It verifies with one algorithm and no other.
pub(super) struct UserKey {
    pub(super) id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

pub(super) fn text(path: &Path) -> Result<String, InvalidUserKeys> {
    fs::read_to_string(path).map_err(|error| InvalidUserKeys { path: path.into(), why: error.to_string() })
}

/// The keys in a file of this text.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<UserKey>, InvalidUserKeys> {
    let keys = if text.trim_start().starts_with('{') { jwk_set(text) } else { pem(text) };
    let keys = keys.and_then(|keys| if keys.is_empty() { Err(NO_KEY.to_owned()) } else { Ok(keys) });
    keys.map_err(|why| InvalidUserKeys { path: path.into(), why })
}

/// A JWK set whose keys are looked at one by one.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

/// A key that can't be used is left out as long as there is another: who brings in a kind that is new must not shut out the
/// users of the rest.
fn jwk_set(text: &str) -> Result<Vec<UserKey>, String> {
    let set: Set = serde_json::from_str(text).map_err(|error| format!("it is no JWK set: {error}"))?;
    let (mut keys, mut unusable) = (Vec::new(), Vec::new());
    for key in &set.keys {
        match of_set(key) {
            Ok(key) => keys.extend(key),
            Err(why) => unusable.push(why),
        }
    }
    if keys.is_empty() && !unusable.is_empty() {
        return Err(unusable.swap_remove(0));
    }
    for why in unusable {
        tracing::warn!("--user-keys: {why}; it is left out");
    }
    Ok(keys)
}

fn named(id: Option<&str>, why: &str) -> String {
    format!("the key {}: {why}", id.unwrap_or("without a kid"))
}

/// A key of a set. Keys for anything but signatures, or of a kind nobody here knows, are somebody else's business.
fn of_set(key: &Value) -> Result<Option<UserKey>, String> {
    let jwk = Jwk::deserialize(key)
        .map_err(|error| named(key["kid"].as_str(), &format!("it is no JWK that is known here: {error}")))?;
    let is_ours = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature))
        && !matches!(jwk.algorithm, AlgorithmParameters::Other(_));
    is_ours.then(|| of_jwk(&jwk)).transpose()
}

fn of_jwk(jwk: &Jwk) -> Result<UserKey, String> {
    let id = jwk.common.key_id.clone();
    let named = |why: String| named(id.as_deref(), &why);
    let usual = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Some(Algorithm::RS256),
        AlgorithmParameters::OctetKey(_) => Some(Algorithm::HS256),
        AlgorithmParameters::EllipticCurve(key) => usual_on(&key.curve),
        AlgorithmParameters::OctetKeyPair(key) => usual_on(&key.curve),
        _ => None,
    };
    let algorithm = match jwk.common.key_algorithm {
        Some(stated) => Algorithm::try_from(stated).ok(),
        None => usual,
    };
    let algorithm = algorithm.ok_or_else(|| named("its algorithm or its curve is not supported".into()))?;
    let decoding = DecodingKey::from_jwk(jwk).map_err(|error| named(error.to_string()))?;
    if decoding.family() != algorithm.family() {
        return Err(named(format!("it is no key for {algorithm:?}")));
    }
    let is_secret = decoding.family() == AlgorithmFamily::Hmac;
    if is_secret && decoding.try_get_as_bytes().is_ok_and(|secret| secret.len() < SHORTEST_SECRET) {
        return Err(named(format!("a secret must have {SHORTEST_SECRET} bytes at least")));
    }
    Ok(UserKey { id, algorithm, decoding })
}

fn usual_on(curve: &EllipticCurve) -> Option<Algorithm> {
    match curve {
        EllipticCurve::P256 => Some(Algorithm::ES256),
        EllipticCurve::P384 => Some(Algorithm::ES384),
        EllipticCurve::Ed25519 => Some(Algorithm::EdDSA),
        _ => None,
    }
}

/// Public keys one after another. They have no names, so a token may be signed with any of them.
fn pem(text: &str) -> Result<Vec<UserKey>, String> {
    if text.contains("PRIVATE KEY-----") {
        return Err(
            "it holds a private key, which is the identity provider's alone; give the public one".into()
        );
    }
    text.split(PEM_BEGIN).skip(1).map(|rest| of_pem(&format!("{PEM_BEGIN}{rest}"))).collect()
}

fn of_pem(block: &str) -> Result<UserKey, String> {
    let bytes = block.as_bytes();
    let key = |algorithm, decoding| UserKey { id: None, algorithm, decoding };
    if let Ok(decoding) = DecodingKey::from_ec_pem(bytes) {
        // The library takes any curve's, which would verify nothing.
        let point = decoding.try_get_as_bytes().unwrap_or_default();
        return match ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point) {
            Ok(_) => Ok(key(Algorithm::ES256, decoding)),
            Err(_) => Err(OTHER_CURVE.into()),
        };
    }
    DecodingKey::from_rsa_pem(bytes)
        .map(|decoding| key(Algorithm::RS256, decoding))
        .or_else(|_| DecodingKey::from_ed_pem(bytes).map(|decoding| key(Algorithm::EdDSA, decoding)))
        .map_err(|_| NO_KEY.into())
}

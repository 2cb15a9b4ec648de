//! User tokens of an identity provider.

use std::{fs, sync::Arc, time::Duration};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use booking_core::BookingPolicy;
use booking_server::{Options, ServeArgs, UserKeys, system_clock};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::{
    connections::{start, talk},
    support::{Service, options},
};

const ISSUER: &str = "https://id.example.org/";
const SECRET: &[u8] = b"a secret of thirty-two bytes or more";

/// A key of the provider's.
struct Signer {
    algorithm: Algorithm,
    signing: EncodingKey,
    public_pem: String,
}

fn pem(kind: &str, der: &[u8]) -> String {
    format!("-----BEGIN {kind} KEY-----\n{}\n-----END {kind} KEY-----\n", STANDARD.encode(der))
}

impl Signer {
    fn rsa() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        Self {
            algorithm: Algorithm::RS256,
            signing: EncodingKey::from_rsa_pem(pem("PRIVATE", private.as_ref()).as_bytes()).unwrap(),
            public_pem: pem("PUBLIC", public.as_ref()),
        }
    }

    fn p256() -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let private = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, private.as_ref()).unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        Self {
            algorithm: Algorithm::ES256,
            signing: EncodingKey::from_ec_der(private.as_ref()),
            public_pem: pem("PUBLIC", public.as_ref()),
        }
    }

    fn ed25519() -> Self {
        let private = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(private.as_ref()).unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        Self {
            algorithm: Algorithm::EdDSA,
            signing: EncodingKey::from_ed_der(private.as_ref()),
            public_pem: pem("PUBLIC", public.as_ref()),
        }
    }

    fn secret() -> Self {
        let signing = EncodingKey::from_secret(SECRET);
        Self { algorithm: Algorithm::HS256, signing, public_pem: String::new() }
    }

    fn jwk(&self, id: Option<&str>) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.signing, self.algorithm).unwrap();
        jwk.common.key_id = id.map(str::to_owned);
        serde_json::to_value(jwk).unwrap()
    }

    fn sign(&self, id: Option<&str>, claims: &Value) -> String {
        let header = Header { kid: id.map(str::to_owned), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.signing).unwrap()
    }
}

fn seconds_from_now(seconds: i64) -> i64 {
    system_clock().micros() / 1_000_000 + seconds
}

fn claims(subject: &str) -> Value {
    json!({"iss": ISSUER, "aud": "booking.user", "sub": subject, "exp": seconds_from_now(600)})
}

fn but(changes: &Value) -> Value {
    let mut claims = claims("somebody");
    for (claim, value) in changes.as_object().unwrap() {
        claims[claim] = value.clone();
    }
    claims
}

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// A service that takes tokens verified by a file with this text.
async fn trusting(text: &str) -> (Service, Arc<UserKeys>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    fs::write(&path, text).unwrap();
    let keys = Arc::new(UserKeys::read(&path, ISSUER, "booking.user").unwrap());
    let options = Options { user_keys: Some(Arc::clone(&keys)), ..options() };
    (Service::with(options, BookingPolicy::default()).await, keys, folder)
}

#[tokio::test]
async fn a_subject_of_the_identity_provider_becomes_a_user_at_first_use_and_stays_the_same_one() {
    let (signer, other) = (Signer::p256(), Signer::ed25519());
    let (service, ..) = trusting(&set(&[signer.jwk(Some("one")), other.jwk(Some("two"))])).await;
    let token = signer.sign(Some("one"), &claims("alice@example.org"));
    assert_eq!(service.get("/v1/wallet", &token).await.expect(200).body["balance"], 0);
    let queue_token = service.enter(&token).await;
    let user = service.get("/v1/queue/status", &queue_token).await.expect(200).text("user_id");
    let again = other.sign(Some("two"), &claims("alice@example.org"));
    assert_eq!(service.get("/v1/wallet", &again).await.expect(200).text("user_id"), user);
    // UUIDv5 of the subject in the namespace of its issuer: any instance, and anybody, finds the same.
    let issuer = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, ISSUER.as_bytes());
    assert_eq!(user, uuid::Uuid::new_v5(&issuer, b"alice@example.org").to_string());
    let bob = signer.sign(Some("one"), &claims("bob@example.org"));
    assert_ne!(service.get("/v1/wallet", &bob).await.expect(200).text("user_id"), user);
    let opened = service.engine.events(0, 100).await.unwrap();
    let opened = opened.iter().filter(|event| format!("{event:?}").contains("Opened")).count();
    assert_eq!(opened, 2, "one wallet for each, however often they called");
}

#[tokio::test]
async fn every_kind_of_key_verifies_from_a_jwk_set_and_public_ones_from_pem() {
    let signers = [Signer::rsa(), Signer::p256(), Signer::ed25519(), Signer::secret()];
    let (service, ..) = trusting(&set(&signers.each_ref().map(|signer| signer.jwk(None)))).await;
    for signer in &signers {
        service.get("/v1/wallet", &signer.sign(None, &claims("x"))).await.expect(200);
    }
    let public = &signers[..3];
    let pem: String = public.iter().map(|signer| signer.public_pem.as_str()).collect();
    let (service, ..) = trusting(&pem).await;
    for signer in public {
        service.get("/v1/wallet", &signer.sign(Some("any name"), &claims("x"))).await.expect(200);
    }
}

#[tokio::test]
async fn no_algorithm_and_the_algorithm_of_another_key_are_refused() {
    let signer = Signer::rsa();
    let (service, ..) = trusting(&set(&[signer.jwk(Some("one"))])).await;
    let token = signer.sign(Some("one"), &claims("x"));
    service.get("/v1/wallet", &token).await.expect(200);
    let payload = token.split('.').nth(1).unwrap();
    let unsigned = |header: &str| format!("{}.{payload}.", base64_url(header.as_bytes()));
    // The public key as the secret of an HMAC: who verifies by the header's algorithm is fooled.
    let confused = Header { kid: Some("one".into()), ..Header::new(Algorithm::HS256) };
    let public_key = EncodingKey::from_secret(signer.public_pem.as_bytes());
    let forged = [
        unsigned(r#"{"alg":"none"}"#),
        unsigned(r#"{"alg":"none","kid":"one"}"#),
        unsigned(r#"{"alg":"RS256","kid":"one"}"#),
        encode(&confused, &claims("x"), &public_key).unwrap(),
        Signer::rsa().sign(Some("one"), &claims("x")),
        Signer::p256().sign(Some("one"), &claims("x")),
    ];
    for token in forged {
        assert_eq!(service.get("/v1/wallet", &token).await.expect(401).code(), "invalid_token", "{token}");
    }
}

fn base64_url(bytes: &[u8]) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn a_token_for_somebody_else_too_old_too_young_or_incomplete_is_refused_with_the_reason() {
    let signer = Signer::p256();
    let (service, ..) = trusting(&set(&[signer.jwk(None)])).await;
    for (claims, hint) in [
        (but(&json!({"iss": "https://evil.example.org/"})), "another issuer"),
        (but(&json!({"aud": "another.service"})), "another audience"),
        (but(&json!({"aud": null})), "lacks iss, aud, sub or exp"),
        (but(&json!({"iss": null})), "lacks iss, aud, sub or exp"),
        (but(&json!({"sub": null})), "lacks iss, aud, sub or exp"),
        (but(&json!({"exp": null})), "lacks iss, aud, sub or exp"),
        (but(&json!({"exp": seconds_from_now(-45)})), "has expired"),
        (but(&json!({"nbf": seconds_from_now(45)})), "not valid yet"),
    ] {
        let refused = service.get("/v1/wallet", &signer.sign(None, &claims)).await.expect(401);
        assert!(refused.code() == "invalid_token" && refused.text("detail").contains(hint), "{refused:?}");
    }
    // Clocks may differ by half a minute.
    for claims in [
        but(&json!({"exp": seconds_from_now(-15)})),
        but(&json!({"nbf": seconds_from_now(15), "aud": ["x", "booking.user"]})),
    ] {
        service.get("/v1/wallet", &signer.sign(None, &claims)).await.expect(200);
    }
}

#[tokio::test]
async fn keys_are_rotated_by_changing_the_file_and_a_broken_file_changes_nothing() {
    let (old, new) = (Signer::p256(), Signer::p256());
    let (service, keys, folder) = trusting(&set(&[old.jwk(Some("old"))])).await;
    let path = folder.path().join("keys");
    let status = async |signer: &Signer, id| {
        service.get("/v1/wallet", &signer.sign(Some(id), &claims("x"))).await.status.as_u16()
    };
    assert_eq!((status(&old, "old").await, status(&new, "new").await), (200, 401));
    fs::write(&path, set(&[old.jwk(Some("old")), new.jwk(Some("new"))])).unwrap();
    keys.reread();
    assert_eq!((status(&old, "old").await, status(&new, "new").await), (200, 200));
    fs::write(&path, "{\"keys\": [").unwrap();
    keys.reread();
    assert_eq!((status(&old, "old").await, status(&new, "new").await), (200, 200));
    fs::write(&path, set(&[new.jwk(Some("new"))])).unwrap();
    keys.reread();
    assert_eq!((status(&old, "old").await, status(&new, "new").await), (401, 200));
}

#[tokio::test]
async fn a_server_at_work_reads_a_changed_file_by_itself() {
    let (old, new) = (Signer::ed25519(), Signer::ed25519());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    fs::write(&path, &old.public_pem).unwrap();
    let user_keys = Some(path.clone());
    let server =
        start(ServeArgs { user_keys, user_issuer: Some(ISSUER.into()), ..ServeArgs::default() }).await;
    let is_taken = async |signer: &Signer| {
        let token = signer.sign(None, &claims("x"));
        let request = format!(
            "GET /v1/wallet HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        );
        talk(server.address(), &request).await.starts_with("HTTP/1.1 200")
    };
    assert_eq!((is_taken(&old).await, is_taken(&new).await), (true, false));
    fs::write(&path, &new.public_pem).unwrap();
    let reread = async {
        while !is_taken(&new).await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(30), reread).await.expect("the new key is taken within seconds");
    assert!(!is_taken(&old).await);
    server.stop().await;
}

#[test]
fn a_file_that_holds_no_usable_key_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let mut short = Signer::secret().jwk(Some("weak"));
    short["k"] = json!("c2hvcnQ");
    let mut mislabelled = Signer::p256().jwk(Some("odd"));
    mislabelled["alg"] = json!("HS256");
    for (text, hint) in [
        (String::new(), "give a JWK set, or public keys in PEM"),
        ("hello".into(), "give a JWK set, or public keys in PEM"),
        ("{\"keys\": []}".into(), "give a JWK set, or public keys in PEM"),
        ("{\"keys\": 7}".into(), "it is no JWK set"),
        ("{\"keys\": [7]}".into(), "the key without a kid: it is no JWK that is known here"),
        (pem("PRIVATE", b"x"), "give the public one"),
        (pem("PUBLIC", b"x"), "give a JWK set, or public keys in PEM"),
        (set(&[short]), "the key weak: a secret must have 32 bytes at least"),
        (set(&[mislabelled]), "the key odd: it is no key for HS256"),
        (pem("PUBLIC", &on_curve(&ECDSA_P384_SHA384_FIXED_SIGNING)), "an EC key in PEM must be on P-256"),
        (pem("PUBLIC", &on_curve(&ECDSA_P256K1_SHA256_ASN1_SIGNING)), "an EC key in PEM must be on P-256"),
    ] {
        fs::write(&path, &text).unwrap();
        let refused = UserKeys::read(&path, ISSUER, "booking.user").unwrap_err().to_string();
        assert!(refused.contains("--user-keys") && refused.contains(hint), "{text}: {refused}");
    }
    let nowhere =
        UserKeys::read(&folder.path().join("none"), ISSUER, "booking.user").unwrap_err().to_string();
    assert!(nowhere.contains("No such file"), "{nowhere}");
}

/// A public key on another curve.
fn on_curve(algorithm: &'static EcdsaSigningAlgorithm) -> Vec<u8> {
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    public.as_ref().to_vec()
}

#[tokio::test]
async fn a_key_of_a_set_that_cannot_be_used_is_left_out_and_the_others_are_used() {
    let signer = Signer::p256();
    let mut weak = Signer::secret().jwk(Some("weak"));
    weak["k"] = json!("c2hvcnQ");
    let unknown_curve = json!({"kty": "EC", "crv": "secp256k1", "kid": "new", "x": "AA", "y": "AA"});
    let p521 = json!({"kty": "EC", "crv": "P-521", "kid": "big", "x": "AA", "y": "AA"});
    let (service, ..) = trusting(&set(&[weak, json!(7), unknown_curve, p521, signer.jwk(Some("one"))])).await;
    service.get("/v1/wallet", &signer.sign(Some("one"), &claims("x"))).await.expect(200);
    let weak = Signer { signing: EncodingKey::from_secret(b"short"), ..Signer::secret() };
    service.get("/v1/wallet", &weak.sign(Some("weak"), &claims("x"))).await.expect(401);
}

#[tokio::test]
async fn tokens_of_this_service_are_taken_beside_those_of_the_provider() {
    let (service, ..) = trusting(&set(&[Signer::p256().jwk(None)])).await;
    let buyer = service.buyer().await;
    service.get("/v1/wallet", &buyer.user_token).await.expect(200);
    assert_eq!(service.get("/v1/wallet", &buyer.queue_token).await.expect(401).code(), "invalid_token");
}

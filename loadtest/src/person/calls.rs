//! Each call as it travels.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use booking_api::{CreateCharge, CreatePayment, CreateReservation, EnterQueue};
use goose::goose::GooseMethod;
use serde::Serialize;
use uuid::Uuid;

use super::Person;
use crate::{
    crew::Call,
    history::{Act, Probe},
};

/// A call without a body.
fn call(act: Act, method: GooseMethod, path: String, token: &Arc<str>) -> Call {
    Call { act, method, path, token: Some(Arc::clone(token)), epoch: 0, key: None, body: None }
}

/// A call with a body. What is written here always can be.
fn post(act: Act, path: &str, token: &Arc<str>, body: &impl Serialize) -> Call {
    let body = serde_json::to_vec(body).unwrap_or_default();
    Call { body: Some(body), ..call(act, GooseMethod::Post, path.into(), token) }
}

fn hold_of(act: Act, token: &Arc<str>, performance: Uuid, seat: u32) -> Call {
    let wanted = CreateReservation::seats(performance, vec![seat.into()]);
    post(act, "/v1/reservations", token, &wanted)
}

/// The idempotency key as it travels.
pub(crate) fn key_text(key: u32) -> String {
    format!("k{key}")
}

impl Person {
    pub(crate) fn sign_up_call(&self) -> Call {
        Call {
            act: Act::SignUp,
            method: GooseMethod::Post,
            path: "/v1/users".into(),
            token: Some(Arc::clone(&self.stage.admin_key)),
            epoch: 0,
            key: None,
            body: None,
        }
    }

    pub(crate) fn enter_call(&self) -> Call {
        let wanted = EnterQueue { lane: Some(self.stage.lane.to_string()) };
        post(Act::Enter, "/v1/queue/tokens", &self.user_token, &wanted)
    }

    pub(crate) fn enter_beside_call(&self) -> Call {
        let wanted = EnterQueue { lane: Some(self.stage.lane_beside()) };
        post(Act::EnterBeside, "/v1/queue/tokens", &self.user_token, &wanted)
    }

    pub(crate) fn status_call(&self) -> Call {
        let status = call(Act::Status, GooseMethod::Get, "/v1/queue/status".into(), &self.queue_token);
        Call { epoch: self.ticket.map_or(0, |ticket| ticket.epoch), ..status }
    }

    pub(crate) fn leave_call(&self) -> Call {
        call(Act::Leave, GooseMethod::Delete, "/v1/queue/tokens".into(), &self.queue_token)
    }

    pub(crate) fn dates_call(&self) -> Call {
        call(Act::Dates, GooseMethod::Get, "/v1/performances".into(), &self.queue_token)
    }

    pub(crate) fn seats_call(&self, performance: Uuid) -> Call {
        let path = format!("/v1/performances/{performance}/seats");
        call(Act::Seats(performance), GooseMethod::Get, path, &self.queue_token)
    }

    pub(crate) fn hold_call(&self, key: u32, performance: Uuid, seat: u32) -> Call {
        let act = Act::Hold { key, performance, seat };
        Call { key: Some(key_text(key)), ..hold_of(act, &self.queue_token, performance, seat) }
    }

    pub(crate) fn release_call(&self, reservation: Uuid) -> Call {
        let path = format!("/v1/reservations/{reservation}");
        call(Act::Release(reservation), GooseMethod::Delete, path, &self.queue_token)
    }

    pub(crate) fn pay_call(&self, reservation: Uuid) -> Call {
        let body = CreatePayment { reservation_id: reservation };
        post(Act::Pay(reservation), "/v1/payments", &self.queue_token, &body)
    }

    pub(crate) fn charge_call(&self, key: u32, amount: i64) -> Call {
        let (token, user_id) = match &self.stage.service_key {
            Some(service_key) => (service_key, Some(self.user)),
            None => (&self.user_token, None),
        };
        let charge = CreateCharge { amount, user_id };
        let charge = post(Act::Charge { key, amount }, "/v1/wallet/charges", token, &charge);
        Call { key: Some(key_text(key)), ..charge }
    }

    pub(crate) fn wallet_call(&self) -> Call {
        call(Act::Wallet, GooseMethod::Get, "/v1/wallet".into(), &self.user_token)
    }

    /// What nobody may do.
    pub(crate) fn probe_call(&self, probe: Probe) -> Call {
        let act = Act::Probe(probe);
        match probe {
            Probe::ForgedToken { performance } => {
                hold_of(act, &forged(&self.queue_token).into(), performance, 1)
            }
            Probe::UserToken { performance } => hold_of(act, &self.user_token, performance, 1),
            Probe::WrongLane { performance } => hold_of(act, &self.queue_token, performance, 1),
            Probe::PayForeign(reservation) => Call { act, ..self.pay_call(reservation) },
            Probe::ReleaseForeign(reservation) => Call { act, ..self.release_call(reservation) },
        }
    }
}

/// The token with another epoch in its claims, under its old signature: all is in order but that nobody signed it. Who does not
/// look at that answers that the queue was reset; a number that was not given is refused like a token that is none. Of a token
/// without an epoch only another one can be made, that is none.
fn forged(token: &str) -> String {
    with_other_epoch(token).unwrap_or_else(|| format!("{token}x"))
}

fn with_other_epoch(token: &str) -> Option<String> {
    let mut parts = token.split('.');
    let (head, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let mut claims: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&claims).ok()?;
    let other = claims.get("epoch")?.as_u64()?.wrapping_add(1);
    claims.insert("epoch".into(), other.into());
    let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).ok()?);
    Some(format!("{head}.{claims}.{signature}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_token_is_a_whole_token_with_another_epoch_under_the_old_signature() {
        let token = |epoch: u64| {
            let claims = format!(r#"{{"aud":"booking.queue","epoch":{epoch},"seq":7}}"#);
            format!("head.{}.signature", URL_SAFE_NO_PAD.encode(claims))
        };
        assert_eq!(forged(&token(u64::MAX - 1)), token(u64::MAX));
        assert_eq!(forged("opaque"), "opaquex");
    }
}

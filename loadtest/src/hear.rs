//! From the bytes of an answer to what was heard.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use booking_api::{ChargeMade, PaymentMade, Problem, QueuePlace, QueueToken, Reservation, Wallet};
use serde::{Deserialize, de::DeserializeOwned};

use crate::history::{Act, ChargedFact, Fact, Heard, HeldFact, PaidFact, PlaceFact, TicketId};

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Whether it is marked as the answer of an earlier, equal request.
    pub replayed: bool,
    /// Its body.
    pub body: Vec<u8>,
}

/// What was heard in the answer to an act. `epoch` is the life of the lane that the asking token belongs to.
pub fn hear(act: &Act, epoch: u64, reply: &Reply) -> Heard {
    if !(200..300).contains(&reply.status) {
        return match serde_json::from_slice::<Problem>(&reply.body) {
            Ok(problem) if problem.may_have_applied => Heard::Unknown("unknown_outcome"),
            Ok(problem) => Heard::Refused(problem.code),
            Err(_) => Heard::Nonsense(reply.status),
        };
    }
    match fact(act, epoch, reply) {
        Some(fact) => Heard::Acknowledged(fact),
        None => Heard::Nonsense(reply.status),
    }
}

fn fact(act: &Act, epoch: u64, reply: &Reply) -> Option<Fact> {
    Some(match act {
        Act::Enter => {
            let token: QueueToken = parse(reply)?;
            Fact::Place(place(token.place, epoch_of(&token.queue_token)?))
        }
        Act::Status => Fact::Place(place(parse(reply)?, epoch)),
        Act::Hold { .. } => Fact::Held(held(&parse(reply)?, reply.replayed)?),
        Act::Pay(_) => Fact::Paid(paid(&parse(reply)?, reply.replayed)),
        Act::Charge { .. } => {
            let made: ChargeMade = parse(reply)?;
            Fact::Charged(ChargedFact { entry: made.entry_id, amount: made.amount, balance: made.balance })
        }
        Act::Wallet => Fact::Balance(parse::<Wallet>(reply)?.balance),
        Act::WarmUp
        | Act::SignUp
        | Act::EnterBeside
        | Act::Leave
        | Act::Dates
        | Act::Seats(_)
        | Act::Release(_)
        | Act::Probe(_) => Fact::Plain,
    })
}

fn parse<T: DeserializeOwned>(reply: &Reply) -> Option<T> {
    serde_json::from_slice(&reply.body).ok()
}

fn place(place: QueuePlace, epoch: u64) -> PlaceFact {
    PlaceFact {
        ticket: TicketId { epoch, order: place.order },
        user: place.user_id,
        status: place.status,
        rank: place.rank.zip(place.ahead),
        reason: place.reason,
    }
}

fn held(made: &Reservation, replayed: bool) -> Option<HeldFact> {
    // People ask for one seat.
    let [seat] = made.seats[..] else { return None };
    Some(HeldFact {
        reservation: made.reservation_id,
        performance: made.performance_id,
        seat,
        amount: made.amount,
        created_at: made.created_at.timestamp_micros(),
        until: made.hold_expires_at.timestamp_micros(),
        status: made.status,
        replayed,
    })
}

fn paid(made: &PaymentMade, replayed: bool) -> PaidFact {
    PaidFact {
        payment: made.payment.payment_id,
        reservation: made.payment.reservation_id,
        amount: made.payment.amount,
        balance: made.balance,
        paid_at: made.payment.paid_at.timestamp_micros(),
        replayed,
    }
}

/// The life of the lane that a queue token names. Nothing else of a token is anybody's business but the server's.
pub fn epoch_of(queue_token: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Claims {
        epoch: u64,
    }
    let claims = queue_token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    Some(serde_json::from_slice::<Claims>(&claims).ok()?.epoch)
}

#[cfg(test)]
mod tests {
    use booking_api::Code;
    use uuid::Uuid;

    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, replayed: false, body: body.into() }
    }

    fn problem(code: Code) -> String {
        serde_json::to_string(&Problem::new(code, "why")).unwrap()
    }

    #[test]
    fn refusals_and_unknown_outcomes_are_kept_apart() {
        let act = Act::Pay(Uuid::nil());
        let heard = |code: Code| hear(&act, 0, &reply(code.status(), &problem(code)));
        assert_eq!(heard(Code::HoldExpired), Heard::Refused(Code::HoldExpired));
        assert_eq!(heard(Code::StoreUnavailable), Heard::Refused(Code::StoreUnavailable));
        assert_eq!(heard(Code::UnknownOutcome), Heard::Unknown("unknown_outcome"));
    }

    #[test]
    fn an_answer_of_another_form_is_nonsense_whatever_its_status() {
        for status in [200, 201, 404, 502] {
            assert_eq!(hear(&Act::Wallet, 0, &reply(status, "<html>")), Heard::Nonsense(status));
        }
    }

    #[test]
    fn the_life_of_a_lane_is_read_from_the_claims() {
        let claims = URL_SAFE_NO_PAD.encode(format!("{{\"seq\":7,\"epoch\":{}}}", u64::MAX));
        assert_eq!(epoch_of(&format!("head.{claims}.signature")), Some(u64::MAX));
        assert_eq!(epoch_of("no token"), None);
    }
}

//! I17, I20 and I21: what tokens and keys are good for.

use std::collections::HashMap;

use booking_api::Code;
use booking_core::{
    hold,
    id::{UserId, from_idempotency_key},
};
use uuid::Uuid;

use super::{Check, Evidence, Verdict, books::Log, money::entry_of};
use crate::{
    history::{Act, Fact, Heard, Probe, Seen},
    person::key_text,
};

/// The identity of the reservation that a person's key stands for.
fn reservation_of(evidence: &Evidence, person: u32, key: u32) -> Uuid {
    let user = evidence.users.get(&person).copied().unwrap_or_default();
    from_idempotency_key(UserId(user), "reservation", &key_text(key))
}

pub(super) fn i17_tokens_bind(evidence: &Evidence) -> Verdict {
    let mut check = Check::new("I17", "a token works for its user, its lane and its kind only");
    for seen in &evidence.history {
        if matches!(seen.act, Act::Probe(Probe::ForgedToken { .. })) {
            check.expect(is_not_taken(&seen.heard), || {
                ("a forged token was taken for a token".into(), vec![seen])
            });
        }
        if let Act::Probe(Probe::UserToken { .. } | Probe::WrongLane { .. }) = seen.act {
            check.expect(!seen.is_acknowledged(), || {
                ("a token was good for what it must not be".into(), vec![seen])
            });
        }
        let Some(place) = seen.place() else { continue };
        let user = evidence.users.get(&seen.person);
        check.expect(user.is_none_or(|user| *user == place.user), || {
            (format!("the token of {user:?} speaks for {}", place.user), vec![seen])
        });
    }
    check.finish()
}

/// Whether somebody with a forged token was sent away for it, or for reasons that have nothing to do with tokens. Any
/// other answer is one to what the token claims, and nobody may have looked at that.
fn is_not_taken(heard: &Heard) -> bool {
    match heard {
        Heard::Refused(code) => {
            matches!(code, Code::InvalidToken | Code::RateLimited) || code.status() >= 500
        }
        Heard::Unknown(_) => true,
        Heard::Acknowledged(_) | Heard::Nonsense(_) => false,
    }
}

/// All tries of each request that carries an identity, by that identity.
fn tries(evidence: &Evidence) -> HashMap<(Uuid, bool), Vec<&Seen>> {
    let mut tries: HashMap<(Uuid, bool), Vec<&Seen>> = HashMap::new();
    for seen in &evidence.history {
        let identity = match seen.act {
            Act::Hold { key, .. } => (reservation_of(evidence, seen.person, key), true),
            Act::Charge { key, .. } => (entry_of(evidence, seen.person, key), false),
            _ => continue,
        };
        tries.entry(identity).or_default().push(seen);
    }
    tries
}

pub(super) fn i20_refused_is_not_done(evidence: &Evidence, log: &Log<'_>) -> Verdict {
    let mut check = Check::new(
        "I20",
        "what was refused is not done, what was acknowledged is, as it was asked for, and nothing else is",
    );
    let tries = tries(evidence);
    for ((identity, is_hold), tries) in &tries {
        let in_log = if *is_hold {
            log.reservations.contains_key(identity)
        } else {
            log.charges.contains_key(identity)
        };
        let may_be_done = tries.iter().any(|seen| seen.is_acknowledged() || seen.is_unknown());
        check.expect(!in_log || may_be_done, || {
            (format!("every request for {identity} was refused, and it is in the log"), tries.clone())
        });
    }
    for held in evidence.history.iter().filter_map(Seen::held) {
        check.expect(log.reservations.contains_key(&held.reservation), || {
            (
                format!("the hold {} was acknowledged and is not in the log", held.reservation),
                evidence.about(held.reservation),
            )
        });
    }
    for (id, life) in &log.reservations {
        let Some(tries) = tries.get(&(*id, true)) else {
            check.expect(false, || (format!("nobody asked for the reservation {id}"), Vec::new()));
            continue;
        };
        for made in &life.held {
            let is_asked = tries.iter().any(|seen| is_logged_as_asked(evidence, seen, made));
            check.expect(is_asked, || (format!("nobody asked for this: {made:?}"), tries.clone()));
        }
    }
    for seen in &evidence.history {
        if let Heard::Acknowledged(fact) = &seen.heard {
            check.expect(is_given_as_asked(evidence, seen, fact), || {
                ("this is not what was asked for".into(), vec![seen])
            });
        }
    }
    check.finish()
}

/// Whether what was acknowledged is what was asked for, at the price that was agreed.
fn is_given_as_asked(evidence: &Evidence, seen: &Seen, fact: &Fact) -> bool {
    let price = evidence.terms.price;
    match (seen.act, fact) {
        (Act::Hold { key, performance, seat }, Fact::Held(held)) => {
            held.reservation == reservation_of(evidence, seen.person, key)
                && (held.performance, held.seat, held.amount) == (performance, seat, price)
        }
        (Act::Pay(reservation), Fact::Paid(paid)) => (paid.reservation, paid.amount) == (reservation, price),
        (Act::Charge { key, amount }, Fact::Charged(charged)) => {
            (charged.entry, charged.amount) == (entry_of(evidence, seen.person, key), amount)
        }
        _ => true,
    }
}

/// Whether a hold in the log is what this try asked for: this seat of this performance, at the price of a seat.
fn is_logged_as_asked(evidence: &Evidence, seen: &Seen, made: &hold::Reservation) -> bool {
    let Act::Hold { performance, seat, .. } = seen.act else { return false };
    let is_seat = made.seats.iter().eq([&seat]);
    is_seat && made.performance.0 == performance && made.amount.units() == evidence.terms.price
}

pub(super) fn i21_one_key_one_effect(evidence: &Evidence, log: &Log<'_>) -> Verdict {
    let mut check = Check::new("I21", "one key has one effect and one answer, however often it is sent");
    for ((identity, is_hold), tries) in tries(evidence) {
        let effects = if is_hold {
            log.reservations.get(&identity).map_or(0, |life| life.held.len())
        } else {
            log.charges.get(&identity).map_or(0, Vec::len)
        };
        check.expect(effects <= 1, || (format!("{identity} was done {effects} times"), tries.clone()));
        let mut answers = tries.iter().filter_map(|seen| answer(seen));
        let first = answers.next();
        check.expect(answers.all(|other| Some(other) == first), || {
            (format!("requests for {identity} were answered differently"), tries.clone())
        });
    }
    let mut payments: HashMap<Uuid, Vec<&Seen>> = HashMap::new();
    for seen in evidence.history.iter().filter(|seen| seen.paid().is_some()) {
        if let Act::Pay(id) = seen.act {
            payments.entry(id).or_default().push(seen);
        }
    }
    for (id, tries) in payments {
        let of = |seen: &Seen| seen.paid().map(|paid| (paid.payment, paid.amount, paid.paid_at));
        let is_one = tries.iter().all(|seen| of(seen) == of(tries[0]));
        check.expect(is_one, || (format!("payments of {id} were answered differently"), tries.clone()));
    }
    check.finish()
}

/// What must be the same in every answer to one key.
fn answer(seen: &Seen) -> Option<(Uuid, i64, i64)> {
    let held = seen.held().map(|held| (held.reservation, held.amount, held.until));
    held.or_else(|| seen.charged().map(|charged| (charged.entry, charged.amount, charged.balance)))
}

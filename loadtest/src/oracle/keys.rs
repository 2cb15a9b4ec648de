//! I17, I20 and I21: what tokens and keys are good for.

use std::collections::HashMap;

use booking_core::id::{UserId, from_idempotency_key};
use uuid::Uuid;

use super::{Check, Evidence, Verdict, books::Log, money::entry_of};
use crate::{
    history::{Act, Probe, Seen},
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
        if let Act::Probe(Probe::ForgedToken { .. } | Probe::UserToken { .. } | Probe::WrongLane { .. }) =
            seen.act
        {
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
    let mut check =
        Check::new("I20", "what was refused is not done, what was acknowledged is, and nothing else is");
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
    for id in log.reservations.keys() {
        check.expect(tries.contains_key(&(*id, true)), || {
            (format!("nobody asked for the reservation {id}"), Vec::new())
        });
    }
    check.finish()
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

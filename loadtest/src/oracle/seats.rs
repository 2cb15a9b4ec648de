//! I1 to I5.

use std::collections::{BTreeMap, HashMap};

use booking_api::Code;
use booking_core::hold;
use uuid::Uuid;

use super::{Check, Evidence, Verdict, books::Log};
use crate::history::{Act, Heard, HeldFact, Micros, Probe, Seen};

type SeatOf = (Uuid, u32);
/// Microseconds, and the record that shows them.
type Told<'a> = (i64, &'a Seen);

/// How far the instants of one clock may seem apart from outside: the load test's clock and the store's don't run
/// exactly alike.
const CLOCK_SLACK: i64 = 20_000;

/// The holds that were acknowledged, the first answer of each.
fn acknowledged_holds(evidence: &Evidence) -> HashMap<Uuid, (&Seen, &HeldFact)> {
    let mut holds = HashMap::new();
    for seen in &evidence.history {
        if let Some(held) = seen.held() {
            holds.entry(held.reservation).or_insert((seen, held));
        }
    }
    holds
}

/// The records of both.
fn both(evidence: &Evidence, one: Uuid, other: Uuid) -> Vec<&Seen> {
    let mut records = evidence.about(one);
    records.extend(evidence.about(other));
    records.sort_by_key(|seen| seen.sent);
    records
}

pub(super) fn i1_one_owner(evidence: &Evidence, log: &Log<'_>) -> Verdict {
    let mut check = Check::new("I1", "a seat has one owner at most");
    let holds = acknowledged_holds(evidence);
    let mut owners: BTreeMap<SeatOf, Uuid> = BTreeMap::new();
    for paid in evidence.history.iter().filter_map(Seen::paid) {
        let Some((_, held)) = holds.get(&paid.reservation) else { continue };
        let owner = *owners.entry((held.performance, held.seat)).or_insert(paid.reservation);
        check.expect(owner == paid.reservation, || {
            let what = format!(
                "seat {} of {} was paid in {owner} and in {}",
                held.seat, held.performance, paid.reservation
            );
            (what, both(evidence, owner, paid.reservation))
        });
    }
    let mut sold: BTreeMap<SeatOf, Uuid> = BTreeMap::new();
    for (recorded, event) in &log.moves {
        let (hold::Event::SeatsSold(of) | hold::Event::SeatsReturned(of)) = event else { continue };
        for seat in &of.seats {
            let at = (of.performance.0, *seat);
            if matches!(event, hold::Event::SeatsReturned(_)) {
                sold.remove(&at);
                continue;
            }
            let owner = *sold.entry(at).or_insert(of.reservation.0);
            check.expect(owner == of.reservation.0, || {
                let what = format!(
                    "event {}: seat {seat} is sold to {} and is {owner}'s",
                    recorded.seq, of.reservation
                );
                (what, both(evidence, owner, of.reservation.0))
            });
        }
    }
    check.finish()
}

pub(super) fn i2_one_hold(evidence: &Evidence, log: &Log<'_>) -> Verdict {
    let mut check =
        Check::new("I2", "a seat has one live hold at most, and only its owner can pay or release it");
    heard_holds_do_not_overlap(evidence, &mut check);
    logged_holds_do_not_overlap(evidence, log, &mut check);
    for seen in &evidence.history {
        if let Act::Probe(Probe::PayForeign(of) | Probe::ReleaseForeign(of)) = seen.act {
            check.expect(!seen.is_acknowledged(), || {
                let mut records = evidence.about(of);
                records.push(seen);
                (format!("somebody else could pay or release {of}"), records)
            });
        }
    }
    check.finish()
}

/// By the store's instants: the later of two holds of a seat begins when the earlier has ended, or its owner gave it back.
fn heard_holds_do_not_overlap(evidence: &Evidence, check: &mut Check) {
    let gave_back: HashMap<u32, Micros> = evidence
        .history
        .iter()
        .filter(|seen| matches!(seen.act, Act::Release(_) | Act::Leave))
        .fold(HashMap::new(), |mut first, seen| {
            let sent = first.entry(seen.person).or_insert(seen.sent);
            *sent = seen.sent.min(*sent);
            first
        });
    let mut by_seat: BTreeMap<SeatOf, Vec<(&Seen, &HeldFact)>> = BTreeMap::new();
    for (seen, held) in acknowledged_holds(evidence).into_values() {
        by_seat.entry((held.performance, held.seat)).or_default().push((seen, held));
    }
    for holds in by_seat.values_mut() {
        holds.sort_by_key(|(_, held)| held.created_at);
        for pair in holds.windows(2) {
            let [(first, earlier), (second, later)] = pair else { continue };
            let given_back = gave_back.get(&first.person).is_some_and(|sent| *sent < second.answered);
            check.expect(later.created_at >= earlier.until || given_back, || {
                let what = format!(
                    "seat {} is held by {} until {} and by {} from {}",
                    later.seat, earlier.reservation, earlier.until, later.reservation, later.created_at
                );
                (what, both(evidence, earlier.reservation, later.reservation))
            });
        }
    }
}

fn logged_holds_do_not_overlap(evidence: &Evidence, log: &Log<'_>, check: &mut Check) {
    // Who has the seat, and until when; a sold seat has no end.
    let mut holders: BTreeMap<SeatOf, (Uuid, Option<i64>)> = BTreeMap::new();
    for (recorded, event) in &log.moves {
        match event {
            hold::Event::SeatsHeld(made) => {
                for seat in &made.seats {
                    let at = (made.performance.0, *seat);
                    let holder = holders.insert(at, (made.id.0, Some(made.hold_until.micros())));
                    let is_free = holder.is_none_or(|(_, until)| {
                        until.is_some_and(|until| made.created_at.micros() >= until)
                    });
                    check.expect(is_free, || {
                        let other = holder.map(|(id, _)| id).unwrap_or_default();
                        let what = format!(
                            "event {}: seat {seat} is held by {} and is {other}'s",
                            recorded.seq, made.id
                        );
                        (what, both(evidence, other, made.id.0))
                    });
                }
            }
            hold::Event::SeatsSold(of) => {
                for seat in &of.seats {
                    holders.insert((of.performance.0, *seat), (of.reservation.0, None));
                }
            }
            hold::Event::HoldReleased(of) | hold::Event::HoldExpired(of) | hold::Event::SeatsReturned(of) => {
                for seat in &of.seats {
                    let at = (of.performance.0, *seat);
                    if holders.get(&at).is_some_and(|(id, _)| *id == of.reservation.0) {
                        holders.remove(&at);
                    }
                }
            }
        }
    }
}

pub(super) fn i3_paid_in_time(evidence: &Evidence, log: &Log<'_>) -> Verdict {
    let mut check = Check::new("I3", "a hold is paid before its end or not at all");
    let holds = acknowledged_holds(evidence);
    for paid in evidence.history.iter().filter_map(Seen::paid) {
        let Some((_, held)) = holds.get(&paid.reservation) else { continue };
        check.expect(paid.paid_at < held.until, || {
            let what =
                format!("{} ended at {} and was paid at {}", paid.reservation, held.until, paid.paid_at);
            (what, evidence.about(paid.reservation))
        });
    }
    for (id, life) in &log.reservations {
        for (held, paid) in life.held.iter().zip(&life.payments) {
            check.expect(paid.paid_at < held.hold_until, || {
                let what =
                    format!("the log has {id} end at {} and paid at {}", held.hold_until, paid.paid_at);
                (what, evidence.about(*id))
            });
        }
    }
    check.finish()
}

pub(super) fn i4_pay_or_expire(evidence: &Evidence, log: &Log<'_>) -> Verdict {
    let mut check = Check::new("I4", "of paying and expiring exactly one wins");
    for (id, life) in &log.reservations {
        let ended = life.expired.len() + life.released.len();
        let holds = life.sold.is_empty() || ended == 0;
        check.expect(holds && ended <= 1, || {
            let what = format!(
                "the log has {id} sold at {:?}, expired at {:?}, released at {:?}",
                life.sold, life.expired, life.released
            );
            (what, evidence.about(*id))
        });
    }
    let mut pays: HashMap<Uuid, Vec<&Seen>> = HashMap::new();
    for seen in &evidence.history {
        if let Act::Pay(id) = seen.act {
            pays.entry(id).or_default().push(seen);
        }
    }
    for (id, tries) in pays {
        let Some(life) = log.reservations.get(&id) else { continue };
        let is_paid = tries.iter().any(|seen| seen.is_acknowledged());
        let is_too_late = tries.iter().any(|seen| seen.heard == Heard::Refused(Code::HoldExpired));
        check.expect(!is_paid || life.expired.is_empty(), || {
            (format!("{id} was paid, and the log has it expired"), evidence.about(id))
        });
        check.expect(!is_too_late || (!is_paid && life.payments.is_empty()), || {
            (format!("paying {id} was refused as too late, and it was charged"), evidence.about(id))
        });
    }
    check.finish()
}

/// Each instant the store told lies between sending and answer, by some offset between its clock and ours. One clock has
/// one offset: the largest lower bound may not be above the smallest upper one.
pub(super) fn i5_one_clock(evidence: &Evidence) -> Verdict {
    let mut check =
        Check::new("I5", "one clock decides: all instants fit one clock, all holds last equally long");
    let signed = |micros: Micros| i64::try_from(micros).unwrap_or(i64::MAX);
    let mut bounds: Option<(Told<'_>, Told<'_>)> = None;
    let mut lasting: Option<Told<'_>> = None;
    for seen in &evidence.history {
        let instant = match (seen.held(), seen.paid()) {
            (Some(held), _) if !held.replayed => {
                let lasts = held.until - held.created_at;
                let (usual, first) = *lasting.get_or_insert((lasts, seen));
                check.expect(lasts == usual, || {
                    (format!("holds of {usual} and {lasts} µs"), vec![first, seen])
                });
                held.created_at
            }
            (_, Some(paid)) if !paid.replayed => paid.paid_at,
            _ => continue,
        };
        let (at_least, at_most) = (instant - signed(seen.answered), instant - signed(seen.sent));
        let (low, high) = bounds.get_or_insert(((at_least, seen), (at_most, seen)));
        if at_least > low.0 {
            *low = (at_least, seen);
        }
        if at_most < high.0 {
            *high = (at_most, seen);
        }
    }
    if let Some(((low, early), (high, late))) = bounds {
        check.expect(low <= high + CLOCK_SLACK, || {
            (format!("two clocks, at least {} µs apart", low - high), vec![early, late])
        });
    }
    check.finish()
}

//! I12, I13, I15 and I16: the order of the queue and the ways of a ticket.

use std::collections::{BTreeMap, HashMap};

use booking_api::{Code, PlaceStatus};

use super::{Check, Evidence, Verdict};
use crate::history::{Act, Heard, Micros, PlaceFact, Seen, TicketId};

/// An instance may answer the waiting from a snapshot that is a quarter of a second old; the rest is slack.
const STALE: Micros = 400_000;
/// An instance may remember for a second that somebody is admitted.
pub(super) const REMEMBERED: Micros = 1_000_000;

/// The first time each ticket was acknowledged, with the first time its person asked for it.
struct Taken<'a> {
    asked: Micros,
    answer: &'a Seen,
    ticket: TicketId,
}

/// Every ticket once, with the earliest request that may have taken its number.
fn taken(evidence: &Evidence) -> Vec<Taken<'_>> {
    let mut first_asked: HashMap<u32, Micros> = HashMap::new();
    let mut tickets: BTreeMap<(u32, TicketId), Taken<'_>> = BTreeMap::new();
    for seen in evidence.history.iter().filter(|seen| seen.act == Act::Enter) {
        let asked = first_asked.entry(seen.person).or_insert(seen.sent);
        *asked = seen.sent.min(*asked);
        let (asked, Some(place)) = (*asked, seen.place()) else { continue };
        let key = (seen.person, place.ticket);
        tickets.entry(key).or_insert(Taken { asked, answer: seen, ticket: place.ticket });
        // A number taken later belongs to a request that is sent from now on.
        first_asked.remove(&seen.person);
    }
    tickets.into_values().collect()
}

/// Every answer that tells where a ticket stood, with the ticket and 0 for waiting, 1 for admitted, 2 for done.
fn standings(evidence: &Evidence) -> Vec<(TicketId, u8, &Seen)> {
    let mut current: HashMap<u32, TicketId> = HashMap::new();
    let mut standings = Vec::new();
    for seen in &evidence.history {
        if let Some(place) = seen.place() {
            if seen.act == Act::Enter {
                current.insert(seen.person, place.ticket);
            }
            standings.push((place.ticket, stage(place), seen));
            continue;
        }
        let by_ticket = matches!(seen.act, Act::Hold { .. } | Act::Seats(_) | Act::Dates);
        let (true, Some(ticket)) = (by_ticket, current.get(&seen.person)) else { continue };
        match &seen.heard {
            Heard::Acknowledged(_) => standings.push((*ticket, 1, seen)),
            Heard::Refused(Code::NotYourTurn) => standings.push((*ticket, 0, seen)),
            Heard::Refused(_) | Heard::Unknown(_) | Heard::Nonsense(_) => {}
        }
    }
    standings
}

fn stage(place: &PlaceFact) -> u8 {
    match place.status {
        PlaceStatus::Waiting => 0,
        PlaceStatus::Admitted => 1,
        PlaceStatus::Done => 2,
    }
}

pub(super) fn i12_order_of_arrival(evidence: &Evidence) -> Verdict {
    let mut check = Check::new("I12", "who was answered before another asked has the lower number");
    let mut taken = taken(evidence);
    let mut answered: Vec<(Micros, TicketId, &Seen)> =
        taken.iter().map(|taken| (taken.answer.answered, taken.ticket, taken.answer)).collect();
    answered.sort_unstable_by_key(|(at, ..)| *at);
    taken.sort_unstable_by_key(|taken| taken.asked);
    let mut highest: HashMap<u64, (u64, &Seen)> = HashMap::new();
    let mut earlier = answered.into_iter().peekable();
    for next in &taken {
        while let Some((_, ticket, seen)) = earlier.next_if(|(at, ..)| *at < next.asked) {
            let high = highest.entry(ticket.epoch).or_insert((ticket.order, seen));
            if ticket.order > high.0 {
                *high = (ticket.order, seen);
            }
        }
        let before = highest.get(&next.ticket.epoch);
        check.expect(before.is_none_or(|(order, _)| *order < next.ticket.order), || {
            let order = before.map(|(order, _)| *order).unwrap_or_default();
            let records = before.map(|(_, seen)| *seen).into_iter().chain([next.answer]).collect();
            (format!("number {order} was given before number {} was asked for", next.ticket.order), records)
        });
    }
    check.finish()
}

pub(super) fn i13_admission_in_order(evidence: &Evidence) -> Verdict {
    let mut check = Check::new(
        "I13",
        "numbers are unique, ranks fall and are exact, and admission is strictly by number",
    );
    numbers_are_unique(evidence, &mut check);
    one_life_at_a_time(evidence, &mut check);
    ranks_fall(evidence, &mut check);
    ranks_are_exact(evidence, &mut check);
    // Whoever was seen admitted: nobody with a lower number may be found waiting by a request sent afterwards.
    let standings = standings(evidence);
    let mut admitted: Vec<_> = standings.iter().filter(|(_, stage, _)| *stage == 1).collect();
    let mut waiting: Vec<_> = standings.iter().filter(|(_, stage, _)| *stage == 0).collect();
    admitted.sort_unstable_by_key(|(_, _, seen)| seen.answered);
    waiting.sort_unstable_by_key(|(_, _, seen)| seen.sent);
    let mut highest: HashMap<u64, (u64, &Seen)> = HashMap::new();
    let mut earlier = admitted.into_iter().peekable();
    for (ticket, _, seen) in waiting {
        while let Some((of, _, by)) = earlier.next_if(|(_, _, by)| by.answered + STALE < seen.sent) {
            let high = highest.entry(of.epoch).or_insert((of.order, by));
            if of.order > high.0 {
                *high = (of.order, by);
            }
        }
        let before = highest.get(&ticket.epoch);
        check.expect(before.is_none_or(|(order, _)| *order < ticket.order), || {
            let order = before.map(|(order, _)| *order).unwrap_or_default();
            let records = before.map(|(_, by)| *by).into_iter().chain([*seen]).collect();
            (format!("number {order} was admitted while number {} waited", ticket.order), records)
        });
    }
    check.finish()
}

fn numbers_are_unique(evidence: &Evidence, check: &mut Check) {
    let mut owners: HashMap<TicketId, &Seen> = HashMap::new();
    for taken in taken(evidence) {
        let first = *owners.entry(taken.ticket).or_insert(taken.answer);
        check.expect(first.person == taken.answer.person, || {
            let what = format!("number {} was given to two people", taken.ticket.order);
            (what, vec![first, taken.answer])
        });
    }
}

/// A lane may begin a new life when its store lost the old one. Two lives at once are two queues.
fn one_life_at_a_time(evidence: &Evidence, check: &mut Check) {
    let mut lives: BTreeMap<u64, (&Seen, &Seen)> = BTreeMap::new();
    for (ticket, _, seen) in standings(evidence) {
        let life = lives.entry(ticket.epoch).or_insert((seen, seen));
        if seen.answered < life.0.answered {
            life.0 = seen;
        }
        if seen.sent > life.1.sent {
            life.1 = seen;
        }
    }
    let mut lives: Vec<_> = lives.into_iter().collect();
    lives.sort_unstable_by_key(|(_, (first, _))| first.answered);
    for pair in lives.windows(2) {
        let [(one, (_, last)), (other, (first, _))] = pair else { continue };
        check.expect(last.sent <= first.answered + STALE, || {
            (format!("two lives of the lane at once: epochs {one} and {other}"), vec![first, last])
        });
    }
}

fn ranks_fall(evidence: &Evidence, check: &mut Check) {
    // The lowest rank of each ticket that was told so far, and the one before it that is old enough to compare with.
    let mut told: HashMap<TicketId, Vec<(&Seen, u64)>> = HashMap::new();
    for seen in &evidence.history {
        let Some((place, (rank, ahead))) = seen.place().and_then(|place| Some((place, place.rank?))) else {
            continue;
        };
        check.expect(rank == ahead + 1 && (1..=place.ticket.order).contains(&rank), || {
            (format!("rank {rank} with {ahead} ahead at number {}", place.ticket.order), vec![seen])
        });
        let earlier = told.entry(place.ticket).or_default();
        let lower = earlier.iter().rev().find(|(by, _)| by.answered + STALE < seen.sent);
        check.expect(lower.is_none_or(|(_, before)| rank <= *before), || {
            let (by, before) = lower.copied().unwrap_or((seen, rank));
            (format!("number {}: rank {before}, and later {rank}", place.ticket.order), vec![by, seen])
        });
        earlier.push((seen, rank));
    }
}

/// While nobody is let in, a rank is the number less those of lower numbers who have left.
fn ranks_are_exact(evidence: &Evidence, check: &mut Check) {
    let Some(opened) = evidence.terms.opened else { return };
    let orders: HashMap<u32, u64> =
        taken(evidence).iter().map(|taken| (taken.answer.person, taken.ticket.order)).collect();
    let leaves = evidence.history.iter().filter(|seen| seen.act == Act::Leave && seen.sent < opened);
    let left: Vec<(u64, &Seen)> =
        leaves.filter_map(|seen| Some((*orders.get(&seen.person)?, seen))).collect();
    let first_left = left.iter().map(|(_, seen)| seen.sent).min().unwrap_or(opened);
    for seen in evidence.history.iter().filter(|seen| seen.answered < opened) {
        let Some((order, rank)) = seen.place().and_then(|place| Some((place.ticket.order, place.rank?.0)))
        else {
            continue;
        };
        // Nobody had left: most answers of a large crowd are that easy to judge.
        let ahead = || left.iter().filter(|(of, _)| *of < order && first_left <= seen.answered);
        let gone = ahead().filter(|(_, by)| by.is_acknowledged() && by.answered + STALE < seen.sent).count();
        let may_be_gone = ahead().filter(|(_, by)| by.sent <= seen.answered).count();
        let exact = order.saturating_sub(may_be_gone as u64)..=order - gone as u64;
        check.expect(exact.contains(&rank), || {
            (
                format!("rank {rank} at number {order}, with {gone} to {may_be_gone} before it gone"),
                vec![seen],
            )
        });
    }
}

pub(super) fn i15_one_ticket(evidence: &Evidence) -> Verdict {
    let mut check = Check::new("I15", "a user has one live ticket in a lane, and entering again finds it");
    let mut last: HashMap<u32, (&Seen, TicketId)> = HashMap::new();
    // The latest request that may end a ticket, and the latest answer that a ticket is over, by person.
    let mut ended: HashMap<u32, Micros> = HashMap::new();
    for seen in &evidence.history {
        let is_over = seen.place().is_some_and(|place| place.status == PlaceStatus::Done)
            || matches!(seen.heard, Heard::Refused(Code::TokenDone | Code::QueueReset));
        if is_over || matches!(seen.act, Act::Leave | Act::Pay(_)) {
            ended.insert(seen.person, seen.sent);
        }
        let (Act::Enter, Some(place)) = (seen.act, seen.place()) else { continue };
        let (first, ticket) = *last.entry(seen.person).or_insert((seen, place.ticket));
        let may_be_over = ended.get(&seen.person).is_some_and(|at| *at >= first.sent)
            || seen.answered.saturating_sub(first.answered) >= evidence.terms.claim_ttl;
        check.expect(ticket == place.ticket || may_be_over, || {
            let what =
                format!("person {} has the numbers {} and {}", seen.person, ticket.order, place.ticket.order);
            (what, evidence.of(seen.person))
        });
        if ticket != place.ticket {
            last.insert(seen.person, (seen, place.ticket));
        }
    }
    check.finish()
}

pub(super) fn i16_forward_only(evidence: &Evidence) -> Verdict {
    let mut check = Check::new("I16", "a ticket goes from waiting to admitted to done, and never back");
    let mut furthest: HashMap<TicketId, Vec<(u8, &Seen)>> = HashMap::new();
    for (ticket, stage, seen) in standings(evidence) {
        let earlier = furthest.entry(ticket).or_default();
        // Who waits is answered from a snapshot, and a booking call may be let through by what is remembered.
        let slack = match (stage, seen.place()) {
            (0, _) => STALE,
            (_, None) => REMEMBERED,
            _ => 0,
        };
        let beyond = earlier.iter().find(|(reached, by)| *reached > stage && by.answered + slack < seen.sent);
        check.expect(beyond.is_none(), || {
            let records = beyond.map(|(_, by)| *by).into_iter().chain([seen]).collect();
            (format!("number {} went back", ticket.order), records)
        });
        if earlier.iter().all(|(reached, _)| *reached < stage) {
            earlier.push((stage, seen));
        }
    }
    check.finish()
}

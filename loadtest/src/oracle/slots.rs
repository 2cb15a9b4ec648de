//! I14 and I18: how many are admitted, and that free slots are used.

use std::collections::HashMap;

use booking_api::PlaceStatus;

use super::{Check, Evidence, Verdict, queue::REMEMBERED};
use crate::history::{Act, Micros, Sample, Seen, TicketId};

/// A free slot reaches the head within a second; the rest is slack for a busy machine.
const SLOT_WITHIN: Micros = 1_500_000;

/// From when until when a ticket was admitted for sure: from an answer that says so to the last request whose answer still
/// says so.
fn surely_admitted(evidence: &Evidence) -> HashMap<TicketId, (Micros, Micros, &Seen)> {
    let mut current: HashMap<u32, TicketId> = HashMap::new();
    let mut spans: HashMap<TicketId, (Micros, Micros, &Seen)> = HashMap::new();
    for seen in &evidence.history {
        let proof = if let Some(place) = seen.place() {
            if seen.act == Act::Enter {
                current.insert(seen.person, place.ticket);
            }
            (place.status == PlaceStatus::Admitted).then_some((place.ticket, seen.sent))
        } else {
            let books = matches!(seen.act, Act::Hold { .. } | Act::Seats(_) | Act::Dates);
            let ticket = current.get(&seen.person).filter(|_| books && seen.is_acknowledged());
            ticket.map(|ticket| (*ticket, seen.sent.saturating_sub(REMEMBERED)))
        };
        let Some((ticket, until)) = proof else { continue };
        let span = spans.entry(ticket).or_insert((seen.answered, until, seen));
        span.1 = span.1.max(until);
    }
    spans
}

pub(super) fn i14_capacity(evidence: &Evidence) -> Verdict {
    let mut check = Check::new("I14", "no more are admitted at once than the lane's capacity");
    let capacity = evidence.terms.capacity;
    let mut steps: Vec<(Micros, bool, &Seen)> = Vec::new();
    for (from, until, seen) in surely_admitted(evidence).into_values().filter(|(from, until, _)| from < until)
    {
        steps.extend([(from, true, seen), (until, false, seen)]);
    }
    // At the same instant an end comes before a beginning.
    steps.sort_unstable_by_key(|(at, begins, _)| (*at, *begins));
    let mut inside: Vec<&Seen> = Vec::new();
    for (at, begins, seen) in steps {
        if begins {
            inside.push(seen);
        } else if let Some(index) = inside.iter().position(|other| std::ptr::eq(*other, seen)) {
            inside.swap_remove(index);
        }
        check.expect(inside.len() as u64 <= capacity, || {
            (format!("{} admitted at {at} µs, with room for {capacity}", inside.len()), inside.clone())
        });
    }
    for sample in &evidence.samples {
        check.expect(sample.admitted <= capacity, || {
            (
                format!(
                    "the lane had {} admitted at {} µs, with room for {capacity}",
                    sample.admitted, sample.sent
                ),
                Vec::new(),
            )
        });
    }
    check.finish()
}

pub(super) fn i18_slots_reach_the_head(evidence: &Evidence) -> Verdict {
    let mut check = Check::new("I18", "a free slot reaches the head of the queue within a second");
    let has_left = |sample: &Sample| sample.entered.saturating_sub(sample.waiting);
    // Since when somebody waits beside a free slot and the head has not moved.
    let mut since: Option<Sample> = None;
    for sample in &evidence.samples {
        let is_idle = sample.open && sample.waiting > 0 && sample.admitted < evidence.terms.capacity;
        since = match since {
            Some(first) if is_idle && has_left(&first) == has_left(sample) => Some(first),
            _ => is_idle.then_some(*sample),
        };
        let waited = since.map_or(0, |first| sample.sent.saturating_sub(first.answered));
        check.expect(waited <= SLOT_WITHIN, || {
            let what = format!(
                "{} wait and {} of {} are admitted, and for {waited} µs until {} µs nobody was let in",
                sample.waiting, sample.admitted, evidence.terms.capacity, sample.sent
            );
            (what, Vec::new())
        });
    }
    check.finish()
}

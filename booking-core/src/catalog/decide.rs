use std::collections::BTreeSet;

use chrono::SubsecRound as _;

use super::{
    Command, Concert, ConcertDraft, Event, LaneChange, LaneRecord, LaneSettings, MOST_SEATS, Performance,
    PerformanceDraft,
};
use crate::{id::ConcertId, refusal::Refusal, state::State, ticket::LaneName, time::Timestamp};

pub(crate) fn decide(state: &State, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::PutConcerts(drafts) => put_concerts(state, drafts, now),
        Command::SetLane(name, change) => set_lane(state, name, change, now),
        Command::MarkSoldOut { lane, revision, sold_out } => {
            mark_sold_out(state, lane, *revision, *sold_out, now)
        }
        Command::LiftRevision { lane, revision, above } => lift_revision(state, lane, *revision, *above, now),
    }
}

fn put_concerts(state: &State, drafts: &[ConcertDraft], now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let (mut concerts, mut performances) = (BTreeSet::new(), BTreeSet::new());
    let mut events = Vec::new();
    for draft in drafts {
        if !concerts.insert(draft.id) {
            return Err(Refusal::InvalidConcert(format!("concert {} is named twice", draft.id)));
        }
        events.extend(put_concert(state, draft, now)?);
        for performance in &draft.performances {
            if !performances.insert(performance.id) {
                let reason = format!("performance {} is named twice", performance.id);
                return Err(Refusal::InvalidConcert(reason));
            }
            events.extend(put_performance(state, draft.id, performance, now)?);
        }
    }
    Ok(events)
}

fn put_concert(state: &State, draft: &ConcertDraft, now: Timestamp) -> Result<Option<Event>, Refusal> {
    if !state.lanes.contains_key(&draft.lane) {
        return Err(Refusal::UnknownLane);
    }
    if draft.title.trim().is_empty() {
        return Err(Refusal::InvalidConcert(format!("concert {} needs a title", draft.id)));
    }
    check_text(&draft.title, || format!("title of concert {}", draft.id))?;
    let known = state.concerts.get(&draft.id);
    let concert = Concert {
        id: draft.id,
        title: draft.title.clone(),
        lane: draft.lane.clone(),
        created_at: known.map_or(now, |concert| concert.created_at),
    };
    Ok(match known {
        None => Some(Event::ConcertAdded(concert)),
        Some(known) if *known != concert => Some(Event::ConcertChanged(concert)),
        Some(_) => None,
    })
}

/// A text is shown on terminals and kept in databases; neither takes every control character well.
fn check_text(text: &str, what: impl FnOnce() -> String) -> Result<(), Refusal> {
    if !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Refusal::InvalidConcert(format!("{}: control characters are not allowed", what())))
}

fn put_performance(
    state: &State,
    concert: ConcertId,
    draft: &PerformanceDraft,
    now: Timestamp,
) -> Result<Option<Event>, Refusal> {
    if !(1..=MOST_SEATS).contains(&draft.seats) {
        let reason =
            format!("performance {}: seats must be 1 to {MOST_SEATS}, not {}", draft.id, draft.seats);
        return Err(Refusal::InvalidConcert(reason));
    }
    check_text(&draft.venue, || format!("venue of performance {}", draft.id))?;
    check_text(draft.zone.as_deref().unwrap_or_default(), || format!("zone of performance {}", draft.id))?;
    let known = state.performances.get(&draft.id);
    if known.is_some_and(|known| known.concert != concert) {
        let reason = format!("performance {} belongs to another concert", draft.id);
        return Err(Refusal::InvalidConcert(reason));
    }
    let mut performance = Performance {
        id: draft.id,
        concert,
        venue: draft.venue.clone(),
        // As instants are kept: an import that says more than a store keeps would change something for ever.
        starts_at: draft.starts_at.trunc_subsecs(6),
        zone: draft.zone.clone(),
        price: draft.price,
        seats: draft.seats,
        on_sale: draft.on_sale,
        created_at: now,
    };
    let Some(known) = known else { return Ok(Some(Event::PerformanceAdded(performance))) };
    performance.created_at = known.created_at;
    performance.seats = known.seats.max(draft.seats);
    // People have booked this date; only one that has passed (a shifted demo) may move.
    if now < known.begins() {
        performance.starts_at = known.starts_at;
        performance.zone.clone_from(&known.zone);
    }
    Ok((*known != performance).then_some(Event::PerformanceChanged(performance)))
}

fn set_lane(
    state: &State,
    name: &LaneName,
    change: &LaneChange,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let known = state.lanes.get(name);
    let mut settings = known.cloned().unwrap_or_default();
    change.apply(&mut settings);
    settings.policy.check().map_err(Refusal::InvalidLane)?;
    if known == Some(&settings) { Ok(Vec::new()) } else { Ok(vec![lane_set(name, settings, now)]) }
}

impl LaneChange {
    /// Whether such settings say all of this already.
    pub fn is_met_by(&self, settings: &LaneSettings) -> bool {
        let mut changed = settings.clone();
        self.apply(&mut changed);
        changed == *settings
    }

    fn apply(&self, settings: &mut LaneSettings) {
        fn put<T: Clone>(slot: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                *slot = value.clone();
            }
        }
        put(&mut settings.policy.capacity, self.capacity.as_ref());
        put(&mut settings.policy.max_waiting, self.max_waiting.as_ref());
        put(&mut settings.policy.admit_per_second, self.admit_per_second.as_ref());
        put(&mut settings.policy.claim_ttl, self.claim_ttl.as_ref());
        put(&mut settings.policy.session_ttl, self.session_ttl.as_ref());
        put(&mut settings.paused, self.paused.as_ref());
        put(&mut settings.closed, self.closed.as_ref());
    }
}

fn mark_sold_out(
    state: &State,
    name: &LaneName,
    revision: u64,
    sold_out: bool,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let known = state.lanes.get(name).ok_or(Refusal::UnknownLane)?;
    if known.revision != revision || known.sold_out == sold_out {
        return Ok(Vec::new());
    }
    Ok(vec![lane_set(name, LaneSettings { sold_out, ..known.clone() }, now)])
}

fn lift_revision(
    state: &State,
    name: &LaneName,
    revision: u64,
    above: u64,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let known = state.lanes.get(name).ok_or(Refusal::UnknownLane)?;
    if known.revision != revision || known.revision > above {
        return Ok(Vec::new());
    }
    Ok(vec![lane_set(name, LaneSettings { revision: above, ..known.clone() }, now)])
}

fn lane_set(name: &LaneName, mut settings: LaneSettings, now: Timestamp) -> Event {
    settings.revision = settings.revision.saturating_add(1);
    Event::LaneSet { lane: LaneRecord { name: name.clone(), settings }, at: now }
}

/// What a store found in a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// Whether any performance is bookable: on sale and not begun.
    pub bookable: bool,
    /// Whether any seat of those is not sold: available, or held and so perhaps coming back.
    pub unsold: bool,
}

/// Whether the lane's `sold_out` mark must change, and to what (Q9). With nothing bookable at all there is nothing
/// to be sold out of, so the mark stays.
pub fn sold_out_change(settings: &LaneSettings, stock: Stock) -> Option<bool> {
    let sold_out = !stock.unsold;
    (stock.bookable && settings.sold_out != sold_out).then_some(sold_out)
}

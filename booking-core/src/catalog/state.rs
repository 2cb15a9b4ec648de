use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Event;
use crate::{
    id::{ConcertId, PerformanceId},
    money::Money,
    policy::LanePolicy,
    state::State,
    ticket::LaneName,
    time::Timestamp,
};

/// The most seats one performance can have.
pub const MOST_SEATS: u32 = 20_000;

/// A concert: one programme, any number of dates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concert {
    /// Its identity.
    pub id: ConcertId,
    /// Its name.
    pub title: String,
    /// The lane that leads to it.
    pub lane: LaneName,
    /// When it was added.
    pub created_at: Timestamp,
}

/// One dated show of a concert, with seats numbered from 1 (S4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Performance {
    /// Its identity.
    pub id: PerformanceId,
    /// The concert it shows; this link never changes.
    pub concert: ConcertId,
    /// Where it is.
    pub venue: String,
    /// When it begins, with the offset of its place.
    pub starts_at: DateTime<FixedOffset>,
    /// The IANA name of its time zone, where known.
    pub zone: Option<String>,
    /// What one seat costs now.
    pub price: Money,
    /// How many seats it has; they are numbered 1 to this.
    pub seats: u32,
    /// Whether its seats may be held.
    pub on_sale: bool,
    /// When it was added.
    pub created_at: Timestamp,
}

impl Performance {
    /// Whether seats can be held at `now`: it is on sale and has not begun (half-open, like every limit in time).
    pub fn bookable_at(&self, now: Timestamp) -> bool {
        self.on_sale && now < self.begins()
    }

    /// The instant it begins.
    pub fn begins(&self) -> Timestamp {
        self.starts_at.with_timezone(&Utc).into()
    }

    /// The calendar date at its place.
    pub fn local_date(&self) -> NaiveDate {
        self.starts_at.date_naive()
    }
}

/// Everything the queue must be told of a lane. The booking store owns it; the queue store holds a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneSettings {
    /// How it admits.
    pub policy: LanePolicy,
    /// Admission rests; entering goes on.
    pub paused: bool,
    /// Nobody enters, and every ticket is over.
    pub closed: bool,
    /// Every seat is sold; like closed, until a seat comes back.
    pub sold_out: bool,
    /// Grows with every change, so that a copy knows whether it is stale.
    pub revision: u64,
}

impl LaneSettings {
    /// Whether these say the same, whatever their revisions.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        *self == Self { revision: self.revision, ..other.clone() }
    }
}

/// A lane as the booking store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneRecord {
    /// Its name.
    pub name: LaneName,
    /// Its settings.
    pub settings: LaneSettings,
}

pub(crate) fn evolve(state: &mut State, event: &Event) {
    match event {
        Event::ConcertAdded(concert) | Event::ConcertChanged(concert) => state.put_concert(concert.clone()),
        Event::PerformanceAdded(performance) | Event::PerformanceChanged(performance) => {
            state.put_performance(performance.clone());
        }
        Event::LaneSet { lane, .. } => {
            state.lanes.insert(lane.name.clone(), lane.settings.clone());
        }
    }
}

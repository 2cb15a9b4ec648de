//! What can be booked: concerts, their dated performances, and the lanes that lead to them.

mod decide;
mod state;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(crate) use decide::decide;
pub use decide::{Stock, sold_out_change};
pub(crate) use state::evolve;
pub use state::{Concert, LaneRecord, LaneSettings, MOST_SEATS, Performance};

use crate::{
    id::{ConcertId, PerformanceId},
    money::Money,
    ticket::LaneName,
    time::Timestamp,
};

/// What an operator asks of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Adds concerts with their performances, or brings what there is up to date: all of them or none. The same
    /// drafts twice change nothing.
    PutConcerts(Vec<ConcertDraft>),
    /// Adds a lane, or changes what the change names.
    SetLane(LaneName, LaneChange),
    /// Notes whether every seat of the lane is sold, as the sweep counted it (see [`sold_out_change`]). Who was stopped
    /// since it read the lane knows nothing of what came after (I23): a lane at another revision stays as it is.
    MarkSoldOut {
        /// The lane.
        lane: LaneName,
        /// The revision of the settings it was judged by.
        revision: u64,
        /// Whether every seat is sold.
        sold_out: bool,
    },
    /// Gives the lane's settings a revision above one that the queue store was told and this store knows nothing of:
    /// it was restored from an older copy, and what it says would be ignored. A lane at another revision than the one
    /// that was compared stays as it is.
    LiftRevision {
        /// The lane.
        lane: LaneName,
        /// The revision of the settings that were compared.
        revision: u64,
        /// The revision that the queue store knows.
        above: u64,
    },
}

/// A concert as an operator describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcertDraft {
    /// Its identity.
    pub id: ConcertId,
    /// Its name.
    pub title: String,
    /// The lane that leads to it; it must exist.
    pub lane: LaneName,
    /// Its dates. Dates that are absent stay as they are.
    pub performances: Vec<PerformanceDraft>,
}

/// A performance as an operator describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerformanceDraft {
    /// Its identity.
    pub id: PerformanceId,
    /// Where it is.
    pub venue: String,
    /// When it begins, with the offset of its place; parts of a microsecond are left off. A known performance whose
    /// start is still to come keeps it.
    pub starts_at: chrono::DateTime<chrono::FixedOffset>,
    /// The IANA name of its time zone, where known.
    pub zone: Option<String>,
    /// What one seat costs. A change affects new holds only.
    pub price: Money,
    /// How many seats, numbered from 1. Never shrinks.
    pub seats: u32,
    /// Whether its seats may be held.
    pub on_sale: bool,
}

/// What became of drafts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Concerts and performances added.
    pub added: u64,
    /// Concerts and performances changed.
    pub changed: u64,
    /// Drafts that changed nothing.
    pub unchanged: u64,
}

/// What an operator changes of a lane; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneChange {
    /// How many may be admitted at once.
    pub capacity: Option<u32>,
    /// How many may wait (`Some(None)`: any number).
    pub max_waiting: Option<Option<u64>>,
    /// How many are admitted a second (`Some(None)`: as capacity allows).
    pub admit_per_second: Option<Option<u32>>,
    /// How long an admitted person has to show up.
    pub claim_ttl: Option<std::time::Duration>,
    /// How long a session lasts.
    pub session_ttl: Option<std::time::Duration>,
    /// Whether admission rests.
    pub paused: Option<bool>,
    /// Whether the lane is closed: nobody enters, and everybody's ticket ends.
    pub closed: Option<bool>,
}

/// What happened to the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A concert was added.
    ConcertAdded(Concert),
    /// A concert's own words changed.
    ConcertChanged(Concert),
    /// A performance was added.
    PerformanceAdded(Performance),
    /// A performance changed.
    PerformanceChanged(Performance),
    /// A lane was added or its settings changed.
    LaneSet {
        /// The lane as it is now.
        lane: LaneRecord,
        /// When.
        at: Timestamp,
    },
}

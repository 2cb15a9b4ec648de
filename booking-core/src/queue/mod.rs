//! The waiting queue of one lane: take a number, wait, be admitted in the order of the numbers.
//!
//! waiting → admitted(until, claimed) → done(reason). Limits in time are half-open and lazy, like those of holds: at
//! `now >= until` an admission is over for every decision, whether or not anything swept it (Q9, I16).

mod answer;
mod decide;
mod departures;
mod pace;
mod place;
mod rows;
mod state;
#[cfg(test)]
mod tests;
mod view;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use answer::{Answer, Call};
pub use decide::{MOST_AT_ONCE, decide};
pub use departures::Departures;
pub use pace::Pace;
pub use place::{Place, poll_after};
pub use rows::{BrokenLane, ChangedTickets, Course, LaneRow, TicketRow};
pub use state::{Admission, Lane};
pub use view::{LaneView, NEAR_THE_HEAD};

use crate::{
    catalog::LaneSettings,
    id::UserId,
    ticket::{EndReason, Ticket},
    time::Timestamp,
};

/// What is asked of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Takes a number; who has a live one keeps it (Q10).
    Enter(UserId),
    /// Proves admission for a booking call; the first one starts the session (Q6).
    Claim(Ticket),
    /// Ends a ticket; one that is done stays as it is.
    Finish(Ticket, EndReason),
    /// Ends what time has ended and admits who is next, as capacity and rate allow.
    Advance,
    /// Takes the settings over from the booking store, unless newer ones are here already.
    Configure(LaneSettings),
}

/// What happened in a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A user took the next number.
    Entered {
        /// The number.
        seq: u64,
        /// The user.
        user: UserId,
    },
    /// The first of the waiting was admitted.
    Admitted {
        /// Its number.
        seq: u64,
        /// Until when it may claim.
        until: Timestamp,
        /// When.
        at: Timestamp,
    },
    /// An admitted user showed up.
    Claimed {
        /// The number.
        seq: u64,
        /// The end of the session.
        until: Timestamp,
    },
    /// A ticket is over.
    Finished {
        /// Its number.
        seq: u64,
        /// Why.
        reason: EndReason,
    },
    /// Every ticket is over.
    Drained(EndReason),
    /// The settings changed.
    Configured(LaneSettings),
}

/// The answer to who enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// The ticket: the one the user has already, if it lives (Q10).
    pub ticket: Ticket,
    /// Where it stands.
    pub place: Place,
    /// Whether the user had it already.
    pub replayed: bool,
}

/// What a call of `advance` did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advanced {
    /// How many were admitted.
    pub admitted: u64,
    /// How many admissions ended by time.
    pub ended: u64,
}

/// A lane at a glance, for those who answer the waiting without asking the store each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneSnapshot {
    /// The life of the lane.
    pub epoch: crate::ticket::Epoch,
    /// Numbers below it no longer wait.
    pub head: u64,
    /// The number the next one to enter gets.
    pub next: u64,
    /// How many wait.
    pub waiting: u64,
    /// How many are admitted. Those whose time is over count until the lane advances.
    pub admitted: u64,
    /// How many users have a live number.
    pub users: u64,
    /// What the lane was told.
    pub settings: LaneSettings,
    /// How long one admission took of late, on average; none while nothing is known.
    pub per_admission: Option<Duration>,
    /// Numbers that left while waiting, in the order they left, since the cursor that was asked for.
    pub departed: Vec<u64>,
    /// The cursor to ask for next time.
    pub cursor: u64,
}

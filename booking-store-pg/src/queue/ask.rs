//! What is asked of a lane, and what is told.

use booking_core::{
    EndReason, Refusal, Ticket, Timestamp,
    catalog::LaneSettings,
    id::UserId,
    queue::{Advanced, Entered, Event, Lane, LaneSnapshot, Place},
};

/// A call of the port, on its lane.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Enter(UserId),
    Place(Ticket),
    Claim(Ticket),
    Finish(Ticket, EndReason),
    Advance,
    Snapshot(Option<u64>),
    Configure(LaneSettings),
}

/// Its answer.
#[derive(Debug)]
pub(super) enum Told {
    Entered(Entered),
    Place(Place),
    Until(Timestamp),
    Advanced(Advanced),
    Snapshot(LaneSnapshot),
    Done,
}

impl Ask {
    /// Whether it leaves the lane as it is.
    pub(super) fn only_reads(&self) -> bool {
        matches!(self, Self::Place(_) | Self::Snapshot(_))
    }

    /// The answer of this lane; what happened in it is added to `log`.
    pub(super) fn answer(
        &self,
        lane: &mut Lane,
        now: Timestamp,
        log: &mut Vec<Event>,
    ) -> Result<Told, Refusal> {
        match self {
            Self::Enter(user) => lane.enter(*user, now, log).map(Told::Entered),
            Self::Place(ticket) => lane.place(ticket, now).map(Told::Place),
            Self::Claim(ticket) => lane.claim(ticket, now, log).map(Told::Until),
            Self::Finish(ticket, reason) => {
                lane.end(ticket, *reason, now, log);
                Ok(Told::Done)
            }
            Self::Advance => Ok(Told::Advanced(lane.advance(now, log))),
            Self::Snapshot(since) => Ok(Told::Snapshot(lane.snapshot(*since, now))),
            Self::Configure(settings) => {
                lane.configure(settings.clone(), now, log);
                Ok(Told::Done)
            }
        }
    }

    /// The answer where there is no such lane.
    pub(super) fn answer_without_lane(&self) -> Result<Told, Refusal> {
        match self {
            Self::Enter(_) | Self::Advance | Self::Snapshot(_) => Err(Refusal::UnknownLane),
            Self::Place(_) | Self::Claim(_) => Err(Refusal::QueueReset),
            // It has nothing left to end. A lane that is configured is made before anybody is answered.
            Self::Finish(..) | Self::Configure(_) => Ok(Told::Done),
        }
    }
}

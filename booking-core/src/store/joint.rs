use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::{
    command::Command,
    error::Error,
    event::Event,
    outcome::Outcome,
    queue::{self, Lane},
    refusal::Refusal,
    state::State,
    ticket::{LaneName, Ticket},
    time::Timestamp,
};

/// Both ports in one step, for a store that keeps the bookings and the lanes together: a first hold is a claim and a
/// command otherwise, and a payment a command, an ending and its acknowledgement. On a disk each of them is a commit.
///
/// # Obligations
/// - It works on the rows of the [`BookingStore`](super::BookingStore) and the [`QueueStore`](super::QueueStore) that
///   stand beside it, and what they promise holds for its steps too.
/// - A step is atomic and durable as a whole, with the clock read once.
#[async_trait]
pub trait JointStore: Send + Sync + 'static {
    /// Claims the ticket, if one is given, and executes the command if that is granted (Q6).
    ///
    /// # Obligations
    /// - A claim that is refused is the answer, and nothing is executed. A command that is refused takes no claim back:
    ///   who asked has shown up.
    /// - The tickets that the command ends are over in their lanes by the same step, and nothing of them is pending
    ///   (P1, Q9). A lane or epoch that is gone has nothing left to end: that is no failure.
    async fn book(&self, claim: Option<&Ticket>, command: Command) -> Result<Outcome, Error>;
}

/// What happened in steps over both ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    /// To the bookings, in order.
    pub events: Vec<Event>,
    /// In each lane that was asked, in order.
    pub lanes: BTreeMap<LaneName, Vec<queue::Event>>,
    /// Tickets whose lanes were told that they ended: nothing of them is pending.
    pub told: Vec<Ticket>,
}

impl Happened {
    /// What happened in this lane.
    pub fn in_lane(&mut self, name: &LaneName) -> &mut Vec<queue::Event> {
        self.lanes.entry(name.clone()).or_default()
    }
}

/// The step of [`JointStore::book`], on what a store keeps under its locks. What happened is added to `happened`, whether the
/// step is refused or not.
pub fn book(
    state: &mut State,
    lanes: &mut BTreeMap<LaneName, Lane>,
    claim: Option<&Ticket>,
    command: &Command,
    now: Timestamp,
    happened: &mut Happened,
) -> Result<Outcome, Refusal> {
    if let Some(ticket) = claim {
        let lane = lanes.get_mut(&ticket.lane).ok_or(Refusal::QueueReset)?;
        lane.claim(ticket, now, happened.in_lane(&ticket.lane))?;
    }
    let (outcome, events) = state.execute(command, now)?;
    let ended: Vec<_> = events.iter().filter_map(|event| state.ending_of(event)).collect();
    happened.events.extend(events);
    for (ticket, reason) in ended {
        if let Some(lane) = lanes.get_mut(&ticket.lane) {
            lane.end(&ticket, reason, now, happened.in_lane(&ticket.lane));
        }
        state.forget_ending(&ticket);
        happened.told.push(ticket);
    }
    Ok(outcome)
}

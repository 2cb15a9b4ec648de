//! What the callers of a lane are told: the same in every store.

use super::{Advanced, Command, Entered, Event, Lane, LaneSnapshot, Place};
use crate::{
    refusal::Refusal,
    ticket::{EndReason, Ticket},
    time::Timestamp,
};

/// A call of the [`QueueStore`](crate::store::QueueStore), on its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Has the lane execute a command.
    Step(Command),
    /// Asks where a ticket stands.
    Place(Ticket),
    /// Asks for the lane at a glance, with the departures since a cursor of an earlier snapshot.
    Snapshot(Option<u64>),
}

/// The answer to a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To who enters.
    Entered(Entered),
    /// To who asks for a place.
    Place(Place),
    /// To who claims: until when the admission lasts.
    Until(Timestamp),
    /// To who advances the lane.
    Advanced(Advanced),
    /// To who asks for the lane at a glance.
    Snapshot(LaneSnapshot),
    /// It is done, and there is nothing to tell.
    Done,
}

impl From<Command> for Call {
    fn from(command: Command) -> Self {
        Self::Step(command)
    }
}

impl Call {
    /// Whether it leaves the lane as it is.
    pub fn only_reads(&self) -> bool {
        matches!(self, Self::Place(_) | Self::Snapshot(_))
    }

    /// The answer of this lane. What happened in it is added to `log`, whether the call is refused or not.
    pub fn answer(&self, lane: &mut Lane, now: Timestamp, log: &mut Vec<Event>) -> Result<Answer, Refusal> {
        match self {
            Self::Step(command) => lane.answer(command, now, log),
            Self::Place(ticket) => lane.place(ticket, now).map(Answer::Place),
            Self::Snapshot(since) => Ok(Answer::Snapshot(lane.snapshot(*since, now))),
        }
    }

    /// The answer where there is no such lane; where one is configured, it is to be made before.
    pub fn answer_without_lane(&self) -> Result<Answer, Refusal> {
        match self {
            Self::Step(Command::Enter(_) | Command::Advance) | Self::Snapshot(_) => Err(Refusal::UnknownLane),
            Self::Step(Command::Claim(_)) | Self::Place(_) => Err(Refusal::QueueReset),
            // A ticket has nothing left to end.
            Self::Step(Command::Finish(..) | Command::Configure(_)) => Ok(Answer::Done),
        }
    }
}

impl Lane {
    /// Executes a command, and answers who asked for it. What happened is added to `log`.
    fn answer(&mut self, command: &Command, now: Timestamp, log: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let before = log.len();
        self.execute_logged(command, now, log)?;
        let happened = &log[before..];
        match command {
            Command::Enter(user) => {
                let replayed = !happened.iter().any(|event| matches!(event, Event::Entered { .. }));
                let ticket = self.live_ticket(*user).ok_or(Refusal::UnknownTicket)?;
                Ok(Answer::Entered(Entered { place: self.place(&ticket, now)?, ticket, replayed }))
            }
            Command::Claim(ticket) => match self.place(ticket, now)? {
                Place::Admitted { until, .. } => Ok(Answer::Until(until)),
                Place::Waiting { .. } | Place::Done(_) => Err(Refusal::UnknownTicket),
            },
            Command::Advance => Ok(Answer::Advanced(Advanced::of(happened))),
            Command::Finish(..) | Command::Configure(_) => Ok(Answer::Done),
        }
    }

    /// Proves admission (Q6). What happened is added to `log`.
    pub fn claim(&mut self, ticket: &Ticket, now: Timestamp, log: &mut Vec<Event>) -> Result<(), Refusal> {
        self.execute_logged(&Command::Claim(ticket.clone()), now, log)
    }

    /// Ends the ticket; one that is done, or not of this lane's epoch, stays as it is.
    pub fn end(&mut self, ticket: &Ticket, reason: EndReason, now: Timestamp, log: &mut Vec<Event>) {
        // Finishing is never refused.
        self.execute_logged(&Command::Finish(ticket.clone(), reason), now, log).ok();
    }
}

impl Advanced {
    fn of(happened: &[Event]) -> Self {
        let count = |is: fn(&Event) -> bool| happened.iter().filter(|event| is(event)).count() as u64;
        Self {
            admitted: count(|event| matches!(event, Event::Admitted { .. })),
            ended: count(|event| matches!(event, Event::Finished { .. })),
        }
    }
}

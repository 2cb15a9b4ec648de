mod admission;
mod entering;
mod rank;
mod rows;
mod settings;
mod tickets;
mod view;

use std::time::Duration;

use super::{Command, Event, Lane, Place};
use crate::{
    catalog::LaneSettings,
    fixture::{self, START, user},
    policy::LanePolicy,
    refusal::Refusal,
    ticket::{EndReason, Epoch, LaneName, Ticket},
    time::Timestamp,
};

const CLAIM_TTL: Duration = Duration::from_mins(1);
const SESSION_TTL: Duration = Duration::from_mins(15);

/// A lane, and a clock that moves when it is told to.
#[derive(Clone)]
struct Room {
    lane: Lane,
    now: Timestamp,
}

impl Room {
    fn with(policy: LanePolicy) -> Self {
        let settings = LaneSettings { policy, revision: 1, ..LaneSettings::default() };
        Self { lane: Lane::new(LaneName::main(), Epoch(1), settings), now: START }
    }

    fn of_capacity(capacity: u32) -> Self {
        Self::with(LanePolicy { capacity, ..LanePolicy::default() })
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now.after(span);
    }

    fn try_enter(&mut self, n: u128) -> Result<Ticket, Refusal> {
        self.lane.execute(&Command::Enter(user(n)), self.now)?;
        Ok(self.lane.live_ticket(user(n)).unwrap())
    }

    fn enter(&mut self, n: u128) -> Ticket {
        self.try_enter(n).unwrap()
    }

    /// Users 1 to `most` enter.
    fn fill(&mut self, most: u128) -> Vec<Ticket> {
        (1..=most).map(|n| self.enter(n)).collect()
    }

    fn claim(&mut self, ticket: &Ticket) -> Result<Vec<Event>, Refusal> {
        self.lane.execute(&Command::Claim(ticket.clone()), self.now)
    }

    fn finish(&mut self, ticket: &Ticket, reason: EndReason) -> Vec<Event> {
        self.lane.execute(&Command::Finish(ticket.clone(), reason), self.now).unwrap()
    }

    fn advance(&mut self) -> Vec<Event> {
        self.lane.execute(&Command::Advance, self.now).unwrap()
    }

    fn configure(&mut self, change: impl FnOnce(&mut LaneSettings)) -> Vec<Event> {
        let mut settings = self.lane.settings().clone();
        settings.revision += 1;
        change(&mut settings);
        self.lane.execute(&Command::Configure(settings), self.now).unwrap()
    }

    fn place(&self, ticket: &Ticket) -> Result<Place, Refusal> {
        self.lane.place(ticket, self.now)
    }

    /// Why the ticket is over, if it is.
    fn end(&self, ticket: &Ticket) -> Option<EndReason> {
        match self.place(ticket) {
            Ok(Place::Done(reason)) => Some(reason),
            _ => None,
        }
    }

    fn is_admitted(&self, ticket: &Ticket) -> bool {
        matches!(self.place(ticket), Ok(Place::Admitted { .. }))
    }

    /// The rank, 1 being next; none if the ticket does not wait.
    fn rank(&self, ticket: &Ticket) -> Option<u64> {
        match self.place(ticket) {
            Ok(Place::Waiting { rank, ahead, .. }) => {
                assert_eq!(ahead, rank - 1);
                Some(rank)
            }
            _ => None,
        }
    }
}

/// The numbers the events admit.
fn admitted(events: &[Event]) -> Vec<u64> {
    let seq = |event: &Event| match event {
        Event::Admitted { seq, .. } => Some(*seq),
        _ => None,
    };
    events.iter().filter_map(seq).collect()
}

fn ticket(of: u128, seq: u64) -> Ticket {
    fixture::ticket(of, seq)
}

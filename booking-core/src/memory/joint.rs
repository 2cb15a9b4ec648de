use std::sync::Arc;

use async_trait::async_trait;

use super::{MemoryBooking, MemoryQueue};
use crate::{
    command::Command, error::Error, outcome::Outcome, refusal::Refusal, store::JointStore, ticket::Ticket,
};

/// Bookings and lanes in memory, in one step: under both their locks, of which that of the lanes is taken first.
pub struct MemoryJoint {
    booking: Arc<MemoryBooking>,
    queue: Arc<MemoryQueue>,
}

impl MemoryJoint {
    /// Over two stores that go by one clock.
    pub fn new(booking: Arc<MemoryBooking>, queue: Arc<MemoryQueue>) -> Self {
        Self { booking, queue }
    }

    /// Claims and executes; the same as [`JointStore::book`], for callers without an executor.
    pub fn book_now(&self, claim: Option<&Ticket>, command: &Command) -> Result<Outcome, Error> {
        let mut lanes = self.queue.open()?;
        let (mut books, now) = self.booking.open()?;
        if let Some(ticket) = claim {
            let lane = lanes.get_mut(&ticket.lane).ok_or(Refusal::QueueReset)?;
            lane.claim(ticket, now, &mut Vec::new())?;
        }
        let before = books.log.len() as u64;
        let outcome = books.execute(command, now)?;
        let ended: Vec<_> =
            books.log.after(before).filter_map(|told| books.state.ending_of(&told.event)).collect();
        for (ticket, reason) in ended {
            if let Some(lane) = lanes.get_mut(&ticket.lane) {
                lane.end(&ticket, reason, now, &mut Vec::new());
            }
            books.state.forget_ending(&ticket);
        }
        Ok(outcome)
    }
}

#[async_trait]
impl JointStore for MemoryJoint {
    async fn book(&self, claim: Option<&Ticket>, command: Command) -> Result<Outcome, Error> {
        self.book_now(claim, &command)
    }
}

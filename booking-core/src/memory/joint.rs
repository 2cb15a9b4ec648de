use std::sync::Arc;

use async_trait::async_trait;

use super::{MemoryBooking, MemoryQueue};
use crate::{
    command::Command,
    error::Error,
    outcome::Outcome,
    store::{Happened, JointStore, book},
    ticket::Ticket,
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
        let mut happened = Happened::default();
        let outcome = book(&mut books.state, &mut lanes, claim, command, now, &mut happened);
        books.note(happened.events, now);
        Ok(outcome?)
    }
}

#[async_trait]
impl JointStore for MemoryJoint {
    async fn book(&self, claim: Option<&Ticket>, command: Command) -> Result<Outcome, Error> {
        self.book_now(claim, &command)
    }
}

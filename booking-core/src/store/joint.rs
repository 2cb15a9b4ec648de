use async_trait::async_trait;

use crate::{command::Command, error::Error, outcome::Outcome, ticket::Ticket};

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

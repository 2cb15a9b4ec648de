use async_trait::async_trait;

use crate::{
    catalog::LaneSettings,
    error::{Error, StoreError},
    id::UserId,
    queue::{Advanced, Entered, LaneSnapshot, Place},
    ticket::{EndReason, LaneName, Ticket},
    time::Timestamp,
};

/// The authority for the order of arrival, and for nothing else: losing it may cost people their place, never a seat.
///
/// # Obligations
/// - Each call is one atomic step on its lane, with the lane's own clock read inside it (I5), and does what
///   [`Lane`](crate::queue::Lane) does.
/// - A number is given inside that step, so that one that was answered is lower than any asked for later, on any
///   instance (I12), and none is given twice in an epoch (I13).
/// - A lane that lost numbers (an emptied or restored store) comes back with a new epoch, and admits nobody until it
///   was configured again (I22). A lane that was never configured does not exist.
/// - `enter`, `claim` and `finish` advance the lane in the same step (I18).
#[async_trait]
pub trait QueueStore: Send + Sync + 'static {
    /// Takes a number for the user, or finds the live one (Q10). An unknown lane is refused with `UnknownLane`.
    async fn enter(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error>;

    /// Where the ticket stands. Reading it claims nothing. An unknown lane or epoch is refused with `QueueReset`.
    async fn place(&self, ticket: &Ticket) -> Result<Place, Error>;

    /// Proves admission and answers until when it lasts. The first claim starts the session.
    async fn claim(&self, ticket: &Ticket) -> Result<Timestamp, Error>;

    /// Ends the ticket. One that is done, or of a lane or epoch that is gone, stays as it is: that is no failure.
    async fn finish(&self, ticket: &Ticket, reason: EndReason) -> Result<(), StoreError>;

    /// Ends what time has ended and admits who is next. Any instance may call it, any number of times. An unknown lane
    /// is refused with `UnknownLane`.
    async fn advance(&self, lane: &LaneName) -> Result<Advanced, Error>;

    /// The lane at a glance, with its settings just as they were told, and the departures since a cursor of an earlier
    /// snapshot. An unknown lane is refused with `UnknownLane`.
    async fn snapshot(&self, lane: &LaneName, since: Option<u64>) -> Result<LaneSnapshot, Error>;

    /// Tells the lane its settings, making it if it does not exist. Older settings than it has change nothing.
    async fn configure(&self, lane: &LaneName, settings: &LaneSettings) -> Result<(), StoreError>;
}

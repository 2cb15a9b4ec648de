use async_trait::async_trait;

use super::QueueStore;
use crate::{
    catalog::LaneSettings,
    error::{Error, StoreError},
    id::UserId,
    queue::{Advanced, Answer, Call, Command, Entered, LaneSnapshot, Place},
    refusal::Refusal,
    ticket::{EndReason, LaneName, Ticket},
    time::Timestamp,
};

/// A [`QueueStore`] that keeps [`Lane`](crate::queue::Lane)s and has them answer: all calls come in by one door, and what
/// each is answered is the core's ([`Call::answer`]).
#[async_trait]
pub trait LaneStore: Send + Sync + 'static {
    /// One atomic step on a lane, which takes the call's place among all others of that lane. What happened is kept
    /// also when the call is refused. A lane that is configured is made if it does not exist; any other call is then answered
    /// by [`Call::answer_without_lane`]. Obligations are those of the [`QueueStore`].
    async fn answer(&self, lane: &LaneName, call: Call) -> Result<Result<Answer, Refusal>, StoreError>;
}

/// Another answer than was asked for would be a mistake of the store.
macro_rules! wanted {
    ($answer:expr, $pattern:pat => $value:expr) => {
        match $answer {
            $pattern => Ok($value),
            other => Err(StoreError::broken(format!("a lane answered something else: {other:?}")).into()),
        }
    };
}

#[async_trait]
impl<S: LaneStore> QueueStore for S {
    async fn enter(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        wanted!(self.answer(lane, Command::Enter(user).into()).await??, Answer::Entered(entered) => entered)
    }

    async fn place(&self, ticket: &Ticket) -> Result<Place, Error> {
        wanted!(self.answer(&ticket.lane, Call::Place(ticket.clone())).await??, Answer::Place(place) => place)
    }

    async fn claim(&self, ticket: &Ticket) -> Result<Timestamp, Error> {
        let claim = Command::Claim(ticket.clone());
        wanted!(self.answer(&ticket.lane, claim.into()).await??, Answer::Until(until) => until)
    }

    async fn finish(&self, ticket: &Ticket, reason: EndReason) -> Result<(), StoreError> {
        // Finishing is never refused.
        self.answer(&ticket.lane, Command::Finish(ticket.clone(), reason).into()).await.map(drop)
    }

    async fn advance(&self, lane: &LaneName) -> Result<Advanced, Error> {
        wanted!(self.answer(lane, Command::Advance.into()).await??, Answer::Advanced(advanced) => advanced)
    }

    async fn snapshot(&self, lane: &LaneName, since: Option<u64>) -> Result<LaneSnapshot, Error> {
        wanted!(self.answer(lane, Call::Snapshot(since)).await??, Answer::Snapshot(snapshot) => snapshot)
    }

    async fn configure(&self, lane: &LaneName, settings: &LaneSettings) -> Result<(), StoreError> {
        // Configuring is never refused.
        self.answer(lane, Command::Configure(settings.clone()).into()).await.map(drop)
    }
}

//! The port itself.

use async_trait::async_trait;
use booking_core::{
    EndReason, Error, LaneName, StoreError, Ticket, Timestamp,
    catalog::LaneSettings,
    id::UserId,
    queue::{Advanced, Entered, LaneSnapshot, Place},
    store::QueueStore,
};

use super::ask::{Ask, Told};
use crate::PgStore;

fn other(told: &Told) -> Error {
    StoreError::broken(format!("a lane answered something else: {told:?}")).into()
}

#[async_trait]
impl QueueStore for PgStore {
    async fn enter(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        match self.queue().ask(lane, Ask::Enter(user)).await?? {
            Told::Entered(entered) => Ok(entered),
            told => Err(other(&told)),
        }
    }

    async fn place(&self, ticket: &Ticket) -> Result<Place, Error> {
        match self.queue().ask(&ticket.lane, Ask::Place(ticket.clone())).await?? {
            Told::Place(place) => Ok(place),
            told => Err(other(&told)),
        }
    }

    async fn claim(&self, ticket: &Ticket) -> Result<Timestamp, Error> {
        match self.queue().ask(&ticket.lane, Ask::Claim(ticket.clone())).await?? {
            Told::Until(until) => Ok(until),
            told => Err(other(&told)),
        }
    }

    async fn finish(&self, ticket: &Ticket, reason: EndReason) -> Result<(), StoreError> {
        self.queue().ask(&ticket.lane, Ask::Finish(ticket.clone(), reason)).await.map(drop)
    }

    async fn advance(&self, lane: &LaneName) -> Result<Advanced, Error> {
        match self.queue().ask(lane, Ask::Advance).await?? {
            Told::Advanced(advanced) => Ok(advanced),
            told => Err(other(&told)),
        }
    }

    async fn snapshot(&self, lane: &LaneName, since: Option<u64>) -> Result<LaneSnapshot, Error> {
        match self.queue().ask(lane, Ask::Snapshot(since)).await?? {
            Told::Snapshot(snapshot) => Ok(snapshot),
            told => Err(other(&told)),
        }
    }

    async fn configure(&self, lane: &LaneName, settings: &LaneSettings) -> Result<(), StoreError> {
        self.queue().ask(lane, Ask::Configure(settings.clone())).await.map(drop)
    }
}

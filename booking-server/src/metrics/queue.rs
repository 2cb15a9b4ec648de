//! A queue store that is timed. A refusal is an answer like any other; only failing machinery counts as failed.

use std::sync::Arc;

use async_trait::async_trait;
use booking_core::{
    EndReason, Error, LaneName, StoreError, Ticket, Timestamp,
    catalog::LaneSettings,
    id::UserId,
    queue::{Advanced, Entered, LaneSnapshot, Place},
    store::QueueStore,
};

use super::{Call, Metrics};

pub(super) struct Measured {
    pub(super) store: Arc<dyn QueueStore>,
    pub(super) metrics: Arc<Metrics>,
}

pub(super) fn failed<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Store(_)))
}

#[async_trait]
impl QueueStore for Measured {
    async fn enter(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        self.metrics.timed(Call::Enter, self.store.enter(lane, user), failed).await
    }

    async fn place(&self, ticket: &Ticket) -> Result<Place, Error> {
        self.metrics.timed(Call::Place, self.store.place(ticket), failed).await
    }

    async fn claim(&self, ticket: &Ticket) -> Result<Timestamp, Error> {
        self.metrics.timed(Call::Claim, self.store.claim(ticket), failed).await
    }

    async fn finish(&self, ticket: &Ticket, reason: EndReason) -> Result<(), StoreError> {
        self.metrics.timed(Call::Finish, self.store.finish(ticket, reason), Result::is_err).await
    }

    async fn advance(&self, lane: &LaneName) -> Result<Advanced, Error> {
        self.metrics.timed(Call::Advance, self.store.advance(lane), failed).await
    }

    async fn snapshot(&self, lane: &LaneName, since: Option<u64>) -> Result<LaneSnapshot, Error> {
        self.metrics.timed(Call::Snapshot, self.store.snapshot(lane, since), failed).await
    }

    async fn configure(&self, lane: &LaneName, settings: &LaneSettings) -> Result<(), StoreError> {
        self.metrics.timed(Call::Configure, self.store.configure(lane, settings), Result::is_err).await
    }
}

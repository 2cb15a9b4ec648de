use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::{
    catalog::LaneSettings,
    error::{Error, StoreError},
    id::UserId,
    memory::MemoryQueue,
    queue::{Advanced, Entered, LaneSnapshot, Place},
    store::QueueStore,
    ticket::{EndReason, LaneName, Ticket},
    time::Timestamp,
};

/// A queue store that can be cut off, and that can lie about how many people it knows.
pub(super) struct ShakyQueue {
    inner: MemoryQueue,
    down: AtomicBool,
    lies: AtomicBool,
}

impl ShakyQueue {
    pub(super) fn over(inner: MemoryQueue) -> Self {
        Self { inner, down: AtomicBool::new(false), lies: AtomicBool::new(false) }
    }

    pub(super) fn cut_off(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub(super) fn lie(&self) {
        self.lies.store(true, Ordering::SeqCst);
    }

    pub(super) fn failure() -> StoreError {
        StoreError::unavailable("the queue store is cut off")
    }

    fn reach(&self) -> Result<&MemoryQueue, StoreError> {
        if self.down.load(Ordering::SeqCst) { Err(Self::failure()) } else { Ok(&self.inner) }
    }
}

#[async_trait]
impl QueueStore for ShakyQueue {
    async fn enter(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        self.reach()?.enter(lane, user).await
    }

    async fn place(&self, ticket: &Ticket) -> Result<Place, Error> {
        self.reach()?.place(ticket).await
    }

    async fn claim(&self, ticket: &Ticket) -> Result<Timestamp, Error> {
        self.reach()?.claim(ticket).await
    }

    async fn finish(&self, ticket: &Ticket, reason: EndReason) -> Result<(), StoreError> {
        self.reach()?.finish(ticket, reason).await
    }

    async fn advance(&self, lane: &LaneName) -> Result<Advanced, Error> {
        self.reach()?.advance(lane).await
    }

    async fn snapshot(&self, lane: &LaneName, since: Option<u64>) -> Result<LaneSnapshot, Error> {
        let mut snapshot = self.reach()?.snapshot(lane, since).await?;
        snapshot.users += u64::from(self.lies.load(Ordering::SeqCst));
        Ok(snapshot)
    }

    async fn configure(&self, lane: &LaneName, settings: &LaneSettings) -> Result<(), StoreError> {
        self.reach()?.configure(lane, settings).await
    }
}

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    catalog::LaneSettings,
    error::{Error, StoreError},
    id::UserId,
    queue::{Advanced, Entered, Lane, LaneSnapshot, Place},
    refusal::Refusal,
    store::QueueStore,
    sync::{Mutex, MutexGuard, lock},
    ticket::{EndReason, Epoch, LaneName, Ticket},
    time::{Clock, Timestamp},
};

/// Lanes in memory, under one lock.
pub struct MemoryQueue {
    clock: Arc<dyn Clock>,
    lanes: Mutex<BTreeMap<LaneName, Lane>>,
}

impl MemoryQueue {
    /// A store without lanes.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, lanes: Mutex::new(BTreeMap::new()) }
    }

    /// The lanes under their lock.
    pub(super) fn open(&self) -> Result<MutexGuard<'_, BTreeMap<LaneName, Lane>>, StoreError> {
        lock(&self.lanes)
    }

    /// Does something with a lane under the lock, at the instant after it was taken; an unknown lane is refused with
    /// `unknown`.
    fn with<T>(
        &self,
        lane: &LaneName,
        unknown: Refusal,
        act: impl FnOnce(&mut Lane, Timestamp) -> Result<T, Refusal>,
    ) -> Result<T, Error> {
        let mut lanes = self.open()?;
        let now = self.clock.now();
        let lane = lanes.get_mut(lane).ok_or(unknown)?;
        Ok(act(lane, now)?)
    }

    /// Enters a lane; the same as [`QueueStore::enter`], for callers without an executor.
    pub fn enter_now(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        self.with(lane, Refusal::UnknownLane, |lane, now| lane.enter(user, now, &mut Vec::new()))
    }

    /// Advances a lane; the same as [`QueueStore::advance`], for callers without an executor.
    pub fn advance_now(&self, lane: &LaneName) -> Result<Advanced, Error> {
        self.with(lane, Refusal::UnknownLane, |lane, now| Ok(lane.advance(now, &mut Vec::new())))
    }

    /// Makes or configures a lane; the same as [`QueueStore::configure`], for callers without an executor.
    pub fn configure_now(&self, name: &LaneName, settings: &LaneSettings) -> Result<(), StoreError> {
        let mut lanes = self.open()?;
        let now = self.clock.now();
        if let Some(lane) = lanes.get_mut(name) {
            lane.configure(settings.clone(), now, &mut Vec::new());
        } else {
            let epoch = Epoch(Uuid::new_v4().as_u64_pair().0);
            lanes.insert(name.clone(), Lane::new(name.clone(), epoch, settings.clone()));
        }
        Ok(())
    }
}

#[async_trait]
impl QueueStore for MemoryQueue {
    async fn enter(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        self.enter_now(lane, user)
    }

    async fn place(&self, ticket: &Ticket) -> Result<Place, Error> {
        self.with(&ticket.lane, Refusal::QueueReset, |lane, now| lane.place(ticket, now))
    }

    async fn claim(&self, ticket: &Ticket) -> Result<Timestamp, Error> {
        self.with(&ticket.lane, Refusal::QueueReset, |lane, now| lane.claim(ticket, now, &mut Vec::new()))
    }

    async fn finish(&self, ticket: &Ticket, reason: EndReason) -> Result<(), StoreError> {
        let finish = |lane: &mut Lane, now| {
            lane.end(ticket, reason, now, &mut Vec::new());
            Ok(())
        };
        match self.with(&ticket.lane, Refusal::UnknownLane, finish) {
            Ok(()) | Err(Error::Refused(_)) => Ok(()),
            Err(Error::Store(error)) => Err(error),
        }
    }

    async fn advance(&self, lane: &LaneName) -> Result<Advanced, Error> {
        self.advance_now(lane)
    }

    async fn snapshot(&self, lane: &LaneName, since: Option<u64>) -> Result<LaneSnapshot, Error> {
        self.with(lane, Refusal::UnknownLane, |lane, now| Ok(lane.snapshot(since, now)))
    }

    async fn configure(&self, lane: &LaneName, settings: &LaneSettings) -> Result<(), StoreError> {
        self.configure_now(lane, settings)
    }
}

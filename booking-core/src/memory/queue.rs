use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    catalog::LaneSettings,
    error::{Error, StoreError},
    id::UserId,
    queue::{Advanced, Command, Entered, Event, Lane, LaneSnapshot, Place},
    refusal::Refusal,
    store::QueueStore,
    sync::{Mutex, lock},
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

    /// Does something with a lane under the lock, at the instant after it was taken; an unknown lane is refused with
    /// `unknown`.
    fn with<T>(
        &self,
        lane: &LaneName,
        unknown: Refusal,
        act: impl FnOnce(&mut Lane, Timestamp) -> Result<T, Refusal>,
    ) -> Result<T, Error> {
        let mut lanes = lock(&self.lanes)?;
        let now = self.clock.now();
        let lane = lanes.get_mut(lane).ok_or(unknown)?;
        Ok(act(lane, now)?)
    }

    /// Enters a lane; the same as [`QueueStore::enter`], for callers without an executor.
    pub fn enter_now(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        self.with(lane, Refusal::UnknownLane, |lane, now| {
            let events = lane.execute(&Command::Enter(user), now)?;
            let replayed = !events.iter().any(|event| matches!(event, Event::Entered { .. }));
            let ticket = lane.live_ticket(user).ok_or(Refusal::UnknownTicket)?;
            Ok(Entered { place: lane.place(&ticket, now)?, ticket, replayed })
        })
    }

    /// Advances a lane; the same as [`QueueStore::advance`], for callers without an executor.
    pub fn advance_now(&self, lane: &LaneName) -> Result<Advanced, Error> {
        self.with(lane, Refusal::UnknownLane, |lane, now| {
            let events = lane.execute(&Command::Advance, now)?;
            let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count() as u64;
            Ok(Advanced {
                admitted: count(|event| matches!(event, Event::Admitted { .. })),
                ended: count(|event| matches!(event, Event::Finished { .. })),
            })
        })
    }

    /// Makes or configures a lane; the same as [`QueueStore::configure`], for callers without an executor.
    pub fn configure_now(&self, name: &LaneName, settings: &LaneSettings) -> Result<(), StoreError> {
        let mut lanes = lock(&self.lanes)?;
        let now = self.clock.now();
        if let Some(lane) = lanes.get_mut(name) {
            // Configuring is never refused.
            lane.execute(&Command::Configure(settings.clone()), now).ok();
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
        self.with(&ticket.lane, Refusal::QueueReset, |lane, now| {
            lane.execute(&Command::Claim(ticket.clone()), now)?;
            match lane.place(ticket, now)? {
                Place::Admitted { until, .. } => Ok(until),
                Place::Waiting { .. } | Place::Done(_) => Err(Refusal::UnknownTicket),
            }
        })
    }

    async fn finish(&self, ticket: &Ticket, reason: EndReason) -> Result<(), StoreError> {
        let finish = Command::Finish(ticket.clone(), reason);
        match self.with(&ticket.lane, Refusal::UnknownLane, |lane, now| lane.execute(&finish, now)) {
            Ok(_) | Err(Error::Refused(_)) => Ok(()),
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

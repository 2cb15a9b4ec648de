use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;

use crate::{
    error::StoreError,
    queue::{Answer, Call, Command, Lane},
    refusal::Refusal,
    store::LaneStore,
    sync::{Mutex, MutexGuard, lock},
    ticket::{Epoch, LaneName},
    time::Clock,
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

    /// Answers at the instant after the lock was taken; the same as [`LaneStore::answer`], for callers without an executor.
    pub fn answer_now(&self, name: &LaneName, call: &Call) -> Result<Result<Answer, Refusal>, StoreError> {
        let mut lanes = self.open()?;
        let now = self.clock.now();
        match (lanes.get_mut(name), call) {
            (Some(lane), _) => Ok(call.answer(lane, now, &mut Vec::new())),
            (None, Call::Step(Command::Configure(settings))) => {
                let lane = Lane::new(name.clone(), Epoch::random(), settings.clone());
                lanes.insert(name.clone(), lane);
                Ok(Ok(Answer::Done))
            }
            (None, _) => Ok(call.answer_without_lane()),
        }
    }
}

#[async_trait]
impl LaneStore for MemoryQueue {
    async fn answer(&self, lane: &LaneName, call: Call) -> Result<Result<Answer, Refusal>, StoreError> {
        self.answer_now(lane, &call)
    }
}

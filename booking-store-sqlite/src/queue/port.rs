use async_trait::async_trait;
use booking_core::{
    LaneName, Refusal, StoreError, Timestamp,
    queue::{Answer, Call, Command, Lane, decide},
    store::LaneStore,
};

use crate::{
    store::{SqliteStore, wanted},
    writer::{self, Work},
};

/// The answer to a call that changes nothing; none if it would change something, which is the decider's to do. Booking calls
/// prove their admission all the time, and lanes are advanced ten times a second: mostly there is nothing to write, and nothing
/// to wait for.
fn at_once(lane: &mut Lane, call: &Call, now: Timestamp) -> Option<Result<Answer, Refusal>> {
    let is_idle = |command| decide(lane, command, now).map_or(true, |events| events.is_empty());
    let changes_nothing = match call {
        Call::Step(command) => is_idle(command) && is_idle(&Command::Advance),
        Call::Place(_) | Call::Snapshot(_) => true,
    };
    changes_nothing.then(|| call.answer(lane, now, &mut Vec::new()))
}

impl SqliteStore {
    fn answer_at_once(
        &self,
        name: &LaneName,
        call: &Call,
    ) -> Result<Option<Result<Answer, Refusal>>, StoreError> {
        let mut lanes = self.shared.lanes()?;
        let now = self.now();
        Ok(match (lanes.get_mut(name), call) {
            (Some(lane), _) => at_once(lane, call, now),
            (None, Call::Step(Command::Configure(_))) => None,
            (None, _) => Some(call.answer_without_lane()),
        })
    }
}

#[async_trait]
impl LaneStore for SqliteStore {
    async fn answer(&self, lane: &LaneName, call: Call) -> Result<Result<Answer, Refusal>, StoreError> {
        if let Some(answer) = self.answer_at_once(lane, &call)? {
            return Ok(answer);
        }
        let stepped = self.write(Work::Step(lane.clone(), call), 1).await?;
        wanted!(stepped, writer::Answer::Stepped(answer) => answer)
    }
}

use async_trait::async_trait;
use booking_core::{
    EndReason, Error, LaneName, Refusal, StoreError, Ticket, Timestamp,
    catalog::LaneSettings,
    id::UserId,
    queue::{Advanced, Command, Entered, Lane, LaneSnapshot, Place, decide},
    store::QueueStore,
};

use crate::{
    store::{SqliteStore, wanted},
    writer::{Answer, Ask, Work},
};

/// What a step of a lane that changes nothing answers; none if it would change something, which is the decider's to do.
/// Booking calls prove their admission all the time, and lanes are advanced ten times a second: mostly there is nothing
/// to write, and nothing to wait for.
fn if_idle<T>(
    lane: &mut Lane,
    command: &Command,
    now: Timestamp,
    answer: impl FnOnce(&mut Lane) -> Result<T, Refusal>,
) -> Option<Result<T, Refusal>> {
    let nothing = |command: &Command| match decide(lane, command, now) {
        Ok(events) => events.is_empty(),
        Err(_) => true,
    };
    (nothing(&Command::Advance) && nothing(command)).then(|| answer(lane))
}

impl SqliteStore {
    fn if_idle<T>(
        &self,
        name: &LaneName,
        unknown: Refusal,
        command: &Command,
        answer: impl FnOnce(&mut Lane, Timestamp) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Error> {
        let mut lanes = self.shared.lanes()?;
        let now = self.now();
        let lane = lanes.get_mut(name).ok_or(unknown)?;
        Ok(if_idle(lane, command, now, |lane| answer(lane, now)).transpose()?)
    }

    async fn step(&self, name: &LaneName, ask: Ask) -> Result<Answer, StoreError> {
        self.write(Work::Step(name.clone(), ask), 1).await
    }

    fn read<T>(
        &self,
        name: &LaneName,
        unknown: Refusal,
        read: impl FnOnce(&Lane, Timestamp) -> Result<T, Refusal>,
    ) -> Result<T, Error> {
        let lanes = self.shared.lanes()?;
        let lane = lanes.get(name).ok_or(unknown)?;
        Ok(read(lane, self.now())?)
    }
}

#[async_trait]
impl QueueStore for SqliteStore {
    async fn enter(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        let enter = Command::Enter(user);
        let entered = self
            .if_idle(lane, Refusal::UnknownLane, &enter, |lane, now| lane.enter(user, now, &mut Vec::new()));
        if let Some(entered) = entered? {
            return Ok(entered);
        }
        Ok(wanted!(self.step(lane, Ask::Enter(user)).await?, Answer::Entered(entered) => entered)??)
    }

    async fn place(&self, ticket: &Ticket) -> Result<Place, Error> {
        self.read(&ticket.lane, Refusal::QueueReset, |lane, now| lane.place(ticket, now))
    }

    async fn claim(&self, ticket: &Ticket) -> Result<Timestamp, Error> {
        let claim = Command::Claim(ticket.clone());
        let claimed = self.if_idle(&ticket.lane, Refusal::QueueReset, &claim, |lane, now| {
            lane.claim(ticket, now, &mut Vec::new())
        });
        if let Some(until) = claimed? {
            return Ok(until);
        }
        let answer = self.step(&ticket.lane, Ask::Claim(ticket.clone())).await?;
        Ok(wanted!(answer, Answer::Claimed(claimed) => claimed)??)
    }

    async fn finish(&self, ticket: &Ticket, reason: EndReason) -> Result<(), StoreError> {
        let answer = self.step(&ticket.lane, Ask::Finish(ticket.clone(), reason)).await?;
        wanted!(answer, Answer::Done => ())
    }

    async fn advance(&self, lane: &LaneName) -> Result<Advanced, Error> {
        let idle =
            self.if_idle(lane, Refusal::UnknownLane, &Command::Advance, |_, _| Ok(Advanced::default()));
        if let Some(advanced) = idle? {
            return Ok(advanced);
        }
        Ok(wanted!(self.step(lane, Ask::Advance).await?, Answer::Advanced(advanced) => advanced)??)
    }

    async fn snapshot(&self, lane: &LaneName, since: Option<u64>) -> Result<LaneSnapshot, Error> {
        self.read(lane, Refusal::UnknownLane, |lane, now| Ok(lane.snapshot(since, now)))
    }

    async fn configure(&self, lane: &LaneName, settings: &LaneSettings) -> Result<(), StoreError> {
        wanted!(self.step(lane, Ask::Configure(settings.clone())).await?, Answer::Done => ())
    }
}

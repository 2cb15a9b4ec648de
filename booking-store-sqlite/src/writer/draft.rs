//! A batch, decided but not yet written.

use std::collections::BTreeMap;

use booking_core::{
    ChangedRows, Clock, Command, Epoch, Event, Keys, LaneName, Refusal, State, StoreError, Ticket, Timestamp,
    catalog::LaneSettings,
    queue::{self, Lane},
};
use uuid::Uuid;

use super::{Answer, Ask, Work};
use crate::{
    shared::{Lanes, Shared},
    trouble::Trouble,
};

/// What a batch would change, and what it would answer.
pub(super) struct Draft {
    /// The rows the batch touches, as they would be.
    part: State,
    pub(super) now: Timestamp,
    pub(super) events: Vec<Event>,
    pub(super) acknowledged: Vec<Ticket>,
    pub(super) lanes: BTreeMap<LaneName, Moved>,
    answers: Vec<Answer>,
}

/// What happened in a lane.
#[derive(Default)]
pub(super) struct Moved {
    is_new: bool,
    pub(super) events: Vec<queue::Event>,
}

fn broken(error: &StoreError) -> Trouble {
    Trouble::Broken(error.to_string())
}

impl Draft {
    /// Decides the work in order. The books are copied as far as the work touches them; the lanes are the writer's and
    /// move on.
    pub(super) fn of(
        work: &[Work],
        shared: &Shared,
        lanes: &mut Lanes,
        clock: &dyn Clock,
    ) -> Result<Self, Trouble> {
        let commands = work.iter().flat_map(|one| match one {
            Work::Execute(batch) => &batch[..],
            Work::Forget(_) | Work::Step(..) => &[],
        });
        let keys = Keys::of(commands);
        let books = shared.books().map_err(|error| broken(&error))?;
        let part = books.subset(&keys);
        let pending = |ticket: &&Ticket| books.ending_is_pending(ticket);
        let acknowledged = work.iter().flat_map(|one| match one {
            Work::Forget(tickets) => &tickets[..],
            Work::Execute(_) | Work::Step(..) => &[],
        });
        let mut acknowledged: Vec<Ticket> = acknowledged.filter(pending).cloned().collect();
        drop(books);
        acknowledged.sort_unstable();
        acknowledged.dedup();
        // Nobody else writes, so the rows are as good as locked.
        let now = clock.now();
        let answers = Vec::with_capacity(work.len());
        let mut draft = Self { part, now, events: Vec::new(), acknowledged, lanes: BTreeMap::new(), answers };
        for one in work {
            let answer = match one {
                Work::Execute(batch) => Answer::Executed(draft.execute(batch)),
                Work::Forget(_) => Answer::Done,
                Work::Step(name, ask) => draft.step(lanes, name, ask),
            };
            draft.answers.push(answer);
        }
        draft.lanes.retain(|_, moved| moved.is_new || !moved.events.is_empty());
        Ok(draft)
    }

    fn execute(&mut self, batch: &[Command]) -> Vec<Result<booking_core::Outcome, Refusal>> {
        let one = |command| {
            let (outcome, events) = self.part.execute(command, self.now)?;
            self.events.extend(events);
            Ok(outcome)
        };
        batch.iter().map(one).collect()
    }

    fn step(&mut self, lanes: &mut Lanes, name: &LaneName, ask: &Ask) -> Answer {
        let (now, unknown) = (self.now, Refusal::UnknownLane);
        let moved = self.lanes.entry(name.clone()).or_default();
        let log = &mut moved.events;
        let lane = lanes.get_mut(name);
        match ask {
            Ask::Enter(user) => {
                Answer::Entered(lane.ok_or(unknown).and_then(|lane| lane.enter(*user, now, log)))
            }
            Ask::Claim(ticket) => {
                let lane = lane.ok_or(Refusal::QueueReset);
                Answer::Claimed(lane.and_then(|lane| lane.claim(ticket, now, log)))
            }
            Ask::Finish(ticket, reason) => {
                // A ticket of a lane that is gone has nothing left to end.
                if let Some(lane) = lane {
                    lane.end(ticket, *reason, now, log);
                }
                Answer::Done
            }
            Ask::Advance => Answer::Advanced(lane.map(|lane| lane.advance(now, log)).ok_or(unknown)),
            Ask::Configure(settings) => {
                if let Some(lane) = lane {
                    lane.configure(settings.clone(), now, log);
                } else {
                    lanes.insert(name.clone(), new_lane(name, settings));
                    moved.is_new = true;
                }
                Answer::Done
            }
        }
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.acknowledged.is_empty() && self.lanes.is_empty()
    }

    pub(super) fn changed_rows(&self) -> ChangedRows<'_> {
        self.part.changed_rows(&self.events)
    }

    /// Lets the memory follow what the file holds now; what may be answered from here on.
    pub(super) fn publish(self, shared: &Shared, written: &Lanes) -> Result<Vec<Answer>, Trouble> {
        if !self.events.is_empty() || !self.acknowledged.is_empty() {
            let mut books = shared.books().map_err(|error| broken(&error))?;
            self.events.iter().for_each(|event| books.evolve(event));
            self.acknowledged.iter().for_each(|ticket| books.forget_ending(ticket));
        }
        if !self.lanes.is_empty() {
            let mut lanes = shared.lanes().map_err(|error| broken(&error))?;
            for (name, moved) in self.lanes {
                if moved.is_new {
                    lanes.extend(written.get(&name).map(|lane| (name, lane.clone())));
                } else if let Some(lane) = lanes.get_mut(&name) {
                    moved.events.iter().for_each(|event| lane.evolve(event));
                }
            }
        }
        Ok(self.answers)
    }
}

fn new_lane(name: &LaneName, settings: &LaneSettings) -> Lane {
    let epoch = Epoch(Uuid::new_v4().as_u64_pair().0);
    Lane::new(name.clone(), epoch, settings.clone())
}

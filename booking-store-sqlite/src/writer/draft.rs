//! A batch, decided but not yet committed.

use std::collections::{BTreeMap, BTreeSet};

use booking_core::{
    ChangedRows, Command, Epoch, Event, Keys, LaneName, Outcome, Refusal, State, StoreError, Ticket,
    Timestamp,
    catalog::LaneSettings,
    queue::{self, Lane},
};
use uuid::Uuid;

use super::{Answer, Ask, Call, Work};
use crate::{
    shared::{Lanes, Shared},
    trouble::Trouble,
};

/// What a batch would change, and what it would answer.
pub(super) struct Draft {
    /// The rows the batch touches, as they would be.
    part: State,
    pub(super) events: Vec<Event>,
    pub(super) acknowledged: BTreeSet<Ticket>,
    /// Tickets that ended and whose lanes know it in the same step: nothing of them is written down as pending.
    told: Vec<Ticket>,
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
    /// Of the rows that these calls touch: the books are copied as far as they do.
    pub(super) fn of(calls: &[Call], shared: &Shared) -> Result<Self, Trouble> {
        let commands = calls.iter().flat_map(|call| match &call.work {
            Work::Execute(batch) => &batch[..],
            Work::Book(_, command) => std::slice::from_ref(command),
            Work::Forget(_) | Work::Step(..) => &[],
        });
        let keys = Keys::of(commands);
        let acknowledged = calls.iter().flat_map(|call| match &call.work {
            Work::Forget(tickets) => &tickets[..],
            Work::Execute(_) | Work::Book(..) | Work::Step(..) => &[],
        });
        let books = shared.books().map_err(|error| broken(&error))?;
        Ok(Self {
            part: books.subset(&keys),
            events: Vec::new(),
            acknowledged: acknowledged.filter(|ticket| books.ending_is_pending(ticket)).cloned().collect(),
            told: Vec::new(),
            lanes: BTreeMap::new(),
            answers: Vec::new(),
        })
    }

    /// Decides the calls in order, at one instant. The lanes are the writer's and move on.
    pub(super) fn decide(&mut self, calls: &[Call], lanes: &mut Lanes, now: Timestamp) {
        for call in calls {
            let answer = match &call.work {
                Work::Execute(batch) => {
                    Answer::Executed(batch.iter().map(|command| self.execute(command, now)).collect())
                }
                Work::Book(claim, command) => Answer::Booked(self.book(lanes, claim.as_ref(), command, now)),
                Work::Forget(_) => Answer::Done,
                Work::Step(name, ask) => self.step(lanes, name, ask, now),
            };
            self.answers.push(answer);
        }
        self.lanes.retain(|_, moved| moved.is_new || !moved.events.is_empty());
    }

    fn execute(&mut self, command: &Command, now: Timestamp) -> Result<Outcome, Refusal> {
        let (outcome, events) = self.part.execute(command, now)?;
        self.events.extend(events);
        Ok(outcome)
    }

    /// Both ports in one step: the claim, the command if it is granted, and the end of the tickets that it ends.
    fn book(
        &mut self,
        lanes: &mut Lanes,
        claim: Option<&Ticket>,
        command: &Command,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        if let Some(ticket) = claim {
            let lane = lanes.get_mut(&ticket.lane).ok_or(Refusal::QueueReset)?;
            lane.claim(ticket, now, self.log_of(&ticket.lane))?;
        }
        let first = self.events.len();
        let outcome = self.execute(command, now)?;
        let ended = self.events[first..].iter().filter_map(|event| self.part.ending_of(event));
        for (ticket, reason) in ended.collect::<Vec<_>>() {
            if let Some(lane) = lanes.get_mut(&ticket.lane) {
                lane.end(&ticket, reason, now, self.log_of(&ticket.lane));
            }
            self.part.forget_ending(&ticket);
            self.told.push(ticket);
        }
        Ok(outcome)
    }

    /// What happened in this lane.
    fn log_of(&mut self, name: &LaneName) -> &mut Vec<queue::Event> {
        &mut self.lanes.entry(name.clone()).or_default().events
    }

    fn step(&mut self, lanes: &mut Lanes, name: &LaneName, ask: &Ask, now: Timestamp) -> Answer {
        let unknown = Refusal::UnknownLane;
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

    /// What the events changed.
    pub(super) fn changed(&self) -> ChangedRows<'_> {
        self.part.changed_rows(&self.events)
    }

    /// Lets the memory follow what the file holds now; what may be answered from here on.
    pub(super) fn publish(self, shared: &Shared, written: &Lanes) -> Result<Vec<Answer>, Trouble> {
        if !self.events.is_empty() || !self.acknowledged.is_empty() {
            let mut books = shared.books().map_err(|error| broken(&error))?;
            self.events.iter().for_each(|event| books.evolve(event));
            self.acknowledged.iter().chain(&self.told).for_each(|ticket| books.forget_ending(ticket));
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

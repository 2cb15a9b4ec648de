//! A batch, decided but not yet committed.

use std::collections::{BTreeMap, BTreeSet};

use booking_core::{
    ChangedRows, Command, Epoch, Event, Keys, LaneName, Outcome, Reach, Refusal, State, StoreError, Ticket,
    Timestamp,
    catalog::LaneSettings,
    queue::{self, ChangedTickets, Lane, LaneRow},
};
use uuid::Uuid;

use super::{Answer, Call, Work};
use crate::shared::{Lanes, Shared};

/// What a batch changes, once it is written.
pub(crate) struct Draft {
    reach: Reach,
    /// The rows the batch touches, as they would be.
    part: State,
    /// When it was decided.
    pub(super) now: Timestamp,
    pub(super) events: Vec<Event>,
    /// The same as they are written.
    pub(super) texts: Vec<serde_json::Result<String>>,
    pub(super) acknowledged: BTreeSet<Ticket>,
    /// Tickets that ended and whose lanes know it in the same step: nothing of them is written down as pending.
    told: Vec<Ticket>,
    /// Whether it looked at any.
    pub(super) asked_lanes: bool,
    pub(super) lanes: BTreeMap<LaneName, Moved>,
}

/// What happened in a lane.
#[derive(Default)]
pub(crate) struct Moved {
    events: Vec<queue::Event>,
    /// The lane, if it is new.
    new: Option<Lane>,
    /// What there is to write: the lane may have moved on when it is.
    pub(crate) row: Option<LaneRow>,
    pub(crate) tickets: ChangedTickets,
}

impl Moved {
    fn is_nothing(&self) -> bool {
        self.new.is_none() && self.events.is_empty()
    }

    fn note(&mut self, lane: &Lane) {
        self.row = Some(lane.row());
        self.tickets = lane.changed_tickets(&self.events);
        if self.new.is_some() {
            self.new = Some(lane.clone());
        }
    }
}

impl Draft {
    /// Of the rows that these calls touch: the books are copied as far as they do.
    pub(super) fn of(calls: &[Call], shared: &Shared) -> Result<Self, StoreError> {
        let commands = calls.iter().flat_map(|call| match &call.work {
            Work::Execute(batch) => &batch[..],
            Work::Book(_, command) => std::slice::from_ref(command),
            Work::Forget(_) | Work::Step(..) => &[],
        });
        let mut keys = Keys::of(commands);
        let acknowledged = calls.iter().flat_map(|call| match &call.work {
            Work::Forget(tickets) => &tickets[..],
            Work::Execute(_) | Work::Book(..) | Work::Step(..) => &[],
        });
        let acknowledged: BTreeSet<Ticket> = acknowledged.cloned().collect();
        keys.tickets.extend(acknowledged.iter().cloned());
        let books = shared.books()?;
        let acknowledged =
            acknowledged.into_iter().filter(|ticket| books.ending_is_pending(ticket)).collect();
        let part = books.subset(&keys);
        drop(books);
        Ok(Self {
            reach: part.reach(&keys),
            part,
            now: Timestamp::from_micros(0),
            events: Vec::new(),
            texts: Vec::new(),
            acknowledged,
            told: Vec::new(),
            asked_lanes: false,
            lanes: BTreeMap::new(),
        })
    }

    /// Whether one of both reaches what the other does, so that the later one can't be decided before the other is in memory.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.reach.meets(&other.reach)
    }

    /// Decides the calls in order, at one instant: what is answered when it is written. The lanes are the decider's and
    /// move on.
    pub(super) fn decide(&mut self, calls: &[Call], lanes: &mut Lanes, now: Timestamp) -> Vec<Answer> {
        self.now = now;
        let decide = |call: &Call| match &call.work {
            Work::Execute(batch) => {
                Answer::Executed(batch.iter().map(|command| self.execute(command, now)).collect())
            }
            Work::Book(claim, command) => Answer::Booked(self.book(lanes, claim.as_ref(), command, now)),
            Work::Forget(_) => Answer::Done,
            Work::Step(name, call) => Answer::Stepped(self.step(lanes, name, call, now)),
        };
        let answers = calls.iter().map(decide).collect();
        self.texts = self.events.iter().map(serde_json::to_string).collect();
        self.asked_lanes = !self.lanes.is_empty();
        self.lanes.retain(|_, moved| !moved.is_nothing());
        for (name, moved) in &mut self.lanes {
            if let Some(lane) = lanes.get(name) {
                moved.note(lane);
            }
        }
        answers
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

    fn step(
        &mut self,
        lanes: &mut Lanes,
        name: &LaneName,
        call: &queue::Call,
        now: Timestamp,
    ) -> Result<queue::Answer, Refusal> {
        let moved = self.lanes.entry(name.clone()).or_default();
        match (lanes.get_mut(name), call) {
            (Some(lane), _) => call.answer(lane, now, &mut moved.events),
            (None, queue::Call::Step(queue::Command::Configure(settings))) => {
                let lane = new_lane(name, settings);
                moved.new = Some(lane.clone());
                lanes.insert(name.clone(), lane);
                Ok(queue::Answer::Done)
            }
            (None, _) => call.answer_without_lane(),
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

    /// Lets the memory follow what the file holds now.
    pub(super) fn publish(&self, shared: &Shared) -> Result<(), StoreError> {
        if !self.events.is_empty() || !self.acknowledged.is_empty() {
            let mut books = shared.books()?;
            self.events.iter().for_each(|event| books.evolve(event));
            self.acknowledged.iter().chain(&self.told).for_each(|ticket| books.forget_ending(ticket));
        }
        if !self.lanes.is_empty() {
            let mut lanes = shared.lanes()?;
            for (name, moved) in &self.lanes {
                if let Some(lane) = &moved.new {
                    lanes.insert(name.clone(), lane.clone());
                } else if let Some(lane) = lanes.get_mut(name) {
                    moved.events.iter().for_each(|event| lane.evolve(event));
                }
            }
        }
        Ok(())
    }
}

fn new_lane(name: &LaneName, settings: &LaneSettings) -> Lane {
    let epoch = Epoch(Uuid::new_v4().as_u64_pair().0);
    Lane::new(name.clone(), epoch, settings.clone())
}

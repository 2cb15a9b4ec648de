//! A batch, decided but not yet committed.

use std::collections::{BTreeMap, BTreeSet};

use booking_core::{
    ChangedRows, Command, Epoch, Keys, LaneName, Outcome, Reach, Refusal, State, StoreError, TakenSeats,
    Ticket, Timestamp,
    queue::{self, ChangedTickets, Lane, LaneRow},
    store::{Happened, book},
};

use super::{Answer, Call, Work};
use crate::shared::{Lanes, Shared};

/// What a batch changes, once it is written.
pub(crate) struct Draft {
    reach: Reach,
    /// The rows the batch touches, as they would be.
    part: State,
    taken_before: TakenSeats,
    /// When it was decided.
    pub(super) now: Timestamp,
    pub(super) happened: Happened,
    /// The events as they are written.
    pub(super) texts: Vec<serde_json::Result<String>>,
    pub(super) acknowledged: BTreeSet<Ticket>,
    /// Whether it looked at any lanes.
    pub(super) asked_lanes: bool,
    /// Lanes that were not there before.
    new: BTreeMap<LaneName, Lane>,
    pub(super) moved: BTreeMap<LaneName, Moved>,
}

/// What there is to write of a lane in which something happened: it may have moved on when it is.
pub(crate) struct Moved {
    pub(crate) row: LaneRow,
    pub(crate) tickets: ChangedTickets,
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
            taken_before: part.taken_seats(),
            part,
            now: Timestamp::from_micros(0),
            happened: Happened::default(),
            texts: Vec::new(),
            acknowledged,
            asked_lanes: false,
            new: BTreeMap::new(),
            moved: BTreeMap::new(),
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
            Work::Book(claim, command) => {
                let (part, happened) = (&mut self.part, &mut self.happened);
                Answer::Booked(book(part, lanes, claim.as_ref(), command, now, happened))
            }
            Work::Forget(_) => Answer::Done,
            Work::Step(name, call) => Answer::Stepped(self.step(lanes, name, call, now)),
        };
        let answers = calls.iter().map(decide).collect();
        self.texts = self.happened.events.iter().map(serde_json::to_string).collect();
        self.note_lanes(lanes);
        answers
    }

    fn execute(&mut self, command: &Command, now: Timestamp) -> Result<Outcome, Refusal> {
        let (outcome, events) = self.part.execute(command, now)?;
        self.happened.events.extend(events);
        Ok(outcome)
    }

    fn note_lanes(&mut self, lanes: &Lanes) {
        let (happened, new) = (&mut self.happened.lanes, &mut self.new);
        self.asked_lanes = !happened.is_empty();
        happened.retain(|name, events| !events.is_empty() || new.contains_key(name));
        for (name, events) in happened {
            let Some(lane) = lanes.get(name) else { continue };
            let moved = Moved { row: lane.row(), tickets: lane.changed_tickets(events) };
            self.moved.insert(name.clone(), moved);
            if let Some(new) = new.get_mut(name) {
                new.clone_from(lane);
            }
        }
    }

    fn step(
        &mut self,
        lanes: &mut Lanes,
        name: &LaneName,
        call: &queue::Call,
        now: Timestamp,
    ) -> Result<queue::Answer, Refusal> {
        let log = self.happened.in_lane(name);
        match (lanes.get_mut(name), call) {
            (Some(lane), _) => call.answer(lane, now, log),
            (None, queue::Call::Step(queue::Command::Configure(settings))) => {
                let lane = Lane::new(name.clone(), Epoch::random(), settings.clone());
                self.new.insert(name.clone(), lane.clone());
                lanes.insert(name.clone(), lane);
                Ok(queue::Answer::Done)
            }
            (None, _) => call.answer_without_lane(),
        }
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.happened.events.is_empty() && self.acknowledged.is_empty() && self.moved.is_empty()
    }

    /// What the events changed.
    pub(super) fn changed(&self) -> ChangedRows<'_> {
        self.part.changed_rows(&self.happened.events, &self.taken_before)
    }

    /// Lets the memory follow what the file holds now.
    pub(super) fn publish(&self, shared: &Shared) -> Result<(), StoreError> {
        let Happened { events, lanes: in_lanes, told } = &self.happened;
        if !events.is_empty() || !self.acknowledged.is_empty() {
            let mut books = shared.books()?;
            for event in events {
                books.evolve(event);
            }
            self.acknowledged.iter().chain(told).for_each(|ticket| books.forget_ending(ticket));
        }
        if !in_lanes.is_empty() {
            let mut lanes = shared.lanes()?;
            for (name, events) in in_lanes {
                if let Some(new) = self.new.get(name) {
                    lanes.insert(name.clone(), new.clone());
                } else if let Some(lane) = lanes.get_mut(name) {
                    for event in events {
                        lane.evolve(event);
                    }
                }
            }
        }
        Ok(())
    }
}

//! Between a lane and rows, as stores keep them. A store keeps a row a lane and a row a number; what a list of events
//! changed is told here, and a lane that is behind follows the rows that changed since. No rule is decided here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Event,
    pace::Pace,
    state::{Admission, Lane, index},
};
use crate::{
    catalog::LaneSettings,
    id::UserId,
    ticket::{EndReason, Epoch, LaneName},
    time::Timestamp,
};

/// A lane as stores keep it, but for its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneRow {
    /// The life of the lane.
    pub epoch: Epoch,
    /// What the lane was told.
    pub settings: LaneSettings,
    /// When the next one is due, and the speed of late.
    pub pace: Pace,
    /// Each time the lane was drained: below which number, and why. What was waiting or admitted then is over, whether
    /// its own row says so or not: a store need not touch a million rows at once.
    pub drained: Vec<(u64, EndReason)>,
}

/// A number as stores keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRow {
    /// The number.
    pub seq: u64,
    /// Whose.
    pub user: UserId,
    /// What became of it.
    pub course: Course,
}

/// What became of a number, or what became of it anew: what is none or false is as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// Until when it is admitted, or was.
    pub admitted_until: Option<Timestamp>,
    /// Whether the admitted user showed up.
    pub claimed: bool,
    /// Why it is over.
    pub ended: Option<EndReason>,
    /// The how-manieth it was to leave while waiting, from 1.
    pub departed: Option<u64>,
}

/// What a list of events changed, but for the lane's own row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedTickets {
    /// Numbers that are new.
    pub entered: Vec<TicketRow>,
    /// Numbers that were there before, and what became of them anew, by number.
    pub moved: Vec<(u64, Course)>,
}

/// Rows that are no lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenLane {
    /// A number has no row.
    #[error("number {0} of the lane is missing")]
    Missing(u64),
    /// Two rows say they were the same to leave, or one in between is missing.
    #[error("departure {0} of the lane is missing")]
    Departure(u64),
}

impl Lane {
    /// The lane of these rows, its numbers in order.
    pub fn load(name: LaneName, row: LaneRow, tickets: &[TicketRow]) -> Result<Self, BrokenLane> {
        let mut lane = Self::new(name, row.epoch, row.settings.clone());
        lane.follow(row, tickets)?;
        Ok(lane)
    }

    /// The lane's own row.
    pub fn row(&self) -> LaneRow {
        LaneRow {
            epoch: self.epoch,
            settings: self.settings.clone(),
            pace: self.pace.clone(),
            drained: self.drained.clone(),
        }
    }

    /// Which numbers `events` changed, and to what, in this lane, which has followed them.
    pub fn changed_tickets(&self, events: &[Event]) -> ChangedTickets {
        let left =
            |event: &&Event| matches!(event, Event::Finished { seq, .. } if self.departures.contains(*seq));
        let mut departed = self.departed.len() as u64 - events.iter().filter(left).count() as u64;
        let mut changes = ChangedTickets::default();
        let mut courses = BTreeMap::<u64, Course>::new();
        for event in events {
            match *event {
                Event::Entered { seq, user } => {
                    changes.entered.push(TicketRow { seq, user, course: Course::default() });
                }
                Event::Admitted { seq, until, .. } => {
                    courses.entry(seq).or_default().admitted_until = Some(until);
                }
                Event::Claimed { seq, until } => {
                    let course = courses.entry(seq).or_default();
                    (course.admitted_until, course.claimed) = (Some(until), true);
                }
                Event::Finished { seq, reason } => {
                    let course = courses.entry(seq).or_default();
                    course.ended = Some(reason);
                    if self.departures.contains(seq) {
                        departed += 1;
                        course.departed = Some(departed);
                    }
                }
                Event::Drained(_) | Event::Configured(_) => {}
            }
        }
        for ticket in &mut changes.entered {
            ticket.course = courses.remove(&ticket.seq).unwrap_or_default();
        }
        changes.moved = courses.into_iter().collect();
        changes
    }

    /// Follows rows that changed since this lane was last like them: its own row, and numbers in their order, each as
    /// it is now. After an error the lane is good for nothing.
    pub fn follow(&mut self, row: LaneRow, tickets: &[TicketRow]) -> Result<(), BrokenLane> {
        let mut departed: Vec<(u64, u64)> = Vec::new();
        let mut head = self.head;
        for ticket in tickets {
            if ticket.seq > self.next() || ticket.seq == 0 {
                return Err(BrokenLane::Missing(self.next()));
            }
            if ticket.seq == self.next() {
                self.ends.push(None);
                self.waiting.push_back(ticket.user);
            }
            if ticket.course.admitted_until.is_some() {
                head = head.max(ticket.seq + 1);
            }
            let left = ticket.course.departed.filter(|_| !self.departures.contains(ticket.seq));
            departed.extend(left.map(|order| (order, ticket.seq)));
            self.put(ticket);
        }
        departed.sort_unstable();
        for (order, seq) in departed {
            if order != self.departed.len() as u64 + 1 {
                return Err(BrokenLane::Departure(self.departed.len() as u64 + 1));
            }
            self.departures.insert(seq);
            self.departed.push(seq);
        }
        for (below, reason) in row.drained.iter().skip(self.drained.len()) {
            if *below > self.next() {
                return Err(BrokenLane::Missing(self.next()));
            }
            self.drain(*below, *reason);
        }
        self.move_head(head);
        self.skip_ended();
        (self.settings, self.pace, self.drained) = (row.settings, row.pace, row.drained);
        Ok(())
    }

    /// Makes a number that is there what its row says.
    fn put(&mut self, ticket: &TicketRow) {
        let TicketRow { seq, user, course } = *ticket;
        if let Some(before) = self.admitted.remove(&seq) {
            self.deadlines.remove(&(before.until, seq));
        }
        self.ends[index(seq - 1)] = course.ended;
        if course.ended.is_some() {
            self.forget(user, seq);
            return;
        }
        self.live.insert(user, seq);
        if let Some(until) = course.admitted_until {
            self.admitted.insert(seq, Admission { user, until, claimed: course.claimed });
            self.deadlines.insert((until, seq));
        }
    }
}

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use super::{Event, LaneSnapshot, departures::Departures, pace::Pace};
use crate::{
    Map,
    catalog::LaneSettings,
    id::UserId,
    refusal::Refusal,
    ticket::{EndReason, Epoch, LaneName, Ticket},
    time::Timestamp,
};

/// One lane: numbers given in order of arrival, the departed marked, the admitted with their time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    name: LaneName,
    pub(super) epoch: Epoch,
    pub(super) settings: LaneSettings,
    /// Numbers below it have left waiting: admitted, or gone.
    pub(super) head: u64,
    /// Why each number ended, if it has: number 1 first.
    pub(super) ends: Vec<Option<EndReason>>,
    pub(super) departures: Departures,
    pub(super) departed: Vec<u64>,
    /// The users of the numbers from `head` on.
    pub(super) waiting: VecDeque<UserId>,
    /// The live number of each user (I15).
    pub(super) live: Map<UserId, u64>,
    pub(super) admitted: Map<u64, Admission>,
    pub(super) deadlines: BTreeSet<(Timestamp, u64)>,
    pub(super) pace: Pace,
    /// Each time the lane was drained: below which number, and why.
    pub(super) drained: Vec<(u64, EndReason)>,
}

/// An admission: who, until when, and whether the user has shown up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Whose.
    pub user: UserId,
    /// At this instant it is over.
    pub until: Timestamp,
    /// Whether the user has shown up.
    pub claimed: bool,
}

impl Admission {
    /// Why it ends when its time runs out.
    pub(super) fn end_reason(&self) -> EndReason {
        if self.claimed { EndReason::SessionExpired } else { EndReason::NoShow }
    }
}

pub(super) enum Standing {
    Waiting,
    Admitted(Admission),
    Done(EndReason),
}

pub(super) fn index(seq: u64) -> usize {
    usize::try_from(seq).unwrap_or(usize::MAX)
}

impl Lane {
    /// An empty lane.
    pub fn new(name: LaneName, epoch: Epoch, settings: LaneSettings) -> Self {
        Self {
            name,
            epoch,
            settings,
            head: 1,
            ends: Vec::new(),
            departures: Departures::default(),
            departed: Vec::new(),
            waiting: VecDeque::new(),
            live: Map::default(),
            admitted: Map::default(),
            deadlines: BTreeSet::new(),
            pace: Pace::default(),
            drained: Vec::new(),
        }
    }

    /// Its life.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// What it was told.
    pub fn settings(&self) -> &LaneSettings {
        &self.settings
    }

    /// The number the next one to enter gets.
    pub fn next(&self) -> u64 {
        self.ends.len() as u64 + 1
    }

    /// How many wait.
    pub fn waiting(&self) -> u64 {
        self.rank(self.next()) - 1
    }

    /// How many hold a slot, those whose time is over but not yet swept included.
    pub fn admitted(&self) -> u64 {
        self.admitted.len() as u64
    }

    /// The place of a waiting number, 1 being next. Exact after any departures.
    pub fn rank(&self, seq: u64) -> u64 {
        let gone = self.departures.below(seq) - self.departures.below(self.head);
        seq - self.head - gone + 1
    }

    /// The user's ticket, if the user has a live number.
    pub fn live_ticket(&self, user: UserId) -> Option<Ticket> {
        self.live.get(&user).map(|seq| self.ticket(*seq, user))
    }

    pub(super) fn ticket(&self, seq: u64, user: UserId) -> Ticket {
        Ticket { lane: self.name.clone(), epoch: self.epoch, seq, user }
    }

    /// What the ticket is at `now`, if this lane gave it to its user in this epoch (I17).
    pub(super) fn standing(&self, ticket: &Ticket, now: Timestamp) -> Result<Standing, Refusal> {
        if ticket.epoch != self.epoch {
            return Err(Refusal::QueueReset);
        }
        if !(1..self.next()).contains(&ticket.seq) {
            return Err(Refusal::UnknownTicket);
        }
        if let Some(reason) = self.ends[index(ticket.seq - 1)] {
            return Ok(Standing::Done(reason));
        }
        // A number that has not ended is admitted or waits, and there its user stands: this asks one table, not two.
        let waiting = || self.waiting.get(index(ticket.seq.checked_sub(self.head)?));
        match self.admitted.get(&ticket.seq) {
            Some(admission) if admission.user != ticket.user => Err(Refusal::UnknownTicket),
            Some(admission) if now < admission.until => Ok(Standing::Admitted(*admission)),
            Some(admission) => Ok(Standing::Done(admission.end_reason())),
            None if waiting() == Some(&ticket.user) => Ok(Standing::Waiting),
            None => Err(Refusal::UnknownTicket),
        }
    }

    pub(super) fn pace(&self) -> &Pace {
        &self.pace
    }

    pub(super) fn per_admission(&self, now: Timestamp) -> Option<Duration> {
        self.pace.per_admission(now)
    }

    /// Admissions whose time is over at `now`, the earliest first.
    pub(super) fn overdue(&self, now: Timestamp) -> impl Iterator<Item = (u64, &Admission)> {
        let over = self.deadlines.iter().take_while(move |(until, _)| now >= *until);
        over.filter_map(|(_, seq)| self.admitted.get(seq).map(|admission| (*seq, admission)))
    }

    /// Waiting numbers in order.
    pub(super) fn line(&self) -> impl Iterator<Item = u64> {
        (self.head..self.next()).filter(|seq| !self.departures.contains(*seq))
    }

    /// Follows an event. This is the only place where a lane changes.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::Entered { seq, user } => {
                self.ends.push(None);
                self.waiting.push_back(*user);
                self.live.insert(*user, *seq);
            }
            Event::Admitted { seq, until, at } => self.admit(*seq, *until, *at),
            Event::Claimed { seq, until } => {
                if let Some(admission) = self.admitted.get_mut(seq) {
                    self.deadlines.remove(&(admission.until, *seq));
                    *admission = Admission { until: *until, claimed: true, ..*admission };
                    self.deadlines.insert((*until, *seq));
                }
            }
            Event::Finished { seq, reason } => self.finish(*seq, *reason),
            Event::Drained(reason) => {
                let below = self.next();
                self.drain(below, *reason);
                self.drained.push((below, *reason));
            }
            Event::Configured(settings) => self.settings = settings.clone(),
        }
    }

    fn admit(&mut self, seq: u64, until: Timestamp, at: Timestamp) {
        let passed = index(seq - self.head);
        let user = self.waiting.drain(..=passed).next_back();
        self.head = seq + 1;
        if let Some(user) = user {
            self.admitted.insert(seq, Admission { user, until, claimed: false });
            self.deadlines.insert((until, seq));
        }
        self.skip_ended();
        self.pace.admitted(self.settings.policy.admit_per_second, at);
    }

    /// Keeps `head` on a number that waits, so that nobody walks over the same departures twice.
    pub(super) fn skip_ended(&mut self) {
        while self.ends.get(index(self.head - 1)).is_some_and(Option::is_some) {
            self.waiting.pop_front();
            self.head += 1;
        }
    }

    fn finish(&mut self, seq: u64, reason: EndReason) {
        self.ends[index(seq - 1)] = Some(reason);
        if let Some(admission) = self.admitted.remove(&seq) {
            self.deadlines.remove(&(admission.until, seq));
            self.live.remove(&admission.user);
        } else if seq >= self.head {
            self.live.remove(&self.waiting[index(seq - self.head)]);
            self.departures.insert(seq);
            self.departed.push(seq);
            self.skip_ended();
        }
    }

    /// Ends every number below `below` that waits or is admitted.
    pub(super) fn drain(&mut self, below: u64, reason: EndReason) {
        for seq in self.head..below {
            let end = &mut self.ends[index(seq - 1)];
            *end = end.or(Some(reason));
            let user = self.waiting[index(seq - self.head)];
            self.forget(user, seq);
        }
        self.move_head(below);
        let over: Vec<(u64, Admission)> =
            self.admitted.iter().filter(|(seq, _)| **seq < below).map(|(seq, of)| (*seq, *of)).collect();
        for (seq, admission) in over {
            self.ends[index(seq - 1)] = Some(reason);
            self.admitted.remove(&seq);
            self.deadlines.remove(&(admission.until, seq));
            self.forget(admission.user, seq);
        }
    }

    /// The number is no longer the user's live one; a later one stays.
    pub(super) fn forget(&mut self, user: UserId, seq: u64) {
        if self.live.get(&user) == Some(&seq) {
            self.live.remove(&user);
        }
    }

    pub(super) fn move_head(&mut self, head: u64) {
        let passed = head.saturating_sub(self.head);
        self.waiting.drain(..index(passed));
        self.head += passed;
    }

    /// The lane at a glance. Departures since the cursor `since` are told; without one, none are.
    pub fn snapshot(&self, since: Option<u64>, now: Timestamp) -> LaneSnapshot {
        let told = since.map_or(self.departed.len(), |since| index(since).min(self.departed.len()));
        LaneSnapshot {
            epoch: self.epoch,
            head: self.head,
            next: self.next(),
            waiting: self.waiting(),
            admitted: self.admitted(),
            users: self.live.len() as u64,
            settings: self.settings.clone(),
            per_admission: self.per_admission(now),
            departed: self.departed[told..].to_vec(),
            cursor: self.departed.len() as u64,
        }
    }

    /// The memory the numbers and the waiting take, in bytes, as allocated.
    pub fn bytes(&self) -> usize {
        self.ends.capacity()
            + self.departures.bytes()
            + self.departed.capacity() * 8
            + self.waiting.capacity() * size_of::<UserId>()
            // A table entry and its control byte, at a load of 7/8 at most.
            + self.live.capacity() * 8 / 7 * (size_of::<(UserId, u64)>() + 1)
            + self.admitted.capacity() * 8 / 7 * (size_of::<(u64, Admission)>() + 1)
    }
}

//! A lane as a plain list of people: everybody who ever entered, in order, with what became of them.

use std::time::Duration;

use booking_core::{
    EndReason, Refusal, Ticket, Timestamp,
    catalog::LaneSettings,
    queue::{Command, Event},
};

use crate::ids::{START, ticket, user};

const NS: i128 = 1_000;

/// What became of somebody.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    Waiting,
    Admitted { until: Timestamp, claimed: bool },
    Done(EndReason),
}

impl Fate {
    /// Fates move forward only (I16).
    pub(crate) fn may_become(self, later: Self) -> bool {
        match (self, later) {
            (Self::Waiting, _) | (Self::Admitted { .. }, Self::Done(_)) => true,
            (Self::Admitted { until, claimed: false }, Self::Admitted { until: then, claimed }) => {
                claimed || until == then
            }
            (Self::Admitted { .. }, Self::Waiting) => false,
            (admitted_or_done, later) => admitted_or_done == later,
        }
    }
}

/// Somebody who entered. The place in the list is the number.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) user: usize,
    pub(crate) fate: Fate,
}

/// The list, the settings, and all admissions under a rate.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) now: Timestamp,
    pub(crate) settings: LaneSettings,
    pub(crate) people: Vec<Person>,
    /// When each admission was, and how long one takes at the rate of that time, in nanoseconds.
    paced: Vec<(i128, i128)>,
    /// What the last command led to.
    pub(crate) answer: Result<Vec<Event>, Refusal>,
}

impl Line {
    pub(crate) fn new(settings: LaneSettings) -> Self {
        Self { now: START, settings, people: Vec::new(), paced: Vec::new(), answer: Ok(Vec::new()) }
    }

    pub(crate) fn ticket(&self, seq: u64) -> Ticket {
        let person = usize::try_from(seq).ok().and_then(|seq| self.people.get(seq.checked_sub(1)?));
        ticket("main", seq, person.map_or(1, |person| person.user))
    }

    pub(crate) fn numbers(&self) -> std::ops::RangeInclusive<u64> {
        1..=self.people.len() as u64
    }

    /// What has become of a number by now, noticed or not.
    pub(crate) fn fate(&self, seq: u64) -> Fate {
        match self.person(seq).fate {
            Fate::Admitted { until, claimed } if self.now >= until => {
                Fate::Done(if claimed { EndReason::SessionExpired } else { EndReason::NoShow })
            }
            fate => fate,
        }
    }

    fn person(&self, seq: u64) -> &Person {
        &self.people[usize::try_from(seq - 1).expect("a small number")]
    }

    fn set(&mut self, seq: u64, fate: Fate) {
        self.people[usize::try_from(seq - 1).expect("a small number")].fate = fate;
    }

    fn count(&self, is: impl Fn(Fate) -> bool) -> u64 {
        self.people.iter().filter(|person| is(person.fate)).count() as u64
    }

    pub(crate) fn waiting(&self) -> u64 {
        self.count(|fate| fate == Fate::Waiting)
    }

    /// How many are in, those whose time is over but not noticed included.
    pub(crate) fn admitted(&self) -> u64 {
        self.count(|fate| matches!(fate, Fate::Admitted { .. }))
    }

    pub(crate) fn rank(&self, seq: u64) -> u64 {
        self.numbers().filter(|one| *one <= seq && self.person(*one).fate == Fate::Waiting).count() as u64
    }

    /// The live number of a user.
    pub(crate) fn live(&self, of: usize) -> Option<u64> {
        self.numbers().find(|seq| self.person(*seq).user == of && !matches!(self.fate(*seq), Fate::Done(_)))
    }

    /// Whether the ticket is one of this line, and what became of it.
    pub(crate) fn judge(&self, ticket: &Ticket) -> Result<Fate, Refusal> {
        if ticket.epoch.0 != 1 {
            return Err(Refusal::QueueReset);
        }
        if !self.numbers().contains(&ticket.seq) {
            return Err(Refusal::UnknownTicket);
        }
        let fate = match self.person(ticket.seq).fate {
            // Whose a number was is forgotten when it is over.
            done @ Fate::Done(_) => return Ok(done),
            _ if user(self.person(ticket.seq).user) != ticket.user => return Err(Refusal::UnknownTicket),
            _ => self.fate(ticket.seq),
        };
        Ok(fate)
    }

    pub(crate) fn execute(&mut self, command: &Command) {
        let mut events = self.advance();
        let happened = self.obey(command);
        self.answer = happened.map(|happened| {
            events.extend(happened);
            events.extend(self.advance());
            events
        });
    }

    fn obey(&mut self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Advance => Ok(self.advance()),
            Command::Enter(who) => {
                let of = (1..100).find(|n| user(*n) == *who).expect("a known user");
                self.enter(of)
            }
            Command::Claim(ticket) => self.claim(ticket),
            Command::Finish(ticket, reason) => Ok(match self.judge(ticket) {
                Ok(Fate::Waiting | Fate::Admitted { .. }) => vec![self.end(ticket.seq, *reason)],
                Ok(Fate::Done(_)) | Err(_) => Vec::new(),
            }),
            Command::Configure(settings) => Ok(self.configure(settings)),
        }
    }

    fn enter(&mut self, of: usize) -> Result<Vec<Event>, Refusal> {
        if self.settings.closed {
            return Err(Refusal::LaneClosed);
        }
        if self.settings.sold_out {
            return Err(Refusal::SoldOut);
        }
        if self.live(of).is_some() {
            return Ok(Vec::new());
        }
        let at_once = self.waiting() == 0 && self.may_admit();
        if self.settings.policy.max_waiting.is_some_and(|most| self.waiting() >= most) && !at_once {
            return Err(Refusal::LaneFull);
        }
        self.people.push(Person { user: of, fate: Fate::Waiting });
        Ok(vec![Event::Entered { seq: self.people.len() as u64, user: user(of) }])
    }

    fn claim(&mut self, ticket: &Ticket) -> Result<Vec<Event>, Refusal> {
        match self.judge(ticket)? {
            Fate::Done(reason) => Err(Refusal::TicketOver(reason)),
            Fate::Waiting => {
                Err(Refusal::NotYourTurn { rank: self.rank(ticket.seq), retry_after: Duration::ZERO })
            }
            Fate::Admitted { claimed: true, .. } => Ok(Vec::new()),
            Fate::Admitted { .. } => {
                let until = self.now.after(self.settings.policy.session_ttl);
                self.set(ticket.seq, Fate::Admitted { until, claimed: true });
                Ok(vec![Event::Claimed { seq: ticket.seq, until }])
            }
        }
    }

    fn end(&mut self, seq: u64, reason: EndReason) -> Event {
        self.set(seq, Fate::Done(reason));
        Event::Finished { seq, reason }
    }

    fn configure(&mut self, settings: &LaneSettings) -> Vec<Event> {
        if settings.revision <= self.settings.revision {
            return Vec::new();
        }
        self.settings = settings.clone();
        let mut events = vec![Event::Configured(settings.clone())];
        let reason = match (settings.closed, settings.sold_out) {
            (true, _) => EndReason::Closed,
            (false, true) => EndReason::SoldOut,
            (false, false) => return events,
        };
        for person in &mut self.people {
            if !matches!(person.fate, Fate::Done(_)) {
                person.fate = Fate::Done(reason);
            }
        }
        events.push(Event::Drained(reason));
        events
    }

    fn advance(&mut self) -> Vec<Event> {
        let mut over: Vec<_> = self
            .numbers()
            .filter_map(|seq| match (self.person(seq).fate, self.fate(seq)) {
                (Fate::Admitted { until, .. }, Fate::Done(reason)) => Some((until, seq, reason)),
                _ => None,
            })
            .collect();
        over.sort_unstable();
        let mut events: Vec<_> = over.into_iter().map(|(_, seq, reason)| self.end(seq, reason)).collect();
        while let Some(seq) = self.numbers().find(|seq| self.person(*seq).fate == Fate::Waiting) {
            if !self.may_admit() {
                break;
            }
            let until = self.now.after(self.settings.policy.claim_ttl);
            self.set(seq, Fate::Admitted { until, claimed: false });
            self.paced.push((i128::from(self.now.micros()) * NS, self.each()));
            events.push(Event::Admitted { seq, until, at: self.now });
        }
        events
    }

    /// How long one admission takes at the rate, in nanoseconds, rounded up.
    fn each(&self) -> i128 {
        let second = 1_000_000 * NS;
        self.settings
            .policy
            .admit_per_second
            .map_or(0, |rate| (second + i128::from(rate) - 1) / i128::from(rate))
    }

    /// Whether one more may be admitted now: a slot is free, and from no earlier admission on were there more than the
    /// rate allows for the time since then and a quarter of a second.
    fn may_admit(&self) -> bool {
        let settings = &self.settings;
        let open = !(settings.paused || settings.closed || settings.sold_out);
        let free = self.admitted() < u64::from(settings.policy.capacity);
        let now = i128::from(self.now.micros()) * NS;
        let catch_up = 250_000 * NS;
        let in_pace = settings.policy.admit_per_second.is_none()
            || (0..self.paced.len()).all(|from| {
                let spent: i128 = self.paced[from..].iter().map(|(_, each)| each).sum();
                let since = now - self.paced[from].0;
                self.paced[from].1 == 0 || spent <= since + catch_up
            });
        open && free && in_pace
    }
}

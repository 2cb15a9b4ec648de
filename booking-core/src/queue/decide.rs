use super::{
    Command, Event,
    state::{Lane, Standing},
};
use crate::{
    catalog::LaneSettings,
    id::UserId,
    queue::Place,
    refusal::Refusal,
    ticket::{EndReason, Ticket},
    time::Timestamp,
};

/// How many the lane admits at most, and how many admissions it ends, each time it advances, which a step does up to three
/// times: no step grows beyond what a store can write at once. The next one goes on.
pub const MOST_AT_ONCE: u64 = 2_000;

/// Whether `command` may happen in `lane` at `now`, and what happens then. Pure; no events means nothing to do.
pub fn decide(lane: &Lane, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Enter(user) => enter(lane, *user, now),
        Command::Claim(ticket) => claim(lane, ticket, now),
        Command::Finish(ticket, reason) => Ok(finish(lane, ticket, *reason, now)),
        Command::Advance => Ok(advance(lane, now)),
        Command::Configure(settings) => Ok(configure(lane, settings)),
    }
}

impl Lane {
    /// Decides a command and follows its events, which are returned. In the same step the lane advances: before, so
    /// that nobody is judged by a slot whose time is over, and after, so that a freed slot reaches the head (I18).
    pub fn execute(&mut self, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        let mut log = Vec::new();
        self.execute_logged(command, now, &mut log).map(|()| log)
    }

    /// The same, with what happened added to `log`, as a store needs it that keeps a lane by its events: what time had
    /// ended is ended, whether the command is refused or not.
    pub fn execute_logged(
        &mut self,
        command: &Command,
        now: Timestamp,
        log: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        self.step(&Command::Advance, now, log)?;
        self.step(command, now, log)?;
        self.step(&Command::Advance, now, log)
    }

    fn step(&mut self, command: &Command, now: Timestamp, log: &mut Vec<Event>) -> Result<(), Refusal> {
        let events = decide(self, command, now)?;
        for event in &events {
            self.evolve(event);
        }
        log.extend(events);
        Ok(())
    }
}

fn enter(lane: &Lane, user: UserId, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let settings = lane.settings();
    if settings.closed {
        return Err(Refusal::LaneClosed);
    }
    if settings.sold_out {
        return Err(Refusal::SoldOut);
    }
    let mut events = Vec::new();
    if let Some(ticket) = lane.live_ticket(user) {
        // Its time may be over and nobody has written that down yet.
        let Standing::Done(reason) = lane.standing(&ticket, now)? else { return Ok(Vec::new()) };
        events.push(Event::Finished { seq: ticket.seq, reason });
    }
    let waiting = lane.waiting();
    let goes_in_at_once = waiting == 0 && admissible(lane, lane.admitted(), now) > 0;
    let full = settings.policy.max_waiting.is_some_and(|most| waiting >= most);
    if full && !goes_in_at_once {
        return Err(Refusal::LaneFull);
    }
    events.push(Event::Entered { seq: lane.next(), user });
    Ok(events)
}

fn claim(lane: &Lane, ticket: &Ticket, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match lane.standing(ticket, now)? {
        Standing::Done(reason) => Err(Refusal::TicketOver(reason)),
        Standing::Waiting => match lane.waiting_place(ticket.seq, now) {
            Place::Waiting { rank, poll_after, .. } => {
                Err(Refusal::NotYourTurn { rank, retry_after: poll_after })
            }
            Place::Admitted { .. } | Place::Done(_) => Err(Refusal::UnknownTicket),
        },
        Standing::Admitted(admission) if admission.claimed => Ok(Vec::new()),
        Standing::Admitted(_) => {
            let until = now.after(lane.settings().policy.session_ttl);
            Ok(vec![Event::Claimed { seq: ticket.seq, until }])
        }
    }
}

/// A ticket of another epoch, or one that is done, has nothing left to end.
fn finish(lane: &Lane, ticket: &Ticket, reason: EndReason, now: Timestamp) -> Vec<Event> {
    match lane.standing(ticket, now) {
        Ok(Standing::Waiting | Standing::Admitted(_)) => vec![Event::Finished { seq: ticket.seq, reason }],
        Ok(Standing::Done(_)) | Err(_) => Vec::new(),
    }
}

fn advance(lane: &Lane, now: Timestamp) -> Vec<Event> {
    let over = lane.overdue(now).zip(0..MOST_AT_ONCE).map(|(over, _)| over);
    let mut events: Vec<Event> =
        over.map(|(seq, over)| Event::Finished { seq, reason: over.end_reason() }).collect();
    let busy = lane.admitted() - events.len() as u64;
    let admissible = admissible(lane, busy, now);
    if admissible > 0 {
        let until = now.after(lane.settings().policy.claim_ttl);
        let most = usize::try_from(admissible).unwrap_or(usize::MAX);
        events.extend(lane.line().take(most).map(|seq| Event::Admitted { seq, until, at: now }));
    }
    events
}

/// How many may be admitted at `now` while `busy` slots are in use (I14).
fn admissible(lane: &Lane, busy: u64, now: Timestamp) -> u64 {
    let settings = lane.settings();
    if settings.paused || settings.closed || settings.sold_out {
        return 0;
    }
    let free = u64::from(settings.policy.capacity).saturating_sub(busy);
    lane.pace().allowed(settings.policy.admit_per_second, now, free.min(MOST_AT_ONCE))
}

/// Settings travel from the booking store and may arrive late or twice: only newer ones count.
fn configure(lane: &Lane, settings: &LaneSettings) -> Vec<Event> {
    if settings.revision <= lane.settings().revision {
        return Vec::new();
    }
    let mut events = vec![Event::Configured(settings.clone())];
    if settings.closed {
        events.push(Event::Drained(EndReason::Closed));
    } else if settings.sold_out {
        events.push(Event::Drained(EndReason::SoldOut));
    }
    events
}

//! What the callers of a lane are told: the same in every store.

use super::{Advanced, Command, Entered, Event, Lane, Place};
use crate::{
    catalog::LaneSettings,
    id::UserId,
    refusal::Refusal,
    ticket::{EndReason, Ticket},
    time::Timestamp,
};

/// Each call executes its command and adds what happened to `log`.
impl Lane {
    /// Takes a number for the user, or finds the live one (Q10).
    pub fn enter(&mut self, user: UserId, now: Timestamp, log: &mut Vec<Event>) -> Result<Entered, Refusal> {
        let before = log.len();
        self.execute_logged(&Command::Enter(user), now, log)?;
        let replayed = !log[before..].iter().any(|event| matches!(event, Event::Entered { .. }));
        let ticket = self.live_ticket(user).ok_or(Refusal::UnknownTicket)?;
        Ok(Entered { place: self.place(&ticket, now)?, ticket, replayed })
    }

    /// Proves admission, and answers until when it lasts (Q6).
    pub fn claim(
        &mut self,
        ticket: &Ticket,
        now: Timestamp,
        log: &mut Vec<Event>,
    ) -> Result<Timestamp, Refusal> {
        self.execute_logged(&Command::Claim(ticket.clone()), now, log)?;
        match self.place(ticket, now)? {
            Place::Admitted { until, .. } => Ok(until),
            Place::Waiting { .. } | Place::Done(_) => Err(Refusal::UnknownTicket),
        }
    }

    /// Ends the ticket; one that is done, or not of this lane's epoch, stays as it is.
    pub fn end(&mut self, ticket: &Ticket, reason: EndReason, now: Timestamp, log: &mut Vec<Event>) {
        // Finishing is never refused.
        self.execute_logged(&Command::Finish(ticket.clone(), reason), now, log).ok();
    }

    /// Ends what time has ended and admits who is next.
    pub fn advance(&mut self, now: Timestamp, log: &mut Vec<Event>) -> Advanced {
        let before = log.len();
        // Advancing is never refused.
        self.execute_logged(&Command::Advance, now, log).ok();
        let count = |is: fn(&Event) -> bool| log[before..].iter().filter(|event| is(event)).count() as u64;
        Advanced {
            admitted: count(|event| matches!(event, Event::Admitted { .. })),
            ended: count(|event| matches!(event, Event::Finished { .. })),
        }
    }

    /// Takes newer settings over.
    pub fn configure(&mut self, settings: LaneSettings, now: Timestamp, log: &mut Vec<Event>) {
        // Configuring is never refused.
        self.execute_logged(&Command::Configure(settings), now, log).ok();
    }
}

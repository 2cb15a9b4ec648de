//! A person: one task that asks the service one thing after the other, and repeats what has no clear answer.

mod calls;
mod steps;

use std::{sync::Arc, time::Duration};

use booking_api::Code;
use rand::{SeedableRng, rngs::SmallRng};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::{
    crew::{Answer, Call},
    history::{Heard, TicketId},
    stage::Stage,
};

pub(crate) use calls::key_text;
pub use steps::Found;

/// Why somebody stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The service said no.
    Refused(Code),
    /// The answer made no sense, or none came although the request was repeated.
    Lost,
    /// The ticket is over.
    Over,
}

/// How often a request without a clear answer is repeated.
const REPEATS: u32 = 5;
const BETWEEN_REPEATS: Duration = Duration::from_millis(200);
/// Timers wake up to a millisecond late: sleepers are woken so much earlier, and a request that is sent early is
/// measured from when it was sent.
const TIMER_STEP: Duration = Duration::from_millis(1);

/// One person.
pub struct Person {
    /// Where everything happens.
    pub stage: Arc<Stage>,
    /// The number of the person, from 0.
    pub number: u32,
    /// The choices: the same seed and number make the same.
    pub dice: SmallRng,
    /// Who the person is to the service.
    pub user: Uuid,
    /// Speaks for the person.
    pub user_token: Arc<str>,
    /// Speaks for the ticket.
    pub queue_token: Arc<str>,
    /// The ticket.
    pub ticket: Option<TicketId>,
    /// When the next request is to be sent. What delays it from then on counts as the service's.
    pub due: Instant,
    next_key: u32,
}

impl Person {
    /// The person of this number, who begins at `due`.
    pub fn new(stage: &Arc<Stage>, number: u32, due: Instant) -> Self {
        let seed = stage.seed ^ (u64::from(number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self {
            stage: Arc::clone(stage),
            number,
            dice: SmallRng::seed_from_u64(seed),
            user: Uuid::nil(),
            user_token: Arc::from(""),
            queue_token: Arc::from(""),
            ticket: None,
            due,
            next_key: 0,
        }
    }

    /// The same person once more, to ask several things at once. It has a part of its own of the keys.
    pub fn twin(&self, part: u16) -> Self {
        Self {
            stage: Arc::clone(&self.stage),
            number: self.number,
            dice: SmallRng::seed_from_u64(u64::from(part)),
            user: self.user,
            user_token: Arc::clone(&self.user_token),
            queue_token: Arc::clone(&self.queue_token),
            ticket: self.ticket,
            due: self.due,
            next_key: (u32::from(part) + 1) << 16,
        }
    }

    /// A key that this person has not used.
    pub fn fresh_key(&mut self) -> u32 {
        self.next_key += 1;
        self.next_key
    }

    /// Does nothing for a while.
    pub async fn pause(&mut self, span: Duration) {
        self.pause_until(self.due + span).await;
    }

    /// Does nothing until then.
    pub async fn pause_until(&mut self, instant: Instant) {
        self.due = instant;
        sleep_until(instant - TIMER_STEP).await;
    }

    /// Sends a request once. The next is due when its answer is there.
    pub(crate) async fn ask_once(&mut self, call: Call) -> Answer {
        let answer = self.stage.desk.ask(self.number, self.due.into_std(), call).await;
        self.due = answer.at.into();
        answer
    }

    /// Sends a request, and the same again while it is not known what came of it or the service could not be reached.
    async fn ask(&mut self, call: Call) -> Result<Answer, Stop> {
        for _ in 0..REPEATS {
            let answer = self.ask_once(call.clone()).await;
            match answer.heard {
                Heard::Acknowledged(_) => return Ok(answer),
                Heard::Refused(Code::StoreUnavailable | Code::Overloaded | Code::RateLimited)
                | Heard::Unknown(_) => {
                    self.pause(BETWEEN_REPEATS).await;
                }
                Heard::Refused(code) => return Err(Stop::Refused(code)),
                Heard::Nonsense(_) => return Err(Stop::Lost),
            }
        }
        Err(Stop::Lost)
    }
}

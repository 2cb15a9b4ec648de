//! Where people stand, asked of the store as seldom as possible: each lane is looked at four to seven times a second while
//! anybody asks, and those who wait are answered from what was seen.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use booking_core::{Engine, Error, LaneName, Refusal, StoreError, Ticket, queue::Place};
use tokio::time::Instant;

/// Nobody is told anything older, but for what was seen since they asked.
const OLDEST: Duration = Duration::from_millis(250);
/// From this age on one of those who ask looks anew, while the others are still answered.
const RIPE: Duration = Duration::from_millis(150);

/// What became of the last look at a lane.
#[derive(Clone, Debug)]
enum Seen {
    /// What was seen was true at this instant or later.
    Since(Instant),
    /// The store failed, as was known at this instant.
    Failed(Instant, StoreError),
    Nothing,
}

struct Lane {
    seen: Mutex<Seen>,
    /// Held by who looks.
    turn: tokio::sync::Mutex<()>,
}

impl Lane {
    fn seen(&self) -> Seen {
        // Taking and putting a value can't leave it half done.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at the lane. It must be the caller's turn.
    async fn look(&self, engine: &Engine, name: &LaneName) -> Result<(), StoreError> {
        let begun = Instant::now();
        // On the heap, because ten thousand streams have room for it and few of them look.
        let (seen, answer) = match Box::pin(engine.look(name)).await {
            Ok(()) => (Seen::Since(begun), Ok(())),
            Err(Error::Store(error)) => (Seen::Failed(Instant::now(), error.clone()), Err(error)),
            // There is no such lane now; the store says what that means to whom.
            Err(Error::Refused(_)) => (Seen::Nothing, Ok(())),
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        answer
    }

    /// Sees to it that what was seen, for who asked at that instant, is young enough and not older than `oldest`.
    async fn look_if_old(
        &self,
        engine: &Engine,
        name: &LaneName,
        asked: Instant,
        oldest: Instant,
    ) -> Result<(), StoreError> {
        match self.seen() {
            Seen::Since(seen) if seen >= oldest && seen.elapsed() < RIPE => return Ok(()),
            Seen::Since(seen) if seen >= oldest && seen.elapsed() < OLDEST => {
                let Ok(_turn) = self.turn.try_lock() else { return Ok(()) };
                return self.look(engine, name).await;
            }
            _ => {}
        }
        let _turn = self.turn.lock().await;
        // Those who waited for their turn share what the one before them saw. A look that began since they asked is as good
        // as their own, however long it took: else they would look one after the other when looking takes long.
        match self.seen() {
            Seen::Since(seen) if seen >= asked || (seen >= oldest && seen.elapsed() < OLDEST) => Ok(()),
            Seen::Failed(at, error) if at >= oldest && at.elapsed() < OLDEST => Err(error),
            _ => self.look(engine, name).await,
        }
    }
}

/// The lanes people ask about.
#[derive(Default)]
pub(crate) struct Looks(Mutex<HashMap<LaneName, Arc<Lane>>>);

impl Looks {
    fn lane(&self, name: &LaneName) -> Arc<Lane> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(name) {
            return Arc::clone(lane);
        }
        let lane = Arc::new(Lane { seen: Mutex::new(Seen::Nothing), turn: tokio::sync::Mutex::default() });
        lanes.insert(name.clone(), Arc::clone(&lane));
        lane
    }

    /// Why a booking call failed, with the rank that is told to those who poll: what the store knows is newer, but may be
    /// followed by what was seen before, and a rank that was told is never followed by a higher one.
    pub(crate) fn refused(&self, engine: &Engine, ticket: &Ticket, error: Error) -> Error {
        let Error::Refused(Refusal::NotYourTurn { rank, retry_after }) = error else { return error };
        let lane = self.lane(&ticket.lane);
        let is_young = matches!(lane.seen(), Seen::Since(seen) if seen.elapsed() < OLDEST);
        // What is being looked at may have been seen before the store refused.
        let may_be_told = is_young || lane.turn.try_lock().is_err();
        let rank = match engine.glance(ticket) {
            Some(Place::Waiting { rank: seen, .. }) if may_be_told => rank.max(seen),
            _ => rank,
        };
        Refusal::NotYourTurn { rank, retry_after }.into()
    }

    /// Where the ticket stands: near the head, once admitted and once done by the store, else by what was seen at most
    /// 250 ms ago. A rank that was told is never followed by a higher one.
    pub(crate) async fn place(&self, engine: &Engine, ticket: &Ticket) -> Result<Place, Error> {
        let (lane, asked) = (self.lane(&ticket.lane), Instant::now());
        let oldest = asked.checked_sub(OLDEST).unwrap_or(asked);
        lane.look_if_old(engine, &ticket.lane, asked, oldest).await?;
        if engine.is_news(ticket) {
            // It entered since: the next look tells of it, and of all others who entered.
            lane.look_if_old(engine, &ticket.lane, asked, asked).await?;
        }
        match engine.glance(ticket) {
            Some(place) => Ok(place),
            None => Box::pin(engine.place(ticket)).await,
        }
    }
}

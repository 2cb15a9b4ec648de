//! One step on a lane: look or lock, follow, decide, save.

use booking_core::{
    LaneName, Refusal, Timestamp,
    queue::{Answer, Call, Command, Event, Lane},
};
use sqlx::{AssertSqlSafe, PgConnection, raw_sql};
use uuid::Uuid;

use super::{
    kept::{Followed, Kept, Memory, Read},
    rows::{self, Head, Mark},
};
use crate::trouble::Trouble;

pub(super) type Answers = Vec<Result<Answer, Refusal>>;

/// When so much has happened in a step, the rest is left to the next one: a statement that saves more takes too long.
const MUCH: usize = 10_000;

/// A turn on a lane.
pub(super) struct Turn<'a> {
    pub(super) connection: &'a mut PgConnection,
    pub(super) name: &'a LaneName,
    pub(super) calls: &'a [&'a Call],
}

/// Where the lane stands when its row is locked.
enum Found {
    /// There is none, or none any more, since it was dropped here.
    Nothing { dropped: bool },
    /// What is kept is as new as its row, at this instant.
    Kept(Timestamp),
    /// Its numbers must be read first: nothing is kept of this life of it, or only what is too old.
    Unread,
}

/// What a step leads to.
pub(super) enum Turned {
    /// Nothing changed: there is nothing to commit.
    Unchanged(Option<Kept>, Answers),
    /// Changes that wait for the commit.
    Staged(Option<Kept>, Answers),
    /// All numbers of the lane must be read before.
    Unread,
}

/// Begins, and waits for the lane in line: whoever asks for a row lock in the moment it comes free gets it, so that one
/// busy instance could keep the others waiting for seconds; an advisory lock is given in the order of asking.
fn begin(lane: &LaneName) -> String {
    let number = Uuid::new_v5(&Uuid::NAMESPACE_OID, lane.as_str().as_bytes()).as_u64_pair().0.cast_signed();
    format!("BEGIN; SELECT pg_advisory_xact_lock({number})")
}

impl Turn<'_> {
    /// Answers without the lock, if that can be: nothing is asked that changes the lane, and nobody has changed it.
    pub(super) async fn look(&mut self, memory: &mut Memory) -> Result<Option<Answers>, Trouble> {
        if !self.calls.iter().all(|call| call.only_reads()) {
            return Ok(None);
        }
        let Some(head) = rows::look(self.connection, self.name).await? else {
            *memory = Memory::default();
            return Ok(Some(self.calls.iter().map(|call| call.answer_without_lane()).collect()));
        };
        let Some(kept) = memory.kept.as_mut().filter(|kept| kept.mark == head.mark) else { return Ok(None) };
        Ok(Some(
            self.calls.iter().map(|call| call.answer(&mut kept.lane, head.now, &mut Vec::new())).collect(),
        ))
    }

    /// Locks the lane, decides and saves; answers the first of the calls, if what they ask for is too much for one step.
    /// What is kept is taken when the deciding begins: until the commit it shows what may not come to be.
    pub(super) async fn take(&mut self, memory: &mut Memory, read: Option<Read>) -> Result<Turned, Trouble> {
        raw_sql(AssertSqlSafe(begin(self.name))).execute(&mut *self.connection).await?;
        let (now, dropped) = match self.find(memory, read).await? {
            Found::Unread => return Ok(Turned::Unread),
            Found::Kept(now) => (now, false),
            Found::Nothing { dropped } => (rows::clock(self.connection).await?, dropped),
        };
        let mut kept = memory.kept.take();
        let (mut log, mut made) = (Vec::new(), false);
        let mut answers = Vec::with_capacity(self.calls.len());
        for call in self.calls {
            if log.len() >= MUCH {
                break;
            }
            if kept.is_none()
                && let Call::Step(Command::Configure(settings)) = call
            {
                let mark = Mark::first();
                let lane = Lane::new(self.name.clone(), mark.epoch, settings.clone());
                kept = Some(Kept { lane, mark });
                made = true;
            }
            answers.push(match &mut kept {
                Some(kept) => call.answer(&mut kept.lane, now, &mut log),
                None => call.answer_without_lane(),
            });
        }
        if let Some(kept) = &mut kept {
            self.save(kept, made, &log).await?;
        }
        let changed = made || dropped || !log.is_empty();
        Ok(if changed { Turned::Staged(kept, answers) } else { Turned::Unchanged(kept, answers) })
    }

    async fn find(&mut self, memory: &mut Memory, read: Option<Read>) -> Result<Found, Trouble> {
        let Some(head) = rows::lock(self.connection, self.name).await? else {
            *memory = Memory::default();
            return Ok(Found::Nothing { dropped: false });
        };
        if self.is_lost(memory, &head, read.is_some()).await? {
            return self.begin_anew(memory).await;
        }
        if let Some(read) = read {
            memory.kept = read.brought_up_to(self.connection, self.name, &head).await?;
        }
        // What can't be followed to its end is good for nothing.
        let Some(mut kept) = memory.kept.take() else { return Ok(Found::Unread) };
        match kept.follow(self.connection, self.name, &head).await? {
            Followed::UpToDate => {
                (memory.kept, memory.seen) = (Some(kept), Some(head.mark));
                Ok(Found::Kept(head.now))
            }
            Followed::TooFar => Ok(Found::Unread),
            Followed::Lost => self.begin_anew(memory).await,
        }
    }

    /// Whether the row does not know what was seen of its lane. What is kept is asked for when it is followed; what is only
    /// known to have been there is asked for here.
    async fn is_lost(&mut self, memory: &Memory, head: &Head, asks: bool) -> Result<bool, Trouble> {
        if memory.is_ahead_of(head) {
            return Ok(true);
        }
        match memory.seen.filter(|seen| asks && seen.epoch == head.mark.epoch) {
            Some(seen) => rows::is_lost(self.connection, self.name, seen).await,
            None => Ok(false),
        }
    }

    /// What was seen is remembered until the end of that life is committed.
    async fn begin_anew(&mut self, memory: &mut Memory) -> Result<Found, Trouble> {
        tracing::error!(lane = %self.name, "the database has lost numbers of this lane: it begins anew");
        rows::drop_lane(self.connection, self.name).await?;
        memory.kept = None;
        Ok(Found::Nothing { dropped: true })
    }

    async fn save(&mut self, kept: &mut Kept, made: bool, log: &[Event]) -> Result<(), Trouble> {
        let row = kept.lane.row();
        if made && !rows::make(self.connection, self.name, &row, kept.mark).await? {
            return Err(Trouble::Again("another instance made the lane at the same time".into()));
        }
        if log.is_empty() {
            return Ok(());
        }
        kept.mark = kept.mark.next();
        let changes = kept.lane.changed_tickets(log);
        rows::save(self.connection, self.name, &row, kept.mark, &changes).await?;
        rows::forget_steps(self.connection, self.name, kept.mark).await
    }
}

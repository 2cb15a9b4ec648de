//! One step on a lane: look or lock, follow, decide, save.

use booking_core::{
    Epoch, LaneName, Refusal,
    queue::{Event, Lane},
};
use sqlx::{AssertSqlSafe, PgConnection, raw_sql};
use uuid::Uuid;

use super::{
    ask::{Ask, Told},
    kept::{Kept, Read},
    rows::{self, Head},
};
use crate::trouble::Trouble;

pub(super) type Answers = Vec<Result<Told, Refusal>>;

/// A turn on a lane.
pub(super) struct Turn<'a> {
    pub(super) connection: &'a mut PgConnection,
    pub(super) name: &'a LaneName,
    pub(super) asks: &'a [&'a Ask],
}

/// Where the lane stands when its row is locked.
enum Found {
    /// There is none.
    Nothing,
    /// What is kept is as new as its row.
    Kept(Head),
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
    pub(super) async fn look(&mut self, kept: &mut Option<Kept>) -> Result<Option<Answers>, Trouble> {
        if !self.asks.iter().all(|ask| ask.only_reads()) {
            return Ok(None);
        }
        let Some(head) = rows::look(self.connection, self.name).await? else {
            *kept = None;
            return Ok(Some(self.asks.iter().map(|ask| ask.answer_without_lane()).collect()));
        };
        let Some(kept) = kept.as_mut().filter(|kept| kept.is_at(&head)) else { return Ok(None) };
        Ok(Some(self.asks.iter().map(|ask| ask.answer(&mut kept.lane, head.now, &mut Vec::new())).collect()))
    }

    /// Locks the lane, decides and saves. What is kept is taken from `kept` when the deciding begins: until the commit
    /// it shows what may not come to be.
    pub(super) async fn take(
        &mut self,
        kept: &mut Option<Kept>,
        read: Option<Read>,
    ) -> Result<Turned, Trouble> {
        raw_sql(AssertSqlSafe(begin(self.name))).execute(&mut *self.connection).await?;
        let (now, gone) = match self.find(kept, read).await? {
            Found::Unread => return Ok(Turned::Unread),
            Found::Kept(head) => (head.now, false),
            Found::Nothing => (rows::clock(self.connection).await?, kept.take().is_some()),
        };
        let mut kept = kept.take();
        let (mut log, mut made) = (Vec::new(), false);
        let mut answers = Vec::with_capacity(self.asks.len());
        for ask in self.asks {
            if kept.is_none()
                && let Ask::Configure(settings) = ask
            {
                let epoch = Epoch(Uuid::new_v4().as_u64_pair().0);
                kept = Some(Kept { lane: Lane::new(self.name.clone(), epoch, settings.clone()), version: 1 });
                made = true;
            }
            answers.push(match &mut kept {
                Some(kept) => ask.answer(&mut kept.lane, now, &mut log),
                None => ask.answer_without_lane(),
            });
        }
        if let Some(kept) = &mut kept {
            self.save(kept, made, &log).await?;
        }
        let changed = made || gone || !log.is_empty();
        Ok(if changed { Turned::Staged(kept, answers) } else { Turned::Unchanged(kept, answers) })
    }

    async fn find(&mut self, kept: &mut Option<Kept>, read: Option<Read>) -> Result<Found, Trouble> {
        let Some(head) = rows::lock(self.connection, self.name).await? else {
            *kept = None;
            return Ok(Found::Nothing);
        };
        if let Some(read) = read {
            *kept = read.brought_up_to(self.connection, self.name, &head).await?;
        }
        match kept {
            Some(kept) if kept.can_follow(&head) => {
                let followed = kept.follow(self.connection, self.name, &head).await?;
                Ok(if followed { Found::Kept(head) } else { Found::Unread })
            }
            Some(kept) if kept.is_ahead_of(&head) => {
                tracing::error!(lane = %self.name, "the database has lost numbers of this lane: it begins anew");
                rows::drop_lane(self.connection, self.name).await?;
                Ok(Found::Nothing)
            }
            _ => Ok(Found::Unread),
        }
    }

    async fn save(&mut self, kept: &mut Kept, made: bool, log: &[Event]) -> Result<(), Trouble> {
        let row = kept.lane.row();
        if made && !rows::make(self.connection, self.name, &row).await? {
            return Err(Trouble::Again("another instance made the lane at the same time".into()));
        }
        if log.is_empty() {
            return Ok(());
        }
        kept.version += i64::from(!made);
        let changes = kept.lane.changed_tickets(log);
        rows::save(self.connection, self.name, &row, kept.version, &changes).await?;
        rows::forget_steps(self.connection, self.name, row.epoch, kept.version).await
    }
}

//! Turns on a lane until what was asked of it is answered, or time is up.

use booking_core::{LaneName, queue::Call};
use sqlx::raw_sql;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    kept::{Kept, Memory, Read},
    turn::{Answers, Turn, Turned},
};
use crate::{
    deadlines::{Deadlines, PAUSE, SAVED_WITHIN, TRIES, jitter},
    pool::{Lease, Pool},
    trouble::Trouble,
};

/// Takes turns on a lane.
pub(super) struct Office<'a> {
    pool: &'a Pool,
    name: &'a LaneName,
    calls: &'a [&'a Call],
    /// A commit was not answered, so nobody can be told that nothing was done.
    in_doubt: bool,
}

impl<'a> Office<'a> {
    pub(super) fn new(pool: &'a Pool, name: &'a LaneName, calls: &'a [&'a Call]) -> Self {
        Self { pool, name, calls, in_doubt: false }
    }

    /// Answers in the order of asking, and why they end early if they do.
    pub(super) async fn answers(mut self, memory: &mut Memory, asked: Instant) -> (Answers, Option<Trouble>) {
        let mut answers = Answers::new();
        while !self.calls.is_empty() {
            match self.some_answers(memory, Deadlines::of(asked)).await {
                Ok(more) => {
                    self.calls = self.calls.get(more.len()..).unwrap_or_default();
                    answers.extend(more);
                }
                Err(Trouble::Again(detail) | Trouble::Gone(detail) | Trouble::Broken(detail))
                    if self.in_doubt =>
                {
                    return (answers, Some(Trouble::Unknown(detail)));
                }
                Err(trouble) => return (answers, Some(trouble)),
            }
        }
        (answers, None)
    }

    /// Those of the first who ask, as far as one step goes.
    async fn some_answers(&mut self, memory: &mut Memory, mut by: Deadlines) -> Result<Answers, Trouble> {
        let (mut pause, mut read) = (PAUSE, None);
        for _ in 0..TRIES {
            let trouble = match self.turn(memory, read.take(), by).await {
                Ok(Some(answers)) => {
                    self.in_doubt = false;
                    return Ok(answers);
                }
                Ok(None) => {
                    read = self.read().await?;
                    // What was read shall not be for nothing, however long that took.
                    by = Deadlines::of(Instant::now());
                    continue;
                }
                Err(trouble) => trouble,
            };
            if let Trouble::Gone(_) = trouble {
                self.pool.forget_idle();
            }
            let jittered = jitter(pause);
            let hopeless = matches!(trouble, Trouble::Broken(_) | Trouble::Unknown(_));
            if hopeless || Instant::now() + jittered >= by.saved {
                return Err(trouble);
            }
            tracing::debug!(?trouble, "a step of a lane is tried again");
            sleep(jittered).await;
            pause *= 2;
        }
        Err(Trouble::Again("a lane never stood still".into()))
    }

    async fn read(&self) -> Result<Option<Read>, Trouble> {
        let mut lease = self.pool.lease(Instant::now() + SAVED_WITHIN).await?;
        let read = Read::lane(&mut lease.connection, self.name).await?;
        lease.give_back();
        Ok(read)
    }

    /// One try; no answers: the numbers of the lane must be read first.
    async fn turn(
        &mut self,
        memory: &mut Memory,
        read: Option<Read>,
        by: Deadlines,
    ) -> Result<Option<Answers>, Trouble> {
        let late = |_| Trouble::timed_out("a lane took a step");
        let mut lease = self.pool.lease(by.saved).await?;
        let mut turn = Turn { connection: &mut lease.connection, name: self.name, calls: self.calls };
        if read.is_none()
            && let Some(answers) = timeout_at(by.saved, turn.look(memory)).await.map_err(late)??
        {
            lease.give_back();
            return Ok(Some(answers));
        }
        let turned = match timeout_at(by.saved, turn.take(memory, read)).await.map_err(late)? {
            Ok(turned) => turned,
            Err(gone @ Trouble::Gone(_)) => return Err(gone),
            Err(trouble) => {
                undo(lease).await;
                return Err(trouble);
            }
        };
        match turned {
            Turned::Unread => {
                undo(lease).await;
                Ok(None)
            }
            Turned::Unchanged(lane, answers) => {
                undo(lease).await;
                memory.kept = lane;
                Ok(Some(answers))
            }
            Turned::Staged(lane, answers) => {
                self.commit(lease, memory, lane, by).await?;
                Ok(Some(answers))
            }
        }
    }

    /// Commits. Should the answer get lost, the lane is read anew and everything asked again, which is safe: who has a number
    /// keeps it, who has claimed has claimed, and who is done is done.
    async fn commit(
        &mut self,
        mut lease: Lease<'_>,
        memory: &mut Memory,
        lane: Option<Kept>,
        by: Deadlines,
    ) -> Result<(), Trouble> {
        match timeout_at(by.known, raw_sql("COMMIT").execute(&mut lease.connection)).await {
            Ok(Ok(_)) => {
                lease.give_back();
                memory.seen = lane.as_ref().map(|kept| kept.mark);
                memory.kept = lane;
                Ok(())
            }
            Ok(Err(error)) => {
                let trouble = Trouble::from(error);
                self.in_doubt |= matches!(trouble, Trouble::Gone(_));
                Err(trouble)
            }
            Err(_) => Err(Trouble::Unknown("the database did not say whether it committed".into())),
        }
    }
}

/// Rolls back, and keeps the connection if that goes well.
async fn undo(mut lease: Lease<'_>) {
    let undone = timeout(SAVED_WITHIN, raw_sql("ROLLBACK").execute(&mut lease.connection)).await;
    if matches!(undone, Ok(Ok(_))) {
        lease.give_back();
    }
}

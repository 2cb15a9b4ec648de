//! The worker of the queues: it takes what was asked meanwhile, of each lane as one batch, and answers.

use std::{collections::BTreeMap, sync::Arc};

use booking_core::{
    LaneName, Refusal, StoreError,
    batcher::{BatchSizes, Batcher, Job, Limits},
};
use futures_util::future::join_all;
use sqlx::raw_sql;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    ask::{Ask, Told},
    kept::{Kept, Read},
    turn::{Answers, Turn, Turned},
};
use crate::{
    deadlines::{Deadlines, KNOWN_WITHIN, PAUSE, SAVED_WITHIN, TRIES, jitter},
    pool::{Connector, Lease, Pool},
    trouble::Trouble,
};

/// More calls than this do not wait: the store is overloaded and says so.
const QUEUED: usize = 50_000;
/// More calls than this are not decided at once, so that no turn takes long.
const BATCH: usize = 2_048;
/// Connections, and so lanes that take a turn at the same time.
const CONNECTIONS: usize = 4;

#[derive(Debug)]
struct Work {
    lane: LaneName,
    ask: Ask,
    asked: Instant,
}

type Asked = Job<Work, Result<Told, Refusal>>;
type Calls = Batcher<Work, Result<Told, Refusal>>;

/// Where the calls of the queue port queue up.
#[derive(Debug)]
pub(crate) struct Queue(Arc<Calls>);

impl Queue {
    /// Starts a worker in the runtime this is called in.
    pub(crate) fn open(connector: Connector) -> Self {
        let calls = Arc::new(Batcher::new(Limits { queued: QUEUED, batch: BATCH }));
        tokio::spawn(work(Attended(Arc::clone(&calls)), Pool::new(connector, CONNECTIONS)));
        Self(calls)
    }

    /// How many calls its batches had.
    pub(crate) fn sizes(&self) -> Arc<BatchSizes> {
        self.0.sizes()
    }

    /// Asks a lane and waits for the answer. A lane whose million numbers are being read may take longer than a caller
    /// shall wait; what was asked may be done all the same.
    pub(super) async fn ask(&self, lane: &LaneName, ask: Ask) -> Result<Result<Told, Refusal>, StoreError> {
        let asked = Instant::now();
        let answer = self.0.submit(Work { lane: lane.clone(), ask, asked }, 1);
        let late = |_| StoreError::unknown_outcome("the queue did not answer in time");
        timeout_at(asked + KNOWN_WITHIN, answer).await.map_err(late)?
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The worker's hold on the calls: when the worker ends, by whatever way, nobody is left waiting.
struct Attended(Arc<Calls>);

impl Drop for Attended {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

async fn work(calls: Attended, pool: Pool) {
    let mut lanes: BTreeMap<LaneName, Kept> = BTreeMap::new();
    while let Some(jobs) = calls.0.next().await {
        let answered = jobs.len();
        let mut by_lane: BTreeMap<LaneName, Vec<Asked>> = BTreeMap::new();
        for job in jobs {
            by_lane.entry(job.work.lane.clone()).or_default().push(job);
        }
        let turns = by_lane.into_iter().map(|(name, jobs)| {
            let kept = lanes.remove(&name);
            async {
                let kept = serve(&pool, &name, kept, jobs).await;
                kept.map(|kept| (name, kept))
            }
        });
        let stepped = join_all(turns).await;
        lanes.extend(stepped.into_iter().flatten());
        calls.0.settle(answered, tokio::task::yield_now).await;
    }
}

/// Answers the jobs of a lane; gives the lane as it is then, if that is known.
async fn serve(pool: &Pool, name: &LaneName, mut kept: Option<Kept>, jobs: Vec<Asked>) -> Option<Kept> {
    let asks: Vec<&Ask> = jobs.iter().map(|job| &job.work.ask).collect();
    let asked = jobs.iter().map(|job| job.work.asked).min().unwrap_or_else(Instant::now);
    let answers = Office { pool, name, asks: &asks }.answers(&mut kept, Deadlines::of(asked)).await;
    match answers {
        Ok(answers) => jobs.into_iter().zip(answers).for_each(|(job, answer)| job.reply.send(Ok(answer))),
        Err(trouble) => {
            for job in jobs {
                job.reply.send(Err(trouble.to_store_error()));
            }
        }
    }
    kept
}

/// Takes turns on a lane until its asks are answered, or time is up.
struct Office<'a> {
    pool: &'a Pool,
    name: &'a LaneName,
    asks: &'a [&'a Ask],
}

impl Office<'_> {
    async fn answers(&self, kept: &mut Option<Kept>, mut by: Deadlines) -> Result<Answers, Trouble> {
        let (mut pause, mut read) = (PAUSE, None);
        for _ in 0..TRIES {
            let trouble = match self.turn(kept, read.take(), by).await {
                Ok(Some(answers)) => return Ok(answers),
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
        &self,
        kept: &mut Option<Kept>,
        read: Option<Read>,
        by: Deadlines,
    ) -> Result<Option<Answers>, Trouble> {
        let late = |_| Trouble::timed_out("a lane took a step");
        let mut lease = self.pool.lease(by.saved).await?;
        let mut turn = Turn { connection: &mut lease.connection, name: self.name, asks: self.asks };
        if read.is_none()
            && let Some(answers) = timeout_at(by.saved, turn.look(kept)).await.map_err(late)??
        {
            lease.give_back();
            return Ok(Some(answers));
        }
        let turned = match timeout_at(by.saved, turn.take(kept, read)).await.map_err(late)? {
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
                *kept = lane;
                Ok(Some(answers))
            }
            Turned::Staged(lane, answers) => {
                commit(lease, by).await?;
                *kept = lane;
                Ok(Some(answers))
            }
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

/// Commits. Should the answer get lost, the lane is read anew and everything asked again, which is safe: who has a number
/// keeps it, who has claimed has claimed, and who is done is done.
async fn commit(mut lease: Lease<'_>, by: Deadlines) -> Result<(), Trouble> {
    match timeout_at(by.known, raw_sql("COMMIT").execute(&mut lease.connection)).await {
        Ok(Ok(_)) => {
            lease.give_back();
            Ok(())
        }
        Ok(Err(error)) => match Trouble::from(error) {
            Trouble::Gone(detail) if Instant::now() >= by.saved => Err(Trouble::Unknown(detail)),
            trouble => Err(trouble),
        },
        Err(_) => Err(Trouble::Unknown("the database did not say whether it committed".into())),
    }
}

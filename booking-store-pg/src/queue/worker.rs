//! The worker of the queues: it takes what was asked meanwhile, of each lane as one batch, and answers. Lanes do not wait for
//! each other.

use std::{collections::BTreeMap, sync::Arc};

use booking_core::{
    LaneName, Refusal, StoreError,
    batcher::{Attended, BatchSizes, Batcher, Job, Limits},
    queue::{Answer, Call},
};
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, timeout_at};

use super::{kept::Memory, office::Office};
use crate::{
    deadlines::{KNOWN_WITHIN, SAVED_WITHIN},
    pool::{Connector, Pool},
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
    call: Call,
    asked: Instant,
}

/// What is told when it is not known what became of a call: what only reads has done nothing.
fn unanswered(only_reads: bool, detail: &str) -> StoreError {
    if only_reads { StoreError::unavailable(detail) } else { StoreError::unknown_outcome(detail) }
}

type Asked = Job<Work, Result<Answer, Refusal>>;
type Calls = Batcher<Work, Result<Answer, Refusal>>;

/// Where the calls of the queue port queue up.
#[derive(Debug)]
pub(crate) struct Queue(Arc<Calls>);

impl Queue {
    /// Starts a worker in the runtime this is called in.
    pub(crate) fn open(connector: Connector) -> Self {
        let calls = Arc::new(Batcher::new(Limits { queued: QUEUED, batch: BATCH }));
        tokio::spawn(work(calls.attend(), Pool::new(connector, CONNECTIONS)));
        Self(calls)
    }

    /// How many calls its batches had.
    pub(crate) fn sizes(&self) -> Arc<BatchSizes> {
        self.0.sizes()
    }

    /// Asks a lane and waits for the answer. A lane whose million numbers are being read may take longer than a caller
    /// shall wait; what was asked may be done all the same.
    pub(super) async fn answer(
        &self,
        lane: &LaneName,
        call: Call,
    ) -> Result<Result<Answer, Refusal>, StoreError> {
        let (asked, only_reads) = (Instant::now(), call.only_reads());
        let answer = self.0.submit(Work { lane: lane.clone(), call, asked }, 1);
        let late = |_| unanswered(only_reads, "the queue did not answer in time");
        timeout_at(asked + KNOWN_WITHIN, answer).await.map_err(late)?
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A lane, as far as something is known or asked of it.
#[derive(Default)]
struct Lane {
    /// None while a turn has it.
    memory: Option<Memory>,
    waiting: Vec<Asked>,
}

/// A turn that is over.
struct Over {
    lane: LaneName,
    memory: Memory,
}

async fn work(calls: Attended<Work, Result<Answer, Refusal>>, pool: Pool) {
    let mut lanes: BTreeMap<LaneName, Lane> = BTreeMap::new();
    let mut turns = FuturesUnordered::new();
    let (mut waiting, mut is_open) = (0, true);
    while is_open || !turns.is_empty() {
        let over = tokio::select! {
            biased;
            Some(over) = turns.next() => Some(over),
            jobs = calls.next(), if is_open && waiting < QUEUED => {
                is_open = jobs.is_some();
                waiting += sort(&mut lanes, jobs.unwrap_or_default());
                None
            }
        };
        if let Some(Over { lane, memory }) = over {
            lanes.entry(lane).or_default().memory = Some(memory);
            calls.settle(tokio::task::yield_now).await;
            let jobs = calls.next().now_or_never().flatten();
            waiting += sort(&mut lanes, jobs.unwrap_or_default());
        }
        lanes.retain(|_, lane| !lane.is_nothing());
        for (name, lane) in &mut lanes {
            if let Some((memory, jobs)) = lane.next_turn(&mut waiting) {
                turns.push(serve(&pool, &calls, name.clone(), memory, jobs));
            }
        }
    }
}

/// Puts calls before their lanes; gives how many they are.
fn sort(lanes: &mut BTreeMap<LaneName, Lane>, jobs: Vec<Asked>) -> usize {
    let many = jobs.len();
    for job in jobs {
        let new = || Lane { memory: Some(Memory::default()), waiting: Vec::new() };
        lanes.entry(job.work.lane.clone()).or_insert_with(new).waiting.push(job);
    }
    many
}

impl Lane {
    fn is_nothing(&self) -> bool {
        self.waiting.is_empty() && self.memory.as_ref().is_some_and(Memory::is_nothing)
    }

    /// What the next turn begins with, if one can begin and somebody still waits for it. Who has waited too long for the turn
    /// before is told so, and does not spoil the next one.
    fn next_turn(&mut self, waiting: &mut usize) -> Option<(Memory, Vec<Asked>)> {
        self.memory.as_ref()?;
        let (mut jobs, now) = (Vec::new(), Instant::now());
        while jobs.is_empty() && !self.waiting.is_empty() {
            let taken = self.waiting.drain(..self.waiting.len().min(BATCH));
            *waiting -= taken.len();
            for job in taken {
                if now < job.work.asked + SAVED_WITHIN {
                    jobs.push(job);
                } else {
                    job.reply.send(Err(StoreError::unavailable("the lane was busy for too long")));
                }
            }
        }
        if jobs.is_empty() { None } else { Some((self.memory.take()?, jobs)) }
    }
}

/// Answers the jobs of a lane.
async fn serve(pool: &Pool, calls: &Calls, lane: LaneName, mut memory: Memory, jobs: Vec<Asked>) -> Over {
    let asked_for: Vec<&Call> = jobs.iter().map(|job| &job.work.call).collect();
    let asked = jobs.iter().map(|job| job.work.asked).min().unwrap_or_else(Instant::now);
    let (answers, trouble) = Office::new(pool, &lane, &asked_for).answers(&mut memory, asked).await;
    calls.expect(jobs.len());
    let mut answers = answers.into_iter();
    for job in jobs {
        let answer = match (answers.next(), &trouble) {
            (Some(answer), _) => Ok(answer),
            (None, Some(Trouble::Unknown(detail))) => Err(unanswered(job.work.call.only_reads(), detail)),
            (None, Some(trouble)) => Err(trouble.to_store_error()),
            (None, None) => Err(StoreError::broken("a lane left a call without an answer")),
        };
        job.reply.send(answer);
    }
    Over { lane, memory }
}

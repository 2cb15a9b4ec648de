//! The workers of a store: they take what queues up, have it executed as one batch, and answer. For bookings there are those
//! who look and one who writes, so that the database loads for one batch while it writes another.

use std::sync::{Arc, atomic::Ordering};

use booking_core::{
    Command, StoreError,
    batcher::{Attended, BatchSizes, Batcher, Job, Limits, Reply},
};
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, mpsc, watch},
    time::{Instant, timeout_at},
};

use super::{
    Shared, glance,
    looker::{Looker, Seen},
    progress::{Part, Progress},
    turn::{Answers, Prepared},
    writer::{Duty, Writer},
};
use crate::{
    deadlines::{Deadlines, KNOWN_WITHIN, TRIES},
    trouble::Trouble,
};

/// More commands than this do not wait: the store is overloaded and says so.
const QUEUED: usize = 20_000;
/// More commands than this are not decided at once, so that no turn takes long.
const BATCH: usize = 512;
/// How often each job of a batch that failed is tried: one that always fails shall leave the others their time.
const TRIES_ALONE: u32 = 2;

/// Commands that belong together.
#[derive(Debug)]
pub(super) struct Work {
    commands: Vec<Command>,
    asked: Instant,
}

/// A queue with workers at its end.
#[derive(Debug)]
pub(super) struct Counter {
    duty: Duty,
    batcher: Arc<Batcher<Work, Answers>>,
}

impl Counter {
    /// Starts its workers in the runtime this is called in.
    pub(super) fn open(shared: &Arc<Shared>, duty: Duty) -> Self {
        let batcher = Arc::new(Batcher::new(Limits { queued: QUEUED, batch: BATCH }));
        let queue = batcher.attend();
        let writer = Writer::new(Arc::clone(shared), duty);
        match duty {
            Duty::Bookings => {
                let (written, to_write) = mpsc::channel(1);
                let (losers_come, while_losers_come) = watch::channel(false);
                let progress = Arc::new(Progress::new(Arc::clone(&batcher)));
                let queue = Arc::new(Mutex::new(queue));
                // While losers come one of their batches is answered from what was seen, while another is looked up.
                for part in [Part::First(losers_come), Part::Helper(while_losers_come)] {
                    let (queue, looker) = (Arc::clone(&queue), Looker::new(Arc::clone(shared)));
                    tokio::spawn(look(queue, looker, part, written.clone(), Arc::clone(&progress)));
                }
                tokio::spawn(write(to_write, writer, progress));
            }
            Duty::Lanes | Duty::Catalog => drop(tokio::spawn(work(queue, writer))),
        }
        Self { duty, batcher }
    }

    /// How many calls its batches had.
    pub(super) fn sizes(&self) -> Arc<BatchSizes> {
        self.batcher.sizes()
    }

    /// Queues commands and waits for their answers. Concerts may take longer than a caller shall wait. Nobody else waits any
    /// longer than that, and what was asked may be done all the same then.
    pub(super) async fn execute(&self, commands: Vec<Command>) -> Result<Answers, StoreError> {
        let (size, asked) = (commands.len(), Instant::now());
        let answer = self.batcher.submit(Work { commands, asked }, size);
        match self.duty {
            Duty::Bookings | Duty::Lanes => {
                let late = |_| StoreError::unknown_outcome("the store did not answer in time");
                timeout_at(asked + KNOWN_WITHIN, answer).await.map_err(late)?
            }
            Duty::Catalog => answer.await,
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.batcher.close();
    }
}

type Queue = Attended<Work, Answers>;
type Jobs = Vec<Job<Work, Answers>>;

/// A batch on its way to the writer, with the leave to look at it before its turn, if it was expected to be written.
struct ToWrite {
    jobs: Jobs,
    prepared: Prepared,
    leave: Option<OwnedSemaphorePermit>,
}

/// Takes batches and looks for what they need. Those that change nothing are answered here: the losers of a rush wait for
/// nobody's commit.
async fn look(
    queue: Arc<Mutex<Queue>>,
    mut looker: Looker,
    mut part: Part,
    writer: mpsc::Sender<ToWrite>,
    progress: Arc<Progress>,
) {
    loop {
        part.turn_comes().await;
        // One takes at a time.
        let taken = take(&*queue.lock().await, &progress).await;
        let Some(Taken { jobs, leave, is_alone }) = taken else { break };
        let asked = batch(&jobs).len();
        let jobs = if progress.most_lose.load(Ordering::Relaxed) {
            dismiss(&mut looker, jobs, &progress).await
        } else {
            jobs
        };
        let commands = batch(&jobs);
        let presumed = if is_alone { looker.presume(&commands, deadlines(&jobs)).await } else { None };
        let seen = match presumed {
            Some(prepared) => Seen::ToWrite(prepared),
            None if commands.is_empty() => Seen::Answers(Answers::new()),
            None => looker.look(&commands, deadlines(&jobs)).await,
        };
        if let Some(refused) = seen.refusals() {
            progress.most_lose.store(2 * (asked - commands.len() + refused) > asked, Ordering::Relaxed);
        }
        drop(commands);
        let to_write = matches!(seen, Seen::ToWrite(_));
        progress.was_written.store(to_write, Ordering::Relaxed);
        part.tell(!to_write);
        match seen {
            Seen::Answers(answers) => {
                tell(each(jobs, answers), &progress);
            }
            Seen::ToWrite(prepared) => {
                if writer.send(ToWrite { jobs, prepared, leave }).await.is_err() {
                    break;
                }
            }
        }
    }
}

/// Tells those who come too late, which takes a glance; and gives the others.
async fn dismiss(looker: &mut Looker, jobs: Jobs, progress: &Progress) -> Jobs {
    let holds: Vec<&Command> = batch(&jobs).into_iter().filter(|command| glance::may_tell(command)).collect();
    // One alone waits less for one look than for a glance and a look.
    if holds.len() < 2 {
        return jobs;
    }
    let Some(glance) = looker.glance(&holds, deadlines(&jobs)).await else { return jobs };
    drop(holds);
    let (mut told, mut left) = (Told::new(), Jobs::new());
    for job in jobs {
        let refusals = job.work.commands.iter().map(|command| glance.refusal(command).map(Err));
        match refusals.collect::<Option<Answers>>() {
            Some(refusals) => told.push((job.reply, Ok(refusals))),
            None => left.push(job),
        }
    }
    tell(told, progress);
    left
}

/// A batch that was taken, with the leave to look at it if it is expected to be written.
struct Taken {
    jobs: Jobs,
    leave: Option<OwnedSemaphorePermit>,
    /// Whether it is one job, and nobody else is being served.
    is_alone: bool,
}

/// The next batch.
async fn take(queue: &Queue, progress: &Progress) -> Option<Taken> {
    queue.arrival().await;
    let leave = if progress.was_written.load(Ordering::Relaxed) {
        Some(Arc::clone(&progress.next_to_write).acquire_owned().await.ok()?)
    } else {
        None
    };
    queue.settle(tokio::task::yield_now).await;
    let jobs = queue.next_share(progress.under_way.load(Ordering::Relaxed)).await?;
    let before = progress.under_way.fetch_add(jobs.len(), Ordering::Relaxed);
    Some(Taken { is_alone: before + jobs.len() == 1, jobs, leave })
}

/// Writes batches, one after the other. What became of one is told when the next one is on its way to the database, if there
/// is one: telling takes its time, in which the database would wait for us. Who asked by then comes into the batch that is
/// looked at next.
async fn write(mut to_write: mpsc::Receiver<ToWrite>, mut writer: Writer, progress: Arc<Progress>) {
    let mut written = Told::new();
    loop {
        let next = if let Ok(next) = to_write.try_recv() {
            Some(next)
        } else {
            tell(std::mem::take(&mut written), &progress);
            to_write.recv().await
        };
        let Some(ToWrite { jobs, prepared, leave }) = next else { break };
        let before = std::mem::take(&mut written);
        let (told, ()) = tokio::join!(biased; serve(&mut writer, jobs, prepared), async {
            tell(before, &progress);
            drop(leave);
        });
        written = told;
    }
}

/// Takes batches and writes them.
async fn work(queue: Queue, mut writer: Writer) {
    while let Some(jobs) = queue.next().await {
        send(serve(&mut writer, jobs, Prepared::Nothing).await);
    }
}

/// Who is told what.
type Told = Vec<(Reply<Answers>, Result<Answers, StoreError>)>;

/// Tells them, who may ask again.
fn tell(told: Told, progress: &Progress) {
    progress.answers(told.len());
    send(told);
}

fn send(told: Told) {
    for (reply, answer) in told {
        reply.send(answer);
    }
}

async fn serve(writer: &mut Writer, jobs: Jobs, prepared: Prepared) -> Told {
    match writer.execute(&batch(&jobs), prepared, deadlines(&jobs), TRIES).await {
        Ok(answers) => each(jobs, answers),
        // One of them broke the batch, or is in its own way each time, as one whose row is there already; the others shall not
        // suffer for it.
        Err(Trouble::Broken(detail) | Trouble::Again(detail)) if jobs.len() > 1 => {
            tracing::error!(detail, "a batch can't be executed; its jobs are tried one by one");
            let mut told = Told::new();
            for job in jobs {
                let job = [job];
                let by = deadlines(&job);
                let answer = writer.execute(&batch(&job), Prepared::Nothing, by, TRIES_ALONE).await;
                let [job] = job;
                told.push((job.reply, answer.map_err(|trouble| trouble.to_store_error())));
            }
            told
        }
        Err(trouble) => jobs.into_iter().map(|job| (job.reply, Err(trouble.to_store_error()))).collect(),
    }
}

fn batch(jobs: &[Job<Work, Answers>]) -> Vec<&Command> {
    jobs.iter().flat_map(|job| &job.work.commands).collect()
}

fn deadlines(jobs: &[Job<Work, Answers>]) -> Deadlines {
    Deadlines::of(jobs.iter().map(|job| job.work.asked).min().unwrap_or_else(Instant::now))
}

/// Each job with its answers.
fn each(jobs: Jobs, mut answers: Answers) -> Told {
    // From the back, so that each job's answers are cut off where they begin.
    let of_each = jobs.into_iter().rev().map(|job| {
        let first = answers.len().saturating_sub(job.work.commands.len());
        (job.reply, Ok(answers.split_off(first)))
    });
    of_each.collect()
}

//! The workers of a store: they take what queues up, have it executed as one batch, and answer. Bookings have two, so that
//! the database loads for one batch while it writes another.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use booking_core::{
    Command, StoreError,
    batcher::{BatchSizes, Batcher, Job, Limits},
};
use tokio::{sync::mpsc, time::Instant};

use super::{
    Shared,
    turn::{Answers, Prepared},
    writer::{Duty, Looker, Seen, Writer},
};
use crate::{deadlines::Deadlines, trouble::Trouble};

/// More commands than this do not wait: the store is overloaded and says so.
const QUEUED: usize = 20_000;
/// More commands than this are not decided at once, so that no turn takes long.
const BATCH: usize = 512;

/// Commands that belong together.
#[derive(Debug)]
pub(super) struct Work {
    commands: Vec<Command>,
    asked: Instant,
}

/// A queue with workers at its end.
#[derive(Debug)]
pub(super) struct Counter(Arc<Batcher<Work, Answers>>);

impl Counter {
    /// Starts its workers in the runtime this is called in.
    pub(super) fn open(shared: &Arc<Shared>, duty: Duty) -> Self {
        let batcher = Arc::new(Batcher::new(Limits { queued: QUEUED, batch: BATCH }));
        let queue = Attended(Arc::clone(&batcher));
        let writer = Writer::new(Arc::clone(shared), duty);
        match duty {
            Duty::Bookings => {
                let (written, to_write) = mpsc::channel(1);
                let progress = Arc::new(Progress::default());
                tokio::spawn(look(queue, Looker::new(Arc::clone(shared)), written, Arc::clone(&progress)));
                tokio::spawn(write(to_write, writer, progress));
            }
            Duty::Catalog => drop(tokio::spawn(work(queue, writer))),
        }
        Self(batcher)
    }

    /// How many calls its batches had.
    pub(super) fn sizes(&self) -> Arc<BatchSizes> {
        self.0.sizes()
    }

    /// Queues commands and waits for their answers.
    pub(super) async fn execute(&self, commands: Vec<Command>) -> Result<Answers, StoreError> {
        let size = commands.len();
        self.0.submit(Work { commands, asked: Instant::now() }, size).await
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The worker's hold on its queue: when the worker ends, by whatever way, nobody is left waiting.
struct Attended(Arc<Batcher<Work, Answers>>);

impl Drop for Attended {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

type Jobs = Vec<Job<Work, Answers>>;

/// What the one who takes batches has to know of the one who writes them.
#[derive(Debug, Default)]
struct Progress {
    /// Jobs that are being written.
    writing: AtomicUsize,
    /// Jobs that were answered since batches were taken last.
    answered: AtomicUsize,
}

/// Takes batches, each when the one before it has begun to be written, and looks for what they need. Those that change
/// nothing are answered here: the losers of a rush wait for nobody's commit.
async fn look(
    queue: Attended,
    mut looker: Looker,
    writer: mpsc::Sender<(Jobs, Prepared)>,
    progress: Arc<Progress>,
) {
    let Progress { writing, answered } = &*progress;
    // Whether the next batch is to be written is not known yet, but it is like the one before: sales go on being sales, and a
    // rush goes on having losers, with whom nobody shares the work.
    let mut was_written = false;
    while let Ok(permit) = writer.reserve().await {
        queue.0.settle(answered.swap(0, Ordering::Relaxed), tokio::task::yield_now).await;
        let next = if was_written {
            queue.0.next_share(writing.load(Ordering::Relaxed)).await
        } else {
            queue.0.next().await
        };
        let Some(jobs) = next else { break };
        let seen = looker.look(&batch(&jobs), deadlines(&jobs)).await;
        was_written = matches!(seen, Seen::ToWrite(_));
        match seen {
            Seen::Answers(answers) => {
                answered.fetch_add(jobs.len(), Ordering::Relaxed);
                answer(jobs, answers);
            }
            Seen::ToWrite(prepared) => {
                writing.fetch_add(jobs.len(), Ordering::Relaxed);
                permit.send((jobs, prepared));
            }
        }
    }
}

async fn write(mut to_write: mpsc::Receiver<(Jobs, Prepared)>, mut writer: Writer, progress: Arc<Progress>) {
    while let Some((jobs, prepared)) = to_write.recv().await {
        let many = jobs.len();
        serve(&mut writer, jobs, prepared).await;
        progress.writing.fetch_sub(many, Ordering::Relaxed);
        progress.answered.fetch_add(many, Ordering::Relaxed);
    }
}

/// Takes batches and writes them.
async fn work(queue: Attended, mut writer: Writer) {
    while let Some(jobs) = queue.0.next().await {
        serve(&mut writer, jobs, Prepared::Nothing).await;
    }
}

async fn serve(writer: &mut Writer, jobs: Jobs, prepared: Prepared) {
    match writer.execute(&batch(&jobs), prepared, deadlines(&jobs)).await {
        Ok(answers) => answer(jobs, answers),
        // One of them broke the batch; the others shall not suffer for it.
        Err(Trouble::Broken(detail)) if jobs.len() > 1 => {
            tracing::error!(detail, "a batch can't be executed; its jobs are tried one by one");
            for job in jobs {
                let job = [job];
                let answer = writer.execute(&batch(&job), Prepared::Nothing, deadlines(&job)).await;
                let [job] = job;
                job.reply.send(answer.map_err(|trouble| trouble.to_store_error()));
            }
        }
        Err(trouble) => {
            for job in jobs {
                job.reply.send(Err(trouble.to_store_error()));
            }
        }
    }
}

fn batch(jobs: &[Job<Work, Answers>]) -> Vec<&Command> {
    jobs.iter().flat_map(|job| &job.work.commands).collect()
}

fn deadlines(jobs: &[Job<Work, Answers>]) -> Deadlines {
    Deadlines::of(jobs.iter().map(|job| job.work.asked).min().unwrap_or_else(Instant::now))
}

fn answer(jobs: Jobs, mut answers: Answers) {
    // From the back, so that each job's answers are cut off where they begin.
    for job in jobs.into_iter().rev() {
        let first = answers.len().saturating_sub(job.work.commands.len());
        job.reply.send(Ok(answers.split_off(first)));
    }
}

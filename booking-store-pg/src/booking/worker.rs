//! The workers of a store: each takes what queues up, has it executed as one batch, and answers.

use std::sync::Arc;

use booking_core::{
    Command, StoreError,
    batcher::{BatchSizes, Batcher, Job, Limits},
};
use tokio::time::Instant;

use super::{
    Shared,
    turn::Answers,
    writer::{Duty, Writer},
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

/// A queue with a worker at its end.
#[derive(Debug)]
pub(super) struct Counter(Arc<Batcher<Work, Answers>>);

impl Counter {
    /// Starts a worker in the runtime this is called in.
    pub(super) fn open(shared: &Arc<Shared>, duty: Duty) -> Self {
        let batcher = Arc::new(Batcher::new(Limits { queued: QUEUED, batch: BATCH }));
        tokio::spawn(work(Attended(Arc::clone(&batcher)), Writer::new(Arc::clone(shared), duty)));
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

async fn work(queue: Attended, mut writer: Writer) {
    while let Some(jobs) = queue.0.next().await {
        let answered = jobs.len();
        serve(&mut writer, jobs).await;
        queue.0.settle(answered, tokio::task::yield_now).await;
    }
}

async fn serve(writer: &mut Writer, jobs: Vec<Job<Work, Answers>>) {
    match together(writer, &jobs).await {
        Ok(mut answers) => {
            // From the back, so that each job's answers are cut off where they begin.
            for job in jobs.into_iter().rev() {
                let first = answers.len().saturating_sub(job.work.commands.len());
                job.reply.send(Ok(answers.split_off(first)));
            }
        }
        // One of them broke the batch; the others shall not suffer for it.
        Err(Trouble::Broken(detail)) if jobs.len() > 1 => {
            tracing::error!(detail, "a batch can't be executed; its jobs are tried one by one");
            for job in jobs {
                let answer = together(writer, std::slice::from_ref(&job)).await;
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

async fn together(writer: &mut Writer, jobs: &[Job<Work, Answers>]) -> Result<Answers, Trouble> {
    let batch: Vec<&Command> = jobs.iter().flat_map(|job| &job.work.commands).collect();
    let asked = jobs.iter().map(|job| job.work.asked).min().unwrap_or_else(Instant::now);
    writer.execute(&batch, Deadlines::of(asked)).await
}

//! Natural batching: while one batch is committing, arriving jobs queue up and form the next one. No timer and no
//! added delay: an idle store serves a batch of one.
//!
//! Callers [`submit`](Batcher::submit) jobs and wait for their answers; the one worker of a store takes everything that
//! queues by [`next`](Batcher::next), executes it as one and answers each job. It needs no runtime: waiting is by
//! wakers, so a task, a thread with an executor of its own, or a test under loom can be either side.

mod reply;
mod sizes;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    future::poll_fn,
    ops::Deref,
    sync::Arc,
    task::{Context, Poll, Waker},
};

pub use reply::{Answering, Reply};
pub use sizes::BatchSizes;

use crate::{
    error::StoreError,
    sync::{Mutex, lock},
};

/// After so many pauses in which nobody came, nobody else is waited for.
const IN_VAIN: u32 = 8;

/// Fewer jobs than this are not split between workers: what a batch costs, however small it is, would outweigh the gain.
const WORTH_SPLITTING: usize = 32;

/// How many waiting jobs the next batch takes while `others` are being served, or were answered just now and will ask again: at
/// most half of all. Callers ask again together with those they were answered with, so batches that take turns would stay as
/// unequal as they began, and during a tiny one there is no time to prepare a big one.
pub fn share(waiting: usize, others: usize) -> usize {
    match waiting.saturating_add(others) {
        all if all < WORTH_SPLITTING => all,
        all => all.div_ceil(2),
    }
}

/// How much may wait, and how much is taken at once, in the sizes that [`Batcher::submit`] is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A job that would make the queue longer than this is refused at once; one alone always fits.
    pub queued: usize,
    /// A batch is at most this big; a single job that is bigger is a batch of its own.
    pub batch: usize,
}

/// A job that was taken, with the way to answer it.
#[derive(Debug)]
pub struct Job<W, A> {
    /// What to do.
    pub work: W,
    /// How much it is.
    size: usize,
    /// Where the answer goes. Dropping it unanswered answers [`StoreError::unknown_outcome`].
    pub reply: Reply<A>,
}

/// The queue between many callers and the one worker of a store.
#[derive(Debug)]
pub struct Batcher<W, A> {
    limits: Limits,
    queue: Mutex<Queue<W, A>>,
    sizes: Arc<BatchSizes>,
}

#[derive(Debug)]
struct Queue<W, A> {
    jobs: VecDeque<Job<W, A>>,
    /// The sum of their sizes.
    size: usize,
    /// How many there were ever.
    arrived: u64,
    /// How many there will have been when those who were answered have asked again.
    expected: u64,
    /// The worker, while it waits for a job.
    worker: Option<Waker>,
    closed: bool,
}

impl<W, A> Queue<W, A> {
    fn push(&mut self, job: Job<W, A>) {
        self.size = self.size.saturating_add(job.size);
        self.arrived = self.arrived.saturating_add(1);
        self.jobs.push_back(job);
    }

    fn pop(&mut self) -> Option<Job<W, A>> {
        let job = self.jobs.pop_front()?;
        self.size = self.size.saturating_sub(job.size);
        Some(job)
    }

    /// The jobs at the front that fit into one batch, `many` at most. A job whose asker has gone is dropped: nobody learns
    /// what became of it, and under overload the time is better spent on those who still wait.
    fn take(&mut self, most: usize, many: usize) -> Vec<Job<W, A>> {
        let (mut batch, mut size) = (Vec::new(), 0_usize);
        while let Some(job) = self.jobs.front()
            && batch.len() < many
        {
            let wanted = job.reply.is_awaited();
            if wanted && !batch.is_empty() && size.saturating_add(job.size) > most {
                break;
            }
            let Some(job) = self.pop() else { break };
            if wanted {
                size = size.saturating_add(job.size);
                batch.push(job);
            }
        }
        batch
    }
}

impl<W, A> Batcher<W, A> {
    /// An empty queue.
    pub fn new(limits: Limits) -> Self {
        let jobs = VecDeque::new();
        let queue = Queue { jobs, size: 0, arrived: 0, expected: 0, worker: None, closed: false };
        Self { limits, queue: Mutex::new(queue), sizes: Arc::default() }
    }

    /// Queues a job of this size (how many commands it has) and gives the future of its answer. A full or closed queue
    /// answers [`StoreError::unavailable`] at once. Dropping the future takes nothing back: the job may still be done.
    pub fn submit(&self, work: W, size: usize) -> Answering<A> {
        let mut queue = match lock(&self.queue) {
            Ok(queue) => queue,
            Err(error) => return Answering::already(Err(error)),
        };
        if queue.closed {
            return Answering::already(Err(StoreError::unavailable("the store is closed")));
        }
        if !queue.jobs.is_empty() && queue.size.saturating_add(size) > self.limits.queued {
            let waiting = queue.size;
            let full = format!("the queue of the store is full: {waiting} commands wait");
            return Answering::already(Err(StoreError::unavailable(full)));
        }
        let (reply, answering) = reply::pair();
        queue.push(Job { work, size, reply });
        let worker = queue.worker.take();
        drop(queue);
        worker.into_iter().for_each(Waker::wake);
        answering
    }

    /// How big the batches were that were handed out.
    pub fn sizes(&self) -> Arc<BatchSizes> {
        Arc::clone(&self.sizes)
    }

    /// The next batch: everything that waits, up to the limit, in order of arrival. Waits while there is nothing; none
    /// when the queue is closed and empty. There is one worker: a second one that waits takes the place of the first.
    pub async fn next(&self) -> Option<Vec<Job<W, A>>> {
        poll_fn(|context| self.poll_next(context, |_| usize::MAX)).await
    }

    /// The next batch while `others` callers are being served, or were answered just now and will come again: a [`share`] of
    /// all at most.
    pub async fn next_share(&self, others: usize) -> Option<Vec<Job<W, A>>> {
        poll_fn(|context| self.poll_next(context, |waiting| share(waiting, others))).await
    }

    fn poll_next(
        &self,
        context: &Context<'_>,
        share: impl Fn(usize) -> usize,
    ) -> Poll<Option<Vec<Job<W, A>>>> {
        // A caller that panicked inside the lock: there is no more work for anybody.
        let Ok(mut queue) = lock(&self.queue) else { return Poll::Ready(None) };
        let share = share(queue.jobs.len());
        let batch = queue.take(self.limits.batch, share);
        if !batch.is_empty() {
            self.sizes.count(batch.len());
            return Poll::Ready(Some(batch));
        }
        if queue.closed {
            return Poll::Ready(None);
        }
        queue.worker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Waits until something waits, or the queue is closed. Who is woken by the first of many can [`settle`](Self::settle) then.
    pub async fn arrival(&self) {
        poll_fn(|context| match lock(&self.queue) {
            Ok(mut queue) if queue.jobs.is_empty() && !queue.closed => {
                queue.worker = Some(context.waker().clone());
                Poll::Pending
            }
            // A caller that panicked inside the lock: there is no more work for anybody.
            Ok(_) | Err(_) => Poll::Ready(()),
        })
        .await;
    }

    /// Notes that so many callers are answered now, who may ask again: the next batch can [`settle`](Self::settle) for them.
    pub fn expect(&self, callers: usize) {
        let Ok(mut queue) = lock(&self.queue) else { return };
        let callers = u64::try_from(callers).unwrap_or(u64::MAX);
        queue.expected = queue.expected.max(queue.arrived).saturating_add(callers);
    }

    /// Gives the callers just answered a moment to ask again, so that they form one batch with those who wait already: calls
    /// `pause`, which shall give way to others, until as many have come as are [expected](Self::expect), or nobody comes any
    /// more. Who has not come by then is expected no longer.
    pub async fn settle(&self, pause: impl AsyncFn()) {
        let (mut seen, mut in_vain) = (None, 0);
        while let Some(arrived) = self.arrived_of_expected() {
            in_vain = if seen.replace(arrived) == Some(arrived) { in_vain + 1 } else { 0 };
            if in_vain == IN_VAIN {
                break;
            }
            pause().await;
        }
        if let Ok(mut queue) = lock(&self.queue) {
            queue.expected = queue.arrived;
        }
    }

    /// How many have arrived ever, if that is less than expected.
    fn arrived_of_expected(&self) -> Option<u64> {
        let queue = lock(&self.queue).ok()?;
        (queue.arrived < queue.expected).then_some(queue.arrived)
    }

    /// Whether it takes no more jobs: it was closed, or its worker has gone.
    pub fn is_closed(&self) -> bool {
        lock(&self.queue).map_or(true, |queue| queue.closed)
    }

    /// Takes no more jobs. Those that wait are still handed out by [`next`](Self::next), then it ends.
    pub fn close(&self) {
        let Ok(mut queue) = lock(&self.queue) else { return };
        queue.closed = true;
        let worker = queue.worker.take();
        drop(queue);
        worker.into_iter().for_each(Waker::wake);
    }

    /// The worker's hold on the queue: when it is dropped, however the worker ends, nobody is left waiting.
    pub fn attend(self: &Arc<Self>) -> Attended<W, A> {
        Attended(Arc::clone(self))
    }

    /// Closes the queue and answers what waits with [`StoreError::unavailable`]: the worker is gone.
    fn abandon(&self) {
        self.close();
        let waiting = lock(&self.queue).map(|mut queue| std::mem::take(&mut queue.jobs));
        for job in waiting.into_iter().flatten() {
            job.reply.send(Err(StoreError::unavailable("the store is closed")));
        }
    }
}

/// A queue with a worker, made by [`Batcher::attend`].
#[derive(Debug)]
pub struct Attended<W, A>(Arc<Batcher<W, A>>);

impl<W, A> Deref for Attended<W, A> {
    type Target = Batcher<W, A>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<W, A> Drop for Attended<W, A> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

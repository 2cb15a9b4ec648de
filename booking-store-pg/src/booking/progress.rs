//! How those who take batches of bookings, and the one who writes them, go by each other.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use booking_core::batcher::Batcher;
use tokio::sync::{Semaphore, watch};

use super::{turn::Answers, worker::Work};

/// What those who take batches have to know of each other, and of the one who writes them.
#[derive(Debug)]
pub(super) struct Progress {
    queue: Arc<Batcher<Work, Answers>>,
    /// Jobs that were taken and are not answered.
    pub(super) under_way: AtomicUsize,
    /// Whether the last batch was to be written. So the next one is expected to be: sales go on being sales, and a rush goes
    /// on having losers.
    pub(super) was_written: AtomicBool,
    /// Whether most of the last batch were refused, so that a glance may be worth while.
    pub(super) most_lose: AtomicBool,
    /// What is to be written is looked at when the batch before it has begun to be written: it would be old by its turn otherwise.
    pub(super) next_to_write: Arc<Semaphore>,
}

impl Progress {
    pub(super) fn new(queue: Arc<Batcher<Work, Answers>>) -> Self {
        Self {
            queue,
            under_way: AtomicUsize::new(0),
            was_written: AtomicBool::new(false),
            most_lose: AtomicBool::new(false),
            next_to_write: Arc::new(Semaphore::new(1)),
        }
    }

    /// Notes that so many jobs are answered now.
    pub(super) fn answers(&self, jobs: usize) {
        self.under_way.fetch_sub(jobs, Ordering::Relaxed);
        self.queue.expect(jobs);
    }
}

/// Which of those who look one is.
pub(super) enum Part {
    /// Takes whatever comes, and tells whether its last batch was one of losers.
    First(watch::Sender<bool>),
    /// Takes as well while losers come, and when the first is gone.
    Helper(watch::Receiver<bool>),
}

impl Part {
    pub(super) async fn turn_comes(&mut self) {
        if let Self::Helper(losers_come) = self {
            drop(losers_come.wait_for(|come| *come).await);
        }
    }

    pub(super) fn tell(&self, losers_came: bool) {
        if let Self::First(losers_come) = self {
            losers_come.send_if_modified(|come| std::mem::replace(come, losers_came) != losers_came);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    use super::*;

    fn may_take(helper: &mut Part) -> bool {
        pin!(helper.turn_comes()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn the_helper_takes_while_losers_come_and_when_it_is_alone() {
        let (losers_come, while_losers_come) = watch::channel(false);
        let (mut first, mut helper) = (Part::First(losers_come), Part::Helper(while_losers_come));
        assert!(may_take(&mut first));
        assert!(!may_take(&mut helper));
        first.tell(true);
        assert!(may_take(&mut helper));
        first.tell(false);
        assert!(!may_take(&mut helper));
        drop(first);
        assert!(may_take(&mut helper), "nobody else would");
    }
}

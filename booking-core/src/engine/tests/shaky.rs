use std::{
    future::poll_fn,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
};

use async_trait::async_trait;

use crate::{
    catalog::LaneSettings,
    error::{Error, StoreError},
    id::UserId,
    memory::MemoryQueue,
    queue::{Advanced, Entered, LaneSnapshot, Place},
    store::QueueStore,
    ticket::{EndReason, LaneName, Ticket},
    time::Timestamp,
};

/// A queue store that can be cut off, whole or a lane of it, and that can lie about how many people it knows.
pub(super) struct ShakyQueue {
    inner: MemoryQueue,
    down: AtomicBool,
    /// A lane whose part of the store is cut off.
    lost: Mutex<Option<LaneName>>,
    lies: AtomicBool,
    advances: AtomicUsize,
    finishing: AtomicUsize,
    most_finishing: AtomicUsize,
}

impl ShakyQueue {
    pub(super) fn over(inner: MemoryQueue) -> Self {
        Self {
            inner,
            down: AtomicBool::default(),
            lost: Mutex::default(),
            lies: AtomicBool::default(),
            advances: AtomicUsize::default(),
            finishing: AtomicUsize::default(),
            most_finishing: AtomicUsize::default(),
        }
    }

    pub(super) fn cut_off(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub(super) fn cut_off_lane(&self, lane: LaneName) {
        *self.lost.lock().unwrap() = Some(lane);
    }

    /// How often any lane advanced by itself.
    pub(super) fn advances(&self) -> usize {
        self.advances.load(Ordering::SeqCst)
    }

    /// How many tickets were being finished at once, at most.
    pub(super) fn most_finishing(&self) -> usize {
        self.most_finishing.load(Ordering::SeqCst)
    }

    pub(super) fn lie(&self) {
        self.lies.store(true, Ordering::SeqCst);
    }

    pub(super) fn failure() -> StoreError {
        StoreError::unavailable("the queue store is cut off")
    }

    fn reach(&self, lane: &LaneName) -> Result<&MemoryQueue, StoreError> {
        let lost = self.down.load(Ordering::SeqCst) || self.lost.lock().unwrap().as_ref() == Some(lane);
        if lost { Err(Self::failure()) } else { Ok(&self.inner) }
    }
}

/// Waits for another turn, as a call does whose answer is not there yet.
async fn on_the_wire() {
    let mut asked = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[async_trait]
impl QueueStore for ShakyQueue {
    async fn enter(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        self.reach(lane)?.enter(lane, user).await
    }

    async fn place(&self, ticket: &Ticket) -> Result<Place, Error> {
        self.reach(&ticket.lane)?.place(ticket).await
    }

    async fn claim(&self, ticket: &Ticket) -> Result<Timestamp, Error> {
        self.reach(&ticket.lane)?.claim(ticket).await
    }

    async fn finish(&self, ticket: &Ticket, reason: EndReason) -> Result<(), StoreError> {
        let finishing = self.finishing.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_finishing.fetch_max(finishing, Ordering::SeqCst);
        on_the_wire().await;
        self.finishing.fetch_sub(1, Ordering::SeqCst);
        self.reach(&ticket.lane)?.finish(ticket, reason).await
    }

    async fn advance(&self, lane: &LaneName) -> Result<Advanced, Error> {
        self.advances.fetch_add(1, Ordering::SeqCst);
        self.reach(lane)?.advance(lane).await
    }

    async fn snapshot(&self, lane: &LaneName, since: Option<u64>) -> Result<LaneSnapshot, Error> {
        let mut snapshot = self.reach(lane)?.snapshot(lane, since).await?;
        snapshot.users += u64::from(self.lies.load(Ordering::SeqCst));
        Ok(snapshot)
    }

    async fn configure(&self, lane: &LaneName, settings: &LaneSettings) -> Result<(), StoreError> {
        self.reach(lane)?.configure(lane, settings).await
    }
}

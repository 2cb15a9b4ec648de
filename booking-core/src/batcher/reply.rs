//! One answer on its way from the worker to who asked.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use crate::{
    error::StoreError,
    sync::{Mutex, lock},
};

#[derive(Debug)]
struct Slot<A> {
    answer: Option<Result<A, StoreError>>,
    asker: Option<Waker>,
    /// Nobody waits for the answer any more.
    forgotten: bool,
}

/// The worker's end: it answers once.
#[derive(Debug)]
pub struct Reply<A>(Option<Arc<Mutex<Slot<A>>>>);

/// The asker's end: the future of the answer.
#[derive(Debug)]
pub struct Answering<A>(Arc<Mutex<Slot<A>>>);

pub(super) fn pair<A>() -> (Reply<A>, Answering<A>) {
    let slot = Arc::new(Mutex::new(Slot { answer: None, asker: None, forgotten: false }));
    (Reply(Some(Arc::clone(&slot))), Answering(slot))
}

impl<A> Reply<A> {
    /// Answers the job.
    pub fn send(mut self, answer: Result<A, StoreError>) {
        self.put(answer);
    }

    /// Whether somebody still waits for the answer.
    pub fn is_awaited(&self) -> bool {
        self.0.as_ref().is_some_and(|slot| lock(slot).is_ok_and(|slot| !slot.forgotten))
    }

    fn put(&mut self, answer: Result<A, StoreError>) {
        let Some(slot) = self.0.take() else { return };
        let Ok(mut slot) = lock(&slot) else { return };
        slot.answer = Some(answer);
        let asker = slot.asker.take();
        drop(slot);
        asker.into_iter().for_each(Waker::wake);
    }
}

impl<A> Drop for Reply<A> {
    /// The worker died over the job: it may have been done (I20).
    fn drop(&mut self) {
        self.put(Err(StoreError::unknown_outcome("the store ended while it worked on this")));
    }
}

impl<A> Answering<A> {
    /// An answer that is there already.
    pub(super) fn already(answer: Result<A, StoreError>) -> Self {
        Self(Arc::new(Mutex::new(Slot { answer: Some(answer), asker: None, forgotten: false })))
    }
}

impl<A> Future for Answering<A> {
    type Output = Result<A, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = match lock(&self.0) {
            Ok(slot) => slot,
            Err(error) => return Poll::Ready(Err(error)),
        };
        if let Some(answer) = slot.answer.take() {
            return Poll::Ready(answer);
        }
        if !slot.asker.as_ref().is_some_and(|asker| asker.will_wake(context.waker())) {
            slot.asker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

impl<A> Drop for Answering<A> {
    fn drop(&mut self) {
        let Ok(mut slot) = lock(&self.0) else { return };
        slot.forgotten = true;
        // A waker may drop whatever it likes, so not under the lock.
        let asker = slot.asker.take();
        drop(slot);
        drop(asker);
    }
}

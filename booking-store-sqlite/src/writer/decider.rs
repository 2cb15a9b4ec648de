//! The thread that decides.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use booking_core::{
    Clock, StoreError,
    batcher::{Answering, Attended, BatchSizes, share},
};

use super::{Answer, Call, Desk, Inbox, Work, draft::Draft};
use crate::{
    shared::{Lanes, Shared},
    trouble::Trouble,
};

/// More batches than this are not decided ahead.
const MOST: usize = 16;

/// Decides what waits in the inbox, hands it to the saver, and answers when it is written.
///
/// While one group is written, the next is decided on what the file holds before. That is as good as after, as long as
/// what it reaches does not meet what is being written; calls that do are held back until it is.
pub(crate) struct Decider {
    inbox: Attended<Work, Answer>,
    /// When there is no decider, the saver has nothing more to do.
    desk: Attended<Arc<Vec<Draft>>, Result<(), Trouble>>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    /// Like the shared ones, but for everything that is decided.
    lanes: Lanes,
    sizes: Arc<BatchSizes>,
    written: Option<Written>,
    /// Decided, and to be written next.
    next: VecDeque<Decided>,
    /// Calls that meet what is not in memory yet; as long as there are any, no others are taken.
    held_back: Vec<Call>,
    /// Calls of a group that broke: one of them brought the rows that did, so each is a group of its own.
    alone: VecDeque<Call>,
    /// How many the group before answered: most of them will come again.
    answered: usize,
}

/// Calls that were decided together, and their answers.
struct Decided {
    draft: Draft,
    calls: Vec<Call>,
    answers: Vec<Answer>,
}

/// A group that is being written.
struct Written {
    drafts: Arc<Vec<Draft>>,
    calls: Vec<Call>,
    answers: Vec<Answer>,
    saved: Answering<Result<(), Trouble>>,
}

enum Turn {
    Take(Vec<Call>),
    Saved(Result<(), Trouble>),
    /// Nobody will come, or the saver has gone.
    Over(Option<StoreError>),
}

fn fail(calls: Vec<Call>, error: &StoreError) {
    for call in calls {
        call.reply.send(Err(error.clone()));
    }
}

impl Decider {
    pub(crate) fn new(
        inbox: &Arc<Inbox>,
        desk: &Arc<Desk>,
        clock: &Arc<dyn Clock>,
        shared: &Arc<Shared>,
        sizes: &Arc<BatchSizes>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            inbox: inbox.attend(),
            desk: desk.attend(),
            clock: Arc::clone(clock),
            lanes: shared.lanes()?.clone(),
            shared: Arc::clone(shared),
            sizes: Arc::clone(sizes),
            written: None,
            next: VecDeque::new(),
            held_back: Vec::new(),
            alone: VecDeque::new(),
            answered: 0,
        })
    }

    /// Works until the inbox is closed and empty.
    pub(crate) fn run(mut self) {
        loop {
            match pollster::block_on(self.turn()) {
                Turn::Take(calls) => self.decide(calls),
                Turn::Saved(saved) => self.saved(saved),
                Turn::Over(error) => {
                    let written = self.written.take().map(|written| written.calls);
                    written.into_iter().zip(&error).for_each(|(calls, error)| fail(calls, error));
                    return;
                }
            }
            self.write();
        }
    }

    async fn turn(&mut self) -> Turn {
        let is_open = self.held_back.is_empty() && self.alone.is_empty() && self.next.len() < MOST;
        let mut waiting = pin!(self.inbox.next());
        poll_fn(|context| {
            let written = self.written.as_mut().map(|written| Pin::new(&mut written.saved).poll(context));
            let is_idle = written.is_none();
            match written {
                Some(Poll::Ready(Ok(saved))) => return Poll::Ready(Turn::Saved(saved)),
                Some(Poll::Ready(Err(error))) => return Poll::Ready(Turn::Over(Some(error))),
                Some(Poll::Pending) | None => {}
            }
            if !is_open {
                return Poll::Pending;
            }
            match waiting.as_mut().poll(context) {
                Poll::Ready(Some(calls)) => Poll::Ready(Turn::Take(calls)),
                Poll::Ready(None) if is_idle => Poll::Ready(Turn::Over(None)),
                Poll::Ready(None) | Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Everything that is decided and not in memory yet.
    fn under_way(&self) -> impl Iterator<Item = &Draft> {
        let written = self.written.iter().flat_map(|written| written.drafts.iter());
        written.chain(self.next.iter().map(|decided| &decided.draft))
    }

    /// Decides calls for the next group, in order and at one instant. Those that change nothing are answered, unless they
    /// may know of something that is not written.
    fn decide(&mut self, calls: Vec<Call>) {
        let mut draft = match Draft::of(&calls, &self.shared) {
            Ok(draft) => draft,
            Err(error) => return fail(calls, &error),
        };
        if self.under_way().any(|other| other.meets(&draft)) {
            self.held_back = calls;
            return;
        }
        let knows_more = self.under_way().any(|other| !other.moved.is_empty());
        // Nobody else writes, so the rows are as good as locked.
        let answers = draft.decide(&calls, &mut self.lanes, self.clock.now());
        if draft.is_empty() && !(knows_more && draft.asked_lanes) {
            return answer(calls, answers);
        }
        self.next.push_back(Decided { draft, calls, answers });
    }

    /// Has the next group written, if none is. What was held back, or failed with others, comes first once everything before
    /// it is in memory.
    fn write(&mut self) {
        while self.written.is_none() && self.next.is_empty() {
            if let Some(call) = self.alone.pop_front() {
                self.decide(vec![call]);
            } else if !self.held_back.is_empty() {
                let calls = std::mem::take(&mut self.held_back);
                self.decide(calls);
            } else {
                return;
            }
        }
        self.submit();
    }

    /// Gives what is decided to the saver, if there is something and the saver is free: a [`share`] of it.
    fn submit(&mut self) {
        if self.written.is_some() || self.next.is_empty() {
            return;
        }
        let share = share(self.next.iter().map(|decided| decided.calls.len()).sum(), self.answered);
        let (mut drafts, mut calls, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(decided) =
            self.next.pop_front_if(|next| calls.is_empty() || calls.len() + next.calls.len() <= share)
        {
            drafts.push(decided.draft);
            calls.extend(decided.calls);
            answers.extend(decided.answers);
        }
        self.sizes.count(calls.len());
        let drafts = Arc::new(drafts);
        let saved = self.desk.submit(Arc::clone(&drafts), 1);
        self.written = Some(Written { drafts, calls, answers, saved });
    }

    /// Lets the memory follow what was written. Only then are the answers anybody's.
    fn saved(&mut self, saved: Result<(), Trouble>) {
        let Some(Written { drafts, calls, answers, .. }) = self.written.take() else { return };
        self.answered = calls.len();
        if let Err(trouble) = saved {
            return self.failed(&drafts, calls, &trouble);
        }
        if self.held_back.is_empty() {
            // The file need not wait for the memory. Nothing is decided before the memory has followed, though.
            self.submit();
        }
        let published = drafts.iter().try_for_each(|draft| draft.publish(&self.shared));
        if !self.held_back.is_empty() {
            let mut calls = std::mem::take(&mut self.held_back);
            calls.extend(self.waiting());
            self.decide(calls);
        }
        self.write();
        match published {
            Ok(()) => answer(calls, answers),
            // It was done, and nobody here can see it.
            Err(error) => fail(calls, &StoreError::unknown_outcome(error.to_string())),
        }
    }

    /// Everything that waits in the inbox now.
    fn waiting(&self) -> Vec<Call> {
        let mut all = Vec::new();
        while let Poll::Ready(Some(calls)) =
            pin!(self.inbox.next()).poll(&mut Context::from_waker(Waker::noop()))
        {
            all.extend(calls);
        }
        all
    }

    /// Nothing of the group was written. What was decided after it is decided anew, since the lanes go back.
    fn failed(&mut self, drafts: &[Draft], calls: Vec<Call>, trouble: &Trouble) {
        let later = std::mem::take(&mut self.next);
        self.take_back(drafts.iter().chain(later.iter().map(|decided| &decided.draft)));
        let mut again: Vec<Call> = later.into_iter().flat_map(|decided| decided.calls).collect();
        again.append(&mut self.held_back);
        self.held_back = again;
        match trouble {
            Trouble::Broken(_) if calls.len() > 1 => return self.alone.extend(calls),
            Trouble::Stopped(why) => self.shared.stop(why),
            Trouble::Broken(_) | Trouble::Gone(_) | Trouble::Unknown(_) => {}
        }
        fail(calls, &trouble.to_store_error());
    }

    /// The books need nothing: the drafts are copies.
    fn take_back<'a>(&mut self, drafts: impl Iterator<Item = &'a Draft>) {
        // A panic elsewhere broke the store; then nothing is answered any more.
        let Ok(committed) = self.shared.lanes() else { return };
        for name in drafts.flat_map(|draft| draft.moved.keys()) {
            match committed.get(name) {
                Some(lane) => self.lanes.insert(name.clone(), lane.clone()),
                None => self.lanes.remove(name),
            };
        }
    }
}

fn answer(calls: Vec<Call>, answers: Vec<Answer>) {
    for (call, answer) in calls.into_iter().zip(answers) {
        call.reply.send(Ok(answer));
    }
}

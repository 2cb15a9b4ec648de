//! The one thread that changes the file, and the memory after it.

mod draft;
mod work;

use std::sync::Arc;

use booking_core::{
    Clock, StoreError,
    batcher::{Batcher, Job, Limits},
};
use rusqlite::Connection;

use crate::{
    booking::{load::last_event, save},
    queue,
    shared::{Lanes, Shared},
    trouble::Trouble,
};
use draft::Draft;
pub(crate) use work::{Answer, Ask, Work};

/// How many commands may wait, and how many one transaction takes.
const LIMITS: Limits = Limits { queued: 16_384, batch: 512 };

/// The queue in front of the writer.
pub(crate) type Inbox = Batcher<Work, Answer>;

pub(crate) fn inbox() -> Inbox {
    Batcher::new(LIMITS)
}

/// The writer's own: the file, and what the batch in flight is decided on.
pub(crate) struct Writer {
    file: Connection,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    /// Like the shared ones, but for the batch in flight.
    lanes: Lanes,
    last_event: i64,
    /// SQLite's count of what other connections committed.
    others: i64,
    /// A commit failed, so memory and file are compared before the next.
    failed: bool,
}

/// Nobody waits for a writer that is gone, however it went.
struct Closing(Arc<Inbox>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Writer {
    pub(crate) fn new(file: Connection, clock: Arc<dyn Clock>, shared: Arc<Shared>) -> Result<Self, Trouble> {
        let lanes = shared.lanes().map_err(|error| Trouble::Broken(error.to_string()))?.clone();
        let (last_event, others) = (last_event(&file)?, commits_of_others(&file)?);
        Ok(Self { file, clock, shared, lanes, last_event, others, failed: false })
    }

    /// Works until the inbox is closed and empty.
    pub(crate) fn run(mut self, inbox: Arc<Inbox>) {
        let closing = Closing(inbox);
        while let Some(jobs) = pollster::block_on(closing.0.next()) {
            let answered = jobs.len();
            self.serve(jobs);
            pollster::block_on(closing.0.settle(answered, async || std::thread::yield_now()));
        }
    }

    /// One transaction for all; if it is the rows that fail, one for each, so that who brought them fails alone.
    fn serve(&mut self, jobs: Vec<Job<Work, Answer>>) {
        let (work, replies): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.work, job.reply)).unzip();
        let answers: Vec<_> = match self.turn(&work) {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(Trouble::Broken(_)) if work.len() > 1 => work.chunks(1).map(|one| self.alone(one)).collect(),
            Err(trouble) => work.iter().map(|_| Err(trouble.to_store_error())).collect(),
        };
        for (reply, answer) in replies.into_iter().zip(answers) {
            reply.send(answer);
        }
    }

    fn alone(&mut self, work: &[Work]) -> Result<Answer, StoreError> {
        let answers = self.turn(work).map_err(|trouble| trouble.to_store_error())?;
        answers.into_iter().next().ok_or_else(|| StoreError::broken("a call was not answered"))
    }

    /// Decides, saves, and lets the memory follow. Only then are the answers anybody's.
    fn turn(&mut self, work: &[Work]) -> Result<Vec<Answer>, Trouble> {
        self.check()?;
        let draft = Draft::of(work, &self.shared, &mut self.lanes, self.clock.as_ref())?;
        if !draft.is_empty()
            && let Err(trouble) = self.commit(&draft)
        {
            self.take_back(&draft);
            return Err(trouble);
        }
        draft.publish(&self.shared, &self.lanes)
    }

    /// After a failure: the transaction is over, and the file holds what memory holds.
    fn check(&mut self) -> Result<(), Trouble> {
        if !self.failed {
            return Ok(());
        }
        if !self.file.is_autocommit() {
            self.file.execute_batch("ROLLBACK")?;
        }
        if last_event(&self.file)? != self.last_event {
            return Err(Trouble::Broken(
                "the file is not what was written to it; restart to read it anew".into(),
            ));
        }
        self.failed = false;
        Ok(())
    }

    fn commit(&mut self, draft: &Draft) -> Result<(), Trouble> {
        self.file.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        if commits_of_others(&self.file)? != self.others {
            return Err(Trouble::Broken("another program wrote to the file; restart to read it anew".into()));
        }
        let changed = draft.changed_rows();
        save::changes(&self.file, &changed, &draft.events, self.last_event, draft.now)?;
        save::forget_endings(&self.file, &draft.acknowledged)?;
        for (name, moved) in &draft.lanes {
            if let Some(lane) = self.lanes.get(name) {
                queue::save(&self.file, name, lane, &moved.events)?;
            }
        }
        let committed = self.file.prepare_cached("COMMIT")?.execute(());
        committed.map_err(|error| Trouble::of_commit(&error))?;
        self.last_event += i64::try_from(draft.events.len()).unwrap_or(0);
        Ok(())
    }

    /// The books need nothing: the draft was a copy.
    fn take_back(&mut self, draft: &Draft) {
        self.failed = true;
        if !self.file.is_autocommit() {
            // If this fails too, `check` tries again before the next batch.
            self.file.execute_batch("ROLLBACK").ok();
        }
        // A panic elsewhere broke the store; then nothing is answered any more.
        let Ok(committed) = self.shared.lanes() else { return };
        for name in draft.lanes.keys() {
            match committed.get(name) {
                Some(lane) => self.lanes.insert(name.clone(), lane.clone()),
                None => self.lanes.remove(name),
            };
        }
    }
}

fn commits_of_others(file: &Connection) -> rusqlite::Result<i64> {
    file.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))
}

//! The one thread that changes the file, and the memory after it.

mod draft;
mod work;

use std::sync::Arc;

use booking_core::{
    Clock, StoreError, Timestamp,
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

/// Work, and who waits for it.
type Call = Job<Work, Answer>;

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
    /// How many the batch before answered: most of them will come again.
    answered: usize,
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
        Ok(Self { file, clock, shared, lanes, last_event, others, failed: false, answered: 0 })
    }

    /// Works until the inbox is closed and empty.
    pub(crate) fn run(mut self, inbox: Arc<Inbox>) {
        let closing = Closing(inbox);
        while let Some(batch) = pollster::block_on(closing.0.next_share(self.answered)) {
            self.serve(batch);
        }
    }

    /// One transaction for all; if it is the rows that fail, one for each, so that who brought them fails alone.
    fn serve(&mut self, batch: Vec<Call>) {
        self.answered = batch.len();
        match self.turn(&batch) {
            Ok(answers) => {
                for (call, answer) in batch.into_iter().zip(answers) {
                    call.reply.send(Ok(answer));
                }
            }
            Err(Trouble::Broken(_)) if batch.len() > 1 => batch.into_iter().for_each(|call| self.alone(call)),
            Err(trouble) => {
                for call in batch {
                    call.reply.send(Err(trouble.to_store_error()));
                }
            }
        }
    }

    fn alone(&mut self, call: Call) {
        let answers = self.turn(std::slice::from_ref(&call)).map_err(|trouble| trouble.to_store_error());
        let answer = answers.and_then(|answers| {
            answers.into_iter().next().ok_or_else(|| StoreError::broken("a call was not answered"))
        });
        call.reply.send(answer);
    }

    /// Decides and saves, and lets the memory follow. Only then are the answers anybody's.
    fn turn(&mut self, batch: &[Call]) -> Result<Vec<Answer>, Trouble> {
        self.check()?;
        let mut draft = Draft::of(batch, &self.shared)?;
        // Nobody else writes, so the rows are as good as locked.
        let now = self.clock.now();
        draft.decide(batch, &mut self.lanes, now);
        if let Err(trouble) = self.commit(&draft, now) {
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

    fn begin(&self) -> Result<(), Trouble> {
        self.file.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        if commits_of_others(&self.file)? != self.others {
            return Err(Trouble::Broken("another program wrote to the file; restart to read it anew".into()));
        }
        Ok(())
    }

    fn commit(&mut self, draft: &Draft, now: Timestamp) -> Result<(), Trouble> {
        if draft.is_empty() {
            return Ok(());
        }
        self.begin()?;
        save::changes(&self.file, &draft.changed(), &draft.events, self.last_event, now)?;
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

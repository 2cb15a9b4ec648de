//! Moving the pages of the write-ahead log to their places in the file, which takes tens of milliseconds when they are many.
//! A thread of its own does it while others are written; the saver moves what has come meanwhile, since a log begins anew
//! only when nothing is left of it.

use std::{
    fs::File,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, TryRecvError, channel},
    },
};

use rusqlite::Connection;

use crate::{lock::Lock, shared::Shared};

/// Of the pages that are many, so large a part can be moved between two commits: it takes about as long as one.
const FEW: i64 = 20;

/// The length of the log.
struct Log {
    pages: i64,
    /// How many of them are where they belong.
    moved: i64,
}

impl Log {
    fn of(file: &Connection) -> rusqlite::Result<Self> {
        let mut asking = file.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?;
        asking.query_row((), |row| Ok(Self { pages: row.get(1)?, moved: row.get(2)? }))
    }
}

/// Moves what no reader needs where it is. What fails is tried again later: until then the log has it.
fn move_pages(file: &Connection) {
    let moving = file.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)");
    if let Err(error) = moving.and_then(|mut moving| moving.query_row((), |_| Ok(()))) {
        tracing::warn!(%error, "the write-ahead log can't be moved to its place, and grows");
    }
}

/// What the thread has: the file in three ways, which it may have to keep for good.
pub(crate) struct Tidier {
    pub(crate) file: Connection,
    /// To have pages on the disk before the saver would wait for that. It is the store's, who closes it last: closing any handle
    /// of a file undoes the locks that SQLite holds on it in this process.
    pub(crate) pages: Arc<File>,
    pub(crate) lock: Arc<Lock>,
}

/// The saver's side.
pub(crate) struct Tidying {
    shared: Arc<Shared>,
    ask: Sender<()>,
    done: Receiver<()>,
    is_asked: bool,
    /// How long the log was then.
    asked_at: i64,
    /// How long it was when the saver moved many pages.
    moved_at: i64,
    many: i64,
}

/// The thread's side.
pub(crate) struct Asked {
    shared: Arc<Shared>,
    calls: Receiver<()>,
    done: Sender<()>,
}

/// Both sides, for a log of which so many pages are many.
pub(crate) fn tidying(shared: &Arc<Shared>, many: u32) -> (Asked, Tidying) {
    let ((ask, asked), (tell, done)) = (channel(), channel());
    let asked = Asked { shared: Arc::clone(shared), calls: asked, done: tell };
    let (shared, many) = (Arc::clone(shared), many.into());
    (asked, Tidying { shared, ask, done, is_asked: false, asked_at: 0, moved_at: 0, many })
}

impl Tidier {
    /// Works until nobody can ask any more.
    pub(crate) fn run(self, of: Asked) {
        let Asked { shared, calls, done } = of;
        for () in calls {
            move_pages(&self.file);
            if let Err(error) = self.pages.sync_data() {
                // SQLite counts pages as moved that are lost, since the system forgets what it could not write. The log has them,
                // and must neither begin anew nor be moved further before it is read from its beginning, as at a start: so
                // nothing is saved any more, and the file stays open and locked until the process ends.
                shared.stop(&format!(
                    "the file could not be written, restart to have it written anew: {error}"
                ));
                return std::mem::forget(self);
            }
            // A saver that has gone needs no answer.
            done.send(()).ok();
        }
    }
}

impl Tidying {
    pub(super) fn why_stopped(&self) -> Option<&str> {
        self.shared.stopped()
    }

    /// Has pages moved when there are many.
    pub(super) fn after_commit(&mut self, file: &Connection) {
        let is_done = match self.done.try_recv() {
            Ok(()) | Err(TryRecvError::Disconnected) => true,
            Err(TryRecvError::Empty) => !self.is_asked,
        };
        if !is_done || self.shared.stopped().is_some() {
            return;
        }
        self.is_asked = false;
        let Ok(Log { pages, moved }) = Log::of(file) else { return };
        let few = self.many / FEW;
        if pages < self.many {
            (self.asked_at, self.moved_at) = (0, 0);
        } else if pages - moved <= few {
            move_pages(file);
        } else if pages >= 2 * self.many && pages >= self.moved_at + self.many {
            // Commits are so big that it never gets near the end of the log, or it is gone.
            self.moved_at = pages;
            move_pages(file);
        } else if pages > self.asked_at + few {
            // A reader may need much of the log for long; so this is not asked for after every commit.
            self.asked_at = pages;
            self.is_asked = self.ask.send(()).is_ok();
        }
    }
}

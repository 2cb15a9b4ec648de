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

/// Pages in the log before they are moved, 40 MiB. A page that many holds changed is moved once: measured, a third more
/// holds than with SQLite's usual thousand.
const MANY: i64 = 10_000;
/// So many can be moved between two commits: it takes about as long as one.
const FEW: i64 = 500;

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
    moving.and_then(|mut moving| moving.query_row((), |_| Ok(()))).ok();
}

/// The thread that moves most of them.
pub(crate) struct Tidier {
    file: Connection,
    /// The file itself, to have it on the disk before the saver would wait for that. It is the store's, who closes it last:
    /// closing any handle of a file undoes the locks that SQLite holds on it in this process.
    pages: Arc<File>,
    asked: Receiver<()>,
    done: Sender<()>,
}

/// The saver's side.
pub(crate) struct Tidying {
    ask: Sender<()>,
    done: Receiver<()>,
    is_asked: bool,
    /// How long the log was then.
    asked_at: i64,
}

/// Both ends of one.
pub(crate) fn tidier(file: Connection, pages: Arc<File>) -> (Tidier, Tidying) {
    let ((ask, asked), (tell, done)) = (channel(), channel());
    (Tidier { file, pages, asked, done: tell }, Tidying { ask, done, is_asked: false, asked_at: 0 })
}

impl Tidier {
    /// Works until nobody can ask any more.
    pub(crate) fn run(self) {
        for () in &self.asked {
            move_pages(&self.file);
            // If that fails it is the saver's checkpoint that fails, and the log keeps what is in it.
            self.pages.sync_data().ok();
            // A saver that has gone needs no answer.
            self.done.send(()).ok();
        }
    }
}

impl Tidying {
    /// Has pages moved when there are many.
    pub(super) fn after_commit(&mut self, file: &Connection) {
        if self.is_asked && self.done.try_recv() == Err(TryRecvError::Empty) {
            return;
        }
        self.is_asked = false;
        let Ok(Log { pages, moved }) = Log::of(file) else { return };
        if pages < MANY {
            self.asked_at = 0;
        } else if pages - moved <= FEW {
            move_pages(file);
        } else if pages > self.asked_at + FEW {
            // A reader may need much of the log for long; so this is not asked for after every commit.
            self.asked_at = pages;
            self.is_asked = self.ask.send(()).is_ok();
        }
    }
}

//! The store: its memory, and the threads that work for it.

use std::{
    fmt,
    fs::File,
    sync::Arc,
    thread::{self, JoinHandle},
};

use booking_core::{Clock, StoreError, Timestamp, batcher::BatchSizes};

use crate::{
    connect::{OpenError, Opened, SqliteConfig},
    lock::Lock,
    reader::{Found, Inquiries, Question, Reader, inquiries},
    shared::Shared,
    writer::{Answer, Decider, Inbox, Saver, Work, desk, inbox, tidying},
};

/// Both ports on one file. It is closed when the last handle is dropped, which waits for what is being written.
pub struct SqliteStore {
    pub(crate) shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    writer: Arc<Inbox>,
    /// How many calls a transaction had.
    sizes: Arc<BatchSizes>,
    /// Reads of the log; an audit does not keep them waiting.
    log: Arc<Inquiries>,
    auditor: Arc<Inquiries>,
    threads: Vec<JoinHandle<()>>,
    /// The threads have closed all connections by then.
    _pages: Arc<File>,
    /// Given back last.
    _lock: Arc<Lock>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the file, or makes it. It reads the whole file, so it takes a while, and it waits for nothing else.
    pub fn open(config: &SqliteConfig, clock: Arc<dyn Clock>) -> Result<Arc<Self>, OpenError> {
        let Opened { writer, tidier, log, auditor, state, lanes } = Opened::from(config, clock.now())?;
        let shared = Arc::new(Shared::new(state, lanes));
        let failed = |error: &dyn fmt::Display| config.unusable(error);
        let (asked, tidying) = tidying(&shared, config.log_pages);
        let saver = Saver::new(writer, tidying).map_err(|trouble| failed(&trouble.to_store_error()))?;
        let (inbox, desk, sizes) = (Arc::new(inbox()), Arc::new(desk()), Arc::default());
        let to_save = desk.attend();
        let decider = Decider::new(&inbox, &desk, &clock, &shared, &sizes).map_err(|error| failed(&error))?;
        let mut store = Self {
            shared,
            clock: Arc::clone(&clock),
            writer: inbox,
            sizes,
            log: Arc::new(inquiries()),
            auditor: Arc::new(inquiries()),
            threads: Vec::new(),
            _pages: Arc::clone(&tidier.pages),
            _lock: Arc::clone(&tidier.lock),
        };
        // Should a thread not start, connections are closed before the store.
        let (saver, tidier) = (saver, tidier);
        let max_balance = config.policy.max_balance;
        let log = Reader { file: log, clock: Arc::clone(&clock), max_balance };
        let auditor = Reader { file: auditor, clock, max_balance };
        let (of_log, of_auditor) = (store.log.attend(), store.auditor.attend());
        store.start("booking-decider", move || decider.run()).map_err(|error| failed(&error))?;
        store.start("booking-tidier", move || tidier.run(asked)).map_err(|error| failed(&error))?;
        store.start("booking-saver", move || saver.run(&to_save)).map_err(|error| failed(&error))?;
        store.start("booking-log", move || log.run(&of_log)).map_err(|error| failed(&error))?;
        store.start("booking-audit", move || auditor.run(&of_auditor)).map_err(|error| failed(&error))?;
        Ok(Arc::new(store))
    }

    /// How many calls the transactions had, by the name of their queue.
    pub fn batch_sizes(&self) -> Vec<(&'static str, Arc<BatchSizes>)> {
        vec![("writer", Arc::clone(&self.sizes))]
    }

    fn start(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        self.threads.push(thread::Builder::new().name(name.into()).spawn(work)?);
        Ok(())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Has this done, and waits until it is on the disk.
    pub(crate) async fn write(&self, work: Work, size: usize) -> Result<Answer, StoreError> {
        self.writer.submit(work, size).await
    }

    /// Fails if nothing can be saved any more, which reads in memory would not notice: the file is not what was written to
    /// it, or a thread has gone.
    pub(crate) fn check_writer(&self) -> Result<(), StoreError> {
        match self.shared.stopped() {
            Some(why) => Err(StoreError::broken(why)),
            None if self.writer.is_closed() => Err(StoreError::unavailable("the store is closed")),
            None => Ok(()),
        }
    }

    pub(crate) async fn read_log(&self, question: Question) -> Result<Found, StoreError> {
        self.log.submit(question, 1).await
    }

    pub(crate) async fn read_all(&self, question: Question) -> Result<Found, StoreError> {
        self.auditor.submit(question, 1).await
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.writer.close();
        self.log.close();
        self.auditor.close();
        for thread in self.threads.drain(..) {
            // One that panicked has abandoned its queue.
            thread.join().ok();
        }
    }
}

/// The answer that was asked for; another one would be a mistake of this store.
macro_rules! wanted {
    ($answer:expr, $pattern:pat => $value:expr) => {
        match $answer {
            $pattern => Ok($value),
            other => Err(booking_core::StoreError::broken(format!("an answer to something else: {other:?}"))),
        }
    };
}

pub(crate) use wanted;

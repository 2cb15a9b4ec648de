//! What is read from the file and not from memory: the log, and everything at once for an audit. Such reads take as long
//! as they take, so each kind has a thread and a connection of its own, which see the last commit and hinder nobody.

use std::sync::Arc;

use booking_core::{
    Clock, Money, RecordedEvent, StoreError,
    audit::Audit,
    batcher::{Attended, Batcher, Limits},
    hold::SeatNumber,
    id::PerformanceId,
};
use rusqlite::{Connection, params};

use crate::{
    booking::{load, rows},
    codec::{Id, numbers_of},
    trouble::Trouble,
};

const EVENTS: &str = "SELECT seq, at, event FROM events WHERE seq > ? ORDER BY seq LIMIT ?";
/// There is no index of performances: it would be written with every hold, and this is asked by an operator now and then.
const OF_PERFORMANCE: &str = "SELECT seq, at, event, seats FROM events WHERE performance_id = ? ORDER BY seq";

/// How many may ask at once.
const LIMITS: Limits = Limits { queued: 1_024, batch: 1 };

#[derive(Debug)]
pub(crate) enum Question {
    Events { after: u64, limit: usize },
    SeatHistory(PerformanceId, SeatNumber),
    Audit,
}

#[derive(Debug)]
pub(crate) enum Found {
    Events(Vec<RecordedEvent>),
    Audit(Audit),
}

/// The queue in front of a reader.
pub(crate) type Inquiries = Batcher<Question, Found>;

pub(crate) fn inquiries() -> Inquiries {
    Batcher::new(LIMITS)
}

pub(crate) struct Reader {
    pub(crate) file: Connection,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) max_balance: Money,
}

impl Reader {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(self, inquiries: &Attended<Question, Found>) {
        while let Some(jobs) = pollster::block_on(inquiries.next()) {
            for job in jobs {
                job.reply.send(self.find(&job.work));
            }
        }
    }

    fn find(&self, question: &Question) -> Result<Found, StoreError> {
        let found = match question {
            Question::Events { after, limit } => self.events(*after, *limit).map(Found::Events),
            Question::SeatHistory(performance, seat) => self.history(*performance, *seat).map(Found::Events),
            Question::Audit => self.audit().map(Found::Audit),
        };
        found.map_err(|error| Trouble::from(error).to_store_error())
    }

    fn events(&self, after: u64, limit: usize) -> rusqlite::Result<Vec<RecordedEvent>> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.file.prepare_cached(EVENTS)?.query_map(params![after, limit], rows::event)?.collect()
    }

    fn history(&self, performance: PerformanceId, seat: SeatNumber) -> rusqlite::Result<Vec<RecordedEvent>> {
        let mut statement = self.file.prepare_cached(OF_PERFORMANCE)?;
        let mut found = statement.query([Id(performance.0)])?;
        let mut events = Vec::new();
        while let Some(row) = found.next()? {
            if numbers_of(row, 3)?.contains(&seat) {
                events.push(rows::event(row)?);
            }
        }
        Ok(events)
    }

    fn audit(&self) -> rusqlite::Result<Audit> {
        // One view of all rows, which ends however this does.
        let view = self.file.unchecked_transaction()?;
        // It begins with the first row that is read. A clock read before that would be behind what is seen.
        load::last_event(&view)?;
        load::audit(&view, self.max_balance, self.clock.now())
    }
}

//! Lanes as an instance keeps them in memory.

use booking_core::{
    Epoch, LaneName,
    queue::{BrokenLane, Lane, TicketRow},
};
use sqlx::PgConnection;
use tokio::time::timeout;

use super::rows::{self, Head};
use crate::{deadlines::SAVED_WITHIN, trouble::Trouble};

/// Numbers read at once, so that no statement takes long.
const CHUNK: i64 = 20_000;

/// A lane as it was at a version of its row.
pub(super) struct Kept {
    pub(super) lane: Lane,
    pub(super) version: i64,
}

/// The numbers of a lane, read piece by piece without locking it: each at least as new as the version.
pub(super) struct Read {
    epoch: Epoch,
    version: i64,
    tickets: Vec<TicketRow>,
}

fn broken(error: BrokenLane) -> Trouble {
    Trouble::Broken(format!("the rows of a lane do not make one: {error}"))
}

impl Read {
    /// Reads all numbers of a lane, if there is one.
    pub(super) async fn lane(
        connection: &mut PgConnection,
        name: &LaneName,
    ) -> Result<Option<Self>, Trouble> {
        let Some(head) = rows::look(connection, name).await? else { return Ok(None) };
        let (epoch, version) = (head.row.epoch, head.version);
        let mut tickets: Vec<TicketRow> = Vec::new();
        loop {
            let after = tickets.last().map_or(0, |ticket| ticket.seq);
            let more = timeout(SAVED_WITHIN, rows::tickets_from(connection, name, epoch, after, CHUNK));
            let more = more.await.map_err(|_| Trouble::timed_out("reading a lane"))??;
            if more.is_empty() {
                return Ok(Some(Self { epoch, version, tickets }));
            }
            tickets.extend(more);
        }
    }

    /// The lane as it is now, under its lock; none if what was read is of another life of it, or too old.
    pub(super) async fn brought_up_to(
        mut self,
        connection: &mut PgConnection,
        name: &LaneName,
        head: &Head,
    ) -> Result<Option<Kept>, Trouble> {
        if self.epoch != head.row.epoch || self.version > head.version {
            return Ok(None);
        }
        let Some(changed) = rows::changed_after(connection, name, self.version, head).await? else {
            return Ok(None);
        };
        for ticket in changed {
            match self.tickets.binary_search_by_key(&ticket.seq, |known| known.seq) {
                Ok(at) => self.tickets[at] = ticket,
                Err(at) => self.tickets.insert(at, ticket),
            }
        }
        let lane = Lane::load(name.clone(), head.row.clone(), &self.tickets).map_err(broken)?;
        Ok(Some(Kept { lane, version: head.version }))
    }
}

impl Kept {
    /// Whether nothing has changed since.
    pub(super) fn is_at(&self, head: &Head) -> bool {
        self.lane.epoch() == head.row.epoch && self.version == head.version
    }

    /// Whether the row is of this life of the lane, and as new or newer.
    pub(super) fn can_follow(&self, head: &Head) -> bool {
        self.lane.epoch() == head.row.epoch && self.version <= head.version
    }

    /// Whether the row is of this life of the lane, but older: the database was restored from an old copy (I22).
    pub(super) fn is_ahead_of(&self, head: &Head) -> bool {
        self.lane.epoch() == head.row.epoch && self.version > head.version
    }

    /// Follows what others changed: whether that could be, for only the last steps are kept.
    pub(super) async fn follow(
        &mut self,
        connection: &mut PgConnection,
        name: &LaneName,
        head: &Head,
    ) -> Result<bool, Trouble> {
        if self.version < head.version {
            let Some(changed) = rows::changed_after(connection, name, self.version, head).await? else {
                return Ok(false);
            };
            self.lane.follow(head.row.clone(), &changed).map_err(broken)?;
            self.version = head.version;
        }
        Ok(true)
    }
}

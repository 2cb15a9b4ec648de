//! Lanes as an instance keeps them in memory.

use booking_core::{
    LaneName,
    queue::{BrokenLane, Lane, TicketRow},
};
use sqlx::PgConnection;
use tokio::time::timeout;

use super::rows::{self, Head, Mark, Since};
use crate::{deadlines::SAVED_WITHIN, trouble::Trouble};

/// Numbers read at once, so that no statement takes long.
const CHUNK: i64 = 20_000;
/// Fewer numbers than this are left to be followed under the lock.
const FEW: usize = 1_000;

/// A lane as it was after a step.
pub(super) struct Kept {
    pub(super) lane: Lane,
    pub(super) mark: Mark,
}

/// What an instance knows of a lane.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) kept: Option<Kept>,
    /// The last step of it that was seen to be committed. It outlives what is kept, so that an older copy of the database
    /// is noticed all the same (I22).
    pub(super) seen: Option<Mark>,
}

/// What became of trying to follow a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Followed {
    /// It is as new as its row.
    UpToDate,
    /// It is too far behind, or of another life: the lane must be read anew.
    TooFar,
    /// It followed steps that never were.
    Lost,
}

/// The numbers of a lane, read piece by piece without locking it: each at least as new as the step.
pub(super) struct Read {
    mark: Mark,
    tickets: Vec<TicketRow>,
}

fn broken(error: BrokenLane) -> Trouble {
    Trouble::Broken(format!("the rows of a lane do not make one: {error}"))
}

async fn in_time<T>(reading: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    timeout(SAVED_WITHIN, reading).await.map_err(|_| Trouble::timed_out("reading a lane"))?
}

impl Memory {
    pub(super) fn is_nothing(&self) -> bool {
        self.kept.is_none() && self.seen.is_none()
    }

    /// Whether the row is of the life of the lane that was seen, but of an older step, or of another one of the same number:
    /// the database was restored from an old copy.
    pub(super) fn is_ahead_of(&self, head: &Head) -> bool {
        let of_its_life = self.seen.filter(|seen| seen.epoch == head.mark.epoch);
        of_its_life.is_some_and(|seen| {
            head.mark.version < seen.version || (head.mark.version == seen.version && head.mark != seen)
        })
    }
}

impl Read {
    /// Reads all numbers of a lane, if there is one.
    pub(super) async fn lane(
        connection: &mut PgConnection,
        name: &LaneName,
    ) -> Result<Option<Self>, Trouble> {
        let Some(head) = in_time(rows::look(connection, name)).await? else { return Ok(None) };
        let mut read = Self { mark: head.mark, tickets: Vec::new() };
        loop {
            let after = read.tickets.last().map_or(0, |ticket| ticket.seq);
            let more = rows::tickets_from(connection, name, head.mark.epoch, after, CHUNK);
            let more = in_time(more).await?;
            if more.is_empty() {
                break;
            }
            read.tickets.extend(more);
        }
        // Others went on meanwhile. As long as that is much, it is not to be followed under the lock.
        loop {
            match in_time(rows::changed_after(connection, name, read.mark)).await? {
                Since::Changed(changed, mark) => {
                    let is_near = changed.len() < FEW;
                    read.follow(changed, mark);
                    if is_near {
                        return Ok(Some(read));
                    }
                }
                Since::Forgotten | Since::Lost => return Ok(None),
            }
        }
    }

    fn follow(&mut self, changed: Vec<TicketRow>, mark: Mark) {
        for ticket in changed {
            match self.tickets.binary_search_by_key(&ticket.seq, |known| known.seq) {
                Ok(at) => self.tickets[at] = ticket,
                Err(at) => self.tickets.insert(at, ticket),
            }
        }
        self.mark = mark;
    }

    /// The lane as it is now, under its lock; none if what was read is of another life of it, or too old.
    pub(super) async fn brought_up_to(
        mut self,
        connection: &mut PgConnection,
        name: &LaneName,
        head: &Head,
    ) -> Result<Option<Kept>, Trouble> {
        if self.mark.epoch != head.mark.epoch {
            return Ok(None);
        }
        if self.mark != head.mark {
            let Since::Changed(changed, mark) = rows::changed_after(connection, name, self.mark).await?
            else {
                return Ok(None);
            };
            self.follow(changed, mark);
        }
        if self.mark != head.mark {
            return Ok(None);
        }
        let lane = Lane::load(name.clone(), head.row.clone(), &self.tickets).map_err(broken)?;
        Ok(Some(Kept { lane, mark: head.mark }))
    }
}

impl Kept {
    /// Follows what others changed. After an error it is good for nothing.
    pub(super) async fn follow(
        &mut self,
        connection: &mut PgConnection,
        name: &LaneName,
        head: &Head,
    ) -> Result<Followed, Trouble> {
        if self.mark == head.mark {
            return Ok(Followed::UpToDate);
        }
        if self.mark.epoch != head.mark.epoch {
            return Ok(Followed::TooFar);
        }
        match rows::changed_after(connection, name, self.mark).await? {
            Since::Changed(changed, mark) if mark == head.mark => {
                self.lane.follow(head.row.clone(), &changed).map_err(broken)?;
                self.mark = mark;
                Ok(Followed::UpToDate)
            }
            Since::Changed(..) | Since::Forgotten => Ok(Followed::TooFar),
            Since::Lost => Ok(Followed::Lost),
        }
    }
}

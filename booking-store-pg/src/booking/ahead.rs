//! Batches of holds are decided ahead of their turn, at the instant of their look, and saved by one statement that commits
//! itself, on condition that by then nobody else has written. That saves two of three round trips, in which the database
//! would wait for us.
//!
//! So what was looked at is still as it was, and nothing before it in the log is later. An instant decides only for a
//! moment: a batch that had to wait for somebody is decided anew when the wait is over. Whoever finds that others write
//! takes the lock instead, which one gets after the other, while those who save on a condition might never find it true.

use std::time::Duration;

use booking_core::{Reach, Timestamp};
use sqlx::PgConnection;
use tokio::time::{Instant, timeout_at};

use super::{
    load::Head,
    recent::Recent,
    save::{Basis, Bookings, Place},
    turn::{Answers, Decided, Staged},
};
use crate::trouble::Trouble;

/// How long an instant decides that was read before the lock.
const DECIDES_FOR: Duration = Duration::from_millis(100);

/// A batch that is decided and written down, and not saved.
pub(super) struct Ahead {
    bookings: Bookings,
    staged: Staged,
    head: Head,
    reach: Reach,
    life: u64,
    basis: Basis,
}

impl Ahead {
    /// Of a batch that changes something, which was decided in this life.
    pub(super) fn of(
        mut decided: Decided,
        head: Head,
        reach: Reach,
        life: u64,
        basis: Basis,
    ) -> Result<Self, Trouble> {
        let answers = std::mem::take(&mut decided.answers);
        let changes = decided.changed_rows();
        let bookings = Bookings::of(&changes, &decided.events, basis)?;
        Ok(Self {
            bookings,
            staged: Staged::of(answers, &changes, &decided.events, head.now),
            head,
            reach,
            life,
            basis,
        })
    }

    pub(super) fn answers(&self) -> &Answers {
        &self.staged.answers
    }

    pub(super) fn basis(&self) -> Basis {
        self.basis
    }

    pub(super) fn life(&self) -> u64 {
        self.life
    }

    /// Its place after all that this instance wrote, if that is where it can be saved.
    pub(super) fn place(&self, recent: &Recent) -> Option<Place> {
        let Head { last_event, catalog_version, now } = self.head;
        let last_event = recent.follows(last_event, now, &self.reach)?;
        let until = now.micros().saturating_add(i64::try_from(DECIDES_FOR.as_micros()).unwrap_or(i64::MAX));
        Some(Place { last_event, catalog_version, now, until: Some(Timestamp::from_micros(until)) })
    }

    /// Saves and commits it: the clock, if its place was still free, and what is told and remembered then.
    pub(super) async fn save(
        self,
        connection: &mut PgConnection,
        place: &Place,
        by: Instant,
    ) -> (Staged, Result<Option<Timestamp>, Trouble>) {
        let Self { bookings, staged, reach, .. } = self;
        let staged = Staged { reach: Some(reach), ..staged.behind(place.last_event) };
        let saved = timeout_at(by, bookings.save(connection, place)).await;
        let late = |_| Err(Trouble::Unknown("the database did not answer in time".into()));
        (staged, saved.unwrap_or_else(late))
    }
}

//! Batches of holds are decided ahead of their turn, at the instant of their look, and saved by one statement that commits
//! itself, on condition that by then nobody else has written. That saves two of three round trips, in which the database
//! would wait for us.
//!
//! So what was looked at is still as it was, and nothing before it in the log is later. An instant decides only for a
//! moment: a batch that had to wait for somebody is decided anew when the wait is over. Whoever finds that others write
//! takes the lock instead, which one gets after the other, while those who save on a condition might never find it true.

use std::time::Duration;

use booking_core::{Command, Reach, Timestamp};
use sqlx::PgConnection;
use tokio::time::{Instant, timeout_at};

use super::{
    load::Head,
    recent::Recent,
    save::{self, Place},
    turn::{Answers, Decided, Look, Staged},
};
use crate::trouble::Trouble;

/// How long an instant decides that was read before the lock.
const DECIDES_FOR: Duration = Duration::from_millis(100);

/// A batch that is decided and not saved.
pub(super) struct Ahead {
    decided: Decided,
    head: Head,
    reach: Reach,
}

impl Ahead {
    pub(super) fn of(look: Look, batch: &[&Command]) -> Self {
        let Look { state, head, reach } = look;
        Self { decided: Decided::of(state, batch, head.now), head, reach }
    }

    /// Whether the whole batch changes nothing: then its answers are all there is to it.
    pub(super) fn changes_nothing(&self) -> bool {
        self.decided.events.is_empty()
    }

    pub(super) fn into_answers(self) -> Answers {
        self.decided.answers
    }

    /// Its place after all that this instance wrote, if that is where it can be saved.
    pub(super) fn place(&self, recent: &Recent) -> Option<Place> {
        let Head { last_event, catalog_version, now } = self.head;
        let last_event = recent.follows(last_event, now, &self.reach)?;
        let until = now.micros().saturating_add(i64::try_from(DECIDES_FOR.as_micros()).unwrap_or(i64::MAX));
        Some(Place { last_event, catalog_version, now, until: Some(Timestamp::from_micros(until)) })
    }

    /// Saves and commits it: whether its place was still free, and what is told and remembered if it was.
    pub(super) async fn save(
        self,
        connection: &mut PgConnection,
        place: &Place,
        by: Instant,
    ) -> (Staged, Result<bool, Trouble>) {
        let Decided { state, events, answers } = self.decided;
        let changes = state.changed_rows(&events);
        let staged = Staged { reach: Some(self.reach), ..Staged::of(answers, &changes, &events, place) };
        let saved = timeout_at(by, save::save_bookings(connection, &changes, &events, place)).await;
        let late = |_| Err(Trouble::Unknown("the database did not answer in time".into()));
        (staged, saved.unwrap_or_else(late))
    }
}

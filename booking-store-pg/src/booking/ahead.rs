//! Batches of holds are decided ahead of their turn: at the instant of their look, and saved without the lock, on
//! condition that by then nobody else has written.
//!
//! So what was looked at is still as it was, and no event before theirs in the log is later; and as the instant decides
//! only for a moment, a batch that had to wait for somebody is decided anew, as late as it is. It takes one statement, which
//! commits itself, instead of locking, saving and committing. Whoever finds that others write meanwhile takes the lock:
//! then one gets it after the other, while those who save on a condition might never find it true.

use std::time::Duration;

use booking_core::{Command, Timestamp, hold};
use sqlx::PgConnection;

use super::{
    load::{Head, Reach},
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

/// Whether a batch is one statement to be saved.
pub(super) fn fits(batch: &[&Command]) -> bool {
    batch.iter().all(|command| matches!(command, Command::Hold(hold::Command::Place { .. })))
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

    /// Saves and commits it: whether its place was still free. What is told when it is committed is there before.
    pub(super) async fn save(&self, connection: &mut PgConnection, place: &Place) -> Result<bool, Trouble> {
        let Decided { state, events, .. } = &self.decided;
        save::save_bookings(connection, &state.changed_rows(events), events, place).await
    }

    /// What is told and remembered when it is committed.
    pub(super) fn staged(self, place: &Place) -> Staged {
        let Decided { state, events, answers } = self.decided;
        let staged = Staged::of(answers, &state.changed_rows(&events), &events, place);
        Staged { reach: Some(self.reach), ..staged }
    }
}

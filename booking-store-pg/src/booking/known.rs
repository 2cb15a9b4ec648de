//! What an instance knows without asking the database: where the head of the log was when it last read or wrote it, and what time
//! it is there. So a batch of holds that finds nobody before it need not look: it is decided on the presumption that its users
//! are there and that nothing else is, and saved if that is true.
//!
//! A presumption is not trusted, it is compared. One that was wrong costs a round trip; so it is made only while it was true
//! of the last batch. And it is made only of a database that answered a moment ago: when a look gets no answer nothing was done,
//! but what became of a hold that gets none is unknown.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use booking_core::{Keys, Rows, Timestamp, wallet::Wallet};
use tokio::time::Instant;

use super::load::Head;

/// How long a database that answered is presumed to be there, and its clock to go at our pace.
const MOMENT: Duration = Duration::from_millis(100);

/// What is known of the database.
#[derive(Debug, Default)]
pub(super) struct Known {
    last: Mutex<Option<Last>>,
    is_true: AtomicBool,
}

/// The head of the log as it was last seen or left.
#[derive(Clone, Copy, Debug)]
struct Last {
    life: u64,
    head: Head,
    /// When its clock had been read.
    read: Instant,
}

impl Known {
    /// Notes the head of the log that was seen or left in this life, which is committed, with its clock read before `now`.
    pub(super) fn note(&self, life: u64, head: Head, now: Instant) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_newer = |last: &Last| (life, head.last_event) >= (last.life, last.head.last_event);
        if last.as_ref().is_none_or(is_newer) {
            *last = Some(Last { life, head, read: now });
        }
    }

    /// Notes that the log goes on to this event now, which is committed.
    pub(super) fn wrote(&self, life: u64, last_event: i64) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.as_mut().filter(|last| last.life == life) {
            last.head.last_event = last.head.last_event.max(last_event);
        }
    }

    /// The head of the log in this life, unless somebody else has written since; and the clock at `now`, which is no earlier there.
    pub(super) fn head(&self, life: u64, now: Instant) -> Option<Head> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let Last { head, read, .. } = last.filter(|last| last.life == life)?;
        let since = now.duration_since(read);
        (since < MOMENT).then(|| Head { now: head.now.after(since), ..head })
    }

    /// Notes whether the last batch was as it would have been presumed.
    pub(super) fn learn(&self, is_true: bool) {
        self.is_true.store(is_true, Ordering::Relaxed);
    }

    /// Whether the next one may be presumed to be.
    pub(super) fn may_presume(&self) -> bool {
        self.is_true.load(Ordering::Relaxed)
    }
}

/// What a batch of holds of named seats is presumed to find, but for the catalogue. What a wallet has is no matter to a hold.
pub(super) fn presumed(keys: &Keys, now: Timestamp) -> Rows {
    let wallet = |user| Wallet { user, balance: booking_core::Money::default(), entries: 0, opened_at: now };
    Rows { wallets: keys.users.iter().copied().map(wallet).collect(), ..Rows::default() }
}

/// Whether that is what it found.
pub(super) fn is_presumed(keys: &Keys, found: &Rows) -> bool {
    found.reservations.is_empty() && found.seats.is_empty() && found.wallets.len() == keys.users.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_micros(1_000_000);

    fn head(last_event: i64) -> Head {
        Head { last_event, catalog_version: 1, now: NOON }
    }

    #[test]
    fn the_newest_head_of_this_life_is_known_for_a_moment() {
        let (known, begin) = (Known::default(), Instant::now());
        assert!(known.head(1, begin).is_none(), "nothing was seen");
        known.note(1, head(7), begin);
        known.note(1, head(6), begin);
        let since = Duration::from_millis(99);
        let later = known.head(1, begin + since).expect("it was seen");
        assert_eq!((later.last_event, later.now), (7, NOON.after(since)));
        assert!(known.head(2, begin).is_none(), "of another life");
        known.wrote(1, 8);
        assert_eq!(known.head(1, begin).map(|head| head.last_event), Some(8));
        known.note(2, head(3), begin);
        let last_event = known.head(2, begin).map(|head| head.last_event);
        assert_eq!(last_event, Some(3), "a life later the log may be shorter");
        known.note(1, head(9), begin);
        assert!(known.head(1, begin).is_none(), "an old life is over");
        assert!(known.head(2, begin + MOMENT).is_none(), "it may be gone");
    }
}

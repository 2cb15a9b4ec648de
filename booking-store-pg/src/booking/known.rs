//! What an instance knows without asking the database: where the head of the log was when it last read or wrote it, and what time
//! it is there. So a batch of holds that finds nobody before it need not look: it is decided on the presumption that its users
//! are there and that nothing else is, and saved if that is true.
//!
//! A presumption is not trusted, it is compared. One that was right saves a round trip, one that was wrong costs three, since the
//! batch is then decided under the lock; so it is made only after several looks in a row have found what would have been presumed.
//! And it is made only of a database that answered a moment ago: when a look gets no answer nothing was done, but what became of a
//! hold that gets none is unknown.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::load::Head;

/// How long a database that answered is presumed to be there, and its clock to go at our pace.
const MOMENT: Duration = Duration::from_millis(100);
/// After how many looks in a row that found what would have been presumed one is presumed.
const IN_A_ROW: u32 = 4;

/// What is known of the database.
#[derive(Debug)]
pub(super) struct Known {
    last: Mutex<Option<Last>>,
    /// Looks in a row that found what would have been presumed.
    in_a_row: AtomicU32,
    /// Of a presumption, in milliseconds.
    moment: AtomicU64,
    saved: AtomicU64,
    wrong: AtomicU64,
}

impl Default for Known {
    fn default() -> Self {
        let known = Self {
            last: Mutex::default(),
            in_a_row: AtomicU32::default(),
            moment: AtomicU64::default(),
            saved: AtomicU64::default(),
            wrong: AtomicU64::default(),
        };
        known.presume_for(MOMENT);
        known
    }
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

    /// Notes that the log goes on to this event now, which is committed by a turn under the lock, of which no clock is told.
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
        let moment = Duration::from_millis(self.moment.load(Ordering::Relaxed));
        (since < moment).then(|| Head { now: head.now.after(since), ..head })
    }

    /// Notes what a look at holds found in this life: the head of the log, and whether the rows were as presumed.
    pub(super) fn looked(&self, life: u64, head: Head, is_presumed: bool, now: Instant) {
        let place = |head: Head| (head.last_event, head.catalog_version);
        let was_known = self.head(life, now).is_some_and(|known| place(known) == place(head));
        if is_presumed && was_known {
            self.in_a_row.fetch_add(1, Ordering::Relaxed);
        } else {
            self.in_a_row.store(0, Ordering::Relaxed);
        }
        self.note(life, head, now);
    }

    /// Notes what came of a presumption.
    pub(super) fn compared(&self, was_saved: bool) {
        if was_saved {
            self.saved.fetch_add(1, Ordering::Relaxed);
        } else {
            self.wrong.fetch_add(1, Ordering::Relaxed);
            self.in_a_row.store(0, Ordering::Relaxed);
        }
    }

    /// How many presumptions were saved, and how many were wrong.
    pub(super) fn presumptions(&self) -> (u64, u64) {
        (self.saved.load(Ordering::Relaxed), self.wrong.load(Ordering::Relaxed))
    }

    pub(super) fn presume_for(&self, moment: Duration) {
        self.moment.store(u64::try_from(moment.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether the next batch may be presumed.
    pub(super) fn may_presume(&self) -> bool {
        self.in_a_row.load(Ordering::Relaxed) >= IN_A_ROW
    }
}

#[cfg(test)]
mod tests {
    use booking_core::Timestamp;

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

    #[test]
    fn presumed_is_what_several_looks_in_a_row_have_found() {
        let (known, begin) = (Known::default(), Instant::now());
        let look = |last_event, is_presumed| known.looked(1, head(last_event), is_presumed, begin);
        look(7, true);
        for _ in 0..IN_A_ROW {
            assert!(!known.may_presume());
            look(7, true);
        }
        assert!(known.may_presume());
        look(8, true);
        assert!(!known.may_presume(), "somebody else writes");
        (0..IN_A_ROW).for_each(|_| look(8, true));
        assert!(known.may_presume());
        look(8, false);
        assert!(!known.may_presume(), "something else was found");
        (0..IN_A_ROW).for_each(|_| look(8, true));
        known.compared(true);
        assert!(known.may_presume());
        known.compared(false);
        assert!(!known.may_presume(), "it was wrong");
        assert_eq!(known.presumptions(), (1, 1));
    }
}

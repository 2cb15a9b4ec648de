//! How far this instance has seen each lane go. A lane that is behind was restored from an old copy.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use booking_core::{Epoch, LaneName};

/// The newest epoch and step seen. Epochs grow, and steps do within an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) epoch: Option<Epoch>,
    pub(crate) step: u64,
}

impl Mark {
    /// The epoch as the scripts compare it.
    pub(crate) fn epoch_text(self) -> String {
        self.epoch.map(epoch_text).unwrap_or_default()
    }
}

/// An epoch as the lane keeps it: of one width, so that texts sort as the numbers do.
pub(crate) fn epoch_text(epoch: Epoch) -> String {
    format!("{:016x}", epoch.0)
}

#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<LaneName, Mark>>);

impl Seen {
    pub(crate) fn of(&self, lane: &LaneName) -> Mark {
        // A single insertion can't leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(lane).copied().unwrap_or_default()
    }

    /// Answers may come back in another order than they were given: only the newest counts. Tells whether the lane began
    /// anew since the last one, which one caller is told of each new epoch.
    pub(crate) fn note(&self, lane: &LaneName, mark: Mark) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(before) = seen.get_mut(lane) else {
            seen.insert(lane.clone(), mark);
            return false;
        };
        let is_anew = mark.epoch > before.epoch;
        *before = mark.max(*before);
        is_anew
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_counts_and_an_epoch_counts_more_than_a_step() {
        let (seen, lane) = (Seen::default(), LaneName::main());
        assert_eq!(seen.of(&lane).epoch_text(), "");
        let mark = |epoch, step| Mark { epoch: Some(Epoch(epoch)), step };
        for (told, newest, is_anew) in [
            (mark(1, 5), mark(1, 5), false),
            (mark(1, 3), mark(1, 5), false),
            (mark(2, 1), mark(2, 1), true),
            (mark(1, 6), mark(2, 1), false),
            (mark(2, 2), mark(2, 2), false),
        ] {
            assert_eq!(seen.note(&lane, told), is_anew, "{told:?}");
            assert_eq!(seen.of(&lane), newest);
        }
        assert!(epoch_text(Epoch(9)) < epoch_text(Epoch(16)));
    }
}

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

    /// Answers may come back in another order than they were given: only the newest counts.
    pub(crate) fn note(&self, lane: &LaneName, mark: Mark) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get_mut(lane) {
            Some(before) => *before = mark.max(*before),
            None => drop(seen.insert(lane.clone(), mark)),
        }
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
        for (told, newest) in [(mark(1, 5), mark(1, 5)), (mark(1, 3), mark(1, 5)), (mark(2, 1), mark(2, 1))] {
            seen.note(&lane, told);
            assert_eq!(seen.of(&lane), newest);
        }
        assert!(epoch_text(Epoch(9)) < epoch_text(Epoch(16)));
    }
}

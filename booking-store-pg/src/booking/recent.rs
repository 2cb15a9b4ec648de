//! What the last batches of this instance may have changed.

use std::collections::VecDeque;

use booking_core::{Reach, Timestamp};

/// More batches than are ever under way at once.
const MOST: usize = 4;

/// A batch that was committed: the events after `before`, up to `last`, are its own.
#[derive(Debug)]
struct Batch {
    before: i64,
    last: i64,
    at: Timestamp,
    reach: Reach,
}

/// The last batches, oldest first.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Batch>);

impl Recent {
    /// Notes a batch that was committed.
    pub(super) fn note(&mut self, before: i64, last: i64, at: Timestamp, reach: Reach) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(Batch { before, last, at, reach });
    }

    /// After which event a batch can be saved as it was decided at `at`, on what was `seen` then, if nobody else writes:
    /// after all of this instance, if none of those that were not seen could reach it, or was decided later.
    pub(super) fn follows(&self, seen: i64, at: Timestamp, reach: &Reach) -> Option<i64> {
        match self.0.back() {
            Some(newest) if newest.last >= seen => {
                let is_good = newest.at <= at && self.left_alone(seen, newest.last, reach);
                is_good.then_some(newest.last)
            }
            Some(_) | None => Some(seen),
        }
    }

    /// Whether nothing within reach was changed by the events after `seen` up to `now`: all of them are of batches known
    /// here, none of which could reach it.
    pub(super) fn left_alone(&self, seen: i64, now: i64, reach: &Reach) -> bool {
        let mut at = now;
        for batch in self.0.iter().rev() {
            if at <= seen || batch.last != at || batch.reach.meets(reach) {
                break;
            }
            at = batch.before;
        }
        at == seen
    }
}

#[cfg(test)]
mod tests {
    use booking_core::{
        Keys, Timestamp,
        id::{PerformanceId, UserId},
    };
    use uuid::Uuid;

    use super::*;

    const NOON: Timestamp = Timestamp::from_micros(1_000_000);

    fn of(users: &[u128]) -> Reach {
        Reach::of(&Keys {
            users: users.iter().map(|n| UserId(Uuid::from_u128(*n))).collect(),
            ..Keys::default()
        })
    }

    #[test]
    fn what_was_seen_is_good_if_only_known_batches_about_others_came_after_it() {
        let mut recent = Recent::default();
        recent.note(10, 12, NOON, of(&[1]));
        recent.note(12, 15, NOON, of(&[2]));
        assert!(recent.left_alone(15, 15, &of(&[1, 2])), "nothing came after it");
        assert!(recent.left_alone(10, 15, &of(&[3])));
        assert!(recent.left_alone(12, 15, &of(&[1])), "the batch of user 1 was seen");
        assert!(!recent.left_alone(10, 15, &of(&[1])));
        assert!(!recent.left_alone(12, 15, &of(&[2])));
        assert!(!recent.left_alone(9, 15, &of(&[3])), "somebody else wrote event 10");
        assert!(!recent.left_alone(12, 16, &of(&[3])), "somebody else wrote event 16");
    }

    #[test]
    fn what_was_decided_without_the_lock_follows_the_own_batches_that_neither_reach_it_nor_are_later() {
        let mut recent = Recent::default();
        let later = Timestamp::from_micros(1_000_001);
        assert_eq!(
            recent.follows(7, NOON, &of(&[1])),
            Some(7),
            "nothing is known, so the database will tell"
        );
        recent.note(10, 12, NOON, of(&[1]));
        recent.note(12, 15, later, of(&[2]));
        assert_eq!(recent.follows(15, later, &of(&[1, 2])), Some(15), "all of it was seen");
        assert_eq!(recent.follows(15, NOON, &of(&[1, 2])), None, "the log would go back in time");
        assert_eq!(recent.follows(17, NOON, &of(&[1, 2])), Some(17), "somebody else wrote, which was seen");
        assert_eq!(recent.follows(10, later, &of(&[3])), Some(15));
        assert_eq!(recent.follows(10, NOON, &of(&[3])), None, "the log would go back in time");
        assert_eq!(recent.follows(10, later, &of(&[1])), None);
        assert_eq!(recent.follows(9, later, &of(&[3])), None, "somebody else wrote event 10");
    }

    #[test]
    fn a_look_at_a_whole_hall_is_good_only_if_no_seat_of_it_was_touched() {
        let [hall, other] = [1, 2].map(|n| PerformanceId(Uuid::from_u128(n)));
        let whole = Reach::of(&Keys { all_seats: [hall].into(), ..Keys::default() });
        let seat = |of| Reach::of(&Keys { seats: [(of, 7)].into(), ..Keys::default() });
        for (touched, looked, is_good) in
            [(seat(hall), &whole, false), (seat(other), &whole, true), (whole.clone(), &seat(hall), false)]
        {
            let mut recent = Recent::default();
            recent.note(10, 12, NOON, touched);
            assert_eq!(recent.left_alone(10, 12, looked), is_good, "{looked:?}");
        }
    }

    #[test]
    fn batches_long_gone_are_forgotten_and_trusted_no_more() {
        let mut recent = Recent::default();
        for n in 0..6 {
            recent.note(n, n + 1, NOON, of(&[1]));
        }
        assert!(recent.left_alone(2, 6, &of(&[2])));
        assert!(!recent.left_alone(1, 6, &of(&[2])));
    }
}

//! What a lane did in the last minute, for those who watch it.

use std::{collections::VecDeque, time::Duration};

use booking_api::LaneStatus;

/// Looks that are remembered: a minute's.
const KEPT: usize = 60;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One look at a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) waiting: u64,
    pub(super) admitted: u64,
    /// How many a second no longer wait: they were admitted, or left.
    pub(super) served: u64,
}

/// The last looks, the newest last.
#[derive(Debug, Default)]
pub(super) struct Trail {
    looks: VecDeque<Look>,
    /// How many numbers no longer waited at the last look.
    gone: Option<u64>,
}

impl Trail {
    /// Remembers a look that was taken so long after the one before.
    pub(super) fn note(&mut self, lane: &LaneStatus, since_last: Duration) -> Look {
        let (waiting, admitted) = (lane.waiting.unwrap_or(0), lane.admitted.unwrap_or(0));
        let gone = lane.entered.map(|entered| entered.saturating_sub(waiting));
        // A lane that began anew counts from nothing again: then nobody is known to have been served.
        let served = self.gone.zip(gone).map_or(0, |(before, now)| now.saturating_sub(before));
        let millis = since_last.as_millis().max(1);
        let served = u64::try_from((u128::from(served) * 1_000 + millis / 2) / millis).unwrap_or(u64::MAX);
        self.gone = gone;
        let look = Look { waiting, admitted, served };
        if self.looks.len() == KEPT {
            self.looks.pop_front();
        }
        self.looks.push_back(look);
        look
    }

    /// One value of each look as bars, the highest one full.
    pub(super) fn sparkline(&self, value: impl Fn(&Look) -> u64) -> String {
        let highest = self.looks.iter().map(&value).max().unwrap_or(0).max(1);
        let top = (BARS.len() - 1) as u128;
        let bar = |look| {
            let height = (u128::from(value(look)) * top).div_ceil(u128::from(highest));
            usize::try_from(height).ok().and_then(|height| BARS.get(height)).copied().unwrap_or(' ')
        };
        self.looks.iter().map(bar).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(entered: u64, waiting: u64, admitted: u64) -> LaneStatus {
        LaneStatus {
            lane: "main".into(),
            capacity: 10,
            max_waiting: None,
            admit_per_second: None,
            claim_ttl_ms: 1,
            session_ttl_ms: 1,
            paused: false,
            closed: false,
            sold_out: false,
            waiting: Some(waiting),
            admitted: Some(admitted),
            entered: Some(entered),
        }
    }

    #[test]
    fn the_rate_is_what_left_the_waiting_by_the_time_between_two_looks() {
        let mut trail = Trail::default();
        let second = Duration::from_secs(1);
        assert_eq!(trail.note(&lane(100, 90, 10), second).served, 0, "one look shows no rate");
        assert_eq!(trail.note(&lane(100, 70, 30), second).served, 20);
        assert_eq!(trail.note(&lane(150, 110, 40), second * 2).served, 5);
        assert_eq!(trail.note(&lane(3, 0, 3), second).served, 0, "the lane began anew");
        let unknown = LaneStatus { waiting: None, admitted: None, entered: None, ..lane(0, 0, 0) };
        assert_eq!(trail.note(&unknown, second), Look::default());
    }

    #[test]
    fn bars_are_as_high_as_their_share_and_only_nothing_is_flat() {
        let mut trail = Trail::default();
        for waiting in [0, 1, 500, 1_000] {
            trail.note(&lane(1_000, waiting, 0), Duration::from_secs(1));
        }
        assert_eq!(trail.sparkline(|look| look.waiting), "▁▂▅█");
        assert_eq!(trail.sparkline(|look| look.admitted), "▁▁▁▁");
    }

    #[test]
    fn a_minute_is_remembered_and_no_more() {
        let mut trail = Trail::default();
        for _ in 0..100 {
            trail.note(&lane(u64::MAX, u64::MAX, u64::MAX), Duration::ZERO);
        }
        assert_eq!(trail.sparkline(|look| look.waiting), "█".repeat(KEPT));
    }
}

//! How fast a lane admits: the limit an operator set, and the speed measured of late.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

const SECOND_NS: i128 = 1_000_000_000;
/// Admissions that a late tick may make up for at once. Over any `t` seconds a rate of `n` a second admits at most
/// `n × (t + 0.25) + 1`.
const CATCH_UP_NS: i128 = SECOND_NS / 4;
/// Speed is measured over this long.
const WINDOW: Duration = Duration::from_secs(15);

/// When the next admission is due under a rate (the generic cell rate algorithm), and how many there were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    next_due_ns: i128,
    window: Option<Timestamp>,
    in_window: u64,
    in_last_window: Option<u64>,
}

fn nanos(instant: Timestamp) -> i128 {
    i128::from(instant.micros()) * 1_000
}

/// Rounded up, so that the rate is never exceeded.
fn interval_ns(per_second: u32) -> i128 {
    (SECOND_NS + i128::from(per_second) - 1) / i128::from(per_second.max(1))
}

impl Pace {
    /// What stores counted that decide by themselves when the next one is due: the start of the window, and how many
    /// were admitted in it and in the one before.
    pub fn counted(window: Option<Timestamp>, in_window: u64, in_last_window: Option<u64>) -> Self {
        Self { next_due_ns: 0, window, in_window, in_last_window }
    }

    /// How many may be admitted at `now` under the rate, `most` at most.
    pub(super) fn allowed(&self, per_second: Option<u32>, now: Timestamp, most: u64) -> u64 {
        let Some(per_second) = per_second else { return most };
        let room = nanos(now) + CATCH_UP_NS - self.next_due_ns.max(nanos(now));
        let allowed = if room < 0 { 0 } else { room / interval_ns(per_second) + 1 };
        u64::try_from(allowed).unwrap_or(u64::MAX).min(most)
    }

    pub(super) fn admitted(&mut self, per_second: Option<u32>, at: Timestamp) {
        if let Some(per_second) = per_second {
            self.next_due_ns = self.next_due_ns.max(nanos(at)) + interval_ns(per_second);
        }
        self.turn_window(at);
        self.in_window += 1;
    }

    fn turn_window(&mut self, at: Timestamp) {
        let Some(start) = self.window else {
            self.window = Some(at);
            return;
        };
        let elapsed = at.since(start);
        if elapsed >= WINDOW {
            let follows = elapsed < WINDOW * 2;
            self.in_last_window = Some(if follows { self.in_window } else { 0 });
            self.in_window = 0;
            self.window = Some(if follows { start.after(WINDOW) } else { at });
        }
    }

    /// How long one admission took of late, on average; none while nothing was measured.
    pub fn per_admission(&self, now: Timestamp) -> Option<Duration> {
        let elapsed = now.since(self.window?);
        let window = WINDOW.as_micros();
        let elapsed_us = elapsed.as_micros();
        // The part of the last window that the past `WINDOW` still reaches into counts by its share.
        let share = window.saturating_sub(elapsed_us);
        let last = self.in_last_window.map(|count| u128::from(count) * share / window);
        let span = if last.is_some() { window.max(elapsed_us) } else { elapsed_us.max(1_000_000) };
        let count = last.unwrap_or(0) + u128::from(self.in_window);
        let micros = span.checked_div(count)?;
        Some(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_ms(ms: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + ms * 1_000)
    }

    /// Admits all that is allowed at each of the given instants; the counts.
    fn drive(per_second: u32, instants: impl IntoIterator<Item = i64>) -> Vec<u64> {
        let mut pace = Pace::default();
        let admit = |ms| {
            let allowed = pace.allowed(Some(per_second), at_ms(ms), u64::MAX);
            (0..allowed).for_each(|_| pace.admitted(Some(per_second), at_ms(ms)));
            allowed
        };
        instants.into_iter().map(admit).collect()
    }

    #[test]
    fn a_rate_is_met_and_never_exceeded_beyond_its_catch_up() {
        for rate in [1, 3, 7, 100, 1_000] {
            let admitted: u64 = drive(rate, (0..=10_000).step_by(100)).iter().sum();
            let most = f64::from(rate) * 10.25 + 1.0;
            let least = f64::from(rate) * 10.0 - 1.0;
            let admitted = f64::from(u32::try_from(admitted).unwrap());
            assert!((least..=most).contains(&admitted), "rate {rate}: {admitted}");
        }
    }

    #[test]
    fn an_idle_lane_saves_up_no_more_than_a_quarter_of_a_second() {
        assert_eq!(drive(100, [0, 3_600_000]), [26, 26]);
    }

    #[test]
    fn the_measured_speed_follows_the_admissions() {
        let mut pace = Pace::default();
        assert_eq!(pace.per_admission(at_ms(0)), None);
        (0..300).for_each(|n| pace.admitted(None, at_ms(n * 100)));
        let measured = pace.per_admission(at_ms(30_000)).unwrap();
        assert!((90..=110).contains(&measured.as_millis()), "{measured:?}");
        assert_eq!(pace.per_admission(at_ms(3_600_000)).map(|span| span.as_secs() > 0), Some(true));
    }
}

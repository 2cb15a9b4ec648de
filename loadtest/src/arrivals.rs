//! When people come.
//!
//! An opening does not begin with its peak: published figures of on-sales show it some seconds in, about six times the
//! mean, and then a long tail (one with 52 people a ticket, 844 requests a second at the peak, took an hour to settle).

use std::time::Duration;

use rand::{Rng, rngs::SmallRng};

/// The peak of an opening over its mean.
pub const PEAK_OVER_MEAN: f64 = 6.0;
/// The part of the time that passes before the peak.
const PEAK_AT: f64 = 1.0 / 30.0;

/// When each of so many people comes to an opening that lasts `span`, ascending: the rate rises evenly to its peak and
/// falls off exponentially from there.
pub fn opening(people: u32, span: Duration, dice: &mut SmallRng) -> Vec<Duration> {
    let mut arrivals: Vec<Duration> = (0..people).map(|_| span.mul_f64(opening_at(dice.random()))).collect();
    arrivals.sort_unstable();
    arrivals
}

/// Where in the span, from 0 to 1, the `share` of all people has come. The area under the rise is half its base; the
/// fall takes what is missing to 1 over the peak.
fn opening_at(share: f64) -> f64 {
    let rise = PEAK_AT / 2.0 * PEAK_OVER_MEAN;
    if share < rise {
        return PEAK_AT * (share / rise).sqrt();
    }
    let decay = 1.0 / PEAK_OVER_MEAN - PEAK_AT / 2.0;
    let left = (1.0 - (share - rise) / (1.0 - rise)).max(f64::MIN_POSITIVE);
    (PEAK_AT - decay * left.ln()).min(1.0)
}

/// When each of so many people comes who know nothing of each other, ascending.
pub fn steady(people: u32, span: Duration, dice: &mut SmallRng) -> Vec<Duration> {
    let mut arrivals: Vec<Duration> = (0..people).map(|_| span.mul_f64(dice.random())).collect();
    arrivals.sort_unstable();
    arrivals
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const SPAN: Duration = Duration::from_mins(1);

    fn by_second(arrivals: &[Duration]) -> Vec<f64> {
        let mut counts = vec![0.0; 61];
        for arrival in arrivals {
            counts[usize::try_from(arrival.as_secs()).unwrap()] += 1.0;
        }
        counts
    }

    #[test]
    fn an_opening_peaks_some_seconds_in_at_about_six_times_its_mean() {
        let arrivals = opening(52_000, SPAN, &mut SmallRng::seed_from_u64(1));
        assert!(arrivals.is_sorted() && arrivals.len() == 52_000);
        let counts = by_second(&arrivals);
        let peak = counts.iter().copied().fold(0.0, f64::max);
        let over_mean = peak / (52_000.0 / 60.0);
        assert!((5.0..7.0).contains(&over_mean), "{over_mean}");
        assert!(counts[0] < peak / 2.0, "the first second is not the peak");
        let at = counts.iter().position(|count| *count >= peak).unwrap();
        assert!((1..5).contains(&at), "the peak is at second {at}");
        assert!(counts[59] < peak / 50.0, "the tail is thin");
    }

    #[test]
    fn steady_arrivals_come_evenly() {
        let counts = by_second(&steady(60_000, SPAN, &mut SmallRng::seed_from_u64(1)));
        assert!(counts[..60].iter().all(|count| (800.0..1_200.0).contains(count)), "{counts:?}");
    }

    #[test]
    fn the_same_seed_brings_people_at_the_same_instants() {
        let of = |seed| opening(100, SPAN, &mut SmallRng::seed_from_u64(seed));
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
